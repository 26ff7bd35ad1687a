"""What the benchmarks found: one table with every figure, its target and whether it was met, printed at the end of a run.

NEWEL_BENCH_REPORT=FILE also writes the table there as Markdown; docs/performance.md takes it from that file.
"""

from __future__ import annotations

import os
import platform
import sqlite3
from pathlib import Path
from typing import NamedTuple


class Figure(NamedTuple):
    """One line of the table. met: None where there is no target."""

    topic: str
    what: str
    value: str
    target: str = ""
    met: bool | None = None


class Figures:
    """The figures of one run, in the order in which they came."""

    def __init__(self) -> None:
        self.rows: list[Figure] = []

    def add(self, topic: str, what: str, value: str, target: str = "", met: bool | None = None) -> None:
        """Keep a figure and print it at once: a long run is watched."""
        self.rows.append(Figure(topic, what, value, target, met))
        print(f"\n  {topic}, {what}: {value}" + (f" (target {target}: {'met' if met else 'MISSED'})" if target else ""), end="", flush=True)

    def at_least(self, topic: str, what: str, ratio: float, target: float, unit: str = "times") -> None:
        """A ratio that should not be smaller."""
        self.add(topic, what, f"{ratio:,.2f} {unit}", f"at least {target:,g}", ratio >= target)

    def at_most(self, topic: str, what: str, ratio: float, target: float, unit: str = "times") -> None:
        """A ratio that should not be greater."""
        self.add(topic, what, f"{ratio:,.2f} {unit}", f"at most {target:,g}", ratio <= target)

    def table(self) -> str:
        """All figures as a Markdown table."""
        lines = ["| topic | what | measured | target | |", "| --- | --- | ---: | --- | --- |"]
        marks = {None: "", True: "met", False: "**missed**"}
        lines += [f"| {r.topic} | {r.what} | {r.value} | {r.target} | {marks[r.met]} |" for r in self.rows]
        return "\n".join(lines)

    def write(self) -> None:
        """Write the table to the file that NEWEL_BENCH_REPORT names."""
        if path := os.environ.get("NEWEL_BENCH_REPORT"):
            Path(path).write_text(f"{machine()}\n\n{self.table()}\n", encoding="utf-8")


def machine() -> str:
    """Where this was measured, in one line."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    cpu = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor())
    return f"{os.cpu_count()} CPUs ({cpu}), {platform.system()}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"


FIGURES = Figures()
