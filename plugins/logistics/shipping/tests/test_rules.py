"""What shipping decides, without a database."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from newel.domain.document import Document, Line, Stage
from newel_shipping.rules import Due, Method, Methods, Part, ShippingData, check, due, late, panels

D = Decimal
FACTS = Methods({"STD": Method(code="STD", name="Standard", carrier="Post", tracking_url="track/{number}")})
FIRST, SECOND, THIRD = date(2026, 1, 10), date(2026, 1, 20), date(2026, 1, 30)


def document(*lines: Line, **values: Any) -> Document:
    base = {"id": 1, "kind": "shipping.delivery", "role": "delivery", "state": "draft", "date": FIRST, "lines": lines}
    return Document(**{**base, **values})


def part(schedule: int | None, day: date | None, quantity: str, line: int = 1) -> Part:
    return Part(line=line, schedule=schedule, day=day, quantity=D(quantity))


def still(parts: list[Part], delivered: list[tuple[int, int | None, str]]) -> list[tuple[int | None, str]]:
    """What is open, as (schedule, quantity)."""
    return [(x.part.schedule, str(x.open)) for x in due(parts, [(a, b, D(c)) for a, b, c in delivered])]


PARTS = [part(3, THIRD, "5"), part(1, FIRST, "4"), part(2, SECOND, "6")]


@pytest.mark.parametrize(
    ("delivered", "expected"),
    [
        ([], [(1, "4"), (2, "6"), (3, "5")]),
        ([(1, None, "4")], [(2, "6"), (3, "5")]),
        ([(1, None, "7")], [(2, "3"), (3, "5")]),
        ([(1, 3, "5")], [(1, "4"), (2, "6")]),
        ([(1, 3, "2"), (1, None, "5")], [(2, "5"), (3, "3")]),
        ([(1, 1, "6")], [(2, "4"), (3, "5")]),
        ([(1, None, "15")], []),
        ([(2, None, "15")], [(1, "4"), (2, "6"), (3, "5")]),
    ],
)
def test_what_was_delivered_fills_its_own_part_and_then_the_earliest(delivered: list[Any], expected: list[Any]) -> None:
    assert still(PARTS, delivered) == expected


def test_a_line_without_schedule_is_one_part() -> None:
    assert still([part(None, None, "10")], [(1, None, "4")]) == [(None, "6")]
    assert still([part(None, FIRST, "10"), part(None, FIRST, "3", line=2)], [(1, None, "10")]) == [(None, "3")]


@pytest.mark.parametrize(("day", "started", "expected"), [(FIRST, False, True), (SECOND, False, False), (None, False, False), (None, True, True)])
def test_back_orders_are_overdue_or_begun(day: date | None, started: bool, expected: bool) -> None:
    found = Due(part=part(None, day, "10"), delivered=D(0), open=D(10))
    assert late(found, date(2026, 1, 15), started) is expected


@pytest.mark.parametrize(
    ("data", "codes"),
    [
        (ShippingData(), []),
        (ShippingData(method="STD", weight=D("2.5"), packages=1), []),
        (ShippingData(method="AIR"), ["shipping.method"]),
        (ShippingData(weight=D(-1)), ["shipping.weight"]),
        (ShippingData(weight=D("NaN")), ["shipping.weight"]),
        (ShippingData(packages=-1), ["shipping.packages"]),
    ],
)
def test_how_it_is_sent(data: ShippingData, codes: list[str]) -> None:
    assert [p.code for p in check(document(data={"shipping": data}), "", FACTS)] == codes


def test_a_delivery_that_has_gone_on_is_not_undone() -> None:
    billed = Line(id=1, stages={"invoiced": Stage(D(1), D(0))})
    assert [p.code for p in check(document(billed), "reverse", None)] == ["shipping.gone_on"]
    assert check(document(Line(id=1)), "reverse", None) == []
    assert check(document(billed), "ship", None) == []


def test_panels_show_where_it_is() -> None:
    data = ShippingData(method="STD", tracking="123", weight=D("2.50"))
    (panel,) = panels(document(data={"shipping": data}), FACTS)
    assert panel.rows == (
        ("Carrier", "Post"), ("Way of shipping", "Standard"), ("Tracking number", "123"), ("Tracking page", "track/123"), ("Weight", "2.5 kg"),
    )  # fmt: skip
    assert panels(document(), None) == []
