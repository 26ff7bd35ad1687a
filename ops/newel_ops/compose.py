"""Put the install together that newel.toml states, without a database, and say everything that stands in the way: all of it at once, both names.

The kernel stops at the first conflict when it starts. Here the second of two rivals is left out and the rest is tried again, until nothing is in the way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from graphlib import CycleError, TopologicalSorter
from inspect import signature
from itertools import combinations
from typing import Any

import importlib_metadata
import msgspec
from newel.config import Config
from newel.domain.context import Company, Context, User
from newel.domain.document import Document, Line
from newel.domain.facts import Facts
from newel.domain.item import Item
from newel.domain.kinds import DocumentKind
from newel.domain.party import Address, Party
from newel.errors import Conflict, StartupError
from newel.impls import Impl
from newel.plugins import GROUP, Off, discover
from newel.services.app import Newel
from newel.watchdog import rules_limit
from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion

NAMED = re.compile(r"plugin '([a-z0-9_]+)'")
CIRCLE = re.compile(r"in a circle: ([a-z0-9_]+)")
ITEMS = (Item(id=1, number="1", name="1"), Item(id=2, number="2", name="2", kind="service"))


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a plan.

    Args:
        level: conflict (nothing is done), package (pip does it), change (`newel apply` does it) or note.
        about: what it is about, such as "plugin sales" or "role packer".
        text: what is and what is stated. do: what to do.
    """

    level: str
    about: str
    text: str
    do: str = ""


class Composition(msgspec.Struct, kw_only=True):
    """app: what is left when rivals are left out, not started; rows: what is in the way and what should be known."""

    app: Newel
    rows: list[Row]


def compose(config: Config, modules: dict[str, Any] | None = None) -> Composition:
    """Compose the install.

    Args:
        modules: plugins instead of the installed ones (tests).
    """
    app, rows, left = composed(config, modules)
    return Composition(app=app, rows=[*rows, *_off(app), *_versions(app), *_settings(app), *_circles(app), *rivals(app, left), *_routes(app)])


def composed(config: Config, modules: dict[str, Any] | None = None) -> tuple[Newel, list[Row], dict[str, Any]]:
    """(what is left when rivals are left out, the rivals, the modules that are left)."""
    rows: list[Row] = []
    off: list[Off] = []
    if modules is None:
        rows += _doubles()
        modules, off = ({}, []) if rows else discover(config.plugins)
    left, app = dict(modules), None
    while app is None:
        try:
            app = Newel(config, left)
        except Conflict as conflict:
            rows.append(_conflict(conflict))
            left.pop(conflict.plugins[1] if conflict.plugins[1] in left else conflict.plugins[0])
        except StartupError as error:
            named = NAMED.search(str(error)) or CIRCLE.search(str(error))
            rows.append(Row(level="conflict", about=f"plugin {named[1]}" if named else "plugins", text=str(error), do="mend it, or take it out of newel.toml"))
            if named is None or left.pop(named[1], None) is None:
                left = {}
    gone = set(modules) - set(left) - set(app.config.disabled)  # who needs a rival that is left out is not at fault
    follows = [o for o in app.off if o.reason.startswith("needs ") and gone & set(o.reason.partition(":")[0].removeprefix("needs ").split(", "))]
    app.plugins.off[:] = [*(o for o in app.off if o not in follows), *off]
    return app, rows, left


def _doubles() -> list[Row]:
    """Two distributions with a plugin of the same name: the kernel refuses to start."""
    found: dict[str, list[str]] = {}
    for point in importlib_metadata.entry_points(group=GROUP):
        found.setdefault(point.name, []).append(point.dist.name if point.dist else point.value)
    return [
        Row(level="conflict", about=f"plugin {name}", text=f"is brought by {' and by '.join(sorted(names))}", do=f"pip uninstall {sorted(names)[1]}")
        for name, names in sorted(found.items())
        if len(names) > 1
    ]


def _conflict(conflict: Conflict) -> Row:
    first, second = conflict.plugins
    do = f"put {first!r} or {second!r} under disabled in newel.toml, or uninstall it"
    return Row(level="conflict", about=f"plugins {first} and {second}", text=conflict.question, do=do)


def distribution(name: str) -> str:
    """What a plugin's distribution is called: that of the entry point where it is installed, else newel-NAME."""
    dist = _installed(name)
    return dist.name if dist else f"newel-{name.replace('_', '-')}"


def _installed(name: str) -> importlib_metadata.Distribution | None:
    """The distribution that brings a plugin."""
    return next((p.dist for p in importlib_metadata.entry_points(group=GROUP, name=name)), None)


def _off(app: Newel) -> Iterator[Row]:
    for off in app.off:
        about = f"plugin {off.name}"
        if "not installed" in off.reason:
            wanted = distribution(off.name) + app.config.versions.get(off.name, "").replace(" ", "")
            yield Row(level="package", about=about, text="stated in newel.toml and not installed", do=wanted)
        elif "disabled" in off.reason:
            yield Row(level="note", about=about, text="installed, and disabled in newel.toml")
        else:
            yield Row(level="conflict", about=about, text=off.reason, do=f"mend it, or put {off.name!r} under disabled in newel.toml")


