"""What purchasing reads: vendors' prices, the orders behind receipts and bills, and what is still to come, to be billed and to be paid."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from newel.domain.context import Context
from newel.domain.document import Document
from newel.domain.money import ZERO, portion
from newel.manifest import Column, Parameter, Report
from newel.store.columns import AMOUNT, PRICE, QUANTITY, unscaled
from newel.store.documents import money
from newel.store.session import Session, day

from newel_purchasing.rules import Offer, Ordered, PurchasingFacts

# Lines of orders with what came and was billed of them, whatever kind of document brought it. Added up for each line: to group the lines of a report,
# SQLite would go through all documents there are.
ORDERED = """
SELECT {columns},
       CAST(COALESCE((SELECT SUM(k.quantity) FROM line_link k
                       WHERE k.from_line = l.id AND k.kind = 'received' AND k.firm = ? AND k.to_document <> ?), 0) AS BIGINT) AS received,
       CAST(COALESCE((SELECT SUM(k.quantity) FROM line_link k JOIN document t ON t.id = k.to_document
                       WHERE k.from_line = l.id AND t.role = 'bill' AND k.firm = ? AND k.to_document <> ?), 0) AS BIGINT) AS billed
  FROM document d {join} document_line l
"""


async def _offers(session: Session) -> dict[tuple[int, int], tuple[Offer, ...]]:
    found: dict[tuple[int, int], tuple[Offer, ...]] = {}
    for r in await session.fetch("SELECT * FROM purchasing_price ORDER BY id"):
        offer = Offer(
            id=r["id"], part_number=r["part_number"], currency=r["currency"], date_from=day(r["date_from"]), date_to=day(r["date_to"]),
            lead_days=r["lead_days"], quantity_min=unscaled(r["quantity_min"], QUANTITY), price=None if r["price"] is None else unscaled(r["price"], PRICE),
        )  # fmt: skip
        found[(r["party"], r["item"])] = (*found.get((r["party"], r["item"]), ()), offer)
    return found


async def load(document: Document, session: Session) -> PurchasingFacts | None:
    """Nothing for what is sold; one statement more for receipts and bills, and one for the vendor's number of a bill."""
    offers = {}
    if document.party is not None:
        every = await session.cached("purchasing", _offers)
        keys = {line.item.id: (document.party.id, line.item.id) for line in document.lines if line.item is not None}
        offers = {item: every[key] for item, key in keys.items() if key in every}
    orders = await _orders(document, session) if document.role in ("receipt", "bill") else {}
    twin = ""
    if document.role == "bill" and document.party is not None and document.reference:
        twin = await session.value(
            "SELECT COALESCE(NULLIF(number, ''), 'another draft') AS n FROM document WHERE party = ? AND company = ? AND role = 'bill' AND reference = ? "
            "AND id <> ? AND phase <> 'cancelled'", document.party.id, document.company, document.reference, document.id,
        ) or ""  # fmt: skip
    return PurchasingFacts(offers=offers, orders=orders, twin=twin)


async def _orders(document: Document, session: Session) -> dict[int, Ordered]:
    sources = sorted({s.from_line for line in document.lines for s in line.sources})
    if not sources:
        return {}
    sql = ORDERED.format(columns="l.id, l.quantity, l.net", join="JOIN") + " ON l.document = d.id WHERE l.id = ANY(?) AND d.role = 'purchase'"
    rows = {}
    for r in await session.fetch(sql, True, document.id, True, document.id, sources):
        quantity, received, billed = (unscaled(r[n], QUANTITY) for n in ("quantity", "received", "billed"))
        rows[r["id"]] = Ordered(line=r["id"], quantity=quantity, net=money(r["net"]), received=received, billed=billed)
    return {line.id: rows[s.from_line] for line in document.lines for s in line.sources if s.from_line in rows}


# ---- reports -------------------------------------------------------------------------------------------------------------------------

LINE = "d.id AS document, d.number, d.date, d.date_requested, p.name AS party, d.currency, COALESCE(i.number, '') AS item, l.text, l.unit, l.quantity, l.net"


