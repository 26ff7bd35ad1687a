"""Kits at work: ordered, delivered part by part, billed and returned through the ordinary documents, on both databases."""

import asyncio
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from newel.domain.context import Context
from newel.domain.document import Document, DocumentInput, Line, LineInput, LinkInput, ScheduleInput
from newel.domain.facts import Facts
from newel.errors import Refused, Severity
from newel.services.app import Newel
from newel.services.entered import as_input
from newel.services.pages import panels
from newel.services.verify import verify
from newel_inventory import hooks as inventory
from newel_invoicing import hooks as invoicing
from newel_kits import hooks
from newel_pricelists import hooks as pricelists
from newel_sales import hooks as sales
from newel_sdk.testing import TODAY, ask, item, party, running
from newel_shipping import hooks as shipping

D = Decimal
OTHERS = {"sales": sales, "inventory": inventory, "shipping": shipping, "invoicing": invoicing, "pricelists": pricelists}
MODULES = {"kits": hooks, **OTHERS}


async def kit(app: Newel, context: Context, number: str, found: dict[str, int], *, mode: str = "fixed", price: Any = None) -> int:
    """A kit with so many of each item; returns the record's id."""
    made = await app.records.find("newel.item", number, context) or await item(app, context, number, price=price)
    record = await app.records.save("kits.kit", None, {"item": made, "price_mode": mode}, context)
    for n, (part, quantity) in enumerate(found.items()):
        values = {"kit": record, "item": part, "quantity": str(quantity), "sequence": n}
        await app.records.save("kits.component", None, values, context)
    return record


async def shop(app: Newel, context: Context) -> None:
    """Twenty of each of three parts, one of them with serial numbers; a set of them for 100; full and reduced tax."""
    await party(app, context, "ACME", terms="NET30")
    for code, category, rate in (("FULL", "standard", "20"), ("LOW", "reduced", "5")):
        await app.records.save("newel.tax_rate", None, {"code": code, "name": code, "category": category, "rate": rate}, context)
    for number, price, more in (("PEN", "30", {}), ("INK", "10", {"tax_category": "reduced"}), ("CASE", "60", {"tracking": "serial"})):
        await item(app, context, number, price=price, cost="4", **more)
    lines = [LineInput(item=n, quantity=D(20), price=D(4)) for n in ("PEN", "INK")] + [LineInput(item="CASE", lot=f"S{n}", price=D(4)) for n in range(4)]
    await app.documents.create("inventory.receipt", DocumentInput(lines=tuple(lines)), context, then=("receive",))
    await kit(app, context, "SET", {"PEN": 1, "INK": 3, "CASE": 1}, price="100")


def order(*lines: LineInput, **header: Any) -> DocumentInput:
    return DocumentInput(party="ACME", lines=lines, **header)


async def sell(app: Newel, context: Context, *lines: LineInput, then: tuple[str, ...] = ("confirm",)) -> Document:
    return (await app.documents.create("sales.order", order(*lines), context, then=then)).document


def shown(document: Document) -> list[tuple[str, Decimal, Decimal, Decimal]]:
    return [(x.item.number if x.item else "", x.quantity, x.net, x.tax) for x in document.lines]


def codes(refused: pytest.ExceptionInfo[Refused]) -> set[str]:
    return {p.code for p in refused.value.problems}


def test_hook_register_plugin() -> None:
    manifest = hooks.register_plugin()
    assert [record.name for record in manifest.records] == ["kits.kit", "kits.component"]


async def test_hook_load_facts_only_for_documents_with_kits(database_url: str) -> None:
    async with running(database_url, MODULES) as (app, context):
        await shop(app, context)
        plain = await sell(app, context, LineInput(item="PEN"))
        made = await sell(app, context, LineInput(item="SET"), then=())
        async with app.database.read() as session:
            assert await hooks.load_facts(plain, session, context) is None
            assert session.statements == 1, "the versions of all facts, which the kernel asks for anyway"
            found = await hooks.load_facts(made, session, context)
            assert session.statements == 2 and found.tree.tops == {made.lines[0].id: tuple(x.id for x in made.lines[1:])}


