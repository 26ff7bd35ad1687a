"""Reading from a streaming replica of PostgreSQL: who may, and how far it is behind. Positions are those of the write-ahead log, in bytes."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import AsyncIterator
from contextvars import ContextVar
from typing import TYPE_CHECKING

import asyncpg

if TYPE_CHECKING:
    from newel.store.session import Database, Session

GONE = (OSError, asyncpg.InterfaceError, asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError)
EVERY, PATIENCE = 1.0, 2.0
HERE = "SELECT CAST(pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') AS BIGINT) AS n"
THERE = "SELECT CASE WHEN pg_is_in_recovery() THEN CAST(pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0') AS BIGINT) END AS n"


class Reading:
    """What the present request asks of a replica. position: it must have come so far; None: the primary. wrote: the request has changed something."""

    def __init__(self, position: int | None) -> None:
        self.position, self.wrote = position, False


reading: ContextVar[Reading | None] = ContextVar("newel_reading", default=None)


class Replica:
    """Another server with the same data a little later. Whatever is wrong with it, its readers go to the primary.

    Args:
        most: seconds that it may be behind and still be read.
    """

    def __init__(self, primary: Database, database: Database, most: float) -> None:
        self.primary, self.database, self.most = primary, database, most
        self.lag: float | None = None  # seconds behind; None: away, or it was never seen up to date
        self.error = ""
        self._reached = 0
        self._seen: deque[tuple[float, int]] = deque(maxlen=3600)  # when the primary was where
        self._task: asyncio.Task[None] | None = None

    async def position(self) -> int:
        """Where the primary is: a replica that has come so far has everything that was committed until now."""
        async with self.primary.plain_read() as session:
            return int(await session.value(HERE))

    async def look(self) -> None:
        """Find out how far it is behind."""
        try:
            async with asyncio.timeout(PATIENCE):
                self._seen.append((time.monotonic(), await self.position()))
                await self._ask()
        except Exception as error:  # whatever it is, the primary answers
            self.lag, self.error = None, f"{type(error).__name__}: {error}"

    async def _ask(self) -> None:
        if not self.database.engine.pool:
            await self.database.open()
        async with self.database.plain_read() as session:
            reached = await session.value(THERE)
        while len(self._seen) > 1 and self._seen[1][1] <= (reached or 0):
            self._seen.popleft()
        known = reached is not None and bool(self._seen) and self._seen[0][1] <= reached
        self._reached, self.lag = reached or 0, self._seen[-1][0] - self._seen[0][0] if known else None
        self.error = "" if known else "it is no replica" if reached is None else "it has not come to where the primary was when we first looked"

    async def usable(self) -> bool:
        """Whether the present request may read from it."""
        wanted = reading.get()
        if wanted is None or wanted.position is None or wanted.wrote or self.primary.engine.current_transaction.get():
            return False
        if self.lag is not None and wanted.position > self._reached:
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._ask()
            except GONE:
                self.lag = None
        return self.lag is not None and self.lag <= self.most and wanted.position <= self._reached

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[Session]:
        """A read-only transaction, on the replica where that will do."""
        async with contextlib.AsyncExitStack() as stack:
            session = None
            if await self.usable():
                try:
                    async with asyncio.timeout(PATIENCE):
                        session = await stack.enter_async_context(self.database.plain_read())
                except GONE:
                    self.lag = None
            if session is None:
                session = await stack.enter_async_context(self.primary.plain_read())
            try:
                yield session
            except GONE:
                if session.engine is self.database.engine:
                    self.lag = None
                raise

    async def _watch(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(EVERY)

    async def open(self) -> None:
        """Look at it from now on; it need not be there yet."""
        await self.look()
        self._task = asyncio.create_task(self._watch())

    async def close(self) -> None:
        """Look no longer, and close its connections."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self.database.engine.pool:
            await self.database.close()
