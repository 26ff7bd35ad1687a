"""A technician's work as the service would tell it: asked for, planned, driven to, done, signed, and charged or covered."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from newel.domain.context import Context, User
from newel.domain.document import Document, DocumentInput, LineInput, LinkInput
from newel.errors import Refused
from newel.jobs.worker import Worker
from newel.services import reports
from newel.services.entered import as_input
from newel.services.pages import detail
from newel.store.columns import AMOUNT, unscaled
from newel_sdk.kit import Kit, kit_on
from newel_visits import send
from newel_visits.rules import Task

D = Decimal
PLUGINS = ["visits", "requests", "service_kpis", "sales", "inventory", "shipping", "invoicing", "receivables", "returns", "rework", "warranty", "faults"]
VISIT = "visits.visit"
OVER = ("visits.tasks", "visits.unsigned", "visits.changed", "visits.overlap")


class Firm:
    """Sells pumps at 900 with two years of warranty: parts, and half of the labour. An hour is 80, a seal 15 and costs 4. Wanda has ten seals in her van."""

    def __init__(self, kit: Kit) -> None:
        self.kit, self.do = kit, kit.app.documents

    async def open(self) -> Firm:
        kit = self.kit
        self.pump = await kit.item("PUMP", price=900, cost=520, tracking="serial")
        await kit.item("SEAL", price=15, cost=4)
        await kit.item("HOUR", price=80, cost=35, kind="service", unit="H")
        self.acme, self.beta = await kit.party("ACME"), await kit.party("BETA")
        await kit.record("newel.tax_rate", code="DE19", name="VAT", country="DE", category="standard", rate="19")
        goods = (LineInput(item="PUMP", lot="P-1", price=D(520)), LineInput(item="SEAL", quantity=D(30), price=D(4)))
        await self.do.create("inventory.receipt", DocumentInput(lines=goods), kit.context, then=("receive",))
        self.van = await kit.app.records.save("newel.location", None, {"code": "VAN-1", "name": "Wanda's van", "kind": "storage"}, kit.context)
        main = (await kit.rows("SELECT id FROM location WHERE code = 'MAIN'"))[0]["id"]
        load = DocumentInput(location_from=main, location_to=self.van, lines=(LineInput(item="SEAL", quantity=D(10)),))
        await self.do.create("inventory.transfer", load, kit.context, then=("move",))
        await kit.record("visits.technician", code="WANDA", name="Wanda Kern", location=self.van)
        await kit.record("visits.technician", code="OLAF", name="Olaf Ries")
        await kit.record("visits.checklist", code="PUMP", name="Pumps", tasks="Is it tight?\nNoise of the bearing\n")
        await kit.record("faults.cause", code="SEAL", name="Seal worn")
        terms = await kit.record("warranty.terms", code="TWO", name="Two years", months=24, parts="100", labour="50", service_months=12)
        await kit.record("warranty.rule", terms=terms, item=self.pump)
        await kit.settings("visits", zone="Europe/Berlin", labour="HOUR")
        entered = DocumentInput(party=self.acme, lines=(LineInput(item="PUMP"),))
        order = (await self.do.create("sales.order", entered, kit.context, then=("confirm",))).document
        await self.do.follow(order.id, "deliver", kit.context, lines=[LinkInput(line=order.lines[0].id, lot="P-1")], then=("ship",))
        return self

    async def ask(self) -> Document:
        """ACME asks for somebody at pump P-1 on Tuesday at half past nine, and for an hour of advice."""
        place = (await self.kit.rows("SELECT id FROM address WHERE party = ?", self.acme))[0]["id"]
        entered = DocumentInput(
            party=self.acme, date_requested=date(2026, 1, 20), ship_to=place, text="Leaks at the shaft",
            lines=(LineInput(item="PUMP", lot="P-1", data={"faults": {"cause": "SEAL"}}), LineInput(item="HOUR", text="Advice", quantity=D(1))),
            data={"requests": {"type": "service", "time": "09:30"}},
        )  # fmt: skip
        return (await self.do.create("requests.request", entered, self.kit.context, then=("submit",))).document

    async def planned(self, technician: str = "WANDA", party: int = 0, day: date = date(2026, 1, 20), time: str = "09:30", **more: Any) -> Document:
        place = (await self.kit.rows("SELECT id FROM address WHERE party = ?", party or self.acme))[0]["id"]
        data = {"visits": {"technician": technician, "time": time, **more}}
        entered = DocumentInput(party=party or self.acme, date_requested=day, ship_to=place, data=data, lines=(LineInput(item="HOUR"),))
        return (await self.do.create(VISIT, entered, self.kit.context)).document

    def over(self) -> Context:
        """Somebody who decides to go on in spite of what speaks against it."""
        return msgspec.structs.replace(self.kit.context, overrides=frozenset(OVER))

    async def seals(self) -> Decimal:
        (row,) = await self.kit.rows("SELECT CAST(COALESCE(SUM(quantity), 0) AS BIGINT) AS n FROM stock_balance WHERE location = ?", self.van)
        return unscaled(row["n"], 6)

    async def books(self) -> dict[str, Decimal]:
        rows = await self.kit.rows("SELECT role, CAST(SUM(debit - credit) AS BIGINT) AS n FROM posting GROUP BY role")
        return {r["role"]: unscaled(r["n"], AMOUNT) for r in rows if r["n"]}


@asynccontextmanager
async def firm(url: str, *, plugins: list[str] | None = None) -> AsyncIterator[Firm]:
    async with kit_on(url, plugins or PLUGINS) as kit:
        yield await Firm(kit).open()
        assert await kit.verify() == []


async def codes(work: Any) -> set[str]:
    with pytest.raises(Refused) as caught:
        await work
    return {p.code for p in caught.value.problems if p.severity != "note"}


@pytest.mark.capability("SRV-01", "SRV-02")
async def test_from_the_request_to_the_signed_report_and_the_invoice(database_url: str) -> None:
    """The pump is under warranty: two seals for 30.00 are covered, of two and a half hours for 200.00 half. 100.00 is charged, 119.00 with tax."""
    async with firm(database_url) as here:
        kit, asked = here.kit, await here.ask()
        visit = await send.for_request(kit.app, asked.id, {"technician": "WANDA", "minutes": 90}, kit.context)
        data = visit.data["visits"]
        assert (visit.date_requested, data.time, data.technician, visit.reference) == (date(2026, 1, 20), "09:30", "WANDA", asked.number)
        assert [(x.kind, x.item.number if x.item else "", x.net) for x in visit.lines] == [("device", "PUMP", D(0)), ("item", "HOUR", D(40))]
        assert (await here.do.get(asked.id, kit.context)).state == "working"
        panel = next(p for name, p in (await detail(kit.app, asked.id, kit.context)).panels if name == "visits")
        assert [(label, shown.value) for label, shown in panel.rows] == [(visit.number, "2026-01-20: Planned")]  # type: ignore[union-attr]

        entered = msgspec.structs.replace(data, checklist="PUMP")
        visit = (await here.do.update(visit.id, visit.version, msgspec.structs.replace(as_input(visit), data={"visits": entered}), kit.context)).document
        for step in ("confirm", "leave", "arrive"):
            visit = (await kit.act(visit.id, step)).document
        kit.clock.advance(minutes=90)
        used = (LineInput(item="HOUR", quantity=D("1.5")), LineInput(item="SEAL", quantity=D(2)))
        checked = (Task(text="Is it tight?", done=True), Task(text="Noise of the bearing", remark="loud, to be replaced"))
        visit = await send.work(kit.app, visit, checked, used, kit.context)
        assert [(x.text, x.net, x.steps[-1].reason) for x in visit.lines if x.kind == "item"] == [
            ("Advice", D(40), "50 % covered: warranty TWO until 2028-01-15"), ("Hour", D(60), "50 % covered: warranty TWO until 2028-01-15"),
            ("Seal", D(0), "100 % covered: warranty TWO until 2028-01-15"),
        ]  # fmt: skip
        assert await codes(kit.act(visit.id, "finish")) == {"visits.unsigned"}
        await send.sign(kit.app, visit, "Ida Mertens", "New seals. The bearing is loud.", kit.context)
        before = await here.books()
        done = await kit.act(visit.id, "finish")
        assert [(m.source, m.quantity, m.value) for m in done.moves] == [(here.van, D(2), D(8))] and await here.seals() == 8
        (bill,) = done.made
        bill = (await kit.act(bill, "post")).document
        assert (bill.net, bill.gross) == (D(100), D(119))
        after = await here.books()
        assert {r: after[r] - before.get(r, D(0)) for r in after if after[r] != before.get(r)} == {
            "visit_material": D(8), "stock": D(-8), "receivable": D(119), "revenue": D(-100), "tax_output": D(-19),
        }  # fmt: skip
        (piece,) = await reports.run(kit.app, "warranty.register", {"serial": "P-1"}, kit.context)
        assert (piece["state"], piece["due"]) == ("serviced", date(2027, 1, 15)), "the next service is counted from the visit"
        assert [(r["name"], r["quantity"]) for r in await reports.run(kit.app, "faults.frequency", {}, kit.context)] == [("Seal worn", D(1))]
        rows = dict(next(p for name, p in (await detail(kit.app, visit.id, kit.context)).panels if name == "visits").rows)
        assert rows["Signed by Ida Mertens"] == "New seals. The bearing is loud." and rows["Time"] == "09:30 to 11:00"
        assert await codes(kit.act(visit.id, "reverse")) == {"visits.gone_on"}


async def test_what_was_signed_is_not_changed_afterwards(database_url: str) -> None:
    """An hour more than was signed for needs a decision; so does an empty line of the checklist; undone, the seal is back in the van."""
    async with firm(database_url) as here:
        kit, visit = here.kit, await here.planned(checklist="PUMP")
        for step in ("confirm", "arrive"):
            visit = (await kit.act(visit.id, step)).document
        await send.sign(kit.app, visit, "Ida Mertens", "", kit.context)
        visit = await send.work(
            kit.app, visit, (Task(text="Is it tight?", done=True), Task(text="Noise of the bearing")), (LineInput(item="SEAL"),), kit.context
        )
        assert await codes(kit.act(visit.id, "finish")) == {"visits.changed", "visits.tasks"}
        done = await here.do.act(visit.id, "finish", here.over())
        assert done.document.net == D(95) and await here.seals() == 9, "no device is named, so no warranty counts"
        await kit.act(done.made[0], "cancel")
        await kit.act(visit.id, "reverse")
        assert await here.seals() == 10
        assert await codes(send.sign(kit.app, visit, "Ida Mertens", "", kit.context)) == {"visits.of"}


async def test_nobody_is_at_two_places_at_once(database_url: str) -> None:
    """Wanda is at ACME from half past nine to half past ten. At ten she can't be at BETA, but at half past ten; Olaf can, unless Wanda helps him."""
    async with firm(database_url) as here:
        kit, first = here.kit, await here.planned()
        await kit.act(first.id, "confirm")
        second = await here.planned(party=here.beta, time="10:00")
        assert await codes(kit.act(second.id, "confirm")) == {"visits.overlap"}
        second = await send.plan(kit.app, second, {"time": "10:30"}, kit.context)
        second = (await kit.act(second.id, "confirm")).document
        assert await codes(send.plan(kit.app, second, {"time": "10:15"}, kit.context)) == {"visits.overlap"}, "a confirmed visit is not moved by mistake"
        assert (await send.work(kit.app, second, (), (LineInput(item="SEAL"),), kit.context)).version > second.version
        olaf = await here.planned("OLAF", time="10:00")
        assert (await kit.act(olaf.id, "confirm")).document.state == "confirmed"
        helped = await here.planned("OLAF", time="09:00", minutes=45, helpers=["WANDA"])
        assert await codes(kit.act(helped.id, "confirm")) == {"visits.overlap"}
        assert (await here.do.act(helped.id, "confirm", here.over())).document.state == "confirmed"
        night = await here.planned(day=date(2026, 1, 19), time="23:00", minutes=660)
        assert await codes(kit.act(night.id, "confirm")) == {"visits.overlap"}, "what goes on past midnight counts as well"


