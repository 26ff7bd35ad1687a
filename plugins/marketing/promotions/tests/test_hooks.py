"""Each hook of promotions through the real use cases, on both databases."""

from __future__ import annotations

import asyncio
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from newel.domain.context import Context
from newel.domain.document import Document, DocumentInput, LineInput, LinkInput
from newel.domain.facts import Facts
from newel.errors import Refused
from newel.services.app import Newel
from newel.services.entered import as_input
from newel.services.verify import verify
from newel.store.master import load_master
from newel_inventory import hooks as inventory
from newel_invoicing import hooks as invoicing
from newel_promotions import hooks
from newel_promotions.rehearse import rehearse
from newel_sales import hooks as sales
from newel_sdk.testing import ask, item, party, running, stock
from newel_shipping import hooks as shipping

D = Decimal
MODULES = {"promotions": hooks, "sales": sales}
Rows = list[tuple[str, str, Decimal]]


async def promote(app: Newel, context: Context, code: str, *scopes: dict[str, Any], group: str = "ALL", policy: str = "stack", **values: Any) -> int:
    """An active promotion in a group, for everything unless scopes are given."""
    save = app.records.save
    found = await app.records.find("promotions.group", group, context)
    found = found or await save("promotions.group", None, {"code": group, "name": group, "policy": policy, "sequence": len(group)}, context)
    values = {"code": code, "name": f"Promotion {code}", "promotion_group": found, "active": True, **values}
    made = await save("promotions.promotion", None, values, context)
    for scope in scopes or ({},):
        await save("promotions.scope", None, {"promotion": made, **scope}, context)
    return made


def entered(customer: Any, *lines: tuple[Any, Any], coupons: tuple[str, ...] = (), **header: Any) -> DocumentInput:
    """Items with quantities."""
    data = {"promotions": {"coupons": coupons}} if coupons else {}
    return DocumentInput(party=customer, lines=tuple(LineInput(item=i, quantity=D(q)) for i, q in lines), data=data, **header)


def given(document: Document, line: int = 0) -> Rows:
    """What promotions did to a line: stage, rule, amount afterwards."""
    return [(s.stage, s.rule, s.amount_out) for s in document.lines[line].steps if s.plugin == "promotions"]


async def priced(app: Newel, context: Context, what: DocumentInput, kind: str = "sales.order") -> Document:
    return (await app.documents.preview(kind, what, context)).document


def codes(refused: pytest.ExceptionInfo[Refused]) -> list[str]:
    return [p.code for p in refused.value.problems]


def test_hook_register_plugin() -> None:
    manifest = hooks.register_plugin()
    assert [r.name.partition(".")[2] for r in manifest.records] == ["group", "promotion", "scope", "coupon", "use"]
    assert [r.name for r in manifest.reports] == ["promotions.analysis", "promotions.rehearsal"]


@pytest.mark.capability("PRC-07")
async def test_hook_propose_adjustments_on_the_calculated_price(database_url: str) -> None:
    """Base pricing first, promotion second; on quotations too, and never twice."""
    async with running(database_url, MODULES) as (app, context):
        bolt, customer = await item(app, context, "BOLT", price="9.99"), await party(app, context, "ACME")
        await promote(app, context, "TEN", percent="10")
        do = app.documents
        for kind in ("sales.quotation", "sales.order"):
            made = (await do.create(kind, entered(customer, (bolt, 3)), context)).document
            assert [(s.plugin, s.rule, s.amount_out) for s in made.lines[0].steps] == [("newel", "list price", D("29.97")), ("promotions", "TEN", D("26.97"))]
            again = (await do.update(made.id, made.version, as_input(made), context)).document
            once_more = (await do.update(again.id, again.version, as_input(again), context)).document
            assert again.lines[0].steps == once_more.lines[0].steps == made.lines[0].steps, "saving again can't discount again"
        lead = (await do.create("sales.lead", entered(customer, (bolt, 3)), context)).document
        assert given(lead) == [], "only what is a sale"
        by_hand = DocumentInput(party=customer, lines=(LineInput(item=bolt, price=D(5)),))
        assert given(await priced(app, context, by_hand)) == [], "nobody calculated that price"


async def test_hook_propose_adjustments_never_where_a_price_is_copied(database_url: str) -> None:
    async with running(database_url, MODULES) as (app, context):
        bolt, customer = await item(app, context, "BOLT", price=10), await party(app, context, "ACME")
        quotation = (await app.documents.create("sales.quotation", entered(customer, (bolt, 3)), context, then=("send",))).document
        await promote(app, context, "TEN", percent="10")
        await promote(app, context, "FIVE", amount="5", per="document", currency="EUR")
        order = (await app.documents.follow(quotation.id, "order", context)).document
        assert (order.net, given(order)) == (D(30), [])
        assert (await priced(app, context, entered(customer, (bolt, 3)))).net == D(22)


