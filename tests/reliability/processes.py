"""Real processes of an install: `newel serve` and `newel worker` on the loopback, killed without warning, stopped dead, and started again."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from newel.config import Config, load
from newel.domain.context import Context
from newel.services.app import Newel
from newel.services.setup import create_admin, set_up_company
from newel_sdk.servers import free_port
from newel_sdk.testing import item, party

from tests.reliability import effects
from tests.reliability.plants import VARIABLE

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "correct horse battery"
START_SECONDS = 300  # on cores that others keep busy
PLUGINS = ("invoicing", "receivables", "inventory", "effects")
KIND = "invoicing.invoice"


class Install:
    """A company in a folder: its newel.toml, its database, and a plugin whose effects are kept in a file.

    Args:
        lease: seconds for which a worker may keep what it has taken.
        plant: a fault for its processes; see plants.py.
        every: with every plugin that is installed, and not only those that the other tests need.
    """

    def __init__(self, folder: Path, database: str, *, plant: str = "", lease: float = 300, every: bool = False) -> None:
        self.folder, self.database = folder, database
        self.received = folder / "effects.txt"
        self.received.touch()
        plugins = "" if every else f"plugins = {list(PLUGINS)}\n".replace("'", '"')
        (folder / "newel.toml").write_text(f'database = "{database}"\n{plugins}', "utf-8")
        made = folder / "installed" / "newel_effects-1.dist-info"
        made.mkdir(parents=True)
        (made / "METADATA").write_text("Metadata-Version: 2.1\nName: newel-effects\nVersion: 1\n", "utf-8")
        (made / "entry_points.txt").write_text("[newel.plugins]\neffects = tests.reliability.effects\n", "utf-8")
        self.environment = {
            **os.environ, "NEWEL_CONFIG": str(folder / "newel.toml"), "PYTHONPATH": f"{made.parent}{os.pathsep}{ROOT}", VARIABLE: plant,
            effects.RECEIVER: str(self.received), "NEWEL_LEASE_SECONDS": str(lease),
        }  # fmt: skip
        self.token = ""

    @asynccontextmanager
    async def app(self) -> AsyncIterator[tuple[Newel, Context]]:
        """The install in this process, to build data and to look at it."""
        from newel_sdk.kit import modules

        found = {**modules([p for p in PLUGINS if p != "effects"]), "effects": effects}
        app = Newel(Config(database=load(self.folder / "newel.toml").database), found)
        await app.start()
        try:
            company = await set_up_company(app, code="MAIN", name="Main", currency="EUR", country="DE")
            yield app, app.system(company)
        finally:
            await app.close()

    async def set_up(self) -> None:
        """A company with a customer, an item and an administrator with a token."""
        async with self.app() as (app, context):
            await create_admin(app, "admin", PASSWORD)
            user = await app.users.authenticate("admin", PASSWORD)
            assert user
            self.token = await app.users.create_token(user, "test", 10)
            await party(app, context, "C1", terms="NET30")
            await item(app, context, "BOLT", price="10.00", cost="2.00")

    def effects(self) -> list[str]:
        """What the world outside was told, in order, with what it was told twice."""
        return self.received.read_text("utf-8").split("\n")[:-1]


class Process:
    """One process of an install."""

    def __init__(self, install: Install, *arguments: str) -> None:
        self.install, self.arguments = install, arguments
        self.log = install.folder / f"{arguments[0]}.log"
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, or start it again."""
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "tests.reliability.child", *self.arguments]
            self._running = subprocess.Popen(command, env=self.install.environment, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)

    def kill(self) -> None:
        """As when the power goes: no warning, no last word."""
        if self._running is not None:
            self._running.send_signal(signal.SIGKILL)
            self._running.wait()
            self._running = None

    def freeze(self) -> None:
        """Stop it where it stands."""
        assert self._running
        self._running.send_signal(signal.SIGSTOP)
        while Path(f"/proc/{self._running.pid}/stat").read_text().split()[2] != "T":
            time.sleep(0.001)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._running
        self._running.send_signal(signal.SIGCONT)

    @property
    def alive(self) -> bool:
        """It runs."""
        return self._running is not None and self._running.poll() is None

    def megabytes(self) -> float:
        """What it keeps in memory."""
        assert self._running
        lines = Path(f"/proc/{self._running.pid}/status").read_text("utf-8").splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


