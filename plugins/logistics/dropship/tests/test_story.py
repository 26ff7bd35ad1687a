"""From the sale to the vendor's bill: one quantity is true for the sale and the purchase, whatever happens; on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from newel.domain.context import Context
from newel.domain.document import Document, DocumentInput, LineInput, LinkInput, ScheduleInput
from newel.errors import Refused
from newel.plugins import discover
from newel.services import actions, pages, reports
from newel.services.app import Newel
from newel.services.verify import verify
from newel.store.columns import AMOUNT, unscaled
from newel_dropship.rules import DropshipSettings
from newel_sdk.testing import item, party, running, stock

D = Decimal
NAMES = ("dropship", "sales", "inventory", "shipping", "purchasing", "invoicing", "receivables")
MODULES = {name: module for name, module in discover()[0].items() if name in NAMES}


class Shop:
    """A shop that keeps nuts in stock and has pumps and hoses shipped by two vendors."""

    def __init__(self, app: Newel, context: Context, vendors: dict[str, int]) -> None:
        self.app, self.context, self.vendors, self.do = app, context, vendors, app.documents

    async def sell(self, *lines: LineInput, kind: str = "sales.order", context: Context | None = None, **header: Any) -> tuple[Document, list[Document]]:
        """A confirmed order, and the purchase orders that it has made."""
        outcome = await self.do.create(kind, DocumentInput(party="C1", lines=lines, **header), context or self.context, then=["confirm"])
        made = [await self.get(id) for id in outcome.made]
        return await self.get(outcome.document.id), made

    async def get(self, of: int | Document) -> Document:
        """As it is stored now."""
        return await self.do.get(of if isinstance(of, int) else of.id, self.context)

    async def ship(self, order: Document, quantity: Any = None, lot: str | None = None, context: Context | None = None) -> Document:
        """The vendor ships so much of each line, or all that is open."""
        lines = None if quantity is None else [LinkInput(line=x.id, quantity=D(quantity), lot=lot) for x in order.lines]
        return (await self.do.follow(order.id, "ship_direct", context or self.context, lines=lines, then=["ship"])).document

    async def ways(self, of: Document) -> set[str]:
        """The flows that a user is offered."""
        return {f.name for f in actions.flows(self.app.registry, await self.get(of), self.context.user)}

    async def balances(self) -> dict[str, Decimal]:
        """Debits less credits of each role that is not even."""
        async with self.app.database.read() as session:
            rows = await session.fetch("SELECT role, CAST(SUM(debit - credit) AS BIGINT) AS n FROM posting GROUP BY role")
        return {r["role"]: unscaled(r["n"], AMOUNT) for r in rows if r["n"]}

    async def refused(self, work: Any) -> list[str]:
        """The codes of what stands in the way."""
        with pytest.raises(Refused) as caught:
            await work
        return sorted(p.code for p in caught.value.problems)


@asynccontextmanager
async def shop(url: str) -> AsyncIterator[Shop]:
    async with running(url, MODULES) as (app, context):
        await party(app, context, "C1", terms="NET30", is_vendor=False)
        vendors = {number: await party(app, context, number, is_customer=False) for number in ("V1", "V2")}
        await stock(app, context, await item(app, context, "NUT", price="1", cost="0.50"), 100, 50)
        for number, vendor, cost in (("PUMP", "V1", "60"), ("HOSE", "V2", "7")):
            made = await item(app, context, number, price="100" if number == "PUMP" else "10")
            await app.records.save("purchasing.price", None, {"party": vendors[vendor], "item": made, "currency": "EUR", "price": cost}, context)
            await app.records.save("dropship.rule", None, {"item": made, "vendor": vendors[vendor]}, context)
        yield Shop(app, context, vendors)
        assert await verify(app) == []


def settings(context: Context, **values: bool) -> Context:
    return msgspec.structs.replace(context, settings={**context.settings, "dropship": DropshipSettings(**values)})


def lines(**quantities: int) -> tuple[LineInput, ...]:
    return tuple(LineInput(item=n.upper(), quantity=D(q)) for n, q in quantities.items())


@pytest.mark.capability("DRP-01")
async def test_goods_go_straight_to_the_customer(database_url: str) -> None:
    async with shop(database_url) as s:
        sale, (first, second) = await s.sell(*lines(pump=3, nut=20, hose=5))
        assert [(o.party.number, [(x.item.number, x.quantity, x.net) for x in o.lines]) for o in (first, second)] == [
            ("V1", [("PUMP", D(3), D(180))]), ("V2", [("HOSE", D(5), D(35))]),
        ]  # fmt: skip
        assert (first.state, first.ship_to, first.reference) == ("sent", sale.ship_to, sale.number)
        async with s.app.database.read() as session:
            assert await session.value("SELECT COUNT(*) AS n FROM stock_reservation") == 1, "only the nuts are reserved here"

        # The warehouse sends the nuts, and nothing else is offered to it.
        nuts = (await s.do.follow(sale.id, "deliver", s.context, then=["ship"])).document
        assert [x.item.number for x in nuts.lines] == ["NUT"]
        assert await s.ways(first) == {"ship_direct", "bill"}
        assert await s.ways(sale) == {"invoice"}

        # The vendor ships one pump, then two: what it cost is in the books at once, and nothing lay in our stock.
        one = await s.ship(first, 1)
        assert (one.party.number, one.kind, [x.quantity for x in one.lines]) == ("C1", "dropship.delivery", [D(1)])
        assert {k: v.done for k, v in (await s.get(sale)).lines[0].stages.items()} == {"procured": D(3), "delivered": D(1), "direct": D(1)}
        assert (await s.balances())["goods_received"] == D(-50 - 60)
        await s.ship(first)
        await s.ship(second)
        assert (await s.balances())["cogs"] == D(180 + 35 + 10)

        # The customer is billed from the deliveries, the vendor bills the order: everything clears, and both orders are done.
        bill = (await s.do.follow(sale.id, "invoice", s.context, then=["post"])).document
        assert bill.net == D(300 + 20 + 50)
        for order in (first, second):
            await s.do.follow(order.id, "bill", s.context, input=DocumentInput(reference=f"R-{order.number}"), then=["post"])
        assert [(await s.get(o)).state for o in (sale, first, second)] == ["done", "done", "done"]
        assert (await s.balances())["goods_received"] == D(-50), "what lies on stock has not been billed, what was shipped has"
        shown = [p.title for _, p in (await pages.detail(s.app, sale.id, s.context)).panels]
        assert "Shipped by vendors" in shown


@pytest.mark.capability("DRP-02")
async def test_a_pure_distributor_orders_everything_by_itself(database_url: str) -> None:
    async with shop(database_url) as s:
        bolt = await item(s.app, s.context, "BOLT", price="2", cost="1")
        await s.app.records.save("dropship.rule", None, {"item": bolt, "vendor": s.vendors["V2"], "direct": False}, s.context)
        await s.app.records.save("dropship.rule", None, {"vendor": s.vendors["V1"], "direct": False}, s.context)
        automatic = settings(s.context, automatic=True, invoice=True)
        sale, made = await s.sell(*lines(pump=1, bolt=4, nut=2), context=automatic)
        assert [(o.party.number, [x.item.number for x in o.lines], o.state) for o in made] == [("V1", ["PUMP", "NUT"], "sent"), ("V2", ["BOLT"], "sent")]
        assert await s.ways(sale) == {"invoice"}
        for order in made:
            await s.ship(order, context=automatic)
        sale = await s.get(sale)
        assert (sale.state, {x.item.number: x.stages["invoiced"].done for x in sale.lines}) == ("done", {"PUMP": D(1), "BOLT": D(4), "NUT": D(2)})
        assert (await s.balances())["revenue"] == D(-110), "invoiced as it was shipped"


async def test_rules_for_a_customer_or_a_class_of_items(database_url: str) -> None:
    """Direct for one customer whatever it is, direct for a class with the classes below it; the others are served from stock."""
    async with shop(database_url) as s:
        save = s.app.records.save
        other = await party(s.app, s.context, "C2", terms="NET30", is_vendor=False)
        await save("dropship.rule", None, {"party": other, "vendor": s.vendors["V1"]}, s.context)
        top = await save("newel.item_class", None, {"code": "METAL", "name": "Metal"}, s.context)
        low = await save("newel.item_class", None, {"code": "BOLTS", "name": "Bolts", "parent": top}, s.context)
        await item(s.app, s.context, "BOLT", price="2", cost="1", item_class=low)
        await save("dropship.rule", None, {"item_class": top, "vendor": s.vendors["V2"]}, s.context)
        _, made = await s.sell(*lines(nut=4))
        assert made == [], "nobody said so for the first customer"
        _, (order,) = await s.sell(*lines(bolt=2, nut=4))
        assert (order.party.number, [x.item.number for x in order.lines]) == ("V2", ["BOLT"])
        made = (await s.do.create("sales.order", DocumentInput(party=other, lines=lines(nut=4)), s.context, then=["confirm"])).made
        found = [await s.get(id) for id in made]
        assert [(o.party.number, [(x.item.number, x.quantity) for x in o.lines]) for o in found] == [("V1", [("NUT", D(4))])]


async def test_part_from_stock_part_from_a_vendor(database_url: str) -> None:
    """What a line says wins over the rules; a cancelled or shortened purchase gives the rest back to the sale."""
    async with shop(database_url) as s:
        own = {"dropship": {"ship": "direct", "vendor": s.vendors["V1"]}}
        sale, (order,) = await s.sell(
            LineInput(item="NUT", quantity=D(10), data=own), LineInput(item="HOSE", quantity=D(2), data={"dropship": {"ship": "stock"}})
        )
        assert [(x.item.number, x.quantity) for x in order.lines] == [("NUT", D(10))]
        assert "dropship.ordered" in await s.refused(s.do.act(sale.id, "cancel", s.context))
        assert "link.exceeded" in await s.refused(s.do.follow(sale.id, "deliver", s.context, lines=[LinkInput(line=sale.lines[0].id, quantity=D(1))]))

        await s.ship(order, 4)
        await s.do.act(order.id, "close", s.context)
        nut = (await s.get(sale)).lines[0]
        assert (nut.stages["procured"].planned, nut.stages["delivered"].done) == (D(4), D(4))
        rest = (await s.do.follow(sale.id, "deliver", s.context, lines=[LinkInput(line=nut.id)], then=["ship"])).document
        assert [x.quantity for x in rest.lines] == [D(6)], "the rest comes from stock"

        more, (again,) = await s.sell(*lines(pump=2))
        await s.do.act(again.id, "cancel", s.context)
        await s.do.act(more.id, "revise", s.context)
        outcome = await s.do.act(more.id, "confirm", s.context)
        assert len(outcome.made) == 1, "confirmed again, it is ordered again"
        assert (await s.get(outcome.made[0])).lines[0].quantity == D(2)


async def test_undone_returned_and_never_twice(database_url: str) -> None:
    async with shop(database_url) as s:
        sale, (order,) = await s.sell(*lines(pump=5))
        gone = await s.ship(order, 3)
        assert await s.refused(s.ship(order, 3)) == ["link.exceeded"], "the sale has not so many left"
        await s.do.act(gone.id, "reverse", s.context)
        assert (await s.balances()).get("cogs") is None
        gone = await s.ship(order, 5)
        back = (await s.do.follow(gone.id, "return", s.context, lines=[LinkInput(line=gone.lines[0].id, quantity=D(1))], then=["receive"])).document
        async with s.app.database.read() as session:
            value = await session.value("SELECT value FROM stock_move WHERE document = ?", back.id)
        assert unscaled(value, AMOUNT) == D(60), "it comes back at what it cost"
        assert (await s.get(sale)).lines[0].stages["delivered"].done == D(5)


async def test_dates_serials_and_what_is_still_to_come(database_url: str) -> None:
    async with shop(database_url) as s:
        motor = await item(s.app, s.context, "MOTOR", price="50", cost="30", tracking="serial")
        await s.app.records.save("dropship.rule", None, {"item": motor, "vendor": s.vendors["V1"]}, s.context)
        sale, (order,) = await s.sell(LineInput(item="MOTOR", quantity=D(1)))
        promised = (ScheduleInput(quantity=D(1), date_confirmed=date(2026, 2, 3)),)
        await s.do.schedule(order.id, order.version, {order.lines[0].id: promised}, s.context)
        rows = await reports.run(s.app, "dropship.to_ship", {}, s.context)
        assert [(r["number"], r["sale_number"], r["open"], r["confirmed"]) for r in rows] == [(order.number, sale.number, D(1), date(2026, 2, 3))]
        panel = next(p for _, p in (await pages.detail(s.app, sale.id, s.context)).panels if p.title == "Shipped by vendors")
        assert panel.rows[0][1].endswith("0 of 1 EA shipped, confirmed for 2026-02-03")
        assert await s.refused(s.ship(order)) == ["lot.missing"]
        await s.ship(order, 1, lot="SN-1")
        assert await reports.run(s.app, "dropship.to_ship", {}, s.context) == []


async def test_what_stands_in_the_way(database_url: str) -> None:
    async with shop(database_url) as s:
        await item(s.app, s.context, "BOLT", price="2", cost="1")
        lone = await s.app.records.save("newel.party", None, {"number": "C2", "name": "No address", "is_customer": True}, s.context)
        entered = DocumentInput(party=lone, lines=(LineInput(item="BOLT", data={"dropship": {"ship": "direct"}}),))
        draft = (await s.do.create("sales.order", entered, s.context)).document
        assert await s.refused(s.do.act(draft.id, "confirm", s.context)) == ["dropship.address", "dropship.vendor"]
        _, (order,) = await s.sell(*lines(pump=2))
        worse = DocumentInput(party=s.vendors["V1"], lines=(LineInput(id=order.lines[0].id, item="NUT", quantity=D(2)),))
        await s.do.act(order.id, "revise", s.context)
        order = await s.get(order)
        assert await s.refused(s.do.update(order.id, order.version, worse, s.context)) == ["dropship.differs"]
        more = msgspec.structs.replace(worse, lines=(LineInput(id=order.lines[0].id, item="PUMP", quantity=D(3)),))
        assert await s.refused(s.do.update(order.id, order.version, more, s.context)) == ["link.exceeded"], "no more is ordered than is sold"
        alone = DocumentInput(party="C1", lines=(LineInput(item="PUMP"),))
        assert await s.refused(s.do.create("dropship.delivery", alone, s.context, then=["ship"])) == ["dropship.order"]


async def test_the_form_asks_where_a_line_comes_from(database_url: str) -> None:
    async with shop(database_url) as s:
        draft = (await s.do.create("sales.order", DocumentInput(party="C1", lines=lines(pump=1, nut=1)), s.context)).document
        boxes = [p for _, p in (await pages.detail(s.app, draft.id, s.context)).panels if p.line is not None]
        assert [(p.line, [e.label for e in p.entries]) for p in boxes] == [(draft.lines[0].id, ["Shipped", "Vendor"])], "only where a rule says something"
        assert boxes[0].entries[0].choices[0].label == "As the rules say: by the vendor"
        assert (boxes[0].entries[1].value, boxes[0].entries[1].proposed) == (str(s.vendors["V1"]), True)
