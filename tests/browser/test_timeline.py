"""What others do while a page is open, and what has happened before: stock, comments, mails, the document as it was."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP
from axe_playwright_python.sync_playwright import Axe
from msgspec.structs import replace
from newel.domain.context import Context
from newel.domain.document import LinkInput
from newel.jobs.worker import Worker
from newel.services.administration import save_settings
from newel.services.app import Newel
from newel.store.tables_document import DocumentEvent
from newel_live.work import EVERY
from newel_mail.send import install_defaults
from newel_mail.take import take
from newel_prints.keep import as_file
from newel_sdk.site import DESKTOP, PHONE, fits, window
from newel_sdk.testing import DocumentInput, LineInput
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PLUGINS, Site, served
from tests.browser.entry import choose, focus, order, shelf, sixty

MORE = ("dual_control", "glance", "live", "mail", "prints", "timeline")


class Inbox:
    """The customer's mail server."""

    def __init__(self) -> None:
        self.got: list[EmailMessage] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd calls it
        self.got.append(message_from_bytes(envelope.content, policy=default))
        return "250 OK"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Give a server with goods, and clerks for each language."""

    async def more(newel: Newel, context: Context) -> None:
        await shelf(newel, context)
        site.loop, site.inbox = asyncio.get_running_loop(), Inbox()
        site.smtp = await site.loop.create_server(lambda: SMTP(site.inbox, hostname="mail.example", loop=site.loop), "127.0.0.1", 0)
        port = site.smtp.sockets[0].getsockname()[1]
        values = {"enabled": True, "host": "127.0.0.1", "port": port, "starttls": False, "sender": "sales@newel.example"}
        await save_settings(newel, "mail", values, context)
        await save_settings(newel, "dual_control", {"price_percent": "80"}, context)
        async with newel.database.read() as session:
            site.context = await newel.context(session, context.user, context.company.id)
        await install_defaults(newel, site.context)
        customer = await newel.records.find("newel.party", "C-1", context)
        await newel.records.save("newel.party", customer, {"email": "buyer@miller.example", "language": "de"}, context)

    site: Any = Site(tmp_path_factory.mktemp("site"), (*PLUGINS, *MORE), more)
    for running in served(site):
        yield running
        site.loop.call_soon_threadsafe(site.smtp.close)


def asked(site: Any, question: Coroutine[Any, Any, Any]) -> Any:
    """Do something where the server runs, as somebody else would."""
    return asyncio.run_coroutine_threadsafe(question, site.loop).result(60)


def now(site: Any) -> Context:
    """The administrator, at this moment."""
    return replace(site.context, now=datetime.now(UTC))


def sold(site: Any, item: str, quantity: int) -> Any:
    """Somebody else sells it, and it is theirs."""
    lines = (LineInput(item=item, quantity=Decimal(quantity)),)
    entered = DocumentInput(party="C-3", lines=lines)
    return asked(site, site.newel.documents.create("sales.order", entered, now(site), then=("confirm",))).document


@pytest.mark.screen("C27")
def test_c27_stock_that_somebody_else_takes(watched: Any, site: Any) -> None:
    """The row says so by itself, what is free is shown anew, and what is being typed stays as it is, with the cursor in it."""
    assert EVERY < 5  # seconds between two looks at what others did
    page = order(watched)
    choose(page, "I-5")
    page.fill("#lines-0-quantity", "4")
    box = page.locator("#lines-0-more")
    expect(box).to_contain_text("Free 100 EA", use_inner_text=True)
    page.focus("#reference")
    page.keyboard.type("half a ref")
    expect(page.locator("html")).to_have_attribute("data-live", re.compile("live.item"))
    sold(site, "I-5", 1)
    expect(page.locator("tr", has=page.locator("#lines-0-item")).locator(".lv-note")).to_contain_text("Stock has just changed")
    expect(box).to_contain_text("Free 99 EA", use_inner_text=True)
    assert (page.input_value("#reference"), focus(page), page.input_value("#lines-0-quantity")) == ("half a ref", "reference", "4")
    page.keyboard.type("erence")
    assert page.input_value("#reference") == "half a reference"
    assert watched.complaints == []


@pytest.mark.screen("C30")
def test_c30_a_price_by_hand_says_who_when_why_and_what_was(watched: Any) -> None:
    """While it is typed, and afterwards on the page of the order; below the limit it says whose approval it needs."""
    page = order(watched)
    choose(page, "I-5")
    page.fill("#lines-0-price", "40")
    box = page.locator("#lines-0-more")
    for text in ("By admin", "Instead of 60.00 EUR", "somebody else has to approve it"):
        expect(box).to_contain_text(text, use_inner_text=True)
    box.get_by_label("Reason").fill("Scratched")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(re.compile(r"/document/\d+$"))
    said = page.locator(".n-line-panel", has_text="Price by hand")
    today = page.evaluate("() => new Date().toLocaleDateString('en-US', {dateStyle: 'medium'})")
    for text in ("By\nadmin", today, "60.00", "Scratched", "somebody else"):
        expect(said).to_contain_text(text, use_inner_text=True)
    page.goto(f"{page.url}/edit")
    page.fill("#lines-0-price", "50")
    expect(box).to_contain_text("Instead of 40.00 EUR", use_inner_text=True)
    expect(box).not_to_contain_text("somebody else")
    assert watched.complaints == []


def history(page: Page, name: str = "History") -> Any:
    """The timeline of the page in sight."""
    page.get_by_role("tab", name=name).click()
    return page.locator("timeline-box")


def followed(site: Any, id: int, flow: str, transition: str, **more: Any) -> Any:
    return asked(site, site.newel.documents.follow(id, flow, now(site), then=(transition,), **more)).document


@pytest.mark.screen("C41")
def test_c41_the_flow_from_the_quotation_to_the_payment(watched: Any, site: Any) -> None:
    """Every document with its quantity, its amount and what is open of it, also in a table; each opens by Enter."""
    do, lines = site.newel.documents, (LineInput(item="I-1", quantity=Decimal(6)),)
    quotation = asked(site, do.create("sales.quotation", DocumentInput(party="C-1", lines=lines), now(site), then=("send",))).document
    sale = followed(site, quotation.id, "order", "confirm")
    first = followed(site, sale.id, "deliver", "ship", lines=[LinkInput(line=sale.lines[0].id, quantity=Decimal(2))])
    followed(site, sale.id, "deliver", "ship")
    bill = followed(site, first.id, "invoice_delivery", "post")
    followed(site, first.id, "return", "receive", lines=[LinkInput(line=first.lines[0].id, quantity=Decimal(1))])
    owed = asked(site, _owed(site, bill.id))
    paid = DocumentInput(party="C-1", lines=(LineInput(kind="payment", price=Decimal(10), settles=owed),))
    asked(site, do.create("receivables.payment", paid, now(site), then=("post",)))
    page = watched.open(f"/document/{sale.id}")
    nodes, rows = page.locator(".n-flow .n-node"), page.locator("#flow tbody tr")
    expect(nodes).to_have_count(7)
    for kind, *said in (
        ("Quotation", "6 EA", "142.80"), ("Delivery", "2 EA"), ("Delivery", "4 EA"), ("Invoice", "2 EA", "47.60", "37.60"), ("Payment", "10.00"),
        ("Return", "1 EA"),
    ):  # fmt: skip
        for place in (nodes, rows):
            found = place.filter(has_text=kind)
            assert any(all(text in told.replace("\xa0", " ") for text in said) for told in found.all_inner_texts()), (kind, said, found.all_inner_texts())
    page.locator(".n-flow a.n-node", has_text="Invoice").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/document/{bill.id}")
    assert watched.complaints == []


async def _owed(site: Any, document: int) -> int:
    async with site.newel.database.read() as session:
        found: int = await session.value("SELECT id FROM open_item WHERE document = ?", document)
        return found


@pytest.mark.screen("C42")
def test_c42_a_flow_of_sixty_documents(watched: Any, site: Any) -> None:
    """All of it is in sight without scrolling sideways, and it is printed. How long it takes to be drawn: tests/benchmarks/bench_entry.py."""
    page = watched.open(f"/document/{asked(site, sixty(site.newel, now(site)))}")
    expect(page.locator(".n-flow .n-node")).to_have_count(60)
    fits(page)
    page.emulate_media(media="print")
    assert all(page.locator(".n-flow .n-node").nth(i).is_visible() for i in range(60))
    page.emulate_media()
    assert watched.complaints == []


@pytest.mark.screen("C43")
def test_c43_a_thousand_entries_in_pages(watched: Any, site: Any) -> None:
    """Changes old to new by whom, a mail that failed, a print, what the worker had to do; older ones on demand; narrowed to a kind and to a person."""
    sale = sold(site, "I-2", 1)
    asked(site, Worker(site.newel).once())
    asked(site, as_file(site.newel, sale.id, now(site)))

    async def busy() -> None:
        async with site.newel.database.write() as session:
            await session.need(1000)
            for i in range(1000):
                user = "robot" if i % 2 else "ada"
                at = now(site).now - timedelta(days=2, minutes=i)
                changes = f'[{{"field": "reference", "old": "{i}", "new": "{i + 1}"}}]'
                session.add(DocumentEvent, document=sale.id, at=at, user=user, source="edi", action="change", changes=changes)

    asked(site, busy())
    page = watched.open(f"/document/{sale.id}")
    box = history(page)
    entries = box.locator("ol > li")
    expect(entries).to_have_count(30)
    expect(entries.filter(has_text="Job of E-mail after “Confirm”")).to_have_count(1)
    expect(entries.filter(has_text="Printed")).to_have_count(1)
    expect(entries.filter(has_text="E-mail to")).to_contain_text("Failed")
    expect(entries.filter(has_text="Reference: 0 → 1")).to_have_count(1)
    expect(entries.filter(has_text="by edi").first).to_be_visible()
    for count in (60, 90):
        box.get_by_role("link", name="Older entries").dblclick()  # pressed twice, they come once
        expect(entries).to_have_count(count)
    slow = watched.hold("**/timeline/of/**who=ada*")
    box.get_by_label("by", exact=True).select_option("ada")
    late = slow(1)
    box.get_by_label("by", exact=True).select_option("robot")  # the answer that comes late does not replace this one
    expect(entries.filter(has_text="robot")).to_have_count(30)
    late.continue_()
    watched.settled()
    expect(entries).to_have_count(30)
    assert all("robot" in text for text in entries.all_inner_texts())
    box.get_by_label("by", exact=True).select_option("")
    box.get_by_label("Show", exact=True).select_option("job")
    expect(entries).to_have_count(1)
    assert watched.complaints == []


@pytest.mark.screen("C44")
def test_c44_a_mail_from_the_page_and_its_answer(watched: Any, site: Any) -> None:
    """In the customer's language, with the document as a file, through a real server; the answer stands on the timeline."""
    entered = DocumentInput(party="C-1", lines=(LineInput(item="I-2", quantity=Decimal(1)),))
    sale = asked(site, site.newel.documents.create("sales.order", entered, now(site), then=("confirm",))).document
    page = watched.open(f"/document/{sale.id}")
    page.get_by_role("link", name="buyer@miller.example").click()
    assert page.input_value("#subject") == f"Auftragsbestätigung {sale.number}"
    page.fill("#text", "Wir liefern am Montag.")
    page.get_by_role("button", name="Send").click()
    page.wait_for_url(f"**/document/{sale.id}")
    expect(page.locator(".n-flash")).to_contain_text("on its way")
    site.inbox.got.clear()
    asked(site, Worker(site.newel).once())
    mail = next(m for m in site.inbox.got if m.is_multipart())
    text, paper = mail.iter_parts()
    assert text.get_content().strip() == "Wir liefern am Montag."
    assert sale.number in paper.get_filename()
    assert paper.get_content_type() in ("application/pdf", "text/html")
    back = EmailMessage()
    back["From"], back["Subject"], back["In-Reply-To"], back["Message-ID"] = "buyer@miller.example", f"Re: {mail['Subject']}", mail["Message-ID"], "<1@miller>"
    back.set_content("Montag passt.")
    asked(site, take(site.newel, back.as_bytes(), now(site)))
    page = watched.open(f"/document/{sale.id}")
    entries = history(page).locator("ol > li[data-kind=mail]")
    expect(entries.first).to_contain_text("E-mail from buyer@miller.example: Re: ")
    expect(entries.first).to_contain_text("Montag passt.")
    expect(entries.filter(has_text="Wir liefern am Montag.")).to_contain_text("Answered")
    assert watched.complaints == []


