"""The repository itself: nothing of one machine in it, every plugin of the same shape, and nothing longer than its budget."""

import ast
import csv
import re
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PLUGINS = sorted(path.parent for path in ROOT.glob("plugins/*/*/pyproject.toml"))

# Put together from pieces, so that this file does not find itself.
REGISTRIES = re.compile("|".join(["pypi" + r"\.org", "python" + r"hosted\.org", "registry" + r"\.npmjs", "index" + "-url", r"https?://\S+/simp" + r"le\b"]))
MACHINE_PATHS = re.compile(r"(?<![\w.])(?:" + "|".join(["/wo" + "rk/", "/ro" + "ot/", "/ho" + r"me/\w", "bash" + "_jobs"]) + ")")
# Options of uv that keep addresses out are allowed to name what they keep out.
HARMLESS = re.compile(r"--no-emit-" + "index" + "-url")

FUNCTION_LINES = 50
FILE_LINES = 300
PLUGIN_LINES = 500
KERNEL_LINES = 14_000  # without web: docs/decisions/0006
WEB_LINES = 7_100
DOMAIN_LINES = 3_000

# What may be longer, and why. "path" for a file, "path::function" for a function. A plugin says it in its own pyproject.toml: [tool.newel.exempt].
EXEMPTIONS: dict[str, str] = {
    "core/newel/store/tables_master.py": "tables are data, a column a line",
    "core/newel/manifest.py": "what a plugin may declare, on one page",
}

PLUGIN_FILES = {"pyproject.toml", "README.md", "CHANGELOG.md", "tests"}
PACKAGE_REQUIRED = {"__init__.py", "hooks.py"}
PACKAGE_ALLOWED = PACKAGE_REQUIRED | {
    "writing.py",
    "work.py",
    "reading.py",
    "py.typed",
    "rules.py",
    "facts.py",
    "tables.py",
    "piccolo_app.py",
    "settle.py",  # a use case of the plugin's own, named by its verb
    "decide.py",  # the same
    "keep.py",  # the same
    "redraw.py",  # the same
    "arrange.py",  # the same
    "ask.py",  # the same
    "send.py",  # the same
    "answer.py",  # the same
    "take.py",  # the same
    "rehearse.py",  # the same
    "boards.py",  # of dashboards: what comes along
    "chart.py",  # of dashboards: where shapes of a drawing stand, pure
    "receivables.py",  # of dashboards: a second subject of analysis
    "paper.py",  # of prints: from a document to its pages
    "steps.py",  # of setup: what the guide asks for and makes
    "editing.py",  # of prints: the page of layouts
    "tiles.py",  # of dashboards: what a tile shows
    "codes.py",  # of scan: what stands in a barcode, pure
    "pictures.py",  # of scan: barcodes in pictures, away from the event loop
    "views.py",  # of scan: a task as a page and its script show it
    "way.py",  # of delivery_dates: calendars, routes, and from an order to the door, pure
    "checks.py",  # what must hold of records and documents, where rules.py would be too long
    "demo.toml",
    "migrations",
    "routes.py",
    "templates",
    "static",
    "locale",
}


@cache
def repository_files() -> list[Path]:
    """Return every file that is committed or would be: what git ignores is nobody's business."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def _lines_matching(pattern: re.Pattern[str]) -> list[str]:
    found = []
    for path in repository_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # An image or a font.
        for number, line in enumerate(text.splitlines(), 1):
            if match := pattern.search(HARMLESS.sub("", line)):
                found.append(f"{path.relative_to(ROOT)}:{number}: {match[0]}")
    return found


def test_no_registry_address() -> None:
    """Where packages come from is for each machine to say."""
    assert _lines_matching(REGISTRIES) == []


def test_no_machine_path() -> None:
    """A path of one machine is wrong on every other."""
    assert _lines_matching(MACHINE_PATHS) == []


def test_the_guards_find_what_they_look_for() -> None:
    """A guard that finds nothing must be able to find something."""
    assert REGISTRIES.search("https://files.python" + "hosted.org/packages")
    assert REGISTRIES.search("https://mirror.example/simp" + "le/ ")
    assert MACHINE_PATHS.search("see /wo" + "rk/main")
    assert not MACHINE_PATHS.search("templates/work/order")


def test_no_lock_with_addresses() -> None:
    """uv.lock and pylock.toml carry registry addresses; requirements.txt is the lock."""
    assert [path.name for path in repository_files() if path.name in {"uv.lock", "pylock.toml"}] == []


def test_every_requirement_is_hashed() -> None:
    """Each entry of requirements.txt is one exact version with at least one hash."""
    entries = re.split(r"\n(?=\S)", (ROOT / "requirements.txt").read_text().strip())
    assert [entry.split()[0] for entry in entries if "==" not in entry.split("\n")[0] or "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda path: path.name)
def test_a_plugin_has_the_documented_shape(plugin: Path) -> None:
    """Read one plugin, read all."""
    name, package = plugin.name, plugin / f"newel_{plugin.name}"
    present = {path.name for path in plugin.iterdir()} - {"__pycache__"}
    assert present <= PLUGIN_FILES | {package.name}, "files that no other plugin has"
    assert PLUGIN_FILES - {"tests"} <= present, "missing files"
    inside = {path.name for path in package.iterdir()} - {"__pycache__"}
    assert inside <= PACKAGE_ALLOWED, "modules that no other plugin has"
    assert inside >= PACKAGE_REQUIRED, "missing modules"
    assert (plugin / "tests" / "test_conformance.py").exists(), "every plugin passes the conformance suite"
    project = tomllib.loads((plugin / "pyproject.toml").read_text())["project"]
    assert project["name"] == f"newel-{name.replace('_', '-')}"
    assert project["entry-points"] == {"newel.plugins": {name: f"newel_{name}.hooks"}}
    for folder in ("templates", "static"):
        if (package / folder).exists():
            assert {path.name for path in (package / folder).iterdir()} == {name}, f"{folder} of a plugin are under its own name"


def test_every_plugin_is_under_the_import_contracts() -> None:
    """A package that the contracts do not list would not be checked."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    contracts = {contract["name"]: contract for contract in settings["contracts"]}
    packages = {f"newel_{plugin.name}" for plugin in PLUGINS}
    assert set(settings["root_packages"]) == packages | {"newel", "newel_demo", "newel_ops", "newel_sdk"}
    assert set(contracts["The kernel knows no plugin and no workshop"]["forbidden_modules"]) == packages | {"newel_demo", "newel_ops", "newel_sdk"}
    assert set(contracts["No plugin imports another"]["modules"]) == packages


