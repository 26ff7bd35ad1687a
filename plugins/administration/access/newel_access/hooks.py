"""Access on one screen: roles and their permissions as a matrix, users with their roles, why somebody may do something, and how two roles differ."""

from __future__ import annotations

from newel.hookspecs import hookimpl
from newel.manifest import Manifest, MenuItem


@hookimpl
def register_plugin() -> Manifest:
    """Pages only: what they change goes through the records of roles."""
    menu = MenuItem(label="Rights", path="/access", section="Administration", permission="newel.role_permission.view")
    return Manifest(
        name="access", label="Access", locale="newel_access:locale", routes="newel_access.routes:handlers", templates="newel_access:templates",
        menu=(menu,),
    )  # fmt: skip
