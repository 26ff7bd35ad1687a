"""What kits decide, without a database: parts, shares to the cent, circles, schedules, availability."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from newel.domain.document import Document, Line, Schedule
from newel.domain.item import Item
from newel.domain.money import ZERO
from newel.domain.parts import handed_on
from newel.domain.pricing import PriceStep
from newel_kits.rules import Graph, Kit, KitFacts, KitPart, Part, check, check_component, check_kit, contents, made_up, parts, price, scheduled, tree

D = Decimal
DAY = date(2026, 1, 15)
CENTS = st.decimals(min_value=0, max_value=100_000, places=2, allow_nan=False)


def item(id: int, **values: Any) -> Item:
    return Item(id=id, number=f"I{id}", name=f"Item {id}", **values)


def line(id: int, parent: int | None = None, shared: bool = True, **values: Any) -> Line:
    data = {"kits": KitPart(shared=shared)} if parent else {}
    return Line(id=id, parent=parent, item=values.pop("item", item(id)), data=data, **values)


def document(*lines: Line, role: str = "sale", **values: Any) -> Document:
    return Document(id=1, kind=f"x.{role}", role=role, state="draft", date=DAY, currency="EUR", lines=lines, **values)


KITS = {1: Kit(True, (Part(2, D(2)), Part(3, D("0.5")))), 3: Kit(False, (Part(4, D(3)),)), 5: Kit(False, (Part(1, D(1)), Part(2, D(1)), Part(3, D(1))))}


def proposed(kit: int, role: str = "sale", **values: Any) -> list[tuple[str, int, Decimal, Decimal | None, bool]]:
    found = parts(document(role=role), line(9, item=item(kit), **values), KITS)
    return [(key, x.item, x.quantity, x.price, x.data["kits"].shared) for key, x in found]  # type: ignore[misc]


def test_parts_of_parts_stand_below_their_own_line() -> None:
    assert proposed(1, quantity=D(4)) == [
        ("001.2", 2, D(8), ZERO, True), ("002.3", 3, D(2), ZERO, True), ("002.3/001.4", 4, D(6), ZERO, True),
    ]  # fmt: skip
    assert proposed(5) == [
        ("001.1", 1, D(1), None, False), ("001.1/001.2", 2, D(2), ZERO, True), ("001.1/002.3", 3, D("0.5"), ZERO, True),
        ("001.1/002.3/001.4", 4, D("1.5"), ZERO, True), ("002.2", 2, D(1), None, False), ("003.3", 3, D(1), ZERO, False),
        ("003.3/001.4", 4, D(3), None, False),
    ]  # fmt: skip


def test_a_box_of_kits_has_the_parts_of_all_of_them() -> None:
    assert proposed(1, quantity=D(2), factor=D(12))[0][2] == D(48)


def test_a_price_by_hand_makes_any_kit_a_fixed_one() -> None:
    assert {(x[3], x[4]) for x in proposed(3, price_entered=D(5))} == {(ZERO, True)}


def test_where_nothing_is_priced_no_price_is_entered_and_what_is_bought_has_no_parts() -> None:
    assert {x[3] for x in proposed(1, role="return")} == {None}
    assert proposed(1, role="purchase") == proposed(1, role="receipt") == proposed(1, role="transfer") == []
    assert proposed(2) == []


def test_a_circle_that_got_in_ends() -> None:
    kits = {1: Kit(True, (Part(2, D(1)),)), 2: Kit(True, (Part(1, D(1)),))}
    assert [key for key, _ in parts(document(), line(9, item=item(1)), kits)] == ["001.2", "001.2/001.1"]


def test_scheduled_deliveries_are_those_of_the_kit() -> None:
    days = (date(2026, 2, 1), date(2026, 3, 1))
    kit = line(1, quantity=D(3), schedules=tuple(Schedule(quantity=D(q), date_requested=x) for q, x in zip((1, 2), days, strict=True)))
    assert [(s.quantity, s.date_requested) for s in scheduled(kit, D(12))] == [(D(4), days[0]), (D(8), days[1])]
    assert sum(s.quantity for s in scheduled(kit, D("0.1"))) == D("0.1")


def test_the_tree_knows_who_bears_whose_price() -> None:
    found = tree([line(1), line(2, 1, shared=False), line(3, 2), line(4, 3), line(5, 1, shared=False), line(6)])
    assert (found.bears, found.sums, found.tops) == ({2: (4,)}, {1: (2, 5)}, {1: (4, 5)})
    assert [bool(price(line(id), found)) for id in range(1, 7)] == [True, False, True, True, False, False]


def step(plugin: str, stage: str, amount: Decimal) -> PriceStep:
    return PriceStep(stage=stage, plugin=plugin, rule="x", amount_in=ZERO, amount_out=amount)


@given(CENTS, st.lists(st.tuples(st.decimals(min_value=0, max_value=1000, places=4, allow_nan=False), st.integers(1, 9)), min_size=1, max_size=12))
def test_kit_and_parts_cost_what_the_kit_costs(amount: Decimal, found: list[tuple[Decimal, int]]) -> None:
    kit = line(1, net=amount, steps=(step("newel", "base", amount),))
    below = [line(n, 1, item=item(n, price_home=p), quantity=D(q), steps=(step("kits", "base", ZERO),)) for n, (p, q) in enumerate(found, 2)]
    changes = {x.line: x.amount for x in handed_on(document(kit, *below), tree([kit, *below]).bears, "kits", "kit")}
    assert changes[1] == -amount and sum((changes[x.id] or ZERO for x in below), ZERO) == amount
    assert all((changes[x.id] or ZERO) >= 0 and (changes[x.id] or ZERO).as_tuple().exponent >= -2 for x in below)  # type: ignore[operator]


def test_how_many_can_be_made_up() -> None:
    kit = line(1, quantity=D(2))
    leaves = [line(2, 1, quantity=D(4)), line(3, 1, quantity=D(6)), line(4, 1, item=item(2), quantity=D(2)), line(5, 1, item=item(9, kind="service"))]
    assert made_up(kit, leaves, {2: D(10), 3: D(9)}) == D(3)
    assert made_up(kit, leaves, {2: D(10), 3: D(8)}) == D(2)
    assert made_up(kit, leaves, {2: D(-1), 3: D(8)}) == D(0)
    assert made_up(kit, [leaves[3]], {}) is None and made_up(kit, leaves, None) is None


def test_what_is_wrong_with_a_kit_in_a_document() -> None:
    empty = {1: Kit(True)}
    facts = KitFacts(kits=empty)
    assert [p.code for p in check(document(line(1)), "", facts)] == ["kits.empty"]
    assert [p.code for p in check(document(line(1), role="receipt"), "", facts)] == ["kits.piece"]
    assert check(document(line(1)), "confirm", facts) == check(document(line(2)), "", facts) == check(document(line(1), role="purchase"), "", facts) == []


def test_circles_are_refused_with_both_names() -> None:
    graph = Graph(parts={1: frozenset({2}), 2: frozenset({3}), 3: frozenset()}, items={10: 1, 30: 3}, numbers={1: "SET", 2: "BOX", 3: "BAG"})
    assert contents(graph, 1) == {1, 2, 3}
    (problem,) = check_component({"kit": 30, "item": 1}, graph)
    assert (problem.code, problem.where, problem.message) == ("kits.circle", "item", "SET can't be a part of BAG: BAG is a part of SET")
    (problem,) = check_component({"kit": 10, "item": 1}, graph)
    assert problem.message == "SET can't be a part of SET: it is the same item"
    assert not list(check_component({"kit": 10, "item": 3}, graph))
    (problem,) = check_kit({"item": 3}, Graph(parts={3: frozenset({2}), 2: frozenset({3})}))
    assert problem.code == "kits.circle"


@pytest.mark.parametrize("values", [{}, {"shared": False}])
def test_only_a_part_has_the_data_of_one(values: dict[str, bool]) -> None:
    assert tree([Line(id=1, data={"kits": KitPart(**values)})]) == tree([])
