"""Lists as people work in them all day: by keyboard, on a phone, in the dark, with what they have arranged for themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from newel.domain.context import Context
from newel.domain.document import DocumentInput, LineInput
from newel.jobs.worker import Worker
from newel.services.app import Newel
from newel_exchange.reading import sheet_of
from newel_sdk.kit import LOGIN, PASSWORD
from newel_sdk.site import Watched, fits
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESKTOP, PLUGINS, Site, served

ORDERS, ITEMS = "/documents/sales.order", "/records/newel.item"
COUNT = 60  # more than a page has
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


async def orders(newel: Newel, context: Context) -> None:
    """Sixty orders over one item each, every fourth confirmed, every third of another customer."""
    for n in range(COUNT):
        line = LineInput(item=f"I-{n % 6}", quantity=Decimal(1))
        entered = DocumentInput(party="C-2" if n % 3 == 0 else "C-1", reference=f"PO-{n}", lines=(line,))
        await newel.documents.create("sales.order", entered, context, then=("confirm",) if n % 4 == 0 else ())


class Lists(Site):
    """A server whose worker works when it is asked to."""

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        await super()._serve()

    def work(self, rounds: int = 1) -> None:
        """Let the worker take up what is due, so often."""
        for _n in range(rounds):
            self.ask(Worker(self.newel).once())


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Give a running server with many orders, and everything that lists can have."""
    yield from served(Lists(tmp_path_factory.mktemp("site"), (*PLUGINS, "exchange", "views", "bulk", "cells"), orders))


def numbers(page: Page) -> list[str]:
    """What is listed."""
    return page.locator(".n-list tbody td.n-lead").all_inner_texts()


def heads(page: Page) -> list[str]:
    """The headings of the list, from left to right."""
    return page.locator(".n-list thead th:not(.n-select)").all_inner_texts()


def sentence(page: Page) -> str:
    """The filter as one reads it."""
    return " ".join(page.locator(".n-chips").inner_text().replace("\n", " ").split())


@pytest.mark.screen("C47")
def test_c47_a_filter_is_a_sentence_that_is_edited_by_keyboard(watched: Watched) -> None:
    """Add a part, change it where it stands, take it away; the address says it all, and gives the same rows in another window."""
    page = watched.open(ORDERS)
    page.get_by_role("button", name="More").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.textContent") == "State"
    page.keyboard.press("Enter")
    page.keyboard.type("Con")
    page.keyboard.press("Tab")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert sentence(page) == "state is Confirmed , newest first"
    assert len(numbers(page)) == COUNT // 4
    page.get_by_role("link", name="state is Confirmed", exact=True).focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.textContent") == "state is Confirmed"
    page.keyboard.press("Enter")
    page.keyboard.type("Dra")
    page.keyboard.press("Tab")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "state is Draft" in sentence(page)
    page.get_by_label("Search", exact=True).fill("PO-1")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert sentence(page).startswith("contains “PO-1” and state is Draft , newest first")
    here = numbers(page)
    other = page.context.new_page()
    other.goto(page.url)
    assert numbers(other) == here != []
    other.close()
    page.get_by_role("link", name="Remove: state is Draft").focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert sentence(page) == "contains “PO-1” , newest first"
    assert watched.complaints == []


@pytest.mark.parametrize("watched", [{"viewport": DESKTOP, "java_script_enabled": False}], indirect=True)
@pytest.mark.screen("C47")
def test_c47_without_script_it_is_the_form_of_fields(watched: Watched) -> None:
    """The same address, and the words lead into the field."""
    page = watched.open(ORDERS)
    page.get_by_label("State").select_option(label="Confirmed")
    with page.expect_navigation():
        page.get_by_role("button", name="Filter").click()
    assert sentence(page) == "state is Confirmed , newest first"
    page.get_by_role("link", name="state is Confirmed", exact=True).click()
    page.wait_for_url("**#state")
    assert len(numbers(page)) == COUNT // 4


