"""The portal on a phone and on a desk in the dark, in a real browser: nothing wider than the window, large enough for a thumb, and readable for all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from axe_playwright_python.sync_playwright import Axe
from newel.domain.document import LineInput
from newel_knowledge import decide
from newel_portal import send
from newel_requests import answer
from newel_sdk.kit import PASSWORD, Kit
from newel_sdk.site import PHONE, Site, fits, window
from playwright.sync_api import Browser, Page, expect

from plugins.service_portal.attachments.tests.test_rules import picture

D = Decimal
PLUGINS = (
    "inventory", "invoicing", "knowledge", "order_status", "parts", "portal", "receivables", "requests", "returns", "sales", "shipping",
)  # fmt: skip
WINDOWS = [{"viewport": PHONE, "has_touch": True, "is_mobile": True}, {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"}]
PICTURES = os.environ.get("NEWEL_PICTURES")  # a folder to keep pictures in, for people to look at
SMALL = """() => [...document.querySelectorAll('main a, main button, main input, main select, main textarea, main summary')]
  .filter(e => e.type !== 'hidden' && e.checkVisibility({visibilityProperty: true}) && !e.closest('p:not(.po-all), dd, td, .n-crumb, .n-problem'))
  .map(e => [e.outerHTML.slice(0, 90), Math.round((e.closest('label') ?? e).getBoundingClientRect().height)]).filter(([, h]) => h < 44)"""


async def customer(kit: Kit) -> None:
    """A repair point with an invoiced order, one under way, an offer, a question of ours, a parts list and an article."""
    await kit.item("PUMP", price=100, cost=40, name="Circulation pump with a bronze housing, 230 V, for drinking water")
    await kit.item("SEAL", price=4, cost=1, name="Shaft seal")
    await kit.stock("PUMP", 50, 2000)
    id = await kit.party("C-1", name="Miller Plumbing")
    await kit.record("parts.part", product="PUMP", item="SEAL", position="1", quantity=2)
    order = await kit.document("sales.order", "C-1", LineInput(item="PUMP", quantity=D(3), price=D("1234.50")), reference="Your 4711", then=["confirm"])
    await kit.follow(order.document.id, "deliver", then=["ship"])
    await kit.follow(order.document.id, "invoice", then=["post"])
    await kit.document("sales.order", "C-1", LineInput(item="PUMP", quantity=D(5), price=D("1234.50")), then=["confirm"])
    await kit.document("sales.quotation", "C-1", LineInput(item="PUMP", quantity=D(1), price=D("999.90")), then=["send"])
    text = "The pump in the cellar hums"
    asked = await kit.document("requests.request", "C-1", text=text, data={"requests": {"type": "help"}}, then=["submit"])
    await answer.say(kit.app, asked.document.id, "Which serial number does it have?", kit.context)
    body = "Bleed the air out of the pump:\n\n1. Switch it off.\n2. Open the screw."
    article = await kit.record("knowledge.article", title="A pump that hums", body=body, audience="partner")
    rita = msgspec.structs.replace(kit.context, user=msgspec.structs.replace(kit.context.user, login="rita"))
    for step, who in (("submit", kit.context), ("publish", rita)):
        await decide.step(kit.app, article, step, who)
    await send.invite(kit.app, id, "mia-miller", "Mia Miller", PASSWORD, kit.context)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Give a server with a customer who has something of everything."""
    served = Site(tmp_path_factory.mktemp("site"), PLUGINS).up()
    served.ask(customer(served.kit))
    yield served
    served.stop()


@pytest.fixture(params=WINDOWS, ids=["phone", "desk"])
def mia(request: pytest.FixtureRequest, chromium: Browser, site: Site) -> Iterator[Page]:
    """Give a window in which the customer has logged in, and so come to the portal."""
    with window(chromium, site, "mia-miller", "/portal", (422,), **request.param) as found:
        yield found.page


def looked_at(page: Page, name: str) -> None:
    """Nothing is wider than the window, a thumb meets what it aims at, and axe has nothing to say; a picture is kept where somebody wants one."""
    page.wait_for_load_state("networkidle")  # its boxes begin to be fetched when it is there
    fits(page)
    width = page.viewport_size["width"] if page.viewport_size else 0
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}-{width}.png", full_page=True)
    if width < 500:
        assert page.evaluate(SMALL) == [], "targets of at least 44 px"
    found = Axe().run(page).response
    assert len(found["passes"]) > 10, "it has looked"
    assert [(v["id"], [n["html"][:120] for n in v["nodes"]]) for v in found["violations"]] == []


