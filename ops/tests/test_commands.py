"""The commands as they are typed: what they print, and the code they end with."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result
from newel.cli import main
from newel.config import Config
from newel.manifest import Manifest

from ops.tests.test_plan import conflicts, plugin


def newel(folder: Path, *arguments: str) -> Result:
    """What a command prints and ends with; lines break where the terminal of the day is wide enough, so tests join them."""
    return CliRunner().invoke(main, ["--config", str(folder / "newel.toml"), *arguments])


def stated(folder: Path, *lines: str) -> None:
    """A newel.toml without plugins, but for what the lines say."""
    (folder / "newel.toml").write_text("\n".join(['database = "sqlite:///newel.db"', *lines]) + "\n", "utf-8")


def test_a_conflict_ends_the_plan_with_code_1(tmp_path: Path) -> None:
    stated(tmp_path, 'plugins = ["sales"]', "[settings.sales]", "quotation_weeks = 3")
    done = newel(tmp_path, "plan")
    assert done.exit_code == 1 and "there is no setting 'quotation_weeks'" in done.output
    rows = json.loads(newel(tmp_path, "plan", "--json").output)
    assert rows[0]["level"] == "conflict" and {"about", "difference", "do"} <= set(rows[0])
    assert newel(tmp_path, "apply").exit_code == 2
    assert not (tmp_path / "newel.db").exists()


def test_missing_packages_are_named_and_installed_when_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stated(tmp_path, 'plugins = ["sales", "loyalty ~= 1.4"]')
    done = newel(tmp_path, "apply")
    assert done.exit_code == 1 and "pip install 'newel-loyalty~=1.4'" in " ".join(done.output.split())
    ran: list[Any] = []
    monkeypatch.setattr("subprocess.run", lambda command, check: ran.append(command[1:]) or SimpleNamespace(returncode=0))
    done = newel(tmp_path, "apply", "--install")
    assert done.exit_code == 0
    assert ran[0] == ["-m", "pip", "install", "newel-loyalty~=1.4"]
    assert ran[1] == ["-m", "newel.cli", "--config", str(tmp_path / "newel.toml"), "apply"], "in a new process, which sees the new packages"


def test_an_install_from_nothing_to_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    stated(tmp_path, "plugins = []", "[roles.packer]", 'permissions = ["newel.item.view"]')
    assert "made" in newel(tmp_path, "plan").output
    assert "migration newel m0001" in newel(tmp_path, "apply").output
    assert newel(tmp_path, "init", "--password", "quite a long password").exit_code == 0
    assert newel(tmp_path, "apply").output == "role packer: newel.item.view\n"
    assert newel(tmp_path, "apply").output.startswith("nothing to do")
    assert "tables" in newel(tmp_path, "backup", str(tmp_path / "a.zip")).output
    again = newel(tmp_path, "backup", str(tmp_path / "a.zip"))
    assert again.exit_code == 2 and "is there already" in " ".join(again.output.split())
    assert newel(tmp_path, "clone", "--neutral", f"sqlite:///{tmp_path / 'copy.db'}").exit_code == 0
    assert newel(tmp_path, "rehearse").exit_code == 0
    full = newel(tmp_path, "restore", str(tmp_path / "a.zip"))
    assert full.exit_code == 2 and "is not empty" in " ".join(full.output.split())
    other = CliRunner().invoke(main, ["--config", str(tmp_path / "newel.toml"), "restore", str(tmp_path / "a.zip"), "--replace"], input="another\n")
    assert other.exit_code == 1 and "nothing was changed" in other.output
    done = newel(tmp_path, "restore", str(tmp_path / "a.zip"), "--replace", "--yes")
    assert done.exit_code == 0 and "the checksum of every table is the same" in done.output
    assert len(list(tmp_path.glob("*-replaced-*.zip"))) == 1


def test_an_address_that_is_taken_is_a_conflict(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "newel_taken"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "routes.py").write_text("from litestar import get\n\n@get('/')\nasync def index() -> str:\n    return ''\n\nhandlers = [index]\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    taken = plugin("documents", Manifest(name="documents", label="Documents", routes="newel_taken.routes:handlers"))
    (found,) = conflicts(Config(database=sqlite_url), {"documents": taken})
    assert found.about == "plugin documents" and "addresses under" in found.text
