"""What the fault file decides, without a database."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from newel_faults.routes import HEIGHT, WIDTH, drawn
from newel_faults.rules import check_measure, pareto

D = Decimal


def test_the_most_frequent_comes_first() -> None:
    bars = pareto([("b", D(2)), ("a", D(5)), ("c", D(2)), ("d", D(1))])
    assert [(b.name, b.share, b.running) for b in bars] == [("a", D("50.0"), D("50.0")), ("b", D(20), D(70)), ("c", D(20), D(90)), ("d", D(10), D(100))]
    assert pareto([]) == []


@given(st.lists(st.decimals("0.001", "100000", places=3), min_size=1, max_size=20))
def test_running_shares_end_at_a_hundred_and_bars_stay_in_the_drawing(quantities: list[Decimal]) -> None:
    bars = pareto([(str(n), q) for n, q in enumerate(quantities)])
    assert bars[-1].running == 100
    assert [b.quantity for b in bars] == sorted(quantities, reverse=True)
    for bar in drawn([{"name": b.name, "quantity": b.quantity, "running": b.running} for b in bars]):
        assert bar["x"] >= 0 and bar["x"] + bar["w"] <= WIDTH and bar["y"] >= 0 and bar["y"] + bar["h"] <= HEIGHT and 0 <= bar["py"] <= HEIGHT


def test_a_measure_with_a_day_has_somebody() -> None:
    assert [p.where for p in check_measure({"date_due": "2026-01-01", "responsible": ""})] == ["responsible"]
    assert list(check_measure({"date_due": "2026-01-01", "responsible": "Ann"})) == []
