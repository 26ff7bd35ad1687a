"""While typing: what is there and when, what it earns, what it costs in other currencies, and how quickly."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pypdfium2
import pytest
from newel.domain.context import Context
from newel.services.app import Newel
from newel_sdk.testing import DocumentInput, LineInput, item
from playwright.sync_api import Page, expect

from tests.browser.conftest import PLUGINS, Site, served
from tests.browser.entry import NEW, choose, enter_as, focus, order, shelf

MORE = ("drafts", "glance", "item_numbers", "purchasing")
CURRENCIES = {"EUR": 2, "USD": 2, "JPY": 0, "TRY": 2, "CNY": 2}
INTERACTION = 30_000  # bytes that a change may move
SOON = datetime.now(UTC).date() + timedelta(days=10)


async def yard(newel: Newel, context: Context) -> None:
    """Seven lamps here, three in another warehouse, forty on their way; a customer's own number for them; a price in each currency."""
    await shelf(newel, context)
    save, create = newel.records.save, newel.documents.create
    lamp = await item(newel, context, "LAMP", price=50, cost=30, name="Lamp")
    await create("inventory.receipt", DocumentInput(lines=(LineInput(item="LAMP", quantity=Decimal(7)),)), context, then=("receive",))
    second = await save("newel.location", None, {"code": "NORTH", "name": "North", "kind": "storage"}, context)
    lines = (LineInput(item="LAMP", quantity=Decimal(3)),)
    await create("inventory.receipt", DocumentInput(lines=lines, location_to=second), context, then=("receive",))
    coming = DocumentInput(party="C-2", date_requested=SOON, lines=(LineInput(item="LAMP", quantity=Decimal(40), price=Decimal(30)),))
    await create("purchasing.order", coming, context, then=("send",))
    await save("item_numbers.number", None, {"item": lamp, "party": "C-1", "number": "THEIR-77"}, context)
    for currency, digits in CURRENCIES.items():
        if currency not in ("EUR", "USD"):
            await save("newel.currency_rate", None, {"currency": currency, "date_from": "2020-01-01", "rate": "0.05"}, context)
        if currency != "EUR":
            await save("newel.item_price", None, {"item": lamp, "currency": currency, "price": "33.33" if digits else "333"}, context)
    customer = await newel.records.find("newel.party", "C-1", context)
    trade = await save("pricelists.list", None, {"code": "TRADE", "name": "Trade", "currency": "EUR"}, context)
    await save("pricelists.assignment", None, {"price_list": trade, "party": customer}, context)
    post = await save("shipping.carrier", None, {"code": "POST", "name": "Post"}, context)
    parcel = await save("shipping.method", None, {"code": "PARCEL", "name": "Parcel", "carrier": post}, context)
    await save("shipping.usual", None, {"party": customer, "method": parcel}, context)
    await create("sales.order", DocumentInput(party="C-1", lines=(LineInput(item="I-0", quantity=Decimal(1)),)), context, then=("confirm",))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Give a server with goods here, there and on their way."""
    yield from served(Site(tmp_path_factory.mktemp("site"), (*PLUGINS, *MORE), yard))


@pytest.mark.screen("C6")
def test_c6_what_a_customer_brings_along(watched: Any) -> None:
    """Address, terms and currency as what is taken by itself; language, price list and carrier; the credit bar, the open orders and the last ones."""
    page = order(watched)
    head = page.locator("#preview-head")
    expect(head).to_have_text("LanguageEnglish" + "Price listTRADE" + "CarrierPost · Parcel")
    page.get_by_text("More", exact=True).click()
    expect(page.locator("#ship_to")).to_have_attribute("placeholder", re.compile("Main street 1"))
    expect(page.locator("#terms option").first).to_have_text(re.compile("NET14"))
    page.focus("#lines-0-item")
    choose(page, "I-0")
    expect(page.locator("#preview-side")).to_contain_text("Last orders")
    expect(page.locator("#preview-side")).to_contain_text("11.90")
    expect(page.locator(".n-credit")).to_be_visible()
    page.fill("#party", "")
    page.focus("#party")
    choose(page, "C-3")
    expect(page.locator("#currency option").first).to_have_text("USD")
    expect(page.locator("#preview-totals")).to_contain_text("USD")
    expect(head).to_have_text("LanguageEnglish")


@pytest.mark.screen("C13")
def test_c13_found_by_the_customers_own_number(watched: Any) -> None:
    """Our customer's number leads to our item, in the list and without it; another customer's order does not know it."""
    page = order(watched)
    page.keyboard.type("their-7", delay=45)
    expect(page.locator("[role=option]").first).to_contain_text("LAMP")
    page.keyboard.press("Escape")
    page.fill("#lines-0-item", "THEIR-77")
    page.focus("#lines-0-price")
    expect(page.locator("#lines-0-item")).to_have_value("LAMP")
    page = order(watched, "C-2")
    page.fill("#lines-0-item", "THEIR-77")
    page.focus("#lines-0-price")
    expect(page.locator("#preview-problems")).to_contain_text("THEIR-77")


@pytest.mark.screen("C25")
def test_c25_what_is_there_and_when(watched: Any) -> None:
    """Free now; where that is too little, the day when all of it can be there and what lies elsewhere; a date that is too early says so."""
    page = order(watched)
    choose(page, "LAMP")
    page.fill("#lines-0-quantity", "5")
    box = page.locator("#lines-0-more")
    expect(box).to_contain_text("Free 7 EA", use_inner_text=True)
    page.fill("#lines-0-quantity", "20")
    expect(box).to_contain_text("In NORTH 3 EA", use_inner_text=True)
    expect(box).to_contain_text("On its way 40 EA", use_inner_text=True)
    expect(box).to_contain_text(str(SOON.day))
    expect(box).not_to_contain_text("later than asked for")
    page.fill("#date_requested", "+2")
    page.keyboard.press("Tab")
    expect(box).to_contain_text("later than asked for")
    page.fill("#date_requested", "+30")
    page.keyboard.press("Tab")
    expect(box).not_to_contain_text("later than asked for")


@pytest.mark.screen("C28")
def test_c28_margin_only_with_the_right(watched: Any) -> None:
    """Who has the right sees it while typing; for others neither page nor preview has it."""
    page = order(watched)
    choose(page, "LAMP")
    expect(page.locator("#preview-side")).to_contain_text("Margin")
    expect(page.locator("#preview-side")).to_contain_text("40 %")
    enter_as(watched, "clerk-en")
    page = order(watched)
    with page.expect_request_finished(lambda r: "preview" in r.url and "LAMP" in (r.post_data or "")) as asked:
        choose(page, "LAMP")
    expect(page.locator("#lines-0-net")).to_have_text("50.00")
    answer = asked.value.response()
    assert answer
    for source in (page.content(), answer.text()):
        assert "Margin" not in source
        assert "30.00" not in source


@pytest.mark.screen("C24")
@pytest.mark.parametrize("currency", sorted(CURRENCIES))
def test_c24_one_total_everywhere(watched: Any, currency: str) -> None:
    """What the screen shows while typing is what is saved, what the programs' interface says, and what is printed."""
    page = order(watched)
    page.get_by_text("More", exact=True).click()
    page.locator("#currency").select_option(currency)
    page.focus("#lines-0-item")
    choose(page, "LAMP")
    page.fill("#lines-0-quantity", "7")
    page.fill("#lines-0-discount", "12.5")
    expect(page.locator("#preview-totals")).to_contain_text(currency)
    watched.settled()
    expect(page.locator("#lines-0-net")).not_to_have_text("")
    shown = page.locator("#preview-totals [data-strong] .n-code").inner_text().split()[0]
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(re.compile(r"/document/\d+$"))
    assert page.locator(".n-doc-total strong").inner_text().split()[0] == shown
    id_ = page.url.rsplit("/", 1)[1]
    gross = page.evaluate("async (id) => (await (await fetch(`/api/document/${id}`)).json()).gross", id_)
    assert Decimal(gross) == Decimal(shown.replace(",", ""))
    content = page.request.get(f"{page.url}/pdf").body()
    assert f"{shown} {currency}" in pypdfium2.PdfDocument(content)[0].get_textpage().get_text_bounded()
    page.goto(f"{page.url}/print")
    assert shown in page.content()


