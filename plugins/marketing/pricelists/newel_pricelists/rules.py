"""Which line of which list prices an item: pure functions over frozen values, one declared order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
from newel.domain.context import Company
from newel.domain.document import Document
from newel.domain.item import Item
from newel.domain.money import ONE, ZERO, plain, product, rounded
from newel.domain.pricing import Price
from newel.errors import Problem
from newel.manifest import Panel, Shown

PRICE_DIGITS = 6
PERCENT = Decimal("0.01")


class ListLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a list: for an item, a class or (neither) all; a price for one base unit or a percentage of the list price."""

    id: int
    item: int | None = None
    item_class: str = ""
    quantity_min: Decimal = ZERO
    date_from: date | None = None
    date_to: date | None = None
    price: Decimal | None = None
    percent: Decimal | None = None


class Assigned(msgspec.Struct, frozen=True, kw_only=True):
    """A list that a customer has. rank: 0 by name, 1 by the nearest class, 2 by the class above it, and so on."""

    price_list: int
    code: str
    currency: str
    rank: int
    sequence: int = 100


class PriceFacts(msgspec.Struct, frozen=True):
    """The customer's lists, and their lines: (list, item id or None for lines of classes and of all) -> lines."""

    assigned: tuple[Assigned, ...] = ()
    lines: Mapping[tuple[int, int | None], tuple[ListLine, ...]] = {}


def within(day: date, date_from: date | None, date_to: date | None) -> bool:
    """Whether a day lies in a span; no date means no limit."""
    return (date_from is None or date_from <= day) and (date_to is None or day <= date_to)


def _place(line: ListLine, item: Item) -> int | None:
    """How specific: 0 for the item, 1 for its nearest class ..., the number of classes + 1 for all; None where the line is not for it."""
    if line.item is not None:
        return 0 if line.item == item.id else None
    if not line.item_class:
        return len(item.classes) + 1
    return item.classes.index(line.item_class) + 1 if line.item_class in item.classes else None


def _fitting(facts: PriceFacts, item: Item, quantity: Decimal, currency: str, day: date) -> Iterator[tuple[Any, Assigned, ListLine]]:
    """Fitting lines with their rank; smaller comes first.

    The order is total: customer before class (nearest first), item before class (nearest first) before all, the highest
    quantity reached, the latest start, then the assignment's sequence, the list's code and the line's id.
    """
    for assigned in facts.assigned:
        for key in (item.id, None):
            for line in facts.lines.get((assigned.price_list, key), ()):
                place = _place(line, item)
                if place is None or quantity < line.quantity_min or not within(day, line.date_from, line.date_to):
                    continue
                if line.price is not None and assigned.currency != currency:
                    continue
                latest = -(line.date_from or date.min).toordinal()
                order = (assigned.rank, place, -line.quantity_min, latest, assigned.sequence, assigned.code, line.id)
                yield order, assigned, line


def choose(facts: PriceFacts, item: Item, quantity: Decimal, currency: str, day: date) -> tuple[Assigned, ListLine] | None:
    """The line that prices so much (in the base unit) of an item on a day, or None."""
    best = min(_fitting(facts, item, quantity, currency, day), key=lambda found: found[0], default=None)
    return best[1:] if best else None


def list_price(item: Item, rate: Decimal) -> Decimal | None:
    """The item's list price for one base unit in the document's currency, if need be by the day's rate."""
    if item.price is not None:
        return item.price
    return item.price_home / rate if item.price_home is not None and rate else None


