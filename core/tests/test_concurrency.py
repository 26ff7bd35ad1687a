"""Many at once: nothing oversold, nothing lost, no number twice; only clear problems."""

from __future__ import annotations

import asyncio
import random
from decimal import Decimal as D

import msgspec
from newel.domain.document import DocumentInput, LineInput
from newel.errors import Refused
from newel.services.verify import verify
from newel_sdk.testing import item, party, running

from core.tests.test_engine import company, open_items
from core.tests.toys import TOY, order, paying


async def test_the_last_ten_units_go_to_exactly_ten_of_a_hundred(database_url: str) -> None:
    async with company(database_url) as (app, context):
        strict = msgspec.structs.replace(context, company=msgspec.structs.replace(context.company, shortage="block"))
        await app.documents.create("toy.order", order(("BOLT", 90)), strict, then=["confirm"])
        orders = [(await app.documents.create("toy.order", order(("BOLT", 1)), strict)).document.id for _ in range(100)]
        results = await asyncio.gather(*(app.documents.act(id, "confirm", strict) for id in orders), return_exceptions=True)
        refused = [r for r in results if isinstance(r, BaseException)]
        assert len(results) - len(refused) == 10
        assert all(isinstance(r, Refused) and r.problems[0].code == "stock.short" for r in refused)


async def test_orders_over_the_same_items_in_any_order_never_deadlock(database_url: str) -> None:
    chance = random.Random(7)
    async with running(database_url, {"toy": TOY}) as (app, context):
        await party(app, context, "C1")
        numbers = [f"I{i}" for i in range(12)]
        for number in numbers:
            await item(app, context, number, price="1.00", cost="0.50")
        entered = DocumentInput(lines=tuple(LineInput(item=n, quantity=D(1000), price=D("0.5")) for n in numbers))
        await app.documents.create("toy.receipt", entered, context, then=["receive"])

        async def sell() -> None:
            lines = [(n, chance.randint(1, 3)) for n in chance.sample(numbers, chance.randint(2, 8))]
            made = await app.documents.create("toy.order", order(*lines), context, then=["confirm"])
            shipped = await app.documents.follow(made.document.id, "deliver", context, then=["ship"])
            await app.documents.follow(shipped.document.id, "bill", context, then=["post"])

        await asyncio.gather(*(sell() for _ in range(60)))
        assert await verify(app) == []
        async with app.database.read() as session:
            numbers = [r["number"] for r in await session.fetch("SELECT number FROM document WHERE kind = 'toy.invoice' ORDER BY number")]
        assert numbers == [f"IN2026-{i:05d}" for i in range(1, 61)]


async def test_numbers_have_no_gaps_where_some_are_refused(database_url: str) -> None:
    async with company(database_url) as (app, context):
        bad = {3, 8, 11, 17}
        made = []
        for i in range(20):
            day = context.today.replace(year=2099) if i in bad else context.today
            made.append((await app.documents.create("toy.invoice", order(("BOLT", 1), date=day), context)).document.id)
        results = await asyncio.gather(*(app.documents.act(id, "post", context) for id in made), return_exceptions=True)
        good = sorted(r.document.number for r in results if not isinstance(r, BaseException))
        assert good == [f"IN2026-{i:05d}" for i in range(1, 17)]


async def test_one_key_sent_many_times_at_once_is_one_document(database_url: str) -> None:
    async with company(database_url) as (app, context):
        results = await asyncio.gather(*(app.documents.create("toy.order", order(("BOLT", 1)), context, key="same") for _ in range(12)))
        assert len({r.document.id for r in results}) == 1


async def test_an_open_item_is_paid_once(database_url: str) -> None:
    async with company(database_url) as (app, context):
        invoice = (await app.documents.create("toy.invoice", order(("BOLT", 1)), context, then=["post"])).document
        (owed,) = await open_items(app, invoice.id)
        pay = [app.documents.create("toy.payment", paying(owed["id"], "10.00"), context, then=["post"]) for _ in range(8)]
        results = await asyncio.gather(*pay, return_exceptions=True)
        assert sum(not isinstance(r, BaseException) for r in results) == 1
        assert all(r.problems[0].code == "settle.amount" for r in results if isinstance(r, Refused))


async def test_the_credit_limit_holds_against_orders_at_once(database_url: str) -> None:
    async with company(database_url) as (app, context):
        await party(app, context, "C2", limit_amount="100")
        made = [(await app.documents.create("toy.order", order(("BOLT", 3), party="C2"), context)).document.id for _ in range(10)]
        results = await asyncio.gather(*(app.documents.act(id, "confirm", context) for id in made), return_exceptions=True)
        assert sum(not isinstance(r, BaseException) for r in results) == 3


async def test_two_users_change_one_document(database_url: str) -> None:
    async with company(database_url) as (app, context):
        made = (await app.documents.create("toy.order", order(("BOLT", 1)), context)).document
        changes = [app.documents.update(made.id, made.version, order(("BOLT", n)), context) for n in range(2, 8)]
        results = await asyncio.gather(*changes, return_exceptions=True)
        assert sum(not isinstance(r, BaseException) for r in results) == 1
        assert all(r.problems[0].code == "version" for r in results if isinstance(r, Refused))


async def test_two_processes_migrate_at_once(database_url: str) -> None:
    from newel.config import Config
    from newel.services.app import Newel

    apps = [Newel(Config(database=database_url), {"toy": TOY}) for _ in range(2)]
    done = await asyncio.gather(*(a.start() for a in apps))
    assert sorted(map(bool, done)) == [False, True]
    for app in apps:
        await app.close()
