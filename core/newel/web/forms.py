"""What people typed: strict parsing of numbers, dates and references, and forms made from structs. A wrong entry is a problem, never a guess."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import msgspec

from newel.errors import Problem
from newel.web.views_text import _, entry, language, separators, words

SPACES = "\u00a0\u202f\u2009 "
PARTS = re.compile(r"[+-]?\d{1,24}(?:\.\d{1,24})?")
BESIDE = ("kind", "delete", "unit", "for", "shown", "data")  # fields that don't make a row of a grid


class Wrong(ValueError):
    """An entry that can't be read; the message says why."""


def decimal(text: str, tag: str | None = None) -> Decimal:
    """A number in the reader's format: digits in groups of three or without groups, one decimal point.

    Raises:
        Wrong: anything else, also what would be a number in another country ("1.234,50" in English).
    """
    point, group = separators(tag or language.get())
    given = text.strip().replace("\u2212", "-")
    for space in SPACES:
        given = given.replace(space, group if group.strip() == "" else space)
    whole, dot, fraction = given.partition(point)
    if group in whole:
        first, *groups = whole.lstrip("+-").split(group)
        if not 1 <= len(first) <= 3 or any(len(g) != 3 for g in groups):
            raise Wrong(_("%(text)s can be read in two ways; write it like %(sample)s", text=text.strip(), sample=f"1{group}234{point}50"))
        whole = whole.replace(group, "")
    clean = f"{whole}.{fraction}" if dot else whole
    clean = "0" + clean if clean.startswith(".") else clean
    if not PARTS.fullmatch(clean):
        raise Wrong(_("%(text)s is no number; write it like %(sample)s", text=text.strip()[:40], sample=f"1{group}234{point}50"))
    try:
        return Decimal(clean)
    except InvalidOperation:
        raise Wrong(_("%(text)s is no number", text=text.strip()[:40])) from None


class Reader:
    """Reads posted fields one by one and keeps every problem with its field."""

    def __init__(self, form: Mapping[str, Any]) -> None:
        self.form = {k: v for k, v in form.items() if isinstance(v, str)}
        for field in [k.removesuffix("_was") for k in self.form if k.endswith("_was") and k.removesuffix("_was") + "_text" in self.form]:
            if self.form.pop(f"{field}_was").strip() != self.text(f"{field}_text"):  # typed without a script: what was chosen before is not meant any more
                self.form[field] = ""
        self.problems: list[Problem] = []

    def bad(self, where: str, message: str, hint: str = "", code: str = "entry") -> None:
        """Note a problem with a field."""
        self.problems.append(Problem(code=code, message=message, where=where, hint=hint))

    def text(self, name: str) -> str:
        """As typed, without blanks around it."""
        return self.form.get(name, "").strip()

    def flag(self, name: str) -> bool:
        """A box that is ticked."""
        return self.text(name).lower() in ("true", "on", "1", "yes")

    def decimal(self, name: str, where: str = "") -> Decimal | None:
        """A number, or None where the field is empty or wrong."""
        text = self.text(name)
        if not text:
            return None
        try:
            return decimal(text)
        except Wrong as wrong:
            self.bad(where or name, str(wrong), code="entry.number")
            return None

    def day(self, name: str, where: str = "") -> date | None:
        """A date, or None where the field is empty or wrong."""
        text = self.text(name)
        if not text:
            return None
        try:
            return date.fromisoformat(text)
        except ValueError:
            self.bad(where or name, _("%(text)s is no date", text=text[:40]), _("write it like %(sample)s", sample="2026-01-31"), "entry.date")
            return None

    def whole(self, name: str, where: str = "") -> int | None:
        """A whole number, or None."""
        found = self.decimal(name, where)
        if found is not None and found != found.to_integral_value():
            self.bad(where or name, _("a whole number was expected, got %(text)s", text=self.text(name)[:40]), code="entry.number")
            return None
        return None if found is None else int(found)

    def reference(self, name: str) -> int | str | None:
        """The chosen id; what stands in the box where nothing was chosen."""
        chosen = self.text(name)
        if chosen.isascii() and chosen.isdigit() and len(chosen) <= 18:
            return int(chosen)
        return self.text(f"{name}_text") or chosen or None

    def rows(self, name: str) -> list[int]:
        """Indices of the rows of a grid that have something in them, in order. Rows that are ticked for removal are left out."""
        found: dict[int, bool] = {}
        gone = set()
        for key, value in self.form.items():
            parts = key.split("-", 2)
            if len(parts) == 3 and parts[0] == name and parts[1].isdigit() and len(parts[1]) < 7:
                index = int(parts[1])
                if parts[2] == "delete" and value:
                    gone.add(index)
                found[index] = found.get(index, False) or (bool(value.strip()) and parts[2].split(".")[0] not in BESIDE)
        return [i for i in sorted(found) if found[i] and i not in gone]


