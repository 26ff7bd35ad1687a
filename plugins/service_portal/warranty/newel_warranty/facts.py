"""What warranty reads: terms, the lives of pieces out of stock moves and events."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from newel.domain.context import Context
from newel.domain.document import Document
from newel.domain.money import plain
from newel.manifest import Column, Parameter, Report
from newel.store.columns import QUANTITY, unscaled
from newel.store.master import load_master
from newel.store.session import Session, day

from newel_warranty.rules import SERVED, Happened, Piece, Rule, Terms, WarrantyFacts, cover, service_due, state

# A move from or to customers says what happened: goods with an owner are in service, all others are sold or come back.
LIVES = """
SELECT m.lot, m.date, m.id AS at, d.party, d.id AS document, d.number, '' AS proof, CASE WHEN b.kind = 'customer' AND a.owner IS NULL THEN 'sold'
       WHEN b.kind = 'customer' THEN 'serviced' WHEN b.owner IS NOT NULL THEN 'in service' ELSE 'returned' END AS kind
  FROM stock_move m JOIN document d ON d.id = m.document JOIN location a ON a.id = m.source JOIN location b ON b.id = m.target
 WHERE m.lot = ANY(?) AND d.company = ? AND d.role IN ('delivery', 'return') AND d.phase <> 'cancelled' AND (a.kind = 'customer' OR b.kind = 'customer')
UNION ALL SELECT e.lot, e.date, e.id, e.party, e.document, '', e.proof, e.kind FROM warranty_event e WHERE e.lot = ANY(?) AND e.company = ?
 ORDER BY 2, 3
"""


async def _rules(session: Session) -> tuple[Rule, ...]:
    rows = await session.fetch(
        "SELECT r.item, c.code AS item_class, r.date_from, r.date_to, t.code, t.months, t.parts, t.labour, t.service_months FROM warranty_rule r "
        "JOIN warranty_terms t ON t.id = r.terms LEFT JOIN item_class c ON c.id = r.item_class ORDER BY r.id"
    )
    return tuple(
        Rule(
            terms=Terms(
                code=r["code"], months=r["months"], parts=plain(unscaled(r["parts"], QUANTITY)), labour=plain(unscaled(r["labour"], QUANTITY)),
                service_months=r["service_months"],
            ), item=r["item"], item_class=r["item_class"] or "", date_from=day(r["date_from"]), date_to=day(r["date_to"]),
        ) for r in rows
    )  # fmt: skip


async def pieces(session: Session, lots: Sequence[int], company: int) -> dict[int, Piece]:
    """Pieces with their lives, by lot."""
    if not lots:
        return {}
    classes = (await load_master(session)).item_classes
    heads = await session.fetch("SELECT l.id, l.item, l.number, i.item_class FROM lot l JOIN item i ON i.id = l.item WHERE l.id = ANY(?)", list(lots))
    lives: dict[int, list[Happened]] = {}
    for r in await session.fetch(LIVES, list(lots), company, list(lots), company):
        more = {n: r[n] for n in ("kind", "party", "document", "number", "proof")}
        lives.setdefault(r["lot"], []).append(Happened(date=day(r["date"]) or date.min, **more))
    return {r["id"]: Piece(item=r["item"], serial=r["number"], classes=classes.get(r["item_class"], ()), life=tuple(lives.get(r["id"], ()))) for r in heads}


async def load(session: Session, document: Document, context: Context) -> WarrantyFacts | None:
    """Nothing where no line names a lot; three statements for requests, returns, deliveries and work that do."""
    lots = {line.lot for line in document.lines if line.lot}
    behind: tuple[int, ...] = ()
    sources = sorted({s.from_document for line in document.lines for s in line.sources}) if document.role == "production" else []
    if sources:
        rows = await session.fetch(
            "SELECT DISTINCT l.lot FROM document_line l JOIN document d ON d.id = l.document WHERE d.id = ANY(?) AND d.role = 'request' AND l.lot IS NOT NULL",
            sources,
        )
        behind = tuple(sorted(r["lot"] for r in rows))
    if document.role == "production":
        behind = tuple(sorted({*behind, *(line.lot for line in document.lines if line.lot and line.kind == SERVED)}))
    if not (lots or behind):
        return None
    found = await pieces(session, sorted({*lots, *behind}), context.company.id)
    return WarrantyFacts(rules=await session.cached("warranty", _rules), pieces=found, behind=behind)


async def register(session: Session, parameters: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """Every piece with a number that was sold: who has it, what covers it today, and when it needs service."""
    lots = await session.fetch(
        "SELECT l.id FROM lot l JOIN item i ON i.id = l.item AND i.tracking = 'serial' WHERE CAST(? AS BIGINT) IN (0, l.item) AND ? IN ('', l.number)",
        parameters.get("item") or 0, parameters.get("serial") or "",
    )  # fmt: skip
    rules = await session.cached("warranty", _rules)
    found = await pieces(session, [r["id"] for r in lots], context.company.id)
    names = {r["id"]: r["name"] for r in await session.fetch("SELECT id, name FROM party")}
    items = await session.fetch("SELECT id, number FROM item WHERE id = ANY(?)", sorted({p.item for p in found.values()}))
    numbers = {r["id"]: r["number"] for r in items}
    out = []
    for piece in found.values():
        owner = next((h for h in reversed(piece.life) if h.kind == "sold"), None)
        if owner is None or parameters.get("party") not in (None, owner.party):
            continue
        covers, due = cover(piece, context.today, rules), service_due(piece, rules)
        out.append(
            {"serial": piece.serial, "item": numbers[piece.item], "party": names.get(owner.party or 0, ""), "sold": owner.date, "document": owner.document,
             "number": owner.number, "state": state(piece.life), "until": covers.until, "parts": covers.parts, "labour": covers.labour, "due": due,
             "late": "due" if due and due <= context.today else "", "proof": piece.life[-1].proof}
        )  # fmt: skip
    return sorted(out, key=lambda r: (r["item"], r["serial"]))


REPORTS = (
    Report(
        name="warranty.register", label="Sold pieces", menu="Service", load=register,
        help="Every piece with a serial number that was sold: who has it, what covers it today, when it needs service.",
        parameters=(Parameter(name="party", label="Customer", type="newel.party"), Parameter(name="item", label="Item", type="newel.item"),
                    Parameter(name="serial", label="Serial number")),
        columns=(
            Column(name="serial", label="Serial number"), Column(name="item", label="Item"), Column(name="party", label="Customer"),
            Column(name="sold", label="Sold", type="date"), Column(name="document", label="Delivery", type="document", text="number"),
            Column(name="state", label="State"), Column(name="until", label="Warranty until", type="date"),
            Column(name="parts", label="Parts", type="percent"), Column(name="labour", label="Labour", type="percent"),
            Column(name="due", label="Next service", type="date"), Column(name="late", label="Service"), Column(name="proof", label="Certificate"),
        ),
    ),
)  # fmt: skip
