"""Who only looks reads from the replica, who changes something from the primary, and nobody misses what he has just written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from newel.config import load
from newel.errors import StartupError
from newel.services.doctor import diagnose
from newel.store.replica import Reading, Replica, reading
from newel.store.session import Database
from newel.web.reading import HEADER, NAME

from tests.scale.conftest import Pair, Urls
from tests.scale.servers import until
from tests.web import Web, serving

LIST = "/documents/shop.order"
ORDER = {"party": "C1", "lines": [{"item": "BOLT", "quantity": "3"}]}


@asynccontextmanager
async def with_replica(urls: Urls) -> AsyncIterator[tuple[Web, Replica]]:
    """A company behind the web application, whose replica has caught up."""
    async with serving(urls.database) as web:
        replica = web.newel.database.replica = Replica(web.newel.database, Database(urls.replica), 300)
        await replica.open()
        await caught_up(replica)
        yield web, replica


async def caught_up(replica: Replica) -> None:
    """Wait until the replica has everything."""
    there = await replica.position()
    await until(lambda: _has(replica, there))


async def _has(replica: Replica, position: int) -> bool:
    token = reading.set(Reading(position))
    try:
        await replica.look()
        return await replica.usable()
    finally:
        reading.reset(token)


@asynccontextmanager
async def paused(pair: Pair) -> AsyncIterator[None]:
    """The replica stands still: what it shows is from before."""
    await asyncio.to_thread(pair.standby.replay, False)
    try:
        yield
    finally:
        await asyncio.to_thread(pair.standby.replay, True)


async def entered(client: httpx.AsyncClient, csrf: str = "", kind: str = "shop.order") -> str:
    """An order; returns its id."""
    answer = await client.post(f"/api/documents/{kind}", json=ORDER, headers={"x-csrftoken": csrf} if csrf else {})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["document"]["id"])


async def shown(client: httpx.AsyncClient, id: str) -> bool:
    """Whether the list has it."""
    page = await client.get(LIST)
    assert page.status_code == 200, page.text
    return f"/document/{id}" in page.text


async def test_others_see_it_a_moment_later_and_whoever_wrote_it_at_once(pair: Pair, urls: Urls) -> None:
    async with with_replica(urls) as (web, replica):
        writer, csrf = await web.browser()
        other, _ = await web.browser()
        other.cookies.delete(NAME)  # that of the login, which was a change too
        await caught_up(replica)
        async with paused(pair):
            made = await entered(writer, csrf)
            assert int(writer.cookies[NAME]) > 0
            assert await shown(writer, made), "his own order is there at once"
            assert not await shown(other, made), "others are shown what the replica has"
            report = await other.get("/report/shop.orders?format=csv")
            assert report.status_code == 200 and made not in report.text
        await caught_up(replica)
        assert await shown(other, made)
        assert await shown(writer, made)


async def test_a_change_is_planned_from_the_primary(pair: Pair, urls: Urls) -> None:
    async with with_replica(urls) as (web, replica):
        client, csrf = await web.browser()
        client.cookies.delete(NAME)
        await caught_up(replica)
        async with paused(pair):
            await web.newel.records.save("newel.party", None, {"number": "C9", "name": "New customer", "is_customer": True}, web.context)
            preview = await client.post("/api/documents/shop.order/preview", json=ORDER | {"party": "C9"}, headers={"x-csrftoken": csrf})
            assert preview.status_code == 200, preview.text
            assert preview.json()["document"]["party"]["name"] == "New customer"


async def test_a_program_says_how_new_it_must_be(pair: Pair, urls: Urls) -> None:
    async with with_replica(urls) as (web, replica):
        await caught_up(replica)
        token = web.api.headers["Authorization"].removeprefix("Bearer ")
        async with paused(pair):
            answer = await web.api.post("/api/documents/shop.order", json=ORDER)
            made, position = answer.json()["document"]["id"], answer.headers[HEADER]

            async def found(**headers: str) -> bool:
                async with web.client(token) as fresh:  # without the cookies of before
                    rows = (await fresh.get("/api/documents/shop.order", headers={k.replace("_", "-"): v for k, v in headers.items()})).json()["rows"]
                    return made in [r["id"] for r in rows]

            assert await found(), "a program that says nothing reads from the primary"
            assert await found(newel_position=position)
            assert not await found(newel_position="0"), "one that says that anything will do reads from the replica"
            assert await found(newel_position="a lot"), "nonsense is as good as nothing"


async def test_a_replica_that_is_too_far_behind_is_not_read(pair: Pair, urls: Urls) -> None:
    async with with_replica(urls) as (web, replica):
        other, _ = await web.browser()
        other.cookies.delete(NAME)
        await caught_up(replica)
        async with paused(pair):
            made = await entered(web.api)
            assert not await shown(other, made)
            replica.most = 0.5
            await until(lambda: shown(other, made))
            assert replica.lag is not None and replica.lag > 0.5
            told = (await web.api.get("/metrics")).text
            assert f"newel_replica_lag_seconds{{}} {replica.lag:g}" in told
        await caught_up(replica)
        assert replica.lag == 0
        assert (await web.api.get("/health/ready")).json() == {"status": "ready", "replica": "0.0 s behind"}


async def test_work_goes_on_without_the_replica_and_uses_it_when_it_is_back(pair: Pair, urls: Urls) -> None:
    async with with_replica(urls) as (web, replica):
        client, csrf = await web.browser()
        client.cookies.delete(NAME)
        assert (await client.get(LIST)).status_code == 200
        await asyncio.to_thread(pair.standby.kill)
        try:
            for _ in range(20):  # more than there are connections
                assert (await client.get(LIST)).status_code == 200
            made = await entered(client, csrf)
            assert await shown(client, made)
            await until(lambda: _told(web, "away"))
            assert "newel_replica_up{} 0" in (await web.api.get("/metrics")).text
            diagnosis = next(d for d in await diagnose(web.newel) if d.check == "replica")
            assert diagnosis.level == "warning" and "primary" in diagnosis.effect
        finally:
            await asyncio.to_thread(pair.standby.start)
        await until(lambda: _told(web, "0.0 s behind"))
        await caught_up(replica)
        assert next(d for d in await diagnose(web.newel) if d.check == "replica").level == "ok"


async def _told(web: Web, text: str) -> bool:
    return (await web.api.get("/health/ready")).json()["replica"] == text  # type: ignore[no-any-return]


async def test_what_is_no_replica_is_not_read(urls: Urls) -> None:
    """The primary itself, or a replica that was promoted: it would show another truth."""
    async with serving(urls.database) as web:
        replica = web.newel.database.replica = Replica(web.newel.database, Database(urls.database), 10)
        await replica.open()
        assert not await _has(replica, 0)
        assert replica.error == "it is no replica"
        diagnosis = next(d for d in await diagnose(web.newel) if d.check == "replica")
        assert "it is no replica" in diagnosis.cause


async def test_a_replica_needs_a_primary_of_the_same_kind(tmp_path: Path) -> None:
    file = tmp_path / "newel.toml"
    file.write_text('database = "sqlite:///newel.db"\nreplica = "postgresql:///newel"\n')
    with pytest.raises(StartupError, match="beside a database of PostgreSQL, got one beside sqlite"):
        load(file)
