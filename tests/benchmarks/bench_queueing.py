"""Service times for the simulation in queueing.py: CPU of the web process and of the database, and how long the ledger of a company is held.

CPU and not time by the clock, so that what else the machine does matters less; the lock is by the clock, since a commit waits for the disk.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from newel.services.setup import create_admin
from newel.store.session import Session
from newel.web.app import create_app

from tests.benchmarks.figures import Figures
from tests.benchmarks.flow import Shop, shop
from tests.benchmarks.queueing import ACTIONS, table
from tests.benchmarks.site import PASSWORD, Request, _requests

TIMES = 60
WEB_LAYER_SECONDS = 0.005  # what a change costs besides its use case: the form, the redirect; about what pricing over HTTP costs more than pricing
TICK = os.sysconf("SC_CLK_TCK")
MILLI = 1000


class Spent:
    """CPU seconds of this process and of its connections' backends, since it was made."""

    def __init__(self, backends: list[int]) -> None:
        self.backends = backends
        self.start = self._now()

    def _now(self) -> tuple[float, float]:
        ticks = 0
        for id in self.backends:
            fields = Path(f"/proc/{id}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return time.process_time(), ticks / TICK

    def each(self, times: int) -> tuple[float, float]:
        """Of one time of so many: ours, and the database's."""
        own, theirs = self._now()
        return (own - self.start[0]) / times, (theirs - self.start[1]) / times


async def test_service_times(postgresql_url: str, figures: Figures, monkeypatch: pytest.MonkeyPatch) -> None:
    async with shop(postgresql_url) as one:
        await one.sold(30)
        async with one.app.database.read() as session:
            backends = [r["pid"] for r in await session.fetch("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")]
        found = {**await _looking(one, backends), **await _changing(one, backends, monkeypatch)}
    measured = []
    for action in ACTIONS:
        web, database, locked = found[action.name]
        held = f", holds the ledger for {locked * MILLI:.1f} ms" if locked else ""
        figures.add("queueing", action.name, f"{web * MILLI:.1f} ms in the web process, {database * MILLI:.1f} ms in the database{held}")
        measured.append(action._replace(web=web, database=database, locked=locked))
    print("\n" + table(actions=measured))


async def _looking(one: Shop, backends: list[int]) -> dict[str, tuple[float, float, float]]:
    """The ten pages and calls that are made most: those that look, and the one that prices."""
    await create_admin(one.app, "bench", PASSWORD)
    token, _ = await one.app.users.login("bench", PASSWORD)
    user = await one.app.users.authenticate("bench", PASSWORD)
    assert user
    headers = {"Authorization": f"Bearer {await one.app.users.create_token(user, 'bench', 10)}"}
    transport = httpx.ASGITransport(create_app(one.app, manage=False))
    requests = await _requests(one)

    async def ask(request: Request) -> None:
        api = request.path.startswith("/api/")
        client = programs if api else people
        answer = await (
            client.post(request.path, content=request.body, headers={"content-type": "application/json"}) if request.body else client.get(request.path)
        )
        assert answer.status_code == 200, answer.text

    async with (
        httpx.AsyncClient(transport=transport, base_url="http://newel.test", headers=headers) as programs,
        httpx.AsyncClient(transport=transport, base_url="http://newel.test", cookies={"newel_session": token}) as people,
    ):
        for request in requests:
            await ask(request)
        out = {}
        for name, some in (("look at a page", [r for r in requests if not r.body]), ("price while typing", [r for r in requests if r.body])):
            spent = Spent(backends)
            for n in range(TIMES):
                await ask(some[n % len(some)])
            out[name] = (*spent.each(TIMES), 0.0)
    return out


async def _changing(one: Shop, backends: list[int], monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[float, float, float]]:
    """The steps of an order that post nothing, and its invoice, which does."""
    taken, held, fetch = [0.0], [], Session.fetch

    async def noticed(session: Session, sql: str, *args: Any) -> list[Any]:
        if "FROM ledger_chain" in sql and "FOR UPDATE" in sql:
            taken[0] = time.perf_counter()
        return await fetch(session, sql, *args)

    monkeypatch.setattr(Session, "fetch", noticed)
    do, context, ids = one.app.documents, one.context, list[int]()

    async def quotation() -> None:
        ids.append((await do.create("sales.quotation", one.entered(), context, then=["send"])).document.id)

    async def invoice() -> None:
        await do.follow(ids.pop(), "invoice", context, then=["post"])
        held.append(time.perf_counter() - taken[0])

    change = await _timed(quotation, backends)
    for _ in range(TIMES):
        order = (await do.follow(ids.pop(0), "order", context, then=["confirm"])).document
        await do.follow(order.id, "deliver", context, then=["pick", "ship"])
        ids.append(order.id)
    post = await _timed(invoice, backends)
    return {
        "change something": (change[0] + WEB_LAYER_SECONDS, change[1], 0.0),
        "post to the ledger": (post[0] + WEB_LAYER_SECONDS, post[1], statistics.median(held)),
    }


async def _timed(action: Callable[[], Awaitable[None]], backends: list[int]) -> tuple[float, float]:
    spent = Spent(backends)
    for _ in range(TIMES):
        await action()
    return spent.each(TIMES)
