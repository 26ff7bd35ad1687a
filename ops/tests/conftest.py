"""The demonstration company, made once for a run and brought into each test's own database by the restore that is under test elsewhere."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from newel.config import Config
from newel.services.app import Newel
from newel_demo.company import demo
from newel_ops import copies


@pytest.fixture(scope="session")
def demo_backup(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of the demonstration company with all plugins."""
    folder = tmp_path_factory.mktemp("demo")
    config, file = Config(database=f"sqlite:///{folder / 'demo.db'}"), folder / "demo.zip"

    async def make() -> None:
        app = Newel(config)
        await app.start()
        try:
            await demo(app, documents=120)
        finally:
            await app.close()
        await copies.backup(config, file)

    asyncio.run(make())
    return file


@pytest.fixture
def demo_url(demo_backup: Path, database_url: str) -> str:
    """The demonstration company in a database of this test's own, once for each engine."""
    asyncio.run(copies.restore(Config(database=database_url), demo_backup))
    return database_url
