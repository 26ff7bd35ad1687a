"""Checks of the database itself: is it whole, is it safe to write to, is there room, and do its ids come only once."""

from __future__ import annotations

import shutil
from pathlib import Path

from newel.services.app import Newel
from newel.services.doctor import Diagnosis
from newel.store.session import Session

from newel_ops.databases import highest_id, next_id
from newel_ops.tables import tables_of

ROOM = 500_000_000  # bytes
OLDEST_SQLITE, OLDEST_POSTGRESQL = (3, 35), 130000
QUICK = 2_000_000_000  # bytes; looking through a larger file takes too long for a doctor's visit


async def database(app: Newel, session: Session) -> list[Diagnosis]:
    """All checks of this database."""
    tables = await tables_of(session)
    highest, table = await highest_id(session, tables.values())
    following = await next_id(session)
    ids = Diagnosis(check="ids", level="ok", cause=f"the next one is {following}")
    if highest >= following:
        ids = Diagnosis(
            check="ids", level="error", cause=f"the allocator stands at {following}, and table {table} has the id {highest}",
            effect="new rows are refused, or take the place of others", fix="restore the last backup: the allocator was set back by hand",
        )  # fmt: skip
    return [ids, *(await _sqlite(app, session) if session.sqlite else await _postgresql(app, session))]


def _one(check: str, fits: bool, cause: str, effect: str, fix: str, level: str = "error") -> Diagnosis:
    return Diagnosis(check=check, level="ok", cause=cause) if fits else Diagnosis(check=check, level=level, cause=cause, effect=effect, fix=fix)


async def _sqlite(app: Newel, session: Session) -> list[Diagnosis]:
    path = Path(app.config.database.removeprefix("sqlite:///"))
    text = await session.value("SELECT sqlite_version() AS v")
    version = tuple(int(n) for n in text.split(".")[:2])
    journal = await session.value("PRAGMA journal_mode")
    synchronous = app.config.engine.get("synchronous", "FULL")
    broken = await session.fetch("PRAGMA foreign_key_check")
    out = [
        _one("database version", version >= OLDEST_SQLITE, f"SQLite {text}", "statements with RETURNING fail", "install Python with SQLite 3.35 or newer"),
        _one("journal", journal in ("wal", "memory"), f"journal mode {journal}", "readers and the writer wait for each other", "restart newel: it sets WAL"),
        _one(
            "durability", synchronous == "FULL", f"synchronous = {synchronous}", "the last commits may be gone after a power failure",
            'take synchronous out of newel.toml, [engine]', "warning",
        ),
        _one("references", not broken, f"{len(broken)} rows refer to nothing", "their pages fail", "restore the last backup that newel doctor finds whole"),
    ]  # fmt: skip
    if size := _size(path):
        free = shutil.disk_usage(path.parent).free
        cause = f"{free / 1e9:.1f} GB free, the database has {size / 1e9:.2f} GB"
        out.append(_one("room", free > max(ROOM, size), cause, "writing will stop, and there is no room for a copy", "make room on that disk", "warning"))
        if size < QUICK:
            found = [r for row in await session.fetch("PRAGMA quick_check(5)") if (r := next(iter(row.values()))) != "ok"]
            out.append(_one("file", not found, found[0] if found else "whole", "data is damaged", "restore the last backup; then test the disk"))
    return out


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


async def _postgresql(app: Newel, session: Session) -> list[Diagnosis]:
    names = ("server_version_num", "server_version", "fsync", "full_page_writes", "synchronous_commit", "server_encoding", "max_connections")
    has = {name: await session.value("SELECT current_setting(?) AS v", name) for name in names}
    pool = int(app.config.engine.get("connections", 10))
    loose = await session.value("SELECT COUNT(*) AS n FROM pg_constraint WHERE NOT convalidated AND connamespace = current_schema()::regnamespace")
    unsafe = [name for name in ("fsync", "full_page_writes", "synchronous_commit") if has[name] == "off"]
    old = int(has["server_version_num"]) < OLDEST_POSTGRESQL
    return [
        _one("database version", not old, f"PostgreSQL {has['server_version']}", "it is no longer maintained", "upgrade the server", "warning"),
        _one("durability", not unsafe, f"off: {', '.join(unsafe)}" if unsafe else "every commit is on disk", "commits may be gone after a crash",
             "switch them on in postgresql.conf"),
        _one("encoding", has["server_encoding"] == "UTF8", has["server_encoding"], "texts in other scripts are refused", "make the database anew with UTF8"),
        _one(
            "connections", pool < int(has["max_connections"]), f"a process takes up to {pool} of the server's {has['max_connections']}",
            "processes wait or are refused", "lower connections in newel.toml, [engine], or raise max_connections", "warning",
        ),
        _one("references", not loose, f"{loose} constraints are not validated", "rows may refer to nothing", "ALTER TABLE ... VALIDATE CONSTRAINT"),
    ]  # fmt: skip
