"""R1 to R4: servers, workers and databases that die under load. What was acknowledged is there, once; the rest is whole or not there."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from pathlib import Path

import pytest
from newel.jobs.worker import enqueue
from newel.services.app import Newel

from tests.reliability.books import sound
from tests.reliability.conftest import Run
from tests.reliability.processes import KIND, START_SECONDS, Clients, Install, Process, Server, copied
from tests.reliability.sizes import size


async def _whole(app: Newel, acknowledged: dict[str, str]) -> int:
    """Nothing acknowledged is missing, nothing is there twice, and every document is whole; returns how many there are."""
    async with app.database.read() as session:
        rows = await session.fetch("SELECT id, number, state FROM document WHERE kind = ?", KIND)
        keys = [r["key"] for r in await session.fetch("SELECT key FROM idempotency_key")]
        entries = int(await session.value("SELECT COUNT(*) AS n FROM journal_entry"))
        announced = int(await session.value("SELECT COUNT(*) AS n FROM outbox"))
    numbers = [r["number"] for r in rows]
    lost = sorted(set(acknowledged) - set(keys))
    assert not lost, f"acknowledged and not there: {lost[:5]}"
    assert set(acknowledged.values()) <= set(numbers), "a number was told that no document has"
    assert len(set(acknowledged.values())) == len(acknowledged), "two requests were told the same number"
    assert len(set(numbers)) == len(numbers) == len(keys) == entries == announced, (len(numbers), len(keys), entries, announced)
    assert {r["state"] for r in rows} <= {"posted"}
    await sound(app)
    return len(rows)


# ---- R1: the server ------------------------------------------------------------------------------------------------------------------


async def killed_servers(folder: Path, url: str, run: Run, kills: int, plant: str = "") -> None:
    """Kill the server in the middle of posting, start it again, and let the clients ask again for what was not answered."""
    install = Install(folder, url, plant=plant)
    await install.set_up()
    server = Server(install)
    await server.up()
    try:
        async with Clients(server) as clients:
            for _ in range(kills):
                target = len(clients.acknowledged) + run.chance.randint(1, 12)
                while len(clients.acknowledged) < target:  # noqa: ASYNC110 (another process does it)
                    await asyncio.sleep(0.005)
                await asyncio.sleep(0.05 * run.chance.random())
                server.kill()
                await server.up()
    finally:
        server.kill()
    assert clients.wrong == []
    assert clients.repeated, "no request was under way when the server died: this proves nothing"
    async with install.app() as (app, _context):
        documents = await _whole(app, clients.acknowledged)
    run.note(kills=kills, documents=documents, repeated=clients.repeated)


async def test_nothing_is_lost_or_doubled_when_the_server_is_killed(database_url: str, tmp_path: Path, run: Run) -> None:
    await killed_servers(tmp_path, database_url, run, size("R1 kills"))


async def test_killed_servers_sees_the_planted_fault_of_numbers(postgresql_url: str, tmp_path: Path, run: Run) -> None:
    with pytest.raises(AssertionError, match="number series"):
        await killed_servers(tmp_path, postgresql_url, run, 3, "a number is drawn outside the transaction")


async def test_killed_servers_sees_the_planted_fault_of_answers(sqlite_url: str, tmp_path: Path, run: Run) -> None:
    with pytest.raises(AssertionError, match="acknowledged and not there"):
        await killed_servers(tmp_path, sqlite_url, run, 3, "an answer is sent before the commit")


# ---- R2: workers ---------------------------------------------------------------------------------------------------------------------


async def killed_workers(folder: Path, url: str, run: Run, kills: int, plant: str = "") -> None:
    """Two workers with documents to tell of and jobs to do, one of them killed again and again."""
    install = Install(folder, url, plant=plant, lease=1)
    await install.set_up()
    work = 40 * kills
    async with install.app() as (app, context):
        from newel.domain.document import DocumentInput, LineInput

        made = set()
        for n in range(work):
            await enqueue(app, "effects.send", {"n": n})
            if n % 2 == 0:
                entered = DocumentInput(party="C1", lines=(LineInput(item="BOLT"),))
                made.add((await app.documents.create(KIND, entered, context, then=["post"])).document.id)
        workers = [Process(install, "worker") for _ in range(2)]
        expected = {f"job {n}" for n in range(work)} | {f"document {id}" for id in made}
        try:
            for worker in workers:
                worker.start()
            for _ in range(kills):
                told = len(install.effects())
                target = min(told + run.chance.randint(1, 40), len(expected))
                while len(install.effects()) < target:  # noqa: ASYNC110 (another process writes them)
                    await asyncio.sleep(0.002)
                victim = run.chance.choice(workers)
                victim.kill()
                victim.start()
            until = time.monotonic() + START_SECONDS + kills  # seconds: each kill leaves about one of work
            while time.monotonic() < until:
                async with app.database.read() as session:
                    open_work = await session.value(
                        "SELECT (SELECT COUNT(*) FROM job WHERE state <> 'done') + (SELECT COUNT(*) FROM outbox WHERE done_at IS NULL) AS n"
                    )
                if not open_work:
                    break
                await asyncio.sleep(0.1)
        finally:
            for worker in workers:
                worker.kill()
        told_often = install.effects()
        left = expected - set(told_often)
        assert not left, f"never told: {sorted(left)[:5]}"
        assert set(told_often) == expected, "told of what did not happen"
        assert not open_work, f"{open_work} pieces of work were never closed"
        await sound(app)
    run.note(kills=kills, effects=len(expected), sent_again=len(told_often) - len(expected))


async def test_no_effect_is_lost_when_workers_are_killed(database_url: str, tmp_path: Path, run: Run) -> None:
    await killed_workers(tmp_path, database_url, run, size("R2 kills"))


async def test_killed_workers_sees_the_planted_fault(postgresql_url: str, tmp_path: Path, run: Run) -> None:
    with pytest.raises(AssertionError, match="never told"):
        await killed_workers(tmp_path, postgresql_url, run, 6, "a message counts as delivered before it is")


# ---- R3: copies of the files -----------------------------------------------------------------------------------------------------------


async def copies(folder: Path, url: str, run: Run, count: int, *, wal: bool = True) -> None:
    """Stop the server dead at a random moment, copy its files, and open the copy elsewhere."""
    install = Install(folder, url)
    await install.set_up()
    server = Server(install)
    await server.up()
    documents = []
    try:
        async with Clients(server) as clients:
            for n in range(count):
                await asyncio.sleep(0.05 + 0.2 * run.chance.random())
                server.freeze()
                acknowledged = dict(clients.acknowledged)
                copy = await asyncio.to_thread(copied, url, folder / f"copy{n}.db", wal=wal)
                server.thaw()
                assert sqlite3.connect(copy.removeprefix("sqlite:///")).execute("PRAGMA integrity_check").fetchall() == [("ok",)]
                there = folder / f"there{n}"
                there.mkdir()
                async with Install(there, copy).app() as (app, _context):
                    documents.append(await _whole(app, acknowledged))
                (folder / f"copy{n}.db").unlink()
    finally:
        server.kill()
    assert documents[0] < documents[-1], "nothing happened between the copies: this proves nothing"
    run.note(copies=count, documents=documents[-1])


async def test_a_copy_of_the_files_at_any_moment_is_whole(sqlite_url: str, tmp_path: Path, run: Run) -> None:
    await copies(tmp_path, sqlite_url, run, size("R3 copies"))


async def test_a_copy_of_the_files_sees_the_planted_fault(sqlite_url: str, tmp_path: Path, run: Run) -> None:
    """Without the log, the last commits are missing."""
    with pytest.raises(AssertionError, match="acknowledged and not there"):
        await copies(tmp_path, sqlite_url, run, 6, wal=False)
