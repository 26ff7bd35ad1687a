"""From the order to the cash, as the business would tell it: sales, inventory, shipping, invoicing and receivables together."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from newel.domain.context import Context
from newel.domain.document import Document, DocumentInput, LineInput, LinkInput, ScheduleInput
from newel.errors import Refused
from newel.services.app import Newel
from newel.store.columns import AMOUNT, QUANTITY, unscaled
from newel_receivables.settle import settle
from newel_sdk.testing import TODAY, item, party, running

D = Decimal


class Trade:
    """A company with five goods in stock, a service, and a customer; and the questions that the story asks."""

    def __init__(self, app: Newel, context: Context) -> None:
        self.app, self.context, self.do = app, context, app.documents
        self.goods: list[int] = []
        self.customer = 0

    async def open(self) -> Trade:
        """Buy a hundred of each item at 4."""
        self.customer = await party(self.app, self.context, "ACME", terms="NET30")
        for n in range(1, 6):
            self.goods.append(await item(self.app, self.context, f"GOOD{n}", price=n * 10, cost=4))
        lines = tuple(LineInput(item=i, quantity=D(100), price=D(4)) for i in self.goods)
        await self.do.create("inventory.receipt", DocumentInput(lines=lines), self.context, then=("receive",))
        rate = {"code": "VAT20", "name": "VAT 20 %", "category": "standard", "country": "DE", "rate": "20"}
        await self.app.records.save("newel.tax_rate", None, rate, self.context)
        return self

    async def order(self, *quantities: int, then: Sequence[str] = ("confirm",), **header: Any) -> Document:
        """An order of so many of each item."""
        lines = tuple(LineInput(item=i, quantity=D(q)) for i, q in zip(self.goods, quantities, strict=False))
        entered = DocumentInput(party=self.customer, lines=lines, **header)
        return (await self.do.create("sales.order", entered, self.context, then=then)).document

    async def state(self, document: Document) -> str:
        """The state that a document is in by now."""
        return (await self.do.get(document.id, self.context)).state

    async def part(self, document: Document, quantity: int) -> list[LinkInput]:
        """So much of each line."""
        return [LinkInput(line=line.id, quantity=D(quantity)) for line in (await self.do.get(document.id, self.context)).lines]

    async def stock(self) -> tuple[Decimal, Decimal, Decimal]:
        """Quantity, reserved and value of everything in stock."""
        sql = "SELECT SUM(quantity) AS q, SUM(reserved) AS r, SUM(value) AS v FROM stock_balance"
        async with self.app.database.read() as session:
            row = await session.one(sql)
        assert row is not None
        return unscaled(int(row["q"]), QUANTITY), unscaled(int(row["r"]), QUANTITY), unscaled(int(row["v"]), AMOUNT)

    async def owed(self) -> Decimal:
        """What is open of all customers; the same in the open items and in the ledger."""
        async with self.app.database.read() as session:
            items = int(await session.value("SELECT COALESCE(SUM(amount_open), 0) AS n FROM open_item"))
        assert unscaled(items, AMOUNT) == await self.balance("receivable")
        return unscaled(items, AMOUNT)

    async def balance(self, role: str) -> Decimal:
        """Debits minus credits of a role, in a ledger whose every entry is balanced and whose stock is worth what lies there."""
        async with self.app.database.read() as session:
            bad = await session.fetch("SELECT entry FROM posting GROUP BY entry HAVING SUM(debit) <> SUM(credit)")
            rows = await session.fetch("SELECT role, CAST(SUM(debit - credit) AS BIGINT) AS n FROM posting GROUP BY role")
            value = int(await session.value("SELECT COALESCE(SUM(value), 0) AS n FROM stock_balance"))
        sums = {r["role"]: unscaled(r["n"], AMOUNT) for r in rows}
        assert not bad
        assert sum(sums.values()) == 0
        assert sums.get("stock", D(0)) == unscaled(value, AMOUNT)
        return sums.get(role, D(0))

    async def report(self, name: str, **parameters: Any) -> list[dict[str, Any]]:
        """The rows of a report; each has every declared column."""
        report = self.app.registry.reports[name]
        async with self.app.database.read() as session:
            rows = await report.load(session, parameters, self.context)
        assert all(column.name in row for row in rows for column in report.columns)
        return rows


def codes(refused: pytest.ExceptionInfo[Refused]) -> set[str]:
    """What was wrong."""
    return {p.code for p in refused.value.problems}


@pytest.mark.capability("DOC-20", "DOC-23", "INT-05")
async def test_five_lines_delivered_and_paid_in_two_halves(database_url: str) -> None:
    async with running(database_url) as (app, context):
        trade = await Trade(app, context).open()
        do = trade.do
        assert await trade.stock() == (D(500), D(0), D(2000))

        # The customer orders ten of each; the goods are promised.
        order = await trade.order(10, 10, 10, 10, 10, reference="PO 4711")
        assert (order.state, order.net, order.tax, order.gross) == ("confirmed", D(1500), D(300), D(1800))
        assert await trade.stock() == (D(500), D(50), D(2000))
        assert len(await trade.report("inventory.reservations")) == 5
        assert len(await trade.report("sales.backlog")) == 5

        # A half is delivered: goods and cost leave the stock, the promise shrinks, nothing is owed yet.
        half = await trade.part(order, 5)
        delivery = (await do.follow(order.id, "deliver", context, lines=half, then=("pick", "ship"))).document
        assert (delivery.state, await trade.state(order)) == ("shipped", "confirmed")
        assert await trade.stock() == (D(475), D(25), D(1900))
        assert (await trade.balance("cogs"), await trade.owed()) == (D(100), D(0))
        assert {row["open"] for row in await trade.report("shipping.back_orders")} == {D(5)}
        assert sum(row["net"] for row in await trade.report("invoicing.unbilled")) == D(750)
        waiting = await trade.report("invoicing.to_invoice", delivered=True)
        assert {(row["quantity"], row["delivered"], row["unbilled"], row["open"]) for row in waiting} == {(D(10), D(5), D(5), D(10))}

        # It is invoiced: revenue, tax, an open item that is due in thirty days.
        invoice = (await do.follow(delivery.id, "invoice_delivery", context, then=("post",))).document
        assert (invoice.number, invoice.state, invoice.gross) == ("INV2026-00001", "posted", D(900))
        assert (await trade.state(delivery), await trade.state(order)) == ("complete", "confirmed")
        assert invoice.reference == "PO 4711"
        assert (await trade.owed(), await trade.balance("revenue"), await trade.balance("tax_output")) == (D(900), D(-750), D(-150))
        for state, count in (("draft", 0), ("posted", 1), ("paid", 0)):
            assert len(await trade.report("invoicing.invoices", state=state)) == count
        assert await trade.report("invoicing.unbilled") == []
        (open_item,) = await trade.report("receivables.open_items")
        assert (open_item["date_due"] - TODAY).days == 30

        # It is paid: the invoice knows.
        payment = (await settle(app, "ACME", D(900), "", context)).document
        assert (payment.state, await trade.state(invoice), await trade.owed()) == ("posted", "paid", D(0))
        assert await trade.balance("bank") == D(900)
        assert [row["document"] for row in await trade.report("invoicing.invoices", state="paid")] == [invoice.id]

        # The rest goes the same way, and the order is done by itself.
        rest = (await do.follow(order.id, "deliver", context, then=("ship",))).document
        assert await trade.stock() == (D(450), D(0), D(1800))
        assert await trade.state(order) == "confirmed"
        second = (await do.follow(rest.id, "invoice_delivery", context, then=("post",))).document
        assert (second.number, await trade.state(order), await trade.owed()) == ("INV2026-00002", "done", D(900))
        await settle(app, "ACME", D(900), "", context)
        assert (await trade.state(second), await trade.owed(), await trade.balance("bank")) == ("paid", D(0), D(1800))
        assert await trade.report("sales.backlog") == []
        statement = await trade.report("receivables.statement", party=trade.customer)
        assert [row["balance"] for row in statement] == [D(0), D(900), D(0), D(900), D(0)]


async def test_the_same_goods_are_not_billed_twice(database_url: str) -> None:
    """Once through the order and once through the delivery would be twice."""
    async with running(database_url) as (app, context):
        trade = await Trade(app, context).open()
        order = await trade.order(10)
        delivery = (await trade.do.follow(order.id, "deliver", context, then=("ship",))).document
        invoice = (await trade.do.follow(order.id, "invoice", context, then=("post",))).document
        assert await trade.state(order) == "done"
        assert await trade.report("invoicing.unbilled") == []
        with pytest.raises(Refused) as refused:
            await trade.do.follow(delivery.id, "invoice_delivery", context)
        assert codes(refused) <= {"link.exceeded", "flow.nothing"}
        assert (invoice.gross, await trade.owed()) == (D(120), D(120))


async def test_a_credit_note_takes_a_part_back(database_url: str) -> None:
    async with running(database_url) as (app, context):
        trade = await Trade(app, context).open()
        order = await trade.order(10)
        delivery = (await trade.do.follow(order.id, "deliver", context, then=("ship",))).document
        invoice = (await trade.do.follow(delivery.id, "invoice_delivery", context, then=("post",))).document
        assert await trade.owed() == D(120)

        # Two come back, and are credited.
        back = (await trade.do.follow(delivery.id, "return", context, lines=await trade.part(delivery, 2), then=("receive",))).document
        assert (back.state, await trade.stock()) == ("received", (D(492), D(0), D(1968)))
        lines = await trade.part(invoice, 2)
        note = (await trade.do.follow(invoice.id, "credit", context, lines=lines, then=("post",))).document
        assert (note.number, note.gross) == ("CN2026-00001", D(24))
        assert (await trade.owed(), await trade.balance("revenue")) == (D(96), D(-80))

        # The customer pays the difference: both papers are settled.
        await settle(app, "ACME", D(96), "", context)
        assert (await trade.state(invoice), await trade.state(note), await trade.owed()) == ("paid", "settled", D(0))
        assert await trade.balance("bank") == D(96)


async def test_a_small_difference_is_written_off(database_url: str) -> None:
    async with running(database_url) as (app, context):
        trade = await Trade(app, context).open()
        order = await trade.order(10)
        invoice = (await trade.do.follow(order.id, "invoice", context, then=("post",))).document
        await settle(app, "ACME", D("119.40"), "", context)
        assert (await trade.state(invoice), await trade.owed()) == ("paid", D(0))
        assert (await trade.balance("bank"), await trade.balance("write_off")) == (D("119.40"), D("0.60"))


async def test_too_little_leaves_the_invoice_open(database_url: str) -> None:
    async with running(database_url) as (app, context):
        trade = await Trade(app, context).open()
        order = await trade.order(10)
        invoice = (await trade.do.follow(order.id, "invoice", context, then=("post",))).document
        await settle(app, "ACME", D(100), "", context)
        assert (await trade.state(invoice), await trade.owed()) == ("posted", D(20))
        (row,) = await trade.report("receivables.ageing")
        assert (row["not_due"], row["total"]) == (D(20), D(20))


async def test_too_much_stays_as_credit_and_can_go_back(database_url: str) -> None:
    async with running(database_url) as (app, context):
        trade = await Trade(app, context).open()
        order = await trade.order(10)
        invoice = (await trade.do.follow(order.id, "invoice", context, then=("post",))).document
        await settle(app, "ACME", D(150), "", context)
        assert (await trade.state(invoice), await trade.owed()) == ("paid", D(-30))

        async with app.database.read() as session:
            credit = await session.value("SELECT id FROM open_item WHERE amount_open < 0")
        line = LineInput(kind="payment", price=D(30), settles=credit)
        refund = await trade.do.create(
            "receivables.refund", DocumentInput(party=trade.customer, lines=(line,)), context, then=("post",)
        )  # fmt: skip
        assert (refund.document.state, await trade.owed(), await trade.balance("bank")) == ("posted", D(0), D(120))


async def test_a_payment_that_bounces_opens_the_invoice_again(database_url: str) -> None:
    async with running(database_url) as (app, context):
        trade = await Trade(app, context).open()
        order = await trade.order(10)
        invoice = (await trade.do.follow(order.id, "invoice", context, then=("post",))).document
        payment = (await settle(app, "ACME", D(120), "", context)).document
        await trade.do.act(payment.id, "reverse", context)
        assert (await trade.state(invoice), await trade.owed(), await trade.balance("bank")) == ("posted", D(120), D(0))


async def test_a_payment_can_settle_no_more_than_is_open(database_url: str) -> None:
    """Two lines of one item are looked at together; items of others are not the customer's."""
    async with running(database_url) as (app, context):
        trade = await Trade(app, context).open()
        order = await trade.order(10)
        await trade.do.follow(order.id, "invoice", context, then=("post",))
        other = await party(app, context, "OTHER")
        async with app.database.read() as session:
            found = await session.value("SELECT id FROM open_item")
        twice = tuple(LineInput(kind="payment", price=D(70), settles=found) for _ in range(2))
        with pytest.raises(Refused) as refused:
            await trade.do.create("receivables.payment", DocumentInput(party=trade.customer, lines=twice), context, then=("post",))
        assert codes(refused) == {"receivables.more"}
        with pytest.raises(Refused) as refused:
            await trade.do.create("receivables.payment", DocumentInput(party=other, lines=twice[:1]), context)
        assert codes(refused) == {"receivables.party"}


