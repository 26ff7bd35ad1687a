"""What the benchmarks stand on is right: a loaded company is as good as one that was worked in, and the floor writes the same rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from newel.services.verify import verify

from tests.benchmarks.floor import Recorder, copied
from tests.benchmarks.flow import BASE, Shop, shop
from tests.benchmarks.loader import multiplied

ORDERS, COPIES = 4, 6


async def count(one: Shop, sql: str) -> Any:
    async with one.app.database.read() as session:
        return await session.value(sql)


async def test_a_loaded_company_is_in_order_and_can_be_worked_in(databases: Callable[..., str]) -> None:
    async with shop(databases(), BASE) as one:
        await multiplied(one, ORDERS, COPIES)
        assert await count(one, "SELECT COUNT(*) AS n FROM document WHERE kind = 'sales.order' AND state = 'done'") == ORDERS * (COPIES + 1)
        assert await verify(one.app) == []
        await one.sold(2)
        assert await verify(one.app) == []


async def test_what_is_wrong_with_a_loaded_company_is_found(databases: Callable[..., str]) -> None:
    async with shop(databases(), BASE) as one:
        await multiplied(one, ORDERS, COPIES)
        last = await count(one, "SELECT MAX(id) AS n FROM document_line WHERE net <> 0")
        async with one.app.database.write() as session:
            await session.fetch("UPDATE document_line SET net = net + 1 WHERE id = ?", last)
        assert {"totals", "steps"} & {finding.check for finding in await verify(one.app)}


async def test_the_floor_writes_the_same_rows(databases: Callable[..., str]) -> None:
    tables = ("document", "document_line", "price_step", "line_link", "stock_move", "posting", "settlement", "document_event")
    questions = [f"SELECT COUNT(*) AS n FROM {t}" for t in tables] + ["SELECT CAST(SUM(gross) AS BIGINT) AS n FROM document"]
    async with shop(databases(), BASE) as one:
        floor, recorder = await copied(one.app.database, databases), Recorder(one.app.database)
        await one.sold(3)
        await floor.replay(recorder.take())
        recorder.close()
        assert [await floor.value(q) for q in questions] == [await count(one, q) for q in questions]
        await floor.close()
