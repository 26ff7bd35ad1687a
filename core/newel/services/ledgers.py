"""The kernel's own reports: what the books and the stock say. Debits and credits are summed where everybody sees that they are equal."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from newel.domain.context import Context
from newel.domain.credit import REASONS
from newel.domain.money import ZERO, plain
from newel.manifest import Column, Parameter, Report
from newel.services.access import COSTS
from newel.services.credit import figures
from newel.store.columns import QUANTITY, unscaled
from newel.store.documents import money
from newel.store.session import Session, day

FROM = Parameter(name="date_from", label="From", type="date")
TO = Parameter(name="date_to", label="To", type="date")
ACCOUNT = (Column(name="account", label="Account", type="newel.account", text="number"), Column(name="name", label="Name"))
DOCUMENT = Column(name="document", label="Document", type="document", text="document_number")
SIDES = (Column(name="debit", label="Debit", type="amount", total=True), Column(name="credit", label="Credit", type="amount", total=True))
POSTINGS = (
    "SELECT e.number AS entry, e.date, e.document, e.text, d.number AS document_number, p.account, a.number, a.name, p.debit, p.credit, y.name AS party "
    "FROM posting p JOIN journal_entry e ON e.id = p.entry JOIN account a ON a.id = p.account LEFT JOIN document d ON d.id = e.document "
    "LEFT JOIN party y ON y.id = p.party WHERE e.company = ? AND e.date >= ? AND e.date <= ?"
)
EARLIEST, LATEST = date(1900, 1, 1), date(2200, 1, 1)
MOST = 50_000


def _span(parameters: dict[str, Any]) -> tuple[date, date]:
    return parameters.get("date_from") or EARLIEST, parameters.get("date_to") or LATEST


async def trial_balance(session: Session, parameters: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """Every account with what it stood at before, what happened, and what it stands at."""
    start, end = _span(parameters)
    rows = await session.fetch(
        "SELECT a.id, a.number, a.name, a.kind, SUM(CASE WHEN e.date < ? THEN p.debit - p.credit ELSE 0 END) AS opening, "
        "SUM(CASE WHEN e.date >= ? THEN p.debit ELSE 0 END) AS debit, SUM(CASE WHEN e.date >= ? THEN p.credit ELSE 0 END) AS credit "
        "FROM posting p JOIN journal_entry e ON e.id = p.entry JOIN account a ON a.id = p.account WHERE e.company = ? AND e.date <= ? "
        "GROUP BY a.id, a.number, a.name, a.kind ORDER BY a.number",
        start, start, start, context.company.id, end,
    )  # fmt: skip
    out = []
    for r in rows:
        opening, debit, credit = (money(int(r[n])) for n in ("opening", "debit", "credit"))
        out.append(
            {"account": r["id"], "number": r["number"], "name": r["name"], "kind": r["kind"], "opening": opening, "debit": debit, "credit": credit,
             "balance": opening + debit - credit}
        )  # fmt: skip
    return out


def _posting(r: Any) -> dict[str, Any]:
    return {
        "entry": r["entry"], "date": day(r["date"]), "document": r["document"], "document_number": r["document_number"] or r["text"],
        "account": r["account"], "number": r["number"], "name": r["name"], "party": r["party"] or "", "debit": money(r["debit"]),
        "credit": money(r["credit"]),
    }  # fmt: skip


async def general_ledger(session: Session, parameters: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """One account, posting by posting, with its running balance."""
    start, end = _span(parameters)
    account = parameters["account"]
    before = await session.value(
        "SELECT SUM(p.debit - p.credit) AS n FROM posting p JOIN journal_entry e ON e.id = p.entry "
        "WHERE e.company = ? AND p.account = ? AND e.date < ?",
        context.company.id, account, start,
    )  # fmt: skip
    balance = money(int(before or 0))
    rows = await session.fetch(f"{POSTINGS} AND p.account = ? ORDER BY e.date, e.number, p.id LIMIT {MOST}", context.company.id, start, end, account)
    out: list[dict[str, Any]] = [{"date": parameters.get("date_from"), "document_number": "Opening balance", "balance": balance}]
    for r in rows:
        posting = _posting(r)
        balance += posting["debit"] - posting["credit"]
        out.append({**posting, "balance": balance})
    return out


async def journal(session: Session, parameters: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """Every posting in the order in which the entries were made."""
    rows = await session.fetch(f"{POSTINGS} ORDER BY e.number, p.id LIMIT {MOST}", context.company.id, *_span(parameters))
    return [_posting(r) for r in rows]


async def stock_value(session: Session, parameters: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """What lies where and what it is worth."""
    rows = await session.fetch(
        "SELECT l.id AS location, l.code, i.id AS item, i.number, i.name, i.unit, SUM(b.quantity) AS quantity, SUM(b.reserved) AS reserved, "
        "SUM(b.value) AS value FROM stock_balance b JOIN location l ON l.id = b.location JOIN item i ON i.id = b.item "
        "WHERE l.company = ? AND (CAST(? AS BIGINT) = 0 OR l.id = ?) AND b.quantity <> 0 GROUP BY l.id, l.code, i.id, i.number, i.name, i.unit "
        "ORDER BY l.code, i.number",
        context.company.id, parameters.get("location") or 0, parameters.get("location") or 0,
    )  # fmt: skip

    def quantity(n: Any) -> Decimal:
        return plain(unscaled(int(n), QUANTITY))

    return [
        {"location": r["location"], "code": r["code"], "item": r["item"], "number": r["number"], "name": r["name"], "unit": r["unit"],
         "quantity": quantity(r["quantity"]), "reserved": quantity(r["reserved"]), "value": money(int(r["value"]))}
        for r in rows
    ]  # fmt: skip


async def open_items(session: Session, parameters: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """What is owed to the company and what it owes, the oldest first."""
    role = parameters.get("role") or ""
    until = context.today if parameters.get("overdue") else None
    rows = await session.fetch(
        "SELECT o.*, d.number, y.name AS party_name FROM open_item o JOIN document d ON d.id = o.document JOIN party y ON y.id = o.party "
        "WHERE o.company = ? AND o.amount_open <> 0 AND (? = '' OR o.role = ?) AND (CAST(? AS BIGINT) = 0 OR o.party = ?) "
        "AND o.date_due < ? ORDER BY o.date_due, o.id",
        context.company.id, role, role, parameters.get("party") or 0, parameters.get("party") or 0, until or LATEST,
    )  # fmt: skip
    out = []
    for r in rows:
        due = day(r["date_due"]) or context.today
        late = max((context.today - due).days, 0)
        out.append(
            {"role": r["role"], "party": r["party"], "party_name": r["party_name"], "document": r["document"], "document_number": r["number"],
             "date": day(r["date"]), "date_due": due, "late": Decimal(late) if late else ZERO, "amount": money(r["amount"]), "open": money(r["amount_open"]),
             "currency": r["currency"], "company_open": money(r["company_open"])}
        )  # fmt: skip
    return out


async def exposure(session: Session, parameters: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """Every figure of what one party owes or will owe: which document, how much of it, at today's rate."""
    found = (await figures(session, [parameters["party"]], context)).get(parameters["party"], [])
    return [msgspec.structs.asdict(f) for f in sorted(found, key=lambda f: (tuple(REASONS).index(f.stage), f.date, f.document))]


