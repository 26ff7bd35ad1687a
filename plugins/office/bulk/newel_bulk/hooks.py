"""Bulk changes on one screen: what lists get, the pages behind it, and the job that works the rows off."""

from __future__ import annotations

from newel.hookspecs import hookimpl
from newel.manifest import Job, Manifest

from newel_bulk.tables import TABLES
from newel_bulk.work import RIGHT, carry_on, clear


@hookimpl
def register_plugin() -> Manifest:
    """Many rows of a list changed at once."""
    return Manifest(
        name="bulk", label="Bulk changes", locale="newel_bulk:locale", piccolo_app="newel_bulk.piccolo_app", tables=TABLES,
        routes="newel_bulk.routes:handlers", lists="newel_bulk.arrange:arrange", templates="newel_bulk:templates", scripts=("bulk/bulk.js",),
        permissions=((RIGHT, "change many rows of a list at once"),),
        jobs=(Job(name="bulk.run", act=carry_on), Job(name="bulk.clear", run=clear, every=86_400)),
    )  # fmt: skip
