"""A backup in the place of what is there: that is backed up first, and then goes as a whole or not at all.

The backup is brought back beside it, so that nothing is missing while that takes time: on SQLite into a file, on PostgreSQL into a schema.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

from newel.config import Config
from newel.errors import NewelError

from newel_ops.archive import open_backup, write_backup
from newel_ops.copies import versions
from newel_ops.databases import Tell, fill, installed_apps, moment, opened
from newel_ops.tables import Sum

BESIDE = "newel_restored"
BUSY_SECONDS = 2
# Whatever is in a schema and belongs to no extension, in the order in which it can go.
OBJECTS = """
SELECT 'TABLE ' || c.oid::regclass AS name FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = to_regnamespace(COALESCE($1, current_schema()))
   AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = c.oid AND deptype = 'e')
UNION ALL
SELECT 'SEQUENCE ' || c.oid::regclass FROM pg_class c WHERE c.relkind = 'S' AND c.relnamespace = to_regnamespace(COALESCE($1, current_schema()))
   AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = c.oid AND deptype IN ('a', 'e', 'i'))
UNION ALL
SELECT 'FUNCTION ' || p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = to_regnamespace(COALESCE($1, current_schema()))
   AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = p.oid AND deptype = 'e')
"""


async def replace(config: Config, path: Path, kept: Path, tell: Tell | None = None, apps: dict[str, Any] | None = None) -> dict[str, Sum]:
    """Put a backup in the place of what the database of `config` holds.

    Args:
        kept: new file for a backup of what was there, taken in the last moment before it goes.

    Returns:
        The checksum of each table; they are those of the backup.

    Raises:
        NewelError: as restore() says, but for a database that is not empty; `kept` is there already; on SQLite also: somebody has the database
            open. Nothing has changed then.
    """
    sqlite = config.database.startswith("sqlite:///")
    with open_backup(path) as found:
        async with opened(config.database) as database, moment(database):
            pass  # an empty one is refused before the work
        async with _beside_sqlite(config.database) if sqlite else _beside_postgresql(config.database) as beside:
            async with opened(beside) as database:
                sums = await fill(database, found, apps or installed_apps(), tell)
            async with opened(config.database) as database, moment(database, still=True) as last:
                await write_backup(kept, last, engine="sqlite" if sqlite else "postgresql", plugins=versions(), tell=tell)
                if not sqlite:
                    await _swap_postgresql(database.engine)
            if sqlite:
                await asyncio.to_thread(_swap_sqlite, _file(beside), _file(config.database))
    return sums


# ---- SQLite ---------------------------------------------------------------------------------------------------------------------------


def _file(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


@asynccontextmanager
async def _beside_sqlite(url: str) -> AsyncIterator[str]:
    """A new file beside the database, which is gone afterwards."""
    with _gone(_file(url).with_name(f"{_file(url).name}.restored")) as place:
        yield f"sqlite:///{place}"


@contextmanager
def _gone(place: Path) -> Iterator[Path]:
    files = [place.with_name(place.name + suffix) for suffix in ("", "-wal", "-shm")]
    for file in files:
        file.unlink(missing_ok=True)  # of one that was killed
    try:
        yield place
    finally:
        for file in files:
            file.unlink(missing_ok=True)


def _swap_sqlite(beside: Path, place: Path) -> None:
    """Every page in one transaction: who opens the database sees the old one or the new one, after a crash too."""
    with closing(sqlite3.connect(beside)) as new, closing(sqlite3.connect(place, timeout=BUSY_SECONDS)) as old:
        try:
            old.execute("PRAGMA locking_mode = EXCLUSIVE")
            old.execute("PRAGMA user_version").fetchone()  # the lock comes with the first reading
            new.backup(old)
        except sqlite3.OperationalError as error:
            raise NewelError(f"somebody has {place} open ({error}): stop the server and the workers, then again; nothing was changed") from error


# ---- PostgreSQL ------------------------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def _beside_postgresql(url: str) -> AsyncIterator[str]:
    """A new schema in the database, which is gone afterwards."""
    async with opened(url) as database:
        run = database.engine.run_sql
        await run(f"DROP SCHEMA IF EXISTS {BESIDE} CASCADE")
        await run(f"CREATE SCHEMA {BESIDE}")
        try:
            yield f"{url}{'&' if '?' in url else '?'}search_path={BESIDE}"
        finally:
            await run(f"DROP SCHEMA IF EXISTS {BESIDE} CASCADE")


async def _swap_postgresql(engine: Any) -> None:
    """In the transaction that is open, and that nobody can write beside."""
    here = (await engine.run_sql("SELECT quote_ident(current_schema()) AS name"))[0]["name"]
    for one in await engine.run_sql(OBJECTS, [None]):
        await engine.run_sql(f"DROP {one['name']} CASCADE")
    for one in await engine.run_sql(OBJECTS, [BESIDE]):
        await engine.run_sql(f"ALTER {one['name']} SET SCHEMA {here}")
