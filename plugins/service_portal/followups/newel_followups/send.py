"""The use case: make a request for each customer that a rule is about, once."""

from __future__ import annotations

from datetime import date
from typing import Any

from newel.domain.context import Context
from newel.domain.document import DocumentInput
from newel.errors import NewelError, Refused
from newel.services.app import Newel

from newel_followups import facts
from newel_followups.rules import Account, Rule, due

KIND = "requests.request"


async def look(app: Newel, _payload: dict[str, Any], _context: Context) -> None:
    """Job: look at the accounts of all companies.

    Raises:
        NewelError: naming every request that could not be made; the others are.
    """
    refused = [problem for context in await app.every_company("followups") for problem in await _company(app, context)]
    if refused:
        raise NewelError("; ".join(refused))


async def _company(app: Newel, context: Context) -> list[str]:
    async with app.database.read() as session:
        rules = await facts.rules(session, context)
        accounts = await facts.accounts(session, context) if rules else []
        wanted = [
            (rule, account, text)
            for rule in rules
            if (found := due(rule, accounts, context.today, context.company))
            for have in [await facts.made(session, rule, context, KIND)]
            for account, text in found
            if account.party not in have
        ]
    refused = []
    for rule, account, text in wanted:
        try:
            await app.documents.create(KIND, _entered(rule, account, text), context, key=_key(rule, account, context.today), then=("submit",))
        except Refused as error:
            refused.append(f"{rule.code}: {error}")
    return refused


def _entered(rule: Rule, account: Account, text: str) -> DocumentInput:
    about = account.number if rule.event == "overdue" else ""
    data = {"type": rule.type, "category": rule.category, "team": rule.team, "about": about}
    return DocumentInput(party=account.party, reference=rule.code, text=text, data={"requests": data})


def _key(rule: Rule, account: Account, today: date) -> str:
    """Two workers at once make one request."""
    return f"followups:{rule.code}:{account.party}:{today}"
