"""A primary with its replica, and Redis. Where they are missing the tests skip; with NEWEL_REQUIRE_SERVERS=1 they fail."""

from __future__ import annotations

import importlib.util
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.scale.servers import Cluster, Node, Redis, Standby


def _missing(what: str) -> None:
    if os.environ.get("NEWEL_REQUIRE_SERVERS") == "1":
        pytest.fail(f"{what} is missing and NEWEL_REQUIRE_SERVERS=1")
    pytest.skip(f"{what} is missing")


class Pair(NamedTuple):
    """A primary and the replica that follows it."""

    primary: Node
    standby: Standby


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    """Give two clusters of this module's own: they are killed, and others must not feel it. In folders with short names, since sockets are in them."""
    if Cluster.programs() is None:
        _missing("the PostgreSQL server (initdb)")
    folders = [Path(tempfile.mkdtemp(prefix="newel-")) for _ in range(2)]
    primary = Node(folders[0])
    standby = Standby(folders[1], primary)
    try:
        primary.start_once()
        standby.start_once()
        yield Pair(primary, standby)
    finally:
        for node in (standby, primary):
            if (node.data / "postmaster.pid").exists():
                node.kill()
            shutil.rmtree(node.folder, ignore_errors=True)


class Urls(NamedTuple):
    """One database, as its primary and as its replica have it."""

    database: str
    replica: str


@pytest.fixture
def urls(pair: Pair) -> Urls:
    """Give an empty database on both."""
    name = f"test_{uuid.uuid4().hex}"
    pair.primary.sql(f"CREATE DATABASE {name} TEMPLATE template0")
    return Urls(pair.primary.url(name), pair.standby.url(name))


@pytest.fixture
def redis() -> Iterator[Redis]:
    """Give an empty Redis of this test's own."""
    if Redis.program() is None:
        _missing("redis-server")
    if importlib.util.find_spec("saq") is None:
        _missing("saq: pip install newel-ops[saq]")
    folder = Path(tempfile.mkdtemp(prefix="newel-"))
    server = Redis(folder)
    server.start()
    yield server
    server.kill()
    shutil.rmtree(folder, ignore_errors=True)
