"""From the keyboard to the ledger: an order of five lines, half of it delivered, then invoiced and paid, in a real browser."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from newel_sdk.site import fits
from playwright.sync_api import Page, expect

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
DARK = {"viewport": {"width": 1366, "height": 768}, "color_scheme": "dark"}
PLAIN = {"viewport": {"width": 1366, "height": 768}, "java_script_enabled": False}


def choose(page: Page, text: str) -> None:
    """Type into the picker that has the focus and take the first answer."""
    page.keyboard.type(text)
    page.wait_for_selector("[role=option]:not([aria-disabled])")
    page.keyboard.press("Enter")


def enter_order(watched: Any, customer: str = "C-1") -> Page:
    """A new order by keyboard only; the page of the saved document."""
    page = watched.open("/")
    page.keyboard.press("c")
    page.keyboard.press("o")
    page.wait_for_url("**/documents/sales.order/new")
    expect(page.locator("#party")).to_be_focused()
    choose(page, customer)
    while page.evaluate("document.activeElement.id") != "lines-0-item":
        page.keyboard.press("Tab")
    for i in range(5):
        choose(page, f"I-{i}")  # Enter chooses and goes on to the description
        page.keyboard.press("Enter")
        page.keyboard.type(str(i + 2))
        while page.evaluate("document.activeElement.id") != f"lines-{i + 1}-item":
            page.keyboard.press("Enter")
    return page


def next_step(page: Page) -> str:
    """The button that stands out on a document's page."""
    return page.locator(".n-doc-actions .btn-primary").inner_text().strip()


def total_of(page: Page) -> Decimal:
    """The total in the head of a document's page."""
    return Decimal(page.locator(".n-doc-total strong").inner_text().split()[0].replace(",", ""))


@pytest.mark.capability("DOC-28", screen="/documents/sales.order")
def test_an_order_by_keyboard_goes_on_to_the_ledger(watched: Any) -> None:
    """Five lines, confirm, deliver half, deliver the rest, invoice, pay; and the books balance."""
    page = enter_order(watched)
    # 2*10 + 3*20 + 4*30 + 5*40 + 6*50 = 700, and 19 %
    expect(page.locator("#preview-totals")).to_contain_text("833.00")
    expect(page.locator("#lines-4-net")).to_have_text("300.00")
    expect(page.locator("#preview-side")).to_contain_text("10,000.00")
    page.keyboard.press("Alt+n")
    page.wait_for_url(re.compile(r"/document/\d+$"))
    order = page.url
    expect(page.locator(".n-doc-head .n-badge")).to_have_text("Confirmed")
    assert total_of(page) == Decimal("833.00")
    page.locator("tbody tr", has_text="Frame").locator("summary", has_text="Why this price").click()
    expect(page.locator("tbody tr", has_text="Frame").first).to_contain_text("list price of I-0")

    assert next_step(page) == "Deliver"  # what comes next is what stands out
    page.get_by_role("link", name="Deliver", exact=True).click()
    boxes = page.locator("input[name^='q-']")
    expect(boxes).to_have_count(5)
    for box, half in zip(boxes.all(), ("1", "1", "2", "2", "3"), strict=True):
        box.fill(half)
    page.get_by_role("button", name="Make and ship").click()
    page.wait_for_url(lambda url: url != order and "/follow/" not in url)
    expect(page.locator(".n-doc-head .n-badge")).to_have_text("Shipped")
    expect(page.locator("table.n-lines thead")).not_to_contain_text("Price")

    page.goto(order)
    expect(page.locator("table.n-lines")).to_contain_text("Delivered 3/6")
    page.get_by_role("link", name="Deliver", exact=True).click()
    expect(boxes).to_have_count(5)
    assert [b.input_value() for b in boxes.all()] == ["1", "2", "2", "3", "3"]
    page.get_by_role("button", name="Make and ship").click()
    expect(page.locator(".n-doc-head .n-badge")).to_have_text("Shipped")

    page.goto(order)
    assert next_step(page) == "Invoice"
    deliver = page.locator(".n-action", has_text="Deliver").first
    deliver.locator("summary").click()
    expect(deliver).to_contain_text("all of it has gone on already")
    page.get_by_role("link", name="Invoice", exact=True).click()
    page.get_by_role("button", name="Make and post").click()
    expect(page.locator(".n-doc-head .n-badge")).to_have_text("Posted")
    assert total_of(page) == Decimal("833.00")
    invoice = page.url
    page.get_by_role("tab", name="Ledger").click()
    expect(page.locator("#ledger tfoot")).to_contain_text("833.00")

    assert next_step(page) == "Payment"
    page.locator(".n-doc-actions").get_by_role("link", name="Payment").click()
    expect(page.locator("input[id^='settle-']").first).to_have_value("833.00")
    page.get_by_role("button", name="Save and post").click()
    expect(page.locator(".n-doc-head .n-badge")).to_have_text("Posted")
    page.goto(invoice)
    expect(page.locator(".n-doc-head .n-badge")).to_have_text("Paid")
    page.goto(order)
    expect(page.locator(".n-doc-head .n-badge")).to_have_text("Done")
    expect(page.locator("#flow a.n-node")).to_have_count(4)  # two deliveries, invoice, payment

    page.goto(f"{watched.site.url}/report/newel.trial_balance")
    foot = [c.inner_text() for c in page.locator("tfoot td").all()]
    assert foot[-3] == foot[-2]
    assert foot[-1] == foot[-4] == "0.00"


