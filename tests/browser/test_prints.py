"""Documents and labels on their way to paper: what the browser shows, prints and keeps, by one key, on a desk and on a phone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

import pypdfium2
import pytest
from axe_playwright_python.sync_playwright import Axe
from newel.domain.context import Context
from newel.domain.document import DocumentInput, LineInput
from newel.services.app import Newel
from newel_sdk.site import Watched, fits
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESKTOP, PLUGINS, Site, served

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "color_scheme": "dark"}
COUNT_PRINTS = "window.printed = 0; window.print = () => { window.printed += 1; sessionStorage.printed = Number(sessionStorage.printed || 0) + 1; };"


async def orders(newel: Newel, context: Context) -> None:
    """An order of two pages."""
    lines = tuple(LineInput(item=f"I-{i % 6}", quantity=Decimal(1 + i % 5)) for i in range(35))
    await newel.documents.create("sales.order", DocumentInput(party="C-1", lines=lines), context, then=("confirm",))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Give a running server that prints."""
    yield from served(Site(tmp_path_factory.mktemp("site"), (*PLUGINS, "labels", "prints"), orders))


def order(watched: Watched) -> str:
    """The id of the order."""
    page = watched.open("/documents/sales.order")
    return str(page.locator("tbody a[href^='/document/']").first.get_attribute("href")).rsplit("/", 1)[1]


def words(content: bytes) -> list[str]:
    """Of each page of a PDF."""
    return ["".join(page.get_textpage().get_text_bounded().split()) for page in pypdfium2.PdfDocument(content)]


def shown(page: Page) -> list[str]:
    """Of each page of the preview."""
    return ["".join(text.split()) for text in page.locator(".pr-page").all_text_contents()]


def clean(page: Page) -> None:
    """Nothing that keeps readers or keyboards out."""
    found = [(v["id"], [n["html"][:200] for n in v["nodes"]]) for v in Axe().run(page).response["violations"]]
    assert found == []


@pytest.mark.screen("C59", "C62")
@pytest.mark.parametrize("watched", [{"viewport": DESKTOP}, PHONE], indirect=True, ids=["desk", "phone"])
def test_print_by_one_key(watched: Watched) -> None:
    """Alt P on the document shows its pages, there it keeps and prints them: the same words on the screen, from the browser's printer, in the PDF."""
    page, id = watched.page, order(watched)
    page.add_init_script(COUNT_PRINTS)
    page.goto(f"{watched.site.url}/document/{id}")
    page.keyboard.press("Alt+p")
    page.wait_for_url("**/prints/of/*")
    expect(page.locator(".pr-page")).to_have_count(2)
    fits(page)
    clean(page)
    before, is_copy = shown(page), page.locator(".pr-mark", has_text=re.compile(".")).count() > 0
    if page.viewport_size["width"] > 1000:
        assert words(page.pdf(prefer_css_page_size=True)) == before, "the browser's own printer has the same pages"
    sent: list[str] = []
    page.on("request", lambda r: sent.append(r.url) if r.method == "POST" else None)
    with page.expect_navigation():
        page.keyboard.press("Alt+p")
        page.keyboard.press("Alt+p")  # pressed twice, it is printed once
    assert page.evaluate("sessionStorage.printed") == "1"
    assert len(sent) == 1
    box = page.request.get(f"{watched.site.url}/prints/on/{id}", headers={"hx-request": "true"}).text()
    content = page.request.get(watched.site.url + re.findall(r"/prints/kept/\d+", box)[0]).body()
    assert words(content) == before
    assert page.locator(".pr-mark", has_text="Copy of").count() == 2, "the next one is a copy"
    page.get_by_role("link", name="Back").click()
    page.get_by_role("link", name="Copy 1" if is_copy else "Original").first.wait_for()
    page.goto(f"{watched.site.url}/prints/of/{id}?print=1")
    page.wait_for_url("**/prints/of/*?language=*")
    assert page.evaluate("sessionStorage.printed") == "2"


@pytest.mark.screen("C60")
def test_choose_the_language(watched: Watched) -> None:
    """The partner's, ours, or both, on the screen and in the PDF."""
    page, id = watched.page, order(watched)
    page.goto(f"{watched.site.url}/prints/of/{id}")
    with page.expect_navigation():
        page.get_by_label("Language").select_option(label="English + Deutsch")
    assert "Quantity" in page.locator(".pr-page thead").first.inner_text()
    assert "Menge" in page.locator(".pr-page thead").first.inner_text()
    sent = {name: page.locator(f"#print [name={name}]").input_value() for name in ("_csrf_token", "language")}
    answer = page.request.post(page.locator("#print").evaluate("form => form.action"), form=sent)  # as PDF does; the viewer of browsers is not ours to test
    assert "Menge" in words(answer.body())[0]


@pytest.mark.screen("C63")
@pytest.mark.parametrize("watched", [{"viewport": DESKTOP}, PHONE], indirect=True, ids=["desk", "phone"])
def test_labels(watched: Watched) -> None:
    """From the order, and from a form that a scanner types into; the print dialog opens by Alt P, or at once where the address says so."""
    page, id = watched.page, order(watched)
    page.add_init_script(COUNT_PRINTS)
    page.goto(f"{watched.site.url}/document/{id}")
    page.get_by_role("link", name="Labels of").click()
    page.wait_for_url("**/labels?document=*")
    expect(page.locator("article")).to_have_count(6)
    fits(page)
    clean(page)
    page.keyboard.press("Alt+p")
    assert page.evaluate("printed") == 1
    page.goto(f"{watched.site.url}/labels?document={id}&print=1")
    page.wait_for_function("printed === 1")
    page.goto(f"{watched.site.url}/labels")
    clean(page)
    page.get_by_role("textbox", name="Items").fill("I-1\nI-2")
    page.get_by_role("button", name="Show labels").click()
    expect(page.locator("article")).to_have_count(2)


@pytest.mark.parametrize("watched", [{"viewport": DESKTOP}, PHONE], indirect=True, ids=["desk", "phone"])
def test_layouts(watched: Watched) -> None:
    """The page where an administrator changes the letterhead: nothing is wider than the window, and keyboards and readers find everything."""
    page = watched.open("/prints/layouts?kind=sales.order")
    clean(page)
    fits(page)
    mark = f"Since {page.viewport_size['width']}"
    page.get_by_label("After the totals").fill(mark)
    with page.expect_navigation():
        page.get_by_role("button", name="Keep this version").click()
    page.get_by_text("The layout is kept.").wait_for()
    page.goto(f"{watched.site.url}/prints/of/{order(watched)}?language=tr")
    assert mark in page.locator(".pr-page").last.inner_text()
