"""What a company has set up once: the facts behind the kernel's own answers. Cached per process, renewed when a version moves."""

from __future__ import annotations

from bisect import bisect_right
from datetime import date, timedelta
from decimal import Decimal

import msgspec

from newel.domain.context import Company
from newel.domain.money import ONE
from newel.domain.quantity import Unit
from newel.domain.stock import Location


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """A tax rate: percent, where and when. Empty country or region means anywhere."""

    code: str
    name: str
    category: str
    rate: Decimal
    country: str = ""
    region: str = ""
    role: str = ""
    date_from: date | None = None
    date_to: date | None = None

    def holds(self, day: date) -> bool:
        """Whether it is in force on that day."""
        return (self.date_from is None or self.date_from <= day) and (self.date_to is None or day <= self.date_to)


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """Terms of payment: due `days` after the date, at the end of that month where so said."""

    code: str
    name: str = ""
    days: int = 0
    end_of_month: bool = False

    def due(self, day: date) -> date:
        """The day by which is to be paid."""
        due = day + timedelta(days=self.days)
        if self.end_of_month:
            following = due.replace(day=28) + timedelta(days=4)
            due = following - timedelta(days=following.day)
        return due


class AccountingPeriod(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of time that is open for posting or closed."""

    company: int
    code: str
    date_from: date
    date_to: date
    open: bool = True


class Master(msgspec.Struct, frozen=True, kw_only=True):
    """Everything by its key. accounts: (company, role) -> account id. rates: (company, currency) -> ascending (from, rate)."""

    companies: dict[int, Company] = {}
    units: dict[str, Unit] = {}
    currencies: dict[str, int] = {}
    exchange: dict[tuple[int, str], tuple[tuple[date, Decimal], ...]] = {}
    taxes: dict[str, tuple[Rate, ...]] = {}
    terms: dict[str, Terms] = {}
    locations: dict[int, Location] = {}
    defaults: dict[tuple[int, str], int] = {}
    children: dict[int, tuple[int, ...]] = {}
    accounts: dict[tuple[int, str], int] = {}
    account_names: dict[int, tuple[str, str]] = {}
    periods: dict[int, tuple[AccountingPeriod, ...]] = {}
    item_classes: dict[int, tuple[str, ...]] = {}
    party_classes: dict[int, tuple[str, ...]] = {}

    def rate(self, company: Company, currency: str, day: date) -> Decimal | None:
        """Company currency for one unit of `currency` on that day, None where no rate is known."""
        if currency == company.currency:
            return ONE
        history = self.exchange.get((company.id, currency), ())
        at = bisect_right(history, (day, Decimal("Infinity")))
        return history[at - 1][1] if at else None

    def period(self, company: int, day: date) -> AccountingPeriod | None:
        """The period that a day lies in."""
        return next((p for p in self.periods.get(company, ()) if p.date_from <= day <= p.date_to), None)

    def below(self, location: int) -> tuple[int, ...]:
        """A location and everything inside it."""
        return (location, *self.children.get(location, ()))
