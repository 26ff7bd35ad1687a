"""What vendor's stock reads: what happened to an order's lines, where their goods lie, and what of them is here."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from newel.domain.context import Context
from newel.domain.document import Document
from newel.domain.money import ZERO, rounded
from newel.domain.stock import Step, age, layers
from newel.manifest import Column, Parameter, Report
from newel.store.columns import AMOUNT, QUANTITY, RATE, unscaled
from newel.store.session import Session, day, narrowed, rows_by

from newel_vendor_stock.rules import ARRIVED, LINKS, ORDER, PLACE, VendorStockFacts, origin

LINKED = """
SELECT k.from_line AS line, k.kind AS link, k.to_document, k.to_line, k.quantity, k.firm, d.date
  FROM line_link k JOIN document d ON d.id = k.to_document
 WHERE k.from_line = ANY(?) AND k.kind = ANY(?) AND k.quantity > 0
"""
MOVED = """
SELECT k.from_line AS line, m.source, a.kind AS source_kind, m.target, b.kind AS target_kind, m.lot, m.quantity
  FROM line_link k JOIN stock_move m ON m.document = k.to_document AND m.line = k.to_line
  JOIN location a ON a.id = m.source JOIN location b ON b.id = m.target
 WHERE k.from_line = ANY(?) AND k.kind = ANY(?)
"""


async def load(session: Session, document: Document) -> VendorStockFacts | None:
    """Nothing for other documents; two statements for what comes of an order."""
    lines = sorted({origin(line) for line in document.lines} - {0})
    if not lines:
        return None
    steps = tuple(_step(r) for r in await session.fetch(LINKED, lines, list(LINKS)))
    return VendorStockFacts(steps=steps, places=await _places(session, lines))


def _step(r: Any) -> Step:
    names = {name: r[name] for name in ("line", "link", "to_document", "to_line")}
    return Step(**names, quantity=unscaled(r["quantity"], QUANTITY), firm=bool(r["firm"]), day=day(r["date"]))


async def _places(session: Session, lines: list[int]) -> dict[tuple[int, int, int | None], Decimal]:
    out: dict[tuple[int, int, int | None], Decimal] = {}
    for r in await session.fetch(MOVED, lines, list(LINKS)):
        for at, kind, sign in ((r["source"], r["source_kind"], -1), (r["target"], r["target_kind"], 1)):
            if kind == PLACE:
                key = (r["line"], at, r["lot"])
                out[key] = out.get(key, ZERO) + sign * unscaled(r["quantity"], QUANTITY)
    return out


# ---- report --------------------------------------------------------------------------------------------------------------------------

GOODS = """
SELECT l.id AS line, l.quantity AS ordered, l.unit, l.net, d.id AS document, d.number, d.rate, p.name AS party, i.number AS item, i.name,
       k.kind AS link, k.to_document, k.to_line, k.quantity, k.firm, t.date
  FROM document d JOIN document_line l ON l.document = d.id JOIN item i ON i.id = l.item JOIN party p ON p.id = d.party
  JOIN line_link k ON k.from_line = l.id JOIN document t ON t.id = k.to_document
 WHERE d.company = ? AND d.kind = ? AND d.phase = 'open' AND k.firm AND k.kind = ANY(?)
"""


async def goods(session: Session, parameters: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """What lies here and is a vendor's, by the day on which it came; what was used or went back is taken from the oldest."""
    sql, args = narrowed(GOODS, [context.company.id, ORDER, list(LINKS)], parameters, {"party": "d.party =", "item": "l.item ="})
    lines = rows_by(await session.fetch(f"{sql} ORDER BY p.name, i.number, d.id, l.position, l.id, k.id", *args), "line")
    out = []
    for rows in lines.values():
        by_line = {r["to_line"]: r for r in rows}
        for step, rest in layers(map(_step, rows), ARRIVED):
            r = by_line[step.to_line]
            if rest > 0 and step.day is not None:
                days = (context.today - step.day).days
                worth = unscaled(r["net"], AMOUNT) * unscaled(r["rate"], RATE) * rest / unscaled(r["ordered"], QUANTITY)
                named = {name: r[name] for name in ("party", "item", "name", "document", "number", "unit")}
                aged = {"since": step.day, "days": days, "age": age(days), "quantity": rest}
                out.append({**named, **aged, "worth": rounded(worth, context.company.amount_digits, context.company.rounding)})
    return out


REPORTS = (
    Report(
        name="vendor_stock.goods", label="Vendors' goods here", menu="Stock", load=goods,
        help="What lies here and is a vendor's: since when, and what using it would cost, in the company's currency.",
        parameters=(Parameter(name="party", label="Vendor", type="newel.party"), Parameter(name="item", label="Item", type="newel.item")),
        columns=(
            *(Column(name=n, label=label) for n, label in (("party", "Vendor"), ("item", "Item"), ("name", "Name"))),
            Column(name="document", label="Order", type="document", text="number"), Column(name="since", label="Since", type="date"),
            *(Column(name=n, label=label) for n, label in (("days", "Days"), ("age", "Age"))),
            Column(name="quantity", label="Quantity", type="quantity"), Column(name="unit", label="Unit"),
            Column(name="worth", label="At the agreed price", type="amount", total=True),
        ),
    ),
)  # fmt: skip
