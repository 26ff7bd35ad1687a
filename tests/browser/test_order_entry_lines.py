"""The lines of an order as people enter them all day: keys, quick lines, units, a scanner, a spreadsheet, undo."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import PLUGINS, Site, served
from tests.browser.entry import NEW, choose, enter_as, focus, order, paste, scan, shelf, values


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Give a server with bolts in boxes."""
    yield from served(Site(tmp_path_factory.mktemp("site"), PLUGINS, shelf))


@pytest.mark.screen("C11")
def test_c11_five_lines_without_the_mouse(watched: Any) -> None:
    """From an empty screen to a saved order of five lines: only keys."""
    page = watched.open("/")
    page.keyboard.press("c")
    page.keyboard.press("o")
    page.wait_for_url(f"**{NEW}")
    expect(page.locator("#party")).to_be_focused()
    choose(page, "C-1")
    while focus(page) != "lines-0-item":
        page.keyboard.press("Tab")
    for i in range(5):
        choose(page, f"I-{i}")
        page.keyboard.press("Enter")
        page.keyboard.type(str(i + 1))
        while focus(page) != f"lines-{i + 1}-item":
            page.keyboard.press("Enter")
    expect(page.locator("#preview-totals")).to_contain_text("654.50")  # 10 + 40 + 90 + 160 + 250, and 19 %
    page.keyboard.press("Alt+s")
    page.wait_for_url(re.compile(r"/document/\d+$"))
    expect(page.locator("tr[id^=line-]")).to_have_count(5)


@pytest.mark.screen("C12")
def test_c12_enter_arrows_and_escape(watched: Any) -> None:
    """Enter goes on and makes a line at the end, Shift+Enter goes back, arrows change the row, Esc takes back, Tab leaves the grid."""
    page = order(watched)
    choose(page, "I-0")
    assert focus(page) == "lines-0-text"
    page.keyboard.press("Shift+Enter")
    assert focus(page) == "lines-0-item"
    page.focus("#lines-0-quantity")
    page.keyboard.type("7")
    page.keyboard.press("Escape")
    assert page.input_value("#lines-0-quantity") == ""
    page.keyboard.press("ArrowDown")
    assert focus(page) == "lines-1-quantity"
    page.keyboard.press("ArrowUp")
    assert focus(page) == "lines-0-quantity"
    rows = page.locator("newel-lines[data-name=lines] [data-row]").count()
    page.focus(f"#lines-{rows - 1}-deliveries")
    page.keyboard.press("Enter")
    assert focus(page) == f"lines-{rows}-item"
    page.focus("#lines-0-quantity")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Add line")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement.closest('[data-row]') !== null")
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement.closest('newel-lines') === null && document.activeElement !== document.body")


@pytest.mark.screen("C13")
def test_c13_found_by_number_words_and_barcode_and_old_answers_are_dropped(watched: Any) -> None:
    """Words in any order and the barcode lead to the item; an answer that comes late does not replace a newer one."""
    page = order(watched)
    for text in ("zinc bolt", "BOLT-M8", "400638"):
        page.fill("#lines-0-item", "")
        page.keyboard.type(text, delay=45)
        expect(page.locator("[role=option]").first).to_contain_text("Hexagon bolt M8")
        page.keyboard.press("Escape")

    def slowly(route: Route) -> None:
        answer = route.fetch()
        page.wait_for_timeout(900)
        route.fulfill(response=answer)

    page.route("**/options/newel.item?q=I-1*", slowly)
    page.fill("#lines-0-item", "")
    page.keyboard.type("I-1", delay=45)
    page.wait_for_timeout(250)
    page.keyboard.press("Backspace")
    page.keyboard.type("2", delay=45)
    expect(page.locator("[role=option]").first).to_contain_text("I-2")
    page.wait_for_timeout(1000)
    expect(page.locator("[role=option]").first).to_contain_text("I-2")
    page.route("**/options/newel.item?q=I-3*", slowly)
    page.keyboard.press("Backspace")
    page.keyboard.type("3")
    page.keyboard.press("Enter")  # what is shown still answers I-2: Enter waits for what was typed
    expect(page.locator("#lines-0-item")).to_have_value(re.compile("^I-3"))
    expect(page.locator("#lines-0-net")).to_have_text("40.00")


