"""Prints at work: pages, copies, languages, layouts; through pages and API, on both databases."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from html import unescape
from typing import Any

import msgspec
import pypdfium2
import pytest
from newel.domain.context import User
from newel.domain.money import ZERO
from newel.errors import Refused
from newel.happenings import Asked
from newel_prints import hooks, keep, paper
from newel_sdk.kit import Kit, kit_on
from PIL import Image

NAMES = "Müller ĞğŞşİı Čč Šš Žž 螺栓供应商"
LINES_OF_40 = 860


def texts(content: bytes) -> list[str]:
    """The words on each page of a PDF; how far they are apart is not looked at."""
    found = [page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(content)]
    return ["".join(text.split()) for text in found]


def shown(body: str) -> list[str]:
    """The words on each page of the preview."""
    pages = re.split(r"<section ", body)[1:]
    return ["".join(unescape(re.sub(r"<[^>]*>", " ", page.partition(">")[2])).split()) for page in pages]


@asynccontextmanager
async def office(url: str) -> AsyncIterator[Kit]:
    async with kit_on(url, ["prints", "shop"]) as made:
        await made.party("C1", name=NAMES, language="de")
        await made.item("BOLT", price="1.25", name="Schraube İı čš 螺栓")
        yield made


@pytest.fixture
async def kit(database_url: str) -> AsyncIterator[Kit]:
    async with office(database_url) as made:
        yield made


async def order(kit: Kit, lines: int = 3, **header: Any) -> int:
    return (await kit.document("shop.order", "C1", *[("BOLT", 1 + i % 7) for i in range(lines)], then=["confirm"], **header)).document.id


def test_hook_register_plugin() -> None:
    manifest = hooks.register_plugin()
    assert [(b.on, b.shared) for b in manifest.boxes] == [("document.print", False), ("document", False)]


# ---- pages ---------------------------------------------------------------------------------------------------------------------------


@pytest.mark.screen("C59", "C61")
@pytest.mark.parametrize(("lines", "pages"), [(3, 1), (30, 2), (LINES_OF_40, 40)])
async def test_the_preview_says_what_the_pdf_says(sqlite_url: str, lines: int, pages: int) -> None:
    """Page by page, on one page, two and forty: heads on each, sums from page to page, no row in two places, totals at the end."""
    async with office(sqlite_url) as kit:
        found = await paper.made(kit.app, await order(kit, lines), kit.context)
    content = texts(paper.pdf(found))
    assert content == shown(found.body)
    assert found.pages == len(content)
    assert found.pages == pages or found.pages > pages == 40, "how many exactly is up to the fonts of the machine"
    pages = found.pages
    rows = [re.findall(r'<tr id="b\d+"><td>(\d+)</td>', page) for page in found.body.split("<section ")[1:]]
    assert [int(x) for page in rows for x in page] == [10 * (i + 1) for i in range(lines)]
    carried = ZERO
    for n, (page, here) in enumerate(zip(content, rows, strict=True), 1):
        assert f"Seite{n}von{pages}" in page
        assert "Beschreibung" in page
        assert (f"Übertrag{number(carried, 2)}" in page) == (n > 1)
        carried += sum((Decimal("1.25") * (1 + (int(x) // 10 - 1) % 7) for x in here), ZERO)
        assert (f"Zwischensumme{number(carried, 2)}" in page) == (n < pages)
    assert f"Gesamt{number(carried, 2)}EUR" in content[-1]


def number(value: Decimal, digits: int) -> str:
    """As Germans write it."""
    return f"{value:,.{digits}f}".translate({ord(","): ".", ord("."): ","})


@pytest.mark.screen("C61")
async def test_long_texts_are_cut_between_words(sqlite_url: str) -> None:
    """A text of three pages goes on from page to page, and no page is longer than its paper."""
    async with office(sqlite_url) as kit:
        words = " ".join(f"word{i}" for i in range(1500))
        found = await paper.made(kit.app, await order(kit, text=words), kit.context)
    content = texts(paper.pdf(found))
    assert content == shown(found.body)
    assert found.pages == len(content) > 2
    inside = "".join(re.sub(r"©.*", "", page) for page in content)
    assert all(f"word{i}" in inside for i in range(1500))


@pytest.mark.screen("C60")
@pytest.mark.parametrize(
    ("languages", "words"),
    [
        ((), ("Menge", "Beschreibung", "Seite1von1", "15.01.2026")),
        (("en",), ("Quantity", "Description", "Page1of1", "Jan15,2026")),
        (("de", "en"), ("MengeQuantity", "BeschreibungDescription", "DatumDate", "GesamtTotal")),
        (("en", "tr"), ("QuantityMiktar", "DateTarih")),
        (("sl",), ("Količina",)),
        (("zh",), ("数量",)),
    ],
)  # fmt: skip
async def test_in_their_language_in_ours_in_both(sqlite_url: str, languages: tuple[str, ...], words: tuple[str, ...]) -> None:
    """The words, and names of everywhere, can be read out of the PDF, whose fonts are all inside."""
    async with office(sqlite_url) as kit:
        made = paper.pdf(await paper.made(kit.app, await order(kit), kit.context, languages))
    (page,) = texts(made)
    for word in (*words, *NAMES.split(), "螺栓"):
        assert word in page
    fonts = set(re.findall(rb"/BaseFont ?/([^ /\r\n]+)", made))
    assert all(re.match(rb"[A-Z]{6}\+", name) for name in fonts), f"not a subset that is inside: {fonts}"
    assert made.count(b"/FontDescriptor ") <= made.count(b"/FontFile") * 2


# ---- copies --------------------------------------------------------------------------------------------------------------------------


@pytest.mark.screen("C62")
async def test_the_story_of_an_original_and_its_copies(kit: Kit) -> None:
    """Ann prints an order, and again a month later.

    Meanwhile the customer has moved: what was printed first is still there to the last byte, and the second one is a copy of it, old address and all,
    that says so. In English it was never printed: an original. Then the order is cancelled, and so says something else: an original again.
    """
    id = await order(kit)
    first, original = await keep.printed(kit.app, id, kit.context)
    assert (first.copy, first.pages, first.languages, first.hash) == (0, 1, "de", hashlib.sha256(original).hexdigest())
    assert "Kopie" not in texts(original)[0]

    kit.clock.advance(days=31)
    party = await kit.app.records.find("newel.party", "C1", kit.context)
    await kit.app.records.save("newel.party", party, {"name": "Moved Ltd"}, kit.context)
    again, copy = await keep.printed(kit.app, id, kit.context)
    (words,) = texts(copy)
    assert (again.copy, again.hash != first.hash) == (1, True)
    assert words.replace("Kopievom15.02.2026", "", 1) == texts(original)[0] != words

    english, _content = await keep.printed(kit.app, id, kit.context, ("en",))
    await kit.act(id, "cancel")
    changed, content = await keep.printed(kit.app, id, kit.context)
    assert (english.copy, changed.copy) == (0, 0)
    assert "Kopie" not in texts(content)[0]
    assert "storniert" in texts(content)[0]
    assert (await keep.content(kit.app, first.id, kit.context))[1] == original
    assert (await keep.content(kit.app, again.id, kit.context))[1] == copy
    assert [k.id for k in await keep.listed(kit.app, id, kit.context)] == [changed.id, english.id, again.id, first.id]


async def test_two_at_once_make_one_original(kit: Kit) -> None:
    id = await order(kit)
    made = await asyncio.gather(*(keep.printed(kit.app, id, kit.context) for _ in range(3)))
    assert sorted(k.copy for k, _ in made) == [0, 1, 2]
    assert sum("Kopie" in texts(content)[0] for _, content in made) == 2


async def test_a_print_that_was_changed_is_refused(kit: Kit) -> None:
    """Whoever writes the database past Newel is found out."""
    kept, _content = await keep.printed(kit.app, await order(kit), kit.context)
    async with kit.app.database.write() as session:
        await session.fetch("UPDATE prints_print SET content = ? WHERE id = ? RETURNING id", base64.b64encode(b"%PDF-forged").decode(), kept.id)
    with pytest.raises(Refused) as caught:
        await keep.content(kit.app, kept.id, kit.context)
    assert [p.code for p in caught.value.problems] == ["prints.damaged"]


@pytest.mark.screen("C62")
async def test_timelines_tell_of_prints(kit: Kit) -> None:
    id = await order(kit)
    for _ in range(2):
        kit.clock.advance(minutes=1)
        await keep.printed(kit.app, id, kit.context)
    asked = Asked(about="document", id=id, before=(kit.clock.advance(minutes=1), 0), most=10)
    async with kit.app.database.read() as session:
        tell = lambda **more: keep.happenings(session, msgspec.structs.replace(asked, **more), kit.context)  # noqa: E731
        copy, original = await tell()
        assert [h.text for h in (copy, original)] == ["Copy 1 printed", "Printed"]
        assert (original.kind, original.who, original.url) == ("print", kit.context.user.login, f"/prints/kept/{original.id}")
        assert await tell(before=(copy.at, copy.id)) == [original]
        assert await tell(most=1) == [copy]
        assert await tell(kind="mail") == await tell(who="nobody") == await tell(about="newel.item") == []


async def test_who_may_see_prints(kit: Kit) -> None:
    """Whoever may not see the document sees none of its prints; users who stand for a party have the kernel's print."""
    id = await order(kit)
    kept, _content = await keep.printed(kit.app, id, kit.context)
    user = User(id=9, login="ann", companies=frozenset({kit.context.company.id}))
    for who, status in ((user, 403), (msgspec.structs.replace(user, permissions=frozenset({"*"}), party=1), 403)):
        other = msgspec.structs.replace(kit.context, user=who)
        for work in (keep.printed(kit.app, id, other), keep.listed(kit.app, id, other), keep.content(kit.app, kept.id, other)):
            with pytest.raises(Refused) as caught:
                await work
            assert caught.value.status == status


