"""Each hook of price lists, on both databases; and that a line costs the same however many lines the lists have."""

from decimal import Decimal
from typing import Any

import pytest
from newel.domain.context import Context
from newel.domain.document import DocumentInput, LineInput
from newel.domain.facts import Facts
from newel.services.app import Newel
from newel_pricelists import hooks
from newel_sales import hooks as sales
from newel_sdk.testing import ask, item, party, running

D = Decimal
MODULES = {"pricelists": hooks, "sales": sales}


async def granted(app: Newel, context: Context, customer: int, lines: list[dict[str, Any]], **values: Any) -> int:
    """A price list that the customer has."""
    values = {"code": "OWN", "name": "Own", "currency": "EUR", **values}
    made = await app.records.save("pricelists.list", None, values, context)
    for line in lines:
        await app.records.save("pricelists.line", None, {"price_list": made, **line}, context)
    await app.records.save("pricelists.assignment", None, {"price_list": made, "party": customer}, context)
    return made


async def price(app: Newel, context: Context, customer: int | None, bolt: int, quantity: int = 1, kind: str = "sales.order") -> tuple[Decimal, str]:
    """Price and rule of a line."""
    entered = DocumentInput(party=customer, lines=(LineInput(item=bolt, quantity=D(quantity)),))
    line = (await app.documents.preview(kind, entered, context)).document.lines[0]
    return line.price, line.steps[0].rule


def test_hook_register_plugin() -> None:
    manifest = hooks.register_plugin()
    assert [record.name for record in manifest.records] == ["pricelists.list", "pricelists.line", "pricelists.assignment"]
    assert [report.name for report in manifest.reports] == ["pricelists.partner"]


async def test_hook_decide_price(database_url: str) -> None:
    async with running(database_url, MODULES) as (app, context):
        bolt, nut = await item(app, context, "BOLT", price=10), await item(app, context, "NUT", price=10)
        customer, other = await party(app, context, "ACME"), await party(app, context, "OTHER")
        await granted(app, context, customer, [{"item": bolt, "price": "9"}, {"item": bolt, "price": "8", "quantity_min": "100"}])
        assert await price(app, context, customer, bolt) == (D(9), "OWN")
        assert await price(app, context, customer, bolt, 100) == (D(8), "OWN")
        assert await price(app, context, customer, nut) == (D(10), "list price")
        assert await price(app, context, other, bolt) == (D(10), "list price")
        assert await price(app, context, None, bolt) == (D(10), "list price")


async def test_hook_decide_price_by_class_of_the_customer(database_url: str) -> None:
    async with running(database_url, MODULES) as (app, context):
        bolt = await item(app, context, "BOLT", price=10)
        top = await app.records.save("newel.party_class", None, {"code": "TRADE", "name": "Trade"}, context)
        near = await app.records.save("newel.party_class", None, {"code": "WHOLESALE", "name": "Wholesale", "parent": top}, context)
        customer = await party(app, context, "ACME", party_class=near)
        for code, owner, percent in (("FAR", top, "95"), ("NEAR", near, "90")):
            made = await app.records.save("pricelists.list", None, {"code": code, "name": code, "currency": "EUR"}, context)
            await app.records.save("pricelists.line", None, {"price_list": made, "percent": percent}, context)
            await app.records.save("pricelists.assignment", None, {"price_list": made, "party_class": owner}, context)
        assert await price(app, context, customer, bolt) == (D(9), "NEAR")


async def test_a_change_holds_at_once(database_url: str) -> None:
    async with running(database_url, MODULES) as (app, context):
        bolt = await item(app, context, "BOLT", price=10)
        customer = await party(app, context, "ACME")
        made = await granted(app, context, customer, [{"item": bolt, "price": "9"}])
        assert await price(app, context, customer, bolt) == (D(9), "OWN")
        await app.records.save("pricelists.line", None, {"price_list": made, "item": bolt, "price": "7", "quantity_min": "1"}, context)
        assert await price(app, context, customer, bolt) == (D(7), "OWN")


