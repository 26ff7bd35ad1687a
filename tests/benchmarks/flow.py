"""A trading company, and one order's way through it as six actions of a user: create, quote, confirm, deliver, invoice, pay.

Each action is one call of a use case and one durable transaction. All benchmarks sell through here, so that their figures compare.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal as D
from typing import Any, TypeVar

from newel.domain.context import Context
from newel.domain.document import Document, DocumentInput, LineInput
from newel.services.app import Newel
from newel.store.session import Session
from newel_sdk.kit import modules
from newel_sdk.testing import TODAY, item, party, running

T = TypeVar("T")
BASE = ("inventory", "invoicing", "pricelists", "receivables", "sales", "shipping")
STAGES = ("create", "quote", "confirm", "deliver", "invoice", "pay")
ITEMS, PARTIES, PROMOTIONS, LINES = 200, 100, 20, 5


class Meter:
    """Seconds on the clock, seconds of this process's CPU, and SQL statements of each action."""

    def __init__(self) -> None:
        self.wall: dict[str, list[float]] = {s: [] for s in STAGES}
        self.cpu: dict[str, list[float]] = {s: [] for s in STAGES}
        self.statements: dict[str, list[int]] = {s: [] for s in STAGES}

    async def __call__(self, stage: str, work: Awaitable[T]) -> T:
        counted: list[Session] = []
        SESSIONS.append(counted)
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            result = await work
        finally:
            SESSIONS.remove(counted)
        self.cpu[stage].append(time.process_time() - cpu)
        self.wall[stage].append(time.perf_counter() - wall)
        self.statements[stage].append(sum(s.statements for s in counted))
        return result

    def orders(self, cpu: bool = False) -> list[float]:
        """Seconds of each whole order."""
        return [sum(times) for times in zip(*(self.cpu if cpu else self.wall).values(), strict=True)]

    def statements_per_order(self) -> int:
        """SQL statements of the order in the middle."""
        return round(statistics.median(sum(counts) for counts in zip(*self.statements.values(), strict=True)))


# A transaction's statements are known to its session only, and sessions are made deep inside: this is where they can be seen.
SESSIONS: list[list[Session]] = []
_made = Session.__init__


def _counted(self: Session, *args: Any) -> None:
    _made(self, *args)
    for counted in SESSIONS:
        counted.append(self)


Session.__init__ = _counted  # type: ignore[method-assign]


