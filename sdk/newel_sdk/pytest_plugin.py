"""The test kit as a pytest plugin, found by its entry point: databases, an install, a clock, mail, a browser, and stories.

    pytestmark = pytest.mark.plugins("loyalty", "shop")

| fixture | gives |
| --- | --- |
| `sqlite_url`, `postgresql_url` | an empty database of this test's own |
| `database_url` | the same, once for each of the two |
| `clock` | an instant that stands still until it is moved on |
| `kit` | an install with the plugins of the mark `plugins` (default: all), once on each of the two; see kit.Kit |
| `mailbox` | mail that the plugins send, in memory |
| `chromium`, `site`, `screen` | a browser, a live server with the same plugins, a page that is logged in |

A missing server skips the tests that need it; with NEWEL_REQUIRE_SERVERS=1 it fails them, so that a pipeline can't pass by skipping.
Nothing of Newel is imported before a test asks for it.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from newel_sdk.servers import CHROMIUM_FLAGS, CLUSTER_VARIABLE, PATIENCE, Cluster, chromium_program

if TYPE_CHECKING:
    from email.message import EmailMessage

    from playwright.sync_api import Browser

    from newel_sdk.kit import Clock, Kit
    from newel_sdk.site import Site, Watched


def pytest_configure(config: pytest.Config) -> None:
    """Name the folder of the cluster before pytest-xdist starts its workers, which inherit the environment."""
    config.addinivalue_line("markers", "plugins(*names): the plugins that the fixtures kit and site run; without it all that are installed")
    if not hasattr(config, "workerinput") and CLUSTER_VARIABLE not in os.environ:
        folder = tempfile.mkdtemp(prefix="newel-pg-")
        os.environ[CLUSTER_VARIABLE] = folder
        config.add_cleanup(lambda: _stop_cluster(Path(folder)))


def _stop_cluster(folder: Path) -> None:
    """Stop the cluster, if a test started one, when all workers are done."""
    os.environ.pop(CLUSTER_VARIABLE, None)
    cluster = Cluster(folder)
    if (cluster.data / "postmaster.pid").exists():
        cluster.stop()
    shutil.rmtree(folder, ignore_errors=True)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Stories are tests: files named story_*.md."""
    if file_path.suffix != ".md" or not file_path.name.startswith("story_"):
        return None
    from newel_sdk.stories import StoryFile

    collector: pytest.Collector = StoryFile.from_parent(parent, path=file_path)
    return collector


def _missing(what: str) -> None:
    if os.environ.get("NEWEL_REQUIRE_SERVERS") == "1":
        pytest.fail(f"{what} is missing and NEWEL_REQUIRE_SERVERS=1")
    pytest.skip(f"{what} is missing")


# ---- databases ---------------------------------------------------------------------------------------------------------------------


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


# ---- an install --------------------------------------------------------------------------------------------------------------------


def _chosen(request: pytest.FixtureRequest) -> tuple[str, ...] | None:
    mark = request.node.get_closest_marker("plugins")
    return tuple(mark.args) if mark else None


@pytest.fixture
def clock() -> Clock:
    """Give a clock that stands still at the morning of 2026-01-15 until the test moves it on."""
    from newel_sdk.kit import Clock

    return Clock()


@pytest.fixture(scope="session")
def prepared_databases() -> dict[tuple[str, ...] | None, str]:
    """Give names of PostgreSQL databases that are migrated and set up, by the plugins they are for: a copy is quicker than making one."""
    return {}


@pytest_asyncio.fixture(params=["sqlite", "postgresql"])
async def kit(request: pytest.FixtureRequest, clock: Clock, tmp_path: Path) -> AsyncIterator[Kit]:
    """Give an install with the plugins of the mark `plugins`, once on each database."""
    from newel_sdk.kit import kit_on

    names = _chosen(request)
    if request.param == "sqlite":
        async with kit_on(f"sqlite:///{tmp_path / 'newel.db'}", names, clock) as made:
            yield made
        return
    cluster: Cluster = request.getfixturevalue("postgresql_cluster")
    prepared: dict[tuple[str, ...] | None, str] = request.getfixturevalue("prepared_databases")
    if names not in prepared:
        name = f"ready_{uuid.uuid4().hex}"
        cluster.sql(f"CREATE DATABASE {name} TEMPLATE template0")
        async with kit_on(cluster.url(name), names):
            prepared[names] = name
    copy = f"test_{uuid.uuid4().hex}"
    cluster.sql(f"CREATE DATABASE {copy} TEMPLATE {prepared[names]}")
    async with kit_on(cluster.url(copy), names, clock) as made:
        yield made
    cluster.sql(f"DROP DATABASE {copy} WITH (FORCE)")


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> list[EmailMessage]:
    """Give the mail that is sent with aiosmtplib or smtplib while the test runs; nothing leaves the process."""
    import smtplib

    sent: list[EmailMessage] = []

    async def send(message: EmailMessage, *_args: Any, **_more: Any) -> tuple[dict[str, Any], str]:
        sent.append(message)
        return {}, "250 kept by the test"

    def send_message(_self: smtplib.SMTP, message: EmailMessage, *_args: Any, **_more: Any) -> dict[str, Any]:
        sent.append(message)
        return {}

    monkeypatch.setattr(smtplib.SMTP, "send_message", send_message)
    monkeypatch.setattr(smtplib.SMTP, "connect", lambda *_args, **_more: (220, b"kept by the test"))
    if importlib.util.find_spec("aiosmtplib"):
        monkeypatch.setattr("aiosmtplib.send", send)
    return sent


# ---- a browser ---------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Give a headless browser.

    It lasts for one module: Playwright's synchronous interface keeps an event loop running in this thread, and asynchronous tests of
    other modules could not start theirs. So a module with browser tests has no `async def` tests.
    """
    program = chromium_program()
    if program is None:
        _missing("Chromium")
    if importlib.util.find_spec("playwright") is None:
        _missing("playwright: pip install newel-sdk[browser]")
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM_FLAGS, headless=True)
        yield browser
        browser.close()


@pytest.fixture
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """Give a live server on SQLite with the plugins of the mark `plugins`; build data with site.ask(site.kit....)."""
    from newel_sdk.site import Site

    made = Site(tmp_path, _chosen(request)).up()
    yield made
    made.stop()


@pytest.fixture
def screen(request: pytest.FixtureRequest, chromium: Browser, site: Site) -> Iterator[Watched]:
    """Give a page that is logged in, 1280 pixels wide or as indirect parameters say; the test fails if the page complained about anything."""
    from newel_sdk.site import window

    with window(chromium, site, **getattr(request, "param", {})) as found:
        yield found
