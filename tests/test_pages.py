"""The pages for people, asked for without a browser: on both databases, with rights and without, with good entries and bad ones."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from newel.domain.document import DocumentInput, LineInput
from newel.jobs.worker import Worker, enqueue
from newel.manifest import Job
from newel.plugins import discover
from newel.web import pages_lists
from newel.web.forms import Wrong, decimal
from newel.web.printing import pdf
from newel.web.render import Templates
from newel.web.views_list import SIZE, csv_cell

from tests.web import PASSWORD, Web, serving


@pytest.fixture
async def web(database_url: str) -> AsyncIterator[Web]:
    """Give an install of all plugins with an order that has been delivered, invoiced and paid in part."""
    async with serving(database_url) as web:
        documents, context = web.newel.documents, web.context
        lines = tuple(LineInput(item=i, quantity=Decimal(500), price=Decimal("0.05")) for i in ("BOLT", "NUT"))
        await documents.create("shop.receipt", DocumentInput(lines=lines), context, then=("receive",))
        order = DocumentInput(party="C1", reference="=1+1", lines=(LineInput(item="BOLT", quantity=Decimal(100)), LineInput(item="NUT", quantity=Decimal(50))))
        made = await documents.create("shop.order", order, context, then=("confirm",))
        delivery = await documents.follow(made.document.id, "deliver", context, then=("ship",))
        invoice = await documents.follow(made.document.id, "invoice", context, then=("post",))
        web.ids = {"order": made.document.id, "invoice": invoice.document.id, "delivery": delivery.document.id}  # type: ignore[attr-defined]
        yield web


async def test_every_page_answers(web: Any) -> None:
    """Each entry of the navigation, and what hangs on an order."""
    client, _csrf = await web.browser()
    start = (await client.get("/")).text
    paths = set(re.findall(r'<li><a href="(/[^"]*)"', start))
    assert len(paths) > 25
    order, invoice = web.ids["order"], web.ids["invoice"]
    paths |= {f"/document/{order}", f"/document/{invoice}", f"/document/{order}/print", "/documents/shop.order/new", "/documents/shop.payment/new"}
    paths |= {"/documents/shop.order?q=BOLT&from=2026-01-01&sort=-gross&state=done", "/documents/shop.order?format=csv", "/records/newel.item?sort=-name"}
    paths |= {"/search?q=C1", "/options/newel.item?q=b", "/options/newel.currency?code=1&q=E", "/options/documents?q=SO", "/account", "/records/newel.item/new"}
    paths |= {"/audit?q=confirmed&user=tester&from=2026-01-01&to=2026-12-31", "/jobs?state=failed", "/report/newel.journal?format=csv"}
    for path in sorted(paths):
        answer = await client.get(path)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:500]}"


async def test_the_books_balance_in_sight(web: Any) -> None:
    """The trial balance sums debits and credits to the same figure, and the invoice is an open item until it is paid."""
    client, csrf = await web.browser()
    text = (await client.get("/report/newel.trial_balance?format=csv")).text
    rows = list(csv.reader(io.StringIO(text)))[1:]
    debit, credit = (sum(Decimal(r[i]) for r in rows) for i in (3, 4))
    assert debit == credit > 0
    assert "C1" in (await client.get("/report/newel.open_items")).text
    page = (await client.get(f"/document/{web.ids['invoice']}")).text
    pay = re.search(r'href="(/documents/shop\.payment/new\?[^"]+)"', page)
    assert pay
    form = (await client.get(pay[1].replace("&amp;", "&"))).text
    field = re.search(r'name="(settle-\d+)" value="([\d.]+)"', form)
    assert field
    entered = {"_csrf_token": csrf, "party_text": "C1", "date": "2026-01-15", field[1]: field[2], "do": "post", "idempotency_key": "k1"}
    first = await client.post("/documents/shop.payment/new", data=entered)
    again = await client.post("/documents/shop.payment/new", data=entered)
    assert first.status_code == 303, first.text[-800:]
    assert first.headers["location"] == again.headers["location"]
    assert "Paid" in (await client.get(f"/document/{web.ids['invoice']}")).text
    rest = (await client.get("/report/newel.open_items")).text
    assert "C1" not in "".join(re.findall(r"<tbody>.*?</tbody>", rest, re.DOTALL)), "tokens of the page may have any two letters"


async def test_csv_stays_text(web: Any) -> None:
    """What a spreadsheet would compute is prefixed; numbers stay numbers."""
    client, _csrf = await web.browser()
    assert "'=1+1" in (await client.get("/documents/shop.order?format=csv")).text
    assert [csv_cell(v) for v in ("=x", "+x", "-x", "@x", Decimal("-1.50"), None, True)] == ["'=x", "'+x", "'-x", "'@x", "-1.5", "", "yes"]


async def test_rights_are_kept(web: Any) -> None:
    """Who may see nothing is told so; who may only look finds no way to change."""
    await web.user("looker", "shop.order.view")
    client, csrf = await web.browser("looker", PASSWORD)
    order = web.ids["order"]
    page = (await client.get(f"/document/{order}")).text
    assert 'href="/documents/shop.order"' in page
    assert "/edit" not in page
    assert 'href="/documents/shop.invoice"' not in page
    for path in ("/documents/shop.invoice", "/documents/shop.order/new", f"/document/{web.ids['invoice']}", "/settings", "/jobs", "/report/newel.journal"):
        assert (await client.get(path)).status_code == 403, path
    answer = await client.post(f"/document/{order}/act", data={"_csrf_token": csrf, "transition": "cancel"})
    assert answer.status_code in (403, 409)
    assert "BOLT" not in (await client.get("/search?q=BOLT", headers={"accept": "application/json"})).text


@pytest.mark.capability("DOC-24")
async def test_lines_by_cost_and_price_or_by_progress(web: Any) -> None:
    """Two ways to look at the lines: what they cost and earn, and how far they have come; costs only with the right to see them."""
    client, _csrf = await web.browser()
    order = f"/document/{web.ids['order']}"

    async def heads(who: Any, look: str) -> list[str]:
        page = (await who.get(f"{order}?lines={look}")).text
        assert f'href="{order}?lines=progress#lines"' in page
        return re.findall(r'<th scope="col"[^>]*>([^<]+)</th>', page.split('id="lines-title"')[1].split("</thead>")[0])

    both, prices, progress = [await heads(client, look) for look in ("", "prices", "progress")]
    assert {"Price", "Net", "Progress"} <= set(both) and "Cost" not in both
    assert {"Price", "Net", "Cost", "Profit"} <= set(prices) and "Progress" not in prices
    assert {"Quantity", "Progress", "Open"} <= set(progress) and "Price" not in progress
    await web.user("looker", "shop.order.view")
    looker, _csrf = await web.browser("looker", PASSWORD)
    assert set(await heads(looker, "prices")) == set(prices) - {"Cost", "Profit"}


async def test_wrong_entries_keep_what_was_typed(web: Any) -> None:
    """422, each problem at its field, everything still there; then a change by somebody else is not overwritten."""
    client, csrf = await web.browser()
    entered = {"_csrf_token": csrf, "party_text": "nobody", "reference": "mine", "lines-0-item_text": "BOLT", "lines-0-quantity": "1.234,5"}
    answer = await client.post("/documents/shop.order/new", data=entered)
    assert answer.status_code == 422
    assert 'value="1.234,5"' in answer.text
    assert 'href="#lines-0-quantity"' in answer.text
    assert 'value="mine"' in answer.text
    entered |= {"party_text": "C1", "lines-0-quantity": "2", "lines-1-item_text": "12x NUT -5%"}
    saved = await client.post("/documents/shop.order/new", data=entered)
    assert saved.status_code == 303, saved.text[-500:]
    page = (await client.get(saved.headers["location"])).text
    assert re.search(r"12 <span class=\"n-unit\">EA", page)
    edit = {"_csrf_token": csrf, "party_text": "C1", "version": "1", "reference": "first"}
    id_ = saved.headers["location"].rsplit("/", 1)[1]
    assert (await client.post(f"/document/{id_}/edit", data=edit)).status_code == 303
    late = await client.post(f"/document/{id_}/edit", data=edit | {"reference": "second"})
    assert late.status_code == 409
    assert 'value="second"' in late.text


async def test_records_are_made_changed_and_deleted(web: Any) -> None:
    """A form from the declaration, with what is wrong at its field, and a stale form refused."""
    client, csrf = await web.browser()
    token = {"_csrf_token": csrf}
    bad = await client.post("/records/newel.item/new", data=token | {"name": "No number"})
    assert bad.status_code == 422
    assert "No number" in bad.text
    values = {"number": "X1", "name": "X", "kind": "goods", "unit": "EA", "tax_category": "standard", "tracking": "none", "active": "true"}
    made = await client.post("/records/newel.item/new", data=token | values)
    assert made.status_code == 303, made.text[-800:]
    url = made.headers["location"]
    version = re.search(r'name="version" value="(\w+)"', (await client.get(url)).text)
    assert version
    changed = await client.post(url, data=token | values | {"name": "Y", "version": version[1]})
    assert changed.status_code == 303
    assert (await client.post(url, data=token | values | {"name": "Z", "version": version[1]})).status_code == 409
    assert (await client.post(f"{url}/delete", data=token)).status_code == 303
    assert (await client.get(url)).status_code == 404


def test_numbers_are_read_strictly() -> None:
    """In each language its own way, and never a guess."""
    assert decimal("1,234.50", "en") == decimal("1.234,50", "de") == Decimal("1234.50")
    assert decimal(".5", "en") == Decimal("0.5")
    for text, tag in (
        ("1.234,50", "en"),
        ("1,23", "en"),
        ("1,234.50", "de"),
        ("12,34,5", "en"),
        ("1e5", "en"),
        ("NaN", "en"),
        ("", "en"),
        ("--1", "en"),
        ("1 2", "en"),
    ):
        with pytest.raises(Wrong):
            decimal(text, tag)


async def test_paper_and_pdf(web: Any) -> None:
    """The same figures on paper; a delivery note without prices; nothing is fetched for a PDF."""
    client, _csrf = await web.browser()
    paper = (await client.get(f"/document/{web.ids['invoice']}/print")).text
    assert "17.00" in paper  # 100 * 0.12 + 50 * 0.10
    note = (await client.get(f"/document/{web.ids['delivery']}/print")).text
    assert "Bolt" in note
    assert "Price" not in note
    answer = await client.get(f"/document/{web.ids['invoice']}/pdf")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF")
    assert pdf('<img src="http://example.invalid/x.png"><p>x</p>').startswith(b"%PDF")


async def test_a_hold_waits_until_somebody_releases_it(web: Any) -> None:
    """The page shows why a document waits and who may release it; then it goes on, and the history knows."""
    client, csrf = await web.browser()
    entered = {"_csrf_token": csrf, "party_text": "C1", "text": "hold", "lines-0-item_text": "BOLT"}
    saved = await client.post("/documents/shop.order/new", data=entered)
    url = saved.headers["location"]
    page = (await client.get(url)).text
    hold = re.search(r'name="hold" value="(\d+)"', page)
    assert hold
    assert (await client.post(f"{url}/release", data={"_csrf_token": csrf, "hold": hold[1]})).status_code == 303
    page = (await client.get(url)).text
    assert "released by admin" in page
    assert "released a hold" in page


async def test_several_orders_make_one_invoice(web: Any) -> None:
    """Ticked in the list; what can't go together says why."""
    client, csrf = await web.browser()
    order = DocumentInput(party="C1", lines=(LineInput(item="BOLT", quantity=Decimal(1)),))
    made = [await web.newel.documents.create("shop.order", order, web.context, then=("confirm",)) for _ in range(2)]
    flow = re.search(r'name="flow" value="(shop\.invoice:[^"]+)"', (await client.get("/documents/shop.order")).text)
    assert flow
    data = {"_csrf_token": csrf, "flow": flow[1], "id": [str(m.document.id) for m in made]}
    answer = await client.post("/documents/shop.order/together", data=data)
    page = (await client.get(answer.headers["location"])).text
    assert page.count('id="line-') == 2
    again = await client.post("/documents/shop.order/together", data=data)
    assert again.headers["location"] == "/documents/shop.order"
    assert "open to be invoiced" in (await client.get("/documents/shop.order")).text


