"""What consignment reads: what happened to an order's lines, where their goods lie, and the report on all of it."""

from __future__ import annotations

from typing import Any

from newel.domain.context import Context
from newel.domain.document import Document
from newel.domain.kinds import Kinds
from newel.domain.money import ZERO, rounded
from newel.domain.stock import Step, age, layers
from newel.manifest import Column, Parameter, Report
from newel.store.columns import AMOUNT, QUANTITY, RATE, unscaled
from newel.store.session import Session, day, narrowed, rows_by

from newel_consignment.rules import DELIVERED, ENDS, ORDERS, RETURNED, STATES, USED, ConsignmentFacts, Share, origin

IN_USE = "consignment"
LINKS = [DELIVERED, USED, RETURNED]
STEPS = """
SELECT k.from_line AS line, k.kind AS link, k.to_document, k.to_line, k.quantity, k.firm, d.date
  FROM line_link k JOIN document d ON d.id = k.to_document WHERE k.from_line = ANY(?) AND k.kind = ANY(?) AND k.quantity > 0
"""
PLACES = """
SELECT k.from_line AS line, m.source, a.kind AS source_kind, m.target, b.kind AS target_kind, m.lot, m.quantity FROM line_link k
  JOIN stock_move m ON m.document = k.to_document AND m.line = k.to_line JOIN location a ON a.id = m.source JOIN location b ON b.id = m.target
 WHERE k.from_line = ANY(?) AND k.kind = ANY(?)
"""
SHARES = """
SELECT l.id, d.phase, d.currency, d.rate, l.quantity, l.net + l.tax AS gross, l.cost,
       CAST(SUM(CASE WHEN k.kind = 'delivered' THEN k.quantity ELSE 0 END) AS BIGINT) AS delivered,
       CAST(SUM(CASE WHEN k.kind = 'used' THEN k.quantity ELSE 0 END) AS BIGINT) AS used,
       CAST(SUM(CASE WHEN k.kind = 'returned' THEN k.quantity ELSE 0 END) AS BIGINT) AS returned,
       CAST(SUM(CASE WHEN t.role = 'invoice' THEN k.quantity ELSE 0 END) AS BIGINT) AS invoiced
  FROM document d JOIN document_line l ON l.document = d.id JOIN line_link k ON k.from_line = l.id JOIN document t ON t.id = k.to_document
 WHERE d.party = ? AND d.company = ? AND d.kind = ANY(?) AND d.role = 'sale' AND (d.phase = 'open' OR d.parts >= 16) AND d.id <> ? AND k.firm
 GROUP BY l.id, d.phase, d.currency, d.rate, l.quantity, l.net, l.tax, l.cost
"""


async def load(session: Session, document: Document, transition: str, kinds: Kinds, context: Context) -> ConsignmentFacts | None:
    """Nothing for documents without such goods, one or two statements for those with; one for a sale that is looked at or becomes open."""
    sale, held = document.role == "sale", document.party and (document.party.limit_amount is not None or "credit" in kinds.taken_over)
    asked = sale and held and (not session.writable or (transition != "" and kinds.becomes(document.kind, document.state, transition)[1] == "open"))
    lines = [] if sale else sorted({origin(line) for line in document.lines if line.kind in STATES or document.kind in ENDS} - {0})
    if lines:
        steps = [_step(r) for r in await session.fetch(STEPS, lines, LINKS)]
        return ConsignmentFacts(steps=tuple(steps), places=await _places(session, lines) if document.kind in ENDS else {})
    if document.kind in ORDERS and session.writable and not await _used(session):
        await session.stale(IN_USE)
    return ConsignmentFacts(shares=await _shares(session, document, context)) if asked and await _used(session) else None


async def _used(session: Session) -> bool:
    """Whether there has been a consignment order at all: a company without them is asked for nothing more."""
    return await session.cached(IN_USE, _any)


async def _any(session: Session) -> bool:
    return bool(await session.fetch("SELECT 1 AS n FROM document WHERE company IN (SELECT id FROM company) AND kind = ANY(?) LIMIT 1", list(ORDERS)))


def _step(r: Any) -> Step:
    names = {name: r[name] for name in ("line", "link", "to_document", "to_line")}
    return Step(**names, quantity=unscaled(r["quantity"], QUANTITY), firm=bool(r["firm"]), day=day(r["date"]))


