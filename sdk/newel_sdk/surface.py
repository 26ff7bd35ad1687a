"""The public surface: what plugins may use of Newel, written down in docs/api_surface.txt, and what a change of it means for them.

    python -m newel_sdk.surface docs/api_surface.txt            what differs: additions, and breaks (code 1)
    python -m newel_sdk.surface docs/api_surface.txt --write    record the present surface

A thing is public if it is in one of MODULES and its name does not begin with an underscore. Each hook, class, field and argument has a line of its
own, so that the difference between two versions can be read.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
from newel import API_VERSION

# What authors may rely on. Everything else in Newel may change at any time.
MODULES = (
    "newel.config", "newel.domain.context", "newel.domain.credit", "newel.domain.document", "newel.domain.facts", "newel.domain.item", "newel.domain.kinds",
    "newel.domain.ledger", "newel.domain.master", "newel.domain.money", "newel.domain.parts", "newel.domain.party", "newel.domain.pricing",
    "newel.domain.quantity", "newel.domain.stock", "newel.domain.tax", "newel.errors", "newel.happenings", "newel.hookspecs", "newel.manifest",
    "newel.services.app", "newel.services.documents", "newel.services.outcome", "newel.services.records", "newel.store.columns", "newel.store.fulltext",
    "newel.store.session", "newel.web.markdown", "newel.web.operations", "newel_sdk.conformance", "newel_sdk.kit", "newel_sdk.strategies", "newel_sdk.testing",
)  # fmt: skip
# Whole modules whose names are too many to be listed: their tables and pages are documented elsewhere.
OPEN = (
    "newel", "newel.services", "newel.services.guards", "newel.services.pages", "newel.services.access", "newel.services.verify", "newel.store.documents",
    "newel.store.master", "newel.store.tables_document", "newel.store.tables_master", "newel.web.auth", "newel.web.render", "newel.web.views_text",
)  # fmt: skip
HEAD = "# The public surface of Newel, hooks version {}. Made by `make surface`; not edited by hand.\n"


def surface() -> dict[str, str]:
    """Every public thing -> what it is: a type with its default, or a returned type."""
    return dict(line for module in MODULES for line in _module(import_module(module)))


def _module(module: Any) -> Iterator[tuple[str, str]]:
    tree = ast.parse(inspect.getsource(module))
    constants = {
        ast.unparse(t) for n in tree.body if isinstance(n, ast.Assign | ast.AnnAssign) for t in (n.targets if isinstance(n, ast.Assign) else [n.target])
    }
    for name, value in sorted(vars(module).items()):
        if name.isupper() and name in constants:
            yield f"{module.__name__}.{name}", type(value).__name__
            continue
        if name.startswith("_") or getattr(value, "__module__", module.__name__) != module.__name__ or inspect.ismodule(value):
            continue
        place = f"{module.__name__}.{name}"
        if isinstance(value, type):
            yield from _class(place, value)
        elif inspect.isfunction(inspect.unwrap(value)):  # unwrapped: one whose answers are kept is still a function
            yield from _function(place, value)


def _class(place: str, value: type) -> Iterator[tuple[str, str]]:
    yield place, "class"
    if issubclass(value, msgspec.Struct):
        for field in msgspec.structs.fields(value):
            annotation = _annotation(value, field.name)
            optional = field.default is not msgspec.NODEFAULT or field.default_factory is not msgspec.NODEFAULT
            yield f"{place}.{field.name}", f"{annotation}{' = ...' if optional else ''}"
    for name, member in sorted(vars(value).items()):
        if name.startswith("_") or name in getattr(value, "__struct_fields__", ()):
            continue
        if isinstance(member, property):
            yield f"{place}.{name}", f"property {inspect.signature(member.fget).return_annotation if member.fget else ''}"
        elif inspect.isfunction(member):
            yield from _function(f"{place}.{name}", member)


def _annotation(value: type, name: str) -> str:
    found = next((c.__annotations__[name] for c in value.__mro__ if name in getattr(c, "__annotations__", {})), "")
    return found if isinstance(found, str) else getattr(found, "__name__", str(found))


def _function(place: str, value: Any) -> Iterator[tuple[str, str]]:
    signature = inspect.signature(value)
    returned = "" if signature.return_annotation is signature.empty else signature.return_annotation
    yield f"{place}()", f"{'async ' if inspect.iscoroutinefunction(value) else ''}-> {returned}"
    for name, parameter in signature.parameters.items():
        if name != "self":
            annotation = "" if parameter.annotation is parameter.empty else parameter.annotation
            optional = parameter.default is not parameter.empty or parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
            yield f"{place}({name})", f"{annotation}{' = ...' if optional else ''}"


# ---- comparing ---------------------------------------------------------------------------------------------------------------------


def read(path: Path) -> tuple[int, dict[str, str]]:
    """A recorded surface: (version of the hooks, things)."""
    head, *lines = path.read_text("utf-8").splitlines()
    return int(head.partition("hooks version ")[2].partition(".")[0]), dict(line.split(": ", 1) for line in lines)


def written(found: dict[str, str]) -> str:
    """The text of docs/api_surface.txt."""
    return HEAD.format(API_VERSION) + "".join(f"{name}: {what}\n" for name, what in sorted(found.items()))


def compare(old: dict[str, str], new: dict[str, str]) -> tuple[list[str], list[str]]:
    """(additions, breaks) of a surface."""
    additions: list[str] = []
    breaks: list[str] = [f"{name}: {old[name]} is gone" for name in sorted(old.keys() - new.keys())]
    for name in sorted(new.keys() - old.keys()):
        if _must_be_given(name, new[name], old):
            breaks.append(f"{name}: {new[name]} must be given now")
        else:
            additions.append(f"{name}: {new[name]}")
    for name in sorted(old.keys() & new.keys()):
        if old[name] != new[name]:
            (additions if new[name] == f"{old[name]} = ..." else breaks).append(f"{name}: was {old[name]}, is {new[name]}")
    return additions, breaks


def _must_be_given(name: str, what: str, old: dict[str, str]) -> bool:
    """Whether a new argument or field breaks those who call what was there. Hooks are called by the kernel, and need not take it."""
    if what.endswith("= ...") or name.endswith("()") or name.startswith("newel.hookspecs."):
        return False
    if "(" in name:
        return f"{name.partition('(')[0]}()" in old
    return old.get(name.rpartition(".")[0]) == "class" and not what.startswith("property")


def lacking(package: Iterable[ast.Module], hooks: Mapping[str, Callable[..., Any]], known: dict[str, str]) -> list[str]:
    """What a plugin uses that a surface has not.

    Args:
        package: its parsed modules. hooks: its implementations by name. known: as read() or surface() gives it.
    """
    found = [f"{module}.{name}" for module, name in used(package) if module in MODULES]
    out = [name for name in found if name not in known and f"{name}()" not in known and name != "newel.hookspecs.hookimpl"]
    for name, function in hooks.items():
        hook = f"newel.hookspecs.{name}"
        out += [f"{hook}()"] if f"{hook}()" not in known else [f"{hook}({a})" for a in inspect.signature(function).parameters if f"{hook}({a})" not in known]
    return sorted(set(out))


def used(package: Iterable[ast.Module]) -> set[tuple[str, str]]:
    """(module, name) of everything that sources import from Newel."""
    return {
        (node.module or "", alias.name)
        for tree in package
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in ("newel", "newel_sdk")
        for alias in node.names
    }


def main(arguments: list[str]) -> int:
    """The command."""
    path = Path(arguments[0])
    now = surface()
    if "--write" in arguments:
        path.write_text(written(now), "utf-8")
        return 0
    version, before = read(path)
    additions, breaks = compare(before, now)
    for title, lines in (("added", additions), ("BROKEN", breaks)):
        sys.stdout.write("".join(f"{title}  {line}\n" for line in lines))
    return 1 if breaks and version == API_VERSION else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
