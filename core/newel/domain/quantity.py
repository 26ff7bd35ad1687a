"""Quantities and units. A quantity has at most six digits after the point."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

import msgspec

from newel.domain.money import ONE, plain, product, rounded

QUANTITY_DIGITS = 6
QUANTITY_MAX = Decimal(999999999999)


class Unit(msgspec.Struct, frozen=True):
    """A unit of measure.

    Args:
        code: such as "EA" or "BOX" (UN/ECE Recommendation 20 where one exists).
        digits: digits after the point that a quantity in this unit may have.
        base: code of the unit that it is a multiple of, or empty.
        factor: how many of `base` one of it is.
    """

    code: str
    name: str = ""
    digits: int = 0
    base: str = ""
    factor: Decimal = ONE


@lru_cache(maxsize=8192)
def in_base(quantity: Decimal, factor: Decimal) -> Decimal:
    """A quantity in the item's own unit: quantity times units per unit, half up to six digits."""
    return plain(rounded(product(quantity, factor), QUANTITY_DIGITS))
