"""One database, without plugins: a moment of it to read from, its schema made by the installed migrations, its rows loaded all or none."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

from newel.errors import NewelError
from newel.plugins import discover
from newel.store import migrate
from newel.store.session import BLOCK, Database, Session

from newel_ops.loading import Tell, load_rows, unchecked
from newel_ops.tables import Sum, Table, pages, sums_of, tables_of

Migrations = list[tuple[str, str]]


class Source(ABC):
    """Where rows come from: a moment of a database, or a backup.

    Args:
        tables: by name. migrations: (app, name) that made them. next_id: the first id that nobody has had.
        sums: what each table comes to, where that is known before its rows are read.
    """

    sums: Mapping[str, Sum] = {}
    tables: dict[str, Table]
    migrations: Migrations
    next_id: int

    @abstractmethod
    def pages(self, table: Table) -> AsyncIterator[list[tuple[Any, ...]]]:
        """All rows of a table in pages, values in the order of its columns."""


class Moment(Source):
    """A moment of an open database; made by moment() only."""

    def __init__(self, session: Session) -> None:
        self.session = session

    async def read(self) -> Moment:
        """Look at the catalogue."""
        self.tables = await tables_of(self.session)
        if "newel_migration" not in self.tables or "company" not in self.tables:
            raise NewelError("this database is empty: there is nothing to copy; `newel init` or `newel restore` fills it")
        rows = await self.session.fetch("SELECT plugin, name FROM newel_migration ORDER BY plugin, name")
        self.migrations = [(r["plugin"], r["name"]) for r in rows]
        self.next_id = await next_id(self.session)
        return self

    def pages(self, table: Table) -> AsyncIterator[list[tuple[Any, ...]]]:
        """All rows of a table in pages."""
        return pages(self.session, table)


@asynccontextmanager
async def opened(url: str, **options: Any) -> AsyncIterator[Database]:
    """A database without an install around it.

    Raises:
        NewelError: it can't be opened; without saying a password.
    """
    try:
        database = Database(url, **options)
        await database.open()
    except Exception as error:  # asyncpg and sqlite3 have nothing in common
        raise NewelError(f"can't open the database {shown(url)}: {type(error).__name__}: {error}") from error
    try:
        yield database
    finally:
        await database.close()


def shown(url: str) -> str:
    """The address of a database without its password."""
    scheme, mark, rest = url.partition("://")
    user, at, place = rest.rpartition("@")
    return scheme + mark + user.partition(":")[0] + at + place


@asynccontextmanager
async def moment(database: Database, *, still: bool = False) -> AsyncIterator[Moment]:
    """One moment of the data, while others go on writing.

    Args:
        still: others can read and not write until the end: for what must hold the last word.
    """
    if not still:
        async with database.read() as session:
            yield await Moment(session).read()
        return
    async with database.engine.transaction():  # on SQLite this is the one writer
        session = Session(database.engine, database.ids, database.cache, False)
        if not database.sqlite:
            names = [r["name"] for r in await session.fetch("SELECT tablename::text AS name FROM pg_tables WHERE schemaname = current_schema()")]
            if names:
                await session.fetch(f"LOCK TABLE {', '.join(_quoted(n) for n in names)} IN SHARE MODE")
        yield await Moment(session).read()


def _quoted(name: str) -> str:
    return f'"{name}"'


# ---- ids ----------------------------------------------------------------------------------------------------------------------------


async def next_id(session: Session) -> int:
    """The first id that the allocator has given to nobody. A sequence is read as it is now, which is never before the session's moment."""
    if session.sqlite:
        return int(await session.value("SELECT next FROM newel_id"))
    row = await session.one("SELECT last_value, is_called FROM newel_id")
    assert row is not None
    return int(row["last_value"]) + (BLOCK if row["is_called"] else 0)


async def highest_id(session: Session, tables: Iterable[Table]) -> tuple[int, str]:
    """The highest id of all tables, and the table that has it."""
    found = (0, "")
    for table in tables:
        if table.key == ("id",):
            found = max(found, (int(await session.value(f'SELECT MAX(id) AS n FROM "{table.name}"') or 0), table.name))
    return found


