"""What the timeline decides: whom a comment calls, which entries stand on a page, and how a document was at an earlier moment. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
from newel.domain.document import Document, Line
from newel.domain.money import ZERO
from newel.errors import Problem, Refused
from newel.happenings import Asked, Happening

CALL = re.compile(r"(?<![\w@.])@([a-z0-9][a-z0-9._-]*[a-z0-9]|[a-z0-9])", re.IGNORECASE)
LINE = re.compile(r"line (\d+)(?: (\w+))?")
DOCUMENT = "document"
LONGEST, CALLED, PAGE = 5_000, 20, 30
CURSOR = re.compile(r"(\d{1,16})-(\d{1,18})")
EPOCH, MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
KINDS = ("change", "comment", "mail", "print", "job", "file")
Change = Mapping[str, Any]


class Then(msgspec.Struct, frozen=True, kw_only=True):
    """A document as it was. values: of the header, by field; lines: (position, values) in order. Values are as the history keeps them."""

    state: str
    values: dict[str, Any]
    lines: tuple[tuple[int, dict[str, Any]], ...]


def called(text: str) -> tuple[str, ...]:
    """Logins that a comment mentions: @anna."""
    return tuple(dict.fromkeys(match[1].lower() for match in CALL.finditer(text)))


def pieces(text: str) -> list[tuple[str, bool]]:
    """A comment in pieces, and which of them call somebody."""
    out, end = [], 0
    for match in CALL.finditer(text):
        out += [(text[end : match.start()], False), (match[0], True)]
        end = match.end()
    return [*out, (text[end:], False)]


def checked(text: str) -> str:
    """The comment without blanks around it; Refused 422 where there is nothing in it, or too much."""
    text = text.strip()
    if not text:
        raise Refused(Problem(code="timeline.empty", message="a text was expected", where="text", hint="write what the others should know"))
    if len(text) > LONGEST:
        message = f"a comment has at most {LONGEST} characters, this one has {len(text)}"
        raise Refused(Problem(code="timeline.long", message=message, where="text", hint="attach it as a file"))
    if len(called(text)) > CALLED:
        message = f"a comment calls at most {CALLED} people, this one calls {len(called(text))}"
        raise Refused(Problem(code="timeline.many", message=message, where="text", hint="call those who have to do something"))
    return text


# ---- pages -----------------------------------------------------------------------------------------------------------------------------


def merged(asked: Asked, found: Iterable[tuple[str, Happening]]) -> list[tuple[str, Happening]]:
    """(plugin, entry) of one page, the latest first, from what every plugin has told; who tells too much is heard no longer."""
    fitting = (
        (plugin, h) for plugin, h in found if (h.at, h.id) < asked.before and (not asked.kind or h.kind == asked.kind) and (not asked.who or h.who == asked.who)
    )
    return sorted(fitting, key=lambda one: (one[1].at, one[1].id), reverse=True)[: asked.most]


def cursor(happening: Happening) -> str:
    """Where the next page begins, for an address."""
    return f"{(happening.at - EPOCH) // MICROSECOND}-{happening.id}"


def before(text: str) -> tuple[datetime, int] | None:
    """The place that a cursor stands for; None where it is none."""
    match = CURSOR.fullmatch(text)
    return (EPOCH + int(match[1]) * MICROSECOND, int(match[2])) if match else None


# ---- as of -----------------------------------------------------------------------------------------------------------------------------


def blank(document: Document) -> Document:
    """The same document with nothing in it: what differs from it is what it says now."""
    lines = tuple(Line(id=line.id, quantity=ZERO) for line in document.lines)
    return Document(id=document.id, kind=document.kind, role=document.role, state=document.state, date=date.min, rate=ZERO, lines=lines)


def as_of(state: str, now: Sequence[tuple[str, Any, Any]], events: Sequence[Sequence[Change]]) -> Then:
    """The document before the events happened.

    Args:
        now: (field, _, value) of the document as it is. events: the changes of each event that came later, the latest first, as the history keeps them.
    """
    values = {field: value for field, _old, value in now if not LINE.fullmatch(field)}
    lines: dict[int, dict[str, Any]] = {}
    for field, _old, value in now:
        if match := LINE.fullmatch(field):
            lines.setdefault(int(match[1]), {})[match[2]] = value
    for changes in events:
        state = next((c["old"] for c in changes if c["field"] == "state"), state)
        values |= {c["field"]: c["old"] for c in changes if c["field"] != "state" and not LINE.fullmatch(c["field"])}
        lines = _lines_before(lines, changes)
    return Then(state=state, values=values, lines=tuple(sorted(lines.items())))


def _lines_before(lines: Mapping[int, dict[str, Any]], changes: Sequence[Change]) -> dict[int, dict[str, Any]]:
    """Lines by position, before one event. What went says so first, and then what else stood in it."""
    stayed, gone = {position: dict(values) for position, values in lines.items()}, dict[int, dict[str, Any]]()
    for change in changes:
        match = LINE.fullmatch(change["field"])
        if match is None:
            continue
        position, name = int(match[1]), match[2]
        if name is None and change["old"] is None:
            stayed.pop(position, None)
        elif name is None:
            quantity, unit, text = [*str(change["old"]).split(" ", 2), "", ""][:3]
            gone[position] = {"quantity": quantity, "unit": unit, "text": text}
        else:
            (gone.get(position) or stayed.setdefault(position, {}))[name] = change["old"]
    return _placed([stayed[p] for p in sorted(stayed)], gone)


def _placed(stayed: Sequence[dict[str, Any]], gone: dict[int, dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """Lines by the positions that they had: those that went had their own, the others stood between them in their order."""
    out, rest, position = dict(gone), list(stayed), 0
    while rest:
        position += 10
        if position not in out:
            out[position] = rest.pop(0)
    return out
