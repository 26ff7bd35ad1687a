"""Hostile files, sent to everything that takes files: refused, or kept in the database and handed out so that nothing in them runs."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from newel_sdk.kit import Kit
from newel_sdk.servers import PATIENCE
from newel_sdk.site import Site, Watched
from playwright.sync_api import Browser

pytestmark = pytest.mark.plugins("attachments", "parts", "shop")
SCRIPT = b"<script>document.title='owned';window.owned=1;alert(1)</script>"
SVG = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"


def png(wide: int = 1, high: int = 1) -> bytes:
    """A picture of one colour that says its size; small however large it says it is."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = zlib.compress(b"\x00" * min(high * (wide // 8 + 2), 5_000_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", wide, high, 1, 0, 0, 0, 0)) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


REFUSED = (
    ("x.svg", SVG, "image/svg+xml"), ("x.png", SVG, "image/png"), ("x.html", SCRIPT, "text/html"), ("x.txt", SCRIPT, "text/plain"),
    ("x.pdf", SCRIPT, "application/pdf"), ("x.jpg", png(), "image/jpeg"),
    ("x.png.exe", b"MZ\x90\x00", "image/png"), ("x.png", png(50_000, 50_000), "image/png"),
    ("x.png", b"GIF89a/*" + SCRIPT, "image/png"), ("x", png(), "image/png"), ("x.png", b"", "image/png"),
)  # fmt: skip


async def test_what_is_not_what_it_says_is_refused(kit: Kit) -> None:
    """By page and API: markup, another type, programs, two files in one, 50,000 pixels along an edge. Nothing is kept of any of them."""
    await kit.item("PUMP", price=1)
    await kit.party("C1")
    order = (await kit.document("shop.order", "C1", ("PUMP", 1))).document.id
    browser, program = await kit.browser(), await kit.client()
    for name, content, kind in REFUSED:
        page = await browser.post(f"/attachments/of/document/{order}", files=[("files", (name, content, kind))])
        sent = {"of": "document", "id": order, "name": name, "content": base64.b64encode(content).decode()}
        api = await program.post("/api/attachments/files", json=sent)
        assert (page.status_code, api.status_code) == (422, 422), (name, kind)
        assert SCRIPT.decode() not in page.text
    assert await kit.rows("SELECT id FROM attachments_file") == []


async def test_pictures_of_parts_are_pictures_or_not_shown(kit: Kit) -> None:
    """On the page of a product anything else is refused; what a program has entered as a picture and is none is never handed out."""
    await kit.item("PUMP", price=1)
    await kit.item("SEAL", price=1)
    await kit.record("parts.part", product="PUMP", item="SEAL", position="1")
    browser, program = await kit.browser(), await kit.client()
    (item,) = await kit.rows("SELECT id FROM item WHERE number = 'PUMP'")
    address = f"/parts/products/{item['id']}"
    for name, content, kind in REFUSED:
        if name != "x":  # the name of a picture says nothing here
            assert (await browser.post(f"{address}/pictures", files={"picture": (name, content, kind)})).status_code == 422, name
    assert await kit.rows("SELECT id FROM parts_picture") == []
    for start in ("data:image/svg+xml;base64,", "data:text/html;base64,", "data:image/png;base64,", "javascript:alert(1)//", "https://elsewhere.example/"):
        await program.post("/api/records/parts.picture", json={"product": "PUMP", "name": "x", "image": start + base64.b64encode(SVG).decode()})
    inside = base64.b64encode(SVG).decode()[:20]
    assert [inside in (await browser.get(path)).text for path in (address, "/records/parts.picture", "/api/records/parts.picture")] == [False] * 3
    huge = "data:image/png;base64," + base64.b64encode(png(50_000, 50_000)).decode()
    assert (await program.post("/api/records/parts.picture", json={"product": "PUMP", "name": "huge", "image": huge})).status_code == 201
    assert "data:image/" not in (await browser.get(address)).text, "neither what is no picture nor one that has too many pixels"
    assert (await browser.post(f"{address}/pictures", files={"picture": ("<b>.png", png() + SCRIPT, "image/png")})).status_code == 303
    page = (await browser.get(address)).text
    assert ("data:image/png;base64," in page, "<b>.png" in page, SCRIPT.decode() in page) == (True, False, False)
    (kept,) = await kit.rows("SELECT image FROM parts_picture WHERE name = '<b>.png'")
    assert SCRIPT not in base64.b64decode(kept["image"].partition(",")[2]), "drawn anew: what stood behind the picture is gone"


