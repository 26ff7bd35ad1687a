"""Figures of service on one screen: what the model measures, and the grade that a requester gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from newel.domain.context import Context
from newel.domain.document import Document
from newel.domain.facts import Facts
from newel.hookspecs import asked, hookimpl
from newel.manifest import Manifest, Panel
from newel.store.session import Session

from newel_service_kpis.facts import REPORTS, Graded, load
from newel_service_kpis.tables import RECORDS, TABLES


@hookimpl
def register_plugin() -> Manifest:
    """Measures, grades and two reports (SRV-13)."""
    return Manifest(
        name="service_kpis", label="Service figures", locale="newel_service_kpis:locale",
        needs=("requests",), piccolo_app="newel_service_kpis.piccolo_app", tables=TABLES,
        records=RECORDS, reports=REPORTS, routes="newel_service_kpis.routes:handlers",
    )  # fmt: skip


@hookimpl
@asked("requests.request")
async def load_facts(document: Document, session: Session, context: Context) -> Any:
    """The grade of a request that is solved."""
    return await load(document, session)


@hookimpl
@asked(facts=Graded)
def propose_panels(document: Document, facts: Facts, context: Context) -> Sequence[Panel]:
    """How content the requester was, or the question how it was."""
    found = facts[Graded]
    return [Panel(title="Grade", rows=(("Given", f"{found.grade} of 5"),) if found.grade else (), sequence=50, form="" if found.grade else "grade")]
