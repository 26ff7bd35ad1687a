"""An order with few promotions that fit costs the same whether the company has twenty promotions or a hundred thousand. Prints, asserts no times.

NEWEL_BENCH_PROMOTIONS=1000000 adds a size. Every size has the same twenty promotions that the order's lines get; all others are for other
items, classes, customers and days, or wait for a coupon. "first" is the first order of a day in a process, which reads what it needs.
"""

from __future__ import annotations

import os
import random
import statistics
import time
from datetime import date, timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from newel.domain.context import Context
from newel.domain.document import DocumentInput, LineInput
from newel.services.app import Newel
from newel.store.session import Session
from newel_promotions import hooks
from newel_promotions.tables import Coupon, Group, Promotion, Scope
from newel_sales import hooks as sales
from newel_sdk.testing import TODAY, item, party, running

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

    async def order(self, day: date = TODAY, coupons: tuple[str, ...] = ()) -> tuple[float, int, int]:
        """Milliseconds and statements of pricing the order, and how many discounts it got."""
        lines = tuple(LineInput(item=id, quantity=D(3)) for id in self.items[:LINES])
        data = {"promotions": {"coupons": coupons}} if coupons else {}
        entered = DocumentInput(party=self.parties[0], date=day, lines=lines, data=data)
        started = time.perf_counter()
        async with self.app.database.read() as session:
            found = (await self.app.documents.preview("sales.order", entered, self.context, session=session)).document
            took = time.perf_counter() - started
            statements = session.statements
        return took * 1000, statements, sum(s.plugin == "promotions" for line in found.lines for s in line.steps)


def _elsewhere(chance: random.Random, shop: Shop) -> dict[str, Any]:
    """A scope that the order does not meet: another item, class or customer, or both of two."""
    other_item, other_class, other = chance.choice(shop.items[LINES:]), chance.choice(shop.classes[-30:]), chance.choice(shop.parties[1:])
    choices: list[dict[str, Any]] = [{"item": other_item}, {"item_class": other_class}, {"party": other}, {"item": chance.choice(shop.items), "party": other}]
    return chance.choice(choices)


@pytest.mark.timeout(1800)
async def test_the_number_of_promotions_does_not_slow_an_order(database_url: str) -> None:
    async with running(database_url, {"promotions": hooks, "sales": sales}) as (app, context):
        shop = Shop(app, context)
        await shop.open()
        base = 0.0
        print(f"\n{'SQLite' if app.database.sqlite else 'PostgreSQL'}: pricing an order of {LINES} lines, median of {ROUNDS}")
        for size in SIZES:
            await shop.promote(size)
            first, asked, _ = await shop.order()
            measured = [await shop.order() for _ in range(ROUNDS)]
            middle = statistics.median(m[0] for m in measured)
            base = base or middle
            expected = 20 if size else 0
            assert {m[2] for m in measured} == {expected}, "the same promotions are given, however many there are"
            print(
                f"{size:>9,} promotions: {middle:6.2f} ms, {middle / base:4.2f} times the price of none, {middle / LINES * 1000:5.0f} us a line; "
                f"first {first:7.2f} ms, {asked} statements, then {measured[-1][1]}"
            )
            if size:
                await shop.order(coupons=("C99",) if size > 99 else ())
