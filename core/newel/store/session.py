"""The unit of work: one transaction, ids in blocks, rows collected and written once, and SQL that is the same text on both databases.

In SQL handed to a session, `?` stands for a parameter, `= ANY(?)` takes a list, and `FOR UPDATE` keeps out who changes a
row; it is dropped on SQLite, where the one write transaction locks everything already, and in sessions that only read.
"""

from __future__ import annotations

import itertools
import re
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import date, datetime
from functools import lru_cache
from typing import Any, TypeVar

import asyncpg
import msgspec
from piccolo.table import Table

from newel.store.caches import FactCache, Ids
from newel.store.engine import DEFERRED, IMMEDIATE, PooledSQLite, Postgres, nested
from newel.store.replica import Replica, reading
from newel.store.rows import columns_of, defaults_of, insert, inserts

T = TypeVar("T")
BLOCK = 1000
LISTS = frozenset({list, tuple})
_JSON = msgspec.json.Encoder()
LATE = frozenset({"document_event", "outbox"})


@lru_cache(maxsize=2048)
def _for_sqlite(sql: str, single: bool = False) -> str:
    return sql.replace("= ANY(?)", "= ?" if single else "IN (SELECT value FROM json_each(?))").replace(" FOR UPDATE", "")


@lru_cache(maxsize=2048)
def _for_postgres(sql: str) -> str:
    count = itertools.count(1)
    sql = sql.replace(" FOR UPDATE", " FOR NO KEY UPDATE")  # whoever refers to a locked row by its key, such as a customer's next order, need not wait
    return re.sub(r"'[^']*'|\?", lambda m: f"${next(count)}" if m.group() == "?" else m.group(), sql)


def passing(error: BaseException) -> bool:
    """Whether somebody else got in between, so that the whole transaction may be tried again: a deadlock, a lock, or the same new row twice."""
    if isinstance(error, (asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError, asyncpg.SerializationError)):
        return True
    if isinstance(error, sqlite3.IntegrityError):
        return "UNIQUE" in str(error)
    return isinstance(error, sqlite3.OperationalError) and ("locked" in str(error) or "busy" in str(error))


def unavailable(error: BaseException) -> bool:
    """Whether the database can't work: it is full, read-only, stopped, or not to be reached. Nothing is wrong with what was asked of it."""
    if isinstance(error, sqlite3.OperationalError):
        return any(words in str(error) for words in ("is full", "readonly", "disk I/O", "unable to open"))
    return isinstance(
        error,
        asyncpg.InsufficientResourcesError | asyncpg.ReadOnlySQLTransactionError | asyncpg.PostgresConnectionError | asyncpg.OperatorInterventionError
        | asyncpg.InterfaceError | ConnectionError,
    )  # fmt: skip


