"""A further step at the login, on one screen: it has pages and tables, and takes part in no document."""

from __future__ import annotations

from newel.hookspecs import hookimpl
from newel.manifest import Manifest, MenuItem

from newel_two_factor.tables import TABLES

MENU = (MenuItem(label="Two-step login", path="/two_factor", section="Administration"),)


@hookimpl
def register_plugin() -> Manifest:
    """Everybody sets up their own; whoever looks after users can take it away from somebody who has lost it."""
    return Manifest(
        name="two_factor", label="Two-step login", locale="newel_two_factor:locale", piccolo_app="newel_two_factor.piccolo_app", tables=TABLES, menu=MENU,
        routes="newel_two_factor.routes:handlers", templates="newel_two_factor:templates",
    )  # fmt: skip
