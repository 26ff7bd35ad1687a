"""Eight clients at once on PostgreSQL, spread over 1, 2 and 4 processes; says what the database waits for, so that the limit has a name."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections import Counter
from typing import Any

import asyncpg
from newel.services.verify import verify

from tests.benchmarks.figures import Figures
from tests.benchmarks.flow import shop

CLIENTS = 8
SECONDS = float(os.environ.get("NEWEL_BENCH_SECONDS", "12"))
WAITS = """
SELECT CASE WHEN wait_event_type IS NULL THEN 'working' WHEN wait_event_type = 'Lock' THEN 'lock of ' || substring(query from '(?:UPDATE|FROM) "?(\\w+)')
       ELSE wait_event END AS what FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid()
"""


async def test_eight_clients(postgresql_url: str, figures: Figures) -> None:
    async with shop(postgresql_url) as one:
        await one.sold(5)
        first = 0.0
        for processes in (1, 2, 4):
            command = [sys.executable, "-m", "tests.benchmarks.client", postgresql_url, str(CLIENTS // processes), str(SECONDS)]
            pipes = {"stdin": asyncio.subprocess.PIPE, "stdout": asyncio.subprocess.PIPE}
            running = [await asyncio.create_subprocess_exec(*command, str(n), **pipes) for n in range(processes)]
            for p in running:
                assert p.stdin and p.stdout and await p.stdout.readline() == b"ready\n"
            await _asked(postgresql_url, "VACUUM ANALYZE")  # as its own service does every minute, which is long here
            start = time.time() + 0.5
            for p in running:
                p.stdin.write(f"{start}\n".encode())
                await p.stdin.drain()
            waits = await _watched(postgresql_url, start, start + SECONDS)
            answers = [(await p.communicate())[0].split() for p in running]
            assert all(len(a) == 3 for a in answers), "every process ends well"
            orders, refused, cpu = (sum(float(a[i]) for a in answers) for i in range(3))
            first = first or orders
            share = ", ".join(f"{what} {n / sum(waits.values()):.0%}" for what, n in waits.most_common(3))
            figures.add(
                "workers", f"{CLIENTS} clients, {processes} processes",
                f"{orders / SECONDS:.1f} orders/s, {orders / first:.2f} times one process; {cpu / SECONDS:.2f} CPUs of ours; "
                f"{refused:.0f} refused; database: {share}",
            )  # fmt: skip
        assert await verify(one.app) == []
        found = await _asked(postgresql_url, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        figures.at_most("workers", f"{CLIENTS} clients, deadlocks", found, 0)


async def _asked(url: str, sql: str) -> Any:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def _watched(url: str, start: float, end: float) -> Counter[str]:
    """What the database's busy connections were doing, looked at every 20 ms."""
    found: Counter[str] = Counter()
    connection = await asyncpg.connect(url)
    await asyncio.sleep(max(start - time.time(), 0))
    while time.time() < end:
        found.update(r["what"] for r in await connection.fetch(WAITS))
        await asyncio.sleep(0.02)
    await connection.close()
    return found
