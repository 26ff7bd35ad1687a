"""The document engine as a user meets it, on both databases, with a plugin of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from decimal import Decimal as D
from typing import Any

import msgspec
import pytest
from newel.domain.context import Context
from newel.domain.document import DocumentInput, LineInput, LinkInput, ScheduleInput
from newel.errors import Refused
from newel.services.app import Newel
from newel.services.verify import verify
from newel_sdk.testing import item, party, running

from core.tests.toys import TOY, order, paying


@asynccontextmanager
async def company(url: str, modules: dict[str, Any] | None = None, **more: Any) -> AsyncIterator[tuple[Newel, Context]]:
    """A company that sells bolts and nuts and keeps 100 of each, worth 2.00 apiece."""
    async with running(url, {"toy": TOY, **(modules or {})}, **more) as (app, context):
        await party(app, context, "C1", terms="NET30")
        for number, price in (("BOLT", "10.00"), ("NUT", "0.33")):
            await item(app, context, number, price=price, cost="2.00")
        await app.documents.create(
            "toy.receipt", DocumentInput(lines=tuple(LineInput(item=n, quantity=D(100), price=D(2)) for n in ("BOLT", "NUT"))), context, then=["receive"]
        )
        yield app, context
        assert await verify(app) == []


async def open_items(app: Newel, document: int) -> list[Any]:
    async with app.database.read() as session:
        return await session.fetch("SELECT id, amount, amount_open FROM open_item WHERE document = ? ORDER BY id", document)


async def balances(app: Newel) -> dict[str, D]:
    async with app.database.read() as session:
        rows = await session.fetch("SELECT role, SUM(debit - credit) AS n FROM posting GROUP BY role")
    return {r["role"]: D(int(r["n"])).scaleb(-4) for r in rows if int(r["n"])}


def codes(refused: pytest.ExceptionInfo[Refused]) -> list[str]:
    return [p.code for p in refused.value.problems]


async def test_from_order_to_payment(database_url: str) -> None:
    """Half is delivered, invoiced and paid, then the rest; states follow, and the ledger always balances."""
    async with company(database_url) as (app, context):
        do = app.documents
        sold = (await do.create("toy.order", order(("BOLT", 10), ("NUT", 3)), context, then=["confirm"])).document
        assert (sold.number, sold.state, sold.net, sold.gross) == ("OR2026-00001", "confirmed", D("100.99"), D("100.99"))
        half = [LinkInput(line=sold.lines[0].id, quantity=D(5))]
        first = await do.follow(sold.id, "deliver", context, lines=half, then=["ship"])
        assert [(m.quantity, m.value) for m in first.moves] == [(D(5), D("10.00"))]
        billed = (await do.follow(first.document.id, "bill", context, then=["post"])).document
        assert (billed.number, billed.gross) == ("IN2026-00001", D("50.00"))
        (owed,) = await open_items(app, billed.id)
        await do.create("toy.payment", paying(owed["id"], "50.00"), context, then=["post"])
        assert (await do.get(billed.id, context)).state == "paid"
        assert (await do.get(sold.id, context)).state == "confirmed"
        await do.follow(sold.id, "deliver", context, then=["ship"])
        rest = (await do.follow(sold.id, "invoice", context, then=["post"])).document
        assert rest.gross == D("50.99")
        assert (await do.get(sold.id, context)).state == "done"
        assert await balances(app) == {
            "stock": D(374), "goods_received": D(-400), "cogs": D(26), "receivable": D("50.99"), "revenue": D("-100.99"), "bank": D(50),
        }  # fmt: skip


async def test_parts_of_a_line_make_the_line(database_url: str) -> None:
    """Three bolts for 10.00 invoiced one at a time cost 10.00 and not 9.99."""
    async with company(database_url) as (app, context):
        entered = DocumentInput(party="C1", lines=(LineInput(item="BOLT", quantity=D(3), price=D("3.333333")),))
        sold = (await app.documents.create("toy.order", entered, context, then=["confirm"])).document
        assert sold.net == D("10.00")
        nets = []
        for _ in range(3):
            made = await app.documents.follow(sold.id, "invoice", context, lines=[LinkInput(line=sold.lines[0].id, quantity=D(1))])
            nets.append(made.document.net)
        assert sum(nets) == D("10.00")
        with pytest.raises(Refused) as refused:
            await app.documents.follow(sold.id, "invoice", context)
        assert codes(refused) == ["flow.nothing"]


async def test_no_more_than_open_can_go_on(database_url: str) -> None:
    async with company(database_url) as (app, context):
        sold = (await app.documents.create("toy.order", order(("BOLT", 10)), context, then=["confirm"])).document
        with pytest.raises(Refused) as refused:
            await app.documents.follow(sold.id, "deliver", context, lines=[LinkInput(line=sold.lines[0].id, quantity=D(11))])
        assert codes(refused) == ["link.exceeded"] and "10 of Bolt" in str(refused.value)
        delivered = (await app.documents.follow(sold.id, "deliver", context)).document
        changed = DocumentInput(party="C1", lines=(LineInput(id=delivered.lines[0].id, item="BOLT", quantity=D(4)),))
        await app.documents.update(delivered.id, delivered.version, changed, context)
        assert (await app.documents.get(sold.id, context)).lines[0].quantity_open("delivered") == 6


async def test_goods_are_not_billed_twice(database_url: str) -> None:
    """An invoice of the order counts on its delivery's invoice, and the other way round."""
    async with company(database_url) as (app, context):
        sold = (await app.documents.create("toy.order", order(("BOLT", 2)), context, then=["confirm"])).document
        delivered = (await app.documents.follow(sold.id, "deliver", context, then=["ship"])).document
        await app.documents.follow(sold.id, "invoice", context)
        with pytest.raises(Refused) as refused:
            await app.documents.follow(delivered.id, "bill", context)
        assert "link.exceeded" in codes(refused)


