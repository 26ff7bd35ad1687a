"""Servers of the tests that go beyond one machine, in folders of their own: a primary with a streaming replica, and Redis."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from newel_sdk.servers import Cluster

WAIT = 300


async def until(true: Callable[[], Awaitable[bool]], seconds: float = WAIT) -> None:
    """Wait for something that other processes do."""
    async with asyncio.timeout(seconds):
        while not await true():  # noqa: ASYNC110 (there is no event to wait for)
            await asyncio.sleep(0.05)


class Node(Cluster):
    """A cluster that can be killed and started again."""

    @property
    def process(self) -> int:
        """Id of the server's main process."""
        return int((self.data / "postmaster.pid").read_text().splitlines()[0])

    def kill(self) -> None:
        """Kill the server and all of its children, as a machine that loses power would."""
        main = self.process
        children = subprocess.run(["pgrep", "-P", str(main)], capture_output=True, text=True, check=False).stdout.split()
        for one in [main, *map(int, children)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        until = time.monotonic() + WAIT
        while Path(f"/proc/{main}").exists() and time.monotonic() < until:
            time.sleep(0.01)

    def start(self) -> None:
        """Start it, also after a kill."""
        self.run("pg_ctl", "start", "--wait", "--silent", "-D", str(self.data), "-l", str(self.folder / "server.log"), "-o", self.options)

    @property
    def options(self) -> str:
        """Of the server: a socket in its folder, and no network address."""
        return f"-c listen_addresses='' -c unix_socket_directories='{self.folder}' -c max_connections=300 -c hot_standby_feedback=on"


class Standby(Node):
    """A streaming replica of another cluster, made by pg_basebackup."""

    def __init__(self, folder: Path, primary: Cluster) -> None:
        super().__init__(folder)
        self.primary = primary

    def _start(self) -> None:
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres")
        self.run("pg_basebackup", "-h", str(self.primary.folder), "-U", "postgres", "-D", str(self.data), "-R", "--checkpoint=fast", "--no-sync")
        self.start()

    def replay(self, go_on: bool) -> None:
        """Stop applying what the primary sends, or go on."""
        self.sql(f"SELECT pg_wal_replay_{'resume' if go_on else 'pause'}()")


class Redis:
    """redis-server on a socket in a folder, which keeps nothing on disk: what it forgets when it is killed is the point."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"unix://{folder}/redis.sock"
        self._running: subprocess.Popen[bytes] | None = None

    @staticmethod
    def program() -> str | None:
        """The server's program; None where there is none."""
        return shutil.which("redis-server")

    def start(self) -> None:
        """Start it empty and wait until it answers."""
        program = self.program()
        assert program
        command = [program, "--port", "0", "--unixsocket", f"{self.folder}/redis.sock", "--save", "", "--appendonly", "no", "--dir", str(self.folder)]
        with (self.folder / "redis.log").open("a") as log:
            self._running = subprocess.Popen(command, stdout=log, stderr=log)
        until = time.monotonic() + WAIT
        while subprocess.run(["redis-cli", "-s", f"{self.folder}/redis.sock", "ping"], capture_output=True, check=False).stdout != b"PONG\n":
            assert time.monotonic() < until, "redis-server did not start"
            time.sleep(0.02)

    def flush(self) -> None:
        """Forget everything, and go on."""
        subprocess.run(["redis-cli", "-s", f"{self.folder}/redis.sock", "flushall"], capture_output=True, check=True)

    def kill(self) -> None:
        """Kill it without warning."""
        if self._running:
            self._running.kill()
            self._running.wait()
            self._running = None
