"""Every kind of page, empty and filled, light and dark: an accessibility checker finds nothing, 320 pixels are enough, focus is seen, contrasts are minded."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from newel.domain.context import Context
from newel.domain.document import DocumentInput, LineInput
from newel.services.app import Newel
from newel_sdk.site import Watched, fits
from playwright.sync_api import Page, expect

from tests.browser.conftest import NAMES, PLUGINS, Site, served

PASSWORD = "nine brass lamp shades"
MORE = ("access", "dashboards", "dual_control", "exchange", "kits", "purchasing", "requests", "setup", "two_factor", "upkeep")
PICTURES = os.environ.get("NEWEL_PICTURES")  # a folder to keep pictures in, for people to look at
MADE: dict[str, int] = {}


async def busy(newel: Newel, context: Context) -> None:
    """An order of twelve lines that goes on to an invoice, one that is over its limit, and somebody who sells."""
    lines = tuple(LineInput(item=f"I-{n % len(NAMES)}", quantity=Decimal(n + 1)) for n in range(12))
    order = await newel.documents.create("sales.order", DocumentInput(party="C-1", lines=lines, reference="12"), context, then=("confirm",))
    draft = await newel.documents.create("sales.order", DocumentInput(party="C-1", lines=lines), context)
    await newel.documents.create("invoicing.invoice", DocumentInput(party="C-1", lines=lines[:2]), context, then=("post",))
    over = await newel.documents.create(
        "sales.order", DocumentInput(party="C-2", lines=(LineInput(item="I-5", quantity=Decimal(10)),), reference="OFFER 7781"), context
    )
    MADE.update(order=order.document.id, draft=draft.document.id, over=over.document.id)
    await newel.users.create("sal", PASSWORD, "Sal Esche", ["sales"], [context.company.id], context)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Give a server with something on its pages."""
    yield from served(Site(tmp_path_factory.mktemp("site"), (*PLUGINS, *MORE), busy))


def kinds_of_pages(page: Page) -> list[str]:
    """Of the navigation every page that a plugin or the kernel has made by itself, and some of those that are made from declarations."""
    every = page.eval_on_selector_all("#nav a", "links => links.map(a => a.getAttribute('href'))")
    own = [p for p in every if not re.match(r"/(documents|records|report)/", p)]
    declared = ["/documents/sales.order", "/documents/sales.quotation", "/records/newel.party", "/records/newel.role", "/report/newel.trial_balance"]
    forms = ["/documents/sales.order/new", "/records/newel.item/new", f"/document/{MADE['order']}", f"/document/{MADE['draft']}/edit"]
    ways = [f"/document/{MADE['order']}/follow/shipping.delivery:deliver", "/account", "/setup/step/item", "/exchange/into/newel.item"]
    rights = ["/access/users", "/access/why?user=sal&permission=sales.order.release", "/access/why?user=sal"]
    return [*own, *declared, *forms, *ways, *rights]


def findings(page: Page, where: str) -> list[str]:
    """What the checker has to say."""
    found = Axe().run(page).response["violations"]
    return [f"{where}: {v['id']} {n['target']} {n['html'][:120]}" for v in found for n in v["nodes"][:2]]


@pytest.mark.screen("C68", "C69")
@pytest.mark.parametrize("watched", [{"viewport": {"width": 1280, "height": 800}}], indirect=True)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_checker_finds_nothing_on_any_kind_of_page(watched: Watched, theme: Literal["light", "dark"]) -> None:
    """Each kind of page in one of the two, the main ones in both; also an error, a dialog, an empty list."""
    watched.expected = (404,)
    page, found = watched.page, []
    page.emulate_media(color_scheme=theme)
    paths = kinds_of_pages(page)
    assert len(paths) > 25
    both = ["/", "/documents/sales.order/new", f"/document/{MADE['order']}", "/access"]
    for path in [*both, *(p for p in paths[theme == "dark" :: 2] if p not in both), "/documents/sales.order?q=nothing", "/nowhere"]:
        watched.open(path)
        assert page.evaluate("document.documentElement.dataset.bsTheme") == theme, "the theme follows the system until somebody chooses"
        found += findings(page, path)
        if PICTURES:
            page.screenshot(path=Path(PICTURES) / f"{re.sub(r'[^a-z]+', '-', path)}-{theme}.png", full_page=True)
    watched.open("/")
    page.keyboard.press("?")
    expect(page.locator("dialog[open]")).to_be_visible()
    found += findings(page, "keys")
    assert found == []


@pytest.mark.screen("C68")
@pytest.mark.parametrize("watched", [{"viewport": {"width": 320, "height": 640}}], indirect=True)
def test_nothing_is_lost_at_320_pixels(watched: Watched) -> None:
    """That is 1280 at four times its size: no page scrolls sideways, and nothing sticks out of it."""
    page = watched.page
    for path in kinds_of_pages(page):
        page.goto(watched.site.url + path)
        fits(page)