async def test_saving_again_changes_no_price(database_url: str) -> None:
    async with company(database_url) as (app, context):
        from newel.services.entered import as_input

        made = (await app.documents.create("toy.order", order(("BOLT", 3), ("NUT", 7, "0.29")), context)).document
        for _ in range(3):
            again = (await app.documents.update(made.id, made.version, as_input(made), context)).document
            assert (again.net, [x.steps for x in again.lines]) == (made.net, [x.steps for x in made.lines])
            made = again


async def test_a_preview_is_what_happens_and_writes_nothing(database_url: str) -> None:
    async with company(database_url) as (app, context):
        before = await balances(app)
        shown = await app.documents.preview("toy.order", order(("BOLT", 4)), context, transition="confirm")
        assert (shown.document.net, shown.document.number, shown.blocked) == (D("40.00"), "", False)
        made = (await app.documents.create("toy.order", order(("BOLT", 4)), context)).document
        assert (made.net, made.number) == (shown.document.net, "OR2026-00001")
        invoice = (await app.documents.create("toy.invoice", order(("BOLT", 4)), context)).document
        shown = await app.documents.preview_act(invoice.id, "post", context)
        posted = await app.documents.act(invoice.id, "post", context)
        assert [(p.role, p.debit, p.credit) for p in shown.entries[0].postings] == [(p.role, p.debit, p.credit) for p in posted.entries[0].postings]
        assert (await balances(app)).items() >= before.items()


