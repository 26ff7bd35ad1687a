"""Which promotions fit, which are given, how much they take off, and which of them contradict each other: pure."""

from __future__ import annotations

import random
from datetime import date
from decimal import Decimal
from itertools import permutations
from typing import Any

import msgspec
import pytest
from newel.domain.context import Company
from newel.domain.document import Document, Line
from newel.domain.item import Item
from newel.domain.master import Master
from newel.domain.tax import Tax
from newel_promotions.checks import Rivals, check_coupons, check_use, clash, conflicts, propose_uses
from newel_promotions.rehearse import result
from newel_promotions.rules import Coupon, Deal, Promotion, PromotionData, PromotionFacts, PromotionSettings, coupons, select

D = Decimal
DAY = date(2026, 1, 15)
COMPANY = Company(id=1, code="C", name="C", currency="EUR")
ITEM = Item(id=7, number="BOLT", name="Bolt", classes=("BOLTS", "METAL"))
VAT = (Tax(code="VAT", rate=D(19)),)


def promotion(code: str, *, policy: str = "stack", group: int = 1, sequence: int = 100, group_sequence: int = 100, **values: Any) -> Promotion:
    if "amount" not in values and "gift" not in values:
        values.setdefault("percent", D(10))
    values.setdefault("currency", "EUR" if "amount" in values else "")
    order = (group_sequence, f"G{group}", sequence, code)
    return Promotion(id=int.from_bytes(code.encode()), code=code, name=code, group=group, policy=policy, order=order, **values)


def line(id: int = 1, net: str = "100", quantity: str = "1", **values: Any) -> Line:
    return Line(id=id, item=values.pop("item", ITEM), net=D(net), quantity=D(quantity), **values)


def deal(*found: Promotion, lines: tuple[Line, ...] = (), settings: PromotionSettings | None = None, named: tuple[str, ...] = (), **header: Any) -> Deal:
    header = {"currency": "EUR", **header}
    document = Document(id=1, kind="x.order", role="sale", state="draft", date=DAY, company=1, lines=lines or (line(),), **header)
    known = {code: Coupon(id=i, code=code, promotion=code) for i, code in enumerate(named)}
    facts = PromotionFacts(by_what={"METAL": found}, coupons=known)
    return Deal(document, facts, Master(companies={1: COMPANY}), COMPANY, settings or PromotionSettings())


def left(found: Deal) -> list[Decimal]:
    return list(result(found)[0].values())


# ---- which are given -----------------------------------------------------------------------------------------------------------------


def test_the_order_is_total_whatever_comes_first() -> None:
    """Of the same promotions the same are given, in the same order, however they were found."""
    found = [
        promotion("B", sequence=10), promotion("A", sequence=10), promotion("C", sequence=5),
        promotion("D", policy="best", group=2, group_sequence=50, percent=D(20)), promotion("E", policy="best", group=2, group_sequence=50, percent=D(20)),
        promotion("F", policy="first", group=3, sequence=7), promotion("G", policy="first", group=3, sequence=8),
    ]  # fmt: skip
    seen = {tuple(p.code for p in select(order, lambda p: p.percent or D(0))) for order in permutations(found)}
    assert seen == {("D", "C", "A", "B", "F")}
    alone = [*found, promotion("X", policy="exclusive", group=9, group_sequence=900)]
    assert [p.code for p in select(alone, lambda _: D(0))] == ["X"]


@pytest.mark.parametrize(
    ("values", "fits"),
    [
        ({"quantity_min": D(5)}, True), ({"quantity_min": D(6)}, False), ({"quantity_max": D(5)}, True), ({"quantity_max": D("4.9")}, False),
        ({"value_min": D(100), "currency": "EUR"}, True), ({"value_min": D("100.01"), "currency": "EUR"}, False),
        ({"value_max": D("99.99"), "currency": "EUR"}, False), ({"value_min": D(119), "basis": "gross", "currency": "EUR"}, True),
        ({"value_min": D("119.01"), "basis": "gross", "currency": "EUR"}, False), ({"coupon": True}, False), ({"amount": D(10), "currency": "GBP"}, False),
    ],
)  # fmt: skip
def test_limits(values: dict[str, Any], fits: bool) -> None:
    found = deal(promotion("P", **values), lines=(line(quantity="5", taxes=VAT),))
    assert (left(found) == [D("90.00")]) is fits


def test_a_coupon_is_what_it_wants() -> None:
    assert left(deal(promotion("P", coupon=True), named=("P",))) == [D("90.00")]
    document = Document(id=1, kind="x", role="sale", state="draft", date=DAY, data={"promotions": PromotionData(coupons=(" spring", "SPRING", "x"))})
    assert coupons(document) == ("SPRING", "X")


