"""Each hook of purchasing at work, and the way from the requisition to the money; on both databases."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from newel.domain.context import Context
from newel.domain.document import Document, DocumentInput, Line, LineInput, LinkInput
from newel.domain.facts import Facts
from newel.errors import Refused
from newel.services import pages
from newel.services.app import Newel
from newel.services.entered import as_input
from newel.services.verify import verify
from newel.store.columns import AMOUNT, QUANTITY, unscaled
from newel_purchasing import hooks
from newel_purchasing.rules import PurchasingSettings
from newel_sdk.testing import TODAY, ask, item, party, running

D = Decimal


class Desk:
    """A company with a vendor of bolts, which cost 4 by its own reckoning and 3 from the vendor, and what the tests ask."""

    def __init__(self, app: Newel, context: Context, vendor: int, bolt: int) -> None:
        self.app, self.context, self.vendor, self.bolt, self.do = app, context, vendor, bolt, app.documents

    async def offer(self, price: str, **values: Any) -> None:
        """A price of the vendor's for bolts."""
        row = {"party": self.vendor, "item": self.bolt, "currency": "EUR", "price": price, **values}
        await self.app.records.save("purchasing.price", None, row, self.context)

    async def order(self, *lines: LineInput, then: tuple[str, ...] = ("send",), **header: Any) -> Document:
        """A purchase order; ten bolts where nothing else is said."""
        entered = DocumentInput(party=self.vendor, lines=lines or (LineInput(item="BOLT", quantity=D(10)),), **header)
        return (await self.do.create("purchasing.order", entered, self.context, then=then)).document

    async def receive(self, order: Document, quantity: Any = None, then: tuple[str, ...] = ("receive",), **header: Any) -> Document:
        """So much of each line comes, or all that is open."""
        lines = None if quantity is None else [LinkInput(line=line.id, quantity=D(quantity)) for line in order.lines]
        return (await self.do.follow(order.id, "receive", self.context, lines=lines, then=then, input=DocumentInput(**header))).document

    async def bill(
        self, *receipts: Document, price: str | None = None, then: tuple[str, ...] = ("post",), context: Context | None = None, **header: Any
    ) -> Document:
        """The bill for receipts, with another price for each unit where one is said."""
        context = context or self.context
        draft = (await self.do.follow([r.id for r in receipts], "bill_receipt", context, input=DocumentInput(**header))).document
        if price is not None:
            entered = as_input(draft)
            lines = tuple(msgspec.structs.replace(line, price=D(price)) for line in entered.lines)
            draft = (await self.do.update(draft.id, draft.version, msgspec.structs.replace(entered, lines=lines), context)).document
        for step in then:
            draft = (await self.do.act(draft.id, step, context)).document
        return draft

    async def state(self, document: Document) -> str:
        """The state that a document is in by now."""
        return (await self.do.get(document.id, self.context)).state

    async def stock(self) -> tuple[Decimal, Decimal]:
        """Quantity and value of everything in stock."""
        async with self.app.database.read() as session:
            row = await session.one("SELECT COALESCE(SUM(quantity), 0) AS q, COALESCE(SUM(value), 0) AS v FROM stock_balance")
        assert row is not None
        return unscaled(int(row["q"]), QUANTITY), unscaled(int(row["v"]), AMOUNT)

    async def balances(self) -> dict[str, Decimal]:
        """Debits less credits of each role that is not even."""
        async with self.app.database.read() as session:
            rows = await session.fetch("SELECT role, CAST(SUM(debit - credit) AS BIGINT) AS n FROM posting GROUP BY role")
        return {r["role"]: unscaled(r["n"], AMOUNT) for r in rows if r["n"]}

    async def report(self, name: str, **parameters: Any) -> list[dict[str, Any]]:
        """The rows of a report; each has every declared column."""
        report = self.app.registry.reports[f"purchasing.{name}"]
        async with self.app.database.read() as session:
            rows = await report.load(session, parameters, self.context)
        assert all(column.name in row for row in rows for column in report.columns)
        return rows


