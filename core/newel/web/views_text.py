"""Words, numbers and dates in the reader's language, for view models. Decimals never pass through a float."""

from __future__ import annotations

import gettext as catalogs
import re
from contextvars import ContextVar
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
from babel import Locale
from babel.dates import format_date, format_datetime
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

from newel.errors import Problem

PLACE = re.compile(r"\{\d+\}")
LOCALES = Path(__file__).parent.parent / "locale"
language: ContextVar[str] = ContextVar("newel_language", default="en")
_folders: dict[str, Path] = {}
_day = lru_cache(maxsize=4096)(format_date)  # a page shows the same days again and again


def translate_also(plugin: str, folder: Path) -> None:
    """Words of a plugin from now on: a file <language>.po for each language. The kernel's own words go first, then plugins by name."""
    if _folders.get(plugin) != folder:
        _folders[plugin] = folder
        for kept in (_read, _catalog, _problems):
            kept.cache_clear()


@lru_cache(maxsize=16)
def _read(tag: str) -> list[Catalog]:
    out = []
    for folder in (LOCALES, *(folder for _name, folder in sorted(_folders.items()))):
        path = folder / f"{tag}.po"
        if path.exists():
            with path.open("rb") as text:
                out.append(read_po(text, tag))
    return out


@lru_cache(maxsize=16)
def _catalog(tag: str) -> catalogs.NullTranslations:
    found = catalogs.NullTranslations()
    for catalog in _read(tag):
        with BytesIO() as compiled:
            write_mo(compiled, catalog)
            compiled.seek(0)
            found.add_fallback(Translations(compiled))
    return found


@lru_cache(maxsize=16)
def _problems(tag: str) -> dict[str, list[tuple[re.Pattern[str], str]]]:
    """By the code of a problem: what its texts look like in English, and what they are in the language."""
    out: dict[str, list[tuple[re.Pattern[str], str]]] = {}
    for message in (m for catalog in _read(tag) for m in catalog if m.context and m.string):
        parts = PLACE.split(str(message.id))
        out.setdefault(str(message.context), []).append((re.compile("(.*?)".join(re.escape(p) for p in parts), re.DOTALL), str(message.string)))
    for found in out.values():  # what has more words of its own is the better match
        found.sort(key=lambda f: -len(f[0].pattern.replace("(.*?)", "")))
    return out


def said(problem: Problem) -> Problem:
    """The problem in the reader's language, as far as there are words for it: rules speak English. Of values, only known words are said otherwise."""
    known = _problems(language.get()).get(problem.code)
    return msgspec.structs.replace(problem, message=_matched(known, problem.message), hint=_matched(known, problem.hint)) if known else problem


def _matched(known: list[tuple[re.Pattern[str], str]], text: str) -> str:
    for pattern, words in known:
        if match := pattern.fullmatch(text):
            return PLACE.sub(lambda place: _value(match[int(place[0][1:-1])]), words)
    return text


def _value(text: str) -> str:
    """A value in a problem: a label, a role or a link in the reader's language; anything else as it is."""
    found, label = _(text), text[:1].upper() + text[1:]
    if found != text or label == text or (known := _(label)) == label:
        return found
    return inside(known, noun=not text.endswith("ed"))


def _(text: str, /, **values: Any) -> str:
    """The text in the reader's language; labels of plugins go through it too."""
    found = _catalog(language.get()).gettext(text) if text else ""
    return found % values if values else found


def several(one: str, many: str, n: int) -> str:
    """One or the other, after the rules of the reader's language."""
    return _catalog(language.get()).ngettext(one, many, n)


@lru_cache(maxsize=16)
def separators(tag: str) -> tuple[str, str]:
    """(decimal point, thousands separator) of a language."""
    symbols = Locale.parse(tag).number_symbols["latn"]
    return symbols["decimal"], symbols["group"]


def number(value: Any, digits: int | None = None) -> str:
    """A Decimal (or its text) in the reader's format; digits None keeps what is there."""
    if value is None or value == "":
        return ""
    if isinstance(value, float):
        raise TypeError("float refused")
    exact = Decimal(value)
    if digits is not None:
        exact = exact.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    point, group = separators(language.get())
    return f"{exact:,f}".translate({ord(","): group, ord("."): point})


def day(value: date | str | None, form: str = "medium") -> str:
    """A date in the reader's format; form: as Babel names it, "EEE" for the weekday."""
    return _day(date.fromisoformat(value) if isinstance(value, str) else value, form, language.get()) if value else ""


def instant(value: datetime | str | None) -> str:
    """An instant in the reader's format, in UTC; what somebody entered that is none, as it was entered."""
    if not value:
        return ""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return str(value)
    return format_datetime(moment.astimezone(UTC), "medium", locale=language.get())


def entry(value: Decimal | None, digits: int | None = None) -> str:
    """A number as somebody would type it: no thousands separators, no superfluous zeros unless digits are asked for."""
    if value is None:
        return ""
    text = f"{plain(value):f}" if digits is None else f"{value:.{digits}f}"
    return text.replace(".", separators(language.get())[0])


def plain(value: Decimal) -> Decimal:
    """Without superfluous zeros after the point."""
    value = value.normalize()
    return value.quantize(Decimal(1)) if int(value.as_tuple().exponent) > 0 else value


def inside(label: str, noun: bool = True) -> str:
    """A label in the reader's language, as it stands inside a sentence: German writes nouns large there, too."""
    return label if language.get().startswith("de") and (noun or " " in label) else label.lower()


def words(name: str) -> str:
    """A name of code as people read it: date_due -> Date due."""
    return _(name.replace("_", " ").strip().capitalize())