def test_what_is_never_promoted() -> None:
    freight = Item(id=8, number="F", name="Freight", kind="freight", classes=())
    copied = line(copied_from=3)
    for one in (copied, line(price_entered=D(5)), line(key="promotions:X"), Line(id=1, text="Note", net=D(100)), line(net="-5"), line(net="0")):
        found = deal(promotion("P"), lines=(one,))
        assert [a for a in found.adjustments("line") if a.rule == "P"] == []
    for scope, expected in (("", [2]), (8, [1])):
        found = deal(promotion("P"), lines=(line(item=freight, kind="charge"), line(2)))
        found.facts = PromotionFacts(by_what={scope: (promotion("P"),)})
        assert [a.line for a in found.adjustments("line")] == expected, "freight is promoted only where a scope names it"
    assert left(deal(promotion("P"), lines=(line(price_entered=D(5)),), settings=PromotionSettings(entered_prices=True))) == [D("90.00")]


# ---- how much ------------------------------------------------------------------------------------------------------------------------


def test_amounts_in_other_currencies_and_with_another_basis() -> None:
    lines = (line(net="100", quantity="3", taxes=VAT),)
    for values, header, expected in (
        ({"amount": D(5)}, {}, "95.00"),
        ({"amount": D(5), "per": "unit"}, {}, "85.00"),
        ({"amount": D("1.19"), "basis": "gross"}, {}, "99.00"),
        ({"amount": D(1), "basis": "net"}, {"prices_include_tax": True}, "98.81"),
        ({"amount": D(5)}, {"currency": "USD", "rate": D("0.8")}, "93.75"),
        ({"amount": D(5)}, {"currency": "JPY", "rate": D("0.007"), "amount_digits": 0}, "0"),
        ({"amount": D(5000)}, {}, "0.00"),
        ({"amount": D("0.004")}, {}, "100"),
    ):
        assert left(deal(promotion("P", **values), lines=lines, **header)) == [D(expected)], values


def test_an_exclusive_promotion_of_a_line_keeps_the_document_discount_off_it() -> None:
    found = (promotion("X", policy="exclusive", group=2), promotion("D", amount=D(30), per="document"))
    other = Item(id=9, number="NUT", name="Nut", classes=())
    both = deal(lines=(line(), line(2, item=other)))
    both.facts = PromotionFacts(by_what={7: found, 9: found[1:]})
    assert left(both) == [D("90.00"), D("70.00")]


@pytest.mark.parametrize("seed", range(200))
def test_never_more_than_all_and_always_the_whole_amount(seed: int) -> None:
    """Any promotions on any lines: nothing goes below zero, a document discount is given to the last unit, and twice is the same."""
    chance = random.Random(seed)
    taxes = [(), VAT, (Tax(code="LOW", rate=D(7)),)]
    lines = tuple(line(n, net=str(D(chance.randint(0, 5000)).scaleb(-2)), quantity=str(chance.randint(1, 9)), taxes=chance.choice(taxes)) for n in range(1, 6))
    included = chance.random() < 0.5
    found = []
    for n in range(chance.randint(1, 6)):
        what: dict[str, Any] = {"amount": D(chance.randint(1, 9000)).scaleb(-2), "basis": chance.choice(["net", "gross"])}
        what = chance.choice([what, {"percent": D(chance.choice([1, 12, 33, 100]))}])
        group = chance.randint(1, 3)
        policy = ["stack", "best", "first"][group - 1]
        found.append(promotion(f"P{n}", policy=policy, group=group, per=chance.choice(["line", "unit", "document"]), **what))
    first = deal(*found, lines=lines, prices_include_tax=included)
    after = result(first)
    assert all(D(0) <= after[0][x.id] <= x.net for x in lines)
    assert result(deal(*reversed(found), lines=lines, prices_include_tax=included)) == after
    basis = "gross" if included else "net"
    total = sum((x.net for x in lines), D(0))
    off = D(chance.randint(1, 9000)).scaleb(-2)
    whole = left(deal(promotion("D", amount=off, per="document", basis=basis), lines=lines, prices_include_tax=included))
    assert total - sum(whole) == min(off, total)


