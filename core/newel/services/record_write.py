"""Writing records: one way in for screen, API and plugin, with every rule and a history of who changed what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from newel.domain.context import Context
from newel.errors import Problem, Refused, Severity
from newel.services import record_read as read
from newel.services.fields import Fields, decode, encode
from newel.services.shapes import Shape, Shapes
from newel.services.values import entered
from newel.store import describe
from newel.store.session import Session, instant
from newel.store.tables_document import RecordEvent

HIDDEN = "***"


# ---- checks that ask the database; each takes many rows at once ---------------------------------------------------------------------


async def resolve(session: Session, shapes: Shapes, shape: Shape, rows: Sequence[dict[str, Any]], context: Context) -> dict[int, list[Problem]]:
    """Turn references given by number or code into ids, in place, and find out what does not exist. Problems by index of the row."""
    problems: dict[int, list[Problem]] = {}
    for field in [f for f in shape.fields if f.type == "reference" or f.code_of]:
        given = {r[field.name] for r in rows if r.get(field.name) not in (None, "")}
        if not given:
            continue
        if field.code_of:
            known: dict[Any, Any] = {k: k for k in await _known(session, shapes[field.code_of], given, context)}
        else:
            known = await _known(session, shapes.of_table(field.target), given, context, field.target)
        for index, row in enumerate(rows):
            value = row.get(field.name)
            if value in (None, ""):
                continue
            if value in known:
                row[field.name] = known[value]
            else:
                what = shapes[field.code_of or field.reference].record.label.lower() if field.code_of or field.reference else field.target
                problems.setdefault(index, []).append(
                    Problem(
                        code="field.reference", message=f"{field.label}: there is no {what} {value!s:.60}", where=field.name,
                        hint=f"choose an existing {what}, or make it first",
                    )
                )  # fmt: skip
    return problems


async def _known(session: Session, other: Shape | None, given: set[Any], context: Context, table: str = "") -> dict[Any, int]:
    """Those of the given ids and keys that exist and may be seen, with their ids."""
    ids, keys = sorted(g for g in given if isinstance(g, int)), sorted(g for g in given if isinstance(g, str))
    name = other.table if other else table
    condition, args = other.visible(context) if other else ("1 = 1", [])
    out: dict[Any, int] = {}
    if ids:
        sql = f'SELECT "id" FROM "{name}" WHERE "id" = ANY(?) AND {condition}'
        out |= {r["id"]: r["id"] for r in await session.fetch(sql, ids, *args)}
    if keys and other and other.key:
        sql = f'SELECT "id", "{other.key}" AS k FROM "{name}" WHERE "{other.key}" = ANY(?) AND {condition}'
        out |= {r["k"]: r["id"] for r in await session.fetch(sql, keys, *args)}
    return out


async def _duplicates(session: Session, shape: Shape, row: Mapping[str, Any], id: int | None) -> list[Problem]:
    """Sets of values that another record has already. Two empty dates are the same date."""
    out = []
    for columns in shape.uniques:
        if set(columns) & set(shape.stamps):
            continue
        conditions = [f'"{c}" IS NULL' if row.get(c) is None else f'"{c}" = ?' for c in columns]
        args = [row[c] for c in columns if row.get(c) is not None]
        sql = f'SELECT "id" FROM "{shape.table}" WHERE {" AND ".join(conditions)} AND "id" <> ?'
        if await session.one(sql, *args, id or 0):
            out.append(duplicate(shape, columns, row))
    return out


def duplicate(shape: Shape, columns: Sequence[str], row: Mapping[str, Any], where: str = "") -> Problem:
    """The problem with a value that may be there only once."""
    own = [c for c in columns if c != shape.scope] or list(columns)
    texts = [f"{shape.fields[c].label} {entered(shape.fields[c], row[c])}" for c in own if c in shape.fields and row.get(c) is not None]
    message = f"there is already a {shape.record.label.lower()} with {' and '.join(texts)}"
    return Problem(code="record.unique", message=message, where=where or own[-1], hint="change the existing one, or enter another value")


async def check_facts(session: Session, shape: Shape, rows: Sequence[Mapping[str, Any]], context: Context) -> tuple[Any, ...]:
    """What the record kind's own rule needs to know beside the row, once for all rows; empty where the row is enough."""
    load = shape.record.check_facts
    return (await load(session, [_whole(shape, r) for r in rows], context),) if load else ()


