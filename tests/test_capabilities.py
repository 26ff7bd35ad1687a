"""Rows of the mission that the kernel and the first plugins carry, each shown whole through the use cases that screens and API call."""

from __future__ import annotations

from datetime import date
from decimal import Decimal as D
from typing import Any

import msgspec
import pytest
from newel.domain.context import User
from newel.domain.document import DocumentInput, LineInput, ScheduleInput
from newel.errors import Refused
from newel.services.verify import verify
from newel_sdk.testing import item, party, running, stock


def order(*lines: LineInput, **header: Any) -> DocumentInput:
    return DocumentInput(party=header.pop("party", "C1"), lines=lines, **header)


def refused_codes(refused: pytest.ExceptionInfo[Refused]) -> set[str]:
    return {p.code for p in refused.value.problems if p.severity in ("block", "override")}


@pytest.mark.capability("DOC-08", screen="/documents/sales.order")
async def test_scheduled_deliveries(database_url: str) -> None:
    """Header, lines, and in each line deliveries with their own quantity and date, through to the delivery of one of them."""
    async with running(database_url) as (app, context):
        await party(app, context, "C1")
        await stock(app, context, await item(app, context, "BOLT", price="1", cost="1"), 100, 100)
        days = [date(2026, m, 1) for m in (2, 3, 4)]
        line = LineInput(item="BOLT", quantity=D(60), schedules=tuple(ScheduleInput(quantity=D(20), date_requested=d) for d in days))
        made = (await app.documents.create("sales.order", order(line), context, then=["confirm"])).document
        assert [(s.quantity, s.date_requested) for s in made.lines[0].schedules] == [(D(20), d) for d in days]
        stored = await app.documents.get(made.id, context)
        assert len({s.id for s in stored.lines[0].schedules}) == 3


@pytest.mark.capability("DOC-10", screen="/documents/sales.order/new")
async def test_goods_go_to_one_customer_and_the_bill_to_another(database_url: str) -> None:
    async with running(database_url) as (app, context):
        await party(app, context, "C1")
        site = await party(app, context, "SITE", country="AT")
        await item(app, context, "BOLT", price="10")
        for rate, country in (("19", "DE"), ("20", "AT")):
            await app.records.save("newel.tax_rate", None, {"code": "VAT", "name": "VAT", "category": "standard", "rate": rate, "country": country}, context)
        rows = (await app.records.page("newel.address", context, filters={"party": str(site)})).rows
        made = (await app.documents.create("sales.order", order(LineInput(item="BOLT"), ship_to=rows[0]["id"]), context)).document
        stored = await app.documents.get(made.id, context)
        assert (stored.party.number, stored.ship_to.party, stored.bill_to.party) == ("C1", site, stored.party.id)  # type: ignore[union-attr]
        assert [x.rate for x in stored.taxes] == [D(20)]


@pytest.mark.capability("DOC-15", "DOC-16", screen="/documents/sales.order/new")
async def test_charges_freight_and_warranty_stand_beside_goods_once_each(database_url: str) -> None:
    async with running(database_url) as (app, context):
        await party(app, context, "C1")
        await item(app, context, "BOLT", price="10")
        codes = {"charge": "SETUP", "freight": "FREIGHT", "warranty": "CARE"}
        for kind, number in codes.items():
            await item(app, context, number, price="5", kind=kind)
        lines = [LineInput(item="BOLT"), *(LineInput(kind="charge", item=number) for number in codes.values())]
        made = (await app.documents.create("sales.order", order(*lines), context, then=["confirm"])).document
        assert made.net == D(25)
        for number in codes.values():
            with pytest.raises(Refused) as refused:
                await app.documents.create("sales.order", order(*lines, LineInput(kind="charge", item=number)), context)
            assert refused_codes(refused) == {"line.twice"}


