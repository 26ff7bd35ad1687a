"""Shares of orders."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from newel_order_status.rules import Moved, OrderLine, due, stages, statuses

D = Decimal


def line(id: int, quantity: str, **more: object) -> OrderLine:
    return OrderLine(id=id, text="x", quantity=D(quantity), unit="EA", **more)  # type: ignore[arg-type]


def moved(line: int, quantity: str, role: str = "delivery", firm: bool = True) -> Moved:
    return Moved(line=line, quantity=D(quantity), role=role, firm=firm, document=line, number=f"D{line}")


def test_almost_all_is_not_all() -> None:
    """999 of 1000 screws are 99.9 percent of a line: 99, until the last one is there."""
    (shipping, _) = stages([line(1, "1000")], [moved(1, "999")])
    assert (shipping.state, shipping.percent) == ("partly", 99)
    (shipping, _) = stages([line(1, "1000")], [moved(1, "1001")])
    assert (shipping.state, shipping.percent) == ("done", 100)


def test_parts_count_and_what_they_are_parts_of_does_not() -> None:
    lines = [line(1, "1", parts=True), line(2, "3"), line(3, "1")]
    (shipping, invoicing) = stages(lines, [moved(2, "3")])
    assert (shipping.percent, invoicing.state) == (50, "none")
    assert [s.done["shipping"] for s in statuses(lines, [moved(2, "3")])] == [D(3), D(0)]


def test_what_is_only_planned_has_begun() -> None:
    made, shipping, _ = stages([line(1, "2")], [moved(1, "2", "purchase", firm=False), moved(1, "1", firm=False)])
    assert (made.state, made.percent, shipping.state) == ("started", 0, "started")


def test_the_next_delivery_is_the_first_that_has_not_gone_out() -> None:
    one = line(1, "10", dates=((D(5), date(2026, 2, 1)), (D(5), date(2026, 1, 1))))
    assert [due(one, D(n)) for n in (0, 4, 5, 9, 10)] == [date(2026, 1, 1)] * 2 + [date(2026, 2, 1)] * 2 + [None]


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 12)), min_size=1, max_size=6))
def test_a_percentage_is_one(shares: list[tuple[int, int]]) -> None:
    lines = [line(n, str(q)) for n, (q, _) in enumerate(shares)]
    (shipping, _) = stages(lines, [moved(n, str(m)) for n, (_, m) in enumerate(shares)])
    assert 0 <= shipping.percent <= 100
    assert (shipping.percent == 100) == all(m >= q for q, m in shares)
