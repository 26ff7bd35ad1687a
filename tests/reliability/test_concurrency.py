"""N1 to N10: many at once. Nothing sold twice, no number twice, no entry lost, and nobody waits for ever; each against its planted fault."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from decimal import Decimal as D
from typing import Any

import asyncpg
import msgspec
import pytest
from newel.domain.context import Context
from newel.domain.document import DocumentInput, LineInput
from newel.errors import Refused
from newel.store.session import _for_postgres, passing
from newel_sdk.testing import item, party, running

from core.tests.test_engine import company
from core.tests.toys import TOY, order
from tests.benchmarks import flow
from tests.reliability.books import MODULES, goods, sound
from tests.reliability.conftest import Run
from tests.reliability.plants import planted
from tests.reliability.sizes import size

TASKS = 16


async def at_once(work: Any, count: int, tasks: int = TASKS) -> list[Any]:
    """work(n) for each n below count, so many at a time; results and exceptions in order."""
    gate = asyncio.Semaphore(tasks)

    async def one(n: int) -> Any:
        async with gate:
            return await work(n)

    return await asyncio.gather(*(one(n) for n in range(count)), return_exceptions=True)


def no_surprise(results: list[Any], *codes: str) -> list[Refused]:
    """Those that were refused, all of them for one of these reasons.

    Raises:
        whatever else went wrong.
    """
    refused = []
    for result in results:
        if isinstance(result, Refused) and {p.code for p in result.problems} <= set(codes):
            refused.append(result)
        elif isinstance(result, BaseException):
            raise result
    return refused


def strict(context: Context) -> Context:
    """What is not there is not sold."""
    return msgspec.structs.replace(context, company=msgspec.structs.replace(context.company, shortage="block"))


# ---- N1: stock ---------------------------------------------------------------------------------------------------------------------


async def buyers(url: str, run: Run) -> None:
    """A hundred units and four times as many buyers of one."""
    async with running(url, MODULES) as (app, context):
        await party(app, context, "C1")
        await item(app, context, "BOLT", price="10.00", cost="2.00")
        await app.documents.create("toy.receipt", goods(BOLT=100), context, then=["receive"])
        count, careful = size("N1 buyers"), strict(context)
        start = time.monotonic()
        results = await at_once(lambda _n: app.documents.create("toy.order", order(("BOLT", 1)), careful, then=["confirm"]), count)
        run.note(buyers=count, buying_seconds=round(time.monotonic() - start, 1))
        assert count - len(no_surprise(results, "stock.short", "busy")) == 100, "more or less was sold than there was"
        await sound(app)


async def test_a_hundred_units_are_sold_a_hundred_times(database_url: str, run: Run) -> None:
    await buyers(database_url, run)


async def test_a_hundred_units_sees_the_planted_fault(postgresql_url: str, run: Run) -> None:
    with planted("stock is read without a lock"), pytest.raises((AssertionError, asyncpg.CheckViolationError), match=r"more or less was sold|stock_balance"):
        await buyers(postgresql_url, run)


async def test_reservations_come_and_go_and_never_exceed_the_stock(database_url: str, run: Run) -> None:
    """Orders over 10 items are confirmed and cancelled at random while somebody looks."""
    names = [f"I{n}" for n in range(10)]
    held: list[int] = []
    async with running(database_url, MODULES) as (app, context):
        await party(app, context, "C1")
        for name in names:
            await item(app, context, name, price="1.00", cost="0.50")
        await app.documents.create("toy.receipt", goods(**dict.fromkeys(names, 15)), context, then=["receive"])
        careful, looked, done = strict(context), 0, False

        async def change(_n: int) -> None:
            if held and run.chance.random() < 0.5:
                await app.documents.act(held.pop(run.chance.randrange(len(held))), "cancel", careful)
            else:
                lines = [(name, run.chance.randint(1, 5)) for name in run.chance.sample(names, run.chance.randint(1, 4))]
                held.append((await app.documents.create("toy.order", order(*lines), careful, then=["confirm"])).document.id)

        async def look() -> None:
            nonlocal looked
            while not done:
                async with app.database.read() as session:
                    assert await session.fetch("SELECT id FROM stock_balance WHERE reserved > quantity OR reserved < 0 OR quantity < 0") == []
                    owned = "(SELECT COALESCE(SUM(r.quantity), 0) FROM stock_reservation r WHERE r.balance = b.id)"
                    assert await session.fetch(f"SELECT b.id FROM stock_balance b WHERE b.reserved <> {owned}") == []
                looked += 1
                await asyncio.sleep(0.02)

        looker = asyncio.create_task(look())
        refused = no_surprise(await at_once(change, size("N1 reservations")), "stock.short", "busy")
        done = True
        await looker
        run.note(reservations=size("N1 reservations"), refused=len(refused), looks=looked)
        await sound(app)


# ---- N2: locks -----------------------------------------------------------------------------------------------------------------------


async def test_orders_over_the_same_items_neither_deadlock_nor_starve(database_url: str, run: Run) -> None:
    names, slowest = [f"I{n}" for n in range(20)], 0.0
    async with running(database_url, MODULES) as (app, context):
        await party(app, context, "C1")
        for name in names:
            await item(app, context, name, price="1.00", cost="0.50")
        await app.documents.create("toy.receipt", goods(**dict.fromkeys(names, 100_000)), context, then=["receive"])

        async def sell(_n: int) -> None:
            nonlocal slowest
            lines = [(name, run.chance.randint(1, 3)) for name in run.chance.sample(names, run.chance.randint(1, 20))]
            start = time.monotonic()
            made = await app.documents.create("toy.order", order(*lines), context, then=["confirm"])
            await app.documents.follow(made.document.id, "deliver", context, then=["ship"])
            slowest = max(slowest, time.monotonic() - start)

        count = size("N2 orders")
        start = time.monotonic()
        refused = no_surprise(await at_once(sell, count, 32), "busy")
        run.note(orders=count, a_second=round(count / (time.monotonic() - start)), slowest_seconds=round(slowest, 2), refused_as_busy=len(refused))
        assert refused == [], "a deadlock came through to a user"
        await sound(app)


async def deadlocks(url: str, count: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """How often PostgreSQL ends a circle of waiting, or a user is told that others are in the way: eight sell the same items to the same two customers."""
    monkeypatch.setattr(flow, "PARTIES", 2)
    monkeypatch.setattr(flow, "ITEMS", 12)
    _for_postgres.cache_clear()
    async with flow.shop(url, flow.BASE) as one:
        shops = [flow.Shop(one.app, one.context, seed) for seed in range(8)]
        refused = no_surprise(await at_once(lambda n: shops[n % 8].sell(), count, 8), "busy")
        await asyncio.sleep(1.5)  # seconds: PostgreSQL tells its counts once in one
        async with one.app.database.read() as session:
            found = await session.value("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        await sound(one.app)
    _for_postgres.cache_clear()
    return int(found) + len(refused)


async def test_whole_orders_of_the_same_customers_never_wait_in_a_circle(postgresql_url: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL takes a second to see a circle, and everybody who meets it waits so long."""
    count = size("N2 orders") // 2
    assert await deadlocks(postgresql_url, count, monkeypatch) == 0
    run.note(whole_orders=count, deadlocks=0)


