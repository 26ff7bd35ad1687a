"""Reading records: pages, pickers, titles. Never a query for each row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from newel.domain.context import Context
from newel.errors import Problem, Refused, missing
from newel.services.fields import encode
from newel.services.shapes import Shape, Shapes
from newel.services.values import FieldView, decode_one, entered
from newel.store.session import Session

MOST = 200
RANGES = {"__from": ">=", "__to": "<="}
RANGED = ("integer", "decimal", "date", "instant")


class Page(msgspec.Struct, frozen=True):
    """Some rows of a list, and how many there are in all. A reference `x` comes with `x__title`."""

    rows: list[dict[str, Any]]
    total: int


# ---- conditions ----------------------------------------------------------------------------------------------------------------------


def _small(text: str) -> str:
    """What lower() of a database does that knows no letters but A to Z."""
    return "".join(c.lower() if c.isascii() else c for c in text)


def containing(names: Sequence[str], text: str) -> tuple[str, list[Any]]:
    """Condition: one of the columns contains the text in any case. Databases differ in what they take for letters: ask for all cases."""
    variants = sorted({_small(v) for v in (text, text.lower(), text.upper(), text.title())})
    patterns = [f"%{escaped(v)}%" for v in variants]
    condition = " OR ".join(f"lower(\"{n}\") LIKE ? ESCAPE '!'" for n in names for _ in patterns)
    return f"({condition})", patterns * len(names)


def starting(session: Session, names: Sequence[str], text: str) -> tuple[str, list[Any]]:
    """Condition: one of the columns starts with the text; in a form that an index serves."""
    variants = sorted({text, text.lower(), text.upper(), text.title()})
    if session.sqlite:
        patterns = ["".join(f"[{c}]" if c in "*?[" else c for c in v) + "*" for v in variants]
        condition = " OR ".join(f'"{n}" GLOB ?' for n in names for _ in patterns)
    else:
        patterns = [escaped(v) + "%" for v in variants]
        condition = " OR ".join(f"\"{n}\" LIKE ? ESCAPE '!'" for n in names for _ in patterns)
    return f"({condition})", patterns * len(names)


def escaped(text: str) -> str:
    """A text as part of a pattern of LIKE ... ESCAPE '!'."""
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")


def _filtered(shape: Shape, filters: Mapping[str, Any]) -> tuple[list[str], list[Any]]:
    conditions, args, problems = [], [], []
    for name, value in filters.items():
        if value in ("", None):
            continue
        suffix = next((s for s in RANGES if name.endswith(s)), "")
        field = shape.fields.by_name.get(name.removesuffix(suffix))
        if field is None or field.secret or field.type == "json" or (suffix and field.type not in RANGED):
            problems.append(
                Problem(code="list.filter", message=f"the list can't be filtered by {name!r:.60}", where=name[:60], hint="choose a field of the list")
            )
            continue
        try:
            args.append(_filter_value(field, value))
        except ValueError as error:
            problems.append(error.args[0])
            continue
        conditions.append(f'"{field.name}" {RANGES.get(suffix, "=")} ?')
    if problems:
        raise Refused(*problems)
    return conditions, args


def _filter_value(field: FieldView, value: Any) -> Any:
    """Filters come from addresses of pages: references are ids written as text. Bounds of the field don't matter here."""
    if field.type == "reference" and isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    found = decode_one(msgspec.structs.replace(field, minimum=None, maximum=None, length=0), value)
    if field.type == "reference" and not isinstance(found, int):
        raise ValueError(Problem(code="list.filter", message=f"{field.label} is chosen by id", where=field.name, hint="enter the id"))
    return found


def _order(shapes: Shapes, shape: Shape, sort: str) -> str:
    down = sort.startswith("-")
    name = sort.removeprefix("-") or shape.order
    field = shape.fields.by_name.get(name)
    if name != "id" and (field is None or field.secret or field.type == "json"):
        hint = f"sort by one of {', '.join(f.name for f in shape.fields if not f.secret)}"
        raise Refused(Problem(code="list.sort", message=f"the list can't be sorted by {name!r:.60}", where="sort", hint=hint))
    column, way = f'"{shape.table}"."{name}"', "DESC" if down else "ASC"
    other = shapes.of_table(field.target) if field and field.type == "reference" else None
    if other and other.order != "id":
        column = f'(SELECT r."{other.order}" FROM "{other.table}" r WHERE r."id" = {column})'
    nulls = f"{column} IS NULL, " if field and field.null else ""
    return f'{nulls}{column} {way}, "{shape.table}"."id" {way}'