def checked(shape: Shape, row: Mapping[str, Any], context: Context, facts: tuple[Any, ...] = ()) -> list[Problem]:
    """What the record kind's own rule says about the whole row."""
    check = shape.record.check
    return refusing(check(_whole(shape, row), *facts), context) if check else []


def _whole(shape: Shape, row: Mapping[str, Any]) -> dict[str, Any]:
    return {**encode(shape.fields, row), "id": row.get("id")}


def refusing(problems: Iterable[Problem], context: Context) -> list[Problem]:
    """A record has nothing to hold: notes and holds go by, and what may be overridden is, by whoever may and says so."""
    over = context.overrides if context.user.may("newel.override") else frozenset()
    return [p for p in problems if p.severity is Severity.BLOCK or (p.severity is Severity.OVERRIDE and p.code not in over)]


# ---- writing -------------------------------------------------------------------------------------------------------------------------


async def save(session: Session, shapes: Shapes, shape: Shape, id: int | None, values: Mapping[str, Any], context: Context) -> int:
    """Create (id None) or change one record; returns its id. All problems at once."""
    stored = None if id is None else await read.one(session, shape, id, context, lock=True)
    decoded, problems = decode(shape.fields, values, stored)
    problems += (await resolve(session, shapes, shape, [decoded], context)).get(0, [])
    row = {**(stored or {}), **decoded}
    if shape.scope and stored is None:
        row[shape.scope] = decoded[shape.scope] = context.company.id
    wrong = {p.where for p in problems}
    fine = [u for u in shape.uniques if not wrong & set(u) and all(c in row or c in shape.stamps for c in u)]
    append = stored is not None and shape.record.append_only
    problems += await _duplicates(session, msgspec.structs.replace(shape, uniques=tuple(fine)), row, id)
    if not wrong:
        problems += checked(shape, row, context, await check_facts(session, shape, [row], context))
        problems += refusing(shapes.problems(shape, stored, row, context), context)
    if problems:
        raise Refused(*problems)
    if stored is not None and not append:
        return await _change(session, shape, stored, decoded, context)
    row.pop("id", None)
    stamp(shape, row, context, await moment(session, shape, context))
    await session.need(2)
    new = session.add(shape.record.table, **row)
    event(session, shape, new, "create", changes(shape.fields, {}, row), context)
    await session.flush()
    await make_stale(session, shape)
    return new


async def _change(session: Session, shape: Shape, stored: dict[str, Any], decoded: dict[str, Any], context: Context) -> int:
    id: int = stored["id"]
    changed = changed_values(shape.fields, stored, decoded)
    if changed:
        await session.update(shape.record.table, id, **changed)
        await session.need(1)
        event(session, shape, id, "change", changes(shape.fields, stored, changed), context)
        await session.flush()
        await make_stale(session, shape)
    return id


