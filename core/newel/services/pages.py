"""Everything that the page of one document shows besides the document itself. Reads only."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from newel.domain.context import Context
from newel.domain.credit import Exposure
from newel.domain.document import Document
from newel.domain.facts import Facts
from newel.domain.master import Master
from newel.domain.money import ZERO, plain, product, rounded
from newel.errors import PluginFailed
from newel.manifest import Panel
from newel.services import credit
from newel.services.access import own_party, sees_costs
from newel.store.columns import QUANTITY, unscaled
from newel.store.documents import money
from newel.store.master import load_master
from newel.store.session import Session, day, instant
from newel.watchdog import rules_limit

if TYPE_CHECKING:
    from newel.services.app import Newel

NODES, DEPTH = 60, 5


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """Another document that this one came from or went on into. quantity and unit only where all lines have one unit."""

    id: int
    kind: str
    number: str
    state: str
    phase: str
    date: date | None
    currency: str
    gross: Decimal
    link: str
    quantity: Decimal | None = None
    unit: str = ""
    open: Decimal | None = None


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One posting, for people."""

    account: str
    name: str
    debit: Decimal
    credit: Decimal
    party: str = ""
    text: str = ""


class EntryView(msgspec.Struct, frozen=True, kw_only=True):
    """A journal entry, for people."""

    number: int
    date: date | None
    text: str
    reverses: int | None
    rows: list[Row]


class MoveView(msgspec.Struct, frozen=True, kw_only=True):
    """A stock move of a line. Quantity in the item's unit."""

    line: int
    quantity: Decimal
    source: str
    target: str
    lot: str


class EventView(msgspec.Struct, frozen=True, kw_only=True):
    """Who did what, with old and new values."""

    at: datetime | None
    user: str
    source: str
    action: str
    changes: list[dict[str, Any]]


class CreditView(msgspec.Struct, frozen=True, kw_only=True):
    """A party's credit in the company's currency."""

    limit: Decimal
    used: Decimal
    this: Decimal
    parts: list[Exposure]


class Detail(msgspec.Struct, frozen=True, kw_only=True):
    """A document with everything around it."""

    document: Document
    before: list[Node]
    after: list[Node]
    entries: list[EntryView]
    moves: list[MoveView]
    events: list[EventView]
    panels: list[tuple[str, Panel]]
    credit: CreditView | None
    settled: dict[int, str]
    master: Master


async def detail(newel: Newel, id: int, context: Context, history: bool = True) -> Detail:
    """One document and what its page shows (history: what happened to it as well); Refused 404 or 403 as for the document itself."""
    async with newel.database.read() as session:
        document = await newel.documents.get(id, context, session)
        master, ours = await load_master(session), context.user.party is None  # our books and who of us did what are not for others
        return Detail(
            document=document,
            before=await _walk(session, document, context, back=True),
            after=await _walk(session, document, context, back=False),
            entries=await entries(session, id, master) if sees_costs(context) else [],
            moves=await _moves(session, id, master) if ours else [],
            events=await events(session, id) if ours and history else [],
            panels=await panels(newel, session, document, context),
            credit=await credit_of(newel, session, document, context),
            settled=await _settles(session, document),
            master=master,
        )


# ---- before and after --------------------------------------------------------------------------------------------------------------

_NEXT = (
    "SELECT k.from_document AS source, k.to_document AS target, k.kind AS link, SUM(k.quantity) AS quantity, MIN(l.unit) AS unit, MAX(l.unit) AS other "
    "FROM line_link k JOIN document_line l ON l.id = k.from_line WHERE k.{here} = ANY(?) AND k.quantity > 0 "
    "GROUP BY k.from_document, k.to_document, k.kind ORDER BY k.from_document, k.to_document, k.kind"
)
_PAID = (
    "SELECT DISTINCT o.document AS source, s.document AS target FROM settlement s JOIN open_item o ON o.id = s.item "
    "WHERE {here} = ANY(?) AND o.document <> s.document ORDER BY 1, 2"
)


async def _walk(session: Session, document: Document, context: Context, back: bool) -> list[Node]:
    """Everything before or after, nearest first: two questions for each step on the way."""
    there = "source" if back else "target"
    found: dict[int, tuple[str, Decimal | None, str]] = {}
    frontier = [document.id]
    for _step in range(DEPTH):
        links = await session.fetch(_NEXT.format(here="to_document" if back else "from_document"), frontier)
        paid = await session.fetch(_PAID.format(here="s.document" if back else "o.document"), frontier)
        if back and frontier == [document.id] and document.origin and not links:
            found[document.origin] = ("origin", None, "")
        for r in links:
            one = r["unit"] == r["other"]
            found.setdefault(r[there], (r["link"], plain(unscaled(int(r["quantity"]), QUANTITY)) if one else None, r["unit"] if one else ""))
        for r in paid:
            found.setdefault(r[there], ("settled", None, ""))
        found.pop(document.id, None)
        fresh = [r[there] for r in (*links, *paid)] + ([document.origin] if back and document.origin in found and not _step else [])
        frontier = sorted(set(fresh) - {document.id} - set(frontier))
        if not frontier or len(found) > NODES:
            break
    return await _nodes(session, found, context)


