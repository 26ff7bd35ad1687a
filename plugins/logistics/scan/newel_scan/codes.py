"""What stands in a barcode: a GTIN, a GS1 element string (GS1 General Specifications, section 3), or a number of our own. Pure."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date
from decimal import Decimal

import msgspec

FNC1 = "\x1d"
SYMBOLOGY = re.compile(r"\][A-Za-z][0-9A-Za-z]")  # what a scanner may send first: ISO/IEC 15424
GS1 = ("]C1", "]e0", "]d2", "]Q3", "]J1")
BRACKETS = re.compile(r"\((\d{2,4})\)")
# Length by application identifier; those of which the first two digits tell the length come without an end mark.
FIXED = {"00": 18, "01": 14, "02": 14, "11": 6, "12": 6, "13": 6, "15": 6, "16": 6, "17": 6, "20": 2, **{str(ai): 6 for ai in range(310, 370)}}
MOST = {
    "10": 20, "21": 20, "22": 20, "30": 8, "37": 8, "240": 30, "241": 30, "250": 30, "251": 30, "400": 30, "401": 30,
    **{str(ai): 90 for ai in range(91, 100)}, "90": 30,
}  # fmt: skip


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """What a scan says. text: as it came, cleaned.

    Args:
        gtin: 14 digits. lot, serial: as printed. expiry: last day on which it may be used; best before counts as well.
        quantity: how many pieces the package holds. sscc: 18 digits of a logistic unit. problem: why it can't be read; then nothing else is said.
    """

    text: str
    gtin: str = ""
    lot: str = ""
    serial: str = ""
    expiry: date | None = None
    quantity: Decimal | None = None
    sscc: str = ""
    problem: str = ""


def checked(digits: str) -> bool:
    """Whether the last digit of a GTIN or SSCC is its check digit (modulo 10, weights 3 and 1 from the right)."""
    return sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(reversed(digits))) % 10 == 0


def parse(given: str, today: date) -> Code:
    """Read what a scanner sent. today: tells the century of a date."""
    mark = SYMBOLOGY.match(given)
    text = (given[3:] if mark else given).strip(" \r\n\t")
    marked = (mark is not None and mark[0] in GS1) or text.startswith(FNC1)
    if BRACKETS.match(text):
        return _elements(text, BRACKETS.split(text)[1:], today)
    if marked or FNC1 in text or _looks_gs1(text):
        return _string(text, today)
    if text.isascii() and text.isdigit() and len(text) in (8, 12, 13, 14) and checked(text):
        return Code(text=text, gtin=text.zfill(14))
    return Code(text=text)


def _looks_gs1(text: str) -> bool:
    """Many scanners swallow the first mark: then a GTIN or SSCC with its right check digit has to begin it."""
    head = text[: 2 + FIXED.get(text[:2], 0)]
    return text[:2] in ("00", "01", "02") and head.isascii() and head.isdigit() and len(head) > 14 and checked(head[2:])


def _string(text: str, today: date) -> Code:
    """An element string: identifiers and values one after the other."""
    parts: list[str] = []
    rest = text.lstrip(FNC1)
    while rest:
        ai = next((rest[:n] for n in (2, 3) if rest[:n] in FIXED or rest[:n] in MOST), "")
        if not ai:
            return Code(text=text, problem=f"the identifier {rest[:4]} is not known")
        if ai in FIXED:
            start = 4 if len(ai) == 3 else 2  # a measure has its decimal places in the fourth digit
            end = start + FIXED[ai]
        else:
            start, found = len(ai), rest.find(FNC1)
            end = found if found >= 0 else len(rest)
        parts += [ai, rest[start:end]]
        rest = rest[end:].lstrip(FNC1)
    return _elements(text, parts, today)


def _elements(text: str, parts: list[str], today: date) -> Code:
    """Elements as pairs of identifier and value."""
    found = {(ai[:3] if ai[:3] in FIXED else ai): value.rstrip(FNC1) for ai, value in zip(parts[::2], parts[1::2], strict=True)}
    for ai, value in found.items():
        if wrong := _wrong(ai, value):
            return Code(text=text, problem=wrong)
    dates = {ai: _day(found[ai], today) for ai in ("17", "15") if ai in found}
    if None in dates.values():
        return Code(text=text, problem="there is no such day as its date says")
    count = found.get("37") or found.get("30")
    return Code(
        text=text, gtin=found.get("01") or found.get("02") or "", lot=found.get("10", ""), serial=found.get("21", ""), sscc=found.get("00", ""),
        expiry=dates.get("17") or dates.get("15"), quantity=Decimal(count) if count else None,
    )  # fmt: skip


def _wrong(ai: str, value: str) -> str:
    """What is wrong with one element; empty for nothing."""
    length, most = FIXED.get(ai, 0), MOST.get(ai, 0)
    if not length and not most:
        return f"the identifier {ai} is not known"
    if (length and len(value) != length) or (most and not 0 < len(value) <= most):
        return f"({ai}) has {length or f'1 to {most}'} characters, got {len(value)}"
    if (length or ai in ("30", "37")) and not (value.isascii() and value.isdigit()):
        return f"({ai}) has digits alone, got {value}"
    if ai in ("00", "01", "02") and not checked(value):
        return f"the check digit of {value} is wrong"
    return ""


def _day(digits: str, today: date) -> date | None:
    """A date of six digits; day 00 is the last of its month. The century is the one that makes it nearest to today."""
    year, month, day = int(digits[:2]), int(digits[2:4]), int(digits[4:])
    year += today.year // 100 * 100
    year += -100 if year - today.year >= 51 else 100 if year - today.year <= -50 else 0
    if not 1 <= month <= 12 or day > (last := monthrange(year, month)[1]):
        return None
    return date(year, month, day or last)


def same(gtin: str, other: str) -> bool:
    """Whether two numbers of 8, 12, 13 or 14 digits are one GTIN."""
    return bool(gtin) and other.isdigit() and gtin.zfill(14) == other.zfill(14)