DIFFERENT = """
async () => {
    const form = document.getElementById("document-form"), body = new URLSearchParams(new FormData(form));
    const headers = {"x-csrftoken": body.get("_csrf_token")};
    const text = await (await fetch(form.dataset.previewUrl, {method: "POST", body, headers})).text();
    const whole = new DOMParser().parseFromString(text, "text/html").querySelectorAll("#preview-totals, output, .n-row-note, .n-boxes");
    return [whole.length, [...whole].filter((one) => (document.getElementById(one.id)?.textContent ?? "") !== one.textContent).map((one) => one.id)];
}
"""


@pytest.mark.screen("C23")
def test_c23_prices_and_totals_follow_the_last_key(watched: Any) -> None:
    """Net, tax and total of what was typed last; whatever is put in, moved, taken out and brought back, each row shows what a whole answer would say.

    How quickly: tests/benchmarks/bench_entry.py.
    """
    page = order(watched)
    lines_of(page, 50)
    totals = page.locator("#preview-totals")
    page.fill("#lines-20-quantity", "1")
    page.fill("#lines-20-price", "1000")
    expect(page.locator("#lines-20-net")).to_have_text("1,000.00")
    before = totals.inner_text()
    page.keyboard.press("Tab")
    page.fill("#lines-20-discount", "1")
    page.fill("#lines-20-discount", "12.5")
    expect(page.locator("#lines-20-net")).to_have_text("875.00")
    expect(totals).not_to_have_text(before, use_inner_text=True)
    page.focus("#lines-3-quantity")
    for keys in ("Control+d", "Alt+ArrowUp", "Control+Delete", "Insert"):
        page.keyboard.press(keys)
    page.fill("#lines-3-item", "I-3")
    page.fill("#lines-3-quantity", "4")  # as its neighbour
    page.focus("#lines-9-quantity")
    page.keyboard.press("Control+Delete")
    page.get_by_role("button", name="Undo").click()
    _as_the_whole(watched)
    page.fill("#lines-7-quantity", "")
    page.fill("#lines-7-item", "")
    page.focus("#lines-8-item")
    expect(page.locator("#lines-7-net")).to_have_text("")
    page.fill("#party", "")
    page.focus("#party")
    choose(page, "C-3")
    expect(totals).to_contain_text("USD")
    _as_the_whole(watched)