async def test_everything_wrong_is_said_at_once(database_url: str) -> None:
    async with company(database_url) as (app, context):
        bad = DocumentInput(
            party="NOBODY", currency="XXX", terms="NEVER", ship_to=999_999, reference="x" * 81, date=date(1, 1, 1), data={"ghost": {}},
            lines=(
                LineInput(item="GHOST"), LineInput(item="BOLT", quantity=D(-1)), LineInput(item="BOLT", quantity=D("1e20")),
                LineInput(item="BOLT", quantity=D("0.5")), LineInput(item="BOLT", price=D("NaN")), LineInput(item="BOLT", discount=D(101)),
                LineInput(item="BOLT", unit="PARSEC"), LineInput(item="BOLT", quantity=D(3), schedules=(ScheduleInput(quantity=D(2)),)),
                LineInput(kind="magic"), LineInput(item="BOLT", id=12345), LineInput(item="BOLT", account_role="luck"),
            ),
        )  # fmt: skip
        with pytest.raises(Refused) as refused:
            await app.documents.create("toy.order", bad, context)
        wheres = {p.where for p in refused.value.problems if p.severity == "block"}
        assert wheres >= {
            "party", "currency", "terms", "ship_to", "reference", "date", "data.ghost", "lines[0].item", "lines[1].quantity", "lines[2].quantity",
            "lines[3].quantity", "lines[4].price", "lines[5].discount", "lines[6].unit", "lines[7].schedules", "lines[8].kind", "lines[9].id",
            "lines[10].account_role",
        }  # fmt: skip
        async with app.database.read() as session:
            assert await session.value("SELECT COUNT(*) AS n FROM document WHERE kind = 'toy.order'") == 0


async def test_an_order_has_scheduled_deliveries_in_its_lines(database_url: str) -> None:
    async with company(database_url) as (app, context):
        dates = (date(2026, 2, 1), date(2026, 3, 1), date(2026, 4, 1))
        lines = tuple(
            LineInput(item=n, quantity=D(6), schedules=tuple(ScheduleInput(quantity=D(i + 1), date_requested=d) for i, d in enumerate(dates)))
            for n in ("BOLT", "NUT")
        )
        made = (await app.documents.create("toy.order", DocumentInput(party="C1", lines=lines), context)).document
        stored = await app.documents.get(made.id, context)
        assert [[(s.quantity, s.date_requested) for s in x.schedules] for x in stored.lines] == [[(D(1), dates[0]), (D(2), dates[1]), (D(3), dates[2])]] * 2


async def test_somebody_else_was_faster(database_url: str) -> None:
    async with company(database_url) as (app, context):
        made = (await app.documents.create("toy.order", order(("BOLT", 1)), context)).document
        await app.documents.update(made.id, made.version, order(("BOLT", 2)), context)
        with pytest.raises(Refused) as refused:
            await app.documents.update(made.id, made.version, order(("BOLT", 3)), context)
        assert (codes(refused), refused.value.status) == (["version"], 409)


async def test_a_confirmed_document_is_locked(database_url: str) -> None:
    async with company(database_url) as (app, context):
        made = (await app.documents.create("toy.order", order(("BOLT", 1)), context, then=["confirm"])).document
        for work in (app.documents.update(made.id, made.version, order(("BOLT", 2)), context), app.documents.act(made.id, "confirm", context)):
            with pytest.raises(Refused) as refused:
                await work
            assert refused.value.status == 409 and codes(refused)[0] in ("document.locked", "state")


async def test_the_same_key_is_one_document(database_url: str) -> None:
    async with company(database_url) as (app, context):
        first = await app.documents.create("toy.order", order(("BOLT", 1)), context, key="k1")
        second = await app.documents.create("toy.order", order(("BOLT", 1)), context, key="k1")
        assert second.document.id == first.document.id and second.replayed and not first.replayed
        with pytest.raises(Refused) as refused:
            await app.documents.create("toy.order", order(("BOLT", 2)), context, key="k1")
        assert (codes(refused), refused.value.status) == (["key.reused"], 409)


async def test_a_closed_period_takes_no_postings(database_url: str) -> None:
    async with company(database_url) as (app, context):
        for day, code in ((date(2026, 1, 10), "period.closed"), (date(2099, 1, 1), "period.missing")):
            made = (await app.documents.create("toy.invoice", order(("BOLT", 1), date=day), context)).document
            if code == "period.closed":
                async with app.database.write() as session:
                    await session.fetch("UPDATE period SET state = 'closed' WHERE date_from <= ? AND date_to >= ?", day, day)
                    await session.stale("newel.master")
            with pytest.raises(Refused) as refused:
                await app.documents.act(made.id, "post", context)
            assert codes(refused) == [code]


