"""How quickly it starts and how much memory it takes: each figure from fresh processes of its own, turn by turn."""

from __future__ import annotations

import asyncio
import os
import resource
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx

from tests.benchmarks.figures import Figures
from tests.benchmarks.flow import shop
from tests.benchmarks.site import Site, headers_of, served

ROUNDS = 7
REQUESTS = int(os.environ.get("NEWEL_BENCH_REQUESTS", "10000"))
PROGRAMS = {
    "python, nothing else": "pass",
    "import newel and its services": "import newel.services.app",
    "start with all plugins, database up to date": (
        "import asyncio\nfrom newel.config import Config\nfrom newel.services.app import Newel\n"
        "async def go():\n    app = Newel(Config(database={url!r}))\n    await app.start()\n    await app.close()\nasyncio.run(go())"
    ),
    "the same with the web application": (
        "from newel.config import Config\nfrom newel.services.app import Newel\nfrom newel.web.app import create_app\n"
        "create_app(Newel(Config(database={url!r})))"
    ),
}


async def test_start(databases: Callable[[], str], figures: Figures) -> None:
    url = databases()
    async with shop(url):
        pass
    engine = "SQLite" if url.startswith("sqlite") else "PostgreSQL"
    commands = {name: [sys.executable, "-c", text.format(url=url)] for name, text in PROGRAMS.items()}
    commands["newel --help"] = [str(Path(sys.executable).with_name("newel")), "--help"]
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(ROUNDS):
        for name, command in commands.items():
            taken[name].append(_seconds(command))
    for name, times in taken.items():
        figures.at_most("start", f"{engine}, {name}", statistics.median(times), 2, "s of CPU")


def _seconds(command: list[str]) -> float:
    """CPU of a process from its start to its end: on a machine that does nothing else, what somebody waits."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


async def test_memory_of_long_orders(databases: Callable[[], str], figures: Figures) -> None:
    """What a process grows by while it prices and writes orders of 1,000 lines: it should be given back."""
    async with shop(databases()) as one:
        engine = one.engine
        await one.sold(1, 10)
        before = resident(os.getpid())
        await one.sold(1, 1000)
        first = resident(os.getpid())
        await one.sold(4, 1000)
        last = resident(os.getpid())
        figures.add("memory", f"{engine}, orders of 1,000 lines", f"{before:.0f} MB before, {first:.0f} after one order to cash, {last:.0f} after five")


async def test_memory_of_a_web_process(databases: Callable[[], str], figures: Figures) -> None:
    """A server that has answered ten thousand requests is no larger than one that has answered a few hundred."""
    async with shop(databases()) as one:
        await one.sold(50)
        engine = one.engine
        async with served(one) as site, httpx.AsyncClient(base_url=site.url, timeout=30) as client:
            idle = resident(site.process)
            sizes = []
            for count in (500, REQUESTS):
                for n in range(count // 10):
                    answers = await asyncio.gather(*(_ask(client, site, n * 10 + i) for i in range(10)))
                    assert set(answers) == {200}
                sizes.append(resident(site.process))
        warm, after = sizes
        figures.add("memory", f"{engine}, a web process", f"{idle:.0f} MB idle, {warm:.0f} after 500 requests, {after:.0f} after {REQUESTS:,} more")
        figures.at_most("memory", f"{engine}, a web process after {REQUESTS:,} requests against after 500", after / warm, 1.2)


async def _ask(client: httpx.AsyncClient, site: Site, n: int) -> int:
    request = site.requests[n % len(site.requests)]
    headers = headers_of(site, request)
    return (await (client.post(request.path, content=request.body, headers=headers) if request.body else client.get(request.path, headers=headers))).status_code


def resident(process: int) -> float:
    """Memory of a process in MB that is its own or shared with nobody else (PSS)."""
    for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise LookupError("no Pss line")