@pytest.mark.capability("PRC-01", "TAX-01", screen="/documents/sales.order")
async def test_price_and_tax_from_the_order_to_the_invoice(database_url: str) -> None:
    """List price by date, further price elements as steps, tax in order entry; the invoice carries both."""
    async with running(database_url) as (app, context):
        await party(app, context, "C1")
        bolt = await item(app, context, "BOLT")
        for price, start, end in (("9.00", "2025-01-01", "2025-12-31"), ("10.00", "2026-01-01", None)):
            values = {"item": bolt, "currency": "EUR", "price": price, "date_from": start, "date_to": end}
            await app.records.save("newel.item_price", None, values, context)
        await app.records.save("newel.tax_rate", None, {"code": "VAT", "name": "VAT", "category": "standard", "rate": "19"}, context)
        made = (await app.documents.create("sales.order", order(LineInput(item="BOLT", quantity=D(3), discount=D(10))), context, then=["confirm"])).document
        assert [(s.rule, s.amount_out) for s in made.lines[0].steps] == [("list price", D("30.00")), ("discount", D("27.00"))]
        assert (made.tax, made.gross) == (D("5.13"), D("32.13"))
        await app.records.save("newel.item_price", None, {"item": bolt, "currency": "USD", "price": "99"}, context)
        billed = (await app.documents.follow(made.id, "invoice", context, then=["post"])).document
        assert (billed.net, billed.tax, billed.lines[0].steps) == (made.net, made.tax, made.lines[0].steps)


@pytest.mark.capability("TAX-02", "TAX-04", "TAX-05", screen="/records/newel.currency_rate")
async def test_a_customer_of_another_currency(database_url: str) -> None:
    """The currency of the bill-to customer is on order and invoice; the difference between invoice and payment is booked."""
    async with running(database_url) as (app, context):
        await party(app, context, "C1", currency="USD")
        await item(app, context, "BOLT", price="9")
        for rate, day in (("0.90", "2026-01-01"), ("0.80", "2026-02-01")):
            await app.records.save("newel.currency_rate", None, {"currency": "USD", "rate": rate, "date_from": day}, context)
        made = (await app.documents.create("sales.order", order(LineInput(item="BOLT", quantity=D(10))), context, then=["confirm"])).document
        assert (made.currency, made.gross) == ("USD", D("100.00"))
        billed = (await app.documents.follow(made.id, "invoice", context, then=["post"])).document
        async with app.database.read() as session:
            owed = await session.one("SELECT id, currency FROM open_item WHERE document = ?", billed.id)
        assert (billed.currency, owed["currency"]) == ("USD", "USD")
        later = msgspec.structs.replace(context, today=date(2026, 2, 3))
        line = LineInput(kind="payment", price=D("100.00"), settles=owed["id"])
        paid = await app.documents.create("receivables.payment", order(line, currency="USD"), later, then=["post"])
        assert ("exchange", D(10), D(0)) in [(p.role, p.debit, p.credit) for p in paid.entries[0].postings]
        assert await verify(app) == []


@pytest.mark.capability("CRD-01", screen="/records/newel.party")
async def test_every_customer_has_its_own_limit(database_url: str) -> None:
    async with running(database_url) as (app, context):
        await item(app, context, "BOLT", price="10")
        for number, limit in (("C1", "50"), ("C2", "500"), ("C3", None)):
            await party(app, context, number, **({"limit_amount": limit} if limit else {}))
        for number, goes in (("C1", False), ("C2", True), ("C3", True)):
            made = (await app.documents.create("sales.order", order(LineInput(item="BOLT", quantity=D(20)), party=number), context)).document
            if goes:
                await app.documents.act(made.id, "confirm", context)
            else:
                with pytest.raises(Refused) as refused:
                    await app.documents.act(made.id, "confirm", context)
                assert refused_codes(refused) == {"credit.limit"}


@pytest.mark.capability("APR-02", screen="/documents/invoicing.invoice")
async def test_an_invoice_is_locked_after_posting(database_url: str) -> None:
    async with running(database_url) as (app, context):
        await party(app, context, "C1")
        await item(app, context, "BOLT", price="10")
        made = (await app.documents.create("invoicing.invoice", order(LineInput(item="BOLT")), context, then=["post"])).document
        with pytest.raises(Refused) as refused:
            await app.documents.update(made.id, made.version, order(LineInput(item="BOLT", quantity=D(2))), context)
        assert refused_codes(refused) == {"document.locked"}