def answer(
    facts: PriceFacts, item: Item, quantity: Decimal, factor: Decimal, currency: str, rate: Decimal, day: date, company: Company
) -> Price | None:  # fmt: skip
    """The price of one unit of `factor` base units, or None where no list has a fitting line."""
    found = choose(facts, item, quantity, currency, day)
    if found is None:
        return None
    assigned, line = found
    if line.price is not None:
        amount = line.price if factor == ONE else rounded(product(line.price, factor), PRICE_DIGITS)
        return Price(amount=amount, rule=assigned.code, reason=f"price list {assigned.code}{_from(line)}")
    base = list_price(item, rate)
    if base is None or line.percent is None:
        return None
    amount = rounded(product(product(product(base, factor), line.percent), PERCENT), company.price_digits)
    reason = f"price list {assigned.code}: {line.percent.normalize():f} % of the list price{_from(line)}"
    return Price(amount=amount, rule=assigned.code, reason=reason)


def _from(line: ListLine) -> str:
    return f", from {line.quantity_min.normalize():f}" if line.quantity_min else ""


def nearly(facts: PriceFacts, item: Item, quantity: Decimal, document: Document, company: Company) -> tuple[Decimal, Price] | None:
    """How much more (in the base unit) has a better price, and that price of one; None where nothing more helps."""

    def at(least: Decimal) -> Price | None:
        return answer(facts, item, least, ONE, document.currency, document.rate, document.date, company)

    now = at(quantity)
    price = now.amount if now else list_price(item, document.rate)
    steps = {line.quantity_min for a in facts.assigned for key in (item.id, None) for line in facts.lines.get((a.price_list, key), ())}
    better = ((least - quantity, then) for least in sorted(steps) if least > quantity and (then := at(least)) and (price is None or then.amount < price))
    return next(better, None)


def panels(document: Document, facts: PriceFacts, company: Company) -> list[Panel]:
    """The lists that the customer has, as they come first; with the price of each line the next quantity that has a better one."""
    codes = dict.fromkeys(a.code for a in sorted(facts.assigned, key=lambda a: (a.rank, a.sequence, a.code)))
    out = [Panel(title="Price lists", rows=(("Price list", ", ".join(codes)),), slot="head")]
    for line in document.lines if document.phase in ("draft", "offered") else ():
        if line.item is None or line.price_entered is not None or line.copied_from is not None:
            continue
        if found := nearly(facts, line.item, line.quantity_base, document, company):
            more, price = found
            rows = ((price.reason, Shown(value=plain(more), unit=line.item.unit)),
                    ("Price then", Shown(value=price.amount, digits=company.price_digits, unit=document.currency)))  # fmt: skip
            out.append(Panel(title="Nearly applied: so much more is needed", rows=rows, line=line.id, slot="why", sequence=10))
    return out


def check_line(values: Mapping[str, Any]) -> Iterable[Problem]:
    """Before a line of a list is kept: one of price and percent, one of item and class, dates in order."""
    if (values.get("price") is None) == (values.get("percent") is None):
        hint = "leave the other one empty"
        yield Problem(code="pricelists.price", message="either a price or a percentage was expected", where="price", hint=hint)
    for name in ("price", "percent", "quantity_min"):
        if (values.get(name) or 0) < 0:
            yield Problem(code="pricelists.negative", message=f"{name} must not be negative", where=name)
    if values.get("item") is not None and values.get("item_class") is not None:
        hint = "leave both empty for all items"
        yield Problem(code="pricelists.scope", message="an item or a class was expected, not both", where="item_class", hint=hint)
    yield from check_dates(values)


def check_assignment(values: Mapping[str, Any]) -> Iterable[Problem]:
    """Before an assignment is kept: a party or a class of parties, dates in order."""
    if (values.get("party") is None) == (values.get("party_class") is None):
        yield Problem(code="pricelists.assignment", message="either a party or a class of parties was expected", where="party")
    yield from check_dates(values)


def check_dates(values: Mapping[str, Any]) -> Iterable[Problem]:
    """A span must not end before it begins."""
    if values.get("date_from") and values.get("date_to") and values["date_to"] < values["date_from"]:
        yield Problem(code="pricelists.dates", message=f"the span ends on {values['date_to']}, before it begins", where="date_to")