@pytest.mark.capability("PRC-02", "PRC-08")
async def test_any_number_of_dated_promotions_on_one_line(database_url: str) -> None:
    async with running(database_url, MODULES) as (app, context):
        bolt, customer = await item(app, context, "BOLT", price=100), await party(app, context, "ACME")
        for n in range(12):
            await promote(app, context, f"P{n:02}", amount="1", currency="EUR", date_from="2026-01-10", date_to="2026-01-20")
        await promote(app, context, "PAST", amount="1", currency="EUR", date_to="2026-01-14")
        await promote(app, context, "LATER", amount="1", currency="EUR", date_from="2026-01-16")
        await promote(app, context, "DRAFT", amount="1", currency="EUR", active=False)
        line = (await priced(app, context, entered(customer, (bolt, 1)))).lines[0]
        assert [s.rule for s in line.steps[1:]] == [f"P{n:02}" for n in range(12)]
        assert line.net == D(88)
        for day, net in ((9, 99), (10, 87), (14, 87), (15, 88), (16, 87), (20, 87), (21, 99)):
            assert (await priced(app, context, entered(customer, (bolt, 1), date=date(2026, 1, day)))).net == D(net), day


@pytest.mark.capability("PRC-03", "DOC-14")
async def test_percent_or_amount_per_line_or_unit_with_units_of_their_own(database_url: str) -> None:
    """Lines have units of their own, and each its own price elements."""
    async with running(database_url, MODULES) as (app, context):
        bolt, nut = await item(app, context, "BOLT", price=10), await item(app, context, "NUT", price=1)
        wood, customer = await item(app, context, "WOOD", price=7), await party(app, context, "ACME")
        await promote(app, context, "A", {"item": bolt}, percent="12.5")
        await promote(app, context, "B", {"item": bolt}, {"item": nut}, amount="0.25", per="unit", currency="EUR")
        await promote(app, context, "C", {"item": nut}, amount="2", per="line", currency="EUR")
        lines = (
            LineInput(item=bolt, quantity=D(3)),
            LineInput(item=nut, quantity=D(2), unit="DZN"),
            LineInput(item=wood),
            LineInput(text="Freight", price=D(9)),
        )
        made = (await app.documents.create("sales.order", DocumentInput(party=customer, lines=lines), context)).document
        assert [line.unit for line in made.lines] == ["EA", "DZN", "EA", ""]
        assert given(made, 0) == [("line", "A", D("26.25")), ("line", "B", D("25.50"))]
        assert given(made, 1) == [("line", "B", D("18.00")), ("line", "C", D("16.00"))]
        assert given(made, 2) == []
        assert given(made, 3) == []
        assert made.net == D("57.50")


@pytest.mark.capability("PRC-04")
async def test_scope_by_item_or_class_with_the_classes_below(database_url: str) -> None:
    async with running(database_url, MODULES) as (app, context):
        top = await app.records.save("newel.item_class", None, {"code": "METAL", "name": "Metal"}, context)
        low = await app.records.save("newel.item_class", None, {"code": "BOLTS", "name": "Bolts", "parent": top}, context)
        bolt, sheet = await item(app, context, "BOLT", price=10, item_class=low), await item(app, context, "SHEET", price=10, item_class=top)
        wood, customer = await item(app, context, "WOOD", price=10), await party(app, context, "ACME")
        await promote(app, context, "ITEM", {"item": wood}, percent="1")
        await promote(app, context, "LOW", {"item_class": low}, percent="2")
        await promote(app, context, "TOP", {"item_class": top}, percent="3")
        made = await priced(app, context, entered(customer, (bolt, 1), (sheet, 1), (wood, 1)))
        assert [[rule for _, rule, _ in given(made, n)] for n in range(3)] == [["LOW", "TOP"], ["TOP"], ["ITEM"]]


@pytest.mark.capability("PRC-05")
async def test_scope_by_the_customer_that_gets_the_goods(database_url: str) -> None:
    async with running(database_url, MODULES) as (app, context):
        bolt, nut = await item(app, context, "BOLT", price=10), await item(app, context, "NUT", price=10)
        payer, site = await party(app, context, "PAYER"), await party(app, context, "SITE")
        await promote(app, context, "SITE", {"party": site}, percent="5")
        await promote(app, context, "BOTH", {"party": site, "item": nut}, percent="10")
        async with app.database.read() as session:
            there = await session.value("SELECT id FROM address WHERE party = ?", site)
        own = await priced(app, context, entered(payer, (bolt, 1), (nut, 1)))
        assert own.net == D(20), "it goes to the payer"
        sent = await priced(app, context, entered(payer, (bolt, 1), (nut, 1), ship_to=there))
        assert [line.net for line in sent.lines] == [D("9.50"), D("8.55")]


