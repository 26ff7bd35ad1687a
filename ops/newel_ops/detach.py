"""Three separate acts on a plugin's data: disable, detach, purge (NEW-06).

Disabling is a line of newel.toml; detaching says that this is meant and keeps checksums of its tables, which stay where they are; purging exports and
drops them. Documents belong to the kernel: they stay and can be read in all three cases.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from newel.config import Config
from newel.errors import NewelError
from newel.store.documents import json_of
from newel.store.session import Database, Session
from newel.store.tables_master import Setting

from newel_ops.archive import open_backup, write_backup
from newel_ops.compose import composed, distribution
from newel_ops.copies import versions
from newel_ops.databases import Moment, load_rows, moment, opened, unchecked
from newel_ops.tables import Sum, Table, sums_of, tables_of

DETACHED = "detached:"  # before a plugin's name, in the settings that belong to no company
REFERENCES = {
    True: "SELECT m.name AS child, k.\"table\" AS parent FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) k WHERE m.type = 'table'",
    False: "SELECT conrelid::regclass::text AS child, confrelid::regclass::text AS parent FROM pg_constraint WHERE contype = 'f'",
}


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """A plugin that was detached: when, in which version (empty where it was uninstalled already), and what its tables came to."""

    at: datetime
    version: str
    tables: dict[str, Table]
    sums: dict[str, Sum]


async def marks(session: Session) -> dict[str, Mark]:
    """Detached plugins by name."""
    rows = await session.fetch("SELECT plugin, value FROM setting WHERE company IS NULL AND plugin LIKE ?", DETACHED + "%")
    return {r["plugin"].removeprefix(DETACHED): msgspec.json.decode(r["value"], type=Mark) for r in rows}


async def tables_of_plugin(session: Session, name: str) -> dict[str, Table]:
    """The tables that start with the plugin's name, and not with the longer name of another one."""
    everybody = {r["plugin"] for r in await session.fetch("SELECT DISTINCT plugin FROM newel_migration")} | set(versions())
    longer = tuple(f"{other}_" for other in everybody if other.startswith(f"{name}_"))
    found = {n: t for n, t in (await tables_of(session)).items() if n.startswith(f"{name}_")}
    return {n: t for n, t in found.items() if not longer or not n.startswith(longer)}


async def changed(session: Session, mark: Mark, there: dict[str, Table]) -> list[str]:
    """Which of its tables are not as they were left: other rows, or gone. there: all tables of the database."""
    same = [t for n, t in mark.tables.items() if n in there and t.columns.items() <= there[n].columns.items()]
    sums = await sums_of(session, same)
    return [n for n in mark.sums if sums.get(n) != mark.sums[n]]


async def documents_of(session: Session, names: Iterable[str]) -> dict[str, int]:
    """How many documents of its kinds there are of each of these plugins, asked once for all."""
    found = dict.fromkeys(names, 0)
    if found:
        for r in await session.fetch("SELECT kind, COUNT(*) AS n FROM document GROUP BY kind"):
            name = r["kind"].partition(".")[0]
            if name in found:
                found[name] += r["n"]
    return found


async def detach(config: Config, name: str, modules: dict[str, Any] | None = None) -> list[str]:
    """Say that a plugin is gone for good or for a while, and keep checksums of its tables: whoever installs it again finds everything as it was left.

    Returns:
        What there is of it, in words.

    Raises:
        NewelError: it runs, is detached already or was never here.
    """
    if name in composed(config, modules)[0].plugins.manifests:
        raise NewelError(f"{name} runs: put {name!r} under disabled in newel.toml (or pip uninstall {distribution(name)}), restart the server, then detach it")
    async with opened(config.database) as database:
        async with moment(database) as now:
            session = now.session
            if name in await marks(session):
                raise NewelError(f"{name} is detached already; newel purge removes its data, newel apply attaches it where it runs again")
            tables = await tables_of_plugin(session, name)
            ran = await session.value("SELECT COUNT(*) AS n FROM newel_migration WHERE plugin = ?", name)
            documents = (await documents_of(session, [name]))[name]
            if not (tables or ran or documents):
                raise NewelError(f"there is nothing of a plugin {name!r} in this database")
            mark = Mark(at=datetime.now(UTC), version=versions().get(name, ""), tables=tables, sums=await sums_of(session, tables.values()))
        async with database.write() as writing:
            writing.add(Setting, company=None, plugin=DETACHED + name, value=json_of(mark))
    words = [f"table {table}: {s.rows} rows stay as they are" for table, s in mark.sums.items()]
    return [
        *words,
        f"{documents} documents of its kinds can be read and not changed",
        f"newel-{name} can be uninstalled; installed again, it finds all of this",
    ]


