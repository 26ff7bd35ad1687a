"""Stock: places, balances and moves. Value follows the goods (CON-03, TAK-07, TAK-08)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal

import msgspec

from newel.domain.money import ZERO, product, rounded


class LocationKind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of place.

    Args:
        tracked: balances are kept (storage); untracked places (supplier, customer) only stand at the ends of moves.
        available: its stock may be reserved and shipped.
    """

    name: str
    label: str = ""
    tracked: bool = False
    available: bool = False


class Location(msgspec.Struct, frozen=True, kw_only=True):
    """A warehouse, a bin, or the other end of a move. owner: party whose goods lie there, None for the company's own."""

    id: int
    code: str
    name: str = ""
    kind: str = "storage"
    company: int = 0
    parent: int | None = None
    owner: int | None = None
    party: int | None = None


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """What lies in one place: quantity and value; reserved is part of quantity."""

    id: int
    item: int
    location: int
    lot: int | None = None
    quantity: Decimal = ZERO
    reserved: Decimal = ZERO
    value: Decimal = ZERO

    @property
    def free(self) -> Decimal:
        """quantity - reserved."""
        return self.quantity - self.reserved


class StockFacts(msgspec.Struct, frozen=True):
    """Balances of a document's items, locked where the transition will move or reserve them. By item id.

    reservations: by line. moved: quantity and value that a line before has moved, so that a return comes back at what it left at.
    bought: by line of a purchase that a line continues, so that goods which never lay here are worth what they were ordered for.
    """

    balances: dict[int, tuple[Balance, ...]] = {}
    reservations: dict[int, tuple[Reservation, ...]] = {}
    moved: dict[int, tuple[Decimal, Decimal]] = {}
    bought: dict[int, Bought] = {}


class Bought(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a purchase: quantity (in its unit), net amount in its document's currency, that document's rate, and how much has come before."""

    quantity: Decimal
    net: Decimal
    rate: Decimal
    before: Decimal = ZERO


class Reservation(msgspec.Struct, frozen=True, kw_only=True):
    """So much of a balance is promised to a line. Quantity in the item's unit."""

    id: int = 0
    line: int
    balance: int
    quantity: Decimal


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """Goods go from one place to another. Quantity in the item's unit, value in the company's currency."""

    id: int = 0
    line: int
    item: int
    quantity: Decimal
    source: int
    target: int
    lot: int | None = None
    value: Decimal = ZERO


def value_out(balance: Balance, quantity: Decimal, digits: int, mode: str = "half_up") -> Decimal:
    """The value of a part of a balance at its average; the last unit takes what is left, so value never outlives quantity."""
    if quantity == balance.quantity:
        return balance.value
    return rounded(product(balance.value, quantity) / balance.quantity, digits, mode)


# ---- goods that lie at one party and belong to another ---------------------------------------------------------------------------------


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """So much of an order's line went on by a line of another document, in the order line's unit. link: how. firm: that document counts."""

    line: int
    link: str
    to_document: int
    to_line: int
    quantity: Decimal
    firm: bool = True
    day: date | None = None


def left(steps: Iterable[Step], came: str, line: int, without: int = 0) -> Decimal:
    """What of an order's line is there and not yet spoken for, leaving out what one document says.

    Args:
        came: the link by which goods come; every other link takes from them. Drafts take, and bring nothing.
    """
    own = [s for s in steps if s.line == line and s.to_document != without and (s.firm or s.link != came)]
    return sum((s.quantity if s.link == came else -s.quantity for s in own), ZERO)


def layers(steps: Iterable[Step], came: str) -> Iterator[tuple[Step, Decimal]]:
    """What came of one order's line with what is left of each part; what was taken is taken from the oldest first. came: as in `left`."""
    firm = [s for s in steps if s.firm]
    gone = sum((s.quantity for s in firm if s.link != came), ZERO)
    for step in sorted((s for s in firm if s.link == came), key=lambda s: (s.day or date.min, s.to_line)):
        taken = min(gone, step.quantity)
        gone -= taken
        yield step, step.quantity - taken


def age(days: int) -> str:
    """The bracket that an age in days falls into."""
    return next((name for most, name in ((30, "0-30"), (60, "31-60"), (90, "61-90")) if days <= most), "over 90")