# ---- pages and programs ----------------------------------------------------------------------------------------------------------------


async def test_from_the_document_to_the_paper(kit: Kit) -> None:
    """Print on a document leads to its pages; a press of the button keeps them, and the box on the document has them."""
    id, browser = await order(kit), await kit.browser()
    assert (await browser.get(f"/document/{id}/print")).headers["location"] == f"/prints/of/{id}"
    assert f"/document/{id}/pdf" not in (await browser.get(f"/document/{id}")).text
    preview = (await browser.get(f"/prints/of/{id}?language=de,en")).text
    assert "Deutsch + English" in preview
    assert "Beschreibung" in preview
    assert "this is a copy" not in preview
    answer = await browser.post(f"/prints/of/{id}", data={"language": "de,en"})
    assert answer.status_code == 303
    made = await browser.get(answer.headers["location"])
    assert made.headers["content-type"] == "application/pdf"
    again = (await browser.get(f"/prints/of/{id}?language=de,en")).text
    assert "this is a copy" in again
    assert "Kopie vom 15.01.2026 / Copy of Jan 15, 2026" in again, "what is shown is what is printed, also of a copy"
    assert "Deutsch + English" in (await browser.get(f"/prints/on/{id}", headers={"hx-request": "true"})).text
    assert "Original" in (await browser.get(f"/prints/on/{id}")).text
    assert (await browser.get(f"/prints/of/{id}?language=xx")).status_code == 422


