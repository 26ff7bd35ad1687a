"""Lists of documents, and what hangs on one: entries, moves, history, open items."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from newel.services import lists, pages
from newel.services.access import COSTS, denied, sees_costs
from newel.store.master import load_master
from newel.web import api_types as a
from newel.web.api_convert import amount
from newel.web.api_types import Day
from newel.web.operations import Call, Id, operation

Word = Annotated[str, Meta(max_length=30, pattern=a.ONE_LINE)]
Sort = Literal[
    "", "number", "-number", "date", "-date", "party", "-party", "state", "-state", "gross", "-gross", "net", "-net", "date_due", "-date_due",
    "date_requested", "-date_requested", "reference", "-reference",
]  # fmt: skip


class ListQuery(a.Input, frozen=True, kw_only=True):
    """`q` looks in number, reference, party and items. `date_from` and `date_to` are included."""

    state: Word = ""
    phase: Literal["", "draft", "offered", "open", "done", "cancelled"] = ""
    party: Id | msgspec.UnsetType = msgspec.UNSET
    date_from: Day | msgspec.UnsetType = msgspec.UNSET
    date_to: Day | msgspec.UnsetType = msgspec.UNSET
    q: Annotated[str, Meta(max_length=100, pattern=a.ONE_LINE)] = ""
    sort: Sort = ""
    page: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    size: Annotated[int, Meta(ge=1, le=200)] = 50


class RowOut(msgspec.Struct, frozen=True, kw_only=True):
    """A document in a list."""

    id: int
    kind: str
    number: str
    state: str
    phase: str
    date: Day | None
    date_due: Day | None
    date_requested: Day | None
    currency: str
    net: Decimal
    gross: Decimal
    reference: str
    party: a.Named | None


class PageOut(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a list; total counts all pages."""

    rows: list[RowOut]
    total: int
    page: int
    size: int


class LedgerRow(msgspec.Struct, frozen=True, kw_only=True):
    """One side of a journal entry, with number and name of the account."""

    account: str
    name: str
    debit: Decimal
    credit: Decimal
    party: str
    text: str


class LedgerEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A journal entry; reverses is the number of the entry that it takes back."""

    number: int
    date: Day | None
    text: str
    reverses: int | None
    rows: list[LedgerRow]


class StockMoveOut(msgspec.Struct, frozen=True, kw_only=True):
    """A stock move, with codes of the locations."""

    line: int
    quantity: Decimal
    source: str
    target: str
    lot: str


class EventOut(msgspec.Struct, frozen=True, kw_only=True):
    """Who did what, when, with old and new values."""

    at: datetime | None
    user: str
    source: str
    action: str
    changes: list[dict[str, Any]]


class OpenItemOut(msgspec.Struct, frozen=True, kw_only=True):
    """What a party owes (positive) or is owed (negative); a payment's line settles it by its id."""

    id: int
    document: int
    party: int
    role: str
    currency: str
    date: Day
    date_due: Day
    amount: Decimal
    amount_open: Decimal


# ---- operations --------------------------------------------------------------------------------------------------------------------


@operation("GET", "/documents/{kind}", answer=PageOut, query=ListQuery, errors=(404,), tag="documents")
async def list_documents(call: Call) -> PageOut:
    """List documents of a kind; the newest first unless sorted."""
    q: ListQuery = call.query
    wanted = lists.Wanted(state=q.state, phase=q.phase, search=q.q, party=q.party or None, date_from=q.date_from or None, date_to=q.date_to or None)
    found = await lists.page(call.newel, call.path["kind"], call.context, wanted, sort=q.sort, number=q.page, size=q.size)
    return PageOut(rows=[_row(h) for h in found.rows], total=found.total, page=q.page, size=q.size)


def _row(h: lists.Head) -> RowOut:
    same = ("id", "kind", "number", "state", "phase", "date", "date_due", "date_requested", "currency", "reference")
    party = a.Named(id=h.party, number=h.party_number, name=h.party_name) if h.party is not None else None
    return RowOut(**{name: getattr(h, name) for name in same}, party=party, net=amount(h.net, 2), gross=amount(h.gross, 2))


@operation("GET", "/document/{id}/entries", answer=list[LedgerEntry], errors=(404,), tag="documents")
async def get_entries(call: Call) -> list[LedgerEntry]:
    """Read the journal entries of a document."""
    async with call.newel.database.read() as session:
        await call.newel.documents.get(call.path["id"], call.context, session)
        if not sees_costs(call.context):
            raise denied(COSTS)
        found = await pages.entries(session, call.path["id"], await load_master(session))
    digits = call.context.company.amount_digits
    return [
        LedgerEntry(
            number=e.number, date=e.date, text=e.text, reverses=e.reverses,
            rows=[
                LedgerRow(
                    account=r.account, name=r.name, debit=amount(r.debit, digits), credit=amount(r.credit, digits), party=r.party, text=r.text
                )
                for r in e.rows
            ],
        )
        for e in found
    ]  # fmt: skip


@operation("GET", "/document/{id}/moves", answer=list[StockMoveOut], errors=(404, 424), tag="documents")
async def get_moves(call: Call) -> list[StockMoveOut]:
    """Read the stock moves of a document."""
    found = await pages.detail(call.newel, call.path["id"], call.context)
    return [StockMoveOut(line=m.line, quantity=m.quantity, source=m.source, target=m.target, lot=m.lot) for m in found.moves]


@operation("GET", "/document/{id}/events", answer=list[EventOut], errors=(404,), tag="documents")
async def get_events(call: Call) -> list[EventOut]:
    """Read the history of a document, latest first."""
    async with call.newel.database.read() as session:
        await call.newel.documents.get(call.path["id"], call.context, session)
        found = await pages.events(session, call.path["id"]) if call.context.user.party is None else []
    return [EventOut(at=e.at, user=e.user, source=e.source, action=e.action, changes=e.changes) for e in found]


@operation("GET", "/document/{id}/open-items", answer=list[OpenItemOut], errors=(404,), tag="documents")
async def get_open_items(call: Call) -> list[OpenItemOut]:
    """Read what is open of a document, for payments to settle."""
    await call.newel.documents.get(call.path["id"], call.context)
    same = ("id", "document", "party", "role", "currency", "date", "date_due")
    return [
        OpenItemOut(**{n: getattr(o, n) for n in same}, amount=amount(o.amount, 2), amount_open=amount(o.amount_open, 2))
        for o in await lists.open_of_document(call.newel, call.path["id"], call.context)
    ]


operations = [list_documents, get_entries, get_moves, get_events, get_open_items]
