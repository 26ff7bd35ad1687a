"""The floor: the rows that the application wrote, written again by the bare driver, without reading and without any rule.

What the use cases write is recorded transaction by transaction and replayed on a copy of the database from before. Whatever does more than
writing these rows can only be slower, so the ratio says what loading, rules, checks and bookkeeping cost.
"""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from newel.store import session as store
from newel.store.session import Database, Session

Statement = tuple[str, bool, Sequence[Any]]  # text, for many rows, parameters
WRITES = ("INSERT", "UPDATE", "DELETE", "WITH i0 AS (INSERT")


class Recorder:
    """What a database's write transactions wrote."""

    def __init__(self, database: Database) -> None:
        self.database, self.transactions = database, list[list[Statement]]()
        engine, write, many = database.engine, database.write, Session.many
        run_sql, run_many = engine.run_sql, getattr(engine, "run_many", None)

        @asynccontextmanager
        async def recorded_write() -> AsyncIterator[Session]:
            self.transactions.append([])
            async with write() as opened:
                yield opened

        async def recorded_sql(q: str, a: Sequence[Any] = ()) -> Any:
            if q.startswith(WRITES):
                self.transactions[-1].append((q, False, tuple(a)))
            return await run_sql(q, a)

        async def recorded_many(q: str, rows: Sequence[Sequence[Any]]) -> None:
            self.transactions[-1].append((q, True, rows))
            await run_many(q, rows)  # type: ignore[misc]

        async def recorded_executemany(opened: Session, sql: str, rows: Sequence[Sequence[Any]]) -> None:
            if rows and opened.engine is engine:
                self.transactions[-1].append((store._for_postgres(sql), True, rows))
            await many(opened, sql, rows)

        database.write, engine.run_sql = recorded_write, recorded_sql  # type: ignore[method-assign]
        if run_many is not None:
            engine.run_many = recorded_many
        else:
            Session.many = recorded_executemany  # type: ignore[method-assign]
        self._restore = lambda: setattr(Session, "many", many)

    def take(self) -> list[list[Statement]]:
        """What has been written since the last time."""
        taken, self.transactions = [t for t in self.transactions if t], []
        return taken

    def close(self) -> None:
        """Stop recording."""
        self._restore()


class SQLiteFloor:
    """The bare sqlite3 driver, as durable as the application."""

    def __init__(self, path: str) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None, cached_statements=512)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=1"):
            self.connection.execute("PRAGMA " + pragma)

    async def replay(self, transactions: Sequence[Sequence[Statement]]) -> float:
        """Seconds for these transactions."""
        started = time.perf_counter()
        for statements in transactions:
            self.connection.execute("BEGIN IMMEDIATE")
            for sql, many, values in statements:
                if many:
                    self.connection.executemany(sql, values)
                else:
                    self.connection.execute(sql, values).fetchall()
            self.connection.execute("COMMIT")
        return time.perf_counter() - started

    async def value(self, sql: str) -> Any:
        """The first column of the first row."""
        return self.connection.execute(sql).fetchone()[0]

    async def close(self) -> None:
        """Close the connection."""
        self.connection.close()


class PostgresFloor:
    """The bare asyncpg driver; one of its connections, kept open."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    async def replay(self, transactions: Sequence[Sequence[Statement]]) -> float:
        """Seconds for these transactions."""
        started = time.perf_counter()
        for statements in transactions:
            async with self.connection.transaction():
                for sql, many, values in statements:
                    await (self.connection.executemany(sql, values) if many else self.connection.fetch(sql, *values))
        return time.perf_counter() - started

    async def value(self, sql: str) -> Any:
        """The first column of the first row."""
        return await self.connection.fetchval(sql)

    async def close(self) -> None:
        """Close the connection."""
        await self.connection.close()


async def copied(database: Database, make: Callable[..., str]) -> SQLiteFloor | PostgresFloor:
    """A floor on a copy of the database as it is now; its connections are closed for a moment."""
    await database.close()
    if database.sqlite:
        path = make().removeprefix("sqlite:///")
        shutil.copy(database.url.removeprefix("sqlite:///"), path)
        floor: SQLiteFloor | PostgresFloor = SQLiteFloor(path)
    else:
        floor = PostgresFloor(await asyncpg.connect(make(template=database.url)))
    await database.open()
    return floor