async def test_regular_maintenance_is_planned_by_itself(database_url: str) -> None:
    """Every six months from 1 February: on 15 January the first visit is planned, on 2 July the second, once each; the warranty bears half."""
    async with firm(database_url) as here:
        kit = here.kit
        (lot,) = await kit.rows("SELECT id FROM lot WHERE number = 'P-1'")
        technician = await kit.app.records.find("visits.technician", "WANDA", kit.context)
        values = {"party": here.acme, "item": here.pump, "lot": lot["id"], "months": 6, "next": "2026-02-01", "technician": technician, "time": "08:00"}
        plan = await kit.record("visits.maintenance", **values, text="Half-yearly service")

        async def work() -> list[Any]:
            await Worker(kit.app).plan_recurring()
            while await kit.deliver():
                pass
            rows = await kit.rows("SELECT id FROM document WHERE kind = ? ORDER BY id", VISIT)
            return [await here.do.get(r["id"], kit.context) for r in rows]

        (first,) = await work()
        assert (first.date_requested, first.text, first.lines[0].kind, first.lines[0].lot) == (date(2026, 2, 1), "Half-yearly service", "device", lot["id"])
        assert first.data["visits"].technician == "WANDA"
        kit.clock.advance(hours=2)
        assert len(await work()) == 1, "once"
        kit.clock.advance(days=168)
        (_, second) = await work()
        assert second.date_requested == date(2026, 8, 1)
        done = await send.work(kit.app, second, (), (LineInput(item="HOUR", quantity=D(1)),), kit.context)
        assert done.net == D(40)
        await kit.app.records.save("visits.maintenance", plan, {"active": False}, kit.context)
        kit.clock.advance(days=365)
        assert len(await work()) == 2


