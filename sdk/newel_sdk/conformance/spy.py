"""A plugin's hooks with somebody who looks on: what they are handed, what they answer, and what they reach for meanwhile."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import msgspec
from newel.domain.facts import Facts
from newel.domain.kinds import Kinds
from newel.domain.master import Master

from newel_sdk.conformance.source import RULES
from newel_sdk.conformance.subject import Subject

KEPT = 400
WATCHED = ("open", "socket.connect", "socket.getaddrinfo", "sqlite3.connect", "subprocess.Popen", "os.system", "time.sleep")
_current: ContextVar[list[str] | None] = ContextVar("newel_sdk_rule", default=None)
_listening: list[bool] = []


class Spy:
    """Wraps the hooks of a plugin. faults: (check, message); statements: of each call of load_facts."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.faults: list[tuple[str, str]] = []
        self.calls: list[tuple[str, Callable[..., Any], tuple[Any, ...], Any]] = []
        self.statements: list[int] = []
        self._warm: set[str] = set()
        if not _listening:  # a hook of this kind can't be taken away again
            sys.addaudithook(_heard)
            _listening.append(True)

    def module(self) -> Any:
        """The plugin with its hooks wrapped."""
        hooks = {name: self._wrapped(name, f) for name, f in self.subject.hooks.items()}
        return SimpleNamespace(**hooks)

    def _wrapped(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        if name == "load_facts":
            return self._counting(function)
        if not name.startswith(RULES):
            return function

        @functools.wraps(function)
        def call(*args: Any) -> Any:
            before = tuple(map(plain, args))
            reached: list[str] = []
            token = _current.set(reached)
            try:
                answer = function(*args)
            finally:
                _current.reset(token)
            if reached and name in self._warm:  # the first call may still import something
                self.faults.append(("pure", f"{name} used {', '.join(sorted(set(reached)))}: load it in load_facts"))
            self._warm.add(name)
            changed = [a for a, was, value in zip(inspect.signature(function).parameters, before, args, strict=True) if plain(value) != was]
            if changed:
                self.faults.append(("arguments", f"{name} changed its {', '.join(changed)}: return what should be, and leave what you are handed as it is"))
            elif len(self.calls) < KEPT:
                self.calls.append((name, function, args, plain(answer)))
            return answer

        return call

    def _counting(self, function: Callable[..., Any]) -> Callable[..., Any]:
        at = list(inspect.signature(function).parameters).index("session") if "session" in inspect.signature(function).parameters else -1

        @functools.wraps(function)
        async def load_facts(*args: Any) -> Any:
            before = args[at].statements if at >= 0 else 0
            answer = await function(*args)
            self.statements.append(args[at].statements - before if at >= 0 else 0)
            return answer

        return load_facts

    def replay(self) -> list[tuple[str, str]]:
        """Ask everything again, the last question first: a rule that depends on what was asked before gives itself away."""
        found: dict[str, str] = {}
        for name, function, args, answer in reversed(self.calls):
            again = plain(function(*args))
            if again != answer:
                found.setdefault(
                    name, f"{name} gives another answer to the same question when it is asked again in another order: {answer!r:.80}, then {again!r:.80}"
                )
        return [("order", message) for message in found.values()]


def _heard(event: str, _args: Any) -> None:
    if event in WATCHED and (reached := _current.get()) is not None:
        reached.append(event)


def plain(value: Any) -> Any:
    """A value as nested tuples that can be compared, whatever it is made of."""
    if value is None or isinstance(value, (str, int, Decimal, bool)):
        return value
    if isinstance(value, (Master, Kinds)):  # of the kernel, frozen, large, and the same for every rule
        return type(value).__name__
    if isinstance(value, msgspec.Struct):
        return (type(value).__name__, *(plain(getattr(value, f)) for f in value.__struct_fields__))
    if isinstance(value, Mapping):
        return ("{}", *sorted(((repr(k), plain(v)) for k, v in value.items()), key=lambda pair: pair[0]))
    if isinstance(value, (list, tuple)):
        return tuple(map(plain, value))
    if isinstance(value, (set, frozenset)):
        return ("set", *sorted(repr(plain(v)) for v in value))
    if isinstance(value, Facts):
        return tuple(plain(value[kind]) for kind in sorted(value._by_type, key=lambda k: k.__qualname__))  # noqa: SLF001 (nothing else knows all of them)
    return repr(value) if type(value).__module__ in ("datetime", "builtins") and not callable(value) else type(value).__name__
