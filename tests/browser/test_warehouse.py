"""The warehouse on a phone: pick with a scanner, without a connection, with the camera; count; load and hand over."""

from __future__ import annotations

import base64
import io
import os
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import barcode
import pytest
import segno
from axe_playwright_python.sync_playwright import Axe
from barcode.writer import ImageWriter
from newel.domain.context import Context
from newel.domain.document import DocumentInput, LineInput
from newel.services.app import Newel
from newel_scan.codes import parse
from newel_sdk.site import PHONE, fits
from PIL import Image
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import PLUGINS, Site, Watched, served

THUMB = {"viewport": PHONE, "has_touch": True}
PICTURES = os.environ.get("NEWEL_PICTURES")  # a folder to keep pictures in, for people to look at
FRAME, WHEEL, GLUE = "4006381333931", "4006381333948", "4006381333955"


async def work(newel: Newel, context: Context) -> None:
    """Places, barcodes, glue in lots; an order to pick and a purchase order to come."""
    save = newel.records.save
    hall = (await newel.records.find("newel.location", "MAIN", context)) or next(iter(await newel.records.options("newel.location", "", context)))[0]
    for number, gtin in (("I-0", FRAME), ("I-1", WHEEL)):
        await save("newel.item", await newel.records.find("newel.item", number, context), {"gtin": gtin}, context)
    glue = await save("newel.item", None, {"number": "GLUE", "name": "Glue", "gtin": GLUE, "tracking": "lot"}, context)
    place = await save("newel.location", None, {"code": "B-02", "name": "Bin", "parent": hall}, context)
    lines = tuple(LineInput(item=glue, quantity=Decimal(9), lot=lot) for lot in ("G-1", "G-2"))
    await newel.documents.create("inventory.receipt", DocumentInput(location_to=place, lines=lines), context, then=("receive",))
    for reference in ("A", "B", "C", "D"):
        sold = tuple(LineInput(item=i, quantity=Decimal(q), price=Decimal(1)) for i, q in (("I-0", 30), ("GLUE", 3), ("I-2", 1)))
        await newel.documents.create("sales.order", DocumentInput(party="C-1", reference=reference, lines=sold), context, then=("confirm",))
    await save("newel.party", None, {"number": "V-1", "name": "Wheelwright", "is_vendor": True}, context)
    bought = (LineInput(item="I-1", quantity=Decimal(2), price=Decimal(5)),)
    await newel.documents.create("purchasing.order", DocumentInput(party="V-1", lines=bought), context, then=("send",))
    sold = (LineInput(item="I-3", quantity=Decimal(1), price=Decimal(1)),)
    order = await newel.documents.create("sales.order", DocumentInput(party="C-1", lines=sold), context, then=("confirm",))
    await newel.documents.follow(order.document.id, "deliver", context, then=("ship",))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Give a server with work for a warehouse."""
    yield from served(Site(tmp_path_factory.mktemp("site"), (*PLUGINS, "purchasing", "attachments", "scan", "handover", "labels", "prints"), work))


def look(page: Page, what: str) -> None:
    """Nothing is wider than the window; everything that one presses is high enough for a thumb."""
    fits(page)
    if PICTURES:
        page.screenshot(path=str(Path(PICTURES) / f"scan_{what}.png"))
    wide = page.evaluate(
        "[...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 90))"
    )
    assert wide == [], what
    small = page.evaluate(
        """() => [...document.querySelectorAll('main a, main button, main input, main select, main summary, main label.btn')]
        .filter(e => e.getClientRects().length && e.type !== 'checkbox' && !e.closest('.n-crumb, .visually-hidden') && getComputedStyle(e).opacity !== '0')
        .map(e => [e.outerHTML.slice(0, 80), e.getBoundingClientRect().height]).filter(([, high]) => high < 44)"""
    )
    assert small == [], what
    found = Axe().run(page)
    assert [(v["id"], [n["html"] for n in v["nodes"]]) for v in found.response["violations"]] == [], what


def scan(page: Page, *codes: str) -> None:
    """As a scanner in keyboard mode: a burst of keys and Enter, wherever the cursor is; each waits until the one before is shown."""
    for code in codes:
        page.evaluate("document.getElementById('sc-result').removeAttribute('data-state')")
        page.keyboard.type(code + "\n")
        expect(page.locator("#sc-result[data-state]")).to_be_attached()


def result(page: Page) -> str:
    """What the large result says."""
    return " ".join(page.locator("#sc-result").inner_text().split())


def rows(site: Site, sql: str, *args: Any) -> list[dict[str, Any]]:
    """Rows of the server's database."""
    with closing(sqlite3.connect(site.newel.config.database.removeprefix("sqlite:///"))) as found:
        found.row_factory = sqlite3.Row
        return [dict(r) for r in found.execute(sql, args)]


