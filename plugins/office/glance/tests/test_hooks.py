"""Each hook at work: what stands below a line, beside a sale, and for whom."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from newel.domain.document import DocumentInput, LineInput
from newel.services import pages
from newel_glance import hooks
from newel_sdk.kit import Kit

D = Decimal
pytestmark = pytest.mark.plugins("glance", "sales", "inventory", "purchasing")


async def shown(kit: Kit, quantity: str, context: Any = None, **header: Any) -> dict[str, dict[str, str]]:
    """Panels of an order of so many lamps that is being typed: title -> label -> value."""
    lines = (LineInput(item="LAMP", quantity=D(quantity)),)
    outcome = await kit.app.documents.preview("sales.order", DocumentInput(party="ACME", lines=lines, **header), kit.context)
    async with kit.app.database.read() as session:
        found = await pages.panels(kit.app, session, outcome.document, context or kit.context)
    return {p.title: {"text": p.text} | {label: str(getattr(v, "value", v)) for label, v in p.rows} for plugin, p in found if plugin == "glance"}


async def lamps(kit: Kit) -> None:
    await kit.party("ACME")
    await kit.item("LAMP", price=50, cost=30)
    await kit.stock("LAMP", 7, 210)


async def test_hook_load_facts_looks_only_at_sales_that_are_entered(kit: Kit) -> None:
    """Four free lamps are enough for four; an order that is confirmed shows nothing of it any more."""
    await lamps(kit)
    assert D((await shown(kit, "4"))["Stock"]["Free"]) == 7
    done = await kit.document("sales.order", "ACME", LineInput(item="LAMP", quantity=D(2)), then=["confirm"])
    async with kit.app.database.read() as session:
        found = await pages.panels(kit.app, session, done.document, kit.context)
    assert [plugin for plugin, _panel in found if plugin == "glance"] == []


async def test_hook_propose_panels_says_when_and_to_whom(kit: Kit) -> None:
    """What is not here comes by a purchase; a date before that is too early. The margin is for those who may see it."""
    await lamps(kit)
    before = (await shown(kit, "9"))["Stock"]
    assert before["On its way"] == "0" and "All of it" not in before
    soon = kit.context.today.replace(year=kit.context.today.year + 1)
    line = LineInput(item="LAMP", quantity=D(40), price=D(30))
    await kit.app.documents.create("purchasing.order", DocumentInput(party="ACME", date_requested=soon, lines=(line,)), kit.context, then=("send",))
    found = await shown(kit, "9", date_requested=kit.context.today)
    assert found["Stock"] | {"text": ""} == {"text": "", "Free": "7", "All of it": soon.isoformat(), "On its way": "40"}
    assert found["Stock"]["text"] == "later than asked for"
    assert (D(found["Margin"]["Cost"]), D(found["Margin"]["Margin"])) == (D(270), D(180))
    clerk = msgspec.structs.replace(kit.context.user, permissions=frozenset({"sales.order.view"}))
    assert "Margin" not in await shown(kit, "9", msgspec.structs.replace(kit.context, user=clerk))


def test_hook_register_plugin() -> None:
    """It stores nothing, and has one right."""
    manifest = hooks.register_plugin()
    assert not manifest.tables
    assert [name for name, _text in manifest.permissions] == [hooks.MARGIN]
