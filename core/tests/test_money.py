"""Splitting and rounding: the parts always make the whole."""

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st
from newel.domain.money import allocate, portion, rounded
from newel.domain.pricing import Adjustment, PriceStep, adjusted, steps_add_up
from newel.domain.quantity import in_base
from newel.domain.tax import Tax, taxed

amounts = st.integers(-(10**15), 10**15).map(lambda n: D(n).scaleb(-2))
weights = st.lists(st.integers(0, 10**12).map(lambda n: D(n).scaleb(-4)), min_size=1, max_size=60)


@given(amounts, weights)
def test_parts_sum_to_the_whole(total: D, shares: list[D]) -> None:
    parts = allocate(total, shares, 2)
    assert sum(parts) == total
    assert len(parts) == len(shares)


@given(amounts, weights)
def test_no_part_is_more_than_a_unit_away_from_its_exact_share(total: D, shares: list[D]) -> None:
    whole = sum(shares)
    if whole:
        for part, share in zip(allocate(total, shares, 2), shares, strict=True):
            assert abs(part - total * share / whole) <= D("0.01")


def test_equal_remainders_go_to_the_first() -> None:
    assert allocate(D("0.05"), [D(1), D(1), D(1)], 2) == [D("0.02"), D("0.02"), D("0.01")]
    assert allocate(D("-0.05"), [D(1), D(1), D(1)], 2) == [D("-0.02"), D("-0.02"), D("-0.01")]


@pytest.mark.parametrize(
    ("total", "shares", "text"),
    [(D(1), [], "no weights"), (D(1), [D(1), D(-1)], "both signs"), (D("0.001"), [D(1)], "more than 2 digits")],
)
def test_what_can_not_be_split_is_refused(total: D, shares: list[D], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        allocate(total, shares, 2)


@given(amounts, st.lists(st.integers(1, 1000), min_size=1, max_size=20))
def test_portions_of_a_line_make_the_line(total: D, parts: list[int]) -> None:
    whole, taken, had = D(sum(parts)), D(0), D(0)
    for part in parts:
        had += part
        taken += portion(total, D(part), whole, taken, had == whole, 2)
    assert taken == total


def test_half_is_rounded_away_from_zero_unless_the_company_says_otherwise() -> None:
    assert (rounded(D("0.125"), 2), rounded(D("-0.125"), 2), rounded(D("0.125"), 2, "half_even")) == (D("0.13"), D("-0.13"), D("0.12"))


def test_a_hundred_percent_off_is_exactly_nothing() -> None:
    for amount in (D("0.01"), D("19.99"), D("123456789.87")):
        assert adjusted(amount, Adjustment(rule="x", percent=D(-100)), 2, "half_up") == 0


def test_steps_must_connect() -> None:
    a = PriceStep(stage="base", plugin="p", rule="r", amount_in=D(0), amount_out=D(10))
    b = PriceStep(stage="line", plugin="p", rule="r", amount_in=D(10), amount_out=D(9))
    assert steps_add_up((a, b), D(9)) and steps_add_up((), D(0))
    assert not steps_add_up((b, a), D(10)) and not steps_add_up((a, b), D(10))


def test_quantities_in_other_units() -> None:
    assert in_base(D("2.5"), D(12)) == D(30)


VAT19, VAT7, CITY = Tax(code="A", rate=D(19)), Tax(code="B", rate=D(7)), Tax(code="C", rate=D("2.5"))
tax_sets = st.sampled_from([(), (VAT19,), (VAT7,), (VAT19, CITY), (CITY,)])
taxed_lines = st.lists(st.tuples(st.integers(-(10**9), 10**9).map(lambda n: D(n).scaleb(-2)), tax_sets), min_size=1, max_size=30)


@given(taxed_lines, st.booleans(), st.sampled_from(["document", "line"]))
def test_taxes_of_lines_are_the_taxes_of_the_document(lines: list[tuple[D, tuple[Tax, ...]]], included: bool, method: str) -> None:
    amounts = [a for a, _ in lines]
    result = taxed(amounts, [t for _, t in lines], included=included, digits=2, mode="half_up", method=method)
    assert sum(result.taxes) == sum(x.amount for x in result.lines)
    if included:
        assert [n + t for n, t in zip(result.nets, result.taxes, strict=True)] == amounts
    else:
        assert list(result.nets) == amounts


@given(st.lists(st.integers(1, 10**7).map(lambda n: D(n).scaleb(-2)), min_size=1, max_size=40))
def test_the_document_method_taxes_the_sum_once(amounts: list[D]) -> None:
    result = taxed(amounts, [(VAT19,)] * len(amounts), included=False, digits=2, mode="half_up", method="document")
    assert result.lines[0].amount == rounded(sum(amounts, D(0)) * 19 / 100, 2)


@pytest.mark.parametrize(("method", "tax"), [("document", "0.57"), ("line", "0.62")])
def test_both_ways_of_rounding_tax(method: str, tax: str) -> None:
    result = taxed([D("0.29")] * 10 + [D("0.10")], [(VAT19,)] * 11, included=False, digits=2, mode="half_up", method=method)
    assert sum(result.taxes) == D(tax)
