"""The head of an order: what a customer brings along, what is one's own, dates as people say them, new customers beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PLUGINS, Site, served
from tests.browser.entry import LANGUAGES, NEW, choose, enter_as, focus, order, shelf


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Give a server with customers who bring something along."""
    yield from served(Site(tmp_path_factory.mktemp("site"), PLUGINS, shelf))


@pytest.mark.screen("C1")
def test_c1_an_empty_order_from_any_page(watched: Any) -> None:
    """C and O, and the cursor is where the customer goes."""
    page = watched.open("/report/newel.trial_balance")
    page.keyboard.press("c")
    page.keyboard.press("o")
    page.wait_for_url(f"**{NEW}")
    expect(page.locator("#party")).to_be_focused()


@pytest.mark.screen("C3")
def test_c3_the_sheet_of_keys_is_what_works(watched: Any) -> None:
    """`?` lists the keys of this page; held Alt shows them on the buttons; each of the buttons' keys does what it says."""
    page = watched.open(NEW)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("?")
    said = page.locator("dialog kbd").all_inner_texts()
    page.keyboard.press("Escape")
    for key in ("Enter", "Shift Enter", "Ctrl D", "F8", "Alt W", "Ctrl K", "?"):
        assert key in said
    hints = [k for k in page.eval_on_selector_all("[data-key]", "all => all.filter(e => e.getClientRects().length).map(e => e.dataset.key)") if k]
    assert hints
    assert {f"Alt {k}" for k in hints} <= set(said)
    page.keyboard.down("Alt")
    assert page.evaluate("document.documentElement.hasAttribute('data-keys-shown')")
    page.keyboard.up("Alt")


@pytest.mark.screen("C7")
def test_c7_values_of_ones_own_are_marked_and_asked_about(watched: Any) -> None:
    """Terms of one's own are marked with what they replace; another customer asks before they go."""
    page = order(watched)
    page.get_by_text("More", exact=True).click()
    terms = page.locator("#terms")
    expect(terms.locator("option").first).to_contain_text("NET14")
    terms.select_option("NET0")
    mark = page.locator(".n-field:has(#terms) .n-own")
    expect(mark).to_contain_text("Own value · ↺ NET14")
    page.fill("#party", "")
    page.focus("#party")
    choose(page, "C-3")
    dialog = page.locator("dialog")
    expect(dialog).to_contain_text("NET0")
    dialog.get_by_role("button", name="Keep mine").click()
    expect(terms).to_have_value("NET0")
    expect(mark).to_contain_text("NET30")  # what the new customer would have
    page.fill("#party", "")
    page.focus("#party")
    choose(page, "C-2")
    dialog.get_by_role("button", name="Take the customer's").click()
    expect(terms).to_have_value("")
    expect(mark).to_have_count(0)


@pytest.mark.screen("C8")
def test_c8_the_customer_box_is_a_combobox(watched: Any) -> None:
    """Number, name, city and tax number; arrows walk, Enter takes, Esc closes and gives back what stood there; the focus stays in the field."""
    page = watched.open(NEW)
    page.keyboard.type("C-9", delay=45)
    expect(page.locator("[role=option]").first).to_have_text(re.compile(r"^C-9 Far & Co\s*Town · DE123$"))
    page.fill("#party", "")
    page.keyboard.type("Ltd", delay=45)
    box = page.locator("#party")
    expect(page.locator("[role=option]")).to_have_count(3)  # two customers, and a new one
    expect(box).to_have_attribute("aria-expanded", "true")
    watched.settled()
    expect(page.locator("#preview-problems .n-problem")).to_have_count(0)  # half a name is no mistake yet
    page.keyboard.press("ArrowDown")
    chosen = page.locator("[role=option][aria-selected=true]").inner_text()
    page.keyboard.press("Enter")
    assert focus(page) == "party"
    assert box.input_value() in chosen
    before = box.input_value()
    page.keyboard.type("Mil", delay=45)
    expect(box).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Escape")
    expect(box).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("Escape")
    assert box.input_value() == before
    assert focus(page) == "party"