FOCUS = """() => { const e = document.activeElement, s = getComputedStyle(e), p = e.parentElement && getComputedStyle(e.parentElement);
  const lined = (x) => x && ((x.outlineStyle !== "none" && parseFloat(x.outlineWidth) >= 1) || x.boxShadow !== "none");
  return e === document.body ? null : [e.outerHTML.slice(0, 90), Boolean(lined(s) || lined(p))]; }"""


@pytest.mark.screen("C68", "C69")
@pytest.mark.parametrize("watched", [{"viewport": {"width": 1280, "height": 800}, "forced_colors": "active", "contrast": "more"}], indirect=True)
def test_focus_is_seen_also_in_forced_colours(watched: Watched) -> None:
    """Tab by Tab: wherever the focus is, there is a line around it; states and chosen entries keep a mark that is no colour."""
    page, unseen = watched.page, []
    for path in ("/documents/sales.order", f"/document/{MADE['order']}", "/access?plugin=sales", "/documents/sales.order/new"):
        watched.open(path)
        page.locator("#main").focus()
        for _step in range(30):
            page.keyboard.press("Tab")
            where = page.evaluate(FOCUS)
            if where is not None and not where[1]:
                unseen.append((path, where[0]))
    assert unseen == []
    assert page.evaluate("matchMedia('(forced-colors: active)').matches")


FORCED = {"viewport": {"width": 1280, "height": 800}, "forced_colors": "active"}
# What tells a state without a colour of ours: the system's colours for what is chosen and what is not to be had, lines, and words.
LOOK = """(e) => { const s = getComputedStyle(e); return [s.color, s.backgroundColor, s.borderStyle, s.borderWidth, s.textDecorationLine]; }"""
# Text that is not told from what it stands on, by what the browser makes of forced colours; the checker takes our own colours for them.
UNREAD = """() => {
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number), part = (v) => v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4;
  const light = (c) => 0.2126 * part(c[0]) + 0.7152 * part(c[1]) + 0.0722 * part(c[2]);
  const out = [], texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = texts.nextNode(); node; node = texts.nextNode()) {
    const e = node.parentElement;
    if (!node.data.trim() || !e.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    if (e.closest("svg, script, style, noscript, option, .visually-hidden, :disabled, [aria-disabled=true]")) continue;
    let behind = e;
    while (behind.parentElement && (rgb(getComputedStyle(behind).backgroundColor)[3] ?? 1) === 0) behind = behind.parentElement;
    const [a, b] = [rgb(getComputedStyle(e).color), rgb(getComputedStyle(behind).backgroundColor)].map(light).sort((x, y) => x - y);
    if ((b + 0.05) / (a + 0.05) < 4.5) out.push(e.outerHTML.slice(0, 120));
  }
  return out; }"""


@pytest.mark.screen("C69")
@pytest.mark.parametrize("watched", [FORCED], indirect=True)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_forced_colours_leave_every_state_to_be_seen(watched: Watched, theme: Literal["light", "dark"]) -> None:
    """Text is read on every kind of page; what is open, chosen, ticked, wrong or not to be had is told by the system's colours, lines and words."""
    watched.expected = (422,)
    page, unread = watched.page, []
    page.emulate_media(color_scheme=theme, forced_colors="active")
    for path in kinds_of_pages(page)[theme == "dark" :: 2]:
        watched.open(path)
        unread += [f"{path}: {one}" for one in page.evaluate(UNREAD)]
    assert unread == []
    page.evaluate("Object.assign(document.querySelector('h1').style, { forcedColorAdjust: 'none', color: '#777', backgroundColor: '#888' })")
    assert len(page.evaluate(UNREAD)) == 1, "planted: grey on grey is found"

    watched.open("/documents/sales.order")
    entries = page.locator("#nav a")
    here = page.locator("#nav a[aria-current]")
    assert here.evaluate(LOOK) != entries.first.evaluate(LOOK), "which page is open"
    assert all(text.strip() for text in page.locator(".n-badge").all_inner_texts()), "states are words"

    watched.open("/records/newel.item/new")
    with page.expect_navigation():
        page.get_by_role("button", name="Save").click()
    assert page.locator(".n-problem svg").count() >= 1
    wrong, fine = page.locator("input[aria-invalid=true]").first, page.locator("input.form-control:not([aria-invalid=true])").first
    assert wrong.evaluate(LOOK)[2:4] != fine.evaluate(LOOK)[2:4], "a wrong field has another frame"
    assert page.locator(f"[id='{wrong.get_attribute('aria-describedby')}']").inner_text().strip(), "and says why"
    box = page.locator("main input[type=checkbox]:visible").first
    ticked = box.screenshot()
    box.set_checked(not box.is_checked())
    assert box.screenshot() != ticked, "a tick is seen"

    watched.open(f"/document/{MADE['over']}")
    colours = page.evaluate("""() => { const out = []; for (const [tag, off] of [["button", false], ["button", true]]) {
      const e = document.createElement(tag); e.className = "btn"; e.disabled = off; e.textContent = "x"; document.querySelector("main").append(e);
      out.push(getComputedStyle(e).color); } return out; }""")
    assert colours[0] != colours[1], "what is not to be had is grey as the system has it"