async def test_what_is_kept_is_handed_out_and_not_opened(kit: Kit) -> None:
    """Names are no paths, a second file behind a picture is gone, and every answer is a download that no browser interprets."""
    await kit.item("PUMP", price=1)
    browser = await kit.browser()
    (item,) = await kit.rows("SELECT id FROM item")
    place = f"/attachments/of/newel.item/{item['id']}"
    notes = b"notes " + SCRIPT
    for name, content, kind in (
        ("../../static/newel.js.txt", notes, "text/html"), ("..\\..\\up.txt", notes, "image/svg+xml"), ("a\r\nX-Evil: 1.txt", notes, "text/plain"),
        ("two.png", png() + SCRIPT, "text/html"),
    ):  # fmt: skip
        assert (await browser.post(place, files=[("files", (name, content, kind))])).status_code == 303, name
    files = await kit.rows("SELECT id, name FROM attachments_file ORDER BY id")
    assert [set(f["name"]) & set("/\\\r\n") for f in files] == [set()] * len(files)
    for file in files:
        answer = await browser.get(f"/attachments/files/{file['id']}")
        shown, heads = file["name"].endswith(".png"), answer.headers
        assert heads["content-disposition"].startswith("inline" if shown else "attachment")
        assert (heads["content-type"].split(";")[0], heads["x-content-type-options"]) == ("image/png" if shown else "text/plain", "nosniff")
        assert "x-evil" not in heads and "sandbox" in heads["content-security-policy"]
        assert (b"script" in answer.content) == (not shown)
    for path in ("/static/newel.js.txt", "/static/attachments/newel.js.txt", "/static/up.txt", "/static/../up.txt"):
        assert (await browser.get(path)).status_code == 404


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Give a server with attachments, and an item to attach them to."""
    made = Site(tmp_path_factory.mktemp("site"), ["attachments", "shop"]).up()
    made.ask(made.kit.item("PUMP", price=1))
    yield made
    made.stop()


def test_a_hostile_file_in_a_browser_runs_nothing(chromium: Browser, site: Site, tmp_path: Path) -> None:
    """Somebody opens it, and a page tries to take it as its script or frame: it is saved, and nothing in it runs."""
    file = tmp_path / "notes.txt"
    file.write_bytes(b"window.owned=1;document.title='owned'//" + SCRIPT)
    window = chromium.new_context(accept_downloads=True)
    window.set_default_timeout(PATIENCE)
    page = window.new_page()
    said: list[str] = []
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss())[0])
    watched = Watched(page, site)
    watched.login()
    (row,) = site.ask(site.kit.rows("SELECT id FROM item"))
    page.goto(f"{site.url}/attachments/of/newel.item/{row['id']}")
    page.set_input_files("input[type=file]", str(file))
    page.locator("form:has(input[type=file]) button").first.click()
    page.wait_for_url("**/records/**")
    (kept,) = site.ask(site.kit.rows("SELECT id FROM attachments_file"))
    address = f"{site.url}/attachments/files/{kept['id']}"
    with page.expect_download() as download:
        page.evaluate("address => { location.href = address }", address)
    assert download.value.suggested_filename == "notes.txt"
    for tag, name in (("script", "src"), ("iframe", "src"), ("object", "data")):
        page.evaluate("([tag, name, address]) => { const e = document.createElement(tag); e[name] = address; document.body.append(e) }", [tag, name, address])
    watched.settled()
    assert (page.evaluate("window.owned ?? 0"), "owned" in page.title(), said) == (0, False, [])
    window.close()
