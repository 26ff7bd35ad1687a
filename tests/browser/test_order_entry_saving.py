"""Nothing is lost and nothing is doubled: drafts, the connection, the session, somebody else, a double click."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from newel_sdk.kit import LOGIN, PASSWORD
from newel_sdk.servers import PATIENCE
from newel_sdk.site import window
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import DESKTOP, PLUGINS, Site, served
from tests.browser.entry import NEW, choose, focus, order, shelf

DOCUMENT = re.compile(r"/document/\d+$")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Give a server that keeps drafts."""
    yield from served(Site(tmp_path_factory.mktemp("site"), (*PLUGINS, "drafts"), shelf))


def saved(page: Page) -> str:
    """Save, and the address of the document."""
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(DOCUMENT)
    return page.url


def count(watched: Any, text: str) -> int:
    """How many orders have this reference."""
    page = watched.open(f"/documents/sales.order?q={text}")
    found: int = page.locator("tbody tr[data-href]").count()
    return found


@pytest.mark.screen("C33", "C39")
def test_c33_a_draft_survives_the_browser(watched: Any, chromium: Browser, site: Site) -> None:
    """Half a second after the last key it is on the server; another browser offers it, cursor included. Leaving asks nothing."""
    page = order(watched)
    choose(page, "I-2")
    page.fill("#reference", "half done")
    page.focus("#lines-0-quantity")
    page.keyboard.type("17")
    watched.settled()
    expect(page.locator("#draft-kept")).to_be_visible()
    page.goto(f"{site.url}/")  # no question
    with window(chromium, site, viewport=DESKTOP) as theirs:
        other = theirs.open(NEW)
        asked: list[str] = []
        other.on("request", lambda r: asked.append(r.url) if "/api/drafts/kept/" in r.url else None)
        other.locator(".n-drafts li", has_text="C-1 Miller Ltd").get_by_role("button", name="Go on").dblclick()
        expect(other.locator("#lines-0-item")).to_have_value("I-2")
        expect(other.locator("#lines-0-quantity")).to_have_value("17")
        expect(other.locator("#reference")).to_have_value("half done")
        expect(other.locator("#lines-0-net")).to_have_text("510.00")
        assert focus(other) == "lines-0-quantity"
        assert len(asked) == 1, "pressed twice, it comes once"
        saved(other)
        other.goto(f"{site.url}/drafts/")
        expect(other.locator("main")).not_to_contain_text("Miller Ltd")  # what is saved is no draft
    assert count(watched, "half+done") == 1


@pytest.mark.screen("C33")
def test_c33_the_newest_draft_stays(watched: Any) -> None:
    """Over a slow line one is sent after the other: an older one that comes late replaces nothing."""
    page = order(watched)
    watched.settled()
    asked = watched.hold("**/api/drafts/kept")
    page.fill("#reference", "older")
    older = asked(1)
    page.fill("#reference", "newer")
    page.wait_for_timeout(1200)  # for whoever would send it beside the other one
    older.continue_()
    watched.settled()
    kept = f"{watched.site.url}/api/drafts/kept"
    drafts = page.request.get(f"{kept}?place={NEW}").json()["drafts"]
    assert ["reference", "newer"] in page.request.get(f"{kept}/{drafts[0]['key']}").json()["fields"]


@pytest.mark.screen("C39")
def test_c39_leaving_before_the_draft_is_kept_asks(watched: Any) -> None:
    """Nothing goes unasked as long as the server does not have it."""
    page = order(watched)
    page.route("**/api/drafts/**", lambda route: route.abort())
    watched.expected = (0,)
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.keyboard.type("I-1")
    page.goto(f"{watched.site.url}/")
    assert asked == ["beforeunload"]
    watched.complaints[:] = [c for c in watched.complaints if "ERR_FAILED" not in c]