@pytest.mark.capability("DOC-04", "DOC-06", "DOC-09")
async def test_a_lead_becomes_a_quotation_and_an_order(database_url: str) -> None:
    """Each step is one action; the source is closed and keeps what it said; an offer can't be delivered or billed."""
    async with running(database_url) as (app, context):
        trade = await Trade(app, context).open()
        do = trade.do
        seller = await app.records.save("sales.representative", None, {"code": "ANNA", "name": "Anna"}, context)
        assert seller
        data = {"sales": {"representatives": [{"representative": "ANNA", "percent": "100"}]}}
        lines = (LineInput(item=trade.goods[0], quantity=D(10), price=D(9)), LineInput(item=trade.goods[1], quantity=D(5)))
        lead = (await do.create("sales.lead", DocumentInput(party=trade.customer, lines=lines, data=data), context)).document
        quotation = (await do.follow(lead.id, "quote", context, then=("send",))).document
        assert (await trade.state(lead), quotation.state, quotation.net) == ("converted", "sent", D(190))
        assert (quotation.data["sales"], quotation.origin) == (lead.data["sales"], lead.id)

        # An offer can't be delivered (DOC-09), before it is accepted and after.
        for flow in ("deliver", "invoice"):
            with pytest.raises(Refused):
                await do.follow(quotation.id, flow, context)
        order = (await do.follow(quotation.id, "order", context)).document
        assert (await trade.state(quotation), order.state, order.net) == ("accepted", "draft", D(190))
        for flow in ("deliver", "invoice", "order"):
            with pytest.raises(Refused):
                await do.follow(quotation.id, flow, context)

        # It says whatever an order says.
        offered, ordered = (app.registry.kind(kind) for kind in ("sales.quotation", "sales.order"))
        assert (offered.fields, offered.line_kinds) == (ordered.fields, ordered.line_kinds)

        # Every position stays editable (DOC-04); the quotation keeps what it said.
        stored = await do.get(order.id, context)
        changed = tuple(LineInput(id=x.id, item=x.item.id if x.item else None, quantity=x.quantity * 2, price=D(7)) for x in stored.lines)
        entered = DocumentInput(party=trade.customer, lines=changed, data=data)
        order = (await do.update(order.id, order.version, entered, context)).document
        assert (order.net, (await do.get(quotation.id, context)).net) == (D(210), D(190))
        one = (LineInput(item=trade.goods[2], quantity=D(1)),)
        order = (await do.update(order.id, order.version, DocumentInput(party=trade.customer, lines=one, data=data), context)).document
        assert (len(order.lines), order.net, len((await do.get(quotation.id, context)).lines)) == (1, D(30), 2)
        assert (await do.act(order.id, "confirm", context)).document.state == "confirmed"


