"""kill -9 in the middle of posting: what was acknowledged is there, once; numbers have no gaps; every entry balances."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

from newel.services.verify import verify
from newel_sdk.testing import running

from core.tests.test_engine import company
from core.tests.toys import TOY

KILLS = 6
POSTER = textwrap.dedent(
    """
    import asyncio, sys
    from core.tests.toys import TOY, order
    from newel.config import Config
    from newel.services.app import Newel
    from newel.store.master import load_master

    async def main(url, start):
        app = Newel(Config(database=url), {"toy": TOY})
        await app.start()
        async with app.database.read() as session:
            company = next(iter((await load_master(session)).companies.values()))
        context = app.system(company, today=__import__("datetime").date(2026, 1, 15))

        async def post(worker):
            n = 0
            while True:
                key = f"{start}-{worker}-{n}"
                made = await app.documents.create("toy.invoice", order(("BOLT", 1)), context, then=["post"], key=key)
                print(key, made.document.number, flush=True)
                n += 1

        await asyncio.gather(*(post(w) for w in range(4)))

    asyncio.run(main(sys.argv[1], sys.argv[2]))
    """
)


async def test_kill_in_the_middle_of_posting(database_url: str, tmp_path: Path) -> None:
    async with company(database_url):
        pass
    acknowledged: dict[str, str] = {}
    for run in range(KILLS):
        lines = await asyncio.to_thread(_post_until_killed, database_url, str(run), tmp_path)
        for line in lines:
            key, number = line.split()
            assert key not in acknowledged
            acknowledged[key] = number
    assert len(acknowledged) > KILLS, "nothing was posted between the kills: this proves nothing"
    async with running(database_url, {"toy": TOY}) as (app, _context):
        assert await verify(app) == []
        async with app.database.read() as session:
            numbers = [r["number"] for r in await session.fetch("SELECT number FROM document WHERE kind = 'toy.invoice' AND state <> 'draft' ORDER BY id")]
            keys = {r["key"] for r in await session.fetch("SELECT key FROM idempotency_key")}
    assert set(acknowledged) <= keys and set(acknowledged.values()) <= set(numbers)
    assert sorted(numbers) == [f"IN2026-{i:05d}" for i in range(1, len(numbers) + 1)]
    assert len(keys) == len(numbers)


def _post_until_killed(url: str, start: str, folder: Path) -> list[str]:
    """Lines that a posting process printed before it was killed without warning, somewhere in its work."""
    log = folder / f"{start}.log"
    with log.open("w") as out:
        process = subprocess.Popen([sys.executable, "-c", POSTER, url, start], stdout=out, stderr=subprocess.STDOUT, cwd=Path(__file__).parents[2])
        until = time.monotonic() + 300
        while log.stat().st_size < 200 and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(0.003 * (int(start) + 1))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    text = log.read_text()
    assert "Traceback" not in text, text
    return [line for line in text.splitlines(keepends=True) if line.endswith("\n")]