async def _set_next_id(session: Session, value: int) -> None:
    if session.sqlite:
        await session.fetch("UPDATE newel_id SET next = ?", value)
    else:
        await session.fetch("SELECT setval('newel_id', ?, false)", value)


# ---- filling ------------------------------------------------------------------------------------------------------------------------


def installed_apps() -> dict[str, Any]:
    """Migration apps of the kernel and of every installed plugin, whether it runs or not."""
    found = {"newel": import_module("newel.store.piccolo_app").APP_CONFIG}
    for name, module in discover()[0].items():
        try:
            app = module.register_plugin().piccolo_app
            if app:
                found[name] = import_module(app).APP_CONFIG
        except Exception:  # noqa: S112 - a plugin may fail in any way; where its tables are wanted, their lack is said
            continue
    return found


async def fill(
    database: Database, source: Source, apps: dict[str, Any], tell: Tell | None = None, then: Callable[[Session], Awaitable[None]] | None = None
) -> dict[str, Sum]:
    """Make the schema that the source had and load its rows, all or none; compare what is then there with what was sent.

    Args:
        database: open and empty.
        apps: migration apps by name, as installed_apps() gives them.
        then: carried out in the same transaction after everything was compared.

    Returns:
        The checksums of what was sent, which are those of what is there.

    Raises:
        NewelError: the database is not empty, a migration of the source is not installed, or something did not arrive as it was sent.
    """
    await _refuse_full(database)
    _refuse_unknown(source, apps)
    await migrate.migrate(database, apps, frozenset(source.migrations))
    async with unchecked(database) as session:
        sums = await _load(session, source, tell)
        await _compare(session, source, sums)
        if then:
            await then(session)
    return sums


async def _refuse_full(database: Database) -> None:
    async with database.read() as session:
        tables = await tables_of(session)
        for name in ("company", "document", "app_user"):
            if name in tables and await session.value(f"SELECT COUNT(*) AS n FROM {name}"):
                raise NewelError(f"{shown(database.url)} is not empty: table {name} has rows; name an empty database, nothing was changed")
        foreign = sorted(set(tables) - {"newel_migration"}) if tables and "company" not in tables else []
        if foreign:
            raise NewelError(f"{shown(database.url)} belongs to something else: it has the table {foreign[0]}; name an empty database, nothing was changed")


def _refuse_unknown(source: Source, apps: dict[str, Any]) -> None:
    known = {(app, name) for app, config in apps.items() for engine in ("sqlite", "postgresql") for name in migrate.steps(config, engine)}
    lacking = [" ".join(step) for step in source.migrations if step not in known]
    if lacking:
        plugins = sorted({each.split()[0] for each in lacking})
        wanted = ", ".join("newel" if p == "newel" else f"newel-{p.replace('_', '-')}" for p in plugins)
        raise NewelError(f"the data was made with migrations that are not installed here: {', '.join(lacking)}; install {wanted} (a newer release), then again")


async def _load(session: Session, source: Source, tell: Tell | None) -> dict[str, Sum]:
    """Everything anew, in place of what migrations put there."""
    here = await tables_of(session)
    for name in here:
        await session.fetch(f'DELETE FROM "{name}"')
    sums = await load_rows(session, source, here, tell)
    await _set_next_id(session, source.next_id)
    return sums


async def _compare(session: Session, source: Source, sent: dict[str, Sum]) -> None:
    """Read everything again: what is there is what was sent, and the next id is a fresh one."""
    there = await sums_of(session, source.tables.values())
    wrong = [f"{name}: {sent[name].rows} rows sent, {there[name].rows} arrived" for name in sent if sent[name] != there[name]]
    if wrong:
        raise NewelError(f"not everything arrived as it was sent, nothing was changed: {'; '.join(wrong)}")
    highest, table = await highest_id(session, source.tables.values())
    if highest >= source.next_id:
        raise NewelError(f"the id {highest} of table {table} would be given again, nothing was changed: the allocator stands at {source.next_id}")


__all__ = ["Moment", "Source", "Tell", "fill", "highest_id", "installed_apps", "load_rows", "moment", "next_id", "opened", "shown", "unchecked"]
