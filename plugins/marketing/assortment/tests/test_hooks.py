"""Each hook at work: what is offered while somebody types, what is refused, and what is sent instead; on both databases."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from newel.domain.document import Document, DocumentInput, LineInput
from newel.errors import Refused, Severity
from newel.manifest import Offer, Panel
from newel.services import pages
from newel.services.entered import as_input
from newel_assortment import hooks
from newel_sdk.kit import Kit

D = Decimal
pytestmark = pytest.mark.plugins("assortment", "sales", "inventory", "shipping", "invoicing")


async def goods(kit: Kit) -> dict[str, int]:
    """A lamp and two that can stand for it, with bulbs that it needs and a shade that goes with it. Seven lamps, forty of each other."""
    await kit.party("ACME")
    prices = {"LAMP": 50, "LAMP-2": 60, "LAMP-3": 20, "BULB": 2, "SHADE": 9, "CABLE": 1}
    made = {number: await kit.item(number, price=price, cost=1) for number, price in prices.items()}
    for number in made:
        await kit.stock(number, 7 if number == "LAMP" else 40, 40)
    return made


async def goes(kit: Kit, made: dict[str, int], other: str, kind: str, **more: Any) -> None:
    values = {"item": made["LAMP"], "other": made[other], "kind": kind, **more}
    await kit.app.records.save("assortment.association", None, values, kit.context)


async def offered(kit: Kit, *lines: LineInput, kind: str = "sales.order") -> list[Panel]:
    """What stands below the lines of a document that is being typed."""
    outcome = await kit.app.documents.preview(kind, DocumentInput(party="ACME", lines=lines), kit.context)
    return await shown(kit, outcome.document)


async def shown(kit: Kit, document: Document) -> list[Panel]:
    async with kit.app.database.read() as session:
        found = await pages.panels(kit.app, session, document, kit.context)
    return [panel for plugin, panel in found if plugin == "assortment"]


def what(offer: Offer) -> str:
    """The offer as somebody reads it."""
    said = offer.what if isinstance(offer.what, str) else f"{offer.what.value} {offer.what.unit}"
    return offer.label % {"what": said} + "".join(f", {label} {getattr(value, 'value', value)}" for label, value in offer.rows)


def line(item: str, quantity: str = "1", **more: Any) -> LineInput:
    return LineInput(item=item, quantity=D(quantity), **more)


async def test_hook_propose_panels_offers_substitutes_for_what_is_short(kit: Kit) -> None:
    """Seven are there: for seven nothing is offered; for eight, in order, what can stand for it, with price and what is free of it."""
    made = await goods(kit)
    await goes(kit, made, "LAMP-3", "substitute", quantity=3, sequence=20)
    await goes(kit, made, "LAMP-2", "substitute", sequence=10)
    assert await offered(kit, line("LAMP", "7")) == []
    (panel,) = await offered(kit, line("LAMP", "8"))
    assert [what(o) for o in panel.offers] == ["Take LAMP-2 Lamp-2, Free 40, List price 60", "Take LAMP-3 Lamp-3, Free 40, List price 20"]
    assert [o.values.get("quantity") for o in panel.offers] == [None, 24]
    (panel,) = await offered(kit, line("LAMP", "20"))
    assert [o.values["item"] for o in panel.offers] == ["LAMP-2", "LAMP-3"]
    (panel,) = await offered(kit, line("LAMP", "41"))  # there are no 41 of either, so the order is the declared one
    assert [o.values["item"] for o in panel.offers] == ["LAMP-2", "LAMP-3"]
    (panel,) = await offered(kit, line("LAMP-2", "35"), line("LAMP", "8"))
    assert [o.values["item"] for o in panel.offers] == ["LAMP-3", "LAMP-2"]  # five are left of the first one, and 24 of the other would do
    assert await offered(kit, line("LAMP", "5")) == []
    assert len(await offered(kit, line("LAMP", "5"), line("LAMP", "5"))) == 1  # the first line takes five of the seven


async def test_an_item_that_runs_out_always_offers_them(kit: Kit) -> None:
    """It is there, and will not come again."""
    made = await goods(kit)
    await goes(kit, made, "LAMP-2", "substitute")
    await kit.record("assortment.ordering", item=made["LAMP"], runs_out=True)
    (panel,) = await offered(kit, line("LAMP"))
    assert panel.text == "it runs out"
    await kit.app.records.save("newel.item", made["LAMP-2"], {"active": False}, kit.context)
    assert await offered(kit, line("LAMP")) == []  # nobody can order that one


async def test_hook_load_facts_takes_the_next_quantities_below_and_above(kit: Kit) -> None:
    """Sold in sixes, twelve at least: seven becomes twelve, fifteen becomes twelve or eighteen; in boxes where they come out even."""
    made = await goods(kit)
    await kit.record("assortment.ordering", item=made["BULB"], quantity_min=12, quantity_step=6)
    await kit.record("newel.item_unit", item=made["BULB"], unit="BOX", factor=12)
    quantities = {}
    for typed, unit in (("7", ""), ("12", ""), ("15", ""), ("0.5", "BOX"), ("1.75", "BOX")):
        found = await offered(kit, line("BULB", typed, unit=unit))
        quantities[f"{typed}{unit}"] = [what(o) for panel in found for o in panel.offers]
    assert quantities == {
        "7": ["Make it 12 EA"], "12": [], "15": ["Make it 12 EA", "Make it 18 EA"], "0.5BOX": ["Make it 1 BOX"], "1.75BOX": ["Make it 18 EA", "Make it 2 BOX"],
    }  # fmt: skip


async def test_hook_check_document_refuses_quantities_that_are_not_sold(kit: Kit) -> None:
    """A strict rule stops the order and the quotation, not the draft; a loose one is a note. The problem says what would do."""
    made = await goods(kit)
    await kit.record("assortment.ordering", item=made["BULB"], quantity_min=12, quantity_step=6)
    await kit.record("assortment.ordering", item=made["CABLE"], quantity_min=10, strict=False)
    draft = await kit.document("sales.order", "ACME", line("BULB", "7"), line("CABLE", "3"))
    assert [(p.code, p.severity, p.where) for p in draft.problems] == [("assortment.quantity", Severity.NOTE, "lines[1].quantity")]
    with pytest.raises(Refused) as refused:
        await kit.act(draft.document.id, "confirm")
    (problem,) = refused.value.problems
    assert (problem.message, problem.hint) == ("BULB is sold from 12 EA on, got 7 EA", "make it 12 EA")
    with pytest.raises(Refused):
        await kit.document("sales.quotation", "ACME", line("BULB", "7"), then=["send"])
    await kit.document("sales.order", "ACME", line("BULB", "18"), line("CABLE"), then=["confirm"])


@pytest.mark.capability("PRC-14")
async def test_what_goes_with_an_item_is_suggested(kit: Kit) -> None:
    """When an item is ordered, what goes with it stands below its line, with its price, until it has been added or nobody wants it."""
    made = await goods(kit)
    await goes(kit, made, "SHADE", "suggested")
    (panel,) = await offered(kit, line("LAMP", "2"))
    (offer,) = panel.offers
    assert what(offer) == "Add SHADE Shade, Free 40, List price 9"
    assert (offer.adds, offer.values) == (True, {"item": "SHADE", "quantity": D(2)})
    assert await offered(kit, line("LAMP", "2"), line("SHADE")) == []
    await kit.document("sales.order", "ACME", line("LAMP", "2"), then=["confirm"])  # it goes without


@pytest.mark.capability("PRC-15")
async def test_an_order_is_not_completed_without_what_is_required(kit: Kit) -> None:
    """Three bulbs for each lamp: an order of two lamps is not confirmed without six of them; what lacks is one click away."""
    made = await goods(kit)
    await goes(kit, made, "BULB", "required", quantity=3)
    draft = await kit.document("sales.order", "ACME", line("LAMP", "2"), line("BULB", "4"))
    with pytest.raises(Refused) as refused:
        await kit.act(draft.document.id, "confirm")
    (problem,) = refused.value.problems
    assert (problem.code, problem.where, problem.hint) == ("assortment.required", "lines[0].item", "add 2 EA of BULB")
    (panel,) = await shown(kit, draft.document)
    assert [o.values for o in panel.offers] == [{"item": "BULB", "quantity": D(2)}]
    more = (*as_input(draft.document).lines, line("BULB", "2"))
    await kit.app.documents.update(draft.document.id, draft.document.version, DocumentInput(party="ACME", lines=more), kit.context)
    done = await kit.act(draft.document.id, "confirm")
    assert done.document.phase == "open"


async def sent(kit: Kit, delivery: Document, other: str) -> Document:
    """The delivery with another item in its first line, not yet on its way."""
    entered = as_input(delivery)
    lines = (msgspec.structs.replace(entered.lines[0], item=other, text=""), *entered.lines[1:])
    return (await kit.app.documents.update(delivery.id, delivery.version, msgspec.structs.replace(entered, lines=lines), kit.context)).document


@pytest.mark.capability("PRC-16")
async def test_substitutes_are_proposed_and_authorised_when_goods_are_sent(kit: Kit) -> None:
    """Ten lamps were ordered and seven are there: the delivery proposes what may be sent instead, and takes that, and nothing else."""
    made = await goods(kit)
    await goes(kit, made, "LAMP-2", "substitute", shipped=True)
    await goes(kit, made, "LAMP-3", "substitute")
    order = (await kit.document("sales.order", "ACME", line("LAMP", "10"), then=["confirm"])).document
    delivery = (await kit.follow(order.id, "deliver")).document
    (panel,) = await shown(kit, delivery)
    assert [what(o) for o in panel.offers] == ["Take LAMP-2 Lamp-2, Free 40"]
    with pytest.raises(Refused) as refused:
        await sent(kit, delivery, "CABLE")
    assert refused.value.problems[0].code == "assortment.other"
    unasked = await sent(kit, delivery, "LAMP-3")
    with pytest.raises(Refused) as refused:
        await kit.act(unasked.id, "ship")
    assert [(p.code, p.severity) for p in refused.value.problems] == [("assortment.unauthorised", Severity.OVERRIDE)]
    instead = await sent(kit, unasked, "LAMP-2")
    assert [p.message for p in (await kit.act(instead.id, "ship")).problems] == ["LAMP-2 is sent instead of LAMP"]
    done = await kit.app.documents.get(order.id, kit.context)
    assert done.lines[0].quantity_open("delivered") == 0
    assert {r["number"]: r["quantity"] for r in await left(kit)} == {"LAMP": 7, "LAMP-2": 30, "LAMP-3": 40, "BULB": 40, "SHADE": 40, "CABLE": 40}
    bill = (await kit.follow(instead.id, "invoice_delivery", then=["post"])).document
    assert (bill.lines[0].item.number, bill.net) == ("LAMP-2", D(500))  # at the price of what was ordered
    assert await kit.verify() == []


async def test_somebody_with_the_right_may_send_what_nobody_has_authorised(kit: Kit) -> None:
    """It is recorded that they went over it."""
    made = await goods(kit)
    await goes(kit, made, "LAMP-3", "substitute")
    order = (await kit.document("sales.order", "ACME", line("LAMP", "2"), then=["confirm"])).document
    delivery = await sent(kit, (await kit.follow(order.id, "deliver")).document, "LAMP-3")
    boss = msgspec.structs.replace(kit.context, overrides=frozenset({"assortment.unauthorised"}))
    assert (await kit.app.documents.act(delivery.id, "ship", boss)).document.phase == "done"


async def left(kit: Kit) -> list[dict[str, Any]]:
    """Pieces of each item in the warehouse."""
    sql = """SELECT i.number, SUM(b.quantity) / 1000000 AS quantity FROM stock_balance b JOIN item i ON i.id = b.item
              JOIN location l ON l.id = b.location WHERE l.kind = 'storage' GROUP BY i.number"""
    return await kit.rows(sql)


def test_hook_register_plugin() -> None:
    """Two kinds of record, both parts of an item."""
    manifest = hooks.register_plugin()
    assert [(r.name, r.parent) for r in manifest.records] == [("assortment.association", "item"), ("assortment.ordering", "item")]


async def test_records_that_make_no_sense_are_refused(kit: Kit) -> None:
    """An item that goes with itself, and a minimum between two steps."""
    made = await goods(kit)
    with pytest.raises(Refused) as refused:
        await goes(kit, made, "LAMP", "substitute")
    assert refused.value.problems[0].code == "assortment.itself"
    with pytest.raises(Refused) as refused:
        await kit.record("assortment.ordering", item=made["BULB"], quantity_min=10, quantity_step=6)
    assert refused.value.problems[0].message == "a multiple of 6 was expected, got 10"
