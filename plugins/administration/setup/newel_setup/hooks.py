"""Setup on one screen: where an install begins that has no user, and the guide to what a company needs before its first document."""

from __future__ import annotations

from newel.hookspecs import hookimpl
from newel.manifest import Box, Manifest, MenuItem

from newel_setup.tables import TABLES


@hookimpl
def register_plugin() -> Manifest:
    """Pages, and a table of what the guide has made."""
    return Manifest(
        name="setup", label="Setup", locale="newel_setup:locale", piccolo_app="newel_setup.piccolo_app", tables=TABLES,
        routes="newel_setup.routes:handlers", templates="newel_setup:templates",
        menu=(MenuItem(label="Set-up guide", path="/setup", section="Administration", permission="newel.admin"),),
        boxes=(Box(title="First start", on="begin", url="/setup/start"),),
    )  # fmt: skip
