"""Lists of documents, work that waits, and search: what screens ask for over many documents. Reads only, permissions kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from newel.domain.context import Context
from newel.domain.ledger import OpenItem
from newel.services.access import own_party, require
from newel.services.actions import kind_of
from newel.services.ledger_store import open_item
from newel.services.record_read import containing, starting
from newel.store.documents import money
from newel.store.session import Session, day

if TYPE_CHECKING:
    from newel.services.app import Newel

Day = date | None
WORK = ("draft", "offered", "open")
SORTS = {
    "number": "d.number", "date": "d.date", "party": "p.name", "state": "d.state", "gross": "d.gross", "net": "d.net",
    "date_due": "d.date_due", "date_requested": "d.date_requested", "reference": "d.reference",
}  # fmt: skip
HEADS = (
    "d.id, d.kind, d.number, d.state, d.phase, d.date, d.date_due, d.date_requested, d.currency, d.net, d.gross, d.reference, d.party, "
    "p.number AS party_number, p.name AS party_name"
)


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """A document as one row of a list."""

    id: int
    kind: str
    number: str
    state: str
    phase: str
    date: Day
    date_due: Day
    date_requested: Day
    currency: str
    net: Decimal
    gross: Decimal
    reference: str
    party: int | None
    party_number: str
    party_name: str


class Sum(msgspec.Struct, frozen=True, kw_only=True):
    """Documents of one currency: how many, and their amounts."""

    currency: str
    count: int
    net: Decimal
    gross: Decimal


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a list is narrowed to."""

    state: str = ""
    phase: str = ""
    party: int | None = None
    date_from: date | None = None
    date_to: date | None = None
    search: str = ""


class DocumentPage(msgspec.Struct, frozen=True):
    """Some rows; count and sums are of the whole result, unless there is more than somebody wanted to have counted."""

    rows: list[Head]
    total: int
    sums: list[Sum]
    whole: bool = True


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """Documents of one kind and state that somebody should do something about."""

    kind: str
    state: str
    phase: str
    sums: list[Sum]

    @property
    def count(self) -> int:
        """Of all currencies."""
        return sum(s.count for s in self.sums)


class Overdue(msgspec.Struct, frozen=True, kw_only=True):
    """Open items of one account role that should have been paid, in the company's currency."""

    role: str
    count: int
    amount: Decimal


def head(r: Any) -> Head:
    """A row of the query above."""
    return Head(
        id=r["id"], kind=r["kind"], number=r["number"], state=r["state"], phase=r["phase"], date=day(r["date"]), date_due=day(r["date_due"]),
        date_requested=day(r["date_requested"]), currency=r["currency"], net=money(r["net"]), gross=money(r["gross"]), reference=r["reference"],
        party=r["party"], party_number=r["party_number"] or "", party_name=r["party_name"] or "",
    )  # fmt: skip


def visible(newel: Newel, context: Context) -> list[str]:
    """The kinds of documents that the user may see."""
    return [k for k in newel.registry.documents if context.user.may(f"{k}.view")]


# ---- one kind ----------------------------------------------------------------------------------------------------------------------


async def page(
    newel: Newel, kind: str, context: Context, wanted: Wanted, *, sort: str = "", number: int = 1, size: int = 50, most: int | None = None
) -> DocumentPage:
    """One page of the documents of a kind, the newest first unless sorted. most: count no further, so that a page costs the same however many there are."""
    await kind_of(newel, kind, context)
    require(context, f"{kind}.view")
    async with newel.database.read() as session:
        where, args = _conditions(session, kind, context, wanted)
        name, way = sort.removeprefix("-"), "DESC" if sort.startswith("-") or not sort else "ASC"
        order = f"{SORTS.get(name, 'd.date')} {way}, d.id {way}"
        rows = await session.fetch(
            f"SELECT {HEADS} FROM (SELECT * FROM document WHERE {where}) d LEFT JOIN party p ON p.id = d.party "
            f"ORDER BY {order} LIMIT ? OFFSET ?",
            *args, size, (max(number, 1) - 1) * size,
        )  # fmt: skip
        counted, limit = ("", []) if most is None else (" LIMIT ?", [most + 1])
        sums = await session.fetch(
            "SELECT currency, COUNT(*) AS n, SUM(net) AS net, SUM(gross) AS gross FROM "
            f"(SELECT currency, net, gross FROM document WHERE {where}{counted}) d GROUP BY currency ORDER BY currency",
            *args, *limit,
        )  # fmt: skip
    found = [_sum(r) for r in sums]
    total = sum(s.count for s in found)
    whole = most is None or total <= most
    return DocumentPage([head(r) for r in rows], total if whole else total - 1, found if whole else [], whole=whole)


def _sum(r: Any) -> Sum:
    return Sum(currency=r["currency"], count=int(r["n"]), net=money(int(r["net"] or 0)), gross=money(int(r["gross"] or 0)))


