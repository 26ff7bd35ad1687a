"""Which line of which list prices an item: the declared order, rounding, and what a line of a list must be."""

from datetime import date
from decimal import Decimal
from itertools import permutations, product
from typing import Any

import pytest
from newel.domain.context import Company
from newel.domain.item import Item
from newel_pricelists.rules import Assigned, ListLine, PriceFacts, answer, check_assignment, check_line, choose

D = Decimal
DAY = date(2026, 1, 15)
COMPANY = Company(id=1, code="C", name="C", currency="EUR", price_digits=2)
ITEM = Item(id=7, number="BOLT", name="Bolt", classes=("BOLTS", "METAL"), price=D("1.25"), price_home=D("1.25"))
OWN = Assigned(price_list=1, code="OWN", currency="EUR", rank=0)
CLASS = Assigned(price_list=2, code="CLASS", currency="EUR", rank=1)
ABOVE = Assigned(price_list=3, code="ABOVE", currency="EUR", rank=2)


def facts(*found: tuple[Assigned, ListLine]) -> PriceFacts:
    """Facts with these lines in these lists."""
    lines: dict[tuple[int, int | None], tuple[ListLine, ...]] = {}
    for assigned, line in found:
        key = (assigned.price_list, line.item)
        lines[key] = (*lines.get(key, ()), line)
    return PriceFacts(tuple(dict.fromkeys(assigned for assigned, _ in found)), lines)


def chosen(found: PriceFacts, quantity: str = "10", currency: str = "EUR") -> int | None:
    """Id of the line that wins."""
    best = choose(found, ITEM, D(quantity), currency, DAY)
    return best[1].id if best else None


# Each of these is more specific than the next one.
RANKED = [
    (OWN, ListLine(id=1, item=7, quantity_min=D(5), price=D(1))),
    (OWN, ListLine(id=2, item=7, date_from=date(2026, 1, 2), price=D(1))),
    (OWN, ListLine(id=3, item=7, date_from=date(2026, 1, 1), price=D(1))),
    (OWN, ListLine(id=4, item=7, price=D(1))),
    (OWN, ListLine(id=5, item_class="BOLTS", quantity_min=D(5), price=D(1))),
    (OWN, ListLine(id=6, item_class="BOLTS", price=D(1))),
    (OWN, ListLine(id=7, item_class="METAL", price=D(1))),
    (OWN, ListLine(id=8, price=D(1))),
    (CLASS, ListLine(id=9, item=7, quantity_min=D(10), price=D(1))),
    (CLASS, ListLine(id=10, price=D(1))),
    (ABOVE, ListLine(id=11, item=7, price=D(1))),
]


@pytest.mark.parametrize("first", range(len(RANKED)))
def test_the_most_specific_line_wins(first: int) -> None:
    assert chosen(facts(*RANKED[first:])) == RANKED[first][1].id
    assert chosen(facts(*reversed(RANKED[first:]))) == RANKED[first][1].id


def test_the_order_is_total() -> None:
    """Of any three lines the same one wins, however they were found; equal ones go by sequence, code and id."""
    rivals = [*RANKED, (OWN, ListLine(id=20, item=7, price=D(2)))]
    for some in product(range(len(rivals)), repeat=3):
        if len(set(some)) == 3:
            assert len({chosen(facts(*(rivals[i] for i in order))) for order in permutations(some)}) == 1
    early = Assigned(price_list=4, code="ZZZ", currency="EUR", rank=0, sequence=10)
    assert chosen(facts(RANKED[3], (early, ListLine(id=30, item=7, price=D(1))))) == 30
    other = Assigned(price_list=5, code="AAA", currency="EUR", rank=0)
    assert chosen(facts(RANKED[3], (other, ListLine(id=31, item=7, price=D(1))))) == 31


@pytest.mark.parametrize(
    ("line", "quantity", "fits"),
    [
        (ListLine(id=1, item=8, price=D(1)), "10", False),
        (ListLine(id=1, item_class="WOOD", price=D(1)), "10", False),
        (ListLine(id=1, quantity_min=D(10), price=D(1)), "9.999999", False),
        (ListLine(id=1, quantity_min=D(10), price=D(1)), "10", True),
        (ListLine(id=1, date_from=DAY, date_to=DAY, price=D(1)), "1", True),
        (ListLine(id=1, date_from=date(2026, 1, 16), price=D(1)), "1", False),
        (ListLine(id=1, date_to=date(2026, 1, 14), price=D(1)), "1", False),
    ],
)
def test_a_line_must_fit(line: ListLine, quantity: str, fits: bool) -> None:
    assert (chosen(facts((OWN, line)), quantity) is not None) is fits


def test_a_price_in_another_currency_does_not_fit_and_a_percentage_does() -> None:
    assert chosen(facts((OWN, ListLine(id=1, price=D(1)))), currency="USD") is None
    assert chosen(facts((OWN, ListLine(id=1, percent=D(90)))), currency="USD") == 1


def priced(line: ListLine, item: Item = ITEM, factor: str = "1", rate: str = "1", currency: str = "EUR") -> Decimal | None:
    found = answer(facts((OWN, line)), item, D(10), D(factor), currency, D(rate), DAY, COMPANY)
    return found.amount if found else None


def test_prices_are_exact() -> None:
    assert priced(ListLine(id=1, price=D("0.000001"))) == D("0.000001")
    assert priced(ListLine(id=1, price=D("0.123456")), factor="12") == D("1.481472")
    assert priced(ListLine(id=1, price=D(0))) == 0, "free is a price"


def test_percentages_are_rounded_half_up_once() -> None:
    assert priced(ListLine(id=1, percent=D(90))) == D("1.13"), "1.125 half up"
    assert priced(ListLine(id=1, percent=D("33.333333"))) == D("0.42")
    assert priced(ListLine(id=1, percent=D(90)), factor="12") == D("13.50"), "of the box, not twelve times the rounded piece"
    foreign = Item(id=7, number="BOLT", name="Bolt", price_home=D("1.25"))
    assert priced(ListLine(id=1, percent=D(100)), foreign, rate="0.5", currency="USD") == D("2.50")
    assert priced(ListLine(id=1, percent=D(90)), Item(id=7, number="X", name="X")) is None, "a part of no price is no price"


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"price": D(1)}, None),
        ({"percent": D(90), "item": 1}, None),
        ({}, "pricelists.price"),
        ({"price": D(1), "percent": D(2)}, "pricelists.price"),
        ({"price": D(-1)}, "pricelists.negative"),
        ({"price": D(1), "item": 1, "item_class": 2}, "pricelists.scope"),
        ({"price": D(1), "date_from": DAY, "date_to": date(2026, 1, 1)}, "pricelists.dates"),
    ],
)
def test_what_a_line_must_be(values: dict[str, Any], code: str | None) -> None:
    assert [p.code for p in check_line(values)] == ([code] if code else [])


def test_an_assignment_is_to_one() -> None:
    assert not list(check_assignment({"party": 1}))
    assert [p.code for p in check_assignment({"party": 1, "party_class": 2})] == ["pricelists.assignment"]
    assert [p.code for p in check_assignment({})] == ["pricelists.assignment"]
