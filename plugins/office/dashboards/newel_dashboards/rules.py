"""What a figure is about: spans of time and the ones that they are compared with, shares that add up, rows that are sorted and cut."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import msgspec
from newel.domain.money import HUNDRED, ZERO
from newel.errors import Problem, Refused

OTHERS = "(others)"
COMPARE = ("before", "year")
TOP = 10


def months_later(day: date, months: int) -> date:
    """The same day some months later (or earlier); the last of the month stays the last."""
    at = day.year * 12 + day.month - 1 + months
    year, month = divmod(at, 12)
    last = monthrange(year, month + 1)[1]
    return date(year, month + 1, last if day.day == monthrange(day.year, day.month)[1] else min(day.day, last))


class Span(msgspec.Struct, frozen=True):
    """From one day to another, both included."""

    start: date
    end: date

    def months(self) -> int:
        """How many whole months it is; 0 where it is none."""
        whole = self.start.day == 1 and self.end.day == monthrange(self.end.year, self.end.month)[1]
        return (self.end.year - self.start.year) * 12 + self.end.month - self.start.month + 1 if whole else 0

    def compared(self, how: str) -> tuple[Span, int]:
        """The span that it is compared with, and how many months lie between the two; 0 where they are counted in days."""
        months = 12 if how == "year" else self.months()
        if months:
            return Span(months_later(self.start, -months), months_later(self.end, -months)), months
        days = self.end - self.start + timedelta(1)
        return Span(self.start - days, self.end - days), 0


def span(parameters: Mapping[str, Any], today: date) -> Span:
    """The days that are asked for; without any the year until today."""
    end = parameters.get("date_to") or today
    return Span(parameters.get("date_from") or date(end.year, 1, 1), end)


# ---- parameters of tiles -----------------------------------------------------------------------------------------------------------


def moved(value: str, today: date) -> str:
    """A parameter of a tile: @today, @month, @quarter, @year (their first day), @end (of the month) and @30 (days ago) become days."""
    if not value.startswith("@"):
        return value
    word, first = value[1:], today.replace(day=1)
    days = {
        "today": today, "month": first, "quarter": first.replace(month=first.month - (first.month - 1) % 3), "year": first.replace(month=1),
        "end": months_later(first, 1) - timedelta(1),
    }  # fmt: skip
    if word.isdigit() and len(word) < 6:
        return (today - timedelta(int(word))).isoformat()
    return days[word].isoformat() if word in days else value


def earlier(today: date, how: str) -> date:
    """The day from whose view a tile is compared: a month or a year before."""
    return months_later(today, -12 if how == "year" else -1)


# ---- amounts: scaled integers, as stored -----------------------------------------------------------------------------------------------


def piece(total: int, before: int, after: int, whole: int, unit: int) -> int:
    """What falls to the part from `before` to `after` of a whole: parts that follow each other add up to the total. unit: the smallest amount."""
    if not whole:
        return 0
    units = total // unit
    return (units * after // whole - units * before // whole) * unit


def split(total: int, percents: Sequence[Decimal], unit: int) -> list[int]:
    """The total by percents that add up to 100; the parts add up to the total."""
    ends = [ZERO]
    for p in percents:
        ends.append(ends[-1] + p)
    scaled = [int(e * 10_000) for e in ends]
    return [piece(total, a, b, scaled[-1], unit) for a, b in pairwise(scaled)]


class Group(msgspec.Struct):
    """One row of an analysis: its names by dimension, its amounts and those that they are compared with; amounts as scaled integers."""

    names: tuple[str, ...]
    amounts: list[int]
    before: list[int]


def grouped(now: Iterable[Any], before: Iterable[Any], width: int) -> dict[tuple[Any, ...], Group]:
    """Rows (keys, names, amounts) of two spans by their keys."""
    out: dict[tuple[Any, ...], Group] = {}
    for rows, side in ((now, "amounts"), (before, "before")):
        for keys, names, amounts in rows:
            group = out.setdefault(keys, Group(names, [0] * width, [0] * width))
            kept = getattr(group, side)
            for i, n in enumerate(amounts):
                kept[i] += n
    return out


def sorted_groups(found: dict[tuple[Any, ...], Group], top: int, times: Sequence[bool]) -> list[tuple[tuple[Any, ...], Group]]:
    """Times in their order, everything else the largest first; of these the first `top` (0: all), and one row for the rest.

    Args:
        times: of each dimension, whether it is one of time.
    """
    rows = sorted(found.items(), key=lambda r: ([str(k) if t else "" for k, t in zip(r[0], times, strict=True)], -r[1].amounts[0], r[1].names))
    if not top or len(rows) <= top or any(times):
        return rows
    width = len(rows[0][1].amounts)
    rest = Group((OTHERS, *[""] * (len(times) - 1)), [0] * width, [0] * width)
    for _keys, g in rows[top:]:
        rest.amounts = [a + b for a, b in zip(rest.amounts, g.amounts, strict=True)]
        rest.before = [a + b for a, b in zip(rest.before, g.before, strict=True)]
    return [*rows[:top], ((OTHERS,) * len(times), rest)]


def percent(part: Decimal, whole: Decimal) -> Decimal | None:
    """Part of a whole in percent with one digit; None of nothing."""
    return (part * HUNDRED / abs(whole)).quantize(Decimal("0.1")) if whole else None


def chosen(name: str, value: str, known: Iterable[str]) -> str:
    """The value, if it is known.

    Raises:
        Refused: naming what is.
    """
    if value and value not in known:
        message = f"one of {', '.join(known)} was expected, got {value!r:.40}"
        raise Refused(Problem(code="dashboards.choice", message=message, where=name, hint="choose one of them"))
    return value