@asynccontextmanager
async def desk(url: str, **company: Any) -> AsyncIterator[Desk]:
    async with running(url, {"purchasing": hooks}, **company) as (app, context):
        bolt = await item(app, context, "BOLT", price=10, cost=4)
        await item(app, context, "ADVICE", kind="service", cost=50)
        rate = {"code": "VAT20", "name": "VAT 20 %", "category": "standard", "country": "DE", "rate": "20"}
        await app.records.save("newel.tax_rate", None, rate, context)
        await app.records.save("newel.currency_rate", None, {"currency": "USD", "rate": "0.9", "date_from": TODAY - timedelta(days=30)}, context)
        here = Desk(app, context, await party(app, context, "SUPPLY", terms="NET30"), bolt)
        await here.offer("3", part_number="SU-7")
        yield here
        assert await verify(app) == []


def refusals(refused: pytest.ExceptionInfo[Refused]) -> list[str]:
    return [p.code for p in refused.value.problems if p.severity in ("block", "override")]


def test_hook_register_plugin() -> None:
    manifest = hooks.register_plugin()
    assert {kind.name: kind.role for kind in manifest.documents} == {
        "purchasing.requisition": "request", "purchasing.order": "purchase", "purchasing.receipt": "receipt", "purchasing.bill": "bill",
        "purchasing.payment": "payment",
    }  # fmt: skip


@pytest.mark.capability("PUR-01", "PUR-03")
async def test_from_the_requisition_to_the_payment(database_url: str) -> None:
    """Somebody needs ten bolts; they are ordered, come in two parts, are billed and paid. Every account says so at each step."""
    async with desk(database_url) as here:
        needed = DocumentInput(lines=(LineInput(item="BOLT", quantity=D(10)),))
        wanted = (await here.do.create("purchasing.requisition", needed, here.context, then=("approve",))).document
        assert (wanted.party, wanted.lines[0].price, wanted.tax) == (None, D(4), D(0))
        ordered = (await here.do.follow(wanted.id, "purchase", here.context, input=DocumentInput(party=here.vendor), then=("send",))).document
        assert (ordered.number, ordered.lines[0].price, ordered.net, ordered.tax) == ("PO2026-00001", D(3), D(30), D(6))
        assert await here.state(wanted) == "ordered"
        assert [(r["open"], r["value"]) for r in await here.report("to_receive")] == [(D(10), D(30))]

        part = await here.receive(ordered, 4)
        assert (await here.stock(), await here.balances()) == ((D(4), D(12)), {"stock": D(12), "goods_received": D(-12)})
        assert [(r["open"], r["value"]) for r in await here.report("to_receive")] == [(D(6), D(18))]
        assert [(r["open"], r["value"]) for r in await here.report("not_billed")] == [(D(4), D(12))]
        rest = await here.receive(ordered)
        assert (await here.stock(), await here.report("to_receive")) == ((D(10), D(30)), [])

        bill = await here.bill(part, rest, reference="R-4711")
        assert (bill.number, bill.net, bill.gross, bill.date_due) == ("VB2026-00001", D(30), D(36), TODAY + timedelta(days=30))
        assert await here.balances() == {"stock": D(30), "tax_input": D(6), "payable": D(-36)}
        assert [await here.state(d) for d in (part, rest, ordered)] == ["billed", "billed", "done"]
        (owed,) = await here.report("payables", party=here.vendor)
        assert (owed["reference"], owed["open"], await here.report("not_billed")) == ("R-4711", D(36), [])

        async with here.app.database.read() as session:
            open_item = await session.value("SELECT id FROM open_item")
        paid = DocumentInput(party=here.vendor, lines=(LineInput(kind="payout", price=D(36), settles=open_item),))
        payment = (await here.do.create("purchasing.payment", paid, here.context, then=("post",))).document
        assert (await here.state(bill), await here.report("payables")) == ("paid", [])
        assert await here.balances() == {"stock": D(30), "tax_input": D(6), "bank": D(-36)}
        await here.do.act(payment.id, "reverse", here.context)
        assert (await here.state(bill), (await here.balances())["payable"]) == ("posted", D(-36))