async def test_less_stock_than_ordered(database_url: str) -> None:
    """With back-orders the order goes on and says what is missing; with shortage = block it does not. Nothing ships that is not there."""
    async with company(database_url) as (app, context):
        short = await app.documents.create("toy.order", order(("BOLT", 150)), context, then=["confirm"])
        assert [p.message for p in short.problems if p.code == "stock.short"] == ["150 EA of BOLT wanted, 100 free in MAIN"]
        with pytest.raises(Refused) as refused:
            await app.documents.follow(short.document.id, "deliver", context, then=["ship"])
        assert codes(refused)[0] == "stock.short"
        strict = msgspec.structs.replace(context, company=msgspec.structs.replace(context.company, shortage="block"))
        with pytest.raises(Refused) as refused:
            await app.documents.create("toy.order", order(("NUT", 101)), strict, then=["confirm"])
        assert codes(refused)[0] == "stock.short"


async def test_what_is_promised_to_one_is_not_there_for_another(database_url: str) -> None:
    async with company(database_url) as (app, context):
        mine = (await app.documents.create("toy.order", order(("BOLT", 80)), context, then=["confirm"])).document
        other = (await app.documents.create("toy.order", order(("BOLT", 40)), context, then=["confirm"])).document
        with pytest.raises(Refused):
            await app.documents.follow(other.id, "deliver", context, then=["ship"])
        await app.documents.follow(mine.id, "deliver", context, then=["ship"])
        await app.documents.act(other.id, "cancel", context)
        async with app.database.read() as session:
            row = await session.one("SELECT SUM(quantity) AS q, SUM(reserved) AS r FROM stock_balance WHERE item = ?", mine.lines[0].item.id)  # type: ignore[union-attr]
        assert (int(row["q"]), int(row["r"])) == (20_000_000, 0)


async def test_reversing_brings_everything_back(database_url: str) -> None:
    async with company(database_url) as (app, context):
        before = await balances(app)
        sold = (await app.documents.create("toy.order", order(("BOLT", 7)), context, then=["confirm"])).document
        delivered = (await app.documents.follow(sold.id, "deliver", context, then=["ship"])).document
        invoice = (await app.documents.follow(sold.id, "invoice", context, then=["post"])).document
        assert (await app.documents.get(sold.id, context)).state == "done"
        await app.documents.act(invoice.id, "undo", context)
        await app.documents.act(delivered.id, "undo", context)
        assert await balances(app) == before
        assert [i["amount_open"] for i in await open_items(app, invoice.id)] == [0]


async def test_no_more_is_paid_than_is_open_and_a_paid_invoice_is_not_reversed(database_url: str) -> None:
    async with company(database_url) as (app, context):
        invoice = (await app.documents.create("toy.invoice", order(("BOLT", 1)), context, then=["post"])).document
        (owed,) = await open_items(app, invoice.id)
        await app.documents.create("toy.payment", paying(owed["id"], "4.00"), context, then=["post"])
        with pytest.raises(Refused) as refused:
            await app.documents.act(invoice.id, "undo", context)
        assert "settled" in codes(refused)
        with pytest.raises(Refused) as refused:
            await app.documents.create("toy.payment", paying(owed["id"], "6.01"), context, then=["post"])
        assert codes(refused) == ["settle.amount"]


async def test_a_foreign_invoice_paid_at_another_rate(database_url: str) -> None:
    """100 USD invoiced at 0.90 and paid at 0.95: 5.00 EUR is an exchange gain."""
    async with company(database_url) as (app, context):
        for rate, day in (("0.90", "2026-01-01"), ("0.95", "2026-02-01")):
            await app.records.save("newel.currency_rate", None, {"currency": "USD", "rate": rate, "date_from": day}, context)
        entered = order(("BOLT", 10, "10.00"), currency="USD", date=date(2026, 1, 20))
        invoice = (await app.documents.create("toy.invoice", entered, context, then=["post"])).document
        assert (invoice.gross, invoice.rate) == (D("100.00"), D("0.9"))
        (owed,) = await open_items(app, invoice.id)
        await app.documents.create("toy.payment", paying(owed["id"], "100.00", currency="USD", date=date(2026, 2, 2)), context, then=["post"])
        found = await balances(app)
        assert (found["bank"], found["exchange"], found.get("receivable")) == (D(95), D(-5), None)
        assert (await app.documents.get(invoice.id, context)).state == "paid"