async def test_for_programs(kit: Kit) -> None:
    id, client = await order(kit), await kit.client()
    made = (await client.post(f"/api/prints/documents/{id}")).json()
    content = base64.b64decode(made["content"])
    assert hashlib.sha256(content).hexdigest() == made["hash"]
    (kept,) = (await client.get(f"/api/prints/documents/{id}")).json()
    assert (kept["id"], "content" in kept) == (made["id"], False)
    assert (await client.get(f"/api/prints/kept/{made['id']}")).json() == made
    assert (await client.get("/api/prints/kept/1")).status_code == 404


# ---- layouts ---------------------------------------------------------------------------------------------------------------------------


def picture() -> bytes:
    Image.new("RGB", (900, 300), "red").save(out := io.BytesIO(), "JPEG")
    return out.getvalue()


@pytest.mark.capability("TAK-18")
async def test_an_administrator_changes_the_letterhead(kit: Kit) -> None:
    """With a picture and words of our own; looked at as PDF before it is kept; a second version; the first one again; and back to the built-in one."""
    id, browser = await order(kit), await kit.browser()
    start = (await browser.get("/prints/layouts?kind=shop.order")).text
    assert "{{ company.name }}" in unescape(start)
    sent = {"kind": "shop.order", "language": "", "head": "<div>{{ logo }} ACME since 1901</div>", "foot": "{{ page }}/{{ pages }} Bank 4711", "end": "Grazie!"}
    files = {"file": ("logo.jpg", picture(), "image/jpeg")}
    shown_ = await browser.post("/prints/layouts", data={**sent, "do": "preview"}, files=files)
    (page,) = texts(shown_.content)
    assert "ACMEsince1901" in page
    assert "1/1Bank4711" in page
    assert "ACME" not in (await browser.get(f"/prints/of/{id}")).text, "nothing is kept yet"

    assert (await browser.post("/prints/layouts", data={**sent, "do": "save"}, files=files)).status_code == 303
    now = (await browser.get(f"/prints/of/{id}")).text
    assert "ACME since 1901" in now
    assert 'src="data:image/png;base64,' in now
    kept, content = await keep.printed(kit.app, id, kit.context)
    assert len(list(pypdfium2.PdfDocument(content)[0].get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_IMAGE]))) == 1

    kit.clock.advance(hours=1)
    await browser.post("/prints/layouts", data={**sent, "head": "Second", "style": ".p-company { color: red; }", "do": "save"})
    assert "ACME since 1901" in (await browser.get(f"/prints/of/{id}")).text, "a copy is of what was printed"
    second = (await browser.get(f"/prints/of/{id}?language=en")).text
    assert "Second" in second
    (sheet,) = re.findall(r"/prints/layouts/\d+/style.css", second)
    assert (await browser.get(sheet)).text == ".p-company { color: red; }"
    versions = re.findall(r"/prints/layouts\?version=(\d+)", (await browser.get("/prints/layouts?kind=shop.order")).text)
    assert len(versions) == 2
    rows = await kit.rows("SELECT entered_at, entered_by FROM prints_layout")
    assert all(r["entered_at"] and r["entered_by"] == "admin" for r in rows)
    assert "ACME since 1901" in (await browser.get(f"/prints/layouts?version={versions[-1]}")).text

    kit.clock.advance(hours=1)
    assert (await browser.post("/prints/layouts", data={**sent, "do": "back"})).status_code == 303
    assert "Second" not in (await browser.get(f"/prints/of/{id}?language=en")).text
    assert (await keep.content(kit.app, kept.id, kit.context))[1] == content, "what was printed stays as it is"