class Session:
    """One transaction on one database. Made by Database.read() and Database.write() only."""

    def __init__(self, engine: Any, ids: Ids, cache: FactCache, write: bool) -> None:
        self.engine, self.ids, self._cache, self.writable = engine, ids, cache, write
        self.sqlite = engine.engine_type == "sqlite"
        self.statements = 0
        self._rows: dict[type[Table], list[tuple[Any, ...]]] = {}
        self._versions: dict[str, int] | None = None
        self._bumped: set[str] = set()
        self.after_commit: list[Callable[[], Any]] = []
        self.work: list[int] = []  # ids of what a worker will have to do

    # ---- SQL -------------------------------------------------------------------------------------------------------------------

    async def fetch(self, sql: str, *args: Any) -> list[Any]:
        """Rows as mappings by column name. Numbers are scaled integers, as stored."""
        self.statements += 1
        if self.sqlite:
            single = {len(a) for a in args if type(a) in LISTS} == {1}  # most often it is one document, and needs no list
            values = [(a[0] if single else _JSON.encode(a).decode()) if type(a) in LISTS else a for a in args]
            return await self.engine.run_sql(_for_sqlite(sql, single), values)  # type: ignore[no-any-return]
        if not self.writable:  # a preview looks at what an action would lock
            sql = sql.replace(" FOR UPDATE", "")
        return await self.engine.run_sql(_for_postgres(sql), [list(a) if type(a) is tuple else a for a in args])  # type: ignore[no-any-return]

    async def one(self, sql: str, *args: Any) -> Any | None:
        """The first row, or None."""
        rows = await self.fetch(sql, *args)
        return rows[0] if rows else None

    async def value(self, sql: str, *args: Any) -> Any:
        """The first column of the first row, or None."""
        row = await self.one(sql, *args)
        return None if row is None else next(iter(row.values()))

    async def many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """The same UPDATE or DELETE for many rows, as one round trip."""
        if not rows:
            return
        self.statements += 1
        if self.sqlite:
            await self.engine.run_many(_for_sqlite(sql), rows)
        else:
            await self.engine.current_transaction.get().connection.executemany(_for_postgres(sql), rows)

    # ---- writing ---------------------------------------------------------------------------------------------------------------

    async def need(self, count: int) -> None:
        """Make sure that `count` ids can be taken without another question to the database."""
        missing = count - self.ids.left
        if missing <= 0:
            return
        blocks = -(-missing // BLOCK)
        if self.sqlite:
            end = await self.value("UPDATE newel_id SET next = next + ? RETURNING next", blocks * BLOCK)
            self.ids.put(end - blocks * BLOCK, end)
        else:
            for row in await self.fetch("SELECT nextval('newel_id') AS n FROM generate_series(1, ?)", blocks):
                self.ids.put(row["n"], row["n"] + BLOCK)

    def id(self) -> int:
        """A fresh id; call need() before making many."""
        return self.ids.take()

    def add(self, table: type[Table], **values: Any) -> int:
        """Keep a row for the next flush. Returns its id (a fresh one unless given)."""
        if "id" not in values:
            values["id"] = self.ids.take()
        defaults = defaults_of(table)
        row = defaults | values  # in the order of the columns
        if len(row) > len(defaults):
            raise TypeError(f"{table._meta.tablename} has no column {', '.join(sorted(values.keys() - defaults.keys()))}")
        self._rows.setdefault(table, []).append(tuple(row.values()))
        return values["id"]  # type: ignore[no-any-return]

    async def flush(self, last: bool = False) -> None:
        """Write all rows kept so far: one statement for each table, in the order in which tables were first used.

        Args:
            last: also those that nobody reads in their own transaction (LATE): once, before the commit.
        """
        early, late = ([table for table in self._rows if (table._meta.tablename in LATE) is after] for after in (False, True))
        rows = {table: self._rows.pop(table) for table in (*early, *(late if last else ()))}  # the late ones refer to what was added after them
        for table, values in rows.items():
            if table._meta.tablename in ("outbox", "job"):
                self.work += [row[columns_of(table).index("id")] for row in values]
            if self.sqlite:
                self.statements += 1
                await self.engine.run_many(insert(table, True), values)
        if rows and not self.sqlite:
            self.statements += 1
            await self.engine.run_sql(_for_postgres(inserts(tuple(rows))), [list(column) for values in rows.values() for column in zip(*values, strict=True)])

    async def update(self, table: type[Table], id: int, **values: Any) -> None:
        """Change columns of one row."""
        sets = ", ".join(f'"{c}" = ?' for c in values)
        await self.fetch(f'UPDATE "{table._meta.tablename}" SET {sets} WHERE "id" = ?', *values.values(), id)

    def nested(self) -> Any:
        """A savepoint: what is inside either happens or not, the rest of the transaction goes on."""
        return nested(self.engine)

    # ---- facts -----------------------------------------------------------------------------------------------------------------

    async def cached(self, name: str, load: Callable[[Session], Awaitable[T]]) -> T:
        """Facts that change rarely: from the process where their version is still the stored one, else loaded anew.

        Args:
            name: as in RecordKind.facts; changing such a record moves the version in the same transaction.
            load: async function(session) -> frozen struct.
        """
        if self._versions is None:
            self._versions = {r["name"]: r["version"] for r in await self.fetch("SELECT name, version FROM fact_version")}
        if name in self._bumped:  # not committed yet: never into the cache
            return await load(self)
        version = self._versions.get(name, 0)
        kept = self._cache.values.get(name)
        if kept is not None and kept[0] == version:
            return kept[1]  # type: ignore[no-any-return]
        value = await load(self)
        self._cache.values[name] = (version, value)
        return value

    async def stale(self, name: str) -> None:
        """Facts of this name have changed: everybody loads them anew after the commit."""
        if not name or name in self._bumped:
            return
        self._bumped.add(name)
        await self.fetch("INSERT INTO fact_version (name, version) VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET version = fact_version.version + 1", name)


async def _left_clean(_connection: object) -> None:
    """A session leaves nothing on its connection but a transaction that has ended: asking the server to forget is a round trip for nothing."""


class Database:
    """The engine with its ids and caches. url: sqlite:///path, or postgresql://user:password@host/name."""

    def __init__(self, url: str, **options: Any) -> None:
        self.url = url
        self.ids, self.cache = Ids(), FactCache()
        self.pool: dict[str, Any] = {}
        self.replica: Replica | None = None
        self.carry: Callable[[list[int]], None] | None = None  # told of new work after each commit
        self.engine: Any
        if url.startswith("sqlite:///"):
            self.engine = PooledSQLite(url.removeprefix("sqlite:///"), inline=options.pop("inline", True), **options)
        elif url.startswith(("postgresql://", "postgres://")):
            self.pool = {"min_size": 1, "max_size": options.pop("connections", 10), "reset": _left_clean, "server_settings": {"jit": "off"}}
            self.engine = Postgres({"dsn": url})
        else:
            raise ValueError(f"database must be sqlite:///path or postgresql://..., got {url!r}")

    @property
    def sqlite(self) -> bool:
        """True on SQLite."""
        return bool(self.engine.engine_type == "sqlite")

    async def open(self) -> None:
        """Open the kept-open connections."""
        await self.engine.start_connection_pool(**self.pool)
        if self.replica:
            await self.replica.open()

    async def close(self) -> None:
        """Close all connections."""
        if self.replica:
            await self.replica.close()
        await self.engine.close_connection_pool()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Session]:
        """A write transaction; committed at the end, rolled back by any exception."""
        session = Session(self.engine, self.ids, self.cache, True)
        try:
            async with self.engine.transaction(IMMEDIATE) if self.sqlite else self.engine.transaction():
                await session.need(200)
                yield session
                await session.flush(last=True)
        except BaseException:
            if self.sqlite:
                self.ids.drop()
            raise
        if current := reading.get():
            current.wrote = True
        if self.carry and session.work:
            self.carry(session.work)
        for done in session.after_commit:
            done()

    def read(self) -> AbstractAsyncContextManager[Session]:
        """A read-only transaction: one moment of the data; of the replica where there is one and the request may read from it."""
        return self.replica.read() if self.replica else self.plain_read()

    @asynccontextmanager
    async def plain_read(self) -> AsyncIterator[Session]:
        """A read-only transaction on this very database."""
        async with self.engine.transaction(DEFERRED) if self.sqlite else self.engine.transaction(isolation="repeatable_read", readonly=True):
            yield Session(self.engine, self.ids, self.cache, False)


def day(value: Any) -> date | None:
    """A stored date as a date; both databases give one, raw SQLite expressions give text."""
    return date.fromisoformat(value) if isinstance(value, str) else value


def instant(value: Any) -> datetime | None:
    """A stored instant as an aware datetime."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def rows_by(rows: Iterable[Any], key: str) -> dict[Any, list[Any]]:
    """Rows grouped by a column."""
    out: dict[Any, list[Any]] = {}
    for row in rows:
        out.setdefault(row[key], []).append(row)
    return out


def narrowed(sql: str, args: list[Any], parameters: Mapping[str, Any], columns: Mapping[str, str]) -> tuple[str, list[Any]]:
    """Add the conditions of the parameters that are given. columns: parameter -> "column operator"."""
    for name, condition in columns.items():
        if parameters.get(name) not in (None, ""):
            sql, args = f"{sql} AND {condition} ?", [*args, parameters[name]]
    return sql, args
