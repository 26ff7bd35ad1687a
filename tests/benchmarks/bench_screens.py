"""What people wait for in a company of a million order lines: the main pages, over HTTP, one after the other. NEWEL_BENCH_SCREENS sets the lines.

Each is asked fifty times with other pages, words, customers and lines, so that nothing is answered from what was asked before.
"""

from __future__ import annotations

import os
import random
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import msgspec
import pytest
from newel_dashboards.boards import BOARDS

from tests.benchmarks.figures import Figures
from tests.benchmarks.flow import ITEMS, LINES, Shop, shop
from tests.benchmarks.loader import multiplied
from tests.benchmarks.site import Request, headers_of, served

SIZE = int(os.environ.get("NEWEL_BENCH_SCREENS", "1000000"))
TEMPLATE, ROUNDS = 100, 50
SALES = next(n for n, board in enumerate(BOARDS) if board.code == "sales")


def asked(one: Shop, long_orders: list[int]) -> dict[str, tuple[int, Callable[[], Iterator[Request]]]]:
    """The questions: aim in milliseconds within which 95 % are answered, and what is asked, in turns."""
    chance = random.Random(4)

    def get(*paths: Callable[[], str]) -> Callable[[], Iterator[Request]]:
        return lambda: (Request("", path()) for path in paths)

    def lines(count: int) -> Iterator[Request]:
        chosen = [{"item": f"I{chance.randrange(ITEMS)}", "quantity": str(chance.randint(1, 99))} for _ in range(count)]
        yield Request("", "/api/documents/sales.order/preview", msgspec.json.encode({"party": f"C{chance.randrange(100)}", "lines": chosen}))

    return {
        "list page": (500, get(lambda: f"/documents/sales.order?page={chance.randint(1, 200)}")),
        "list page of what is open": (500, get(lambda: f"/documents/sales.order?phase=open&page={chance.randint(1, 2)}")),
        "search by number": (200, get(lambda: f"/search?q=SO2026-{chance.randint(1, 190):05}")),
        "search by customer": (200, get(lambda: f"/search?q=C{chance.randrange(100)}")),
        "a document of 200 lines": (400, get(lambda: f"/document/{chance.choice(long_orders)}")),
        "simulate 50 lines": (300, lambda: lines(50)),
        "dashboard with its first tile": (1000, get(lambda: "/dashboards/sales", lambda: "/dashboards/sales/0")),
    }


async def _waited(client: httpx.AsyncClient, requests: Callable[[], Iterator[Request]], headers: Callable[[Request], dict[str, str]]) -> list[float]:
    """Milliseconds of each round."""
    taken = []
    for _ in range(ROUNDS):
        at = time.perf_counter()
        for request in requests():
            method = "POST" if request.body else "GET"
            answer = await client.request(method, request.path, content=request.body or None, headers=headers(request))
            assert answer.status_code == 200, f"{request.path}: {answer.status_code} {answer.text[:300]}"
        taken.append((time.perf_counter() - at) * 1000)
    return taken


@pytest.mark.timeout(3600)
async def test_screens_of_a_large_company(databases: Callable[[], str], figures: Figures) -> None:
    async with shop(databases()) as one:
        await multiplied(one, TEMPLATE, SIZE // (TEMPLATE * LINES) - 1)
        do, context = one.app.documents, one.context
        for _ in range(20):
            await do.create("sales.order", one.entered(), context, then=["confirm"])
        long_orders = [(await do.create("sales.order", one.entered(200), context, then=["confirm"])).document.id for _ in range(5)]
        async with served(one) as site, httpx.AsyncClient(base_url=site.url, timeout=120) as client:
            for name, (aim, requests) in asked(one, long_orders).items():
                first, *taken = await _waited(client, requests, lambda r: headers_of(site, r))
                p50, p95 = statistics.median(taken), statistics.quantiles(taken, n=20)[-1]
                text = f"p50 {p50:.0f} ms, p95 {p95:.0f} ms, the first time {first:.0f} ms"
                figures.add("screens", f"{one.engine}, {SIZE:,} order lines, {name}", text, f"p95 {aim} ms", p95 <= aim)
            await _tiles(client, one, {"Cookie": site.headers["Cookie"]}, figures)


async def _tiles(client: httpx.AsyncClient, one: Shop, headers: dict[str, Any], figures: Figures) -> None:
    """Each tile of the board, asked once: the analyses read what they count."""
    taken = []
    for n, tile in enumerate(BOARDS[SALES].tiles):
        at = time.perf_counter()
        answer = await client.get(f"/dashboards/sales/{n}", headers=headers)
        assert answer.status_code == 200, answer.text[:300]
        taken.append(f"{tile.title} {(time.perf_counter() - at) * 1000:,.0f} ms")
    figures.add("screens", f"{one.engine}, {SIZE:,} order lines, tiles of the sales board", ", ".join(taken))
