"""What a plugin declares: complete, and under its own name."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec
from newel import API_VERSION
from newel.manifest import Manifest
from newel.store.describe import columns, table_name

from newel_sdk.conformance.subject import SPECS, Subject
from newel_sdk.words import kernel_texts, lacking, texts_of

SHOWN = 5


def manifest(subject: Subject) -> Iterator[str]:
    """It says who it is, for which version of the hooks, and everything that people see has a name."""
    try:
        found = subject.manifest
    except Exception as error:  # a plugin may fail in any way
        yield f"register_plugin failed: {type(error).__name__}: {error}"
        return
    if not isinstance(found, Manifest):
        yield f"register_plugin must return a Manifest, got {type(found).__name__}"
        return
    if found.name != subject.name:
        yield f"the manifest says {found.name!r}, the entry point {subject.name!r}"
    if found.api != API_VERSION:
        yield f"it is written for hooks version {found.api}, this kernel has {API_VERSION}"
    things: list[Any] = [found, *found.documents, *found.records, *found.reports]
    yield from (f"{thing.name} has no label" for thing in things if not thing.label)
    for struct in (found.line_data, found.document_data, found.settings):
        if struct is not None and not (issubclass(struct, msgspec.Struct) and struct.__struct_config__.frozen):
            yield f"{struct.__name__} must be a frozen msgspec.Struct"
    if found.settings is not None:
        try:
            found.settings()
        except TypeError as error:
            yield f"settings need defaults, so that a plugin starts before anybody has set it up: {error}"
    yield from _tables(found)


def _tables(found: Manifest) -> Iterator[str]:
    if bool(found.tables) != bool(found.piccolo_app):
        yield "a plugin with tables needs a Piccolo app, and one without has none"
    elif found.piccolo_app and set(import_module(found.piccolo_app).APP_CONFIG.table_classes) != set(found.tables):
        yield "manifest and Piccolo app name different tables"
    for table in found.tables:
        try:
            columns(table)
        except TypeError as error:
            yield f"{error} (exact numbers are ScaledInt)"


def names(subject: Subject) -> Iterator[str]:
    """Tables, kinds, reports, jobs, permissions, templates and problem codes are under its own name, so that no two plugins collide."""
    found, own = subject.declared, f"{subject.name}."
    things: list[Any] = [*found.documents, *found.records, *found.reports, *found.jobs]
    yield from (f"{t.name} must be named {own}<something>" for t in things if not t.name.startswith(own))
    yield from (f"the table {table_name(t)} must be named {subject.name}_<something>" for t in found.tables if not table_name(t).startswith(f"{subject.name}_"))
    yield from (f"the permission {name} must be named {own}<something>" for name, _ in found.permissions if not name.startswith(own))
    for folder in () if subject.single else ("templates", "static"):
        for path in sorted((subject.folder / folder).iterdir()) if (subject.folder / folder).is_dir() else ():
            if path.name != subject.name:
                yield f"{folder}/{path.name} must be {folder}/{subject.name}/{path.name}"
    for place, code in subject.problem_codes():
        if not code.startswith(own):
            yield f"{place}: the problem code {code!r} must be named {own}<something>"


def signatures(subject: Subject) -> Iterator[str]:
    """Hooks take some of the specified arguments, annotated as specified, and return what is specified."""
    for name, function in subject.hooks.items():
        if name not in SPECS:
            yield f"there is no hook {name}; hooks are {', '.join(sorted(SPECS))}"
            continue
        spec, own = inspect.signature(SPECS[name]), inspect.signature(function)
        for argument, parameter in own.parameters.items():
            if argument not in spec.parameters:
                yield f"{name} has no argument {argument!r}; it has {', '.join(spec.parameters)}"
            elif parameter.annotation != spec.parameters[argument].annotation:
                yield f"{name}: {argument} must be {spec.parameters[argument].annotation}, is {parameter.annotation}"
        if own.return_annotation != spec.return_annotation:
            yield f"{name} must return {spec.return_annotation}, returns {own.return_annotation}"
        if inspect.iscoroutinefunction(function) != inspect.iscoroutinefunction(SPECS[name]):
            yield f"{name} must {'' if inspect.iscoroutinefunction(SPECS[name]) else 'not '}be async"
        if not inspect.getdoc(function):
            yield f"{name} does not say what it does: give it a docstring"


def tests(subject: Subject) -> Iterator[str]:
    """Each hook implementation has a test named after it, where the source is at hand."""
    path = subject.root / "tests" / "test_hooks.py" if subject.root else None
    if path is None or not path.exists():
        return
    found = re.findall(r"def (test_hook_\w+)", path.read_text("utf-8"))
    for name in subject.hooks:
        if not any(test.startswith(f"test_hook_{name}") for test in found):
            yield f"no test in {path.name} starts with test_hook_{name}"


# ---- translations ------------------------------------------------------------------------------------------------------------------


def translations(subject: Subject) -> Iterator[str]:
    """For each language that it brings, every text that people see is translated, unless the kernel has it."""
    texts = texts_of(subject.declared, None if subject.single else subject.folder) - kernel_texts()
    for path in catalogs(subject):
        missing = lacking(texts, path, path.stem)
        if missing:
            more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
            yield f"{path.name} lacks {', '.join(repr(t) for t in missing[:SHOWN])}{more}"


def languages(subject: Subject) -> Iterator[str]:
    """It speaks at least one language besides English."""
    if not catalogs(subject):
        yield "there is no translation: Manifest.locale names a folder with a file <language>.po for each"


def catalogs(subject: Subject) -> list[Path]:
    """Its translations, a file for each language."""
    package, _, folder = subject.declared.locale.partition(":")
    return sorted(Path(str(files(package) / (folder or "locale"))).glob("*.po")) if package else []
