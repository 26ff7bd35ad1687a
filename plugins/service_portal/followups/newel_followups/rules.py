"""When a request is made by itself, from how a customer's account stands. Pure functions over frozen values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import msgspec
from newel.domain.context import Company
from newel.domain.money import ZERO, rounded
from newel.errors import Problem


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """When a request is made by itself (SRV-06).

    Args:
        event: no_sale (none for so many days) or overdue (a payment late by more than so many days).
        again_days: not again for the same partner before so many days have passed.
    """

    code: str
    event: str
    days: int
    again_days: int = 30
    type: str = "help"
    category: str = ""
    team: str = ""
    text: str = ""


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """How a partner stands.

    Args:
        last_sale: day of the last confirmed order.
        late, number: days by which the oldest open item is late, and the number of its document.
        owed: what is late altogether, in the company's currency.
    """

    party: int
    last_sale: date | None = None
    number: str = ""
    late: int = 0
    owed: Decimal = ZERO


def due(rule: Rule, accounts: Iterable[Account], today: date, company: Company) -> list[tuple[Account, str]]:
    """The partners that a rule is about today, with what the request says."""
    out = []
    for account in accounts:
        if rule.event == "no_sale" and account.last_sale is not None and (days := (today - account.last_sale).days) > rule.days:
            out.append((account, f"{rule.text or 'No sale'}: the last one was on {account.last_sale}, {days} days ago."))
        elif rule.event == "overdue" and account.late > rule.days:
            owed = f"{rounded(account.owed, company.amount_digits)} {company.currency}"
            out.append((account, f"{rule.text or 'Payment overdue'}: {owed} late, the oldest by {account.late} days."))
    return out


def since(rule: Rule, today: date) -> date:
    """A request of this rule made after this day is enough."""
    return today - timedelta(days=rule.again_days)


def check_rule(values: Mapping[str, Any]) -> Iterator[Problem]:
    """What must hold of a rule that makes requests."""
    for name in ("days", "again_days"):
        if not 1 <= (values.get(name) or 0) <= 3650:
            yield Problem(code="followups.days", message=f"1 to 3650 days were expected, got {values.get(name)}", where=name)
