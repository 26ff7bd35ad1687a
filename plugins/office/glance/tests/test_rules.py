"""What is promised when: pure functions."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from newel_glance.rules import promised

TODAY, SOON, LATER = date(2030, 1, 1), date(2030, 1, 10), date(2030, 2, 1)
COMING = ((SOON, Decimal(5)), (LATER, Decimal(20)), (None, Decimal(100)))


@pytest.mark.parametrize(
    ("wanted", "day"),
    [("3", TODAY), ("4", TODAY), ("5", SOON), ("9", SOON), ("10", LATER), ("29", LATER), ("30", None)],
)
def test_the_first_day_on_which_all_of_it_is_there(wanted: str, day: date | None) -> None:
    """Four lie here; five come soon, twenty later, and a hundred nobody knows when."""
    assert promised(Decimal(wanted), Decimal(4), COMING, TODAY) == day


def test_what_should_have_come_is_promised_for_today() -> None:
    """A day in the past is no promise."""
    assert promised(Decimal(5), Decimal(0), ((date(2029, 1, 1), Decimal(5)),), TODAY) == TODAY
