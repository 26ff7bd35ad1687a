"""What scanning reads: what waits to be done, a task with its scans, what lies where."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec
from newel.domain.context import Context
from newel.domain.document import Document, Line
from newel.domain.kinds import Flow
from newel.domain.master import Master
from newel.domain.money import plain
from newel.errors import Problem, missing
from newel.services.app import Newel
from newel.services.registry import Registry
from newel.store.columns import QUANTITY, unscaled
from newel.store.documents import read_documents
from newel.store.master import load_items, load_master
from newel.store.session import Session, day, instant

from newel_scan.rules import FREE, PICK, RECEIVE, RETURN, Lying, Part, Wanted, text

MOST = 200
# By task: role of the document that is finished, and of the one that it may be made from.
ROLES = {PICK: ("delivery", "sale"), RECEIVE: ("receipt", "purchase"), RETURN: ("return", "")}


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A document that waits for somebody with a scanner. lines: how many are to be done; task: that somebody has begun."""

    id: int
    number: str
    party: str
    day: date | None
    lines: int
    task: int | None = None
    by: str = ""


class StepView(msgspec.Struct, frozen=True, kw_only=True):
    """One scan. state: ok, refused, ask: for the lot, place: a label of one, or undone; quantity: in the item's unit, as text; problem: why it was refused."""

    id: int
    key: str
    code: str
    state: str
    line: int
    item: str
    quantity: str
    unit: str
    lot: str
    place: str
    scanned_at: datetime | None
    by: str
    problem: Problem | None = None


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A task as it stands. flow: by which its document comes of the source, None where the source itself is finished; rows: the scans as stored."""

    id: int
    kind: str
    state: str
    source: Document | None
    flow: Flow | None
    place: int | None
    target: int | None
    result: int | None
    reason: str
    by: str
    wanted: tuple[Wanted, ...] = ()
    done: tuple[Part, ...] = ()
    steps: tuple[StepView, ...] = ()
    rows: tuple[Any, ...] = ()


def flow_of(registry: Registry, kind: str, document: Document) -> Flow | None:
    """The way from a source to what the task makes; None where the source itself is finished, or nothing leads there."""
    role = ROLES[kind][0]
    if document.role == role:
        return None
    ways = registry.flows_from(registry.kind_of(document))
    return next(
        (f for f in sorted(ways, key=lambda f: not f.primary) if f.target_kind in registry.documents and registry.documents[f.target_kind].role == role), None
    )


def fits(registry: Registry, kind: str, document: Document) -> bool:
    """Whether a document can be worked through: open with a way on, or a draft in its first state."""
    if document.role == ROLES[kind][0]:
        return document.kind in registry.documents and document.state == registry.kind(document.kind).initial.name
    return document.phase == "open" and document.role == ROLES[kind][1] and flow_of(registry, kind, document) is not None


def open_lines(registry: Registry, kind: str, document: Document) -> list[tuple[Line, Decimal]]:
    """Lines with goods, and how much of each is to be scanned, in the line's unit."""
    flow = flow_of(registry, kind, document)
    parents = {line.parent for line in document.lines}
    goods = (x for x in document.lines if x.item is not None and x.item.stocked and x.id not in parents and (flow is None or registry.takes(flow, x)))
    return [(x, quantity) for x in goods if (quantity := flow.open(x) if flow else x.quantity) > 0]


async def wanted_of(session: Session, registry: Registry, kind: str, document: Document) -> tuple[Wanted, ...]:
    """What is to be scanned of a document."""
    flow, lines = flow_of(registry, kind, document), open_lines(registry, kind, document)
    items = await load_items(session, [x.item.id for x, _ in lines if x.item])
    lots = await _lots(session, [x.lot for x, _ in lines if x.lot])
    return tuple(
        Wanted(
            line=x.id, item=x.item.id, number=x.item.number, name=x.text or x.item.name, gtin=items[x.item.id].row["gtin"], unit=x.item.unit,
            tracking=x.item.tracking, quantity=plain(quantity * x.factor), line_unit=x.unit, factor=x.factor, lot=lots.get(x.lot or 0, ""),
            several=flow is not None, exceeds=bool(flow and flow.exceeds),
        )
        for x, quantity in lines
        if x.item is not None
    )  # fmt: skip


