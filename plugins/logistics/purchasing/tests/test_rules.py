"""What purchasing decides, without a database."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from newel.domain.context import Company
from newel.domain.document import Document, Line, Stage
from newel.domain.item import Item
from newel_purchasing.rules import Offer, Ordered, PurchasingFacts, PurchasingSettings, best, check, check_price, panels, price

D = Decimal
TODAY = date(2026, 1, 15)
BOLT = Item(id=7, number="BOLT", name="Bolt", cost=D(4), price=D(10))
HOURS = Item(id=8, number="HOURS", name="Hours", kind="service")
COMPANY = Company(id=1, code="C", name="C", currency="EUR")


def offer(id: int = 1, **values: Any) -> Offer:
    base = {"id": id, "part_number": "", "currency": "EUR", "quantity_min": D(0), "price": D(3), "lead_days": None, "date_from": None, "date_to": None}
    return Offer(**{**base, **values})


def document(role: str = "purchase", *lines: Line, **values: Any) -> Document:
    kind = {"purchase": "order", "receipt": "receipt", "bill": "bill"}[role]
    base = {"id": 5, "kind": f"purchasing.{kind}", "role": role, "state": "draft", "date": TODAY, "currency": "EUR", "lines": lines}
    return Document(**{**base, **values})


@pytest.mark.parametrize(
    ("offers", "quantity", "wins"),
    [
        ([offer(1), offer(2, quantity_min=D(10)), offer(3, quantity_min=D(100))], 10, 2),
        ([offer(1, date_from=date(2026, 1, 1)), offer(2)], 1, 1),
        ([offer(1, date_to=date(2026, 1, 14)), offer(2)], 1, 2),
        ([offer(1, date_from=date(2026, 1, 16))], 1, None),
        ([offer(1, currency="USD"), offer(2, price=None)], 1, None),
        ([offer(1), offer(2)], 1, 2),
    ],
)
def test_the_offer_that_holds(offers: list[Offer], quantity: int, wins: int | None) -> None:
    found = best(tuple(offers), D(quantity), "EUR", TODAY)
    assert (found.id if found else None) == wins


def test_vendors_price_then_cost_and_never_what_we_sell_it_for() -> None:
    facts = PurchasingFacts(offers={7: (offer(price=D("2.5"), part_number="X-1"),)})
    box = Line(id=1, item=BOLT, quantity=D(2), unit="DZN", factor=D(12))
    assert price(document(), box, facts, COMPANY).amount == 30  # type: ignore[union-attr]
    at_cost = price(document(currency="USD", rate=D("0.8")), box, PurchasingFacts(), COMPANY)
    assert at_cost is not None
    assert (at_cost.amount, at_cost.rule) == (D(60), "standard cost")
    unknown = price(document(), Line(id=1, item=HOURS), PurchasingFacts(), COMPANY)
    assert unknown is not None
    assert (unknown.amount, unknown.rule) == (0, "no price")
    assert price(document(), Line(id=1, text="freight"), facts, COMPANY) is None


def test_an_order_is_not_sent_without_a_price() -> None:
    lines = (Line(id=1, item=HOURS), Line(id=2, item=HOURS, price_entered=D(0)), Line(id=3, item=BOLT, price=D(4)))
    assert [(p.code, p.where) for p in check(document("purchase", *lines), "send", PurchasingFacts(), PurchasingSettings())] == [
        ("purchasing.price", "lines[0].price")
    ]


def test_what_has_gone_on_is_not_undone() -> None:
    line = Line(id=1, item=BOLT, price=D(1), stages={"received": Stage(D(1), D(0))})
    for step, expected in (("cancel", ["purchasing.gone_on"]), ("revise", ["purchasing.gone_on"]), ("close", [])):
        assert [p.code for p in check(document("purchase", line), step, PurchasingFacts(), PurchasingSettings())] == expected


def matched(role: str, quantity: str, net: str, transition: str = "post", order: Ordered | None = None, **settings: Any) -> list[tuple[str, str]]:
    order = order or Ordered(line=90, quantity=D(10), net=D(100), received=D(6), billed=D(2))
    line = Line(id=1, item=BOLT, quantity=D(quantity), net=D(net))
    facts = PurchasingFacts(orders={1: order})
    return [(p.code, p.severity) for p in check(document(role, line), transition, facts, PurchasingSettings(**settings))]


@pytest.mark.parametrize(
    ("quantity", "net", "settings", "expected"),
    [
        ("4", "40", {}, []),
        ("4", "40.01", {}, []),
        ("4", "40.02", {}, [("purchasing.price_differs", "override")]),
        ("4", "39", {}, [("purchasing.price_differs", "override")]),
        ("4", "42", {"price_tolerance": D(5)}, []),
        ("4", "43", {"price_tolerance": D(5), "match": "block"}, [("purchasing.price_differs", "block")]),
        ("5", "50", {}, [("purchasing.quantity", "override")]),
        ("5", "50", {"quantity_tolerance": D(20)}, []),
        ("5", "50", {"match": "note"}, [("purchasing.quantity", "note")]),
    ],
)
def test_a_bill_is_held_against_order_and_receipts(quantity: str, net: str, settings: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    """Ten were ordered for 100, six came, two of them are billed: four are left."""
    assert matched("bill", quantity, net, **settings) == expected
    assert matched("bill", quantity, net, "", **settings) == [(code, "note") for code, _ in expected]


@pytest.mark.parametrize(("quantity", "expected"), [("4", []), ("5", ["purchasing.quantity"])])
def test_a_receipt_is_held_against_the_order(quantity: str, expected: list[str]) -> None:
    assert [code for code, _ in matched("receipt", quantity, "0", "receive")] == expected


def test_two_lines_for_one_line_of_the_order_count_together_and_equal_lines_of_it_apart() -> None:
    first, second = (Ordered(line=n, quantity=D(10), net=D(100), received=D(6)) for n in (90, 91))
    lines = tuple(Line(id=n, item=BOLT, quantity=D(4), net=D(40)) for n in (1, 2))
    for orders, expected in (({1: first, 2: first}, 1), ({1: first, 2: second}, 0)):
        assert len(check(document("bill", *lines), "post", PurchasingFacts(orders=orders), PurchasingSettings())) == expected


def test_goods_that_nobody_received_and_a_number_that_came_twice() -> None:
    lines = (Line(id=1, item=BOLT, net=D(1)), Line(id=2, item=HOURS, net=D(1)), Line(id=3, kind="charge", text="freight", net=D(1)))
    found = check(document("bill", *lines, reference="R1"), "post", PurchasingFacts(twin="VB1"), PurchasingSettings())
    assert [(p.code, p.where) for p in found] == [("purchasing.reference", "reference"), ("purchasing.not_received", "lines[0]")]


def test_records_and_the_box() -> None:
    bad = {"price": D(-1), "quantity_min": D(-1), "date_from": date(2026, 2, 1), "date_to": date(2026, 1, 1)}
    assert [p.where for p in check_price(bad)] == ["price", "quantity_min", "date_to"]
    facts = PurchasingFacts(offers={7: (offer(), offer(2, part_number="X-1")), 8: (offer(),)})
    (panel,) = panels(document("purchase", Line(id=1, item=BOLT), Line(id=2, item=HOURS)), facts)
    assert panel.rows == (("BOLT", "X-1"),)
    assert panels(document(), facts) == []
