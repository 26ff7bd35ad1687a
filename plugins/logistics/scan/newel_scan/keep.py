"""The use cases of scanning. A scan is a note that moves nothing; goods move through the documents that a finished task makes or carries on.

A scan has a key of the device that sent it: sent twice, it counts once. A task is finished once, under a key of its own.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec
from newel.domain.context import Context
from newel.domain.document import Document, DocumentInput, LineInput, LinkInput
from newel.domain.item import Item
from newel.domain.kinds import DocumentKind
from newel.domain.money import ZERO
from newel.errors import Problem, Refused, missing
from newel.services.access import denied, require
from newel.services.app import Newel
from newel.services.entered import as_input
from newel.store.columns import QUANTITY, scaled
from newel.store.master import load_items, load_master
from newel.store.session import Session

from newel_scan import codes, facts, rules
from newel_scan.facts import StepView, Task
from newel_scan.rules import COUNT, FREE, MOVE, OUT, PICK, RECEIVE, Job, Part, Scan, Wanted
from newel_scan.tables import Step
from newel_scan.tables import Task as TaskRow

WORK = "scan.work"
MOST = 1_000_000  # of one scan
ASK = "scan.lot"  # nothing is wrong yet: the next scan says which lot
COUNT_KIND, MOVE_KIND = "inventory.count", "inventory.transfer"


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """A scan as a device sends it. quantity: in the item's unit; at: when, by the device's clock."""

    key: str
    code: str
    quantity: Decimal | None = None
    lot: str = ""
    expiry: date | None = None
    at: datetime | None = None


def allowed(context: Context) -> None:
    """Go on only for our own people with the right to scan; Refused 403 otherwise."""
    if context.user.party is not None:
        raise denied("a user of no party")
    require(context, WORK)


async def start(newel: Newel, context: Context, kind: str, *, source: int | None = None, place: int | None = None, target: int | None = None) -> int:
    """Begin a task, or go on with the one that somebody has begun on the same document; returns its id. Refused 409 where there is nothing to do."""
    allowed(context)
    if kind not in (*facts.ROLES, *FREE):
        raise missing("task", kind, "kind")
    async with newel.database.write() as session:
        if kind in facts.ROLES:
            document = await newel.documents.get(source or 0, context, session)
            if not facts.fits(newel.registry, kind, document):
                problem = Problem(code="scan.state", message=f"{document.number} is {document.state}", hint="choose another one from the list")
                raise Refused(problem, status=409)
            await session.fetch("SELECT id FROM document WHERE id = ? FOR UPDATE", document.id)  # two who begin at once work on one task
            sql = "SELECT id FROM scan_task WHERE company = ? AND kind = ? AND source = ? AND state = 'open'"
            if begun := await session.value(sql, context.company.id, kind, source):
                return int(begun)
        else:
            known = dict(await facts.places(session, context))
            wrong = [name for name, at in (("place", place), ("target", target)) if at not in known and (name == "place" or kind == MOVE)]
            if wrong or (kind == MOVE and place == target):
                raise Refused(
                    Problem(code="scan.where", message="places of our own were expected", where=(wrong or ["target"])[0], hint="choose from the list")
                )
        values = {"source": source, "place": place, "target": target, "started_at": context.now, "started_by": context.user.login}
        return session.add(TaskRow, company=context.company.id, kind=kind, **values)


async def open_task(newel: Newel, session: Session, context: Context, id: int) -> Task:
    """A task that is not finished, locked; Refused 409 where it is."""
    allowed(context)
    found = await facts.task(newel, session, context, id, lock=True)
    if found.state != "open":
        raise Refused(Problem(code="scan.ended", message="this task is finished", hint="go back to the list"), status=409)
    return found


# ---- a scan ----------------------------------------------------------------------------------------------------------------------------


async def step(newel: Newel, context: Context, id: int, given: Given) -> StepView:
    """Take a scan, or keep why it is refused; sent again under its key, it is answered as before and counts once."""
    allowed(context)
    async with newel.database.write() as session:
        found = await facts.task(newel, session, context, id, lock=True)
        if before := next((s for s in found.steps if s.key == given.key), None):
            return before
        given = _plain(given)
        code = codes.parse(given.code, context.today)
        at = await _place(session, context, code.text) if found.kind in facts.ROLES else None
        place = at or next((s["place"] for s in found.rows if s["state"] == "place" and s["entered_by"] == context.user.login), None)
        scan = Scan(code=code, quantity=given.quantity, lot=given.lot, expiry=given.expiry, place=place)
        answer = (
            Part(line=0, item=0, quantity=ZERO, place=at)
            if at
            else _ended(found) or _sane(given) or rules.decide(await _job(session, context, found, scan), scan)
        )
        part = answer if isinstance(answer, Part) else Part(line=0, item=0, quantity=ZERO, lot=given.lot, place=place)
        wrong = answer if isinstance(answer, Problem) else None
        state = "place" if at else "ok" if wrong is None else "ask" if wrong.code == ASK else "refused"
        reason = {"problem": wrong.code, "message": wrong.message[:300], "hint": wrong.hint[:200]} if wrong else {}
        made = session.add(
            Step, task=id, key=given.key, code=code.text[:200], state=state, line=part.line, item=part.item or None,
            quantity=scaled(part.quantity, QUANTITY), lot=part.lot, expiry=part.expiry, place=part.place, **reason, scanned_at=given.at or context.now,
            entered_at=context.now, entered_by=context.user.login,
        )  # fmt: skip
        await session.flush()
        return next(s for s in (await facts.task(newel, session, context, id)).steps if s.id == made)


async def _place(session: Session, context: Context, text: str) -> int | None:
    """The place of ours whose label was scanned: what is scanned next comes from there, or goes there."""
    places = (await load_master(session)).locations.values()
    return next((x.id for x in places if x.code == text and x.company == context.company.id and x.kind == "storage" and x.owner is None), None)


def _plain(given: Given) -> Given:
    """Without what no database keeps: a code may hold any byte."""
    return msgspec.structs.replace(given, code=given.code.replace("\x00", ""), lot=given.lot.replace("\x00", ""))


def _sane(given: Given) -> Problem | None:
    """A quantity that can be kept."""
    quantity = given.quantity
    if quantity is None or (quantity.is_finite() and abs(quantity) < MOST and quantity == quantity.quantize(rules.EXACT)):
        return None
    message = f"a quantity below {MOST} with at most 6 digits after the point was expected, got {quantity}"
    return Problem(code="scan.quantity", message=message, where="quantity", hint="count again")


def _ended(found: Task) -> Problem | None:
    hint = "it counts nowhere; look whether it has to be done again"
    return None if found.state == "open" else Problem(code="scan.late", message="this task was finished before the scan came", hint=hint)


async def _job(session: Session, context: Context, found: Task, scan: Scan) -> Job:
    """What a scan is held against."""
    code, master = scan.code, await load_master(session)
    keys = {code.text, code.gtin, code.gtin.lstrip("0"), code.gtin[1:], code.gtin[2:]} - {""}
    items = await load_items(session, keys)
    history = next((items[k] for k in (code.text, code.gtin, *sorted(keys)) if k in items), None)
    known: Item | None = history.on(context.today, context.company.currency, context.company, {}) if history else None
    lying: tuple[rules.Lying, ...] = ()
    if found.kind in (*OUT, RECEIVE):
        wanted = [w.item for w in found.wanted if (known is not None and w.item == known.id) or w.number == code.text]
        lying = await facts.lying(session, context, [*wanted, *([known.id] if known else [])], found.place if found.kind == MOVE else None)
    spot = master.locations[scan.place].code if scan.place else ""
    return Job(kind=found.kind, today=context.today, wanted=found.wanted, done=found.done, lying=lying, known=known, spot=spot)


async def undo(newel: Newel, context: Context, id: int, step: int) -> None:
    """Take a scan back, whatever it was; what was refused is then no longer shown as open."""
    async with newel.database.write() as session:
        found = await open_task(newel, session, context, id)
        if not any(s.id == step for s in found.steps):
            raise missing("scan", step, "step")
        await session.update(Step, step, state="undone")


async def drop(newel: Newel, context: Context, id: int) -> None:
    """End a task without doing anything."""
    async with newel.database.write() as session:
        await open_task(newel, session, context, id)
        await session.update(TaskRow, id, state="dropped", ended_at=context.now, ended_by=context.user.login)


# ---- the end ---------------------------------------------------------------------------------------------------------------------------


async def finish(newel: Newel, context: Context, id: int, *, reason: str = "", absent: bool = False) -> int:
    """Make of the scans what they are for; returns the id of the document. Finished again, it answers with the same.

    Args:
        reason: why less was scanned than was wanted; needed then. absent: of a count, what was not scanned is not there.

    Raises:
        Refused: everything that stands in the way, as the document says it; then nothing has changed.
    """
    allowed(context)
    async with newel.database.write() as session:
        found = await facts.task(newel, session, context, id, lock=True)
        if found.state == "done" and found.result:
            return found.result
        found = await open_task(newel, session, context, id)
        if not found.done and not (found.kind == COUNT and absent):
            raise Refused(Problem(code="scan.nothing", message="nothing has been scanned", hint="scan something, or give the task up"))
        if rules.missing(found.wanted, found.done) and not reason:
            message = "less was scanned than was wanted"
            raise Refused(Problem(code="scan.reason", message=message, where="reason", hint="say why, or scan the rest"))
        made = await (_free(newel, session, context, found, absent) if found.kind in FREE else _document(newel, session, context, found))
        ended = {"state": "done", "result": made, "reason": reason[:200], "ended_at": context.now, "ended_by": context.user.login}
        await session.flush()
        await session.update(TaskRow, id, **ended)
        return made


def _next(kind: DocumentKind, picked: bool) -> str:
    """What a finished task does with its document: it is picked where the kind knows that, else it goes all the way."""
    steps = [t for t in kind.transitions if kind.initial.name in t.sources and not t.automatic and kind.state(t.target).phase != "cancelled"]
    waits = [t for t in steps if kind.state(t.target).phase == "draft"] if picked else []
    return next((t.name for t in (*waits, *sorted(steps, key=lambda t: not t.primary))), "")


async def _document(newel: Newel, session: Session, context: Context, found: Task) -> int:
    """The document of what was picked or has come."""
    source = found.source
    assert source is not None
    wanted = {w.line: w for w in found.wanted}
    parts = [p for p in rules.parts(found.done) if p.line in wanted]
    quantities = [rules.in_line_unit(p.quantity, wanted[p.line]) for p in parts]
    if problems := [q for q in quantities if isinstance(q, Problem)]:
        raise Refused(*problems)
    pairs = [(p, q) for p, q in zip(parts, quantities, strict=True) if isinstance(q, Decimal)]
    if found.kind == RECEIVE:
        await _expiries(newel, session, context, parts)
    key, out = f"scan-{found.id}", found.kind == PICK
    spots = sorted({p.place for p in parts if p.place})
    if found.flow is not None:
        lines = [LinkInput(line=p.line, quantity=q, lot=p.lot or None, location_from=p.place if out else None) for p, q in pairs]
        name = f"{found.flow.target_kind}:{found.flow.name}"
        then = _next(newel.registry.kind(found.flow.target_kind), out)
        header = DocumentInput(location_to=spots[0] if spots and not out else None)
        made = await newel.documents.follow(source.id, name, context, lines=lines, input=header, then=(then,) if then else (), key=key, session=session)
        return made.document.id
    entered = _reduced(source, pairs, set(wanted), out)
    saved = await newel.documents.update(source.id, source.version, entered, context, key=f"{key}-lines", session=session)
    await session.flush()
    await newel.documents.act(source.id, _next(newel.registry.kind(source.kind), out), context, version=saved.document.version, key=key, session=session)
    return source.id


def _reduced(source: Document, pairs: list[tuple[Part, Decimal]], wanted: set[int], out: bool) -> DocumentInput:
    """A draft with what was scanned of it; lines of which nothing was go."""
    entered, lines = as_input(source), []
    for line in entered.lines:
        of = [(p, q) for p, q in pairs if p.line == line.id]
        if line.id not in wanted:
            lines.append(line)
        elif of:
            spots = {p.place for p, _ in of}
            place = spots.pop() if len(spots) == 1 else None
            ends = {"location_from" if out else "location_to": place} if place else {}
            lines.append(msgspec.structs.replace(line, quantity=sum((q for _, q in of), ZERO), lot=of[0][0].lot or line.lot, schedules=(), **ends))
    return msgspec.structs.replace(entered, lines=tuple(lines))


async def _expiries(newel: Newel, session: Session, context: Context, parts: list[Part]) -> None:
    """The last days of lots that come in; a day that somebody has entered already stays."""
    dated = {(p.item, p.lot): p.expiry for p in parts if p.lot and p.expiry}
    rows = await session.fetch("SELECT id, item, number, date_expiry FROM lot WHERE item = ANY(?)", [item for item, _ in dated]) if dated else []
    known = {(r["item"], r["number"]): r for r in rows}
    for (item, number), expiry in dated.items():
        row = known.get((item, number))
        if row is None or row["date_expiry"] is None:
            values: dict[str, Any] = {"item": item, "number": number, "date_expiry": expiry}
            await newel.records.save("newel.lot", row["id"] if row else None, values, context, session=session)
    await session.flush()


async def _free(newel: Newel, session: Session, context: Context, found: Task, absent: bool) -> int:
    """The count, as a draft with its differences, or the transfer, which is moved at once."""
    here = rules.parts([msgspec.structs.replace(p, place=None) for p in found.done])
    lines = [LineInput(item=p.item, quantity=p.quantity, lot=p.lot or None) for p in here]
    if found.kind == COUNT and absent and found.place:
        have = {(p.item, p.lot) for p in found.done}
        zero: dict[str, Any] = {"inventory": {"counted": "0"}}
        gone = [r for r in await facts.there(session, found.place) if (r["item"], r["lot"]) not in have]
        lines += [LineInput(item=r["item"], lot=r["lot"] or None, data=zero) for r in gone]
    entered = DocumentInput(location_from=found.place, location_to=found.target, lines=tuple(lines))
    kind, then = (COUNT_KIND, ()) if found.kind == COUNT else (MOVE_KIND, ("move",))
    made = await newel.documents.create(kind, entered, context, then=then, key=f"scan-{found.id}", session=session)
    return made.document.id


__all__ = ["Given", "Wanted", "drop", "finish", "start", "step", "undo"]
