"""What warranty decides: pure functions over frozen values. The life of a piece is its stock moves and the events that people enter."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal

import msgspec
from newel.domain.document import Document, Draft
from newel.domain.money import HUNDRED, ZERO, plain
from newel.domain.pricing import Adjustment
from newel.errors import Problem, Severity
from newel.manifest import Panel

Day = date
EVENTS = (("sold", "Sold"), ("serviced", "Serviced"), ("decommissioned", "Decommissioned"), ("recycled", "Recycled"))
CLAIM = "warranty.claim"
ENDED = ("decommissioned", "recycled")
SERVED = "device"  # kind of lines that say what work is for


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """Terms of warranty; parts and labour in percent of the price. service_months: 0 for none."""

    code: str
    months: int
    parts: Decimal
    labour: Decimal
    service_months: int = 0


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """Terms of an item, or of a class (code), for what was sold between two days."""

    terms: Terms
    item: int | None = None
    item_class: str = ""
    date_from: date | None = None
    date_to: date | None = None


class Happened(msgspec.Struct, frozen=True, kw_only=True):
    """Something in the life of a piece: sold, returned, in service, serviced, decommissioned or recycled."""

    date: Day
    kind: str
    party: int | None = None
    document: int | None = None
    number: str = ""
    proof: str = ""


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """A single piece: item, its classes (the closest first), serial number, and its life in order."""

    item: int
    classes: tuple[str, ...] = ()
    serial: str = ""
    life: tuple[Happened, ...] = ()


class Cover(msgspec.Struct, frozen=True, kw_only=True):
    """What a warranty covers on a day. until: its last day, None where there is none; reason: in words."""

    parts: Decimal = ZERO
    labour: Decimal = ZERO
    until: date | None = None
    reason: str = ""


class WarrantyFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Rules, pieces by lot, and the lots of the returns that a document is work for."""

    rules: tuple[Rule, ...] = ()
    pieces: Mapping[int, Piece] = {}
    behind: tuple[int, ...] = ()


def later(day: date, months: int) -> date:
    """So many months later; the last of a month where that one is shorter."""
    years, month = divmod(day.month - 1 + months, 12)
    return date(day.year + years, month + 1, min(day.day, monthrange(day.year + years, month + 1)[1]))


def terms_of(piece: Piece, sold: date, rules: Iterable[Rule]) -> Terms | None:
    """The terms that hold for a piece: those of the item, then of its closest class, then of everything; of several the latest."""
    found = []
    for r in rules:
        if (r.date_from or date.min) <= sold <= (r.date_to or date.max) and r.item in (None, piece.item):
            if r.item is None and r.item_class and r.item_class not in piece.classes:
                continue
            near = 2 if r.item else 1 - Decimal(piece.classes.index(r.item_class)) / HUNDRED if r.item_class else 0
            found.append((near, r.date_from or date.min, r.terms.code, r.terms))
    return max(found, key=lambda x: x[:3])[3] if found else None


def cover(piece: Piece | None, day: date, rules: Iterable[Rule]) -> Cover:
    """What the warranty covers of a piece on a day. It starts when the piece is sold, and ends with it."""
    sold = next((h for h in reversed(piece.life) if h.kind == "sold" and h.date <= day), None) if piece else None
    if piece is None or sold is None:
        return Cover(reason="it was not sold by us")
    terms = terms_of(piece, sold.date, rules)
    if terms is None:
        return Cover(reason=f"sold on {sold.date} without a warranty")
    end = later(sold.date, terms.months)
    ended = next((h for h in piece.life if h.kind in ENDED and sold.date <= h.date <= day), None)
    if ended or day > end:
        return Cover(until=end, reason=f"{ended.kind} on {ended.date}" if ended else f"warranty {terms.code} ended on {end}")
    return Cover(parts=terms.parts, labour=terms.labour, until=end, reason=f"warranty {terms.code} until {end}")


def state(life: Sequence[Happened]) -> str:
    """Where a piece is in its life."""
    return life[-1].kind if life else "in stock"


def service_due(piece: Piece, rules: Iterable[Rule]) -> date | None:
    """When a piece that is with a customer needs its next service."""
    last = next((h.date for h in reversed(piece.life) if h.kind in ("sold", "serviced")), None)
    sold = next((h.date for h in reversed(piece.life) if h.kind == "sold"), None)
    terms = terms_of(piece, sold, rules) if sold and state(piece.life) in ("sold", "serviced") else None
    return later(last, terms.service_months) if last and terms and terms.service_months else None


def adjustments(document: Document, stage: str, facts: WarrantyFacts) -> Iterator[Adjustment]:
    """What the warranty takes off the price of work: of all pieces that the work is for, the one that is covered least (RMA-04)."""
    covers = [cover(facts.pieces.get(lot), document.date, facts.rules) for lot in facts.behind]
    if stage != "line" or not covers:
        return
    least = min(covers, key=lambda c: (c.parts + c.labour, c.until or date.min))
    for line in document.lines:
        percent = least.parts if line.item and line.item.stocked else least.labour
        if percent and line.kind != "text":
            yield Adjustment(rule="warranty", reason=f"{plain(percent)} % covered: {least.reason}", line=line.id, percent=-percent, sequence=900)


def check(document: Document, transition: str, facts: WarrantyFacts) -> Iterator[Problem]:
    """Pieces at the end of their life don't go to a customer again (RMA-09); a claim that is accepted is covered."""
    for i, line in enumerate(document.lines):
        piece = facts.pieces.get(line.lot or 0)
        if piece and document.role in ("sale", "delivery") and transition not in ("cancel", "reverse") and state(piece.life) in ENDED:
            last = piece.life[-1]
            message = f"{piece.serial} was {last.kind} on {last.date}, certificate {last.proof}"
            yield Problem(code="warranty.ended", message=message, where=f"lines[{i}].lot", hint="send another piece: this one must not go to a customer again")
        if document.kind == CLAIM and transition == "accept":
            found = cover(piece, document.date, facts.rules)
            if not (found.parts or found.labour):
                message = f"{piece.serial if piece else line.text} is not covered: {found.reason}"
                hint = "refuse the claim, or accept it as goodwill if you may"
                yield Problem(code="warranty.uncovered", message=message, where=f"lines[{i}].lot", hint=hint, severity=Severity.OVERRIDE)


def drafts(document: Document, facts: WarrantyFacts, today: date) -> list[Draft]:
    """Pieces that somebody has worked on at the customer's were serviced: the next service is counted from then (RMA-08)."""
    served = {line.lot for line in document.lines if line.kind == SERVED} if document.role == "production" else set()
    values = {"kind": "serviced", "date": today.isoformat(), "document": document.id, "text": document.number}
    return [
        Draft(record="warranty.event", values={**values, "item": piece.item, "lot": lot})
        for lot, piece in sorted(facts.pieces.items())
        if lot in served and state(piece.life) in ("sold", "serviced") and piece.life[-1].date <= today
    ]


def panels(document: Document, facts: WarrantyFacts) -> Iterator[Panel]:
    """For each piece of a request or return, what the warranty covers."""
    for line in document.lines:
        if line.lot and document.role in ("request", "return"):
            found = cover(facts.pieces.get(line.lot), document.date, facts.rules)
            rows = [("Warranty", found.reason)]
            if found.parts or found.labour:
                rows.append(("Covered", f"parts {plain(found.parts)} %, labour {plain(found.labour)} %"))
            yield Panel(title="Warranty", rows=tuple(rows), line=line.id, sequence=25, shared=True)