async def test_n2_sees_the_planted_fault(postgresql_url: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with planted("a lock keeps out who only refers to a row"):
        assert await deadlocks(postgresql_url, 8, monkeypatch) > 0


# ---- N3: numbers ---------------------------------------------------------------------------------------------------------------------


async def numbers(url: str, run: Run) -> None:
    """Three companies, two kinds, two years; every fifth posting is refused after its number was drawn."""
    from newel.services.setup import set_up_company

    async with company(url, MODULES) as (app, context):
        contexts = [context]
        for code in ("SECOND", "THIRD"):
            made = await set_up_company(app, code=code, name=code, currency="EUR", country="DE", first_year=2026)
            contexts.append(msgspec.structs.replace(context, company=made))
        stopped = Counter[str]()

        async def post(n: int) -> None:
            there = contexts[n % 3]
            day = there.today.replace(year=2026 + n % 2)
            kind, then = run.chance.choice([("toy.invoice", "post"), ("toy.order", "confirm")])
            entered = DocumentInput(party="C1", date=day, lines=(LineInput(kind="charge", text="work", price=D(5)),))
            fails = run.chance.random() < 0.2
            for _ in range(9):
                try:
                    async with app.database.write() as session:
                        await app.documents.create(kind, entered, there, then=[then], session=session)
                        if fails:
                            raise ZeroDivisionError
                    return
                except ZeroDivisionError:
                    stopped["rolled back"] += 1
                    return
                except Exception as error:
                    if not passing(error):
                        raise

        no_surprise(await at_once(post, size("N3 documents")))
        async with app.database.read() as session:
            series = int(await session.value("SELECT COUNT(*) AS n FROM number_series WHERE kind IN ('toy.invoice', 'toy.order')"))
        run.note(documents=size("N3 documents"), rolled_back=stopped["rolled back"], series=series)
        await sound(app)


async def test_numbers_have_no_gaps_where_a_fifth_is_rolled_back(database_url: str, run: Run) -> None:
    await numbers(database_url, run)


async def test_numbers_without_gaps_sees_the_planted_fault(postgresql_url: str, run: Run) -> None:
    with planted("a number is drawn outside the transaction"), pytest.raises(AssertionError, match="number series"):
        await numbers(postgresql_url, run)


# ---- N5: idempotency -----------------------------------------------------------------------------------------------------------------


async def repeated(url: str, run: Run) -> None:
    """Every request is sent one to five times at once; in every tenth one of them says something else."""
    async with company(url, MODULES) as (app, context):
        await app.documents.create("toy.receipt", goods(BOLT=100_000), context, then=["receive"])
        sent = changed = 0

        async def client(n: int) -> None:
            nonlocal sent, changed
            times, other = run.chance.randint(1, 5), n % 10 == 0
            quantities = [1] * times + [2] * other
            run.chance.shuffle(quantities)
            sent += len(quantities)
            calls = [app.documents.create("toy.invoice", order(("BOLT", q)), context, then=["post"], key=f"k{n}") for q in quantities]
            answers = await asyncio.gather(*calls, return_exceptions=True)
            refused = no_surprise(answers, "key.reused", "busy")
            good = [(a.document.id, a.document.number, a.document.state, a.document.gross) for a in answers if not isinstance(a, BaseException)]
            assert len(set(good)) == 1, f"one key, {len(set(good))} different answers"
            assert {p.code for r in refused for p in r.problems} - {"busy"} <= ({"key.reused"} if other else set())
            changed += other

        results = await at_once(client, size("N5 requests"), 8)
        no_surprise(results)
        async with app.database.read() as session:
            made = int(await session.value("SELECT COUNT(*) AS n FROM document WHERE kind = 'toy.invoice'"))
        run.note(requests=size("N5 requests"), sent=sent, changed=changed)
        assert made == size("N5 requests"), f"{made} documents for {size('N5 requests')} keys"
        await sound(app)


async def test_one_key_has_one_effect_and_one_answer(database_url: str, run: Run) -> None:
    await repeated(database_url, run)


async def test_one_key_sees_the_planted_fault(database_url: str, run: Run) -> None:
    with planted("the idempotency key is not stored with the effect"), pytest.raises(AssertionError, match="different answers"):
        await repeated(database_url, run)


# ---- N6: two users and one document --------------------------------------------------------------------------------------------------


async def pairs(url: str, run: Run) -> None:
    """Two users change different things of the same document at the same time."""
    async with company(url, {"toy": TOY}) as (app, context):
        lost = 0

        async def pair(n: int) -> None:
            nonlocal lost
            made = (await app.documents.create("toy.order", order(("BOLT", 1)), context)).document
            changes = [
                app.documents.update(made.id, made.version, order(("BOLT", n + 2)), context),
                app.documents.update(made.id, made.version, order(("BOLT", 1), text=f"note {n}"), context),
            ]
            answers = await asyncio.gather(*changes, return_exceptions=True)
            refused = no_surprise(answers, "version")
            lost += len(refused) != 1
            now = await app.documents.get(made.id, context)
            assert lost == 0, "both were saved: what the first one wrote is lost"
            assert (now.text == f"note {n}") != (now.lines[0].quantity == n + 2)
            assert all(r.status == 409 and r.problems[0].hint for r in refused)

        no_surprise(await at_once(pair, size("N6 pairs")))
        run.note(pairs=size("N6 pairs"))


async def test_the_second_to_save_is_told(database_url: str, run: Run) -> None:
    await pairs(database_url, run)


async def test_the_second_to_save_sees_the_planted_fault(database_url: str, run: Run) -> None:
    with planted("the version is not compared"), pytest.raises(AssertionError, match="is lost"):
        await pairs(database_url, run)
