"""What returns read: categories, where customers' goods lie, what came, and what the customer owes."""

from __future__ import annotations

from typing import Any

import msgspec
from newel.domain.context import Context
from newel.domain.document import Document
from newel.domain.money import ZERO
from newel.manifest import Column, Parameter, Report
from newel.store.columns import QUANTITY, unscaled
from newel.store.documents import money
from newel.store.session import Session, day

from newel_returns.rules import CATEGORIES, RECEIPT, RETURN, SHIPMENT, Category, ReturnsFacts, origin

CAME = """
SELECT l.id, l.lot, (SELECT CAST(COALESCE(SUM(k.quantity), 0) AS BIGINT) FROM line_link k
                      WHERE k.from_line = l.id AND k.kind = 'received' AND k.firm = ?) AS came
  FROM document_line l WHERE l.id = ANY(?)
"""
PLACES = """
SELECT k.from_line AS line, m.quantity, m.source, a.owner AS source_owner, m.target, b.owner AS target_owner
  FROM line_link k JOIN stock_move m ON m.document = k.to_document AND m.line = k.to_line JOIN location a ON a.id = m.source
  JOIN location b ON b.id = m.target WHERE k.from_line = ANY(?) AND k.kind IN ('received', 'sent')
"""
OVERDUE = """
SELECT CAST(COALESCE(SUM(company_open), 0) AS BIGINT) AS n FROM open_item
 WHERE party = ? AND company = ? AND role = 'receivable' AND amount_open <> 0 AND amount_open > 0 AND date_due < ?
"""


async def _categories(session: Session) -> dict[str, Category]:
    rows = await session.fetch("SELECT code, name, settlement, owned, advance, location, active FROM returns_category ORDER BY code")
    own = {r["code"]: msgspec.convert({n: r[n] for n in Category.__struct_fields__}, Category, strict=False) for r in rows if r["active"]}
    return {**{code: c for code, c in CATEGORIES.items() if all(code != r["code"] for r in rows)}, **own}


async def load(session: Session, document: Document, context: Context) -> ReturnsFacts | None:
    """Nothing for documents of others; two statements at most for ours."""
    facts = ReturnsFacts(categories=await session.cached("returns", _categories))
    if document.kind == RETURN:
        owed = await session.value(OVERDUE, document.party.id, document.company, context.today) if document.party else 0
        return msgspec.structs.replace(facts, overdue=money(owed))
    lines = sorted({origin(line) for line in document.lines} - {0})
    if document.kind != SHIPMENT or not lines:
        return facts
    rows = await session.fetch(CAME, True, lines)
    places: dict[tuple[int, int], Any] = {}
    for r in await session.fetch(PLACES, lines):
        for end, sign in (("source", -1), ("target", 1)):
            if r[f"{end}_owner"] is not None:
                key = (r["line"], r[end])
                places[key] = places.get(key, ZERO) + sign * unscaled(r["quantity"], QUANTITY)
    came = {r["id"]: unscaled(r["came"], QUANTITY) for r in rows}
    return msgspec.structs.replace(facts, places=places, came=came, lots={r["id"]: r["lot"] for r in rows})


# ---- reports -------------------------------------------------------------------------------------------------------------------------

SCHEDULE = """
SELECT d.id AS document, d.number, d.kind, d.date_requested AS day, p.name AS party, l.text, l.quantity, l.unit, t.number AS lot,
       r.id AS authorisation, r.number AS authorisation_number
  FROM document d JOIN document_line l ON l.document = d.id JOIN line_link k ON k.to_line = l.id AND k.kind IN ('received', 'sent')
  JOIN document r ON r.id = k.from_document AND r.kind = 'returns.authorisation' LEFT JOIN party p ON p.id = d.party LEFT JOIN lot t ON t.id = l.lot
 WHERE d.company = ? AND d.kind = ANY(?) AND d.phase = 'draft' AND (CAST(? AS BIGINT) = 0 OR d.party = ?)
"""


async def schedule(session: Session, parameters: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """What is to come back and to go out, by day; what has no day comes last."""
    party = parameters.get("party") or 0
    rows = await session.fetch(f"{SCHEDULE} ORDER BY d.date_requested, d.id, l.position", context.company.id, [RECEIPT, SHIPMENT], party, party)
    names = ("document", "number", "party", "text", "unit", "authorisation", "authorisation_number")
    out = []
    for r in rows:
        due = day(r["day"])
        more = {"lot": r["lot"] or "", "day": due, "quantity": unscaled(r["quantity"], QUANTITY), "way": "in" if r["kind"] == RECEIPT else "out"}
        out.append({**{n: r[n] for n in names}, **more, "late": "late" if due and due < context.today else ""})
    return sorted(out, key=lambda r: (r["day"] is None, r["day"] or context.today))


CUSTOMER = Parameter(name="party", label="Customer", type="newel.party")
REPORTS = (
    Report(
        name="returns.schedule", label="Returns: to come and to go", menu="Service", load=schedule, parameters=(CUSTOMER,),
        help="What customers are to send, and what is to go back to them, by day.",
        columns=(
            Column(name="day", label="Day", type="date"), Column(name="late", label="Late"), Column(name="way", label="Way"),
            Column(name="document", label="Document", type="document", text="number"),
            Column(name="authorisation", label="Return", type="document", text="authorisation_number"), Column(name="party", label="Customer"),
            Column(name="text", label="Goods"), Column(name="lot", label="Lot or serial number"), Column(name="quantity", label="Quantity", type="quantity"),
            Column(name="unit", label="Unit"),
        ),
    ),
)  # fmt: skip