def _conditions(session: Session, kind: str, context: Context, wanted: Wanted) -> tuple[str, list[Any]]:
    parts, args = ["company = ?", "kind = ?"], [context.company.id, kind]

    def add(condition: str, *values: Any) -> None:
        parts.append(condition)
        args.extend(values)

    if context.user.party is not None:
        add("party = ?", context.user.party)
    if wanted.state:
        add("state = ?", wanted.state)
    if wanted.phase:
        add("phase = ?", wanted.phase)
    if wanted.party is not None:
        add("party = ?", wanted.party)
    if wanted.date_from:
        add("date >= ?", wanted.date_from)
    if wanted.date_to:
        add("date <= ?", wanted.date_to)
    text = wanted.search.strip()[:100]
    if text:
        own, own_args = containing(["number", "reference"], text)
        party, party_args = containing(["number", "name"], text)
        item, item_args = starting(session, ["number"], text)
        add(
            f"({own} OR party IN (SELECT id FROM party WHERE {party}) OR id IN "
            f"(SELECT document FROM document_line WHERE item IN (SELECT id FROM item WHERE {item})))",
            *own_args, *party_args, *item_args,
        )  # fmt: skip
    return " AND ".join(parts), args


# ---- all kinds ---------------------------------------------------------------------------------------------------------------------


async def waiting(newel: Newel, context: Context) -> list[Waiting]:
    """Documents that are not done, by kind and state, in the order in which the kinds declare their states."""
    kinds = visible(newel, context)
    own, args = own_party(context)
    async with newel.database.read() as session:
        rows = await session.fetch(
            "SELECT kind, state, phase, currency, COUNT(*) AS n, SUM(net) AS net, SUM(gross) AS gross FROM document "
            f"WHERE company = ? AND phase = ANY(?) AND kind = ANY(?) AND {own} GROUP BY kind, state, phase, currency",
            context.company.id, list(WORK), kinds, *args,
        )  # fmt: skip
    found: dict[tuple[str, str, str], list[Sum]] = {}
    for r in rows:
        found.setdefault((r["kind"], r["state"], r["phase"]), []).append(_sum(r))
    order = {(k.name, s.name): (i, j) for i, k in enumerate(newel.registry.documents.values()) for j, s in enumerate(k.states)}
    return [
        Waiting(kind=kind, state=state, phase=phase, sums=sorted(sums, key=lambda s: s.currency))
        for (kind, state, phase), sums in sorted(found.items(), key=lambda f: order.get(f[0][:2], (999, 0)))
    ]


async def recent(newel: Newel, context: Context, size: int = 10) -> list[Head]:
    """The documents made last."""
    own, args = own_party(context, "d.party")
    latest = "d.id > COALESCE((SELECT id FROM document ORDER BY id DESC LIMIT 1 OFFSET 1000), 0) AND "  # nearly always there, and all are many
    async with newel.database.read() as session:
        for narrow in (latest + "+" * session.sqlite, ""):
            rows = await session.fetch(
                f"SELECT {HEADS} FROM document d LEFT JOIN party p ON p.id = d.party WHERE {narrow}d.company = ? AND d.kind = ANY(?) AND {own} "
                "ORDER BY d.id DESC LIMIT ?",
                context.company.id, visible(newel, context), *args, size,
            )  # fmt: skip
            if len(rows) >= size:
                break
    return [head(r) for r in rows]


async def overdue(newel: Newel, context: Context) -> list[Overdue]:
    """What should have been paid, by account role; only of documents that the user may see."""
    own, args = own_party(context, "o.party")
    async with newel.database.read() as session:
        rows = await session.fetch(
            "SELECT o.role, COUNT(*) AS n, SUM(o.company_open) AS amount FROM open_item o JOIN document d ON d.id = o.document "
            f"WHERE o.company = ? AND o.amount_open <> 0 AND o.date_due < ? AND d.kind = ANY(?) AND {own} GROUP BY o.role ORDER BY o.role",
            context.company.id, context.today, visible(newel, context), *args,
        )  # fmt: skip
    return [Overdue(role=r["role"], count=int(r["n"]), amount=money(int(r["amount"]))) for r in rows]


# ---- open items --------------------------------------------------------------------------------------------------------------------


class OpenItemView(msgspec.Struct, frozen=True, kw_only=True):
    """An open item with the document that it came from."""

    item: OpenItem
    number: str
    kind: str
    reference: str


async def open_items(newel: Newel, context: Context, party: int, roles: Sequence[str], currency: str = "") -> list[OpenItemView]:
    """What a party owes or is owed under these account roles, the oldest first."""
    own, args = own_party(context, "o.party")
    async with newel.database.read() as session:
        rows = await session.fetch(
            "SELECT o.*, d.number, d.kind, d.reference FROM open_item o JOIN document d ON d.id = o.document WHERE o.company = ? AND o.party = ? "
            f"AND o.role = ANY(?) AND o.amount_open <> 0 AND (? = '' OR o.currency = ?) AND {own} ORDER BY o.date_due, o.id",
            context.company.id, party, list(roles), currency, currency, *args,
        )  # fmt: skip
    return [OpenItemView(item=open_item(r), number=r["number"], kind=r["kind"], reference=r["reference"]) for r in rows]


async def open_of_document(newel: Newel, document: int, context: Context) -> list[OpenItem]:
    """What is open of one document."""
    own, args = own_party(context)
    async with newel.database.read() as session:
        sql = f"SELECT * FROM open_item WHERE document = ? AND company = ? AND amount_open <> 0 AND {own} ORDER BY id"
        rows = await session.fetch(sql, document, context.company.id, *args)
    return [open_item(r) for r in rows]


async def lot_numbers(newel: Newel, lots: Sequence[int]) -> dict[int, str]:
    """Numbers of lots by id."""
    if not lots:
        return {}
    async with newel.database.read() as session:
        return {r["id"]: r["number"] for r in await session.fetch("SELECT id, number FROM lot WHERE id = ANY(?)", sorted(set(lots)))}
