"""Goods of a vendor from their arrival to the vendor's bill, and every way back; on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import msgspec
import newel_inventory.hooks
import newel_purchasing.hooks
import newel_sales.hooks
import newel_shipping.hooks
import newel_vendor_stock.hooks
import pytest
from newel.domain.context import Context
from newel.domain.document import Document, DocumentInput, LineInput, LinkInput
from newel.errors import Refused
from newel.services import pages
from newel.services.app import Newel
from newel.services.verify import verify
from newel.store.columns import AMOUNT, QUANTITY, unscaled
from newel_sdk.testing import TODAY, item, party, running
from newel_vendor_stock.routes import PeriodIn, bill

D = Decimal
PLUGINS = {
    "purchasing": newel_purchasing.hooks,
    "vendor_stock": newel_vendor_stock.hooks,
    "inventory": newel_inventory.hooks,
    "sales": newel_sales.hooks,
    "shipping": newel_shipping.hooks,
}


class Desk:
    """A company with a vendor whose bolts cost 3, while they cost 4 by its own reckoning; and what the tests ask."""

    def __init__(self, app: Newel, context: Context, vendor: int, shelf: int) -> None:
        self.app, self.context, self.vendor, self.shelf, self.do = app, context, vendor, shelf, app.documents

    async def order(self, *lines: LineInput, then: tuple[str, ...] = ("send",), **header: Any) -> Document:
        """An order for ten bolts, or for what is said."""
        entered = DocumentInput(party=self.vendor, lines=lines or (LineInput(item="BOLT", quantity=D(10)),), **header)
        return (await self.do.create("vendor_stock.order", entered, self.context, then=then)).document

    async def go(self, order: Document, flow: str, *parts: Any, then: tuple[str, ...] = ("post",), **header: Any) -> Document:
        """Follow a flow with so much of the first line; all that is open where nothing is said. A part may be (quantity, lot)."""
        links = [LinkInput(line=order.lines[0].id, quantity=D(q), lot=lot) for q, lot in (p if isinstance(p, tuple) else (p, None) for p in parts)]
        return (await self.do.follow(order.id, flow, self.context, lines=links or None, then=then, input=DocumentInput(**header))).document

    async def bill(self, **period: Any) -> list[Document]:
        """What the operation makes of a period."""
        call: Any = SimpleNamespace(newel=self.app, context=self.context, path={"id": self.vendor}, body=PeriodIn(**period))
        return [await self.do.get(id, self.context) for id in await bill.function(call)]

    async def undo(self, document: Document) -> Document:
        """Undo a posted document."""
        return (await self.do.act(document.id, "reverse", self.context)).document

    async def state(self, document: Document) -> str:
        """The state that a document is in by now."""
        return (await self.do.get(document.id, self.context)).state

    async def stock(self) -> dict[str, tuple[Decimal, Decimal]]:
        """Quantity and value of what lies in each kind of place."""
        async with self.app.database.read() as session:
            rows = await session.fetch(
                "SELECT o.kind, CAST(SUM(b.quantity) AS BIGINT) AS q, CAST(SUM(b.value) AS BIGINT) AS v FROM stock_balance b "
                "JOIN location o ON o.id = b.location GROUP BY o.kind"
            )
        return {r["kind"]: (unscaled(r["q"], QUANTITY), unscaled(r["v"], AMOUNT)) for r in rows if r["q"]}

    async def accounts(self) -> dict[str, Decimal]:
        """Debits less credits of each role that is not even."""
        async with self.app.database.read() as session:
            rows = await session.fetch("SELECT role, CAST(SUM(debit - credit) AS BIGINT) AS n FROM posting GROUP BY role")
        return {r["role"]: unscaled(r["n"], AMOUNT) for r in rows if r["n"]}

    async def sums(self, order: Document) -> tuple[Decimal, Decimal, Decimal, Decimal]:
        """(arrived, here, used, returned) of an order; they agree with what lies in the vendor's place, and stock with its account."""
        found = await self.do.get(order.id, self.context)
        arrived, used, returned = (sum((x.stages[k].done for x in found.lines if k in x.stages), D(0)) for k in ("arrived", "received", "returned"))
        lying = (await self.stock()).get("vendor_owned", (D(0), D(0)))
        assert lying == (arrived - used - returned, 0), "what is the vendor's has no value for us"
        assert sum(v for _, v in (await self.stock()).values()) == (await self.accounts()).get("stock", D(0))
        return arrived, lying[0], used, returned

    async def report(self, name: str, context: Context | None = None, **parameters: Any) -> list[dict[str, Any]]:
        """The rows of a report; each has every declared column."""
        report = self.app.registry.reports[f"vendor_stock.{name}"]
        async with self.app.database.read() as session:
            rows = await report.load(session, parameters, context or self.context)
        assert all(column.name in row for row in rows for column in report.columns)
        return rows