async def test_a_lead_needs_no_lines(database_url: str) -> None:
    async with running(database_url) as (app, context):
        customer = await party(app, context, "ACME")
        lead = (await app.documents.create("sales.lead", DocumentInput(party=customer, text="wants bolts"), context)).document
        quotation = (await app.documents.follow(lead.id, "quote", context)).document
        assert (quotation.state, quotation.text) == ("draft", "wants bolts")


@pytest.mark.capability("DOC-05")
async def test_rolling_over_needs_the_right(database_url: str) -> None:
    """Leads, quotations and orders are made and changed only by those who may, also when they are made from one another."""
    async with running(database_url) as (app, context):
        trade = await Trade(app, context).open()
        entered = DocumentInput(party=trade.customer, lines=(LineInput(item=trade.goods[0]),))
        may_lead = _only(context, "sales.lead.*", "sales.quotation.view")
        lead = (await trade.do.create("sales.lead", entered, may_lead)).document
        with pytest.raises(Refused) as refused:
            await trade.do.follow(lead.id, "quote", may_lead)
        assert refused.value.status == 403
        quotation = (await trade.do.follow(lead.id, "quote", context, then=("send",))).document
        for kind in ("sales.quotation", "sales.order"):
            with pytest.raises(Refused) as refused:
                await trade.do.create(kind, entered, may_lead)
            assert refused.value.status == 403
        with pytest.raises(Refused) as refused:
            await trade.do.update(quotation.id, quotation.version, entered, may_lead)
        assert refused.value.status == 403
        order = (await trade.do.follow(quotation.id, "order", context)).document
        assert (await trade.state(lead), await trade.state(quotation), order.state) == ("converted", "accepted", "draft")


