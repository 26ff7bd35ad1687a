"""What the tests of the promises share: a seed that is told, sizes from one table, and figures that are kept.

A failing test prints its seed; NEWEL_SEED repeats it. The figures of a run stand at its end, and in the file that NEWEL_RELIABILITY_REPORT names.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.conftest import fresh_database
from tests.reliability.sizes import soak

__all__ = ["Run", "fresh_database"]


class Run:
    """One run of a test: `chance` for everything random, `note` for what was measured."""

    def __init__(self, seed: int) -> None:
        self.seed, self.chance, self.figures = seed, random.Random(seed), dict[str, Any]()

    def note(self, **figures: Any) -> None:
        """Keep figures: what was done how often, and in how many seconds."""
        self.figures |= figures


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long run takes as long as it takes."""
    if soak():
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(pytest.mark.timeout(0), append=False)


@pytest.fixture
def run(request: pytest.FixtureRequest, record_property: Any) -> Iterator[Run]:
    """Give this run's seed and somewhere to note figures."""
    made = Run(int(os.environ.get("NEWEL_SEED", "0")) or random.SystemRandom().randrange(1, 1_000_000))
    print(f"NEWEL_SEED={made.seed}")  # noqa: T201 (pytest shows it where the test fails)
    start = time.monotonic()
    yield made
    made.note(seconds=round(time.monotonic() - start, 1), seed=made.seed)
    record_property("reliability", ", ".join(f"{name} {value}" for name, value in made.figures.items()))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Figures, one line for each test."""
    lines = [
        f"{report.nodeid.partition('::')[2]}: {value}"
        for reports in terminalreporter.stats.values()
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == "reliability" and report.when == "teardown"
    ]
    if lines:
        terminalreporter.section("reliability")
        for line in sorted(lines):
            terminalreporter.write_line(line)
    if lines and (path := os.environ.get("NEWEL_RELIABILITY_REPORT")):
        Path(path).write_text("\n".join(sorted(lines)) + "\n", "utf-8")
