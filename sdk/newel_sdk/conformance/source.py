"""What the source tells without running it: floats, imports, other people's tables, rules that reach the world, size, documentation."""

from __future__ import annotations

import ast
import builtins
import datetime
import dis
import inspect
import re
import sys
from collections.abc import Iterator
from functools import cache
from types import CodeType, FunctionType, ModuleType
from typing import Any

import importlib_metadata
from newel.plugins import GROUP, discover
from newel.store import tables_document, tables_master
from newel.store.describe import table_name
from piccolo.table import Table

from newel_sdk.conformance.subject import Subject
from newel_sdk.surface import MODULES, OPEN, used

FUNCTION_LINES, FILE_LINES, PLUGIN_LINES = 50, 300, 500
SECTIONS = ("What it does", "Settings", "Permissions", "Problems", "Removal", "Limits")
RULES = ("propose_", "decide_", "check_")
# Modules that reach the world outside, or differ from call to call.
OUTSIDE = {
    "asyncio", "asyncpg", "aiosqlite", "ftplib", "http", "httpx", "os", "pathlib", "random", "requests", "secrets", "shutil", "smtplib", "socket", "sqlite3",
    "ssl", "subprocess", "tempfile", "threading", "time", "urllib", "uuid",
}  # fmt: skip
QUERIES = {"fetch", "run_sync", "run_sql", "execute", "executemany", "read_text", "write_text"}
CLOCKS = {"now", "today", "utcnow"}
WRITES = re.compile(r'\b(INSERT INTO|UPDATE|DELETE FROM)\s+"?([a-z_]+)"?')
READS = re.compile(r'\b(FROM|JOIN)\s+"?([a-z_]+)"?')


def money(subject: Subject) -> Iterator[str]:
    """No float anywhere: amounts, prices, quantities and rates are Decimal, and scaled integers in the database."""
    for place, node in subject.nodes(ast.Constant, ast.Name):
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield f'{place}: the float {node.value!r}; write Decimal("{node.value!r}")'
        elif isinstance(node, ast.Name) and node.id == "float":
            yield f"{place}: float; numbers are Decimal"


def imports(subject: Subject) -> Iterator[str]:
    """It imports Newel, what Newel needs, what pyproject.toml declares, and plugins that the manifest declares as needed; nothing else."""
    needed = {f"newel_{name}" for name in subject.declared.needs}
    plugins = {p.value.partition(".")[0] for p in importlib_metadata.entry_points(group=GROUP)}
    only_types = {id(inner) for _, node in subject.nodes(ast.If) if ast.unparse(node.test).endswith("TYPE_CHECKING") for inner in ast.walk(node)}
    declared = {_distribution(r) for r in [*subject.requirements, *(importlib_metadata.requires("newel") or ())]} | {"newel"}
    for place, node in subject.nodes(ast.Import, ast.ImportFrom):
        if id(node) in only_types:  # never runs
            continue
        modules = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""] if not node.level else []
        for top in {m.partition(".")[0] for m in modules} - {subject.package, *sys.stdlib_module_names}:
            if top in needed:
                continue
            if top in plugins:
                yield f"{place}: imports {top}, which the manifest does not declare: needs=({top.removeprefix('newel_')!r},)"
            elif not declared & _distributions().get(top, {top.lower().replace("_", "-")}):
                yield f"{place}: imports {top}, which pyproject.toml does not declare under dependencies"


@cache
def _distributions() -> dict[str, set[str]]:
    return {module: {d.lower().replace("_", "-") for d in found} for module, found in importlib_metadata.packages_distributions().items()}


def _distribution(requirement: str) -> str:
    return re.split(r"[^\w.-]", requirement.strip(), maxsplit=1)[0].lower().replace("_", "-")


# ---- tables of others --------------------------------------------------------------------------------------------------------------


@cache
def owners() -> dict[str, str]:
    """Table -> plugin that it belongs to ("newel" for the kernel's), of everything that is installed."""
    kernel = [
        v for module in (tables_document, tables_master) for v in vars(module).values() if isinstance(v, type) and issubclass(v, Table) and v is not Table
    ]
    found = {table_name(t): "newel" for t in kernel}
    for name, module in discover()[0].items():
        found |= {table_name(t): name for t in module.register_plugin().tables}
    return found


def tables(subject: Subject) -> Iterator[str]:
    """It writes to its own tables only (all else goes through the services), and reads those of plugins that it declares as needed."""
    known = owners() | {table_name(t): subject.name for t in subject.declared.tables}
    own = (subject.name, "")
    for place, node in subject.nodes(ast.Constant):
        if not isinstance(node.value, str):
            continue
        for verb, table in WRITES.findall(node.value):
            if known.get(table, "") not in own:
                yield f"{place}: {verb} {table}, a table of {known[table]!r}; use services.records or services.documents"
        for _verb, table in READS.findall(node.value):
            if known.get(table, "") not in (*own, "newel", *subject.declared.needs):
                yield f"{place}: reads {table}, a table of {known[table]!r}, which the manifest does not declare as needed"
    for place, call in subject.nodes(ast.Call):
        if getattr(call.func, "attr", "") in ("add", "update") and call.args and isinstance(call.args[0], ast.Name | ast.Attribute):
            table = _table(place, call.args[0])
            if table is not None and known.get(table_name(table), "") not in own:
                yield f"{place}: writes to {table_name(table)}, a table of {known[table_name(table)]!r}; use services.records or services.documents"