@asynccontextmanager
async def desk(url: str, inside: bool = False, **company: Any) -> AsyncIterator[Desk]:
    """inside: the vendor's shelf is a part of our main warehouse."""
    async with running(url, PLUGINS, **company) as (app, context):
        save = app.records.save
        bolt = await item(app, context, "BOLT", price=10, cost=4)
        await item(app, context, "DRILL", price=90, cost=50, tracking="serial")
        await item(app, context, "GLUE", price=9, cost=5, tracking="lot")
        await save("newel.tax_rate", None, {"code": "VAT20", "name": "VAT 20 %", "category": "standard", "country": "DE", "rate": "20"}, context)
        await save("newel.currency_rate", None, {"currency": "USD", "rate": "0.9", "date_from": TODAY - timedelta(days=30)}, context)
        vendor = await party(app, context, "SUPPLY", terms="NET30")
        await save("purchasing.price", None, {"party": vendor, "item": bolt, "currency": "EUR", "price": "3"}, context)
        async with app.database.read() as session:
            main = await session.value("SELECT id FROM location WHERE kind = 'storage'")
        place = {"code": "SHELF", "name": "Supply's shelf", "kind": "vendor_owned", "owner": vendor, "parent": main if inside else None}
        yield Desk(app, context, vendor, await save("newel.location", None, place, context))
        assert await verify(app) == []


def refusals(refused: pytest.ExceptionInfo[Refused]) -> set[str]:
    return {p.code for p in refused.value.problems if p.severity in ("block", "override")}


def test_hook_register_plugin() -> None:
    manifest = newel_vendor_stock.hooks.register_plugin()
    roles = {kind.name.partition(".")[2]: kind.role for kind in manifest.documents}
    assert roles == {"order": "purchase", "arrival": "transfer", "usage": "receipt", "return": "transfer"}
    assert [(k.name, k.tracked, k.available) for k in manifest.location_kinds] == [("vendor_owned", True, False)], "kept track of, promised to nobody"


async def test_hook_load_facts_leaves_others_alone(database_url: str) -> None:
    """Without goods of vendors, nothing is asked of the database."""
    async with desk(database_url) as here:
        order = await here.order()
        async with here.app.database.read() as session:
            before = session.statements
            assert await newel_vendor_stock.hooks.load_facts(order, session, here.context) is None
            assert session.statements == before


async def test_hook_decide_target_from_the_shelf_to_the_bill(database_url: str) -> None:
    """Ten bolts at 3 come and cost nothing; four and then three are used, one goes back, two stay. The vendor bills what was used, and nothing else."""
    async with desk(database_url) as here:
        order = await here.order()
        assert (order.net, order.lines[0].price) == (30, 3), "the vendor's price, not what we reckon with or sell for"
        await here.go(order, "arrive", 6)
        await here.go(order, "arrive")
        assert await here.sums(order) == (10, 10, 0, 0)
        assert await here.accounts() == {}, "nothing is owed and nothing posted"
        first = await here.go(order, "use", 4)
        assert first.net == 12
        assert await here.stock() == {"vendor_owned": (6, 0), "storage": (4, 12)}
        assert await here.accounts() == {"stock": 12, "goods_received": -12}
        second = await here.go(order, "use", 3)
        await here.go(order, "send_back", 1)
        assert await here.sums(order) == (10, 2, 7, 1)

        outcome = await here.do.follow([first.id, second.id], "bill_usage", here.context, then=["post"])
        assert [p for p in outcome.problems if p.code.startswith("purchasing")] == [], "order, use and bill agree"
        assert (outcome.document.net, outcome.document.tax) == (21, D("4.2"))
        assert await here.accounts() == {"stock": 21, "tax_input": D("4.2"), "payable": D("-25.2")}
        assert [await here.state(d) for d in (first, second, order)] == ["complete", "complete", "sent"]

        await here.go(order, "use")
        assert await here.state(order) == "done"
        assert await here.sums(order) == (10, 0, 9, 1)


