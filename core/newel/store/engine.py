"""Engines: SQLite with one kept-open writer and N readers; PostgreSQL with a pool. Both refuse Decimal and float parameters.

Why not Piccolo's own SQLite engine: it opens a file for every statement outside a transaction, and its deferred transactions fail
under concurrency (docs/decisions/0001).
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import sqlite3
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import aiosqlite
from piccolo.engine.postgres import PostgresEngine, PostgresTransaction
from piccolo.engine.sqlite import SQLiteEngine, SQLiteTransaction, TransactionType, dict_factory

IMMEDIATE, DEFERRED = TransactionType.immediate, TransactionType.deferred
BAD = frozenset({Decimal, float})


def guard(args: Iterable[Any]) -> None:
    """SQLite stores a Decimal as a float; asyncpg cuts Decimal('5.25') to 5 for a BIGINT without a word."""
    kinds = set(map(type, args))
    if not BAD.isdisjoint(kinds):
        raise TypeError(f"{', '.join(sorted(kind.__name__ for kind in BAD & kinds))} parameter: numbers are scaled integers")


class Inline:
    """What Piccolo needs of an aiosqlite connection, run on the loop's thread: no thread hop, but it blocks the loop."""

    def __init__(self, c: sqlite3.Connection) -> None:
        self.c = c

    async def execute_fetchall(self, q: str, a: Sequence[Any] = ()) -> list[Any]:
        cursor = self.c.execute(q, a)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    async def execute(self, q: str, a: Sequence[Any] = ()) -> Any:
        return self.c.execute(q, a)

    async def executemany(self, q: str, rows: Iterable[Sequence[Any]]) -> Any:
        return self.c.executemany(q, rows)

    async def close(self) -> None:
        self.c.close()


class Transaction(SQLiteTransaction):
    """A transaction on the pool: a write transaction on the one writer, or (DEFERRED) a read transaction on one of the readers."""

    engine: Any
    done = False
    write = True

    async def __aenter__(self) -> Any:
        if self._parent is not None:
            if self.transaction_type is not DEFERRED and not getattr(self._parent, "write", True):
                raise RuntimeError("write transaction inside a read transaction")
            return self._parent
        self.write = self.transaction_type is not DEFERRED
        self.connection = await self.engine.take(self.write)
        try:
            await self.begin()  # type: ignore[no-untyped-call]
        except BaseException:
            with contextlib.suppress(sqlite3.Error):  # it may have begun all the same
                await self.rollback()  # type: ignore[no-untyped-call]
            self.engine.give(self.write, self.connection)
            raise
        self.context = self.engine.current_transaction.set(self)
        return self

    async def __aexit__(self, kind: Any, error: Any, trace: Any) -> bool:
        if self._parent:
            return error is None
        try:
            if error:
                if not self._rolled_back:
                    with contextlib.suppress(sqlite3.Error):  # SQLite itself has rolled back where the disk is full
                        await self.rollback()  # type: ignore[no-untyped-call]
            elif not self._committed and not self._rolled_back:
                try:
                    await self.commit()  # type: ignore[no-untyped-call]
                except BaseException:
                    with contextlib.suppress(sqlite3.Error):
                        await self.rollback()  # type: ignore[no-untyped-call]
                    raise
        finally:
            self.done = True
            self.engine.give(self.write, self.connection)
            self.engine.current_transaction.reset(self.context)
        return error is None


