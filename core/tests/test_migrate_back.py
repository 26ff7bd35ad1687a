"""Migrations backwards: written, derived or in Python; last step first, all or nothing."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from newel.errors import NewelError
from newel.store.migrate import MigrationFailed, migrate
from newel.store.migrate_back import migrate_back, undoing
from newel.store.piccolo_app import APP_CONFIG
from newel.store.session import Database

STEPS = {
    "m0001.sql": 'CREATE TABLE "wobbly_thing" (\n    "id" BIGINT PRIMARY KEY\n);\n\nCREATE INDEX "wobbly_thing_id" ON "wobbly_thing" ("id");\n',
    "m0002.sql": 'ALTER TABLE "wobbly_thing" ADD COLUMN "note" VARCHAR(20);\n\nINSERT INTO wobbly_thing (id, note) VALUES (1, \'first\');\n',
    "m0002.sqlite.back.sql": "DELETE FROM wobbly_thing;\n\nALTER TABLE wobbly_thing DROP COLUMN note;\n",
    "m0002.postgresql.back.sql": "DELETE FROM wobbly_thing;\n\nALTER TABLE wobbly_thing DROP COLUMN note;\n",
    "m0003.py": "async def forwards(session):\n    await session.fetch('UPDATE wobbly_thing SET note = ?', 'third')\n\n\n"
    "async def backwards(session):\n    await session.fetch('UPDATE wobbly_thing SET note = ?', 'first')\n",
}


async def wobbly(url: str, folder: Path, **steps: str) -> tuple[Database, Any]:
    for name, text in {**STEPS, **steps}.items():
        (folder / name).write_text(text)
    config = SimpleNamespace(app_name="wobbly", resolved_migrations_folder_path=str(folder), migration_dependencies=[], table_classes=[])
    database = Database(url)
    await database.open()
    await migrate(database, {"newel": APP_CONFIG, "wobbly": config})
    return database, config


async def notes(url: str) -> list[Any]:
    """What a process that starts now sees."""
    database = Database(url)
    await database.open()
    try:
        async with database.read() as session:
            return [dict(r) for r in await session.fetch("SELECT * FROM wobbly_thing")]
    finally:
        await database.close()


async def test_back_step_by_step_and_forward_again(database_url: str, tmp_path: Path) -> None:
    database, config = await wobbly(database_url, tmp_path)
    assert await notes(database_url) == [{"id": 1, "note": "third"}]
    assert await migrate_back(database, "wobbly", config, until="m0002") == ["m0003"]
    assert await notes(database_url) == [{"id": 1, "note": "first"}]
    assert await migrate_back(database, "wobbly", config, until="m0001") == ["m0002"]
    assert await notes(database_url) == []
    assert await migrate_back(database, "wobbly", config) == ["m0001"]
    assert await migrate_back(database, "wobbly", config) == []
    with pytest.raises(Exception, match="wobbly_thing"):
        await notes(database_url)
    await migrate(database, {"newel": APP_CONFIG, "wobbly": config})
    assert await notes(database_url) == [{"id": 1, "note": "third"}]
    await database.close()


async def test_a_step_that_fails_leaves_everything_as_it_was(database_url: str, tmp_path: Path) -> None:
    broken = {name: "DROP NONSENSE;\n" for name in STEPS if "back" in name}
    database, config = await wobbly(database_url, tmp_path, **broken)
    with pytest.raises(MigrationFailed, match="m0002 backwards of 'wobbly'"):
        await migrate_back(database, "wobbly", config)
    assert await notes(database_url) == [{"id": 1, "note": "third"}]
    await database.close()


def test_a_step_that_does_more_than_add_must_say_how(tmp_path: Path) -> None:
    (tmp_path / "m0001.sql").write_text(STEPS["m0001.sql"])
    (tmp_path / "m0002.sql").write_text(STEPS["m0002.sql"])
    assert undoing(tmp_path / "m0001.sql") == ['DROP INDEX "wobbly_thing_id"', 'DROP TABLE "wobbly_thing"']
    with pytest.raises(NewelError, match=r"m0002\.back\.sql: INSERT"):
        undoing(tmp_path / "m0002.sql")
