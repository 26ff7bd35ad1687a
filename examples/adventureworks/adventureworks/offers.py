"""The special offers, as what a user would enter: promotions that decide by themselves, and prices of the resellers' list.

An offer works twice for resellers. The unit price is list price x (0.60 - discount): that is said by lines of the price list RESELLER, by
item, dates and quantity. The line is then discounted by the same percentage again: that is the promotion. Where two offers fit a line
(a volume discount and a sale), the better one was given, alone: the policy of their group is "best".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import msgspec
from newel.domain.context import Company
from newel.errors import Refused
from newel.services.app import Newel

from adventureworks.load import OPENING
from adventureworks.parties import INDIVIDUAL, RESELLER
from adventureworks.source import NO_OFFER, Source

GROUP = "OFFERS"
CUSTOMERS = {"Reseller": RESELLER, "Customer": INDIVIDUAL}
BASE = Decimal(60)
# What the orders say other than the list of offers does; each stays as it is in the records, and is not given.
NEVER_GIVEN = {
    10: "no order has it, though people bought its tyres in its weeks",
    12: "no order has it: 129 reseller lines for its frames in its weeks have no offer, or (one) a volume discount",
    15: "no order has it, though people bought its pedals in its weeks",
}
NOT_MEANT = {16: ("BK-M68B-38", "BK-M68B-46")}  # Mountain-200 Black under "Mountain-500 Silver Clearance Sale": none of 106 lines has it
Row = dict[str, Any]


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A special offer. items: numbers of those that it is for; given: whether orders have it."""

    id: int
    name: str
    percent: Decimal
    category: str
    date_from: date
    date_to: date
    quantity_min: int
    quantity_max: int | None
    items: tuple[str, ...]
    given: bool

    @property
    def code(self) -> str:
        """Of its promotion."""
        return f"OFFER{self.id:02}"


def offers(source: Source) -> list[Offer]:
    """All offers that take something off."""
    numbers = {row["ProductID"]: row["ProductNumber"] for row in source.rows("Product")}
    items: dict[str, list[str]] = {}
    for row in source.rows("SpecialOfferProduct"):
        items.setdefault(row["SpecialOfferID"], []).append(numbers[row["ProductID"]])
    return [_offer(row, items.get(row["SpecialOfferID"], [])) for row in source.rows("SpecialOffer") if int(row["SpecialOfferID"]) != NO_OFFER]


def _offer(row: Mapping[str, str], items: list[str]) -> Offer:
    id = int(row["SpecialOfferID"])
    return Offer(
        id=id, name=row["Description"], percent=Decimal(row["DiscountPct"]) * 100, category=row["Category"],
        date_from=date.fromisoformat(row["StartDate"]), date_to=date.fromisoformat(row["EndDate"]), quantity_min=int(row["MinQty"] or 0),
        quantity_max=int(row["MaxQty"]) if row["MaxQty"] else None, items=tuple(i for i in items if i not in NOT_MEANT.get(id, ())),
        given=id not in NEVER_GIVEN,
    )  # fmt: skip


def promotions(found: list[Offer]) -> Iterator[tuple[str, list[Row]]]:
    """The offers as promotions; those that were never given as drafts, which can be rehearsed."""
    yield "promotions.group", [{"code": GROUP, "name": "Special offers", "policy": "best"}]
    yield "promotions.promotion", [
        {
            "code": o.code, "name": o.name, "promotion_group": GROUP, "sequence": o.id, "active": o.given, "date_from": o.date_from,
            "date_to": o.date_to, "percent": o.percent, "quantity_min": o.quantity_min or None, "quantity_max": o.quantity_max,
        }
        for o in found
    ]  # fmt: skip
    yield "promotions.scope", [{"promotion": o.code, "item": item, "party_class": CUSTOMERS[o.category]} for o in found for item in o.items]


def list_lines(found: list[Offer]) -> Iterator[Row]:
    """The resellers' prices of what an offer is for: for each item, stretch of days and quantity the best of its offers."""
    by_item: dict[str, list[Offer]] = {}
    for offer in found:
        if offer.given and CUSTOMERS[offer.category] == RESELLER:
            for item in offer.items:
                by_item.setdefault(item, []).append(offer)
    for item, mine in sorted(by_item.items()):
        days = sorted({o.date_from for o in mine} | {o.date_to + timedelta(days=1) for o in mine})
        for start, end in pairwise(days):
            now = [o for o in mine if o.date_from <= start <= o.date_to]
            steps = sorted({0} | {o.quantity_min for o in now} | {o.quantity_max + 1 for o in now if o.quantity_max is not None})
            for step in steps if now else ():
                fitting = [o.percent for o in now if o.quantity_min <= step and (o.quantity_max is None or step <= o.quantity_max)]
                yield {
                    "price_list": RESELLER, "item": item, "quantity_min": Decimal(step), "percent": BASE - max(fitting, default=Decimal(0)),
                    "date_from": start, "date_to": end - timedelta(days=1),
                }  # fmt: skip


async def load_offers(app: Newel, source: Source, company: Company) -> dict[str, int]:
    """Load promotions and prices into an install that holds the company, with the plugin promotions. Returns how many of each kind.

    Raises:
        Refused: a row is wrong, or they are there already; then nothing of that kind was written.
    """
    context, found = app.system(company, today=OPENING, source="import"), offers(source)
    counts: dict[str, int] = {}
    for kind, rows in [*promotions(found), ("pricelists.line", list(list_lines(found)))]:
        result = await app.records.import_rows(kind, rows, context)
        if result.problems:
            raise Refused(*result.problems)
        counts[kind] = len(rows)
    return counts
