"""The kernel knows no plugin, no document kind and no country; the domain is pure."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest
from newel.plugins import discover

ROOT = Path(__file__).parents[1]
KERNEL = sorted(p for p in (ROOT / "core" / "newel").rglob("*") if p.suffix in {".py", ".html", ".js", ".css"} and "vendor" not in p.parts)
PLUGINS = sorted(p.parent.name for p in ROOT.glob("plugins/*/*/pyproject.toml"))


@pytest.mark.parametrize("path", KERNEL, ids=lambda p: str(p.relative_to(ROOT)))
def test_the_kernel_names_no_plugin(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not re.findall(r"\bnewel_(?!sdk\b)(?:" + "|".join(PLUGINS) + r")\b", text)
    kinds = [k.name for m in discover()[0].values() for k in m.register_plugin().documents]
    assert not [k for k in kinds if re.search(rf"['\"]{re.escape(k)}['\"/]", text)]


def test_the_kernel_tests_no_country() -> None:
    """Countries are data: no comparison in the kernel's services and domain has a country code in it."""
    for path in [*(ROOT / "core/newel/services").glob("*.py"), *(ROOT / "core/newel/domain").glob("*.py"), ROOT / "core/newel/defaults.py"]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Compare):
                texts = [c.value for c in ast.walk(node) if isinstance(c, ast.Constant) and isinstance(c.value, str)]
                assert not [t for t in texts if re.fullmatch(r"[A-Z]{2}", t) and t in {"DE", "AT", "US", "GB", "TR", "CN", "SI", "FR", "IT"}], path


def test_the_domain_is_pure() -> None:
    allowed = set(sys.stdlib_module_names) | {"msgspec", "newel"}
    for path in (ROOT / "core/newel/domain").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                assert name.split(".")[0] in allowed, f"{path.name} imports {name}"
                assert not name.startswith("newel.") or name.startswith("newel.domain"), f"{path.name} imports {name}"
                assert name not in ("asyncio", "sqlite3", "socket", "os", "pathlib", "time"), f"{path.name} imports {name}: the domain does no IO"


def test_no_float_near_money() -> None:
    for folder in ("core/newel", *[str(p.relative_to(ROOT)) for p in ROOT.glob("plugins/*/*/newel_*")]):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                assert not (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "float"), f"{path}:{getattr(node, 'lineno', 0)} calls float()"
