"""How far an order has come, as a customer understands it: made, shipped, invoiced. Pure functions over frozen values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

import msgspec
from newel.domain.money import HUNDRED, ZERO

# What documents of a role mean to a customer. Goods that are bought for an order are made elsewhere.
STAGES = (("production", ("production", "purchase")), ("shipping", ("delivery",)), ("invoicing", ("invoice",)))


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """So much of a line went into a document. firm: it has happened, and is not only planned. Quantity in the line's unit."""

    line: int
    quantity: Decimal
    role: str
    firm: bool
    document: int
    number: str
    date: date | None = None


class OrderLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of an order. parts: it has parts, which go their own way. dates: (quantity, day) of deliveries, confirmed before wanted."""

    id: int
    text: str
    quantity: Decimal
    unit: str
    parts: bool = False
    dates: tuple[tuple[Decimal, date], ...] = ()


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """How much has come through a stage.

    Args:
        name: production, shipping or invoicing. state: none, started, partly or done.
        percent: of the order's lines, rounded down: 100 is all of it.
        documents: (number, day) of what has happened.
    """

    name: str
    state: str
    percent: int
    documents: tuple[tuple[str, date | None], ...] = ()


class LineStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A line with how much of it has come through each stage, in its unit; due: the next delivery that has not gone out, None where nobody said."""

    text: str
    quantity: Decimal
    unit: str
    done: dict[str, Decimal]
    due: date | None = None


def stages(lines: Sequence[OrderLine], moved: Sequence[Moved]) -> list[Stage]:
    """The stages of an order; production only where something of it is made or bought for it."""
    out = []
    for name, roles in STAGES:
        own = [m for m in moved if m.role in roles]
        if name == "production" and not own:
            continue
        took = [(line, done(line, own)) for line in lines if not line.parts and line.quantity > 0]
        share = sum((quantity * HUNDRED / line.quantity for line, quantity in took), ZERO) / len(took) if took else ZERO
        state = "done" if share == HUNDRED else "partly" if share else "started" if own else "none"
        documents = {m.document: (m.number, m.date) for m in own if m.firm}
        out.append(Stage(name=name, state=state, percent=int(share), documents=tuple(documents[id] for id in sorted(documents))))
    return out


def done(line: OrderLine, moved: Iterable[Moved]) -> Decimal:
    """How much of a line has happened, at most all of it."""
    return min(sum((m.quantity for m in moved if m.line == line.id and m.firm), ZERO), line.quantity)


def statuses(lines: Sequence[OrderLine], moved: Sequence[Moved]) -> list[LineStatus]:
    """The lines of an order, each with its stages."""
    out = []
    for line in (x for x in lines if not x.parts):
        took = {name: done(line, [m for m in moved if m.role in roles]) for name, roles in STAGES}
        out.append(LineStatus(text=line.text, quantity=line.quantity, unit=line.unit, done=took, due=due(line, took["shipping"])))
    return out


def due(line: OrderLine, shipped: Decimal) -> date | None:
    """The day of the first delivery of a line that has not gone out whole."""
    for quantity, day in sorted(line.dates, key=lambda d: d[1]):
        shipped -= quantity
        if shipped < 0:
            return day
    return None
