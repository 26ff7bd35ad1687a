"""Use cases of data: backup, restore, a move to another database, a copy that reaches nobody."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import importlib_metadata
import msgspec
from newel.config import Config
from newel.errors import NewelError
from newel.plugins import GROUP, discover
from newel.store.documents import json_of
from newel.store.session import Session
from newel.store.tables_master import Setting

from newel_ops.archive import Manifest, open_backup, write_backup
from newel_ops.databases import Tell, fill, installed_apps, moment, opened, shown
from newel_ops.tables import Sum, Table, tables_of

MARKER = "newel_ops"  # the name of the settings row that says what was done to this database
ADDRESSES = re.compile(r"(^|_)(e?mail|recipient|phone|mobile|fax)$")
LENGTHS = 30


def versions() -> dict[str, str]:
    """Installed plugins with the versions of their distributions; nothing is imported."""
    return {p.name: p.dist.version if p.dist else "" for p in importlib_metadata.entry_points(group=GROUP)}


async def backup(config: Config, path: Path, tell: Tell | None = None) -> Manifest:
    """Write one moment of the database into a file while others work on (R7).

    Raises:
        NewelError: the database is empty, or the file is there already.
    """
    async with opened(config.database) as database, moment(database) as now:
        return await write_backup(path, now, engine="sqlite" if database.sqlite else "postgresql", plugins=versions(), tell=tell)


async def restore(config: Config, path: Path, tell: Tell | None = None, apps: dict[str, Any] | None = None) -> dict[str, Sum]:
    """Fill the empty database of `config` from a backup, whichever database that was made from; all or nothing.

    Returns:
        The checksum of each table; they are those of the backup.

    Raises:
        NewelError: the file is damaged, the database is not empty, or a migration that the data was made with is not installed.
    """
    with open_backup(path) as found:
        async with opened(config.database) as database:
            return await fill(database, found, apps or installed_apps(), tell)


async def move(config: Config, target: str, tell: Tell | None = None) -> dict[str, Sum]:
    """Copy everything into another, empty database, SQLite or PostgreSQL; nobody can write to the old one meanwhile (R8).

    Returns:
        The checksum of each table, the same in both.
    """
    if target == config.database:
        raise NewelError("the target is the database itself: name another one")
    async with opened(config.database) as old, opened(target) as new, moment(old, still=True) as last:
        return await fill(new, last, installed_apps(), tell)


async def clone(config: Config, target: str, *, neutral: bool, tell: Tell | None = None) -> list[str]:
    """Copy a moment of everything into another, empty database while others work on.

    Args:
        neutral: the copy reaches nobody (see neutralise()) and says that it is one.

    Returns:
        What was done to the copy, in words.
    """
    done: list[str] = []

    async def quietly(session: Session) -> None:
        done.extend(await neutralise(session, shown(config.database)))

    async with opened(config.database) as old, opened(target) as new, moment(old) as now:
        await fill(new, now, installed_apps(), tell, quietly if neutral else None)
    return done


async def neutralise(session: Session, origin: str) -> list[str]:
    """Make a copy reach nobody: no session, no token, nothing that waits to be done, no address of anybody, and what reaches outside switched off.

    What a plugin has to be told to keep quiet is what its manifest says under `quiet`. The names of companies say that they are copies.
    """
    await session.need(1000)
    tables = await tables_of(session)
    gone = [
        f"{await _deleted(session, table, condition)} {words}"
        for table, condition, words in (
            ("user_session", "1 = 1", "sessions ended"), ("login_attempt", "1 = 1", "attempts to log in forgotten"), ("api_token", "1 = 1", "tokens revoked"),
            ("outbox", "done_at IS NULL", "waiting messages deleted"), ("job", "state <> 'done'", "waiting jobs deleted"),
        )
    ]  # fmt: skip
    columns = await _readdress(session, tables)
    quiet = await _quieten(session)
    await session.fetch("UPDATE company SET name = substr('COPY ' || name, 1, 120)")
    await session.fetch("DELETE FROM setting WHERE company IS NULL AND plugin = ?", MARKER)
    session.add(Setting, company=None, plugin=MARKER, value=json_of({"neutral_copy_of": origin}))
    await session.fetch("UPDATE fact_version SET version = version + 1")
    return [
        *gone,
        f"addresses made invalid: {', '.join(columns)}",
        f"plugins told to keep quiet: {', '.join(quiet) or 'none'}",
        "companies renamed to COPY ...",
    ]


async def _deleted(session: Session, table: str, condition: str) -> int:
    return len(await session.fetch(f"DELETE FROM {table} WHERE {condition} RETURNING id"))


async def _readdress(session: Session, tables: dict[str, Table]) -> list[str]:
    """Whatever looks like an address becomes one that can't exist (RFC 2606), or nothing where it is a number; returns the columns."""
    done = []
    for table in tables.values():
        for name, kind in table.columns.items():
            if kind == "text" and (match := ADDRESSES.search(name)) and "id" in table.columns:
                made = f"'{table.name[:LENGTHS]}-' || id || '@copy.invalid'" if match[2] in ("mail", "email", "recipient") else "''"
                await session.fetch(f'UPDATE "{table.name}" SET "{name}" = {made} WHERE "{name}" <> \'\'')
                done.append(f"{table.name}.{name}")
    return done


async def _quieten(session: Session) -> list[str]:
    """Store what each installed plugin wants to be told, for every company and for those to come; it goes before newel.toml."""
    wanted = {name: quiet for name, quiet in installed_quiet().items() if quiet}
    rows = {(r["company"], r["plugin"]): r for r in await session.fetch("SELECT id, company, plugin, value FROM setting")}
    companies = [None, *(r["id"] for r in await session.fetch("SELECT id FROM company ORDER BY id"))]
    for name, quiet in wanted.items():
        for company in companies:
            row = rows.get((company, name))
            if row:
                await session.update(Setting, row["id"], value=json_of({**msgspec.json.decode(row["value"]), **quiet}))
            else:
                session.add(Setting, company=company, plugin=name, value=json_of(quiet))
    return sorted(wanted)


def installed_quiet() -> dict[str, dict[str, Any]]:
    """Manifest.quiet of every installed plugin, whether it runs or not."""
    found = {}
    for name, module in discover()[0].items():
        try:
            found[name] = dict(module.register_plugin().quiet)
        except Exception:  # noqa: S112 - a plugin that can't say what it is can't run either
            continue
    return found