class PooledSQLite(SQLiteEngine):
    """transaction() is a write transaction (BEGIN IMMEDIATE) unless DEFERRED is asked for, which runs on a reader.

    Args:
        readers: connections for reading, beside the one that writes.
        inline: run SQLite on the loop's own thread; right for the embedded default, since a hop costs more than most statements.
        synchronous: FULL for books; NORMAL may lose the last commits at a power loss.
    """

    def __init__(self, path: str, *, readers: int = 3, inline: bool = False, synchronous: str = "FULL", busy_ms: int = 30_000) -> None:
        self.readers, self.inline, self.started = readers, inline, False
        # 32 MB of pages for each connection, and 16 MB of log before it is copied: a company of a million lines is twice as fast.
        room = ("temp_store=MEMORY", "cache_size=-32000", "wal_autocheckpoint=4000")
        self.pragmas = ("journal_mode=WAL", f"synchronous={synchronous}", f"busy_timeout={busy_ms}", "foreign_keys=1", *room)
        super().__init__(path=path, cached_statements=512)

    async def _open(self, *extra: str) -> Any:
        if self.inline:
            connection: Any = Inline(sqlite3.connect(**self.connection_kwargs))
        else:
            connection = await aiosqlite.connect(**self.connection_kwargs)
            connection.row_factory = dict_factory
        for pragma in (*self.pragmas, *extra):
            await connection.execute("PRAGMA " + pragma)
        return connection

    async def start_connection_pool(self, **_: Any) -> None:
        self._writer, self._lock = await self._open(), asyncio.Lock()
        self._free: asyncio.Queue[Any] = asyncio.Queue()
        self._all = [await self._open("query_only=1") for _ in range(self.readers)]
        for connection in self._all:
            self._free.put_nowait(connection)
        self.started = True

    async def close_connection_pool(self) -> None:
        self.started = False
        for connection in (self._writer, *self._all):
            await connection.close()

    async def take(self, write: bool) -> Any:
        """The writer (waiting for its turn) or a free reader."""
        if not write:
            return await self._free.get()
        await self._lock.acquire()
        return self._writer

    def give(self, write: bool, connection: Any) -> None:
        """Give back what take() gave."""
        if write:
            self._lock.release()
        else:
            self._free.put_nowait(connection)

    async def run_sql(self, q: str, a: Sequence[Any] = ()) -> list[Any]:
        """One statement, in the current transaction if there is one."""
        guard(a)
        if not self.started:
            return list(await self._run_in_new_connection(q, list(a)))
        current: Any = self.current_transaction.get()
        if current is not None:
            if current.done:
                raise RuntimeError("this task inherited a transaction that has ended")
            return list(await current.connection.execute_fetchall(q, a))
        write = not q.lstrip()[:6].upper().startswith("SELECT")
        connection = await self.take(write)
        try:
            return list(await connection.execute_fetchall(q, a))
        finally:
            self.give(write, connection)

    async def run_many(self, q: str, rows: Sequence[Sequence[Any]]) -> None:
        """One statement for many rows, inside a transaction."""
        guard(itertools.chain.from_iterable(rows))
        current: Any = self.current_transaction.get()
        if current is None or current.done:
            raise RuntimeError("run_many wants an open transaction")
        await current.connection.executemany(q, rows)

    async def run_querystring(self, querystring: Any, in_pool: bool = True) -> Any:
        return await self.run_sql(*querystring.compile_string(engine_type="sqlite"))

    async def run_ddl(self, ddl: str, in_pool: bool = True) -> Any:
        return await self.run_sql(ddl)

    def atomic(self, transaction_type: TransactionType = IMMEDIATE) -> Any:  # create_db_tables uses it; Piccolo's default is DEFERRED
        return super().atomic(transaction_type)

    def transaction(self, transaction_type: TransactionType = IMMEDIATE, allow_nested: bool = True) -> Any:
        kind = Transaction if self.started else SQLiteTransaction
        return kind(engine=self, transaction_type=transaction_type, allow_nested=allow_nested)


class PostgresPooled(PostgresTransaction):
    """A transaction that gives its connection back whatever happens: Piccolo's own keeps it for ever when the server has gone. how: as asyncpg takes it."""

    how: Mapping[str, Any] = {}

    async def __aenter__(self) -> Any:
        if self._parent is not None:
            return self._parent
        self.connection = await self.get_connection()  # type: ignore[no-untyped-call]
        try:
            self.transaction = self.connection.transaction(**self.how)
            await self.begin()  # type: ignore[no-untyped-call]
        except BaseException:
            await self._give()
            raise
        self.context = self.engine.current_transaction.set(self)
        return self

    async def __aexit__(self, kind: Any, error: Any, trace: Any) -> bool:
        if self._parent:
            return error is None
        try:
            if not error and not self._rolled_back and not self._committed:
                await self.commit()  # type: ignore[no-untyped-call]
            elif error and not self._rolled_back:
                with contextlib.suppress(Exception):  # what went wrong before is what the caller must hear of
                    await self.rollback()  # type: ignore[no-untyped-call]
        finally:
            self.engine.current_transaction.reset(self.context)
            await self._give()
        return error is None

    async def _give(self) -> None:
        await (self.engine.pool.release(self.connection) if self.engine.pool else self.connection.close())


class Postgres(PostgresEngine):
    """Piccolo's engine with the guard, and without its building of a querystring for our own SQL."""

    def transaction(self, allow_nested: bool = True, **how: Any) -> PostgresPooled:
        made = PostgresPooled(engine=self, allow_nested=allow_nested)
        made.how = how
        return made

    async def run_sql(self, q: str, a: Sequence[Any] = ()) -> list[Any]:
        """One statement, in the current transaction if there is one."""
        guard(a)
        current = self.current_transaction.get()
        if current is not None:
            return list(await current.connection.fetch(q, *a))
        if self.pool:
            return list(await self._run_in_pool(q, a))
        return list(await self._run_in_new_connection(q, a))

    async def run_querystring(self, querystring: Any, in_pool: bool = True) -> Any:
        return await self.run_sql(*querystring.compile_string(engine_type=self.engine_type))


@contextlib.asynccontextmanager
async def nested(db: Any) -> AsyncIterator[Any]:
    """A real nested transaction. Piccolo's own inner `async with db.transaction()` rolls nothing back."""
    current = db.current_transaction.get()
    if current is None:
        async with db.transaction() as fresh:
            yield fresh
        return
    savepoint = await current.savepoint()
    try:
        yield current
    except BaseException:
        await savepoint.rollback_to()
        await savepoint.release()
        raise
    await savepoint.release()
