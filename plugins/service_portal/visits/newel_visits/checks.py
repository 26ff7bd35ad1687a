"""What must hold of visits and their records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from newel.domain.document import Document
from newel.errors import Problem, Severity

from newel_visits.rules import TIME, VisitData, VisitFacts, clashes, fingerprint, header, span, tasks


def check(document: Document, transition: str, facts: VisitFacts, zone: str, guest: bool) -> Iterator[Problem]:
    """Everything that is wrong with a visit. guest: the user stands for a partner."""
    data = header(document)
    if not transition:
        yield from _entered(document, data, facts, zone)
        if guest:
            yield Problem(code="visits.staff", message="visits are planned by us", hint="send in a request, or add to yours")
    if transition == "confirm":
        yield from _lacking(document, data)
    if transition == "confirm" or (not transition and (document.date_requested, data) != facts.stored):
        severity = Severity.NOTE if document.phase == "draft" and not transition else Severity.OVERRIDE
        for other, code in clashes(document.date_requested, data, facts.others, zone):
            message = f"{code} is at {other.party} from {other.data.time} for {other.data.minutes} minutes ({other.number})"
            yield Problem(code="visits.overlap", message=message, where="data.visits.time", hint="choose another time or technician", severity=severity)
    if transition == "finish":
        yield from _unfinished(document, data, facts)
    if transition == "reverse" and any(stage.planned for line in document.lines for stage in line.stages.values()):
        yield Problem(code="visits.gone_on", message="it is being charged already", hint="cancel the invoice first, or make a credit note")


def _entered(document: Document, data: VisitData, facts: VisitFacts, zone: str) -> Iterator[Problem]:
    known = facts.known
    for code in sorted(data.crew - set(known.technicians)):
        hint = f"one of {', '.join(sorted(known.technicians)) or 'none yet: add technicians first'}"
        yield Problem(code="visits.technician", message=f"there is no technician {code!r:.40}", where="data.visits.technician", hint=hint)
    if data.checklist and data.checklist not in known.checklists:
        hint = f"one of {', '.join(sorted(known.checklists)) or 'none yet'}"
        yield Problem(code="visits.checklist", message=f"there is no checklist {data.checklist!r:.40}", where="data.visits.checklist", hint=hint)
    if data.time and not TIME.fullmatch(data.time):
        yield Problem(code="visits.time", message=f"{data.time!r:.20} is no time", where="data.visits.time", hint="write it as 14:30")
    elif data.time and document.date_requested and span(document.date_requested, data, zone) is None:
        message = f"the clocks of {zone} skip {data.time} on {document.date_requested}"
        yield Problem(code="visits.time", message=message, where="data.visits.time", hint="choose a time an hour earlier or later")
    if not 5 <= data.minutes <= 1440:
        message = f"5 to 1440 minutes were expected, got {data.minutes}"
        yield Problem(code="visits.minutes", message=message, where="data.visits.minutes", hint="plan a second visit for the next day")


def _lacking(document: Document, data: VisitData) -> Iterator[Problem]:
    there = {
        "data.visits.technician": ("a technician", bool(data.technician)), "date_requested": ("a day", document.date_requested is not None),
        "data.visits.time": ("a time", bool(data.time)), "ship_to": ("an address", document.ship_to is not None),
    }  # fmt: skip
    for where, (what, found) in there.items():
        if not found:
            yield Problem(code="visits.lacking", message=f"a visit that is confirmed has {what}", where=where, hint="enter it, then confirm")


def _unfinished(document: Document, data: VisitData, facts: VisitFacts) -> Iterator[Problem]:
    left = [t.text for t in tasks(data, facts.known) if not (t.done or t.remark)]
    if left:
        message = f"not checked yet: {', '.join(left)}"[:300]
        yield Problem(code="visits.tasks", message=message, where="data.visits.tasks", hint="tick it, or say why not", severity=Severity.OVERRIDE)
    if facts.signed is None:
        message, hint = "the customer has not signed the report", "let them sign, or go on if you may"
        yield Problem(code="visits.unsigned", message=message, hint=hint, severity=Severity.OVERRIDE)
    elif facts.signed.work != fingerprint(document.lines):
        message = f"time or material were changed after {facts.signed.name} signed"
        yield Problem(code="visits.changed", message=message, hint="let the customer sign once more", severity=Severity.OVERRIDE)


def check_report(values: Mapping[str, Any], parties: Mapping[int, int]) -> Iterator[Problem]:
    """Who signs has a name, and signs for an open visit of their own. parties: whose the visits are, by id."""
    if parties.get(values.get("document") or 0) != values.get("party"):
        yield Problem(code="visits.of", message="this partner has no such open visit", where="document", hint="name an existing one")
    if not (values.get("name") or "").strip():
        yield Problem(code="visits.name", message="the name of who signs is missing", where="name", hint="ask for it")
