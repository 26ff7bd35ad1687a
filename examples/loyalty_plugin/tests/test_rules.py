"""What loyalty decides, without a database."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from newel_loyalty.rules import Standing, Tier, adjustments, check_tier, panels

TIERS = (Tier(code="GOLD", name="Gold", points_min=1000, percent=Decimal(10)), Tier(code="TIN", name="Tin", points_min=100, percent=Decimal(2)))


@given(st.integers(0, 2000))
def test_the_points_decide_the_tier(points: int) -> None:
    found = adjustments("document", Standing(points=points, tiers=TIERS))
    expected = [] if points < 100 else [("TIN", Decimal(-2))] if points < 1000 else [("GOLD", Decimal(-10))]
    assert [(a.rule, a.percent) for a in found] == expected
    assert adjustments("line", Standing(points=points, tiers=TIERS)) == []


def test_the_way_to_the_next_tier() -> None:
    (panel,) = panels(Standing(points=700, tiers=TIERS))
    assert panel.rows == (("Points", "700"), ("Tier", "Tin"), ("Next tier", "Gold"), ("Points missing", "300"))


def test_a_tier_makes_sense() -> None:
    assert check_tier({"percent": Decimal(100), "points_min": 0}) == []
    assert [p.code for p in check_tier({"percent": Decimal(101), "points_min": -1})] == ["loyalty.percent", "loyalty.points"]