@pytest.mark.capability("TAK-22", screen="/jobs")
async def test_failed_work_is_seen_and_tried_again(web: Any) -> None:
    """A job fails, stands on the screen with its error, is tried again from there, and then succeeds."""
    tries = []

    async def flaky(session: Any, payload: dict[str, Any], context: Any) -> None:
        tries.append(payload)
        if len(tries) == 1:
            raise RuntimeError("the bank did not answer")

    web.newel.registry.jobs["shop.flaky"] = Job(name="shop.flaky", run=flaky)
    worker = Worker(web.newel)
    while await worker.once():
        pass
    job = await enqueue(web.newel, "shop.flaky", {"file": 7})
    assert await worker.once() == 1
    assert await worker.once() == 0  # it waits a little before it tries again by itself
    client, csrf = await web.browser()
    page = (await client.get("/jobs")).text
    assert "the bank did not answer" in page
    assert "file 7" in page
    assert (await client.post("/jobs", data={"_csrf_token": csrf, "id": f"job-{job}", "do": "retry"})).status_code == 303
    assert await worker.once() == 1
    assert tries == [{"file": 7}, {"file": 7}]
    assert "the bank did not answer" not in (await client.get("/jobs")).text


async def test_work_is_given_up_for_a_reason(web: Any) -> None:
    """What nobody needs any more is not tried again; who, when and why stands in the audit. Without a reason nothing happens."""
    job = await enqueue(web.newel, "shop.gone", {"file": 7})
    client, csrf = await web.browser()
    form = {"_csrf_token": csrf, "id": f"job-{job}", "do": "discard"}
    assert (await client.post("/jobs", data=form)).status_code == 422
    assert f'value="job-{job}"' in (await client.get("/jobs?state=waiting")).text
    assert (await client.post("/jobs", data={**form, "reason": "the file is gone"})).status_code == 303
    assert f'value="job-{job}"' not in (await client.get("/jobs?state=waiting")).text
    assert "given up by admin: the file is gone" in (await client.get("/jobs?state=done")).text
    assert "gave it up" in (await client.get(f"/audit?record={job}&q=file+is+gone")).text
    assert (await client.post("/jobs", data={**form, "reason": "again"})).status_code == 404


