"""Columns for exact numbers, ids and references, the same on SQLite and PostgreSQL.

Numbers are 64-bit counts of 10**-scale units (docs/decisions/0001): amounts have scale 4, prices, quantities, factors and percentages 6,
exchange rates 10. The domain sees Decimal; scaled() and unscaled() stand between the two.
"""

from __future__ import annotations

from decimal import Context, Decimal, Inexact, InvalidOperation
from functools import lru_cache
from typing import Any, overload

from piccolo.columns import BigInt, Column, ForeignKey
from piccolo.columns.base import OnDelete
from piccolo.columns.combination import Where
from piccolo.querystring import QueryString
from piccolo.table import Table

I64 = 2**63 - 1
AMOUNT, PRICE, QUANTITY, RATE = 4, 6, 6, 10
_EXACT = Context(prec=40, traps=[Inexact, InvalidOperation])


@lru_cache(maxsize=8192, typed=True)  # typed: 1.0 is not found under 1
def scaled(value: Decimal | str | int, scale: int, rounding: str | None = None) -> int:
    """'12.34', 4 -> 123400. Raises decimal.Inexact if digits would be lost and no rounding is given."""
    if isinstance(value, float):
        raise TypeError("float refused")
    d = Decimal(value)
    n = int(d.scaleb(scale, context=_EXACT).to_integral_value(rounding) if rounding else d.scaleb(scale, context=_EXACT).to_integral_exact(context=_EXACT))
    if not -I64 - 1 <= n <= I64:
        raise OverflowError(value)
    return n


@lru_cache(maxsize=8192)
def unscaled(n: int, scale: int) -> Decimal:
    """123400, 4 -> Decimal("12.3400")."""
    return Decimal(n).scaleb(-scale)


def check_int(v: Any) -> Any:
    if v is None or type(v) is int or isinstance(v, (QueryString, Column)) or getattr(v, "placeholder", False) is True:
        if type(v) is int and not -I64 - 1 <= v <= I64:
            raise OverflowError(v)
        return v
    raise TypeError(f"scaled column wants int, got {type(v).__name__}")


class ScaledInt(BigInt):
    """Exact number stored as a 64-bit count of 10**-scale units. int in, int out, on both databases."""

    def __init__(self, scale: int = 4, default: int | None = 0, **kw: Any) -> None:
        super().__init__(default=default, **kw)
        self.scale = scale
        self._meta.params["scale"] = scale  # so that auto migrations reproduce it

    @property
    def column_type(self) -> str:  # not INTEGER: Piccolo's INTEGER converter is slow on SQLite
        return "BIGINT"

    def __eq__(self, v: Any) -> Where:  # type: ignore[override]
        return super().__eq__(check_int(v))

    def __ne__(self, v: Any) -> Where:  # type: ignore[override]
        return super().__ne__(check_int(v))

    def __lt__(self, v: Any) -> Where:
        return super().__lt__(check_int(v))

    def __le__(self, v: Any) -> Where:
        return super().__le__(check_int(v))

    def __gt__(self, v: Any) -> Where:
        return super().__gt__(check_int(v))

    def __ge__(self, v: Any) -> Where:
        return super().__ge__(check_int(v))

    __hash__ = Column.__hash__

    @overload
    def __get__(self, obj: Table, objtype: Any = None) -> int: ...
    @overload
    def __get__(self, obj: None, objtype: Any = None) -> ScaledInt: ...
    def __get__(self, obj: Table | None, objtype: Any = None) -> Any:
        return obj.__dict__[self._meta.name] if obj else self

    def __set__(self, obj: Any, v: Any) -> None:
        obj.__dict__[self._meta.name] = check_int(v)


class Id(BigInt):
    """Primary key. Values come from the kernel's id allocator, unique over all tables, so rows can refer to each other before they are written."""

    def __init__(self, **kw: Any) -> None:
        kw["primary_key"], kw["null"], kw["default"] = True, False, None
        super().__init__(**kw)

    @property
    def column_type(self) -> str:
        return "BIGINT"


class Long(BigInt):
    """A whole number: a BIGINT on both databases (Piccolo's INTEGER converter is slow on SQLite)."""

    @property
    def column_type(self) -> str:
        return "BIGINT"


def ref(table: Any, *, null: bool = False, cascade: bool = False, index: bool = True) -> Any:
    """A reference. A part of its parent goes with it (cascade); everything else keeps what it refers to from being deleted."""
    return ForeignKey(table, null=null, index=index, on_delete=OnDelete.cascade if cascade else OnDelete.restrict, default=None)