async def test_a_wrong_layout_is_not_kept(kit: Kit) -> None:
    browser = await kit.browser()
    for wrong in ({"head": "{{ company.__class__ }}"}, {"style": "@import 'x';"}):
        for do in ("save", "preview"):
            answer = await browser.post("/prints/layouts", data={"kind": "shop.order", "language": "", **wrong, "do": do})
            assert answer.status_code == 422
            assert next(iter(wrong.values())) in unescape(answer.text), "what was typed is still there"
    noise = {"file": ("logo.png", b"no picture", "image/png")}
    assert "picture of at most 2 MB" in (await browser.post("/prints/layouts", data={"kind": "", "language": "", "do": "save"}, files=noise)).text
    assert await kit.rows("SELECT id FROM prints_layout") == []
    with pytest.raises(Refused):
        await kit.app.records.save("prints.layout", None, {"head": "{% include 'x' %}"}, kit.context)


async def test_only_who_may_edits_layouts(kit: Kit) -> None:
    for rights, seen, changed in (((), 403, 403), (("prints.layout.view",), 200, 403)):
        client = await kit.client("shop.order.view", *rights)
        assert (await client.get("/prints/layouts")).status_code == seen
        assert (await client.post("/prints/layouts", data={"do": "save"})).status_code == changed
