"""Follow-ups on one screen: rules, and a job that looks at the accounts by them."""

from __future__ import annotations

from newel.hookspecs import hookimpl
from newel.manifest import Job, Manifest

from newel_followups.send import look
from newel_followups.tables import RECORDS, TABLES


@hookimpl
def register_plugin() -> Manifest:
    """Rules and a job; what it makes are requests (SRV-06)."""
    return Manifest(
        name="followups", label="Follow-ups", locale="newel_followups:locale",
        needs=("requests",), piccolo_app="newel_followups.piccolo_app", tables=TABLES, records=RECORDS,
        jobs=(Job(name="followups.look", act=look, every=3600),),
    )  # fmt: skip
