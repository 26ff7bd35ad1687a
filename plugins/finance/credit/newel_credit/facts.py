"""What credit reads: limits, and what customers owe by stage, derived from documents, links and open items."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
from newel.domain.context import Context
from newel.domain.document import Document
from newel.domain.master import Master
from newel.domain.money import ZERO, product, rounded
from newel.manifest import Column, Parameter, Report
from newel.store.columns import AMOUNT, QUANTITY, RATE, unscaled
from newel.store.master import load_master
from newel.store.session import Session, day

from newel_credit.rules import DELIVERED, INVOICED, ORDERED, STAGES, CreditSettings, Figure, Limit, Standing, exposures, open_parts

Limits = dict[tuple[int, int], Limit]
# Firm links of each line of the parties' sales, by the role of what they lead to: an invoice of a delivery counts on the order's line.
SALES = """
SELECT d.party, d.id AS document, d.number, d.date, d.currency, d.rate, d.phase, l.quantity, COALESCE(k.delivered, 0) AS delivered,
       COALESCE(k.invoiced, 0) AS invoiced, CAST(SUM(l.net + l.tax) AS BIGINT) AS amount
  FROM document d JOIN document_line l ON l.document = d.id
  LEFT JOIN (SELECT x.from_line, CAST(SUM(CASE WHEN t.role = 'delivery' THEN x.quantity ELSE 0 END) AS BIGINT) AS delivered,
                    CAST(SUM(CASE WHEN t.role = 'invoice' THEN x.quantity ELSE 0 END) AS BIGINT) AS invoiced
               FROM document s JOIN line_link x ON x.from_document = s.id JOIN document t ON t.id = x.to_document
              WHERE s.party = ANY(?) AND s.company = ? AND s.role = 'sale' AND x.firm = ? GROUP BY x.from_line) k ON k.from_line = l.id
 WHERE d.party = ANY(?) AND d.company = ? AND d.role = 'sale' AND d.id <> ?
   AND (d.phase = 'open' OR (d.phase = 'done' AND k.delivered > k.invoiced))
 GROUP BY d.party, d.id, d.number, d.date, d.currency, d.rate, d.phase, l.quantity, k.delivered, k.invoiced HAVING SUM(l.net + l.tax) <> 0
 ORDER BY d.date, d.id
"""
ITEMS = """
SELECT o.party, o.document, d.number, o.date, o.date_due, o.currency, o.amount_open, o.company_open
  FROM open_item o JOIN document d ON d.id = o.document
 WHERE o.party = ANY(?) AND o.company = ? AND o.role <> 'payable' AND o.amount_open <> 0 ORDER BY o.date_due, o.id
"""
WORTH = "SELECT l.id, l.quantity, l.net + l.tax AS gross, d.currency, d.rate FROM document_line l JOIN document d ON d.id = l.document WHERE l.id = ANY(?)"


async def limits(session: Session) -> Limits:
    """Own limits by (company, party), from the cache."""
    return await session.cached("credit", _limits)


async def _limits(session: Session) -> Limits:
    return {
        (r["company"], r["party"]): Limit(r["id"], _amount(r["amount"]), r["currency"], r["overdue_days"])
        for r in await session.fetch("SELECT * FROM credit_limit")
    }


def _amount(n: int | None) -> Decimal:
    return unscaled(n or 0, AMOUNT)


async def load(document: Document, session: Session, context: Context) -> Standing | None:
    """Nothing is asked where there is neither a limit nor a rule on days, nor while a stage is written that is not checked."""
    settings = context.setting("credit", CreditSettings)
    stage = STAGES.get(document.role)
    if stage is None or document.party is None or document.phase == "cancelled" or (session.writable and getattr(settings, stage) == "off"):
        return None
    party, company = document.party, context.company
    own = (await limits(session)).get((company.id, party.id))
    days = own.overdue_days if own and own.overdue_days is not None else settings.overdue_days
    if own is None and party.limit_amount is None and days is None:
        return None
    if session.writable and document.version:  # it is about to go on: the next one waits until this one is written
        row = ("credit_limit", own.id) if own else ("party", party.id)
        await session.fetch(f"SELECT id FROM {row[0]} WHERE id = ? FOR UPDATE", row[1])
    master = await load_master(session)
    found = await figures(session, [party.id], context, master, document.id)
    limit, no_rate = in_home(own, party.limit_amount, context, master)
    released = await session.value("SELECT MAX(released) AS n FROM credit_decision WHERE document = ?", document.id) if document.version else None
    return Standing(
        limit=limit, no_rate=no_rate, days=days, figures=tuple(found.get(party.id, ())), released=None if released is None else _amount(released),
        worth=await _worth(session, document, context, master) if document.role == "delivery" else {}, today=context.today,
        rate=master.rate(company, document.currency, context.today) or document.rate,
    )  # fmt: skip


def in_home(own: Limit | None, fallback: Decimal | None, context: Context, master: Master) -> tuple[Decimal | None, str]:
    """A limit in the company's currency by today's rate, or the currency whose rate is missing."""
    if own is None:
        return fallback, ""
    rate = master.rate(context.company, own.currency, context.today)
    return (rounded(product(own.amount, rate), context.company.amount_digits), "") if rate else (None, own.currency)


async def figures(session: Session, parties: Sequence[int], context: Context, master: Master, without: int = 0) -> dict[int, list[Figure]]:
    """Every figure of these parties, document by document; two statements however many they are."""
    company, today, wanted = context.company, context.today, list(parties)
    out: dict[int, list[Figure]] = {}

    def add(r: Any, stage: str, amount: Decimal, rate: Decimal, **more: Any) -> None:
        if amount:
            home = rounded(product(amount, rate), company.amount_digits, company.rounding)
            out.setdefault(r["party"], []).append(
                Figure(
                    stage=stage, document=r["document"], number=r["number"], date=day(r["date"]) or today, currency=r["currency"],
                    amount=rounded(amount, AMOUNT), home=home, **more,
                )
            )  # fmt: skip

    for r in await session.fetch(SALES, wanted, company.id, True, wanted, company.id, without):
        quantity, delivered, invoiced = (unscaled(r[name], QUANTITY) for name in ("quantity", "delivered", "invoiced"))
        rate = master.rate(company, r["currency"], today) or unscaled(r["rate"], RATE)
        for stage, part in zip((ORDERED, DELIVERED), open_parts(quantity, delivered, invoiced, r["phase"] == "open"), strict=True):
            if part:
                add(r, stage, product(_amount(r["amount"]), part) / quantity, rate)
    for r in await session.fetch(ITEMS, wanted, company.id):
        known = master.rate(company, r["currency"], today)
        add(r, INVOICED, _amount(r["amount_open"]), known or _amount(r["company_open"]) / _amount(r["amount_open"]), due=day(r["date_due"]))
    return out


async def _worth(session: Session, document: Document, context: Context, master: Master) -> dict[int, Decimal]:
    """What the goods of a delivery were sold for, in the company's currency."""
    links = [(line, s.from_line) for line in document.lines for s in line.sources]
    prices = {}
    for r in await session.fetch(WORTH, sorted({source for _, source in links})) if links else []:
        rate = master.rate(context.company, r["currency"], context.today) or unscaled(r["rate"], RATE)
        prices[r["id"]] = product(_amount(r["gross"]), rate) / unscaled(r["quantity"], QUANTITY)
    return {line.id: product(prices[source], line.quantity) for line, source in links if source in prices}