# ---- reading -------------------------------------------------------------------------------------------------------------------------


async def page(
    session: Session, shapes: Shapes, shape: Shape, context: Context, search: str, filters: Mapping[str, Any], sort: str, number: int, size: int
) -> Page:
    """One page of a list."""
    condition, args = shape.visible(context)
    conditions, more = _filtered(shape, filters)
    where, values = [condition, *conditions], [*args, *more]
    if search.strip() and shape.record.search:
        condition, args = containing(shape.record.search, search.strip()[:100])
        where.append(condition)
        values += args
    text = " AND ".join(where)
    total = await session.value(f'SELECT COUNT(*) AS n FROM "{shape.table}" WHERE {text}', *values)
    sql = f'SELECT {shape.columns} FROM "{shape.table}" WHERE {text} ORDER BY {_order(shapes, shape, sort)} LIMIT ? OFFSET ?'
    found = await session.fetch(sql, *values, size, (max(number, 1) - 1) * size)
    rows = [encode(shape.fields, r) for r in found]
    await add_titles(session, shapes, shape, rows)
    return Page(rows, total)


async def one(session: Session, shape: Shape, id: int, context: Context, lock: bool = False) -> dict[str, Any]:
    """A stored row, if it is there and visible; Refused 404 else."""
    condition, args = shape.visible(context)
    sql = f'SELECT {shape.columns} FROM "{shape.table}" WHERE "id" = ? AND {condition}'
    row = await session.one(sql + (" FOR UPDATE" if lock else ""), id, *args)
    if row is None:
        raise missing(shape.record.label.lower(), id, "id")
    return dict(row)


async def add_titles(session: Session, shapes: Shapes, shape: Shape, rows: Sequence[dict[str, Any]]) -> None:
    """Put `<reference>__title` into the rows: one query for each table referred to."""
    wanted: dict[str, set[int]] = {}
    references = [f for f in shape.fields if f.type == "reference"]
    for field in references:
        wanted.setdefault(field.target, set()).update(r[field.name] for r in rows if r.get(field.name) is not None)
    found = {table: await titles(session, shapes, table, ids) for table, ids in wanted.items() if ids}
    for row in rows:
        for field in references:
            row[f"{field.name}__title"] = found.get(field.target, {}).get(row.get(field.name) or 0, "")


async def titles(session: Session, shapes: Shapes, table: str, ids: Iterable[int], depth: int = 2) -> dict[int, str]:
    """What to call rows of a table, by id."""
    shape = shapes.of_table(table)
    if shape is None:  # not a record: a document, or a table that a plugin keeps to itself
        sql = "SELECT id, number FROM document WHERE id = ANY(?)"
        return {r["id"]: r["number"] for r in await session.fetch(sql, sorted(ids))} if table == "document" else {}
    columns = [c for c in shape.record.title if c in shape.fields]
    names = ", ".join(f'"{c}"' for c in ("id", *columns))
    rows = await session.fetch(f'SELECT {names} FROM "{table}" WHERE "id" = ANY(?)', sorted(ids))
    return await _called(session, shapes, shape, [dict(r) for r in rows], columns, depth)


async def _called(session: Session, shapes: Shapes, shape: Shape, rows: list[dict[str, Any]], columns: list[str], depth: int) -> dict[int, str]:
    """The titles of rows, which have at least their title columns; a title may name other records."""
    for name in columns:
        field = shape.fields[name]
        if field.type == "reference":
            inner = {r[name] for r in rows if r[name] is not None}
            texts = await titles(session, shapes, field.target, inner, depth - 1) if inner and depth else {}
            for row in rows:
                row[name] = texts.get(row[name], "")
        else:
            for row in rows:
                row[name] = entered(field, row[name])
    return {r["id"]: " ".join(str(r[c]) for c in columns if r[c] not in (None, "")) for r in rows}


