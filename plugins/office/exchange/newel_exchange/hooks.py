"""Exchange on one screen: lists as Excel files, a link on each list that leads to its import, and the jobs that do the work."""

from __future__ import annotations

from newel.hookspecs import hookimpl
from newel.manifest import Box, Job, Manifest

from newel_exchange.keep import RIGHT, clear
from newel_exchange.tables import TABLES
from newel_exchange.work import run
from newel_exchange.writing import xlsx_file


@hookimpl
def register_plugin() -> Manifest:
    """Files out of every list, and files into every kind of record and document."""
    return Manifest(
        name="exchange", label="Exchange", locale="newel_exchange:locale",
        piccolo_app="newel_exchange.piccolo_app", tables=TABLES,
        routes="newel_exchange.routes:handlers", templates="newel_exchange:templates",
        permissions=((RIGHT, "import files into what one may edit"),),
        formats={"xlsx": xlsx_file},
        boxes=(Box(title="Import", on="list", url="/exchange/into/{kind}", permission=RIGHT),),
        jobs=(Job(name="exchange.run", act=run), Job(name="exchange.clear", run=clear, every=86_400)),
    )  # fmt: skip
