"""Order to cash beside Tryton, in turns in one run: by user action, and each in its best case. `make bench-peers` installs it and runs this alone."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.benchmarks.figures import Figures
from tests.benchmarks.flow import shop

PYTHON = os.environ.get("NEWEL_BENCH_PEERS", "")
ROUNDS, ACTIONS = int(os.environ.get("NEWEL_BENCH_PEER_ROUNDS", "5")), 4
TOGETHER = int(os.environ.get("NEWEL_BENCH_TOGETHER", "100"))
BY_ACTION, BY_BULK = 100, 50


class Tryton:
    """The other process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def hear(self) -> dict[str, Any]:
        """Its next answer; what its libraries print is passed over."""
        assert self.process.stdout
        while line := await self.process.stdout.readline():
            if line.startswith(b"{"):
                return dict(json.loads(line))
        raise EOFError("Tryton's process has ended")

    async def ask(self, do: str, orders: int = 0) -> dict[str, Any]:
        """Have it do something."""
        assert self.process.stdin
        self.process.stdin.write(json.dumps({"do": do, "orders": orders}).encode() + b"\n")
        await self.process.stdin.drain()
        return await self.hear()


@asynccontextmanager
async def tryton(url: str, folder: Path, optimised: bool) -> AsyncIterator[Tryton]:
    """A process with an empty database of its own, set up and ready to sell."""
    if url.startswith("sqlite"):
        kind, name, where = "sqlite", "peer", {"TRYTOND_DATABASE__URI": "sqlite://", "TRYTOND_DATABASE__PATH": str(folder)}
        (folder / "peer.sqlite").touch()
    else:
        address, _, host = url.partition("?host=")
        kind, name = "postgresql", address.rpartition("/")[2]
        where = {"TRYTOND_DATABASE__URI": f"postgresql://postgres@{quote(host, safe='')}:5432/"}
    script = str(Path(__file__).with_name("tryton.py"))
    command = [PYTHON, *(["-O"] if optimised else []), script, kind, name]
    environment = {**os.environ, **where, "PYTHONWARNINGS": "ignore"}
    pipes = {"stdin": asyncio.subprocess.PIPE, "stdout": asyncio.subprocess.PIPE, "stderr": asyncio.subprocess.DEVNULL}
    process = await asyncio.create_subprocess_exec(*command, env=environment, limit=2**20, **pipes)
    other = Tryton(process)
    try:
        await other.hear()
        yield other
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@pytest.mark.skipif(not PYTHON, reason="make bench-peers installs Tryton and runs this")
@pytest.mark.timeout(7200)
async def test_beside_tryton(databases: Callable[[], str], tmp_path: Path, figures: Figures) -> None:
    """Turn by turn, so that whatever else the machine does meets both."""
    theirs, best, ours, bulk, cpu = [], [], [], [], []
    async with shop(databases()) as one, tryton(databases(), tmp_path, False) as plain:
        engine = one.engine
        await one.sold(20)
        await plain.ask("action", 3)
        for _ in range(ROUNDS):
            answer = await plain.ask("action", ACTIONS)
            theirs.append(answer["seconds"] / ACTIONS)
            await one.sold(10 * ACTIONS)
            ours.append(statistics.mean(one.meter.orders()))
            cpu.append(answer["cpu"] / ACTIONS / statistics.mean(one.meter.orders(cpu=True)))
        done = await plain.ask("check")
        assert done["orders"] == done["done"] == done["paid"], done
    async with shop(databases()) as one:
        (tmp_path / "best").mkdir()
        async with tryton(databases(), tmp_path / "best", True) as quick:
            await one.sold(20)
            await quick.ask("action", 3)
            for _ in range(2):
                best.append((await quick.ask("together", TOGETHER))["seconds"] / TOGETHER)
                at = time.perf_counter()
                await one.sell_together(TOGETHER)
                bulk.append((time.perf_counter() - at) / TOGETHER)
    action, together = statistics.median(theirs), min(best)
    figures.add("beside Tryton", f"{engine}, Tryton by action", f"{1 / action:.2f} orders/s = {action * 1000:,.0f} ms")
    figures.add("beside Tryton", f"{engine}, Tryton's best: {TOGETHER} orders a stage, python -O", f"{1 / together:.2f} orders/s = {together * 1000:,.0f} ms")
    figures.add("beside Tryton", f"{engine}, Newel by action", f"{1 / statistics.median(ours):.1f} orders/s = {statistics.median(ours) * 1000:.1f} ms")
    figures.add("beside Tryton", f"{engine}, Newel's best: {TOGETHER} orders in a transaction", f"{1 / min(bulk):.1f} orders/s = {min(bulk) * 1000:.1f} ms")
    figures.at_least("beside Tryton", f"{engine}, by action", statistics.median(t / o for t, o in zip(theirs, ours, strict=True)), BY_ACTION)
    figures.add("beside Tryton", f"{engine}, CPU of the process, by action", f"{statistics.median(cpu):.0f} times")
    figures.at_least("beside Tryton", f"{engine}, best against best", together / min(bulk), BY_BULK)
