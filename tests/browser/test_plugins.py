"""What plugins add to the screens, with all of them installed: choices, coupons, kits, credit decisions, consignment and purchasing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from newel.domain.context import Context
from newel.domain.document import DocumentInput, LineInput
from newel.services.app import Newel
from newel_sdk.site import fits
from newel_sdk.testing import item, party
from playwright.sync_api import Page, expect

from tests.browser.conftest import PLUGINS, Site, served

MORE = ("promotions", "kits", "configurator", "credit", "consignment", "purchasing")


async def offers(newel: Newel, context: Context) -> None:
    """A mixer to be configured, a kit, a promotion with a coupon, a vendor with prices, and a customer with little credit."""
    save = newel.records.save
    for number, name, price in (
        ("MIXER", "Mixer", 1000), ("M1", "Motor 200 W", 300), ("M2", "Motor 500 W", 500), ("RED", "Red paint", 10), ("BLUE", "Blue paint", 10),
        ("LAMP", "Lamp", 20), ("HOOK", "Hook", 7), ("SET", "Bicycle set", 90),
    ):  # fmt: skip
        await item(newel, context, number, price=price, cost=4, name=name)
    stocked = ("M1", "M2", "RED", "BLUE", "LAMP", "HOOK")
    lines = tuple(LineInput(item=number, quantity=Decimal(20)) for number in stocked)
    await newel.documents.create("inventory.receipt", DocumentInput(lines=lines), context, then=("receive",))
    model = await save("configurator.model", None, {"item": "MIXER"}, context)
    options = {}
    for code, about, found in (
        ("MOTOR", {"required": True}, {"M1": {"preset": True}, "M2": {"surcharge": "200"}}),
        ("COLOUR", {}, {"RED": {"surcharge": "49.99"}, "BLUE": {}}),
        ("EXTRA", {"several": True}, {"LAMP": {"surcharge": "15", "quantity_max": "3"}, "HOOK": {"price_mode": "item"}}),
    ):
        feature = await save("configurator.feature", None, {"model": model, "code": code, "name": code.capitalize(), **about}, context)
        for number, more in found.items():
            options[number] = await save("configurator.option", None, {"feature": feature, "item": number, **more}, context)
    for kind, one, other, reason in (("requires", "M2", "LAMP", "it is dark in there"), ("excludes", "RED", "HOOK", "the paint is soft")):
        await save("configurator.rule", None, {"model": model, "kind": kind, "option": options[one], "other": options[other], "reason": reason}, context)
    kit = await save("kits.kit", None, {"item": "SET"}, context)
    for part, quantity in (("I-0", 1), ("I-1", 2)):
        await save("kits.component", None, {"kit": kit, "item": part, "quantity": str(quantity)}, context)
    await save("promotions.group", None, {"code": "G", "name": "Season"}, context)
    values = {"code": "BELLS", "name": "Bells", "promotion_group": "G", "active": True, "percent": "10", "coupon": True}
    promotion = await save("promotions.promotion", None, values, context)
    await save("promotions.scope", None, {"promotion": promotion, "item": "I-5"}, context)
    await save("promotions.coupon", None, {"code": "RING", "promotion": promotion, "uses_max": 1}, context)
    await party(newel, context, "V-1", name="Bell foundry", is_vendor=True, is_customer=False)
    await save("purchasing.price", None, {"party": "V-1", "item": "I-5", "currency": "EUR", "price": "24", "part_number": "BF-5"}, context)
    await save("credit.limit", None, {"party": "C-2", "amount": "100", "currency": "EUR"}, context)


PICK = "lines-0-data.configurator.choices"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
DARK = {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"}
PLAIN = {"viewport": {"width": 1280, "height": 800}, "java_script_enabled": False}
DOCUMENT = re.compile(r"/document/\d+$")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Give a server with all plugins and something for each of them."""
    yield from served(Site(tmp_path_factory.mktemp("site"), (*PLUGINS, *MORE), offers))


def field(page: Page, id: str) -> Any:
    """A field by its id, which may hold dots."""
    return page.locator(f"[id='{id}']")


def new(watched: Any, kind: str, party: str, *lines: tuple[str, str]) -> Page:
    """A form with its first lines, as somebody types them."""
    page: Page = watched.open(f"/documents/{kind}/new")
    page.fill("#party", party)
    for n, (number, quantity) in enumerate(lines):
        page.fill(f"#lines-{n}-item", number)
        page.fill(f"#lines-{n}-quantity", quantity)
    return page


