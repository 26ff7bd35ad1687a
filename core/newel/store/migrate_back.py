"""Migrations backwards: what an app's steps have made is taken away again, last step first, all or nothing.

A step says how in `m0003.back.sql` (or `m0003.sqlite.back.sql` and `m0003.postgresql.back.sql`), a step in Python with `async def
backwards(session)`. A step that only adds tables, columns and indexes needs neither: what undoes it follows from it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from newel.errors import NewelError
from newel.store.migrate import HISTORY, MigrationFailed, loaded, statements, steps
from newel.store.session import Database, Session

UNDONE = (
    (re.compile(r'CREATE TABLE "(\w+)"'), 'DROP TABLE "{0}"'),
    (re.compile(r'CREATE (?:UNIQUE )?INDEX "(\w+)"'), 'DROP INDEX "{0}"'),
    (re.compile(r'ALTER TABLE "(\w+)" ADD COLUMN "(\w+)"'), 'ALTER TABLE "{0}" DROP COLUMN "{1}"'),
)


def undoing(path: Path) -> list[str]:
    """The statements that undo a step which only adds, last first.

    Raises:
        NewelError: the step does something else.
    """
    out = []
    for statement in reversed(statements(path.read_text("utf-8"))):
        found = next(((m, sql) for pattern, sql in UNDONE if (m := pattern.match(statement))), None)
        if found is None:
            raise NewelError(f"{path.name} does more than add, so how to undo it must be written down in {path.stem}.back.sql: {statement[:80]}")
        out.append(found[1].format(*found[0].groups()))
    return out


async def migrate_back(database: Database, app: str, config: Any, until: str = "") -> list[str]:
    """Undo the steps of one app after `until` (empty: all of them). The app's tables and what is in them are gone then.

    Returns:
        Names of the undone steps.

    Raises:
        MigrationFailed: naming app and step; nothing has changed.
    """
    engine = "sqlite" if database.sqlite else "postgresql"
    known = steps(config, engine)
    async with database.write() as session:
        await session.fetch(HISTORY)
        ran = [r["name"] for r in await session.fetch('SELECT name FROM "newel_migration" WHERE plugin = ? ORDER BY name DESC', app)]
        done = [name for name in ran if name > until]
        for name in done:
            try:
                await _undo(session, app, known[name], engine)
            except Exception as error:
                raise MigrationFailed(app, f"{name} backwards", error) from error
            await session.fetch('DELETE FROM "newel_migration" WHERE plugin = ? AND name = ?', app, name)
    return done


async def _undo(session: Session, app: str, path: Path, engine: str) -> None:
    if path.suffix == ".py":
        await loaded(app, path).backwards(session)
        return
    name = path.name.split(".")[0]
    written = [p for p in (path.with_name(f"{name}.{engine}.back.sql"), path.with_name(f"{name}.back.sql")) if p.exists()]
    for statement in statements(written[0].read_text("utf-8")) if written else undoing(path):
        await session.engine.run_sql(statement)
