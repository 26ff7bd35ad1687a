"""What credit reads: limits, and what customers owe by stage, derived from documents, links and open items."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from newel.domain.context import Context
from newel.domain.credit import DELIVERED, INVOICED, ORDERED, by_stage
from newel.domain.document import Document
from newel.domain.facts import Facts
from newel.domain.kinds import Kinds
from newel.domain.master import Master
from newel.domain.money import ZERO, product, rounded
from newel.manifest import Column, Parameter, Report
from newel.services.credit import figures, worth
from newel.store.documents import money
from newel.store.master import load_master
from newel.store.session import Session

from newel_credit.rules import STAGES, CreditSettings, Limit, Standing, stops

Limits = dict[tuple[int, int], Limit]


async def limits(session: Session) -> Limits:
    """Own limits by (company, party), from the cache."""
    return await session.cached("credit", _limits)


async def _limits(session: Session) -> Limits:
    return {
        (r["company"], r["party"]): Limit(r["id"], money(r["amount"]), r["currency"], r["overdue_days"])
        for r in await session.fetch("SELECT * FROM credit_limit")
    }


async def load(document: Document, transition: str, facts: Facts, session: Session, context: Context) -> Standing | None:
    """Nothing is asked where there is neither a limit nor a rule on days, nor while something is written at which nothing is checked."""
    settings = context.setting("credit", CreditSettings)
    if STAGES.get(document.role) is None or document.party is None or document.phase == "cancelled":
        return None
    party, company = document.party, context.company
    own = (await limits(session)).get((company.id, party.id))
    days, released = own.overdue_days if own and own.overdue_days is not None else settings.overdue_days, None
    if (own is None and party.limit_amount is None and days is None) or (session.writable and not stops(document, transition, facts[Kinds], settings)):
        return None
    if session.writable and document.version:  # it is about to go on: the next one waits until this one is written
        row = ("credit_limit", own.id) if own else ("party", party.id)
        sql = f"SELECT id, (SELECT MAX(r.amount) FROM credit_release r WHERE r.document = ?) AS released FROM {row[0]} WHERE id = ? FOR UPDATE"
        released = (await session.fetch(sql, document.id, row[1]))[0]["released"]
    elif document.version:
        released = await session.value("SELECT MAX(amount) AS n FROM credit_release WHERE document = ?", document.id)
    master = facts[Master]
    found = await figures(session, [party.id], context, document.id)
    limit, no_rate = in_home(own, party.limit_amount, context, master)
    return Standing(
        limit=limit, no_rate=no_rate, days=days, figures=tuple(found.get(party.id, ())), released=None if released is None else money(released),
        worth=await worth(session, document, context) if document.role == "delivery" else ZERO, today=context.today,
        rate=master.rate(company, document.currency, context.today) or document.rate,
    )  # fmt: skip


def in_home(own: Limit | None, fallback: Decimal | None, context: Context, master: Master) -> tuple[Decimal | None, str]:
    """A limit in the company's currency by today's rate, or the currency whose rate is missing."""
    if own is None:
        return fallback, ""
    rate = master.rate(context.company, own.currency, context.today)
    return (rounded(product(own.amount, rate), context.company.amount_digits), "") if rate else (None, own.currency)


async def over(session: Session, parameters: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """Customers whose figures are above their limit, or who are too late; `all` shows everybody with a limit."""
    settings, master = context.setting("credit", CreditSettings), await load_master(session)
    mine = {party: limit for (company, party), limit in (await limits(session)).items() if company == context.company.id}
    rows = await session.fetch(
        "SELECT id, name, limit_amount, service_level, blocked FROM party WHERE limit_amount IS NOT NULL OR id = ANY(?) OR id IN "
        "(SELECT party FROM open_item WHERE company = ? AND amount_open <> 0 AND amount_open > 0 AND role <> 'payable' AND date_due < ?) ORDER BY number",
        sorted(mine), context.company.id, context.today,
    )  # fmt: skip
    found = await figures(session, [r["id"] for r in rows], context)
    out = []
    for r in rows:
        own = mine.get(r["id"])
        limit, _ = in_home(own, None if r["limit_amount"] is None else money(r["limit_amount"]), context, master)
        days = own.overdue_days if own and own.overdue_days is not None else settings.overdue_days
        at = Standing(limit=limit, days=days, figures=tuple(found.get(r["id"], ())), today=context.today)
        sums = {e.stage: e.amount for e in by_stage(at.figures)}
        total = sum(sums.values(), ZERO)
        excess = max(total - limit, ZERO) if limit is not None else ZERO
        if excess or (days is not None and at.late > days) or (parameters.get("all") and limit is not None):
            about = {"party": r["id"], "name": r["name"], "service_level": str(r["service_level"]), "blocked": r["blocked"], "limit": limit}
            stages = {name: sums.get(stage, ZERO) for name, stage in (("ordered", ORDERED), ("delivered", DELIVERED), ("invoiced", INVOICED))}
            out.append({**about, **stages, "used": total, "over": excess, "overdue": at.overdue, "days": str(max(at.late, 0))})
    return out


async def entries(session: Session, parameters: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """What one customer owes or will owe, document by document: what every figure of its credit is made of."""
    found = await figures(session, [parameters["party"]], context)
    names = ("stage", "document", "number", "date", "due", "currency", "amount", "home")
    return [{name: getattr(f, name) for name in names} for f in found.get(parameters["party"], ())]


AMOUNTS = {"ordered": "Ordered", "delivered": "Delivered", "invoiced": "Invoiced", "used": "Used", "limit": "Limit", "over": "Over", "overdue": "Overdue"}
REPORTS = (
    Report(
        name="credit.over", label="Customers over their limit", menu="Finance", load=over,
        help="Who owes or will owe more than its limit, or is too late; in the company's currency at today's rates.",
        parameters=(Parameter(name="all", label="Also those within", type="flag"),),
        columns=(
            Column(name="party", label="Customer", type="newel.party", text="name"),
            *(Column(name=name, label=label, type="amount") for name, label in AMOUNTS.items()),
            Column(name="days", label="Days late"), Column(name="service_level", label="Service level"), Column(name="blocked", label="Blocked"),
        ),
    ),
    Report(
        name="credit.figures", label="What a customer owes", menu="Finance", load=entries,
        help="Open orders, what is delivered and not invoiced, and what is invoiced and not paid, at today's rates: nothing stands in two of them.",
        parameters=(Parameter(name="party", label="Customer", type="newel.party", required=True),),
        columns=(
            Column(name="stage", label="Stage"), Column(name="document", label="Document", type="document", text="number"),
            Column(name="date", label="Date", type="date"), Column(name="due", label="Due", type="date"), Column(name="amount", label="Amount", type="amount"),
            Column(name="currency", label="Currency"), Column(name="home", label="In the company's currency", type="amount", total=True),
        ),
    ),
)  # fmt: skip
