"""The plugin that is examined, what is found, and the levels."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import importlib_metadata
import msgspec
from newel import hookspecs
from newel.manifest import Manifest
from newel.plugins import GROUP

LEVELS = ("bronze", "silver", "gold", "platinum")
SHARED_CODES = ("missing", "forbidden")
SPECS = {name: spec for name, spec in vars(hookspecs).items() if hasattr(spec, "newel_spec")}


class Fault(msgspec.Struct, frozen=True):
    """One thing that a plugin does not keep. check: name in CHECKS; message: what was expected, what came, where."""

    check: str
    message: str

    def __str__(self) -> str:
        return f"{self.check}: {self.message}"


class Subject:
    """A plugin under examination.

    Args:
        name: as in its entry point. module: its hooks.
    """

    def __init__(self, name: str, module: Any) -> None:
        self.name, self.module = name, module
        self.package = str(module.__name__).partition(".")[0]
        self.file = Path(str(module.__file__)).resolve()
        self.folder = self.file.parent
        self.single = "." not in str(module.__name__)

    @cached_property
    def manifest(self) -> Any:
        """What register_plugin returns; what it raises is a fault of the check `manifest`."""
        return self.module.register_plugin()

    @property
    def declared(self) -> Manifest:
        """The manifest, or an empty one where the plugin has none that is any good."""
        try:
            found = self.manifest
        except Exception:  # named by the check `manifest`
            found = None
        return found if isinstance(found, Manifest) else Manifest(name=self.name, label="")

    @property
    def hooks(self) -> dict[str, Callable[..., Any]]:
        """Hook implementations by name."""
        return {name: function for name, function in vars(self.module).items() if hasattr(function, "newel_impl")}

    @property
    def root(self) -> Path | None:
        """The distribution's folder, where the source is at hand."""
        found = self.folder if self.single else self.folder.parent
        return found if (found / "pyproject.toml").exists() else None

    @cached_property
    def project(self) -> dict[str, Any]:
        """pyproject.toml, where the source is at hand."""
        return tomllib.loads((self.root / "pyproject.toml").read_text("utf-8")) if self.root else {}

    @property
    def requirements(self) -> list[str]:
        """What the distribution says it needs."""
        if self.project:
            return list(self.project["project"].get("dependencies", ()))
        found = next((p for p in importlib_metadata.entry_points(group=GROUP) if p.name == self.name and p.dist is not None), None)
        return list(found.dist.requires or ()) if found is not None and found.dist is not None else []

    @property
    def exempt(self) -> dict[str, str]:
        """Checks that need not be passed, with the reason: [tool.newel.exempt] of pyproject.toml."""
        return dict(self.project.get("tool", {}).get("newel", {}).get("exempt", {}))

    @cached_property
    def sources(self) -> dict[Path, ast.Module]:
        """The Python files that people write (not migrations), as trees; the one file where the plugin is a single module."""
        if self.single:
            return {self.file: ast.parse(self.file.read_text("utf-8"))}
        paths = (p for p in sorted(self.folder.rglob("*.py")) if "migrations" not in p.relative_to(self.folder).parts)
        return {p: ast.parse(p.read_text("utf-8")) for p in paths}

    def nodes(self, *kinds: type[ast.AST]) -> Iterator[tuple[str, Any]]:
        """(place, node) of the named kinds in all sources."""
        for path, tree in self.sources.items():
            for node in ast.walk(tree):
                if isinstance(node, kinds):
                    yield f"{path.relative_to(self.folder.parent)}:{getattr(node, 'lineno', 0)}", node

    def problem_codes(self) -> Iterator[tuple[str, str]]:
        """(place, code) of the problems that its source makes, but for those that all share."""
        for place, call in self.nodes(ast.Call):
            for keyword in call.keywords if getattr(call.func, "id", "") == "Problem" else ():
                if keyword.arg == "code" and isinstance(keyword.value, ast.Constant) and keyword.value.value not in SHARED_CODES:
                    yield place, str(keyword.value.value)


def load(name: str) -> Any:
    """The module that the plugin's entry point names.

    Raises:
        AssertionError: it is not installed, or two distributions bring it.
    """
    points = [p for p in importlib_metadata.entry_points(group=GROUP) if p.name == name]
    if len(points) != 1:
        raise AssertionError(f"expected one entry point {name!r} in the group {GROUP}, got {len(points)}: is the plugin installed?")
    return points[0].load()
