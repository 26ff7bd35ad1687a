"""Reclamations of customers and to vendors at work, each hook among them; on both databases."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from newel.domain.context import Context, User
from newel.domain.document import Document, DocumentInput, Line, LineInput, LinkInput
from newel.domain.facts import Facts
from newel.domain.item import Item
from newel.domain.master import Master
from newel.domain.stock import Location
from newel.errors import Refused
from newel.services import reports
from newel.services.app import Newel
from newel.services.entered import as_input
from newel.services.verify import verify
from newel.store.columns import AMOUNT, unscaled
from newel_inventory import hooks as inventory
from newel_invoicing import hooks as invoicing
from newel_purchasing import hooks as purchasing
from newel_reclamations import hooks
from newel_reclamations.rules import Discrepancy, ReclamationData, ReclamationsSettings, deadlines, late
from newel_sales import hooks as sales
from newel_sdk.kit import Kit
from newel_sdk.testing import TODAY, ask, item, party, running
from newel_shipping import hooks as shipping

D = Decimal
MODULES = {
    "inventory": inventory, "invoicing": invoicing, "purchasing": purchasing, "reclamations": hooks, "sales": sales, "shipping": shipping
}  # fmt: skip
PLACES = {n: Location(id=n, code=kind, kind=kind, company=1) for n, kind in enumerate(("storage", "supplier", "transit"), 1)}
MASTER = Facts([Master(locations=PLACES, defaults={(1, place.kind): n for n, place in PLACES.items()})])


def document(kind: str, *lines: Line, data: ReclamationData | None = None, **values: Any) -> Document:
    base = {"id": 5, "role": "request", "state": "open", "phase": "open", "company": 1, "date": TODAY, "lines": lines}
    return Document(kind=f"reclamations.{kind}", data={"reclamations": data} if data else {}, **{**base, **values})


def codes(refused: pytest.ExceptionInfo[Refused]) -> set[str]:
    return {p.code for p in refused.value.problems if p.severity in ("block", "override")}


# ---- hooks ---------------------------------------------------------------------------------------------------------------------------


def test_hook_register_plugin() -> None:
    manifest = hooks.register_plugin()
    assert {k.name: k.party_role for k in manifest.documents} == {
        "reclamations.customer": "customer", "reclamations.vendor": "vendor", "reclamations.sending": "vendor", "reclamations.credit": "vendor"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("transition", "data", "expected"),
    [
        ("settle", ReclamationData(), ["reclamations.outcome"]),
        ("settle", ReclamationData(outcome="credit"), []),
        ("refuse", ReclamationData(), ["reclamations.decision"]),
        ("refuse", ReclamationData(decision="as agreed"), []),
        ("", ReclamationData(answer_by=TODAY, settle_by=TODAY - timedelta(days=1)), ["reclamations.dates"]),
        ("", ReclamationData(cost=D(-1)), ["reclamations.cost"]),
        ("notify", ReclamationData(), ["reclamations.reason"]),
    ],
)
async def test_hook_check_document(sqlite_url: str, transition: str, data: ReclamationData, expected: list[str]) -> None:
    async with running(sqlite_url, {"reclamations": hooks}) as (_, context):
        said = Line(id=2, text="Bolt", data={"reclamations": Discrepancy(reason="damage")})
        found = ask(hooks.check_document, document("vendor", Line(id=1, text="Nut"), said, data=data), transition, Facts(), context)
        assert [p.code for p in found] == expected


async def test_hook_check_document_of_credit_notes(sqlite_url: str) -> None:
    async with running(sqlite_url, {"reclamations": hooks}) as (_, context):
        goods = Line(id=1, text="Bolt", item=Item(id=7, number="BOLT", name="Bolt"))
        reduced = Line(id=2, kind="charge", text="Price reduction")
        assert [p.where for p in ask(hooks.check_document, document("credit", reduced, goods), "post", Facts(), context)] == ["lines[1]"]
        assert ask(hooks.check_document, msgspec.structs.replace(document("credit", goods), kind="sales.order"), "post", Facts(), context) is None


def test_hook_decide_source_where_the_goods_lie() -> None:
    line = Line(id=1)
    for header, expected in (({}, 1), ({"location_to": 3}, 3), ({"location_from": 2, "location_to": 3}, 3), ({"location_from": 1, "location_to": 3}, 1)):
        assert ask(hooks.decide_source, document("sending", line, **header), line, MASTER, None) == expected
    assert ask(hooks.decide_source, document("vendor", line), line, MASTER, None) is None


def test_hook_decide_target_is_the_vendor() -> None:
    line = Line(id=1)
    assert ask(hooks.decide_target, document("sending", line, location_to=1), line, MASTER, None) == 2
    assert ask(hooks.decide_target, document("vendor", line), line, MASTER, None) is None


async def test_hook_propose_panels(sqlite_url: str) -> None:
    async with running(sqlite_url, {"reclamations": hooks}) as (_, context):
        later = msgspec.structs.replace(context, today=TODAY + timedelta(days=4))
        said = Line(id=2, text="Bolt", data={"reclamations": Discrepancy(reason="damage", found=D(3))})
        panel, box = ask(hooks.propose_panels, document("vendor", said, data=ReclamationData(cost=D(15))), Facts(), later)
        assert (box.line, [e.value for e in box.entries]) == (2, ["damage", D(3), ""])
        assert dict(panel.rows)["Overdue"] == "answer" and dict(panel.rows)["Cost"].value == 15
        assert ask(hooks.propose_panels, document("sending"), Facts(), later) == []


@given(st.dates(date(2000, 1, 1), date(2090, 1, 1)), st.integers(0, 90), st.integers(0, 90))
def test_nothing_is_late_before_its_deadline(day: date, answer: int, more: int) -> None:
    ends = deadlines(day, ReclamationData(), ReclamationsSettings(answer_days=answer, settle_days=answer + more))
    assert late("open", "open", ends, ends[0]) == "" and late("answered", "open", ends, ends[1]) == ""
    assert late("open", "open", ends, ends[1] + timedelta(days=1)) == "settlement"
    assert late("settled", "done", ends, date(2099, 1, 1)) == ""


# ---- stories -------------------------------------------------------------------------------------------------------------------------


class Desk:
    """A company that buys bolts at 3 and sells them at 10, with 20 % tax."""

    def __init__(self, app: Newel, context: Context) -> None:
        self.app, self.context, self.do = app, context, app.documents

    async def open(self, **bolt: Any) -> Desk:
        await item(self.app, self.context, "BOLT", price=10, cost=3, **bolt)
        for number in ("SUPPLY", "ACME"):
            await party(self.app, self.context, number)
        rate = {"code": "VAT20", "name": "VAT", "category": "standard", "country": "DE", "rate": "20"}
        await self.app.records.save("newel.tax_rate", None, rate, self.context)
        return self

    async def received(self, quantity: int, price: str = "3", lot: str | None = None) -> Document:
        """Ordered, received, billed and posted."""
        lines = (LineInput(item="BOLT", quantity=D(quantity), price=D(price)),)
        order = (await self.do.create("purchasing.order", DocumentInput(party="SUPPLY", lines=lines), self.context, then=("send",))).document
        wanted = [LinkInput(line=order.lines[0].id, lot=lot)]
        receipt = (await self.do.follow(order.id, "receive", self.context, lines=wanted, then=("receive",))).document
        await self.do.follow(receipt.id, "bill_receipt", self.context, input=DocumentInput(reference=f"R{receipt.number}"), then=("post",))
        return receipt

    async def reclaim(self, about: Document, quantity: int, reason: str, then: tuple[str, ...] = ("notify",)) -> Document:
        wanted = [LinkInput(line=about.lines[0].id, quantity=D(quantity))]
        made = (await self.do.follow(about.id, "reclaim", self.context, lines=wanted)).document
        line = msgspec.structs.replace(as_input(made).lines[0], data={"reclamations": {"reason": reason, "note": "rust"}})
        made = (await self.do.update(made.id, made.version, msgspec.structs.replace(as_input(made), lines=(line,)), self.context)).document
        for step in then:
            await self.act(made, step)
        return await self.do.get(made.id, self.context)

    async def decide(self, made: Document, step: str, **data: Any) -> Document:
        """Enter what was found, and go on."""
        now = await self.do.get(made.id, self.context)
        await self.do.update(now.id, now.version, msgspec.structs.replace(as_input(now), data={"reclamations": data}), self.context)
        return (await self.act(now, step)).document

    async def act(self, found: Document, step: str) -> Any:
        outcome = await self.do.act(found.id, step, self.context)
        assert await verify(self.app) == []
        return outcome

    async def books(self) -> dict[str, Decimal]:
        async with self.app.database.read() as session:
            rows = await session.fetch("SELECT role, CAST(SUM(debit - credit) AS BIGINT) AS n FROM posting GROUP BY role")
        return {r["role"]: unscaled(r["n"], AMOUNT) for r in rows if r["n"]}

    async def report(self, name: str, context: Context | None = None, **parameters: Any) -> list[dict[str, Any]]:
        report = self.app.registry.reports[f"reclamations.{name}"]
        async with self.app.database.read() as session:
            rows = await report.load(session, parameters, context or self.context)
        assert all(column.name in row for row in rows for column in report.columns)
        return rows


@pytest.mark.capability("RMA-07", screen="/report/reclamations.board")
async def test_a_bad_lot_goes_back_to_its_vendor_and_a_customer_is_heard(database_url: str) -> None:
    """Of 100 bolts of lot L7, 40 are bad: they go back at 120, the vendor credits 144 with tax. A customer who got 10 of them gets 2 credited."""
    async with running(database_url, MODULES) as (app, context):
        here = await Desk(app, context).open(tracking="lot")
        receipt = await here.received(100, lot="L7")
        assert await here.books() == {"stock": D(300), "tax_input": D(60), "payable": D(-360)}
        bad = await here.reclaim(receipt, 40, "quality")
        assert (bad.number, bad.net, bad.lines[0].price) == ("RV2026-00001", D(120), D(3))
        (row,) = await here.report("board", msgspec.structs.replace(context, today=TODAY + timedelta(days=4)))
        assert (row["about"], row["side"], row["answer_by"], row["late"]) == (receipt.id, "vendor", TODAY + timedelta(days=3), "answer")
        await here.act(bad, "answer")
        back = (await here.do.follow(bad.id, "send_back", context)).document
        moved = await here.act(back, "send")
        assert [(m.quantity, m.value) for m in moved.moves] == [(D(40), D(120))]
        assert {(p.role, p.debit - p.credit) for p in moved.entries[0].postings} == {("goods_received", D(120)), ("stock", D(-120))}
        with pytest.raises(Refused) as refused:
            await here.decide(bad, "refuse", decision="no")
        assert codes(refused) == {"reclamations.gone_on"}
        note = (await here.do.follow(back.id, "credit", context, input=DocumentInput(reference="G-12"), then=("post",))).document
        assert (note.net, note.gross, (await here.do.get(back.id, context)).state) == (D(120), D(144), "credited")
        assert await here.books() == {"stock": D(180), "tax_input": D(36), "payable": D(-216)}, "as if 60 had been bought"
        settled = await here.decide(bad, "settle", outcome="credit", cost="15")
        assert settled.state == "settled"
        async with app.database.read() as session:
            lot = await session.value("SELECT id FROM lot WHERE number = 'L7'")
        assert [(r["number"], r["party"], r["quantity"]) for r in await here.report("trace", lot=lot)] == [
            (receipt.number, "Supply", D(100)), (back.number, "Supply", D(40)),
        ]  # fmt: skip

        entered = DocumentInput(party="ACME", lines=(LineInput(item="BOLT", quantity=D(10), discount=D(5)),))
        order = (await here.do.create("sales.order", entered, context, then=("confirm",))).document
        wanted = [LinkInput(line=order.lines[0].id, lot="L7")]
        sent = (await here.do.follow(order.id, "deliver", context, lines=wanted, then=("ship",))).document
        await here.do.follow(sent.id, "invoice_delivery", context, then=("post",))
        heard = await here.reclaim(sent, 2, "damage")
        assert (heard.kind, heard.net) == ("reclamations.customer", D(19)), "at the price of the order"
        credit = (await here.do.follow(heard.id, "credit", context, then=("post",))).document
        assert (credit.gross, credit.lines[0].steps) == (D("22.80"), heard.lines[0].steps)
        await here.decide(heard, "settle", outcome="credit", cost="22.8")
        assert [(r["side"], r["outcome"], r["cost"]) for r in await here.report("board", all=True)] == [
            ("vendor", "credit", D(15)), ("customer", "credit", D("22.8")),
        ]  # fmt: skip
        assert await here.report("board") == []


async def test_goods_go_back_at_their_value_and_the_difference_is_shown(database_url: str) -> None:
    """Ten bolts at 3 and ten at 4 lie in stock at 3.50; five of the first go back and are credited at 3: 2.50 is a difference."""
    async with running(database_url, MODULES) as (app, context):
        here = await Desk(app, context).open()
        first = await here.received(10)
        await here.received(10, "4")
        bad = await here.reclaim(first, 5, "quality")
        back = (await here.do.follow(bad.id, "send_back", context, then=("send",))).document
        note = (await here.do.follow(back.id, "credit", context, then=("post",))).document
        assert note.net == D(15)
        books = await here.books()
        assert (books["reclamation_difference"], books.get("goods_received"), books["stock"]) == (D("2.5"), None, D("52.5"))
        await here.act(note, "reverse")
        await here.act(back, "reverse")
        assert (await here.books())["stock"] == D(70)
        assert await verify(app) == []


async def test_a_price_reduction_without_goods(database_url: str) -> None:
    """The vendor lowers the price by 12: a credit note with one line, and no goods."""
    async with running(database_url, MODULES) as (app, context):
        here = await Desk(app, context).open()
        await here.received(10)
        line = LineInput(kind="charge", text="Price reduction for rust", price=D(12))
        note = (await here.do.create("reclamations.credit", DocumentInput(party="SUPPLY", lines=(line,)), context, then=("post",))).document
        books = await here.books()
        assert (note.gross, books["reclamation_difference"], books["payable"]) == (D("14.4"), D(-12), D("-21.6"))
        goods = DocumentInput(party="SUPPLY", lines=(LineInput(item="BOLT", price=D(1)),))
        with pytest.raises(Refused) as refused:
            await here.do.create("reclamations.credit", goods, context, then=("post",))
        assert codes(refused) == {"reclamations.goods"}
        assert await verify(app) == []


@pytest.mark.plugins("reclamations", "mail", "sales", "inventory", "shipping", "purchasing", "invoicing")
@pytest.mark.capability("RMA-07")
async def test_a_notice_goes_out_by_mail_and_one_comes_in_from_a_customer(kit: Kit, mailbox: Any) -> None:
    """The vendor gets a mail as soon as the notice is sent; ACME enters one about a delivery with its own login, sees no other one, and does not settle it."""
    await kit.settings("mail", enabled=True, host="localhost", sender="quality@newel.example")
    words = {"code": "NOTICE", "kind": "reclamations.vendor", "transition": "notify", "language": "en"}
    await kit.app.records.save("mail.template", None, {**words, "subject": "Notice {{ number }}", "body": "Of {{ reference }}."}, kit.context)
    acme = await kit.party("ACME")
    await kit.party("SUPPLY", email="quality@supply.example")
    await kit.item("BOLT", price=10, cost=3)
    line = LineInput(item="BOLT", quantity=D(10), price=D(3))
    order = (await kit.app.documents.create("purchasing.order", DocumentInput(party="SUPPLY", lines=(line,)), kit.context, then=("send",))).document
    received = (await kit.follow(order.id, "receive", then=["receive"])).document
    bad = (await kit.follow(received.id, "reclaim")).document
    said = msgspec.structs.replace(as_input(bad).lines[0], quantity=D(4), data={"reclamations": {"reason": "quantity", "note": "6 came"}})
    await kit.app.documents.update(bad.id, bad.version, msgspec.structs.replace(as_input(bad), lines=(said,), reference="R-7"), kit.context)
    assert mailbox == []
    sent = (await kit.act(bad.id, "notify")).document
    while await kit.deliver():
        pass
    assert [(m["To"], m["Subject"]) for m in mailbox] == [("Supply <quality@supply.example>", f"Notice {sent.number}")]

    sold = (await kit.document("sales.order", "ACME", ("BOLT", 5), then=["confirm"])).document
    delivery = (await kit.follow(sold.id, "deliver", then=["ship"])).document
    rights = {*(f"reclamations.customer.{r}" for r in ("view", "edit", "notify")), "shipping.delivery.view"}
    user = User(id=9, login="erin", permissions=frozenset(rights), companies=frozenset({kit.context.company.id}), party=acme)
    guest = msgspec.structs.replace(kit.context, user=user)
    heard = (await kit.app.documents.follow(delivery.id, "reclaim", guest, lines=[LinkInput(line=delivery.lines[0].id, quantity=D(2))])).document
    wrong = msgspec.structs.replace(as_input(heard).lines[0], data={"reclamations": {"reason": "damage"}})
    await kit.app.documents.update(heard.id, heard.version, msgspec.structs.replace(as_input(heard), lines=(wrong,)), guest)
    assert (await kit.app.documents.act(heard.id, "notify", guest)).document.state == "open"
    for id, step, status in ((heard.id, "settle", 403), (bad.id, "answer", 404)):
        with pytest.raises(Refused) as refused:
            await kit.app.documents.act(id, step, guest)
        assert refused.value.status == status
    board = await reports.run(kit.app, "reclamations.board", {}, kit.context)
    assert sorted((r["side"], r["number"]) for r in board) == [("customer", heard.number), ("vendor", sent.number)]
