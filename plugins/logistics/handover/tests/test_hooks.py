"""From the ramp to the customer's door: what is loaded, who took it, and that it can't be changed afterwards."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest
from newel.domain.document import Document
from newel.errors import Refused
from newel_attachments import keep as files
from newel_attachments.rules import Upload
from newel_handover import hooks, keep
from newel_handover.keep import Hand
from newel_sdk.kit import Kit
from newel_sdk.testing import ask
from PIL import Image

pytestmark = pytest.mark.plugins("handover", "sales", "inventory", "shipping")


def picture(kind: str, size: tuple[int, int] = (60, 40)) -> bytes:
    """A small picture."""
    out = io.BytesIO()
    Image.new("RGB", size, "white").save(out, kind)
    return out.getvalue()


@pytest.fixture
async def delivery(kit: Kit) -> Document:
    """Give a delivery of two lamps that is picked."""
    await kit.item("LAMP", price=10, cost=5, name="Lamp")
    await kit.stock("LAMP", 5, 25)
    await kit.party("ACME", name="Acme")
    order = await kit.document("sales.order", "ACME", ("LAMP", 2), then=("confirm",))
    return (await kit.follow(order.document.id, "deliver", then=("pick",))).document


def test_hook_register_plugin_stands_on_the_first_page_of_scanning() -> None:
    """Two lists, in the menu and among the tasks of the scanner."""
    made = hooks.register_plugin()
    assert [m.path for m in made.menu] == [b.url for b in made.boxes] == ["/handover/load", "/handover/prove"]
    assert {b.on for b in made.boxes} == {"scan.start"}


async def test_a_picked_delivery_is_loaded_with_its_packages(kit: Kit, delivery: Document) -> None:
    """It leaves one list for the other; the same key does it once; a second time is refused."""
    assert [w.number for w in await keep.waiting(kit.app, kit.context, proved=False)] == [delivery.number]
    sent = await keep.load(kit.app, kit.context, delivery.id, {"packages": 2, "weight": "3.5", "tracking": "T-1"}, "k")
    assert (sent.state, msgspec.to_builtins(sent.data["shipping"])["tracking"]) == ("shipped", "T-1")
    assert await keep.waiting(kit.app, kit.context, proved=False) == []
    assert [w.number for w in await keep.waiting(kit.app, kit.context, proved=True)] == [delivery.number]
    with pytest.raises(Refused) as again:
        await keep.load(kit.app, kit.context, delivery.id, {}, "other")
    assert again.value.status == 409


async def test_hook_load_facts_knows_who_took_a_delivery(kit: Kit, delivery: Document) -> None:
    """Of deliveries alone, and nothing before somebody has."""
    await kit.act(delivery.id, "ship")
    sent = await kit.app.documents.get(delivery.id, kit.context)
    async with kit.app.database.read() as session:
        assert await ask(hooks.load_facts, sent, session, kit.context) is None
    await keep.prove(kit.app, kit.context, delivery.id, Hand(name="B. Porter"))
    async with kit.app.database.read() as session:
        assert (await ask(hooks.load_facts, sent, session, kit.context)).name == "B. Porter"
        assert await ask(hooks.load_facts, msgspec.structs.replace(sent, role="return"), session, kit.context) is None


async def test_hook_propose_panels_shows_who_took_it(kit: Kit, delivery: Document) -> None:
    """Name, time, place, signature and photo stand on the page of the delivery; the files hang on it."""
    await kit.act(delivery.id, "ship")
    at = datetime(2026, 1, 15, 8, 30, tzinfo=UTC)
    photo = Upload("IMG_1.jpg", picture("JPEG", (3000, 2000)))
    degrees = {"latitude": Decimal("52.520008"), "longitude": Decimal("-13.4")}
    await keep.prove(kit.app, kit.context, delivery.id, Hand(name="B. Porter", signature=picture("PNG"), photo=photo, at=at, **degrees))
    found = {f.name: f for f in await files.listed(kit.app, files.DOCUMENT, delivery.id, kit.context)}
    assert set(found) == {"signature.png", "IMG_1.jpg"}
    browser = await kit.browser()
    shown = (await browser.get(f"/document/{delivery.id}")).text
    assert all(text in shown for text in ("B. Porter", "2026-01-15 08:30 UTC", "52.520008, -13.400000", f"/attachments/files/{found['signature.png'].id}"))
    assert await keep.waiting(kit.app, kit.context, proved=True) == []


async def test_a_proof_is_given_once_and_all_that_is_wrong_is_said(kit: Kit, delivery: Document) -> None:
    """Not before it is sent, not without a name, not on Mars, not twice; what is no picture is no photo."""
    with pytest.raises(Refused) as refused:
        await keep.prove(kit.app, kit.context, delivery.id, Hand(name="", latitude=Decimal(91), longitude=Decimal(0)))
    assert [p.code for p in refused.value.problems] == ["handover.state", "handover.name", "handover.position"]
    await kit.act(delivery.id, "ship")
    with pytest.raises(Refused) as fake:
        await keep.prove(kit.app, kit.context, delivery.id, Hand(name="B. Porter", photo=Upload("x.jpg", b"<html>")))
    assert [p.code for p in fake.value.problems] == ["attachments.content"]
    await keep.prove(kit.app, kit.context, delivery.id, Hand(name="B. Porter"))
    with pytest.raises(Refused) as twice:
        await keep.prove(kit.app, kit.context, delivery.id, Hand(name="C. Porter"))
    assert [p.code for p in twice.value.problems] == ["handover.proved"]
    other = msgspec.structs.replace(kit.context, user=msgspec.structs.replace(kit.context.user, permissions=frozenset({"shipping.*"})))
    with pytest.raises(Refused) as denied:
        await keep.prove(kit.app, other, delivery.id, Hand(name="D. Porter"))
    assert denied.value.status == 403


async def test_the_pages_work_as_plain_forms(kit: Kit, delivery: Document) -> None:
    """From the number that was scanned to the proof, without a script."""
    browser = await kit.browser()
    answer = await browser.get("/handover/load", params={"code": delivery.number})
    assert answer.headers["location"] == f"/handover/load/{delivery.id}"
    assert "does not wait here" in (await browser.get("/handover/load", params={"code": "D-nowhere"})).text
    page = (await browser.get(f"/handover/load/{delivery.id}")).text
    token = page.split('name="_csrf_token" value="')[1].split('"')[0]
    answer = await browser.post(f"/handover/load/{delivery.id}", data={"_csrf_token": token, "key": "1", "packages": "1", "weight": "2.5"})
    assert answer.headers["location"] == "/handover/load"
    given = {"_csrf_token": token, "name": "B. Porter", "latitude": "", "longitude": "", "at": ""}
    answer = await browser.post(f"/handover/prove/{delivery.id}", data=given, files={"photo": ("p.jpg", picture("JPEG"), "image/jpeg")})
    assert answer.headers["location"] == "/handover/prove"
    assert "B. Porter" in (await browser.get(f"/handover/prove/{delivery.id}")).text