@pytest.mark.capability("PRC-06")
async def test_scope_by_class_of_customers_with_the_classes_below(database_url: str) -> None:
    async with running(database_url, MODULES) as (app, context):
        save = app.records.save
        top = await save("newel.party_class", None, {"code": "TRADE", "name": "Trade"}, context)
        low = await save("newel.party_class", None, {"code": "SHOPS", "name": "Shops", "parent": top}, context)
        bolt, shop = await item(app, context, "BOLT", price=10), await party(app, context, "SHOP", party_class=low)
        trader, person = await party(app, context, "TRADER", party_class=top), await party(app, context, "PERSON")
        await promote(app, context, "TRADE", {"party_class": top}, percent="10")
        await promote(app, context, "SHOPS", {"party_class": low, "item": bolt}, percent="50")
        assert [(await priced(app, context, entered(who, (bolt, 1)))).net for who in (shop, trader, person)] == [D("4.50"), D("9.00"), D("10.00")]


async def test_quantity_and_order_value(database_url: str) -> None:
    async with running(database_url, MODULES) as (app, context):
        bolt, customer = await item(app, context, "BOLT", price=10), await party(app, context, "ACME")
        await promote(app, context, "Q", percent="10", quantity_min="12", quantity_max="24")
        await promote(app, context, "V", percent="50", value_min="300", value_max="400", currency="EUR")
        for quantity, net in ((11, 110), (12, 108), (24, 216), (25, 250), (30, 150), (40, 200), (41, 410)):
            assert (await priced(app, context, entered(customer, (bolt, quantity)))).net == D(net), quantity
        dozen = DocumentInput(party=customer, lines=(LineInput(item=bolt, unit="DZN"),))
        assert (await priced(app, context, dozen)).net == D(108), "quantities are in the base unit"


@pytest.mark.parametrize(("policy", "net"), [("stack", "50.40"), ("best", "70.00"), ("first", "90.00"), ("exclusive", "90.00")])
async def test_policies_of_groups_are_stored_data(database_url: str, policy: str, net: str) -> None:
    """Of three that fit: all, the best, the first; and an exclusive one keeps other groups off the line."""
    async with running(database_url, MODULES) as (app, context):
        bolt, customer = await item(app, context, "BOLT", price=100), await party(app, context, "ACME")
        for sequence, code, percent in ((30, "AAA", "20"), (20, "BBB", "30"), (10, "CCC", "10")):
            await promote(app, context, code, percent=percent, sequence=sequence, policy=policy)
        assert (await priced(app, context, entered(customer, (bolt, 1)))).net == D(net)
        await promote(app, context, "OTHER", group="OTHERS", percent="50")
        half = D(net) if policy == "exclusive" else D(net) / 2
        assert (await priced(app, context, entered(customer, (bolt, 1)))).net == half


@pytest.mark.parametrize("included", [False, True])
async def test_all_of_it_off_is_exactly_zero(database_url: str, included: bool) -> None:
    """100 percent, or more than there is, for any mix of taxes (feature list, part 4, number 1)."""
    async with running(database_url, MODULES) as (app, context):
        customer = await party(app, context, "ACME")
        for code, category, rate in (("A", "standard", "19"), ("B", "reduced", "7")):
            await app.records.save("newel.tax_rate", None, {"code": code, "name": code, "category": category, "rate": rate}, context)
        items = [
            await item(app, context, f"I{n}", price=p, tax_category=c)
            for n, (p, c) in enumerate((("3.33", "standard"), ("0.07", "reduced"), ("19.99", "zero")))
        ]
        lines = [(i, 3) for i in items]
        made = await promote(app, context, "FREE", percent="100")
        for values in ({}, {"per": "document"}, {"percent": None, "amount": "999", "currency": "EUR"}, {"basis": "gross"}, {"per": "line"}, {"basis": "net"}):
            await app.records.save("promotions.promotion", made, values, context)
            found = await priced(app, context, entered(customer, *lines, prices_include_tax=included))
            assert (found.net, found.tax, found.gross) == (0, 0, 0), values
            assert all(line.net == 0 and line.tax == 0 for line in found.lines)