def changed_values(fields: Fields, stored: Mapping[str, Any], decoded: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the values that differ from what is stored."""
    return {c: v for c, v in decoded.items() if entered(fields[c], stored[c]) != entered(fields[c], v)}


async def moment(session: Session, shape: Shape, context: Context) -> datetime | None:
    """When a row is entered. Two of one instant are a microsecond apart, so that the later one stays the later one."""
    if "entered_at" not in shape.stamps:
        return None
    later = await session.value(f'SELECT COUNT(*) AS n FROM "{shape.table}" WHERE "entered_at" >= ?', context.now)
    return context.now + timedelta(microseconds=later)


def stamp(shape: Shape, row: dict[str, Any], context: Context, at: datetime | None) -> None:
    """Fill in who and when."""
    if "entered_by" in shape.stamps:
        row["entered_by"] = context.user.login
    if "entered_at" in shape.stamps:
        row["entered_at"] = at


async def delete(session: Session, shapes: Shapes, shape: Shape, id: int, context: Context) -> None:
    """Delete a record that nothing refers to; its parts go with it."""
    stored = await read.one(session, shape, id, context, lock=True)
    if shape.record.append_only:
        raise Refused(Problem(code="record.history", message=f"{shape.record.label_plural}: nothing is deleted", hint="enter a correction"), status=409)
    if problems := refusing(shapes.problems(shape, stored, None, context), context):
        raise Refused(*problems)
    if uses := await used_by(session, shapes, shape, stored):
        hint = "make it inactive instead" if "active" in shape.fields else "change what refers to it first"
        message = f"{shape.record.label} {stored.get(shape.key) or id} is still used by {', '.join(uses)}"
        raise Refused(Problem(code="record.used", message=message, hint=hint), status=409)
    await session.fetch(f'DELETE FROM "{shape.table}" WHERE "id" = ?', id)
    await session.need(1)
    event(session, shape, id, "delete", changes(shape.fields, stored, dict.fromkeys(stored)), context)
    await session.flush()
    await make_stale(session, shape)


async def used_by(session: Session, shapes: Shapes, shape: Shape, row: Mapping[str, Any]) -> list[str]:
    """What keeps a record from being deleted, in words: "3 items". By id, and by code where a text holds it."""
    asked = [(table, column, row["id"]) for table, column in describe.references_to(shape.table, shapes.tables())]
    if shape.key:
        asked += [(s.table, f.name, row[shape.key]) for s in shapes.all() for f in s.fields if f.code_of == shape.name]
    counts: dict[str, int] = {}
    for table, column, value in asked:
        sql = f'SELECT COUNT(*) AS n FROM "{table}" WHERE "{column}" = ?'
        if found := await session.value(sql, value):
            other = shapes.of_table(table)
            words = (other.record.label if found == 1 else other.record.label_plural).lower() if other else f"of {table.replace('_', ' ')}"
            counts[words] = counts.get(words, 0) + found
    return [f"{count} {words}" for words, count in counts.items()]


# ---- history -------------------------------------------------------------------------------------------------------------------------


def changes(fields: Fields, old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Old and new value of each field as JSON; numbers as text, secrets as stars, and nothing about fields that stay empty."""
    out = []
    for field in fields:
        before, after = old.get(field.name), new.get(field.name)
        if field.name not in new or ((before is None or before == "") and (after is None or after == "")):
            continue
        before, after = entered(field, before), entered(field, after)
        if field.secret:
            before, after = HIDDEN if before else "", HIDDEN if after else ""
        out.append({"field": field.name, "old": before, "new": after})
    return msgspec.json.encode(out).decode()


def event(session: Session, shape: Shape, id: int, action: str, what: str, context: Context) -> None:
    """Keep a row of the record's history for the next flush."""
    session.add(RecordEvent, kind=shape.name, record=id, at=context.now, user=context.user.login, source=context.source, action=action, changes=what)


async def make_stale(session: Session, shape: Shape) -> None:
    """Everybody loads the facts anew that hang on this record kind."""
    for name in shape.facts:
        await session.stale(name)


class Change(msgspec.Struct, frozen=True):
    """One field's old and new value, as people read them."""

    field: str
    label: str
    old: str
    new: str


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Who did what to a record, when."""

    id: int
    at: Any
    user: str
    source: str
    action: str
    changes: tuple[Change, ...] = ()


async def history(session: Session, shapes: Shapes, shape: Shape, id: int) -> list[Event]:
    """The events of a record, latest first; references by their titles, one query for each table."""
    rows = await session.fetch("SELECT * FROM record_event WHERE kind = ? AND record = ? ORDER BY id DESC", shape.name, id)
    decoded = [msgspec.json.decode(r["changes"]) if isinstance(r["changes"], str) else r["changes"] for r in rows]
    every = [c for row in decoded for c in row]
    names = await _names(session, shapes, shape.fields, every)
    hidden = {f.name for f in shapes[shape.name].fields if f.name not in shape.fields}

    def text(name: str, value: Any) -> str:
        field = shape.fields.by_name.get(name)
        if value is None or field is None:
            return "" if value is None else str(value)
        if field.type == "reference":
            return names.get((field.target, value), str(value))
        return dict(field.choices).get(value, str(value)) if field.choices else str(value)

    return [
        Event(
            id=r["id"], at=instant(r["at"]), user=r["user"], source=r["source"], action=r["action"],
            changes=tuple(
                Change(c["field"], shape.fields[c["field"]].label if c["field"] in shape.fields else c["field"],
                       text(c["field"], c["old"]), text(c["field"], c["new"]))
                for c in found
                if c["field"] not in hidden
            ),
        )
        for r, found in zip(rows, decoded, strict=True)
    ]  # fmt: skip


async def _names(session: Session, shapes: Shapes, fields: Fields, every: Iterable[dict[str, Any]]) -> dict[tuple[str, int], str]:
    wanted: dict[str, set[int]] = {}
    for change in every:
        field = fields.by_name.get(change["field"])
        if field is not None and field.type == "reference":
            wanted.setdefault(field.target, set()).update(v for v in (change["old"], change["new"]) if v is not None)
    out: dict[tuple[str, int], str] = {}
    for table, ids in wanted.items():
        out |= {(table, id): title for id, title in (await read.titles(session, shapes, table, ids)).items()}
    return out
