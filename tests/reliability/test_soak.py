"""B2: thirty people work with every plugin for hours. No error, memory that does not grow, and answers that do not slow down."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from statistics import median

from newel.config import Config
from newel.services.app import Newel
from newel_demo.company import PASSWORD, USERS, demo

from tests.reliability.books import sound
from tests.reliability.conftest import Run
from tests.reliability.people import Work
from tests.reliability.processes import Install, Process, Server
from tests.reliability.sizes import size

LONG_SECONDS = 1800  # from here on the promise itself holds; before, a server is still warming up
GROWTH_LONG, GROWTH_PUSH = 0.05, 1.0
SAMPLES = 40
START_SECONDS = 300  # with every plugin, on cores that others keep busy


async def _company(url: str) -> tuple[dict[str, str], list[str], list[str]]:
    """The demonstration company with much in stock: tokens by login, items and customers that can be sold to."""
    app = Newel(Config(database=url))
    await app.start()
    try:
        await demo(app, documents=20)
        tokens = {}
        for login in USERS:
            user = await app.users.authenticate(login, PASSWORD)
            assert user
            tokens[login] = await app.users.create_token(user, "soak", 10)
        async with app.database.read() as session:
            items = await session.fetch(
                "SELECT number FROM item WHERE kind = 'goods' AND tracking = 'none' AND active AND name NOT LIKE '%kit%' ORDER BY id LIMIT 60"
            )
            customers = await session.fetch("SELECT number FROM party WHERE is_customer AND active AND blocked = '' AND limit_amount IS NULL ORDER BY id")
    finally:
        await app.close()
    return tokens, [r["number"] for r in items], [r["number"] for r in customers]


def _growth(samples: list[float]) -> float:
    """From the second fifth, when everything has been used once, to the last."""
    fifth = len(samples) // 5
    return median(samples[-fifth:]) / median(samples[fifth : 2 * fifth]) - 1


async def test_thirty_people_work_for_hours(database_url: str, tmp_path: Path, run: Run) -> None:
    """p95 is a figure and not asserted: others may use the cores."""
    install = Install(tmp_path, database_url, every=True)
    work = Work("", PASSWORD, *(await _company(database_url)), run.chance)
    server, worker = Server(install), Process(install, "worker")
    seconds = size("B2 seconds")
    memory: dict[str, list[float]] = {"server": [], "worker": []}
    try:
        await server.up(START_SECONDS)
        worker.start()
        work.url, start = server.url, time.monotonic()
        async with work.going():
            for _ in range(SAMPLES):
                await asyncio.sleep(seconds / SAMPLES)
                memory["server"].append(server.megabytes())
                memory["worker"].append(worker.megabytes())
            while not work.acknowledged:  # noqa: ASYNC110 (a slow machine at a push)
                await asyncio.sleep(0.2)
        assert server.alive and worker.alive
    finally:
        server.kill()
        worker.kill()
    growth = {name: _growth(samples) for name, samples in memory.items()}
    run.note(asked=len(work.asked), made=len(work.acknowledged), wrong=len(work.wrong), refused=dict(work.refused))
    run.note(**{name: f"{median(s[: len(s) // 5]):.0f} to {s[-1]:.0f} MB ({growth[name]:+.1%})" for name, s in memory.items()})
    run.note(p95_first_quarter=f"{work.p95(start, start + seconds / 4)} ms", p95_last_quarter=f"{work.p95(start + seconds * 3 / 4, start + seconds)} ms")
    await _kept(database_url, work)
    assert work.wrong == []
    assert "Traceback" not in server.log.read_text("utf-8") + worker.log.read_text("utf-8")
    assert max(growth.values()) < (GROWTH_LONG if seconds >= LONG_SECONDS else GROWTH_PUSH), memory


async def _kept(url: str, work: Work) -> None:
    """Whatever was acknowledged is there, and everything adds up."""
    app = Newel(Config(database=url))
    await app.start()
    try:
        async with app.database.read() as session:
            numbers = {r["number"] for r in await session.fetch("SELECT number FROM document WHERE number <> ''")}
            failed = await session.fetch("SELECT name, error FROM job WHERE state = 'failed'")
        assert set(work.acknowledged) <= numbers
        assert failed == []
        await sound(app)
    finally:
        await app.close()


def test_growth_is_seen() -> None:
    """A leak is, and what a server takes once while it warms up is not."""
    assert _growth([100.0] * 4 + [150.0] * 36) == 0
    assert _growth([100 + n * 0.5 for n in range(40)]) > GROWTH_LONG