def wait(page: Page) -> None:
    """Until there is a task and its script runs."""
    expect(page.locator("scan-task[data-live]")).to_be_visible()


def begin(page: Page, order: str) -> None:
    """Scan the number of an order on the list to pick."""
    page.get_by_role("link", name="Pick").click()
    page.get_by_label("Number of the document").fill(order)
    page.keyboard.press("Enter")
    wait(page)


def order_of(site: Site, reference: str) -> str:
    """The number of an order."""
    return str(rows(site, "SELECT number FROM document WHERE reference = ? AND role = 'sale'", reference)[0]["number"])


@pytest.mark.screen("C63", "C64")
@pytest.mark.parametrize("watched", [THUMB], indirect=True)
def test_c64_pick_load_receive_and_count_with_one_thumb(watched: Watched, site: Site) -> None:
    """One column, nothing sideways, every target 44 px, what comes next within the lower third; a wrong item stops everything."""
    watched.expected = (422,)
    page = watched.open("/scan")
    look(page, "home")
    begin(page, order_of(site, "A"))
    look(page, "pick")
    finish = page.get_by_role("button", name="Finish")
    assert (finish.bounding_box() or {"y": 0})["y"] > PHONE["height"] * 2 / 3
    scan(page, "B-02", f"]C101{GLUE.zfill(14)}10G-2")
    assert result(page) == "GLUE G-2 +1 EA"
    page.get_by_label("Quantity").fill("2")
    page.get_by_label("Barcode or number").focus()
    scan(page, GLUE)  # the lot is asked for
    look(page, "lot")
    page.keyboard.type("G-1\n")
    expect(page.locator("#sc-result")).to_have_text("GLUE G-1+2 EA")
    expect(page.get_by_label("Barcode or number")).to_be_focused()
    scan(page, "I-1")
    stop = page.get_by_role("alertdialog", name="Stop")
    expect(stop).to_contain_text("I-1 Wheel is not wanted here")
    look(page, "stop")
    page.keyboard.type("I-2\n")  # the next burst neither counts nor closes it
    expect(stop).to_be_visible()
    stop.get_by_role("button").click()
    expect(page.get_by_label("Barcode or number")).to_be_focused()
    scan(page, "MAIN", "I-2")
    finish.click()
    expect(page.get_by_text("less was scanned than was wanted")).to_be_visible()
    page.get_by_label("Why less").select_option("damaged")
    page.get_by_role("button", name="Finish").click()
    delivery = page.locator(".sc-box a").inner_text()
    look(page, "picked")
    page.context.add_init_script("window.print = () => { sessionStorage.printed = Number(sessionStorage.printed || 0) + 1; };")
    for key, rests in (("l", "**/labels?*"), ("p", "**/prints/of/*?language=*")):  # where it is when it has printed
        with page.expect_popup() as opened:
            page.keyboard.press(f"Alt+{key}")
        opened.value.wait_for_url(rests)
        opened.value.wait_for_function("() => sessionStorage.printed === '1'")
        opened.value.close()

    watched.open(f"/handover/load?code={delivery}")
    page.get_by_label("Packages").fill("2")
    look(page, "load")
    page.get_by_role("button", name="It is loaded").click()
    expect(page.get_by_text(f"{delivery} is on its way")).to_be_visible()

    watched.open("/scan/tasks/receive")
    page.get_by_role("button", name="PO2").click()
    wait(page)
    scan(page, *["I-1"] * 2)
    look(page, "receive")
    page.get_by_role("button", name="Finish").click()
    expect(page.locator(".sc-box")).to_contain_text("Received")

    watched.open("/scan/tasks/count")
    page.get_by_label("Place").select_option(label="B-02 Bin")
    page.get_by_role("button", name="Begin").click()
    wait(page)
    scan(page, f"(01){GLUE.zfill(14)}(10)G-1(37)6", f"(01){GLUE.zfill(14)}(10)G-2(37)8")
    look(page, "count")
    page.get_by_role("button", name="Count is complete").click()
    expect(page.get_by_text("1 EA missing")).to_be_visible()
    look(page, "differences")
    page.get_by_role("button", name="Post differences").click()
    expect(page.get_by_text("The differences are posted.")).to_be_visible()


