"""docs/guide_integrators.md is run as it stands: its files are written, its commands are typed one after another."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

GUIDE = Path(__file__).parents[2] / "docs" / "guide_integrators.md"
BLOCK = re.compile(r"^```(toml|sh)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_guide_works_as_it_stands(tmp_path: Path, postgresql_url: str) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("NEWEL_")} | {"PATH": path, "DATABASE": postgresql_url}
    said: dict[str, str] = {}
    for kind, text in BLOCK.findall(GUIDE.read_text("utf-8")):
        if kind == "toml":
            (tmp_path / "newel.toml").write_text(text, "utf-8")
            continue
        for command in text.splitlines():
            done = subprocess.run(command, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
            said.setdefault(command, "")
            said[command] = done.stdout
    assert "nothing to do" in said["newel apply"] or "promotions" in said["newel apply"]
    assert "the checksum of every table is the same" in said['newel move-db "$DATABASE"']
    assert "rows are back" in said["newel attach promotions --from promotions.zip"]
    assert "no difference" in said["newel difference newel.toml here.json"]
    assert "everything adds up" in said["newel verify"]


def test_every_command_is_in_the_guide() -> None:
    """What is not told is not found."""
    from importlib_metadata import entry_points

    text = GUIDE.read_text("utf-8")
    assert [e.name for e in entry_points(group="newel.commands") if e.value.startswith("newel_ops") and f"newel {e.name}" not in text] == []