def files(*names: str) -> list[Any]:
    """Photos as a phone hands them over."""
    return [{"name": n, "mimeType": "image/jpeg", "buffer": picture("JPEG", (900 + i, 600))} for i, n in enumerate(names)]


def test_the_first_page(mia: Page) -> None:
    expect(mia.locator("h1")).to_have_text("Welcome, Mia Miller")
    looked_at(mia, "start")
    expect(mia.get_by_role("link", name="New: Request")).to_be_visible()
    expect(mia.get_by_role("link", name="State of orders").last).to_be_visible()
    expect(mia.locator("main")).to_contain_text("Together")
    if (mia.viewport_size or {})["width"] < 900:
        mia.get_by_role("button", name="Menu", exact=True).click()
    names = set(mia.locator("nav#nav a").all_inner_texts())
    assert names == {"Portal", "Knowledge", "Spare parts", "State of orders"}, "nothing of the back office"


def test_a_request(mia: Page) -> None:
    """Refused without words, sent in with them; the number is told at once, and the photo is there."""
    mia.get_by_role("link", name="New: Request").click()
    looked_at(mia, "request-new")
    mia.get_by_label("What is it about?").select_option("help")
    mia.get_by_role("button", name="Send").click()
    expect(mia.locator(".n-problems")).to_contain_text("what is wanted, in words")
    looked_at(mia, "request-refused")
    mia.get_by_label("What can we do for you?").fill("The pump hums")
    mia.get_by_label("Photos", exact=True).set_input_files(files("hum.jpg"))
    mia.get_by_role("button", name="Send").click()
    expect(mia.get_by_role("status").first).to_contain_text("We have it under the number R")
    expect(mia.locator(".at-files")).to_contain_text("hum.jpg")
    looked_at(mia, "request-sent")


def test_a_return_with_two_photos(mia: Page) -> None:
    mia.get_by_role("link", name="New: Return").click()
    looked_at(mia, "return-choose")
    mia.locator("a.po-row", has_text="Your 4711").click()
    looked_at(mia, "return-new")
    mia.get_by_label("Circulation pump").fill("1")
    mia.get_by_label("What do you wish?").select_option("REPAIR")
    mia.get_by_label("What is wrong with it?").fill("It drips")
    mia.get_by_label("Photos", exact=True).set_input_files(files("front.jpg"))
    mia.get_by_label("Take a photo").set_input_files(files("x.jpg", "back.jpg")[1:])
    mia.get_by_role("button", name="Send").click()
    expect(mia.get_by_role("status").first).to_contain_text("We have it under the number RMA")
    expect(mia.locator(".at-files")).to_contain_text("front.jpg")
    expect(mia.locator(".at-files")).to_contain_text("back.jpg")
    looked_at(mia, "return-sent")


def test_parts_are_ordered(mia: Page) -> None:
    mia.get_by_role("link", name="Spare parts").last.click()
    mia.locator("main a", has_text="PUMP").first.click()
    mia.get_by_label("Quantity of SEAL").fill("4")
    looked_at(mia, "parts")
    mia.get_by_role("button", name="Order").click()
    expect(mia.get_by_role("status").first).to_contain_text("Ordered.")
    looked_at(mia, "parts-ordered")


def test_a_message_is_answered(mia: Page) -> None:
    mia.locator("section", has=mia.get_by_role("heading", name="Requests")).locator("a.po-row").last.click()
    expect(mia.locator("main")).to_contain_text("Which serial number does it have?")
    mia.get_by_label("Text").last.fill("It is 4711-8")
    mia.get_by_role("button", name="Send", exact=True).click()
    expect(mia.locator("main")).to_contain_text("It is 4711-8")
    looked_at(mia, "answered")


def test_an_article_is_offered_and_read(mia: Page) -> None:
    """What may help stands below what is typed; the article is read, and found under Knowledge as well."""
    with mia.expect_navigation():
        mia.get_by_role("link", name="New: Request").click()
    mia.get_by_label("What can we do for you?").press_sequentially("my pump hums")
    expect(mia.locator(".po-hints")).to_contain_text("A pump that hums")
    looked_at(mia, "request-hint")
    mia.locator("nav#nav a", has_text="Knowledge").evaluate("e => e.click()")
    mia.get_by_role("link", name="A pump that hums").first.click()
    expect(mia.locator("main")).to_contain_text("Open the screw.")
    looked_at(mia, "article")


def test_how_far_an_order_is(mia: Page) -> None:
    mia.get_by_role("link", name="State of orders").last.click()
    expect(mia.locator("main")).to_contain_text("not shipped yet")
    looked_at(mia, "order-status")
