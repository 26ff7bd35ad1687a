"""Labels at work: what a scanner reads from the PDF, and who may print them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pypdfium2
import pytest
import zxingcpp
from newel_labels import hooks
from newel_sdk.kit import Kit, kit_on

GTIN = "4006381333931"


@pytest.fixture
async def kit(database_url: str) -> AsyncIterator[Kit]:
    async with kit_on(database_url, ["labels", "shop"]) as made:
        await made.party("C1", name="Žiga Şahin")
        await made.item("BOLT", name="Bolt M8 çelik 螺栓", price=2, gtin=GTIN)
        await made.item("NUT-4711", price=1, name="Nut M8")
        yield made


def scanned(content: bytes) -> list[list[tuple[str, str]]]:
    """(kind, text) of each code on each page of a PDF, as a scanner reads them off the paper (200 dots per inch)."""
    return [[(c.format.name, c.text) for c in zxingcpp.read_barcodes(page.render(scale=200 / 72).to_pil())] for page in pypdfium2.PdfDocument(content)]


def off_the_sheet(content: bytes) -> list[str]:
    """What is read from each of the 24 places of the first A4 sheet."""
    (page,) = pypdfium2.PdfDocument(content)
    dots = 200 / 25.4
    picture, wide, high = page.render(scale=200 / 72).to_pil(), 70 * dots, 35.8 * dots
    places = [(int(x * wide), int(5 * dots + y * high), int((x + 1) * wide), int(5 * dots + (y + 1) * high)) for y in range(8) for x in range(3)]
    return ["".join(c.text for c in zxingcpp.read_barcodes(picture.crop(place))) for place in places]


async def ids(kit: Kit) -> dict[str, int]:
    return {r["number"]: r["id"] for r in await kit.rows("SELECT id, number FROM item")}


def test_hook_register_plugin() -> None:
    manifest = hooks.register_plugin()
    assert [(b.on, b.shared) for b in manifest.boxes] == [("document", False)]


@pytest.mark.screen("C63")
async def test_what_is_printed_can_be_read(kit: Kit) -> None:
    """EAN, Code 128, GS1-128 with a lot, QR, on the roll and on a sheet; the page has the same labels as the PDF."""
    client, item = await kit.client(), await ids(kit)
    some = f"items={item['BOLT']}*2,{item['NUT-4711']}"
    roll = (await client.get(f"/labels/pdf?{some}")).content
    assert scanned(roll) == [[("EAN13", GTIN)], [("EAN13", GTIN)], [("Code128", "NUT-4711")]]
    width, height = pypdfium2.PdfDocument(roll)[0].get_size()
    assert (round(width / 72 * 25.4), round(height / 72 * 25.4)) == (62, 32)
    sheet = (await client.get(f"/labels/pdf?{some}&copies=3&paper=sheet")).content
    assert off_the_sheet(sheet)[:6] == [GTIN, GTIN, "NUT-4711", "NUT-4711", "NUT-4711", ""]
    ((lot,),) = scanned((await client.get("/labels/pdf?numbers=BOLT&lot=L7")).content)
    assert lot[1].replace("\x1d", "") in (f"(01)0{GTIN}(10)L7", f"010{GTIN}10L7")
    (codes,) = scanned((await client.get("/labels/pdf?numbers=NUT-4711&layout=qr")).content)
    assert codes == [("QRCode", "NUT-4711")]
    page = (await client.get(f"/labels?{some}")).text
    assert page.count("<article") == 3
    assert "3 labels" in page
    assert "Bolt M8 çelik 螺栓" in page


@pytest.mark.screen("C63")
async def test_a_delivery_gets_labels_for_goods_and_parcel(kit: Kit) -> None:
    order = (await kit.document("shop.order", "C1", ("BOLT", 5), ("NUT-4711", 1), ("BOLT", 2), then=["confirm"])).document
    client = await kit.client()
    goods = scanned((await client.get(f"/labels/pdf?document={order.id}")).content)
    assert goods == [[("EAN13", GTIN)], [("Code128", "NUT-4711")]], "an item twice on the order has one label"
    parcel = (await client.get(f"/labels/pdf?parcel={order.id}&paper=sheet")).content
    assert scanned(parcel) == [[("Code128", order.number)]]
    words = pypdfium2.PdfDocument(parcel)[0].get_textpage().get_text_bounded()
    assert "Žiga Şahin" in words
    box = (await client.get(f"/labels/of/{order.id}", headers={"hx-request": "true"})).text
    assert f"/labels?document={order.id}" in box
    assert f"/labels?parcel={order.id}" in box


async def test_places_and_the_form(kit: Kit) -> None:
    client = await kit.client()
    (place, *_rest) = await kit.rows("SELECT id, code FROM location WHERE company = ? ORDER BY id", kit.context.company.id)
    assert scanned((await client.get(f"/labels/pdf?places={place['id']}")).content) == [[("Code128", place["code"])]]
    assert 'name="numbers"' in (await client.get("/labels")).text
    await kit.settings("labels", paper="sheet")
    assert 'value="sheet" selected' in (await client.get("/labels")).text


async def test_what_is_wrong_is_said(kit: Kit) -> None:
    client, item = await kit.client(), await ids(kit)
    bolt = item["BOLT"]
    wrong = {"items=1": 404, "numbers=NONE": 404, "places=1": 404, "items=x": 422, f"items={bolt}&copies=0": 422, f"items={bolt}&layout=x": 422,
             f"items={bolt}*99,{bolt}*99&copies=x": 422, "document=1": 404, f"items={bolt}&lot={'9' * 30}": 422}  # fmt: skip
    for query, status in wrong.items():
        assert (await client.get(f"/labels/pdf?{query}")).status_code == status, query
    nobody = (await kit.document("shop.receipt", None, ("BOLT", 1))).document.id
    assert (await client.get(f"/labels?parcel={nobody}")).status_code == 422


async def test_who_may(kit: Kit) -> None:
    """Without the right to see items there are no labels of them."""
    blind, item = await kit.client("shop.order.view"), await ids(kit)
    assert (await blind.get(f"/labels?items={item['BOLT']}")).status_code == 403
    assert (await blind.get("/labels?numbers=BOLT")).status_code == 403
    order = (await kit.document("shop.order", "C1", ("BOLT", 5))).document.id
    assert (await blind.get(f"/labels?document={order}")).status_code == 403
    assert (await blind.get(f"/labels?parcel={order}")).status_code in (200, 422)