@pytest.mark.screen("C45")
def test_c45_a_mention_notifies(chromium: Browser, watched: Any, site: Any) -> None:
    """Who may see the order is offered after the @; the other one's bell counts within seconds, and leads to the very entry."""
    sale = sold(site, "I-2", 1)
    page = watched.open(f"/document/{sale.id}")
    text = history(page).get_by_role("textbox", name="Comment")
    text.press_sequentially("Please call them, @clerk-e", delay=20)
    expect(page.locator(".tl-people [role=option]")).to_have_count(1)
    page.keyboard.press("Enter")
    assert text.input_value() == "Please call them, @clerk-en "
    with window(chromium, site, "clerk-en") as theirs:
        there = theirs.page
        expect(there.locator("html")).to_have_attribute("data-live", re.compile("timeline.notices"))
        page.get_by_role("button", name="Comment").click()
        page.wait_for_url(re.compile(r"#timeline-\d+$"))
        expect(there.locator(".tl-bell .n-count")).to_have_text("1")
        there.locator(".tl-bell").click()
        there.get_by_role("button", name=re.compile("Please call them")).click()
        there.wait_for_url(re.compile(rf"/document/{sale.id}#timeline-\d+$"))
        entry = there.locator("li[data-here]")
        expect(entry).to_contain_text("Please call them, @clerk-en")
        expect(entry).to_be_focused()
        expect(entry).to_be_in_viewport()
        expect(there.locator(".tl-bell")).to_be_visible()
        expect(there.locator(".tl-bell .n-count")).to_have_count(0)
    assert watched.complaints == []