def test_capabilities_are_listed_once() -> None:
    """An id is one promise."""
    with (ROOT / "docs" / "capabilities.csv").open(encoding="utf-8", newline="") as file:
        names = [row["id"] for row in csv.DictReader(file)]
    assert len(names) == len(set(names))


def _sources(*folders: Path) -> Iterator[Path]:
    """Yield the Python files that people write: not tests, and not migrations, which a tool writes."""
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            if not {"tests", "migrations"} & set(path.relative_to(ROOT).parts):
                yield path


def _length(*folders: Path) -> int:
    return sum(len(path.read_text(encoding="utf-8").splitlines()) for path in _sources(*folders))


def _exempt(plugin: Path) -> dict[str, str]:
    """The checks that a plugin need not pass, with the reason."""
    found: dict[str, str] = tomllib.loads((plugin / "pyproject.toml").read_text()).get("tool", {}).get("newel", {}).get("exempt", {})
    return found


def _over_budget() -> dict[str, int]:
    """Return everything that is longer than its budget, with its length."""
    over = {}
    for path in _sources(ROOT / "core", ROOT / "sdk", ROOT / "ops", ROOT / "demo", ROOT / "plugins"):
        relative, text = path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
        if (lines := len(text.splitlines())) > FILE_LINES:
            over[relative] = lines
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > FUNCTION_LINES:
                    over[f"{relative}::{node.name}"] = lines
    over.update({plugin.name: lines for plugin in PLUGINS if (lines := _length(plugin)) > PLUGIN_LINES and "size" not in _exempt(plugin)})
    return over


def test_nothing_is_longer_than_its_budget() -> None:
    """Split it, or give the reason (see EXEMPTIONS); one that is no longer needed goes."""
    over = _over_budget()
    assert {name: lines for name, lines in over.items() if name not in EXEMPTIONS} == {}
    assert set(EXEMPTIONS) - set(over) == set()
    assert [plugin.name for plugin in PLUGINS if "size" in _exempt(plugin) and _length(plugin) <= PLUGIN_LINES] == []


def test_the_post_is_slim() -> None:
    """The kernel grows last."""
    web = _length(ROOT / "core" / "newel" / "web")
    assert web < WEB_LINES
    assert _length(ROOT / "core" / "newel") - web < KERNEL_LINES
    assert _length(ROOT / "core" / "newel" / "domain") < DOMAIN_LINES


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda path: path.name)
def test_the_readme_of_a_plugin_names_its_hooks(plugin: Path) -> None:
    """Whoever wonders what a plugin takes part in reads it there, and it is true."""
    module = ast.parse((plugin / f"newel_{plugin.name}" / "hooks.py").read_text("utf-8"))
    implemented = {
        node.name
        for node in module.body
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and any(isinstance(d, ast.Name) and d.id == "hookimpl" for d in node.decorator_list)
    } - {"register_plugin"}
    section = (plugin / "README.md").read_text("utf-8").partition("\n## Hooks\n")[2].partition("\n## ")[0]
    assert section, "a section Hooks"
    assert set(re.findall(r"^\| `(\w+)`", section, re.MULTILINE)) == implemented
