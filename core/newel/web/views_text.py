"""Words and numbers in the reader's language, for view models. Decimals never pass through a float."""

from __future__ import annotations

import gettext as catalogs
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from babel import Locale
from babel.support import Translations

from newel.web.rendering import day_text, decimal_text, instant_text, language

LOCALES = Path(__file__).parent.parent / "locale"
day, instant, number = day_text, instant_text, decimal_text


@lru_cache(maxsize=16)
def _catalog(tag: str) -> catalogs.NullTranslations:
    return Translations.load(str(LOCALES), [tag], "newel")


def _(text: str, **values: Any) -> str:
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