@pytest.mark.parametrize(
    ("basis", "included", "gross"), [("net", False, "214.20"), ("gross", False, "218.00"), ("gross", True, "180.00"), ("net", True, "176.20")]
)
async def test_a_discount_of_the_document_has_a_tax_basis(database_url: str, basis: str, included: bool, gross: str) -> None:
    """20 off, with or without tax, is allocated to the lines before tax (feature list, part 4, number 2)."""
    async with running(database_url, MODULES) as (app, context):
        customer = await party(app, context, "ACME")
        await app.records.save("newel.tax_rate", None, {"code": "A", "name": "A", "category": "standard", "rate": "19"}, context)
        bolt, nut = await item(app, context, "BOLT", price=100), await item(app, context, "NUT", price=100)
        await promote(app, context, "OFF", amount="20", per="document", currency="EUR", basis=basis, value_min="150")
        made = await priced(app, context, entered(customer, (bolt, 1), (nut, 1), prices_include_tax=included))
        assert [s.stage for s in made.lines[0].steps if s.plugin == "promotions"] == ["document"]
        assert abs(made.gross - D(gross)) <= D("0.01")
        assert abs(made.lines[0].net - made.lines[1].net) <= D("0.01")
        assert made.net + made.tax == made.gross


async def test_a_document_discount_goes_to_the_lines_that_fit(database_url: str) -> None:
    async with running(database_url, MODULES) as (app, context):
        bolt, nut = await item(app, context, "BOLT", price="3.33"), await item(app, context, "NUT", price="6.66")
        wood, customer = await item(app, context, "WOOD", price=100), await party(app, context, "ACME")
        await promote(app, context, "OFF", {"item": bolt}, {"item": nut}, amount="1", per="document", currency="EUR", quantity_min="2")
        assert (await priced(app, context, entered(customer, (bolt, 1), (wood, 5)))).net == D("503.33")
        made = await priced(app, context, entered(customer, (bolt, 1), (nut, 1), (wood, 1)))
        assert [line.net for line in made.lines] == [D("3.00"), D("5.99"), D("100.00")]


async def test_fixed_amounts_in_foreign_currency(database_url: str) -> None:
    """Converted by the document's rates and rounded in its currency; not given where no rate is known (feature list, part 4, number 3)."""
    async with running(database_url, MODULES) as (app, context):
        bolt, customer = await item(app, context, "BOLT", price="100"), await party(app, context, "ACME")
        for code, digits, rate in (("USD", 2, "0.8"), ("JPY", 0, "0.005"), ("GBP", 2, None)):
            if await app.records.find("newel.currency", code, context) is None:
                await app.records.save("newel.currency", None, {"code": code, "name": code, "digits": digits}, context)
            if rate:
                await app.records.save("newel.currency_rate", None, {"currency": code, "date_from": "2026-01-01", "rate": rate}, context)
        await promote(app, context, "EUR", amount="0.01", currency="EUR")
        await promote(app, context, "USD", amount="5", currency="USD")
        await promote(app, context, "GBP", amount="5", currency="GBP")
        euro = await priced(app, context, entered(customer, (bolt, 1)))
        assert given(euro) == [("line", "EUR", D("99.99")), ("line", "USD", D("95.99"))]
        dollar = await priced(app, context, entered(customer, (bolt, 1), currency="USD"))
        assert given(dollar) == [("line", "EUR", D("124.99")), ("line", "USD", D("119.99"))]
        yen = await priced(app, context, entered(customer, (bolt, 1), currency="JPY"))
        assert given(yen) == [("line", "EUR", D(19998)), ("line", "USD", D(19198))]


async def test_hook_propose_lines_makes_gifts(database_url: str) -> None:
    """One box for each ten, at no price; it keeps its identity, and goes when the quantity does."""
    async with running(database_url, MODULES) as (app, context):
        bolt, box = await item(app, context, "BOLT", price=10), await item(app, context, "BOX", price="4.50")
        customer = await party(app, context, "ACME")
        await promote(app, context, "TEN", percent="10")
        await promote(app, context, "BOX", {"item": bolt}, gift=box, gift_each="10", quantity_min="20")
        made = (await app.documents.create("sales.order", entered(customer, (bolt, 25)), context)).document
        gift = made.lines[1]
        assert (gift.item.number, gift.quantity, gift.net, gift.parent) == ("BOX", D(2), D(0), made.lines[0].id)
        assert [(s.rule, s.amount_out) for s in gift.steps] == [("list price", D(9)), ("BOX", D(0))]
        for quantity, gifts in ((30, [D(3)]), (19, []), (20, [D(2)])):
            changed = msgspec.structs.replace(as_input(made), lines=(msgspec.structs.replace(as_input(made).lines[0], quantity=D(quantity)),))
            made = (await app.documents.update(made.id, made.version, changed, context)).document
            assert [line.quantity for line in made.lines[1:]] == gifts
        done = (await app.documents.act(made.id, "confirm", context)).document
        assert done.net == D(180)
        assert await verify(app) == []


