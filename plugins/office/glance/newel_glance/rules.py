"""What is shown: pure functions over frozen values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
from newel.domain.document import Document, Line
from newel.domain.money import HUNDRED, ZERO, plain, product, rounded
from newel.manifest import Panel, Shown

Coming = tuple[date | None, Decimal]


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A sale of the customer. gross in its currency, tax in."""

    id: int
    kind: str
    number: str
    date: date
    gross: Decimal
    currency: str
    digits: int = 2


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What was looked up, by item id, in the item's unit.

    Args:
        here: free where the sale ships from. elsewhere: free in other places, by their code.
        coming: what purchases will bring, the earliest first; a day of None is not known.
        orders: the latest sales of the customer. count: how many of them are open.
    """

    here: dict[int, Decimal] = {}
    elsewhere: dict[int, tuple[tuple[str, Decimal], ...]] = {}
    coming: dict[int, tuple[Coming, ...]] = {}
    orders: tuple[Order, ...] = ()
    count: int = 0


def entered(document: Document) -> bool:
    """Whether it is a sale that somebody is still working on."""
    return document.role == "sale" and document.phase in ("draft", "offered")


def promised(wanted: Decimal, free: Decimal, coming: Sequence[Coming], today: date) -> date | None:
    """The first day on which all that is wanted is there; None where nobody knows."""
    if wanted <= free:
        return today
    for day, quantity in coming:
        free += quantity
        if day is not None and wanted <= free:
            return max(day, today)
    return None


def stock(document: Document, seen: Seen, today: date) -> list[Panel]:
    """Below each line: free now, until when all of it can be there, what lies elsewhere. Lines before take first."""
    left, out = dict(seen.here), []
    parents = {line.parent for line in document.lines}
    for line in document.lines:
        if line.item is None or not line.item.stocked or line.id in parents or line.quantity <= 0:
            continue
        free = left.get(line.item.id, ZERO)
        left[line.item.id] = free - line.quantity_base
        out.append(_line(document, line, free, seen, today))
    return out


def _line(document: Document, line: Line, free: Decimal, seen: Seen, today: date) -> Panel:
    assert line.item is not None
    item, coming = line.item, seen.coming.get(line.item.id, ())
    day = promised(line.quantity_base, free, coming, today)
    asked = line.schedules[0].date_requested if line.schedules else document.date_requested
    rows: list[tuple[str, str | Shown]] = [("Free", Shown(value=plain(max(free, ZERO)), unit=item.unit))]
    if line.quantity_base > free:
        rows += [("All of it", Shown(value=day))] if day else []
        rows += [("On its way", Shown(value=plain(quantity), unit=item.unit)) for _day, quantity in coming[:1] or [(None, ZERO)]]
        rows += [(f"In {code}", Shown(value=plain(quantity), unit=item.unit)) for code, quantity in seen.elsewhere.get(item.id, ())[:3]]
    late = asked is not None and (day is None or day > asked)
    return Panel(title="Stock", rows=tuple(rows), text="later than asked for" if late else "", line=line.id, sequence=30)


def customer(seen: Seen, may: Callable[[str], bool]) -> list[Panel]:
    """The last orders of the customer, as far as the user may see them."""
    orders = [o for o in seen.orders if may(f"{o.kind}.view")]
    if not orders:
        return []
    rows: list[tuple[str, str | Shown]] = [("Open orders", Shown(value=Decimal(seen.count)))]
    rows += [(f"{o.number} · {o.date.isoformat()}", Shown(value=o.gross, digits=o.digits, unit=o.currency, url=f"/document/{o.id}")) for o in orders]
    return [Panel(title="Last orders", rows=tuple(rows), sequence=40)]


def margin(document: Document, company: Any) -> list[Panel]:
    """What the sale earns over standard cost, in the company's currency."""
    if not document.lines:
        return []
    net = rounded(product(document.net, document.rate), company.amount_digits, company.rounding)
    cost = sum((line.cost for line in document.lines), ZERO)
    rows: list[tuple[str, str | Shown]] = [
        (name, Shown(value=value, digits=company.amount_digits, unit=company.currency)) for name, value in (("Cost", cost), ("Margin", net - cost))
    ]
    if net:
        rows.append(("Of net", Shown(value=rounded((net - cost) * HUNDRED / net, 1), unit="%")))
    return [Panel(title="Margin", rows=tuple(rows), sequence=50)]
