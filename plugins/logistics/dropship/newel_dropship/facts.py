"""What drop shipment reads: its rules, and what stands behind or before the lines of sales and purchases; and what vendors still have to ship."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import msgspec
from newel.domain.context import Context
from newel.domain.document import Document
from newel.domain.money import plain
from newel.manifest import Column, Parameter, Report
from newel.store.columns import QUANTITY, unscaled
from newel.store.session import Session, day

from newel_dropship.rules import PROCURED, DropshipFacts, DropshipSettings, Ordered, Rule, Sold, is_direct, vendor_of

NONE = DropshipFacts()


async def load(document: Document, session: Session, settings: DropshipSettings) -> DropshipFacts | None:
    """Nothing for what is neither sold nor bought; rules from the cache; statements only where vendors ship something of it."""
    if document.role == "sale":
        facts = await session.cached("dropship", _rules)
        if not facts.rules and not settings.automatic and not any("dropship" in x.data or PROCURED in x.stages for x in document.lines):
            return None
        ordered = await _ordered(session, [line.id for line in document.lines if PROCURED in line.stages])
        asked = {vendor_of(document, line, facts) for line in document.lines if is_direct(document, line, facts, settings)}
        asked |= set() if session.writable else {r.vendor for r in facts.rules}  # to choose from
        ids = sorted(id for id in asked if id)
        rows = await session.fetch("SELECT id, name FROM party WHERE id = ANY(?) AND is_vendor = ? AND active = ?", ids, True, True) if ids else []
        vendors = {r["id"]: r["name"] for r in rows}
        return msgspec.structs.replace(facts, ordered=ordered, vendors=vendors) if ordered or vendors else facts
    if document.role == "purchase":
        lines = sorted({s.from_line for line in document.lines for s in line.sources if s.kind == PROCURED})
        return DropshipFacts(sold=await _sold(session, lines)) if lines else None
    return None


async def _rules(session: Session) -> DropshipFacts:
    rows = await session.fetch(
        "SELECT r.id, r.company, r.item, c.code, r.party, r.vendor, r.direct FROM dropship_rule r LEFT JOIN item_class c ON c.id = r.item_class "
        "WHERE r.active = ? ORDER BY r.id", True,
    )  # fmt: skip
    return DropshipFacts(
        rules=tuple(
            Rule(
                id=r["id"], company=r["company"], item=r["item"], item_class=r["code"] or "", party=r["party"], vendor=r["vendor"], direct=bool(r["direct"])
            )
            for r in rows
        )
    )  # fmt: skip


async def _ordered(session: Session, lines: list[int]) -> dict[int, tuple[Ordered, ...]]:
    if not lines:
        return {}
    rows = await session.fetch(
        "SELECT k.from_line, k.to_line, d.id, d.number, p.name, k.quantity, COALESCE((SELECT CAST(SUM(x.quantity) AS BIGINT) FROM line_link x "
        "WHERE x.from_line = k.to_line AND x.kind = 'received' AND x.firm = ?), 0) AS shipped FROM line_link k JOIN document d ON d.id = k.to_document "
        "LEFT JOIN party p ON p.id = d.party WHERE k.from_line = ANY(?) AND k.kind = ? AND k.quantity > 0 ORDER BY k.id",
        True, lines, PROCURED,
    )  # fmt: skip
    dates = defaultdict(list)
    for s in await session.fetch(
        "SELECT line, date_confirmed FROM line_schedule WHERE line = ANY(?) AND date_confirmed IS NOT NULL ORDER BY date_confirmed",
        sorted({r["to_line"] for r in rows}),
    ):
        dates[s["line"]].append(day(s["date_confirmed"]))
    found: dict[int, tuple[Ordered, ...]] = {}
    for r in rows:
        one = Ordered(
            line=r["to_line"], document=r["id"], number=r["number"] or "draft", vendor=r["name"] or "", quantity=plain(unscaled(r["quantity"], QUANTITY)),
            shipped=plain(unscaled(r["shipped"], QUANTITY)), dates=tuple(d for d in dates[r["to_line"]] if d),
        )  # fmt: skip
        found[r["from_line"]] = (*found.get(r["from_line"], ()), one)
    return found


async def _sold(session: Session, lines: list[int]) -> dict[int, Sold]:
    rows = await session.fetch(
        "SELECT l.id, l.item, l.unit, d.number, p.name FROM document_line l JOIN document d ON d.id = l.document LEFT JOIN party p ON p.id = d.party "
        "WHERE l.id = ANY(?)", lines,
    )  # fmt: skip
    return {r["id"]: Sold(item=r["item"], unit=r["unit"], number=r["number"] or "draft", party=r["name"] or "") for r in rows}


# ---- report --------------------------------------------------------------------------------------------------------------------------


async def to_ship(session: Session, parameters: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """What vendors still have to ship to customers, the earliest first."""
    vendor = parameters.get("vendor") or 0
    rows = await session.fetch(
        "SELECT o.id AS document, o.number, v.name AS vendor, s.id AS sale, s.number AS sale_number, c.name AS party, i.number AS item, l.text, l.unit, "
        "k.quantity, COALESCE((SELECT CAST(SUM(x.quantity) AS BIGINT) FROM line_link x WHERE x.from_line = l.id AND x.kind = 'received' AND x.firm = ?), 0) "
        "AS shipped, COALESCE(o.date_requested, o.date) AS wanted, "
        "(SELECT MIN(z.date_confirmed) FROM line_schedule z WHERE z.line = l.id) AS confirmed "
        # CROSS JOIN: what is open leads, and not all links there are.
        "FROM document o CROSS JOIN line_link k JOIN document s ON s.id = k.from_document JOIN document_line l ON l.id = k.to_line "
        "LEFT JOIN item i ON i.id = l.item LEFT JOIN party v ON v.id = o.party LEFT JOIN party c ON c.id = s.party "
        "WHERE o.company = ? AND o.phase = 'open' AND k.to_document = o.id AND k.kind = ? AND (CAST(? AS BIGINT) = 0 OR o.party = ?) "
        "ORDER BY wanted, o.id, l.id",
        True, context.company.id, PROCURED, vendor, vendor,
    )  # fmt: skip
    texts = ("document", "number", "vendor", "sale", "sale_number", "party", "item", "text", "unit")
    out = []
    for r in rows:
        quantity, shipped = unscaled(r["quantity"], QUANTITY), unscaled(r["shipped"], QUANTITY)
        if shipped < quantity:
            days = {"wanted": day(r["wanted"]), "confirmed": day(r["confirmed"])}
            out.append({**{n: r[n] for n in texts}, **days, "quantity": quantity, "shipped": shipped, "open": quantity - shipped})
    return out


REPORTS = (
    Report(
        name="dropship.to_ship", label="To be shipped by vendors", menu="Purchasing", load=to_ship,
        help="What vendors still have to ship straight to customers, the earliest wanted first.",
        parameters=(Parameter(name="vendor", label="Vendor", type="newel.party"),),
        columns=(
            Column(name="wanted", label="Wanted", type="date"), Column(name="confirmed", label="Confirmed", type="date"),
            Column(name="document", label="Purchase order", type="document", text="number"), Column(name="vendor", label="Vendor"),
            Column(name="sale", label="Sale", type="document", text="sale_number"), Column(name="party", label="Customer"),
            Column(name="item", label="Item"), Column(name="text", label="Text"), Column(name="quantity", label="Ordered", type="quantity"),
            Column(name="shipped", label="Shipped", type="quantity"), Column(name="open", label="Open", type="quantity"), Column(name="unit", label="Unit"),
        ),
    ),
)  # fmt: skip