async def test_the_database_itself_refuses_to_change_what_is_posted(database_url: str) -> None:
    async with company(database_url) as (app, context):
        await app.documents.create("toy.invoice", order(("BOLT", 1)), context, then=["post"])
        for statement in ("UPDATE posting SET text = 'x'", "DELETE FROM posting", "UPDATE journal_entry SET text = 'x'", "DELETE FROM stock_move"):
            with pytest.raises(Exception, match="never"):
                async with app.database.write() as session:
                    await session.fetch(statement)


async def test_a_party_at_its_limit(database_url: str) -> None:
    async with company(database_url) as (app, context):
        await party(app, context, "C2", limit_amount="100")
        await app.documents.create("toy.order", order(("BOLT", 6), party="C2"), context, then=["confirm"])
        with pytest.raises(Refused) as refused:
            await app.documents.create("toy.order", order(("BOLT", 5), party="C2"), context, then=["confirm"])
        (problem,) = refused.value.problems
        assert (problem.code, problem.severity) == ("credit.limit", "override") and "open orders 60" in problem.message
        anyway = msgspec.structs.replace(context, overrides=frozenset({"credit.limit"}))
        assert (await app.documents.create("toy.order", order(("BOLT", 5), party="C2"), anyway, then=["confirm"])).document.state == "confirmed"


async def test_parts_of_a_line_stay_its_parts_on_the_way(database_url: str) -> None:
    """A line with parts does not move itself; its parts do, and in the delivery they still belong to it."""
    from core.tests.toys import plugin

    def propose_lines(line: Any) -> list[tuple[str, LineInput]]:
        return [("part", LineInput(item="NUT", quantity=line.quantity * 2, price=D(0)))] if line.item and line.item.number == "BOLT" else []

    async with company(database_url, {"parts": plugin("parts", propose_lines=propose_lines)}) as (app, context):
        sold = (await app.documents.create("toy.order", order(("BOLT", 3)), context, then=["confirm"])).document
        shipped = await app.documents.follow(sold.id, "deliver", context, then=["ship"])
        assert [(m.quantity, m.line) for m in shipped.moves] == [(D(6), shipped.document.lines[1].id)]
        assert shipped.document.lines[1].parent == shipped.document.lines[0].id
        await app.documents.follow(sold.id, "invoice", context, then=["post"])
        assert (await app.documents.get(sold.id, context)).state == "done"


async def test_a_dated_price_goes_before_one_without_a_date(database_url: str) -> None:
    """On both databases, whichever way they sort what is empty."""
    async with company(database_url) as (app, context):
        made = await item(app, context, "GEAR", price="5.00")
        await app.records.save("newel.item_price", None, {"item": made, "currency": "EUR", "price": "7.00", "date_from": "2026-01-01"}, context)
        sold = (await app.documents.create("toy.order", order(("GEAR", 1)), context)).document
        before = (await app.documents.create("toy.order", order(("GEAR", 1), date=date(2025, 5, 5)), context)).document
        assert (sold.net, before.net) == (D("7.00"), D("5.00"))


async def test_a_hold_found_while_saving_holds_what_follows_at_once(database_url: str) -> None:
    """Confirming in the same call as saving is no way round a hold."""
    from newel.errors import Problem, Severity

    from core.tests.toys import plugin

    def check_document(transition: str) -> list[Problem]:
        return [] if transition else [Problem(code="careful.look", message="look at it", severity=Severity.HOLD, holds=("confirm",))]

    async with company(database_url, {"careful": plugin("careful", check_document=check_document)}) as (app, context):
        with pytest.raises(Refused) as refused:
            await app.documents.create("toy.order", order(("BOLT", 1)), context, then=["confirm"])
        assert codes(refused) == ["hold"]
        made = (await app.documents.create("toy.order", order(("BOLT", 1)), context)).document
        async with app.database.write() as session:
            await app.documents.release(made.holds[0].id, context, session)
        assert (await app.documents.act(made.id, "confirm", context)).document.state == "confirmed"