# ---- what is kept --------------------------------------------------------------------------------------------------------------------


async def test_conflicts_are_found_when_a_promotion_is_saved(database_url: str) -> None:
    """Not when an order is entered (feature list, part 4, number 4): through the promotion, its scope or its group, in any order."""
    async with running(database_url, MODULES) as (app, context):
        save = app.records.save
        metal = await save("newel.item_class", None, {"code": "METAL", "name": "Metal"}, context)
        bolt, wood = await item(app, context, "BOLT", price=10, item_class=metal), await item(app, context, "WOOD", price=10)
        await promote(app, context, "A", {"item_class": metal}, percent="10", policy="exclusive", date_to="2026-06-30")
        with pytest.raises(Refused) as by_scope:
            await promote(app, context, "B", {"item": wood}, {"item": bolt}, percent="20")
        assert codes(by_scope) == ["promotions.conflict"]
        assert "A and B" in str(by_scope.value) or "B and A" in str(by_scope.value)
        other = await app.records.find("promotions.promotion", "B", context)
        assert other is not None
        await save("promotions.promotion", other, {"sequence": 50}, context)
        await save("promotions.scope", None, {"promotion": other, "item": bolt}, context)
        with pytest.raises(Refused) as by_promotion:
            await save("promotions.promotion", other, {"sequence": 100}, context)
        assert codes(by_promotion) == ["promotions.conflict"]
        for apart in ({"date_from": "2026-07-01"}, {"active": False}):
            await save("promotions.promotion", other, {"sequence": 100, **apart}, context)
            await save("promotions.promotion", other, {"sequence": 50, "date_from": None, "active": True}, context)
        group = await save("promotions.group", None, {"code": "S", "name": "S", "policy": "stack"}, context)
        for code in ("C", "D"):
            await promote(app, context, code, percent="10", group="S")
        with pytest.raises(Refused) as by_group:
            await save("promotions.group", group, {"policy": "first"}, context)
        assert codes(by_group) == ["promotions.conflict"]
        with pytest.raises(Refused) as groups:
            await save("promotions.group", None, {"code": "T", "name": "T", "policy": "exclusive", "sequence": len("ALL")}, context)
        assert codes(groups) == ["promotions.conflict"]


async def test_what_a_promotion_must_be(database_url: str) -> None:
    async with running(database_url, MODULES) as (app, context):
        bolt, gift = await item(app, context, "BOLT", price=10), await item(app, context, "GIFT")
        cases: list[tuple[dict[str, Any], str]] = [
            ({}, "gives"), ({"percent": "1", "gift": bolt}, "gives"), ({"percent": "0"}, "positive"), ({"amount": "1"}, "currency"),
            ({"percent": "1", "value_min": "5"}, "currency"), ({"percent": "1", "date_from": "2026-02-01", "date_to": "2026-01-01"}, "span"),
            ({"percent": "1", "quantity_min": "5", "quantity_max": "4"}, "span"), ({"gift": bolt, "value_min": "5", "currency": "EUR"}, "gift_value"),
            ({"gift": gift}, "gift_price"),
        ]  # fmt: skip
        for n, (values, code) in enumerate(cases):
            with pytest.raises(Refused) as refused:
                await promote(app, context, f"P{n}", **values)
            assert codes(refused) == [f"promotions.{code}"], values
        with pytest.raises(Refused, match="more than 100"):
            await promote(app, context, "MORE", percent="101")
        made = await promote(app, context, "FINE", percent="100")
        top = await app.records.save("newel.item_class", None, {"code": "X", "name": "X"}, context)
        with pytest.raises(Refused) as both:
            await app.records.save("promotions.scope", None, {"promotion": made, "item": bolt, "item_class": top}, context)
        assert codes(both) == ["promotions.scope"]
        with pytest.raises(Refused) as small:
            await app.records.save("promotions.coupon", None, {"code": "spring", "promotion": made}, context)
        assert codes(small) == ["promotions.code"]


