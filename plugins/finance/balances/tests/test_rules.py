"""Agreed balances against postings by day, from examples that Hypothesis makes."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st
from newel_balances.rules import Assertion, compared

START = date(2026, 1, 1)
DAYS = st.integers(0, 60).map(lambda n: START + timedelta(days=n))
POSTED = st.dictionaries(st.integers(1, 4), st.dictionaries(DAYS, st.integers(-(10**15), 10**15), max_size=12), max_size=4)


def agreed(posted: dict[int, dict[date, int]], days: list[date]) -> list[Assertion]:
    """What the postings come to, for each account on each of the days."""
    return [
        Assertion(id=n, account=account, date=when, balance=sum(amount for d, amount in posted.get(account, {}).items() if d <= when))
        for n, (account, when) in enumerate((a, d) for a in range(1, 5) for d in days)
    ]


@given(POSTED, st.lists(DAYS, max_size=6, unique=True))
def test_what_the_postings_come_to_is_right(posted: dict[int, dict[date, int]], days: list[date]) -> None:
    assert all(c.books == c.assertion.balance for c in compared(agreed(posted, days), posted))


@given(POSTED, st.lists(DAYS, min_size=1, max_size=6, unique=True), st.integers(1, 4), DAYS, st.sampled_from([-1, 1]))
def test_the_smallest_amount_too_much_is_told_with_account_and_day(
    posted: dict[int, dict[date, int]], days: list[date], account: int, when: date, amount: int
) -> None:
    """Wrong are this account's balances from that day on and no other; the last right day is the one before."""
    expected = agreed(posted, days)
    own = posted.get(account, {})
    changed = posted | {account: own | {when: own.get(when, 0) + amount}}
    wrong = [c for c in compared(expected, changed) if c.books != c.assertion.balance]
    assert sorted((c.assertion.account, c.assertion.date) for c in wrong) == sorted((account, d) for d in days if d >= when)
    assert {c.right_until for c in wrong} <= {max((d for d in days if d < when), default=None)}
