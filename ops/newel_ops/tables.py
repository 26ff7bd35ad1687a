"""What a database holds, read from its own catalogue: tables with columns of six portable types, rows in pages, and a checksum of each table.

The catalogue and not the plugins: the tables of a plugin that is switched off or gone belong to the data like all others. What a database makes itself
out of the rows (indexes for full-text search, generated columns) is no data: each makes its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any, NoReturn

import msgspec
from newel.errors import NewelError
from newel.store.session import Session

PAGE = 5000
ALLOCATOR = "newel_id"  # a table on SQLite, a sequence on PostgreSQL: the ids' allocator is state of its own
MODULUS = 2**256
TYPES = {
    "bigint": "integer", "integer": "integer", "varchar": "text", "character varying": "text", "text": "text", "boolean": "boolean", "date": "date",
    "timestamptz": "instant", "timestamp with time zone": "instant", "json": "json",
}  # fmt: skip
SQLITE_COLUMNS = """
SELECT m.name AS table_name, c.name, lower(c.type) AS type, c.pk FROM sqlite_master m JOIN pragma_table_info(m.name) c
 WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite!_%' ESCAPE '!' AND NOT EXISTS (
   SELECT 1 FROM sqlite_master v WHERE v.sql LIKE 'CREATE VIRTUAL TABLE%' AND (m.name = v.name OR substr(m.name, 1, length(v.name) + 1) = v.name || '_'))
 ORDER BY m.name, c.name
"""
POSTGRESQL_COLUMNS = """
SELECT t.relname::text AS table_name, a.attname::text AS name, format_type(a.atttypid, NULL) AS type,
       COALESCE(array_position(i.indkey::int[], a.attnum::int), -1) + 1 AS pk
  FROM pg_class t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
  LEFT JOIN pg_index i ON i.indrelid = t.oid AND i.indisprimary
 WHERE t.relkind = 'r' AND t.relnamespace = current_schema()::regnamespace ORDER BY t.relname, a.attname
"""


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A table. columns: name -> integer, text, boolean, date, instant or json, by name; key: columns of its primary key, in order."""

    name: str
    columns: dict[str, str]
    key: tuple[str, ...] = ()


class Sum(msgspec.Struct, frozen=True, kw_only=True):
    """What a table comes to. sha256: of its rows in any order; the same on both databases."""

    rows: int
    sha256: str


class Adder:
    """Adds up the hashes of rows: the order in which a database gives them does not count, how often it gives one does."""

    def __init__(self) -> None:
        self.rows, self._total = 0, 0

    def add(self, lines: Iterable[bytes]) -> None:
        """Count rows, each as line_of() writes it."""
        for line in lines:
            self.rows += 1
            self._total += int.from_bytes(hashlib.sha256(line).digest())

    @property
    def sum(self) -> Sum:
        """What was added so far."""
        return Sum(rows=self.rows, sha256=f"{self._total % MODULUS:064x}")


async def tables_of(session: Session) -> dict[str, Table]:
    """All tables of the database by name, without the allocator of ids.

    Raises:
        NewelError: a column of a type that is none of Newel's; names it.
    """
    found: dict[str, list[Any]] = {}
    for row in await session.fetch(SQLITE_COLUMNS if session.sqlite else POSTGRESQL_COLUMNS):
        found.setdefault(row["table_name"], []).append(row)
    return {name: _table(name, rows) for name, rows in found.items() if name != ALLOCATOR}


def _table(name: str, rows: list[Any]) -> Table:
    columns = {}
    for r in sorted(rows, key=lambda r: r["name"]):
        kind = TYPES.get(str(r["type"]).partition("(")[0].strip())
        if kind is None:
            raise NewelError(f"table {name}, column {r['name']}: type {r['type']!r} is none of Newel's ({', '.join(TYPES)}); it can't be copied")
        columns[r["name"]] = kind
    return Table(name=name, columns=columns, key=tuple(r["name"] for r in sorted(rows, key=lambda r: r["pk"]) if r["pk"]))


async def pages(session: Session, table: Table) -> AsyncIterator[list[tuple[Any, ...]]]:
    """All rows in pages, values in the order of `table.columns`; no more than a page is in memory."""
    names = ", ".join(f'"{name}"' for name in table.columns)
    if len(table.key) != 1:
        if rows := await session.fetch(f'SELECT {names} FROM "{table.name}"'):
            yield [tuple(r.values()) for r in rows]
        return
    key, at = table.key[0], list(table.columns).index(table.key[0])
    order, last = f'ORDER BY "{key}" LIMIT {PAGE}', None
    while True:
        if last is None:
            rows = await session.fetch(f'SELECT {names} FROM "{table.name}" {order}')
        else:
            rows = await session.fetch(f'SELECT {names} FROM "{table.name}" WHERE "{key}" > ? {order}', last)
        if rows:
            yield [tuple(r.values()) for r in rows]
        if len(rows) < PAGE:
            return
        last = list(rows[-1].values())[at]


def lines_of(table: Table, rows: Iterable[Sequence[Any]]) -> list[bytes]:
    """Rows as they stand in a backup and are hashed: a JSON array each, instants in UTC, whole numbers as such.

    Raises:
        NewelError: a value that is not of its column's type, as SQLite would let one in; names table and column.
    """
    instants = [i for i, kind in enumerate(table.columns.values()) if kind == "instant"]
    known: set[tuple[type, ...]] = set()
    out, encode = [], msgspec.json.encode
    for row in rows:
        types = tuple(map(type, row))
        if types not in known:  # a handful for a table: looking at each value of each row would take most of the time
            _check(table, row)
            known.add(types)
        if instants and any(row[i] is not None and row[i].tzinfo is not UTC for i in instants):
            out.append(encode([_utc(table, row, v) if i in instants and v is not None else v for i, v in enumerate(row)]))
        else:
            out.append(encode(row))
    return out


def _check(table: Table, row: Sequence[Any]) -> None:
    for (name, kind), value in zip(table.columns.items(), row, strict=True):
        if value is not None and type(value) is not KINDS[kind]:
            _refuse(table, name, row, value)


def _utc(table: Table, row: Sequence[Any], value: datetime) -> datetime:
    if value.tzinfo is None:
        _refuse(table, next(n for n, v in zip(table.columns, row, strict=True) if v is value), row, value)
    return value.astimezone(UTC)


def _refuse(table: Table, name: str, row: Sequence[Any], value: Any) -> NoReturn:
    raise NewelError(f"table {table.name}, column {name}: expected {table.columns[name]}, got {value!r}; the row is {tuple(row)!r:.200}")


def rows_of(table: Table, lines: Iterable[bytes]) -> list[tuple[Any, ...]]:
    """The rows that lines_of() wrote.

    Raises:
        ValidationError: a value that is not of its column's type.
    """
    decoder = msgspec.json.Decoder(tuple[tuple(KINDS[kind] | None for kind in table.columns.values())])  # type: ignore[misc]
    return [decoder.decode(line) for line in lines]


async def sums_of(session: Session, tables: Iterable[Table]) -> dict[str, Sum]:
    """The checksum of each table."""
    out = {}
    for table in tables:
        adder = Adder()
        async for rows in pages(session, table):
            adder.add(lines_of(table, rows))
        out[table.name] = adder.sum
    return out


KINDS = {"integer": int, "text": str, "json": str, "boolean": bool, "date": date, "instant": datetime}
