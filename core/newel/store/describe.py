"""What a Piccolo table says about itself, as plain values for those who must not know Piccolo."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import msgspec
from piccolo.columns import ForeignKey
from piccolo.columns.base import OnDelete

TYPES = {
    "Varchar": "text", "Text": "longtext", "Long": "integer", "BigInt": "integer", "Integer": "integer", "Id": "integer",
    "ExtKey": "integer", "ScaledInt": "decimal", "Date": "date", "Timestamptz": "instant", "Boolean": "flag", "JSON": "json",
    "ForeignKey": "reference",
}  # fmt: skip


class ColumnInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One column. scale: digits after the point of a decimal; default: as stored; references: name of the other table."""

    name: str
    type: str
    length: int = 0
    scale: int = 0
    null: bool = False
    default: Any = None
    unique: bool = False
    references: str = ""
    cascade: bool = False
    secret: bool = False
    key: bool = False
    help: str = ""


@lru_cache(maxsize=512)
def columns(table: Any) -> tuple[ColumnInfo, ...]:
    """The columns of a table, in order."""
    return tuple(_column(c) for c in table._meta.columns)


def _column(column: Any) -> ColumnInfo:
    meta, default = column._meta, column.get_default_value()
    foreign = isinstance(column, ForeignKey)
    kind = TYPES.get(type(column).__name__)
    if kind is None:
        raise TypeError(f"{meta.table._meta.tablename}.{meta.name}: no form for a {type(column).__name__}; use one of {', '.join(TYPES)}")
    return ColumnInfo(
        name=meta.name,
        type=kind,
        length=meta.params.get("length") or 0,
        scale=getattr(column, "scale", 0),
        null=meta.null,
        default=default if isinstance(default, (str, int, bool)) else None,
        unique=meta.unique,
        references=column._foreign_key_meta.resolved_references._meta.tablename if foreign else "",
        cascade=foreign and column._foreign_key_meta.on_delete == OnDelete.cascade,
        secret=meta.secret,
        key=meta.primary_key,
        help=meta.help_text or "",
    )


@lru_cache(maxsize=512)
def uniques(table: Any) -> tuple[tuple[str, ...], ...]:
    """Sets of columns whose values may stand together only once."""
    single = [(c.name,) for c in columns(table) if c.unique]
    return (*single, *(tuple(c.columns) for c in table._meta.constraints if type(c).__name__ == "Unique"))


def table_name(table: Any) -> str:
    """Name of the table in the database."""
    return str(table._meta.tablename)


def references_to(name: str, tables: Iterable[Any]) -> list[tuple[str, str]]:
    """(table, column) of everything that keeps a row of the named table from being deleted."""
    return sorted({(table_name(t), c.name) for t in tables for c in columns(t) if c.references == name and not c.cascade})


def is_duplicate(error: BaseException) -> bool:
    """Whether the database refused a row because another transaction wrote the same key first."""
    return type(error).__name__ == "UniqueViolationError" or "UNIQUE constraint failed" in str(error)
