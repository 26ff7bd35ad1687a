"""What shipping reads: ways of shipping, and what is due."""

from __future__ import annotations

from datetime import date
from typing import Any

from newel.domain.context import Context
from newel.manifest import Column, Parameter, Report
from newel.store.columns import QUANTITY, unscaled
from newel.store.session import Session, day, narrowed

from newel_shipping.rules import Due, Method, Methods, Part, due, late


async def load(session: Session) -> Methods:
    """Ways of shipping, from the cache."""
    return await session.cached("shipping", _load)


async def _load(session: Session) -> Methods:
    rows = await session.fetch(
        "SELECT m.code, m.name, c.name AS carrier, c.tracking_url FROM shipping_method m JOIN shipping_carrier c ON c.id = m.carrier WHERE m.active = ?",
        True,
    )
    usual = await session.fetch("SELECT u.party, m.code FROM shipping_usual u JOIN shipping_method m ON m.id = u.method")
    methods = {r["code"]: Method(code=r["code"], name=r["name"], carrier=r["carrier"], tracking_url=r["tracking_url"]) for r in rows}
    return Methods(methods, {r["party"]: r["code"] for r in usual})


# CROSS JOIN: from the open orders to their lines, and not from all that was ever sold.
LINES = """
SELECT l.id AS line, d.id AS document, d.number, d.date_requested AS header_day, COALESCE(p.name, '') AS party, i.number AS item,
       l.text, l.unit, l.quantity, s.id AS schedule, s.quantity AS part, s.date_requested, s.date_confirmed,
       COALESCE(s.release_code, '') AS release_code
  FROM document d
 CROSS JOIN document_line l
  JOIN item i ON i.id = l.item
  LEFT JOIN line_schedule s ON s.line = l.id
  LEFT JOIN party p ON p.id = d.party
 WHERE d.company = ? AND d.role = 'sale' AND d.phase = 'open' AND i.kind = 'goods'
   AND l.document = d.id AND NOT EXISTS (SELECT 1 FROM document_line c WHERE c.document = l.document AND c.parent = l.id)
"""
DELIVERED = """
SELECT k.from_line, k.schedule, CAST(SUM(k.quantity) AS BIGINT) AS quantity
  FROM document d CROSS JOIN line_link k
 WHERE d.company = ? AND d.role = 'sale' AND d.phase = 'open' AND k.from_document = d.id AND k.kind = 'delivered' AND k.firm = ?
 GROUP BY k.from_line, k.schedule
"""


async def _open(session: Session, parameters: dict[str, Any], context: Context) -> list[tuple[Any, Due]]:
    """What is still to be delivered, with its row, by date."""
    sql, args = narrowed(LINES, [context.company.id], parameters, {"party": "d.party =", "item": "l.item ="})
    rows = {(r["line"], r["schedule"]): r for r in await session.fetch(f"{sql} ORDER BY d.id, l.position, l.id, s.id", *args)}
    parts = [
        Part(
            line=r["line"],
            schedule=r["schedule"],
            day=day(r["date_confirmed"]) or day(r["date_requested"]) or day(r["header_day"]),
            quantity=unscaled(r["quantity"] if r["schedule"] is None else r["part"], QUANTITY),
            release_code=r["release_code"],
        )
        for r in rows.values()
    ]
    delivered = [(r["from_line"], r["schedule"], unscaled(r["quantity"], QUANTITY)) for r in await session.fetch(DELIVERED, context.company.id, True)]
    found = [(rows[(x.part.line, x.part.schedule)], x) for x in due(parts, delivered)]
    return sorted(found, key=lambda pair: (pair[1].part.day or date.max, pair[0]["number"], pair[1].part.line))


def _row(r: Any, found: Due) -> dict[str, Any]:
    return {
        **{name: r[name] for name in ("document", "number", "party", "item", "text", "unit")},
        "day": found.part.day,
        "release_code": found.part.release_code,
        "quantity": found.part.quantity,
        "delivered": found.delivered,
        "open": found.open,
    }


async def deliveries_due(session: Session, parameters: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """Scheduled deliveries and lines that are still open, up to a day."""
    until = parameters.get("until")
    return [_row(r, x) for r, x in await _open(session, parameters, context) if until is None or x.part.day is None or x.part.day <= until]


async def back_orders(session: Session, parameters: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """What customers are still waiting for: overdue, or left over from a partial delivery."""
    return [_row(r, x) for r, x in await _open(session, parameters, context) if late(x, context.today, x.delivered > 0)]


WHO = (Parameter(name="party", label="Customer", type="newel.party"), Parameter(name="item", label="Item", type="newel.item"))
COLUMNS = (
    Column(name="day", label="Due", type="date"), Column(name="document", label="Order", type="document", text="number"),
    Column(name="party", label="Customer"), Column(name="item", label="Item"), Column(name="text", label="Text"),
    Column(name="release_code", label="Release"), Column(name="quantity", label="Ordered", type="quantity"),
    Column(name="delivered", label="Delivered", type="quantity"), Column(name="open", label="Open", type="quantity"), Column(name="unit", label="Unit"),
)  # fmt: skip
REPORTS = (
    Report(
        name="shipping.due",
        label="Deliveries due",
        menu="Stock",
        help="What is to be delivered, by day: each scheduled delivery of each open order.",
        load=deliveries_due,
        parameters=(Parameter(name="until", label="Until", type="date"), *WHO),
        columns=COLUMNS,
    ),
    Report(
        name="shipping.back_orders",
        label="Back-orders",
        menu="Stock",
        help="What is overdue, or was left over when a part was delivered.",
        load=back_orders,
        parameters=WHO,
        columns=COLUMNS,
    ),
)