@pytest.mark.capability("PRC-12")
async def test_hook_propose_lines_and_adjustments_of_a_fixed_price(database_url: str) -> None:
    """One number sells loose parts: 100 for parts worth 120 alone, each with its share and its own tax, to the cent."""
    async with running(database_url, MODULES) as (app, context):
        await shop(app, context)
        made = await sell(app, context, LineInput(item="SET", quantity=D(2)), LineInput(item="INK"))
        assert shown(made) == [
            ("SET", D(2), D(0), D(0)), ("PEN", D(2), D(50), D(10)), ("INK", D(6), D(50), D("2.50")), ("CASE", D(2), D(100), D(20)),
            ("INK", D(1), D(10), D("0.50")),
        ]  # fmt: skip
        assert (made.net, made.gross) == (D(210), D(243))
        top, pen = made.lines[:2]
        assert [(s.stage, s.plugin, s.rule, s.amount_out) for s in top.steps] == [
            ("base", "newel", "list price", D(200)), ("document", "kits", "share", D(0)),
        ]  # fmt: skip
        assert [(s.plugin, s.amount_out, s.reason) for s in pen.steps][1:] == [("kits", D(50), "share of the kit SET")]
        async with app.database.read() as session:
            rows = await session.fetch("SELECT i.number FROM stock_balance b JOIN item i ON i.id = b.item WHERE i.number = 'SET'")
            reserved = await session.fetch("SELECT line FROM stock_reservation")
        assert rows == [] and {r["line"] for r in reserved} == {x.id for x in made.lines[1:]}, "parts are kept and promised, the kit never"
        assert await verify(app) == []


async def test_hook_propose_adjustments_discounts_and_vouchers_stay_exact(database_url: str) -> None:
    async with running(database_url, MODULES) as (app, context):
        await shop(app, context)
        cut = await sell(app, context, LineInput(item="SET", discount=D("33.33")), LineInput(item="PEN", quantity=D(1), discount=D(100)))
        assert cut.net == D("66.67") and cut.lines[0].net == 0 and cut.lines[-1].net == 0
        by_hand = await sell(app, context, LineInput(item="SET", price=D("0.01"), quantity=D(1)))
        assert by_hand.net == D("0.01") and sum(x.net for x in by_hand.lines[1:]) == D("0.01")
        included = (await app.documents.preview("sales.order", order(LineInput(item="SET"), prices_include_tax=True), context)).document
        assert included.gross == D(100) and included.lines[0].gross == 0


async def test_hook_decide_price_from_its_parts(database_url: str) -> None:
    """Such a kit costs what its parts cost this customer; its discount is theirs, and a price by hand makes it a fixed one."""
    async with running(database_url, MODULES) as (app, context):
        await shop(app, context)
        await kit(app, context, "DUO", {"PEN": 1, "INK": 3}, mode="parts", price="999")
        made = await app.records.save("pricelists.list", None, {"code": "OWN", "name": "Own", "currency": "EUR"}, context)
        await app.records.save("pricelists.line", None, {"price_list": made, "percent": "90"}, context)
        await app.records.save("pricelists.assignment", None, {"price_list": made, "party": "ACME"}, context)
        found = await sell(app, context, LineInput(item="DUO", quantity=D(2)))
        assert [x[2] for x in shown(found)] == [D(0), D(54), D(54)]
        cut = await sell(app, context, LineInput(item="DUO", quantity=D(2), discount=D(50)))
        assert [x[2] for x in shown(cut)] == [D(0), D(27), D(27)]
        assert cut.lines[1].steps[-1].reason == "50 % of the kit DUO"
        by_hand = await sell(app, context, LineInput(item="DUO", price=D("10.01")))
        assert [x[2] for x in shown(by_hand)] == [D(0), D("5.01"), D("5.00")]
        fixed = await sell(app, context, LineInput(item="SET"))
        assert fixed.net == D(90), "a fixed kit is priced like any item"