async def test_hook_decide_price_of_the_vendor(database_url: str) -> None:
    async with desk(database_url) as here:
        await here.offer("2.5", quantity_min="100")
        await here.offer("2", currency="USD")
        assert [(await here.order(LineInput(item="BOLT", quantity=D(n)))).lines[0].price for n in (10, 100)] == [D(3), D("2.5")]
        dollars = await here.order(currency="USD")
        assert (dollars.net, dollars.lines[0].steps[0].rule) == (D(20), "vendor's price")
        advice = (await here.order(LineInput(item="ADVICE"), then=())).lines[0]
        assert (advice.price, advice.steps[0].rule) == (D(50), "standard cost")
        await item(here.app, here.context, "SECRET", price=99)
        with pytest.raises(Refused) as refused:
            await here.order(LineInput(item="SECRET"))
        assert refusals(refused) == ["purchasing.price"]


async def test_goods_are_worth_what_was_ordered_in_however_many_parts(database_url: str) -> None:
    """Three bolts for 10.00 less 5 % come one by one: the stock is worth 9.50, and the bill clears it to the cent."""
    async with desk(database_url) as here:
        order = await here.order(LineInput(item="BOLT", quantity=D(3), price=D("3.333333"), discount=D(5)))
        parts = [await here.receive(order, 1) for _ in range(3)]
        assert await here.stock() == (D(3), D("9.50"))
        for n, part in enumerate(parts):
            await here.bill(part, reference=str(n))
        assert (await here.balances()).get("goods_received") is None
        assert await here.state(order) == "done"


async def test_one_receipt_billed_in_parts_clears(database_url: str) -> None:
    async with desk(database_url) as here:
        order = await here.order(LineInput(item="BOLT", quantity=D(3), price=D("3.333333")))
        receipt = await here.receive(order)
        for n in range(3):
            one = [LinkInput(line=receipt.lines[0].id, quantity=D(1))]
            await here.do.follow(receipt.id, "bill_receipt", here.context, lines=one, then=("post",), input=DocumentInput(reference=str(n)))
        assert (await here.stock(), (await here.balances()).get("goods_received")) == ((D(3), D(10)), None)


async def test_orders_in_another_currency(database_url: str) -> None:
    """Goods are worth the order's price at the receipt's rate; the bill comes later at another rate, and the difference is one of exchange."""
    async with desk(database_url) as here:
        await here.offer("2", currency="USD")
        order = await here.order(currency="USD")
        part = await here.receive(order, 3)
        assert await here.stock() == (D(3), D("5.40"))
        await here.app.records.save("newel.currency_rate", None, {"currency": "USD", "rate": "0.8", "date_from": TODAY + timedelta(days=5)}, here.context)
        rest = await here.receive(order, date=TODAY + timedelta(days=5))
        assert (rest.rate, await here.stock()) == (D("0.8"), (D(10), D("16.60")))
        bill = await here.bill(part, rest, date=TODAY + timedelta(days=6))
        assert (bill.rate, bill.gross) == (D("0.8"), D(24))
        balances = await here.balances()
        assert balances.get("goods_received") is None
        assert (balances["payable"], balances["tax_input"], balances["stock"]) == (D("-19.20"), D("3.20"), D("16.60"))
        assert balances["exchange"] == D("-0.60")


