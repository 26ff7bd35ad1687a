"""What warranty decides, without a database."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from newel_warranty.checks import check_event, check_rule
from newel_warranty.rules import Happened, Piece, Rule, Terms, cover, later, service_due, terms_of

D = Decimal
YEAR = Terms(code="YEAR", months=12, parts=D(100), labour=D(0), service_months=6)
TWO = Terms(code="TWO", months=24, parts=D(100), labour=D(50))
SOLD = date(2026, 1, 31)


def piece(*life: Happened) -> Piece:
    return Piece(item=7, classes=("PUMPS", "MACHINES"), serial="S1", life=life or (Happened(date=SOLD, kind="sold"),))


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [(SOLD, 1, date(2026, 2, 28)), (SOLD, 25, date(2028, 2, 29)), (date(2026, 11, 5), 2, date(2027, 1, 5)), (SOLD, 0, SOLD)],
)  # fmt: skip
def test_months_later(day: date, months: int, expected: date) -> None:
    assert later(day, months) == expected


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)), st.integers(0, 240), st.integers(0, 240))
def test_more_months_are_never_earlier(day: date, some: int, more: int) -> None:
    assert later(day, some) <= later(day, some + more)


def test_the_items_own_terms_win_then_the_closest_class() -> None:
    rules = [Rule(terms=TWO), Rule(terms=TWO, item_class="MACHINES"), Rule(terms=YEAR, item_class="PUMPS")]
    assert terms_of(piece(), SOLD, rules) == YEAR
    assert terms_of(piece(), SOLD, [*rules, Rule(terms=TWO, item=7)]) == TWO
    assert terms_of(piece(), SOLD, [Rule(terms=TWO, item=8), Rule(terms=YEAR, item_class="BIKES")]) is None
    dated = [Rule(terms=TWO, item=7, date_to=date(2025, 12, 31)), Rule(terms=YEAR, item=7, date_from=date(2026, 1, 1))]
    assert terms_of(piece(), SOLD, dated) == YEAR


def test_what_is_covered_on_a_day() -> None:
    rules = [Rule(terms=YEAR, item=7)]
    assert cover(piece(), date(2027, 1, 31), rules).parts == 100
    assert cover(piece(), date(2027, 2, 1), rules).reason == "warranty YEAR ended on 2027-01-31"
    assert cover(piece(), date(2026, 1, 30), rules).reason == "it was not sold by us"
    assert cover(piece(), SOLD, []).reason == "sold on 2026-01-31 without a warranty"
    ended = piece(Happened(date=SOLD, kind="sold"), Happened(date=date(2026, 3, 1), kind="decommissioned"))
    assert (cover(ended, date(2026, 2, 28), rules).parts, cover(ended, date(2026, 3, 1), rules).parts) == (100, 0)
    again = piece(Happened(date=SOLD, kind="sold"), Happened(date=date(2026, 3, 1), kind="returned"), Happened(date=date(2026, 4, 1), kind="sold"))
    assert cover(again, date(2027, 4, 1), rules).parts == 100, "the last sale counts"


def test_the_next_service() -> None:
    rules = [Rule(terms=YEAR, item=7)]
    assert service_due(piece(), rules) == date(2026, 7, 31)
    done = piece(Happened(date=SOLD, kind="sold"), Happened(date=date(2026, 5, 2), kind="serviced"))
    assert service_due(done, rules) == date(2026, 11, 2)
    assert service_due(piece(Happened(date=SOLD, kind="sold"), Happened(date=SOLD, kind="returned")), rules) is None
    assert service_due(piece(), [Rule(terms=TWO, item=7)]) is None


def test_records() -> None:
    bad = {"item": 1, "item_class": 2, "date_from": date(2026, 2, 1), "date_to": date(2026, 1, 1)}
    assert [p.code for p in check_rule(bad)] == ["warranty.rule", "warranty.dates"]
    event = {"lot": 3, "item": 8, "kind": "recycled", "date": date(2025, 1, 1), "proof": ""}
    assert [p.code for p in check_event(event, {3: piece()})] == ["warranty.item", "warranty.order", "warranty.date", "warranty.proof"]
    assert list(check_event(event, {})) == []