@pytest.mark.screen("C48")
def test_c48_views_are_saved_pinned_renamed_and_say_what_has_gone(watched: Watched) -> None:
    """A view is a tab; the list may open with it; what it asks for and is not there any more is named."""
    page = watched.open(f"{ORDERS}?state=confirmed&sort=-gross")
    page.get_by_role("link", name="Save this view").click()
    page.get_by_label("Name of the view").fill("Largest")
    page.get_by_label("For").select_option(label="everybody")
    page.get_by_role("button", name="Save view").click()
    tab = page.get_by_role("navigation", name="Views").get_by_role("link", name="Largest")
    expect(tab).to_have_attribute("aria-current", "page")
    expect(page.locator(".n-chips")).to_contain_text("sorted by Total, downwards")
    page.get_by_role("link", name="Views and columns").click()
    page.get_by_label("Name of Largest").fill("Largest first")
    page.get_by_label("The list opens with Largest").check()
    with page.expect_navigation():
        page.get_by_role("button", name="Save", exact=True).click()
    watched.open(ORDERS)
    assert page.get_by_role("link", name="Largest first").get_attribute("aria-current") == "page"
    with page.expect_navigation():
        page.get_by_role("navigation", name="Views").get_by_role("link", name="All").click()
    assert page.locator(".n-chips").count() == 0
    view = page.get_by_role("link", name="Largest first").get_attribute("href")
    page = watched.open(f"{view}&colour=red")
    assert "the list does not have any more what this view asks for: colour" in page.locator(".n-problems").inner_text()
    page.get_by_role("link", name="Views and columns").click()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("link", name="Open", exact=True)).to_have_count(0)
    expect(page.get_by_role("button", name="Keep these columns")).to_be_visible()
    assert watched.complaints == []


@pytest.mark.screen("C49")
def test_c49_count_and_sums_are_of_the_whole_result_and_say_so(watched: Watched) -> None:
    """More rows than the page has, and the sum of all of them; after a filter, of what it leaves."""
    page = watched.open(f"{ORDERS}?view=all")
    total = Decimal("1.19") * sum(10 * (n % 6 + 1) for n in range(COUNT))
    assert len(numbers(page)) < COUNT
    foot = page.locator(".n-list-foot").inner_text()
    assert f"Sums of all {COUNT} rows" in foot
    assert f"{total:,.2f}" in foot
    assert f"of {COUNT}" in foot
    page = watched.open(f"{ORDERS}?state=confirmed")
    assert f"Sums of all {COUNT // 4} rows" in page.locator(".n-list-foot").inner_text()


@pytest.mark.screen("C50")
def test_c50_all_rows_are_changed_with_preview_progress_stop_and_reasons(watched: Watched) -> None:
    """Ticked with Shift and by X, or all across pages; what would happen first; a worker does it; it is stopped, and goes on."""
    page = watched.open(f"{ORDERS}?view=all")
    page.locator("td.n-select input").nth(1).click()
    page.locator("td.n-select input").nth(4).click(modifiers=["Shift"])
    assert "Selected rows: 4" in page.locator(".n-bulk").inner_text()
    page.locator("td.n-lead a").nth(8).focus()
    page.keyboard.press("x")
    assert "Selected rows: 5" in page.locator(".n-bulk").inner_text()
    page.get_by_label(f"All {COUNT} rows").check()
    page.get_by_label("Change …").select_option(label="Confirm")
    page.get_by_role("button", name="See what would happen").click()
    expect(page.get_by_text("Looking at the rows")).to_contain_text(f"0/{COUNT}")
    watched.site.work(2)
    page.get_by_role("heading", name="What would happen").wait_for()
    page.wait_for_load_state()
    going = int(page.locator(".n-sheet strong").first.inner_text())
    refused = page.locator("tbody tr", has_text="refused").all_inner_texts()
    assert going + len(refused) == COUNT
    assert any("is Confirmed" in row for row in refused)
    assert any("limit" in row for row in refused)
    page.get_by_role("button", name="Confirm: go on with").click()
    with page.expect_navigation():
        page.get_by_role("button", name="Stop").click()
    watched.site.work(2)
    page.get_by_role("heading", name="Stopped").wait_for()
    page.get_by_role("button", name="Confirm: go on with").click()
    page.get_by_text("Changing the rows").wait_for()
    watched.site.work(2)
    page.get_by_role("heading", name="What was done").wait_for()
    page.wait_for_load_state()
    done, left = (int(n) for n in page.locator(".n-sheet strong").all_inner_texts())
    assert 0 < done <= going
    assert done + left == COUNT
    page.get_by_role("button", name="Look again").click()
    page.get_by_text("Looking at the rows").wait_for()
    watched.site.work(2)
    page.get_by_role("heading", name="What would happen").wait_for()
    expect(page.get_by_role("link", name="Back to the list")).to_be_visible()
    assert page.get_by_role("button", name="go on with").count() == 0
    page = watched.open(f"{ORDERS}?state=confirmed")
    assert f"Sums of all {COUNT // 4 + done} rows" in page.locator(".n-list-foot").inner_text()
    assert watched.complaints == []