async def test_hook_load_facts_asks_once_and_never_again(database_url: str) -> None:
    """Two statements for a customer with a large list, none for the next document."""
    async with running(database_url, MODULES) as (app, context):
        bolts = [await item(app, context, f"BOLT{n}", price=10) for n in range(5)]
        customer = await party(app, context, "ACME")
        await granted(app, context, customer, [{"item": bolt, "price": "9", "quantity_min": str(q)} for bolt in bolts for q in range(20)])
        entered = DocumentInput(party=customer, lines=tuple(LineInput(item=bolt) for bolt in bolts))
        order = (await app.documents.create("sales.order", entered, context)).document
        app.database.cache.values.pop("pricelists", None)
        for statements in (3, 1):  # one asks for the versions of all facts; the kernel has asked already when a document is saved
            async with app.database.read() as session:
                found = await ask(hooks.load_facts, order, session, context)
                assert session.statements == statements
            assert found.lines.keys() == {(found.assigned[0].price_list, bolt) for bolt in bolts}
        nobody = (await app.documents.create("sales.order", DocumentInput(lines=entered.lines), context)).document
        async with app.database.read() as session:
            assert await ask(hooks.load_facts, nobody, session, context) is None


async def test_the_price_list_of_a_partner(database_url: str) -> None:
    async with running(database_url, MODULES) as (app, context):
        bolt = await item(app, context, "BOLT", price=10)
        await item(app, context, "NUT", price=4)
        await item(app, context, "SECRET")
        customer = await party(app, context, "ACME")
        await granted(app, context, customer, [{"item": bolt, "price": "9.5"}])
        report = app.registry.reports["pricelists.partner"]
        async with app.database.read() as session:
            rows = await report.load(session, {"party": customer}, context)
        assert [(row["number"], row["unit"], row["price"], row["rule"]) for row in rows] == [
            ("BOLT", "EA", D("9.5"), "OWN"),
            ("NUT", "EA", D(4), "list price"),
        ]


@pytest.mark.parametrize("kind", ["inventory.receipt"])
async def test_what_is_bought_is_not_priced_by_what_is_sold(sqlite_url: str, kind: str) -> None:
    from newel_inventory import hooks as inventory

    async with running(sqlite_url, {**MODULES, "inventory": inventory}) as (app, context):
        bolt = await item(app, context, "BOLT", price=10, cost=4)
        customer = await party(app, context, "ACME")
        await granted(app, context, customer, [{"item": bolt, "price": "9"}])
        assert await price(app, context, customer, bolt, kind=kind) == (D(4), "standard cost")


async def test_hook_propose_panels_names_the_lists_of_the_customer(sqlite_url: str) -> None:
    """In the head of what is sold to them, the one that comes first at the front."""
    async with running(sqlite_url, MODULES) as (app, context):
        customer = await party(app, context, "ACME")
        for code, sequence in (("LATER", 20), ("FIRST", 10)):
            made = await app.records.save("pricelists.list", None, {"code": code, "name": code, "currency": "EUR"}, context)
            await app.records.save("pricelists.assignment", None, {"price_list": made, "party": customer, "sequence": sequence}, context)
        document = (await app.documents.preview("sales.order", DocumentInput(party=customer), context)).document
        async with app.database.read() as session:
            facts = Facts([await ask(hooks.load_facts, document, session, context)])
        (panel,) = ask(hooks.propose_panels, document, facts, context)
        assert (panel.slot, panel.rows) == ("head", (("Price list", "FIRST, LATER"),))
        assert ask(hooks.propose_panels, document, Facts(), context) is None


async def test_the_next_quantity_with_a_better_price_is_named(sqlite_url: str) -> None:
    """Nine from one on, eight from ten on, seven from a hundred on: with six it takes four more; with a hundred nothing better is to be had."""
    async with running(sqlite_url, MODULES) as (app, context):
        customer, bolt = await party(app, context, "ACME"), await item(app, context, "BOLT", price=10)
        lines = [{"item": bolt, "price": p, "quantity_min": q} for p, q in (("9", "0"), ("8", "10"), ("9.5", "50"), ("7", "100"))]
        await granted(app, context, customer, lines)
        found = {}
        for quantity, price_entered in (("6", None), ("20", None), ("100", None), ("6", D(5))):
            entered = LineInput(item=bolt, quantity=D(quantity), price=price_entered)
            document = (await app.documents.preview("sales.order", DocumentInput(party=customer, lines=(entered,)), context)).document
            async with app.database.read() as session:
                facts = Facts([await ask(hooks.load_facts, document, session, context)])
            _head, *panels = ask(hooks.propose_panels, document, facts, context)
            found[f"{quantity} {price_entered}"] = [(p.slot, p.rows[0][0], p.rows[0][1].value, p.rows[1][1].value) for p in panels]
        assert found == {
            "6 None": [("why", "price list OWN, from 10", D(4), D(8))], "20 None": [("why", "price list OWN, from 100", D(80), D(7))],
            "100 None": [], "6 5": [],
        }  # fmt: skip