async def _lots(session: Session, ids: Sequence[int]) -> dict[int, str]:
    return {r["id"]: r["number"] for r in await session.fetch("SELECT id, number FROM lot WHERE id = ANY(?)", list(ids))} if ids else {}


async def lying(session: Session, context: Context, items: Iterable[int], within: int | None = None) -> tuple[Lying, ...]:
    """Our own stock of items, in a place and below it, or everywhere."""
    master = await load_master(session)
    rows = await session.fetch(
        """SELECT b.item, b.location, l.code, b.quantity, COALESCE(t.number, '') AS lot, t.date_expiry
             FROM stock_balance b JOIN location l ON l.id = b.location LEFT JOIN lot t ON t.id = b.lot
            WHERE l.company = ? AND l.kind = 'storage' AND l.owner IS NULL AND b.quantity > 0 AND b.item = ANY(?) ORDER BY b.id""",
        context.company.id, sorted(set(items)),
    )  # fmt: skip
    inside = set(master.below(within)) if within else None
    return tuple(
        Lying(item=r["item"], place=r["location"], code=r["code"], quantity=unscaled(r["quantity"], QUANTITY), lot=r["lot"], expiry=day(r["date_expiry"]))
        for r in rows
        if inside is None or r["location"] in inside
    )


async def there(session: Session, place: int) -> list[dict[str, Any]]:
    """What should lie in one place, for counting: (item, number, name, unit, tracking, lot)."""
    sql = """SELECT b.item, i.number, i.name, i.gtin, i.unit, i.tracking, COALESCE(t.number, '') AS lot FROM stock_balance b JOIN item i ON i.id = b.item
             LEFT JOIN lot t ON t.id = b.lot WHERE b.location = ? AND b.quantity > 0 ORDER BY i.number, lot LIMIT ?"""
    return [dict(r) for r in await session.fetch(sql, place, 2000)]


def source_place(master: Master, document: Document | None, company: int) -> int | None:
    """Where the goods of a delivery come from, unless somebody scans another place."""
    return (document.location_from if document else None) or master.defaults.get((company, "storage"))


# ---- lists -----------------------------------------------------------------------------------------------------------------------------


async def waiting(newel: Newel, context: Context, kind: str) -> list[Waiting]:
    """The documents that wait for a task of this kind, the most urgent first."""
    registry = newel.registry
    if kind in FREE:
        return []
    async with newel.database.read() as session:
        rows = await _ids(session, context, kind)
        found = await read_documents(session, [r["id"] for r in rows], await load_master(session), registry.shapes)
        begun = await _begun(session, context)
        out = []
        for d in found:
            if not context.user.may(f"{d.kind}.view") or not fits(registry, kind, d):
                continue
            lines = len(open_lines(registry, kind, d))
            if lines:
                task, by = begun.get((kind, d.id), (None, ""))
                name = d.party.name if d.party else ""
                out.append(Waiting(id=d.id, number=d.number, party=name, day=d.date_requested or d.date, lines=lines, task=task, by=by))
    return sorted(out, key=lambda w: (w.day or date.max, w.number))


async def _ids(session: Session, context: Context, kind: str) -> list[Any]:
    made, source = ROLES[kind]
    # Two questions in one: each finds what is not finished in its index, and nothing of what is over.
    one = "SELECT id, COALESCE(date_requested, date) AS day FROM document WHERE company = ? AND role = ? AND phase ="
    sql = f"SELECT id FROM ({one} 'draft' UNION ALL {one} 'open') x ORDER BY day, id LIMIT ?"
    return await session.fetch(sql, context.company.id, made, context.company.id, source, MOST)