async def test_hook_load_facts_asks_once_and_never_again(database_url: str) -> None:
    """One statement for what is new, none for the next document; a change holds at once."""
    async with running(database_url, MODULES) as (app, context):
        bolts = [await item(app, context, f"BOLT{n}", price=10) for n in range(5)]
        customer = await party(app, context, "ACME")
        order = (await app.documents.create("sales.order", entered(customer, *((b, 1) for b in bolts)), context)).document
        async with app.database.read() as session:
            assert await ask(hooks.load_facts, order, session, context) is None, "nothing is promoted"
        made = await promote(app, context, "TEN", *({"item": b} for b in bolts), percent="10")
        for statements in (3, 1):  # versions of facts; whether there is anything; what there is
            async with app.database.read() as session:
                found = await ask(hooks.load_facts, order, session, context)
                assert session.statements == statements
            assert found is not None
            assert found.by_what.keys() == set(bolts)
        await app.records.save("promotions.promotion", made, {"percent": "20"}, context)
        assert (await priced(app, context, entered(customer, (bolts[0], 1)))).net == D(8)


# ---- coupons -------------------------------------------------------------------------------------------------------------------------


async def coupon(app: Newel, context: Context, code: str, **values: Any) -> int:
    """A coupon for ten percent."""
    made = await promote(app, context, f"P-{code}", percent="10", coupon=True)
    return await app.records.save("promotions.coupon", None, {"code": code, "promotion": made, **values}, context)


async def uses(app: Newel) -> int:
    async with app.database.read() as session:
        return int(await session.value("SELECT COALESCE(SUM(uses), 0) AS n FROM promotions_use"))


async def test_hook_propose_documents_uses_coupons(database_url: str) -> None:
    """Entered in the header; used when the order is confirmed, given back when it is revised or cancelled, and used once."""
    async with running(database_url, MODULES) as (app, context):
        bolt, customer = await item(app, context, "BOLT", price=100), await party(app, context, "ACME")
        await coupon(app, context, "SPRING", uses_party=1)
        do = app.documents
        assert (await priced(app, context, entered(customer, (bolt, 1)))).net == D(100)
        with pytest.raises(Refused) as unknown:
            await do.create("sales.order", entered(customer, (bolt, 1), coupons=("AUTUMN",)), context)
        assert codes(unknown) == ["promotions.coupon"]
        quotation = (await do.create("sales.quotation", entered(customer, (bolt, 1), coupons=("spring",)), context, then=("send",))).document
        assert (quotation.net, await uses(app)) == (D(90), 0)
        order = (await do.follow(quotation.id, "order", context)).document
        await do.act(order.id, "confirm", context)
        assert await uses(app) == 1
        await do.act(order.id, "revise", context)
        assert await uses(app) == 0
        await do.act(order.id, "confirm", context)
        assert await uses(app) == 1
        with pytest.raises(Refused) as again:
            await do.create("sales.order", entered(customer, (bolt, 1), coupons=("SPRING",)), context)
        assert codes(again) == ["promotions.coupon_used"]
        await do.act(order.id, "cancel", context)
        assert await uses(app) == 0
        await do.create("sales.order", entered(customer, (bolt, 1), coupons=("SPRING", "spring")), context, then=("confirm",))
        assert await uses(app) == 1
        other = await party(app, context, "OTHER")
        await do.create("sales.order", entered(other, (bolt, 1), coupons=("SPRING",)), context, then=("confirm",))
        assert await uses(app) == 2
        assert await verify(app) == []


async def test_hook_check_document_tells_of_a_coupon_that_gives_nothing(database_url: str) -> None:
    async with running(database_url, MODULES) as (app, context):
        bolt, customer = await item(app, context, "BOLT", price=100), await party(app, context, "ACME")
        made = await promote(app, context, "BIG", percent="10", coupon=True, quantity_min="5")
        await app.records.save("promotions.coupon", None, {"code": "BIG", "promotion": made}, context)
        saved = await app.documents.create("sales.order", entered(customer, (bolt, 1), coupons=("BIG",)), context)
        assert [p.code for p in saved.problems] == ["promotions.idle"]
        await app.documents.act(saved.document.id, "confirm", context)
        assert await uses(app) == 0


async def test_ten_uses_are_used_ten_times_by_fifty_orders_at_once(database_url: str) -> None:
    async with running(database_url, MODULES) as (app, context):
        bolt, customer = await item(app, context, "BOLT", price=100), await party(app, context, "ACME")
        await coupon(app, context, "TEN", uses_max=10)
        wanted = entered(customer, (bolt, 1), coupons=("TEN",))
        drafts = [(await app.documents.create("sales.order", wanted, context)).document.id for _ in range(50)]
        results = await asyncio.gather(*(app.documents.act(id, "confirm", context) for id in drafts), return_exceptions=True)
        refused = [r for r in results if isinstance(r, BaseException)]
        assert len(results) - len(refused) == 10
        assert {p.code for r in refused if isinstance(r, Refused) for p in r.problems} == {"promotions.coupon_used"}
        assert all(isinstance(r, Refused) for r in refused)
        async with app.database.read() as session:
            confirmed = await session.value("SELECT COUNT(*) AS n FROM document WHERE phase = 'open'")
        assert (await uses(app), confirmed) == (10, 10)