# ---- conflicts -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ({}, {}, True), ({}, {"sequence": 5}, False), ({}, {"group": 2}, False), ({"date_to": DAY}, {"date_from": DAY}, True),
        ({"date_to": date(2026, 1, 14)}, {"date_from": DAY}, False), ({"quantity_max": D(10)}, {"quantity_min": D(11)}, False),
        ({"quantity_min": D(5)}, {"quantity_min": D(11)}, True), ({"value_max": D(10)}, {"value_min": D(11)}, False),
        ({"value_max": D(10), "currency": "USD"}, {"value_min": D(11), "currency": "EUR"}, True), ({"gift": 5}, {}, False), ({"per": "document"}, {}, False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("policy", ["first", "exclusive"])
def test_what_contradicts(one: dict[str, Any], other: dict[str, Any], expected: bool, policy: str) -> None:
    a, b = promotion("A", policy=policy, **one), promotion("B", policy=policy, **other)
    assert (clash(a, b), clash(b, a), clash(a, a)) == (expected, expected, False)
    c, d = (msgspec.structs.replace(p, policy=free) for p, free in ((a, "stack"), (b, "best")))
    assert not clash(c, d)
    assert not clash(d, c)


@pytest.mark.parametrize(
    ("what", "who", "meet"),
    [
        ((7, "BOLTS", "METAL", ""), ("",), True), (("METAL", ""), (3, "TRADE", ""), True), (("WOOD", ""), ("",), False), (("",), ("TRADE", ""), True),
        ((8, "BOLTS", "METAL", ""), ("",), False), (("BOLTS", "METAL", ""), ("OTHER", ""), False),
    ],
)  # fmt: skip
def test_only_what_something_is_in_both_of_contradicts(what: tuple[Any, ...], who: tuple[Any, ...], meet: bool) -> None:
    a, b = promotion("A", policy="first"), promotion("B", policy="first")
    mine = ((7, "BOLTS", "METAL", ""), ("TRADE", ""))
    found = list(conflicts(Rivals(members=((a, (mine,)), (b, ((what, who),))), changed=frozenset([a.id]))))
    assert found == ([(a, b)] if meet else [])


# ---- coupons -------------------------------------------------------------------------------------------------------------------------


def test_coupons_are_used_once_and_given_back() -> None:
    document = msgspec.structs.replace(deal().document, data={"promotions": PromotionData(coupons=("A", "B"))})
    fresh = {c: Coupon(id=i, code=c, promotion=c) for i, c in ((2, "A"), (1, "B"))}
    used = {c: msgspec.structs.replace(coupon, here=1) for c, coupon in fresh.items()}

    def drafts(known: dict[str, Coupon], *phases: str) -> list[tuple[int, int]]:
        facts = PromotionFacts(coupons=known, given=frozenset("AB"))
        return [(d.values["coupon"], d.values["uses"]) for d in propose_uses(document, (phases[0], phases[1]), facts)]

    assert drafts(fresh, "draft", "open") == [(1, 1), (2, 1)], "in the order of locks"
    assert drafts(used, "draft", "open") == []
    assert drafts(used, "open", "cancelled") == drafts(used, "open", "draft") == [(1, -1), (2, -1)]
    assert drafts(fresh, "draft", "cancelled") == drafts(used, "open", "done") == drafts(used, "done", "open") == []
    assert drafts(fresh, "draft", "offered") == drafts(fresh, "", "") == []
    assert propose_uses(document, ("draft", "open"), PromotionFacts(coupons=fresh)) == [], "they gave nothing"


def test_limits_of_coupons() -> None:
    document = msgspec.structs.replace(deal().document, data={"promotions": PromotionData(coupons=("A",))})
    for values, transition, expected in (
        ({"uses_max": 3, "used": 2}, "", ["promotions.idle"]), ({"uses_max": 3, "used": 3}, "", ["promotions.coupon_used"]),
        ({"uses_party": 1, "by_party": 1}, "", ["promotions.coupon_used"]), ({"uses_max": 3, "used": 3, "here": 1}, "", ["promotions.idle"]),
        ({"uses_max": 3, "used": 3}, "confirm", ["promotions.coupon_used"]), ({"uses_max": 3, "used": 3}, "close", []),
    ):  # fmt: skip
        phases = {"confirm": ("draft", "open"), "close": ("open", "done")}.get(transition, ("", ""))
        facts = PromotionFacts(coupons={"A": Coupon(id=1, code="A", promotion="A", **values)})
        assert [p.code for p in check_coupons(document, transition, phases, facts)] == expected, values
    last = Coupon(id=1, code="A", promotion="", uses_max=10, used=10)
    assert list(check_use({"coupon": 1, "party": 2, "uses": 1}, {(1, 2): last})) == []
    over = msgspec.structs.replace(last, used=11)
    assert [p.code for p in check_use({"coupon": 1, "party": 2, "uses": 1}, {(1, 2): over})] == ["promotions.coupon_used"]
    assert list(check_use({"coupon": 1, "party": 2, "uses": -1}, {(1, 2): over})) == []
