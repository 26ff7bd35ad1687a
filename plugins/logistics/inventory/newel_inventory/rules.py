"""What inventory decides: pure functions over frozen values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

import msgspec
from newel.domain.document import Document, Line, LineInput
from newel.domain.item import Item
from newel.domain.money import ONE, ZERO, product, rounded
from newel.domain.stock import Location, StockFacts
from newel.errors import Problem, Severity

PRICE_DIGITS = 6
Place = tuple[int, int, int | None]


class CountData(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a line of a count holds besides. counted: in the line's unit; only needed for zero, otherwise the quantity says it."""

    counted: Decimal | None = None


class Lying(msgspec.Struct, frozen=True):
    """What lies in one place: quantity in the item's unit and its value."""

    quantity: Decimal = ZERO
    value: Decimal = ZERO


class StockNow(msgspec.Struct, frozen=True):
    """Stock as it is, by (item, location, lot)."""

    places: dict[Place, Lying] = {}


def text(quantity: Decimal) -> str:
    """A quantity for people: no trailing zeros, no exponent."""
    return f"{quantity.normalize():f}"


def check_sale(document: Document, stock: StockFacts | None, locations: Mapping[int, Location]) -> list[Problem]:
    """A note for each item of which more is ordered than is free (DOC-02). The kernel says the same when it reserves."""
    if document.phase != "draft" or stock is None:
        return []
    own = {x.id for x in locations.values() if x.company == document.company and x.kind == "storage" and x.owner is None}
    left = {item: sum((b.free for b in found if b.location in own), ZERO) for item, found in stock.balances.items()}
    out = []
    parents = {line.parent for line in document.lines}
    for i, line in enumerate(document.lines):
        if line.item is None or not line.item.stocked or line.id in parents:
            continue
        free, wanted = left.get(line.item.id, ZERO), line.quantity_base
        left[line.item.id] = max(free - wanted, ZERO)
        if wanted > free:
            message = f"{text(wanted)} {line.item.unit} of {line.item.number} wanted, {text(free)} free now"
            hint = "the rest will be on back-order"
            out.append(Problem(code="inventory.short", message=message, where=f"lines[{i}].quantity", hint=hint, severity=Severity.NOTE))
    return out


def check_incoming(document: Document, transition: str, stock: StockNow, currency: str) -> list[Problem]:
    """Lots and serial numbers of what comes in; costs in the company's currency."""
    out = [problem for i, line in enumerate(document.lines) for problem in _tracked(line, f"lines[{i}]", transition, stock)]
    if document.kind == "inventory.receipt" and document.currency != currency:
        message = f"costs were expected in {currency}, the receipt is in {document.currency}"
        out.append(Problem(code="inventory.currency", message=message, where="currency", hint=f"set the currency to {currency}"))
    return out


def _tracked(line: Line, where: str, transition: str, stock: StockNow) -> Iterator[Problem]:
    item = line.item
    if item is None or not item.stocked or item.tracking == "none":
        return
    if line.lot is None and not transition:  # the kernel refuses the move itself
        message = f"{item.number} is tracked by {item.tracking}"
        hint = "enter the number before the goods are received"
        yield Problem(code="inventory.lot", message=message, where=f"{where}.lot", hint=hint, severity=Severity.NOTE)
    if item.tracking != "serial":
        return
    if line.quantity_base != ONE:
        message = f"a serial number stands for one piece, got {text(line.quantity_base)}"
        yield Problem(code="inventory.serial", message=message, where=f"{where}.quantity", hint="use a line for each piece")
    if line.lot is not None and any(key[0] == item.id and key[2] == line.lot and at.quantity > 0 for key, at in stock.places.items()):
        message = f"this serial number of {item.number} is in stock already"
        yield Problem(code="inventory.serial_twice", message=message, where=f"{where}.lot", hint="check the number")


# ---- counts ------------------------------------------------------------------------------------------------------------------------


def counted(line: Line) -> Decimal:
    """What was found, in the item's unit."""
    data = line.data.get("inventory")
    if isinstance(data, CountData) and data.counted is not None:
        return product(data.counted, line.factor)
    return line.quantity_base


def location(document: Document, line: Line) -> int | None:
    """Where it was counted."""
    return line.location_from or document.location_from


def difference(document: Document, line: Line, stock: StockNow, scrap: int | None) -> list[tuple[str, LineInput]]:
    """The part of a counted line: what is to be moved, or a text where nothing is, so that the counted line itself never moves."""
    place = location(document, line)
    if line.item is None or not line.item.stocked:
        return []
    if place is None or scrap is None:
        return [("same", LineInput(kind="text", text="not compared: no location"))]
    there = stock.places.get((line.item.id, place, line.lot), Lying())
    found = counted(line)
    if found == there.quantity:
        return [("same", LineInput(kind="text", text="as it should be"))]
    if found < there.quantity:
        moved = LineInput(
            item=line.item.id,
            text=f"{text(there.quantity - found)} {line.item.unit} missing",
            quantity=there.quantity - found,
            location_from=place,
            location_to=scrap,
            lot=line.lot,
        )
        return [("missing", moved)]
    moved = LineInput(
        item=line.item.id,
        text=f"{text(found - there.quantity)} {line.item.unit} more than expected",
        quantity=found - there.quantity,
        price=average(there, line.item),
        location_from=scrap,
        location_to=place,
        lot=line.lot,
    )
    return [("more", moved)]


def average(there: Lying, item: Item) -> Decimal:
    """What one unit of what lies there is worth; standard cost where nothing does."""
    return rounded(there.value / there.quantity, PRICE_DIGITS) if there.quantity else item.cost


def check_count(document: Document, transition: str, stock: StockNow, scrap: int | None) -> list[Problem]:
    """Places, lots, lines that count the same, and differences that no longer hold."""
    out, seen = [], set()
    if scrap is None:
        message = "the company has no location of kind scrap for differences"
        out.append(Problem(code="inventory.scrap", message=message, hint="add one under Stock, Locations"))
    for i, line in enumerate(document.lines):
        if line.parent is not None or line.item is None:
            continue
        where, place = f"lines[{i}]", location(document, line)
        if place is None:
            hint = "set it on the count or on the line"
            out.append(Problem(code="inventory.place", message="the counted location is missing", where=f"{where}.location_from", hint=hint))
        if (line.item.id, place, line.lot) in seen:
            message = f"{line.item.number} is counted twice in one place"
            out.append(Problem(code="inventory.counted_twice", message=message, where=where, hint="add the two lines up"))
        seen.add((line.item.id, place, line.lot))
        if line.item.tracking != "none" and line.lot is None:
            message = f"{line.item.number} is tracked by {line.item.tracking}"
            out.append(Problem(code="inventory.lot", message=message, where=f"{where}.lot", hint="count each lot on a line of its own"))
        if counted(line) < 0:
            out.append(Problem(code="inventory.negative", message="a counted quantity must not be negative", where=f"{where}.data"))
        if transition == "post" and not _holds(document, line, stock, scrap):
            message = f"the stock of {line.item.number} has changed since the count was saved"
            out.append(Problem(code="inventory.stale", message=message, where=where, hint="save the count again to see the new difference"))
    return out


def _holds(document: Document, line: Line, stock: StockNow, scrap: int | None) -> bool:
    """Whether the stored part of a counted line is still its difference."""
    expected: Sequence[LineInput] = [x for _, x in difference(document, line, stock, scrap) if x.item is not None]
    stored = [x for x in document.children(line.id) if x.item is not None]
    return [(x.quantity, x.location_from, x.location_to) for x in expected] == [(x.quantity, x.location_from, x.location_to) for x in stored]
