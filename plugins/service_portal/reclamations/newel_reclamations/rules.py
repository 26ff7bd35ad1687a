"""What reclamations decide: pure functions over frozen values."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal, get_args

import msgspec
from newel.domain.context import Company
from newel.domain.document import Document, Line
from newel.domain.master import Master
from newel.errors import Problem
from newel.manifest import Choice, Entry, Panel, Shown

CUSTOMER, VENDOR, SENDING, CREDIT = "reclamations.customer", "reclamations.vendor", "reclamations.sending", "reclamations.credit"
NOTICES = (CUSTOMER, VENDOR)
Reason = Literal["", "quantity", "damage", "quality", "wrong_item", "price", "late", "other"]
Outcome = Literal["", "credit", "replacement", "repair", "price_reduction", "nothing"]


class ReclamationsSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Days after its date by which a reclamation is to be answered and settled, where it does not say itself."""

    answer_days: int = 3
    settle_days: int = 21


class ReclamationData(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the header of a reclamation holds besides (RMA-07).

    Args:
        answer_by, settle_by: deadlines; None for the date plus the days in the settings.
        outcome: how it ended. decision: what was found; a refused one says why.
        cost: what it cost us, in the company's currency, net.
    """

    answer_by: date | None = None
    settle_by: date | None = None
    outcome: Outcome = ""
    decision: str = ""
    cost: Decimal | None = None


class Discrepancy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is wrong with a line. found: the quantity or price that was found instead of what was agreed."""

    reason: Reason = ""
    found: Decimal | None = None
    note: str = ""


def header(document: Document) -> ReclamationData:
    """The document's data; empty where it has none."""
    found = document.data.get("reclamations")
    return found if isinstance(found, ReclamationData) else ReclamationData()


def deadlines(day: date, data: ReclamationData, settings: ReclamationsSettings) -> tuple[date, date]:
    """By when it is to be answered, and settled."""
    return data.answer_by or day + timedelta(days=settings.answer_days), data.settle_by or day + timedelta(days=settings.settle_days)


def late(state: str, phase: str, ends: tuple[date, date], today: date) -> str:
    """What is overdue: "answer", "settlement", or nothing."""
    if phase != "open":
        return ""
    return "settlement" if ends[1] < today else "answer" if state == "open" and ends[0] < today else ""


def source(document: Document, line: Line, master: Master) -> int | None:
    """Where goods lie that go back to a vendor: where line or header says, else where they were received, else the warehouse."""
    for chosen in (line.location_from, document.location_from, document.location_to):
        if chosen in master.locations and master.locations[chosen].kind != "supplier":
            return chosen
    return master.defaults.get((document.company, "storage"))


def check(document: Document, transition: str, settings: ReclamationsSettings) -> Iterator[Problem]:
    """Everything that is wrong with a reclamation, what is sent back, or a vendor's credit note."""
    if document.kind in NOTICES:
        yield from _check_notice(document, transition, settings)
    if document.kind == CREDIT and transition == "post":
        for i, line in enumerate(document.lines):
            if line.item and line.item.stocked and not line.sources and not line.account_role:
                message = f"{line.text} was not sent back"
                hint = "make the credit note from what was sent back; a price reduction is a line without item"
                yield Problem(code="reclamations.goods", message=message, where=f"lines[{i}]", hint=hint)
    gone = any(stage.planned for line in document.lines for stage in line.stages.values())
    if gone and transition in ("cancel", "reverse", "refuse"):
        yield Problem(code="reclamations.gone_on", message="something has been made from it already", hint="cancel or undo that first")


def _check_notice(document: Document, transition: str, settings: ReclamationsSettings) -> Iterator[Problem]:
    data = header(document)
    ends = deadlines(document.date, data, settings)
    if ends[1] < ends[0]:
        message = f"it is to be settled by {ends[1]}, before it is answered by {ends[0]}"
        yield Problem(code="reclamations.dates", message=message, where="data.reclamations.settle_by", hint="enter a later day")
    if data.cost is not None and not (data.cost.is_finite() and data.cost >= 0):
        message = f"a cost of 0 or more was expected, got {data.cost!s:.40}"
        yield Problem(code="reclamations.cost", message=message, where="data.reclamations.cost", hint="enter what it cost us")
    if transition == "notify":
        for i, line in enumerate(document.lines):
            said = line.data.get("reclamations")
            if line.kind != "text" and not (isinstance(said, Discrepancy) and said.reason):
                message = f"what is wrong with {line.text or 'the line'} is missing"
                yield Problem(code="reclamations.reason", message=message, where=f"lines[{i}].data.reclamations.reason", hint="choose a reason")
    if transition == "settle" and not data.outcome:
        yield Problem(code="reclamations.outcome", message="how it ended is missing", where="data.reclamations.outcome", hint="choose an outcome")
    if transition == "refuse" and not data.decision:
        message = "a reclamation that is refused says why"
        yield Problem(code="reclamations.decision", message=message, where="data.reclamations.decision", hint="enter what was found")


def panels(document: Document, settings: ReclamationsSettings, today: date, company: Company) -> list[Panel]:
    """Deadlines, what is late, and how it ended."""
    if document.kind not in NOTICES:
        return []
    data = header(document)
    ends = deadlines(document.date, data, settings)
    overdue = late(document.state, document.phase, ends, today)
    rows: list[tuple[str, str | Shown]] = [
        ("Answer by", Shown(value=ends[0])), ("Settle by", Shown(value=ends[1])), ("Overdue", overdue), ("Outcome", data.outcome.replace("_", " ")),
        ("Cost", "" if data.cost is None else Shown(value=data.cost, digits=company.amount_digits, unit=company.currency)),
    ]  # fmt: skip
    about = Panel(title="Reclamation", rows=tuple(r for r in rows if r[1]), sequence=20)
    return [about, *(_box(line) for line in document.lines if line.kind != "text")]


def _box(line: Line) -> Panel:
    """What is wrong with a line, to be chosen in the form."""
    said = line.data.get("reclamations")
    said = said if isinstance(said, Discrepancy) else Discrepancy()
    choices = tuple(Choice(value=x, label=x.replace("_", " ")) for x in get_args(Reason) if x)
    entries = (
        Entry(path=("reason",), label="What is wrong", value=said.reason, choices=choices, required=True),
        Entry(path=("found",), label="Found instead", value="" if said.found is None else said.found, help="The quantity or price that was found."),
        Entry(path=("note",), label="Remark", value=said.note),
    )
    return Panel(title="Discrepancy", line=line.id, entries=entries, sequence=22, shared=True)