@pytest.mark.capability("PRC-13")
async def test_story_part_by_part_with_serials_and_a_return(database_url: str) -> None:
    """Part 4, item 27: partial delivery by part, serial numbers, invoices of deliveries, and a part that comes back."""
    async with running(database_url, MODULES) as (app, context):
        await shop(app, context)
        do = app.documents
        made = await sell(app, context, LineInput(item="SET", quantity=D(2)))
        _, pen, _, case = made.lines

        # The pens and one case first; the rest of the kit stays open. One move for each part, none for the kit.
        first = await do.follow(made.id, "deliver", context, lines=[LinkInput(line=pen.id), LinkInput(line=case.id, quantity=D(1), lot="S2")], then=("ship",))
        assert sorted((m.item, m.quantity) for m in first.moves) == sorted([(pen.item.id, D(2)), (case.item.id, D(1))])  # type: ignore[union-attr]
        bill = (await do.follow(first.document.id, "invoice_delivery", context, then=("post",))).document
        assert [x[2] for x in shown(bill)] == [D(50), D(50)] and bill.gross == D(120)
        part = await do.get(made.id, context)
        assert part.state == "confirmed" and part.lines[2].quantity_open("delivered") == D(6)
        (_, panel), *_ = [p for p in await _panels(app, context, part) if p[0] == "kits"]
        assert (panel.line, said(panel)) == (part.lines[0].id, [("Delivered complete", D(0)), ("Invoiced complete", D(0))])

        # One case comes back before everything is delivered.
        back = LinkInput(line=first.document.lines[1].id)
        returned = await do.follow(first.document.id, "return", context, lines=[back], then=("receive",))
        assert [(m.quantity, m.value) for m in returned.moves] == [(D(1), D(4))]
        credit = await do.follow(bill.id, "credit", context, lines=[LinkInput(line=bill.lines[1].id)], then=("post",))
        assert (credit.document.net, credit.document.tax) == (D(50), D(10))

        # The rest: the order is complete without the kit's own line ever having moved.
        rest = await do.follow(made.id, "deliver", context, then=("ship",))
        assert sorted(x.quantity for x in rest.document.lines) == [D(1), D(6)]
        last = (await do.follow(rest.document.id, "invoice_delivery", context, then=("post",))).document
        assert bill.net + last.net == D(200) and (await do.get(made.id, context)).state == "done"
        assert await verify(app) == []


def said(panel: Any) -> list[tuple[str, Any]]:
    return [(label, getattr(value, "value", value)) for label, value in panel.rows]


async def _panels(app: Newel, context: Context, document: Document) -> list[tuple[str, Any]]:
    async with app.database.read() as session:
        return await panels(app, session, document, context)


async def test_an_invoice_of_the_order_keeps_kit_and_parts_together(database_url: str) -> None:
    async with running(database_url, MODULES) as (app, context):
        await shop(app, context)
        made = await sell(app, context, LineInput(item="SET"))
        bill = (await app.documents.follow(made.id, "invoice", context, then=("post",))).document
        assert shown(bill) == shown(made) and bill.gross == made.gross
        assert [x.parent for x in bill.lines] == [None] + [bill.lines[0].id] * 3


async def test_a_quotation_becomes_an_order_and_the_parts_keep_pace(database_url: str) -> None:
    async with running(database_url, MODULES) as (app, context):
        await shop(app, context)
        do = app.documents
        quoted = (await do.create("sales.quotation", order(LineInput(item="SET")), context, then=("send",))).document
        made = (await do.follow(quoted.id, "order", context)).document
        assert shown(made) == shown(quoted)
        entered = as_input(made)
        more = msgspec.structs.replace(entered, lines=(msgspec.structs.replace(entered.lines[0], quantity=D(3)), *entered.lines[1:]))
        made = (await do.update(made.id, made.version, more, context)).document
        assert [x[1] for x in shown(made)] == [D(3), D(3), D(9), D(3)] and made.net == D(300)
        dear = msgspec.structs.replace(as_input(made), lines=(msgspec.structs.replace(as_input(made).lines[0], price=D(110)), *as_input(made).lines[1:]))
        assert (await do.update(made.id, made.version, dear, context)).document.net == D(330)
        assert shown((await do.copy(made.id, context)).document)[1:] == [
            ("PEN", D(3), D("82.50"), D("16.50")), ("INK", D(9), D("82.50"), D("4.13")), ("CASE", D(3), D(165), D(33)),
        ]  # fmt: skip


async def test_a_delivery_by_hand_is_billed_at_the_price_of_the_kit(database_url: str) -> None:
    async with running(database_url, MODULES) as (app, context):
        await shop(app, context)
        sent = await app.documents.create("shipping.delivery", order(LineInput(item="SET")), context, then=("ship",))
        assert len(sent.moves) == 3 and sum(m.value for m in sent.moves) == D(20)
        bill = (await app.documents.follow(sent.document.id, "invoice_delivery", context, then=("post",))).document
        assert bill.net == D(100) and bill.lines[0].net == 0
        await kit(app, context, "DUO", {"PEN": 1, "INK": 2}, price="30")
        back = await app.documents.create("shipping.return", order(LineInput(item="DUO", quantity=D(2))), context, then=("receive",))
        assert [(m.quantity, m.value) for m in back.moves] == [(D(2), D(8)), (D(4), D(16))], "at cost, not at the price of nothing"