async def test_a_block_of_the_party_stops_what_it_says(database_url: str) -> None:
    """New orders only, or deliveries and invoices too; money comes in all the same."""
    async with company(database_url) as (app, context):
        do, known = app.documents, await app.records.find("newel.party", "C1", context)
        sold = (await do.create("toy.order", order(("BOLT", 3)), context, then=["confirm"])).document
        billed = (await do.follow(sold.id, "invoice", context, lines=[LinkInput(line=sold.lines[0].id, quantity=D(1))], then=["post"])).document
        await app.records.save("newel.party", known, {"blocked": "orders"}, context)
        with pytest.raises(Refused) as refused:
            await do.create("toy.order", order(("BOLT", 1)), context, then=["confirm"])
        assert codes(refused) == ["party.blocked"]
        await do.follow(sold.id, "deliver", context, lines=[LinkInput(line=sold.lines[0].id, quantity=D(1))], then=["ship"])
        await app.records.save("newel.party", known, {"blocked": "all"}, context)
        for flow, then in (("deliver", "ship"), ("invoice", "post")):
            with pytest.raises(Refused) as refused:
                await do.follow(sold.id, flow, context, then=[then])
            assert codes(refused) == ["party.blocked"]
        (owed,) = await open_items(app, billed.id)
        await do.create("toy.payment", paying(owed["id"], "10.00"), context, then=["post"])


async def test_what_a_party_owes_stands_in_one_stage(database_url: str) -> None:
    """The kernel's report of exposure, from the order to the invoice."""
    async with company(database_url) as (app, context):
        known = await app.records.find("newel.party", "C1", context)
        sold = (await app.documents.create("toy.order", order(("BOLT", 10)), context, then=["confirm"])).document
        line = sold.lines[0].id
        await app.documents.follow(sold.id, "deliver", context, lines=[LinkInput(line=line, quantity=D(4))], then=["ship"])
        await app.documents.follow(sold.id, "invoice", context, lines=[LinkInput(line=line, quantity=D(1))], then=["post"])
        async with app.database.read() as session:
            rows = await app.registry.reports["newel.exposure"].load(session, {"party": known}, context)
        assert [(r["stage"], r["home"]) for r in rows] == [("open orders", D(60)), ("delivered, not invoiced", D(30)), ("open items", D(10))]


async def test_the_discount_that_people_see_is_what_all_steps_took_off(database_url: str) -> None:
    async with company(database_url) as (app, context):
        sold = (
            await app.documents.create("toy.order", DocumentInput(party="C1", lines=(LineInput(item="BOLT", discount=D(8)),)), context, then=["confirm"])
        ).document
        billed = (await app.documents.follow(sold.id, "invoice", context)).document
        assert (billed.lines[0].discount_entered, billed.lines[0].discount, billed.net) == (D(0), D(8), D("9.20"))


async def test_what_costs_nothing_is_not_what_has_no_price(database_url: str) -> None:
    """A draft priced at nothing by a rule can go on later; one without any price can't."""
    from newel.domain.pricing import Price

    from core.tests.toys import plugin

    free = plugin("free", decide_price=lambda line: Price(amount=D(0), rule="gift") if line.item.number == "SAMPLE" else None)
    async with company(database_url, {"free": free}) as (app, context):
        for number in ("SAMPLE", "BLANK"):
            await item(app, context, number)
        given = (await app.documents.create("toy.order", order(("SAMPLE", 1)), context)).document
        assert (await app.documents.act(given.id, "confirm", context)).document.state == "confirmed"
        blank = (await app.documents.create("toy.order", order(("BLANK", 1)), context)).document
        with pytest.raises(Refused) as refused:
            await app.documents.act(blank.id, "confirm", context)
        assert "price.missing" in codes(refused)


