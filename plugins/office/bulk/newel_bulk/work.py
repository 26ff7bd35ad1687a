"""Many rows changed at once, each through the very use case that its form goes through: first looked at, then done, by a job in chunks.

Carried out twice it changes nothing: each row has its idempotency key, and a row that is done is not taken up again.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import msgspec
from newel.domain.context import Context
from newel.errors import Conflict, PluginFailed, Problem, Refused, missing
from newel.jobs.worker import enqueue
from newel.services import lists
from newel.services.app import Newel
from newel.services.values import FieldView
from newel.store.session import Session
from newel.web.pages_lists import wanted_by
from newel.web.views_list import Address
from newel.web.views_text import _

from newel_bulk.tables import Row, Run

RIGHT = "bulk.change"
CHUNK = 100  # rows of a job; then it goes to the end of the queue
AT_ONCE = 20  # rows that are looked at while somebody waits
NOTED = 10  # rows between two notes of progress
MOST = 10_000
DAYS = 30


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """One run. change: "transition:NAME", "field:NAME", or empty where nothing is chosen yet; counts: of rows, by what became of them."""

    id: int
    kind: str
    change: str
    value: Any
    state: str
    total: int
    back: str
    counts: dict[str, int]


# ---- what can be changed -----------------------------------------------------------------------------------------------------------------


def fields(newel: Newel, kind: str, context: Context) -> list[FieldView]:
    """The fields of a record kind that people enter, but what it is called by."""
    shape = newel.records.shape(kind, context)
    return [f for f in shape.fields if not f.readonly and not f.secret and f.type != "json"]


def options(newel: Newel, kind: str, context: Context) -> list[tuple[str, str]]:
    """(change, label) of what this user may do with many rows of a kind."""
    if kind in newel.registry.documents:
        found = newel.registry.documents[kind].transitions
        return [(f"transition:{t.name}", _(t.label)) for t in found if not t.automatic and context.user.may(f"{kind}.{t.name}")]
    shape = newel.records.shape(kind, context)
    if shape.record.append_only or not context.user.may(f"{kind}.edit"):
        return []
    once = {c for u in shape.uniques if len(own := [c for c in u if c != shape.scope]) == 1 for c in own}
    return [(f"field:{f.name}", _("Set: %(field)s", field=_(f.label))) for f in fields(newel, kind, context) if f.name not in once]


async def every(newel: Newel, kind: str, query: dict[str, str], context: Context) -> list[int]:
    """The ids of all rows of a list; Refused where they are too many for one go."""
    if kind in newel.registry.documents:
        wanted, _reader = wanted_by(Address("", query))
        found = [h.id for h in (await lists.page(newel, kind, context, wanted, size=MOST + 1, most=0)).rows]
    else:
        shape = newel.records.shape(kind, context)
        filters = {f.name: query[f.name] for f in shape.fields if query.get(f.name) and f.type in ("choice", "flag", "reference")}
        found = [r["id"] for r in (await newel.records.page(kind, context, search=query.get("q", ""), filters=filters, size=MOST + 1)).rows]
    if len(found) > MOST:
        hint = "narrow the filter, and do it in several goes"
        raise Refused(Problem(code="bulk.many", message=f"at most {MOST} rows can be changed at once, and these are more", hint=hint))
    return found


# ---- runs in the database ----------------------------------------------------------------------------------------------------------------


async def start(session: Session, context: Context, kind: str, change: str, ids: Sequence[int], back: str) -> int:
    """Keep a run that nobody has looked at yet; returns its id."""
    await session.need(len(ids) + 1)
    run = session.add(
        Run, company=context.company.id, user=context.user.login, kind=kind, change=change, value="null", state="new", total=len(ids), back=back,
        created_at=context.now,
    )  # fmt: skip
    for record in ids:
        session.add(Row, run=run, record=record)
    return run


async def one(session: Session, context: Context, id: int) -> Kept:
    """A run of this user; Refused 404 where there is none."""
    r = await session.one('SELECT * FROM bulk_run WHERE id = ? AND company = ? AND "user" = ?', id, context.company.id, context.user.login)
    if r is None:
        raise missing("bulk change", id)
    counts = await session.fetch("SELECT what, COUNT(*) AS n FROM bulk_row WHERE run = ? GROUP BY what", id)
    return Kept(id=r["id"], kind=r["kind"], change=r["change"], value=msgspec.json.decode(r["value"]), state=r["state"], total=r["total"], back=r["back"],
                counts={c["what"]: int(c["n"]) for c in counts})  # fmt: skip


class Looked(msgspec.Struct, frozen=True):
    """One row of a run; see tables.Row."""

    record: int
    what: str
    problems: list[Problem]


async def rows(session: Session, id: int, most: int) -> list[Looked]:
    """Rows of a run, the refused ones first."""
    sql = "SELECT record, what, problems FROM bulk_row WHERE run = ? ORDER BY CASE WHEN what = 'refused' THEN 0 ELSE 1 END, id LIMIT ?"
    return [Looked(r["record"], r["what"], msgspec.json.decode(r["problems"] or "[]", type=list[Problem])) for r in await session.fetch(sql, id, most)]


async def became(session: Session, id: int, state: str, only: Sequence[str]) -> bool:
    """Put a run into a state; only: states that it must be in. Whether it was in one: of two clicks, one finds it so."""
    return bool(await session.fetch("UPDATE bulk_run SET state = ? WHERE id = ? AND state = ANY(?) RETURNING id", state, id, list(only)))


async def choose(session: Session, id: int, change: str, value: Any) -> bool:
    """Say what is to be done with the rows that are not done, so that they are looked at anew; not while it is under way."""
    if not await became(session, id, "checking", ("new", "checked", "stopped", "done")):
        return False
    await session.fetch("UPDATE bulk_run SET change = ?, value = ? WHERE id = ? RETURNING id", change, msgspec.json.encode(value).decode(), id)
    await session.fetch("UPDATE bulk_row SET what = '', problems = '' WHERE run = ? AND what <> 'done' RETURNING id", id)
    return True


async def clear(session: Session, _payload: dict[str, Any], context: Context) -> None:
    """Forget runs of more than thirty days ago; what they changed has its own history."""
    await session.fetch("DELETE FROM bulk_run WHERE created_at < ? RETURNING id", context.now - timedelta(days=DAYS))


# ---- at work -----------------------------------------------------------------------------------------------------------------------------


async def ask_worker(newel: Newel, id: int, context: Context) -> None:
    """Have a run looked at or carried out."""
    payload = {"id": id, "user": context.user.id, "company": context.company.id}
    await enqueue(newel, "bulk.run", payload, context.company.id, context.user.login)


async def carry_on(newel: Newel, payload: dict[str, Any], _system: Context) -> None:
    """The job: a chunk of a run, with the rights of whoever asked for it, as they are now."""
    user = await newel.users.load(payload["user"])
    if user is None:
        raise missing("user", payload["user"])
    async with newel.database.read() as session:
        context = await newel.context(session, user, payload["company"], source="bulk")
    if await chunk(newel, payload["id"], context):
        await ask_worker(newel, payload["id"], context)


async def chunk(newel: Newel, id: int, context: Context) -> bool:
    """Look at the next rows of a run, or change them, after its state. Whether there is more to do."""
    async with newel.database.read() as session:
        run = await one(session, context, id)
        wanted = {"checking": "", "running": "ready"}.get(run.state)
        if wanted is None:
            return False
        sql = f"SELECT id, record FROM bulk_row WHERE run = ? AND what = ? ORDER BY id LIMIT {CHUNK}"
        rows = [(r["id"], r["record"]) for r in await session.fetch(sql, id, wanted)]
    for at in range(0, len(rows), NOTED):
        some = rows[at : at + NOTED]
        found = await _rows(newel, run, some, context)
        async with newel.database.write() as session:
            await session.many("UPDATE bulk_row SET what = ?, problems = ? WHERE id = ? AND what <> 'done'", found)
            state = await session.value("SELECT state FROM bulk_run WHERE id = ?", id)
        if state != run.state:  # somebody stopped it
            return False
    if len(rows) == CHUNK:
        return True
    async with newel.database.write() as session:
        await became(session, id, "checked" if run.state == "checking" else "done", (run.state,))
    return False


async def _rows(newel: Newel, run: Kept, rows: Sequence[tuple[int, int]], context: Context) -> list[tuple[str, str, int]]:
    if run.state != "checking" or run.change.startswith("transition:"):
        return [await _row(newel, run, *row, context) for row in rows]
    found: list[tuple[str, str, int]] = []
    with suppress(_Back):
        async with newel.database.write() as session:
            found = [await _row(newel, run, *row, context, session) for row in rows]
            raise _Back
    return found


class _Back(Exception):
    """Takes a transaction back."""


async def _row(newel: Newel, run: Kept, row: int, record: int, context: Context, session: Session | None = None) -> tuple[str, str, int]:
    """What becomes of one row. The key makes the second time nothing, also where a worker died before it could say what it did."""
    way, _colon, name = run.change.partition(":")
    problems: Sequence[Problem] = ()
    try:
        if way == "field":
            await newel.records.save(run.kind, record, {name: run.value}, context, session=session)
        elif run.state == "checking":
            problems = (await newel.documents.preview_act(record, name, context)).problems
        else:
            problems = (await newel.documents.act(record, name, context, key=f"bulk-{run.id}-{row}-{name}")).problems
    except Refused as refused:
        problems = refused.problems
    except (PluginFailed, Conflict) as failed:
        problems = (failed.problem(),)
    stopped = any(p.severity in ("block", "override") for p in problems)
    what = "refused" if stopped else "ready" if run.state == "checking" else "done"
    return what, msgspec.json.encode(problems).decode(), row
