"""How customers' accounts stand: the last sale and what is late, two questions for all of them."""

from __future__ import annotations

from typing import Any

from newel.domain.context import Context
from newel.store.documents import money
from newel.store.session import Session, day

from newel_followups.rules import Account, Rule, since

SALES = (
    "SELECT d.party, MAX(d.date) AS last_sale FROM document d JOIN party p ON p.id = d.party WHERE d.company = ? AND d.role = 'sale' "
    "AND d.phase IN ('open', 'done') AND p.is_customer = ? AND p.active = ? GROUP BY d.party"
)
LATE = (
    "SELECT o.party, o.company_open, o.date_due, d.number FROM open_item o JOIN document d ON d.id = o.document JOIN party p ON p.id = o.party "
    "WHERE o.company = ? AND o.role = 'receivable' AND o.amount_open <> 0 AND o.amount_open > 0 AND o.date_due < ? AND p.active = ? ORDER BY o.date_due, o.id"
)
MADE = "SELECT party FROM document WHERE company = ? AND kind = ? AND reference = ? AND (phase IN ('draft', 'open') OR date > ?)"


async def rules(session: Session, context: Context) -> list[Rule]:
    """The active rules of the company."""
    rows = await session.fetch("SELECT * FROM followups_rule WHERE company = ? AND active = ? ORDER BY code", context.company.id, True)
    return [Rule(**{name: r[name] for name in Rule.__struct_fields__}) for r in rows]


async def accounts(session: Session, context: Context) -> list[Account]:
    """How the active customers stand who ever bought something or owe something that is late."""
    found: dict[int, dict[str, Any]] = {}
    for r in await session.fetch(SALES, context.company.id, True, True):
        found[r["party"]] = {"last_sale": day(r["last_sale"])}
    for r in await session.fetch(LATE, context.company.id, context.today, True):
        own = found.setdefault(r["party"], {})
        own["owed"] = own.get("owed", 0) + money(r["company_open"])
        due = day(r["date_due"])
        if "late" not in own and due is not None:
            own |= {"late": (context.today - due).days, "number": r["number"]}
    return [Account(party=party, **values) for party, values in sorted(found.items())]


async def made(session: Session, rule: Rule, context: Context, kind: str) -> set[int]:
    """The partners for whom a request of this rule is open, or was made not long ago."""
    rows = await session.fetch(MADE, context.company.id, kind, rule.code, since(rule, context.today))
    return {r["party"] for r in rows}
