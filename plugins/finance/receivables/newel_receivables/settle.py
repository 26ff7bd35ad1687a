"""Money has come in: settle what is open with it, oldest due first."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from newel.domain.context import Context
from newel.domain.document import DocumentInput, LineInput
from newel.errors import Problem, Refused, missing
from newel.services.app import Newel
from newel.services.ledger_store import open_item
from newel.services.outcome import Outcome
from newel.store.master import load_master, load_party

from newel_receivables.facts import means as load_means
from newel_receivables.rules import ReceivablesSettings, propose_settlement


async def settle(
    app: Newel, party: int | str, amount: Decimal, means: str, context: Context, *, currency: str = "", then: Sequence[str] = ("post",),
    key: str | None = None,
) -> Outcome:  # fmt: skip
    """Make a payment of a party's money that settles its open items, oldest due first.

    Args:
        party: id or number. means: code of the means of payment; empty for the bank.
        currency: empty for the party's own, else the company's.
        then: transitions of the payment; empty leaves it a draft, for a person to look at.
        key: idempotency key, such as the bank's number of the transfer.

    Raises:
        Refused: the party or the means is missing, the amount is not above zero, or the payment itself is refused.
    """
    if not amount.is_finite() or amount <= 0:
        raise Refused(Problem(code="receivables.amount", message=f"an amount above 0 was expected, got {amount!s:.40}", where="amount"))
    async with app.database.read() as session:
        found = await load_party(session, party, await load_master(session))
        if found is None:
            raise missing("party", party, "party")
        roles = await load_means(session)
        if means and means not in roles:
            raise missing("means of payment", means, "means")
        currency = currency or found.currency or context.company.currency
        rows = await session.fetch(
            "SELECT o.*, d.number FROM open_item o JOIN document d ON d.id = o.document "
            "WHERE o.party = ? AND o.company = ? AND o.currency = ? AND o.role = 'receivable' AND o.amount_open <> 0",
            found.id, context.company.id, currency,
        )  # fmt: skip
    numbers = {r["id"]: r["number"] for r in rows}
    limit = context.setting("receivables", ReceivablesSettings).write_off_limit
    lines = tuple(
        LineInput(
            kind="payment",
            text=numbers.get(line.settles or 0, "Small difference" if line.account_role else "Kept as credit"),
            price=line.amount,
            settles=line.settles,
            account_role=line.account_role,
        )
        for line in propose_settlement([open_item(r) for r in rows], amount, limit)
    )
    role = roles[means] if means else ""
    data = {"receivables": {"means": means}} if means else {}
    entered = DocumentInput(party=found.id, currency=currency, account_role="" if role == "bank" else role, lines=lines, data=data)
    return await app.documents.create("receivables.payment", entered, context, then=then, key=key)
