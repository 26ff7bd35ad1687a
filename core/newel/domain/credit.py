"""Credit: what a party may owe, and what it owes already (CRD-01, CRD-02)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

import msgspec

from newel.domain.document import Document
from newel.domain.money import ZERO, product

Day = date  # for structs with a field of that name
ORDERED, DELIVERED, INVOICED = "open orders", "delivered, not invoiced", "open items"
REASONS = {ORDERED: "confirmed, neither delivered nor invoiced", DELIVERED: "delivered, not invoiced", INVOICED: "invoiced, not paid"}


class Exposure(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of a party's exposure, in the company's currency, with the reason a person would want to see."""

    stage: str
    amount: Decimal
    reason: str = ""
    plugin: str = ""


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """What one document puts at risk: amount in its currency, home in the company's at today's rate. due: of what has been invoiced."""

    stage: str
    document: int
    number: str
    date: Day
    currency: str
    amount: Decimal
    home: Decimal
    due: Day | None = None


def open_parts(quantity: Decimal, delivered: Decimal, invoiced: Decimal, is_open: bool) -> tuple[Decimal, Decimal]:
    """Of a line of a sale: what is neither delivered nor invoiced, and what is delivered and not invoiced. The rest is an open item."""
    return max(quantity - max(delivered, invoiced), ZERO) if is_open else ZERO, max(min(delivered, quantity) - invoiced, ZERO)


def by_stage(figures: Iterable[Figure]) -> tuple[Exposure, ...]:
    """Figures summed up by stage, in the order in which goods and money go."""
    found = list(figures)
    sums = {stage: sum((f.home for f in found if f.stage == stage), ZERO) for stage in REASONS}
    return tuple(Exposure(stage=stage, amount=amount, reason=REASONS[stage], plugin="newel") for stage, amount in sums.items() if amount)


def added(document: Document, rate: Decimal) -> Decimal:
    """What a document puts at risk itself: its gross amount; of a sale that was open before, what of it has not been invoiced."""
    if not any("invoiced" in line.stages for line in document.lines):
        return product(document.gross, rate)
    done = {line.id: min(line.stages["invoiced"].done, line.quantity) for line in document.lines if "invoiced" in line.stages}
    open_amounts = (product(x.gross, x.quantity - done.get(x.id, ZERO)) / x.quantity for x in document.lines if x.quantity)
    return product(sum(open_amounts, ZERO), rate)


class CreditFacts(msgspec.Struct, frozen=True):
    """What the kernel itself knows a party to owe: open items, and sales that are open, by stage, in the company's currency."""

    exposures: tuple[Exposure, ...] = ()


class Exposures(msgspec.Struct, frozen=True):
    """What all plugins propose for the document's party; among the facts where a plugin takes the check of credit over."""

    proposed: tuple[Exposure, ...] = ()
