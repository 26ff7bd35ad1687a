"""Pricing: the same cost with twenty promotions or a million, a line of a long order no dearer than one of a short one. Prints, asserts no times.

NEWEL_BENCH_PROMOTIONS=1000000 adds a size. Every size has the same twenty promotions that the order's lines get; all others are for other
items, classes, customers and days, or wait for a coupon. "first" is the first order of a day in a process, which reads what it needs.
"""

from __future__ import annotations

import os
import random
import statistics
import time
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal as D
from typing import Any

import msgspec
import pytest
from newel.domain.context import Context
from newel.domain.document import DocumentInput, LineInput
from newel.errors import Refused
from newel.services.app import Newel
from newel.services.entered import as_input
from newel.store.session import Session
from newel_promotions import hooks
from newel_promotions.tables import Coupon, Group, Promotion, Scope
from newel_sales import hooks as sales
from newel_sdk.testing import TODAY, item, party, running

from tests.benchmarks.figures import Figures
from tests.benchmarks.flow import Shop as Market
from tests.benchmarks.flow import shop as market

LINES, ITEMS, CLASSES, PARTIES = 50, 400, 40, 200
SIZES = (0, 20, 1_000, 100_000, *(int(n) for n in os.environ.get("NEWEL_BENCH_PROMOTIONS", "").split()))
ROUNDS = 30
CHUNK = 50_000


