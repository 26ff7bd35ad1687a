"""Backups, moves and copies: nothing is lost or changed, nothing is half there, and a copy reaches nobody."""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
import subprocess
import sys
import textwrap
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest
from newel.config import Config
from newel.domain.context import Context
from newel.domain.document import DocumentInput, LineInput
from newel.errors import NewelError
from newel.services.app import Newel
from newel.services.verify import verify
from newel.store.master import load_master
from newel_ops import copies
from newel_ops.databases import highest_id, moment, next_id, opened
from newel_ops.tables import Sum, sums_of, tables_of

ROOT = Path(__file__).parents[2]
LOAD = textwrap.dedent(
    """
    import asyncio, sys
    from ops.tests.test_copies import started, order_and_invoice

    async def main():
        app, context = await started(sys.argv[1])
        for n in range(100_000):
            await order_and_invoice(app, context)
            print(n, flush=True)

    asyncio.run(main())
    """
)
KILLED = textwrap.dedent(
    """
    import asyncio, os, signal, sys
    from pathlib import Path
    from newel.config import Config
    from newel_ops import copies

    def tell(table, rows):
        if table == "journal_entry":
            os.kill(os.getpid(), signal.SIGKILL)

    asyncio.run(copies.backup(Config(database=sys.argv[1]), Path(sys.argv[2]), tell))
    """
)


async def started(url: str) -> tuple[Newel, Context]:
    """A running install and a user of its company who may do everything."""
    app = Newel(Config(database=url))
    await app.start()
    async with app.database.read() as session:
        company = next(iter((await load_master(session)).companies.values()))
    return app, app.system(company)


async def order_and_invoice(app: Newel, context: Context) -> int:
    """An order of a service, confirmed and invoiced: ids, numbers and the hash chain go on."""
    async with app.database.read() as session:
        item = await session.value("SELECT id FROM item WHERE kind = 'service' ORDER BY id LIMIT 1")
        party = await session.value("SELECT id FROM party WHERE is_customer AND blocked = '' AND active ORDER BY id LIMIT 1")
    lines = (LineInput(item=item, quantity=Decimal(1), price=Decimal(10)),)
    made = await app.documents.create("sales.order", DocumentInput(party=party, lines=lines), context, then=["confirm"])
    invoice = await app.documents.follow(made.document.id, "invoice", context, then=["post"])
    return invoice.document.id


async def sums(url: str) -> dict[str, Sum]:
    """The checksum of every table."""
    async with opened(url) as database, moment(database) as now:
        return await sums_of(now.session, now.tables.values())


async def books_go_on(url: str) -> None:
    """Everything adds up, and goes on adding up after another invoice with fresh ids."""
    app, context = await started(url)
    try:
        assert await verify(app) == []
        async with app.database.read() as session:
            before = await session.value("SELECT MAX(id) AS n FROM document")
        assert await order_and_invoice(app, context) > before
        assert await verify(app) == []
    finally:
        await app.close()


# ---- backup and restore ------------------------------------------------------------------------------------------------------------


async def test_a_backup_of_either_database_comes_back_in_either(demo_url: str, tmp_path: Path, sqlite_url: str, postgresql_url: str) -> None:
    file = tmp_path / "company.zip"
    made = await copies.backup(Config(database=demo_url), file)
    assert made.sums == await sums(demo_url)
    assert made.sums["document"].rows > 100
    assert file.stat().st_mode & 0o077 == 0, "others can read the hashes of passwords"
    targets = [url for url in (f"sqlite:///{tmp_path / 'back.db'}", postgresql_url) if url != demo_url]
    for target in targets:
        assert await copies.restore(Config(database=target), file) == made.sums
        assert await sums(target) == made.sums
        await books_go_on(target)


async def test_moving_there_and_back_changes_nothing(demo_backup: Path, sqlite_url: str, postgresql_url: str, tmp_path: Path) -> None:
    """SQLite -> PostgreSQL -> SQLite."""
    before = await copies.restore(Config(database=sqlite_url), demo_backup)
    back = f"sqlite:///{tmp_path / 'back.db'}"
    assert await copies.move(Config(database=sqlite_url), postgresql_url) == before
    assert await copies.move(Config(database=postgresql_url), back) == before
    assert await sums(sqlite_url) == await sums(postgresql_url) == await sums(back) == before
    for url in (sqlite_url, postgresql_url, back):
        async with opened(url) as database, moment(database) as now:
            assert await next_id(now.session) > (await highest_id(now.session, now.tables.values()))[0]
    await books_go_on(postgresql_url)
    await books_go_on(back)