@pytest.mark.screen("C69")
@pytest.mark.parametrize("chosen", ["dark", "light"])
def test_no_flash_of_another_theme_at_load(watched: Watched, chosen: Literal["dark", "light"]) -> None:
    """From the first frame on, also where the system has the other theme and the style sheet is slow. Planted: without the script in the head, another one."""
    page = watched.page
    page.emulate_media(color_scheme="light" if chosen == "dark" else "dark")
    page.evaluate("(theme) => localStorage.setItem('newel.theme', theme)", chosen)
    page.add_init_script("""globalThis.frames_drawn = []; const drawn = () => { if (document.body) {
      const back = getComputedStyle(document.body).backgroundColor.match(/[\\d.]+/g).slice(0, 3).map(Number);
      frames_drawn.push([document.documentElement.dataset.bsTheme ?? "", back.every((n) => n < 128) ? "dark" : "light"]); }
      requestAnimationFrame(drawn); }; requestAnimationFrame(drawn);""")
    page.route("**/newel.css*", lambda route: (page.wait_for_timeout(150), route.continue_())[1])
    for path in ("/", "/documents/sales.order/new"):
        page.goto(watched.site.url + path)
        page.wait_for_function("frames_drawn.length > 0")
        assert {tuple(one) for one in page.evaluate("frames_drawn")} == {(chosen, chosen)}, path
    planted = page.context.new_page()
    planted.emulate_media(color_scheme="light" if chosen == "dark" else "dark")
    planted.route(
        "**/documents/sales.order",
        lambda route: route.fulfill(body=re.sub(r"<script nonce[\s\S]*?</script>", "", route.fetch().text(), count=1), content_type="text/html"),
    )
    planted.goto(f"{watched.site.url}/documents/sales.order")
    assert planted.evaluate("document.documentElement.dataset.bsTheme ?? ''") != chosen
    planted.close()


@pytest.mark.screen("C70")
@pytest.mark.parametrize("watched", [{"viewport": {"width": 1366, "height": 768}}], indirect=True)
def test_twelve_lines_of_an_order_on_a_small_laptop(watched: Watched) -> None:
    """Compact, with the header folded; roomy rows are taller, and what one chose stays."""
    page = watched.open(f"/document/{MADE['draft']}/edit")
    page.locator("#document-form summary", has_text="Header").click()
    seen = """() => { const bar = document.querySelector(".n-bar").getBoundingClientRect().top;
      const places = [...document.querySelectorAll("[id^=lines-][id$=-item]")].map(e => e.getBoundingClientRect());
      return places.filter(r => r.bottom <= bar && r.top >= 0).length; }"""
    compact = page.evaluate(seen)
    assert compact >= 12
    page.get_by_role("button", name="user menu").click()
    page.get_by_label("Roomy").check()
    page.reload()
    assert page.evaluate("document.documentElement.dataset.density") == "comfortable"
    page.locator("#document-form summary", has_text="Header").click()
    assert page.evaluate(seen) < compact


@pytest.mark.screen("C32")
def test_a_refusal_names_the_rule_the_limit_the_value_and_who_can_help(watched: Watched) -> None:
    """Somebody who sells can't confirm beyond the limit nor open the settings: both say what is lacking and whom to ask."""
    watched.expected = (403,)
    page: Any = watched.page
    page.context.clear_cookies()
    page.goto(f"{watched.site.url}/login")
    page.fill("[name=login]", "sal")
    page.fill("[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url(f"{watched.site.url}/")
    watched.open(f"/document/{MADE['over']}")
    confirm = page.locator(".n-action", has_text="Confirm").first
    expect(confirm.get_by_role("button")).to_be_disabled()
    confirm.locator("summary").click()
    for said in ("limit 100", "this document 714", "raise the limit", "Who can help: Ada Admin"):
        expect(confirm).to_contain_text(said)
    watched.open("/settings")
    main = page.locator("main")
    for said in ("this needs the permission 'newel.admin'", "Rule", "Who can help", "Ada Admin"):
        expect(main).to_contain_text(said)


@pytest.mark.screen("C2")
def test_c2_the_palette_finds_orders(watched: Any) -> None:
    """By the whole number and the count in it, by the customer's reference, and by the customer's name with a slip in it."""
    page = watched.open("/records/newel.item")
    number = page.evaluate("async (id) => (await (await fetch(`/api/document/${id}`)).json()).number", MADE["over"])
    for text in (number, number.rpartition("-")[2], "OFFER 77", "Other Ltd", "Otjer Ltd", "Othr"):
        page.keyboard.press("Control+k")
        page.keyboard.press("Control+a")
        page.keyboard.type(text)
        expect(page.get_by_role("option").filter(has_text=number)).to_have_count(1)
        page.keyboard.press("Escape")