def _only(context: Context, *permissions: str) -> Context:
    """The same person with fewer rights."""
    import msgspec

    user = msgspec.structs.replace(context.user, permissions=frozenset(permissions))
    return msgspec.structs.replace(context, user=user)


async def test_more_than_there_is_goes_on_back_order(database_url: str) -> None:
    async with running(database_url) as (app, context):
        trade = await Trade(app, context).open()
        preview = await trade.do.preview("sales.order", DocumentInput(party=trade.customer, lines=(LineInput(item=trade.goods[0], quantity=D(130)),)), context)
        assert [p.code for p in preview.problems] == ["inventory.short"]
        order = await trade.order(130)
        with pytest.raises(Refused) as refused:
            await trade.do.follow(order.id, "deliver", context, then=("ship",))
        assert "stock.short" in codes(refused)
        await trade.do.follow(order.id, "deliver", context, lines=await trade.part(order, 100), then=("ship",))
        (row,) = await trade.report("shipping.due")
        assert (row["delivered"], row["open"]) == (D(100), D(30))

        # Closed short, the rest is no longer owed.
        await trade.do.act(order.id, "close", context)
        assert await trade.report("shipping.due") == []


async def test_scheduled_deliveries_are_due_one_by_one(database_url: str) -> None:
    async with running(database_url) as (app, context):
        trade = await Trade(app, context).open()
        dates = (TODAY.replace(day=20), TODAY.replace(day=25))
        schedules = tuple(ScheduleInput(quantity=D(q), date_requested=when) for q, when in zip((4, 6), dates, strict=True))
        line = LineInput(item=trade.goods[0], quantity=D(10), schedules=schedules)
        entered = DocumentInput(party=trade.customer, lines=(line,))
        order = (await trade.do.create("sales.order", entered, context, then=("confirm",))).document
        assert [(row["day"], row["open"]) for row in await trade.report("shipping.due")] == [(dates[0], D(4)), (dates[1], D(6))]
        assert len(await trade.report("shipping.due", until=dates[0])) == 1

        stored = (await trade.do.get(order.id, context)).lines[0]
        later = LinkInput(line=stored.id, quantity=D(6), schedule=stored.schedules[1].id)
        await trade.do.follow(order.id, "deliver", context, lines=[later], then=("ship",))
        assert [(row["day"], row["open"]) for row in await trade.report("shipping.due")] == [(dates[0], D(4))]


