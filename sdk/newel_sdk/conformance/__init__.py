"""Checks that every plugin passes; a plugin takes them over in three lines.

from newel_sdk.conformance import check_plugin

test_conformance = check_plugin("promotions")

Each check belongs to a level; a plugin has the highest level of which it passes every check, and all checks of the levels below. The test
asks for gold; platinum is shown by `newel plugin check`, because a time can't be asserted on a machine that others use too.
"""

from __future__ import annotations

import tempfile
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import msgspec

from newel_sdk.conformance import declared, source
from newel_sdk.conformance.alive import Alive
from newel_sdk.conformance.subject import LEVELS, Fault, Subject, load

# name -> (level, what it promises)
CHECKS: dict[str, tuple[str, str]] = {
    "manifest": ("bronze", "the manifest is complete"),
    "names": ("bronze", "everything is under its own name"),
    "signatures": ("bronze", "hooks are as specified"),
    "alone": ("bronze", "it starts with nothing but what it needs"),
    "money": ("bronze", "no floats"),
    "imports": ("bronze", "it imports what it declares"),
    "pure": ("silver", "rules reach nothing outside"),
    "arguments": ("silver", "rules leave what they are handed"),
    "answers": ("silver", "hooks answer with what is specified"),
    "order": ("silver", "rules do not depend on what was asked before"),
    "facts": ("silver", "facts are loaded once for all lines"),
    "tables": ("silver", "it keeps to its own tables"),
    "tests": ("silver", "each hook has a test"),
    "together": ("silver", "it works with all others"),
    "migrations": ("gold", "migrations go forward and back"),
    "reinstall": ("gold", "nothing is lost when it goes and comes back"),
    "books": ("gold", "the books add up for random documents"),
    "translations": ("gold", "its translations are complete"),
    "size": ("gold", "it is small enough to be read"),
    "budget": ("platinum", "its rules are quick"),
    "languages": ("platinum", "it speaks another language"),
    "contract": ("platinum", "it uses only what is public"),
    "documentation": ("platinum", "its README answers what people ask"),
}
STATIC: dict[str, Callable[[Subject], Iterable[str]]] = {
    "manifest": declared.manifest,
    "names": declared.names,
    "signatures": declared.signatures,
    "money": source.money,
    "imports": source.imports,
    "pure": source.pure,
    "tables": source.tables,
    "tests": declared.tests,
    "translations": declared.translations,
    "size": source.size,
    "languages": declared.languages,
    "contract": source.contract,
    "documentation": source.documented,
}


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What an examination found.

    Args:
        faults: of every check. exempt: check -> reason why it need not be passed ([tool.newel.exempt] in pyproject.toml).
    """

    plugin: str
    faults: tuple[Fault, ...]
    exempt: dict[str, str] = {}

    @property
    def level(self) -> str:
        """The highest level whose checks, and those below, are all passed; "none" for less than bronze."""
        reached = "none"
        for level in LEVELS:
            if self.failed(level):
                break
            reached = level
        return reached

    def failed(self, level: str) -> list[Fault]:
        """Faults of the checks of one level."""
        return [f for f in self.faults if CHECKS[f.check][0] == level and f.check not in self.exempt]


async def examine(name: str, url: str = "", module: Any = None) -> Report:
    """Examine a plugin.

    Args:
        url: of an empty database; a temporary SQLite file unless given. module: its hooks; those of its entry point unless given.
    """
    subject = Subject(name, module or load(name))
    faults = [Fault(check, message) for check, look in STATIC.items() for message in dict.fromkeys(look(subject))]
    with tempfile.TemporaryDirectory(prefix="newel-check-") as folder:
        if not any(f.check in ("manifest", "signatures") for f in faults):
            faults += await Alive(subject, url or f"sqlite:///{folder}/newel.db").examine()
    return Report(plugin=name, faults=tuple(dict.fromkeys(faults)), exempt=subject.exempt)


def check_plugin(name: str, level: str = "gold") -> Callable[[str], Awaitable[None]]:
    """A test that the plugin reaches a level; it needs the fixture `database_url`.

    Args:
        name: of the plugin, as in its entry point; it must be installed (editable is enough).
    """

    async def test_conformance(database_url: str) -> None:
        report = await examine(name, database_url)
        faults = [fault for at in LEVELS[: LEVELS.index(level) + 1] for fault in report.failed(at)]
        if faults:
            raise AssertionError("\n".join(map(str, faults)))

    test_conformance.__doc__ = f"The plugin {name} keeps what all plugins promise."
    return test_conformance


__all__ = ["CHECKS", "LEVELS", "Fault", "Report", "check_plugin", "examine"]
