"""Dashboards on one screen: pages of tiles, each about a report or a kind of documents, and the analysis of sales and receivables."""

from __future__ import annotations

from newel.hookspecs import hookimpl
from newel.manifest import Manifest, MenuItem

from newel_dashboards import facts, receivables
from newel_dashboards.tables import RECORDS, TABLES

SEE = "dashboards.see"
MENU = (
    MenuItem(label="Dashboards", path="/dashboards", section="", permission=SEE),
    MenuItem(label="Sales analysis", path="/dashboards/analysis", section="Sales", permission="dashboards.sales.view"),
)


@hookimpl
def register_plugin() -> Manifest:
    """Boards of the company's own, reports, pages."""
    return Manifest(
        name="dashboards", label="Dashboards", locale="newel_dashboards:locale", piccolo_app="newel_dashboards.piccolo_app", tables=TABLES, records=RECORDS,
        reports=facts.REPORTS + receivables.REPORTS, routes="newel_dashboards.routes:handlers", templates="newel_dashboards:templates",
        permissions=((SEE, "See dashboards; each tile only with the right to what it shows."),), menu=MENU,
    )  # fmt: skip
