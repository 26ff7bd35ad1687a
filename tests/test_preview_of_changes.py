"""Looking at a change shows what the change will give, to the last digit, also of what a document has from elsewhere."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import msgspec
from newel.domain.context import Context
from newel.domain.document import Document, DocumentInput, LineInput, ScheduleInput
from newel.services.app import Newel
from newel.services.entered import as_input
from newel_sdk.kit import modules
from newel_sdk.testing import TODAY, item, party, running

PLUGINS = ("kits", "promotions", "pricelists", "sales", "inventory", "shipping")


async def _company(app: Newel, context: Context) -> None:
    """A kit of two parts, a gift with every second bell, a tenth off for the customer."""
    save = app.records.save
    await party(app, context, "ACME")
    for number, price in (("BIKE", None), ("FRAME", "300"), ("WHEEL", "45.55"), ("BELL", "9.90"), ("CARD", "1")):
        await item(app, context, number, price=price, cost="1")
    kit = await save("kits.kit", None, {"item": "BIKE", "price_mode": "parts"}, context)
    for n, (part, quantity) in enumerate((("FRAME", "1"), ("WHEEL", "2"))):
        await save("kits.component", None, {"kit": kit, "item": part, "quantity": quantity, "sequence": n}, context)
    group = await save("promotions.group", None, {"code": "ALL", "name": "All", "policy": "stack"}, context)
    gift = {"code": "CARD", "name": "A card", "promotion_group": group, "gift": "CARD", "gift_each": "2", "active": True}
    await save("promotions.scope", None, {"promotion": await save("promotions.promotion", None, gift, context), "item": "BELL"}, context)
    ten = {"code": "TEN", "name": "Ten off", "promotion_group": group, "percent": "10", "active": True}
    await save("promotions.scope", None, {"promotion": await save("promotions.promotion", None, ten, context), "party": "ACME"}, context)


def _plain(document: Document) -> Any:
    """Without what only writing gives: the version, and ids of lines that are new."""
    order = {line.id: n for n, line in enumerate(document.lines)}
    lines = [msgspec.structs.replace(x, id=0, parent=order.get(x.parent), schedules=()) for x in document.lines]
    schedules = [[(s.quantity, s.date_requested) for s in x.schedules] for x in document.lines]
    return msgspec.structs.replace(document, version=0, lines=tuple(lines)), schedules


async def _same(app: Newel, document: Document, wanted: DocumentInput, context: Context) -> Document:
    """Look at a change, then make it; returns the changed document."""
    shown = (await app.documents.preview(document.kind, wanted, context, id=document.id)).document
    kept = (await app.documents.update(document.id, document.version, wanted, context)).document
    assert _plain(shown) == _plain(kept)
    return kept


async def test_a_preview_of_a_change_shows_what_the_change_gives(database_url: str) -> None:
    """A quotation with a kit, a gift, scheduled deliveries; the order made from it, with its prices and its parts; each changed twice."""
    async with running(database_url, modules(PLUGINS)) as (app, context):
        await _company(app, context)
        schedules = (ScheduleInput(quantity=D(1), date_requested=TODAY), ScheduleInput(quantity=D(3), date_requested=TODAY))
        lines = (
            LineInput(item="BIKE", quantity=D(2)), LineInput(item="BELL", quantity=D(5)), LineInput(item="WHEEL", quantity=D(4), schedules=schedules),
            LineInput(kind="charge", text="Wrapping", price=D("3.333"), discount=D("2.5")), LineInput(kind="text", text="Thank you"),
        )  # fmt: skip
        made = (await app.documents.create("sales.quotation", DocumentInput(party="ACME", lines=lines), context)).document
        assert [x.item.number for x in made.lines if x.item] == ["BIKE", "FRAME", "WHEEL", "BELL", "CARD", "WHEEL"]
        quotation = await _same(app, made, _with(made, "BELL", D(8)), context)
        assert [x.quantity for x in quotation.lines if x.item and x.item.number == "CARD"] == [D(4)]
        await app.documents.act(quotation.id, "send", context)
        order = (await app.documents.follow(quotation.id, "order", context)).document
        changed = await _same(app, order, _with(order, "BIKE", D(3)), context)
        assert [x.quantity for x in changed.lines if x.item and x.item.number == "FRAME"] == [D(3)]
        entered = as_input(changed)
        await _same(app, changed, msgspec.structs.replace(entered, lines=entered.lines[1:]), context)


def _with(document: Document, number: str, quantity: D) -> DocumentInput:
    """The document as entered, with another quantity of an item."""
    entered = as_input(document)
    found = {x.id for x in document.lines if x.item and x.item.number == number}
    return msgspec.structs.replace(entered, lines=tuple(msgspec.structs.replace(x, quantity=quantity) if x.id in found else x for x in entered.lines))
