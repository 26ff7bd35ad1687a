"""What inventory decides, without a database."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from newel.domain.document import Document, Line, LineInput
from newel.domain.item import Item
from newel.domain.stock import Balance, Location, StockFacts
from newel_inventory.rules import CountData, Lying, StockNow, average, check_count, check_incoming, check_sale, counted, difference

D = Decimal
BOLT = Item(id=1, number="BOLT", name="Bolt", cost=D("0.10"))
LAPTOP = Item(id=2, number="LAPTOP", name="Laptop", tracking="serial")
ADVICE = Item(id=3, number="ADVICE", name="Advice", kind="service")
PLACE, SCRAP = 10, 99


def document(*lines: Line, **values: Any) -> Document:
    base = {"id": 1, "kind": "inventory.count", "role": "transfer", "state": "draft", "date": date(2026, 1, 15), "company": 1, "location_from": PLACE}
    return Document(**{**base, "lines": lines, **values})


LOCATIONS = {
    PLACE: Location(id=PLACE, code="MAIN", company=1),
    11: Location(id=11, code="THEIRS", company=1, owner=5),
    12: Location(id=12, code="ABROAD", company=2),
    13: Location(id=13, code="WAY", company=1, kind="transit"),
}


def lying(quantity: str, reserved: str = "0", elsewhere: str = "0") -> StockFacts:
    """So much of the bolt in the company's own storage, and so much where it can't be sold from."""
    found = [Balance(id=1, item=1, location=PLACE, quantity=D(quantity), reserved=D(reserved))]
    found += [Balance(id=place, item=1, location=place, quantity=D(elsewhere)) for place in (11, 12, 13)]
    return StockFacts({1: tuple(found)})


def line(item: Item = BOLT, quantity: str = "10", **values: Any) -> Line:
    return Line(**{"id": 1, "item": item, "quantity": D(quantity), **values})


def part_of(found: list[tuple[str, LineInput]], parent: Line) -> Line:
    """The stored part that the kernel makes of a proposed one."""
    ((_, entered),) = found
    return Line(
        id=100 + parent.id,
        parent=parent.id,
        key="inventory:x",
        item=BOLT if entered.item else None,
        quantity=entered.quantity,
        location_from=entered.location_from,
        location_to=entered.location_to,
    )


@pytest.mark.parametrize(("free", "codes"), [("10", []), ("9.5", ["inventory.short"]), ("0", ["inventory.short"])])
def test_a_sale_says_what_is_free(free: str, codes: list[str]) -> None:
    sale = document(line(), role="sale", kind="x.order")
    assert [p.code for p in check_sale(sale, lying(free, elsewhere="50"), LOCATIONS)] == codes
    assert [p.code for p in check_sale(sale, lying("20", str(20 - D(free))), LOCATIONS)] == codes


def test_two_lines_share_what_is_free() -> None:
    sale = document(line(), line(id=2), role="sale")
    (problem,) = check_sale(sale, lying("12"), LOCATIONS)
    assert (problem.where, problem.message) == ("lines[1].quantity", "10 EA of BOLT wanted, 2 free now")


def test_units_count_in_the_items_own() -> None:
    sale = document(line(quantity="1", unit="DZN", factor=D(12)), role="sale")
    assert [p.code for p in check_sale(sale, lying("11"), LOCATIONS)] == ["inventory.short"]


def test_services_kits_and_what_is_confirmed_are_not_looked_at() -> None:
    assert check_sale(document(line(ADVICE), role="sale"), StockFacts(), LOCATIONS) == []
    assert check_sale(document(line(), role="sale", phase="open"), StockFacts(), LOCATIONS) == []
    kit = document(line(), line(ADVICE, id=2, parent=1), role="sale")
    assert check_sale(kit, StockFacts(), LOCATIONS) == []


@pytest.mark.parametrize(
    ("found", "transition", "codes"),
    [
        (line(), "", []),
        (line(LAPTOP, "1", lot=5), "", []),
        (line(LAPTOP, "1"), "", ["inventory.lot"]),
        (line(LAPTOP, "1"), "receive", []),
        (line(LAPTOP, "2", lot=5), "receive", ["inventory.serial"]),
        (line(LAPTOP, "1", lot=6), "receive", ["inventory.serial_twice"]),
    ],
)
def test_lots_of_what_comes_in(found: Line, transition: str, codes: list[str]) -> None:
    stock = StockNow({(2, PLACE, 6): Lying(D(1)), (2, PLACE, 5): Lying(D(0))})
    receipt = document(found, kind="inventory.receipt", role="receipt", currency="EUR")
    assert [p.code for p in check_incoming(receipt, transition, stock, "EUR")] == codes


def test_costs_are_in_the_companys_currency() -> None:
    receipt = document(line(), kind="inventory.receipt", role="receipt", currency="USD")
    assert [p.code for p in check_incoming(receipt, "", StockNow(), "EUR")] == ["inventory.currency"]


def test_what_was_counted() -> None:
    assert counted(line(quantity="2", factor=D(12))) == 24
    assert counted(line(data={"inventory": CountData(counted=D(0))})) == 0
    assert counted(line(data={"inventory": CountData()})) == 10


@pytest.mark.parametrize(
    ("there", "key", "quantity", "ends"),
    [("13", "missing", "3", (PLACE, SCRAP)), ("7", "more", "3", (SCRAP, PLACE)), ("10", "same", None, (None, None))],
)
def test_the_difference_moves(there: str, key: str, quantity: str | None, ends: tuple[int | None, int | None]) -> None:
    stock = StockNow({(1, PLACE, None): Lying(D(there), D(there) * 2)})
    ((name, entered),) = difference(document(line()), line(), stock, SCRAP)
    assert (name, entered.location_from, entered.location_to) == (key, *ends)
    assert (entered.item is None) is (quantity is None)
    assert quantity is None or entered.quantity == D(quantity)


def test_more_than_expected_comes_at_what_the_rest_is_worth() -> None:
    assert average(Lying(D(3), D(10)), BOLT) == D("3.333333")
    assert average(Lying(), BOLT) == D("0.10")


def test_a_count_names_its_place_and_counts_once() -> None:
    assert [p.code for p in check_count(document(line(), location_from=None), "", StockNow(), SCRAP)] == ["inventory.place"]
    assert [p.code for p in check_count(document(line(), line(id=2)), "", StockNow(), SCRAP)] == ["inventory.counted_twice"]
    assert [p.code for p in check_count(document(line(), line(id=2, location_from=11)), "", StockNow(), SCRAP)] == []
    assert [p.code for p in check_count(document(line(LAPTOP, "1")), "", StockNow(), SCRAP)] == ["inventory.lot"]
    assert [p.code for p in check_count(document(line()), "", StockNow(), None)] == ["inventory.scrap"]
    below = line(data={"inventory": CountData(counted=D(-1))})
    assert [p.code for p in check_count(document(below), "", StockNow(), SCRAP)] == ["inventory.negative"]


def test_a_count_is_only_posted_while_it_holds() -> None:
    then = StockNow({(1, PLACE, None): Lying(D(13), D(26))})
    part = part_of(difference(document(line()), line(), then, SCRAP), line())
    stored = document(line(), part)
    assert check_count(stored, "post", then, SCRAP) == []
    later = StockNow({(1, PLACE, None): Lying(D(12), D(24))})
    assert [p.code for p in check_count(stored, "post", later, SCRAP)] == ["inventory.stale"]
    assert check_count(stored, "cancel", later, SCRAP) == []