@pytest.mark.capability("DOC-17")
async def test_a_charge_is_delivered_without_goods(database_url: str) -> None:
    """Shipping a charge moves nothing and counts for everything else, receivables included."""
    async with running(database_url) as (app, context):
        trade = await Trade(app, context).open()
        lines = (LineInput(item=trade.goods[0], quantity=D(10)), LineInput(kind="charge", text="Engraving", price=D(30)))
        entered = DocumentInput(party=trade.customer, lines=lines)
        order = (await trade.do.create("sales.order", entered, context, then=("confirm",))).document
        outcome = await trade.do.follow(order.id, "deliver", context, then=("ship",))
        assert len(outcome.document.lines) == 2
        assert [move.quantity for move in outcome.moves] == [D(10)]
        await trade.do.follow(outcome.document.id, "invoice_delivery", context, then=("post",))
        assert (await trade.state(order), await trade.owed()) == ("done", D(156))


@pytest.mark.capability("DOC-21")
async def test_invoices_against_order_delivery_or_freely(database_url: str) -> None:
    async with running(database_url) as (app, context):
        trade = await Trade(app, context).open()
        order = await trade.order(10)
        against_order = (await trade.do.follow(order.id, "invoice", context, lines=await trade.part(order, 4), then=("post",))).document
        delivery = (await trade.do.follow(order.id, "deliver", context, lines=await trade.part(order, 6), then=("ship",))).document
        against_delivery = (await trade.do.follow(delivery.id, "invoice_delivery", context, then=("post",))).document
        line = LineInput(kind="charge", text="Advice", quantity=D(2), price=D(50))
        freely = DocumentInput(party=trade.customer, lines=(line,))
        free = (await trade.do.create("invoicing.invoice", freely, context, then=("post",))).document
        assert [d.net for d in (against_order, against_delivery, free)] == [D(40), D(60), D(100)]
        assert await trade.owed() == D(240)