async def _places(session: Session, lines: list[int]) -> dict[tuple[int, int, int | None], Any]:
    out: dict[tuple[int, int, int | None], Any] = {}
    for r in await session.fetch(PLACES, lines, LINKS):
        for at, kind, sign in ((r["source"], r["source_kind"], -1), (r["target"], r["target_kind"], 1)):
            if kind in STATES:
                key = (r["line"], at, r["lot"])
                out[key] = out.get(key, ZERO) + sign * unscaled(r["quantity"], QUANTITY)
    return out


async def _shares(session: Session, document: Document, context: Context) -> tuple[Share, ...]:
    assert document.party is not None
    return tuple(
        Share(
            quantity=unscaled(r["quantity"], QUANTITY), done={name: unscaled(r[name], QUANTITY) for name in (*LINKS, "invoiced")},
            is_open=r["phase"] == "open", gross=unscaled(r["gross"], AMOUNT), cost=unscaled(r["cost"], AMOUNT), currency=r["currency"],
            rate=unscaled(r["rate"], RATE),
        )
        for r in await session.fetch(SHARES, document.party.id, context.company.id, list(ORDERS), document.id)
    )  # fmt: skip


GOODS = """
SELECT l.id AS line, l.kind AS state, l.quantity AS ordered, l.unit, l.net, d.id AS document, d.number, d.rate, p.name AS party, i.number AS item, i.name,
       k.kind AS link, k.to_document, k.to_line, k.quantity, k.firm, t.date,
       (SELECT CAST(SUM(m.value) AS BIGINT) FROM stock_move m WHERE m.document = k.to_document AND m.line = k.to_line) AS value
  FROM document d JOIN document_line l ON l.document = d.id JOIN item i ON i.id = l.item JOIN party p ON p.id = d.party
  JOIN line_link k ON k.from_line = l.id JOIN document t ON t.id = k.to_document
 WHERE d.company = ? AND d.kind = ANY(?) AND d.phase = 'open' AND k.firm AND k.kind = ANY(?)
"""


async def goods(session: Session, parameters: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """What lies at customers and is ours, by the day on which it was delivered; what was used or returned is taken from the oldest."""
    sql, args = narrowed(GOODS, [context.company.id, list(ORDERS), LINKS], parameters, {"party": "d.party =", "item": "l.item ="})
    lines = rows_by(await session.fetch(f"{sql} ORDER BY p.name, i.number, d.id, l.position, l.id, k.id", *args), "line")
    out = []
    for rows in lines.values():
        by_line = {r["to_line"]: r for r in rows}
        for step, rest in layers(map(_step, rows), DELIVERED):
            r = by_line[step.to_line]
            if rest > 0 and step.day is not None:
                days = (context.today - step.day).days
                price = unscaled(r["net"], AMOUNT) * unscaled(r["rate"], RATE) * rest / unscaled(r["ordered"], QUANTITY)
                value = unscaled(r["value"] or 0, AMOUNT) * rest / step.quantity
                named = {name: r[name] for name in ("party", "item", "name", "state", "document", "number", "unit")}
                aged = {"since": step.day, "days": days, "age": age(days), "quantity": rest}
                out.append({**named, **aged, "value": rounded(value, AMOUNT), "price": rounded(price, AMOUNT)})
    return out


REPORTS = (
    Report(
        name="consignment.goods", label="Goods on consignment and loan", menu="Stock", load=goods,
        help="What lies at customers and is ours: since when, at what value, and what it would bring.",
        parameters=(Parameter(name="party", label="Customer", type="newel.party"), Parameter(name="item", label="Item", type="newel.item")),
        columns=(
            *(Column(name=n, label=label) for n, label in (("party", "Customer"), ("item", "Item"), ("name", "Name"), ("state", "State"))),
            Column(name="document", label="Order", type="document", text="number"), Column(name="since", label="Since", type="date"),
            *(Column(name=n, label=label) for n, label in (("days", "Days"), ("age", "Age"))),
            Column(name="quantity", label="Quantity", type="quantity"), Column(name="unit", label="Unit"),
            Column(name="value", label="Value", type="amount", total=True, right="newel.costs"),
            Column(name="price", label="Net price", type="amount", total=True),
        ),
    ),
)  # fmt: skip