@pytest.mark.capability("APR-04", screen="/audit")
async def test_changes_of_an_order_can_be_asked_for(web: Any) -> None:
    """Who changed what, with old and new value, on the order's page and by user, kind and value in the audit."""
    client, csrf = await web.browser()
    entered = {"_csrf_token": csrf, "party_text": "C1", "reference": "before", "lines-0-item_text": "BOLT", "lines-0-quantity": "3"}
    saved = await client.post("/documents/shop.order/new", data=entered)
    line = re.search(r'name="lines-0-id" value="(\d+)"', (await client.get(f"{saved.headers['location']}/edit")).text)
    assert line
    change = entered | {"reference": "after", "lines-0-quantity": "4", "lines-0-id": line[1], "version": "1"}
    assert (await client.post(f"{saved.headers['location']}/edit", data=change)).status_code == 303
    page = (await client.get(saved.headers["location"])).text
    assert "<del>before</del> → <ins>after</ins>" in page
    assert "<del>3</del> → <ins>4</ins>" in page
    rows = (await client.get("/audit?q=before&user=admin&kind=shop.order")).text
    assert "Reference: before → after" in rows
    assert "Reference: before" not in (await client.get("/audit?q=before&user=nobody")).text
    number = re.search(r"<title>[^<]* (\S+) ·", page)
    assert number
    found = (await client.get(f"/audit?record={number[1]}&field=reference&format=csv")).text.splitlines()
    assert len(found) == 2, "the heads, and the one change of this field"
    assert "Reference: before → after" in found[1]
    assert "Reference:" not in (await client.get(f"/audit?record={number[1]}&field=text")).text


