"""Migrations of kernel and plugins: plain SQL that both databases read, in dependency order, one transaction, one lock, all or nothing.

A Piccolo app's migrations folder holds `m0001.sql`, `m0002.sql` ...; a step that differs is a pair `m0003.sqlite.sql` and
`m0003.postgresql.sql`; a step that needs code is `m0004.py` with `async def forwards(session)`. `newel migrations new PLUGIN` writes the
next file from the tables. Why not Piccolo's own files: docs/decisions/0002.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterable
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from piccolo.query.methods.create import Create
from piccolo.table import Table, sort_table_classes

from newel.errors import NewelError
from newel.store.session import Database, Session

LOCK = 0x4E45_57


class MigrationFailed(NewelError):
    """A step could not be carried out; nothing of any step was. Names the app and the step."""

    def __init__(self, app: str, step: str, error: Exception) -> None:
        self.app, self.step = app, step
        super().__init__(f"migration {step} of {app!r}: {type(error).__name__}: {error}")


HISTORY = 'CREATE TABLE IF NOT EXISTS "newel_migration" ("plugin" VARCHAR(100) NOT NULL, "name" VARCHAR(100) NOT NULL, PRIMARY KEY ("plugin", "name"))'


def table_sql(table: type[Table]) -> list[str]:
    """CREATE TABLE with its constraints inside, then its indexes; the same text for both databases."""
    meta = table._meta
    parts = [f'CONSTRAINT "{c._meta.name}" {c.ddl}' for c in meta.constraints]
    columns = [column_sql(c) for c in meta.columns]
    out = [f'CREATE TABLE "{meta.tablename}" (\n    ' + ",\n    ".join([*columns, *parts]) + "\n)"]
    return out + [_index_sql(c) for c in meta.columns if c._meta.index and not c._meta.unique]


def column_sql(column: Any) -> str:
    """A column's definition. Piccolo writes the SQLite flavour of a type where it knows the engine; ours are common to both."""
    text = re.sub(r"\s+", " ", column.ddl).strip()
    return text.replace(" ON UPDATE CASCADE", "").replace(" DEFAULT null", "")


def _index_sql(column: Any) -> str:
    name = column._meta.db_column_name
    table = column._meta.table._meta.tablename
    return f'CREATE INDEX "{table}_{name}" ON "{table}" ("{name}")'


def order(configs: dict[str, Any]) -> list[str]:
    """App names so that each comes after those it depends on. The kernel is first for all."""
    by_module = {f"{c.app_name}.piccolo_app": n for n, c in configs.items()}
    graph = {n: sorted({by_module.get(d, d) for d in c.migration_dependencies} | ({"newel"} if n != "newel" else set())) for n, c in configs.items()}
    return [n for n in TopologicalSorter(graph).static_order() if n in configs]


def steps(config: Any, engine: str) -> dict[str, Path]:
    """Migration name -> file for this database, in order."""
    out: dict[str, Path] = {}
    for path in sorted(Path(config.resolved_migrations_folder_path).glob("m[0-9]*")):
        name, *kind = path.name.split(".")
        if kind in (["sql"], ["py"], [engine, "sql"]):
            out[name] = path
    return dict(sorted(out.items()))


async def pending(session: Session, configs: dict[str, Any]) -> list[tuple[str, str]]:
    """(app, migration) that have not run, in the order in which they would."""
    engine = "sqlite" if session.sqlite else "postgresql"
    exists = "SELECT name FROM sqlite_master WHERE name = ?" if session.sqlite else "SELECT to_regclass(?)::text AS name"
    ran: set[tuple[str, str]] = set()
    if await session.value(exists, "newel_migration"):
        ran = {(r["plugin"], r["name"]) for r in await session.fetch('SELECT plugin, name FROM "newel_migration"')}
    return [(app, name) for app in order(configs) for name in steps(configs[app], engine) if (app, name) not in ran]


