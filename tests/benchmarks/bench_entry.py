"""What a key costs in an order of 50 and of 500 lines, in the real browser: from the key to what is painted, and to prices and totals that are new."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import Any

import pytest
from newel.domain.context import Context
from newel.services.app import Newel
from newel_sdk.site import Watched, window
from playwright.sync_api import Browser, Page

from tests.benchmarks.figures import Figures
from tests.browser.conftest import DESKTOP, PLUGINS, Site, served
from tests.browser.entry import order, shelf, sixty
from tests.browser.test_order_entry_stock import MORE, lines_of

ROUNDS = 50
TYPING = 120  # milliseconds between the keys of somebody quick
SIXTY: list[int] = []  # the order with 59 deliveries
PAINTED = """
() => {
    window.painted = [];
    document.addEventListener("keydown", (event) => {
        const at = event.timeStamp;
        requestAnimationFrame(() => setTimeout(() => window.painted.push(performance.now() - at)));
    }, true);
}
"""
TOTALS = """
() => new Promise((done) => {
    const at = performance.now(), shown = document.querySelector("#preview-totals").textContent;
    const look = () => document.querySelector("#preview-totals").textContent === shown ? requestAnimationFrame(look) : done(performance.now() - at);
    look();
})
"""
LONGEST = """
() => {
    window.longest = 0;
    const look = (list) => { window.longest = Math.max(window.longest, ...list.getEntries().map((one) => one.duration)); };
    new PerformanceObserver(look).observe({type: "longtask"});
}
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Give a server with all that an order looks at."""

    async def more(newel: Newel, context: Context) -> None:
        await shelf(newel, context)
        SIXTY.append(await sixty(newel, context))

    yield from served(Site(tmp_path_factory.mktemp("site"), (*PLUGINS, *MORE, "promotions", "credit"), more))


@pytest.fixture
def screen(chromium: Browser, site: Site) -> Iterator[Watched]:
    """Give a window that is logged in."""
    with window(chromium, site, viewport=DESKTOP) as found:
        yield found


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("lines", "aim"), [(50, 300), (500, 800)])
def test_keys(screen: Any, figures: Figures, lines: int, aim: int) -> None:
    page: Page = order(screen)
    lines_of(page, lines)
    page.wait_for_timeout(2000)
    page.evaluate(PAINTED)
    page.focus(f"#lines-{lines // 2}-text")
    for n in range(ROUNDS):
        page.keyboard.press("abcdefghij"[n % 10])
        page.wait_for_timeout(TYPING)
    page.wait_for_load_state("networkidle")
    _add(figures, f"{lines} lines, from key to paint", page.evaluate("window.painted"), 100)
    taken = []
    for n in range(ROUNDS):
        page.fill(f"#lines-{lines // 2}-quantity", str(n + 11))
        taken.append(page.evaluate(TOTALS))
        page.wait_for_load_state("networkidle")
    _add(figures, f"{lines} lines, from the last key to new totals", taken, aim)
    page.wait_for_timeout(2000)
    page.evaluate("scrollTo(0, 0)")
    page.mouse.move(700, 500)
    page.evaluate(LONGEST)
    for _ in range(60):
        page.mouse.wheel(0, 400)
        page.wait_for_timeout(30)
    longest = page.evaluate("window.longest")  # the browser tells of those over 50 ms only
    figures.add("entry", f"{lines} lines, the longest task while scrolling", f"{longest:.0f} ms" if longest else "below 50 ms", "50 ms", longest <= 50)


@pytest.mark.timeout(1800)
def test_a_flow_of_sixty_documents(screen: Any, figures: Figures) -> None:
    """What comes after the page of an order with 59 deliveries has arrived, until it is drawn."""
    taken = []
    for _ in range(10):
        page = screen.open(f"/document/{SIXTY[0]}")
        taken.append(page.evaluate("() => { const [n] = performance.getEntriesByType('navigation'); return n.domContentLoadedEventEnd - n.responseEnd; }"))
    _add(figures, "a flow of 60 documents, from the answer to the drawing", taken, 500)


def _add(figures: Figures, what: str, taken: list[float], aim: int) -> None:
    p95 = statistics.quantiles(taken, n=20)[-1]
    figures.add("entry", what, f"p50 {statistics.median(taken):.0f} ms, p95 {p95:.0f} ms", f"p95 {aim} ms", p95 <= aim)
