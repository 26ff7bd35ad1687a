"""Lists as view models: filters that live in the address, columns, pages, sums, and CSV that a spreadsheet can't be tricked with."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from litestar import Response

from newel.domain.context import Context
from newel.errors import Problem, Refused
from newel.web import menu
from newel.web.views_text import _, plain

if TYPE_CHECKING:
    from newel.services.app import Newel

SIZE = 50
MOST_EXPORTED = 50_000
FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Address:
    """The address of a list with its parameters: every link of the list is this one with something changed."""

    def __init__(self, path: str, query: Mapping[str, str]) -> None:
        self.path, self.query = path, {k: v for k, v in query.items() if v != ""}

    def get(self, name: str) -> str:
        """A parameter, empty where it is not given."""
        return self.query.get(name, "").strip()

    def with_(self, **changes: Any) -> str:
        """The address with some parameters changed; None takes one away."""
        left = {k: str(v) for k, v in {**self.query, **changes}.items() if v not in (None, "")}
        return f"{self.path}?{urlencode(left)}" if left else self.path

    @property
    def number(self) -> int:
        """Of the page."""
        text = self.get("page")
        return max(int(text), 1) if text.isascii() and text.isdigit() and len(text) < 8 else 1


def column(address: Address, name: str, label: str, kind: str = "text", *, sort: bool = True, **more: Any) -> dict[str, Any]:
    """A column whose heading sorts: first upwards, then downwards."""
    out: dict[str, Any] = {"name": name, "label": label, "type": kind, **more}
    if sort:
        now = address.get("sort")
        out["sorted"] = {name: "asc", f"-{name}": "desc"}.get(now)
        out["sort_url"] = address.with_(sort=f"-{name}" if now == name else name, page=None)
    return out


def pager(address: Address, total: int, shown: int, size: int = SIZE, *, whole: bool = True) -> dict[str, Any]:
    """Which rows of how many (at least, unless the whole was counted), and the ways to the others."""
    at = address.number
    first = (at - 1) * size + 1
    out: dict[str, Any] = {"first": first, "last": first + shown - 1, "total": total, "at_least": not whole}
    if at > 1:
        out["previous_url"] = address.with_(page=at - 1 if at > 2 else None)
    if first + shown - 1 < total or (not whole and shown == size):
        out["next_url"] = address.with_(page=at + 1)
    return out


def filters(address: Address, fields: Sequence[dict[str, Any]], labels: Mapping[str, str]) -> dict[str, Any]:
    """The filter form and what is active in it. labels: parameter -> what the filter says in words."""
    known = {f["name"] for f in fields}
    chips = {name: {"label": text, "remove_url": address.with_(**{name: None, "page": None})} for name, text in labels.items() if text}
    active = [chip | {"name": name if name in known else ""} for name, chip in chips.items()]
    hidden = {"sort": address.get("sort")} if address.get("sort") else {}
    return {"action": address.path, "fields": list(fields), "hidden": hidden, "active": active, "clear_url": address.path if len(active) > 1 else ""}


async def arranged(request: Any, newel: Newel, context: Context, kind: str, view: dict[str, Any]) -> Response[Any] | None:
    """Let plugins arrange a list (Manifest.lists); the answer that one of them has instead of it."""
    registry = newel.registry
    known = kind in registry.documents or kind in registry.records  # what belongs to a plugin that is not running is shown as it is
    for manifest in (m for m in registry.manifests.values() if m.lists and known):
        module, _colon, name = manifest.lists.partition(":")
        if answer := await getattr(import_module(module), name)(request, context, kind, view):
            return answer  # type: ignore[no-any-return]
    view["columns"] = [c for c in view["columns"] if not c.get("more")]
    return None


def empty(filtered: bool, what: str, address: Address, new_url: str = "") -> dict[str, Any]:
    """Why a list is empty, and the one thing to do about it."""
    if filtered:
        return {"title": _("Nothing fits the filter"), "reason": _("There may be %(what)s that it leaves out.", what=what),
                "action": {"label": _("Clear the filter"), "url": address.path, "icon": "x"}}  # fmt: skip
    reason = _("As soon as there are some, they stand here.")
    return {"title": _("No %(what)s yet", what=what), "reason": reason, "action": {"label": _("New"), "url": new_url} if new_url else None}


# ---- CSV ---------------------------------------------------------------------------------------------------------------------------


def csv_cell(value: Any) -> str:
    """A value as text; what a spreadsheet would take for a formula gets an apostrophe in front."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return f"{plain(value):f}"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    text = str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def csv_file(_name: str, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> tuple[bytes, str]:
    """A file for a spreadsheet, with its media type."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([csv_cell(h) for h in head])
    writer.writerows([csv_cell(v) for v in row] for row in rows)
    return out.getvalue().encode("utf-8-sig"), "text/csv; charset=utf-8"


def writers(newel: Newel) -> dict[str, Any]:
    """What a list can be had as: CSV, and the formats of plugins."""
    return {"csv": csv_file, **{ending: write for m in newel.registry.manifests.values() for ending, write in m.formats.items()}}


def asked(newel: Newel, query: Mapping[str, str]) -> str:
    """The format of the file that an address asks for; empty for a page."""
    wanted = query.get("format", "")
    return wanted if wanted in writers(newel) else ""


def file_response(newel: Newel, wanted: str, name: str, head: Sequence[str], rows: Sequence[Sequence[Any]]) -> Response[bytes]:
    """A list as a file; one that would not be whole is refused."""
    if len(rows) > MOST_EXPORTED:
        message = f"a file has at most {MOST_EXPORTED} rows, and these are more"
        raise Refused(Problem(code="export.many", message=message, hint="narrow the filter"))
    content, media_type = writers(newel)[wanted](name, head, rows)
    return Response(content, media_type=media_type, headers={"content-disposition": f'attachment; filename="{name}.{wanted}"'})


def listed(columns: Sequence[tuple[str, str, str]], rows: Sequence[Mapping[str, Any]], **more: Any) -> dict[str, Any]:
    """A list that needs no more than this. columns: (name, label, type)."""
    named = [{"name": n, "label": label, "type": kind} for n, label, kind in columns]
    pager = {"first": 1, "last": len(rows), "total": len(rows)}
    return {"columns": named, "rows": rows, "pager": pager, "empty": {"title": _("Nothing here yet")}, **more}


def shown_rows(columns: Sequence[Mapping[str, Any]], cells: Iterable[Mapping[str, Any]]) -> list[list[Any]]:
    """The values behind the cells of a list, column by column."""
    return [[c["value"] if isinstance(c := row.get(column["name"]), Mapping) else c for column in columns] for row in cells]


def file_actions(newel: Newel, context: Context, address: Address, edited: str = "") -> list[dict[str, Any]]:
    """The list as files, and the pages of plugins about it. edited: the kind that is listed, where the user may edit it."""
    actions = [{"label": f.upper(), "method": "get", "url": address.with_(format=f, page=None), "icon": "download"} for f in writers(newel)]
    if edited:
        actions += [{"label": b["label"], "method": "get", "url": b["url"], "icon": "file-import"} for b in menu.boxes(newel, context, "list", edited)]
    return actions