REPORTS = (
    Report(
        name="newel.trial_balance", label="Trial balance", menu="Finance", load=trial_balance, parameters=(FROM, TO),
        help="Every account with its opening balance, debits, credits and balance. Debits equal credits, and the balances add up to nothing.",
        columns=(
            *ACCOUNT, Column(name="opening", label="Opening", type="amount", total=True), *SIDES,
            Column(name="balance", label="Balance", type="amount", total=True),
        ),
    ),
    Report(
        name="newel.general_ledger", label="General ledger", menu="Finance", load=general_ledger, help="One account, posting by posting.",
        parameters=(Parameter(name="account", label="Account", type="newel.account", required=True), FROM, TO),
        columns=(
            Column(name="date", label="Date", type="date"), Column(name="entry", label="Entry"), DOCUMENT, Column(name="party", label="Party"), *SIDES,
            Column(name="balance", label="Balance", type="amount"),
        ),
    ),
    Report(
        name="newel.journal", label="Journal", menu="Finance", load=journal, help="Every posting, entry by entry.", parameters=(FROM, TO),
        columns=(
            Column(name="entry", label="Entry"), Column(name="date", label="Date", type="date"), DOCUMENT, *ACCOUNT, Column(name="party", label="Party"),
            *SIDES,
        ),
    ),
    Report(
        name="newel.open_items", label="Open items", menu="Finance", load=open_items, help="What is owed to the company (positive) and what it owes.",
        parameters=(
            Parameter(name="party", label="Party", type="newel.party"), Parameter(name="role", label="Account role"),
            Parameter(name="overdue", label="Only overdue", type="flag"),
        ),
        columns=(
            Column(name="party", label="Party", type="newel.party", text="party_name"), DOCUMENT, Column(name="date", label="Date", type="date"),
            Column(name="date_due", label="Due", type="date"), Column(name="late", label="Days late", type="quantity"),
            Column(name="amount", label="Amount", type="amount"), Column(name="open", label="Open", type="amount"),
            Column(name="currency", label="Currency"), Column(name="company_open", label="Open, company currency", type="amount", total=True),
        ),
    ),
    Report(
        name="newel.exposure", label="Credit exposure", menu="Finance", load=exposure,
        help="What a party owes or will owe, document by document: ordered, delivered and not invoiced, invoiced and not paid. Nothing counts twice.",
        parameters=(Parameter(name="party", label="Party", type="newel.party", required=True),),
        columns=(
            Column(name="stage", label="Stage"), Column(name="document", label="Document", type="document", text="number"),
            Column(name="date", label="Date", type="date"), Column(name="due", label="Due", type="date"),
            Column(name="amount", label="Amount", type="amount"), Column(name="currency", label="Currency"),
            Column(name="home", label="Company currency", type="amount", total=True),
        ),
    ),
    Report(
        name="newel.stock_value", label="Stock value", menu="Stock", load=stock_value, help="What lies where and what it is worth in the books.",
        parameters=(Parameter(name="location", label="Location", type="newel.location"),),
        columns=(
            Column(name="location", label="Location", type="newel.location", text="code"), Column(name="item", label="Item", type="newel.item", text="number"),
            Column(name="name", label="Name"), Column(name="quantity", label="Quantity", type="quantity"),
            Column(name="reserved", label="Reserved", type="quantity"), Column(name="unit", label="Unit"),
            Column(name="value", label="Value", type="amount", total=True, right=COSTS),
        ),
    ),
)  # fmt: skip