async def _nodes(session: Session, found: dict[int, tuple[str, Decimal | None, str]], context: Context) -> list[Node]:
    ids = list(found)[:NODES]
    if not ids:
        return []
    own, args = own_party(context, "d.party")
    rows = await session.fetch(
        "SELECT d.id, d.kind, d.number, d.state, d.phase, d.date, d.currency, d.gross, (SELECT SUM(o.amount_open) FROM open_item o "
        f"WHERE o.document = d.id) AS open FROM document d WHERE d.id = ANY(?) AND {'+' * session.sqlite}d.company = ? AND {own}",
        ids, context.company.id, *args,
    )  # fmt: skip
    known = {r["id"]: r for r in rows if context.user.may(f"{r['kind']}.view")}
    return [
        Node(
            id=id, kind=r["kind"], number=r["number"], state=r["state"], phase=r["phase"], date=day(r["date"]), currency=r["currency"],
            gross=money(r["gross"]), link=found[id][0], quantity=found[id][1], unit=found[id][2],
            open=None if r["open"] is None else money(int(r["open"])),
        )
        for id in ids
        if (r := known.get(id))
    ]  # fmt: skip


# ---- ledger, stock, history --------------------------------------------------------------------------------------------------------


async def entries(session: Session, document: int, master: Master) -> list[EntryView]:
    """The journal entries of a document in order."""
    heads = await session.fetch("SELECT * FROM journal_entry WHERE document = ? ORDER BY id", document)
    rows = await session.fetch(
        "SELECT p.*, y.name AS party_name FROM posting p LEFT JOIN party y ON y.id = p.party WHERE p.entry = ANY(?) ORDER BY p.id",
        [h["id"] for h in heads],
    ) if heads else []  # fmt: skip
    numbers = {h["id"]: h["number"] for h in heads}
    return [
        EntryView(
            number=h["number"], date=day(h["date"]), text=h["text"], reverses=numbers.get(h["reverses"]),
            rows=[row(r["account"], money(r["debit"]), money(r["credit"]), master, r["party_name"] or "", r["text"]) for r in rows if r["entry"] == h["id"]],
        )
        for h in heads
    ]  # fmt: skip


def row(account: int, debit: Decimal, credit: Decimal, master: Master, party: str = "", text: str = "") -> Row:
    """A posting with the account's number and name."""
    number, name = master.account_names.get(account, (str(account), ""))
    return Row(account=number, name=name, debit=debit, credit=credit, party=party, text=text)


async def _moves(session: Session, document: int, master: Master) -> list[MoveView]:
    rows = await session.fetch(
        "SELECT m.line, m.quantity, m.source, m.target, l.number AS lot FROM stock_move m LEFT JOIN lot l ON l.id = m.lot "
        "WHERE m.document = ? ORDER BY m.id",
        document,
    )  # fmt: skip

    def place(id: int) -> str:
        return master.locations[id].code if id in master.locations else str(id)

    return [
        MoveView(line=r["line"], quantity=plain(unscaled(r["quantity"], QUANTITY)), source=place(r["source"]), target=place(r["target"]), lot=r["lot"] or "")
        for r in rows
    ]


async def events(session: Session, document: int) -> list[EventView]:
    """The history of a document, latest first."""
    rows = await session.fetch("SELECT * FROM document_event WHERE document = ? ORDER BY id DESC", document)
    return [
        EventView(
            at=instant(r["at"]), user=r["user"], source=r["source"], action=r["action"],
            changes=msgspec.json.decode(r["changes"]) if isinstance(r["changes"], str) else r["changes"],
        )
        for r in rows
    ]  # fmt: skip


# ---- what rules say ----------------------------------------------------------------------------------------------------------------


async def panels(newel: Newel, session: Session, document: Document, context: Context) -> list[tuple[str, Panel]]:
    """(plugin, panel) in order; for a user who stands for a party only what is shared. A plugin that fails costs its panel and not the page."""
    if not newel.plugins.has("propose_panels"):
        return []
    try:
        own = [await load_master(session), newel.registry.kinds]
        loaded = await newel.plugins.load(document=document, transition="", facts=Facts(own), session=session, context=context)
        structs = [*own, *(struct for _, struct in loaded)]
        with rules_limit(len(document.lines)):
            if "credit" in newel.registry.taken_over:
                structs.append(credit.proposed(document, Facts(structs), context, newel.plugins))
            facts = Facts(structs)
            found = newel.plugins.propose("propose_panels", Panel, document=document, facts=facts, context=context)
    except PluginFailed as failed:
        newel.plugins.note(failed)
        return [(failed.plugin, Panel(title=failed.plugin, text=str(failed)))]
    return sorted((p for p in found if p[1].shared or context.user.party is None), key=lambda p: (p[1].sequence, p[0]))


async def credit_of(newel: Newel, session: Session, document: Document, context: Context) -> CreditView | None:
    """How much of the party's limit is used, for sales that are not over yet; a plugin that takes credit over shows it in its own box."""
    party = document.party
    if "credit" in newel.registry.taken_over or context.user.party is not None:
        return None
    if document.role != "sale" or party is None or party.limit_amount is None or document.phase in ("done", "cancelled"):
        return None
    own = await credit.load(session, document, context, False)
    master = [await load_master(session), newel.registry.kinds]
    loaded = await newel.plugins.load(document=document, transition="", facts=Facts(master), session=session, context=context)
    facts = Facts([*master, own, *(struct for _, struct in loaded)])
    with rules_limit(len(document.lines)):
        proposed = newel.plugins.propose("propose_exposure", Exposure, party=party, facts=facts, context=context)
    parts = [e for _, e in proposed]  # the kernel's own are among them
    this = rounded(product(document.gross, document.rate), context.company.amount_digits, context.company.rounding)
    return CreditView(limit=party.limit_amount, used=sum((e.amount for e in parts), ZERO), this=this, parts=parts)


async def _settles(session: Session, document: Document) -> dict[int, str]:
    """Number of the document whose open item a line settles, by open item."""
    ids = sorted({line.settles for line in document.lines if line.settles is not None})
    if not ids:
        return {}
    rows = await session.fetch("SELECT o.id, d.number FROM open_item o JOIN document d ON d.id = o.document WHERE o.id = ANY(?)", ids)
    return {r["id"]: r["number"] for r in rows}