async def test_a_backup_under_load_is_one_moment(demo_url: str, tmp_path: Path) -> None:
    """Somebody orders and invoices without a pause while the backup is made; what it holds adds up by itself."""
    log = tmp_path / "load.log"
    with log.open("w") as output:
        busy = subprocess.Popen([sys.executable, "-c", LOAD, demo_url], stdout=output, stderr=subprocess.STDOUT, cwd=ROOT)  # noqa: ASYNC220
        try:
            while log.stat().st_size < 10:
                assert busy.poll() is None, log.read_text()
                await asyncio.sleep(0.02)
            files = [tmp_path / f"{n}.zip" for n in range(3)]
            made = [await copies.backup(Config(database=demo_url), file) for file in files]
            assert busy.poll() is None, log.read_text()
        finally:
            busy.kill()
            busy.wait()
    counts = [m.sums["document"].rows for m in made]
    assert counts[0] < counts[-1], "nothing happened between the backups: this proves nothing"
    for n, file in enumerate(files):
        target = f"sqlite:///{tmp_path / f'{n}.db'}"
        assert await copies.restore(Config(database=target), file) == made[n].sums
        await books_go_on(target)


async def test_a_backup_that_is_killed_leaves_no_file(demo_url: str, tmp_path: Path, sqlite_url: str) -> None:
    file = tmp_path / "company.zip"
    done = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", KILLED, demo_url, str(file)], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    assert not file.exists()
    rest = tmp_path / "company.zip.part"
    assert rest.exists(), "it was not killed in the middle: this proves nothing"
    with pytest.raises(NewelError, match="is no whole backup"):
        await copies.restore(Config(database=f"sqlite:///{tmp_path / 'other.db'}"), rest)
    await copies.backup(Config(database=demo_url), file)
    assert file.exists() and not rest.exists()
    with pytest.raises(NewelError, match="is there already"):
        await copies.backup(Config(database=demo_url), file)


# ---- planted faults ----------------------------------------------------------------------------------------------------------------


async def test_a_changed_row_changes_the_checksum(demo_url: str) -> None:
    before = await sums(demo_url)
    async with opened(demo_url) as database, database.write() as session:
        await session.fetch("UPDATE document SET gross = gross + 1 WHERE id = (SELECT MIN(id) FROM document)")
    after = await sums(demo_url)
    assert [name for name in before if before[name] != after[name]] == ["document"]


async def test_a_backup_that_was_changed_is_refused(demo_backup: Path, tmp_path: Path, database_url: str) -> None:
    """One digit of one amount; the database stays empty."""
    bad = tmp_path / "bad.zip"
    with zipfile.ZipFile(demo_backup) as good, zipfile.ZipFile(bad, "w") as made:
        for name in good.namelist():
            lines = good.read(name).splitlines()
            if name == "tables/posting.jsonl":
                row = json.loads(lines[3])
                lines[3] = json.dumps([v + 10 if type(v) is int and i == 2 else v for i, v in enumerate(row)], separators=(",", ":")).encode()
            made.writestr(name, b"".join(line + b"\n" for line in lines))
    with pytest.raises(NewelError, match=r"table posting: expected .* the file was changed"):
        await copies.restore(Config(database=database_url), bad)
    await copies.restore(Config(database=database_url), demo_backup)


async def test_a_value_of_the_wrong_type_is_found(demo_backup: Path, sqlite_url: str, tmp_path: Path) -> None:
    """SQLite lets a float into a column of whole numbers; a backup does not."""
    await copies.restore(Config(database=sqlite_url), demo_backup)
    async with opened(sqlite_url) as database, database.write() as session:
        await session.fetch("UPDATE document SET gross = gross + 0.5 WHERE id = (SELECT MIN(id) FROM document)")
    with pytest.raises(NewelError, match=r"table document, column gross: expected integer, got .*\.5"):
        await copies.backup(Config(database=sqlite_url), tmp_path / "bad.zip")
    assert not (tmp_path / "bad.zip").exists() and not (tmp_path / "bad.zip.part").exists()


async def test_ids_that_would_come_again_are_refused(demo_backup: Path, tmp_path: Path, database_url: str) -> None:
    bad = tmp_path / "bad.zip"
    with zipfile.ZipFile(demo_backup) as good, zipfile.ZipFile(bad, "w") as made:
        for name in good.namelist():
            data = good.read(name)
            made.writestr(name, json.dumps(json.loads(data) | {"next_id": 1001}) if name == "manifest.json" else data)
    with pytest.raises(NewelError, match=r"would be given again, nothing was changed: the allocator stands at 1001"):
        await copies.restore(Config(database=database_url), bad)


