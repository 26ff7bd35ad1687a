"""Who acts, for which company, when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, TypeVar

import msgspec

S = TypeVar("S")


class Company(msgspec.Struct, frozen=True, kw_only=True):
    """A legal entity that keeps books.

    Args:
        amount_digits: digits of amounts in its currency; 2 and 4 are both real.
        price_digits: digits of unit prices.
        rounding: name of a rounding, see domain.money.
        tax_rounding: document (EN 16931: per document, category and rate) or line.
        shortage: what a sale of more than there is meets: block, or backorder.
    """

    id: int
    code: str
    name: str
    currency: str
    country: str = ""
    region: str = ""
    tax_id: str = ""
    amount_digits: int = 2
    price_digits: int = 4
    rounding: str = "half_up"
    tax_rounding: str = "document"
    prices_include_tax: bool = False
    shortage: str = "backorder"


class User(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody, or something, that acts. A permission ending in ".*" stands for all below; "*" for everything."""

    id: int
    login: str
    name: str = ""
    permissions: frozenset[str] = frozenset()
    companies: frozenset[int] = frozenset()
    language: str = "en"
    party: int | None = None

    def may(self, permission: str) -> bool:
        """Whether this user has the named permission."""
        if permission in self.permissions or "*" in self.permissions:
            return True
        parts = permission.split(".")
        return any(".".join([*parts[:i], "*"]) in self.permissions for i in range(1, len(parts)))


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """Handed to every hook. Rules take the time from here and never from the clock.

    Args:
        now: instant, UTC.
        today: business date of the company.
        source: screen, api, import, job, portal or the name of a plugin.
        overrides: codes of problems of severity override that the user goes on in spite of.
        settings: the plugin's settings struct by plugin name.
    """

    user: User
    company: Company
    now: datetime
    today: date
    source: str = "screen"
    overrides: frozenset[str] = frozenset()
    settings: Mapping[str, Any] = {}

    def setting(self, plugin: str, kind: type[S]) -> S:
        """The settings of a plugin; its defaults where none are stored."""
        found = self.settings.get(plugin)
        return found if isinstance(found, kind) else kind()
