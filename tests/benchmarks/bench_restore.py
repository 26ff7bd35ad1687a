"""How long a backup and bringing it back take, for each gigabyte of the database that it was made from. NEWEL_BENCH_RESTORE sets its order lines."""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from newel.config import Config
from newel_ops import copies
from newel_ops.databases import opened

from tests.benchmarks.figures import Figures
from tests.benchmarks.flow import LINES, shop
from tests.benchmarks.loader import multiplied

ORDER_LINES = int(os.environ.get("NEWEL_BENCH_RESTORE", "60000"))  # 60,000 are 166 MB of SQLite, 1,200,000 rows
TEMPLATE = 100
MOST = 300.0  # seconds for a gigabyte


async def _megabytes(url: str) -> float:
    async with opened(url) as database, database.read() as session:
        size = (
            "SELECT page_count * page_size AS n FROM pragma_page_count, pragma_page_size" if database.sqlite else "SELECT pg_database_size(current_database())"
        )
        return int(await session.value(size)) / 1e6


async def _seconds(work: Awaitable[Any]) -> float:
    start = time.perf_counter()
    await work
    return time.perf_counter() - start


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
async def test_a_backup_and_back(engine: str, fresh_database: Callable[[str], str], tmp_path: Path, figures: Figures) -> None:
    url, back, file = fresh_database(engine), fresh_database(engine), tmp_path / "all.zip"
    async with shop(url) as one:
        await multiplied(one, TEMPLATE, ORDER_LINES // (TEMPLATE * LINES) - 1)
    size = await _megabytes(url)
    for name, work in (("backup", copies.backup(Config(database=url), file)), ("restore", copies.restore(Config(database=back), file))):
        seconds = await _seconds(work)
        each = seconds / size * 1000
        text = f"{seconds:.0f} s for {size:,.0f} MB, {each:.0f} s a gigabyte; the file has {file.stat().st_size / 1e6:,.0f} MB"
        figures.add("restore", f"{engine}, {name}", text, f"at most {MOST:g}", each <= MOST)