async def test_a_long_list_does_not_wait_for_its_sums(web: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """More rows than a page counts at once: they are counted and added up when the page is there, or by a link where there is no script."""
    documents, context = web.newel.documents, web.context
    for _ in range(SIZE + 1):
        await documents.create("shop.order", DocumentInput(party="C1", lines=(LineInput(item="BOLT", quantity=Decimal(100)),)), context)
    client, _csrf = await web.browser()
    whole = (await client.get("/documents/shop.order")).text
    assert f"1–{SIZE} of {SIZE + 2}" in whole
    assert f"Sums of all {SIZE + 2} rows" in whole
    monkeypatch.setattr(pages_lists, "COUNTED", SIZE)
    first = (await client.get("/documents/shop.order?state=draft")).text
    assert f"1–{SIZE} of {SIZE}+" in first
    assert "Sums of all" not in first
    assert 'rel="next"' in first
    later = re.search(r'hx-get="(/documents/shop\.order\?[^"]*sums=1)"', first)
    assert later
    path = later[1].replace("&amp;", "&")
    part, page = (await client.get(path, headers={"hx-request": "true"})).text, (await client.get(path)).text
    assert part.lstrip().startswith('<div class="n-sums">')
    for text in (part, page):
        assert f"Sums of all {SIZE + 1} rows" in text
        assert "612.00" in text, f"{SIZE + 1} times 12.00"


async def test_everybody_chooses_their_language(web: Any) -> None:
    """On one's own page, at once and for every page; what nobody speaks is refused."""
    client, csrf = await web.browser()
    assert "Where you are logged in" in (await client.get("/account")).text
    answer = await client.post("/account/language", data={"_csrf_token": csrf, "language": "de"})
    assert answer.headers["location"] == "/account"
    page = (await client.get("/account")).text
    assert '<html lang="de"' in page
    assert "Kennwort" in page or "Passwort" in page
    assert (await client.post("/account/language", data={"_csrf_token": csrf, "language": "xx"})).status_code == 422
    assert '<html lang="de"' in (await client.get("/")).text


async def test_a_request_looks_into_no_folder(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is on the disk is found out at the start: settings that looked for the files of all time zones cost each request 4 ms."""
    async with serving(sqlite_url, discover()[0]) as web:
        client, _csrf = await web.browser()
        for path in (paths := ["/", "/api/documents/sales.order", "/documents/sales.order/new"]):
            await (web.api if path.startswith("/api") else client).get(path)
        looked: list[Any] = []
        scandir = os.scandir
        monkeypatch.setattr(os, "scandir", lambda folder=".": looked.append(folder) or scandir(folder))
        for path in paths:
            assert (await (web.api if path.startswith("/api") else client).get(path)).status_code == 200
        assert looked == []


def test_entries_of_a_dictionary_and_its_methods_are_told_apart() -> None:
    """A column named "items" is an entry in brackets and the method with a dot, as in any template of Jinja; what is not there is nothing."""
    text = "{{ row.name }} {{ row['items'] }} {{ row.items()|length }} {{ row.nothing is defined }} [{{ row.nothing }}] {{ row.inner.name }} {{ day.year }}"
    row = {"name": "<b>", "items": "7", "inner": {"name": "x"}}
    assert Templates(autoescape=True).from_string(text).render(row=row, day=date(2026, 1, 1)) == "&lt;b&gt; 7 3 False [] x 2026"


async def test_the_menu_is_that_of_who_looks_and_of_the_language(web: Any) -> None:
    """Parts of pages that are made once are made anew for somebody else's rights, another page and another language."""
    client, _csrf = await web.browser()
    await web.user("looker", "shop.order.view")
    looker, _csrf = await web.browser("looker")

    def menu(text: str) -> str:
        return re.findall(r'<nav class="n-nav".*?</nav>', text, re.DOTALL)[0]

    first, again, other = [menu((await client.get(path)).text) for path in ("/", "/", "/documents/shop.order")]
    assert first == again != other
    assert 'href="/documents/shop.order" aria-current="page"' in other
    assert 'href="/records/newel.item"' in first and 'href="/records/newel.item"' not in menu((await looker.get("/")).text)
    (admin,) = (await web.newel.records.page("newel.user", web.context, filters={"login": "admin"})).rows
    await web.newel.records.save("newel.user", admin["id"], {"language": "de"}, web.context)
    german = (await client.get("/")).text
    assert menu(german) != first and "Tastenkürzel" in german