class Plain:
    """A module of the tests in a process of its own. log: what it printed."""

    def __init__(self, log: Path, *command: str) -> None:
        self.log, self.command = log, command
        self.start()

    def start(self) -> None:
        """Start it."""
        with self.log.open("ab") as log:
            self._running = subprocess.Popen([sys.executable, "-m", *self.command], cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)

    def kill(self) -> None:
        """Without warning."""
        self._running.kill()
        self._running.wait()

    def restart(self) -> None:
        """Kill it, and start it again."""
        self.kill()
        self.start()


class Server(Process):
    """`newel serve` on a free port."""

    def __init__(self, install: Install) -> None:
        self.port = free_port()
        super().__init__(install, "serve", "--host", "127.0.0.1", "--port", str(self.port))
        self.url = f"http://127.0.0.1:{self.port}"

    async def up(self, seconds: float = START_SECONDS) -> None:
        """Start it and wait until its database answers, so long at most."""
        self.start()
        until = time.monotonic() + seconds
        async with httpx.AsyncClient() as client:
            while time.monotonic() < until:
                try:
                    if (await client.get(f"{self.url}/health/ready")).is_success:
                        assert " is off" not in self.log.read_text("utf-8"), self.log.read_text("utf-8")[-3000:]
                        return
                except httpx.TransportError:
                    assert self.alive, self.log.read_text("utf-8")[-3000:]
                await asyncio.sleep(0.05)
        raise TimeoutError(f"the server did not answer within {seconds} s:\n{self.log.read_text('utf-8')[-3000:]}")


class Clients:
    """Clients that post invoices without a pause. Each keeps its request and key until it has an answer, over any death of the server."""

    def __init__(self, server: Server, count: int = 8) -> None:
        self.server, self.count = server, count
        self.acknowledged: dict[str, str] = {}
        self.repeated = 0
        self.wrong: list[str] = []
        self._stopped = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Clients:
        self._tasks = [asyncio.create_task(self._work(n)) for n in range(self.count)]
        return self

    async def __aexit__(self, kind: Any, *_: Any) -> None:
        """Every request gets its answer first, unless the test has failed already."""
        self._stopped.set()
        for task in self._tasks if kind else ():
            task.cancel()
        async with asyncio.timeout(START_SECONDS):
            await asyncio.gather(*self._tasks, return_exceptions=bool(kind))

    async def _work(self, client: int) -> None:
        headers = {"Authorization": f"Bearer {self.server.install.token}"}
        async with httpx.AsyncClient(base_url=self.server.url, headers=headers, timeout=30) as http:
            n = 0
            while not self._stopped.is_set():
                await self._post(http, f"{client}-{n}")
                n += 1

    async def _post(self, http: httpx.AsyncClient, key: str) -> None:
        body = {"party": "C1", "lines": [{"item": "BOLT", "quantity": str(len(key))}]}
        while True:
            try:
                answer = await http.post(f"/api/documents/{KIND}?then=post", json=body, headers={"Idempotency-Key": key})
            except httpx.TransportError:
                self.repeated += 1
                await asyncio.sleep(0.1)
                continue
            if answer.status_code == 201:
                self.acknowledged[key] = answer.json()["document"]["number"]
                return
            if answer.status_code < 500 and answer.json()["problems"][0]["code"] != "busy":
                self.wrong.append(f"{key}: {answer.status_code} {answer.text[:300]}")
                return
            self.repeated += 1
            await asyncio.sleep(0.02)


def copied(url: str, target: Path, *, wal: bool = True) -> str:
    """A SQLite database as its files are at this moment: the address of the copy. wal: with the log that holds the last commits."""
    source = Path(url.removeprefix("sqlite:///"))
    for suffix in ("", "-wal") if wal else ("",):
        if (there := Path(f"{source}{suffix}")).exists():
            shutil.copyfile(there, f"{target}{suffix}")
    return f"sqlite:///{target}"
