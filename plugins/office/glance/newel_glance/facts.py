"""What glance looks up: at most three statements, however many lines there are."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from newel.domain.context import Context
from newel.domain.document import Document
from newel.domain.money import ZERO, product
from newel.store.columns import AMOUNT, QUANTITY, unscaled
from newel.store.master import load_master
from newel.store.session import Session, day

from newel_glance.rules import Coming, Order, Seen

COMING = """
SELECT l.item, l.quantity, l.factor, COALESCE((SELECT MIN(COALESCE(s.date_confirmed, s.date_requested)) FROM line_schedule s WHERE s.line = l.id),
       d.date_requested) AS day,
       (SELECT CAST(COALESCE(SUM(k.quantity), 0) AS BIGINT) FROM line_link k WHERE k.from_line = l.id AND k.kind = 'received' AND k.firm = ?) AS gone
  FROM document d CROSS JOIN document_line l
 WHERE d.company = ? AND d.role = 'purchase' AND d.phase = 'open' AND l.document = d.id AND l.item = ANY(?)
"""
ORDERS = """
SELECT id, kind, number, date, gross, currency, phase FROM document
 WHERE company = ? AND party = ? AND role = 'sale' AND phase IN ('open', 'done') AND id <> ? ORDER BY id DESC LIMIT 50
"""
LAST = 3


async def load(session: Session, document: Document, context: Context) -> Seen:
    """Stock and purchases of the document's items, and the customer's last orders."""
    items = sorted({line.item.id for line in document.lines if line.item is not None and line.item.stocked})
    here: dict[int, Decimal] = {}
    elsewhere: dict[int, tuple[tuple[str, Decimal], ...]] = {}
    coming: dict[int, list[Coming]] = {}
    if items:
        here, elsewhere = await _lying(session, document, context, items)
        for r in await session.fetch(COMING, True, context.company.id, items):
            rest = product(unscaled(max(r["quantity"] - r["gone"], 0), QUANTITY), unscaled(r["factor"], QUANTITY))
            if rest:
                coming.setdefault(r["item"], []).append((day(r["day"]), rest))
    rows = await session.fetch(ORDERS, context.company.id, document.party.id, document.id) if document.party else []
    digits = (await load_master(session)).currencies
    return Seen(
        here=here, elsewhere=elsewhere,
        coming={item: tuple(sorted(found, key=lambda c: (c[0] is None, c[0] or date.max))) for item, found in coming.items()},
        orders=tuple(_order(r, digits) for r in rows[:LAST]), count=sum(r["phase"] == "open" for r in rows),
    )  # fmt: skip


def _order(r: Any, digits: dict[str, int]) -> Order:
    return Order(
        id=r["id"], kind=r["kind"], number=r["number"], date=day(r["date"]) or date.min, gross=unscaled(r["gross"], AMOUNT), currency=r["currency"],
        digits=digits.get(r["currency"], 2),
    )  # fmt: skip


async def _lying(
    session: Session, document: Document, context: Context, items: list[int]
) -> tuple[dict[int, Decimal], dict[int, tuple[tuple[str, Decimal], ...]]]:
    """What is free where the sale ships from, and elsewhere by place."""
    master = await load_master(session)
    home = document.location_from or master.defaults.get((context.company.id, "storage"))
    near = set(master.below(home)) if home else set()
    here: dict[int, Decimal] = {}
    other: dict[int, list[tuple[str, Decimal]]] = {}
    for r in await session.fetch(
        "SELECT location, item, SUM(quantity - reserved) AS free FROM stock_balance WHERE item = ANY(?) GROUP BY location, item", items
    ):
        place, free = master.locations.get(r["location"]), unscaled(int(r["free"]), QUANTITY)
        if place is None or place.company != context.company.id or place.kind != "storage" or place.owner is not None or not free:
            continue
        if r["location"] in near:
            here[r["item"]] = here.get(r["item"], ZERO) + free
        else:
            other.setdefault(r["item"], []).append((place.code, free))
    return here, {item: tuple(sorted(found, key=lambda p: (-p[1], p[0]))) for item, found in other.items()}