async def test_a_bill_at_another_price_posts_the_difference(database_url: str) -> None:
    async with desk(database_url) as here:
        receipt = await here.receive(await here.order())
        with pytest.raises(Refused) as refused:
            await here.bill(receipt, price="3.5", reference="A")
        assert refusals(refused) == ["purchasing.price_differs"]
        anyway = msgspec.structs.replace(here.context, overrides=frozenset({"purchasing.price_differs"}))
        (draft,) = [d for d in [await here.do.get(i, here.context) for i in await _ids(here, "purchasing.bill")] if d.state == "draft"]
        bill = (await here.do.act(draft.id, "post", anyway)).document
        assert await here.balances() == {"stock": D(30), "price_difference": D(5), "tax_input": D(7), "payable": D(-42)}
        assert bill.gross == D(42)
        tolerant = msgspec.structs.replace(here.context, settings={"purchasing": PurchasingSettings(price_tolerance=D(10), match="block")})
        cheap = await here.bill(await here.receive(await here.order()), price="2.8", reference="B", context=tolerant)
        assert (cheap.net, (await here.balances())["price_difference"]) == (D(28), D(3))


async def _ids(here: Desk, kind: str) -> list[int]:
    async with here.app.database.read() as session:
        return [r["id"] for r in await session.fetch("SELECT id FROM document WHERE kind = ? ORDER BY id", kind)]


async def test_a_bill_at_another_price_and_rate_posts_both_differences(database_url: str) -> None:
    async with desk(database_url) as here:
        await here.offer("2", currency="USD")
        receipt = await here.receive(await here.order(currency="USD"))
        lenient = msgspec.structs.replace(here.context, settings={"purchasing": PurchasingSettings(match="note")})
        bill = await here.bill(receipt, price="2.2", context=lenient, rate=D("1.0"))
        assert (bill.net, bill.rate) == (D(22), D(1))
        balances = await here.balances()
        assert (balances.get("goods_received"), balances["price_difference"], balances["exchange"]) == (None, D(2), D(2))


async def test_services_and_freight_are_expense(database_url: str) -> None:
    async with desk(database_url) as here:
        await item(here.app, here.context, "FREIGHT", kind="freight", cost=7)
        order = await here.order(LineInput(item="BOLT", quantity=D(2)), LineInput(item="ADVICE"), LineInput(item="FREIGHT", kind="charge"))
        await here.bill(await here.receive(order))
        balances = await here.balances()
        assert (balances["expense"], balances["stock"], balances.get("goods_received")) == (D(57), D(6), None)
        assert await here.state(order) == "done"


async def test_hook_check_document_matches_order_receipt_and_bill(database_url: str) -> None:
    """More than ordered, more than came, the same number twice: each is refused, and nothing has changed."""
    async with desk(database_url) as here:
        order = await here.order()
        with pytest.raises(Refused) as refused:
            await here.receive(order, 11)
        assert refusals(refused) == ["purchasing.quantity"]
        part = await here.receive(order, 4)
        with pytest.raises(Refused) as refused:
            await here.do.follow(order.id, "bill", here.context, then=("post",))
        assert refusals(refused) == ["purchasing.quantity"]
        await here.bill(part, reference="R1")
        rest = await here.receive(order)
        with pytest.raises(Refused) as refused:
            await here.bill(rest, reference="R1")
        assert refusals(refused) == ["purchasing.reference"]
        for document, step in ((order, "cancel"), (part, "reverse")):
            with pytest.raises(Refused):
                await here.do.act(document.id, step, here.context)


async def test_more_comes_than_was_ordered(database_url: str) -> None:
    """Within the tolerance it is taken in and paid for."""
    async with desk(database_url) as here:
        tolerant = msgspec.structs.replace(here.context, settings={"purchasing": PurchasingSettings(quantity_tolerance=D(10))})
        order = await here.order()
        eleven = [LinkInput(line=order.lines[0].id, quantity=D(11))]
        receipt = (await here.do.follow(order.id, "receive", tolerant, lines=eleven, then=("receive",))).document
        assert await here.stock() == (D(11), D(33))
        await here.bill(receipt, context=tolerant)
        assert (await here.balances(), await here.state(order)) == ({"stock": D(33), "tax_input": D("6.60"), "payable": D("-39.60")}, "done")


