"""What gets slower as a company grows: the same questions at each size. NEWEL_BENCH_SIZES="10000 1000000" sets order lines; PostgreSQL took 10 million.

Every size is made from the orders of the use cases (loader.py), passes `newel verify`, and then sells on.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from newel.services import lists, reports, searching
from newel.services.verify import verify
from newel.web.pages_lists import COUNTED

from tests.benchmarks.figures import Figures
from tests.benchmarks.flow import LINES, Meter, Shop, shop
from tests.benchmarks.loader import multiplied

SIZES = tuple(int(n) for n in os.environ.get("NEWEL_BENCH_SIZES", "10000 200000").split())
VERIFIED = int(os.environ.get("NEWEL_BENCH_VERIFY", "1000000"))
TEMPLATE, OPEN = 100, 20
REPEAT = 7
QUICK = 20_000
GROWTH = 2.0  # what log(200,000) / log(10,000) leaves room for, with noise


def questions(one: Shop) -> dict[str, tuple[bool, Callable[[], Awaitable[Any]]]]:
    """What people ask of a company: whether it may scan, and how it is asked."""
    app, context, wanted = one.app, one.context, lists.Wanted
    customer = one.party

    def report(name: str, **given: Any) -> Callable[[], Awaitable[Any]]:
        return lambda: reports.run(app, name, {k: str(v) for k, v in given.items()}, context)

    def listed(**given: Any) -> Callable[[], Awaitable[Any]]:
        return lambda: lists.page(app, "sales.order", context, wanted(**given), most=COUNTED)

    return {
        "list of orders, first page": (False, listed()),
        "list of orders, its sums": (True, lambda: lists.page(app, "sales.order", context, wanted())),
        "orders of a customer": (False, listed(party=customer)),
        "open orders": (False, listed(phase="open")),
        "what waits (home)": (False, lambda: lists.waiting(app, context)),
        "search by number": (False, lambda: searching.search(app, "SO2026-00012", context)),
        "search by customer": (False, lambda: searching.search(app, "C42", context)),
        "search for what is not there": (True, lambda: searching.search(app, "nowhere", context)),
        "statement of a customer": (False, report("receivables.statement", party=customer)),
        "open items of a customer": (False, report("receivables.open_items", party=customer)),
        "credit exposure of a customer": (False, report("newel.exposure", party=customer)),
        "stock on hand": (False, report("inventory.on_hand")),
        "order backlog": (False, report("sales.backlog")),
        "trial balance": (True, report("newel.trial_balance")),
        "list of orders with sums, by search": (True, lambda: lists.page(app, "sales.order", context, wanted(search="C42"))),
    }


async def _milliseconds(ask: Callable[[], Awaitable[Any]]) -> float:
    taken = []
    while len(taken) < REPEAT and sum(taken) < 10:
        at = time.perf_counter()
        await ask()
        taken.append(time.perf_counter() - at)
    return statistics.median(taken) * 1000


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
async def test_growth(request: pytest.FixtureRequest, engine: str, figures: Figures) -> None:
    sizes = [n for n in SIZES if engine == "postgresql" or n <= 1_000_000]
    found: dict[str, list[float]] = {}
    scans: dict[str, bool] = {}
    for size in sizes:
        make = request.getfixturevalue("fresh_database")
        async with shop(make(engine)) as one:
            database = one.app.database
            copies = size // (TEMPLATE * LINES) - 1
            took = await multiplied(one, TEMPLATE, copies)
            async with database.read() as session:
                one.party = await session.value("SELECT id FROM party WHERE number = 'C42'")
                lines = await session.value("SELECT COUNT(*) AS n FROM document_line")
            rate = lines / took
            figures.add(
                "size", f"{engine}, loading {size:,} order lines", f"{rate:,.0f} document lines/s ({copies * TEMPLATE * LINES / took:,.0f} order lines/s)",
                f"at least {QUICK:,}" if engine == "postgresql" else "", rate >= QUICK if engine == "postgresql" else None,
            )  # fmt: skip
            if size <= VERIFIED:
                at = time.perf_counter()
                assert await verify(one.app) == [], "what was loaded is as good as what was entered"
                figures.add("size", f"{engine}, verify {size:,}", f"{time.perf_counter() - at:.1f} s, nothing found")
            do = one.app.documents
            for _ in range(OPEN):
                await do.create("sales.order", one.entered(), one.context, then=["confirm"])
            await one.sold(5)
            one.meter = Meter()
            found.setdefault("order to cash", []).append(await one.sold(20))
            for name, (scan, ask) in questions(one).items():
                scans[name] = scan
                found.setdefault(name, []).append(await _milliseconds(ask))
    for name, times in found.items():
        text = " -> ".join(f"{t:,.1f} ms" for t in times)
        scan = scans.get(name, False)
        growth = times[-1] / times[0]
        figures.add("size", f"{engine}, {name}", f"{text}: {growth:.1f} times", "" if scan else f"at most {GROWTH:g}", None if scan else growth <= GROWTH)
