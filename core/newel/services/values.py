"""One field of a record, and one value of it: decoded strictly on the way in, encoded on the way out."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec

from newel.errors import Problem
from newel.store.columns import I64, scaled, unscaled
from newel.store.session import day, instant

ONE = Decimal(1)
DECIMAL = re.compile(r"-?[0-9]{1,19}(\.[0-9]{1,20})?")
WHOLE = re.compile(r"-?[0-9]{1,19}")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
CONTROL = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
CONTROL_LONG = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
FLAGS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
TEXTS = ("text", "longtext", "choice")


class FieldView(msgspec.Struct, frozen=True, kw_only=True):
    """One field of a record as people and programs meet it.

    Args:
        type: text, longtext, integer, decimal, date, instant, flag, choice, reference or json.
        length: most characters of a text; 0 for no limit. digits: most digits after the point of a decimal.
        null: may be empty (None). A text is never None but "".
        choices: (value, label) pairs of a choice.
        reference: name of the record kind that a reference points to; empty where its table is none. target: that table.
        code_of: name of the record kind whose code this text holds.
        default: what a new record gets, as it would be entered.
        stored: the same as it is stored.
    """

    name: str
    label: str
    help: str = ""
    type: str = "text"
    required: bool = False
    null: bool = False
    length: int = 0
    digits: int = 0
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    choices: tuple[tuple[str, str], ...] = ()
    reference: str = ""
    target: str = ""
    code_of: str = ""
    list: bool = False
    readonly: bool = False
    secret: bool = False
    right: str = ""
    default: Any = None
    stored: Any = None


# ---- in ----------------------------------------------------------------------------------------------------------------------------


class _Bad(Exception):
    """What is wrong with one value: code, message, hint."""


def _text(field: FieldView, value: Any) -> str:
    if not isinstance(value, str):
        raise _Bad("field.type", f"must be text, got {_kind(value)}", "write it in quotation marks")
    text: str = value.strip()
    if (CONTROL if field.type == "text" else CONTROL_LONG).search(text):
        raise _Bad("field.text", "has control characters in it", "type the text anew instead of pasting it")
    if field.length and len(text) > field.length:
        raise _Bad("field.length", f"has {len(text)} characters, {field.length} fit", "shorten it")
    return text


def _choice(field: FieldView, value: Any) -> str:
    if not any(value == known for known, _ in field.choices):
        options = ", ".join(known or '""' for known, _ in field.choices)
        raise _Bad("field.choice", f"is {value!r:.60}, which is no choice", f"choose one of {options}")
    return str(value)


def _integer(field: FieldView, value: Any) -> int:
    if isinstance(value, str) and WHOLE.fullmatch(value.strip()):
        value = int(value)
    if type(value) is not int:
        raise _Bad("field.type", f"must be a whole number, got {_kind(value)}", "enter digits only, such as 12")
    _bounds(field, Decimal(value))
    if abs(value) > I64:
        raise _Bad("field.range", "is too large", "enter a smaller number")
    return value


def _decimal(field: FieldView, value: Any) -> int:
    number = value
    if isinstance(value, str) and DECIMAL.fullmatch(value.strip()):
        number = Decimal(value.strip())
    elif type(value) is int and abs(value) <= I64:
        number = Decimal(value)
    if not isinstance(number, Decimal) or not number.is_finite():
        hint = 'send it as text, such as "12.50"' if isinstance(value, float) else "enter digits with a point, such as 12.50"
        raise _Bad("field.type", f"must be a decimal number, got {_kind(value)}", hint)
    _bounds(field, number)
    if number and number.adjusted() > 18:
        raise _Bad("field.range", "is too large", "enter a smaller number")
    try:
        return scaled(number, field.digits)
    except OverflowError:
        raise _Bad("field.range", "is too large", "enter a smaller number") from None
    except ArithmeticError:
        raise _Bad("field.digits", f"has more than {field.digits} digits after the point", f"round it to {field.digits} digits") from None


def _date(_field: FieldView, value: Any) -> date:
    if isinstance(value, str) and DAY.fullmatch(value.strip()):
        try:
            return date.fromisoformat(value.strip())
        except ValueError:
            raise _Bad("field.date", f"is {value.strip()}, a day that does not exist", "look at the calendar") from None
    if type(value) is not date:
        raise _Bad("field.date", f"must be a date, got {_kind(value)}", "write year-month-day, such as 2026-01-31")
    return value


def _instant(_field: FieldView, value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        moment = None
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise _Bad("field.date", f"must be an instant with its time zone, got {_kind(value)}", "write 2026-01-31T12:00:00+00:00")
    return moment.astimezone(UTC)


def _flag(_field: FieldView, value: Any) -> bool:
    found = FLAGS.get(value.strip().lower()) if isinstance(value, str) else value
    if not isinstance(found, bool):
        raise _Bad("field.type", f"must be yes or no, got {_kind(value)}", "send true or false")
    return found


def _reference(_field: FieldView, value: Any) -> int | str:
    """An id as a number, or the natural key (number, code) as text; whether it exists is for the service to find out."""
    if type(value) is int and 0 < value <= I64:
        return value
    if not isinstance(value, str) or CONTROL.search(value):
        raise _Bad("field.type", f"must be an id or a number or code as text, got {_kind(value)}", "choose from the list")
    return value.strip()


def _json(_field: FieldView, value: Any) -> str:
    if not isinstance(value, (dict, list)):
        raise _Bad("field.type", f"must be an object or a list, got {_kind(value)}", "")
    try:
        return msgspec.json.encode(value, order="sorted").decode()
    except (TypeError, UnicodeEncodeError):
        raise _Bad("field.type", "has values in it that JSON does not know", "use text, numbers, lists and objects") from None


_IN: dict[str, Callable[[FieldView, Any], Any]] = {
    "text": _text, "longtext": _text, "choice": _choice, "integer": _integer, "decimal": _decimal, "date": _date, "instant": _instant,
    "flag": _flag, "reference": _reference, "json": _json,
}  # fmt: skip


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"{value!r:.40} ({type(value).__name__})"


def _bounds(field: FieldView, number: Decimal) -> None:
    if field.minimum is not None and number < field.minimum:
        raise _Bad("field.range", f"is {number}, less than {field.minimum}", f"enter {field.minimum} or more")
    if field.maximum is not None and number > field.maximum:
        raise _Bad("field.range", f"is {number}, more than {field.maximum}", f"enter {field.maximum} or less")


def decode_one(field: FieldView, value: Any) -> Any:
    """One entered value as it is stored.

    Raises:
        ValueError: with the Problem as its only argument.
    """
    try:
        if value is None or (value == "" and field.type != "choice"):
            return _blank(field)
        if value == "" and not any(known == "" for known, _ in field.choices):
            return _blank(field)
        found = _IN[field.type](field, value)
        return _blank(field) if found == "" and field.required else found
    except _Bad as bad:
        code, message, hint = bad.args
        raise ValueError(Problem(code=code, message=f"{field.label} {message}", where=field.name, hint=hint)) from None


def _blank(field: FieldView) -> Any:
    if field.required or (not field.null and field.type not in TEXTS):
        raise _Bad("field.required", "is missing", "enter a value")
    return None if field.null and field.type != "choice" else ""


# ---- out ---------------------------------------------------------------------------------------------------------------------------


def _number(field: FieldView, value: Any) -> Decimal:
    number = unscaled(value, field.digits).normalize()
    return number.quantize(ONE) if number.as_tuple().exponent > 0 else number  # type: ignore[operator]


_OUT: dict[str, Callable[[FieldView, Any], Any]] = {
    "decimal": _number,
    "date": lambda _field, value: day(value),
    "instant": lambda _field, value: instant(value),
    "flag": lambda _field, value: bool(value),
    "json": lambda _field, value: msgspec.json.decode(value) if isinstance(value, str) else value,
}


def entered(field: FieldView, value: Any) -> Any:
    """A stored value as it would be entered: numbers as Decimal without superfluous zeros."""
    convert = _OUT.get(field.type)
    return value if value is None or convert is None else convert(field, value)