@pytest.mark.screen("C51")
@pytest.mark.screen("C53")
def test_c51_columns_by_keyboard_and_a_file_has_just_these(watched: Watched) -> None:
    """Chosen, moved, widened and held fast without a mouse; kept; the file has the rows of the filter and these columns."""
    page = watched.open("/views/of/newel.item")
    for name in ("Kind", "Class", "Tax category"):
        page.get_by_role("checkbox", name=name, exact=True).focus()
        page.keyboard.press("Space")
    page.get_by_role("checkbox", name="GTIN").focus()
    page.keyboard.press("Space")
    page.get_by_role("checkbox", name="Name", exact=True).focus()
    page.keyboard.press("Alt+ArrowUp")
    page.get_by_label("Width of Name").focus()
    page.keyboard.type("wide")
    page.get_by_label("the first column stays").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Keep these columns").focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    page = watched.open(f"{ITEMS}?q=Wheel")
    assert heads(page) == ["Name", "Number", "Unit", "GTIN", "Active"]
    assert page.locator("tbody td[data-w=l]").first.bounding_box()["width"] == 280  # type: ignore[index]
    page.set_viewport_size({"width": 1150, "height": 700})
    frame = page.locator(".n-wide[data-freeze]")
    assert frame.locator("tbody tr:first-child td").nth(1).evaluate("cell => getComputedStyle(cell).position") == "sticky"
    with page.expect_download() as found:
        page.get_by_role("link", name="XLSX").click()
    sheet = sheet_of(Path(found.value.path()).read_bytes())
    assert list(sheet.head) == heads(page)
    assert [cells[0] for _n, cells in sheet.rows] == ["Wheel"]
    assert watched.complaints == []


@pytest.mark.screen("C52")
def test_c52_cells_are_changed_where_they_stand(watched: Watched) -> None:
    """F2 begins, Tab keeps and goes on, Esc leaves; a wrong value says so there; somebody else's change is shown first; the mouse has a pencil."""
    watched.expected = (409, 422)
    page = watched.open("/records/newel.party")
    row = page.locator("tbody tr", has_text="C-2")
    row.locator("td.n-lead a").focus()
    page.keyboard.press("F2")
    page.locator(".c-cell input:not([type=hidden])").wait_for()
    page.keyboard.press("Escape")
    assert page.locator(".c-cell").count() == 0
    assert page.evaluate("document.activeElement.textContent") == "C-2"
    row.locator("td", has_text="Other Ltd").hover()
    page.get_by_role("button", name="change a field of the row: Name").click()
    box = page.locator(".c-cell").get_by_label("Name")
    box.fill("")
    slow = watched.hold("**/cells/**")
    page.keyboard.press("Enter")
    sent = slow(1)
    page.keyboard.press("Escape")  # what is sent is not taken back
    sent.continue_()
    page.get_by_text("Name is missing").wait_for()
    page.locator(".c-cell").get_by_label("Name").fill("Another Ltd")
    with page.expect_response(lambda answer: answer.request.method == "GET" and "/cells/" in answer.url):
        page.keyboard.press("Tab")
    page.locator("tbody tr", has_text="Another Ltd").locator(".c-cell").wait_for()
    page.keyboard.press("Escape")
    other = page.context.new_page()
    other.goto(f"{watched.site.url}/records/newel.party")
    other.locator("tbody tr", has_text="C-2").locator("td", has_text="Another Ltd").hover()
    other.get_by_role("button", name="change a field of the row: Name").click()
    other.locator(".c-cell").get_by_label("Name").fill("Third Ltd")
    row.locator("td", has_text="Another Ltd").hover()
    page.get_by_role("button", name="change a field of the row: Name").click()
    page.locator(".c-cell").get_by_label("Name").fill("Mine Ltd")
    other.keyboard.press("Enter")
    other.locator("td", has_text="Third Ltd").wait_for()
    other.close()
    page.keyboard.press("Enter")
    page.get_by_text("somebody has changed it since you opened it").wait_for()
    assert page.locator(".c-cell").get_by_label("Name").input_value() == "Third Ltd"
    assert [c for c in watched.complaints if "409" not in c and "422" not in c] == []
    watched.complaints.clear()


