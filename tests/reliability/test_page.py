"""docs/reliability.md names tests, sizes and planted faults that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.reliability.plants import PLANTS, planted
from tests.reliability.sizes import SIZES

ROOT = Path(__file__).resolve().parents[2]
ROWS = [line for line in (ROOT / "docs" / "reliability.md").read_text("utf-8").splitlines() if re.match(r"\| [A-Z]\d", line) and line.count(" | ") > 3]


def test_every_test_that_is_named_is_there() -> None:
    named = re.findall(r"`([\w/]+\.py)::(\w+)`", "\n".join(ROWS))
    assert len(named) > 50
    assert [f"{path}::{name}" for path, name in named if f"def {name}(" not in (ROOT / path).read_text("utf-8")] == []


def test_every_size_is_the_one_in_the_table() -> None:
    rows = {row.split()[1].rstrip(","): row.split(" | ") for row in ROWS}
    wrong = []
    for name, (push, long) in SIZES.items():
        promise, what = name.split()
        *_, shown_push, shown_long, _plant = rows[promise]
        if f"{push:,} {what}" not in shown_push or f"{long:,} {what}" not in shown_long:
            wrong.append(f"{name}: {push:,} and {long:,}")
    assert wrong == []


def test_every_planted_fault_is_named_and_used() -> None:
    page, tests = "\n".join(ROWS), "".join(p.read_text("utf-8") for p in Path(__file__).parent.glob("test_*.py"))
    assert [name for name in PLANTS if f'"{name}"' not in page or f'"{name}"' not in tests] == []


@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_fault_still_fits_the_code_and_goes_again(name: str) -> None:
    with planted(name):
        pass