async def migrate(database: Database, configs: dict[str, Any], only: frozenset[tuple[str, str]] | None = None) -> list[tuple[str, str]]:
    """Bring the database up to date. Two processes at once are safe: one migrates, the other waits and finds nothing to do.

    Args:
        only: (app, migration) beyond which nothing is run: the schema of an earlier state.
    """
    async with database.read() as session:
        if not await pending(session, configs):
            return []
    engine = "sqlite" if database.sqlite else "postgresql"
    if database.sqlite:  # only outside a transaction: a rebuilt table would take its child rows along
        await database.engine.run_sql("PRAGMA foreign_keys=0")
    try:
        async with database.engine.transaction():
            session = Session(database.engine, database.ids, database.cache, True)
            if not database.sqlite:
                await session.fetch("SELECT pg_advisory_xact_lock(?)", LOCK)
            await session.fetch(HISTORY)
            todo = [step for step in await pending(session, configs) if only is None or step in only]
            for app, name in todo:
                try:
                    await _run(session, app, steps(configs[app], engine)[name])
                except Exception as error:
                    raise MigrationFailed(app, name, error) from error
                await session.fetch('INSERT INTO "newel_migration" ("plugin", "name") VALUES (?, ?)', app, name)
            if database.sqlite and (broken := await session.fetch("PRAGMA foreign_key_check")):
                raise RuntimeError(f"a migration broke foreign keys, nothing was changed: {broken[:3]}")
            return todo
    finally:
        if database.sqlite:
            await database.engine.run_sql("PRAGMA foreign_keys=1")


async def _run(session: Session, app: str, path: Path) -> None:
    if path.suffix == ".sql":
        for statement in statements(path.read_text("utf-8")):
            await session.engine.run_sql(statement)
        return
    await loaded(app, path).forwards(session)


def loaded(app: str, path: Path) -> Any:
    """The module of a step in Python."""
    spec = importlib.util.spec_from_file_location(f"_migration.{app}.{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def statements(text: str) -> list[str]:
    """Statements of a file: they end with `;` at the end of a line; a trigger body ends with `END;` or `$$ ...;`."""
    out: list[str] = []
    current: list[str] = []
    for line in text.splitlines():
        if not current and (not line.strip() or line.startswith("--")):
            continue
        current.append(line)
        joined = "\n".join(current)
        inside = joined.count("$$") % 2 if "$$" in joined else "BEGIN" in joined and not joined.rstrip().endswith("END;")
        if line.rstrip().endswith(";") and not inside:
            out.append(joined.rstrip().rstrip(";"))
            current = []
    if current:
        raise ValueError(f"a migration's last statement does not end with a semicolon: {current[0][:80]}")
    return out


async def write_next(config: Any, others: dict[str, Any] | None = None) -> Path | None:
    """Write the next migration file of an app: what its tables have and its migrations have not.

    Adds tables, columns and indexes; anything else (types, removals) is for a hand-written step. Returns None where nothing is missing.
    """
    database = Database("sqlite:///:memory:", readers=0)
    await database.open()
    try:
        async with database.engine.transaction():
            session = Session(database.engine, database.ids, database.cache, True)
            await session.fetch(HISTORY)
            configs = {name: c for name, c in (others or {}).items() if c is not config} | {config.app_name: config}
            for app in order(configs):
                for path in steps(configs[app], "sqlite").values():
                    await _run(session, app, path)
            missing = await _missing(session, config.table_classes)
    finally:
        await database.close()
    if not missing:
        return None
    folder = Path(config.resolved_migrations_folder_path)
    folder.mkdir(exist_ok=True)
    number = max([int(n[1:]) for n in {**steps(config, "sqlite"), **steps(config, "postgresql")}], default=0) + 1
    path = folder / f"m{number:04d}.sql"
    path.write_text(";\n\n".join(missing) + ";\n", "utf-8")
    return path


async def _missing(session: Session, tables: Iterable[type[Table]]) -> list[str]:
    out: list[str] = []
    for table in sort_table_classes(list(tables)):
        table._meta._db = session.engine  # Piccolo asks a column's engine for its type
        have = {r["name"] for r in await session.fetch(f'PRAGMA table_info("{table._meta.tablename}")')}
        if not have:
            out += table_sql(table)
            continue
        for column in table._meta.columns:
            if column._meta.db_column_name not in have:
                out.append(f'ALTER TABLE "{table._meta.tablename}" ADD COLUMN {column_sql(column)}')
                if column._meta.index and not column._meta.unique:
                    out.append(_index_sql(column))
    return out


def portable_create_table() -> None:
    """Let Piccolo's create_table (used in scripts and tests of plugins) write what our migrations write."""
    Create.default_ddl = property(lambda self: table_sql(self.table))  # type: ignore[method-assign,assignment]