# ---- structs as forms --------------------------------------------------------------------------------------------------------------


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One field of a struct: what it is called and how it is entered. rows: parts of the struct that a tuple repeats; choices: of a literal."""

    name: str
    type: str
    default: Any = None
    null: bool = False
    rows: tuple[Part, ...] = ()
    choices: tuple[str, ...] = ()


NOTHING = "-"  # how the choice "" is posted: an empty one means that nothing was chosen
SIMPLE = {str: "text", int: "integer", Decimal: "number", date: "date", bool: "checkbox"}


def parts_of(struct: Any) -> tuple[Part, ...]:
    """The fields of a plugin's struct, in order."""
    return tuple(_part(f.encode_name, f.type, None if f.default is msgspec.NODEFAULT else f.default) for f in msgspec.structs.fields(struct))


def _part(name: str, hint: Any, default: Any) -> Part:
    null = False
    if get_origin(hint) in (Union, UnionType):
        options = [a for a in get_args(hint) if a is not type(None)]
        null, hint = len(options) < len(get_args(hint)), options[0] if len(options) == 1 else Any
    if hint in SIMPLE:
        return Part(name=name, type=SIMPLE[hint], default=default, null=null)
    args = get_args(hint)
    if get_origin(hint) is Literal:
        return Part(name=name, type="choice", default=default, null=null, choices=args)
    if get_origin(hint) is tuple and len(args) == 2 and args[1] is Ellipsis:
        if args[0] is str:
            return Part(name=name, type="words", default=default)
        if isinstance(args[0], type) and issubclass(args[0], msgspec.Struct):
            inner = parts_of(args[0])
            if all(p.type in SIMPLE.values() for p in inner):
                return Part(name=name, type="rows", rows=inner)
    return Part(name=name, type="json", default=default)


def field_of(part: Part, name: str, value: Any, label: str = "", url: str = "") -> dict[str, Any]:
    """A part as a field of a page. value: as in the struct, or the posted text."""
    shown: Any = value
    kind = {"integer": "number", "words": "text", "json": "textarea", "choice": "select"}.get(part.type, part.type)
    if isinstance(value, Decimal) or (isinstance(value, int) and not isinstance(value, bool)):
        shown = entry(Decimal(value))
    elif part.type == "words" and not isinstance(value, str):
        shown = ", ".join(value or ())
    elif part.type == "json" and not isinstance(value, str):
        shown = msgspec.json.format(msgspec.json.encode(value), indent=2).decode() if value else ""
    elif isinstance(value, date):
        shown = value.isoformat()
    field = {"name": name, "label": label or words(part.name), "type": kind, "value": shown, "width": 4 if kind == "textarea" else 1}
    if part.type == "choice":
        field |= {"options": [{"value": c or NOTHING, "label": words(c)} for c in part.choices], "complete": not part.null, "value": shown or ""}
    if url and part.type == "text":
        field |= {"type": "reference", "url": url, "text": shown}
    return field


def read_struct(reader: Reader, parts: tuple[Part, ...], prefix: str, where: str) -> dict[str, Any]:
    """What was entered for a struct, as plain values; fields that are empty are left to their defaults."""
    out: dict[str, Any] = {}
    for part in parts:
        name, place = f"{prefix}.{part.name}", f"{where}.{part.name}"
        value: Any = None
        if part.type == "rows":
            found = [_row(reader, part.rows, f"{name}-{i}", place) for i in reader.rows(name)]
            if found:
                out[part.name] = [r for r in found if r]
            continue
        if part.type == "checkbox":
            out[part.name] = reader.flag(name)
            continue
        value = _simple(reader, part, name, place)
        if value is not None and (value != "" or part.type == "choice"):
            out[part.name] = value
    return out


def _row(reader: Reader, parts: tuple[Part, ...], prefix: str, where: str) -> dict[str, Any]:
    values = {p.name: reader.flag(f"{prefix}-{p.name}") if p.type == "checkbox" else _simple(reader, p, f"{prefix}-{p.name}", where) for p in parts}
    return {k: v for k, v in values.items() if v not in (None, "")}


def _simple(reader: Reader, part: Part, name: str, where: str) -> Any:
    if part.type == "number":
        return reader.decimal(name, where)
    if part.type == "integer":
        return reader.whole(name, where)
    if part.type == "date":
        return reader.day(name, where)
    if part.type == "choice":
        chosen = reader.text(name)
        return None if not chosen else "" if chosen == NOTHING else chosen
    if part.type == "words":
        return [w.strip() for w in reader.text(name).split(",") if w.strip()]
    if part.type == "json":
        try:
            return msgspec.json.decode(reader.text(name)) if reader.text(name) else None
        except msgspec.DecodeError as error:
            reader.bad(where, _("this is not valid JSON: %(error)s", error=str(error)[:200]), code="entry.json")
            return None
    return reader.text(name) or reader.text(f"{name}_text")
