"""Returns, as the business would tell them: asked for, reviewed, in, out or credited; with the books after every step; on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from newel.domain.context import Context, User
from newel.domain.document import Document, DocumentInput, LineInput, LinkInput
from newel.errors import Refused
from newel.services import reports
from newel.services.app import Newel
from newel.services.entered import as_input
from newel.services.pages import detail
from newel.services.verify import verify
from newel.store.columns import AMOUNT, QUANTITY, unscaled
from newel_inventory import hooks as inventory
from newel_invoicing import hooks as invoicing
from newel_receivables import hooks as receivables
from newel_returns import hooks
from newel_sales import hooks as sales
from newel_sdk.testing import TODAY, item, party, running
from newel_shipping import hooks as shipping

D = Decimal
MODULES = {"inventory": inventory, "invoicing": invoicing, "receivables": receivables, "returns": hooks, "sales": sales, "shipping": shipping}


class Desk:
    """A company that buys pumps at 40 and sells them at 100 with 20 % tax, and its books after every step."""

    def __init__(self, app: Newel, context: Context) -> None:
        self.app, self.context, self.do = app, context, app.documents
        self.pump = self.customer = self.place = 0

    async def open(self) -> Desk:
        save = self.app.records.save
        self.pump = await item(self.app, self.context, "PUMP", price=100, cost=40, tracking="serial")
        self.customer = await party(self.app, self.context, "ACME")
        received = tuple(LineInput(item="PUMP", lot=f"S{n}", price=D(40)) for n in range(1, 6))
        await self.do.create("inventory.receipt", DocumentInput(lines=received), self.context, then=("receive",))
        rate = {"code": "VAT20", "name": "VAT 20 %", "category": "standard", "country": "DE", "rate": "20"}
        await save("newel.tax_rate", None, rate, self.context)
        place = {"code": "ATSERVICE", "name": "Acme's goods in service", "kind": "storage", "owner": self.customer, "party": self.customer}
        self.place = await save("newel.location", None, place, self.context)
        return self

    async def sold(self, *serials: str, discount: int = 10) -> tuple[Document, Document]:
        """Pumps that were sold with a discount and delivered: the order and the delivery."""
        lines = tuple(LineInput(item="PUMP", discount=D(discount)) for _ in serials)
        order = (await self.do.create("sales.order", DocumentInput(party=self.customer, lines=lines), self.context, then=("confirm",))).document
        wanted = [LinkInput(line=line.id, lot=serial) for line, serial in zip(order.lines, serials, strict=True)]
        sent = (await self.do.follow(order.id, "deliver", self.context, lines=wanted, then=("ship",))).document
        return order, sent

    async def ask(self, delivery: Document, category: str, then: Sequence[str] = ("submit", "authorise"), **data: Any) -> Document:
        """A return of what was delivered."""
        values = {"returns": {"category": category, **data}}
        made = await self.do.follow(delivery.id, "authorise", self.context, input=DocumentInput(data=values), then=then)
        return made.document

    async def drafts(self, kind: str) -> list[Document]:
        async with self.app.database.read() as session:
            ids = [r["id"] for r in await session.fetch("SELECT id FROM document WHERE kind = ? AND phase = 'draft' ORDER BY id", kind)]
        return [await self.do.get(id, self.context) for id in ids]

    async def act(self, document: Document, step: str, context: Context | None = None) -> Any:
        """Carry out a transition; everything must add up afterwards."""
        outcome = await self.do.act(document.id, step, context or self.context)
        assert await verify(self.app) == []
        return outcome

    async def state(self, document: Document) -> str:
        return (await self.do.get(document.id, self.context)).state

    async def books(self) -> dict[str, Decimal]:
        """Balance of each account role."""
        async with self.app.database.read() as session:
            rows = await session.fetch("SELECT role, CAST(SUM(debit - credit) AS BIGINT) AS n FROM posting GROUP BY role")
        return {r["role"]: unscaled(r["n"], AMOUNT) for r in rows if r["n"]}

    async def lying(self, place: int) -> tuple[Decimal, Decimal]:
        """Quantity and value in a place."""
        async with self.app.database.read() as session:
            row = await session.one("SELECT COALESCE(SUM(quantity), 0) AS q, COALESCE(SUM(value), 0) AS v FROM stock_balance WHERE location = ?", place)
        assert row is not None
        return unscaled(int(row["q"]), QUANTITY), unscaled(int(row["v"]), AMOUNT)


@asynccontextmanager
async def desk(url: str) -> AsyncIterator[Desk]:
    async with running(url, MODULES) as (app, context):
        yield await Desk(app, context).open()
        assert await verify(app) == []


def codes(refused: pytest.ExceptionInfo[Refused]) -> set[str]:
    return {p.code for p in refused.value.problems if p.severity in ("block", "override")}


@pytest.mark.capability("RMA-02")
async def test_goods_come_back_and_are_credited_at_the_price_of_the_order(database_url: str) -> None:
    """Two pumps were sold at 90 net; prices have gone up since. One comes back: 90 are credited, at the order's steps, and it is worth 40 again."""
    async with desk(database_url) as here:
        order, sent = await here.sold("S1", "S2")
        bill = (await here.do.follow(sent.id, "invoice_delivery", here.context, then=("post",))).document
        assert (bill.net, bill.gross) == (D(180), D(216))
        before = await here.books()
        rise = {"item": here.pump, "currency": "EUR", "price": "150", "date_from": TODAY}
        (old,) = (await here.app.records.page("newel.item_price", here.context)).rows
        await here.app.records.save("newel.item_price", old["id"], {"date_to": TODAY - timedelta(days=1)}, here.context)
        await here.app.records.save("newel.item_price", None, rise, here.context)

        both = await here.ask(sent, "CREDIT", then=())
        entered = msgspec.structs.replace(as_input(both), lines=(as_input(both).lines[0],))
        asked = (await here.do.update(both.id, both.version, entered, here.context)).document
        assert (asked.lines[0].price, asked.net, asked.lines[0].steps) == (D(100), D(90), order.lines[0].steps)
        await here.act(asked, "submit")
        await here.act(asked, "authorise")
        (coming,) = await here.drafts("returns.receipt")
        assert (coming.lines[0].lot is not None, await here.drafts("returns.shipment")) == (True, [])
        with pytest.raises(Refused) as refused:
            await here.do.follow(asked.id, "credit", here.context)
        assert codes(refused) == {"flow.nothing"}, "nothing is credited before it has come"
        moved = await here.act(coming, "receive")
        assert [(m.quantity, m.value) for m in moved.moves] == [(D(1), D(40))]
        note = (await here.do.follow(asked.id, "credit", here.context, then=("post",))).document
        assert (note.net, note.gross, note.lines[0].steps) == (D(90), D(108), order.lines[0].steps)
        after = await here.books()
        assert {r: after[r] - before[r] for r in after if after[r] != before[r]} == {
            "receivable": D(-108), "revenue": D(90), "tax_output": D(18), "stock": D(40), "cogs": D(-40)
        }  # fmt: skip
        assert await here.state(asked) == "settled"
        with pytest.raises(Refused) as refused:
            await here.do.follow(sent.id, "return", here.context, lines=[LinkInput(line=sent.lines[0].id, quantity=D(1))])
        assert "link.exceeded" in codes(refused), "what came back once does not come back again"