async def test_kits_of_kits_and_their_schedules(database_url: str) -> None:
    async with running(database_url, MODULES) as (app, context):
        await shop(app, context)
        await kit(app, context, "OFFICE", {"SET": 1, "PEN": 2}, mode="parts")
        days = (TODAY.replace(day=20), TODAY.replace(day=25))
        schedules = tuple(ScheduleInput(quantity=D(1), date_requested=x) for x in days)
        made = await sell(app, context, LineInput(item="OFFICE", quantity=D(2), schedules=schedules))
        assert [(x[0], x[1], x[2]) for x in shown(made)] == [
            ("OFFICE", D(2), D(0)), ("SET", D(2), D(0)), ("PEN", D(2), D(50)), ("INK", D(6), D(50)), ("CASE", D(2), D(100)), ("PEN", D(4), D(120)),
        ]  # fmt: skip
        assert [(s.quantity, s.date_requested) for s in made.lines[3].schedules] == [(D(3), days[0]), (D(3), days[1])]
        later = LinkInput(line=made.lines[3].id, quantity=D(3), schedule=made.lines[3].schedules[1].id)
        sent = await app.documents.follow(made.id, "deliver", context, lines=[later], then=("ship",))
        assert [m.quantity for m in sent.moves] == [D(3)]
        await app.documents.follow(made.id, "deliver", context, then=("ship",))
        await app.documents.follow(made.id, "invoice", context, then=("post",))
        assert (await app.documents.get(made.id, context)).state == "done" and await verify(app) == []


async def test_hook_check_document(database_url: str) -> None:
    """What can be made up now, as a note and on the page; a kit without parts is refused."""
    async with running(database_url, MODULES) as (app, context):
        await shop(app, context)
        outcome = await app.documents.preview("sales.order", order(LineInput(item="SET", quantity=D(5))), context)
        (problem,) = [p for p in outcome.problems if p.code == "kits.short"]
        assert problem.message == "5 of the kit SET wanted, 4 can be made up now"
        enough = await app.documents.create("sales.order", order(LineInput(item="SET", quantity=D(4))), context)
        assert [p for p in enough.problems if p.plugin == "kits"] == []
        (_, panel), *_ = [p for p in await _panels(app, context, enough.document) if p[0] == "kits"]
        assert said(panel)[0] == ("Can be made up now", D(4))
        assert [text for _, text in said(panel)[1:]] == ["4 EA, 20 free", "12 EA, 20 free", "4 EA, 4 free"], "each part with what is free of it"
        await kit(app, context, "EMPTY", {}, price="1")
        with pytest.raises(Refused) as refused:
            await sell(app, context, LineInput(item="EMPTY"))
        assert codes(refused) == {"kits.empty"}


def test_hook_propose_panels_without_facts() -> None:
    order = Document(id=1, kind="sales.order", role="sale", state="draft", date=TODAY)
    assert ask(hooks.propose_panels, order, Facts(), None) is ask(hooks.check_document, order, "", Facts(), None) is None
    assert ask(hooks.decide_price, order, Line(id=1), Facts(), None) is None


async def test_a_changed_kit_changes_no_confirmed_order(database_url: str) -> None:
    async with running(database_url, MODULES) as (app, context):
        await shop(app, context)
        made = await sell(app, context, LineInput(item="SET"))
        draft = await sell(app, context, LineInput(item="SET"), then=())
        found = (await app.records.page("kits.component", context)).rows
        for row in found:
            await app.records.save("kits.component", row["id"], {"quantity": "7"}, context)
        await app.records.delete("kits.component", found[0]["id"], context)
        assert shown(await app.documents.get(made.id, context)) == shown(made)
        again = (await app.documents.update(draft.id, draft.version, as_input(draft), context)).document
        assert [x[1] for x in shown(again)] == [D(1), D(7), D(7)], "a draft follows the kit when it is saved again"
        sent = await app.documents.follow(made.id, "deliver", context, then=("ship",))
        bill = (await app.documents.follow(sent.document.id, "invoice_delivery", context, then=("post",))).document
        assert len(sent.moves) == 3 and bill.net == D(100)


