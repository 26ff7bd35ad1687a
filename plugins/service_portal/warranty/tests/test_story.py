"""A pump from its sale to its recycling, as the service would tell it: repaired under warranty, later at the customer's cost, and no more."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from newel.domain.context import Context
from newel.domain.document import Document, DocumentInput, LineInput, LinkInput
from newel.errors import Refused
from newel.services.app import Newel
from newel.services.entered import as_input
from newel.services.pages import detail
from newel.services.verify import verify
from newel.store.columns import AMOUNT, unscaled
from newel_inventory import hooks as inventory
from newel_invoicing import hooks as invoicing
from newel_receivables import hooks as receivables
from newel_returns import hooks as returns
from newel_rework import hooks as rework
from newel_sales import hooks as sales
from newel_sdk.testing import item, party, running
from newel_shipping import hooks as shipping
from newel_warranty import hooks

D = Decimal
MODULES = {
    "inventory": inventory, "invoicing": invoicing, "receivables": receivables, "returns": returns, "rework": rework, "sales": sales,
    "shipping": shipping, "warranty": hooks,
}  # fmt: skip


class Service:
    """A company that sells pumps at 100 with two years of warranty: parts, and half of the labour. An hour is 60 and costs 25, a seal 15 and 4."""

    def __init__(self, app: Newel, context: Context) -> None:
        self.app, self.context, self.do = app, context, app.documents
        self.pump = self.customer = 0

    async def open(self) -> Service:
        save, here = self.app.records.save, self.context
        self.pump = await item(self.app, here, "PUMP", price=100, cost=40, tracking="serial")
        await item(self.app, here, "SEAL", price=15, cost=4)
        await item(self.app, here, "HOUR", price=60, cost=25, kind="service", unit="H")
        self.customer = await party(self.app, here, "ACME")
        lines = (LineInput(item="PUMP", lot="S1", price=D(40)), LineInput(item="SEAL", quantity=D(10), price=D(4)))
        await self.do.create("inventory.receipt", DocumentInput(lines=lines), here, then=("receive",))
        await save("newel.tax_rate", None, {"code": "VAT20", "name": "VAT", "category": "standard", "country": "DE", "rate": "20"}, here)
        place = {"code": "CUSTOMERS", "name": "Customers' goods", "kind": "storage", "owner": self.customer, "party": self.customer}
        await save("newel.location", None, place, here)
        terms = {"code": "TWO", "name": "Two years", "months": 24, "parts": "100", "labour": "50", "service_months": 12}
        await save("warranty.rule", None, {"terms": await save("warranty.terms", None, terms, here), "item": self.pump}, here)
        return self

    def on(self, day: date) -> Context:
        return msgspec.structs.replace(self.context, today=day)

    async def sell(self) -> Document:
        entered = DocumentInput(party=self.customer, lines=(LineInput(item="PUMP"),))
        order = (await self.do.create("sales.order", entered, self.context, then=("confirm",))).document
        wanted = [LinkInput(line=order.lines[0].id, lot="S1")]
        return (await self.do.follow(order.id, "deliver", self.context, lines=wanted, then=("ship",))).document

    async def repair(self, sent: Document, here: Context) -> Document:
        """A return for repair with two hours of work, authorised and received."""
        data = {"returns": {"category": "REPAIR"}}
        asked = (await self.do.follow(sent.id, "authorise", here, input=DocumentInput(data=data))).document
        work = LineInput(kind="work", item="HOUR", text="Find the fault and repair", quantity=D(2))
        entered = msgspec.structs.replace(as_input(asked), lines=(*as_input(asked).lines, work))
        asked = (await self.do.update(asked.id, asked.version, entered, here)).document
        await self.act(asked.id, "authorise", here)
        await self.act(await self.draft("returns.receipt"), "receive", here)
        return await self.do.get(asked.id, here)

    async def work(self, asked: Document, here: Context) -> Any:
        """An hour and a half of work and two seals; finished."""
        job = (await self.do.follow(asked.id, "work", here)).document
        lines = (msgspec.structs.replace(as_input(job).lines[0], quantity=D("1.5")), LineInput(item="SEAL", quantity=D(2)))
        job = (await self.do.update(job.id, job.version, msgspec.structs.replace(as_input(job), lines=lines), here)).document
        return await self.act(job.id, "finish", here)

    async def act(self, id: int, step: str, here: Context | None = None) -> Any:
        outcome = await self.do.act(id, step, here or self.context)
        assert await verify(self.app) == []
        return outcome

    async def draft(self, kind: str) -> int:
        """The last draft of a kind."""
        async with self.app.database.read() as session:
            return int(await session.value("SELECT id FROM document WHERE kind = ? AND phase = 'draft' ORDER BY id DESC", kind))

    async def report(self, name: str, here: Context | None = None, **parameters: Any) -> list[dict[str, Any]]:
        report = self.app.registry.reports[name]
        async with self.app.database.read() as session:
            rows = await report.load(session, parameters, here or self.context)
        assert all(column.name in row for row in rows for column in report.columns)
        return rows

    async def books(self) -> dict[str, Decimal]:
        async with self.app.database.read() as session:
            rows = await session.fetch("SELECT role, CAST(SUM(debit - credit) AS BIGINT) AS n FROM posting GROUP BY role")
        return {r["role"]: unscaled(r["n"], AMOUNT) for r in rows if r["n"]}


@asynccontextmanager
async def service(url: str) -> AsyncIterator[Service]:
    async with running(url, MODULES, years=3) as (app, context):
        yield await Service(app, context).open()
        assert await verify(app) == []


def codes(refused: pytest.ExceptionInfo[Refused]) -> set[str]:
    return {p.code for p in refused.value.problems if p.severity in ("block", "override")}


@pytest.mark.capability("RMA-04", "RMA-06")
async def test_a_warranty_repair_from_the_call_to_the_returned_pump(database_url: str) -> None:
    """Half of the labour and no part is charged: 45 of 120. Stock, ledger and the return say the same at each step."""
    async with service(database_url) as here:
        sent = await here.sell()
        june = here.on(date(2026, 6, 1))
        call = DocumentInput(party=here.customer, text="It leaks", lines=(LineInput(item="PUMP", lot="S1"),))
        claim = (await here.do.create("warranty.claim", call, june, then=("accept",))).document
        shown = [p for _, p in (await detail(here.app, claim.id, june)).panels if p.line == claim.lines[0].id]
        assert shown[0].rows == (("Warranty", "warranty TWO until 2028-01-15"), ("Covered", "parts 100 %, labour 50 %"))

        asked = await here.repair(sent, june)
        before = await here.books()
        finished = await here.work(asked, june)
        job = await here.do.get(finished.document.id, june)
        assert [(x.price, x.net, x.steps[-1].reason) for x in job.lines] == [
            (D(60), D(45), "50 % covered: warranty TWO until 2028-01-15"), (D(15), D(0), "100 % covered: warranty TWO until 2028-01-15"),
        ]  # fmt: skip
        assert [(m.quantity, m.value) for m in finished.moves] == [(D(2), D(8))]
        assert {(p.role, p.debit - p.credit) for p in finished.entries[0].postings} == {("rework", D(8)), ("stock", D(-8))}
        bill = (await here.act(await here.draft("invoicing.invoice"), "post", june)).document
        assert (bill.net, bill.gross, (await here.do.get(job.id, june)).state) == (D(45), D(54), "done")
        gone = await here.act(await here.draft("returns.shipment"), "ship", june)
        assert gone.entries == (), "it was the customer's all the time"
        after = await here.books()
        assert {r: after[r] - before.get(r, D(0)) for r in after if after[r] != before.get(r)} == {
            "rework": D(8), "stock": D(-8), "receivable": D(54), "revenue": D(-45), "tax_output": D(-9),
        }  # fmt: skip
        assert (await here.do.get(asked.id, june)).state == "settled"
        (cost,) = await here.report("rework.cost", june)
        assert (cost["document"], cost["material"], cost["labour"], cost["charge"], cost["result"]) == (asked.id, D(8), D("37.5"), D(45), D("-0.5"))
        panel = next(p for _, p in (await detail(here.app, asked.id, june)).panels if p.title == "Work on this return")
        assert [(label, shown.value) for label, shown in panel.rows] == [("Material", D(8)), ("Labour", D("37.5")), ("To be charged", D(45))]
        (piece,) = await here.report("warranty.register", june, party=here.customer)
        assert (piece["state"], piece["sold"], piece["due"]) == ("serviced", date(2026, 1, 15), date(2027, 6, 1))
        with pytest.raises(Refused) as refused:
            await here.act(job.id, "reverse", june)
        assert codes(refused) == {"state"}


async def test_after_the_warranty_the_customer_pays(database_url: str) -> None:
    """A claim is not accepted by mistake; all of the work is charged: an hour and a half at 60, two seals at 15."""
    async with service(database_url) as here:
        sent = await here.sell()
        late = here.on(date(2028, 1, 16))
        call = DocumentInput(party=here.customer, lines=(LineInput(item="PUMP", lot="S1"),))
        claim = (await here.do.create("warranty.claim", call, late)).document
        with pytest.raises(Refused) as refused:
            await here.act(claim.id, "accept", late)
        assert codes(refused) == {"warranty.uncovered"}
        await here.act(claim.id, "refuse", late)
        asked = await here.repair(sent, late)
        finished = await here.work(asked, late)
        assert finished.document.net == D(120)
        with pytest.raises(Refused) as refused:
            await here.act(finished.document.id, "waive", late)
        assert codes(refused) == {"rework.charge"}
        assert (await here.act(await here.draft("invoicing.invoice"), "post", late)).document.gross == D(144)


@pytest.mark.capability("RMA-08", "RMA-09", screen="/report/warranty.register")
async def test_the_life_of_a_pump_from_its_sale_to_its_recycling(database_url: str) -> None:
    """Sold, serviced when it is due, decommissioned and recycled with a certificate each; and nobody can sell it again."""
    async with service(database_url) as here:
        assert await here.report("warranty.register") == []
        sent = await here.sell()
        (piece,) = await here.report("warranty.register", serial="S1")
        assert (piece["serial"], piece["party"], piece["state"], piece["until"], piece["parts"], piece["number"]) == (
            "S1", "Acme", "sold", date(2028, 1, 15), D(100), sent.number
        )  # fmt: skip
        a_year_later = here.on(date(2027, 1, 15))
        assert [(r["due"], r["late"]) for r in await here.report("warranty.register", a_year_later)] == [(date(2027, 1, 15), "due")]

        async def happened(kind: str, day: str, proof: str = "") -> Any:
            async with here.app.database.read() as session:
                lot = await session.value("SELECT id FROM lot WHERE number = 'S1'")
            values = {"item": here.pump, "lot": lot, "kind": kind, "date": day, "proof": proof}
            return await here.app.records.save("warranty.event", None, values, here.context)

        await happened("serviced", "2027-01-20")
        assert (await here.report("warranty.register", a_year_later))[0]["due"] == date(2028, 1, 20)
        for kind, day, proof, expected in (
            ("recycled", "2027-05-01", "C-1", "warranty.order"), ("decommissioned", "2027-05-01", "", "warranty.proof"),
            ("decommissioned", "2026-05-01", "C-1", "warranty.date"),
        ):  # fmt: skip
            with pytest.raises(Refused) as refused:
                await happened(kind, day, proof)
            assert codes(refused) == {expected}
        await happened("decommissioned", "2027-05-01", "C-1")
        await happened("recycled", "2027-06-01", "R-77")
        (piece,) = await here.report("warranty.register", here.on(date(2027, 7, 1)))
        assert (piece["state"], piece["proof"], piece["parts"], piece["due"]) == ("recycled", "R-77", D(0), None)
        lives = (await here.app.records.page("warranty.event", here.context, sort="id")).rows
        assert [(r["kind"], r["proof"]) for r in lives] == [("serviced", ""), ("decommissioned", "C-1"), ("recycled", "R-77")]
        with pytest.raises(Refused):
            await here.app.records.delete("warranty.event", lives[0]["id"], here.context)
        back = (await here.do.follow(sent.id, "return", here.context, then=("receive",))).document
        assert back.phase == "done"
        again = DocumentInput(party=here.customer, lines=(LineInput(item="PUMP", lot="S1"),))
        with pytest.raises(Refused) as refused:
            await here.do.create("sales.order", again, here.context, then=("confirm",))
        assert codes(refused) == {"warranty.ended"}


async def test_a_piece_that_another_company_sold(sqlite_url: str) -> None:
    """It has no warranty of ours, and its work is charged; sold by hand, it has one."""
    async with service(sqlite_url) as here:
        call = DocumentInput(party=here.customer, lines=(LineInput(item="PUMP", lot="FOREIGN"),))
        claim = (await here.do.create("warranty.claim", call, here.context)).document
        with pytest.raises(Refused) as refused:
            await here.act(claim.id, "accept")
        assert "it was not sold by us" in str(refused.value)
        values = {"item": here.pump, "lot": claim.lines[0].lot, "kind": "sold", "date": "2025-12-01", "party": here.customer}
        await here.app.records.save("warranty.event", None, values, here.context)
        await here.act(claim.id, "accept")
        (piece,) = [r for r in await here.report("warranty.register") if r["serial"] == "FOREIGN"]
        assert (piece["until"], piece["document"]) == (date(2027, 12, 1), None)
        made = (await here.do.follow(claim.id, "authorise_claim", here.context, input=DocumentInput(data={"returns": {"category": "REPAIR"}}))).document
        await here.act(made.id, "authorise")
        assert (await here.do.get(claim.id, here.context)).state == "settled"