@pytest.mark.capability("RMA-01")
async def test_from_the_request_over_the_review_to_the_settlement(database_url: str) -> None:
    """Asked for by a customer, rejected with a reason or authorised by somebody else; each category goes its own way, a new one too."""
    async with desk(database_url) as here:
        calibration = {"code": "CALIBRATE", "name": "Calibration", "settlement": "repair", "owned": True}
        await here.app.records.save("returns.category", None, calibration, here.context)
        for category, serial, goes in (("CREDIT", "S1", None), ("REPAIR", "S2", "S2"), ("REPLACE", "S3", "S5"), ("CALIBRATE", "S4", "S4")):
            _, sent = await here.sold(serial)
            asked = await here.ask(sent, category, then=("submit",))
            assert (asked.state, asked.phase) == ("requested", "offered")
            await here.act(asked, "authorise")
            (coming,), going = await here.drafts("returns.receipt"), await here.drafts("returns.shipment")
            await here.act(coming, "receive")
            if goes is None:
                assert going == []
                await here.do.follow(asked.id, "credit", here.context, then=("post",))
            else:
                line = msgspec.structs.replace(as_input(going[0]).lines[0], lot=goes)
                await here.do.update(going[0].id, going[0].version, msgspec.structs.replace(as_input(going[0]), lines=(line,)), here.context)
                await here.act(going[0], "ship")
            assert await here.state(asked) == "settled"
        _, sent = await here.sold("S1")
        asked = await here.ask(sent, "CALIBRATE", then=())
        with pytest.raises(Refused) as refused:
            await here.do.act(asked.id, "reject", here.context)
        assert codes(refused) == {"state"}
        await here.act(asked, "submit")
        with pytest.raises(Refused) as refused:
            await here.act(asked, "reject")
        assert codes(refused) == {"returns.decision"}
        asked = await here.do.get(asked.id, here.context)
        reason = {"returns": {"category": "CALIBRATE", "decision": "calibrated a month ago"}}
        changed = msgspec.structs.replace(as_input(asked), data=reason)
        asked = (await here.do.update(asked.id, asked.version, changed, here.context)).document
        assert (await here.act(asked, "reject")).document.phase == "cancelled"
        without = DocumentInput(party=here.customer, lines=(LineInput(item="PUMP", lot="FOREIGN"),))
        free = (await here.do.create("returns.authorisation", without, here.context)).document
        assert free.lines[0].price == 100, "without an order it is priced by today's rules"
        with pytest.raises(Refused) as refused:
            await here.act(free, "authorise")
        assert codes(refused) == {"returns.category"}


