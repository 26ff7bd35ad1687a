"""Upkeep on one screen: whether the books add up, whether numbers have gaps, and what is wrong with the install."""

from __future__ import annotations

from newel.hookspecs import hookimpl
from newel.manifest import Job, Manifest, MenuItem

from newel_upkeep.facts import NUMBERS
from newel_upkeep.tables import TABLES
from newel_upkeep.work import ADMIN, verify_all


@hookimpl
def register_plugin() -> Manifest:
    """A page, a report, and the job that recomputes the books."""
    return Manifest(
        name="upkeep", label="Upkeep", locale="newel_upkeep:locale", piccolo_app="newel_upkeep.piccolo_app", tables=TABLES, reports=(NUMBERS,),
        routes="newel_upkeep.routes:handlers", templates="newel_upkeep:templates", jobs=(Job(name="upkeep.verify", act=verify_all),),
        menu=(MenuItem(label="State of the books", path="/upkeep", section="Administration", permission=ADMIN),),
    )  # fmt: skip
