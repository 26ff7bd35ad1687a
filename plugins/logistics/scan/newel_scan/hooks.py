"""Scanning on one screen: two tables, and pages for one thumb."""

from __future__ import annotations

from newel.hookspecs import hookimpl
from newel.manifest import Manifest, MenuItem

from newel_scan.keep import WORK
from newel_scan.tables import TABLES


@hookimpl
def register_plugin() -> Manifest:
    """Tasks with their scans."""
    return Manifest(
        name="scan", label="Scanning", locale="newel_scan:locale", needs=("inventory",),
        piccolo_app="newel_scan.piccolo_app", tables=TABLES,
        routes="newel_scan.routes:handlers", templates="newel_scan:templates",
        permissions=((WORK, "pick, receive, count and move with a scanner"),),
        menu=(MenuItem(label="Scan", path="/scan", section="Stock", permission=WORK),),
    )  # fmt: skip
