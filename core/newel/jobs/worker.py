"""The worker: delivers the outbox and runs jobs. At least once, leased, one claim statement; effects must be repeatable.

In-process with the embedded database, or as processes of its own (`newel worker`): the same code, since work is two tables that are
written in the business transaction.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from newel.errors import NewelError
from newel.store import tables_document as t
from newel.store.documents import json_of
from newel.store.master import load_master

if TYPE_CHECKING:
    from newel.services.app import Newel

log = logging.getLogger("newel.worker")
LEASE = timedelta(minutes=5)
BATCH = 20
ATTEMPTS = 8
GRACE = timedelta(seconds=5)  # what a queue has not brought by then, it has lost


class Worker:
    """Works off what is due.

    Args:
        app: a started install.
        idle: seconds to wait when there is nothing to do.

    Where newel.toml names a queue, that brings ids at once, and the tables are only asked for what it has left lying.
    """

    def __init__(self, app: Newel, idle: float = 1.0) -> None:
        self.app, self.idle = app, idle
        self.grace = GRACE if app.queue else timedelta()
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """Finish what is under way, then return from run()."""
        self._stop.set()

    async def run(self) -> None:
        """Work until stop() is called."""
        await self.plan_recurring()
        brought = asyncio.create_task(self.app.queue.work(self.once)) if self.app.queue else None
        await self._sweep()
        if brought:
            brought.cancel()
            await asyncio.gather(brought, return_exceptions=True)

    async def _sweep(self) -> None:
        while not self._stop.is_set():
            try:
                done = await self.once()
            except Exception:  # the worker outlives whatever a single round meets
                log.exception("the worker met an error and goes on")
                done = 0
            if not done:
                try:
                    await asyncio.wait_for(self._stop.wait(), self.idle)
                except TimeoutError:
                    continue

    async def once(self, *ids: int) -> int:
        """Deliver and run what is due now, or of these ids what is. Returns how many pieces of work were done or failed."""
        done = await self._deliver(ids)
        while ran := await self._jobs(ids):
            done += ran
            if not ids:
                break
        return done

    def _due(self, ids: tuple[int, ...]) -> tuple[str, list[Any]]:
        """What may be taken, as SQL with its arguments: these ids, or what nobody has brought for a while."""
        return ("available_at <= ? AND id = ANY(?)", [self.app.clock(), list(ids)]) if ids else ("available_at <= ?", [self.app.clock() - self.grace])

    # ---- outbox ------------------------------------------------------------------------------------------------------------------

    async def _deliver(self, ids: tuple[int, ...]) -> int:
        now, (due, args) = self.app.clock(), self._due(ids)
        async with self.app.database.write() as session:
            rows = await session.fetch(
                "UPDATE outbox SET attempts = attempts + 1, available_at = ? WHERE id IN (SELECT id FROM outbox WHERE done_at IS NULL AND "
                f"{due} AND attempts < ? AND plugin = ANY(?) ORDER BY id LIMIT {BATCH} FOR UPDATE{self._skip()}) RETURNING *",
                now + LEASE, *args, ATTEMPTS, list(self.app.plugins.manifests),
            )  # fmt: skip
        for row in sorted(rows, key=lambda r: r["id"]):
            error = await self._after(row)
            async with self.app.database.write() as session:
                if error is None:
                    await session.update(t.Outbox, row["id"], done_at=self.app.clock(), error="")
                else:
                    await session.update(t.Outbox, row["id"], available_at=self.app.clock() + self._wait(row["attempts"]), error=error)
        return len(rows)

    async def _after(self, row: Any) -> str | None:
        payload = msgspec.json.decode(row["payload"])
        try:
            async with self.app.database.read() as session:
                user = self.app.system(None).user  # with the settings of the company, which a plugin may need to reach the world outside
                context = await self.app.context(session, user, payload["company"], source=row["plugin"])
                document = await self.app.documents.get(payload["document"], context, session)
            await self.app.plugins.after(
                row["plugin"], "after_transition", document=document, transition=payload["transition"], database=self.app.database,
                context=context,
            )  # fmt: skip
        except Exception as error:  # a plugin may fail in any way; it is kept with the row and tried again
            log.warning("plugin %r, after_transition: %s", row["plugin"], error)
            return f"{type(error).__name__}: {error}"[:2000]
        return None

    # ---- jobs --------------------------------------------------------------------------------------------------------------------

    async def plan_recurring(self) -> None:
        """See to it that every recurring job stands in the table once."""
        now = self.app.clock()
        async with self.app.database.write() as session:
            for job in self.app.registry.jobs.values():
                if job.every and not await session.value("SELECT id FROM job WHERE name = ? AND state IN ('waiting', 'running')", job.name):
                    session.add(t.Job, name=job.name, state="waiting", created_at=now, created_by="newel", available_at=now)

    async def _jobs(self, ids: tuple[int, ...]) -> int:
        now, (due, args) = self.app.clock(), self._due(ids)
        async with self.app.database.write() as session:
            rows = await session.fetch(
                "UPDATE job SET state = 'running', worker = ?, attempts = attempts + 1, lease_until = ? WHERE id IN (SELECT id FROM job WHERE "
                f"{due} AND attempts < ? AND (state = 'waiting' OR (state = 'running' AND lease_until < ?)) "
                f"ORDER BY available_at, id LIMIT 1 FOR UPDATE{self._skip()}) RETURNING *",
                self.name, now + LEASE, *args, ATTEMPTS, now,
            )  # fmt: skip
        for row in rows:
            await self._run_job(row)
        return len(rows)

    async def _run_job(self, row: Any) -> None:
        job = self.app.registry.jobs.get(row["name"])
        error = None
        try:
            if job is None:
                raise NewelError(f"no running plugin brings a job {row['name']!r}")
            async with self.app.database.write() as session:
                companies = (await load_master(session)).companies
                context = self.app.system(companies.get(row["company"]) or next(iter(companies.values()), None), source=row["name"])
                if job.run is not None:
                    await job.run(session, msgspec.json.decode(row["payload"]), context)
            if job.act is not None:
                await job.act(self.app, msgspec.json.decode(row["payload"]), context)
        except Exception as failure:  # kept with the row, shown on the jobs page, tried again
            error = f"{type(failure).__name__}: {failure}"[:2000]
            log.warning("job %s: %s", row["name"], error)
        now = self.app.clock()
        async with self.app.database.write() as session:
            # The fence: a worker whose lease has passed to another one may not speak for the job any more.
            owner = await session.one("SELECT worker, attempts FROM job WHERE id = ? FOR UPDATE", row["id"])
            if owner is None or (owner["worker"], owner["attempts"]) != (self.name, row["attempts"]):
                return
            if error is None:
                again = now + timedelta(seconds=job.every) if job and job.every else None
                state = "waiting" if again else "done"
                await session.update(t.Job, row["id"], state=state, done_at=now, error="", attempts=0, available_at=again or now)
            else:
                state = "failed" if row["attempts"] >= ATTEMPTS else "waiting"
                await session.update(t.Job, row["id"], state=state, error=error, available_at=now + self._wait(row["attempts"]))

    def _wait(self, attempts: int) -> timedelta:
        return timedelta(seconds=min(3600, 2**attempts))

    def _skip(self) -> str:
        return "" if self.app.database.sqlite else " SKIP LOCKED"


async def enqueue(app: Newel, name: str, payload: dict[str, Any], company: int | None = None, user: str = "newel") -> int:
    """Ask for a job to be run by a worker; returns its id."""
    now = app.clock()
    async with app.database.write() as session:
        return session.add(t.Job, name=name, payload=json_of(payload), state="waiting", created_at=now, created_by=user, company=company, available_at=now)