async def options(
    session: Session, shapes: Shapes, shape: Shape, text: str, context: Context, limit: int, party: int | None = None
) -> list[tuple[int, str, str]]:
    """(id, title, code) of what somebody may mean by a text: those whose first column starts with it, then those that contain all its words.

    Before both: what another number stands for (RecordKind.alias), of everybody or of the party.
    """
    condition, args = shape.visible(context)
    if "active" in shape.fields:
        condition += ' AND "active" = true'
    text, limit = text.strip()[:100], min(max(limit, 1), MOST)
    names = list(dict.fromkeys(["id", *[c for c in shape.record.title if c in shape.fields], *([shape.key] if shape.key else [])]))
    listed = ", ".join(f'"{n}"' for n in names)
    sql = f'SELECT {listed} FROM "{shape.table}" WHERE {condition}'
    order = f' ORDER BY "{shape.order}", "id" LIMIT ?'
    looked = [c for c in (shape.record.search or shape.record.title) if c in shape.fields and shape.fields[c].type in ("text", "longtext")]
    rows: list[dict[str, Any]] = []
    if text and looked:
        if ids := await _aliased(session, shapes, shape, text, context, limit, party):
            rows = [dict(r) for r in await session.fetch(f'{sql} AND "id" = ANY(?){order}', *args, ids, limit)]
        start, start_args = starting(session, looked[:2], text)
        have = {r["id"] for r in rows}
        rows += [dict(r) for r in await session.fetch(f"{sql} AND {start}{order}", *args, *start_args, limit) if r["id"] not in have]
    if not text or (looked and len(rows) < limit):
        words = [containing(looked, word) for word in text.split()[:8]]  # in any order
        inside, inside_args = " AND ".join(["1 = 1", *(condition for condition, _args in words)]), [a for _condition, args in words for a in args]
        have = {r["id"] for r in rows}
        more = await session.fetch(f"{sql} AND {inside}{order}", *args, *inside_args, limit)
        rows += [dict(r) for r in more if r["id"] not in have]
    rows = rows[:limit]
    codes = {r["id"]: r[shape.key] if shape.key else "" for r in rows}
    called = await _called(session, shapes, shape, rows, [c for c in shape.record.title if c in shape.fields], 2)
    return [(r["id"], called[r["id"]], codes[r["id"]]) for r in rows]


async def details(session: Session, shapes: Shapes, shape: Shape, ids: Sequence[int], context: Context) -> dict[int, str]:
    """What tells rows of one title apart (RecordKind.details), by id, as far as this user may see it: one query for each detail."""
    out: dict[int, dict[str, str]] = {id: {} for id in ids}
    for name in shape.record.details if ids else ():
        kind, _, column = name.rpartition(".")
        other = shapes[kind].seen(context) if kind else shape
        if column not in other.fields or not context.user.may(f"{other.name}.view"):
            continue
        key, (condition, args) = other.record.parent if kind else "id", other.visible(context)
        sql = f'SELECT "{key}" AS id, "{column}" AS said FROM "{other.table}" WHERE "{key}" = ANY(?) AND {condition} ORDER BY "{other.table}"."id" DESC'
        for r in await session.fetch(sql, list(ids), *args):  # the first one stays
            out[r["id"]][name] = str(entered(other.fields[column], r["said"]))
    return {id: " · ".join(filter(None, found.values())) for id, found in out.items()}


async def _aliased(session: Session, shapes: Shapes, shape: Shape, text: str, context: Context, limit: int, party: int | None) -> list[int]:
    """Ids of records that a text is another number of."""
    out: list[int] = []
    for other in shapes.all():
        if not other.record.alias or not other.record.search or (field := other.fields[other.record.alias]).target != shape.table:
            continue
        condition, args = other.visible(context)
        if "party" in other.fields:
            condition, args = f'{condition} AND ("party" IS NULL OR "party" = ?)', [*args, party or 0]
        start, start_args = starting(session, other.record.search[:1], text)
        sql = f'SELECT "{field.name}" AS id FROM "{other.table}" WHERE {condition} AND {start} ORDER BY "id" LIMIT ?'
        out += [r["id"] for r in await session.fetch(sql, *args, *start_args, limit)]
    return out
