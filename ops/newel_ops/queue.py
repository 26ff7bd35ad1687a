"""SAQ on Redis as the queue that wakes workers (`jobs = "saq"`): it carries ids, and what Redis loses a worker finds in the tables."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from newel.config import Config
from newel.errors import StartupError

try:
    from saq import Status
    from saq.queue.redis import RedisQueue
except ImportError as missing:  # it is optional
    RedisQueue = missing  # type: ignore[assignment,misc]

log = logging.getLogger("newel.queue")
NAME, FUNCTION = "newel", "work"
BATCH = 20  # as many as a worker claims at once
AT_ONCE = 4
PATIENCE = 5.0


def connected(url: str) -> Any:
    """A client of Redis that gives up quickly: nobody waits for it longer than for the tables."""
    from redis.asyncio import Redis
    from redis.asyncio.retry import Retry
    from redis.backoff import ConstantBackoff

    return Redis.from_url(url, socket_connect_timeout=PATIENCE, socket_timeout=PATIENCE, retry=Retry(ConstantBackoff(1), 1))


class SaqQueue:
    """See newel.services.carrying.Queue.

    Raises:
        StartupError: SAQ is not installed, or newel.toml names no Redis.
    """

    def __init__(self, config: Config) -> None:
        if not config.redis.startswith(("redis://", "rediss://", "unix://")):
            raise StartupError(f'newel.toml: redis: expected redis://host:port/number beside jobs = "saq", got {config.redis!r}')
        if isinstance(RedisQueue, ImportError):
            raise StartupError(f"newel.toml: jobs = \"saq\" needs SAQ: pip install 'newel-ops[saq]' ({RedisQueue})") from RedisQueue
        self._queue = RedisQueue(connected(config.redis), name=NAME)
        self._ids: list[int] = []
        self._sending: asyncio.Task[None] | None = None
        self._ending = self._away = False

    def carry(self, ids: list[int]) -> None:
        """Send these, together with what else has come until Redis takes them."""
        self._ids += ids
        if self._sending is None or self._sending.done():
            self._sending = asyncio.get_running_loop().create_task(self._send())

    async def _send(self) -> None:
        while self._ids:
            ids, self._ids = self._ids, []
            try:
                for start in range(0, len(ids), BATCH):
                    # No timeout and no retry of SAQ's: leases and attempts are kept in the database.
                    await self._queue.enqueue(FUNCTION, ids=ids[start : start + BATCH], timeout=0, retries=1, ttl=-1)
            except Exception as error:  # whatever Redis does, the change is committed, and a worker finds what it asks for
                self._note(error)
            else:
                self._note(None)

    async def work(self, once: Callable[..., Awaitable[int]]) -> None:
        """Take what comes until cancelled, and then finish what is under way."""
        self._ending = False
        takers = [asyncio.create_task(self._take(once)) for _ in range(AT_ONCE)]
        try:
            await asyncio.wait(takers)
        finally:
            self._ending = True
            await asyncio.wait(takers)

    async def _take(self, once: Callable[..., Awaitable[int]]) -> None:
        """Not SAQ's own worker: that may abort what another has just taken, and when it stops it cuts off what runs."""
        while not self._ending:
            try:
                job = await self._queue.dequeue(timeout=1)
                if job:
                    await job.finish(Status.COMPLETE)  # before the work: from here on the database knows more than Redis
            except Exception as error:  # whatever Redis does, the tables are asked besides
                self._note(error)
                await asyncio.sleep(1)
                continue
            self._note(None)
            try:
                await once(*(job.kwargs or {}).get("ids", ())) if job else None
            except Exception:  # a database that is away: the tables are asked again when it is back
                log.exception("the worker met an error and goes on")

    def _note(self, error: Exception | None) -> None:
        """One line when Redis goes away and one when it is back, and not one a second."""
        if error and not self._away:
            log.warning("Redis is away, workers ask the database: %s: %s", type(error).__name__, error)
        elif self._away and not error:
            log.warning("Redis is back")
        self._away = error is not None

    async def close(self) -> None:
        """Send what is left, then let go of the connections."""
        if self._sending:
            await asyncio.wait([self._sending], timeout=PATIENCE)
        await self._queue.redis.aclose()