@pytest.mark.capability("RMA-03", "RMA-05")
async def test_a_repair_comes_in_and_goes_out_and_stays_the_customers(database_url: str) -> None:
    """Expected on the 20th and promised for the 30th; in between it lies in stock, worth nothing, and nobody can sell it."""
    async with desk(database_url) as here:
        _, sent = await here.sold("S1")
        before = await here.books()
        asked = await here.ask(sent, "REPAIR", inbound=date(2026, 1, 20), outbound=date(2026, 1, 30))
        load = here.app.registry.reports["returns.schedule"].load
        async with here.app.database.read() as session:
            rows = await load(session, {}, here.context)
            late = await load(session, {"party": here.customer}, msgspec.structs.replace(here.context, today=date(2026, 1, 25)))
        shown = [(r["way"], r["day"], r["quantity"], r["lot"], r["authorisation_number"], r["late"]) for r in rows]
        assert shown == [("in", date(2026, 1, 20), D(1), "S1", asked.number, ""), ("out", date(2026, 1, 30), D(1), "S1", asked.number, "")]
        assert [r["late"] for r in late] == ["late", ""]
        (coming,), (going,) = await here.drafts("returns.receipt"), await here.drafts("returns.shipment")
        with pytest.raises(Refused) as refused:
            await here.act(going, "ship")
        assert codes(refused) == {"stock.short"}, "it is not here yet"
        moved = await here.act(coming, "receive")
        assert [(m.target, m.value, moved.entries) for m in moved.moves] == [(here.place, D(0), ())]
        assert (await here.lying(here.place), await here.books()) == ((D(1), D(0)), before)
        lines = (LineInput(item="PUMP", quantity=D(5)),)
        wanted = await here.do.create("sales.order", DocumentInput(party=here.customer, lines=lines), here.context, then=("confirm",))
        assert "4 free" in next(p.message for p in wanted.problems if p.code == "stock.short"), "four are ours to sell, the fifth is not"
        back = await here.act(going, "ship")
        assert [(m.source, m.value, back.entries) for m in back.moves] == [(here.place, D(0), ())]
        assert (await here.lying(here.place), await here.books(), await here.state(asked)) == ((D(0), D(0)), before, "settled")
        panel = next(p for _, p in (await detail(here.app, asked.id, here.context)).panels if p.title == "Return")
        assert dict(panel.rows)["Goods"] == "stay the customer's"
        await here.act(going, "reverse")
        assert (await here.state(asked), await here.lying(here.place)) == ("authorised", (D(1), D(0)))


