"""Replaying orders through the use cases: only items and quantities are entered, the rules do the rest, up to the paid invoice."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from newel.domain.context import Company, Context
from newel.domain.document import Document, DocumentInput, LineInput
from newel.domain.money import ZERO
from newel.services.app import Newel
from newel.store.columns import AMOUNT, unscaled
from newel.store.session import Session

from adventureworks.compare import FREIGHT as FREIGHT_PERCENT
from adventureworks.compare import Comparison, percent_of
from adventureworks.load import CURRENCY, FREIGHT
from adventureworks.source import Order, OrderLine

ORDER, INVOICE, PAYMENT = "sales.order", "invoicing.invoice", "receivables.payment"
TRUCK, CARGO = "1", "5"
Step = Callable[[], object]


def entered(order: Order, line: OrderLine) -> LineInput:
    """Item and quantity; price and discount too where a special offer made them."""
    if order.by_rules(line):
        return LineInput(item=line.item, quantity=line.quantity)
    return LineInput(item=line.item, quantity=line.quantity, price=line.price, discount=line.discount)


def entered_order(order: Order, freight: Decimal | None = None) -> DocumentInput:
    """What somebody types in for an order, with or without its freight."""
    lines = [entered(order, line) for line in order.lines]
    if freight is not None:
        lines.append(LineInput(kind="charge", item=FREIGHT, price=freight))
    about: dict[str, Any] = {"classes": [order.territory]}
    if order.salesperson:
        about["representatives"] = [{"representative": order.salesperson, "percent": "100"}]
    return DocumentInput(
        party=order.customer, date=order.date, currency=CURRENCY, reference=" ".join(filter(None, (order.number, order.customer_po))),
        lines=tuple(lines), data={"sales": about},
    )  # fmt: skip


class Replay:
    """Orders of one company, one after the other."""

    def __init__(self, app: Newel, company: Company) -> None:
        self.app, self.company = app, company

    def _on(self, day: date) -> Context:
        return self.app.system(self.company, today=day, source="import")

    async def price(self, order: Order, session: Session | None = None) -> Document:
        """The order as the rules price it; nothing is written."""
        return (await self.app.documents.preview(ORDER, entered_order(order), self._on(order.date), session=session)).document

    async def run(self, order: Order) -> Document:
        """From the entry to the paid invoice. Each step has a key: a replay that was cut short is taken up where it stopped."""
        documents, number = self.app.documents, order.number
        priced = await self.price(order)
        freight = sum((percent_of(line.net, FREIGHT_PERCENT) for line in priced.lines), ZERO)
        context = self._on(order.date)
        placed = await documents.create(ORDER, entered_order(order, freight), context, then=("confirm",), key=f"{number} order")
        context, id = self._on(order.shipped), placed.document.id
        shipping = {"shipping": {"method": TRUCK if order.internet else CARGO, "tracking": order.tracking}}
        header = DocumentInput(date=order.shipped, data=shipping)
        await documents.follow(id, "deliver", context, input=header, then=("ship",), key=f"{number} delivery")
        header = DocumentInput(date=order.shipped, date_due=order.due)
        invoice = (await documents.follow(id, "invoice", context, input=header, then=("post",), key=f"{number} invoice")).document
        await self._pay(order, invoice)
        return await documents.get(invoice.id, context)

    async def _pay(self, order: Order, invoice: Document) -> None:
        async with self.app.database.read() as session:
            items = await session.fetch("SELECT id, amount_open FROM open_item WHERE document = ? AND amount_open <> 0", invoice.id)
        if not items:  # paid before
            return
        lines = tuple(LineInput(kind="payment", price=unscaled(i["amount_open"], AMOUNT), settles=i["id"]) for i in items)
        payment = DocumentInput(party=order.customer, date=order.due, currency=CURRENCY, reference=order.number, lines=lines)
        await self.app.documents.create(PAYMENT, payment, self._on(order.due), then=("post",), key=f"{order.number} payment")


async def price_all(app: Newel, company: Company, orders: Iterable[Order], step: Step = lambda: None) -> Comparison:
    """Price every order without writing, and compare every line that no special offer priced."""
    replay, comparison = Replay(app, company), Comparison()
    async with app.database.read() as session:
        for order in orders:
            comparison.prices(order, await replay.price(order, session))
            step()
    return comparison


async def replay_all(app: Newel, company: Company, orders: Iterable[Order], step: Step = lambda: None) -> Comparison:
    """Replay orders to paid invoices, and compare the invoices."""
    replay, comparison = Replay(app, company), Comparison()
    for order in orders:
        comparison.paid(order, await replay.run(order))
        step()
    return comparison


async def compare_all(app: Newel, company: Company, orders: Iterable[Order], step: Step = lambda: None) -> Comparison:
    """Compare the invoices that are there already, from earlier replays."""
    wanted, comparison = {order.number: order for order in orders}, Comparison()
    context = app.system(company)
    async with app.database.read() as session:
        rows = await session.fetch("SELECT id, reference FROM document WHERE company = ? AND kind = ? ORDER BY id", company.id, INVOICE)
        for row in rows:
            order = wanted.get(row["reference"].split(" ")[0])
            if order is not None:
                comparison.paid(order, await app.documents.get(row["id"], context, session))
            step()
    return comparison
