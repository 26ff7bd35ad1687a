"""Implementations of hooks: what is wrong with one, and which documents it is asked about."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from newel.domain.kinds import ROLES
from newel.errors import StartupError


class Unfit(StartupError):
    """One plugin that can't be registered: it names a hook or argument that does not exist, or is async where it must not be."""

    def __init__(self, plugin: str, reason: str) -> None:
        self.plugin, self.reason = plugin, reason
        super().__init__(f"plugin {plugin!r}: {reason}")


class Impl(msgspec.Struct, frozen=True):
    """One implementation of one hook. of, facts: as in hookspecs.asked. spent: how often it was called, and seconds in all."""

    plugin: str
    function: Callable[..., Any]
    args: tuple[str, ...]
    key: tuple[str, str] = ("", "")
    spent: list[float] = msgspec.field(default_factory=lambda: [0, 0.0])
    of: frozenset[str] = frozenset()
    facts: type | None = None

    def call(self, values: dict[str, Any]) -> Any:
        """Call it with the arguments that it names."""
        return self.function(*[values[a] for a in self.args])


def implementation(plugin: str, hook: str, function: Callable[..., Any], args: Iterable[str], spec: Callable[..., Any]) -> Impl:
    """One implementation, as its hook wants it. Raises Unfit where it is not."""
    if inspect.iscoroutinefunction(function) != inspect.iscoroutinefunction(spec):
        raise Unfit(plugin, f"{hook} must be {'async' if inspect.iscoroutinefunction(spec) else 'synchronous'}")
    of, facts = getattr(function, "newel_asked", (frozenset(), None))
    known = inspect.signature(spec).parameters
    if (of and "document" not in known) or (facts and "facts" not in known):
        raise Unfit(plugin, f"{hook} can't be asked only about some documents: it knows none, or no facts")
    if unknown := [o for o in sorted(of) if o not in ROLES and "." not in o]:
        raise Unfit(plugin, f"{hook} is asked about {unknown[0]!r}: a kind, all of a plugin ('sales.') or a role was expected")
    return Impl(plugin, function, tuple(args), (plugin, hook), [0, 0.0], of, facts)
