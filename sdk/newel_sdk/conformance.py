"""Checks that every plugin passes; a plugin takes them over in three lines.

from newel_sdk.conformance import check_plugin

test_conformance = check_plugin("promotions")
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import importlib_metadata
import msgspec
from newel import hookspecs
from newel.config import Config
from newel.manifest import Manifest
from newel.plugins import GROUP
from newel.services.app import Newel
from newel.store.describe import columns, table_name

SPECS = {name: spec for name, spec in vars(hookspecs).items() if hasattr(spec, "newel_spec")}


def check_plugin(name: str) -> Callable[[str], Awaitable[None]]:
    """A test that the plugin keeps what all plugins promise; it needs the fixture `database_url`.

    Args:
        name: of the plugin, as in its entry point; it must be installed (editable is enough).
    """

    async def test_conformance(database_url: str) -> None:
        module = load(name)
        faults = [*declaration(name, module), *signatures(module), *tests_of_hooks(module)]
        _require(not faults, "\n".join(faults))
        await starts_alone(name, module, database_url)

    test_conformance.__doc__ = f"The plugin {name} keeps what all plugins promise."
    return test_conformance


def load(name: str) -> Any:
    """The module that the plugin's entry point names."""
    points = [p for p in importlib_metadata.entry_points(group=GROUP) if p.name == name]
    _require(len(points) == 1, f"expected one entry point {name!r} in the group {GROUP}, got {len(points)}: is the plugin installed?")
    return points[0].load()


def hooks_of(module: Any) -> dict[str, Callable[..., Any]]:
    """Hook implementations of a plugin by name."""
    return {name: function for name, function in vars(module).items() if hasattr(function, "newel_impl")}


def declaration(name: str, module: Any) -> Iterator[str]:
    """What the manifest says must be complete, and named after the plugin."""
    manifest = module.register_plugin()
    if not isinstance(manifest, Manifest):
        yield f"register_plugin must return a Manifest, got {type(manifest).__name__}"
        return
    if manifest.name != name:
        yield f"the manifest says {manifest.name!r}, the entry point {name!r}"
    things: list[Any] = [*manifest.documents, *manifest.records, *manifest.reports]
    yield from (f"{thing.name} must be named {name}.<something>" for thing in things if not thing.name.startswith(f"{name}."))
    yield from (f"{thing.name} has no label" for thing in [manifest, *things] if not thing.label)
    yield from _tables(name, manifest)
    for struct in (manifest.line_data, manifest.document_data, manifest.settings):
        if struct is not None and not (issubclass(struct, msgspec.Struct) and struct.__struct_config__.frozen):
            yield f"{struct.__name__} must be a frozen msgspec.Struct"
    if manifest.settings is not None:
        manifest.settings()  # settings have defaults, so that a plugin starts before anybody has set it up


def _tables(name: str, manifest: Manifest) -> Iterator[str]:
    for table in manifest.tables:
        if not table_name(table).startswith(f"{name}_"):
            yield f"the table {table_name(table)} must be named {name}_<something>"
    if bool(manifest.tables) != bool(manifest.piccolo_app):
        yield "a plugin with tables needs a Piccolo app, and one without has none"
    elif manifest.piccolo_app and set(import_module(manifest.piccolo_app).APP_CONFIG.table_classes) != set(manifest.tables):
        yield "manifest and Piccolo app name different tables"


def signatures(module: Any) -> Iterator[str]:
    """Hooks take some of the specified arguments, annotated as specified, and return what is specified."""
    for name, function in hooks_of(module).items():
        if name not in SPECS:
            yield f"there is no hook {name}"
            continue
        spec, own = inspect.signature(SPECS[name]), inspect.signature(function)
        for argument, parameter in own.parameters.items():
            if argument not in spec.parameters:
                yield f"{name} has no argument {argument!r}"
            elif parameter.annotation != spec.parameters[argument].annotation:
                yield f"{name}: {argument} must be {spec.parameters[argument].annotation}, is {parameter.annotation}"
        if own.return_annotation != spec.return_annotation:
            yield f"{name} must return {spec.return_annotation}, returns {own.return_annotation}"
        if inspect.iscoroutinefunction(function) != inspect.iscoroutinefunction(SPECS[name]):
            yield f"{name} must {'' if inspect.iscoroutinefunction(SPECS[name]) else 'not '}be async"
        if not inspect.getdoc(function):
            yield f"{name} does not say what it does: give it a docstring"


def tests_of_hooks(module: Any) -> Iterator[str]:
    """Each hook implementation has a test named after it, where the plugin's source is at hand."""
    source = Path(str(module.__file__)).resolve().parent.parent / "tests" / "test_hooks.py"
    if source.exists():
        tests = re.findall(r"def (test_hook_\w+)", source.read_text("utf-8"))
        for name in hooks_of(module):
            if not any(test.startswith(f"test_hook_{name}") for test in tests):
                yield f"no test in {source.name} starts with test_hook_{name}"


async def starts_alone(name: str, module: Any, database_url: str) -> None:
    """With no other plugin: it starts, migrates an empty database, and its tables are there; the second start finds nothing to do."""
    for start in ("first", "second"):
        app = Newel(Config(database=database_url), {name: module})
        ran = await app.start()
        try:
            _require(not app.off, f"the plugin is off: {app.off}")
            _require(start == "first" or not ran, f"migrations ran twice: {ran}")
            async with app.database.read() as session:
                for table in module.register_plugin().tables:
                    names = ", ".join(f'"{column.name}"' for column in columns(table))
                    await session.fetch(f'SELECT {names} FROM "{table_name(table)}" WHERE 1 = 0')
        finally:
            await app.close()


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise AssertionError(otherwise)


__all__ = ["check_plugin"]