class Shop:
    """A company whose order has fifty lines of the first fifty items."""

    def __init__(self, app: Newel, context: Context) -> None:
        self.app, self.context = app, context
        self.items: list[int] = []
        self.classes: list[int] = []
        self.parties: list[int] = []
        self.have = 0

    async def open(self) -> None:
        """Items in classes of their own, and customers."""
        save = self.app.records.save
        for n in range(CLASSES):
            self.classes.append(await save("newel.item_class", None, {"code": f"K{n}", "name": f"Class {n}"}, self.context))
        for n in range(ITEMS):
            self.items.append(await item(self.app, self.context, f"I{n}", price=D(10) + n, item_class=self.classes[n * CLASSES // ITEMS]))
        for n in range(PARTIES):
            self.parties.append(await party(self.app, self.context, f"C{n}"))
        async with self.app.database.write() as session:
            self.group = session.add(Group, company=self.context.company.id, code="G", name="All", policy="stack")

    async def promote(self, count: int) -> None:
        """Bring the company to so many promotions, without the records service."""
        while self.have < count:
            async with self.app.database.write() as session:
                many = min(count - self.have, CHUNK)
                await session.need(3 * many)
                for n in range(self.have, self.have + many):
                    self._add(session, n)
                await session.stale("promotions")
            self.have += many
        if not self.app.database.sqlite:
            await self.app.database.engine.run_sql("ANALYZE promotions_promotion, promotions_scope", [])

    def _add(self, session: Session, n: int) -> None:
        chance = random.Random(n)
        fits = n < 20
        what: dict[str, Any] = {"item": self.items[n]} if fits else _elsewhere(chance, self)
        start = TODAY + timedelta(days=0 if fits else chance.choice([0, -400, 400]))
        made = session.add(
            Promotion, company=self.context.company.id, code=f"P{n:07}", name=f"Promotion {n}", promotion_group=self.group, active=True,
            percent=5_000_000, date_from=start, date_to=start + timedelta(days=30), coupon=not fits and chance.random() < 0.1,
        )  # fmt: skip
        session.add(Scope, promotion=made, **what)
        if n % 100 == 99:
            session.add(Coupon, company=self.context.company.id, code=f"C{n}", promotion=made)

    async def order(self, count: int, day: date = TODAY, coupons: tuple[str, ...] = ()) -> tuple[float, int]:
        """Milliseconds of pricing an order of so many lines, and how many discounts it got."""
        lines = tuple(LineInput(item=id, quantity=D(3)) for id in self.items[:count])
        data = {"promotions": {"coupons": coupons}} if coupons else {}
        entered = DocumentInput(party=self.parties[0], date=day, lines=lines, data=data)
        started = time.perf_counter()
        found = (await self.app.documents.preview("sales.order", entered, self.context)).document
        return (time.perf_counter() - started) * 1000, sum(s.plugin == "promotions" for line in found.lines for s in line.steps)


def _elsewhere(chance: random.Random, shop: Shop) -> dict[str, Any]:
    """A scope that the order does not meet: another item, class or customer, or both of two."""
    other_item, other_class, other = chance.choice(shop.items[LINES:]), chance.choice(shop.classes[-30:]), chance.choice(shop.parties[1:])
    choices: list[dict[str, Any]] = [{"item": other_item}, {"item_class": other_class}, {"party": other}, {"item": chance.choice(shop.items), "party": other}]
    return chance.choice(choices)


@pytest.mark.timeout(1800)
async def test_the_number_of_promotions_does_not_slow_an_order(databases: Callable[[], str], figures: Figures) -> None:
    """One company gets more and more promotions; another stays at twenty and is asked in turns with it."""
    plugins = {"promotions": hooks, "sales": sales}
    async with running(databases(), plugins) as (app, context), running(databases(), plugins) as (other, theirs):
        shop, small = Shop(app, context), Shop(other, theirs)
        await shop.open()
        await small.open()
        await small.promote(20)
        engine = "SQLite" if app.database.sqlite else "PostgreSQL"
        for size in SIZES:
            await shop.promote(size)
            for lines in (1, LINES):
                first, _ = await shop.order(lines)
                await small.order(lines)
                measured = []
                for n in range(ROUNDS * (10 if lines == 1 else 1)):
                    one, two = (shop, small) if n % 2 else (small, shop)  # who comes second finds the database awake
                    asked = {one: await one.order(lines), two: await two.order(lines)}
                    measured.append((asked[shop], asked[small]))
                assert {m[1] for m, _ in measured} == {min(lines, 20) if size else 0}, "the same promotions are given, however many there are"
                middle, beside = (statistics.median(taken for taken, _ in each) for each in zip(*measured, strict=True))
                what = f"{engine}, {lines} line{'s' if lines > 1 else ''}, {size:,} promotions"
                figures.add("pricing", what, f"{middle:.2f} ms ({middle / lines * 1000:,.0f} us a line), first of the day {first:.2f} ms")
                if size > 20:
                    figures.at_most("pricing", f"{what} against 20", middle / beside, 1.2)
            if size:
                await shop.order(LINES, coupons=("C99",) if size > 99 else ())


@pytest.mark.timeout(1800)
async def test_the_length_of_an_order_does_not_slow_a_line(databases: Callable[[], str], figures: Figures) -> None:
    """Pricing a whole order of 10 to 10,000 lines, and looking at one changed line of a stored order of 10 and of 1,000."""
    async with market(databases()) as one:
        do, context = one.app.documents, one.context
        engine = one.engine
        a_line, change = dict[int, float](), dict[int, float]()
        for lines, rounds in ((10, 40), (100, 20), (1_000, 7), (10_000, 3)):
            entered = one.entered(lines)
            taken = []
            try:
                for _ in range(rounds):
                    at = time.perf_counter()
                    await do.preview("sales.order", entered, context)
                    taken.append(time.perf_counter() - at)
            except Refused as refused:  # rules are limited in time, and a busy machine has less of it
                figures.add("pricing", f"{engine}, an order of {lines:,} lines", refused.problems[0].message, "priced", False)
                continue
            a_line[lines] = statistics.median(taken) / lines * 1e6
            figures.add("pricing", f"{engine}, an order of {lines:,} lines", f"{a_line[lines]:.0f} us a line")
            if lines in (10, 1_000):
                change[lines] = await _changed(one, lines)
        for lines in sorted(a_line.keys() - {10}):
            figures.at_most("pricing", f"{engine}, a line of {lines:,} against a line of 10", a_line[lines] / a_line[10], 1.5)
        what = f"{engine}, changing one line of 1,000 ({change[1000]:.0f} ms) against one of 10 ({change[10]:.1f} ms)"
        figures.at_most("pricing", what, change[1000] / change[10], 10)


async def _changed(one: Market, lines: int) -> float:
    """Milliseconds of looking at a stored order with one line changed, as the screen does while somebody types."""
    do, context = one.app.documents, one.context
    stored = (await do.create("sales.order", one.entered(lines), context)).document
    entered, taken = as_input(stored), []
    for n in range(10):
        changed = msgspec.structs.replace(entered.lines[lines // 2], quantity=D(n + 30))
        wanted = msgspec.structs.replace(entered, lines=(*entered.lines[: lines // 2], changed, *entered.lines[lines // 2 + 1 :]))
        at = time.perf_counter()
        await do.preview("sales.order", wanted, context, id=stored.id)
        taken.append(time.perf_counter() - at)
    return statistics.median(taken) * 1000
