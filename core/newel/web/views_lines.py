"""What plugins let people enter for a line, in and out: boxes below the rows of the grid, made from their panels and the type of their data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from types import UnionType
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin
from urllib.parse import parse_qsl, urlencode

import msgspec

from newel.domain.document import Document
from newel.manifest import Choice, Entry, Offer, Panel, Shown
from newel.web.forms import Reader
from newel.web.views_text import _, entry, number, plain

if TYPE_CHECKING:
    from newel.services.app import Newel

Tree = dict[str, Any]


def name_of(*path: str) -> str:
    """A path as part of a field's name; its parts may hold any character."""
    return ".".join(part.replace("%", "%25").replace(".", "%2E") for part in path)


def path_of(name: str) -> list[str]:
    """Back from a field's name."""
    return [part.replace("%2E", ".").replace("%25", "%") for part in name.split(".")]


# ---- in ----------------------------------------------------------------------------------------------------------------------------


def posted_fields(form: Mapping[str, Any]) -> dict[str, str]:
    """What was posted. An offer that was taken without script is put into its row, or into a new one, and the form comes again."""
    fields = Reader(form).form
    for name in [k for k in fields if k.startswith("lines-") and k.endswith(("-offer", "-offer.adds"))]:
        values, row = parse_qsl(fields.pop(name), keep_blank_values=True), name.rsplit("-", 1)[0]
        row = f"lines-{max(Reader(fields).rows('lines'), default=0) + 1}" if name.endswith(".adds") else row
        fields |= {f"{row}-{k}": v for k, v in values} | {"do": "update"}
    return fields


def read_data(reader: Reader, prefix: str, structs: Mapping[str, Any], item: int | str | None, where: str) -> dict[str, Any]:
    """What was entered in the boxes of a row, by plugin; nothing where the row has got another item since the boxes were made."""
    known, text = reader.text(f"{prefix}-for").split(" ", 1) if reader.text(f"{prefix}-for") else ("", ""), reader.text(f"{prefix}-item_text")
    if not known[1] or str(item) not in known or (text and text.split()[0] != known[1]):
        return {}
    tree: Tree = {}
    for key in reader.form:
        name = key.removeprefix(f"{prefix}-data.")
        if name != key and not (name.endswith("_text") and key.removesuffix("_text") in reader.form):
            _put(tree, path_of(name), reader.text(key) or reader.text(f"{key}_text"))
    for key, value in reader.form.items():
        name = key.removeprefix(f"{prefix}-shown.")
        if name != key:
            _settle(tree, path_of(name), value)
    out: dict[str, Any] = {}
    for plugin, values in tree.items():
        if plugin in structs and isinstance(values, dict):
            hints = {f.encode_name: f.type for f in msgspec.structs.fields(structs[plugin])}
            out[plugin] = {n: _typed(reader, hints[n], v, f"{where}.data.{plugin}.{n}") for n, v in values.items() if n in hints}
    return out


def _put(tree: Tree, path: Sequence[str], value: Any) -> None:
    for part in path[:-1]:
        below = tree.setdefault(part, {})
        if not isinstance(below, dict):
            return
        tree = below
    tree[path[-1]] = value


def _settle(tree: Tree, path: Sequence[str], shown: str) -> None:
    """A value that is as it was proposed has not been entered; one that was entered stays, even where nothing of it is left."""
    several, proposed, text = shown[:1] == "+", shown[1:2] == "=", shown[2:]
    at: Any = tree
    for part in path[:-1]:
        at = at.setdefault(part, {})
    value = at.get(path[-1])
    if several:
        value = {k: v for k, v in (value or {}).items() if v not in ("", "0")}
    at[path[-1]] = value if several else value or ""
    if proposed and _said(at[path[-1]]) == text:
        del at[path[-1]]


def _said(value: Any) -> str:
    return " ".join(f"{name_of(k)}={v}" for k, v in sorted(value.items())) if isinstance(value, dict) else str(value)


def _typed(reader: Reader, hint: Any, value: Any, where: str) -> Any:
    """A posted value as the type of the data wants it: numbers in the reader's format, the rest as text."""
    options = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    if isinstance(value, dict):
        inner = next((get_args(h)[1] for h in options if get_origin(h) is dict), Any)
        return {k: _typed(reader, inner, v, where) for k, v in value.items()}
    one = Reader({"value": value})
    number = Decimal in options or int in options
    found = one.decimal("value", where) if Decimal in options else one.whole("value", where) if int in options else value
    reader.problems += one.problems
    return found if number else one.flag("value") if bool in options else found


# ---- out ---------------------------------------------------------------------------------------------------------------------------


def panel_view(panel: Panel, with_entries: bool = False) -> dict[str, Any]:
    """A box that a plugin proposes; with what was entered where it can't be entered."""
    chosen = [_fact(e.label, said) for e in panel.entries if (said := _chosen(e))] if with_entries else []
    return {"label": _(panel.title), "facts": [*(_fact(k, v) for k, v in panel.rows), *chosen], "text": _(panel.text), "slot": panel.slot}