async def test_a_replacement_is_sent_before_the_defect_arrives(database_url: str) -> None:
    """S2 goes out for S1 at once; S1 comes later and is ours again at 40. Had it never come, the customer would have paid for S2."""
    async with desk(database_url) as here:
        _, sent = await here.sold("S1")
        before = await here.books()
        asked = await here.ask(sent, "AHEAD", inbound=date(2026, 1, 25), outbound=date(2026, 1, 16))
        (coming,), (going,) = await here.drafts("returns.receipt"), await here.drafts("returns.shipment")
        assert going.lines[0].lot is None, "the replacement has a number of its own"

        async def send(serial: str) -> Any:
            now = await here.do.get(going.id, here.context)
            line = msgspec.structs.replace(as_input(now).lines[0], lot=serial)
            await here.do.update(now.id, now.version, msgspec.structs.replace(as_input(now), lines=(line,)), here.context)
            return await here.act(going, "ship")

        with pytest.raises(Refused) as refused:
            await send("S1")
        assert "returns.lot" in codes(refused)
        gone = await send("S2")
        assert [(p.role, p.debit - p.credit) for p in gone.entries[0].postings] == [("cogs", D(40)), ("stock", D(-40))]
        with pytest.raises(Refused) as refused:
            await here.do.follow(asked.id, "charge", here.context)
        assert codes(refused) == {"flow.nothing"}, "it is still expected"

        await here.act(coming, "cancel")  # it does not seem to come: the customer is charged at the order's price
        bill = (await here.do.follow(asked.id, "charge", here.context)).document
        assert (bill.net, await here.state(asked)) == (D(90), "authorised")
        await here.act(bill, "cancel")  # it comes after all
        late = (await here.do.follow(asked.id, "receive", here.context)).document
        moved = await here.act(late, "receive")
        assert {(p.role, p.debit - p.credit) for p in moved.entries[0].postings} == {("cogs", D(-40)), ("stock", D(40))}
        assert (await here.books(), await here.state(asked)) == (before, "settled"), "one pump out, one pump in"


async def test_what_never_comes_back_is_charged(database_url: str) -> None:
    async with desk(database_url) as here:
        _, sent = await here.sold("S1")
        asked = await here.ask(sent, "AHEAD")
        (coming,), (going,) = await here.drafts("returns.receipt"), await here.drafts("returns.shipment")
        now = as_input(going)
        line = msgspec.structs.replace(now.lines[0], lot="S3")
        await here.do.update(going.id, going.version, msgspec.structs.replace(now, lines=(line,)), here.context)
        await here.act(going, "ship")
        await here.act(coming, "cancel")
        bill = (await here.do.follow(asked.id, "charge", here.context, then=("post",))).document
        assert (bill.gross, await here.state(asked)) == (D(108), "settled")


async def test_the_replacement_waits_for_the_defect_unless_the_category_says_otherwise(sqlite_url: str) -> None:
    async with desk(sqlite_url) as here:
        _, sent = await here.sold("S1")
        with pytest.raises(Refused) as refused:
            await here.ask(sent, "REPLACE", inbound=date(2026, 1, 20), outbound=date(2026, 1, 16))
        assert codes(refused) == {"returns.dates"}
        await here.ask(sent, "REPLACE")
        (coming,), (going,) = await here.drafts("returns.receipt"), await here.drafts("returns.shipment")
        with pytest.raises(Refused) as refused:
            await here.act(going, "ship")
        assert codes(refused) == {"returns.not_come"}
        await here.act(coming, "receive")
        await here.act(going, "ship")