@pytest.mark.screen("C34")
def test_c34_all_problems_at_once_with_links(watched: Any) -> None:
    """422; everything is kept, the cursor stands in the first wrong field, each problem leads to its own."""
    watched.expected = (422,)
    page = order(watched)
    page.fill("#reference", "wrong")
    page.fill("#lines-0-item", "I-0")
    page.fill("#lines-0-quantity", "1.2.3")
    page.fill("#lines-1-item", "NOPE")
    with page.expect_response(lambda r: r.request.method == "POST" and r.url.endswith("/new")) as answer:
        page.get_by_role("button", name="Save", exact=True).click()
    assert answer.value.status == 422
    expect(page.locator("#lines-1-item-error")).to_contain_text("NOPE")
    expect(page.locator("#lines-0-quantity:focus, #lines-1-item:focus")).to_have_count(1)
    for field in ("lines-0-quantity", "lines-1-item"):
        page.locator(f"#preview-problems a[href='#{field}']").click()
        assert focus(page) == field
        expect(page.locator(f"#{field}")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#reference")).to_have_value("wrong")
    expect(page.locator("#lines-0-quantity")).to_have_value("1.2.3")


@pytest.mark.screen("C35")
def test_c35_two_people_change_one_order(watched: Any, chromium: Browser, site: Site) -> None:
    """What only the other one changed is taken over; where both did, the second one chooses. Nothing goes silently."""
    page = order(watched)
    choose(page, "I-1")
    page.fill("#lines-0-quantity", "2")
    page.fill("#reference", "first")
    document = saved(page)
    page.goto(f"{document}/edit")
    page.wait_for_load_state("networkidle")

    context = chromium.new_context(viewport=DESKTOP, storage_state=page.context.storage_state())
    context.set_default_timeout(PATIENCE)
    other = context.new_page()
    other.goto(f"{document}/edit")
    other.wait_for_load_state("networkidle")
    other.fill("#lines-0-quantity", "5")
    other.fill("#lines-0-discount", "10")
    other.fill("#reference", "theirs")
    saved(other)
    context.close()

    page.fill("#lines-0-quantity", "8")
    page.fill("#reference", "mine")
    page.get_by_role("button", name="Save", exact=True).click()
    dialog = page.locator("dialog")
    rows = dialog.locator("tbody tr")
    expect(rows).to_have_count(3)
    quantity = rows.filter(has_text="Quantity, line 1")
    expect(quantity).to_contain_text("2")
    expect(quantity).to_contain_text("5")
    expect(quantity).to_contain_text("8")
    rows.filter(has_text="Reference").get_by_text("theirs").click()
    dialog.get_by_role("button", name="Save with these").click()
    page.wait_for_url(DOCUMENT)
    expect(page.locator("main")).to_contain_text("theirs")
    row = page.locator("tr[id^=line-]")
    expect(row).to_contain_text("8")
    expect(row).to_contain_text("10 %")
    expect(row).to_contain_text("144.00")


def test_who_is_quicker_than_the_scripts(watched: Any) -> None:
    """Over a slow line one types and presses before they are there: what was typed counts, and what must be asked is asked."""
    page = order(watched)
    choose(page, "I-1")
    document = saved(page)
    script = watched.hold("**/newel.js*")
    page.goto(f"{document}/edit", wait_until="commit")
    page.fill("#lines-0-item", "I-2")
    script(1).continue_()
    expect(page.locator("#lines-0-net")).to_have_text("30.00")
    saved(page)
    expect(page.locator("tr[id^=line-]")).to_contain_text("Chain")
    script = watched.hold("**/newel.js*")
    page.goto(document, wait_until="commit")
    with page.expect_event("dialog") as asked:
        page.once("dialog", lambda dialog: dialog.dismiss())
        page.locator("form[data-confirm] button").first.click()
    assert asked.value.type == "confirm"
    script(1).continue_()
    expect(page.locator(".n-doc-head .n-badge")).to_have_text("Draft")


@pytest.mark.screen("C36")
def test_c36_a_double_click_saves_once(watched: Any) -> None:
    """Two clicks, and Enter held down: one order."""
    page = order(watched)
    choose(page, "I-1")
    page.fill("#reference", "doubly")
    page.get_by_role("button", name="Save", exact=True).dblclick()
    page.wait_for_url(DOCUMENT)
    assert count(watched, "doubly") == 1


@pytest.mark.screen("C37")
def test_c37_without_a_connection(watched: Any) -> None:
    """A line on top says so, typing goes on, and what was to be saved is saved when the connection is back: once."""
    page = order(watched)
    choose(page, "I-3")
    page.fill("#reference", "tunnel")
    watched.settled()
    page.context.set_offline(True)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".n-offline")).to_contain_text("saved as soon as it is back")
    page.fill("#lines-0-quantity", "3")
    page.wait_for_timeout(2500)
    page.context.set_offline(False)
    page.wait_for_url(DOCUMENT)
    expect(page.locator("tr[id^=line-]")).to_contain_text("120.00")
    watched.complaints[:] = [c for c in watched.complaints if "net::ERR_" not in c]
    assert count(watched, "tunnel") == 1


