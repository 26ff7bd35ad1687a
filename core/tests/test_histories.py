"""Random days of a company: whatever is done in whatever order, everything adds up afterwards, and both databases agree."""

from __future__ import annotations

import random
from decimal import Decimal as D
from typing import Any

import pytest
from newel.domain.context import Context
from newel.domain.document import Document, DocumentInput, LineInput, LinkInput
from newel.errors import Refused
from newel.services.app import Newel
from newel.services.entered import as_input
from newel.services.verify import verify
from newel_sdk.testing import item, party, running

from core.tests.test_engine import open_items
from core.tests.toys import TOY, paying

ITEMS = ("BOLT", "NUT", "GEAR", "BELT")
STEPS = 120


class Day:
    """A random sequence of what users do, the same for the same seed."""

    def __init__(self, app: Newel, context: Context, seed: int) -> None:
        self.app, self.context, self.chance = app, context, random.Random(seed)
        self.documents: list[int] = []
        self.log: list[Any] = []

    async def run(self) -> list[Any]:
        for _ in range(STEPS):
            action = self.chance.choice(
                [self.receive, self.sell, self.sell, self.change, self.advance, self.advance, self.advance, self.go_on, self.go_on, self.pay, self.preview]
            )
            try:
                done = await action()
                self.log.append((action.__name__, done))
            except Refused as refused:
                self.log.append((action.__name__, sorted({p.code for p in refused.problems})))
        return self.log

    def lines(self) -> tuple[LineInput, ...]:
        chance = self.chance
        return tuple(
            LineInput(
                item=chance.choice(ITEMS), quantity=D(chance.randint(1, 30)), discount=D(chance.choice([0, 0, 5, 33, 100])),
                price=D(chance.randint(0, 99999)).scaleb(-3) if chance.random() < 0.4 else None,
            )
            for _ in range(chance.randint(1, 5))
        )  # fmt: skip

    def kept(self, document: Document) -> tuple[Any, ...]:
        if document.id not in self.documents:
            self.documents.append(document.id)
        return (document.kind, document.number, document.state, str(document.net), str(document.tax), [str(x.net) for x in document.lines])

    async def pick(self) -> Document:
        if not self.documents:
            return (await self.app.documents.create("toy.order", DocumentInput(party="C1", lines=self.lines()), self.context)).document
        return await self.app.documents.get(self.chance.choice(self.documents), self.context)

    async def receive(self) -> Any:
        lines = tuple(
            LineInput(item=n, quantity=D(self.chance.randint(1, 50)), price=D(self.chance.randint(1, 999)).scaleb(-2)) for n in self.chance.sample(ITEMS, 2)
        )
        return self.kept((await self.app.documents.create("toy.receipt", DocumentInput(lines=lines), self.context, then=["receive"])).document)

    async def sell(self) -> Any:
        header = {"currency": self.chance.choice(["EUR", "EUR", "USD", "JPY"]), "prices_include_tax": self.chance.random() < 0.3}
        return self.kept((await self.app.documents.create("toy.order", DocumentInput(party="C1", lines=self.lines(), **header), self.context)).document)

    async def change(self) -> Any:
        document = await self.pick()
        entered = as_input(document)
        lines = [x for x in entered.lines if self.chance.random() < 0.8] + list(self.lines()[: self.chance.randint(0, 1)])
        changed = DocumentInput(party=entered.party, currency=entered.currency, prices_include_tax=entered.prices_include_tax, lines=tuple(lines))
        return self.kept((await self.app.documents.update(document.id, document.version, changed, self.context)).document)

    async def advance(self) -> Any:
        document = await self.pick()
        kind = self.app.registry.kind(document.kind)
        name = self.chance.choice([t.name for t in kind.transitions if not t.automatic])
        return self.kept((await self.app.documents.act(document.id, name, self.context)).document)

    async def go_on(self) -> Any:
        document = await self.pick()
        flows = self.app.registry.flows_from(self.app.registry.kind(document.kind))
        if not flows:
            return "no way on"
        some = [
            LinkInput(line=x.id, quantity=D(self.chance.randint(1, 12)) if self.chance.random() < 0.5 else None)
            for x in document.lines
            if self.chance.random() < 0.7
        ]
        name = self.chance.choice(flows).name
        return self.kept((await self.app.documents.follow(document.id, name, self.context, lines=some or None)).document)

    async def pay(self) -> Any:
        document = await self.pick()
        items = [i for i in await open_items(self.app, document.id) if i["amount_open"]]
        if not items:
            return "nothing to pay"
        amount = D(items[0]["amount_open"]).scaleb(-4) * self.chance.choice([D(1), D("0.5"), D("1.5")])
        entered = paying(items[0]["id"], amount.quantize(D("0.01")), currency=document.currency)
        return self.kept((await self.app.documents.create("toy.payment", entered, self.context, then=["post"])).document)

    async def preview(self) -> Any:
        document = await self.pick()
        shown = await self.app.documents.preview(document.kind, as_input(document), self.context, id=document.id)
        return [str(x.net) for x in shown.document.lines] == [str(x.net) for x in document.lines]


async def live(url: str, seed: int) -> tuple[list[Any], list[Any]]:
    """What happened, and the books at the end."""
    async with running(url, {"toy": TOY}) as (app, context):
        await party(app, context, "C1", terms="NET30", limit_amount="5000")
        for number, price in zip(ITEMS, ("10.00", "0.33", "199.95", "7.777"), strict=True):
            await item(app, context, number, price=price, cost="2.00")
        for code, rate in (("EUR1", "19"), ("CITY", "2.5")):
            await app.records.save("newel.tax_rate", None, {"code": code, "name": code, "category": "standard", "rate": rate}, context)
        for currency, rate in (("USD", "0.913"), ("JPY", "0.0062")):
            await app.records.save("newel.currency_rate", None, {"currency": currency, "rate": rate, "date_from": "2026-01-01"}, context)
        log = await Day(app, context, seed).run()
        assert await verify(app) == []
        async with app.database.read() as session:
            ledger = await session.fetch("SELECT role, currency, SUM(debit) AS d, SUM(credit) AS c, SUM(amount) AS a FROM posting GROUP BY role, currency")
            stock = await session.fetch(
                "SELECT i.number, SUM(b.quantity) AS q, SUM(b.value) AS v, SUM(b.reserved) AS r FROM stock_balance b "
                "JOIN item i ON i.id = b.item GROUP BY i.number"
            )
    books = sorted([r["role"], r["currency"], int(r["d"]), int(r["c"]), int(r["a"])] for r in ledger)
    return log, [books, sorted([r["number"], int(r["q"]), int(r["v"]), int(r["r"])] for r in stock)]


@pytest.mark.parametrize("seed", range(6))
async def test_both_databases_live_the_same_day(sqlite_url: str, postgresql_url: str, seed: int) -> None:
    one, other = await live(sqlite_url, seed), await live(postgresql_url, seed)
    for a, b in zip(one[0], other[0], strict=True):
        assert a == b
    assert one[1] == other[1]
    done = [name for name, result in one[0] if isinstance(result, tuple)]
    assert len(done) > STEPS / 6, "the day was too quiet to prove anything"


@pytest.mark.parametrize("seed", range(100, 120))
async def test_whatever_is_done_everything_adds_up(sqlite_url: str, seed: int) -> None:
    await live(sqlite_url, seed)
