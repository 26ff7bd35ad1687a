"""Every page of an install with all plugins and the demonstration company: an accessibility checker finds nothing, in light and dark, at a desk and on a phone.

Each kind of page is looked at in all four; of what is made from declarations (lists, forms, reports) each kind on one page, in one of the four. With
NEWEL_PAGES=all each of them on each page, empty, filled and refused, in all four.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import axe_playwright_python
import msgspec
import pytest
from newel.config import Config
from newel.domain.context import Context
from newel.services import lists
from newel.services.app import Newel
from newel.services.entered import as_input
from newel_demo.company import demo
from newel_sdk import site as sdk
from newel_sdk.kit import PASSWORD
from newel_sdk.servers import PATIENCE
from newel_sdk.site import DESKTOP, PHONE, Watched, window
from playwright.sync_api import Browser, Error, Page, expect

from tests.browser.entry import paste

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
WAYS = (("light", DESKTOP), ("dark", DESKTOP), ("dark", PHONE), ("light", PHONE))
CONTRAST = ["color-contrast", "link-in-text-block"]  # all that another theme can change
EVERY = os.environ.get("NEWEL_PAGES") == "all"
EXPECTED = (403, 404, 409, 422)
REQUEST = "requests.request"
# Parts of pages, and files.
PARTS = ("/cells/{kind:str}/{id:int}/{name:str}", "/call_centre/now", "/knowledge/suggest")
# Pages of work that the demonstration company has not done, and files: the browser tests of bulk, exchange, prints, visits and knowledge look at those.
ELSEWHERE = {
    "/attachments/files/{id:int}", "/bulk/runs/{id:int}", "/document/{id:int}/pdf", "/exchange/imports/{id:int}",
    "/exchange/imports/{id:int}/refused/{ending:str}", "/knowledge/open/{code:str}", "/knowledge/open/{code:str}/{article:int}", "/options/{name:str}",
    "/prints/kept/{id:int}", "/prints/layouts/{id:int}/style.css", "/vendor_workbench/{id:int}", "/vendor_workbench/{id:int}/pdf",
    "/vendor_workbench/{id:int}/print", "/visits/{id:int}",
}  # fmt: skip
RUN = """(only) => axe.run(document, {resultTypes: ["violations"], ...(only ? {runOnly: only} : {})}).then(
  (found) => found.violations.flatMap((v) => v.nodes.slice(0, 2).map((n) => `${v.id} ${n.target} ${n.html.slice(0, 140)}`)))"""


class Full(sdk.Site):
    """Every plugin that is installed, with the demonstration company; its users' password is the kit's."""

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.newel = Newel(Config(database=f"sqlite:///{self._place / 'full.db'}"))
        await self.newel.start()
        await demo(self.newel, documents=40, password=PASSWORD)
        await self._listen(self.newel)
        await self.newel.close()

    def kinds_of_pages(self) -> dict[str, re.Pattern[str]]:
        """The patterns of all addresses that a browser opens, the most exact ones first."""
        routes = {r.path for r in self.web.routes if "GET" in getattr(r, "methods", ()) and not r.path.startswith(("/api", "/static"))}
        return {path: re.compile(_filled(path, r"\d+", "[^/?]+") + r"(\?|$)") for path in sorted(routes, key=lambda p: (p.count("{"), p))}

    async def _context(self) -> Context:
        async with self.newel.database.read() as session:
            return await self.newel.context(session, self.newel.system(None).user)

    async def declared(self) -> list[str]:
        """Of each report its page; of each kind of documents and records one of its pages, in turn, or every one: list, empty list, empty form, one of them."""
        context, registry = await self._context(), self.newel.registry
        kinds = []
        for kind in sorted(registry.documents):
            rows = (await lists.page(self.newel, kind, context, lists.Wanted(), size=1)).rows
            more = [f"/documents/{kind}?q=nowhere", *(f"/document/{r.id}/edit" for r in rows)] if EVERY else []
            kinds.append([f"/documents/{kind}", f"/documents/{kind}/new", *(f"/document/{r.id}" for r in rows), *more])
        for kind in sorted(registry.records):
            found = (await self.newel.records.page(kind, context, size=1)).rows
            more = [f"/records/{kind}?q=nowhere"] if EVERY else []
            kinds.append([f"/records/{kind}", f"/records/{kind}/new", *(f"/records/{kind}/{r['id']}" for r in found), *more])
        chosen = [ways if EVERY else [ways[n % len(ways)]] for n, ways in enumerate(kinds)]
        return [f"/report/{name}" for name in sorted(registry.reports)] + [path for ways in chosen for path in ways]

    async def first(self, kind: str, phase: str = "") -> int:
        """The id of a document or record of this kind."""
        context = await self._context()
        if kind in self.newel.registry.documents:
            return (await lists.page(self.newel, kind, context, lists.Wanted(phase=phase), size=1)).rows[0].id
        return int((await self.newel.records.page(kind, context, size=1)).rows[0]["id"])

    async def change(self, id: int) -> None:
        """Somebody else changes a document."""
        context = await self._context()
        stored = await self.newel.documents.get(id, context)
        await self.newel.documents.update(id, stored.version, msgspec.structs.replace(as_input(stored), reference="theirs"), context)

    async def unlinked(self) -> list[str]:
        """Pages that nothing links to where scripts run, because they are fetched as boxes, or that need something of their own."""
        first = self.first
        order, item, template = await first("sales.order", "open"), await first("newel.item"), await first("mail.template")
        about = ("/attachments/of/document", "/handover/load", "/labels/of", "/mail/of", "/prints/of", "/prints/on", "/timeline/of/document", "/timeline/then")
        user, article = await first("newel.user"), await first("knowledge.article")
        more = [f"/users/{user}/password", f"/knowledge/{article}/edit", f"/knowledge/{article}/compare", f"/cells/newel.item/{item}/name", "/search?q=SO"]
        draft, order_in = await first("sales.order", "draft"), await first("vendor_workbench.despatch")
        more += [f"/document/{draft}/edit", f"/mail/preview/{template}", f"/scan/task/{order_in}", f"/portal/new/{REQUEST}", "/dashboards/sales/0"]
        return [*(f"{start}/{order}" for start in about), *more]


def _filled(path: str, number: str, text: str) -> str:
    """The pattern of a route as an expression: its placeholders are numbers or texts."""
    parts = re.split(r"(\{[^}]+\})", path)
    return "".join((number if part.endswith(":int}") else text) if part.startswith("{") else re.escape(part) for part in parts)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Full]:
    """Give the server of the whole."""
    made = Full(tmp_path_factory.mktemp("full"))
    yield made.up()
    made.stop()


class Walk:
    """Goes from page to page, and keeps what the checker has to say."""

    def __init__(self, watched: Watched, site: Full, seen: set[str]) -> None:
        self.page, self.site, self.seen = watched.page, site, seen
        self.kinds, self.found, self.asked = site.kinds_of_pages(), list[str](), set[Any]()
        self.page.context.add_init_script(path=AXE)
        self.page.on("request", lambda request: self.asked.add(request) if request.resource_type != "eventsource" else None)
        for event in ("requestfinished", "requestfailed"):
            self.page.on(event, lambda request: self.asked.discard(request))  # type: ignore[call-overload]  # noqa: PLW0108 (Playwright marks what it calls)

    def kind(self, path: str) -> str:
        """The pattern that an address fits."""
        return next((kind for kind, pattern in self.kinds.items() if pattern.match(path)), "")

    def open(self, path: str) -> bool:
        """Go there, and wait for what the page fetches by itself; whether it is a page."""
        self.asked.clear()
        try:
            answer = self.page.goto(self.site.url + path)
        except Error as error:
            if "Download is starting" in error.message:
                return False
            raise
        for _turn in range(PATIENCE // 20):
            self.page.wait_for_timeout(20)
            if not self.asked and not self.page.locator("[aria-busy=true]").count():
                break
        return answer is not None and "html" in answer.headers.get("content-type", "")

    def look(self, where: str, only: list[str] | None = None) -> None:
        """Let the checker look at what is there."""
        self.found += [f"{where}: {one}" for one in self.page.evaluate(RUN, only)]

    def dress(self, way: int) -> tuple[str, bool]:
        """Theme and width of the window; says which, and whether the width is another one."""
        theme, size = WAYS[way % 4]
        other = self.page.viewport_size != size
        if other:
            self.page.set_viewport_size(size)  # type: ignore[arg-type]
        self.page.evaluate("(theme) => { document.documentElement.dataset.bsTheme = theme; }", theme)
        return f"{theme} {size['width']}", other

    def go(self, starts: list[str]) -> None:
        """Over every kind of page that is not seen yet and can be reached from these by links."""
        todo = list(starts)
        while todo:
            path = todo.pop(0)
            kind = self.kind(path)
            if not kind or kind in self.seen:
                continue
            self.seen.add(kind)
            if kind in PARTS or kind.endswith(("pdf", ".css")) or not self.open(path):
                continue
            todo += [p for p in self.page.eval_on_selector_all("a[href]", "(all) => all.map((a) => a.getAttribute('href'))") if p.startswith("/")]
            for way in range(4):
                said, other = self.dress(way)
                self.look(f"{path} {said}", None if other or way == 0 else CONTRAST)

    def pass_by(self, paths: list[str]) -> None:
        """One look at each of these, in turn light and dark, at the desk and on the phone; or all four, and at what an empty form is told."""
        for n, path in enumerate(paths):
            self.open(path)
            for way in range(4) if EVERY else (n,):
                self.look(f"{path} {self.dress(way)[0]}")
            save = self.page.locator("main form[method=post] .n-bar button.btn-primary")
            if EVERY and path.endswith("/new") and save.count():
                self.page.evaluate("document.querySelectorAll('[required]').forEach((one) => { one.required = false; })")
                with self.page.expect_navigation():
                    save.first.click()
                for way in range(4):
                    self.look(f"{path} refused {self.dress(way)[0]}")


@pytest.mark.timeout(3600)
@pytest.mark.screen("C68", "C69")
def test_a_checker_finds_nothing_on_every_page(chromium: Browser, site: Full) -> None:
    """By links from the start page, as the one who may everything, as a customer and as a vendor; an error page is a page as well."""
    seen, found = set[str](), list[str]()
    for login, start in (("demo", "/"), ("customer", "/portal"), ("vendor", "/vendor_workbench")):
        with window(chromium, site, login, start, EXPECTED, viewport=DESKTOP) as watched:
            walk = Walk(watched, site, seen)
            walk.go([start])
            if login == "demo":
                walk.go(site.ask(site.unlinked()))
                walk.go([kind for kind in walk.kinds if "{" not in kind and not kind.startswith(("/portal", "/vendor_workbench"))])
                walk.pass_by(site.ask(site.declared()))
            found += walk.found
    assert found == []
    assert set(walk.kinds) - seen <= ELSEWHERE, "a page that no walk comes to: link it, or add it to Full.unlinked"


def customer(page: Page, text: str) -> None:
    """Look for another customer."""
    page.fill("#party", "")
    page.focus("#party")
    page.keyboard.type(text, delay=45)
    page.wait_for_selector("[role=option]:not([aria-disabled])")


@pytest.mark.screen("C68")
def test_a_checker_finds_nothing_in_dialogs_and_what_opens_over_a_page(chromium: Browser, site: Full) -> None:
    """Everything that opens over a page, in both themes; Escape leaves each, and Tab stays in what is modal."""
    with window(chromium, site, "demo", "/", (401, *EXPECTED), viewport=DESKTOP) as watched:
        walk, page = Walk(watched, site, set()), watched.page
        draft = site.ask(site.first("sales.order", "draft"))

        def open_of(name: str, there: str, inside: bool = True) -> None:
            page.locator(there).first.wait_for()
            there = there.partition(" ")[0]
            for way in range(2):
                walk.look(f"{name} {walk.dress(way)[0]}")
            for _step in range(12 if inside else 0):
                page.keyboard.press("Tab")
                assert page.evaluate("(there) => document.activeElement === document.body || Boolean(document.activeElement.closest(there))", there), name
            page.keyboard.press("Escape")
            expect(page.locator(there)).to_be_hidden()

        walk.open("/documents/sales.order")
        page.keyboard.press("Control+k")
        page.keyboard.type("SO")
        open_of("palette", "[role=listbox]:popover-open", inside=False)
        page.get_by_role("button", name="user menu").click()
        open_of("user menu", "#user-menu:popover-open", inside=False)
        page.locator("h1").click()
        page.keyboard.press("?")
        open_of("keys", "dialog[open]")
        walk.open(f"/document/{draft}")
        page.locator("form[data-confirm] button").first.click()
        open_of("question", "dialog[open]")
        walk.open(f"/document/{draft}/edit")
        page.locator("[id^=lines-][id$=-item]").first.focus()
        page.keyboard.press("Alt+w")
        open_of("why", "dialog[open]")
        paste(page, "SOME\t2\nNOPE\t3")
        open_of("rows from a spreadsheet", "dialog[open] [data-bad]")
        walk.open(f"/document/{draft}/edit")
        page.get_by_text("More", exact=True).click()
        page.locator("#terms").select_option(index=1)
        customer(page, "C10")
        page.keyboard.press("Enter")
        open_of("values of one's own", "dialog[open]")
        customer(page, "Nobody of that name")
        page.locator("[role=option]", has_text="Make a new one").click()
        open_of("a new customer", "dialog.n-dialog-side[open]")
        walk.open(f"/document/{draft}/edit")
        page.fill("#reference", "mine")
        site.ask(site.change(draft))
        page.get_by_role("button", name="Save", exact=True).click()
        open_of("what others changed", "dialog[open] tbody tr")
        page.context.clear_cookies()
        page.get_by_role("button", name="Save", exact=True).click()
        open_of("the session has ended", "dialog[open] [name=password]")
    assert walk.found == []
