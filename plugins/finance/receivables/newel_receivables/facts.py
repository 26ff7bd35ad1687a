"""What receivables reads: open items and means for its rules, and what customers owe."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from newel.domain.context import Context
from newel.domain.document import Document
from newel.domain.money import ZERO
from newel.manifest import Column, Parameter, Report
from newel.store.columns import AMOUNT, unscaled
from newel.store.session import Session, day

from newel_receivables.rules import BUCKETS, Claims, bucket


async def _means(session: Session) -> dict[str, str]:
    rows = await session.fetch("SELECT code, account_role FROM receivables_means WHERE active = ?", True)
    return {r["code"]: r["account_role"] for r in rows}


async def means(session: Session) -> dict[str, str]:
    """Account roles of means of payment by code, from the cache."""
    return await session.cached("receivables", _means)


async def load(session: Session, document: Document, context: Context) -> Claims | None:
    """One statement for a sale that is looked at, none for anything else: what a payment settles is among the kernel's facts."""
    if document.kind.startswith("receivables."):
        return Claims(means=await means(session)) if "receivables" in document.data else None
    if document.party is None or session.writable:  # nobody looks at a panel while something is written
        return None
    row = await session.one(
        """SELECT CAST(SUM(company_open) AS BIGINT) AS owed,
                  CAST(SUM(CASE WHEN date_due < ? THEN company_open ELSE 0 END) AS BIGINT) AS overdue
             FROM open_item WHERE party = ? AND company = ? AND role = 'receivable' AND amount_open <> 0""",
        context.today, document.party.id, context.company.id,
    )  # fmt: skip
    return Claims(owed=_amount(row["owed"]), overdue=_amount(row["overdue"])) if row else None


def _amount(n: int | None) -> Decimal:
    return unscaled(n or 0, AMOUNT)


# Open at the end of a day is what is open now or was settled later: a long history of what is paid is not looked at.
OPEN = """
SELECT o.document, d.number, d.reference, o.party AS party_id, p.number AS party_number, p.name AS party, o.currency, o.date, o.date_due,
       o.amount, o.company_amount,
       CAST(COALESCE((SELECT SUM(s.amount) FROM settlement s WHERE s.item = o.id AND s.at <= ?), 0) AS BIGINT) AS settled,
       CAST(COALESCE((SELECT SUM(s.company_amount) FROM settlement s WHERE s.item = o.id AND s.at <= ?), 0) AS BIGINT) AS company_settled
  FROM open_item o JOIN document d ON d.id = o.document JOIN party p ON p.id = o.party
 WHERE o.id IN (SELECT id FROM open_item WHERE company = ? AND amount_open <> 0 UNION SELECT item FROM settlement WHERE at > ?)
   AND o.company = ? AND o.role = 'receivable' AND o.date <= ?
"""
STATEMENT = """
SELECT x.at, x.document, d.number, CAST(SUM(x.amount) AS BIGINT) AS amount
  FROM (SELECT o.date AS at, o.document, o.amount, o.party, o.company, o.currency FROM open_item o WHERE o.role = 'receivable' UNION ALL
        SELECT s.at, s.document, -s.amount, o.party, o.company, o.currency
          FROM settlement s JOIN open_item o ON o.id = s.item WHERE o.role = 'receivable') x
  JOIN document d ON d.id = x.document
 WHERE x.company = ? AND x.party = ? AND x.currency = ? AND x.at <= ?
 GROUP BY x.at, x.document, d.number ORDER BY x.at, x.document
"""


async def _open_on(session: Session, parameters: dict[str, Any], context: Context) -> tuple[date, list[dict[str, Any]]]:
    """What was open at the end of a day, by party and due date."""
    when = parameters.get("date") or context.today
    company = context.company.id
    sql, args = OPEN, [when, when, company, when, company, when]
    if parameters.get("party"):
        sql, args = f"{sql} AND o.party = ?", [*args, parameters["party"]]
    return when, [
        {
            **{name: r[name] for name in ("document", "number", "reference", "party_id", "party_number", "party", "currency")},
            "date": day(r["date"]), "date_due": day(r["date_due"]), "amount": _amount(r["amount"]),
            "open": _amount(r["amount"] - r["settled"]), "company_open": _amount(r["company_amount"] - r["company_settled"]),
        }
        for r in await session.fetch(f"{sql} ORDER BY p.number, o.date_due, o.id", *args)
        if r["amount"] != r["settled"]
    ]  # fmt: skip