async def test_a_return_gives_back_what_was_paid(database_url: str) -> None:
    """Whatever has become of the promotions since (feature list, part 4, number 6): the stored waterfall is copied, step by step."""
    async with running(database_url, {**MODULES, "inventory": inventory, "shipping": shipping, "invoicing": invoicing}) as (app, context):
        do, bolt = app.documents, await item(app, context, "BOLT", price=10, cost=4)
        await stock(app, context, bolt, 10, 40)
        customer = await party(app, context, "ACME")
        ten = await promote(app, context, "TEN", {"item": bolt}, percent="10")
        await promote(app, context, "FIVE", amount="5", per="document", currency="EUR")
        order = (await do.create("sales.order", entered(customer, (bolt, 3)), context, then=("confirm",))).document
        sent = (await do.follow(order.id, "deliver", context, then=("ship",))).document
        bill = (await do.follow(sent.id, "invoice_delivery", context, then=("post",))).document
        assert order.net == bill.net == D(22)
        await app.records.save("promotions.promotion", ten, {"percent": "50"}, context)
        await promote(app, context, "MORE", percent="20")
        two = [LinkInput(line=sent.lines[0].id, quantity=D(2))]
        assert (await do.follow(sent.id, "return", context, lines=two, then=("receive",))).document.state == "received"
        part = (await do.follow(bill.id, "credit", context, lines=[LinkInput(line=bill.lines[0].id, quantity=D(2))], then=("post",))).document
        assert (part.net, {rule for _, rule, _ in given(part)}) == (D("14.67"), {"TEN", "FIVE"})
        rest = (await do.follow(bill.id, "credit", context, then=("post",))).document
        assert part.net + rest.net == D(22), "to the cent, in however many parts"
        assert await verify(app) == []


async def test_a_copy_is_no_way_round_the_limit_of_a_coupon(database_url: str) -> None:
    """Copied or drafted before, each order passes the same check (feature list, part 4, number 14), and is priced by what holds now (number 5)."""
    async with running(database_url, MODULES) as (app, context):
        bolt, customer = await item(app, context, "BOLT", price=100), await party(app, context, "ACME")
        await coupon(app, context, "ONCE", uses_max=1)
        do, wanted = app.documents, entered(customer, (bolt, 1), coupons=("ONCE",))
        first, early = [(await do.create("sales.order", wanted, context)).document for _ in range(2)]
        await do.act(first.id, "confirm", context)
        with pytest.raises(Refused) as refused:
            await do.act(early.id, "confirm", context)
        assert codes(refused) == ["promotions.coupon_used"]
        with pytest.raises(Refused) as again:
            await do.copy(first.id, context)
        assert codes(again) == ["promotions.coupon_used"]
        assert await uses(app) == 1


# ---- analysis and rehearsal ----------------------------------------------------------------------------------------------------------


@pytest.mark.capability("PRC-09")
async def test_analysis_of_the_orders_with_a_promotion(database_url: str) -> None:
    async with running(database_url, MODULES) as (app, context):
        bolt, nut = await item(app, context, "BOLT", price=100, cost=60), await item(app, context, "NUT", price=10, cost=4)
        customer, other = await party(app, context, "ACME"), await party(app, context, "OTHER")
        chosen = await promote(app, context, "CHOSEN", {"item": bolt}, percent="10")
        await promote(app, context, "ALSO", {"party": customer}, amount="1", currency="EUR")  # goes first: its code is the lower one
        make = app.documents.create
        await make("sales.order", entered(customer, (bolt, 2), (nut, 1)), context, then=("confirm",))
        await make("sales.order", entered(other, (bolt, 1)), context, then=("confirm",))
        await make("sales.order", entered(other, (nut, 5)), context, then=("confirm",))
        await make("sales.order", entered(other, (bolt, 5)), context)
        quotation = (await make("sales.quotation", entered(other, (bolt, 1)), context, then=("send",))).document
        ordered = (await app.documents.follow(quotation.id, "order", context, then=("confirm",))).document
        async with app.database.read() as session:
            rows = await app.registry.reports["promotions.analysis"].load(session, {"promotion": chosen}, context)
        shown = [[row[name] for name in ("gross", "discount", "net", "cost", "margin", "percent")] for row in rows]
        assert shown == [
            [D(210), D("19.90"), D("188.10"), D(124), D("64.10"), D("34.1")],
            [D(100), D(10), D(90), D(60), D(30), D("33.3")],
            [D(100), D(10), D(90), D(60), D(30), D("33.3")],
        ]
        assert rows[2]["document"] == ordered.id, "an offer that became an order counts once"


