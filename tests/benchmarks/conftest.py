"""What all benchmarks share: empty databases, as many as one needs, and the table of figures at the end."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.benchmarks.figures import FIGURES, Figures, machine


@pytest.fixture(scope="session")
def figures() -> Figures:
    """Give the table that every benchmark adds to."""
    return FIGURES


@pytest.fixture
def fresh_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Give a function (engine, template) that gives the address of an empty database, a new one at each call.

    On PostgreSQL `template` is the address of a database, without connections, that is copied.
    """
    made: list[str] = []

    def make(engine: str, template: str = "template0") -> str:
        if engine == "sqlite":
            return f"sqlite:///{tmp_path / uuid.uuid4().hex}.db"
        cluster = request.getfixturevalue("postgresql_cluster")
        made.append(f"bench_{uuid.uuid4().hex}")
        cluster.sql(f"CREATE DATABASE {made[-1]} TEMPLATE {template.partition('?')[0].rpartition('/')[2]}")
        return str(cluster.url(made[-1]))

    yield make
    for name in made:
        request.getfixturevalue("postgresql_cluster").sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest, fresh_database: Callable[..., str]) -> Callable[..., str]:
    """Give what fresh_database gives, of one engine: once for each."""
    return partial(fresh_database, request.param)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print all figures of the run."""
    if FIGURES.rows:
        terminalreporter.write_line(f"\n{machine()}\n\n{FIGURES.table()}")
        FIGURES.write()