async def open_items(session: Session, parameters: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """Open items as of a day."""
    when, rows = await _open_on(session, parameters, context)
    return [{**row, "days": max((when - row["date_due"]).days, 0)} for row in rows]


async def ageing(session: Session, parameters: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """What each customer owes in the company's currency, by how late it is."""
    when, rows = await _open_on(session, parameters, context)
    empty = dict.fromkeys(("not_due", *(name for _, name in BUCKETS), "older", "total"), ZERO)
    out: dict[int, dict[str, Any]] = {}
    for row in rows:
        sums = out.setdefault(row["party_id"], {"party_number": row["party_number"], "party": row["party"], **empty})
        sums[bucket(row["date_due"], when)] += row["company_open"]
        sums["total"] += row["company_open"]
    return list(out.values())


async def statement(session: Session, parameters: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """What a customer was billed and has paid in a period, with the balance after each document."""
    currency, until = parameters.get("currency") or context.company.currency, parameters.get("date_to") or context.today
    start = parameters.get("date_from") or date.min
    rows = [
        {"date": day(r["at"]), "document": r["document"], "number": r["number"], "amount": _amount(r["amount"]), "currency": currency}
        for r in await session.fetch(STATEMENT, context.company.id, parameters["party"], currency, until)
    ]
    balance = sum((r["amount"] for r in rows if r["date"] < start), ZERO)
    first = {"date": parameters.get("date_from"), "document": None, "number": "Opening balance", "amount": ZERO, "currency": currency}
    out = []
    for row in (first, *(r for r in rows if r["date"] >= start)):
        balance += row["amount"]
        out.append({**row, "balance": balance})
    return out


def _columns(*declared: tuple[str, str, str]) -> tuple[Column, ...]:
    return tuple(Column(name=name, label=label, type=kind) for name, label, kind in declared)


PARTY, ON = Parameter(name="party", label="Customer", type="newel.party"), Parameter(name="date", label="As of", type="date")
CURRENCY = Parameter(name="currency", label="Currency")
PERIOD = (Parameter(name="date_from", label="From", type="date"), Parameter(name="date_to", label="To", type="date"))
WHO = _columns(("party_number", "Number", "text"), ("party", "Customer", "text"))
DOCUMENT = (Column(name="document", label="Document", type="document", text="number"), *_columns(("date", "Date", "date")))
AGES = (("not_due", "Not due"), ("days_30", "0-30"), ("days_60", "31-60"), ("days_90", "61-90"), ("older", "Over 90"), ("total", "Total"))
ITEM = _columns(
    ("reference", "Reference", "text"), ("date_due", "Due", "date"), ("days", "Days late", "text"), ("amount", "Amount", "amount"),
    ("open", "Open", "amount"), ("currency", "Currency", "text"),
)  # fmt: skip
REPORTS = (
    Report(
        name="receivables.open_items", label="Open items", menu="Finance", load=open_items, parameters=(PARTY, ON),
        help="What each customer owed at the end of a day, document by document.",
        columns=(*DOCUMENT, *WHO, *ITEM, Column(name="company_open", label="Open, company currency", type="amount", total=True)),
    ),
    Report(
        name="receivables.ageing", label="Ageing", menu="Finance", load=ageing, parameters=(PARTY, ON),
        help="What each customer owes in the company's currency, by days after it was due.",
        columns=(*WHO, *(Column(name=name, label=label, type="amount", total=True) for name, label in AGES)),
    ),
    Report(
        name="receivables.statement", label="Statement", menu="Finance", load=statement,
        help="What a customer was billed and has paid in a period, with the running balance.",
        parameters=(Parameter(name="party", label="Customer", type="newel.party", required=True), *PERIOD, CURRENCY),
        columns=(*DOCUMENT, *_columns(("amount", "Amount", "amount"), ("balance", "Balance", "amount"), ("currency", "Currency", "text"))),
    ),
)  # fmt: skip