CAMERA = """(picture) => {
  const drawn = document.createElement("canvas"), pen = drawn.getContext("2d");
  [drawn.width, drawn.height] = [1280, 720];
  window.show = async (data) => { const image = new Image(); image.src = data; await image.decode(); window.seen = image; };
  setInterval(() => { pen.fillStyle = "#fff"; pen.fillRect(0, 0, 1280, 720); if (window.seen) pen.drawImage(window.seen, 60, 60); }, 50);
  navigator.mediaDevices.getUserMedia = async () => drawn.captureStream(20);
  window.felt = []; navigator.vibrate = (pattern) => { window.felt.push(pattern); return true; };
  window.heard = []; const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function (...when) { window.heard.push(this.type); return start.apply(this, when); };
}"""


def drawn(content: str, kind: str) -> str:
    """A barcode as an address that holds it."""
    out = io.BytesIO()
    if kind == "qr":
        segno.make_qr(content).save(out, kind="png", scale=8, border=4)
    else:
        barcode.get(kind, content, writer=ImageWriter()).write(out, {"write_text": False, "module_width": 0.25, "module_height": 20})
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


@pytest.mark.screen("C65")
@pytest.mark.parametrize("watched", [THUMB], indirect=True)
def test_c65_the_camera_reads_and_a_wrong_item_stops_loudly(watched: Watched, site: Site) -> None:
    """EAN-13, GS1-128 and QR before the camera, each counted once however long it stays there; seen, heard and felt."""
    watched.page.add_init_script(f"({CAMERA})()")
    page = watched.open("/scan")
    begin(page, order_of(site, "B"))
    page.get_by_role("button", name="Camera").click()
    page.evaluate("show", drawn(FRAME, "ean13"))
    expect(page.locator("#sc-result")).to_have_text("I-0+1 EA")
    page.route("**/read", lambda route: (page.wait_for_timeout(2600), route.continue_())[1])
    for _ in range(2):  # it is still there, and a slow server says so
        with page.expect_request_finished(lambda request: request.url.endswith("/read")):
            pass
    page.unroute("**/read")
    look(page, "camera")
    page.evaluate("show", drawn(f"01{GLUE.zfill(14)}1749063010G-1", "gs1_128"))
    expect(page.locator("#sc-result")).to_have_text("GLUE G-1+1 EA")
    page.evaluate("show", drawn(f"(01){GLUE.zfill(14)}(17)490630(10)G-2(37)2", "qr"))
    expect(page.locator("#sc-result")).to_have_text("GLUE G-2+2 EA")
    assert page.evaluate("[felt, heard]") == [[60, 60, 60], ["sine", "sine", "sine"]]
    page.evaluate("show", drawn(WHEEL, "ean13"))
    stop = page.get_by_role("alertdialog", name="Stop")
    expect(stop).to_contain_text("I-1 Wheel is not wanted here")
    assert page.evaluate("[felt.at(-1).length, heard.slice(3)]") == [5, ["sawtooth", "sawtooth", "sawtooth"]]
    stop.get_by_role("button").click()
    page.get_by_role("button", name="Close the camera").click()
    made = rows(site, "SELECT state, lot, expiry FROM scan_step WHERE task = ? ORDER BY id", int(page.url.split("/")[-1]))
    assert [(r["state"], r["lot"], str(r["expiry"] or "")) for r in made] == [
        ("ok", "", ""), ("ok", "G-1", "2049-06-30"), ("ok", "G-2", "2049-06-30"), ("refused", "", ""),
    ]  # fmt: skip


