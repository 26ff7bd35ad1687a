"""M1 and M3: a database as an earlier version left it goes on, and what an earlier version writes fits the schema of today.

`earlier/` holds databases that are never made anew: the one of steps m0001 to m0004 of the kernel, of either engine, with a small company whose orders are
drafts, confirmed, partly paid and done, in two currencies. A released version adds what its own code has made: `sqlite3 .dump`, `pg_dump --inserts --no-owner`.
"""

from __future__ import annotations

import gzip
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from newel.config import Config
from newel.domain.context import Context, User
from newel.domain.document import DocumentInput, LineInput
from newel.plugins import discover
from newel.services import reports
from newel.services.app import Newel
from newel.store.session import Session
from newel_ops.databases import opened
from newel_ops.rehearse import rehearse

from tests.reliability.books import sound
from tests.reliability.conftest import Run

EARLIER = "m0004"
PLUGINS = ("sales", "pricelists", "promotions", "inventory", "shipping", "invoicing", "receivables", "credit", "mail")
OURS = {"newel_migration", "newel_id"}  # which steps have run, and which ids are given away: of the database and not of the company
Content = dict[str, tuple[tuple[str, ...], list[tuple[Any, ...]]]]


async def load(url: str) -> None:
    """Fill an empty database with what the earlier version left."""
    sqlite = url.startswith("sqlite")
    text = gzip.decompress((Path(__file__).parent / "earlier" / f"{EARLIER}.{'sqlite' if sqlite else 'postgresql'}.sql.gz").read_bytes()).decode()
    if sqlite:
        connection = sqlite3.connect(url.removeprefix("sqlite:///"))
        connection.executescript(text)
        connection.close()
    else:
        server = await asyncpg.connect(url)
        await server.execute(text)
        await server.close()


async def content(session: Session, tables: Content | None = None) -> Content:
    """Columns and rows of every table as stored; of `tables` only these and their columns."""
    out: Content = {}
    sql = (
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        if session.sqlite
        else "SELECT tablename AS name FROM pg_tables WHERE schemaname = current_schema()"
    )
    for name in sorted(set(tables) if tables else {r["name"] for r in await session.fetch(sql)} - OURS):
        asked = ", ".join(f'"{c}"' for c in tables[name][0]) if tables else "*"
        rows = [dict(r) for r in await session.fetch(f'SELECT {asked} FROM "{name}"')]
        columns = tables[name][0] if tables else tuple(rows[0] if rows else ())
        out[name] = (columns, sorted((tuple(r[c] for c in columns) for r in rows), key=repr))
    return {name: found for name, found in out.items() if found[1]}


@asynccontextmanager
async def started(url: str) -> AsyncIterator[tuple[Newel, Context, list[tuple[str, str]]]]:
    """Today's version on a database, and the steps that it had to run."""
    modules, _ = discover()
    app = Newel(Config(database=url), {name: modules[name] for name in PLUGINS})
    ran = await app.start()
    async with app.database.read() as session:
        user = User(id=0, login="tester", permissions=frozenset({"*"}))
        context = await app.context(session, user)
    yield app, context, ran
    await app.close()


async def test_what_an_earlier_version_left_goes_on(database_url: str, run: Run) -> None:
    """Not a value has changed, everything adds up, people get in with their passwords, and what was under way is brought to its end."""
    await load(database_url)
    async with opened(database_url) as database, database.read() as session:
        before = await content(session)
    begun = time.perf_counter()
    async with started(database_url) as (app, context, ran):
        seconds = time.perf_counter() - begun
        assert ran, "something had to be done"
        async with app.database.read() as session:
            assert await content(session, before) == before
        await sound(app)
        assert await app.users.authenticate("admin", "correct horse battery")
        await _brought_to_an_end(app, context)
        await sound(app)
    run.note(tables=len(before), rows=sum(len(rows) for _, rows in before.values()), steps=len(ran), migrated_in=f"{seconds:.2f} s")


