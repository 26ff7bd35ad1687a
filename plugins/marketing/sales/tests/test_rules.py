"""What sales decides, without a database."""

from datetime import date
from decimal import Decimal

import pytest
from newel.domain.document import Document, Line, Stage
from newel.domain.party import Party
from newel.errors import Severity
from newel_sales.rules import SalesData, SalesFacts, SalesSettings, Share, check, panels, progress, valid_until

D = Decimal
DAY = date(2026, 1, 15)
FACTS = SalesFacts({"ANNA": "Anna", "BEN": "Ben"}, {"A": "Class A"})
SETTINGS = SalesSettings()
LINE = Line(id=1, kind="item", quantity=D(10), text="bolt")


def order(kind: str = "sales.order", role: str = "sale", **values: object) -> Document:
    """A document of sales."""
    base = {"id": 1, "kind": kind, "role": role, "state": "draft", "date": DAY, "lines": (LINE,), "version": 1}
    return Document(**{**base, **values})


def found(document: Document, transition: str = "", today: date = DAY) -> set[str]:
    """Codes of what is wrong."""
    return {p.code for p in check(document, transition, FACTS, SETTINGS, today)}


def shared(*shares: tuple[str, str]) -> Document:
    data = SalesData(representatives=tuple(Share(representative=name, percent=D(percent)) for name, percent in shares))
    return order(data={"sales": data})


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ((), set()),
        ((("ANNA", "100"),), set()),
        ((("ANNA", "66.67"), ("BEN", "33.33")), set()),
        ((("ANNA", "60"), ("BEN", "30")), {"sales.shares"}),
        ((("ANNA", "50"), ("ANNA", "50")), {"sales.representative_twice"}),
        ((("NOBODY", "100"),), {"sales.representative"}),
        ((("ANNA", "120"), ("BEN", "-20")), {"sales.share"}),
        ((("ANNA", "NaN"),), {"sales.share", "sales.shares"}),
    ],
)
def test_shares_add_up_to_100(shares: tuple[tuple[str, str], ...], expected: set[str]) -> None:
    assert found(shared(*shares)) == expected


def test_classes_must_exist() -> None:
    assert found(order(data={"sales": SalesData(classes=("A",))})) == set()
    assert found(order(data={"sales": SalesData(classes=("A", "X"))})) == {"sales.class"}


@pytest.mark.parametrize("blocked", ["orders", "all"])
def test_a_blocked_party_gets_no_new_sales(blocked: str) -> None:
    party = Party(id=1, number="P", name="P", blocked=blocked)
    assert found(order(party=party, version=0)) == {"sales.blocked"}
    assert found(order("sales.quotation", party=party), "send") == {"sales.blocked"}
    assert found(order(party=party)) == set(), "what is there already may be changed"
    assert found(order("sales.lead", "request", party=party, version=0)) == set()


def test_a_quotation_expires() -> None:
    quotation = order("sales.quotation", state="sent", phase="offered")
    assert valid_until(quotation, SETTINGS) == date(2026, 2, 14)
    assert found(quotation, today=date(2026, 2, 14)) == set()
    (problem,) = check(quotation, "accept", FACTS, SETTINGS, date(2026, 2, 15))
    assert (problem.code, problem.severity) == ("sales.expired", Severity.NOTE)
    assert found(quotation, "expire", date(2026, 2, 15)) == set()
    early = order("sales.quotation", data={"sales": SalesData(valid_until=date(2026, 1, 1))})
    assert found(early) == {"sales.validity"}


def test_something_must_be_sold() -> None:
    empty = order(lines=(Line(id=1, kind="text", text="hello"),))
    assert found(empty) == set()
    assert found(empty, "confirm") == {"sales.empty"}
    assert found(order(), "confirm") == set()


def test_what_has_gone_on_is_closed_and_not_cancelled() -> None:
    gone = Line(id=1, kind="item", quantity=D(10), stages={"delivered": Stage(D(4), D(3))})
    for transition in ("cancel", "revise"):
        assert found(order(lines=(gone,)), transition) == {"sales.gone_on"}
        assert found(order(), transition) == set()
    assert found(order(lines=(gone,)), "close") == set()


def test_progress_counts_parts_and_not_what_they_make_up() -> None:
    kit = Line(id=1, kind="item", quantity=D(1))
    part = Line(id=2, kind="item", quantity=D(4), parent=1, stages={"delivered": Stage(D(4), D(3))})
    assert progress(order(lines=(kit, part))) == [("delivered", D(4), D(4), D(3))]


def test_panels_say_how_far_and_who() -> None:
    line = Line(id=1, kind="item", quantity=D(10), stages={"delivered": Stage(D(5), D(3))})
    data = {"sales": SalesData(representatives=(Share(representative="ANNA", percent=D("100.0")),))}
    first, second = panels(order(lines=(line,), data=data), FACTS, SETTINGS)
    assert first.rows == (("Delivered", "3/10 (+2)"),)
    assert second.rows == (("Anna", "100 %"),)