@pytest.mark.screen("C4")
@pytest.mark.screen("C5")
def test_c4_back_brings_filter_place_and_row_and_an_address_says_it_all(watched: Watched) -> None:
    """From a row far down, into the order and back; the order's address shows the same in another tab."""
    page = watched.open(f"{ORDERS}?q=PO&sort=reference&page=1")
    link = page.locator("tbody td.n-lead a").nth(40)
    name = link.inner_text()
    page.evaluate("scrollTo({top: 900, behavior: 'instant'})")
    link.evaluate("link => link.focus({preventScroll: true})")
    place = page.evaluate("scrollY")
    assert place > 0
    with page.expect_navigation():
        page.keyboard.press("Enter")
    other = page.context.new_page()
    other.goto(page.url)
    assert other.get_by_role("heading", level=1).inner_text() == page.get_by_role("heading", level=1).inner_text()
    other.close()
    page.go_back()
    page.wait_for_function("name => document.activeElement.textContent.trim() === name", arg=name)
    page.wait_for_function("place => scrollY === place", arg=place)
    assert "contains “PO”" in sentence(page)
    page.go_forward()
    assert name in page.get_by_role("heading", level=1).inner_text()
    page.go_back()
    page.wait_for_function("name => document.activeElement.textContent.trim() === name", arg=name)
    assert watched.complaints == []


@pytest.mark.parametrize("watched", [{"viewport": DESKTOP, "color_scheme": "dark"}, PHONE], indirect=True, ids=["dark", "phone"])
@pytest.mark.screen("C57")
def test_c57_an_empty_list_says_why_and_what_to_do(watched: Watched) -> None:
    """Nothing yet leads to a new one, a filter that is too narrow to all of them, and a missing right to whoever gives it."""
    page = watched.open("/documents/sales.quotation")
    empty = page.locator(".n-empty")
    assert "No quotations yet" in empty.inner_text()
    assert empty.get_by_role("link").all_inner_texts() == ["New"]
    page = watched.open(f"{ORDERS}?q=nowhere")
    assert "Nothing fits the filter" in empty.inner_text()
    with page.expect_navigation():
        empty.get_by_role("link", name="Clear the filter").click()
    assert len(numbers(page)) > 0
    fits(page)
    assert watched.complaints == []


@pytest.mark.parametrize("watched", [{"viewport": DESKTOP}, PHONE], indirect=True, ids=["desk", "phone"])
def test_an_accessibility_checker_finds_nothing_and_nothing_is_wider_than_the_window(watched: Watched) -> None:
    """A part of the sentence open in its field, rows chosen, the page behind the list, what would happen, a cell as a form."""

    def look() -> None:
        fits(page)
        assert Axe().run(page).response["violations"] == []

    page = watched.open(f"{ORDERS}?view=all&state=draft")
    page.locator("td.n-select input").first.check()
    page.locator("a[data-filter=state]").click()
    look()
    page.keyboard.press("Escape")
    page.get_by_label("Change …").select_option(label="Cancel")
    page.get_by_role("button", name="See what would happen").click()
    page.get_by_role("heading", name="What would happen").wait_for()
    look()
    watched.open("/views/of/sales.order?state=draft")
    look()
    watched.open("/records/newel.party")
    page.locator("tbody td.n-lead a").first.focus()
    page.keyboard.press("F2")
    page.locator(".c-cell input:not([type=hidden])").wait_for()
    look()
    assert watched.complaints == []