def _table(place: str, node: ast.expr) -> Any:
    """The table that an expression names in its module, or None."""
    module = sys.modules.get(place.partition(":")[0].removesuffix(".py").replace("/", "."))
    found: Any = vars(module).get(ast.unparse(node).partition(".")[0]) if module else None
    if isinstance(node, ast.Attribute) and found is not None:
        found = getattr(found, node.attr, None)
    return found if isinstance(found, type) and issubclass(found, Table) else None


# ---- purity ------------------------------------------------------------------------------------------------------------------------


def pure(subject: Subject) -> Iterator[str]:
    """Rules reach no database, file, network, clock or chance: they follow from what they are handed."""
    for name, function in subject.hooks.items():
        if name.startswith(RULES):
            for place, what in sorted(set(_reached(subject, function))):
                yield f"{name} reaches {what} in {place}: load it in load_facts, take the time from context.now"


def _reached(subject: Subject, start: Any) -> Iterator[tuple[str, str]]:
    """(function, what it reaches) of everything in the plugin's package that can be called from here."""
    todo, seen = [start], set()
    while todo:
        function = todo.pop()
        if id(function) in seen or not isinstance(function, FunctionType):
            continue
        seen.add(id(function))
        place = f"{function.__module__}.{function.__qualname__}"
        for value, what in _used(function):
            if what:
                yield place, what
            elif isinstance(value, type) and value.__module__.startswith(subject.package):
                todo += [inspect.unwrap(getattr(m, "fget", m)) for m in vars(value).values() if callable(m) or isinstance(m, property)]
            elif callable(value) and str(getattr(value, "__module__", "")).startswith(subject.package):
                todo.append(inspect.unwrap(value))


def _used(function: FunctionType) -> Iterator[tuple[Any, str]]:
    """Everything that a function takes from its module, and what is wrong with it."""
    for code in _codes(function.__code__):
        base: Any = None
        for step in dis.get_instructions(code):
            if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
                base = function.__globals__.get(step.argval, vars(builtins).get(step.argval))
                yield base, _outside(base)
            elif step.opname in ("LOAD_ATTR", "LOAD_METHOD"):
                if step.argval in QUERIES or (step.argval in CLOCKS and base in (datetime.datetime, datetime.date)):
                    yield None, f".{step.argval}()"
                base = getattr(base, step.argval, None) if isinstance(base, ModuleType | type) else None
                yield base, _outside(base)
            elif step.opname == "IMPORT_NAME" and step.argval.partition(".")[0] in OUTSIDE:
                yield None, step.argval


def _outside(value: Any) -> str:
    """What of the world outside it is; empty where it is nothing of the kind."""
    if value is open or value is input:
        return f"{value.__name__}()"
    module = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
    return str(getattr(value, "__name__", value)) if isinstance(module, str) and module.partition(".")[0] in OUTSIDE else ""


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _codes(inner)


def contract(subject: Subject) -> Iterator[str]:
    """It uses of Newel what is public, so that it goes on working with the next release."""
    private = [
        f"{m}.{n}"
        for m, n in used(subject.sources.values())
        if (m not in MODULES and m not in OPEN and f"{m}.{n}" not in OPEN) or (n.startswith("_") and n != "_")
    ]
    yield from (f"{name} is not public, and may change at any time" for name in sorted(private))


# ---- size and documentation --------------------------------------------------------------------------------------------------------


def size(subject: Subject) -> Iterator[str]:
    """Small enough to be read: a function 50 lines, a file 300, the plugin 500 without templates, migrations and tests."""
    total = 0
    for path in subject.sources:
        lines = len(path.read_text("utf-8").splitlines())
        total += lines
        if lines > FILE_LINES:
            yield f"{path.name} has {lines} lines, at most {FILE_LINES}"
    for place, node in subject.nodes(ast.FunctionDef, ast.AsyncFunctionDef):
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        if lines > FUNCTION_LINES:
            yield f"{place}: {node.name} has {lines} lines, at most {FUNCTION_LINES}"
    if total > PLUGIN_LINES:
        yield f"the plugin has {total} lines, at most {PLUGIN_LINES}: split it, or give the reason under [tool.newel.exempt] in pyproject.toml"


def documented(subject: Subject) -> Iterator[str]:
    """README.md says what it does, its settings, permissions and problems, what happens when it goes, and what it can't do."""
    if subject.root is None:
        return
    if not (subject.root / "tests" / "test_hooks.py").exists():
        yield "tests/test_hooks.py, which shows each hook at work, is missing"
    path = subject.root / "README.md"
    text = path.read_text("utf-8") if path.exists() else ""
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    yield from (f"README.md has no section {section!r}" for section in SECTIONS if section not in headings)
    for place, code in subject.problem_codes():
        if f"`{code}`" not in text:
            yield f"README.md does not name the problem `{code}` of {place}"