@pytest.mark.screen("C66")
@pytest.mark.parametrize("watched", [THUMB], indirect=True)
def test_c66_thirty_scans_without_a_connection(watched: Watched, site: Site) -> None:
    """Five minutes without a connection, and an answer that is lost on the way back: each is there once, in order; what does not fit is listed."""
    page = watched.page
    page.clock.install()
    watched.open("/scan")
    begin(page, order_of(site, "C"))
    page.context.set_offline(True)
    codes = [FRAME] * 14 + ["I-1"] + ["I-0"] * 14 + ["I-2"]
    scan(page, *codes)
    expect(page.locator("#sc-queue")).to_contain_text("30")
    assert "Kept, not sent yet" in result(page)
    look(page, "offline")
    page.clock.run_for("05:00")
    page.get_by_role("button", name="Finish").click()  # not before they are sent
    assert "/scan/task/" in page.url
    lost = []

    def lose(route: Route) -> None:
        if len(lost) < 2:
            lost.append(route.fetch().status)
            route.abort()
        else:
            route.continue_()

    page.route("**/steps", lose)
    page.context.set_offline(False)
    while page.locator("#sc-queue").is_visible():  # until all is sent, however long the answers take
        page.clock.run_for(4000)
        page.wait_for_timeout(100)
    expect(page.locator("#sc-queue")).to_be_hidden()
    watched.complaints = [c for c in watched.complaints if "ERR_INTERNET_DISCONNECTED" not in c and "ERR_FAILED" not in c]
    task = int(page.url.split("/")[-1])
    made = rows(site, "SELECT code, state, scanned_at, entered_at FROM scan_step WHERE task = ? ORDER BY id", task)
    assert [r["code"] for r in made] == codes
    assert [r["state"] for r in made] == ["ok"] * 14 + ["refused"] + ["ok"] * 15
    assert [r["scanned_at"] for r in made] == sorted(r["scanned_at"] for r in made)
    assert lost == [200, 200]
    refused = page.get_by_role("region", name="Refused")
    expect(refused.get_by_role("listitem")).to_have_count(1)
    expect(refused).to_contain_text("I-1 Wheel is not wanted here")
    expect(page.locator("#sc-lines li", has_text="I-0")).to_contain_text("28 / 30 EA")
    look(page, "conflicts")


@pytest.mark.screen("C67")
@pytest.mark.parametrize("watched", [{**THUMB, "permissions": ["geolocation"], "geolocation": {"latitude": 52.520008, "longitude": 13.404954}}], indirect=True)
def test_c67_a_delivery_is_handed_over(watched: Watched, site: Site, tmp_path: Path) -> None:
    """Signed with a finger, with a photo that is made smaller before it is sent, and the place and time of where it happened."""
    Image.effect_noise((4000, 3000), 80).convert("RGB").save(tmp_path / "door.jpg", quality=95)
    page = watched.open("/handover/prove")
    look(page, "on_its_way")
    page.get_by_role("link", name="Miller Ltd").first.click()
    page.get_by_label("Who takes it?").fill("B. Porter")
    box = page.locator("handover-sign canvas")
    box.scroll_into_view_if_needed()
    at = box.bounding_box()
    assert at is not None
    page.mouse.move(at["x"] + 30, at["y"] + 60)
    page.mouse.down()
    for x in range(40, 200, 20):
        page.mouse.move(at["x"] + x, at["y"] + 40 + x % 60)
    page.mouse.up()
    page.get_by_label("Photo").set_input_files(tmp_path / "door.jpg")
    expect(page.locator(".ho-photo canvas")).to_be_visible()
    sent = page.evaluate("[document.getElementById('photo').files[0].size, document.querySelector('[name=signature]').files.length]")
    assert sent[0] < (tmp_path / "door.jpg").stat().st_size / 4
    assert sent[1] == 1
    page.get_by_label("Keep the place as well").check()
    expect(page.locator("[name=latitude]")).to_have_value("52.520008")
    look(page, "proof")
    page.get_by_role("button", name="It is handed over").click()
    expect(page.get_by_text("Handed over to B. Porter.")).to_be_visible()
    (proof,) = rows(site, "SELECT * FROM handover_proof")
    assert (proof["name"], proof["latitude"], proof["longitude"], proof["given_at"] is not None) == ("B. Porter", 52_520_008, 13_404_954, True)
    for name, most in (("signature", 900), ("photo", 1600)):
        picture = page.request.get(f"{site.url}/attachments/files/{proof[name]}").body()
        assert max(Image.open(io.BytesIO(picture)).size) == most
    watched.open(f"/document/{proof['document']}")
    expect(page.get_by_text("52.520008, 13.404954")).to_be_visible()