EMPTY = {"de": "Noch keine Angebote", "sl": "Še prazno: ponudbe", "tr": "Henüz kayıt yok: teklifler", "zh": "尚无报价单", "en": "No quotations yet"}


# Of a report: nothing there yet, what it needs, and parameters that leave nothing; what each says.
REPORTS = {
    "/report/newel.open_items": ("stehen sie hier", "prikazani tukaj", "burada görünür", "显示在这里", "they stand here"),
    "/report/newel.general_ledger": ("oben ausfüllen: Konto", "Izpolnite zgoraj: Konto", "Yukarıda doldurun: Hesap", "请在上方填写", "Fill in Account above"),
    "/report/newel.journal?date_from=2001-01-01&date_to=2001-01-02": ("Filter löschen", "Počisti filter", "Filtreyi temizle", "清除筛选", "Clear the filter"),
}


def speak(watched: Watched, tag: str) -> None:
    """The user's language becomes this one."""
    newel = watched.site.newel

    async def chosen() -> None:
        async with newel.database.read() as session:
            user = await session.value("SELECT id FROM app_user WHERE login = ?", LOGIN)
            loaded = await newel.users.load(user, session)
            context = await newel.context(session, loaded)
        await newel.users.choose_language(tag, context)

    watched.site.ask(chosen())


@pytest.mark.screen("C57")
def test_c57_an_empty_report_says_why_and_what_to_do_in_five_languages(watched: Watched) -> None:
    """Nothing there yet, something that it needs first, and parameters that leave nothing: there one link brings everything back."""
    for n, tag in enumerate(EMPTY):
        speak(watched, tag)
        for address, words in REPORTS.items():
            page = watched.open(address)
            empty = page.locator(".n-empty")
            assert words[n] in empty.inner_text()
            assert page.locator(".n-list table").count() == 0
            assert empty.locator("a").count() == ("?" in address)
    with page.expect_navigation():
        empty.get_by_role("link", name="Clear the filter").click()
    assert page.url.endswith("/report/newel.journal")
    assert page.locator(".n-list tbody tr").count() > 0


@pytest.mark.screen("C57")
def test_c57_in_five_languages_and_without_the_right(watched: Watched) -> None:
    """The reason and the one thing to do are in the reader's language; whoever may not see a list reads which right it needs, and who gives it."""
    newel = watched.site.newel
    for tag, words in EMPTY.items():
        speak(watched, tag)
        page = watched.open("/documents/sales.quotation")
        assert words in page.locator(".n-empty").inner_text()
        assert page.locator(".n-empty a").count() == 1

    async def hired() -> None:
        company = newel.system(None)
        async with newel.database.read() as session:
            context = await newel.context(session, company.user)
        role = await newel.records.save("newel.role", None, {"code": "yard", "name": "Yard"}, context)
        await newel.records.save("newel.role_permission", None, {"role": role, "permission": "newel.item.view"}, context)
        await newel.users.create("yard", PASSWORD, "Yard", ["yard"], [context.company.id], context)

    watched.site.ask(hired())
    watched.expected = (403,)
    page.context.clear_cookies()
    page.goto(f"{watched.site.url}/login")
    page.fill("[name=login]", "yard")
    page.fill("[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url(f"{watched.site.url}/")
    page = watched.open("/documents/sales.quotation")
    told = page.locator("main").inner_text()
    assert "sales.quotation.view" in told
    assert "ask whoever administers users" in told
    assert page.locator("main").get_by_role("link").all_inner_texts() == ["To the start page"]
    watched.complaints[:] = [c for c in watched.complaints if "403" not in c]