async def _begun(session: Session, context: Context) -> dict[tuple[str, int], tuple[int, str]]:
    rows = await session.fetch("SELECT id, kind, source, started_by FROM scan_task WHERE company = ? AND state = 'open'", context.company.id)
    return {(r["kind"], r["source"]): (r["id"], r["started_by"]) for r in rows if r["source"]}


async def free_tasks(session: Session, context: Context, kind: str) -> list[Any]:
    """Open counts or moves."""
    return await session.fetch(
        """SELECT t.id, t.started_by, l.code AS place, COALESCE(g.code, '') AS target FROM scan_task t JOIN location l ON l.id = t.place
             LEFT JOIN location g ON g.id = t.target WHERE t.company = ? AND t.kind = ? AND t.state = 'open' ORDER BY t.id""",
        context.company.id, kind,
    )  # fmt: skip


async def counts(newel: Newel, context: Context) -> dict[str, int]:
    """By task: how many documents wait; for counts and moves, how many are begun."""
    out = {kind: len(await waiting(newel, context, kind)) for kind in ROLES}
    async with newel.database.read() as session:
        return out | {kind: len(await free_tasks(session, context, kind)) for kind in FREE}


async def places(session: Session, context: Context) -> list[tuple[int, str]]:
    """(id, name) of our own storage, by code."""
    master = await load_master(session)
    own = [x for x in master.locations.values() if x.company == context.company.id and x.kind == "storage" and x.owner is None]
    return [(x.id, f"{x.code} {x.name}".strip()) for x in sorted(own, key=lambda x: x.code)]


# ---- a task ----------------------------------------------------------------------------------------------------------------------------


async def task(newel: Newel, session: Session, context: Context, id: int, *, lock: bool = False) -> Task:
    """A task with its scans, the latest first; Refused 404 where there is none, 403 without the right to see its document."""
    row = await session.one(f"SELECT * FROM scan_task WHERE id = ? AND company = ?{' FOR UPDATE' if lock else ''}", id, context.company.id)
    if row is None:
        raise missing("task", id, "id")
    source = await newel.documents.get(row["source"], context, session) if row["source"] else None
    steps = await session.fetch(
        """SELECT s.*, COALESCE(i.number, '') AS number, COALESCE(i.unit, '') AS unit, COALESCE(l.code, '') AS place_code
             FROM scan_step s LEFT JOIN item i ON i.id = s.item LEFT JOIN location l ON l.id = s.place WHERE s.task = ? ORDER BY s.id DESC""",
        id,
    )  # fmt: skip
    wanted = await wanted_of(session, newel.registry, row["kind"], source) if source is not None and row["state"] == "open" else ()
    return Task(
        id=id, kind=row["kind"], state=row["state"], source=source, flow=flow_of(newel.registry, row["kind"], source) if source else None, place=row["place"],
        target=row["target"], result=row["result"], reason=row["reason"], by=row["started_by"], wanted=wanted, steps=tuple(step_view(s) for s in steps),
        rows=tuple(steps),
        done=tuple(
            Part(line=s["line"], item=s["item"], quantity=unscaled(s["quantity"], QUANTITY), lot=s["lot"], place=s["place"], expiry=day(s["expiry"]))
            for s in reversed(steps)
            if s["state"] == "ok"
        ),
    )  # fmt: skip


def step_view(row: Any) -> StepView:
    """A stored scan for people."""
    problem = Problem(code=row["problem"], message=row["message"], hint=row["hint"]) if row["problem"] else None
    return StepView(
        id=row["id"], key=row["key"], code=row["code"], state=row["state"], line=row["line"], item=row["number"], unit=row["unit"], lot=row["lot"],
        quantity=text(unscaled(row["quantity"], QUANTITY)), place=row["place_code"], scanned_at=instant(row["scanned_at"]), by=row["entered_by"],
        problem=problem,
    )  # fmt: skip
