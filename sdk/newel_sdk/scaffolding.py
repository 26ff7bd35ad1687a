"""A new plugin: a working distribution from the templates in scaffold/."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

from newel.errors import NewelError

FOLDER = Path(__file__).parent / "scaffold"
PARTS = {
    "table": "a table with its migration, as a record kind with list, form, import and API",
    "screen": "a page of its own, in the navigation",
    "api": "an operation of the JSON API",
    "translation": "German words",
    "story": "a story in plain words that runs as a test",
}
NEEDS = {"screen": "table", "api": "table", "story": "table"}
NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
NAME_LENGTH = 30
TAKEN = ("newel", "shop", "api", "records", "documents", "document", "report", "static", "login", "health")

# template -> (its place in the distribution, the part that it belongs to)
FILES: dict[str, tuple[str, str]] = {
    "pyproject.toml": ("pyproject.toml", ""),
    "README.md": ("README.md", ""),
    "CHANGELOG.md": ("CHANGELOG.md", ""),
    "init.py": ("{package}/__init__.py", ""),
    "hooks.py": ("{package}/hooks.py", ""),
    "rules.py": ("{package}/rules.py", ""),
    "facts.py": ("{package}/facts.py", "table"),
    "tables.py": ("{package}/tables.py", "table"),
    "piccolo_app.py": ("{package}/piccolo_app.py", "table"),
    "m0001.sql": ("{package}/migrations/m0001.sql", "table"),
    "routes.py": ("{package}/routes.py", "screen api"),
    "overview.html": ("{package}/templates/{name}/overview.html", "screen"),
    "de.po": ("{package}/locale/de.po", "translation"),
    "test_conformance.py": ("tests/test_conformance.py", ""),
    "test_rules.py": ("tests/test_rules.py", ""),
    "test_hooks.py": ("tests/test_hooks.py", ""),
    "test_screen.py": ("tests/test_screen.py", "screen"),
    "story_discount.md": ("tests/story_discount.md", "story"),
}


def parts(without: Collection[str] = ()) -> dict[str, bool]:
    """Which parts a plugin gets; what needs a part that is left out is left out with it.

    Raises:
        NewelError: there is no such part.
    """
    unknown = sorted(set(without) - set(PARTS))
    if unknown:
        raise NewelError(f"there is no part {', '.join(unknown)}: what can be left out is {', '.join(PARTS)}")
    return {part: part not in without and NEEDS.get(part) not in without for part in PARTS}


def scaffold(name: str, folder: Path, without: Collection[str] = ()) -> list[Path]:
    """Write a plugin into `folder`/newel-<name>; returns its files.

    Args:
        name: of the plugin: lower case letters, digits and single underscores.
        without: parts to leave out, see PARTS.

    Raises:
        NewelError: the name can't be one, or the folder is not empty; nothing is written then.
    """
    import jinja2  # not before it is needed: `newel --help` loads this module

    if not NAME.fullmatch(name) or len(name) > NAME_LENGTH or name in TAKEN:
        raise NewelError(
            f"{name!r} can't be the name of a plugin: expected up to {NAME_LENGTH} of a-z, 0-9 and _, beginning with a letter, and not {', '.join(TAKEN)}"
        )
    chosen = parts(without)
    root = folder / f"newel-{name.replace('_', '-')}"
    if root.exists() and any(root.iterdir()):
        raise NewelError(f"{root} is there already and not empty: choose another name or folder")
    values: dict[str, Any] = {"name": name, "dashed": name.replace("_", "-"), "label": name.replace("_", " ").capitalize(), **chosen}
    # Source code and not a page: nothing is escaped.
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(FOLDER), keep_trailing_newline=True, undefined=jinja2.StrictUndefined, autoescape=False)  # noqa: S701
    written: list[Path] = []
    for template, (place, part) in FILES.items():
        if part and not any(chosen[p] for p in part.split()):
            continue
        path = root / place.format(package=f"newel_{name}", name=name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(environment.get_template(f"{template}.jinja").render(values), "utf-8")
        written.append(path)
    (root / f"newel_{name}" / "py.typed").touch()
    return written