async def _brought_to_an_end(app: Newel, context: Context) -> None:
    """The order that was confirmed is delivered, invoiced and paid; the draft is changed and confirmed."""
    async with app.database.read() as session:
        ids = {r["reference"]: r["id"] for r in await session.fetch("SELECT id, reference FROM document WHERE kind = 'sales.order' AND reference <> ''")}
    delivery = await app.documents.follow(ids["open"], "deliver", context)
    await app.documents.act(delivery.document.id, "ship", context)
    await app.documents.follow(ids["open"], "invoice", context, then=("post",))
    items = await reports.run(app, "receivables.open_items", {}, context)
    assert len(items) >= 3, "an invoice in dollars, one in part, and the new one"
    draft = await app.documents.get(ids["draft"], context)
    lines = (LineInput(id=draft.lines[0].id, item="BOLT", quantity=draft.lines[0].quantity + 1),)
    saved = await app.documents.update(draft.id, draft.version, DocumentInput(party="C1", lines=lines), context)
    assert (await app.documents.act(saved.document.id, "confirm", context)).document.phase == "open"


async def test_the_comparison_sees_a_value_that_has_changed(sqlite_url: str) -> None:
    await load(sqlite_url)
    async with opened(sqlite_url) as database:
        async with database.read() as session:
            before = await content(session)
        async with database.write() as session:
            await session.fetch("UPDATE document_line SET price = price + 1 WHERE id = (SELECT MIN(id) FROM document_line)")
        async with database.read() as session:
            assert await content(session, before) != before


async def test_an_upgrade_is_rehearsed(database_url: str) -> None:
    """The copy is migrated and replayed: every document comes to what it came to, and the database itself is as it was."""
    await load(database_url)
    modules, _ = discover()
    async with opened(database_url) as database, database.read() as session:
        before = await content(session)
    found = await rehearse(Config(database=database_url), modules={name: modules[name] for name in PLUGINS})
    assert found.clean, (found.off, found.findings, found.differences)
    assert found.replayed > 5
    assert found.migrations
    async with opened(database_url) as database, database.read() as session:
        assert await content(session) == before


# ---- while some processes are of the earlier version -------------------------------------------------------------------------------


async def written(app: Newel, earlier: Content) -> None:
    """Write rows as the earlier version does: with the columns that it knows, into the schema of today, on whose references nobody waits."""
    async with app.database.write() as session:
        await session.fetch("PRAGMA defer_foreign_keys = 1" if session.sqlite else "SET LOCAL session_replication_role = replica")
        for name, (columns, rows) in earlier.items():
            listed, marks = ", ".join(f'"{c}"' for c in columns), ", ".join("?" for _ in columns)
            await session.many(f'INSERT INTO "{name}" ({listed}) VALUES ({marks})', [list(r) for r in rows])


async def test_an_earlier_version_reads_and_writes_in_the_schema_of_today(database_url: str, tmp_path: Path) -> None:
    """While a rolling upgrade lasts: every column that the earlier version knows is there, takes what it writes, and what is new needs no value from it."""
    kept = f"sqlite:///{tmp_path / 'earlier.db'}"
    await load(kept)
    async with opened(kept) as database, database.read() as session:
        earlier = await content(session)
    async with _empty(database_url) as app:
        await written(app, earlier)
        async with app.database.read() as session:
            assert {n: len(rows) for n, (_, rows) in (await content(session, earlier)).items()} == {n: len(rows) for n, (_, rows) in earlier.items()}
        await sound(app)


async def test_a_column_that_an_earlier_version_can_not_fill_is_found(sqlite_url: str, tmp_path: Path) -> None:
    """Planted: a step of today adds a column without a default."""
    kept = f"sqlite:///{tmp_path / 'earlier.db'}"
    await load(kept)
    async with opened(kept) as database, database.read() as session:
        earlier = await content(session)
    async with _empty(sqlite_url) as app:
        async with app.database.write() as session:
            await session.fetch("DROP TABLE outbox")
            await session.fetch("CREATE TABLE outbox (id BIGINT PRIMARY KEY, topic TEXT NOT NULL)")
        with pytest.raises(sqlite3.Error):
            await written(app, {"outbox": earlier["outbox"]} if "outbox" in earlier else {"outbox": (("id",), [(1,)])})


@asynccontextmanager
async def _empty(url: str) -> AsyncIterator[Newel]:
    """Today's tables with nothing in them, not even what an install begins with."""
    modules, _ = discover()
    app = Newel(Config(database=url), {name: modules[name] for name in PLUGINS})
    await app.start()
    async with app.database.write() as session:
        await session.fetch("DELETE FROM fact_version")
    yield app
    await app.close()