async def test_only_into_an_empty_database_and_only_with_what_made_it(demo_url: str, demo_backup: Path, tmp_path: Path, sqlite_url: str) -> None:
    with pytest.raises(NewelError, match="is not empty: table company has rows"):
        await copies.restore(Config(database=demo_url), demo_backup)
    from newel_ops.databases import installed_apps

    apps = {name: app for name, app in installed_apps().items() if name != "promotions"}
    target = f"sqlite:///{tmp_path / 'other.db'}"
    with pytest.raises(NewelError, match=r"not installed here: promotions m0001, promotions m0002; install newel-promotions"):
        await copies.restore(Config(database=target), demo_backup, apps=apps)
    with pytest.raises(NewelError, match="this database is empty"):
        await copies.backup(Config(database=f"sqlite:///{tmp_path / 'nothing.db'}"), tmp_path / "nothing.zip")


async def test_nobody_writes_while_the_database_moves(demo_url: str) -> None:
    """The move has the last word: a change that came during it would be lost."""
    options = {"busy_ms": 200} if demo_url.startswith("sqlite") else {}
    async with opened(demo_url, **options) as other, opened(demo_url) as database, moment(database, still=True):

        async def change() -> None:
            async with other.write() as session:
                await session.fetch("UPDATE item SET name = 'changed' WHERE id = (SELECT MIN(id) FROM item)")

        with pytest.raises((TimeoutError, sqlite3.OperationalError)):
            await asyncio.wait_for(change(), 0.5)
        async with other.read() as session:
            assert await session.value("SELECT COUNT(*) AS n FROM item WHERE name = 'changed'") == 0


# ---- copies ------------------------------------------------------------------------------------------------------------------------


async def test_a_neutral_copy_reaches_nobody(demo_url: str, tmp_path: Path) -> None:
    """No session, no token, no waiting message, no address; mail is off even where newel.toml switches it on; it says what it is."""
    app, context = await started(demo_url)
    user = await app.users.load(1) or context.user
    async with app.database.read() as session:
        login = await session.value("SELECT id FROM app_user WHERE login = 'demo'")
        assert await session.value("SELECT COUNT(*) AS n FROM party WHERE email <> ''")
    user = await app.users.load(login)
    assert user is not None
    token = await app.users.create_token(user, "shop", 30)
    await order_and_invoice(app, context)
    await app.close()
    target, before = f"sqlite:///{tmp_path / 'copy.db'}", await sums(demo_url)
    done = await copies.clone(Config(database=demo_url), target, neutral=True)
    assert await sums(demo_url) == before, "the original has changed"
    assert any("1 tokens revoked" in line for line in done)

    copy = Newel(Config(database=target, settings={"mail": {"enabled": True, "host": "mail.example"}}))
    await copy.start()
    try:
        async with copy.database.read() as session:
            for table in ("user_session", "api_token"):
                assert await session.value(f"SELECT COUNT(*) AS n FROM {table}") == 0
            assert await session.value("SELECT COUNT(*) AS n FROM outbox WHERE done_at IS NULL") == 0
            for table, column in (("party", "email"), ("app_user", "email"), ("mail_message", "recipient")):
                assert await session.value(f"SELECT COUNT(*) AS n FROM {table} WHERE {column} <> '' AND {column} NOT LIKE '%@copy.invalid'") == 0
            context = await copy.context(session, copy.system(None).user)
            assert context.settings["mail"].enabled is False
            assert context.company.name.startswith("COPY ")
        assert await copy.users.by_token(token) is None
        assert await verify(copy) == []
    finally:
        await copy.close()


async def test_full_text_search_goes_along(demo_backup: Path, database_url: str) -> None:
    """What a database makes for searching is no data of a backup: the other database makes its own, and finds the same."""
    pytest.importorskip("newel_knowledge")
    from newel_knowledge.facts import find

    await copies.restore(Config(database=database_url), demo_backup)
    app, context = await started(database_url)
    async with app.database.read() as session:
        assert not [name for name in await tables_of(session) if "_found" in name]
        assert len(await find(session, context, ("public", "partner"), "linseed")) == 1
        assert await find(session, context, ("partner",), "linseed") == []
    await app.close()
