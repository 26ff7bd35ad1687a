"""Goods that lie at one party and belong to another: what is left, what is left of which part, and for how long it has lain there."""

import random
from datetime import date
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st
from newel.domain.stock import Step, age, layers, left


def step(link: str, quantity: int, document: int, day: int = 1, firm: bool = True) -> Step:
    return Step(line=1, link=link, to_document=document, to_line=document, quantity=D(quantity), firm=firm, day=date(2026, 1, day))


def test_drafts_take_and_bring_nothing() -> None:
    steps = [step("came", 6, 60), step("came", 4, 61, firm=False), step("used", 2, 62), step("returned", 1, 63, firm=False)]
    assert left(steps, "came", 1) == 3
    assert left(steps, "came", 1, without=62) == 5
    assert left(steps, "came", 2) == 0


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.integers(0, 20), st.randoms())
def test_the_oldest_goes_first_and_nothing_is_lost_in_any_order(came: list[int], gone: int, chance: random.Random) -> None:
    gone = min(gone, sum(came))
    steps = [*(step("came", q, 100 + n, n + 1) for n, q in enumerate(came)), step("used", gone, 99)]
    chance.shuffle(steps)
    found = list(layers(steps, "came"))
    assert [s.quantity for s, _ in found] == [D(q) for q in came]
    assert sum(rest for _, rest in found) == sum(came) - gone
    assert len([rest for s, rest in found if 0 < rest < s.quantity]) <= 1
    assert [rest > 0 for _, rest in found] == sorted(rest > 0 for _, rest in found)


@pytest.mark.parametrize(("days", "bracket"), [(0, "0-30"), (30, "0-30"), (31, "31-60"), (60, "31-60"), (90, "61-90"), (91, "over 90")])
def test_ages(days: int, bracket: str) -> None:
    assert age(days) == bracket