async def test_circles_are_refused_with_both_names(database_url: str) -> None:
    async with running(database_url, MODULES) as (app, context):
        await shop(app, context)
        await kit(app, context, "BAG", {"SET": 1})
        (record,) = [r for r in (await app.records.page("kits.kit", context)).rows if r["item__title"].startswith("SET")]
        with pytest.raises(Refused) as refused:
            await app.records.save("kits.component", None, {"kit": record["id"], "item": "BAG"}, context)
        assert codes(refused) == {"kits.circle"} and "BAG" in str(refused.value) and "SET" in str(refused.value)
        with pytest.raises(Refused) as refused:
            await app.records.save("kits.component", None, {"kit": record["id"], "item": "SET"}, context)
        assert codes(refused) == {"kits.circle"}
        lost = await app.records.import_rows("kits.component", [{"kit": "", "item": "BAG", "quantity": "1"}], context)
        assert [p.where for p in lost.problems] == ["rows[0].kit"], "a part of no kit is told, and closes no circle"


DUMP = {
    "document": "*", "document_line": "*", "line_schedule": "*", "line_link": "*", "price_step": "*", "tax_line": "*", "stock_move": "*",
    "stock_balance": "*", "stock_reservation": "*", "journal_entry": "*", "posting": "*", "open_item": "*", "document_hold": "*", "document_event": "*",
}  # fmt: skip


async def plain_story(url: str, modules: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Everything that is stored of an order without kits, delivered and billed."""
    async with running(url, modules) as (app, context):
        await party(app, context, "ACME")
        await item(app, context, "PEN", price="30", cost="4")
        line = LineInput(item="PEN", quantity=D(3), price=D(4))
        await app.documents.create("inventory.receipt", DocumentInput(lines=(line,)), context, then=("receive",))
        lines = (LineInput(item="PEN", quantity=D(5), discount=D(3)), LineInput(kind="charge", text="Care", price=D("0.99")), LineInput(text="Thanks"))
        made = (await app.documents.create("sales.order", order(*lines), context, then=("confirm",))).document
        part = [LinkInput(line=made.lines[0].id, quantity=D(2))]
        sent = (await app.documents.follow(made.id, "deliver", context, lines=part, then=("ship",))).document
        await app.documents.follow(sent.id, "invoice_delivery", context, then=("post",))
        async with app.database.read() as session:
            return {table: [dict(r) for r in await session.fetch(f"SELECT {what} FROM {table} ORDER BY id")] for table, what in DUMP.items()}


async def test_installed_and_not_used_it_changes_no_row(tmp_path: Any) -> None:
    """Part 4, item 10: with and without the plugin, the same rows to the last column."""
    without = await plain_story(f"sqlite:///{tmp_path}/without.db", OTHERS)
    found = await plain_story(f"sqlite:///{tmp_path}/with.db", MODULES)
    later = found["document"][0]["id"] - without["document"][0]["id"]  # the plugin's own permissions have taken some ids before
    for table, rows in without.items():
        assert len(found[table]) == len(rows)
        for row, other in zip(rows, found[table], strict=True):
            for column in row.keys() - {"hash", "previous"}:  # of a chain with other ids in it
                assert other[column] in (row[column], row[column] + later if isinstance(row[column], int) else None), (table, column)
    assert all(without[table] for table in ("document_line", "price_step", "stock_move", "posting", "stock_reservation"))


async def test_the_scarce_part_of_a_kit_is_never_sold_twice(database_url: str) -> None:
    """Thirty customers want one set each at once; six bottles of ink are there, three in each set."""
    async with running(database_url, MODULES) as (app, context):
        await shop(app, context)
        strict = msgspec.structs.replace(context, company=msgspec.structs.replace(context.company, shortage="block"))
        await sell(app, strict, LineInput(item="INK", quantity=D(14)))
        drafts = [(await sell(app, strict, LineInput(item="SET"), then=())).id for _ in range(30)]
        results = await asyncio.gather(*(app.documents.act(id, "confirm", strict) for id in drafts), return_exceptions=True)
        assert sum(not isinstance(r, BaseException) for r in results) == 2
        assert {p.code for r in results if isinstance(r, Refused) for p in r.problems if p.severity is Severity.BLOCK} == {"stock.short"}
        assert await verify(app) == []


async def test_ten_kits_ask_the_database_no_more_than_one(sqlite_url: str) -> None:
    async with running(sqlite_url, MODULES) as (app, context):
        await shop(app, context)
        asked = []
        for count in (1, 1, 10):
            async with app.database.write() as session:
                await app.documents.create("sales.order", order(*(LineInput(item="SET") for _ in range(count))), context, session=session)
                asked.append(session.statements)
        assert asked[1] == asked[2], "lines of all kits are looked up together"
