"""How rows are written: one statement for a table, and what a column gets when nobody says."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from piccolo.columns import JSON, BigInt, Boolean, Date, ForeignKey, Integer, Timestamptz
from piccolo.table import Table

_PG_TYPES = ((JSON, "json"), (Date, "date"), (Timestamptz, "timestamptz"), (Boolean, "boolean"), ((BigInt, Integer, ForeignKey), "bigint"))


@lru_cache(maxsize=256)
def insert(table: type[Table], sqlite: bool) -> str:
    """The statement that writes rows of a table: SQLite takes them one by one, PostgreSQL each column as an array."""
    columns = columns_of(table)
    names = ", ".join(f'"{c}"' for c in columns)
    if sqlite:
        return f'INSERT INTO "{table._meta.tablename}" ({names}) VALUES ({", ".join("?" * len(columns))})'
    types = [next((name for kind, name in _PG_TYPES if isinstance(table._meta.get_column_by_name(c), kind)), "text") for c in columns]
    arrays = ", ".join(f"?::{t}[]" for t in types)
    return f'INSERT INTO "{table._meta.tablename}" ({names}) SELECT * FROM unnest({arrays})'


@lru_cache(maxsize=512)
def inserts(tables: tuple[type[Table], ...]) -> str:
    """The one statement of PostgreSQL that writes rows of several tables: whoever waits for a lock of this transaction waits for each of its round trips."""
    *others, last = (insert(table, False) for table in tables)
    return (f"WITH {', '.join(f'i{n} AS ({sql})' for n, sql in enumerate(others))} " if others else "") + last


@lru_cache(maxsize=64)
def defaults_of(table: type[Table]) -> dict[str, Any]:
    """What a column gets when a row does not say."""
    out: dict[str, Any] = {}
    for column in table._meta.columns:
        value = column.get_default_value()
        out[column._meta.name] = value if isinstance(value, (str, int, bool, type(None))) else None
    return out


@lru_cache(maxsize=64)
def columns_of(table: type[Table]) -> tuple[str, ...]:
    """The names of a table's columns, in the order of defaults_of."""
    return tuple(defaults_of(table))