def test_what_is_wrong_is_said_and_nothing_is_lost(watched: Any) -> None:
    """Numbers that can be read in two ways are refused with everything kept; the problem leads to its field."""
    watched.expected = (422,)
    page = watched.open("/documents/sales.order/new")
    choose(page, "C-1")
    page.fill("#reference", "their number")
    page.fill("#lines-0-item", "I-0")
    page.fill("#lines-0-quantity", "1.234,5")
    with page.expect_navigation():
        page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#preview-problems")).to_contain_text("1.234,5")
    expect(page.locator("#lines-0-quantity")).to_have_value("1.234,5")
    expect(page.locator("#reference")).to_have_value("their number")
    page.locator("#preview-problems a").first.click()
    assert page.evaluate("document.activeElement.id") == "lines-0-quantity"
    page.fill("#lines-0-quantity", "1,234")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(re.compile(r"/document/\d+$"))
    expect(page.locator("table.n-lines")).to_contain_text("1,234")


def test_a_double_click_makes_one_document(watched: Any) -> None:
    """The form carries a key: sent twice, it is one order."""
    page = watched.open("/documents/sales.order/new")
    choose(page, "C-1")
    page.fill("#reference", "twice")
    page.fill("#lines-0-item", "I-1")
    answers = page.evaluate(
        """async () => {
            const form = document.getElementById("document-form");
            const send = () => fetch(form.action, {method: "POST", body: new URLSearchParams(new FormData(form))});
            return (await Promise.all([send(), send(), send()])).map((r) => r.url);
        }"""
    )
    assert len(set(answers)) == 1
    page.goto(f"{watched.site.url}/documents/sales.order?q=twice")
    expect(page.locator("tbody tr")).to_have_count(1)


def test_over_the_limit_only_with_the_right_and_on_purpose(watched: Any) -> None:
    """Credit stops the confirmation, says why, and lets somebody with the right go on anyway."""
    watched.expected = (422,)
    page = watched.open("/documents/sales.order/new")
    choose(page, "C-2")
    page.fill("#lines-0-item", "I-5")
    page.fill("#lines-0-quantity", "10")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(re.compile(r"/document/\d+$"))
    expect(page.locator(".n-credit")).to_contain_text("over the limit")
    page.get_by_role("button", name="Confirm anyway").click()
    expect(page.locator("dialog")).to_contain_text("limit 100")
    page.get_by_role("button", name="Yes, go on").click()
    expect(page.locator(".n-doc-head .n-badge")).to_have_text("Confirmed")
    page.get_by_role("tab", name="History").click()
    expect(page.locator("#history")).to_contain_text("credit.limit")


@pytest.mark.screen("C72")
@pytest.mark.parametrize("watched", [PLAIN], indirect=True)
def test_everything_works_without_script(watched: Any) -> None:
    """Plain form posts are enough for an order of five lines, its confirmation and its delivery."""
    page = watched.open("/documents/sales.order/new")
    page.fill("[name=party_text]", "C-1")
    page.get_by_role("button", name="Calculate").click()
    for i in range(3):
        page.fill(f"[name=lines-{i}-item_text]", f"I-{i}")
        page.fill(f"[name=lines-{i}-quantity]", "2")
    page.get_by_role("button", name="Calculate").click()
    for i in range(3, 5):
        page.fill(f"[name=lines-{i}-item_text]", f"I-{i}")
    page.get_by_role("button", name="Calculate").click()
    expect(page.locator("#preview-totals")).to_contain_text("249.90")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("tr[id^=line-]")).to_have_count(5)
    page.get_by_role("button", name="Confirm").click()
    page.get_by_role("link", name="Deliver", exact=True).click()
    page.get_by_role("button", name="Make and ship").click()
    expect(page.locator(".n-doc-head .n-badge")).to_have_text("Shipped")


@pytest.mark.parametrize("watched", [PLAIN], indirect=True)
def test_what_is_typed_over_a_choice_counts_without_script(watched: Any) -> None:
    """Another class, typed into the form of a record where the old one stood: nothing of the old one stays."""
    page = watched.page
    for code in ("TYPED-1", "TYPED-2"):
        watched.open("/records/newel.item_class/new")
        page.fill("[name=code]", code)
        page.fill("[name=name]", code)
        with page.expect_navigation():
            page.get_by_role("button", name="Save").click()
    watched.open("/records/newel.item")
    page.get_by_role("link", name="I-5").first.click()
    for code in ("TYPED-1", "TYPED-2", ""):
        page.fill("[name=item_class_text]", code)
        with page.expect_navigation():
            page.get_by_role("button", name="Save").click()
        expect(page.locator("[name=item_class_text]")).to_have_value(re.compile(f"^{code}"))


@pytest.mark.parametrize("watched", [PHONE, DARK], indirect=True, ids=["phone", "dark"])
def test_every_page_fits_its_window(watched: Any) -> None:
    """No page of the menu complains, is empty, or scrolls sideways."""
    page = watched.open("/")
    paths = page.eval_on_selector_all("#nav a", "links => links.map(a => a.getAttribute('href'))")
    assert len(paths) > 20
    for path in paths:
        page.goto(watched.site.url + path)
        expect(page.locator("h1")).to_have_count(1)
        fits(page)
