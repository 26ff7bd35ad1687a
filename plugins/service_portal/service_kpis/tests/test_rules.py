"""Figures by hand, and what must hold of every score."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from newel_service_kpis.rules import Case, Measure, Owner, check_grade, check_measure, figures, points, rated, scored

D = Decimal
NOW = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DAYS = Measure(measure="turnaround_days", weight=3, best=D(1), worst=D(11))
FIXED = Measure(measure="first_time_fix", weight=1, best=D(100), worst=D(50))
amounts = st.integers(-10_000, 10_000).map(lambda n: D(n) / 10)


def test_figures_and_points_by_hand() -> None:
    """One is answered in 2 hours and solved in 3 days at 40.00; the other in 4 hours, in 6 days, opened again once, at 10.00; a third waits."""
    cases = [
        Case(id=1, team="desk", asked=NOW, answered=NOW + 2 * HOUR, solved=NOW + 3 * DAY, cost=D(40), grade=5),
        Case(id=2, team="desk", asked=NOW, answered=NOW + 4 * HOUR, solved=NOW + 6 * DAY, reopened=1, cost=D(10)),
        Case(id=3, team="desk", asked=NOW),
    ]
    found = figures(cases)
    assert found == {"response_hours": D("3.0"), "turnaround_days": D("4.5"), "first_time_fix": D("50.0"), "cost": D("25.00"), "satisfaction": D("5.0")}
    assert (points(DAYS, D("4.5")), points(FIXED, D(50))) == (D(65), D(0))
    assert scored([DAYS, FIXED], found) == D("48.8"), "(3 x 65 + 1 x 0) / 4, half up"
    (score,) = rated(cases, [DAYS, FIXED])
    assert (score.requests, score.solved, score.score) == (3, 2, D("48.8"))


def test_the_best_come_first_and_the_unknown_last() -> None:
    cases = [Case(id=n, team=t, asked=NOW, solved=NOW + d * DAY if d else None) for n, (t, d) in enumerate([("slow", 9), ("new", 0), ("quick", 2)])]
    assert [(s.team, s.score) for s in rated(cases, [DAYS])] == [("quick", D("90.0")), ("slow", D("20.0")), ("new", None)]


@given(amounts, amounts, amounts, amounts)
def test_points_lie_between_the_ends_and_follow_the_figure(best: Decimal, worst: Decimal, a: Decimal, b: Decimal) -> None:
    if best == worst:
        return
    measure = Measure(measure="cost", weight=1, best=best, worst=worst)
    assert (points(measure, best), points(measure, worst)) == (D(100), D(0))
    assert D(0) <= points(measure, a) <= D(100)
    nearer, farther = sorted((a, b), reverse=best > worst)
    assert points(measure, nearer) >= points(measure, farther)


def test_what_records_must_be() -> None:
    assert [p.code for p in check_measure({"best": "1", "worst": "1", "weight": 0})] == ["service_kpis.range", "service_kpis.weight"]
    owner = Owner({1: (7, "done"), 2: (7, "open")})
    assert not list(check_grade({"document": 1, "party": 7, "grade": 5}, owner))
    for wrong, code in (
        ({"document": 2}, "open"),
        ({"document": 3}, "of"),
        ({"party": 8}, "party"),
        ({"grade": 6}, "grade"),
        ({"remark": "x" * 3000}, "remark"),
    ):
        assert [p.code for p in check_grade({"document": 1, "party": 7, "grade": 5, **wrong}, owner)] == [f"service_kpis.{code}"]
