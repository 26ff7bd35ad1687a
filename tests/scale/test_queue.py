"""Work is in the database; Redis only brings its ids. It may lose them, bring them twice, or not be there."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from newel.config import Config
from newel.domain.context import Context
from newel.errors import Refused, StartupError
from newel.hookspecs import hookimpl
from newel.jobs.worker import Worker, enqueue
from newel.manifest import Job, Manifest
from newel.services.app import Newel
from newel.services.doctor import diagnose
from newel.services.setup import set_up_company
from newel_sdk.testing import TODAY, item, party, stock

from core.tests.toys import TOY, order
from tests.scale.servers import Redis, until

HOUR = timedelta(hours=1)
LEFT = "SELECT (SELECT COUNT(*) FROM outbox WHERE done_at IS NULL) + (SELECT COUNT(*) FROM job WHERE state <> 'done') AS n"


class Heard:
    """A plugin that is told of transitions and has a job; counts how often it was called for what."""

    def __init__(self) -> None:
        self.calls: Counter[Any] = Counter()

    def module(self) -> Any:
        async def after_transition(document: Any, transition: str) -> None:
            self.calls[document.id] += 1

        async def run(session: Any, payload: dict[str, Any], context: Any) -> None:
            self.calls[payload["n"]] += 1

        def register_plugin() -> Manifest:
            return Manifest(name="heard", label="Heard", jobs=(Job(name="heard.job", run=run),))

        return SimpleNamespace(register_plugin=hookimpl(register_plugin), after_transition=hookimpl(after_transition))


@asynccontextmanager
async def install(url: str, redis: Redis, heard: Heard) -> AsyncIterator[tuple[Newel, Context]]:
    """A company whose workers are woken by SAQ, at the real time: leases and graces are about that."""
    app = Newel(Config(database=url, jobs="saq", redis=redis.url), {"toy": TOY, "heard": heard.module()})
    await app.start()
    try:
        company = await set_up_company(app, code="TEST", name="Test company", currency="EUR", country="DE", price_digits=2, first_year=TODAY.year)
        context = app.system(company, today=TODAY)
        await item(app, context, "BOLT", price="0.12", cost="0.05")
        await party(app, context, "C1")
        await stock(app, context, "BOLT", 1000, "50.00")
        yield app, context
    finally:
        await app.close()


@asynccontextmanager
async def working(app: Newel, *, idle: float = 3600, grace: timedelta = HOUR, workers: int = 1) -> AsyncIterator[None]:
    """Workers that ask the tables rarely, unless said otherwise: what they do was brought to them."""
    running = [Worker(app, idle) for _ in range(workers)]
    for one in running:
        one.grace = grace
    tasks = [asyncio.create_task(one.run()) for one in running]
    try:
        yield
    finally:
        for one in running:
            one.stop()
        await asyncio.gather(*tasks)


async def ordered(app: Newel, context: Context, number: int) -> set[int]:
    """So many confirmed orders; returns their ids."""
    return {(await app.documents.create("toy.order", order(("BOLT", 1)), context, then=["confirm"])).document.id for _ in range(number)}


async def nothing_left(app: Newel) -> None:
    async def done() -> bool:
        async with app.database.read() as session:
            return int(await session.value(LEFT)) == 0

    await until(done)


async def test_a_commit_wakes_a_worker(postgresql_url: str, redis: Redis) -> None:
    heard = Heard()
    async with install(postgresql_url, redis, heard) as (app, context), working(app):
        made = await ordered(app, context, 3)
        for n in range(3):
            await enqueue(app, "heard.job", {"n": n})
        await nothing_left(app)
    assert {id: heard.calls[id] for id in (*made, 0, 1, 2)} == dict.fromkeys((*made, 0, 1, 2), 1)


async def test_what_is_not_committed_wakes_nobody(postgresql_url: str, redis: Redis) -> None:
    heard = Heard()
    async with install(postgresql_url, redis, heard) as (app, context):
        brought: list[int] = []
        app.database.carry = brought.extend
        with pytest.raises(Refused):
            await app.documents.create("toy.order", order(("NO SUCH ITEM", 1)), context, then=["confirm"])
        assert brought == []
        made = await app.documents.create("toy.order", order(("BOLT", 1)), context, then=["confirm"])
        async with app.database.read() as session:
            rows = await session.fetch("SELECT id FROM outbox WHERE payload ->> 'document' = ?", str(made.document.id))
        assert brought == [r["id"] for r in rows] != []


@pytest.mark.parametrize("loss", ["flush", "kill"])
async def test_what_redis_loses_is_found_in_the_tables(postgresql_url: str, redis: Redis, loss: str) -> None:
    heard = Heard()
    async with install(postgresql_url, redis, heard) as (app, context):
        made = await ordered(app, context, 3)
        getattr(redis, loss)()
        made |= await ordered(app, context, 3)
        if loss == "flush":
            redis.flush()
        async with working(app, idle=0.1, grace=timedelta(seconds=0.5)):
            await nothing_left(app)
            if loss == "kill":
                redis.start()
                made |= await ordered(app, context, 1)
                await nothing_left(app)
    assert {id: heard.calls[id] for id in made} == dict.fromkeys(made, 1)


async def test_brought_twice_and_found_besides_is_done_once(postgresql_url: str, redis: Redis) -> None:
    heard = Heard()
    async with install(postgresql_url, redis, heard) as (app, context):
        carry = app.database.carry
        assert carry

        def twice(ids: list[int]) -> None:
            carry(ids)
            carry(ids)

        app.database.carry = twice
        async with working(app, idle=0.01, grace=timedelta(), workers=3):
            made = await ordered(app, context, 15)
            for n in range(15):
                await enqueue(app, "heard.job", {"n": n})
            await nothing_left(app)
    assert {id: heard.calls[id] for id in made} == dict.fromkeys(made, 1)
    assert [heard.calls[n] for n in range(15)] == [1] * 15


async def test_the_command_works_off_what_is_brought(postgresql_url: str, redis: Redis, tmp_path: Path) -> None:
    file = tmp_path / "newel.toml"
    file.write_text(f'database = "{postgresql_url}"\nplugins = ["mail"]\njobs = "saq"\n')
    config = Config(database=postgresql_url, plugins=("mail",), jobs="saq", redis=redis.url)
    app = Newel(config)
    await app.start()
    try:
        await set_up_company(app, code="TEST", name="Test company", currency="EUR", country="DE", first_year=TODAY.year)
        command = [str(Path(sys.executable).with_name("newel")), "--config", str(file), "worker"]
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=asyncio.subprocess.STDOUT, env={**os.environ, "NEWEL_REDIS": redis.url})
        assert process.stdout
        assert (await process.stdout.readline()).startswith(b"worker ")
        job = await enqueue(app, "mail.retry", {})

        async def done() -> bool:
            async with app.database.read() as session:
                return await session.value("SELECT done_at FROM job WHERE id = ?", job) is not None

        await until(done)
        process.send_signal(signal.SIGTERM)
        output, _ = await process.communicate()
        assert process.returncode == 0, output.decode()
        assert b"Traceback" not in output, output.decode()
        assert next(d for d in await diagnose(app) if d.check == "redis").level == "ok"
        redis.kill()
        told = next(d for d in await diagnose(app) if d.check == "redis")
        assert told.level == "warning" and "later" in told.effect
    finally:
        await app.close()


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"jobs": "rabbits"}, "jobs: expected one of database, saq, got 'rabbits'"),
        ({"jobs": "saq"}, "redis: expected redis://host:port/number beside jobs = \"saq\", got ''"),
    ],
)
def test_what_newel_toml_lacks_is_said(config: dict[str, Any], said: str) -> None:
    with pytest.raises(StartupError) as caught:
        Newel(Config(database="sqlite:///:memory:", **config), {})
    assert said in str(caught.value)
