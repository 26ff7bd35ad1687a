"""Rows of text as values: which column is which field, numbers and dates as people write them, one document of several rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from newel.domain.document import DocumentInput
from newel.errors import Problem
from newel.web.forms import Wrong, decimal
from newel.web.views_text import _, language

POINTS = {".": "en", ",": "de"}  # whose way to write numbers
DOTTED = re.compile(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})")
PLACE = re.compile(r"(?:rows|lines)\[(\d+)\](?:\.(.*))?")
KEY = "reference"
HEADER = {"party": "text", KEY: "text", "date": "date", "date_requested": "date", "currency": "text", "terms": "text", "text": "text"}
LINE = {"item": "text", "quantity": "decimal", "unit": "text", "price": "decimal", "discount": "decimal", "text": "text"}


class Target(msgspec.Struct, frozen=True):
    """What a column may be: field of a record, or of a document ("line.quantity" for its lines)."""

    name: str
    label: str
    type: str = "text"
    choices: tuple[tuple[str, str], ...] = ()
    required: bool = False


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """How a file is to be understood.

    Args:
        columns: target by column name; columns that are not in it are left out.
        point: between whole and fraction of a number. match: fields that a record is recognised by, empty for its natural key.
        whole: all rows or none. language: of whoever chose.
    """

    columns: dict[str, str] = {}
    point: str = "."
    match: str = ""
    whole: bool = True
    language: str = "en"


class Seen(msgspec.Struct, kw_only=True):
    """What became of a row, or would: created, changed, unchanged or refused. document: number of what it became; columns: where each problem is."""

    row: int
    what: str = "refused"
    document: str = ""
    problems: list[Problem] = []
    columns: list[str] = []


class Row(msgspec.Struct):
    """A row on its way."""

    seen: Seen
    values: dict[str, Any]


def document_targets() -> list[Target]:
    """What a column may be of any document."""
    labels = {
        "party": _("Party"), KEY: _("Reference"), "date": _("Date"), "date_requested": _("Requested"), "currency": _("Currency"), "terms": _("Terms"),
        "text": _("Text"), "line.item": _("Item"), "line.quantity": _("Quantity"), "line.unit": _("Unit"), "line.price": _("Price"),
        "line.discount": _("Discount"), "line.text": _("Text of the line"),
    }  # fmt: skip
    types = {**HEADER, **{f"line.{name}": kind for name, kind in LINE.items()}}
    return [Target(name, label, types[name], required=name in ("party", KEY)) for name, label in labels.items()]


def plain(text: str) -> str:
    """A name without what people write in different ways."""
    return "".join(c for c in text.casefold() if c.isalnum())


def guessed(head: Sequence[str], targets: Sequence[Target], before: Choice) -> Choice:
    """The choice of the last time as far as the columns are the same, and names or labels for the others; no field twice."""
    known = {key: t.name for t in reversed(targets) for key in (plain(t.label), plain(t.name), plain(t.name.removeprefix("line.")))}
    names = {t.name for t in targets}
    found: dict[str, str] = {}
    for column in head:
        target = before.columns.get(column) or known.get(plain(column), "")
        if target in names and target not in found.values():
            found[column] = target
    return msgspec.structs.replace(before, columns=found, whole=True)


def check(choice: Choice, targets: Sequence[Target]) -> list[Problem]:
    """What is wrong with a choice: every field once, and those that nothing can do without."""
    used = list(choice.columns.values())
    twice = sorted({t.label for t in targets if used.count(t.name) > 1})
    absent = [t.label for t in targets if t.required and t.name not in used]
    out = [Problem(code="exchange.twice", message=f"{label}: two columns are to be this", hint="leave one of them out") for label in twice]
    out += [Problem(code="exchange.absent", message=f"{label}: no column is this", hint="choose the column that it stands in") for label in absent]
    return out if used else [*out, Problem(code="exchange.nothing", message="no column is to be brought in", hint="choose at least one")]


def rows_of(head: Sequence[str], rows: Iterable[tuple[int, Sequence[str]]], choice: Choice, targets: Sequence[Target]) -> list[Row]:
    """Rows with values as the use cases take them; what can't be read is a problem of its row and column."""
    language.set(choice.language)
    known = {t.name: t for t in targets}
    taken = [(at, column, known[choice.columns[column]]) for at, column in enumerate(head) if choice.columns.get(column) in known]
    out = []
    for number, cells in rows:
        row = Row(Seen(row=number, problems=[], columns=[]), {})
        for at, column, target in taken:
            try:
                row.values[target.name] = _value(target, cells[at], choice.point)
            except Wrong as wrong:
                row.seen.problems.append(Problem(code="exchange.value", message=str(wrong), where=target.name))
                row.seen.columns.append(column)
        out.append(row)
    return out


def _value(target: Target, text: str, point: str) -> str:
    if target.type in ("decimal", "integer") and text:
        return f"{decimal(text, POINTS[point]):f}"
    if target.type == "date" and (dotted := DOTTED.fullmatch(text)):
        return f"{dotted[3]}-{int(dotted[2]):02}-{int(dotted[1]):02}"
    if target.type == "flag" and text.casefold() in (_("yes").casefold(), _("no").casefold()):
        return "true" if text.casefold() == _("yes").casefold() else "false"
    if target.choices:
        return next((value for value, label in target.choices if text in (value, label, _(label))), text)
    return text


def refuse(row: Row, problem: Problem, choice: Choice, target: str) -> None:
    """Note a problem with a row and the column that its field came from."""
    message = re.sub(r"^row \d+: ", "", problem.message)
    row.seen.problems.append(msgspec.structs.replace(problem, message=message))
    row.seen.columns.append(next((column for column, name in choice.columns.items() if name == target), ""))


# ---- documents -------------------------------------------------------------------------------------------------------------------------


def grouped(rows: Sequence[Row], choice: Choice) -> list[list[Row]]:
    """Rows of one document: of one party, with one reference. A header that says two things is a problem of the later row."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        reference = row.values.get(KEY, "")
        if not reference:
            problem = Problem(code="exchange.key", message="the reference is missing", hint="rows of one document have one reference")
            refuse(row, problem, choice, KEY)
        group = groups.setdefault((row.values.get("party", ""), reference), [])
        group.append(row)
        for name in HEADER:
            first = next((r.values[name] for r in group if r.values.get(name)), "")
            if row.values.get(name) and row.values[name] != first:
                message = f"a document has one {name.replace('_', ' ')}: {first}, not {row.values[name]}"
                refuse(row, Problem(code="exchange.header", message=message, hint="write the same into all its rows"), choice, name)
    return list(groups.values())


def entered(group: Sequence[Row]) -> DocumentInput:
    """The document that rows make.

    Raises:
        msgspec.ValidationError: a value is of another type.
    """
    header = {n: next((r.values[n] for r in group if r.values.get(n)), None) for n in HEADER}
    lines = [{n: v for n in LINE if (v := row.values.get(f"line.{n}"))} for row in group]
    return msgspec.convert({**{n: v for n, v in header.items() if v}, "lines": [line for line in lines if line]}, DocumentInput, strict=False)
