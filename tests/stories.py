"""The long story: every plugin in one order. Each step returns the figures that a person would look at; the story file says what they must be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
from newel.domain.context import Context
from newel.domain.document import Document, DocumentInput, LineInput, LinkInput
from newel.errors import Refused
from newel.services import pages, reports
from newel.services.app import Newel
from newel.store.columns import AMOUNT, QUANTITY, unscaled
from newel_sdk.testing import item, party

D = Decimal
Figures = dict[str, Any]
CHOICES = {"MOTOR": "M2", "EXTRA": {"LAMP": "2"}}
DAY_PAID = date(2026, 2, 20)


class Story:
    """A maker of mixers whose customer in America takes sets on consignment.

    Args:
        later: gives a context of a later day.
    """

    def __init__(self, app: Newel, context: Context, later: Callable[[date], Context]) -> None:
        self.app, self.context, self.later, self.do = app, context, later, app.documents
        self.figures: Figures = {}

    async def tell(self) -> Figures:
        """The whole story; its figures by name."""
        await self.set_up()
        order = await self.order()
        await self.deliver(order)
        invoice = await self.settle(order)
        await self.pay(invoice)
        await self.bring_back(order, invoice)
        return self.figures

    def note(self, **figures: Any) -> None:
        """Keep figures; numbers as people write them."""
        self.figures |= {name: f"{v.normalize():f}" if isinstance(v, Decimal) else str(v) for name, v in figures.items()}

    # ---- before -------------------------------------------------------------------------------------------------------------------

    async def set_up(self) -> None:
        """Items, a model with its motors and lamps, a set, a promotion, a vendor who ships hoses, a customer with a limit."""
        app, context, save = self.app, self.context, self.app.records.save
        await save("newel.currency_rate", None, {"currency": "USD", "date_from": "2026-01-01", "rate": "0.90"}, context)
        await save("newel.currency_rate", None, {"currency": "USD", "date_from": "2026-02-01", "rate": "0.80"}, context)
        await save("newel.tax_rate", None, {"code": "ZERO", "name": "Export", "category": "standard", "rate": "0", "country": "US"}, context)
        america = await party(app, context, "ACME", country="US", currency="USD", terms="NET30")
        made = {n: await item(app, context, n, price=p, cost=c) for n, p, c in (
            ("MIXER", 900, None), ("M1", 90, 40), ("M2", 180, 100), ("LAMP", 18, 9), ("CASE", 45, 20), ("HOSE", 27, None), ("SET", None, None),
        )}  # fmt: skip
        for n, p in (("MIXER", "1000"), ("CASE", "50"), ("HOSE", "30"), ("LAMP", "20")):
            await save("newel.item_price", None, {"item": made[n], "currency": "USD", "price": p}, context)
        goods = tuple(LineInput(item=n, quantity=D(20), price=D(p)) for n, p in (("M2", 100), ("LAMP", 9), ("CASE", 20)))
        await self.do.create("inventory.receipt", DocumentInput(lines=goods), context, then=["receive"])
        model = await save("configurator.model", None, {"item": "MIXER"}, context)
        motor = await save("configurator.feature", None, {"model": model, "code": "MOTOR", "name": "Motor", "required": True}, context)
        extra = await save("configurator.feature", None, {"model": model, "code": "EXTRA", "name": "Extra", "several": True}, context)
        await save("configurator.option", None, {"feature": motor, "item": "M1", "preset": True}, context)
        await save("configurator.option", None, {"feature": motor, "item": "M2", "surcharge": "180"}, context)
        await save("configurator.option", None, {"feature": extra, "item": "LAMP", "surcharge": "9", "quantity_max": "3"}, context)
        kit = await save("kits.kit", None, {"item": "SET", "price_mode": "parts"}, context)
        for n, part in enumerate(("MIXER", "CASE", "HOSE")):
            await save("kits.component", None, {"kit": kit, "item": part, "quantity": "2" if part == "HOSE" else "1", "sequence": n}, context)
        group = await save("promotions.group", None, {"code": "ALL", "name": "All", "policy": "stack"}, context)
        ten = await save("promotions.promotion", None, {"code": "TEN", "name": "Ten off", "promotion_group": group, "percent": "10", "active": True}, context)
        await save("promotions.scope", None, {"promotion": ten, "party": america}, context)
        vendor = await party(app, context, "HOSES", is_customer=False)
        await save("purchasing.price", None, {"party": vendor, "item": made["HOSE"], "currency": "EUR", "price": "11"}, context)
        await save("dropship.rule", None, {"item": made["HOSE"], "vendor": vendor}, context)
        await save("credit.limit", None, {"party": america, "currency": "USD", "amount": "3000"}, context)
        self.names = {"ACME": america, "HOSES": vendor}

    # ---- the order ----------------------------------------------------------------------------------------------------------------

    async def order(self) -> Document:
        """Three sets on consignment; they are above the limit until somebody sets another one."""
        seen = (await self.do.preview("consignment.order", self._sets(None), self.context)).document
        mixer = next(x.key for x in seen.lines if x.item and x.item.number == "MIXER")
        parts = {mixer: {"configurator": {"choices": CHOICES}}}
        draft = (await self.do.create("consignment.order", self._sets(parts), self.context)).document
        by_item = {x.item.number: x for x in draft.lines if x.item}
        self.note(
            rate=draft.rate, mixer_net=by_item["MIXER"].net, motor_net=by_item["M2"].net, lamp_net=by_item["LAMP"].net, lamps=by_item["LAMP"].quantity,
            case_net=by_item["CASE"].net, hose_net=by_item["HOSE"].net, set_net=by_item["SET"].net, order_net=draft.net, order_gross=draft.gross,
            steps_of_a_case=" > ".join(f"{s.rule} {s.amount_out:f}" for s in by_item["CASE"].steps),
        )  # fmt: skip
        try:
            await self.do.act(draft.id, "confirm", self.context)
        except Refused as refused:
            self.note(stopped_by=refused.problems[0].code)
        limit = await self._value("SELECT id FROM credit_limit WHERE party = ?", self.names["ACME"])
        await self.app.records.save("credit.limit", limit, {"amount": "5000"}, self.context)
        outcome = await self.do.act(draft.id, "confirm", self.context)
        purchase = await self.do.get(outcome.made[-1], self.context)
        self.purchase = purchase.id
        self.note(
            purchase_of=", ".join(f"{x.quantity.normalize():f} {x.item.number}" for x in purchase.lines if x.item), purchase_net=purchase.net,
            purchase_currency=purchase.currency, configurations=len((await self.app.records.page("configurator.configuration", self.context)).rows),
            exposure_ordered=await self._exposure(), reserved=await self._sum("SELECT SUM(quantity) AS n FROM stock_reservation", QUANTITY),
        )  # fmt: skip
        return await self.do.get(draft.id, self.context)

    def _sets(self, parts: Any) -> DocumentInput:
        return DocumentInput(party="ACME", lines=(LineInput(item="SET", quantity=D(3), parts=parts),))

    # ---- goods go, and stay ours --------------------------------------------------------------------------------------------------

    async def deliver(self, order: Document) -> None:
        """What is in stock goes by our lorry, the hoses straight from the vendor."""
        ours = await self.do.follow(order.id, "deliver", self.context, then=["ship"])
        hoses = await self.do.follow(self.purchase, "ship_direct", self.context, then=["ship"])
        self.note(
            delivered=", ".join(f"{x.quantity.normalize():f} {x.item.number}" for x in ours.document.lines if x.item and not ours.document.children(x.id)),
            delivered_direct=", ".join(f"{x.quantity.normalize():f} {x.item.number}" for x in hoses.document.lines if x.item),
            value_moved=sum((m.value for m in ours.moves), D(0)), value_direct=sum((m.value for m in hoses.moves), D(0)),
            revenue_yet=-(await self._role("revenue")), cost_yet=await self._role("cogs"), stock_value=await self._role("stock"),
            goods_received=-(await self._role("goods_received")), exposure_delivered=await self._exposure(),
        )  # fmt: skip
        lying = await reports.run(self.app, "consignment.goods", {}, self.context)
        self.note(lying=", ".join(f"{r['quantity'].normalize():f} {r['item']}" for r in sorted(lying, key=lambda r: r["item"])))

    # ---- the customer has used two ------------------------------------------------------------------------------------------------

    async def settle(self, order: Document) -> Document:
        """Two of three sets are used: they become the customer's, are billed, and only now are revenue and cost."""
        order = await self.do.get(order.id, self.context)
        parents = {x.parent for x in order.lines}
        used = [LinkInput(line=x.id, quantity=x.quantity / 3 * 2) for x in order.lines if x.id not in parents]
        settlement = await self.do.follow(order.id, "settle", self.context, lines=used, then=["post"])
        self.settlement = settlement.document.id
        invoice = (await self.do.follow(settlement.document.id, "invoice_delivery", self.context, then=["post"])).document
        self.note(
            invoice_net=invoice.net, invoice_gross=invoice.gross, revenue=-(await self._role("revenue")), cost=await self._role("cogs"),
            receivable=await self._role("receivable"), stock_after=await self._role("stock"), exposure_invoiced=await self._exposure(),
        )  # fmt: skip
        bill = (await self.do.follow(self.purchase, "bill", self.context, input=DocumentInput(reference="H-77"), then=["post"])).document
        self.note(bill_gross=bill.gross, goods_received_billed=-(await self._role("goods_received")), payable=-(await self._role("payable")))
        return invoice

    async def pay(self, invoice: Document) -> None:
        """The customer pays later, at another rate; the difference is a loss of exchange."""
        context = self.later(DAY_PAID)
        open_item = await self._value("SELECT id FROM open_item WHERE document = ?", invoice.id)
        payment = DocumentInput(party="ACME", currency="USD", lines=(LineInput(kind="payment", price=invoice.gross, settles=open_item),))
        await self.do.create("receivables.payment", payment, context, then=["post"])
        self.note(bank=await self._role("bank"), exchange_loss=await self._role("exchange"), receivable_paid=await self._role("receivable"))

    async def bring_back(self, order: Document, invoice: Document) -> None:
        """The third set comes back unused; a case that was used comes back broken and is credited."""
        context = self.later(DAY_PAID)
        await self.do.follow(order.id, "take_back", context, then=["post"])
        sold = await self.do.get(self.settlement, context)
        case = next(x for x in sold.lines if x.item and x.item.number == "CASE")
        await self.do.follow(sold.id, "return", context, lines=[LinkInput(line=case.id, quantity=D(1))], then=["receive"])
        billed = await self.do.get(invoice.id, context)
        line = next(x for x in billed.lines if x.item and x.item.number == "CASE")
        note = (await self.do.follow(invoice.id, "credit", context, lines=[LinkInput(line=line.id, quantity=D(1))], then=["post"])).document
        order = await self.do.get(order.id, context)
        self.note(
            credit_note=note.gross, order_state=order.state, revenue_end=-(await self._role("revenue")), cost_end=await self._role("cogs"),
            stock_end=await self._role("stock"), exposure_end=await self._exposure(context),
            units_at_customer=await self._sum(
                "SELECT COALESCE(SUM(b.quantity), 0) AS n FROM stock_balance b JOIN location l ON l.id = b.location WHERE l.kind = 'consigned'", QUANTITY
            ),
        )  # fmt: skip

    # ---- asking -------------------------------------------------------------------------------------------------------------------

    async def _exposure(self, context: Context | None = None) -> Decimal:
        """What the box on a document says is used of the customer's credit."""
        context = context or self.context
        asked = await self.do.create("sales.order", DocumentInput(party="ACME", lines=(LineInput(item="CASE"),)), context)
        found = await pages.detail(self.app, asked.document.id, context)
        await self.do.act(asked.document.id, "cancel", context)
        rows = dict(next(p.rows for _, p in found.panels if p.title == "Credit limit"))
        return rows["Used"].value  # type: ignore[union-attr,return-value]

    async def _role(self, role: str) -> Decimal:
        return await self._sum("SELECT COALESCE(SUM(debit - credit), 0) AS n FROM posting WHERE role = ?", AMOUNT, role)

    async def _sum(self, sql: str, scale: int, *args: Any) -> Decimal:
        return unscaled(int(await self._value(sql, *args) or 0), scale)

    async def _value(self, sql: str, *args: Any) -> Any:
        async with self.app.database.read() as session:
            return await session.value(sql, *args)


def at(context: Context, day: date) -> Context:
    """The same user on a later day."""
    return msgspec.structs.replace(context, today=day, now=context.now.replace(year=day.year, month=day.month, day=day.day))