@pytest.mark.screen("C9")
def test_c9_a_new_customer_beside_the_order(watched: Any) -> None:
    """The order stays; the panel keeps the focus and gives it back, with the new customer chosen."""
    watched.expected = (422,)
    page = watched.open(NEW)
    page.fill("#reference", "by telephone")
    page.focus("#party")
    page.keyboard.type("Newcomer", delay=45)
    page.locator("[role=option]", has_text="Make a new one").click()
    panel = page.locator("dialog.n-dialog-side")
    expect(panel.locator("[name=name]")).to_have_value("Newcomer")
    for _ in range(60):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement === document.body || Boolean(document.activeElement.closest('dialog'))")
    panel.get_by_role("button", name="Save").click()
    expect(panel.locator("[role=alert]")).not_to_be_empty()  # it needs a number
    panel.locator("[name=number]").fill("C-NEW")
    sent: list[str] = []
    page.on("request", lambda r: sent.append(r.url) if r.method == "POST" and "newel.party" in r.url else None)
    panel.get_by_role("button", name="Save").dblclick()
    expect(panel).to_have_count(0)
    assert len(sent) == 1, "pressed twice, it is made once"
    assert focus(page) == "party"
    expect(page.locator("#party")).to_have_value("C-NEW Newcomer")
    expect(page.locator("#reference")).to_have_value("by telephone")


@pytest.mark.screen("C10")
@pytest.mark.parametrize("language", LANGUAGES)
def test_c10_dates_as_people_say_them(watched: Any, language: str) -> None:
    """`+7`, a weekday, a day of the month and the local format; what was understood stands below as text."""
    enter_as(watched, f"clerk-{language}")
    page = watched.open(NEW)
    echo = page.locator("newel-date:has(#date_requested) .n-echo")
    iso = page.locator("#date_requested-iso")
    today = date.today()  # noqa: DTZ011 - the browser's own day
    friday = today + timedelta(days=(4 - today.weekday() - 1) % 7 + 1)
    weekday = {"en": "fri", "de": "fr", "zh": "星期五", "tr": "cuma", "sl": "pet"}[language]
    local = {"en": "12/31/2031", "de": "31.12.2031", "zh": "2031/12/31", "tr": "31.12.2031", "sl": "31. 12. 2031"}[language]
    for typed, meant in (("+7", today + timedelta(days=7)), (weekday, friday), (local, date(2031, 12, 31))):
        page.fill("#date_requested", typed)
        page.keyboard.press("Tab")
        expect(iso).to_have_value(meant.isoformat())
        expect(echo).to_contain_text(str(meant.year))
    page.fill("#date_requested", "31")
    page.keyboard.press("Tab")
    assert iso.input_value().endswith("-31")


@pytest.mark.screen("C26")
def test_c26_the_credit_bar_says_it_before_saving(watched: Any) -> None:
    """Used, this order and limit; over it the bar changes shape, word and colour, and the problem says who can help."""
    page = order(watched, "C-2")
    page.fill("#lines-0-item", "I-0")
    page.focus("#lines-0-quantity")
    bar = page.locator(".n-credit")
    expect(bar).to_have_attribute("data-phase", "done")
    expect(bar).to_contain_text("100.00")
    page.fill("#lines-0-quantity", "20")
    expect(bar).to_have_attribute("data-phase", "error")
    expect(bar).to_contain_text("over the limit")
    expect(page.locator("#preview-problems")).to_contain_text(re.compile("limit"))
    expect(page.locator("#preview-problems .n-hint").first).not_to_be_empty()


@pytest.mark.screen("C29")
def test_c29_why_this_price(watched: Any) -> None:
    """One key: base, each rule in order with its amount, tax and sum; and when it is delivered. The focus comes back."""
    page = order(watched)
    choose(page, "I-1")
    page.fill("#lines-0-quantity", "3")
    page.fill("#lines-0-discount", "10")
    page.focus("#lines-0-price")
    asked = watched.hold("**/preview*why=*")
    page.keyboard.press("Alt+w")
    late = asked(1)
    page.keyboard.press("Alt+w")
    dialog = page.locator("dialog")
    expect(dialog).to_contain_text("list price of I-1")
    expect(dialog.locator(".n-steps tbody tr")).to_have_count(2)
    expect(dialog).to_contain_text("VAT19 19 %")
    expect(dialog.locator(".n-why-sum strong")).to_contain_text("54.00")
    expect(dialog).to_contain_text("64.26")
    late.continue_()
    watched.settled()
    expect(dialog).to_have_count(1)  # pressed twice, it opens once
    page.keyboard.press("Escape")
    assert focus(page) == "lines-0-price"