# ---- reports -------------------------------------------------------------------------------------------------------------------------


async def over(session: Session, parameters: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """Customers whose figures are above their limit, or who are too late; `all` shows everybody with a limit."""
    settings, master = context.setting("credit", CreditSettings), await load_master(session)
    mine = {party: limit for (company, party), limit in (await limits(session)).items() if company == context.company.id}
    rows = await session.fetch(
        "SELECT id, number, name, limit_amount, service_level, blocked FROM party WHERE limit_amount IS NOT NULL OR id = ANY(?) OR id IN "
        "(SELECT party FROM open_item WHERE company = ? AND amount_open > 0 AND role <> 'payable' AND date_due < ?) ORDER BY number",
        sorted(mine), context.company.id, context.today,
    )  # fmt: skip
    found = await figures(session, [r["id"] for r in rows], context, master)
    out = []
    for r in rows:
        own = mine.get(r["id"])
        limit, _ = in_home(own, None if r["limit_amount"] is None else _amount(r["limit_amount"]), context, master)
        days = own.overdue_days if own and own.overdue_days is not None else settings.overdue_days
        at = Standing(limit=limit, days=days, figures=tuple(found.get(r["id"], ())), today=context.today)
        sums = {e.stage: e.amount for e in exposures(at)}
        total = sum(sums.values(), ZERO)
        excess = max(total - limit, ZERO) if limit is not None else ZERO
        if excess or (days is not None and at.late > days) or (parameters.get("all") and limit is not None):
            about = {"number": r["number"], "party": r["name"], "service_level": str(r["service_level"]), "blocked": r["blocked"], "limit": limit}
            stages = {name: sums.get(stage, ZERO) for name, stage in (("ordered", ORDERED), ("delivered", DELIVERED), ("invoiced", INVOICED))}
            out.append({**about, **stages, "used": total, "over": excess, "overdue": at.overdue, "days": str(max(at.late, 0))})
    return out


async def explained(session: Session, parameters: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """Every figure of one customer: which document, how much of it, at which rate."""
    found = await figures(session, [parameters["party"]], context, await load_master(session))
    rows = sorted(found.get(parameters["party"], ()), key=lambda f: ((ORDERED, DELIVERED, INVOICED).index(f.stage), f.date, f.document))
    return [msgspec.structs.asdict(f) for f in rows]


def _columns(*declared: tuple[str, str, str]) -> tuple[Column, ...]:
    return tuple(Column(name=name, label=label, type=kind) for name, label, kind in declared)


DOCUMENT = Column(name="document", label="Document", type="document", text="number")
WHO = _columns(("number", "Number", "text"), ("party", "Customer", "text"))
SUMS = (("ordered", "Ordered"), ("delivered", "Delivered"), ("invoiced", "Invoiced"), ("used", "Used"), ("limit", "Limit"), ("over", "Over"))
REPORTS = (
    Report(
        name="credit.over", label="Customers over their limit", menu="Finance", load=over,
        help="Who owes or will owe more than its limit, or is too late; in the company's currency at today's rates.",
        parameters=(Parameter(name="all", label="Also those within", type="flag"),),
        columns=(
            *WHO, *_columns(*((name, label, "amount") for name, label in (*SUMS, ("overdue", "Overdue")))),
            *_columns(("days", "Days late", "text"), ("service_level", "Service level", "text"), ("blocked", "Blocked", "text")),
        ),
    ),
    Report(
        name="credit.exposure", label="Exposure explained", menu="Finance", load=explained,
        help="What makes up the exposure of one customer, document by document; nothing stands in two stages.",
        parameters=(Parameter(name="party", label="Customer", type="newel.party", required=True),),
        columns=(
            *_columns(("stage", "Stage", "text")), DOCUMENT,
            *_columns(("date", "Date", "date"), ("due", "Due", "date"), ("amount", "Amount", "amount"), ("currency", "Currency", "text")),
            Column(name="home", label="Company currency", type="amount", total=True),
        ),
    ),
)  # fmt: skip