@pytest.mark.screen("C13")
@pytest.mark.parametrize("key", ["Enter", "Tab"])
def test_c13_nothing_is_taken_from_an_older_answer(watched: Any, key: str) -> None:
    """The answer to `I-` comes when `I-4` stands there already, and its own question has not been asked: Enter asks it, Tab goes on with what was typed."""
    page, asked = order(watched), watched.hold(re.compile(r"newel\.item\?q=I-(&|$)"))
    page.keyboard.type("I-")
    older = asked(1)
    page.evaluate("window.setTimeout = () => 0")  # nothing is asked by itself any more
    page.keyboard.type("4")
    older.continue_()
    page.locator("[role=option]", has_text="I-0").wait_for()
    page.keyboard.press(key)
    expect(page.locator("#lines-0-item")).to_have_value(re.compile("^I-4"))


@pytest.mark.screen("C13")
def test_c13_escape_closes_also_what_is_still_to_come(watched: Any) -> None:
    """The answer comes after Escape: no list opens over what somebody reads now, and nothing is chosen."""
    page, asked = order(watched), watched.hold(re.compile(r"newel\.item\?q=I-2"))
    page.keyboard.type("I-2")
    late = asked(1)
    page.keyboard.press("Escape")
    late.continue_()
    watched.settled()
    expect(page.locator("[role=option]")).to_have_count(0)
    assert page.input_value("#lines-0-item") == ""


@pytest.mark.screen("C14")
def test_c14_quick_line(watched: Any) -> None:
    """Quantity, item and discount in one go, chosen from the list or not."""
    page = order(watched)
    page.keyboard.type("12x I-1 -5%", delay=45)
    page.wait_for_selector("[role=option]:not([aria-disabled])")
    page.keyboard.press("Enter")
    expect(page.locator("#lines-0-item")).to_have_value("I-1 Wheel")
    assert [values(page, c) for c in ("item", "quantity", "discount")] == [["I-1 Wheel"], ["12"], ["5"]]
    page.fill("#lines-1-item", "3 x I-0 -10%")  # without waiting for any list
    page.focus("#lines-1-price")
    expect(page.locator("#lines-1-quantity")).to_have_value("3")
    expect(page.locator("#lines-1-discount")).to_have_value("10")
    expect(page.locator("#lines-0-net")).to_have_text("228.00")
    expect(page.locator("#lines-1-net")).to_have_text("27.00")


@pytest.mark.screen("C15")
def test_c15_two_hundred_rows_from_a_spreadsheet(watched: Any) -> None:
    """A preview says which rows are right and why the others are not; they can be mended there; nothing is saved."""
    page = order(watched)
    rows = [f"I-{i % 6}\t{i + 1}" for i in range(200)]
    rows[3], rows[150] = "NOPE\t4", "I-0\t1.2.3"
    paste(page, "Item\tQuantity\n" + "\n".join(rows))
    dialog = page.locator("dialog")
    expect(dialog).to_contain_text("198 rows are right, 2 rows need a look")
    expect(dialog.locator("tbody tr")).to_have_count(200)
    expect(dialog.locator("[data-bad]").nth(0)).to_contain_text("there is no item NOPE")
    expect(dialog.locator("[data-bad]").nth(1)).to_contain_text("1.2.3")
    assert page.evaluate("document.activeElement.value") == "NOPE"
    page.keyboard.press("Control+a")
    page.keyboard.type("I-5")
    page.keyboard.press("Tab")
    expect(dialog).to_contain_text("199 rows are right, 1 rows need a look")
    assert page.evaluate("document.activeElement.value") == "4", "who has gone on to the next field stays there"
    dialog.get_by_role("button", name="Take the right ones (199)").click()
    expect(page.locator("#lines-198-net")).not_to_have_text("")
    assert len(values(page, "item")) == 199
    assert "/new" in page.url
    page.locator(".n-toast button").click()
    assert values(page, "item") == []