def _versions(app: Newel) -> Iterator[Row]:
    for name, wanted in sorted(app.config.versions.items()):
        if name not in app.plugins.manifests:
            continue
        dist = _installed(name)
        there = dist.version if dist else app.plugins.manifests[name].version
        try:
            requirement = Requirement(f"{distribution(name)}{wanted}")
            fits = requirement.specifier.contains(there, prereleases=True)
        except (InvalidRequirement, InvalidVersion) as error:
            yield Row(level="conflict", about=f"plugin {name}", text=f"expected versions such as >= 0.2, < 1, got {wanted!r}: {error}", do="mend newel.toml")
            continue
        if not fits:
            yield Row(level="package", about=f"plugin {name}", text=f"{there} is installed, {wanted} is stated", do=str(requirement))


def _settings(app: Newel) -> Iterator[Row]:
    """Settings that newel.toml states must be settings, with values that fit."""
    for name, values in sorted(app.config.settings.items()):
        manifest = app.registry.manifests.get(name)
        if manifest is None:
            yield Row(level="note", about=f"settings {name}", text="are stated, and no such plugin runs")
            continue
        known = set(manifest.settings.__struct_fields__) if manifest.settings else set()
        for field in sorted(set(values) - known):
            has = ", ".join(sorted(known)) or "none"
            yield Row(level="conflict", about=f"settings {name}", text=f"there is no setting {field!r}; it has {has}", do="mend newel.toml")
        try:
            msgspec.convert({k: v for k, v in values.items() if k in known}, manifest.settings or dict, strict=False)
        except msgspec.ValidationError as error:
            yield Row(level="conflict", about=f"settings {name}", text=str(error), do="mend newel.toml")


def _routes(app: Newel) -> Iterator[Row]:
    """Addresses that another part has already, or routes that can't be served; asked of the web itself."""
    from newel.web.app import create_app

    before = len(app.off)
    create_app(app, manage=False)
    for off in app.off[before:]:
        yield Row(level="conflict", about=f"plugin {off.name}", text=off.reason, do=f"rename it, or put {off.name!r} under disabled in newel.toml")


# ---- who answers --------------------------------------------------------------------------------------------------------------------


def _precedence(app: Newel) -> dict[str, set[str]]:
    found = {name: set(m.precedes) for name, m in app.plugins.manifests.items()}
    for name, others in app.config.precedes.items():
        found.setdefault(name, set()).update(others)
    return found


def _circles(app: Newel) -> Iterator[Row]:
    """Of two that precede each other, whoever is asked first would win: that is chance."""
    try:
        TopologicalSorter(_precedence(app)).prepare()
    except CycleError as error:
        yield Row(
            level="conflict", about=f"plugins {' and '.join(sorted(set(error.args[1])))}", text=f"precede each other in a circle: {' -> '.join(error.args[1])}",
            do="take one of them out of precedes in newel.toml",
        )  # fmt: skip


def rivals(app: Newel, modules: dict[str, Any]) -> Iterator[Row]:
    """Pairs of plugins with the same decide_ hook of which neither precedes the other.

    Each is asked about a line of every kind of document, without facts: two that answer are a conflict, which would stop the first such document. Of
    the others nobody can know without the company's data; `newel rehearse` asks them about real documents.
    """
    precedes = _precedence(app)
    may: dict[tuple[str, str], list[str]] = {}
    for hook in [h for h in app.plugins.hooks if h.startswith("decide_")]:
        for first, second in combinations(sorted(app.plugins.implementers(hook)), 2):
            if second in precedes.get(first, ()) or first in precedes.get(second, ()):
                continue
            kinds = [k.name for k in app.registry.documents.values() if all(_answers(app, p, modules[p], hook, k) for p in (first, second))]
            if kinds:
                text = f"{hook}: both answer for {', '.join(kinds)}, and neither precedes the other"
                do = f"say in newel.toml which one precedes the other, under [precedes]: {first} = [{second!r}]"
                yield Row(level="conflict", about=f"plugins {first} and {second}", text=text, do=do)
            else:
                may.setdefault((first, second), []).append(hook)
    for (first, second), hooks in may.items():
        text = f"{', '.join(hooks)}: where both answer for the same line, it is refused"
        yield Row(level="note", about=f"plugins {first} and {second}", text=text, do="newel rehearse shows it on your documents")


def _answers(app: Newel, plugin: str, module: Any, hook: str, kind: DocumentKind) -> bool:
    """Whether a plugin answers for any plain line of this kind of document. One that needs facts to answer does not."""
    if not (kind.priced if hook in ("decide_price", "decide_tax") else any("move" in t.effects for t in kind.transitions)):
        return False
    function = getattr(module, hook)
    impl = Impl("", function, tuple(signature(function).parameters))
    now = datetime.now(UTC)
    company, place = Company(id=1, code="A", name="A", currency="EUR", country="DE"), Address(id=1, party=1, country="DE")
    context = Context(user=User(id=0, login="newel"), company=company, now=now, today=now.date())
    for item in ITEMS:
        line = Line(id=1, item=item, kind=kind.line_kinds[0] if kind.line_kinds else "item", unit="EA")
        document = Document(
            id=1, kind=kind.name, role=kind.role, state=kind.initial.name, phase=kind.initial.phase, company=1, currency="EUR", date=now.date(),
            party=Party(id=1, number="1", name="A", addresses=(place,)), ship_to=place, bill_to=place, lines=(line,),
        )  # fmt: skip
        try:
            with rules_limit():
                values = {"document": document, "line": line, "facts": Facts(), "context": context}
                if plugin in app.plugins.implementers(hook, **values) and impl.call(values) is not None:
                    return True
        except Exception:  # noqa: S112 - it wants facts, or is faulty, which is found elsewhere
            continue
    return False
