"""N4 and N7 to N9: what readers see while others write, credit, the end of a period, and workers that share the work."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal as D
from pathlib import Path

import pytest
from newel.domain.document import DocumentInput, LineInput
from newel.jobs.worker import Worker
from newel.manifest import Job, Manifest
from newel.services.app import Newel
from newel.store import tables_document as t
from newel_sdk.testing import NOW, item, party, running

from core.tests.test_engine import company
from core.tests.toys import plugin
from tests.reliability.books import MODULES, goods, sound
from tests.reliability.conftest import Run
from tests.reliability.plants import planted
from tests.reliability.processes import Plain
from tests.reliability.sizes import size
from tests.reliability.test_concurrency import at_once, no_surprise

ACCOUNTS = 20
EACH = 1000


# ---- N4: the bank ----------------------------------------------------------------------------------------------------------------------


async def bank(url: str, folder: Path, run: Run, seconds: float) -> None:
    """Goods of 20 items go to customers and come back, by processes that are killed every two seconds, while somebody adds up."""
    async with running(url, MODULES) as (app, context):
        await party(app, context, "C1")
        names = [f"I{n}" for n in range(ACCOUNTS)]
        for name in names:
            await item(app, context, name, price="1.00", cost="0.50")
        await app.documents.create("toy.receipt", goods(**dict.fromkeys(names, EACH)), context, then=["receive"])
        reads = kills = last = moves = 0
        seen, until = set[int](), time.monotonic() + seconds
        with _processes(url, folder, run) as kill:
            while time.monotonic() < until:
                next_kill = time.monotonic() + 2
                while time.monotonic() < next_kill or moves < last + ACCOUNTS:
                    total, moves = await _sum(app)
                    seen.add(total)
                    reads += 1
                kill()
                kills, last = kills + 1, moves
        run.note(seconds_of_transfers=seconds, reads=reads, transfers=moves, kills=kills)
        assert len(seen) == 1, f"the sum was {sorted(seen)} at different times"
        await sound(app)


async def _sum(app: Newel) -> tuple[int, int]:
    """What is here and what is with customers, read by two statements some time apart; and the number of moves."""
    async with app.database.read() as session:
        here = await session.value("SELECT SUM(b.quantity) AS n FROM stock_balance b JOIN location l ON l.id = b.location WHERE l.kind = 'storage'")
        await asyncio.sleep(0.01)
        there = await session.value(
            "SELECT COALESCE(SUM(CASE WHEN t.kind = 'customer' THEN m.quantity WHEN s.kind = 'customer' THEN -m.quantity ELSE 0 END), 0) AS n "
            "FROM stock_move m JOIN location s ON s.id = m.source JOIN location t ON t.id = m.target"
        )
        moves = await session.value("SELECT COUNT(*) AS n FROM stock_move")
        assert await session.fetch("SELECT id FROM stock_balance WHERE quantity < 0") == []
    return int(here) + int(there), int(moves)


@contextmanager
def _processes(url: str, folder: Path, run: Run) -> Iterator[object]:
    """Two processes that transfer; call what is given to kill one and start it again."""
    running = [Plain(folder / f"transfers{n}.log", "tests.reliability.transfers", url, str(run.seed + n)) for n in range(2)]
    try:
        yield lambda: run.chance.choice(running).restart()
    finally:
        for one in running:
            one.kill()
        for one in running:
            assert "Traceback" not in (text := one.log.read_text("utf-8")), text[-2000:]


async def test_every_read_sees_one_moment(database_url: str, tmp_path: Path, run: Run) -> None:
    await bank(database_url, tmp_path, run, size("N4 seconds"))


async def test_every_read_sees_the_planted_fault(postgresql_url: str, tmp_path: Path, run: Run) -> None:
    with planted("each statement reads another moment"), pytest.raises(AssertionError, match="the sum was"):
        await bank(postgresql_url, tmp_path, run, 5)


# ---- N7: credit --------------------------------------------------------------------------------------------------------------------------


async def limits(url: str, run: Run) -> None:
    """Fifty orders of 30.00 at once, for customers with a limit of 100.00 each."""
    async with company(url, MODULES) as (app, context):
        rounds = size("N7 rounds")
        for n in range(rounds):
            await party(app, context, f"L{n}", limit_amount="100")
            entered = DocumentInput(party=f"L{n}", lines=(LineInput(kind="charge", text="work", price=D(30)),))
            made = [(await app.documents.create("toy.order", entered, context)).document.id for _ in range(50)]
            results = await at_once(lambda i, made=made: app.documents.act(made[i], "confirm", context), 50)
            granted = 50 - len(no_surprise(results, "credit.limit", "busy"))
            assert granted == 3, f"{granted} orders of 30.00 within a limit of 100.00"
        run.note(rounds=rounds, orders=50 * rounds)
        await sound(app)


async def test_fifty_orders_at_once_stay_within_the_limit(database_url: str, run: Run) -> None:
    await limits(database_url, run)


async def test_fifty_orders_sees_the_planted_fault(postgresql_url: str, run: Run) -> None:
    with planted("credit is read without a lock"), pytest.raises(AssertionError, match=r"orders of 30\.00"):
        await limits(postgresql_url, run)


# ---- N8: the end of a period ---------------------------------------------------------------------------------------------------------------


async def closes(url: str, run: Run) -> None:
    """Eight people post while a ninth closes the period and opens it again."""
    async with company(url, MODULES) as (app, context):
        async with app.database.read() as session:
            period = await session.value("SELECT id FROM period WHERE date_from = ? AND company = ?", date(2026, 1, 1), context.company.id)
        posted, done = 0, False

        async def poster(_n: int) -> int:
            nonlocal posted
            refused = 0
            while not done:
                made = DocumentInput(party="C1", lines=(LineInput(kind="charge", text="work", price=D(1)),))
                (result,) = await asyncio.gather(app.documents.create("toy.invoice", made, context, then=["post"]), return_exceptions=True)
                refused += bool(no_surprise([result], "period.closed", "busy"))
                posted += not isinstance(result, BaseException)
                await asyncio.sleep(0.001)
            return refused

        posters = [asyncio.create_task(poster(n)) for n in range(8)]
        for _ in range(size("N8 closes")):
            target = posted + run.chance.randint(1, 8)
            while posted < target:  # noqa: ASYNC110 (what is waited for has no event)
                await asyncio.sleep(0.002)
            await app.records.save("newel.period", period, {"state": "closed"}, context)
            before = await _entries(app)
            await asyncio.sleep(0.05)
            came = await _entries(app) - before
            assert not came, f"{came} entries came into a closed period"
            await app.records.save("newel.period", period, {"state": "open"}, context)
        done = True
        refused = sum(await asyncio.gather(*posters))
        run.note(closes=size("N8 closes"), posted=posted, refused=refused)
        assert posted and refused, "nobody posted, or nobody met a closed period: this proves nothing"
        assert await _entries(app) == posted + 1, "an entry was lost"
        await sound(app)


async def _entries(app: Newel) -> int:
    async with app.database.read() as session:
        return int(await session.value("SELECT COUNT(*) AS n FROM journal_entry"))


async def test_no_entry_comes_into_a_closed_period(database_url: str, run: Run) -> None:
    await closes(database_url, run)


async def test_a_closed_period_sees_the_planted_fault(postgresql_url: str, run: Run) -> None:
    with planted("the period is looked at before the lock only"), pytest.raises(AssertionError, match="came into a closed period"):
        await closes(postgresql_url, run)


# ---- N9: workers -----------------------------------------------------------------------------------------------------------------------


async def claimed(url: str, run: Run) -> None:
    """Eight workers, and every job is done by one of them."""
    count, done = size("N9 jobs"), list[int]()

    async def work(_session: object, payload: dict[str, int], _context: object) -> None:
        done.append(payload["n"])

    brings = plugin("jobs", Manifest(name="jobs", label="Jobs", jobs=(Job(name="jobs.note", run=work),)))
    async with running(url, {**MODULES, "jobs": brings}) as (app, _context):
        async with app.database.write() as session:
            await session.need(count)
            for n in range(count):
                session.add(t.Job, name="jobs.note", payload=f'{{"n": {n}}}', state="waiting", created_at=NOW, created_by="test", available_at=NOW)
        workers = [Worker(app) for _ in range(8)]
        for n, worker in enumerate(workers):
            worker.name = f"worker {n}"
        start = time.monotonic()

        async def until_empty(worker: Worker) -> None:
            while await worker.once():
                pass

        await asyncio.gather(*(until_empty(w) for w in workers))
        run.note(jobs=count, a_second=round(count / (time.monotonic() - start)))
        twice = len(done) - len(set(done))
        assert twice == 0, f"{twice} jobs were done twice"
        assert sorted(done) == list(range(count)), "a job was not done"


async def test_each_job_is_claimed_once(database_url: str, run: Run) -> None:
    await claimed(database_url, run)


async def test_each_job_sees_the_planted_fault(postgresql_url: str, run: Run) -> None:
    with planted("a job is claimed by two statements"), pytest.raises(AssertionError, match="done twice"):
        await claimed(postgresql_url, run)


async def fenced(url: str) -> None:
    """A worker is so slow that its lease passes; another one does the job; then the slow one comes back with an error."""
    from newel_sdk.kit import Clock

    clock, order_of = Clock(), list[str]()
    slow, quick = asyncio.Event(), asyncio.Event()

    async def act(_app: object, _payload: object, _context: object) -> None:
        order_of.append("called")
        if len(order_of) == 1:
            slow.set()
            await quick.wait()
            raise OSError("too late")

    brings = plugin("jobs", Manifest(name="jobs", label="Jobs", jobs=(Job(name="jobs.slow", act=act),)))
    async with running(url, {**MODULES, "jobs": brings}, clock) as (app, _context):
        async with app.database.write() as session:
            session.add(t.Job, name="jobs.slow", state="waiting", created_at=NOW, created_by="test", available_at=NOW)
        first, second = Worker(app), Worker(app)
        first.name, second.name = "first", "second"
        late = asyncio.create_task(first.once())
        await slow.wait()
        assert await second.once() == 0, "a job was taken while its lease ran"
        clock.advance(minutes=6)
        assert await second.once() == 1
        quick.set()
        await late
        async with app.database.read() as session:
            state = await session.value("SELECT state FROM job")
        assert state == "done", f"the job is {state}: one who had lost it spoke for it"


async def test_who_has_lost_a_job_does_not_speak_for_it(database_url: str) -> None:
    await fenced(database_url)


async def test_who_has_lost_a_job_sees_the_planted_fault(database_url: str) -> None:
    with planted("a worker whose lease has passed speaks for the job"), pytest.raises(AssertionError, match="spoke for it"):
        await fenced(database_url)
