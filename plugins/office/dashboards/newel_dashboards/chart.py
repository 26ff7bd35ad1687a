"""Charts as shapes: where each bar, point and word of a drawing stands. Pure, and without floats; a template draws them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
from newel.domain.money import ZERO

WIDTH, HEIGHT, ROW = 340, 168, 40
LEFT, RIGHT, TOP, BOTTOM = 4, 336, 20, 146


class Point(msgspec.Struct, frozen=True):
    """One row of a chart. before: what it is compared with, None for nothing; url: of the rows behind it; rest: all others in one, which has no bar."""

    label: str
    value: Decimal
    before: Decimal | None = None
    url: str = ""
    rest: bool = False


def _at(value: Decimal, low: Decimal, high: Decimal, start: int, end: int) -> int:
    return start + int((value - low) * (end - start) / (high - low)) if high != low else start


def _ends(points: Sequence[Point]) -> tuple[Decimal, Decimal]:
    values = [ZERO, *(p.value for p in points), *(p.before for p in points if p.before is not None)]
    return min(values), max(values)


def bars(points: Sequence[Point]) -> dict[str, Any]:
    """One bar for each row, lying, with its name above; below zero they go to the left. The rest would dwarf them, and is a number only."""
    low, high = _ends([p for p in points if not p.rest])
    zero, rows = _at(ZERO, low, high, LEFT, RIGHT), []
    for n, p in enumerate(points):
        ends = [(v, _at(v, low, high, LEFT, RIGHT)) for v in (p.value, p.before) if v is not None and not p.rest]
        rows.append({"point": p, "y": n * ROW, "bars": [{"x": min(x, zero), "width": abs(x - zero)} for _, x in ends]})
    return {"kind": "bars", "width": WIDTH, "height": max(len(points), 1) * ROW, "rows": rows, "zero": zero}


def columns(points: Sequence[Point]) -> dict[str, Any]:
    """Standing bars in the order of the rows, that of before behind each."""
    low, high = _ends(points)
    zero, step = _at(ZERO, low, high, BOTTOM, TOP), (RIGHT - LEFT) // max(len(points), 1)
    rows = []
    for n, p in enumerate(points):
        ends = [_at(v, low, high, BOTTOM, TOP) for v in (p.value, p.before) if v is not None]
        width = max((step - 4) // len(ends), 1)
        made = [{"x": LEFT + n * step + 2 + i * width, "width": width - 1 or 1, "y": min(y, zero), "height": abs(y - zero)} for i, y in enumerate(ends)]
        rows.append({"point": p, "x": LEFT + n * step + step // 2, "bars": made, "named": n % _every(points) == 0})
    return {"kind": "columns", "width": WIDTH, "height": HEIGHT, "rows": rows, "zero": zero, "high": high}


def line(points: Sequence[Point]) -> dict[str, Any]:
    """A line over the rows with a mark at each, and a dashed one of before."""
    low, high = _ends(points)
    step = (RIGHT - LEFT - 12) // max(len(points) - 1, 1)
    xs = [LEFT + 6 + n * step for n in range(len(points))]
    rows = [
        {"point": p, "x": x, "y": _at(p.value, low, high, BOTTOM, TOP), "named": n % _every(points) == 0}
        for n, (x, p) in enumerate(zip(xs, points, strict=True))
    ]
    paths = [" ".join(f"{r['x']},{r['y']}" for r in rows)]
    paths += [" ".join(f"{x},{_at(p.before, low, high, BOTTOM, TOP)}" for x, p in zip(xs, points, strict=True) if p.before is not None)]
    return {"kind": "line", "width": WIDTH, "height": HEIGHT, "rows": rows, "zero": _at(ZERO, low, high, BOTTOM, TOP), "high": high, "paths": paths}


def _every(points: Sequence[Point]) -> int:
    """Of so many names one is written, so that they do not touch."""
    longest = max((len(p.label) for p in points), default=1)
    return max(-(-longest * 8 * len(points) // (RIGHT - LEFT)), 1)


DRAWN = {"bars": bars, "columns": columns, "line": line}
