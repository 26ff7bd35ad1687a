"""Real servers for tests: one private PostgreSQL cluster per run, and a browser.

A missing server skips the tests that need it; with `NEWEL_REQUIRE_SERVERS=1` it fails them, so that a pipeline cannot pass by skipping.
"""

import fcntl
import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

CLUSTER_VARIABLE = "NEWEL_TEST_CLUSTER"
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def pytest_configure(config: pytest.Config) -> None:
    """Name the folder of the cluster before pytest-xdist starts its workers, which inherit the environment."""
    if not _is_worker(config):
        os.environ[CLUSTER_VARIABLE] = tempfile.mkdtemp(prefix="newel-pg-")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the cluster, if a test started one, when all workers are done."""
    folder = os.environ.get(CLUSTER_VARIABLE)
    if _is_worker(config) or folder is None:
        return
    cluster = Cluster(Path(folder))
    if (cluster.data / "postmaster.pid").exists():
        cluster.stop()
    shutil.rmtree(folder, ignore_errors=True)
    del os.environ[CLUSTER_VARIABLE]


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
        assert programs is not None
        command = [str(programs / program), *arguments]
        if os.geteuid() == 0 and program != "psql":
            command = ["runuser", "-u", "postgres", "--", *command]
        log = self.folder / "programs.log"
        with log.open("a") as errors:  # A file, not a pipe: the server would keep a pipe open for ever.
            done = subprocess.run(command, cwd=self.folder, stdout=subprocess.PIPE, stderr=errors, text=True, check=False)
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
        options = f"-c listen_addresses='' -c unix_socket_directories='{self.folder}' -c max_connections=300 -c fsync=on"
        log = str(self.folder / "server.log")
        self.run("pg_ctl", "start", "--wait", "--silent", "-D", str(self.data), "-l", log, "-o", options)

    def stop(self) -> None:
        """Stop the server without waiting for its clients."""
        self.run("pg_ctl", "stop", "--wait", "--silent", "--mode=immediate", "-D", str(self.data))

    def sql(self, statement: str) -> None:
        """Run one statement outside any database under test."""
        self.run("psql", "-qX", "-h", str(self.folder), "-U", "postgres", "-d", "postgres", "-c", statement)

    def url(self, database: str) -> str:
        """Return the address of a database of this cluster."""
        return f"postgresql://postgres@/{database}?host={self.folder}"


def _missing(what: str) -> None:
    if os.environ.get("NEWEL_REQUIRE_SERVERS") == "1":
        pytest.fail(f"{what} is missing and NEWEL_REQUIRE_SERVERS=1")
    pytest.skip(f"{what} is missing; tools/system_packages.sh installs it")


@pytest.fixture(scope="session")
def postgresql_cluster() -> Cluster:
    """Give the one cluster of this run, started by the first worker that asks and stopped at the end of the run."""
    if Cluster.programs() is None:
        _missing("the PostgreSQL server (initdb)")
    cluster = Cluster(Path(os.environ[CLUSTER_VARIABLE]))
    cluster.start_once()
    return cluster


@pytest.fixture
def postgresql_url(postgresql_cluster: Cluster) -> Iterator[str]:
    """Give the address of an empty PostgreSQL database of this test's own."""
    name = f"test_{uuid.uuid4().hex}"
    postgresql_cluster.sql(f"CREATE DATABASE {name} TEMPLATE template0")
    yield postgresql_cluster.url(name)
    postgresql_cluster.sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """Give the address of a SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'newel.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Give an empty database of this test's own, once for each engine."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Give a headless browser.

    It lasts for one module: Playwright's synchronous interface keeps an event loop running in this thread, and asynchronous tests of
    other modules could not start theirs. So a module with browser tests has no `async def` tests.
    """
    executable = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    if not Path(executable).exists():
        _missing(f"Chromium ({executable})")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_FLAGS, headless=True)
        yield browser
        browser.close()
