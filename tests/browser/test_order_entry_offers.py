"""What is offered below a line: the right quantity, a substitute, what goes with it; by mouse, by keyboard and without script."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from newel.domain.context import Context
from newel.services.app import Newel
from newel_sdk.testing import DocumentInput, LineInput, item
from playwright.sync_api import expect

from tests.browser.conftest import DESKTOP, PLUGINS, Site, served
from tests.browser.entry import NEW, choose, focus, order, shelf

MORE = ("assortment", "configurator", "drafts", "glance", "kits", "promotions")


async def lamps(newel: Newel, context: Context) -> None:
    """Seven lamps and forty of another that can stand for them; bulbs in sixes that every lamp needs."""
    await shelf(newel, context)
    save = newel.records.save
    made = {n: await item(newel, context, n, price=price, cost=1, name=n.capitalize()) for n, price in (("LAMP", 50), ("LAMP-2", 60), ("BULB", 2))}
    lines = tuple(LineInput(item=n, quantity=Decimal(q)) for n, q in (("LAMP", 7), ("LAMP-2", 40), ("BULB", 90)))
    await newel.documents.create("inventory.receipt", DocumentInput(lines=lines), context, then=("receive",))
    await save("assortment.association", None, {"item": made["LAMP"], "other": made["LAMP-2"], "kind": "substitute"}, context)
    await save("assortment.association", None, {"item": made["LAMP-2"], "other": made["BULB"], "kind": "required"}, context)
    group = await save("promotions.group", None, {"code": "ALL", "name": "All", "policy": "stack"}, context)
    values = {"code": "TEN", "name": "Ten percent", "promotion_group": group, "active": True, "percent": 10, "quantity_min": 10}
    ten = await save("promotions.promotion", None, values, context)
    await save("promotions.scope", None, {"promotion": ten, "item": made["LAMP-2"]}, context)
    trade = await save("pricelists.list", None, {"code": "TRADE", "name": "Trade", "currency": "EUR"}, context)
    await save("pricelists.line", None, {"price_list": trade, "item": made["LAMP-2"], "quantity_min": 100, "price": 40}, context)
    await save("pricelists.assignment", None, {"price_list": trade, "party": await newel.records.find("newel.party", "C-1", context)}, context)
    await save("assortment.ordering", None, {"item": made["BULB"], "quantity_min": "6", "quantity_step": "6"}, context)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Give a server with lamps that are short."""
    yield from served(Site(tmp_path_factory.mktemp("site"), (*PLUGINS, *MORE), lamps))


@pytest.mark.screen("C21")
def test_c21_a_substitute_what_goes_with_it_and_the_right_quantity_by_keyboard(watched: Any) -> None:
    """Tab leads from the line to what is offered, Enter takes it, and the cursor is in the field that was filled in; Esc takes it back."""
    page = order(watched)
    choose(page, "LAMP")
    page.fill("#lines-0-quantity", "8")
    take = page.get_by_role("button", name="Take LAMP-2 Lamp-2")
    expect(take).to_be_visible()
    expect(page.locator("#lines-0-more")).to_contain_text("List price 60.00 EUR", use_inner_text=True)
    page.focus("#lines-0-quantity")
    page.keyboard.press("Tab")
    expect(take).to_be_focused()
    page.keyboard.press("Enter")
    assert focus(page) == "lines-0-item"
    expect(page.locator("#lines-0-net")).to_have_text("480.00")
    page.keyboard.press("Escape")
    expect(page.locator("#lines-0-item")).to_have_value("LAMP")
    expect(take).to_be_visible()
    take.click()
    expect(page.locator("#lines-0-net")).to_have_text("480.00")
    assert page.input_value("#lines-0-quantity") == "8"
    add = page.get_by_role("button", name="Add BULB Bulb")
    add.press("Enter")
    assert focus(page) == "lines-1-item"
    expect(page.locator("#lines-1-net")).to_have_text("16.00")
    page.get_by_role("button", name="Make it 12 EA").press("Enter")
    assert focus(page) == "lines-1-quantity"
    expect(page.locator("#lines-1-net")).to_have_text("24.00")
    expect(page.locator(".n-offer")).to_have_count(0)
    page.keyboard.press("Alt+n")
    page.wait_for_url("**/document/*")
    expect(page.locator("tr[id^=line-]")).to_have_count(2)


@pytest.mark.screen("C21")
@pytest.mark.parametrize("watched", [{"viewport": DESKTOP, "java_script_enabled": False}], indirect=True)
def test_c21_without_script(watched: Any) -> None:
    """The same buttons bring the form back with what they offer in its row, or in a new one."""
    page = watched.open(NEW)
    page.fill("[name=party_text]", "C-1")
    page.fill("#lines-0-item", "LAMP")
    page.fill("#lines-0-quantity", "8")
    page.press("#lines-0-quantity", "Enter")  # calculates, and takes nothing
    page.press("#lines-0-quantity", "Enter")
    page.get_by_role("button", name="Take LAMP-2 Lamp-2").click()
    expect(page.locator("#lines-0-item")).to_have_value("LAMP-2")
    page.get_by_role("button", name="Add BULB Bulb").click()
    expect(page.locator("#lines-1-item")).to_have_value("BULB")
    page.get_by_role("button", name="Make it 12 EA").click()
    expect(page.locator("#lines-1-quantity")).to_have_value("12")
    expect(page.locator("#lines-1-net")).to_have_text("24.00")


@pytest.mark.screen("C29")
def test_c29_why_not_less(watched: Any) -> None:
    """Beside what made the price stand the rules that nearly did, with what is missing: two pieces, or ninety-two for the next price of the list."""
    page = order(watched)
    choose(page, "LAMP-2")
    page.fill("#lines-0-quantity", "8")
    page.focus("#lines-0-price")
    page.keyboard.press("Alt+w")
    dialog = page.locator("dialog")
    expect(dialog).to_contain_text("list price of LAMP-2")
    expect(dialog).to_contain_text("Ten percent 2 EA", use_inner_text=True)
    expect(dialog).to_contain_text("price list TRADE, from 100 92 EA", use_inner_text=True)
    expect(dialog).to_contain_text("40.00 EUR", use_inner_text=True)
    expect(page.locator("#lines-0-more")).not_to_contain_text("Ten percent")  # only where somebody asks
    page.keyboard.press("Escape")
    assert focus(page) == "lines-0-price"