@pytest.mark.screen("C46")
def test_c46_the_document_as_it_was(watched: Any, site: Any) -> None:
    """Three frames yesterday, five today: the day chooses."""
    entered = DocumentInput(party="C-1", reference="first", lines=(LineInput(item="I-0", quantity=Decimal(3)),))
    made = asked(site, site.newel.documents.create("sales.order", entered, now(site))).document
    yesterday = now(site).now.date() - timedelta(days=1)

    async def aged() -> None:
        async with site.newel.database.write() as session:
            await session.fetch("UPDATE document SET created_at = ? WHERE id = ?", now(site).now - timedelta(days=1), made.id)
            await session.fetch("UPDATE document_event SET at = ? WHERE document = ?", now(site).now - timedelta(days=1), made.id)

    asked(site, aged())
    lines = (LineInput(id=made.lines[0].id, item="I-0", quantity=Decimal(5)), LineInput(item="I-1", quantity=Decimal(1)))
    asked(site, site.newel.documents.update(made.id, made.version, DocumentInput(party="C-1", reference="second", lines=lines), now(site)))
    page = watched.open(f"/document/{made.id}")
    box = history(page)
    box.get_by_label("As of").fill(yesterday.isoformat())
    box.get_by_role("button", name="Show the document then").click()
    page.wait_for_url("**/timeline/then/**")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody tr")).to_contain_text("30.00")
    expect(page.locator("main")).to_contain_text("first")
    page.locator("#day").fill((yesterday - timedelta(days=1)).isoformat())
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("main")).to_contain_text("It did not exist yet")
    assert watched.complaints == []


def test_the_pages_are_for_everybody(chromium: Browser, watched: Any, site: Any) -> None:
    """No violation on desk and phone, light and dark: timeline, notices, the document as it was, a mail."""
    sale = sold(site, "I-2", 1)
    asked(site, site.newel.records.save("newel.party", sale.party.id, {"email": "dollar@inc.example"}, now(site)))
    looks: tuple[dict[str, Any], ...] = ({"viewport": DESKTOP, "color_scheme": "light"}, {"viewport": PHONE, "color_scheme": "dark"})
    for options in looks:
        with window(chromium, site, "clerk-de", expected=(403,), **options) as theirs:
            page = theirs.open(f"/document/{sale.id}")
            history(page, "Verlauf").get_by_role("textbox", name="Kommentar").fill("@")
            expect(page.locator(".tl-people [role=option]").first).to_be_visible()
            clean(page)
            page.keyboard.press("Escape")
            page.locator(".tl-bell").click()
            clean(page)
            for path in ("/timeline/notices", f"/timeline/then/{sale.id}"):
                clean(theirs.open(path))
                fits(page)
    clean(watched.open(f"/mail/of/{sale.id}"))
    assert watched.complaints == []


def clean(page: Page) -> None:
    """Nothing that a machine can find wrong with it."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