async def test_a_delivery_by_hand_is_billed_at_list_price(database_url: str) -> None:
    """A delivery has no prices of its own: without an order before it, its invoice is priced by the rules."""
    async with running(database_url) as (app, context):
        trade = await Trade(app, context).open()
        entered = DocumentInput(party=trade.customer, lines=(LineInput(item=trade.goods[0], quantity=D(3)),))
        delivery = (await trade.do.create("shipping.delivery", entered, context, then=("ship",))).document
        invoice = (await trade.do.follow(delivery.id, "invoice_delivery", context, then=("post",))).document
        assert invoice.net == D(30)


async def test_a_count_posts_what_is_missing_and_what_is_more(database_url: str) -> None:
    async with running(database_url) as (app, context):
        trade = await Trade(app, context).open()
        async with app.database.read() as session:
            place = await session.value("SELECT id FROM location WHERE kind = 'storage'")
        lines = (
            LineInput(item=trade.goods[0], quantity=D(97)),
            LineInput(item=trade.goods[1], quantity=D(101)),
            LineInput(item=trade.goods[2], quantity=D(100)),
            LineInput(item=trade.goods[3], data={"inventory": {"counted": "0"}}),
        )
        count = (await trade.do.create("inventory.count", DocumentInput(location_from=place, lines=lines), context)).document
        posted = await trade.do.act(count.id, "post", context)
        assert sorted(move.quantity for move in posted.moves) == [D(1), D(3), D(100)]
        assert await trade.stock() == (D(398), D(0), D(1592))
        assert await trade.balance("stock_difference") == D(408)
        await trade.do.act(count.id, "reverse", context)
        assert await trade.stock() == (D(500), D(0), D(2000))


