"""The forum in a real browser: asked, answered, accepted, reported and hidden; on a phone, in the dark and without scripts."""

from __future__ import annotations

import msgspec
import pytest
from newel_forum import answer
from newel_sdk.site import DESKTOP, PHONE, Site, Watched, fits
from playwright.sync_api import expect

pytestmark = pytest.mark.plugins("forum", "knowledge")
HOSTILE = "<script>canary()</script>\n\n[x](javascript:canary()) <img src=x onerror=canary()>\n\n![x](https://evil.test/p.png)\n\nThe *end*."


def _thread(site: Site, title: str, text: str, *answers: str) -> int:
    """A thread that somebody else has started, with answers."""
    kit = site.kit
    other = msgspec.structs.replace(kit.context, user=msgspec.structs.replace(kit.context.user, login="ben", name="Ben Baker"))
    board = site.ask(kit.record("forum.board", code=f"B{len(title)}", name="Repair points", about="Among repair points and us.", audience="partner"))
    thread = site.ask(answer.ask(kit.app, board, title, text, other))
    for one in answers:
        site.ask(answer.reply(kit.app, thread, one, other))
    return thread


@pytest.mark.parametrize("screen", [{"viewport": DESKTOP}, {"viewport": PHONE}], ids=["desktop", "phone"], indirect=True)
def test_a_question_is_asked_answered_and_accepted(screen: Watched) -> None:
    """Articles that may help come while the title is typed; the thread is found by search; the answer is marked."""
    site = screen.site
    site.ask(site.kit.record("forum.board", code="SHOP", name="Workshop", about="What we ask each other."))
    page = screen.open("/forum")
    page.click("text=Workshop")
    page.click("text=New thread")
    page.fill("#title", "Which oil for oak treads?")
    page.fill("#text", "They are **untreated**.")
    page.wait_for_selector("#preview strong")
    fits(page)
    page.click("button[value=save]")
    page.wait_for_selector("article")
    page.fill("textarea[name=text]", "Linseed oil, twice.")
    page.click("button:has-text('Answer')")
    page.wait_for_selector("text=Linseed oil, twice.")
    page.click("button:has-text('This is the answer')")
    page.wait_for_selector("article[data-accepted]")
    expect(page.locator("a:has-text('Make an article of it')")).to_have_count(1)
    fits(page)
    screen.open("/forum?q=linseed")
    assert page.locator("mark").inner_text() == "Linseed"
    fits(page)


@pytest.mark.parametrize("screen", [{"viewport": PHONE}, {"viewport": DESKTOP, "color_scheme": "dark"}], ids=["phone", "dark"], indirect=True)
def test_a_post_is_hidden_with_a_reason(screen: Watched) -> None:
    """From the thread, by somebody who keeps order; what it said stays for them."""
    thread = _thread(screen.site, "Which oil?", "For oak.", "Sunflower oil.", "Linseed.")
    page = screen.open(f"/forum/threads/{thread}")
    post = page.locator("article", has_text="Sunflower")
    post.locator("summary").click()
    post.locator("input[name=reason]").fill("It goes rancid")
    post.locator("button:has-text('Hide it')").click()
    page.wait_for_selector("text=Hidden by a moderator: It goes rancid")
    expect(page.locator("text=Sunflower")).to_have_count(1)
    fits(page)
    assert screen.open("/forum/reports").locator("text=Nothing is reported").count() == 1


def test_hostile_posts_are_harmless(screen: Watched) -> None:
    """Neither in the thread nor in what a search shows."""
    screen.page.add_init_script("window.sung = []; window.canary = () => window.sung.push(location.href)")
    thread = _thread(screen.site, "Hostile <script>canary()</script>", HOSTILE, HOSTILE)
    page = screen.open(f"/forum/threads/{thread}")
    assert page.locator("article em").count() == 2
    assert page.locator("article .n-prose :is(script, [onerror], [href^=javascript])").count() == 0
    screen.open("/forum?q=canary")
    assert page.locator("mark").count() > 0
    assert page.evaluate("window.sung") == []


@pytest.mark.parametrize("screen", [{"viewport": DESKTOP, "java_script_enabled": False}], ids=["no scripts"], indirect=True)
def test_without_scripts_everything_works(screen: Watched) -> None:
    """Asking with a preview, answering, following."""
    site = screen.site
    board = site.ask(site.kit.record("forum.board", code="SHOP", name="Workshop"))
    page = screen.open(f"/forum/boards/{board}/new")
    page.fill("#title", "Which oil?")
    page.fill("#text", "For **oak**.")
    page.click("button[value=preview]")
    expect(page.locator("#preview strong")).to_have_text("oak")
    page.click("button[value=save]")
    page.fill("textarea[name=text]", "Nobody?")
    page.click("button:has-text('Answer')")
    page.click("button:has-text('Stop following')")
    expect(page.get_by_role("button", name="Follow", exact=True)).to_have_count(1)
    expect(page.locator("article")).to_have_count(2)
