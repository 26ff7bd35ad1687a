"""Service levels on one screen: what is promised, how each request stands against it, and who gets it when time runs out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from newel.domain.context import Context
from newel.domain.document import Document
from newel.domain.facts import Facts
from newel.hookspecs import asked, hookimpl
from newel.manifest import Job, Manifest, Panel
from newel.store.session import Session

from newel_sla.facts import REPORTS, SlaFacts, load, local
from newel_sla.rules import SlaSettings
from newel_sla.send import escalate
from newel_sla.tables import RECORDS, TABLES


@hookimpl
def register_plugin() -> Manifest:
    """Calendars, promises and steps; a board, and a job that escalates (SRV-05)."""
    return Manifest(
        name="sla", label="Service levels", locale="newel_sla:locale",
        needs=("requests",), piccolo_app="newel_sla.piccolo_app", tables=TABLES, records=RECORDS, reports=REPORTS,
        settings=SlaSettings, demo_data="newel_sla:demo.toml",
        jobs=(Job(name="sla.escalate", act=escalate, every=60),),
    )  # fmt: skip


@hookimpl
@asked("requests.request")
async def load_facts(document: Document, session: Session, context: Context) -> Any:
    """The clock of a request; nothing for other documents."""
    return await load(document, session, context)


@hookimpl
@asked(facts=SlaFacts)
def propose_panels(document: Document, facts: Facts, context: Context) -> Sequence[Panel]:
    """Until when an answer and a solution are promised; for ourselves also what is late, and what was done about it."""
    found = facts[SlaFacts]
    own, target = found.clock, found.clock.target
    rows = [
        ("Answer by", local(own.response_due, target)), ("Answered", local(own.answered, target)), ("Solve by", local(own.resolution_due, target)),
        ("Solved", local(own.done, target)), ("Stands still", "until the requester answers" if own.paused else ""),
    ]  # fmt: skip
    if context.user.party is None:
        rows += [("Late", ", ".join(own.late)), ("Promise", target.code)]
        rows += [(f"Escalated {local(at, target)}", text) for at, text in found.escalations]
    rows.append(("Times of", target.calendar.zone))
    return [Panel(title="Service level", rows=tuple(r for r in rows if r[1]), sequence=15)]
