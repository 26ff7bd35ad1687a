"""Records as view models: their fields as inputs and cells, what was posted as values, their history."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from newel.domain.context import Context
from newel.services.record_write import Event
from newel.services.shapes import Shape
from newel.services.values import FieldView
from newel.web.forms import Reader, Wrong, decimal
from newel.web.views_list import Address
from newel.web.views_text import _, entry, instant

if TYPE_CHECKING:
    from newel.services.app import Newel

TYPES = {"decimal": "quantity", "integer": "quantity", "date": "date", "instant": "instant", "flag": "bool"}
INPUTS = {"longtext": "textarea", "json": "textarea", "integer": "number", "decimal": "number", "date": "date", "flag": "checkbox", "choice": "select"}
ABSENT = object()


def filter_fields(shape: Shape, fields: list[FieldView], address: Address) -> list[dict[str, Any]]:
    """What a list can be narrowed by: a text, choices, and yes or no."""
    out: list[dict[str, Any]] = []
    if shape.record.search:
        out.append({"name": "q", "label": _("Search"), "type": "text", "value": address.get("q")})
    for f in fields:
        value = address.get(f.name)
        if f.type == "choice":
            out.append({"name": f.name, "label": _(f.label), "type": "select", "value": value, "narrow": True,
                        "options": [{"value": v, "label": _(label)} for v, label in f.choices if v]})  # fmt: skip
        elif f.type == "flag":
            options = [{"value": "true", "label": _("yes")}, {"value": "false", "label": _("no")}]
            out.append({"name": f.name, "label": _(f.label), "type": "select", "value": value, "narrow": True, "options": options})
    return out


def filter_text(field: FieldView, value: str) -> str:
    """The value of a filter in words."""
    if field.type == "flag":
        return _("yes") if value == "true" else _("no")
    return _(dict(field.choices).get(value, value))


def cell_of(field: FieldView, row: dict[str, Any]) -> Any:
    """A field of a record in a list."""
    value = row.get(field.name)
    if field.type == "reference":
        title = row.get(f"{field.name}__title", "")
        return {"value": title, "url": f"/records/{field.reference}/{value}"} if field.reference and value else title
    if field.type == "choice":
        return _(dict(field.choices).get(str(value), str(value or "")))
    if field.type == "integer" and value is not None:
        return Decimal(value)
    return value if field.type != "json" else ""


def field_view(newel: Newel, f: FieldView, value: Any, title: str, error: str = "", editable: bool = True) -> dict[str, Any]:
    """A field of a record as an input."""
    out: dict[str, Any] = {
        "name": f.name, "label": _(f.label), "help": _(f.help), "type": INPUTS.get(f.type, "text"), "value": value, "required": f.required, "error": error,
        "readonly": f.readonly or not editable, "max_length": f.length if f.type == "text" else 0,
    }  # fmt: skip
    if f.type in ("decimal", "integer") and value is not None and not isinstance(value, str):
        out["value"] = entry(Decimal(value))
    elif f.type == "choice":
        out["options"] = [{"value": v, "label": _(label)} for v, label in f.choices]
        out["complete"] = (not f.null and (f.required or f.default != "")) or any(v == "" for v, _label in f.choices)
    elif f.type == "reference" and f.reference:
        out |= {"type": "reference", "url": f"/options/{f.reference}", "text": title, "width": 2}
    elif f.code_of and f.code_of in newel.registry.records:
        out |= {"type": "reference", "url": f"/options/{f.code_of}?code=1", "text": title or value}
    elif f.type == "json" and not isinstance(value, str):
        out["value"] = msgspec.json.format(msgspec.json.encode(value), indent=2).decode() if value else ""
    elif f.type == "date" and value and not isinstance(value, str):
        out["value"] = value.isoformat()
    elif f.type == "instant":
        out["value"] = instant(value)
    if out["type"] == "textarea":
        out["width"] = 4
    return out


def read(shape: Shape, reader: Reader) -> dict[str, Any]:
    """What was posted, as the service takes it; the service says what is wrong with it."""
    entered = (f for f in shape.fields if not f.readonly and not f.secret)
    found = {f.name: _entered(f, reader) for f in entered}
    return {name: value for name, value in found.items() if value is not ABSENT}


def _entered(f: FieldView, reader: Reader) -> Any:
    text = reader.text(f.name)
    if f.type == "flag":
        return reader.flag(f.name)
    if f.type == "reference":
        return reader.reference(f.name)
    if f.code_of:
        return text or reader.text(f"{f.name}_text")
    try:
        if f.type in ("decimal", "integer") and text:
            number = decimal(text)
            return int(number) if f.type == "integer" and number == number.to_integral_value() else number
        if f.type == "json":
            return msgspec.json.decode(text) if text else None
    except (Wrong, msgspec.DecodeError) as error:
        reader.bad(f.name, f"{_(f.label)}: {error}", code="entry.number" if isinstance(error, Wrong) else "entry.json")
        return ABSENT
    return text if f.name in reader.form else ABSENT


def version_of(row: dict[str, Any]) -> str:
    """Changes whenever a field does: so that nothing is overwritten that somebody has not seen."""
    return hashlib.sha256(repr(sorted(row.items(), key=lambda kv: kv[0])).encode()).hexdigest()[:16]


def history(e: Event, shape: Shape) -> dict[str, Any]:
    """An entry of the timeline."""
    what = {"create": _("made it"), "change": _("changed it"), "delete": _("deleted it"), "password": _("set a new password")}.get(e.action, e.action)
    told = {"True": _("yes"), "False": _("no")}

    def value(name: str, text: str) -> str:
        kind = shape.fields[name].type if name in shape.fields else ""
        return _(text) if kind == "choice" else told.get(text, text) if kind == "flag" else text

    changes = [{"label": _(c.label), "old": value(c.field, c.old), "new": value(c.field, c.new)} for c in e.changes]
    return {"at": e.at, "who": e.user, "plugin": "", "what": what, "changes": changes}


def title_of(shape: Shape, row: dict[str, Any]) -> str:
    """What to call a record."""
    return " ".join(str(row.get(f"{c}__title") or row.get(c) or "") for c in shape.record.title if c in shape.fields).strip() or str(row.get("id", ""))


def reports_on(newel: Newel, name: str, context: Context, id: int) -> list[dict[str, Any]]:
    """Links to the reports that can be about one such record; first those that can't do without one."""
    out = []
    for report in newel.registry.reports.values():
        asked = [p for p in report.parameters if p.type == name]
        if len(asked) == 1 and context.user.may(f"{report.name}.view"):
            link = {"label": _(report.label), "method": "get", "url": f"/report/{report.name}?{asked[0].name}={id}", "icon": "chart-bar"}
            out.append((not asked[0].required, _(report.label), link))
    return [link for _optional, _label, link in sorted(out, key=lambda found: found[:2])]