@pytest.mark.screen("C16")
def test_c16_copy_duplicate_move_insert_and_undo(watched: Any) -> None:
    """Each with one key; what was removed comes back."""
    page = order(watched)
    choose(page, "I-0")
    page.fill("#lines-0-quantity", "4")
    page.focus("#lines-1-item")
    page.keyboard.press("F8")
    page.focus("#lines-1-quantity")
    page.keyboard.press("F8")
    assert values(page, "quantity") == ["4", "4"]
    page.keyboard.type("9")
    page.keyboard.press("Control+d")
    assert values(page, "quantity") == ["4", "9", "9"]
    page.focus("#lines-0-quantity")
    page.keyboard.press("Alt+ArrowDown")
    assert values(page, "quantity") == ["9", "4", "9"]
    page.keyboard.press("Insert")
    page.keyboard.type("between")
    page.focus("#lines-0-quantity")
    page.keyboard.press("Control+Delete")
    assert values(page, "quantity") == ["4", "9"]
    page.locator(".n-toast").get_by_role("button", name="Undo").click()
    assert values(page, "quantity") == ["9", "4", "9"]
    assert page.input_value("#lines-1-item") == "between"


@pytest.mark.screen("C17")
@pytest.mark.parametrize("language", ["en", "de"])
def test_c17_units_and_sums_in_quantities(watched: Any, language: str) -> None:
    """`3 box` is 150 pieces, `12*4` is 48, in the reader's own numbers; what it means stands below."""
    enter_as(watched, f"clerk-{language}")
    page = order(watched)
    choose(page, "BOLT-M8")
    page.fill("#lines-0-quantity", "3 box")
    expect(page.locator("#lines-0-note")).to_contain_text("= 3 BOX = 150 EA")
    expect(page.locator("#lines-0-net")).to_have_text("300.00" if language == "en" else "300,00")
    page.fill("#lines-0-quantity", "12*4")
    expect(page.locator("#lines-0-note")).to_contain_text("= 48 EA")
    page.fill("#lines-0-quantity", "2*12+6,00" if language == "de" else "2*12+6.00")
    expect(page.locator("#lines-0-note")).to_contain_text("= 30 EA")


@pytest.mark.screen("C18")
def test_c18_a_scanner_anywhere_in_the_grid(watched: Any) -> None:
    """Twenty scans, wherever the cursor is: none is lost, and half-typed text stays."""
    page = order(watched)
    choose(page, "I-0")
    page.focus("#lines-0-text")
    page.keyboard.type("half a wo", delay=60)
    page.wait_for_timeout(60)
    for i in range(20):
        scan(page, "4006381333931" if i % 2 else "I-1000")
        page.wait_for_timeout(60)
        if i == 9:
            page.focus("#lines-0-quantity")
    assert page.input_value("#lines-0-text") == "half a wo"
    assert page.input_value("#lines-0-quantity") == ""
    assert values(page, "quantity") == ["10", "10"]
    expect(page.locator("#lines-2-net")).to_have_text("20.00")  # the barcode is known
    expect(page.locator("#preview-problems")).to_contain_text("there is no item I-1000")  # the other is not lost either


@pytest.mark.screen("C20")
def test_c20_what_is_being_typed_survives_an_answer(watched: Any) -> None:
    """While the server answers for the line, the cursor and the half-typed number stay where they are."""
    page = order(watched)
    choose(page, "I-0")

    def slowly(route: Route) -> None:
        answer = route.fetch()
        page.wait_for_timeout(500)
        route.fulfill(response=answer)

    page.route("**/preview*", slowly)
    page.focus("#lines-0-text")
    with page.expect_request("**/preview*"):
        page.keyboard.type("with a bell", delay=20)
    page.keyboard.press("Home")
    page.keyboard.type("black ", delay=20)
    watched.settled()
    assert page.input_value("#lines-0-text") == "black with a bell"
    assert page.evaluate("document.activeElement.selectionStart") == 6


@pytest.mark.screen("C22")
def test_c22_cells_have_names_and_errors_are_said_once(watched: Any) -> None:
    """A screen reader hears column and line of each cell; what is wrong is announced, and marked at its field."""
    page = order(watched)
    page.fill("#lines-2-item", "NOPE")
    page.focus("#lines-1-quantity")
    assert page.get_by_label("Quantity, line 2").count() == 1
    expect(page.locator("#newel-live")).to_contain_text("there is no item NOPE")
    expect(page.locator("#lines-2-item")).to_have_attribute("aria-invalid", "true")
    page.fill("#lines-2-item", "I-0")
    page.focus("#lines-1-quantity")
    expect(page.locator("#lines-2-item")).not_to_have_attribute("aria-invalid", "true")
