"""Order to cash as a user's day: six actions, one transaction each, commits durable, all installed plugins running. Prints, asserts no times."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from decimal import Decimal as D
from typing import Any, TypeVar

import pytest
from newel.domain.context import Context
from newel.domain.document import DocumentInput, LineInput
from newel.plugins import discover
from newel.services.app import Newel
from newel.services.outcome import Outcome
from newel.services.verify import verify
from newel.store.session import Session
from newel_sdk.testing import item, party, running

T = TypeVar("T")
ITEMS = 200
BASE = ("inventory", "invoicing", "pricelists", "receivables", "sales", "shipping")
STAGES = ("create", "confirm", "deliver", "invoice", "post", "pay")


class Meter:
    """Seconds and SQL statements of each stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = {s: [] for s in STAGES}
        self.statements: dict[str, list[int]] = {s: [] for s in STAGES}
        self.sessions: list[Session] = []

    async def __call__(self, stage: str, work: Awaitable[T]) -> T:
        self.sessions.clear()
        started = time.perf_counter()
        result = await work
        self.seconds[stage].append(time.perf_counter() - started)
        self.statements[stage].append(sum(s.statements for s in self.sessions))
        return result


@asynccontextmanager
async def shop(url: str, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...] = ()) -> AsyncIterator[tuple[Newel, Context, Meter]]:
    """A company with 200 items in stock, 19 % tax, and a customer with a credit limit that is never reached."""
    meter = Meter()
    made = Session.__init__

    def counted(self: Session, *args: Any) -> None:
        made(self, *args)
        meter.sessions.append(self)

    monkeypatch.setattr(Session, "__init__", counted)
    modules = {n: m for n, m in discover()[0].items() if not names or n in names}
    async with running(url, modules, currency="EUR", price_digits=4) as (app, context):
        await app.records.save("newel.tax_rate", None, {"code": "VAT19", "name": "VAT", "category": "standard", "rate": "19"}, context)
        await party(app, context, "C1", terms="NET30", limit_amount="1000000000")
        for i in range(ITEMS):
            await item(app, context, f"I{i}", price=D(10 + i) + D("0.49"), cost="5")
        lines = tuple(LineInput(item=f"I{i}", quantity=D(10_000_000), price=D(5)) for i in range(ITEMS))
        await app.documents.create("inventory.receipt", DocumentInput(lines=lines), context, then=["receive"])
        yield app, context, meter


async def sell(app: Newel, context: Context, meter: Meter, chance: random.Random, lines: int) -> Outcome:
    """One order from its first line to the paid invoice."""
    do = app.documents
    entered = tuple(LineInput(item=f"I{chance.randrange(ITEMS)}", quantity=D(chance.randint(1, 20))) for _ in range(lines))
    order = (await meter("create", do.create("sales.order", DocumentInput(party="C1", lines=entered), context))).document
    await meter("confirm", do.act(order.id, "confirm", context))
    await meter("deliver", do.follow(order.id, "deliver", context, then=["ship"]))
    invoice = (await meter("invoice", do.follow(order.id, "invoice", context))).document
    await meter("post", do.act(invoice.id, "post", context))
    async with app.database.read() as session:
        open_item = await session.value("SELECT id FROM open_item WHERE document = ?", invoice.id)
    payment = DocumentInput(party="C1", lines=(LineInput(kind="payment", price=invoice.gross, settles=open_item),))
    return await meter("pay", do.create("receivables.payment", payment, context, then=["post"]))


def show(title: str, meter: Meter, count: int) -> float:
    """Print one run; returns milliseconds of a whole order."""
    medians = {s: statistics.median(v) * 1000 for s, v in meter.seconds.items()}
    total = sum(sum(v) for v in meter.seconds.values()) / count * 1000
    statements = {s: round(statistics.median(v)) for s, v in meter.statements.items()}
    print(f"\n{title}: {1000 / total:.1f} orders/s, {total:.2f} ms an order, {sum(statements.values())} SQL statements")
    for stage in STAGES:
        print(f"  {stage:8} {medians[stage]:9.2f} ms  {statements[stage]:3} statements")
    return total


@pytest.mark.parametrize("names", [BASE, ()], ids=["base", "all"])
async def test_orders_of_five_lines(database_url: str, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]) -> None:
    async with shop(database_url, monkeypatch, names) as (app, context, meter):
        chance = random.Random(1)
        for _ in range(10):
            await sell(app, context, meter, chance, 5)
        meter.__init__()  # type: ignore[misc]
        for _ in range(200):
            await sell(app, context, meter, chance, 5)
        show(f"{app.database.engine.engine_type}, 5 lines, {len(app.plugins.order)} plugins", meter, 200)
        assert await verify(app) == []


async def test_long_orders_cost_no_more_a_line(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with shop(database_url, monkeypatch) as (app, context, meter):
        chance = random.Random(2)
        a_line = {}
        for lines, count in ((10, 40), (100, 10), (1000, 3)):
            await sell(app, context, meter, chance, lines)
            meter.__init__()  # type: ignore[misc]
            for _ in range(count):
                await sell(app, context, meter, chance, lines)
            a_line[lines] = show(f"{app.database.engine.engine_type}, {lines} lines", meter, count) / lines
        print(f"a line of 1,000 costs {a_line[1000] / a_line[10]:.2f} times a line of 10")
        assert await verify(app) == []