async def _lines(session: Session, parameters: dict[str, Any], context: Context, condition: str) -> list[dict[str, Any]]:
    sql = ORDERED.format(columns=LINE, join="CROSS JOIN") + (
        " LEFT JOIN item i ON i.id = l.item LEFT JOIN party p ON p.id = d.party "
        f"WHERE d.company = ? AND l.document = d.id AND l.kind <> 'text' AND {condition} AND (CAST(? AS BIGINT) = 0 OR d.party = ?) "
        "ORDER BY d.date_requested, d.date, d.id, l.position"
    )
    party = parameters.get("party") or 0
    rows = await session.fetch(sql, True, 0, True, 0, context.company.id, party, party)
    out = []
    for r in rows:
        quantities = {n: unscaled(r[n], QUANTITY) for n in ("quantity", "received", "billed")}
        texts = {n: r[n] for n in ("document", "number", "party", "currency", "item", "text", "unit")}
        out.append({**texts, **quantities, "date": day(r["date"]), "wanted": day(r["date_requested"]), "net": money(r["net"])})
    return out


def _open(rows: list[dict[str, Any]], done: str) -> list[dict[str, Any]]:
    """What is left of the lines, and what it is worth."""
    left = [{**r, "open": r["quantity"] - r[done]} for r in rows if r["quantity"] > r[done]]
    return [{**r, "value": portion(r["net"], r["open"], r["quantity"], ZERO, r["open"] == r["quantity"], AMOUNT)} for r in left]


async def to_receive(session: Session, parameters: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """What has been ordered and has not come."""
    return _open(await _lines(session, parameters, context, "d.role = 'purchase' AND d.phase = 'open'"), "received")


async def not_billed(session: Session, parameters: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """What has come and has not been billed."""
    return _open(await _lines(session, parameters, context, "d.kind = 'purchasing.receipt' AND d.phase = 'done'"), "billed")


async def payables(session: Session, parameters: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """What vendors have to get, the oldest due first."""
    party = parameters.get("party") or 0
    rows = await session.fetch(
        "SELECT o.document, d.number, d.reference, p.name AS party, o.date, o.date_due, o.currency, o.amount, o.amount_open, o.company_open FROM open_item o "
        "JOIN document d ON d.id = o.document JOIN party p ON p.id = o.party WHERE o.company = ? AND o.role = 'payable' AND o.amount_open <> 0 "
        "AND (CAST(? AS BIGINT) = 0 OR o.party = ?) ORDER BY o.date_due, o.id", context.company.id, party, party,
    )  # fmt: skip
    return [
        {**{n: r[n] for n in ("document", "number", "reference", "party", "currency")}, "date": day(r["date"]), "due": day(r["date_due"]),
         "amount": -money(r["amount"]), "open": -money(r["amount_open"]), "home": -money(r["company_open"])}
        for r in rows
    ]  # fmt: skip


def _report(name: str, label: str, about: str, load: Callable[..., Awaitable[list[dict[str, Any]]]], columns: Iterable[tuple[str, str, str]]) -> Report:
    shown = tuple(Column(name=n, label=text, type=kind, text="number" if kind == "document" else "", total=n == "home") for n, text, kind in columns)
    vendor = Parameter(name="party", label="Vendor", type="newel.party")
    return Report(name=f"purchasing.{name}", label=label, menu="Purchasing", help=about, load=load, parameters=(vendor,), columns=shown)


TEXT = (("party", "Vendor", "text"), ("item", "Item", "text"), ("text", "Text", "text"), ("quantity", "Quantity", "quantity"))
OPEN = (("open", "Open", "quantity"), ("unit", "Unit", "text"), ("value", "Worth", "amount"), ("currency", "Currency", "text"))
SUMS = (("amount", "Amount", "amount"), ("open", "Open", "amount"), ("currency", "Currency", "text"), ("home", "Open, company currency", "amount"))
DAYS = (("date", "Date", "date"), ("wanted", "Wanted", "date"))
REPORTS = (
    _report("to_receive", "To be received", "Lines of open orders that have not come, or not all of it.", to_receive,
            (("document", "Purchase order", "document"), *DAYS, *TEXT, ("received", "Received", "quantity"), *OPEN)),
    _report("not_billed", "Received, not billed", "What has come and the vendor has not billed: what the account of goods received should say.", not_billed,
            (("document", "Receipt", "document"), DAYS[0], *TEXT, ("billed", "Billed", "quantity"), *OPEN)),
    _report("payables", "Open items of vendors", "What vendors have to get, the oldest due first.", payables,
            (("document", "Bill", "document"), ("reference", "Vendor's number", "text"), TEXT[0], DAYS[0], ("due", "Due", "date"), *SUMS)),
)  # fmt: skip
