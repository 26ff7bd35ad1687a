"""Restock on one screen: vans and depots have a minimum, and are filled up from elsewhere or bought for."""

from __future__ import annotations

from newel.hookspecs import hookimpl
from newel.manifest import Manifest, MenuItem

from newel_restock.facts import REPORTS
from newel_restock.rules import RestockSettings
from newel_restock.tables import RECORDS, TABLES


@hookimpl
def register_plugin() -> Manifest:
    """Minimum stock, what lacks, and the page that fills it up."""
    return Manifest(
        name="restock", label="Stock of vans and depots", locale="newel_restock:locale",
        piccolo_app="newel_restock.piccolo_app", tables=TABLES, records=RECORDS, reports=REPORTS,
        settings=RestockSettings, routes="newel_restock.routes:handlers", templates="newel_restock:templates",
        permissions=(("restock.fill_up", "make transfers and requisitions for vans and depots"),),
        menu=(MenuItem(label="Fill up vans and depots", path="/restock", section="Service", permission="restock.fill_up"),),
    )  # fmt: skip
