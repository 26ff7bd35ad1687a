"""Words, numbers and dates in the reader's language, for view models. Decimals never pass through a float."""

from __future__ import annotations

import gettext as catalogs
from contextvars import ContextVar
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

LOCALES = Path(__file__).parent.parent / "locale"
language: ContextVar[str] = ContextVar("newel_language", default="en")
_folders: dict[str, Path] = {}


def translate_also(plugin: str, folder: Path) -> None:
    """Words of a plugin from now on: a file <language>.po for each language. The kernel's own words go first, then plugins by name."""
    if _folders.get(plugin) != folder:
        _folders[plugin] = folder
        _catalog.cache_clear()


@lru_cache(maxsize=16)
def _catalog(tag: str) -> catalogs.NullTranslations:
    found: catalogs.NullTranslations = Translations.load(str(LOCALES), [tag], "newel")
    for _name, folder in sorted(_folders.items()):
        path = folder / f"{tag}.po"
        if path.exists():
            with path.open("rb") as text, BytesIO() as compiled:
                write_mo(compiled, read_po(text, tag))
                compiled.seek(0)
                found.add_fallback(Translations(compiled))
    return found


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


def day(value: date | str | None) -> str:
    """A date in the reader's format."""
    if not value:
        return ""
    return format_date(date.fromisoformat(value) if isinstance(value, str) else value, "medium", language.get())


def instant(value: datetime | str | None) -> str:
    """An instant in the reader's format, in UTC."""
    if not value:
        return ""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
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


def words(name: str) -> str:
    """A name of code as people read it: date_due -> Date due."""
    return _(name.replace("_", " ").strip().capitalize())