async def test_hook_decide_source_each_step_can_be_undone_in_its_turn(database_url: str) -> None:
    async with desk(database_url) as here:
        order = await here.order()
        arrival = await here.go(order, "arrive")
        usage = await here.go(order, "use", 4)
        returned = await here.go(order, "send_back", 6)
        bill = (await here.do.follow(usage.id, "bill_usage", here.context)).document
        assert await here.state(order) == "done"
        for document in (usage, arrival):
            with pytest.raises(Refused) as refused:
                await here.undo(document)
            assert "vendor_stock.gone_on" in refusals(refused), "a bill is being entered; a part has been used"
        await here.do.act(bill.id, "post", here.context)
        await here.undo(bill)
        assert await here.state(usage) == "posted"
        await here.undo(usage)
        assert await here.sums(order) == (10, 4, 0, 6)
        assert await here.state(order) == "sent"
        await here.undo(returned)
        assert await here.sums(order) == (10, 10, 0, 0)
        await here.undo(arrival)
        assert await here.sums(order) == (0, 0, 0, 0)
        assert await here.accounts() == {}
        assert await here.stock() == {}


async def test_lots_and_serial_numbers(database_url: str) -> None:
    """Three drills come with their numbers on one document; what is used or goes back is one of them, and no other."""
    async with desk(database_url) as here:
        order = await here.order(LineInput(item="DRILL", quantity=D(3), price=D("33.33")))
        with pytest.raises(Refused) as refused:
            await here.go(order, "arrive", (3, "S-1"))
        assert "vendor_stock.serial" in refusals(refused)
        with pytest.raises(Refused) as refused:
            await here.go(order, "arrive", (1, None))
        assert "lot.missing" in refusals(refused)
        arrival = await here.go(order, "arrive", (1, "S-1"), (1, "S-2"), (1, "S-3"))
        assert [x.quantity for x in arrival.lines] == [1, 1, 1]
        other = await here.order(LineInput(item="DRILL", quantity=D(2), price=D(40)))
        with pytest.raises(Refused) as refused:
            await here.go(other, "arrive", (1, "S-2"))
        assert "vendor_stock.serial" in refusals(refused)
        await here.go(other, "arrive", (1, "S-9"))
        for number in (None, "S-9", "S-77"):
            with pytest.raises(Refused) as refused:
                await here.go(order, "use", (1, number))
            assert "vendor_stock.lot" in refusals(refused), number
        usage = await here.go(order, "use", (1, "S-2"), (1, "S-1"))
        assert (usage.net, (await here.stock())["storage"]) == (D("66.66"), (2, D("66.66")))
        await here.go(order, "send_back", (1, "S-3"))
        assert await here.state(order) == "done"
        await here.go(other, "use", (1, "S-9"))
        assert (await here.stock())["storage"] == (3, D("106.66"))
        glue = await here.order(LineInput(item="GLUE", quantity=D(8), price=D(2)))
        await here.go(glue, "arrive", (5, "L1"), (3, "L2"))
        with pytest.raises(Refused) as refused:
            await here.go(glue, "use", (4, "L2"))
        assert "vendor_stock.lot" in refusals(refused)
        await here.go(glue, "use", (4, "L1"), (3, "L2"))
        assert await here.sums(glue) == (8, 1, 7, 0)


