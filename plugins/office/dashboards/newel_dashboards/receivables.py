"""What customers owe: by age on a day, by any dimension, and how it has developed; from the open items and what settled them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from newel.domain.context import Context
from newel.manifest import Column, Parameter, Report
from newel.store.columns import AMOUNT, unscaled
from newel.store.session import Session, day

from newel_dashboards import facts, rules
from newel_dashboards.facts import BY, DIMENSIONS, DOCUMENT, NARROW

AGES = (("not_due", "Not due"), ("days_30", "1-30 days late"), ("days_60", "31-60"), ("days_90", "61-90"), ("older", "Over 90"))
LIMITS = (0, 30, 60, 90)
MONTHS = 12
# Open at the end of a day is what is open now or was settled later: a long history of what is paid is not looked at.
STILL = """o.company = ? AND o.role = 'receivable'
 AND o.id IN (SELECT id FROM open_item WHERE company = ? AND amount_open <> 0 UNION SELECT item FROM settlement WHERE at > ?)"""
OPEN = f"""
SELECT {{dims}}, d.id AS document, d.number, d.date, o.date_due, d.party, {{sale}} AS data,
       o.company_amount - CAST(COALESCE((SELECT SUM(s.company_amount) FROM settlement s WHERE s.item = o.id AND s.at <= ?), 0) AS BIGINT) AS amount
  FROM open_item o JOIN document d ON d.id = o.document {{joins}}
 WHERE {STILL} AND o.date <= ?
"""
OPENED = f"SELECT o.date AS at, o.date_due, CAST(SUM(o.company_amount) AS BIGINT) AS amount FROM open_item o WHERE {STILL} GROUP BY o.date, o.date_due"
SETTLED = f"""SELECT s.at, o.date_due, CAST(SUM(-s.company_amount) AS BIGINT) AS amount FROM settlement s JOIN open_item o ON o.id = s.item WHERE {STILL}
 GROUP BY s.at, o.date_due"""


def age(due: date, when: date) -> int:
    """Which of AGES: an item due on the day itself is not late."""
    late = (when - due).days
    return sum(late > limit for limit in LIMITS)


async def _open(session: Session, parameters: dict[str, Any], context: Context, by: list[str]) -> list[dict[str, Any]]:
    when, company = parameters.get("date") or context.today, context.company.id
    shared = facts.shared(by, parameters)
    sale = facts.SALE.format("document", "d.id") if shared else "''"
    sql = OPEN.format(dims=facts.selected(by), sale=sale, joins=facts.joins(parameters, by))
    sql, args = facts.narrow(sql, [when, company, company, when, when], parameters)
    unit, out = 10 ** (AMOUNT - context.company.amount_digits), []
    for r in await session.fetch(f"{sql} ORDER BY o.date_due, o.id", *args):
        for code, (amount,) in facts.shares(r["data"], [r["amount"]], unit) if shared else [("", [r["amount"]])]:
            if amount and (not shared or facts.sold_by(parameters, code)):
                out.append({**dict(r), "representative": code, "amount": amount, "age": age(_day(r["date_due"]), when)})
    return out


def _day(value: Any) -> date:
    found = day(value)
    assert found is not None
    return found


async def receivables(session: Session, parameters: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """What is open at the end of a day by age and one dimension, in the company's currency (REP-04)."""
    by = [rules.chosen("by", parameters.get("by") or "customer", [n for n, d in DIMENSIONS.items() if not d.goods])]
    rows = []
    for r in await _open(session, parameters, context, by):
        keys, names, _ = facts.named(r, by, r["representative"], [])
        rows.append((keys, names, [r["amount"], *(r["amount"] if n == r["age"] else 0 for n in range(len(AGES)))]))
    found = rules.sorted_groups(rules.grouped(rows, (), 1 + len(AGES)), 0, [False])
    return [{"one": g.names[0], "keys": list(keys), **_ages(g.amounts[1:]), "total": unscaled(g.amounts[0], AMOUNT)} for keys, g in found]


def _ages(amounts: Iterable[int]) -> dict[str, Any]:
    return {name: unscaled(n, AMOUNT) for (name, _), n in zip(AGES, amounts, strict=True)}


async def items(session: Session, parameters: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """The open items behind each figure, with the same parameters."""
    labels = [label for _, label in AGES]
    return [
        {"document": r["document"], "number": r["number"], "date": day(r["date"]), "date_due": day(r["date_due"]), "party": r["t0"] or "",
         "age": labels[r["age"]], "open": unscaled(r["amount"], AMOUNT)}
        for r in await _open(session, parameters, context, ["customer"])
        if parameters.get("age") in (None, AGES[r["age"]][0])
    ]  # fmt: skip


async def history(session: Session, parameters: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """What was open at the end of each of the last months by age, and what is today."""
    today, company = parameters.get("date") or context.today, context.company.id
    first = today.replace(day=1)
    ends = [rules.months_later(first, -n) - timedelta(1) for n in reversed(range(MONTHS - 1))] + [today]
    found = [*await session.fetch(OPENED, company, company, ends[0]), *await session.fetch(SETTLED, company, company, ends[0])]
    moves = [(_day(r["at"]), _day(r["date_due"]), r["amount"]) for r in found]
    out = []
    for end in ends:
        amounts = [0] * len(AGES)
        for at, due, amount in moves:
            if at <= end:
                amounts[age(due, end)] += amount
        out.append({"date": end, **_ages(amounts), "total": unscaled(sum(amounts), AMOUNT)})
    return out


ON = Parameter(name="date", label="As of", type="date")
OWED = tuple(Column(name=n, label=text, type="amount", total=True) for n, text in (*AGES, ("total", "Total")))
WHO = tuple(p for p in NARROW if p.name not in ("item", "item_class"))
REPORTS = (
    Report(
        name="dashboards.receivables", label="Receivables analysis", load=receivables, parameters=(ON, BY, *WHO), menu="Finance",
        help="What customers owe, by customer, class, territory, region or representative, and by how late it is.",
        columns=(Column(name="one", label="Of"), *OWED),
    ),
    Report(
        name="dashboards.receivables_items", label="Items of the receivables analysis", load=items,
        parameters=(ON, Parameter(name="age", label="Age"), *WHO), help="Every open item in the company's currency.",
        columns=(*DOCUMENT, Column(name="date_due", label="Due", type="date"), Column(name="party", label="Customer"), Column(name="age", label="Age"),
                 Column(name="open", label="Open", type="amount", total=True)),
    ),
    Report(
        name="dashboards.receivables_history", label="Development of receivables", load=history, parameters=(ON,), menu="Finance",
        help="What customers owed at the end of each month, by how late it was.",
        columns=(Column(name="date", label="Date", type="date"), *(Column(name=c.name, label=c.label, type="amount") for c in OWED)),
    ),
)  # fmt: skip
