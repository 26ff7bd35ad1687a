"""The page of hooks is true: a section for each, equal to its signature, with an example that runs; and every hook is used."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from newel import defaults, hookspecs
from newel.plugins import Plugins, discover

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "hooks.md").read_text("utf-8")
HOOKS = {n: f for n, f in vars(hookspecs).items() if hasattr(f, "newel_spec")}
VERBS = {"register": False, "load": True, "propose": False, "decide": False, "check": False, "after": True}
RETURNS = {"register": "Manifest", "load": "Any", "propose": "Sequence[", "decide": "| None", "check": "Sequence[Problem]", "after": "None"}


def headings() -> dict[str, str]:
    return {h.split("(")[0]: h for h in re.findall(r"^## (.+)$", PAGE, re.MULTILINE)}


def example(hook: str) -> dict[str, Any]:
    """What the page's code gives: the shared imports, every section before (they may use its structs), and the hook's own."""
    shared, *sections = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    scope: dict[str, Any] = {}
    for text in [shared, *sections]:
        for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
            exec(compile(code, f"hooks.md {text.split('(')[0][:30]}", "exec"), scope)
        if text.startswith(hook + "("):
            break
    return scope


def test_the_file_is_short() -> None:
    assert len(inspect.getsource(hookspecs).splitlines()) <= 300


def test_page_and_file_have_the_same_hooks() -> None:
    assert list(headings()) == list(HOOKS)


@pytest.mark.parametrize("hook", HOOKS)
def test_heading_is_signature(hook: str) -> None:
    assert headings()[hook] == f"{hook}({', '.join(inspect.signature(HOOKS[hook]).parameters)})"


@pytest.mark.parametrize("hook", HOOKS)
def test_the_verb_tells_the_contract(hook: str) -> None:
    verb = hook.split("_", maxsplit=1)[0]
    assert inspect.iscoroutinefunction(HOOKS[hook]) == VERBS[verb]
    assert RETURNS[verb] in str(inspect.signature(HOOKS[hook]).return_annotation)
    assert inspect.getdoc(HOOKS[hook])


@pytest.mark.parametrize("hook", HOOKS)
def test_the_example_is_a_plugin(hook: str) -> None:
    scope = example(hook)
    found = Plugins({"loyalty": SimpleNamespace(**{hook: scope[hook], "register_plugin": scope["register_plugin"]})})
    assert found.implementers(hook) == ("loyalty",)


@pytest.mark.parametrize("hook", HOOKS)
def test_a_plugin_or_the_kernel_uses_it_and_a_test_names_it(hook: str) -> None:
    def defines(path: Path) -> bool:
        return any(isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef)) and n.name == hook for n in ast.parse(path.read_text("utf-8")).body)

    used = [p for p in [ROOT / "core/newel/defaults.py", *ROOT.glob("plugins/*/*/newel_*/hooks.py")] if p.exists() and defines(p)]
    assert used, f"nobody implements {hook}: a hook ships only with somebody who uses it"
    tests = [*ROOT.glob("core/tests/*.py"), *ROOT.glob("plugins/*/*/tests/*.py"), *ROOT.glob("tests/*.py")]
    assert any(hook in p.read_text("utf-8") for p in tests if p != Path(__file__))


@pytest.mark.parametrize("hook", HOOKS)
def test_the_page_says_who_uses_it(hook: str) -> None:
    section = PAGE.split(f"\n## {hook}(")[1].split("\n## ")[0]
    written = re.search(r"^Used by: ([^.]+)\.$", section, re.MULTILINE)
    assert written, f"{hook}: a line 'Used by: ...' was expected"
    bundled = {p.name for p in ROOT.glob("plugins/*/*") if p.is_dir()}
    using = set(Plugins({n: m for n, m in discover()[0].items() if n in bundled}).implementers(hook))
    names = ["the kernel"] * hasattr(defaults, hook) + (["every plugin"] if using == bundled else sorted(using))
    assert re.split(r",\s+", written[1]) == names