@pytest.mark.parametrize("inside", [False, True])
async def test_goods_of_a_vendor_are_not_sold(database_url: str, inside: bool) -> None:
    """They are not promised, shipped, counted or written off before they are ours; stock never goes below zero; then they cost what was agreed."""
    async with desk(database_url, inside) as here:
        await here.go(await here.order(), "arrive")
        order = await here.do.get((await here.report("goods"))[0]["document"], here.context)
        sale = DocumentInput(party=await party(here.app, here.context, "BUYER"), lines=(LineInput(item="BOLT", quantity=D(5)),))
        made = await here.do.create("sales.order", sale, here.context, then=["confirm"])
        assert "stock.short" in {p.code for p in made.problems}, "nothing of ours is there"
        with pytest.raises(Refused) as refused:
            await here.do.follow(made.document.id, "deliver", here.context, then=["ship"])
        assert refusals(refused) == {"stock.short"}
        line = LineInput(item="BOLT", quantity=D(1))
        for kind, header in (
            ("shipping.delivery", {"location_from": here.shelf, "party": here.vendor}), ("inventory.transfer", {"location_from": here.shelf}),
            ("inventory.count", {"location_from": here.shelf}), ("inventory.receipt", {"location_to": here.shelf}),
        ):  # fmt: skip
            with pytest.raises(Refused) as refused:
                await here.do.create(kind, DocumentInput(lines=(line,), **header), here.context)
            assert "vendor_stock.theirs" in refusals(refused), kind
        await here.go(order, "use", 5)
        await here.do.follow(made.document.id, "deliver", here.context, then=["ship"])
        assert await here.accounts() == {"cogs": 15, "goods_received": -15}
        assert await here.sums(order) == (10, 5, 5, 0)


async def test_hook_check_document_no_more_than_is_here(database_url: str) -> None:
    async with desk(database_url) as here:
        order = await here.order()
        for flow, parts in (("use", (1,)), ("send_back", (1,)), ("arrive", (11,))):
            with pytest.raises(Refused) as refused:
                await here.go(order, flow, *parts)
            assert refusals(refused) & {"vendor_stock.exceeded", "link.exceeded"}, flow
        await here.go(order, "arrive", 6)
        with pytest.raises(Refused) as refused:
            await here.go(order, "use", 4, 3)
        assert "vendor_stock.exceeded" in refusals(refused), "two lines of one document together"
        await here.go(order, "send_back", 5, then=())
        with pytest.raises(Refused) as refused:
            await here.go(order, "use", 2)
        assert "vendor_stock.exceeded" in refusals(refused), "a draft has spoken for the rest"
        await here.go(order, "use", 1)
        with pytest.raises(Refused) as refused:
            await here.do.act(order.id, "close", here.context)
        assert "vendor_stock.still_here" in refusals(refused)
        with pytest.raises(Refused) as refused:
            await here.do.act(order.id, "cancel", here.context)
        assert "purchasing.gone_on" in refusals(refused)
        with pytest.raises(Refused) as refused:
            await here.do.create("vendor_stock.usage", DocumentInput(party=here.vendor, lines=(LineInput(item="BOLT"),)), here.context)
        assert "vendor_stock.order" in refusals(refused)


async def test_a_place_for_each_vendor(database_url: str) -> None:
    """Goods never lie on another vendor's shelf; without a shelf of its own a vendor's goods can't come in."""
    async with desk(database_url) as here:
        other = await party(here.app, here.context, "OTHER")
        with pytest.raises(Refused) as refused:
            await here.do.create("vendor_stock.order", DocumentInput(party=other, location_to=here.shelf, lines=(LineInput(item="BOLT"),)), here.context)
        assert "vendor_stock.place" in refusals(refused)
        order = (await here.do.create("vendor_stock.order", DocumentInput(party=other, lines=(LineInput(item="BOLT"),)), here.context, then=["send"])).document
        with pytest.raises(Refused) as refused:
            await here.go(order, "arrive")
        assert "vendor_stock.place" in refusals(refused)
        place = {"code": "SHELF-2", "name": "Second shelf", "kind": "vendor_owned", "owner": here.vendor}
        second = await here.app.records.save("newel.location", None, place, here.context)
        mine = await here.order()
        await here.go(mine, "arrive", 4)
        await here.go(mine, "arrive", 6, location_to=second)
        usage = await here.go(mine, "use", 5)
        async with here.app.database.read() as session:
            sources = {r["source"] for r in await session.fetch("SELECT source FROM stock_move WHERE document = ?", usage.id)}
        assert sources == {second}, "it is taken from where most lies"
        line = LineInput(item="BOLT", quantity=D(1))
        moved = DocumentInput(location_from=here.shelf, location_to=second, lines=(line,))
        await here.do.create("inventory.transfer", moved, here.context, then=["move"])
        assert await here.sums(mine) == (10, 5, 5, 0)


