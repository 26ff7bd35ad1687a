"""What a list looks like: pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec

SHARE = "views.share"
EVERYBODY = "*"
WIDTHS = ("", "xs", "s", "m", "l", "xl")
COLUMNS = 60
OWN = ("view", "page", "format", "sums")  # of an address: where somebody is, not what they look at


class Choice(msgspec.Struct, frozen=True):
    """One column that is seen. width: see WIDTHS, empty for as wide as what is in it."""

    name: str
    width: str = ""


class Layout(msgspec.Struct, frozen=True):
    """The columns of a list in order; none for those that the list has by itself. freeze: the first one stays in sight."""

    columns: tuple[Choice, ...] = ()
    freeze: bool = False


class View(msgspec.Struct, frozen=True, kw_only=True):
    """A saved view. shared: empty for its owner alone, the code of a role, or "*"; query: of the address, without the view itself."""

    id: int
    name: str
    user: str
    shared: str
    query: str
    layout: Layout
    pinned: bool
    standard: bool


def laid_out(columns: Sequence[Mapping[str, Any]], layout: Layout) -> tuple[list[dict[str, Any]], list[str]]:
    """The columns as somebody wants them, those that they do not want marked with `more`; and names that are no column any more."""
    known = {c["name"]: dict(c) for c in columns}
    if not any(c.name in known for c in layout.columns):
        return list(known.values()), [c.name for c in layout.columns]
    chosen = [known.pop(c.name) | {"width": c.width, "more": False} for c in layout.columns if c.name in known]
    found = {c["name"] for c in chosen}
    return chosen + [c | {"more": True} for c in known.values()], [c.name for c in layout.columns if c.name not in found]


def layout_of(rows: Iterable[tuple[str, int, str]], freeze: bool) -> Layout:
    """The layout from (name, place, width) of the columns that are wanted."""
    wanted = sorted(rows, key=lambda r: r[1])[:COLUMNS]
    return Layout(tuple(Choice(name, width if width in WIDTHS else "") for name, _place, width in wanted), freeze)


def plain(query: str) -> str:
    """What an address asks for, without where somebody is in it; always in the same order."""
    return urlencode(sorted((k, v) for k, v in parse_qsl(query) if k not in OWN))


def unknown(query: str, fields: Collection[str], sorts: Collection[str], values: Mapping[str, Collection[str]]) -> list[str]:
    """What an address asks for that the list does not know: fields, values of fields, a column to sort by."""
    out = []
    for name, value in parse_qsl(query):
        if name == "sort":
            out += [value.removeprefix("-")] if value.removeprefix("-") not in sorts else []
        elif name.removesuffix("_text").removesuffix("_was") not in fields and name not in OWN:  # what stood in the box of a reference
            out.append(name)
        elif name in values and value not in values[name]:
            out.append(value)
    return out


def first(views: Sequence[View], user: str) -> View | None:
    """The view that a list opens with: one's own, else that of a role, else everybody's."""
    ranks = {"": 0, EVERYBODY: 2}
    found = sorted((v for v in views if v.standard), key=lambda v: (ranks.get(v.shared, 1), v.user != user, v.name))
    return found[0] if found else None
