"""Goods on consignment and loan, as the business would tell it: out, used and billed, back; and the books after every step."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace
from newel.domain.context import Context
from newel.domain.document import Document, DocumentInput, LineInput, LinkInput
from newel.errors import Refused
from newel.services.administration import save_settings
from newel.services.app import Newel
from newel.services.outcome import Outcome
from newel.services.pages import detail
from newel.services.verify import verify
from newel.store.columns import AMOUNT, QUANTITY, unscaled
from newel_consignment import hooks
from newel_consignment.rules import consigned
from newel_inventory import hooks as inventory
from newel_invoicing import hooks as invoicing
from newel_sales import hooks as sales
from newel_sdk.testing import TODAY, item, party, running
from newel_shipping import hooks as shipping

D = Decimal
ORDINARY = {"inventory": inventory, "invoicing": invoicing, "sales": sales, "shipping": shipping}
MODULES = {**ORDINARY, "consignment": hooks}


class Trade:
    """A company with twenty bolts at 4 that sells them at 10, and its books after every step."""

    def __init__(self, app: Newel, context: Context) -> None:
        self.app, self.context, self.do = app, context, app.documents
        self.bolt = self.customer = 0

    async def open(self, **values: Any) -> Trade:
        self.bolt = await item(self.app, self.context, "BOLT", price=10, cost=4)
        self.customer = await party(self.app, self.context, "ACME", **values)
        received = DocumentInput(lines=(LineInput(item=self.bolt, quantity=D(20), price=D(4)),))
        await self.do.create("inventory.receipt", received, self.context, then=("receive",))
        rate = {"code": "VAT20", "name": "VAT 20 %", "category": "standard", "country": "DE", "rate": "20"}
        await self.app.records.save("newel.tax_rate", None, rate, self.context)
        return self

    async def order(self, kind: str = "consignment.order", quantity: int = 10, then: Sequence[str] = ("confirm",), **header: Any) -> Document:
        entered = DocumentInput(party=self.customer, lines=(LineInput(item=self.bolt, quantity=D(quantity)),), **header)
        return (await self.do.create(kind, entered, self.context, then=then)).document

    async def go(self, order: Document, flow: str, quantity: int | None = None, then: str = "post", **more: Any) -> Outcome:
        """Follow a flow and carry it out; the books must be right afterwards."""
        lines = None if quantity is None else [LinkInput(line=order.lines[0].id, quantity=D(quantity), **more)]
        made = await self.do.follow(order.id, flow, self.context, lines=lines, then=(then,))
        await self.right(order)
        return made

    async def right(self, order: Document) -> None:
        """Everything adds up; what lies in the places of our goods is delivered - used - returned of all orders."""
        assert await verify(self.app) == []
        async with self.app.database.read() as session:
            ids = [r["id"] for r in await session.fetch("SELECT id FROM document WHERE kind IN ('consignment.order', 'consignment.loan')")]
            lying = await session.value(
                "SELECT SUM(b.quantity) AS n FROM stock_balance b JOIN location l ON l.id = b.location WHERE l.kind IN ('consigned', 'loaned')"
            )
        orders = [await self.do.get(id, self.context) for id in ids]
        assert sum((consigned(line) for o in orders for line in o.lines), D(0)) == unscaled(int(lying or 0), QUANTITY)

    async def now(self, order: Document) -> tuple[str, Decimal]:
        """State, and what is still ours at the customer."""
        found = await self.do.get(order.id, self.context)
        return found.state, consigned(found.lines[0])

    async def books(self) -> dict[str, Decimal]:
        """Balance of each account role."""
        async with self.app.database.read() as session:
            rows = await session.fetch("SELECT role, CAST(SUM(debit - credit) AS BIGINT) AS n FROM posting GROUP BY role")
        return {r["role"]: unscaled(r["n"], AMOUNT) for r in rows if r["n"]}

    async def panel(self, document: int) -> tuple[tuple[str, str], ...]:
        found = await detail(self.app, document, self.context)
        rows = next((panel.rows for _, panel in found.panels if panel.title == "Still ours"), ())
        return tuple((label, getattr(x, "value", x)) for label, x in rows)


def codes(refused: pytest.ExceptionInfo[Refused]) -> set[str]:
    return {p.code for p in refused.value.problems}


@pytest.mark.capability("CON-01", "CON-03", "CON-04")
async def test_goods_stay_ours_until_they_are_used(database_url: str) -> None:
    """Ordered and delivered like anything else; no revenue, cost or receivable before the settlement."""
    async with running(database_url, MODULES) as (app, context):
        trade = await Trade(app, context).open()
        before = await trade.books()
        order = await trade.order()
        assert (order.state, order.net, order.tax, order.lines[0].kind) == ("confirmed", D(100), D(20), "consigned")
        sent = await trade.go(order, "deliver", 6, "ship")
        assert (sent.moves[0].quantity, sent.moves[0].value, sent.entries) == (D(6), D(24), ())
        assert await trade.books() == before == {"stock": D(80), "goods_received": D(-80)}
        assert await trade.now(order) == ("confirmed", D(6))
        assert await trade.panel(sent.document.id) == (("Bolt", "6 of 6 consigned"),)
        assert await trade.panel(order.id) == (("Bolt", "6 of 10 consigned, 6 delivered"),)
        used = await trade.go(order, "settle", 2)
        assert [(p.role, p.debit - p.credit) for p in used.entries[0].postings] == [("cogs", D(8)), ("stock", D(-8))]
        assert await trade.books() == {"stock": D(72), "goods_received": D(-80), "cogs": D(8)}, "cost, and nothing is owed before the invoice"
        bill = await trade.do.follow(used.document.id, "invoice_delivery", context, then=("post",))
        assert (bill.document.net, bill.document.gross, bill.document.lines[0].price) == (D(20), D(24), D(10))
        books = await trade.books()
        assert (books["revenue"], books["receivable"], books["stock"]) == (D(-20), D(24), D(72))
        assert (await trade.do.get(used.document.id, context)).state == "complete"
        assert await trade.panel(sent.document.id) == (("Bolt", "4 of 6 consigned"),)
        assert await trade.panel(order.id) == (("Bolt", "4 of 10 consigned, 6 delivered, 2 used"),)
        await trade.right(order)


@pytest.mark.capability("CON-02", "CON-07")
@pytest.mark.parametrize(("kind", "state"), [("consignment.order", "consigned"), ("consignment.loan", "loaned")])
async def test_one_transaction_ends_it(database_url: str, kind: str, state: str) -> None:
    """What is out comes back into stock, or passes to the customer; the order is done when everything was one or the other."""
    async with running(database_url, MODULES) as (app, context):
        trade = await Trade(app, context).open()
        order = await trade.order(kind, 5)
        sent = await trade.go(order, "deliver", then="ship")
        assert await trade.panel(sent.document.id) == (("Bolt", f"5 of 5 {state}"),)
        back = await trade.go(order, "take_back", 3)
        assert (back.moves[0].quantity, back.moves[0].value, back.entries) == (D(3), D(12), ())
        assert await trade.now(order) == ("confirmed", D(2))
        kept = await trade.go(order, "settle")
        assert [line.quantity for line in kept.document.lines] == [D(2)], "all that is left, and no more"
        assert await trade.now(order) == ("done", D(0))
        assert await trade.books() == {"stock": D(72), "goods_received": D(-80), "cogs": D(8)}
        await trade.do.act(back.document.id, "reverse", context)
        await trade.right(order)
        assert await trade.now(order) == ("confirmed", D(3)), "open again: three are out once more"
        await trade.go(order, "settle")
        assert await trade.now(order) == ("done", D(0))


async def test_what_is_ours_is_not_billed(database_url: str) -> None:
    async with running(database_url, MODULES) as (app, context):
        trade = await Trade(app, context).open()
        order = await trade.order()
        with pytest.raises(Refused) as refused:
            await trade.do.follow(order.id, "invoice", context)
        assert codes(refused) == {"missing"}, "there is no such way on from a consignment order"
        sent = await trade.go(order, "deliver", then="ship")
        for flow in ("invoice_delivery", "return"):
            with pytest.raises(Refused) as refused:
                await trade.do.follow(sent.document.id, flow, context)
            assert "consignment.not_settled" in codes(refused)
        by_hand = DocumentInput(party=trade.customer, lines=(LineInput(item=trade.bolt, kind="consigned"),))
        with pytest.raises(Refused) as refused:
            await trade.do.create("shipping.delivery", by_hand, context)
        assert codes(refused) == {"consignment.order"}


async def test_no_more_is_settled_than_is_there(database_url: str) -> None:
    async with running(database_url, MODULES) as (app, context):
        trade = await Trade(app, context).open()
        order = await trade.order()
        with pytest.raises(Refused) as refused:
            await trade.go(order, "settle")
        assert codes(refused) == {"flow.nothing"}
        sent = await trade.go(order, "deliver", 4, "ship")
        back = await trade.do.follow(order.id, "take_back", context, lines=[LinkInput(line=order.lines[0].id, quantity=D(3))])
        for flow in ("settle", "take_back"):
            with pytest.raises(Refused) as refused:
                await trade.go(order, flow, 2)
            assert codes(refused) == {"consignment.exceeded"}, "the draft that takes three back counts"
        with pytest.raises(Refused) as refused:
            await trade.do.act(sent.document.id, "reverse", context)
        assert codes(refused) == {"consignment.gone_on"}
        for transition in ("cancel", "revise", "close"):
            with pytest.raises(Refused) as refused:
                await trade.do.act(order.id, transition, context)
            assert codes(refused) == {"consignment.still_there" if transition == "close" else "consignment.gone_on"}
        await trade.do.act(back.document.id, "cancel", context)
        await trade.do.act(sent.document.id, "reverse", context)
        await trade.right(order)
        await trade.do.act(order.id, "close", context)
        async with app.database.read() as session:
            assert await session.value("SELECT COUNT(*) AS n FROM stock_reservation") == 0


async def test_the_undelivered_rest_stays_reserved(database_url: str) -> None:
    """Settling what is out must not give away what is promised to the same order."""
    async with running(database_url, MODULES) as (app, context):
        trade = await Trade(app, context).open()
        order = await trade.order()
        await trade.go(order, "deliver", 4, "ship")
        await trade.go(order, "settle", 4)
        async with app.database.read() as session:
            assert await session.value("SELECT SUM(quantity) AS n FROM stock_reservation") == 6_000_000


async def test_a_place_of_the_customers_own(database_url: str) -> None:
    """Where the company has one for the customer, their goods lie there; a place of somebody else is refused."""
    async with running(database_url, MODULES) as (app, context):
        trade = await Trade(app, context).open()
        own = {"code": "ATACME", "name": "At Acme", "kind": "consigned", "party": trade.customer}
        place = await app.records.save("newel.location", None, own, context)
        other = await party(app, context, "OTHER")
        foreign = await app.records.save("newel.location", None, {**own, "code": "ATOTHER", "party": other}, context)
        order = await trade.order()
        sent = await trade.go(order, "deliver", then="ship")
        assert [m.target for m in sent.moves] == [place]
        used = await trade.go(order, "settle", 1)
        assert [m.source for m in used.moves] == [place]
        back = await trade.go(order, "take_back")
        assert [(m.source, m.target, m.quantity) for m in back.moves] == [(place, sent.moves[0].source, D(9))]
        with pytest.raises(Refused) as refused:
            await trade.order(location_to=foreign)
        assert codes(refused) == {"consignment.place"}


async def test_serial_numbers_of_one_customer_are_not_settled_by_another(database_url: str) -> None:
    async with running(database_url, MODULES) as (app, context):
        trade = await Trade(app, context).open()
        trade.bolt = await item(app, context, "PUMP", price=100, cost=40, tracking="serial")
        lines = tuple(LineInput(item=trade.bolt, lot=number, price=D(40)) for number in ("S1", "S2"))
        await trade.do.create("inventory.receipt", DocumentInput(lines=lines), context, then=("receive",))
        mine = await trade.order("consignment.loan", 1)
        await trade.go(mine, "deliver", 1, "ship", lot="S1")
        trade.customer = await party(app, context, "OTHER")
        theirs = await trade.order("consignment.loan", 1)
        await trade.go(theirs, "deliver", 1, "ship", lot="S2")
        for lot in (None, "S1"):
            with pytest.raises(Refused) as refused:
                await trade.go(theirs, "settle", 1, lot=lot)
            assert "consignment.lot" in codes(refused)
        kept = await trade.go(theirs, "settle", 1, lot="S2")
        assert kept.moves[0].value == D(40)


@pytest.mark.parametrize(("at", "there"), [("price", D(24)), ("cost", D(8))])
async def test_the_credit_limit_counts_what_is_out(database_url: str, at: str, there: Decimal) -> None:
    """Ten ordered at 12 with tax, six out, three of them used and billed, one brought back: two are there."""
    async with running(database_url, MODULES) as (app, first):
        await save_settings(app, "consignment", {"exposure": at}, first)
        async with app.database.read() as session:
            context = await app.context(session, first.user, first.company.id)
        trade = await Trade(app, context).open(limit_amount="1000")
        order = await trade.order()
        await trade.go(order, "deliver", 6, "ship")
        used = await trade.go(order, "settle", 3)
        await trade.do.follow(used.document.id, "invoice_delivery", context, then=("post",))
        await trade.go(order, "take_back", 1)
        other = await trade.order("sales.order", 1, then=())
        found = (await detail(app, other.id, context)).credit
        assert found is not None
        stages: dict[str, Decimal] = {}
        for part in found.parts:
            stages[part.stage] = stages.get(part.stage, D(0)) + part.amount
        assert stages == {"consigned": there, "open items": D(36), "open orders": D(48), "delivered, not invoiced": D(0)}
        limit = D(36) + D(48) + there + D(12)
        for most, refuses in ((limit - 1, True), (limit, False)):
            await app.records.save("newel.party", trade.customer, {"limit_amount": str(most)}, context)
            outcome = await trade.do.preview_act(other.id, "confirm", context)
            assert ("credit.limit" in {p.code for p in outcome.problems}) is refuses
        await trade.go(order, "take_back", 2)
        await trade.do.act(order.id, "close", context)
        found = (await detail(app, other.id, context)).credit
        assert found is not None and found.used == D(36), "nothing is there any more, and what came back is not owed"


async def test_goods_by_customer_item_and_age(database_url: str) -> None:
    async with running(database_url, MODULES) as (app, context):
        trade = await Trade(app, context).open()
        order = await trade.order()
        for quantity, month in ((4, 1), (2, 1)):
            lines = [LinkInput(line=order.lines[0].id, quantity=D(quantity))]
            day = TODAY.replace(month=month, day=10 if quantity == 2 else 1)
            await trade.do.follow(order.id, "deliver", context, lines=lines, input=DocumentInput(date=day), then=("ship",))
        await trade.go(order, "settle", 3)
        load = app.registry.reports["consignment.goods"].load
        async with app.database.read() as session:
            rows = await load(session, {"party": trade.customer, "item": trade.bolt}, context)
            assert await load(session, {"party": trade.customer + 1}, context) == []
            for days, name in ((30, "31-60"), (60, "61-90"), (90, "over 90")):
                later = await load(session, {}, replace(context, today=TODAY + timedelta(days=days)))
                assert later[0]["age"] == name
        assert [(r["since"].day, r["days"], r["age"], r["quantity"], r["value"], r["price"]) for r in rows] == [
            (1, 14, "0-30", D(1), D(4), D(10)),
            (10, 5, "0-30", D(2), D(8), D(20)),
        ]
        assert {(r["party"], r["item"], r["state"], r["number"]) for r in rows} == {("Acme", "BOLT", "consigned", order.number)}


async def test_ordinary_orders_do_not_notice(database_url: str) -> None:
    """The same story with and without the plugin: same states, moves, entries, and not one statement more."""
    told = []
    for modules in (ORDINARY, MODULES):
        if told:
            await _empty(database_url)
        async with running(database_url, modules) as (app, context):
            trade = await Trade(app, context).open()
            counted = _count(app)
            order = await trade.order("sales.order", 5)
            sent = await trade.do.follow(order.id, "deliver", context, then=("ship",))
            bill = await trade.do.follow(sent.document.id, "invoice_delivery", context, then=("post",))
            books, state = await trade.books(), (await trade.do.get(order.id, context)).state
            moves = [(m.quantity, m.value) for m in sent.moves]
            told.append((sum(counted), order.lines[0].kind, moves, bill.document.gross, books, state))
    assert told[0] == told[1]
    assert told[0][-1] == "done"


def _count(app: Newel) -> list[int]:
    """Statements from now on."""
    counted: list[int] = []
    opened = app.database.engine.run_sql

    async def run_sql(*args: Any, **more: Any) -> Any:
        counted.append(1)
        return await opened(*args, **more)

    app.database.engine.run_sql = run_sql
    return counted


async def _empty(url: str) -> None:
    """An empty database again."""
    if url.startswith("sqlite"):
        from pathlib import Path

        for path in Path(url.removeprefix("sqlite:///")).parent.glob("*.db*"):
            path.unlink()
        return
    import asyncpg

    connection = await asyncpg.connect(url)
    await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    await connection.close()
