"""What agreed balances mean: pure functions over frozen values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal

import msgspec
from newel.domain.ledger import Entry
from newel.domain.money import ZERO
from newel.errors import Problem, Severity


class Agreed(msgspec.Struct, frozen=True):
    """The last day for which a balance was agreed on, and what the account is called, by account."""

    last: dict[int, tuple[date, str]]


class Assertion(msgspec.Struct, frozen=True, kw_only=True):
    """One agreed balance; amounts are scaled integers, debit less credit."""

    id: int
    account: int
    date: date
    balance: int


class Compared(msgspec.Struct, frozen=True):
    """What the books say instead, and the last agreed day on which they were still right; None for never."""

    assertion: Assertion
    books: int
    right_until: date | None


def compared(assertions: Iterable[Assertion], posted: Mapping[int, Mapping[date, int]]) -> Iterator[Compared]:
    """Each agreed balance beside that of the books, by account and day (H13).

    Args:
        posted: by account the sum of its postings by day.
    """
    by_account: dict[int, list[Assertion]] = {}
    for assertion in sorted(assertions, key=lambda a: (a.account, a.date)):
        by_account.setdefault(assertion.account, []).append(assertion)
    for account, agreed in by_account.items():
        days, total, right = sorted(posted.get(account, {}).items(), reverse=True), 0, None
        for assertion in agreed:
            while days and days[-1][0] <= assertion.date:
                total += days.pop()[1]
            yield Compared(assertion, total, right)
            right = assertion.date if total == assertion.balance else right


def check(entry: Entry, agreed: Agreed) -> list[Problem]:
    """An entry on a day up to which an account was agreed on would make that balance wrong; whoever may override can go on."""
    moved: dict[int, Decimal] = {}
    for p in entry.postings:
        moved[p.account] = moved.get(p.account, ZERO) + p.debit - p.credit
    out = []
    for account, amount in moved.items():
        last, name = agreed.last.get(account, (None, ""))
        if amount and last is not None and entry.date <= last:
            message = f"the balance of {name} was agreed on for {last}, and an entry of {entry.date} changes it by {amount}"
            hint = "post it with a later date, or go on and have the balance agreed on anew"
            out.append(Problem(code="balances.agreed", message=message, where="date", hint=hint, severity=Severity.OVERRIDE))
    return out


def told(account: str, found: Compared, expected: Decimal, books: Decimal) -> str:
    """A wrong balance in words, for the jobs page."""
    until = f", right until {found.right_until}" if found.right_until else ""
    return f"account {account} at the end of {found.assertion.date}: expected {expected}, the books have {books}{until}"