async def attach(database: Database, name: str) -> list[str]:
    """Take a detached plugin back; before its newer migrations run. Says whether its tables are as they were left.

    Raises:
        NewelError: it was not detached.
    """
    async with database.write() as session:
        mark = (await marks(session)).get(name)
        if mark is None:
            raise NewelError(f"{name} is not detached")
        odd = await changed(session, mark, await tables_of(session))
        await session.fetch("DELETE FROM setting WHERE company IS NULL AND plugin = ?", DETACHED + name)
    words = [f"{name}: table {n} is not as it was left ({mark.sums[n].rows} rows then)" for n in odd]
    return words or [f"{name}: {len(mark.sums)} tables are as they were left, and attached"]


# ---- purge ----------------------------------------------------------------------------------------------------------------------------


async def purge(config: Config, name: str, file: Path) -> list[str]:
    """Export the tables of a detached plugin into a new file, then drop them, with its settings, rights and waiting work; documents stay.

    Raises:
        NewelError: it is not detached, its tables have changed since, another plugin's tables refer to them, or the file can't be written.
    """
    async with opened(config.database) as database:
        async with moment(database) as now:
            mark = await _may_go(now.session, name)
            part = _part_of(now, name, mark)
            await write_backup(file, part, engine="", plugins={name: mark.version})
        with open_backup(file) as written:  # what can't be read back is no export
            for table in written.tables.values():
                async for _ in written.pages(table):
                    pass
        async with unchecked(database) as session:
            await _may_go(session, name)
            if mark.tables:
                for each in _children_first(mark.tables, await _references(session)):
                    await session.fetch(f'DROP TABLE "{each}"')
                    if database.sqlite:
                        await session.fetch(f'DROP TABLE IF EXISTS "{each}_found"')  # its index for full-text search
            await session.fetch("DELETE FROM newel_migration WHERE plugin = ?", name)
            await session.fetch("DELETE FROM setting WHERE plugin IN (?, ?)", name, DETACHED + name)
            await session.fetch("DELETE FROM role_permission WHERE permission LIKE ?", f"{name}.%")
            await session.fetch("DELETE FROM outbox WHERE plugin = ? AND done_at IS NULL", name)
            await session.fetch("DELETE FROM job WHERE name LIKE ? AND state <> 'done'", f"{name}.%")
            documents = (await documents_of(session, [name]))[name]
            for fact in ("newel.setting", "newel.user"):
                await session.stale(fact)
    words = [f"table {table}: {s.rows} rows exported and dropped" for table, s in mark.sums.items()]
    return [*words, "its settings, rights and waiting work are gone", f"{documents} documents of its kinds stay and can be read"]


async def _may_go(session: Session, name: str) -> Mark:
    mark = (await marks(session)).get(name)
    if mark is None:
        raise NewelError(f"{name} is not detached: newel detach {name} first; purging is a step of its own")
    others = sorted({r["child"] for r in await _references(session) if r["parent"] in mark.tables and r["child"] not in mark.tables})
    if others:
        raise NewelError(f"the table {others[0]} refers to tables of {name}: detach and purge the plugin that it belongs to first")
    if odd := await changed(session, mark, await tables_of(session)):
        raise NewelError(f"the table {odd[0]} of {name} has changed since it was detached: newel attach {name}, look at it, and detach it anew")
    return mark


async def _references(session: Session) -> list[Any]:
    return await session.fetch(REFERENCES[session.sqlite])


def _children_first(tables: dict[str, Table], references: list[Any]) -> list[str]:
    """Tables in an order in which each can be dropped; those in a circle come last, and the database says so."""
    left, order = set(tables), []
    while left:
        free = sorted(left - {r["parent"] for r in references if r["child"] in left and r["child"] != r["parent"]}) or sorted(left)
        order += free
        left -= set(free)
    return order


def _part_of(now: Moment, name: str, mark: Mark) -> Moment:
    now.tables, now.migrations = mark.tables, [step for step in now.migrations if step[0] == name]
    return now


async def bring_back(config: Config, name: str, file: Path) -> list[str]:
    """Load what newel purge exported into the plugin's tables, which its migrations have made anew and which are empty.

    Raises:
        NewelError: the file is of something else or damaged, a table has rows, or rows refer to what is no longer there; nothing was changed.
    """
    with open_backup(file) as found:
        if set(found.manifest.plugins) != {name} or "company" in found.tables:
            raise NewelError(f"{file} is no export of {name}; it holds {', '.join(list(found.tables)[:3])} ...")
        async with opened(config.database) as database, unchecked(database) as session:
            here = await tables_of(session)
            if missing := sorted(set(found.tables) - set(here)):
                raise NewelError(f"there is no table {missing[0]}: install {distribution(name)}, newel migrate, then again")
            if full := [n for n in found.tables if await session.value(f'SELECT COUNT(*) AS n FROM "{n}"')]:
                raise NewelError(f"the table {full[0]} has rows already; only empty ones are filled")
            sums = await load_rows(session, found, here)
            await session.fetch("UPDATE fact_version SET version = version + 1")
    return [f"table {table}: {s.rows} rows are back" for table, s in sums.items()]