@pytest.mark.parametrize("watched", [{**THUMB, "java_script_enabled": False}], indirect=True)
def test_everything_can_be_done_without_script(watched: Watched, site: Site, tmp_path: Path) -> None:
    """The same forms, sent one by one: a scan, a lot that is asked for, a photo of a barcode, and the end."""
    (tmp_path / "code.png").write_bytes(base64.b64decode(drawn(FRAME, "ean13").partition(",")[2]))
    watched.expected = (422,)
    page = watched.open(f"/scan/tasks/pick?code={order_of(site, 'D')}")

    def take() -> None:
        with page.expect_navigation():
            page.get_by_role("button", name="Take").click()

    def send(name: str, text: str) -> None:
        page.get_by_label(name).fill(text)
        take()

    send("Barcode or number", GLUE)
    assert "GLUE is tracked by lot" in result(page)
    expect(page.get_by_label("Barcode or number")).to_have_value(GLUE)
    send("Lot or serial number", "G-2")
    assert result(page) == "GLUE G-2 +1 EA"
    page.get_by_label("Photo of the barcode").set_input_files(tmp_path / "code.png")
    take()
    assert result(page) == "I-0 +1 EA"
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Finish").click()
    page.get_by_label("Why less").select_option("not found")
    page.get_by_role("button", name="Finish").click()
    expect(page.locator(".sc-box")).to_contain_text("Picked")


def test_the_device_reads_what_the_server_reads(watched: Watched) -> None:
    """A thousand codes, whole, cut off and spoilt: both say the same of each, and refuse the same."""
    chance = random.Random(7)
    texts = []
    for _ in range(1000):
        parts = [("01", chance.choice((FRAME, WHEEL, GLUE)).zfill(14)), ("17", f"{chance.randrange(1000000):06}"), ("10", f"L{chance.randrange(999)}")]
        parts += [("37", str(chance.randrange(1, 99))), ("21", "S7"), ("3103", "000123"), ("00", "340123450000000017"), ("99", "x"), ("77", "?")]
        chosen = chance.sample(parts, chance.randrange(1, 5))
        loose = "".join(f"({ai}){value}" for ai, value in chosen)
        dense = chance.choice(("", "]C1", "]Q3", "\x1d")) + "".join(ai + value + chance.choice(("\x1d", "\x1d", "")) for ai, value in chosen)
        text = chance.choice((loose, dense, chance.choice((FRAME, "96385074", "4006381333932", "I-1", ""))))
        texts.append(text[: chance.choice((len(text), len(text), chance.randrange(len(text) + 1)))])
    page = watched.open("/scan")
    here = page.evaluate(
        """async (texts) => { const { parse } = await import("/static/scan/codes.js");
        return texts.map((text) => parse(text, 2026)).map((c) => [c.text, c.gtin, c.lot, c.serial, c.expiry, c.quantity, c.sscc, Boolean(c.problem)]); }""",
        texts,
    )
    found = [parse(text, date(2026, 11, 22)) for text in texts]
    there = [[c.text, c.gtin, c.lot, c.serial, str(c.expiry or ""), str(c.quantity or ""), c.sscc, bool(c.problem)] for c in found]
    assert [(t, h, x) for t, h, x in zip(texts, here, there, strict=True) if h != x] == []
    assert sum(c.problem != "" for c in found) > 100
    assert sum(c.gtin != "" for c in found) > 100