async def test_rehearsal_of_a_draft_on_past_orders(database_url: str) -> None:
    """What it would have given, and to how many orders; with the policies of its group."""
    async with running(database_url, MODULES) as (app, context):
        bolt, nut = await item(app, context, "BOLT", price=100, cost=60), await item(app, context, "NUT", price=10, cost=4)
        customer = await party(app, context, "ACME")
        await promote(app, context, "FIVE", {"item": nut}, group="BEST", policy="best", percent="5")
        make = app.documents.create
        for day, lines in ((1, [(bolt, 1)]), (10, [(bolt, 2), (nut, 10)]), (12, [(nut, 1)])):
            await make("sales.order", entered(customer, *lines, date=date(2026, 1, day)), context, then=("confirm",))
        quotation = (await make("sales.quotation", entered(customer, (bolt, 1)), context, then=("send",))).document
        await app.documents.follow(quotation.id, "order", context, then=("confirm",))
        draft = await promote(app, context, "DRAFT", {"item": bolt}, {"item": nut}, group="BEST", percent="20", active=False, coupon=True)
        found = await rehearse(app, draft, date(2026, 1, 5), None, context)
        assert (found.orders, found.touched) == (3, 3)
        assert (found.gross, found.discount, found.net, found.cost, found.margin) == (D("404.50"), D("76.50"), D(328), D(224), D(104))
        assert found.overlaps == {"FIVE": 2}
        for code in (draft, 7):
            stranger = msgspec.structs.replace(context, user=msgspec.structs.replace(context.user, permissions=frozenset()))
            with pytest.raises(Refused) as refused:
                await rehearse(app, code, None, None, stranger if code == draft else context)
            assert codes(refused) == ["permission" if code == draft else "missing"]
        async with app.database.read() as session:
            rows = await app.registry.reports["promotions.rehearsal"].load(session, {"promotion": draft, "date_from": date(2026, 1, 11)}, context)
        assert [(row["discount"], row["others"]) for row in rows] == [(D("1.50"), "FIVE"), (D("20.00"), "")]
        gift = await promote(app, context, "GIFT", {"item": bolt}, group="GIFTS", gift=nut, active=False)
        found = await rehearse(app, gift, None, None, context)
        assert (found.touched, found.discount, found.cost) == (3, D(30), D(292))


async def test_hook_propose_panels_names_promotions_that_lack_a_little(database_url: str) -> None:
    """Two pieces, or so much more of the order's value; what needs a coupon, is over, or is given already is not named."""
    async with running(database_url, MODULES) as (app, context):
        customer, bolt = await party(app, context, "ACME"), await item(app, context, "BOLT", price=10)
        await item(app, context, "NUT", price=1)
        await promote(app, context, "TEN", {"item": bolt}, percent=10, quantity_min=10)
        await promote(app, context, "RICH", percent=5, per="document", value_min=100, currency="EUR")
        await promote(app, context, "SECRET", percent=50, coupon=True)
        await promote(app, context, "FEW", percent=50, quantity_max=2)
        await promote(app, context, "ALL", percent=1)

        async def near(*lines: tuple[str, int]) -> list[list[tuple[str, Decimal]]]:
            entered = tuple(LineInput(item=n, quantity=D(q)) for n, q in lines)
            document = (await app.documents.preview("sales.order", DocumentInput(party=customer, lines=entered), context)).document
            async with app.database.read() as session:
                loaded = await ask(hooks.load_facts, document, session, context)
                facts = Facts([await load_master(session), loaded])
            return [[(name, shown.value) for name, shown in panel.rows] for panel in ask(hooks.propose_panels, document, facts, context)]

        assert await near(("BOLT", 8)) == [[("Promotion TEN", D(2)), ("Promotion RICH", D("20.80"))]]  # 80 less one percent
        assert await near(("BOLT", 12)) == []  # ten percent, and more than a hundred after it
        assert await near(("BOLT", 5), ("NUT", 40)) == [[("Promotion TEN", D(5)), ("Promotion RICH", D("10.90"))], [("Promotion RICH", D("10.90"))]]