async def test_what_is_not_worth_sending_in_is_mended_on_site(database_url: str) -> None:
    """An accepted claim and an authorised return become a visit to the pump; of an hour and a seal the customer pays 40.00. Nobody there: nothing is used."""
    async with firm(database_url) as here:
        kit = here.kit
        claim = DocumentInput(party=here.acme, text="It leaks", lines=(LineInput(item="PUMP", lot="P-1"),))
        accepted = (await here.do.create("warranty.claim", claim, kit.context, then=("accept",))).document
        back = msgspec.structs.replace(claim, data={"returns": {"category": "CREDIT"}})
        authorised = (await here.do.create("returns.authorisation", back, kit.context, then=("authorise",))).document
        data = DocumentInput(date_requested=date(2026, 1, 20), data={"visits": {"technician": "WANDA", "time": "08:00"}})
        for source, way in ((accepted, "visit_claim"), (authorised, "visit_return")):
            visit = (await here.do.follow(source.id, way, kit.context, input=data, then=("confirm",))).document
            assert [(x.kind, x.lot, x.net) for x in visit.lines] == [("device", source.lines[0].lot, D(0))]
            await kit.act(visit.id, "arrive")
            visit = await send.work(kit.app, await here.do.get(visit.id, kit.context), (), (LineInput(item="HOUR"), LineInput(item="SEAL")), kit.context)
            assert visit.net == D(40)
            if way == "visit_claim":
                assert (await here.do.act(visit.id, "finish", here.over())).document.state == "done"
            else:
                assert (await kit.act(visit.id, "miss")).document.state == "missed"
        assert await here.seals() == 9
        drafts = await kit.rows("SELECT net FROM document WHERE kind = 'invoicing.invoice'")
        assert [unscaled(r["net"], AMOUNT) for r in drafts] == [D(40)]


