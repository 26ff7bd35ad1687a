"""Order to cash as a user's day: six actions, one durable transaction each, 20 promotions in force, credit limits kept. Prints, asserts no times.

Beside it, in turns, the floor: the same rows by the bare driver. NEWEL_BENCH_ORDERS sets how many orders are measured.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable

import pytest
from newel.services.verify import verify

from tests.benchmarks.figures import Figures
from tests.benchmarks.floor import Recorder, copied
from tests.benchmarks.flow import BASE, STAGES, Meter, shop

ORDERS = int(os.environ.get("NEWEL_BENCH_ORDERS", "200"))
TURN = 10
TOGETHER = 40
STATEMENTS = 100


def stages(meter: Meter) -> str:
    """Milliseconds of each action."""
    return ", ".join(f"{s} {statistics.median(meter.wall[s]) * 1000:.1f} ms/{statistics.median(meter.statements[s]):.0f}" for s in STAGES)


@pytest.mark.parametrize("names", [BASE, (*BASE, "credit", "promotions"), None], ids=["base", "used", "all"])
async def test_orders_of_five_lines(databases: Callable[..., str], names: tuple[str, ...] | None, figures: Figures) -> None:
    """By action, against the floor."""
    async with shop(databases(), names) as one:
        database = one.app.database
        await one.sold(20)
        floor, recorder = await copied(database, databases), Recorder(database)
        one.meter, below = Meter(), []
        for _ in range(ORDERS // TURN):
            for _ in range(TURN):
                await one.sell()
            below.append(await floor.replay(recorder.take()) / TURN)
        recorder.close()
        await floor.close()
        order, base = statistics.median(one.meter.orders()), statistics.median(below)
        what = f"{one.engine}, {len(one.app.plugins.order)} plugins"
        figures.add("order to cash", f"{what}, by action", f"{1 / order:.1f} orders/s = {order * 1000:.1f} ms")
        figures.add("order to cash", f"{what}, milliseconds and statements", stages(one.meter))
        figures.add("order to cash", f"{what}, floor", f"{1 / base:.0f} orders/s = {base * 1000:.2f} ms")
        figures.at_least("order to cash", f"{what}, share of the floor", base / order, 1 / 3)
        count = one.meter.statements_per_order()
        figures.at_most("order to cash", f"{what}, SQL statements per order", count, STATEMENTS, "")
        assert await verify(one.app) == []


async def test_many_orders_in_one_transaction(databases: Callable[..., str], figures: Figures) -> None:
    """The bulk way against the way by action, in turns."""
    async with shop(databases()) as one:
        await one.sold(20)
        turns = []
        for _ in range(5):
            at = time.perf_counter()
            await one.sell_together(TOGETHER)
            together = (time.perf_counter() - at) / TOGETHER * 1000
            turns.append((await one.sold(TOGETHER), together))
        engine = one.engine
        middle = statistics.median(together for _, together in turns)
        figures.add("order to cash", f"{engine}, {TOGETHER} orders in one transaction", f"{1000 / middle:.1f} orders/s = {middle:.1f} ms")
        figures.add("order to cash", f"{engine}, by action against that", f"{statistics.median(a / b for a, b in turns):.2f} times")
        assert await verify(one.app) == []


async def test_long_orders_cost_no_more_a_line(databases: Callable[..., str], figures: Figures) -> None:
    """The whole way for orders of 10, 100 and 1,000 lines."""
    async with shop(databases()) as one:
        a_line = {}
        for lines, count in ((10, 20), (100, 5), (1000, 3)):
            await one.sold(1, lines)
            a_line[lines] = await one.sold(count, lines) / lines
        engine = one.engine
        whole = f"{a_line[1000] * 1000:,.0f} ms, {one.meter.statements_per_order()} SQL statements"
        figures.add("order to cash", f"{engine}, an order of 1,000 lines", whole)
        figures.at_most("order to cash", f"{engine}, a line of 1,000 against a line of 10", a_line[1000] / a_line[10], 1.5)
        assert await verify(one.app) == []
