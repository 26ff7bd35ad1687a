"""Each hook of shipping; what it delivers is whatever is a sale."""

from decimal import Decimal
from typing import Any

import pytest
from newel import defaults
from newel.domain.context import Context
from newel.domain.document import Document, DocumentInput, LineInput
from newel.domain.facts import Facts
from newel.errors import Refused
from newel.services.app import Newel
from newel.services.registry import Registry
from newel_inventory import hooks as inventory
from newel_sales import hooks as sales
from newel_sdk.testing import ask, item, party, running
from newel_shipping import hooks

D = Decimal
MODULES = {"shipping": hooks, "sales": sales, "inventory": inventory}


async def order(app: Newel, context: Context, **header: Any) -> Document:
    """A confirmed order of ten, with twenty in stock."""
    bolt = await item(app, context, "BOLT", price=10, cost=4)
    received = DocumentInput(lines=(LineInput(item=bolt, quantity=D(20)),), location_to=header.get("location_from"))
    await app.documents.create("inventory.receipt", received, context, then=("receive",))
    entered = DocumentInput(party=await party(app, context, "ACME"), lines=(LineInput(item=bolt, quantity=D(10)),), **header)
    return (await app.documents.create("sales.order", entered, context, then=("confirm",))).document


def test_hook_register_plugin_meets_sales_by_their_role() -> None:
    registry = Registry([defaults.register_plugin(), hooks.register_plugin(), sales.register_plugin()])
    assert "deliver" in [flow.name for flow in registry.flows_from(registry.kind("sales.order"))]
    text = " ".join([str(flow) for flow in hooks.FLOWS])
    assert "sales." not in text


async def test_hook_load_facts(sqlite_url: str) -> None:
    async with running(sqlite_url, MODULES) as (app, context):
        carrier = await app.records.save("shipping.carrier", None, {"code": "POST", "name": "Post"}, context)
        await app.records.save("shipping.method", None, {"code": "STD", "name": "Standard", "carrier": carrier}, context)
        header = DocumentInput(data={"shipping": {"method": "STD", "tracking": "42"}})
        made = await app.documents.follow((await order(app, context)).id, "deliver", context, input=header)
        async with app.database.read() as session:
            found = await hooks.load_facts(made.document, session, context)
        assert found.methods["STD"].carrier == "Post"


async def test_hook_check_document_refuses_an_unknown_way(sqlite_url: str) -> None:
    async with running(sqlite_url, MODULES) as (app, context):
        header = DocumentInput(data={"shipping": {"method": "AIR"}})
        with pytest.raises(Refused, match=r"shipping\.method"):
            await app.documents.follow((await order(app, context)).id, "deliver", context, input=header)


async def test_hook_propose_panels(sqlite_url: str) -> None:
    async with running(sqlite_url, MODULES) as (app, context):
        header = DocumentInput(data={"shipping": {"tracking": "42"}})
        made = await app.documents.follow((await order(app, context)).id, "deliver", context, input=header)
        (panel,) = hooks.propose_panels(made.document, Facts(), context)
        assert panel.rows == (("Tracking number", "42"),)


async def test_hook_decide_source_and_hook_decide_target_of_a_return(database_url: str) -> None:
    """Goods that were sent from a second warehouse come back there, from the customer."""
    async with running(database_url, MODULES) as (app, context):
        second = await app.records.save("newel.location", None, {"code": "SECOND", "name": "Second", "kind": "storage"}, context)
        sold = await order(app, context, location_from=second)
        sent = await app.documents.follow(sold.id, "deliver", context, then=("ship",))
        assert [move.source for move in sent.moves] == [second]
        back = await app.documents.follow(sent.document.id, "return", context, then=("receive",))
        assert [(move.source, move.target, move.quantity) for move in back.moves] == [(sent.moves[0].target, second, D(10))]


def test_hook_decide_target_answers_for_returns_only() -> None:
    from newel.domain.document import Line
    from newel.domain.facts import Facts
    from newel_sdk.testing import TODAY

    delivery = Document(id=1, kind="shipping.delivery", role="delivery", state="draft", date=TODAY, location_from=5)
    assert ask(hooks.decide_target, delivery, Line(id=1), Facts(), None) is None
    assert ask(hooks.decide_source, delivery, Line(id=1), Facts(), None) is None


async def test_a_cancelled_delivery_is_open_again(database_url: str) -> None:
    async with running(database_url, MODULES) as (app, context):
        sold = await order(app, context)
        made = await app.documents.follow(sold.id, "deliver", context)
        with pytest.raises(Refused, match=r"flow\.nothing"):
            await app.documents.follow(sold.id, "deliver", context)
        await app.documents.act(made.document.id, "cancel", context)
        again = await app.documents.follow(sold.id, "deliver", context, then=("ship",))
        assert again.document.lines[0].quantity == 10
        assert (await app.documents.get(sold.id, context)).state == "done"
        await app.documents.act(again.document.id, "reverse", context)
        assert (await app.documents.get(sold.id, context)).state == "confirmed"


async def test_the_usual_carrier_of_a_customer_stands_in_the_head(sqlite_url: str) -> None:
    """Of an order while it is typed, and of a delivery that names no other; another customer has none."""
    async with running(sqlite_url, MODULES) as (app, context):
        carrier = await app.records.save("shipping.carrier", None, {"code": "POST", "name": "Post"}, context)
        method = await app.records.save("shipping.method", None, {"code": "STD", "name": "Standard", "carrier": carrier}, context)
        made = await order(app, context)
        assert made.party
        await app.records.save("shipping.usual", None, {"party": made.party.id, "method": method}, context)
        other = DocumentInput(party=await party(app, context, "OTHER"))
        delivery = (await app.documents.follow(made.id, "deliver", context)).document
        nobody = (await app.documents.preview("sales.order", other, context)).document
        async with app.database.read() as session:
            found = [await hooks.load_facts(document, session, context) for document in (made, delivery, nobody)]
        shown = [hooks.propose_panels(d, Facts([f]), context) for d, f in zip((made, delivery, nobody), found, strict=True)]
        assert [[(p.slot, p.rows) for p in panels] for panels in shown] == [[("head", (("Carrier", "Post · Standard"),))]] * 2 + [[]]
