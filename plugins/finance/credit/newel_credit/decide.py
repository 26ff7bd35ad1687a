"""A limit is passed: block the customer, set another limit, release this one, or several of them at once (CRD-03 to CRD-06)."""

from __future__ import annotations

from decimal import Decimal

from newel.domain.context import Context
from newel.domain.document import Document
from newel.domain.money import ZERO
from newel.errors import Problem, Refused
from newel.services.app import Newel
from newel.services.credit import worth
from newel.services.guards import may
from newel.store.columns import AMOUNT, scaled
from newel.store.documents import add_event
from newel.store.master import load_master
from newel.store.session import Session

from newel_credit.facts import limits
from newel_credit.rules import STAGES, Standing, this_amount
from newel_credit.tables import Release

Changes = list[tuple[str, object, object]]
NOTHING = Problem(code="credit.nothing", message="nothing was chosen", hint="release, set another limit, or block the customer")


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
        raise Refused(NOTHING)
    async with app.database.write() as session:
        await session.need(20)
        found = await app.documents.get(document, context, session)
        if found.party is None or found.role not in STAGES:
            raise Refused(Problem(code="credit.party", message="only what a customer buys has to do with credit", where="document"))
        changes: Changes = [("reason", "", reason[:200])]
        if release:
            changes.append(("released up to", "", await _release(app, session, found, reason[:200], context)))
        changes += await _set(app, session, found.party.id, found.party.blocked, block, limit, currency, reason, context)
        add_event(session, found.id, context.now, context.user.login, context.source, "credit", changes)


async def decide_party(app: Newel, party: int, context: Context, *, block: str | None, limit: Decimal | None, currency: str, reason: str) -> None:
    """The same for a customer, without a document; the reason becomes the note of the limit."""
    if block is None and limit is None:
        raise Refused(NOTHING)
    async with app.database.write() as session:
        await session.need(20)
        await _set(app, session, party, "", block, limit, currency, reason, context)


async def _set(
    app: Newel, session: Session, party: int, blocked: str, block: str | None, limit: Decimal | None, currency: str, reason: str, context: Context
) -> Changes:
    """Another limit, a block, or both."""
    changes: Changes = []
    if limit is not None:
        own = (await limits(session)).get((context.company.id, party))
        values = {"party": party, "amount": limit, "currency": currency or (own.currency if own else context.company.currency)}
        values |= {"note": reason[:200]} if reason else {}
        await app.records.save("credit.limit", own.id if own else None, values, context, session=session)
        changes.append(("credit limit", f"{own.amount:f} {own.currency}" if own else "", f"{limit:f} {values['currency']}"))
    if block is not None:
        await app.records.save("newel.party", party, {"blocked": block}, context, session=session)
        changes.append(("blocked", blocked, block))
    return changes


async def _release(app: Newel, session: Session, document: Document, reason: str, context: Context) -> str:
    """End what holds it for credit, and keep the amount up to which it may go on."""
    may(context, f"{document.kind}.release")
    for hold in document.holds:
        if hold.active and hold.code.startswith("credit."):
            await app.documents.release(hold.id, context, session)
    rate = (await load_master(session)).rate(context.company, document.currency, context.today) or document.rate
    standing = Standing(worth=await worth(session, document, context) if document.role == "delivery" else ZERO, rate=rate)
    amount = this_amount(document, standing, context)
    session.add(
        Release, document=document.id, party=document.party.id if document.party else None, at=context.now, user=context.user.login,
        amount=scaled(amount, AMOUNT), reason=reason,
    )  # fmt: skip
    return f"{amount:f}"
