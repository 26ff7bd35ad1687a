"""What the portal reads: what is going on with the party's documents, and what it has to pay. Two questions for any number of kinds."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from textwrap import shorten
from typing import TYPE_CHECKING

import msgspec
from newel.domain.context import Context
from newel.domain.money import ZERO
from newel.services import lists
from newel.services.access import own_party
from newel.store.documents import money
from newel.store.session import day

from newel_portal.rules import PHASES, SHOWN

if TYPE_CHECKING:
    from newel.services.app import Newel

MOST = 200
ABOUT = 90
GOING = (
    "SELECT d.id, d.kind, d.number, d.state, d.phase, d.date, d.reference, d.text, d.gross, d.currency FROM document d "
    "WHERE d.company = ? AND d.kind = ANY(?) AND d.phase = ANY(?) AND {own} ORDER BY d.id DESC LIMIT ?"
)


class Going(msgspec.Struct, frozen=True, kw_only=True):
    """A document that is under way. about: how its text begins; gross: tax in."""

    id: int
    kind: str
    number: str
    state: str
    phase: str
    date: date | None
    reference: str
    about: str
    gross: Decimal
    currency: str


class Owed(msgspec.Struct, frozen=True, kw_only=True):
    """What is open of an invoice; negative where we owe it."""

    document: int
    number: str
    due: date
    late: bool
    amount: Decimal
    currency: str


async def going_on(newel: Newel, context: Context) -> list[Going]:
    """The party's documents under way that the user may see, the latest first."""
    kinds = [n for n, k in newel.registry.documents.items() if k.role in SHOWN and context.user.may(f"{n}.view")]
    return await documents(newel, context, kinds, PHASES)


async def documents(newel: Newel, context: Context, kinds: list[str], phases: tuple[str, ...], most: int = MOST) -> list[Going]:
    """The party's documents of these kinds in these phases, the latest first. The caller has asked whether the user may see the kinds."""
    own, args = own_party(context, "d.party")
    async with newel.database.read() as session:
        rows = await session.fetch(GOING.format(own=own), context.company.id, kinds, list(phases), *args, most) if kinds else []
    return [
        Going(
            id=r["id"], kind=r["kind"], number=r["number"], state=r["state"], phase=r["phase"], date=day(r["date"]), reference=r["reference"],
            about=shorten(r["text"], ABOUT, placeholder=" …"), gross=money(r["gross"]), currency=r["currency"],
        )
        for r in rows
    ]  # fmt: skip


async def owed(newel: Newel, context: Context, party: int) -> tuple[list[Owed], dict[str, Decimal]]:
    """What the party has to pay, the oldest first, of documents that the user may see; and the sum by currency."""
    roles = [r.name for r in newel.registry.account_roles.values() if r.open_items]
    found = [v for v in await lists.open_items(newel, context, party, roles) if context.user.may(f"{v.kind}.view")]
    out = [
        Owed(
            document=v.item.document, number=v.number, due=v.item.date_due, late=v.item.date_due < context.today and v.item.amount_open > 0,
            amount=v.item.amount_open, currency=v.item.currency,
        )
        for v in found
    ]  # fmt: skip
    sums: dict[str, Decimal] = {}
    for o in out:
        sums[o.currency] = sums.get(o.currency, ZERO) + o.amount
    return out, sums
