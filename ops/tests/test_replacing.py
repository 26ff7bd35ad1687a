"""`newel restore --replace`: a backup in the place of what is there, which is kept, as a whole or not at all."""

from __future__ import annotations

import asyncio
import zipfile
from pathlib import Path
from typing import Any

import pytest
from newel.config import Config
from newel.errors import NewelError
from newel.services.verify import verify
from newel_ops import copies, replacing

from ops.tests.test_copies import books_go_on, order_and_invoice, started, sums


async def test_a_backup_takes_the_place_of_what_is_there(demo_url: str, demo_backup: Path, tmp_path: Path) -> None:
    """What was there is kept in a file, as it was in its last moment; afterwards there is nothing of it left."""
    app, context = await started(demo_url)
    await order_and_invoice(app, context)
    await app.close()
    before, kept, wanted = await sums(demo_url), tmp_path / "kept.zip", tmp_path / "wanted.db"
    again = await replacing.replace(Config(database=demo_url), demo_backup, kept)
    assert await sums(demo_url) == again == await copies.restore(Config(database=f"sqlite:///{wanted}"), demo_backup)
    assert await copies.restore(Config(database=f"sqlite:///{tmp_path / 'then.db'}"), kept) == before != again
    assert await asyncio.to_thread(lambda: list(tmp_path.rglob("*.restored*"))) == []
    await books_go_on(demo_url)


async def test_what_is_there_stays_where_it_can_not_be_replaced(demo_url: str, demo_backup: Path, tmp_path: Path, monkeypatch: Any) -> None:
    """A damaged backup, a failure in the last step, a file that is there: whatever it is, not a row has changed."""
    before, bad = await sums(demo_url), tmp_path / "bad.zip"
    with zipfile.ZipFile(demo_backup) as good, zipfile.ZipFile(bad, "w") as made:
        for name in good.namelist():
            data = good.read(name)
            made.writestr(name, data.partition(b"\n")[2] if name == "tables/posting.jsonl" else data)
    with pytest.raises(NewelError, match="table posting: expected"):
        await replacing.replace(Config(database=demo_url), bad, tmp_path / "kept.zip")
    monkeypatch.setattr(replacing, "write_backup", failing)
    with pytest.raises(RuntimeError, match="planted"):
        await replacing.replace(Config(database=demo_url), demo_backup, tmp_path / "kept.zip")
    monkeypatch.undo()
    with pytest.raises(NewelError, match="is there already"):
        await replacing.replace(Config(database=demo_url), demo_backup, demo_backup)
    with pytest.raises(NewelError, match="this database is empty"):
        await replacing.replace(Config(database=f"sqlite:///{tmp_path / 'empty.db'}"), demo_backup, tmp_path / "kept.zip")
    assert await sums(demo_url) == before
    assert not (tmp_path / "kept.zip").exists()


async def failing(*_args: Any, **_more: Any) -> None:
    raise RuntimeError("planted")


async def test_a_file_that_somebody_has_open_is_not_replaced(demo_backup: Path, sqlite_url: str, tmp_path: Path) -> None:
    """A server that goes on would write into what is no longer there."""
    await copies.restore(Config(database=sqlite_url), demo_backup)
    app, _context = await started(sqlite_url)
    try:
        with pytest.raises(NewelError, match="stop the server and the workers"):
            await replacing.replace(Config(database=sqlite_url), demo_backup, tmp_path / "kept.zip")
        assert await verify(app) == []
    finally:
        await app.close()
    await replacing.replace(Config(database=sqlite_url), demo_backup, tmp_path / "later.zip")