async def test_a_request_that_needed_two_visits_was_not_solved_the_first_time(database_url: str) -> None:
    async with firm(database_url) as here:
        kit = here.kit
        once, twice = await here.ask(), await here.ask()
        for asked, times in ((once, 1), (twice, 2)):
            for n in range(times):
                values = {"technician": "WANDA" if asked is once else "OLAF", "day": date(2026, 1, 20 + n), "time": "09:30"}
                visit = await send.for_request(kit.app, asked.id, values, kit.context)
                if n:  # what was asked for has become the first visit
                    visit = await send.work(kit.app, visit, (), (LineInput(item="HOUR"),), kit.context)
                for step in ("confirm", "arrive", "finish"):
                    await here.do.act(visit.id, step, here.over())
            await kit.act(asked.id, "resolve")
        (score,) = await reports.run(kit.app, "service_kpis.scores", {}, kit.context)
        assert score["first_time_fix"] == D("50.0")
        watched = {r["document"]: r for r in await reports.run(kit.app, "service_kpis.monitor", {}, kit.context)}
        assert (watched[once.id]["visits"], watched[twice.id]["visits"]) == (1, 2)


async def test_a_customer_sees_own_visits_and_plans_none(database_url: str) -> None:
    async with firm(database_url) as here:
        kit = here.kit
        own, other = await here.planned(), await here.planned("OLAF", party=here.beta)
        user = User(
            id=9, login="acme", permissions=frozenset({f"{VISIT}.view", f"{VISIT}.edit"}), companies=frozenset({kit.context.company.id}), party=here.acme
        )
        guest = msgspec.structs.replace(kit.context, user=user)
        with pytest.raises(Refused, match="no document"):
            await here.do.get(other.id, guest)
        (panel,) = [p for name, p in (await detail(kit.app, own.id, guest)).panels if name == "visits"]
        assert dict(panel.rows)["Technician"] == "Wanda Kern" and panel.form == "" and panel.shared
        assert await codes(send.plan(kit.app, await here.do.get(own.id, guest), {"time": "11:00"}, guest)) == {"visits.staff"}


