"""R4 and R5: a database that is stopped, full or read-only. The user is told, nothing is half done, and it goes on afterwards."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from newel_sdk.servers import Cluster

from core.tests.test_engine import company
from core.tests.toys import order
from tests.reliability.books import MODULES, counts, goods, sound
from tests.reliability.conftest import Run
from tests.reliability.plants import planted
from tests.reliability.sizes import size
from tests.web import Web, serving

ORDER = {"party": "C1", "lines": [{"item": "BOLT", "quantity": "2"}]}


# ---- R4: the server of the database is stopped ----------------------------------------------------------------------------------------


@asynccontextmanager
async def _own_cluster() -> AsyncIterator[Cluster]:
    if Cluster.programs() is None:
        pytest.skip("the PostgreSQL server (initdb) is missing")
    cluster = Cluster(Path(tempfile.mkdtemp(prefix="newel-r4-")))
    try:
        await asyncio.to_thread(cluster.start_once)
        yield cluster
    finally:
        await asyncio.to_thread(cluster.stop)
        shutil.rmtree(cluster.folder)


async def test_the_database_is_stopped_under_load(run: Run) -> None:
    """At once and without a goodbye; the same process goes on when it is back. A file system that lies about syncing is not seen this way."""
    async with _own_cluster() as cluster:
        await _stopped_and_started(cluster, run, size("R4 shutdowns"), 60)
        await asyncio.to_thread(cluster.run, "pg_amcheck", "--install-missing", "-h", str(cluster.folder), "-U", "postgres", "postgres")


async def test_the_database_is_stopped_sees_the_planted_fault(run: Run) -> None:
    """Whoever was in a transaction believes to be in it for ever."""
    with planted("a transaction is kept when the server has gone away"), pytest.raises(TimeoutError):
        async with _own_cluster() as cluster:
            await _stopped_and_started(cluster, run, 3, 8)


async def _stopped_and_started(cluster: Cluster, run: Run, shutdowns: int, patience: float) -> None:
    acknowledged, progress, failed, stopped = dict[str, str](), [0] * 8, 0, False
    async with company(cluster.url("postgres"), MODULES) as (app, context):
        await app.documents.create("toy.receipt", goods(BOLT=100_000), context, then=["receive"])

        async def client(n: int) -> None:
            nonlocal failed
            while not stopped:
                key = f"{n}-{progress[n]}"
                try:
                    made = await app.documents.create("toy.invoice", order(("BOLT", 1)), context, then=["post"], key=key)
                except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                    failed += 1
                    await asyncio.sleep(0.05)
                else:
                    acknowledged[key] = made.document.number
                    progress[n] += 1

        clients = [asyncio.create_task(client(n)) for n in range(8)]
        try:
            for _ in range(shutdowns):
                async with asyncio.timeout(patience):
                    before = list(progress)
                    while any(now < then + 2 for now, then in zip(progress, before, strict=True)):  # noqa: ASYNC110 (it has no event)
                        await asyncio.sleep(0.01)
                await asyncio.sleep(0.2 * run.chance.random())
                await asyncio.to_thread(cluster.stop)
                await asyncio.sleep(0.2)
                await asyncio.to_thread(cluster.start)
            stopped = True
            await asyncio.wait_for(asyncio.gather(*clients), patience)
        except TimeoutError:
            for task in clients:
                task.cancel()
            app.database.engine.pool.terminate()
            raise
        assert failed, "nothing was under way when the database stopped: this proves nothing"
        async with app.database.read() as session:
            keys = {r["key"]: r for r in await session.fetch("SELECT key FROM idempotency_key")}
            numbers = {r["number"] for r in await session.fetch("SELECT number FROM document WHERE kind = 'toy.invoice'")}
        assert set(acknowledged) <= set(keys)
        assert set(acknowledged.values()) <= numbers and len(numbers) == len(keys) == len(set(acknowledged.values())) + len(set(keys) - set(acknowledged))
        await sound(app)
        run.note(shutdowns=shutdowns, documents=len(numbers), failed_calls=failed)


# ---- R5: full, or read-only ----------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def _full(web: Web, way: str) -> AsyncIterator[None]:
    """The database takes nothing any more.

    A file system of a few pages needs rights that a test should not have: on SQLite the file may not grow; on PostgreSQL the driver says what it says.
    """
    database = web.newel.database
    if way == "read-only" and database.sqlite:
        await database.engine._writer.execute("PRAGMA query_only=1")
        yield
        await database.engine._writer.execute("PRAGMA query_only=0")
    elif way == "read-only":
        name = database.url.partition("@/")[2].partition("?")[0]
        await _set(database.url, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        await database.engine.pool.expire_connections()
        yield
        await _set(database.url, "SET default_transaction_read_only = off", f"ALTER DATABASE {name} RESET default_transaction_read_only")
        await database.engine.pool.expire_connections()
    elif database.sqlite:
        (pages,) = await database.engine.run_sql("PRAGMA page_count")
        await database.engine._writer.execute(f"PRAGMA max_page_count={pages['page_count']}")
        yield
        await database.engine._writer.execute("PRAGMA max_page_count=1073741823")
    else:
        with pytest.MonkeyPatch.context() as patch:
            execute = asyncpg.Connection._execute

            async def full(self: Any, query: str, *args: Any, **more: Any) -> Any:
                if query.startswith(("INSERT", "WITH i0 AS (INSERT")):
                    raise asyncpg.DiskFullError("could not extend file: No space left on device")
                return await execute(self, query, *args, **more)

            patch.setattr(asyncpg.Connection, "_execute", full)
            yield


async def _set(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    for sql in statements:
        await connection.execute(sql)
    await connection.close()


async def out_of_space(url: str, way: str, run: Run) -> None:
    """Orders until the database takes no more; then space returns, and the one that failed is asked for again."""
    async with serving(url) as web:
        told = 0
        for n in range(size("R5 rounds")):
            async with _full(web, way):
                for i in range(400):
                    before = await counts_of(web)
                    key = {"Idempotency-Key": f"{n}-{i}"}
                    answer = await web.api.post("/api/documents/shop.order?then=confirm", json=ORDER, headers=key)
                    if answer.status_code != 201:
                        break
                assert answer.status_code == 503, f"{way}: {answer.status_code} {answer.text[:200]}"
                (problem,) = answer.json()["problems"]
                assert (problem["code"], bool(problem["hint"])) == ("database", True)
                told += 1
                assert await counts_of(web) == before, "something was half done"
            again = await web.api.post("/api/documents/shop.order?then=confirm", json=ORDER, headers=key)
            assert again.status_code == 201, again.text
        assert (await web.api.get("/health/ready")).is_success
        await sound(web.newel)
        run.note(rounds=told, way=way)


async def counts_of(web: Web) -> dict[str, int]:
    """How much of everything there is."""
    return await counts(web.newel)


@pytest.mark.parametrize("way", ["full", "read-only"])
async def test_a_database_that_takes_nothing_says_so(database_url: str, way: str, run: Run) -> None:
    await out_of_space(database_url, way, run)


async def test_a_database_that_takes_nothing_sees_the_planted_fault(database_url: str, run: Run) -> None:
    with planted("an error of the database is swallowed"), pytest.raises((AssertionError, AttributeError)):
        await out_of_space(database_url, "full", run)
