"""Each hook of inventory, with no other plugin beside it but (for sales) one that sells."""

from decimal import Decimal

import pytest
from newel import defaults
from newel.domain.document import DocumentInput, LineInput
from newel.errors import Refused
from newel.services.registry import Registry
from newel_inventory import hooks
from newel_inventory.rules import Lying
from newel_sales import hooks as sales
from newel_sdk.testing import ask, item, party, running

D = Decimal
ALONE = {"inventory": hooks}


def test_hook_register_plugin_reserves_whatever_is_a_sale() -> None:
    registry = Registry([defaults.register_plugin(), hooks.register_plugin(), sales.register_plugin()])
    order = registry.kind("sales.order")
    effects = {t.name: t.effects for t in order.transitions}
    assert effects["confirm"] == ("credit", "reserve")
    assert "release" in effects["cancel"]
    assert "release" in effects["close"]
    alone = Registry([defaults.register_plugin(), hooks.register_plugin()])
    assert set(alone.documents) == {"inventory.receipt", "inventory.transfer", "inventory.count"}


async def test_hook_decide_price_and_hook_decide_tax_of_a_receipt(database_url: str) -> None:
    """A receipt comes at its own cost, else at standard cost, and bears no tax."""
    async with running(database_url, ALONE) as (app, context):
        rate = {"code": "VAT20", "name": "VAT", "category": "standard", "country": "DE", "rate": "20"}
        await app.records.save("newel.tax_rate", None, rate, context)
        bolt = await item(app, context, "BOLT", price=10, cost=4)
        lines = (LineInput(item=bolt, quantity=D(10)), LineInput(item=bolt, quantity=D(10), price=D(5)), LineInput(item=bolt, unit="DZN"))
        made = await app.documents.create("inventory.receipt", DocumentInput(lines=lines), context, then=("receive",))
        assert [line.price for line in made.document.lines] == [D(4), D(5), D(48)]
        assert (made.document.gross, [move.value for move in made.moves]) == (D(138), [D(40), D(50), D(48)])
        await app.documents.act(made.document.id, "reverse", context)
        async with app.database.read() as session:
            assert await session.value("SELECT SUM(quantity) + SUM(value) AS n FROM stock_balance") == 0


def test_hook_decide_tax_only_for_receipts() -> None:
    """Shown above; here is its name for the conformance suite, and that nobody else is answered for."""
    from newel.domain.document import Document, Line
    from newel.domain.facts import Facts
    from newel_sdk.testing import TODAY

    bill = Document(id=1, kind="other.bill", role="bill", state="draft", date=TODAY)
    assert ask(hooks.decide_tax, bill, Line(id=1), Facts(), None) is None
    assert ask(hooks.decide_price, bill, Line(id=1), Facts(), None) is None


async def test_hook_load_facts_reads_once_and_nothing_for_a_sale(sqlite_url: str) -> None:
    async with running(sqlite_url, {**ALONE, "sales": sales}) as (app, context):
        goods = [await item(app, context, f"BOLT{n}", price=1, cost=1) for n in range(10)]
        lines = tuple(LineInput(item=i, quantity=D(5)) for i in goods)
        received = await app.documents.create("inventory.receipt", DocumentInput(lines=lines), context, then=("receive",))
        place = received.moves[0].target
        count = (await app.documents.create("inventory.count", DocumentInput(location_from=place, lines=lines), context)).document
        order = (await app.documents.create("sales.order", DocumentInput(lines=lines), context)).document
        async with app.database.read() as session:
            assert await ask(hooks.load_facts, order, session, context) is None
            assert await ask(hooks.load_facts, received.document, session, context) is not None
            assert session.statements == 0
            found = await ask(hooks.load_facts, count, session, context)
            assert session.statements == 1
        assert found.places == {(i, place, None): Lying(D(5), D(5)) for i in goods}


async def test_hook_check_document_says_what_is_free(database_url: str) -> None:
    async with running(database_url, {**ALONE, "sales": sales}) as (app, context):
        bolt = await item(app, context, "BOLT", price=1, cost=1)
        customer = await party(app, context, "ACME")
        entered = DocumentInput(lines=(LineInput(item=bolt, quantity=D(5)),))
        await app.documents.create("inventory.receipt", entered, context, then=("receive",))
        order = DocumentInput(party=customer, lines=(LineInput(item=bolt, quantity=D(3)),))
        assert (await app.documents.create("sales.order", order, context, then=("confirm",))).problems == ()
        outcome = await app.documents.create("sales.order", order, context)
        assert [p.message for p in outcome.problems] == ["3 EA of BOLT wanted, 2 free now"]


async def test_hook_propose_lines_of_a_count(database_url: str) -> None:
    async with running(database_url, ALONE) as (app, context):
        bolt = await item(app, context, "BOLT", price=1, cost=2)
        entered = DocumentInput(lines=(LineInput(item=bolt, quantity=D(5)),))
        receipt = await app.documents.create("inventory.receipt", entered, context, then=("receive",))
        place = receipt.moves[0].target
        count = DocumentInput(location_from=place, lines=(LineInput(item=bolt, quantity=D(7)),))
        made = await app.documents.create("inventory.count", count, context)
        counted, part = made.document.lines
        assert (part.parent, part.key, part.quantity) == (counted.id, "inventory:more", D(2))
        posted = await app.documents.act(made.document.id, "post", context)
        assert [(move.quantity, move.value) for move in posted.moves] == [(D(2), D(4))]


async def test_a_transfer_needs_two_places(sqlite_url: str) -> None:
    async with running(sqlite_url, ALONE) as (app, context):
        bolt = await item(app, context, "BOLT", price=1, cost=2)
        entered = DocumentInput(lines=(LineInput(item=bolt, quantity=D(5)),))
        main = (await app.documents.create("inventory.receipt", entered, context, then=("receive",))).moves[0].target
        with pytest.raises(Refused, match=r"stock\.same"):
            await app.documents.create("inventory.transfer", entered, context, then=("move",))
        second = await app.records.save("newel.location", None, {"code": "SECOND", "name": "Second", "kind": "storage"}, context)
        both = DocumentInput(location_from=main, location_to=second, lines=entered.lines)
        made = await app.documents.create("inventory.transfer", both, context, then=("move",))
        assert ([move.target for move in made.moves], made.entries) == ([second], ())
        async with app.database.read() as session:
            rows = await app.registry.reports["inventory.on_hand"].load(session, {}, context)
            assert [(row["location"], row["quantity"], row["value"]) for row in rows] == [("SECOND", D(5), D(10))]
            assert len(await app.registry.reports["inventory.moves"].load(session, {"item": bolt, "date_to": context.today}, context)) == 2