def _as_the_whole(watched: Any) -> None:
    """What is shown is what the server says of all lines at once."""
    watched.page.focus("#reference")
    watched.settled()
    count, different = watched.page.evaluate(DIFFERENT)
    assert count > 100
    assert different == []


def lines_of(page: Page, count: int) -> None:
    """So many lines, at once."""
    page.evaluate(
        """(count) => {
            const grid = document.querySelector("newel-lines[data-name=lines]");
            grid.take(grid.rows()[0], [{name: "item"}, {name: "quantity"}], [...Array(count)].map((_, i) => [`I-${i % 6}`, String(i % 9 + 1)]));
        }""",
        count,
    )
    expect(page.locator(f"#lines-{count - 1}-net")).not_to_have_text("")


@pytest.mark.screen("C19")
def test_c19_five_hundred_lines(watched: Any) -> None:
    """The head of the table stays in sight, keys work in the last line as in the first, the answer to a key is small, and all of it is saved.

    How quickly: tests/benchmarks/bench_entry.py.
    """
    page = order(watched)
    lines_of(page, 500)
    page.focus("#lines-499-quantity")
    head = page.locator("newel-lines[data-name=lines] thead th").nth(1).bounding_box()
    assert head
    assert 0 <= head["y"] < 200
    watched.settled()
    with page.expect_request_finished(lambda r: "/preview" in r.url) as asked:
        page.keyboard.type("3")
    answer = asked.value.response()
    assert answer
    assert len(answer.body()) < INTERACTION
    assert page.input_value("#lines-499-quantity").endswith("3")
    page.keyboard.press("Enter")
    assert focus(page) == "lines-499-unit"
    page.keyboard.press("Alt+s")
    page.wait_for_url(re.compile(r"/document/\d+$"))
    expect(page.locator("tr[id^=line-]")).to_have_count(500)


@pytest.mark.screen("C71")
def test_c71_the_order_screen_is_light(watched: Any) -> None:
    """All that comes with the first visit, compressed, is under 250 KB, what a change of a line moves both ways under 30; and next to nothing jumps."""
    page = watched.page
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.clearBrowserCache")
    sizes: list[float] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    session.on("Network.requestWillBeSent", lambda event: sizes.append(len(event["request"].get("postData", ""))))
    page.add_init_script(
        "window.shift = 0; new PerformanceObserver((l) => l.getEntries().forEach((e) => { window.shift += e.value; }))"
        ".observe({type: 'layout-shift', buffered: true});"
    )
    watched.open(NEW)
    watched.settled()
    assert 20_000 < sum(sizes) < 250_000
    assert page.evaluate("window.shift") < 0.1
    choose(page, "C-1")
    lines_of(page, 50)
    watched.settled()
    sizes.clear()
    page.fill("#lines-25-quantity", "8")  # the preview, what is kept as a draft, and whatever else follows
    watched.settled()
    assert 1_000 < sum(sizes) < INTERACTION
