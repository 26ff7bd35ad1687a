"""The day of a line in order entry: it stands below the line, one key says why, and one button promises it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from babel.dates import format_date
from newel.domain.context import Context
from newel.services.app import Newel
from newel_sdk.testing import item
from playwright.sync_api import expect

from tests.browser.conftest import PLUGINS, Site, served
from tests.browser.entry import choose, focus, order, shelf


async def dates(newel: Newel, context: Context) -> None:
    """Nobody works tomorrow, whatever is ordered today counts as of tomorrow, two days to Germany, five for an anvil."""
    await shelf(newel, context)
    save, tomorrow = newel.records.save, datetime.now(UTC).date() + timedelta(days=1)
    every = {"code": "ALL", "name": "Every day", "zone": "UTC", "days": "Mon-Sun", "cut_off": "00:00"}
    calendar = await save("delivery_dates.calendar", None, every, context)
    await save("delivery_dates.day", None, {"calendar": calendar, "day": tomorrow.isoformat(), "name": "Stocktaking"}, context)
    await save("delivery_dates.route", None, {"code": "DE-2", "name": "Germany", "country": "DE", "days": 2}, context)
    anvil = await item(newel, context, "ANVIL", price=90, cost=50)
    await save("delivery_dates.lead_time", None, {"item": anvil, "days": 5}, context)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Give a server with a calendar, a route and a lead time."""
    yield from served(Site(tmp_path_factory.mktemp("site"), (*PLUGINS, "delivery_dates"), dates))


def said(days: int) -> str:
    """So many days from now, as the page says it."""
    return str(format_date(today() + timedelta(days=days), "medium", "en"))


def today() -> date:
    """The day of the server."""
    return datetime.now(UTC).date()


@pytest.mark.screen("C31")
def test_c31_why_this_day(watched: Any) -> None:
    """The day below the line; the key of the price shows cut-off, holiday, stock, lead time and route, day by day; an order keeps what is promised."""
    page = order(watched)
    choose(page, "I-1")
    page.fill("#lines-0-quantity", "3")
    page.focus("#lines-0-price")
    below = page.locator("#lines-0-more")
    expect(below).to_contain_text("With the customer")
    expect(below).to_contain_text(said(4))
    expect(below).not_to_contain_text("Stocktaking")
    page.keyboard.press("Alt+w")
    steps = page.locator("dialog .n-steps").last
    expect(steps.locator("tbody tr td:nth-child(1)")).to_have_text(
        ["Ordered", "After the cut-off", "Holiday", "In stock", "Leaves", "Working days under way", "With the customer"]
    )
    expect(steps.locator("tbody tr td:nth-child(2)")).to_have_text(
        [steps.locator("td").nth(1).inner_text(), "00:00", "Stocktaking", "3 EA", "DE-2", "DE-2 · 2", ""]
    )
    expect(steps.locator("tbody tr td:nth-child(3)")).to_have_text(["", "+1", "+1", "", "", "+2", ""])
    expect(steps.locator("tbody tr").last).to_contain_text(f"{today() + timedelta(days=4):%a} {said(4)}")
    page.keyboard.press("Escape")
    assert focus(page) == "lines-0-price"
    page.fill("#lines-0-item", "ANVIL")
    page.focus("#lines-0-quantity")
    expect(below).to_contain_text(said(9))
    page.fill("#date_requested", "+1")
    page.focus("#lines-0-quantity")
    expect(page.locator("#preview-problems")).to_contain_text(f"ANVIL can be with the customer on {today() + timedelta(days=9)} at the earliest")
    page.keyboard.press("Alt+w")
    expect(steps).to_contain_text("Lead time in working days")
    expect(steps).to_contain_text("0 / 3 EA")
    page.keyboard.press("Escape")
    below.get_by_role("button", name="Ask for").press("Enter")
    expect(page.locator("#lines-0-deliveries")).to_have_value((today() + timedelta(days=9)).isoformat())
    expect(page.locator("#preview-problems")).not_to_contain_text("at the earliest")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/document/*")
    page.get_by_text("Why this day").first.click()
    expect(page.locator(".n-lines .n-steps").last).to_contain_text("Stocktaking")
    page.get_by_role("button", name="Promise").click()
    expect(page.locator(".n-flashes")).to_contain_text("The days are promised")
    expect(page.locator("#schedule")).to_contain_text(said(9))
