"""A worker process of the benchmark: so many clients sell at once in one process until the time is up.

python -m tests.benchmarks.client URL CLIENTS SECONDS SEED: says when it is ready, reads the instant of the start, and prints orders, refusals and
seconds of CPU.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time

from newel.config import Config
from newel.domain.context import User
from newel.errors import Refused
from newel.services.app import Newel
from newel_sdk.testing import NOW

from tests.benchmarks.flow import Shop


async def _warmed(one: Shop) -> None:
    for _ in range(10):
        with contextlib.suppress(Refused):
            await one.sell()


async def work(url: str, clients: int, seconds: float, seed: int) -> None:
    """Sell from the start on for so many seconds; what is not paid by then is not counted."""
    app = Newel(Config(database=url), clock=lambda: NOW)
    await app.start(migrations=False)
    user = User(id=0, login="tester", name="Tester", permissions=frozenset({"*"}), companies=frozenset())
    async with app.database.read() as session:
        context = await app.context(session, user)
    shops = [Shop(app, context, seed * 100 + number) for number in range(clients)]
    await asyncio.gather(*(_warmed(one) for one in shops))  # what each connection asks for the first time is planned then
    refused = 0
    print("ready", flush=True)
    start = float(await asyncio.to_thread(sys.stdin.readline))
    end = start + seconds
    await asyncio.sleep(max(start - time.time(), 0))

    async def client(one: Shop) -> int:
        nonlocal refused
        done = 0
        while time.time() < end:
            try:
                await one.sell()
            except Refused:
                refused += 1
            else:
                done += start <= time.time() < end
        return done

    tasks = [asyncio.create_task(client(one)) for one in shops]
    cpu = time.process_time()
    await asyncio.sleep(max(end - time.time(), 0))
    cpu = time.process_time() - cpu
    done = sum(await asyncio.gather(*tasks))
    await app.close()
    print(done, refused, cpu)


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])))
