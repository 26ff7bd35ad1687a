"""A day in the warehouse, as somebody with a scanner lives it: pick, receive, take back, count, move."""

from __future__ import annotations

import io
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest
import segno
from newel.domain.document import DocumentInput, LineInput
from newel.errors import Refused
from newel_scan import facts, hooks, keep
from newel_scan.facts import StepView
from newel_scan.keep import Given
from newel_scan.pictures import read_codes
from newel_scan.views import task_view
from newel_sdk.kit import Kit

pytestmark = pytest.mark.plugins("scan", "sales", "shipping", "purchasing", "handover")
LAMP, GLUE = "4006381333931", "4006381333948"


@pytest.fixture
async def house(kit: Kit) -> Kit:
    """Give a house with lamps in A-01, drills with serial numbers in A-03, and glue in three lots, one past its day, in B-02."""
    hall = (await kit.rows("SELECT id FROM location WHERE kind = 'storage'"))[0]["id"]
    places = {code: await kit.record("newel.location", code=code, name=f"Bin {code}", parent=hall) for code in ("A-01", "A-03", "B-02")}
    await kit.item("LAMP", price=10, cost=5, name="Lamp", gtin=LAMP)
    await kit.item("GLUE", price=4, cost=2, name="Glue", gtin=GLUE, tracking="lot")
    await kit.item("DRILL", price=90, cost=50, name="Drill", tracking="serial")
    await kit.item("SHADE", price=3, cost=1, name="Shade")
    await kit.record("newel.item_unit", item="LAMP", unit="BOX", factor=6)
    await kit.party("ACME", name="Acme")
    await kit.party("VEND", name="Vendor", is_vendor=True)
    for lot, end in (("G-1", date(2027, 6, 30)), ("G-2", date(2027, 3, 31)), ("G-0", date(2020, 1, 31))):
        await kit.record("newel.lot", item="GLUE", number=lot, date_expiry=end)
    glue = [("GLUE", 6, "G-1", "B-02"), ("GLUE", 4, "G-2", "B-02"), ("GLUE", 2, "G-0", "B-02")]
    come = [("LAMP", 20, "", "A-01"), *glue, ("DRILL", 1, "S-1", "A-03"), ("DRILL", 1, "S-2", "A-03")]
    lines = tuple(LineInput(item=i, quantity=Decimal(q), lot=lot or None, location_to=places[at]) for i, q, lot, at in come)
    await kit.app.documents.create("inventory.receipt", DocumentInput(lines=lines), kit.context, then=("receive",))
    return kit


async def begin(kit: Kit, kind: str, **of: int | None) -> int:
    """Begin a task."""
    return await keep.start(kit.app, kit.context, kind, **of)


async def scanned(kit: Kit, task: int, *codes: str, **more: Any) -> list[StepView]:
    """Scan one after the other; each with a key of its own."""
    made = len(await kit.rows("SELECT id FROM scan_step"))
    return [await keep.step(kit.app, kit.context, task, Given(key=f"k{made + i}", code=code, **more)) for i, code in enumerate(codes)]


def said(steps: list[StepView]) -> list[str]:
    """What came of scans: the state, or the code of the problem."""
    return [s.problem.code if s.problem else s.state for s in steps]


