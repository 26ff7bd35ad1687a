"""What consignment decides, without a database."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from newel.domain.context import Company, Context, User
from newel.domain.document import Document, Line, Link, Stage
from newel.domain.item import Item
from newel.domain.master import Master
from newel.domain.party import Party
from newel.domain.stock import Location, Step, layers, left
from newel_consignment.rules import ConsignmentFacts, Share, check, consigned, exposures, place, source, target
from newel_sdk.testing import NOW, TODAY

D = Decimal
COMPANY = Company(id=1, code="C", name="C", currency="EUR")
CONTEXT = Context(user=User(id=0, login="x"), company=COMPANY, now=NOW, today=TODAY)
PUMP = Item(id=7, number="PUMP", name="Pump", tracking="serial")
ACME = Party(id=9, number="ACME", name="Acme")
LOCATIONS = {
    1: Location(id=1, code="MAIN", company=1),
    2: Location(id=2, code="CONSIGNED", kind="consigned", company=1),
    3: Location(id=3, code="ATACME", kind="consigned", company=1, party=9),
    4: Location(id=4, code="SECOND", company=1),
    5: Location(id=5, code="CUSTOMER", kind="customer", company=1),
}
MASTER = Master(locations=LOCATIONS, defaults={(1, "storage"): 1, (1, "consigned"): 2, (1, "customer"): 5})


def document(kind: str, *lines: Line, **values: Any) -> Document:
    return Document(**{"id": 50, "kind": kind, "role": "sale", "state": "draft", "company": 1, "date": TODAY, "lines": lines, **values})


def step(link: str, quantity: int, document: int = 60, day: int = 1, firm: bool = True) -> Step:
    return Step(line=1, link=link, to_document=document, to_line=document, quantity=D(quantity), firm=firm, day=date(2026, 1, day))


def of_order(quantity: int = 1, **values: Any) -> Line:
    return Line(**{"id": 2, "quantity": D(quantity), "sources": (Link(kind="used", from_line=1, from_document=40, quantity=D(quantity)),), **values})


def test_what_is_consigned_is_delivered_less_used_less_returned() -> None:
    stages = {"delivered": Stage(D(9), D(8)), "used": Stage(D(4), D(3)), "returned": Stage(D(1), D(1))}
    assert consigned(Line(id=1, stages=stages)) == 4
    assert consigned(Line(id=1)) == 0


def test_drafts_of_settlements_count_and_drafts_of_deliveries_do_not() -> None:
    steps = [step("delivered", 6), step("delivered", 4, 61, firm=False), step("used", 2, 62), step("returned", 1, 63, firm=False)]
    assert left(steps, "delivered", 1) == 3
    assert left(steps, "delivered", 1, without=62) == 5
    assert left(steps, "delivered", 2) == 0


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.integers(0, 20))
def test_the_oldest_goes_first_and_nothing_is_lost(delivered: list[int], gone: int) -> None:
    gone = min(gone, sum(delivered))
    found = list(layers([*(step("delivered", q, 100 + n, n + 1) for n, q in enumerate(delivered)), step("used", gone, 99)], "delivered"))
    assert [s.quantity for s, _ in found] == [D(q) for q in delivered]
    assert sum(rest for _, rest in found) == sum(delivered) - gone
    partial = [rest for s, rest in found if 0 < rest < s.quantity]
    assert len(partial) <= 1
    assert [rest > 0 for _, rest in found] == sorted(rest > 0 for _, rest in found)


def test_where_our_goods_go() -> None:
    line = Line(id=1, kind="consigned")
    assert place(document("shipping.delivery", party=ACME), line, MASTER) == 3
    assert place(document("shipping.delivery"), line, MASTER) == 2
    assert place(document("shipping.delivery", party=ACME, location_to=2), line, MASTER) == 2
    assert place(document("shipping.delivery", party=ACME, location_to=4), line, MASTER) == 3, "a warehouse is no place for them"


def test_where_they_come_from_and_end() -> None:
    facts = ConsignmentFacts(places={(1, 2, None): D(1), (1, 3, None): D(4), (8, 2, None): D(9)})
    ends = document("consignment.settlement", party=ACME, location_from=4, location_to=3)
    assert source(ends, of_order(), facts, MASTER) == 3
    assert source(ends, of_order(location_from=2), facts, MASTER) == 2
    assert source(ends, of_order(), None, MASTER) == 2
    assert target(ends, of_order(), MASTER) == 5
    assert target(document("consignment.return", location_from=4, location_to=3), of_order(), MASTER) == 4, "into the warehouse that they came from"
    assert target(document("consignment.return", location_from=4, location_to=1), of_order(), MASTER) == 1
    assert target(document("consignment.return"), of_order(), MASTER) == 1


OUT = ConsignmentFacts(steps=(step("delivered", 3),), places={(1, 2, 77): D(1)})
GONE = {"delivered": Stage(D(1), D(1))}


@pytest.mark.parametrize(
    ("found", "transition", "codes"),
    [
        (document("sales.order", Line(id=1)), "confirm", []),
        (document("consignment.order", Line(id=1, kind="consigned"), location_to=3, party=ACME), "", []),
        (document("consignment.order", location_to=1), "", ["consignment.place"]),
        (document("consignment.order", location_to=3, party=Party(id=1, number="B", name="B")), "", ["consignment.place"]),
        (document("consignment.loan", location_to=2), "", ["consignment.place"]),
        (document("consignment.order", Line(id=1, stages=GONE)), "cancel", ["consignment.gone_on"]),
        (document("consignment.order", Line(id=1, stages=GONE)), "close", ["consignment.still_there"]),
        (document("consignment.order", Line(id=1, stages={**GONE, "used": Stage(D(1), D(1))})), "close", []),
        (document("consignment.settlement", of_order(3)), "", []),
        (document("consignment.settlement", of_order(2), of_order(2)), "", ["consignment.exceeded"]),
        (document("consignment.settlement", of_order(4)), "cancel", []),
        (document("consignment.settlement", Line(id=2), Line(id=3, kind="text")), "", ["consignment.order"]),
        (document("consignment.settlement", of_order(stages={"invoiced": Stage(D(1))})), "reverse", ["consignment.gone_on"]),
        (document("consignment.return", of_order(item=PUMP)), "post", ["consignment.lot"]),
        (document("consignment.return", of_order(item=PUMP, lot=78)), "post", ["consignment.lot"]),
        (document("consignment.return", of_order(item=PUMP, lot=77)), "post", []),
        (document("invoicing.invoice", of_order(kind="consigned"), role="invoice"), "", ["consignment.not_settled"]),
        (document("shipping.delivery", of_order(kind="loaned"), role="delivery"), "reverse", []),
        (document("shipping.delivery", of_order(4, kind="loaned"), role="delivery"), "reverse", ["consignment.gone_on"]),
        (document("shipping.delivery", Line(id=1, kind="loaned"), role="delivery"), "", ["consignment.order"]),
    ],
)
def test_what_is_refused(found: Document, transition: str, codes: list[str]) -> None:
    assert [p.code for p in check(found, transition, OUT, MASTER)] == codes


def test_exposure_is_exact_in_every_stage() -> None:
    """Ten at 12: six out, three of them used and billed, one back; then closed with all of the rest back."""
    done = {"delivered": D(6), "used": D(3), "returned": D(1), "invoiced": D(3)}
    share = Share(quantity=D(10), done=done, gross=D(120), cost=D(40), currency="EUR", rate=D(1))
    at_price = {e.stage: e.amount for e in exposures(ConsignmentFacts(shares=(share,)), "price", MASTER, CONTEXT)}
    assert at_price == {"consigned": D(24), "open orders": D(36), "delivered, not invoiced": D(-72)}
    assert {e.stage: e.amount for e in exposures(ConsignmentFacts(shares=(share,)), "cost", MASTER, CONTEXT)}["consigned"] == D(8)
    assert exposures(None, "price", MASTER, CONTEXT) == []
