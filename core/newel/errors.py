"""What can go wrong, as values where a user can mend it and as exceptions where a developer must."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Severity(StrEnum):
    """How much a problem stops.

    note: tells. hold: goes on, but the named next transitions wait until somebody releases the document.
    override: a person with the right may go on, and that is recorded. block: nothing happens.
    """

    NOTE = "note"
    HOLD = "hold"
    OVERRIDE = "override"
    BLOCK = "block"


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a person should know or mend.

    Args:
        code: stable name, listed in docs/errors.md; prefixed by the area or the plugin ("stock.short").
        message: what was expected and what came, one sentence.
        where: path of the field, such as "lines[2].quantity"; empty for the whole document.
        hint: what to do next.
        severity: see Severity.
        plugin: who found it.
        holds: for severity hold, the transitions that wait; empty means all.
    """

    code: str
    message: str
    where: str = ""
    hint: str = ""
    severity: Severity = Severity.BLOCK
    plugin: str = "newel"
    holds: tuple[str, ...] = ()


class NewelError(Exception):
    """Base of all errors that Newel raises on purpose."""


class Refused(NewelError):
    """A use case did nothing, and says why: all problems at once.

    Args:
        problems: at least one.
        status: the HTTP status that fits (404 missing, 403 not allowed, 409 conflict, 413, 422 invalid, 424 a plugin failed).
    """

    def __init__(self, *problems: Problem, status: int = 422) -> None:
        self.problems = problems
        self.status = status
        super().__init__("; ".join(f"{p.code}: {p.message}" for p in problems))


def missing(what: str, key: object, where: str = "") -> Refused:
    """The error for a reference to something that is not there (or that this user may not see)."""
    return Refused(Problem(code="missing", message=f"there is no {what} {key!s:.80}", where=where, hint=f"choose an existing {what}"), status=404)


class PluginFailed(NewelError):
    """A plugin raised, hung or answered with the wrong type. Names plugin and hook."""

    def __init__(self, plugin: str, hook: str, reason: str) -> None:
        self.plugin, self.hook, self.reason = plugin, hook, reason
        super().__init__(f"plugin {plugin!r}, hook {hook}: {reason}")

    def problem(self) -> Problem:
        """The same as a value, for screens and the API."""
        return Problem(
            code="plugin.failed",
            message=f"plugin {self.plugin!r} failed in {self.hook}: {self.reason}",
            hint=f"nothing was changed; disable plugin {self.plugin!r} in newel.toml or tell its author",
            plugin=self.plugin,
        )


class Conflict(NewelError):
    """Two plugins gave an answer where only one may. Names both."""

    def __init__(self, question: str, first: str, second: str) -> None:
        self.question, self.plugins = question, (first, second)
        super().__init__(f"{question}: both {first!r} and {second!r} answer; let one of them declare precedes=('{second}',) or say so in newel.toml")

    def problem(self) -> Problem:
        """The same as a value, for screens and the API."""
        return Problem(
            code="plugin.conflict",
            message=f"{self.question}: both {self.plugins[0]!r} and {self.plugins[1]!r} answer",
            hint="nothing was changed; say in newel.toml which one precedes the other, or disable one of them",
        )


class StartupError(NewelError):
    """The install can't start as it is composed; the message names the plugin and the remedy."""