async def test_a_count_out_of_date_is_refused(database_url: str) -> None:
    async with running(database_url) as (app, context):
        trade = await Trade(app, context).open()
        async with app.database.read() as session:
            place = await session.value("SELECT id FROM location WHERE kind = 'storage'")
        entered = DocumentInput(location_from=place, lines=(LineInput(item=trade.goods[0], quantity=D(97)),))
        count = (await trade.do.create("inventory.count", entered, context)).document
        order = await trade.order(10)
        await trade.do.follow(order.id, "deliver", context, then=("ship",))
        with pytest.raises(Refused) as refused:
            await trade.do.act(count.id, "post", context)
        assert codes(refused) == {"inventory.stale"}


async def test_serial_numbers_come_in_one_by_one(database_url: str) -> None:
    async with running(database_url) as (app, context):
        laptop = await item(app, context, "LAPTOP", price=900, cost=500, tracking="serial")
        lines = (LineInput(item=laptop, lot="S1"), LineInput(item=laptop, lot="S2"))
        await app.documents.create("inventory.receipt", DocumentInput(lines=lines), context, then=("receive",))
        again = DocumentInput(lines=(LineInput(item=laptop, lot="S1"),))
        with pytest.raises(Refused) as refused:
            await app.documents.create("inventory.receipt", again, context, then=("receive",))
        assert codes(refused) == {"inventory.serial_twice"}
        several = DocumentInput(lines=(LineInput(item=laptop, lot="S3", quantity=D(2)),))
        with pytest.raises(Refused) as refused:
            await app.documents.create("inventory.receipt", several, context)
        assert codes(refused) == {"inventory.serial"}
        without = DocumentInput(lines=(LineInput(item=laptop),))
        with pytest.raises(Refused) as refused:
            await app.documents.create("inventory.receipt", without, context, then=("receive",))
        assert "lot.missing" in codes(refused)


async def test_what_was_invoiced_from_the_order_is_no_longer_to_be_billed(database_url: str) -> None:
    """Some customers are billed from their order: its invoices cover the oldest deliveries first, and may be ahead of them."""
    async with running(database_url) as (app, context):
        trade = await Trade(app, context).open()

        async def unbilled() -> list[tuple[str, D]]:
            return [(row["number"], row["open"]) for row in await trade.report("invoicing.unbilled")]

        order = await trade.order(10)
        first = (await trade.do.follow(order.id, "deliver", context, lines=await trade.part(order, 5), then=("pick", "ship"))).document
        assert await unbilled() == [(first.number, D(5))]
        await trade.do.follow(order.id, "invoice", context, lines=await trade.part(order, 3), then=("post",))
        assert await unbilled() == [(first.number, D(2))]
        await trade.do.follow(order.id, "invoice", context, lines=await trade.part(order, 3), then=("post",))
        assert await unbilled() == [], "one piece is billed that has not left yet"
        second = (await trade.do.follow(order.id, "deliver", context, then=("pick", "ship"))).document
        assert await unbilled() == [(second.number, D(4))]
        await trade.do.follow(second.id, "invoice_delivery", context, lines=await trade.part(second, 1), then=("post",))
        assert await unbilled() == [(second.number, D(3))]
