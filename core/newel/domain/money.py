"""Exact amounts: rounding, and the one routine that splits an amount.

Every amount is a Decimal in the unit of its currency. Digits and rounding are data of currency and company.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Context, Decimal
from functools import lru_cache

ZERO = Decimal(0)
ONE = Decimal(1)
HUNDRED = Decimal(100)

ROUNDINGS = {"half_up": ROUND_HALF_UP, "half_even": ROUND_HALF_EVEN, "down": ROUND_DOWN, "up": ROUND_UP, "floor": ROUND_FLOOR, "ceiling": ROUND_CEILING}
_WIDE = Context(prec=60)


@lru_cache(maxsize=32)
def smallest(digits: int) -> Decimal:
    """The smallest unit of a number with so many digits after the point: 2 -> 0.01."""
    return ONE.scaleb(-digits)


def rounded(value: Decimal, digits: int, mode: str = "half_up") -> Decimal:
    """value with exactly `digits` digits after the point; mode is a name of ROUNDINGS (half up is away from zero at the half)."""
    return value.quantize(smallest(digits), ROUNDINGS[mode], _WIDE)


def product(left: Decimal, right: Decimal) -> Decimal:
    """left times right without losing a digit."""
    return _WIDE.multiply(left, right)


@lru_cache(maxsize=8192)
def plain(value: Decimal) -> Decimal:
    """Without trailing zeros, and never in exponent form: 12.500000 -> 12.5, 10.000000 -> 10."""
    value = value.normalize() or ZERO  # equal numbers are one: nothing may depend on which came first
    return value.quantize(Decimal(1)) if value.as_tuple().exponent > 0 else value  # type: ignore[operator]


def allocate(total: Decimal, weights: Sequence[Decimal], digits: int) -> list[Decimal]:
    """Split total over weights by the largest remainder, in units of 10**-digits. The parts always sum to the total.

    Args:
        total: what is split; it must have at most `digits` digits after the point.
        weights: of any sign, but they must not mix signs; all zero means equal shares.
        digits: of the smallest unit.

    Returns:
        One part for each weight; equal remainders go to the earlier weight, so the result does not depend on anything else.

    Raises:
        ValueError: no weights, mixed signs, or a total that is no whole number of smallest units.
    """
    if not weights:
        raise ValueError("allocate: no weights to split over")
    units = total.scaleb(digits, _WIDE)
    whole = int(units)
    if units != whole:
        raise ValueError(f"allocate: {total} has more than {digits} digits after the point")
    if any(w < 0 for w in weights) and any(w > 0 for w in weights):
        raise ValueError("allocate: weights of both signs")
    # Whole numbers from here on: quotients and remainders are exact, whatever the weights are.
    shift = max(max(0, -int(w.as_tuple().exponent)) for w in weights)
    scaled = [abs(int(w.scaleb(shift, _WIDE))) for w in weights]
    base = sum(scaled)
    if not base:
        scaled, base = [1] * len(scaled), len(scaled)
    sign = -1 if whole < 0 else 1
    parts, rests = [], []
    for i, weight in enumerate(scaled):
        part, rest = divmod(abs(whole) * weight, base)
        parts.append(part)
        rests.append((-rest, i))
    left = abs(whole) - sum(parts)
    for _, i in sorted(rests)[:left]:
        parts[i] += 1
    return [Decimal(sign * p).scaleb(-digits, _WIDE) for p in parts]


def portion(total: Decimal, part: Decimal, whole: Decimal, taken: Decimal, left: bool, digits: int, mode: str = "half_up") -> Decimal:
    """The share of total for `part` of `whole`; the last part takes what is left, so that parts sum to the total.

    Args:
        taken: the amount that earlier parts have had.
        left: True when this part is the last one.
    """
    if left:
        return total - taken
    return rounded(product(total, part) / whole, digits, mode) if whole else ZERO
