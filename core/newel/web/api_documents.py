"""Documents of every kind over the API."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from newel.domain.context import Context
from newel.domain.document import Document
from newel.errors import Problem, Refused, missing
from newel.services import actions, lists, pages
from newel.services.entered import as_input
from newel.store.master import load_master
from newel.web import api_types as a
from newel.web.api_convert import OutcomeOut, amount, as_body, document_out, entered, outcome_out, parts
from newel.web.operations import Call, Id, operation

MADE = {"answer": OutcomeOut, "status": 201, "key": True, "errors": (404, 409, 424), "tag": "documents"}
DONE = {"answer": OutcomeOut, "key": True, "errors": (404, 409, 424), "tag": "documents"}
Word = Annotated[str, Meta(max_length=30, pattern=a.ONE_LINE)]
Then = Annotated[str, Meta(max_length=200, pattern="^([a-z][a-z0-9_]*(,[a-z][a-z0-9_]*)*)?$")]
Sort = Literal[
    "", "number", "-number", "date", "-date", "party", "-party", "state", "-state", "gross", "-gross", "net", "-net", "date_due", "-date_due",
    "date_requested", "-date_requested", "reference", "-reference",
]  # fmt: skip
PageNumber, PageSize = Annotated[int, Meta(ge=1, le=1_000_000)], Annotated[int, Meta(ge=1, le=200)]


class ListQuery(a.Input):
    """`q` looks in number, reference, party and items. `date_from` and `date_to` are included."""

    state: Word = ""
    phase: Literal["", "draft", "offered", "open", "done", "cancelled"] = ""
    party: Id | msgspec.UnsetType = msgspec.UNSET
    date_from: date | msgspec.UnsetType = msgspec.UNSET
    date_to: date | msgspec.UnsetType = msgspec.UNSET
    q: Annotated[str, Meta(max_length=100, pattern=a.ONE_LINE)] = ""
    sort: Sort = ""
    page: PageNumber = 1
    size: PageSize = 50


class CreateQuery(a.Input):
    """`then`: transitions to carry out at once, separated by commas."""

    then: Then = ""


class PreviewQuery(a.Input):
    """`id`: of the stored document that would be changed. `transition`: that would follow."""

    id: Id | msgspec.UnsetType = msgspec.UNSET
    transition: Then = ""


class GetQuery(a.Input):
    """`preview`: also what stands in the way of each transition."""

    preview: bool = False


class RowOut(msgspec.Struct, frozen=True, kw_only=True):
    """A document in a list."""

    id: int
    kind: str
    number: str
    state: str
    phase: str
    date: date | None
    date_due: date | None
    date_requested: date | None
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
    date: date | None
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
    date: date
    date_due: date
    amount: Decimal
    amount_open: Decimal


# ---- looking -----------------------------------------------------------------------------------------------------------------------


@operation("GET", "/documents/{kind}", answer=PageOut, query=ListQuery, errors=(404,), tag="documents")
async def list_documents(call: Call) -> PageOut:
    """List documents of a kind; the newest first unless sorted."""
    q: ListQuery = call.query
    wanted = lists.Wanted(
        state=q.state, phase=q.phase, search=q.q, party=q.party or None, date_from=q.date_from or None, date_to=q.date_to or None
    )
    found = await lists.page(call.newel, call.path["kind"], call.context, wanted, sort=q.sort, number=q.page, size=q.size)
    return PageOut(rows=[_row(h) for h in found.rows], total=found.total, page=q.page, size=q.size)


def _row(h: lists.Head) -> RowOut:
    same = ("id", "kind", "number", "state", "phase", "date", "date_due", "date_requested", "currency", "reference")
    party = a.Named(id=h.party, number=h.party_number, name=h.party_name) if h.party is not None else None
    return RowOut(**{name: getattr(h, name) for name in same}, party=party, net=amount(h.net, 2), gross=amount(h.gross, 2))


@operation("GET", "/document/{id}", answer=a.DocumentOut, query=GetQuery, errors=(404, 409, 424), tag="documents")
async def get_document(call: Call) -> a.DocumentOut:
    """Read a document with everything in it, and what may be done with it now."""
    document = await call.newel.documents.get(call.path["id"], call.context)
    return document_out(call.newel, document, call.context, **await _actions(call, document, call.query.preview))


async def _actions(call: Call, document: Document, preview: bool) -> dict[str, list[a.ActionOut]]:
    registry, user = call.newel.registry, call.context.user
    if document.kind not in registry.documents:
        return {}
    ways = []
    for t in actions.transitions(registry, document, user):
        problems: list[Problem] = []
        if preview:
            try:
                problems = list((await call.newel.documents.preview_act(document.id, t.name, call.context)).problems)
            except Refused as refused:
                problems = list(refused.problems)
        ways.append(a.ActionOut(name=t.name, label=t.label, target=t.target, primary=t.primary, problems=problems))
    flows = [
        a.ActionOut(name=f"{f.target_kind}:{f.name}", label=f.label, target=f.target_kind, primary=f.primary)
        for f in actions.flows(registry, document, user)
    ]
    return {"transitions": ways, "flows": flows}


@operation("GET", "/document/{id}/input", answer=a.DocumentBody, errors=(404,), tag="documents")
async def get_input(call: Call) -> a.DocumentBody:
    """Read a document as it was entered: change it and send it back with PUT."""
    return as_body(as_input(await call.newel.documents.get(call.path["id"], call.context)))


@operation("GET", "/document/{id}/entries", answer=list[LedgerEntry], errors=(404,), tag="documents")
async def get_entries(call: Call) -> list[LedgerEntry]:
    """Read the journal entries of a document."""
    async with call.newel.database.read() as session:
        await call.newel.documents.get(call.path["id"], call.context, session)
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
        found = await pages.events(session, call.path["id"])
    return [EventOut(at=e.at, user=e.user, source=e.source, action=e.action, changes=e.changes) for e in found]


@operation("GET", "/document/{id}/open-items", answer=list[OpenItemOut], errors=(404,), tag="documents")
async def get_open_items(call: Call) -> list[OpenItemOut]:
    """Read what is open of a document, for payments to settle."""
    await call.newel.documents.get(call.path["id"], call.context)
    same = ("id", "document", "party", "role", "currency", "date", "date_due")
    return [
        OpenItemOut(**{n: getattr(o, n) for n in same}, amount=amount(o.amount, 2), amount_open=amount(o.amount_open, 2))
        for o in await pages.open_of_document(call.newel, call.path["id"], call.context)
    ]


# ---- writing -----------------------------------------------------------------------------------------------------------------------


def _then(text: str) -> tuple[str, ...]:
    return tuple(name for name in text.split(",") if name)


@operation("POST", "/documents/{kind}", body=a.DocumentBody, query=CreateQuery, **MADE)
async def create_document(call: Call) -> OutcomeOut:
    """Make a document, and carry out transitions in the same transaction."""
    outcome = await call.newel.documents.create(
        call.path["kind"], entered(call.body), call.context, key=call.key, then=_then(call.query.then)
    )
    return outcome_out(call.newel, outcome, call.context)


@operation("POST", "/documents/{kind}/preview", body=a.DocumentBody, query=PreviewQuery, **{**DONE, "key": False})
async def preview_document(call: Call) -> OutcomeOut:
    """Say what a document would become: prices, taxes, stock, entries and every problem. Nothing is written."""
    outcome = await call.newel.documents.preview(
        call.path["kind"], entered(call.body), call.context, id=call.query.id or None, transition=call.query.transition
    )
    return outcome_out(call.newel, outcome, call.context)


@operation("PUT", "/document/{id}", body=a.DocumentChange, match=True, **{**DONE, "errors": (404, 409, 424, 428)})
async def update_document(call: Call) -> OutcomeOut:
    """Replace what was entered. Send the version that you have seen, in the body or as If-Match."""
    version = _version(call)
    if version is None:
        problem = Problem(code="version.missing", message="which version have you seen?", where="version", hint="send version, or If-Match")
        raise Refused(problem, status=428)
    outcome = await call.newel.documents.update(call.path["id"], version, entered(call.body), call.context, key=call.key)
    return outcome_out(call.newel, outcome, call.context)


def _version(call: Call) -> int | None:
    version: int | None = call.body.version
    return version if version is not None else call.match


@operation("POST", "/document/{id}/transitions/{transition}", body=a.TransitionBody, match=True, **DONE)
async def act(call: Call) -> OutcomeOut:
    """Carry out a transition, such as confirm, ship or post."""
    context: Context = msgspec.structs.replace(call.context, overrides=frozenset(call.body.override))
    outcome = await call.newel.documents.act(call.path["id"], call.path["transition"], context, version=_version(call), key=call.key)
    return outcome_out(call.newel, outcome, context)


@operation("POST", "/document/{id}/transitions/{transition}/preview", **{**DONE, "key": False})
async def preview_act(call: Call) -> OutcomeOut:
    """Say what a transition of a stored document would do. Nothing is written."""
    outcome = await call.newel.documents.preview_act(call.path["id"], call.path["transition"], call.context)
    return outcome_out(call.newel, outcome, call.context)


@operation("POST", "/document/{id}/flows/{flow}", body=a.FlowBody, **MADE)
async def follow(call: Call) -> OutcomeOut:
    """Go on in another document, such as a delivery or an invoice, with what is open or with named parts of it.

    `also` names further documents of the same party and currency that go into the same new one.
    """
    body: a.FlowBody = call.body
    outcome = await call.newel.documents.follow(
        [call.path["id"], *body.also], call.path["flow"], call.context, lines=parts(body.lines), input=entered(body.input), then=body.then,
        key=call.key,
    )  # fmt: skip
    return outcome_out(call.newel, outcome, call.context)


@operation("POST", "/document/{id}/copy", **MADE)
async def copy_document(call: Call) -> OutcomeOut:
    """Make a new draft with the same entries, priced anew."""
    return outcome_out(call.newel, await call.newel.documents.copy(call.path["id"], call.context, key=call.key), call.context)


@operation("POST", "/document/{id}/holds/{hold}/release", answer=a.DocumentOut, errors=(404, 409, 424), tag="documents")
async def release_hold(call: Call) -> a.DocumentOut:
    """Release a hold; it is recorded who did it. Releasing it again changes nothing."""
    documents = call.newel.documents
    document = await documents.get(call.path["id"], call.context)
    found = next((h for h in document.holds if h.id == call.path["hold"]), None)
    if found is None:
        raise missing("hold", call.path["hold"], "hold")
    if found.active:
        await documents.release(found.id, call.context)
        document = await documents.get(document.id, call.context)
    return document_out(call.newel, document, call.context, **await _actions(call, document, False))


operations = [
    list_documents, create_document, preview_document, get_document, update_document, get_input, act, preview_act, follow, copy_document,
    release_hold, get_entries, get_moves, get_events, get_open_items,
]  # fmt: skip