@pytest.mark.screen("C38")
def test_c38_the_session_ends_in_the_middle(watched: Any) -> None:
    """Log in again in a dialog: what was entered is still there, and is saved."""
    watched.expected = (401,)
    page = order(watched)
    choose(page, "I-4")
    page.fill("#reference", "interrupted")
    watched.settled()
    page.context.clear_cookies()
    page.get_by_role("button", name="Save", exact=True).click()
    dialog = page.locator("dialog")
    expect(dialog).to_contain_text("Your session has ended")
    dialog.locator("[name=login]").fill(LOGIN)
    dialog.locator("[name=password]").fill("not this one")
    dialog.get_by_role("button", name="Log in").click()
    expect(dialog.locator("[role=alert]")).not_to_be_empty()
    dialog.locator("[name=password]").fill(PASSWORD)
    dialog.get_by_role("button", name="Log in").click()
    page.wait_for_url(DOCUMENT)
    assert count(watched, "interrupted") == 1


@pytest.mark.screen("C38")
def test_c38_totals_that_are_asked_for_meanwhile_leave_the_login_alone(watched: Any) -> None:
    """What a script asks without a session is sent to the form to log in; the one in the dialog still holds."""
    watched.expected = (401,)
    page = order(watched)
    page.context.clear_cookies()
    ask = "async (url) => (await fetch(url, { method: 'POST', body: new URLSearchParams(), headers: { 'x-csrftoken': 'ended' } })).url"
    assert page.evaluate(ask, page.locator("form[data-preview-url]").get_attribute("data-preview-url")).endswith("/login?next=/")
    assert page.context.cookies() == []


@pytest.mark.screen("C40")
def test_c40_a_fault_of_ours_has_a_number_and_costs_nothing(watched: Any, caplog: pytest.LogCaptureFixture) -> None:
    """The page shows the reference that stands in the log; going back, the input is there."""
    watched.expected = (500,)
    page = order(watched)
    choose(page, "I-0")
    page.fill("#reference", "broken")
    watched.settled()
    expect(page.locator("#draft-kept")).to_be_visible()
    documents = watched.site.newel.documents
    whole = documents.create
    try:
        documents.create = None
        page.get_by_role("button", name="Save", exact=True).click()
        reference = page.locator(".n-reference").inner_text()
    finally:
        documents.create = whole
    assert reference in caplog.text
    page.go_back()
    page.locator(".n-drafts li").first.get_by_role("button", name="Go on").click()
    expect(page.locator("#reference")).to_have_value("broken")
    expect(page.locator("#lines-0-item")).to_have_value("I-0")


def test_what_the_next_step_would_do(watched: Any) -> None:
    """Before anything is confirmed the screen says what would be moved, made and posted."""
    page = watched.open("/documents/inventory.receipt/new")
    page.fill("#lines-0-item", "I-0")
    page.fill("#lines-0-quantity", "5")
    side = page.locator("#preview-side")
    expect(side).to_contain_text("would do")
    expect(side).to_contain_text("I-0")
    expect(side).to_contain_text("would post")
