"""H3 and H4: what is posted stays as it is. The database refuses to change it; whoever takes that away is found by the chain, whatever was changed."""

from __future__ import annotations

import random
import sqlite3
import time
from datetime import date, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from newel.domain.ledger import entry_hash
from newel.services.app import Newel
from newel.services.verify import _chain, verify
from newel.store import tables_document as t
from newel.store.session import Session, day, instant
from newel_sdk.testing import NOW, running

from core.tests.test_engine import company
from core.tests.test_histories import Day
from core.tests.test_verify import _unlock, a_day
from core.tests.toys import TOY
from tests.reliability.conftest import Run
from tests.reliability.plants import planted
from tests.reliability.sizes import size

POSTED = ("journal_entry", "posting", "stock_move")


# ---- H3: nothing posted changes --------------------------------------------------------------------------------------------------------


async def _columns(session: Session, table: str) -> list[str]:
    return list(dict(await session.one(f'SELECT * FROM "{table}"')))


async def refused_by_the_database(app: Newel) -> int:
    """Every column of every posted table, and every row: no UPDATE and no DELETE goes through. Returns how many were tried."""
    tried = 0
    for table in POSTED:
        async with app.database.read() as session:
            statements = [f'UPDATE "{table}" SET "{c}" = "{c}"' for c in await _columns(session, table)] + [f'DELETE FROM "{table}"']
        for statement in statements:
            tried += 1
            try:
                async with app.database.write() as session:
                    await session.fetch(statement)
                answer = "it was done"
            except Exception as error:
                answer = str(error)
            assert "never" in answer, f"the database took {statement}: {answer}"
    return tried


async def test_the_database_refuses_to_change_what_is_posted(database_url: str, run: Run) -> None:
    async with company(database_url) as (app, context):
        await a_day(app, context)
        run.note(statements=await refused_by_the_database(app))


async def test_the_refusal_sees_the_planted_fault(database_url: str) -> None:
    async with company(database_url) as (app, context):
        await a_day(app, context)
        await _unlock(app)
        with pytest.raises(AssertionError, match="the database took UPDATE"):
            await refused_by_the_database(app)


async def test_no_sequence_of_actions_changes_what_is_posted(database_url: str, run: Run) -> None:
    """Random days; what was posted by half of their actions is the same after all of them, and every document is in one state of its kind."""
    async with company(database_url) as (app, context):
        one = Day(app, context, run.seed)
        actions, before = 0, []
        while actions < size("H3 actions"):
            actions += len(await one.run())
            now = await _posted(app)
            assert now[: len(before)] == before, "what was posted has changed"
            before = now
        async with app.database.read() as session:
            for row in await session.fetch("SELECT DISTINCT kind, state, phase FROM document"):
                assert app.registry.kind(row["kind"]).state(row["state"]).phase == row["phase"]
        run.note(actions=actions, rows=len(before))


async def _posted(app: Newel) -> list[tuple[Any, ...]]:
    async with app.database.read() as session:
        rows = [(r["id"], table, *r.values()) for table in POSTED for r in await session.fetch(f'SELECT * FROM "{table}"')]
    return [row[1:] for row in sorted(rows, key=lambda row: row[0])]


# ---- H4: the chain -----------------------------------------------------------------------------------------------------------------------


class _Undone(Exception):
    pass


def _flipped(value: Any, chance: random.Random) -> Any:
    """The same value with one bit changed; of a date or an instant the smallest step."""
    if isinstance(value, bool) or value is None:
        return 1 if value is None else not value
    if isinstance(value, int):
        return value ^ (1 << chance.randrange(40))
    if isinstance(value, datetime):
        return value + timedelta(microseconds=1)
    if isinstance(value, date):
        return value + timedelta(days=1)
    at = chance.randrange(max(len(value), 1))
    return value[:at] + chr(ord(value[at]) ^ (1 << chance.randrange(5))) + value[at + 1 :] if value else "\x01"


async def bits(url: str, run: Run) -> None:
    """One bit at a random place of the ledger is changed, and changed back."""
    async with company(url) as (app, context):
        await a_day(app, context)
    async with running(url, {"toy": TOY}) as (app, _context):
        await _unlock(app)
        refused, missed, count = 0, [], size("H4 bits")
        for _ in range(count):
            table = run.chance.choice(("journal_entry", "posting", "ledger_chain"))
            try:
                async with app.database.write() as session:
                    row = dict(run.chance.choice(await session.fetch(f'SELECT * FROM "{table}" ORDER BY id')))
                    column = run.chance.choice([c for c in row if c not in ("id", "company") or (c == "company" and table == "journal_entry")])
                    typed = day(row[column]) if column == "date" else instant(row[column]) if column == "created_at" else row[column]
                    await session.update(t_by_name(table), row["id"], **{column: _flipped(typed, run.chance)})
                    if not [f async for f in _chain(session)]:
                        missed.append(f"{table}.{column}")
                    raise _Undone
            except _Undone:
                continue
            except (sqlite3.IntegrityError, asyncpg.IntegrityConstraintViolationError, asyncpg.DataError):  # a foreign key, a check, no JSON any more
                refused += 1
        run.note(bits=count, found=count - refused - len(missed), refused_by_the_database=refused)
        assert not missed, f"not found: {sorted(set(missed))}"
        assert await verify(app) == []


def t_by_name(name: str) -> Any:
    """The table class with this name."""
    return {"journal_entry": t.JournalEntry, "posting": t.Posting, "ledger_chain": t.LedgerChain}[name]


async def test_any_changed_bit_is_found(database_url: str, run: Run) -> None:
    await bits(database_url, run)


async def test_any_changed_bit_sees_the_planted_fault(sqlite_url: str, run: Run) -> None:
    with planted("the hash leaves out what an account is for"), pytest.raises(AssertionError, match=r"not found: .*posting\.role"):
        await bits(sqlite_url, run)


async def grown(app: Newel, count: int) -> int:
    """A ledger with as many entries more, of nothing, in its chain. Returns the number of the last one."""
    async with app.database.read() as session:
        entry = await session.one("SELECT * FROM journal_entry ORDER BY id LIMIT 1")
        postings = await session.fetch("SELECT * FROM posting WHERE entry = ? ORDER BY id", entry["id"])
    async with app.database.write() as session:
        head = await session.one("SELECT number, hash FROM ledger_chain")
        number, previous = int(head["number"]), head["hash"]
        await session.need(count * (len(postings) + 1))
        for _ in range(count):
            number += 1
            row = {**entry, "number": number, "date": day(entry["date"]), "created_at": NOW, "document": None, "reverses": None}
            own = [{**p, "debit": 0, "credit": 0, "amount": 0} for p in postings]
            previous = entry_hash(previous, row, own)
            row.pop("id")
            id = session.add(t.JournalEntry, **{**row, "hash": previous})
            for p in own:
                session.add(t.Posting, **{**{k: v for k, v in p.items() if k != "id"}, "entry": id})
        await session.fetch("UPDATE ledger_chain SET number = ?, hash = ?", number, previous)
    return number


async def test_a_long_chain_is_verified(database_url: str, run: Run) -> None:
    """The figure is how long it takes; nothing is asserted of it."""
    async with company(database_url) as (app, context):
        await a_day(app, context)
        number = await grown(app, size("H4 entries"))
        async with app.database.read() as session:
            start = time.monotonic()
            assert [f async for f in _chain(session)] == []
            run.note(entries=number, verified_in_seconds=round(time.monotonic() - start, 2))
