"""Dashboards on a desk and on a phone: each tile comes by itself, leads to its rows, says what it shows in words and as a table, and fails alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from newel.domain.context import Context
from newel.domain.document import DocumentInput, LineInput
from newel.services.app import Newel
from newel_sdk.site import PHONE, Watched, fits, window
from newel_sdk.testing import party
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PLUGINS, Site, served

DESK = {"viewport": {"width": 1280, "height": 900}}
WINDOWS = [DESK, {**DESK, "color_scheme": "dark"}, {"viewport": PHONE, "has_touch": True}]
PICTURES = os.environ.get("NEWEL_PICTURES")  # a folder to keep pictures in, for people to look at


async def sales(newel: Newel, context: Context) -> None:
    """Invoices of two years, some of them overdue, an open order, and a board of which one tile is wrong."""
    today = context.today
    for year in (today.year - 1, today.year - 2):
        await newel.records.save("newel.period", None, {"code": f"{year}", "date_from": f"{year}-01-01", "date_to": f"{year}-12-31", "state": "open"}, context)
    for n, country in enumerate(("AT", "SI", "FR")):
        await party(newel, context, f"C-{n + 3}", name=("Alpine Sports", "Kolo d.o.o.", "Vélo Lyon")[n], country=country)
    for n in range(24):
        when = date(today.year - (n < 12), min(n % 12 + 1, today.month), 1)
        lines = (LineInput(item=f"I-{n % 6}", quantity=Decimal(2 + n % 5)), LineInput(item=f"I-{(n + 2) % 6}", quantity=Decimal(3)))
        await newel.documents.create("invoicing.invoice", DocumentInput(party=f"C-{n % 5 + 1}", lines=lines, date=when), context, then=("post",))
    await newel.documents.create("sales.order", DocumentInput(party="C-1", lines=(LineInput(item="I-1", quantity=Decimal(3)),)), context, then=("confirm",))
    board = await newel.records.save("dashboards.board", None, {"code": "own", "name": "Our own"}, context)
    tile = {"board": board, "source": "dashboards.sales", "parameters": "date_from=@year&date_to=@today", "show": "figure"}
    await newel.records.save("dashboards.tile", None, {**tile, "position": 1, "title": "Right", "figure": "revenue"}, context)
    await newel.records.save("dashboards.tile", None, {**tile, "position": 2, "title": "Wrong", "figure": "weather"}, context)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Give a server with two years of sales, in the ninth month: in January there is no month to compare."""
    made = Site(tmp_path_factory.mktemp("site"), (*PLUGINS, "dashboards"), sales)
    made.newel.clock = lambda: datetime(2026, 9, 15, 9, tzinfo=UTC)
    yield from served(made)


@pytest.fixture(params=WINDOWS, ids=["desk", "dark", "phone"])
def screen(request: pytest.FixtureRequest, chromium: Browser, site: Site) -> Iterator[Watched]:
    """Give a window that is logged in."""
    with window(chromium, site, **request.param) as found:
        yield found


def _seen(page: Page, name: str, request: Any) -> None:
    """Nothing is wider than the window, a checker of accessibility finds nothing, and somebody may look at it."""
    fits(page)
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}-{request.node.callspec.id}.png", full_page=True)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.screen("C55", "C56")
def test_boards_on_desk_phone_and_in_the_dark(screen: Watched, request: pytest.FixtureRequest) -> None:
    page = screen.open("/dashboards/sales")
    expect(page.locator(".d-tile .d-figure")).to_have_count(8)
    chart = page.get_by_role("img", name="Revenue by month. ")
    expect(chart).to_have_attribute("width", "340")
    expect(page.locator("#tile-4-said")).to_contain_text("Largest: ")
    expect(page.locator("#tile-4-hatch"), "what is compared has a pattern, not just another colour").to_have_count(1)
    tile = page.locator(".d-tile", has=chart)
    tile.get_by_text("As a table").click()
    expect(tile.get_by_role("table")).to_be_visible()
    _seen(page, "sales", request)
    open_orders = page.locator(".d-tile", has_text="Open orders").locator(".d-figure")
    expect(open_orders).to_contain_text("1")
    open_orders.click()
    expect(page.locator("table tbody tr")).to_have_count(1)
    page = screen.open("/dashboards/finance")
    expect(page.locator(".d-tile .d-figure")).to_have_count(7)
    _seen(page, "finance", request)


@pytest.mark.screen("C54")
def test_from_a_figure_over_the_analysis_to_the_lines(screen: Watched, request: pytest.FixtureRequest) -> None:
    page = screen.open("/dashboards/sales")
    figure = page.locator(".d-tile", has_text="Largest customers").locator(".d-figure")
    total = figure.locator(".n-code").inner_text()
    figure.click()
    expect(page.locator("tfoot")).to_contain_text(total)
    _seen(page, "analysis", request)
    row = page.locator("tbody tr").first
    revenue = row.locator("td").nth(1).locator(".n-code").inner_text()
    row.get_by_role("link").click()
    expect(page.locator("tfoot")).to_contain_text(revenue)
    page = screen.open("/dashboards/receivables?by=country")
    _seen(page, "receivables", request)


@pytest.mark.screen("C56")
def test_a_tile_fails_alone_and_can_be_tried_again(screen: Watched, request: pytest.FixtureRequest) -> None:
    page = screen.open("/dashboards/own")
    wrong, right = (page.locator(".d-tile", has=page.get_by_role("heading", name=n)) for n in ("Wrong", "Right"))
    expect(right.locator(".d-figure")).to_be_visible()
    expect(wrong.get_by_role("alert")).to_contain_text("no column of amounts")
    _seen(page, "failing", request)
    with page.expect_response("**/dashboards/own/1"):
        wrong.get_by_text("Try again").click()
    expect(wrong.get_by_role("alert")).to_contain_text("no column of amounts")
    expect(right.locator(".d-figure")).to_be_visible()