async def test_a_bill_of_a_period(database_url: str) -> None:
    """What was used in the first week is billed, what was used later waits; dollars and euros are billed apart."""
    async with desk(database_url) as here:
        order, dollars = await here.order(date=date(2026, 1, 1)), await here.order(currency="USD", date=date(2026, 1, 1))
        for document in (order, dollars):
            await here.go(document, "arrive", date=document.date)
        await here.go(order, "use", 2, date=date(2026, 1, 5))
        await here.go(order, "use", 3, date=date(2026, 1, 8))
        await here.go(dollars, "use", 1, date=date(2026, 1, 9))
        made = await here.bill(first=date(2026, 1, 1), last=date(2026, 1, 7), reference="B-7")
        assert [(d.kind, d.state, d.net, d.reference) for d in made] == [("purchasing.bill", "draft", 6, "B-7")]
        await here.do.act(made[0].id, "post", here.context)
        with pytest.raises(Refused) as refused:
            await here.bill(last=date(2026, 1, 7))
        assert refused.value.problems[0].code == "vendor_stock.nothing"
        rest = await here.bill()
        assert [(d.currency, d.lines[0].quantity) for d in rest] == [("EUR", 3), ("USD", 1)]
        for d in rest:
            await here.do.act(d.id, "post", here.context)
        assert "goods_received" not in await here.accounts(), "each bill clears exactly what its goods were worth"


async def test_hook_propose_panels_what_lies_here_and_since_when(database_url: str) -> None:
    async with desk(database_url) as here:
        order = await here.order(date=date(2026, 1, 1))
        await here.go(order, "arrive", 4, date=date(2026, 1, 3))
        await here.go(order, "arrive", 6, date=date(2026, 1, 13))
        await here.go(order, "use", 5)
        rows = await here.report("goods", party=here.vendor)
        assert [(r["since"], r["days"], r["age"], r["quantity"], r["worth"]) for r in rows] == [(date(2026, 1, 13), 2, "0-30", 5, 15)], "the oldest go first"
        later = msgspec.structs.replace(here.context, today=date(2026, 3, 1))
        assert [r["age"] for r in await here.report("goods", later)] == ["31-60"]
        assert await here.report("goods", party=here.vendor + 1) == []
        (panel,) = [p for _, p in (await pages.detail(here.app, order.id, here.context)).panels if p.title == "Here and the vendor's"]
        assert panel.rows == (("Bolt", "5 of 10 EA, 10 arrived, 5 used"),)


@pytest.mark.parametrize(("rounding", "digits"), [("half_up", 2), ("half_even", 4)])
async def test_parts_add_up_to_the_order(database_url: str, rounding: str, digits: int) -> None:
    """Used one by one, goods are worth exactly what was ordered, and the account clears, also in another currency."""
    async with desk(database_url, rounding=rounding, amount_digits=digits) as here:
        order = await here.order(LineInput(item="BOLT", quantity=D(3), price=D("3.33"), discount=D("7.5")), currency="USD")
        await here.go(order, "arrive")
        usages = [await here.go(order, "use", 1) for _ in range(3)]
        assert sum(u.net for u in usages) == order.net
        for usage in usages:
            await here.do.follow(usage.id, "bill_usage", here.context, then=["post"])
        assert "goods_received" not in await here.accounts()
        assert await here.state(order) == "done"


async def test_several_parts_in_one_document(database_url: str) -> None:
    """10.00 for three, one by one on three lines of one document: 3.33, 3.33 and the rest."""
    async with desk(database_url) as here:
        order = await here.order(LineInput(item="BOLT", quantity=D(3), price=D("3.35"), discount=D("0.5")))
        await here.go(order, "arrive", 2, 1)
        usage = await here.go(order, "use", 1, 1, 1)
        assert (order.net, [x.net for x in usage.lines]) == (10, [D("3.33"), D("3.33"), D("3.34")])
        assert await here.sums(order) == (3, 0, 3, 0)
        assert (await here.stock())["storage"] == (3, 10)