async def test_summer_time_and_what_nobody_knows(sqlite_url: str) -> None:
    """Half past nine in Berlin is half past eight in winter and half past seven in summer; half past two does not exist on 29 March."""
    from newel_visits.rules import VisitData, span

    zone = "Europe/Berlin"
    for day, hour in ((date(2026, 1, 20), 8), (date(2026, 7, 20), 7)):
        found = span(day, VisitData(time="09:30", minutes=90), zone)
        assert found and found[0] == datetime(2026, day.month, 20, hour, 30, tzinfo=UTC) and (found[1] - found[0]).seconds == 5400
    async with firm(sqlite_url) as here:
        assert await codes(here.planned(day=date(2026, 3, 29), time="02:30")) == {"visits.time"}
        assert await codes(here.planned("NOBODY", time="25:00", minutes=3, checklist="X")) == {
            "visits.technician", "visits.time", "visits.minutes", "visits.checklist"
        }  # fmt: skip
        bare = (await here.do.create(VISIT, DocumentInput(lines=(LineInput(item="HOUR"),)), here.kit.context)).document
        assert await codes(here.kit.act(bare.id, "confirm")) == {"visits.lacking", "party.missing"}
        with pytest.raises(Refused, match="Europe/Berlin"):
            await here.kit.settings("visits", zone="Berlin")
        assert await codes(here.kit.record("visits.maintenance", party=here.acme, item=here.pump, months=0, next="2026-02-01")) == {"field.range"}