async def test_tax_by_place_date_and_party(database_url: str) -> None:
    """Rates by place and date, several on a line; exemption and reverse charge with their reason; prices with tax; an allowance of its own category."""
    async with company(database_url) as (app, context):
        rates = (
            ("VAT", "standard", "DE", "", "16", "2020-07-01", "2020-12-31"), ("VAT", "standard", "DE", "", "19", "2021-01-01", None),
            ("VAT", "standard", "AT", "", "20", None, None), ("VAT", "reduced", "DE", "", "7", None, None), ("CITY", "standard", "DE", "BE", "2.5", None, None),
        )  # fmt: skip
        for code, category, country, region, rate, start, end in rates:
            values = {"code": code, "name": code, "category": category, "country": country, "region": region, "rate": rate, "date_from": start, "date_to": end}
            await app.records.save("newel.tax_rate", None, values, context)
        await party(app, context, "EU", country="AT", tax_treatment="reverse_charge", tax_reason="Article 196")
        await party(app, context, "NGO", tax_treatment="exempt", tax_reason="certificate 7")

        async def taxes(*lines: LineInput, **header: Any) -> list[tuple[str, str, D, D, str]]:
            made = (await app.documents.create("toy.order", DocumentInput(lines=lines, **{"party": "C1", **header}), context)).document
            assert made.gross == made.net + made.tax
            return [(x.code, x.category, x.rate, x.amount, x.reason) for x in made.taxes]

        bolts = LineInput(item="BOLT", quantity=D(10))
        assert await taxes(bolts) == [("VAT", "S", D(19), D("19.00"), "")]
        assert await taxes(bolts, date=date(2020, 9, 1)) == [("VAT", "S", D(16), D("16.00"), "")]
        assert await taxes(bolts, party="EU") == [("reverse_charge", "AE", D(0), D(0), "Article 196")]
        assert await taxes(bolts, party="NGO") == [("exempt", "E", D(0), D(0), "certificate 7")]
        assert await taxes(LineInput(item="BOLT", price=D("11.90")), prices_include_tax=True) == [("VAT", "S", D(19), D("1.90"), "")]
        allowance = LineInput(kind="charge", text="allowance", price=D(-20), tax_category="reduced")
        assert await taxes(bolts, allowance) == [("VAT", "S", D(7), D("-1.40"), ""), ("VAT", "S", D(19), D("19.00"), "")]
        site = await party(app, context, "BERLIN")
        rows = (await app.records.page("newel.address", context, filters={"party": str(site)})).rows
        await app.records.save("newel.address", rows[0]["id"], {"region": "BE"}, context)
        assert await taxes(bolts, party="BERLIN") == [("CITY", "S", D("2.5"), D("2.50"), ""), ("VAT", "S", D(19), D("19.00"), "")]


async def test_every_step_of_every_document_can_be_previewed(database_url: str) -> None:
    """Also those that would lock and undo: the page of a document shows them all, and nothing is written or locked."""
    async with company(database_url) as (app, context):
        sold = (await app.documents.create("toy.order", order(("BOLT", 2)), context, then=["confirm"])).document
        shipped = (await app.documents.follow(sold.id, "deliver", context, then=["ship"])).document
        posted = (await app.documents.follow(sold.id, "invoice", context, then=["post"])).document
        (owed,) = await open_items(app, posted.id)
        paid = (await app.documents.create("toy.payment", paying(owed["id"], "5.00"), context, then=["post"])).document
        other = (await app.documents.create("toy.order", order(("NUT", 2)), context, then=["confirm"])).document
        before = await balances(app)
        for document, blocked in ((shipped, False), (posted, True), (paid, False)):
            shown = await app.documents.preview_act(document.id, "undo", context)
            assert (shown.blocked, shown.document.state) == (blocked, "cancelled")
        assert (await app.documents.preview_act(other.id, "cancel", context)).document.state == "cancelled"
        assert await balances(app) == before


async def test_a_lot_without_an_item_is_refused(database_url: str) -> None:
    """A line of text can't have one: it is a problem of this line, and nothing is written."""
    async with company(database_url) as (app, context):
        with pytest.raises(Refused) as refused:
            await app.documents.create("toy.order", DocumentInput(party="C1", lines=(LineInput(kind="text", text="as agreed", lot="L-1"),)), context)
        assert [(p.code, p.where) for p in refused.value.problems] == [("lot.item", "lines[0].lot")]
