"""Two web processes, two workers, a primary, a replica and Redis. Eight clients enter orders; whatever is killed, nothing is lost or doubled.

NEWEL_SEED repeats a run. NEWEL_SOAK=1 kills a thousand times, NEWEL_SOAK=0.1 a hundred times.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from newel.web.reading import HEADER

from tests.reliability.books import sound
from tests.reliability.processes import KIND, Install, Process, Server
from tests.reliability.sizes import soak
from tests.scale.conftest import Pair, Urls
from tests.scale.servers import Redis, until

KILLS = max(8, round(1000 * soak()))
CLIENTS = 8
LEASE = 2.0
TRIES_SECONDS = 300
LEFT = "SELECT COUNT(*) AS n FROM outbox WHERE done_at IS NULL"


class Victim(NamedTuple):
    """What may be killed, and how it is started again."""

    name: str
    kill: Callable[[], None]
    start: Callable[[], None]


class Crowd:
    """Clients that post invoices, as behind a load balancer: who gets no answer asks the other server, with the same key."""

    def __init__(self, install: Install, servers: list[Server], chance: random.Random) -> None:
        self.install, self.servers, self.chance = install, servers, chance
        self.acknowledged: dict[str, int] = {}
        self.numbers: set[str] = set()
        self.repeated = self.unread = 0
        self.wrong: list[str] = []
        self.stopped = False

    async def client(self, number: int) -> None:
        """Post, and read what was posted at once, wherever that may be read."""
        headers = {"Authorization": f"Bearer {self.install.token}"}
        async with httpx.AsyncClient(headers=headers, timeout=30) as http:
            for n in itertools.count():
                if self.stopped:
                    return
                key = f"{number}-{n}"
                answer = await self.answered(http, "POST", f"/api/documents/{KIND}?then=post", key)
                if answer.status_code != 201:
                    self.wrong.append(f"{key}: {answer.status_code} {answer.text[:300]}")
                    continue
                document = answer.json()["document"]
                self.acknowledged[key] = document["id"]
                self.numbers.add(document["number"])
                http.cookies.clear()
                seen = await self.answered(http, "GET", f"/api/document/{document['id']}", position=answer.headers[HEADER])
                if seen.status_code != 200:
                    self.unread += 1

    async def reached(self, number: int) -> bool:
        """So many were acknowledged."""
        return len(self.acknowledged) >= number

    async def answered(self, http: httpx.AsyncClient, method: str, path: str, key: str = "", position: str = "") -> httpx.Response:
        """The first answer that is one: of either server, after as many tries as it takes."""
        body = {"party": "C1", "lines": [{"item": "BOLT", "quantity": str(len(key))}]} if key else None
        headers = {"Idempotency-Key": key} if key else {HEADER: position}
        async with asyncio.timeout(TRIES_SECONDS):
            while True:
                try:
                    answer = await http.request(method, self.chance.choice(self.servers).url + path, json=body, headers=headers)
                except httpx.TransportError:
                    answer = None
                if answer is not None and answer.status_code < 500 and not (answer.status_code == 409 and "busy" in answer.text):
                    return answer
                self.repeated += 1
                await asyncio.sleep(0.05)


def spread(install: Install, urls: Urls, redis: Redis) -> None:
    """The install's newel.toml, for many machines."""
    with (install.folder / "newel.toml").open("a") as file:
        file.write(f'replica = "{urls.replica}"\nreplica_lag_seconds = 5\njobs = "saq"\nredis = "{redis.url}"\n')


def processes(install: Install) -> tuple[list[Server], list[Process]]:
    """Two web processes that do no work besides, and two workers; each with a log of its own."""
    servers, workers = [Server(install) for _ in range(2)], [Process(install, "worker") for _ in range(2)]
    for number, one in enumerate([*servers, *workers]):
        one.log = install.folder / f"{number}.log"
        if one in servers:
            one.arguments += ("--no-worker",)
    return servers, workers


@pytest.mark.timeout(0 if soak() else 900)
async def test_whatever_is_killed_nothing_is_lost_or_doubled(tmp_path: Path, pair: Pair, urls: Urls, redis: Redis) -> None:
    seed = int(os.environ.get("NEWEL_SEED", "0")) or random.SystemRandom().randrange(1, 1_000_000)
    print(f"NEWEL_SEED={seed}")  # noqa: T201 (pytest shows it where the test fails)
    chance = random.Random(seed)
    install = Install(tmp_path, urls.database, lease=LEASE)
    await install.set_up()
    spread(install, urls, redis)
    servers, workers = processes(install)
    named = [*zip(("web 1", "web 2", "worker 1", "worker 2"), (*servers, *workers), strict=True), ("redis", redis), ("replica", pair.standby)]
    victims = [Victim(name, one.kill, one.start) for name, one in named]
    killed: Counter[str] = Counter()
    for worker in workers:
        worker.start()
    try:
        await asyncio.gather(*(server.up() for server in servers))
        crowd = Crowd(install, servers, chance)
        clients = [asyncio.create_task(crowd.client(n)) for n in range(CLIENTS)]
        order = chance.sample(victims, len(victims)) + chance.choices(victims, k=KILLS - len(victims))  # each at least once
        for victim in order:
            enough = len(crowd.acknowledged) + CLIENTS
            await until(lambda enough=enough: crowd.reached(enough))
            await asyncio.sleep(chance.random() / 2)
            await asyncio.to_thread(victim.kill)
            killed[victim.name] += 1
            await asyncio.sleep(chance.random() / 2)
            await asyncio.to_thread(victim.start)
        crowd.stopped = True
        await asyncio.gather(*clients)
        await until(lambda: _done(install))
    finally:
        for one in (*servers, *workers):
            one.kill()
    print(f"{len(crowd.acknowledged)} documents, {crowd.repeated} requests asked again, killed {dict(killed)}")  # noqa: T201
    await _whole(install, crowd, killed)


async def _done(install: Install) -> bool:
    async with install.app() as (app, _context), app.database.read() as session:
        return not await session.value(LEFT)


async def _whole(install: Install, crowd: Crowd, killed: Counter[str]) -> None:
    """Acknowledged is stored, once; numbers have no gap; books add up; every effect reached the world, and was closed once."""
    assert crowd.wrong == []
    assert crowd.unread == 0, "somebody did not find what he had just written"
    assert crowd.repeated, "no request was under way when a server died: this proves nothing"
    async with install.app() as (app, _context):
        await sound(app)
        async with app.database.read() as session:
            stored = {r["id"]: r["number"] for r in await session.fetch("SELECT id, number FROM document WHERE kind = ? AND state = 'posted'", KIND)}
            keys = {r["key"] for r in await session.fetch("SELECT key FROM idempotency_key")}
    assert keys == set(crowd.acknowledged), "every request was answered in the end"
    assert set(crowd.acknowledged.values()) == set(stored) and len(crowd.acknowledged) == len(stored)
    assert crowd.numbers == set(stored.values()) and len(crowd.numbers) == len(stored)
    told = Counter(install.effects())
    assert set(told) == {f"document {id}" for id in stored}, "the world was told of every document, and of nothing else"
    # What a worker had taken when it died is told again where it had no time to note it, by the same key; nothing else may be.
    again, deaths = sum(told.values()) - len(told), killed["worker 1"] + killed["worker 2"]
    assert again <= deaths * 24, f"{again} told again after {deaths} deaths of workers"
