"""Rows into tables that are there: all or none, as fast as the database takes them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import asyncpg
from newel.errors import NewelError
from newel.store.session import Database, Session

from newel_ops.tables import Adder, Sum, Table, lines_of

if TYPE_CHECKING:
    from newel_ops.databases import Source

Tell = Callable[[str, int], Any]  # told (table, rows so far)
FOREIGN_KEYS = """
SELECT conrelid::regclass::text AS "table", quote_ident(conname) AS name, pg_get_constraintdef(oid) AS definition FROM pg_constraint
 WHERE contype = 'f' AND connamespace = current_schema()::regnamespace ORDER BY conrelid, conname
"""
# What a constraint needs stays.
SQLITE_INDEXES = "SELECT tbl_name AS \"table\", '\"' || name || '\"' AS name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
POSTGRESQL_INDEXES = """
SELECT t.relname::text AS "table", indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS sql
  FROM pg_index JOIN pg_class t ON t.oid = indrelid AND t.relnamespace = current_schema()::regnamespace
 WHERE NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
"""


async def load_rows(session: Session, source: Source, here: dict[str, Table], tell: Tell | None = None) -> dict[str, Sum]:
    """Add the rows of a source to tables that are made alike, and check that what they refer to is there.

    On SQLite the caller has switched the check of references off, which can't be done inside a transaction.
    """
    for table in source.tables.values():
        made = here[table.name].columns if table.name in here else {}
        if made != table.columns:
            odd = ", ".join(sorted({name for name, _ in made.items() ^ table.columns.items()}))
            raise NewelError(f"table {table.name} is not made alike by the installed migrations ({odd}): install the release that the data comes from")
    keys = [] if session.sqlite else await session.fetch(FOREIGN_KEYS)
    for key in keys:  # so that the order of tables and of rows that refer to each other does not matter
        await session.fetch(f"ALTER TABLE {key['table']} DROP CONSTRAINT {key['name']}")
    indexes = await _without_indexes(session, source.tables)
    sums = {}
    for table in source.tables.values():
        sums[table.name] = await _load(session, source, table, tell)
    for sql in indexes:
        await session.fetch(sql)
    try:
        for key in keys:
            await session.fetch(f"ALTER TABLE {key['table']} ADD CONSTRAINT {key['name']} {key['definition']}")
    except asyncpg.ForeignKeyViolationError as error:
        raise NewelError(f"rows refer to rows that are not there, nothing was changed: {error}") from error
    if session.sqlite and (broken := await session.fetch("PRAGMA foreign_key_check")):
        raise NewelError(f"rows refer to rows that are not there, nothing was changed: {broken[:3]}")
    return sums


async def _without_indexes(session: Session, tables: Iterable[str]) -> list[str]:
    """Put the indexes of these tables aside: made once at the end they cost half of what they cost row by row. Returns what makes them anew."""
    found = await session.fetch(SQLITE_INDEXES if session.sqlite else POSTGRESQL_INDEXES)
    aside = [index for index in found if index["table"] in tables]
    for index in aside:
        await session.fetch(f"DROP INDEX {index['name']}")
    return [index["sql"] for index in aside]


async def _load(session: Session, source: Source, table: Table, tell: Tell | None) -> Sum:
    known, adder, rows_done = source.sums.get(table.name), Adder(), 0
    async for rows in source.pages(table):
        if known is None:
            adder.add(lines_of(table, rows))
        await _write(session, table, rows)
        rows_done += len(rows)
        if tell:
            tell(table.name, rows_done)
    return known or adder.sum


@asynccontextmanager
async def unchecked(database: Database) -> AsyncIterator[Session]:
    """A write transaction in which references may be broken until its end; whoever uses it checks them."""
    if database.sqlite:  # only outside a transaction
        await database.engine.run_sql("PRAGMA foreign_keys=0")
    try:
        async with database.engine.transaction():
            session = Session(database.engine, database.ids, database.cache, True)
            yield session
            await session.flush()
    finally:
        if database.sqlite:
            await database.engine.run_sql("PRAGMA foreign_keys=1")


async def _write(session: Session, table: Table, rows: list[tuple[Any, ...]]) -> None:
    if session.sqlite:
        names, marks = ", ".join(f'"{c}"' for c in table.columns), ", ".join("?" * len(table.columns))
        await session.many(f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})', rows)
    else:
        connection = session.engine.current_transaction.get().connection
        await connection.copy_records_to_table(table.name, records=rows, columns=list(table.columns))
