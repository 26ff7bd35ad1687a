"""A vendor on a phone: logs in, confirms a date, ships to the customer with serial numbers; and reads it all on a desk in the dark."""

from __future__ import annotations

import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from newel.domain.context import Context
from newel.domain.document import DocumentInput, LineInput
from newel.services.app import Newel
from newel_sdk.kit import PASSWORD
from newel_sdk.site import PHONE, fits, window
from newel_sdk.testing import item, party
from newel_vendor_workbench.send import invite
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PLUGINS, Site, served

MORE = ("purchasing", "dropship", "vendor_stock", "vendor_workbench")
WINDOWS = [{"viewport": PHONE, "has_touch": True}, {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"}]
PICTURES = os.environ.get("NEWEL_PICTURES")  # a folder to keep pictures in, for people to look at


async def vendors(newel: Newel, context: Context) -> None:
    """A vendor with a login, an order for us and one that goes straight to a customer, a drill with serial numbers in it."""
    save = newel.records.save
    vendor = await party(newel, context, "V-1", name="Bell foundry", is_vendor=True, is_customer=False)
    await invite(newel, vendor, "bella", "Bella Founder", PASSWORD, context)
    await item(newel, context, "DRILL", price=90, cost=50, name="Cordless drill, 18 V, with two batteries and a case", tracking="serial")
    yard = {"party": "C-1", "kind": "shipping", "name": "Miller's yard", "street": "Quay 9", "postcode": "20095", "city": "Hamburg", "country": "DE"}
    await save("newel.address", None, yard, context)
    for number, price in (("DRILL", "66"), ("I-5", "24")):
        offer = {"party": "V-1", "item": number, "currency": "EUR", "price": price, "part_number": f"BF-{number}"}
        await save("purchasing.price", None, offer, context)
    await save("dropship.rule", None, {"item": "DRILL", "vendor": "V-1", "direct": True, "active": True}, context)
    for _ in range(len(WINDOWS)):
        sale = DocumentInput(party="C-1", lines=(LineInput(item="DRILL", quantity=Decimal(2)),))
        await newel.documents.create("sales.order", sale, context, then=("confirm",))
        lines = (LineInput(item="I-5", quantity=Decimal(40)), LineInput(item="I-4", quantity=Decimal(3), price=Decimal(20)))
        order = DocumentInput(party="V-1", lines=lines)
        await newel.documents.create("purchasing.order", order, context, then=("send",))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Give a server with what a vendor needs."""
    yield from served(Site(tmp_path_factory.mktemp("site"), (*PLUGINS, *MORE), vendors))


@pytest.fixture(params=WINDOWS, ids=["phone", "desk"])
def vendor(request: pytest.FixtureRequest, chromium: Browser, site: Site) -> Iterator[Page]:
    """Give a window of the vendor's, who has come from the address of the workbench."""
    with window(chromium, site, "bella", "/vendor_workbench", (422,), **request.param) as found:
        yield found.page


def picture(page: Page, name: str) -> None:
    """Keep a picture, where somebody wants one; nothing is wider than the window."""
    fits(page)
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}-{(page.viewport_size or PHONE)['width']}.png", full_page=True)


def test_from_the_order_to_the_tracking_number(vendor: Any) -> None:
    """Two taps and two numbers: the date is confirmed, the goods are on their way, and the order is done."""
    expect(vendor.locator("h1")).to_have_text("Orders from Acme")
    picture(vendor, "orders")
    vendor.locator("tr", has_text="Hamburg").first.get_by_role("link").click()
    expect(vendor.locator(".n-facts")).to_contain_text("Quay 9")
    expect(vendor.locator("body")).to_contain_text("BF-DRILL")
    picture(vendor, "order-new")
    vendor.locator("input[type=date]").first.fill("2031-02-05")
    vendor.get_by_role("button", name="Confirm the dates").click()
    expect(vendor.get_by_role("status").first).to_contain_text("the dates are confirmed")

    vendor.get_by_label("Lot or serial numbers").fill("S-1")
    vendor.get_by_label("Tracking number").fill("1Z 999 77")
    vendor.get_by_role("button", name="Ship to the customer").click()
    expect(vendor.locator(".n-problems")).to_contain_text("a serial number for each piece was expected, got 1 for 2 EA")
    expect(vendor.get_by_label("Tracking number")).to_have_value("1Z 999 77")
    picture(vendor, "order-refused")
    width = vendor.viewport_size["width"]
    vendor.get_by_label("Lot or serial numbers").fill(f"S{width}-1\nS{width}-2")
    vendor.get_by_role("button", name="Ship to the customer").click()
    expect(vendor.get_by_role("status").first).to_contain_text("Shipped: DD")
    expect(vendor.locator("body")).to_contain_text("1Z 999 77")
    expect(vendor.get_by_role("button", name="Ship to the customer")).to_have_count(0)
    picture(vendor, "order-done")
    vendor.get_by_role("link", name="Print").click()
    expect(vendor.locator(".p-lines-box")).to_contain_text("Cordless drill")


def test_a_line_comes_in_parts(vendor: Any) -> None:
    """Of forty bells, ten come early: two deliveries of one line, and nothing else of the screens is there for a vendor."""
    vendor.locator("tr", has_text="2 lines").first.get_by_role("link").click()
    line = vendor.locator("form[action$='/confirm'] tbody tr", has_text="Bell")
    line.locator("summary").click()
    line.get_by_label("Quantity of delivery 1").fill("10")
    line.get_by_label("Date of delivery 1").fill("2031-02-05")
    boxes, dates = line.get_by_label("Quantity of delivery"), line.get_by_label("Date of delivery")
    boxes.last.fill("30")
    dates.last.fill("2031-03-05")
    vendor.get_by_role("button", name="Confirm the dates").click()
    expect(vendor.get_by_role("status").first).to_contain_text("the dates are confirmed")
    picture(vendor, "order-parts")
    if vendor.viewport_size["width"] < 900:
        vendor.get_by_role("button", name="Menu", exact=True).click()
    expect(vendor.locator("nav#nav a")).to_have_text(["Vendor workbench"])
