"""What purchasing decides: pure functions over frozen values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Literal

import msgspec
from newel.domain.context import Company
from newel.domain.document import Document, Line
from newel.domain.money import HUNDRED, ZERO, plain, product, rounded, smallest
from newel.domain.pricing import Price
from newel.errors import Problem, Severity
from newel.manifest import Panel, Shown

PRICE_DIGITS = 6
Level = Literal["note", "override", "block"]


class PurchasingSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Tolerances of the match of order, receipt and bill, in percent; match: what a difference beyond them does."""

    quantity_tolerance: Decimal = ZERO
    price_tolerance: Decimal = ZERO
    match: Level = "override"


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A vendor's price for one base unit of an item."""

    id: int
    part_number: str
    currency: str
    quantity_min: Decimal
    price: Decimal | None
    lead_days: int | None
    date_from: date | None
    date_to: date | None


class Ordered(msgspec.Struct, frozen=True, kw_only=True):
    """The line of an order that a receipt or bill continues: quantity and net amount, and what came and was billed of it on other documents."""

    line: int
    quantity: Decimal
    net: Decimal
    received: Decimal = ZERO
    billed: Decimal = ZERO


class PurchasingFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Offers of the vendor by item; for receipts and bills, the order behind each line by line; number of a bill with the same reference."""

    offers: Mapping[int, tuple[Offer, ...]] = {}
    orders: Mapping[int, Ordered] = {}
    twin: str = ""


def check_price(values: Mapping[str, Any]) -> list[Problem]:
    """Prices, quantities and days are not below zero, and a span does not end before it starts."""
    low = [name for name in ("price", "quantity_min", "lead_days") if (values.get(name) or 0) < 0]
    out = [Problem(code="purchasing.negative", message=f"0 or more was expected, got {values[name]}", where=name) for name in low]
    if (start := values.get("date_from")) and (end := values.get("date_to")) and end < start:
        out.append(Problem(code="purchasing.dates", message=f"it ends on {end}, before it starts on {start}", where="date_to"))
    return out


def best(offers: tuple[Offer, ...], quantity: Decimal, currency: str, when: date) -> Offer | None:
    """The offer that holds: the highest quantity that is reached, then the latest start, then the newest."""
    fitting = [
        o for o in offers if o.price is not None and o.currency == currency and o.quantity_min <= quantity
        and (o.date_from is None or o.date_from <= when) and (o.date_to is None or when <= o.date_to)
    ]  # fmt: skip
    return max(fitting, key=lambda o: (o.quantity_min, o.date_from or date.min, o.id), default=None)


def price(document: Document, line: Line, facts: PurchasingFacts, company: Company) -> Price | None:
    """The vendor's price, else the standard cost by the document's rate; 0 where nobody knows, never what we sell it for."""
    if line.item is None:
        return None
    offer = best(facts.offers.get(line.item.id, ()), line.quantity_base, document.currency, document.date)
    if offer is not None and offer.price is not None:
        reason = f"vendor's price {plain(offer.price)} for 1 {line.item.unit}" + (f" of {offer.part_number}" if offer.part_number else "")
        return Price(amount=product(offer.price, line.factor), rule="vendor's price", reason=reason)
    amount = rounded(product(line.item.cost, line.factor) / document.rate, company.price_digits, company.rounding)
    return Price(amount=amount, rule="standard cost" if amount else "no price", reason=f"no price of the vendor for {line.item.number}")


def check(document: Document, transition: str, facts: PurchasingFacts, settings: PurchasingSettings) -> list[Problem]:
    """Everything that is wrong with a document of purchasing."""
    out: list[Problem] = []
    gone = any(stage.planned for line in document.lines for stage in line.stages.values())
    if transition in ("cancel", "reverse", "revise") and gone:
        out.append(_bad("gone_on", "a part of it has gone on already", "", "undo what was made from it first, or close it"))
    if document.role == "purchase" and transition == "send":
        for i, line in enumerate(document.lines):
            if line.item is not None and not line.price and line.price_entered is None:
                out.append(_bad("price", f"nobody knows a price of {line.item.number}", f"lines[{i}].price", "enter one, 0 for free"))
    if document.role in ("receipt", "bill") and transition in ("", "receive", "post"):
        severity = Severity(settings.match) if transition else Severity.NOTE
        out += [msgspec.structs.replace(p, severity=severity) for p in _matched(document, facts, settings)]
    return out


def _bad(code: str, message: str, where: str, hint: str) -> Problem:
    return Problem(code=f"purchasing.{code}", message=message, where=where, hint=hint)


def _matched(document: Document, facts: PurchasingFacts, settings: PurchasingSettings) -> Iterator[Problem]:
    """The three-way match: no more comes than was ordered, no more is billed than came, and at the ordered price (each with a tolerance)."""
    bill = document.role == "bill"
    if bill and facts.twin:
        yield _bad("reference", f"{facts.twin} has the vendor's number {document.reference} already", "reference", "look whether it is the same bill")
    more = (HUNDRED + settings.quantity_tolerance) / HUNDRED
    here: dict[Ordered, Decimal] = {}
    for i, line in enumerate(document.lines):
        order, where, name = facts.orders.get(line.id), f"lines[{i}]", line.text or "the line"
        if order is None:
            if bill and line.item is not None and line.item.stocked:
                yield _bad("not_received", f"{name} was not received for any order", where, "make the bill from the receipt")
            continue
        here[order] = here.get(order, ZERO) + line.quantity
        most, done = (order.received, order.billed) if bill else (order.quantity, order.received)
        if done + here[order] > product(most, more):
            what = f"{plain(most)} of {name} {'came' if bill else 'ordered'}, {plain(done + here[order])} {'billed' if bill else 'come'} with this one"
            yield _bad("quantity", what, f"{where}.quantity", "ask the vendor, or go on if you may")
        expected = product(order.net, line.quantity) / order.quantity
        if bill and abs(line.net - expected) > abs(product(expected, settings.price_tolerance)) / HUNDRED + smallest(document.amount_digits):
            what = f"{name} was ordered for {rounded(expected, document.amount_digits)}, the bill says {line.net}"
            yield _bad("price_differs", what, f"{where}.price", "ask for a credit note, or go on if you may: the difference is posted as such")


def panels(document: Document, facts: PurchasingFacts) -> list[Panel]:
    """The vendor's part numbers; and of each line of a receipt or bill what was ordered, what came and what was billed: the three-way match."""
    items = {line.item.id: line.item.number for line in document.lines if line.item is not None}
    numbers = {items[i]: next((o.part_number for o in found if o.part_number), "") for i, found in facts.offers.items() if i in items}
    rows = tuple(row for row in numbers.items() if row[1])
    out = [Panel(title="Vendor's part numbers", rows=rows, sequence=30)] if rows else []
    for line in document.lines if document.role in ("receipt", "bill") else ():
        if (order := facts.orders.get(line.id)) is not None:
            here = "received" if document.role == "receipt" else "billed"
            done = {"ordered": order.quantity} | {n: getattr(order, n) + (line.quantity if n == here else ZERO) for n in ("received", "billed")}
            each = Shown(value=rounded(order.net / order.quantity, PRICE_DIGITS), digits=document.amount_digits, unit=document.currency)
            held = {n.capitalize(): Shown(value=q, unit=line.unit) for n, q in done.items()} | {"Ordered at, net": each}
            out.append(Panel(title="Held against the order, with this one", rows=tuple(held.items()), line=line.id))
    return out
