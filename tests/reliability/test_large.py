"""R7 and R8 with many rows: a backup comes back, and a database moves there and back, with the same checksums and a chain that is whole."""

from __future__ import annotations

import time
from collections.abc import Awaitable
from pathlib import Path
from typing import TypeVar

from newel.config import Config
from newel.services.verify import _chain
from newel_ops import copies
from newel_ops.databases import opened

from core.tests.test_engine import company
from core.tests.test_verify import a_day
from tests.reliability.conftest import Run
from tests.reliability.sizes import size
from tests.reliability.test_ledger import grown

T = TypeVar("T")
ROWS = 3  # of an entry: itself and its two sides


def _megabytes(url: str) -> float:
    return round(Path(url.removeprefix("sqlite:///")).stat().st_size / 1e6, 1)


async def test_many_rows_come_back_and_move_there_and_back(sqlite_url: str, postgresql_url: str, tmp_path: Path, run: Run) -> None:
    """Figures are seconds and the size of the SQLite file; nothing is asserted of them."""
    async with company(sqlite_url) as (app, context):
        await a_day(app, context)
        await grown(app, size("R8 rows") // ROWS)
    file, back, again = tmp_path / "all.zip", f"sqlite:///{tmp_path / 'back.db'}", f"sqlite:///{tmp_path / 'again.db'}"

    async def timed(name: str, work: Awaitable[T]) -> T:
        start = time.monotonic()
        made = await work
        run.note(**{name: f"{time.monotonic() - start:.1f} s"})
        return made

    sums = (await timed("backup", copies.backup(Config(database=sqlite_url), file))).sums
    assert await timed("restore", copies.restore(Config(database=again), file)) == sums
    assert await timed("to_postgresql", copies.move(Config(database=sqlite_url), postgresql_url)) == sums
    assert await timed("to_sqlite", copies.move(Config(database=postgresql_url), back)) == sums
    for url in (again, postgresql_url, back):
        async with opened(url) as database, database.read() as session:
            assert [f async for f in _chain(session)] == []
    run.note(rows=sum(s.rows for s in sums.values()), megabytes=_megabytes(back))