async def balance(kit: Kit, item: str) -> dict[str, int]:
    """What lies where, by place, and lot where there is one."""
    rows = await kit.rows(
        "SELECT l.code, COALESCE(t.number, '') AS lot, b.quantity FROM stock_balance b JOIN item i ON i.id = b.item JOIN location l ON l.id = b.location "
        "LEFT JOIN lot t ON t.id = b.lot WHERE i.number = ? AND b.quantity > 0 AND l.kind = 'storage' ORDER BY l.code, lot",
        item,
    )
    return {f"{r['code']} {r['lot']}".strip(): r["quantity"] // 1_000_000 for r in rows}


async def place(kit: Kit, code: str) -> int:
    """The id of a place."""
    return int((await kit.rows("SELECT id FROM location WHERE code = ?", code))[0]["id"])


def test_hook_register_plugin_has_a_page_and_a_right() -> None:
    """One page in the menu, for who may scan."""
    made = hooks.register_plugin()
    assert [(m.path, m.permission) for m in made.menu] == [("/scan", "scan.work")]
    assert made.needs == ("inventory",)


@pytest.mark.capability("LOG-10")
async def test_an_order_is_picked_and_nothing_bad_goes_with_it(house: Kit) -> None:
    """By the order of the places and what expires first; what is wrong, past its day, unknown or too much is stopped, and is not in the delivery."""
    order = (await house.document("sales.order", "ACME", ("LAMP", 3), ("GLUE", 7), then=("confirm",))).document
    (waits,) = await facts.waiting(house.app, house.context, "pick")
    assert (waits.number, waits.party, waits.lines) == (order.number, "Acme", 2)
    task = await begin(house, "pick", source=order.id)
    assert await begin(house, "pick", source=order.id) == task  # whoever comes second goes on with it
    glue = f"]C101{GLUE.zfill(14)}"
    taken = await scanned(house, task, "A-01", LAMP, LAMP, "LAMP", "B-02", f"{glue}10G-2\x1d3704", f"(01){GLUE.zfill(14)}(10)G-1")
    assert said(taken) == ["place", "ok", "ok", "ok", "place", "ok", "ok"]
    wrong = [LAMP, "SHADE", "NIX", GLUE, f"{glue}10G-0", f"{glue}10G-2", f"{glue[:-1]}910G-1", "A-01", f"{glue}10G-1", "]C100340123450000000017"]
    assert said(await scanned(house, task, *wrong)) == [
        "scan.more", "scan.other", "scan.unknown", "scan.lot", "scan.expired", "scan.short", "scan.unread", "place", "scan.short", "scan.pallet",
    ]  # fmt: skip
    made = await house.app.documents.get(await keep.finish(house.app, house.context, task, reason="too few there"), house.context)
    assert made.state == "picked"
    assert [(x.item and x.item.number, x.quantity) for x in made.lines] == [("LAMP", 3), ("GLUE", 4), ("GLUE", 1)]
    await house.act(made.id, "ship")
    assert await balance(house, "LAMP") == {"A-01": 17}
    assert await balance(house, "GLUE") == {"B-02 G-0": 2, "B-02 G-1": 5}
    (rest,) = await facts.waiting(house.app, house.context, "pick")
    assert (rest.number, rest.lines) == (order.number, 1)  # two of the glue are still owed
    assert await house.verify() == []


async def test_where_to_go_first(house: Kit) -> None:
    """Lines come in the order of their places, and of each item the lot that expires first; what is past its day is not proposed."""
    order = (await house.document("sales.order", "ACME", ("GLUE", 5), ("LAMP", 1), then=("confirm",))).document
    task = await begin(house, "pick", source=order.id)
    async with house.app.database.read() as session:
        found = await task_view(house.app, session, house.context, await facts.task(house.app, session, house.context, task))
    assert [(r["item"], [(p["code"], p["lot"], p["quantity"]) for p in r["places"]]) for r in found["rows"]] == [
        ("LAMP", [("A-01", "", "1")]), ("GLUE", [("B-02", "G-2", "4"), ("B-02", "G-1", "1")]),
    ]  # fmt: skip


async def test_a_scan_counts_once_and_a_task_is_finished_once(house: Kit) -> None:
    """The same key again is answered as before; what comes after the end is refused and kept; less than wanted needs a reason."""
    order = (await house.document("sales.order", "ACME", ("LAMP", 3), then=("confirm",))).document
    task = await begin(house, "pick", source=order.id)
    once = Given(key="same", code=LAMP, quantity=Decimal(2))
    assert await keep.step(house.app, house.context, task, once) == await keep.step(house.app, house.context, task, once)
    (too_much,) = await scanned(house, task, LAMP, quantity=Decimal(-1))
    assert said([too_much]) == ["scan.quantity"]
    with pytest.raises(Refused) as short:
        await keep.finish(house.app, house.context, task)
    assert [p.code for p in short.value.problems] == ["scan.reason"]
    assert said([(await scanned(house, task, LAMP, quantity=Decimal(q)))[0] for q in ("0.0000001", "1e20", "NaN")]) == ["scan.quantity"] * 3
    assert said(await scanned(house, task, "\x00nul\x00", lot="\x00")) == ["scan.unknown"]
    (third,) = await scanned(house, task, LAMP)
    await keep.undo(house.app, house.context, task, third.id)
    made = await keep.finish(house.app, house.context, task, reason="damaged")
    assert await keep.finish(house.app, house.context, task) == made
    assert [x.quantity for x in (await house.app.documents.get(made, house.context)).lines] == [2]
    assert said(await scanned(house, task, LAMP)) == ["scan.late"]
    with pytest.raises(Refused) as ended:
        await keep.drop(house.app, house.context, task)
    assert ended.value.status == 409


async def test_a_draft_is_picked_as_it_is_and_boxes_are_whole(house: Kit) -> None:
    """A delivery that the desk has made: one lot for a line, pieces that make whole boxes; what was not there goes out of it."""
    lines = (LineInput(item="LAMP", quantity=Decimal(2), unit="BOX"), LineInput(item="GLUE", quantity=Decimal(5)), LineInput(item="DRILL", quantity=Decimal(1)))
    order = await house.app.documents.create("sales.order", DocumentInput(party="ACME", lines=lines), house.context, then=("confirm",))
    delivery = (await house.follow(order.document.id, "deliver")).document
    task = await begin(house, "pick", source=delivery.id)
    glue = f"(01){GLUE.zfill(14)}(10)"
    assert said(await scanned(house, task, LAMP, quantity=Decimal(7))) == ["ok"]
    assert said(await scanned(house, task, f"{glue}G-1", f"{glue}G-2")) == ["ok", "scan.lot_second"]
    with pytest.raises(Refused) as part:
        await keep.finish(house.app, house.context, task, reason="no time")
    assert [p.code for p in part.value.problems] == ["scan.part"]
    await scanned(house, task, LAMP, quantity=Decimal(5))
    assert await keep.finish(house.app, house.context, task, reason="no time") == delivery.id
    picked = await house.app.documents.get(delivery.id, house.context)
    assert (picked.state, [(x.quantity, x.unit) for x in picked.lines]) == ("picked", [(2, "BOX"), (1, "EA")])


async def test_serial_numbers_go_out_one_by_one(house: Kit) -> None:
    """Each piece is scanned, none twice, and only what is there."""
    order = (await house.document("sales.order", "ACME", ("DRILL", 2), then=("confirm",))).document
    task = await begin(house, "pick", source=order.id)
    steps = [
        (await scanned(house, task, "DRILL", lot=lot, **more))[0]
        for lot, more in (("S-1", {}), ("S-1", {}), ("S-9", {}), ("S-2", {"quantity": Decimal(2)}), ("S-2", {}))
    ]
    assert said(steps) == ["ok", "scan.twice", "scan.short", "scan.serial", "ok"]
    made = await keep.finish(house.app, house.context, task)
    await house.act(made, "ship")
    assert await balance(house, "DRILL") == {}


async def test_what_was_ordered_comes_in_with_lots_and_their_last_days(house: Kit) -> None:
    """Two lots on one line, into the place whose label was scanned; expired goods are refused; the last days are kept."""
    order = (await house.document("purchasing.order", "VEND", ("GLUE", 10, 2), ("LAMP", 2, 5), then=("send",))).document
    (waits,) = await facts.waiting(house.app, house.context, "receive")
    assert waits.number == order.number
    task = await begin(house, "receive", source=order.id)
    glue = f"(01){GLUE.zfill(14)}"
    steps = await scanned(house, task, "B-02", f"{glue}(10)N-1(17)270930(37)6", f"{glue}(10)N-2(17)271031(37)4", f"{glue}(10)N-3(17)210131", LAMP, "A-01", LAMP)
    assert said(steps) == ["place", "ok", "ok", "scan.expired", "ok", "place", "scan.places"]
    made = await keep.finish(house.app, house.context, task, reason="too few there")
    received = await house.app.documents.get(made, house.context)
    assert (received.state, [x.quantity for x in received.lines]) == ("received", [6, 4, 1])
    assert {k: v for k, v in (await balance(house, "GLUE")).items() if " N-" in k} == {"B-02 N-1": 6, "B-02 N-2": 4}
    ends = await house.rows("SELECT number, date_expiry FROM lot WHERE number LIKE 'N-%' ORDER BY number")
    assert [(r["number"], str(r["date_expiry"])) for r in ends] == [("N-1", "2027-09-30"), ("N-2", "2027-10-31")]


async def test_a_return_comes_in(house: Kit) -> None:
    """What a customer sends back is expected as a draft; less may come."""
    order = (await house.document("sales.order", "ACME", ("LAMP", 4), then=("confirm",))).document
    sent = await house.follow(order.id, "deliver", then=("ship",))
    expected = (await house.follow(sent.document.id, "return")).document
    assert [w.id for w in await facts.waiting(house.app, house.context, "return")] == [expected.id]
    task = await begin(house, "return", source=expected.id)
    await scanned(house, task, "A-03", LAMP, LAMP)
    await keep.finish(house.app, house.context, task, reason="not found")
    assert (await house.app.documents.get(expected.id, house.context)).state == "received"
    assert await balance(house, "LAMP") == {"A-01": 16, "A-03": 2}


async def test_a_place_is_counted_and_posted_by_who_may(house: Kit) -> None:
    """What was scanned is the count; what was not is nought if one says so; the draft shows the differences before anything moves."""
    spot = await place(house, "B-02")
    task = await begin(house, "count", place=spot)
    glue = f"(01){GLUE.zfill(14)}(10)"
    await scanned(house, task, f"{glue}G-1(37)6", f"{glue}G-2(37)3", LAMP)
    made = await keep.finish(house.app, house.context, task, absent=True)
    count = await house.app.documents.get(made, house.context)
    assert count.state == "draft"
    assert [x.text for x in count.lines if x.parent] == ["as it should be", "1 EA missing", "1 EA more than expected", "2 EA missing"]
    assert await balance(house, "LAMP") == {"A-01": 20}
    await house.act(made, "post")
    assert await balance(house, "LAMP") == {"A-01": 20, "B-02": 1}
    assert await balance(house, "GLUE") == {"B-02 G-1": 6, "B-02 G-2": 3}


async def test_goods_move_from_place_to_place(house: Kit) -> None:
    """What lies there goes along, what does not is refused; all of it moves at the end."""
    task = await begin(house, "move", place=await place(house, "A-01"), target=await place(house, "A-03"))
    assert said(await scanned(house, task, LAMP, f"(01){GLUE.zfill(14)}(10)G-1")) == ["ok", "scan.short"]
    assert said(await scanned(house, task, LAMP, quantity=Decimal(4))) == ["ok"]
    made = await keep.finish(house.app, house.context, task)
    assert (await house.app.documents.get(made, house.context)).state == "moved"
    assert await balance(house, "LAMP") == {"A-01": 15, "A-03": 5}
    with pytest.raises(Refused) as same:
        await begin(house, "move", place=await place(house, "A-01"), target=await place(house, "A-01"))
    assert [p.code for p in same.value.problems] == ["scan.where"]


@pytest.mark.capability("LOG-01")
async def test_orders_instruct_the_warehouse_and_the_driver(house: Kit) -> None:
    """Nobody writes or calls: an order stands on the list to pick, with places; picked, on that to load; loaded, on that to hand over, with the address."""
    address = await house.record("newel.address", party="ACME", name="Acme store", street="Dock 4", postcode="10115", city="Berlin", country="DE")
    order = (await house.document("sales.order", "ACME", ("LAMP", 2), then=("confirm",), ship_to=address)).document
    browser = await house.browser()
    assert order.number in (await browser.get("/scan/tasks/pick")).text
    task = await begin(house, "pick", source=order.id)
    assert "A-01" in (await browser.get(f"/scan/task/{task}")).text
    await scanned(house, task, LAMP, LAMP)
    delivery = await house.app.documents.get(await keep.finish(house.app, house.context, task), house.context)
    assert delivery.number in (await browser.get("/handover/load")).text
    await house.act(delivery.id, "ship")
    assert delivery.number not in (await browser.get("/handover/load")).text
    assert delivery.number in (await browser.get("/handover/prove")).text
    assert "Dock 4, 10115 Berlin" in (await browser.get(f"/handover/prove/{delivery.id}")).text


async def test_who_has_no_right_scans_nothing(house: Kit) -> None:
    """Neither without the right to scan, nor as somebody who stands for a party, nor without the right to make the document."""
    order = (await house.document("sales.order", "ACME", ("LAMP", 1), then=("confirm",))).document
    task = await begin(house, "pick", source=order.id)
    plain = msgspec.structs.replace
    for user in ({"permissions": frozenset({"sales.*", "shipping.*"})}, {"party": 1}):
        other = plain(house.context, user=plain(house.context.user, **user))
        with pytest.raises(Refused) as refused:
            await keep.step(house.app, other, task, Given(key="x", code=LAMP))
        assert refused.value.status == 403
    await scanned(house, task, LAMP)
    picker = plain(house.context, user=plain(house.context.user, permissions=frozenset({"scan.work", "sales.order.view"})))
    with pytest.raises(Refused) as refused:
        await keep.finish(house.app, picker, task)
    assert refused.value.status == 403
    assert await house.rows("SELECT id FROM document WHERE role = 'delivery'") == []


async def test_programs_scan_too(house: Kit) -> None:
    """The same scan by the interface; a picture is read there, and what is no picture has no barcode."""
    order = (await house.document("sales.order", "ACME", ("LAMP", 1), then=("confirm",))).document
    task = await begin(house, "pick", source=order.id)
    client = await house.client("scan.work", "sales.order.view")
    sent = {"key": "p1", "code": LAMP, "at": "2026-01-15T09:30:00Z"}
    answers = [(await client.post(f"/api/scan/tasks/{task}/steps", json=sent)).json() for _ in range(2)]
    assert answers[0] == answers[1]
    assert (answers[0]["state"], answers[0]["item"], answers[0]["quantity"]) == ("ok", "LAMP", "1")
    assert read_codes(b"no picture") == []
    drawn = io.BytesIO()
    segno.make_qr(f"(01){LAMP.zfill(14)}(10)L-1").save(drawn, kind="png", scale=6)
    assert read_codes(drawn.getvalue()) == [f"]Q1(01){LAMP.zfill(14)}(10)L-1"]