def _chosen(e: Entry) -> str:
    """What an entry holds, in words."""
    if not e.choices:
        return entry(e.value) if isinstance(e.value, Decimal) else str(e.value or "")
    amounts = e.value if isinstance(e.value, Mapping) else {e.value: Decimal(1)}
    return ", ".join((f"{entry(amounts[c.value])} × " if amounts[c.value] != 1 else "") + c.label for c in e.choices if c.value in amounts)


def _fact(label: str, value: str | Shown) -> dict[str, Any]:
    if isinstance(value, str):
        return {"label": _(label), "value": value}
    kind = "date" if isinstance(value.value, date) else "" if isinstance(value.value, str) else "quantity" if value.digits is None else "money"
    shown = plain(value.value) if kind == "quantity" and isinstance(value.value, Decimal) else value.value
    return {"label": _(label), "value": shown, "kind": kind, "digits": value.digits, "unit": value.unit, "url": value.url}


def row_of_line(document: Document) -> dict[int, int]:
    """Line -> how many-th of the entered ones it is, or is a part of."""
    parents = {x.id: x.parent for x in document.lines}
    tops = {x.id: n for n, x in enumerate(x for x in document.lines if x.parent is None)}
    out = {}
    for id in parents:
        top = id
        while (above := parents.get(top)) is not None:
            top = above
        out[id] = tops.get(top, 0)
    return out


def boxes(newel: Newel, found: Sequence[tuple[str, Panel]], document: Document, rows: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """The boxes of each row of the grid that has one, by the row's name in the form."""
    at, lines = row_of_line(document), {line.id: line for line in document.lines}
    out: dict[str, list[dict[str, Any]]] = {}
    for plugin, panel in found:
        if panel.line in at and at[panel.line] < len(rows):
            row, line = rows[at[panel.line]], lines[panel.line]
            entries = [_entry(newel, plugin, e, f"{row}-") for e in panel.entries]
            about = f"{line.item.id} {line.item.number}" if line.item else ""
            offers = [_offer(o, f"{row}-offer") for o in panel.offers]
            out.setdefault(row, []).append(panel_view(panel) | {"entries": entries, "about": about, "offers": offers})
    return out


def _offer(o: Offer, name: str) -> dict[str, Any]:
    what = o.what if isinstance(o.what, str) else f"{number(o.what.value, o.what.digits)} {o.what.unit}".strip()
    typed = {"item_text" if k == "item" else k: entry(v) if isinstance(v, Decimal) else v for k, v in o.values.items()}
    typed |= {"item": ""} if "item" in o.values else {}  # the text says which one
    return {"name": name + ".adds" * o.adds, "value": urlencode(typed), "label": _(o.label, what=what), "facts": [_fact(k, v) for k, v in o.rows]}


def _entry(newel: Newel, plugin: str, e: Entry, prefix: str) -> dict[str, Any]:
    name = name_of(plugin, *e.path)
    field = f"{prefix}data.{name}"
    view: dict[str, Any] = {"name": field, "label": _(e.label), "help": _(e.help), "required": e.required}
    if not e.choices:
        value = entry(e.value) if isinstance(e.value, Decimal) else "" if e.value is None else str(e.value)
        url = f"/options/{e.code_of}?code=1" if e.code_of in newel.registry.records else ""
        return view | {"type": "reference" if url else "text", "value": value, "text": value, "url": url}
    several = e.several or any(c.most is not None for c in e.choices)
    chosen = e.value if isinstance(e.value, Mapping) else {e.value: Decimal(1)} if e.value else {}
    options = [_choice(c, chosen, field if not several else f"{field}.{name_of(c.value)}", several) for c in e.choices]
    if not several and not e.required:
        options.insert(0, {"name": field, "id": f"{field}.", "type": "radio", "value": "", "label": _("none"), "checked": not chosen})
    said = _said({c.value: entry(chosen[c.value]) for c in e.choices if c.value in chosen} if several else next(iter(chosen), ""))
    shown = f"{'+' if several else '-'}{'=' if e.proposed else ' '}{said}"
    return view | {"type": "choice", "options": options, "shown": {"name": f"{prefix}shown.{name}", "value": shown}}


def _choice(c: Choice, chosen: Mapping[str, Any], field: str, several: bool) -> dict[str, Any]:
    kind = "number" if c.most is not None else "checkbox" if several else "radio"
    note = c.note if isinstance(c.note, str) else _extra(c.note)
    view = {"name": field, "id": f"{field}.{name_of(c.value)}" if kind == "radio" else field, "type": kind, "label": c.label, "note": note,
            "refused": c.refused, "checked": c.value in chosen, "value": entry(c.quantity) if several else c.value}  # fmt: skip
    if kind == "number":
        view |= {"value": entry(chosen[c.value]) if c.value in chosen else "", "most": entry(c.most)}
    return view


def _extra(value: Shown) -> str:
    """What it costs more or less, with its sign."""
    sign = "+" if isinstance(value.value, Decimal) and value.value > 0 else ""
    return f"{sign}{number(value.value, value.digits)} {value.unit}".strip()
