"""The plugins among the examples: built, installed outside of the repository, and tested there as a third party would."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_sdk import installed, passes

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.mark.parametrize("name", ["minimal_plugin", "loyalty_plugin"])
def test_an_example_passes_its_own_tests_outside_of_the_repository(name: str, tmp_path: Path) -> None:
    root = Path(shutil.copytree(EXAMPLES / name, tmp_path / name))
    passes(root, installed(root, tmp_path / "site"))


def test_the_example_of_loyalty_has_the_highest_level(tmp_path: Path) -> None:
    """But for its speed, which a machine that others use too can't say."""
    environment = installed(EXAMPLES / "loyalty_plugin", tmp_path / "site")
    examine = "import asyncio; from newel_sdk.conformance import examine; faults = asyncio.run(examine('loyalty')).faults"
    script = f"{examine}\nprint(*[f for f in faults if f.check != 'budget'], sep='\\n')"
    done = subprocess.run([sys.executable, "-c", script], env=environment, check=False, capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout.strip() == "", done.stdout + done.stderr
    assert done.returncode == 0, done.stderr


def test_the_smallest_plugin_is_one_file() -> None:
    """One file's worth of code: fewer than fifty lines, blank ones counted."""
    assert len((EXAMPLES / "minimal_plugin" / "newel_minimum.py").read_text("utf-8").splitlines()) < 50