async def test_a_part_that_is_undone_is_to_come_again(database_url: str) -> None:
    async with desk(database_url) as here:
        order = await here.order()
        part = await here.receive(order, 4)
        await here.do.act(part.id, "reverse", here.context)
        assert (await here.stock(), await here.balances()) == ((D(0), D(0)), {})
        assert [r["open"] for r in await here.report("to_receive")] == [D(10)]
        bill = await here.bill(await here.receive(order))
        await here.do.act(bill.id, "reverse", here.context)
        assert (await here.state(order), await here.balances()) == ("sent", {"stock": D(30), "goods_received": D(-30)})


async def test_prices_with_tax_in_them_value_goods_without(database_url: str) -> None:
    async with desk(database_url) as here:
        order = await here.order(LineInput(item="BOLT", quantity=D(10), price=D("3.6")), prices_include_tax=True)
        bill = await here.bill(await here.receive(order))
        assert (await here.stock(), bill.gross, (await here.balances()).get("goods_received")) == ((D(10), D(30)), D(36), None)


async def test_hook_decide_tax_of_what_is_not_billed() -> None:
    requisition = Document(id=1, kind="purchasing.requisition", role="request", state="draft", date=TODAY)
    bill = Document(id=1, kind="purchasing.bill", role="bill", state="draft", date=TODAY)
    assert ask(hooks.decide_tax, requisition, Line(id=1), Facts(), None) == ()
    assert ask(hooks.decide_tax, bill, Line(id=1), Facts(), None) is None


async def test_hook_load_facts_reads_nothing_for_what_is_sold(database_url: str) -> None:
    async with desk(database_url) as here:
        order = await here.order()
        sale = Document(id=1, kind="sales.order", role="sale", state="draft", date=TODAY)
        bill = await here.bill(await here.receive(order), reference="R")
        async with here.app.database.read() as session:
            assert await ask(hooks.load_facts, sale, session, here.context) is None
            assert session.statements == 0
            found = await ask(hooks.load_facts, bill, session, here.context)
            assert session.statements == 3
        assert found.orders[bill.lines[0].id].received == 10
        assert ask(hooks.check_document, sale, "confirm", Facts(), here.context) is None
        assert ask(hooks.decide_price, sale, Line(id=1), Facts(), here.context) is None


async def test_hook_propose_panels_part_numbers(database_url: str) -> None:
    async with desk(database_url) as here:
        order = await here.order()
        async with here.app.database.read() as session:
            ((plugin, panel),) = await pages.panels(here.app, session, order, here.context)
        assert (plugin, panel.rows) == ("purchasing", (("BOLT", "SU-7"),))
        bill = await here.bill(await here.receive(order), reference="R")
        async with here.app.database.read() as session:
            match = next(p for _, p in await pages.panels(here.app, session, bill, here.context) if p.line == bill.lines[0].id)
        ordered = order.lines[0]
        assert [(label, x.value) for label, x in match.rows] == [
            ("Ordered", ordered.quantity), ("Received", ordered.quantity), ("Billed", ordered.quantity), ("Ordered at, net", ordered.net / ordered.quantity),
        ]  # fmt: skip


async def test_a_vendor_with_a_price_list_is_asked_what_it_asks_for(database_url: str) -> None:
    """A requisition is a request, as a lead is; what we sell things for does not price it."""
    from newel_pricelists import hooks as pricelists

    async with running(database_url, {"purchasing": hooks, "pricelists": pricelists}) as (app, context):
        await item(app, context, "BOLT", price=10, cost=4)
        both = await party(app, context, "BOTH")
        sells = await app.records.save("pricelists.list", None, {"code": "L", "name": "L", "currency": "EUR"}, context)
        await app.records.save("pricelists.line", None, {"price_list": sells, "percent": "50"}, context)
        await app.records.save("pricelists.assignment", None, {"price_list": sells, "party": both}, context)
        entered = DocumentInput(party=both, lines=(LineInput(item="BOLT"),))
        for kind in ("purchasing.requisition", "purchasing.order"):
            assert (await app.documents.preview(kind, entered, context)).document.lines[0].price == 4
