"""A season of promotions, as a marketing clerk and a seller go through it: planned, rehearsed, given, delivered, billed and analysed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import msgspec
import pytest
from newel.domain.context import User
from newel.domain.document import DocumentInput, LineInput
from newel.errors import Refused
from newel.services import reports
from newel.services.verify import verify
from newel_sdk.testing import item, party, running, stock

D = Decimal


async def test_a_season(database_url: str) -> None:
    """With every installed plugin: past orders, a rehearsed draft, a gift, a coupon, an invoice with the same discounts, the analysis."""
    async with running(database_url) as (app, context):
        save, do = app.records.save, app.documents
        await save("newel.tax_rate", None, {"code": "VAT", "name": "VAT", "category": "standard", "rate": "19"}, context)
        bolt, glove = await item(app, context, "BOLT", price=10, cost=4), await item(app, context, "GLOVE", price=5, cost=2)
        for goods in (bolt, glove):
            await stock(app, context, goods, 500, 1500)
        customer = await party(app, context, "ACME")
        past = DocumentInput(party=customer, date=date(2026, 1, 5), lines=(LineInput(item=bolt, quantity=D(20)),))
        await do.create("sales.order", past, context, then=("confirm",))

        # The clerk plans a season, rehearses it on what was sold, and lets it go.
        clerk = User(id=5, login="clerk", permissions=frozenset({"promotions.*", "newel.costs", "newel.item.view"}), companies=frozenset({context.company.id}))
        plan = msgspec.structs.replace(context, user=clerk)
        group = await save("promotions.group", None, {"code": "SPRING", "name": "Spring", "policy": "stack"}, plan)
        season: dict[str, object] = {"promotion_group": group, "date_from": "2026-01-10", "date_to": "2026-02-10"}
        off = await save("promotions.promotion", None, {"code": "BOLTS", "name": "15 % off bolts", "percent": "15", **season, "date_from": None}, plan)
        await save("promotions.scope", None, {"promotion": off, "item": bolt}, plan)
        asked = {"promotion": str(off), "date_from": "2026-01-01", "date_to": "2026-01-09"}
        (row,) = await reports.run(app, "promotions.rehearsal", asked, plan)
        assert [row[name] for name in ("gross", "discount", "net", "margin")] == [D(200), D(30), D(170), D(90)]
        await save("promotions.promotion", off, {"active": True, "date_from": "2026-01-10"}, plan)
        gift = {"code": "GLOVES", "name": "Gloves for ten bolts", "gift": glove, "gift_each": "10", "active": True, **season}
        await save("promotions.scope", None, {"promotion": await save("promotions.promotion", None, gift, plan), "item": bolt}, plan)
        ten = {"code": "TENNER", "name": "10 off", "amount": "10", "per": "document", "currency": "EUR", "basis": "gross", "coupon": True, "active": True}
        made = await save("promotions.promotion", None, {**ten, **season}, plan)
        await save("promotions.scope", None, {"promotion": made}, plan)
        await save("promotions.coupon", None, {"code": "HELLO", "promotion": made, "uses_max": 1}, plan)

        # The seller enters items, quantities and a coupon; everything else follows.
        wanted = DocumentInput(party=customer, lines=(LineInput(item=bolt, quantity=D(25)),), data={"promotions": {"coupons": ["HELLO"]}})
        order = (await do.create("sales.order", wanted, context, then=("confirm",))).document
        assert [(line.text, line.quantity, line.net) for line in order.lines] == [("Bolt", D(25), D("204.10")), ("Glove", D(2), D(0))]
        assert [s.rule for s in order.lines[0].steps if s.plugin == "promotions"] == ["BOLTS", "TENNER"]
        with pytest.raises(Refused, match="may be used 1 times"):
            await do.create("sales.order", wanted, context)

        # What is delivered and billed later is not promoted anew, whatever has become of the promotions.
        await do.follow(order.id, "deliver", context, then=("ship",))
        await save("promotions.promotion", off, {"percent": "50"}, plan)
        invoice = (await do.follow(order.id, "invoice", context, then=("post",))).document
        assert (invoice.net, invoice.gross) == (order.net, order.gross)
        assert [line.net for line in invoice.lines] == [D("204.10"), D(0)]

        (row,) = await reports.run(app, "promotions.analysis", {"promotion": str(off)}, plan)
        assert [row[name] for name in ("gross", "discount", "net", "cost", "margin")] == [D(260), D("37.50"), D("204.10"), D(104), D("100.10")]
        assert await verify(app) == []
