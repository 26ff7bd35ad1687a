"""Barcodes as scanners send them: whatever is written into an element string comes out of it, and nothing else is taken for one."""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from newel_scan.codes import FNC1, Code, checked, parse, same

TODAY = date(2026, 11, 22)
VALUES = st.text(st.characters(codec="ascii", exclude_categories=("Cc",), exclude_characters="() "), min_size=1, max_size=20)


def with_check(digits: str) -> str:
    """The digits with their check digit."""
    return next(digits + d for d in "0123456789" if checked(digits + d))


gtins = st.text("0123456789", min_size=13, max_size=13).map(with_check)
days = st.dates(date(1980, 1, 1), date(2070, 1, 1))


@st.composite
def elements(draw: st.DrawFn) -> dict[str, str]:
    """Identifiers and values, in any order."""
    found = {"01": draw(gtins)}
    if draw(st.booleans()):
        found["17"] = draw(days).strftime("%y%m%d")
    for ai, values in (("10", VALUES), ("21", VALUES), ("37", st.integers(1, 99_999_999).map(str))):
        if draw(st.booleans()):
            found[ai] = draw(values)
    return dict(draw(st.permutations(sorted(found.items()))))


@given(found=elements(), start=st.sampled_from(["", FNC1, "]C1", "]d2", "]Q3"]))
def test_what_is_written_is_read(found: dict[str, str], start: str) -> None:
    """With a mark in front or, where the GTIN comes first, without; values of any length end with a mark or with the string."""
    parts = list(found.items())
    if not start:
        parts.sort(key=lambda p: p[0] != "01")
    text = "".join(ai + value + (FNC1 if ai in ("10", "21", "37") and i < len(parts) - 1 else "") for i, (ai, value) in enumerate(parts))
    code = parse(start + text, TODAY)
    assert (code.gtin, code.lot, code.serial, code.problem) == (found["01"], found.get("10", ""), found.get("21", ""), "")
    assert code.quantity == (Decimal(found["37"]) if "37" in found else None)
    assert (code.expiry.strftime("%y%m%d") if code.expiry else None) == found.get("17")
    readable = parse("".join(f"({ai}){value}" for ai, value in parts), TODAY)
    assert (readable.gtin, readable.lot, readable.serial, readable.expiry) == (code.gtin, code.lot, code.serial, code.expiry)


@given(st.text(max_size=60))
def test_nothing_breaks_it(text: str) -> None:
    """Any text is a code: read, or kept as it is, or refused with a reason and nothing else."""
    code = parse(text, TODAY)
    assert code.problem == "" or code == Code(text=code.text, problem=code.problem)


@given(gtins, st.integers(0, 13), st.integers(1, 9))
def test_a_wrong_digit_is_never_a_gtin(gtin: str, at: int, more: int) -> None:
    """One digit misread shows in the check digit."""
    other = gtin[:at] + str((int(gtin[at]) + more) % 10) + gtin[at + 1 :]
    assert parse(gtin, TODAY).gtin == gtin
    assert parse(other, TODAY).gtin == ""
    assert parse(f"]C101{other}", TODAY).problem == f"the check digit of {other} is wrong"


@given(st.integers(1, 12), st.integers(0, 99))
def test_day_00_is_the_last_of_its_month_and_the_century_is_near(month: int, year: int) -> None:
    """GS1 General Specifications, 7.12: 51 years back to 50 years ahead."""
    code = parse(f"(01)04006381333931(17){year:02}{month:02}00", TODAY)
    assert code.expiry is not None
    assert code.expiry.day == monthrange(code.expiry.year, month)[1]
    assert -50 <= code.expiry.year - TODAY.year <= 50


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ("4006381333931", Code(text="4006381333931", gtin="04006381333931")),
        ("]E04006381333931\r\n", Code(text="4006381333931", gtin="04006381333931")),
        ("96385074", Code(text="96385074", gtin="00000096385074")),
        ("I-4711", Code(text="I-4711")),
        ("4006381333932", Code(text="4006381333932")),  # a number of our own may look like one
        ("0104006381333931", Code(text="0104006381333931", gtin="04006381333931")),
        ("00340123450000000018", Code(text="00340123450000000018")),
        ("00340123450000000017", Code(text="00340123450000000017", sscc="340123450000000017")),
        (
            "]C10104006381333931" + "3103000123" + "10L" + FNC1 + "99ours",
            Code(text="01040063813339313103000123" + "10L" + FNC1 + "99ours", gtin="04006381333931", lot="L"),
        ),
        ("]C1010400638133393117270230", Code(text="010400638133393117270230", problem="there is no such day as its date says")),
        ("]C1" + "5512", Code(text="5512", problem="the identifier 5512 is not known")),
        ("]C1" + "10", Code(text="10", problem="(10) has 1 to 20 characters, got 0")),
        ("]C1" + "30A", Code(text="30A", problem="(30) has digits alone, got A")),
    ],
)
def test_examples(given_: str, expected: Code) -> None:
    """As scanners send them."""
    assert parse(given_, TODAY) == expected


def test_one_number_in_four_lengths() -> None:
    """A GTIN of 8, 12 or 13 digits is the one of 14 with noughts in front."""
    assert same("04006381333931", "4006381333931")
    assert not same("04006381333931", "4006381333948")
    assert not same("", "")
    assert not same("04006381333931", "I-4711")
