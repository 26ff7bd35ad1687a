"""Real servers for tests: one private PostgreSQL cluster for each run, the program of a browser, and free ports."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import socket
import subprocess
from pathlib import Path

CLUSTER_VARIABLE = "NEWEL_TEST_CLUSTER"
WAIT_SECONDS = 300  # for a server, on cores that others keep busy
PATIENCE = 60_000  # milliseconds for what a page has to show, likewise
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium_program() -> str | None:
    """The browser: what CHROMIUM names, else what is installed; None where there is none."""
    named = os.environ.get("CHROMIUM")
    if named:
        return named if Path(named).exists() else None
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def free_port() -> int:
    """A port of the loopback that is free, below those that systems give to outgoing connections: nobody gets it by chance before the server, or after it.

    Raises:
        OSError: none of a hundred is free.
    """
    for _ in range(100):
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("expected a free port from 20000 to 31999, and a hundred of them were taken; stop what listens there")


class Cluster:
    """A PostgreSQL cluster in one folder, reached through a socket in that folder and by no network address."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"

    @staticmethod
    def programs() -> Path | None:
        """Return the folder of the newest server programs: Debian keeps them out of the path."""
        versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
        found = shutil.which("initdb")
        return versions[-1].parent if versions else Path(found).resolve().parent if found else None

    def run(self, program: str, *arguments: str) -> str:
        """Run a PostgreSQL program; the server's own as the user postgres when we are root, since they refuse root."""
        programs = self.programs()
        if programs is None:
            raise FileNotFoundError("the PostgreSQL server is not installed: no initdb was found")
        command = [str(programs / program), *arguments]
        if os.geteuid() == 0 and program != "psql":
            command = ["runuser", "-u", "postgres", "--", *command]
        log = self.folder / "programs.log"
        with log.open("a") as errors:  # A file, not a pipe: the server would keep a pipe open for ever.
            done = subprocess.run(command, cwd=self.folder, stdout=subprocess.PIPE, stderr=errors, text=True, check=False)  # noqa: S603 (a fixed program with our own arguments)
        if done.returncode:
            raise RuntimeError(f"{program} failed:\n{done.stdout}\n{log.read_text()[-2000:]}")
        return done.stdout

    def start_once(self) -> None:
        """Create and start the cluster, unless another worker already has."""
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (self.folder / "started").exists():
                self._start()
                (self.folder / "started").touch()

    def _start(self) -> None:
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres")
        # Only the creation goes without syncing; the running server syncs as in production, so that tests measure what users get.
        self.run("initdb", "--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "-D", str(self.data))
        self.start()

    def start(self) -> None:
        """Start the server on data that is there."""
        options = f"-c listen_addresses='' -c unix_socket_directories='{self.folder}' -c max_connections=300 -c fsync=on"
        log = str(self.folder / "server.log")
        self.run("pg_ctl", "start", "--wait", f"--timeout={WAIT_SECONDS}", "--silent", "-D", str(self.data), "-l", log, "-o", options)

    def stop(self) -> None:
        """Stop the server without waiting for its clients."""
        self.run("pg_ctl", "stop", "--wait", f"--timeout={WAIT_SECONDS}", "--silent", "--mode=immediate", "-D", str(self.data))

    def sql(self, statement: str) -> None:
        """Run one statement outside any database under test."""
        self.run("psql", "-qX", "-h", str(self.folder), "-U", "postgres", "-d", "postgres", "-c", statement)

    def url(self, database: str) -> str:
        """Return the address of a database of this cluster."""
        return f"postgresql://postgres@/{database}?host={self.folder}"
