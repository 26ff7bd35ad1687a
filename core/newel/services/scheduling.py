"""Promised dates: the scheduled deliveries of a document's lines, set after it has become open (DOC-08)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec

from newel.domain.document import Document, Line, LineInput, ScheduleInput
from newel.errors import Refused
from newel.services.engine import Engine
from newel.services.entered import differences
from newel.services.resolve import Resolver
from newel.store import tables_document as t
from newel.store.columns import QUANTITY, scaled
from newel.store.documents import SCHEDULES, add_event


async def reschedule(engine: Engine, document: Document, wanted: Mapping[int, Sequence[ScheduleInput]]) -> Document:
    """Replace the scheduled deliveries of the named lines; the first ones keep their identity, so that what was delivered of them stays known.

    Raises:
        Refused: a line that is not there, a sum that is not the line's quantity, fewer deliveries than have been delivered of; all at once.
    """
    known = {line.id: line for line in document.lines}
    sql = "SELECT DISTINCT schedule FROM line_link WHERE from_line = ANY(?) AND schedule IS NOT NULL"
    linked = {r["schedule"] for r in await engine.session.fetch(sql, sorted(wanted))}
    resolver = Resolver(engine.session, engine.registry, await engine.master(), engine.context, engine.preview)
    lines: dict[int, Line] = {}
    for id, schedules in wanted.items():
        line, where = known.get(id), f"lines[{id}]"
        if line is None:
            resolver.bad("missing", f"this document has no line {id}", where, "look at it again")
            continue
        if any(s.id in linked for s in line.schedules[len(schedules) :]):
            resolver.bad("schedule.linked", "a part of a scheduled delivery has been delivered", f"{where}.schedules", "keep as many deliveries")
        made = resolver.schedules(LineInput(quantity=line.quantity, unit=line.unit, schedules=tuple(schedules)), where)
        kept = [s.id for s in line.schedules]
        made = tuple(msgspec.structs.replace(s, id=kept[n]) if n < len(kept) else s for n, s in enumerate(made))
        lines[id] = msgspec.structs.replace(line, schedules=made)
    if resolver.problems:
        raise Refused(*resolver.problems)
    after = msgspec.structs.replace(document, lines=tuple(lines.get(x.id, x) for x in document.lines), version=document.version + 1)
    await _write(engine, document, after, sorted(wanted))
    return after


async def _write(engine: Engine, before: Document, after: Document, lines: Sequence[int]) -> None:
    session, context = engine.session, engine.context
    keep = [s.id for x in after.lines for s in x.schedules if x.id in lines]
    had = {s.id for x in before.lines for s in x.schedules}
    await session.fetch("DELETE FROM line_schedule WHERE line = ANY(?) AND NOT id = ANY(?)", lines, keep)
    rows = [(x.id, s) for x in after.lines if x.id in lines for s in x.schedules]
    await session.many(
        "UPDATE line_schedule SET quantity = ?, date_requested = ?, date_confirmed = ?, release_code = ? WHERE id = ?",
        [(_stored(s.quantity), s.date_requested, s.date_confirmed, s.release_code, s.id) for _, s in rows if s.id in had],
    )
    for line, s in rows:
        if s.id not in had:
            session.add(
                t.LineSchedule, id=s.id, document=after.id, line=line, quantity=_stored(s.quantity), date_requested=s.date_requested,
                date_confirmed=s.date_confirmed, release_code=s.release_code,
            )  # fmt: skip
    await session.fetch("UPDATE document SET version = ?, parts = parts | ? WHERE id = ?", after.version, SCHEDULES if rows else 0, after.id)
    add_event(session, after.id, context.now, context.user.login, context.source, "schedule", differences(before, after))


def _stored(quantity: Decimal) -> int:
    return scaled(quantity, QUANTITY)
