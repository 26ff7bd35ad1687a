"""Engines: SQLite with one kept-open writer and N readers; PostgreSQL with a pool. Both refuse Decimal and float parameters.

Why not Piccolo's own SQLite engine: it opens a file for every statement outside a transaction, and its deferred transactions fail
under concurrency (docs/decisions/0001).
"""
from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from decimal import Decimal
from typing import Any

import aiosqlite
from piccolo.engine.postgres import PostgresEngine
from piccolo.engine.sqlite import SQLiteEngine, SQLiteTransaction, TransactionType, dict_factory

IMMEDIATE, DEFERRED = TransactionType.immediate, TransactionType.deferred
BAD = (Decimal, float)


def guard(args: Any) -> None:
    """SQLite stores a Decimal as a float; asyncpg cuts Decimal('5.25') to 5 for a BIGINT without a word."""
    for a in args:
        if type(a) in BAD:
            raise TypeError(f"{type(a).__name__} parameter: numbers are scaled integers")


class Inline:
    """What Piccolo needs of an aiosqlite connection, run on the loop's thread: no thread hop, but it blocks the loop."""

    def __init__(self, c: sqlite3.Connection) -> None:
        self.c = c

    async def execute_fetchall(self, q: str, a: Any = ()) -> list:
        return self.c.execute(q, a).fetchall()

    async def execute(self, q: str, a: Any = ()) -> Any:
        return self.c.execute(q, a)

    async def executemany(self, q: str, rows: Any) -> Any:
        return self.c.executemany(q, rows)

    async def close(self) -> None:
        self.c.close()


class Tx(SQLiteTransaction):
    _done = False
    write = True

    async def __aenter__(self):
        if self._parent is not None:
            if self.transaction_type is not DEFERRED and not self._parent.write:
                raise RuntimeError("write transaction inside a read transaction")
            return self._parent
        self.write = self.transaction_type is not DEFERRED
        self.connection = await self.engine._take(self.write)
        try:
            await self.begin()
        except BaseException:
            self.engine._give(self.write, self.connection)
            raise
        self.context = self.engine.current_transaction.set(self)
        return self

    async def __aexit__(self, et, e, tb) -> bool:
        if self._parent:
            return e is None
        try:
            if e:
                if not self._rolled_back:
                    await self.rollback()
            elif not self._committed and not self._rolled_back:
                try:
                    await self.commit()
                except BaseException:
                    with contextlib.suppress(sqlite3.Error):
                        await self.rollback()
                    raise
        finally:
            self._done = True
            self.engine._give(self.write, self.connection)
            self.engine.current_transaction.reset(self.context)
        return e is None


class PooledSQLite(SQLiteEngine):
    """transaction() is a write transaction (BEGIN IMMEDIATE) unless DEFERRED is asked for, which runs on a reader."""

    def __init__(self, path: str, *, readers: int = 3, inline: bool = False, synchronous: str = "FULL", busy_ms: int = 5000) -> None:
        self.readers, self.inline, self._started = readers, inline, False
        self.pragmas = ("journal_mode=WAL", f"synchronous={synchronous}", f"busy_timeout={busy_ms}", "foreign_keys=1", "temp_store=MEMORY")
        super().__init__(path=path, cached_statements=512)

    async def _open(self, *extra: str) -> Any:
        c = sqlite3.connect(**self.connection_kwargs) if self.inline else await aiosqlite.connect(**self.connection_kwargs)
        c.row_factory = dict_factory
        c = Inline(c) if self.inline else c
        for p in (*self.pragmas, *extra):
            await c.execute("PRAGMA " + p)
        return c

    async def start_connection_pool(self, **_: Any) -> None:
        self._w, self._lock, self._r = await self._open(), asyncio.Lock(), asyncio.Queue()
        self._all = [await self._open("query_only=1") for _ in range(self.readers)]
        for c in self._all:
            self._r.put_nowait(c)
        self._started = True

    async def close_connection_pool(self) -> None:
        self._started = False
        for c in (self._w, *self._all):
            await c.close()

    async def _take(self, write: bool) -> Any:
        if not write:
            return await self._r.get()
        await self._lock.acquire()
        return self._w

    def _give(self, write: bool, c: Any) -> None:
        self._lock.release() if write else self._r.put_nowait(c)

    async def run_sql(self, q: str, a: Any = ()) -> list[dict]:
        guard(a)
        if not self._started:
            return await self._run_in_new_connection(q, list(a))
        tx = self.current_transaction.get()
        if tx is not None:
            if tx._done:
                raise RuntimeError("this task inherited a transaction that has ended")
            return list(await tx.connection.execute_fetchall(q, a))
        write = not q.lstrip()[:6].upper().startswith("SELECT")
        c = await self._take(write)
        try:
            return list(await c.execute_fetchall(q, a))
        finally:
            self._give(write, c)

    async def run_many(self, q: str, rows: list[tuple]) -> None:
        """One statement for many rows, inside a transaction."""
        for a in rows:
            guard(a)
        tx = self.current_transaction.get()
        if tx is None or tx._done:
            raise RuntimeError("run_many wants an open transaction")
        await tx.connection.executemany(q, rows)

    async def run_querystring(self, querystring, in_pool=True):
        return await self.run_sql(*querystring.compile_string(engine_type="sqlite"))

    async def run_ddl(self, ddl, in_pool=True):
        return await self.run_sql(ddl)

    def atomic(self, transaction_type=IMMEDIATE):       # create_db_tables uses it; Piccolo's default is DEFERRED
        return super().atomic(transaction_type)

    def transaction(self, transaction_type=IMMEDIATE, allow_nested=True):
        cls = Tx if self._started else SQLiteTransaction
        return cls(engine=self, transaction_type=transaction_type, allow_nested=allow_nested)


class Postgres(PostgresEngine):
    async def run_sql(self, q: str, a: Any = ()) -> list:
        guard(a)
        tx = self.current_transaction.get()
        if tx is not None:
            return await tx.connection.fetch(q, *a)
        if self.pool:
            return await self._run_in_pool(q, a)
        return await self._run_in_new_connection(q, a)

    async def run_querystring(self, querystring, in_pool=True):
        return await self.run_sql(*querystring.compile_string(engine_type=self.engine_type))


@contextlib.asynccontextmanager
async def nested(db):
    """A real nested transaction. Piccolo's own inner `async with db.transaction()` rolls nothing back."""
    tx = db.current_transaction.get()
    if tx is None:
        async with db.transaction() as t:
            yield t
        return
    sp = await tx.savepoint()
    try:
        yield tx
    except BaseException:
        await sp.rollback_to()
        await sp.release()
        raise
    await sp.release()