class Shop:
    """A company with 200 items in stock and 100 customers.

    Args:
        seed: two shops with the same seed sell the same.
    """

    def __init__(self, app: Newel, context: Context, seed: int = 1) -> None:
        self.app, self.context, self.meter = app, context, Meter()
        self.chance = random.Random(seed)
        self.party = 0

    @property
    def engine(self) -> str:
        """The database, as tables of figures name it."""
        return "SQLite" if self.app.database.sqlite else "PostgreSQL"

    def entered(self, lines: int = LINES, **header: Any) -> DocumentInput:
        """What a user enters: some customer, some items, 1 to 20 of each."""
        chance = self.chance
        return DocumentInput(
            party=f"C{chance.randrange(PARTIES)}",
            lines=tuple(LineInput(item=f"I{chance.randrange(ITEMS)}", quantity=D(chance.randint(1, 20))) for _ in range(lines)),
            **header,
        )

    async def sell(self, lines: int = LINES) -> Document:
        """One order, from the quotation to the paid invoice; returns the invoice."""
        do, context, meter = self.app.documents, self.context, self.meter
        quotation = (await meter("create", do.create("sales.quotation", self.entered(lines), context))).document
        await meter("quote", do.act(quotation.id, "send", context))
        order = (await meter("confirm", do.follow(quotation.id, "order", context, then=["confirm"]))).document
        await meter("deliver", do.follow(order.id, "deliver", context, then=["pick", "ship"]))
        invoice = (await meter("invoice", do.follow(order.id, "invoice", context, then=["post"]))).document
        async with self.app.database.read() as session:
            open_item = await session.value("SELECT id FROM open_item WHERE document = ?", invoice.id)
        payment = DocumentInput(party=invoice.party.id, lines=(LineInput(kind="payment", price=invoice.gross, settles=open_item),))
        await meter("pay", do.create("receivables.payment", payment, context, then=["post"]))
        return invoice

    async def sell_together(self, count: int, lines: int = LINES) -> None:
        """So many orders a stage at a time, all in one transaction: the way of imports and of work at night."""
        do, context = self.app.documents, self.context
        async with self.app.database.write() as session:
            await session.need(200 * count)
            quotations = [(await do.create("sales.quotation", self.entered(lines), context, then=["send"], session=session)).document for _ in range(count)]
            orders = [(await do.follow(q.id, "order", context, then=["confirm"], session=session)).document for q in quotations]
            await session.flush()
            for order in orders:
                await do.follow(order.id, "deliver", context, then=["pick", "ship"], session=session)
            invoices = [(await do.follow(order.id, "invoice", context, then=["post"], session=session)).document for order in orders]
            await session.flush()
            found = await session.fetch("SELECT id, document FROM open_item WHERE document = ANY(?)", [i.id for i in invoices])
            items = {r["document"]: r["id"] for r in found}
            for invoice in invoices:
                line = LineInput(kind="payment", price=invoice.gross, settles=items[invoice.id])
                payment = DocumentInput(party=invoice.party.id, lines=(line,))
                await do.create("receivables.payment", payment, context, then=["post"], session=session)

    async def sold(self, count: int, lines: int = LINES) -> float:
        """Sell so many times; returns the milliseconds of the order in the middle."""
        self.meter = Meter()
        for _ in range(count):
            await self.sell(lines)
        return statistics.median(self.meter.orders()) * 1000


@asynccontextmanager
async def shop(url: str, names: Sequence[str] | None = None, *, limit: bool = True, promotions: int = PROMOTIONS) -> AsyncIterator[Shop]:
    """A shop on an empty database.

    Args:
        names: of the plugins that run, with those that they need; None for all that are installed.
        limit: whether customers have a credit limit (that is never reached).
        promotions: how many are in force, where the plugin runs; each gives 1 to 9 % off ten items from some quantity on.
    """
    async with running(url, modules(names), currency="EUR", price_digits=4) as (app, context):
        await app.records.save("newel.tax_rate", None, {"code": "VAT19", "name": "VAT", "category": "standard", "rate": "19"}, context)
        for n in range(PARTIES):
            await party(app, context, f"C{n}", terms="NET30", limit_amount="1000000000" if limit else None)
        for n in range(ITEMS):
            await item(app, context, f"I{n}", price=D(10 + n) + D("0.49"), cost="5")
        if "inventory" in app.plugins.manifests:
            lines = tuple(LineInput(item=f"I{n}", quantity=D(10_000_000), price=D(5)) for n in range(ITEMS))
            await app.documents.create("inventory.receipt", DocumentInput(lines=lines), context, then=["receive"])
        if "promotions" in app.plugins.manifests and promotions:
            await promote(app, context, promotions)
        yield Shop(app, context)


async def promote(app: Newel, context: Context, count: int) -> None:
    """Promotions in force, through the records."""
    save = app.records.save
    group = await save("promotions.group", None, {"code": "G", "name": "All", "policy": "stack"}, context)
    for n in range(count):
        values = {
            "code": f"P{n}", "name": f"Promotion {n}", "promotion_group": group, "active": True, "percent": D(n % 9 + 1), "quantity_min": D(n % 10 + 1),
            "date_from": TODAY, "date_to": TODAY + timedelta(days=365),
        }  # fmt: skip
        made = await save("promotions.promotion", None, values, context)
        for i in range(10):
            await save(
                "promotions.scope", None, {"promotion": made, "item": await app.records.find("newel.item", f"I{(n * 10 + i) % ITEMS}", context)}, context
            )
