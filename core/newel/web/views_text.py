"""Words, numbers and dates in the reader's language. Decimals never pass through a float."""

from __future__ import annotations

import gettext as catalogs
from contextvars import ContextVar
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2
from babel import Locale
from babel.dates import format_date, format_datetime
from babel.support import Translations

LOCALES = Path(__file__).parent.parent / "locale"
language: ContextVar[str] = ContextVar("language", default="en")


@lru_cache(maxsize=16)
def _locale(tag: str) -> Locale:
    return Locale.parse(tag or "en", sep="-" if "-" in tag else "_")


@lru_cache(maxsize=16)
def _catalog(tag: str) -> catalogs.NullTranslations:
    return Translations.load(str(LOCALES), [tag], "newel")


def locale() -> Locale:
    """The reader's locale."""
    return _locale(language.get())


def _(text: str, **values: Any) -> str:
    """The text in the reader's language; labels of plugins go through it too."""
    found = _catalog(language.get()).gettext(text) if text else ""
    return found % values if values else found


def several(one: str, many: str, n: int) -> str:
    return _catalog(language.get()).ngettext(one, many, n)


# ---- numbers and dates -------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=16)
def separators(tag: str) -> tuple[str, str]:
    """(decimal point, thousands separator) of a language."""
    symbols = _locale(tag).number_symbols
    symbols = symbols.get("latn", symbols)
    return symbols["decimal"], symbols["group"]


def number(value: Any, digits: int | None = None, grouped: bool = True) -> str:
    """A Decimal (or its text) in the reader's format, never through a float; digits None keeps what is there."""
    if value is None or value == "" or isinstance(value, jinja2.Undefined):
        return ""
    if isinstance(value, float):
        raise TypeError("float refused")
    exact = Decimal(value)
    if digits is not None:
        exact = exact.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    point, group = separators(language.get())
    text = f"{exact:,f}" if grouped else f"{exact:f}"
    return text.replace(",", "\x00").replace(".", point).replace("\x00", group)


def plain(value: Decimal) -> Decimal:
    """Without superfluous zeros after the point."""
    value = value.normalize()
    return value.quantize(Decimal(1)) if int(value.as_tuple().exponent) > 0 else value


def day(value: Any) -> str:
    """A date in the reader's format."""
    if isinstance(value, str) and value:
        value = date.fromisoformat(value)
    return format_date(value, "medium", locale()) if isinstance(value, date) else ""


def instant(value: Any) -> str:
    """An instant in the reader's format, in UTC."""
    if isinstance(value, str) and value:
        value = datetime.fromisoformat(value)
    return format_datetime(value, "medium", locale=locale()) if isinstance(value, datetime) else ""
