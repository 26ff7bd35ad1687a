"""What the fault file decides: pure functions over frozen values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec
from newel.domain.document import Document, Draft, Line
from newel.domain.money import HUNDRED, ZERO, rounded
from newel.errors import Problem
from newel.manifest import Entry, Panel

DEVICE = "device"  # kind of lines that say what work is for


class FaultData(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a line of a request or return says of a fault. cause: code of a cause; fault: in words."""

    cause: str = ""
    fault: str = ""


class FaultFacts(msgspec.Struct, frozen=True):
    """Ids of the causes that are in use, by code."""

    causes: Mapping[str, int] = {}


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """One bar of a Pareto chart: quantity, its share of all and the running share, both in percent with one digit."""

    name: str
    quantity: Decimal
    share: Decimal
    running: Decimal


def said(line: Line) -> FaultData:
    """What a line says of a fault."""
    found = line.data.get("faults")
    return found if isinstance(found, FaultData) else FaultData()


def asked(document: Document) -> bool:
    """Whether the lines of a document may say what is wrong with their goods: requests of customers, returns, and work on devices."""
    return document.role in ("request", "return") or (document.role == "production" and any(line.kind == DEVICE for line in document.lines))


def check(document: Document, facts: FaultFacts) -> Iterator[Problem]:
    """Causes that nobody knows."""
    for i, line in enumerate(document.lines):
        cause = said(line).cause
        if cause and cause not in facts.causes:
            known = ", ".join(sorted(facts.causes)) or "none yet"
            message = f"there is no cause of faults {cause!r:.30}"
            yield Problem(code="faults.cause", message=message, where=f"lines[{i}].data.faults.cause", hint=f"known are {known}")


def check_measure(values: Mapping[str, Any]) -> Iterator[Problem]:
    """A measure that is to be done has somebody who does it."""
    if values.get("date_due") and not values.get("responsible"):
        yield Problem(code="faults.responsible", message="somebody must do it until then", where="responsible", hint="enter who")


def drafts(document: Document, phases: tuple[str, str], facts: FaultFacts) -> list[Draft]:
    """What failed goes into the file when it comes back, or when the work on it at the customer's is done (RMA-10).

    Args:
        phases: that the transition leads from and to.
    """
    if document.role not in ("return", "production") or phases[1] != "done" or phases[0] == "done":
        return []
    return [
        Draft(record="faults.fault", values={
            "date": document.date, "item": line.item.id, "lot": line.lot, "cause": facts.causes[said(line).cause], "quantity": line.quantity_base,
            "party": document.party.id if document.party else None, "document": document.id, "text": said(line).fault,
        })
        for line in document.lines if line.item and said(line).cause in facts.causes and (document.role == "return" or line.kind == DEVICE)
    ]  # fmt: skip


def panels(document: Document) -> Iterator[Panel]:
    """What is wrong with each piece, and the boxes to enter it."""
    for line in document.lines:
        if line.item is None or line.key or line.kind == "text" or not line.item.stocked or (document.role == "production" and line.kind != DEVICE):
            continue
        data = said(line)
        entries = (
            Entry(path=("cause",), label="Cause of the fault", value=data.cause, code_of="faults.cause"),
            Entry(path=("fault",), label="What is wrong", value=data.fault),
        )
        yield Panel(title="Fault", line=line.id, entries=entries, sequence=26, shared=True)


def pareto(counted: Sequence[tuple[str, Decimal]]) -> list[Bar]:
    """Bars from the most to the least frequent, with running shares; the last one is at 100 percent."""
    total, so_far, out = sum((quantity for _, quantity in counted), ZERO), ZERO, []
    for name, quantity in sorted(counted, key=lambda pair: (-pair[1], pair[0])):
        so_far += quantity
        share, running = (rounded(part * HUNDRED / total, 1) if total else ZERO for part in (quantity, so_far))
        out.append(Bar(name=name, quantity=quantity, share=share, running=running))
    return out