def go_on(page: Page, step: str, quantity: str = "", button: str = "Make and") -> None:
    """Take a way on from a document's page, with so much of its first line, and carry it out."""
    page.locator(".n-doc-actions").get_by_role("link", name=step, exact=True).click()
    if quantity:
        page.locator("input[name^='q-']").first.fill(quantity)
    page.get_by_role("button", name=re.compile(f"^{button}")).click()
    page.wait_for_url(DOCUMENT)


# ---- configurator ------------------------------------------------------------------------------------------------------------------


@pytest.mark.screen("C21")
@pytest.mark.capability("CFG-01", screen="/documents/sales.order")
def test_a_configuration_is_chosen_on_the_line_of_an_order(watched: Any) -> None:
    """The item brings its features, by keyboard from its line and back; each choice is priced at once, what does not go together says why."""
    page = new(watched, "sales.order", "C-1", ("MIXER", "1"))
    box = page.locator("#lines-0-more")
    expect(box).to_contain_text("Configuration of MIXER")
    expect(field(page, f"{PICK}.MOTOR.M1")).to_be_checked()  # the preset
    expect(page.locator("#lines-0-net")).to_have_text("1,000.00")
    page.focus("#lines-0-quantity")
    page.keyboard.press("Tab")
    expect(field(page, f"{PICK}.MOTOR.M1")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#lines-0-net")).to_have_text("1,200.00")
    expect(field(page, f"{PICK}.MOTOR.M2")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#lines-0-quantity")).to_be_focused()
    expect(box.locator(".n-box-problem")).to_contain_text("it is dark in there")
    expect(page.locator("#preview-problems")).to_contain_text("MOTOR M2 requires EXTRA LAMP")
    lamps = field(page, f"{PICK}.EXTRA.LAMP")
    lamps.press_sequentially("2", delay=50)
    expect(page.locator("#lines-0-net")).to_have_text("1,230.00")
    expect(box.locator(".n-box-problem")).to_have_count(0)
    expect(lamps).to_be_focused()  # the answer does not take away what is being typed
    field(page, f"{PICK}.COLOUR.RED").check()
    expect(box.locator(".n-refused")).to_contain_text("not with Colour RED: the paint is soft")
    expect(page.locator("#lines-0-net")).to_have_text("1,279.99")

    page.fill("#lines-1-item", "I-0")
    expect(page.locator("#lines-1-net")).to_have_text("10.00")
    page.locator("#lines-1-item").press("Alt+ArrowUp")  # what was chosen moves with its line
    expect(field(page, "lines-1-data.configurator.choices.COLOUR.RED")).to_be_checked()
    expect(page.locator("#lines-1-net")).to_have_text("1,279.99")
    page.get_by_role("button", name="Save and confirm").click()
    page.wait_for_url(DOCUMENT)
    line = page.locator("tbody tr", has_text="MIXER").first
    expect(line).to_contain_text("2 × LAMP Lamp")
    expect(line).to_contain_text("1,279.99")
    expect(page.locator(".n-doc-total")).to_contain_text("1,535.09")  # 1,289.99 and 19 %


def test_what_was_chosen_comes_back_when_it_is_changed_and_goes_with_the_item(watched: Any) -> None:
    """A stored configuration can be changed; another item on the line takes the choices away."""
    page = new(watched, "sales.order", "C-1", ("MIXER", "1"))
    field(page, f"{PICK}.COLOUR.BLUE").check()
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(DOCUMENT)
    page.get_by_role("link", name="Edit", exact=True).click()
    expect(field(page, f"{PICK}.COLOUR.BLUE")).to_be_checked()
    field(page, f"{PICK}.COLOUR.").check()
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(DOCUMENT)
    expect(page.locator("table.n-lines")).not_to_contain_text("Blue paint")
    page.get_by_role("link", name="Edit", exact=True).click()
    expect(page.locator("#lines-0-more")).to_be_visible()
    page.fill("#lines-0-item", "I-1")
    expect(page.locator("#lines-0-more")).to_have_count(0)
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(DOCUMENT)
    expect(page.locator("tr[id^=line-]")).to_have_count(1)


@pytest.mark.capability("CFG-02", screen="/documents/configurator.draft")
@pytest.mark.parametrize("watched", [PLAIN], indirect=True, ids=["no script"])
def test_a_configuration_without_script_and_before_any_order(watched: Any) -> None:
    """Plain form posts are enough: calculate shows what can be chosen, then what it costs; kept, it has a number that an order can name."""
    page = watched.open("/documents/configurator.draft/new")
    page.fill("[name=party_text]", "C-1")
    page.fill("[name=lines-0-item_text]", "MIXER")
    page.get_by_role("button", name="Calculate").click()
    field(page, f"{PICK}.MOTOR.M2").check()
    page.get_by_role("button", name="Calculate").click()
    expect(page.locator("#lines-0-more")).to_contain_text("it is dark in there")
    field(page, f"{PICK}.EXTRA.LAMP").fill("1")
    page.get_by_role("button", name="Calculate").click()
    expect(page.locator("#lines-0-net")).to_have_text("1,215.00")
    page.get_by_role("button", name="Save and keep").click()
    expect(page.locator("table.n-lines")).to_contain_text("CF-")
    number = re.search(r"CF-\w+", page.locator("table.n-lines").inner_text())
    assert number
    page.goto(f"{watched.site.url}/documents/sales.order/new")
    page.fill("[name=party_text]", "C-1")
    page.fill("[name=lines-0-item_text]", "MIXER")
    page.get_by_role("button", name="Calculate").click()
    field(page, "lines-0-data.configurator.configuration").fill(number[0])
    page.get_by_role("button", name="Calculate").click()
    expect(field(page, f"{PICK}.MOTOR.M2")).to_be_checked()
    expect(page.locator("#lines-0-net")).to_have_text("1,215.00")


# ---- kits and promotions -----------------------------------------------------------------------------------------------------------


@pytest.mark.screen("C21")
def test_a_kit_shows_its_parts_while_it_is_ordered(watched: Any) -> None:
    """Below the kit's line stands what it is made of and what is free; on the page its parts are lines that add up to its price."""
    page = new(watched, "sales.order", "C-1", ("SET", "2"))
    box = page.locator("#lines-0-more")
    expect(box).to_contain_text("Can be made up now")
    expect(box).to_contain_text(re.compile(r"4 EA, \d+ free"))
    expect(page.locator("#lines-0-quantity")).to_be_focused()  # what opens below takes no focus
    expect(page.locator("#lines-0-net")).to_have_text("180.00")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(DOCUMENT)
    nets = page.locator("table.n-lines td[data-label=Net]").all_inner_texts()
    assert (nets[0], sum(Decimal(n) for n in nets[1:])) == ("180.00", Decimal(180))


def test_a_coupon_is_entered_and_its_promotion_analysed(watched: Any) -> None:
    """The coupon takes its discount off while the order is typed; the promotion's page leads to what it gave and would have given."""
    page = new(watched, "sales.order", "C-1", ("I-5", "10"))
    page.locator("summary", has_text="Promotions").click()
    field(page, "data.promotions.coupons").fill("ring")
    expect(page.locator("#lines-0-net")).to_have_text("540.00")
    page.get_by_role("button", name="Save and confirm").click()
    page.wait_for_url(DOCUMENT)
    order = page.locator(".n-doc-title .n-code").inner_text()
    watched.open("/records/promotions.promotion")
    page.get_by_role("link", name="BELLS").first.click()
    page.locator("main").get_by_role("link", name="Promotion analysis").click()
    row = page.locator("tbody tr", has_text=order)
    expect(row).to_contain_text("600.00")
    expect(row).to_contain_text("60.00")
    page.go_back()
    page.locator("main").get_by_role("link", name="Promotion rehearsal").click()
    expect(page.locator("h1")).to_have_text("Promotion rehearsal")


# ---- credit ------------------------------------------------------------------------------------------------------------------------


def test_an_excess_is_decided_on_the_page_of_the_order(watched: Any) -> None:
    """The box says what is used and leads to what it is made of; released with a reason, the order can be confirmed, and it is in its history."""
    watched.expected = (422,)
    page = new(watched, "sales.order", "C-2", ("I-5", "10"))
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(DOCUMENT)
    box = page.locator("section", has=page.get_by_role("heading", name="Credit limit", exact=True)).last
    expect(box).to_contain_text("-614.00")
    box.get_by_role("button", name="Decide").click()  # nothing was chosen
    expect(page.locator(".n-problems")).to_contain_text("nothing was chosen")
    box.get_by_label("New limit").fill("1.234,5")
    box.get_by_label("Why").fill("paid by telephone")
    box.get_by_role("button", name="Decide").click()
    expect(page.locator(".n-problems")).to_contain_text("1.234,5")
    expect(box.get_by_label("Why")).to_have_value("paid by telephone")  # nothing is lost
    box.get_by_label("New limit").fill("150")
    box.get_by_label("Release this one").check()
    box.get_by_label("Block the customer").select_option(label="For new orders")
    box.get_by_role("button", name="Decide").click()
    expect(page.locator(".n-flashes")).to_contain_text("It is decided.")
    expect(box).to_contain_text("150.00")
    expect(box).to_contain_text("new orders")
    page.get_by_role("tab", name="History").click()
    expect(page.locator("#history")).to_contain_text("paid by telephone")

    page.locator(".n-doc-party a").click()
    page.locator("summary", has_text="Credit").click()
    page.get_by_label("Block the customer").select_option(label="Lift the block")
    page.get_by_role("button", name="Decide").click()
    expect(page.locator(".n-flashes")).to_contain_text("It is decided.")
    page.go_back()
    page.goto(page.url)
    page.locator("main").get_by_role("link", name="What a customer owes").click()
    expect(page.locator("h1")).to_have_text("What a customer owes")


# ---- consignment and purchasing ----------------------------------------------------------------------------------------------------


def test_goods_on_consignment_are_settled_and_taken_back(watched: Any) -> None:
    """Delivered they stay ours; from the order's page what was used is settled and the rest comes back; the report says what lies there."""
    page = new(watched, "consignment.order", "C-1", ("I-4", "10"))
    page.get_by_role("button", name="Save and confirm").click()
    page.wait_for_url(DOCUMENT)
    order = page.url
    go_on(page, "Deliver")
    expect(page.locator("main")).to_contain_text("10 of 10 consigned")
    page.get_by_role("link", name="10 of 10 consigned").click()  # back to the order
    go_on(page, "Settle what was used", "3")
    expect(page.locator(".n-doc-head .n-badge")).to_have_text("Posted")
    page.goto(order)
    go_on(page, "Take back", "2")
    page.goto(order)
    expect(page.locator("main")).to_contain_text("5 of 10 consigned, 10 delivered, 3 used, 2 returned")
    watched.open("/report/consignment.goods")
    row = page.locator("tbody tr", has_text="I-4")
    expect(row).to_contain_text("0-30")
    expect(row).to_contain_text("100.00")  # five at a cost of 20


@pytest.mark.capability("PUR-03", screen="/documents/purchasing.requisition")
def test_a_bill_is_held_against_order_and_receipt(watched: Any) -> None:
    """From requisition to bill: the vendor's price, six of ten come, seven are billed; the page shows the three of them side by side."""
    page = new(watched, "purchasing.requisition", "V-1", ("I-5", "10"))
    expect(page.locator("#lines-0-net")).to_have_text("240.00")
    page.get_by_role("button", name="Save and to be ordered").click()
    page.wait_for_url(DOCUMENT)
    go_on(page, "Make purchase order")
    go_on(page, "Receive", "6")
    go_on(page, "Enter bill", "7", "Make draft")
    expect(page.locator(".n-line-panel")).to_contain_text("Ordered 10 EA Received 6 EA Billed 7 EA Ordered at, net 24.00 EUR", use_inner_text=True)
    expect(page.locator(".n-problems")).to_contain_text("6 of Bell came, 7 billed with this one")
    page.get_by_role("link", name="Edit", exact=True).click()
    expect(page.locator("#lines-0-more")).to_contain_text("Held against the order")
    page.fill("#lines-0-quantity", "6")
    expect(page.locator("#preview-problems")).not_to_contain_text("7 billed")
    page.get_by_role("button", name="Save and post").click()
    page.wait_for_url(DOCUMENT)
    expect(page.locator(".n-doc-head .n-badge")).to_have_text("Posted")


@pytest.mark.parametrize("watched", [PHONE, DARK], indirect=True, ids=["phone", "dark"])
def test_pages_of_plugins_fit_their_window(watched: Any) -> None:
    """No page of the menu complains or scrolls sideways, with all plugins; nor does the form with choices below its line."""
    page = watched.open("/")
    paths = page.eval_on_selector_all("#nav a", "links => links.map(a => a.getAttribute('href'))")
    for path in paths:
        page.goto(watched.site.url + path)
        expect(page.locator("h1")).to_have_count(1)
        fits(page)
    new(watched, "sales.order", "C-1", ("MIXER", "1"))
    expect(page.locator("#lines-0-more")).to_contain_text("Configuration of MIXER")
    fits(page)
