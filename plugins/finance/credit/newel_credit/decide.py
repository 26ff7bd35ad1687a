"""A limit is passed: block the customer, set another limit, release this one, or several of them at once (CRD-03 to CRD-06)."""

from __future__ import annotations

from decimal import Decimal

from newel.domain.context import Context
from newel.domain.document import Document
from newel.errors import Problem, Refused
from newel.services.app import Newel
from newel.services.guards import may
from newel.store.columns import AMOUNT, scaled
from newel.store.documents import add_event
from newel.store.session import Session

from newel_credit.facts import limits, load
from newel_credit.rules import STAGES, this_amount
from newel_credit.tables import Decision

BLOCKS = ("", "orders", "all")


async def decide(
    app: Newel, document: int, context: Context, *, block: str | None = None, limit: Decimal | None = None, currency: str = "",
    release: bool = False, reason: str = "",
) -> None:  # fmt: skip
    """Carry out what was chosen, in one transaction, and keep it in the history of document, customer and limit.

    Args:
        block: "orders" for new orders, "all" for everything, "" to lift a block; None to leave it as it is.
        limit: the customer's new limit in this company, in `currency` (empty for the limit's own, else the company's).
        release: this document may go on up to the amount that it has now.
    """
    if block is None and limit is None and not release:
        raise Refused(Problem(code="credit.nothing", message="nothing was chosen", hint="release, set another limit, or block the customer"))
    if block is not None and block not in BLOCKS:
        raise Refused(Problem(code="credit.block", message=f"orders, all or nothing was expected, got {block!r:.20}", where="block"))
    async with app.database.write() as session:
        await session.need(20)
        found = await app.documents.get(document, context, session)
        if found.party is None or found.role not in STAGES:
            raise Refused(Problem(code="credit.party", message="only what a customer buys has to do with credit", where="document"))
        changes: list[tuple[str, object, object]] = []
        amounts: dict[str, int | None] = {"limit_before": None, "limit_after": None, "released": None}
        if release:
            amounts["released"] = scaled(await _release(app, session, found, context), AMOUNT)
            changes.append(("credit", "", "released"))
        if limit is not None:
            before, currency = await _redefine(app, session, found.party.id, limit, currency, context)
            amounts |= {"limit_before": None if before is None else scaled(before, AMOUNT), "limit_after": scaled(limit, AMOUNT)}
            changes.append(("credit limit", None if before is None else f"{before:f}", f"{limit:f} {currency}"))
        if block is not None:
            await app.records.save("newel.party", found.party.id, {"blocked": block}, context, session=session)
            changes.append(("blocked", found.party.blocked, block))
        session.add(
            Decision, company=context.company.id, document=found.id, party=found.party.id, at=context.now, user=context.user.login, block=block,
            currency=currency or context.company.currency, reason=reason[:200], **amounts,
        )  # fmt: skip
        add_event(session, found.id, context.now, context.user.login, context.source, "credit", [*changes, ("reason", "", reason[:200])])


async def _release(app: Newel, session: Session, document: Document, context: Context) -> Decimal:
    """End what holds it for credit; returns the amount up to which it may go on."""
    may(context, f"{document.kind}.release")
    for hold in document.holds:
        if hold.active and hold.code.startswith("credit."):
            await app.documents.release(hold.id, context, session)
    standing = await load(document, session, context)
    return this_amount(document, standing, context) if standing else document.gross


async def _redefine(app: Newel, session: Session, party: int, limit: Decimal, currency: str, context: Context) -> tuple[Decimal | None, str]:
    """Set the customer's own limit; returns the one before, and the currency of the new one."""
    own = (await limits(session)).get((context.company.id, party))
    currency = currency or (own.currency if own else context.company.currency)
    values = {"party": party, "amount": limit, "currency": currency}
    await app.records.save("credit.limit", own.id if own else None, values, context, session=session)
    return own.amount if own else None, currency