@pytest.mark.capability("APR-04", screen="/documents/sales.order")
async def test_changes_are_logged_with_old_and_new_data(database_url: str) -> None:
    async with running(database_url) as (app, context):
        await party(app, context, "C1")
        await item(app, context, "BOLT", price="10")
        for kind in ("sales.quotation", "sales.order"):
            made = (await app.documents.create(kind, order(LineInput(item="BOLT")), context)).document
            entered = order(LineInput(id=made.lines[0].id, item="BOLT", quantity=D(4)), reference="PO 7")
            await app.documents.update(made.id, made.version, entered, context)
            async with app.database.read() as session:
                row = await session.one('SELECT "user", changes FROM document_event WHERE document = ? AND action = ?', made.id, "change")
            changes = {c["field"]: (c["old"], c["new"]) for c in msgspec.json.decode(row["changes"])}
            assert row["user"] == "tester" and changes["reference"] == ("", "PO 7") and changes["line 10 quantity"] == ("1", "4")


@pytest.mark.capability("TAK-05")
async def test_two_companies_share_masters_and_nothing_else(database_url: str) -> None:
    from newel.services.setup import set_up_company

    async with running(database_url) as (app, context):
        await set_up_company(app, code="OTHER", name="Other", currency="USD", first_year=2026)
        async with app.database.read() as session:
            second = await session.value("SELECT id FROM company WHERE code = 'OTHER'")
            other = await app.context(session, User(id=0, login="o", permissions=frozenset({"*"})), second)
        await party(app, context, "C1")
        await item(app, context, "BOLT", price="10")
        mine = (await app.documents.create("sales.order", order(LineInput(item="BOLT")), context)).document
        assert (mine.company, mine.number) == (context.company.id, "SO2026-00001")
        with pytest.raises(Refused) as refused:
            await app.documents.get(mine.id, other)
        assert refused.value.status == 404
        theirs = (await app.documents.create("sales.order", order(LineInput(item="BOLT", price=D(1)), currency="USD"), other)).document
        assert (theirs.company, theirs.number) == (second, "SO2026-00001")


@pytest.mark.capability("TAK-09", screen="/records/newel.item_unit")
async def test_units_are_converted(database_url: str) -> None:
    """Sold by the box of twelve and by the dozen, kept and priced by the piece."""
    async with running(database_url) as (app, context):
        await party(app, context, "C1")
        bolt = await item(app, context, "BOLT", price="0.50", cost="0.10")
        await stock(app, context, bolt, 100, 10)
        await app.records.save("newel.item_unit", None, {"item": bolt, "unit": "BOX", "factor": "25"}, context)
        lines = (LineInput(item="BOLT", quantity=D(2), unit="BOX"), LineInput(item="BOLT", quantity=D(1), unit="DZN"))
        made = (await app.documents.create("sales.order", order(*lines), context, then=["confirm"])).document
        assert [(x.price, x.net) for x in made.lines] == [(D("12.5"), D("25.00")), (D(6), D("6.00"))]
        shipped = await app.documents.follow(made.id, "deliver", context, then=["ship"])
        assert sorted(m.quantity for m in shipped.moves) == [D(12), D(50)]


@pytest.mark.capability("WRK-07")
async def test_one_command_moves_stock_ledger_and_states_at_once(database_url: str) -> None:
    async with running(database_url) as (app, context):
        await party(app, context, "C1")
        await stock(app, context, await item(app, context, "BOLT", price="10", cost="4"), 10, 40)
        made = (await app.documents.create("sales.order", order(LineInput(item="BOLT", quantity=D(3))), context, then=["confirm"])).document
        shipped = await app.documents.follow(made.id, "deliver", context, then=["ship"])
        assert [(m.quantity, m.value) for m in shipped.moves] == [(D(3), D(12))]
        assert {(p.role, p.debit, p.credit) for p in shipped.entries[0].postings} == {("cogs", D(12), D(0)), ("stock", D(0), D(12))}
        stored = await app.documents.get(made.id, context)
        assert stored.lines[0].stages["delivered"].done == 3
        assert await verify(app) == []