async def test_goods_of_a_customer_without_a_place(sqlite_url: str) -> None:
    """The message says what to set up; one place for all customers will do."""
    async with desk(sqlite_url) as here:
        await here.app.records.save("newel.location", here.place, {"owner": await party(here.app, here.context, "OTHER")}, here.context)
        _, sent = await here.sold("S1")
        await here.ask(sent, "REPAIR")
        (coming,) = await here.drafts("returns.receipt")
        with pytest.raises(Refused) as refused:
            await here.act(coming, "receive")
        assert "returns.place" in codes(refused)
        everybody = await party(here.app, here.context, "CUSTOMERS")
        place = {"code": "CUSTOMERS", "name": "Customers' goods", "kind": "storage", "owner": everybody}
        common = await here.app.records.save("newel.location", None, place, here.context)
        assert [m.target for m in (await here.act(coming, "receive")).moves] == [common]


@pytest.mark.capability("RMA-04")
async def test_a_customer_with_overdue_invoices(database_url: str) -> None:
    """What receivables know counts when a return is authorised: a note by default, as strict as the setting says."""
    async with desk(database_url) as here:
        _, sent = await here.sold("S1")
        due = DocumentInput(date=TODAY - timedelta(days=40), date_due=TODAY - timedelta(days=10))
        strict = msgspec.structs.replace(here.context, settings={"returns": hooks.ReturnsSettings(overdue="block")})
        january = msgspec.structs.replace(here.context, today=TODAY)
        await here.do.follow(sent.id, "invoice_delivery", january, input=msgspec.structs.replace(due, date=TODAY - timedelta(days=14)), then=("post",))
        asked = await here.ask(sent, "REPAIR", then=())
        with pytest.raises(Refused) as refused:
            await here.do.act(asked.id, "authorise", strict)
        assert codes(refused) == {"returns.overdue"}
        outcome = await here.do.act(asked.id, "authorise", here.context)
        assert [p.message for p in outcome.problems if p.code == "returns.overdue"] == ["the customer owes 108 EUR that is overdue"]
        with pytest.raises(Refused) as refused:
            await here.act(asked, "cancel")
        assert codes(refused) == {"returns.gone_on"}


async def test_a_customer_asks_and_somebody_else_authorises(database_url: str) -> None:
    """Somebody who stands for a customer asks for the own customer, sees nothing of others, and can't authorise."""
    async with desk(database_url) as here:
        other = (await here.do.create("returns.authorisation", DocumentInput(party=await party(here.app, here.context, "OTHER")), here.context)).document
        theirs = frozenset({"returns.authorisation.view", "returns.authorisation.edit", "returns.authorisation.submit"})
        user = User(id=9, login="acme", permissions=theirs, companies=frozenset({here.context.company.id}), party=here.customer)
        guest = msgspec.structs.replace(here.context, user=user)
        entered = DocumentInput(lines=(LineInput(item="PUMP", lot="FOREIGN"),), data={"returns": {"category": "REPAIR"}})
        asked = (await here.do.create("returns.authorisation", entered, guest, then=("submit",))).document
        assert (asked.party.number, asked.state) == ("ACME", "requested")  # type: ignore[union-attr]
        for step, found, status in (("authorise", asked, 403), ("submit", other, 404)):
            with pytest.raises(Refused) as refused:
                await here.do.act(found.id, step, guest)
            assert refused.value.status == status
        assert (await here.act(asked, "authorise")).document.state == "authorised"
        load = reports.run(here.app, "returns.schedule", {}, msgspec.structs.replace(guest, user=msgspec.structs.replace(user, permissions=frozenset({"*"}))))
        assert {r["party"] for r in await load} == {"Acme"}
