"""Pages of records: list, form, parts on the parent's page, history, and the choices of pickers. All from the declarations."""

from __future__ import annotations

import hashlib
import secrets
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
from litestar import Response, get, post

from newel.domain.context import Context
from newel.errors import Problem, Refused
from newel.services.access import require
from newel.services.record_write import Event
from newel.services.shapes import Shape
from newel.services.values import FieldView
from newel.web.auth import context_of, newel_of
from newel.web.forms import Reader, Wrong, decimal
from newel.web.render import Web, flash, page, redirect, shown
from newel.web.views_list import MOST_EXPORTED, SIZE, Address, column, csv_response, empty, filters, pager
from newel.web.views_text import _, entry, instant

if TYPE_CHECKING:
    from newel.services.app import Newel

TYPES = {"decimal": "quantity", "integer": "quantity", "date": "date", "instant": "instant", "flag": "bool"}
INPUTS = {"longtext": "textarea", "json": "textarea", "integer": "number", "decimal": "number", "date": "date", "flag": "checkbox", "choice": "select"}
FILTERED = ("choice", "flag", "reference")
CHILDREN = 200


def title_of(shape: Shape, row: dict[str, Any]) -> str:
    """What to call a record."""
    return " ".join(str(row.get(f"{c}__title") or row.get(c) or "") for c in shape.record.title if c in shape.fields).strip() or str(row.get("id", ""))


# ---- lists -------------------------------------------------------------------------------------------------------------------------


@get("/records/{name:str}")
async def records(request: Web, name: str) -> Response[Any]:
    """The records of one kind."""
    newel, context = newel_of(request), await context_of(request)
    shape = newel.records.shape(name)
    require(context, f"{name}.view")
    address = Address(request.url.path, {k: v for k, v in request.query_params.items() if k != "format"})
    fields = [f for f in shape.fields if f.list and not f.secret]
    wanted = {f.name: v for f in shape.fields if f.type in FILTERED and (v := address.get(f.name))}
    if request.query_params.get("format") == "csv":
        return await _export(newel, shape, address, wanted, context)
    try:
        found = await newel.records.page(name, context, search=address.get("q"), filters=wanted, sort=address.get("sort"), number=address.number, size=SIZE)
        problems: tuple[Problem, ...] = ()
    except Refused as refused:
        if refused.status in (403, 404):
            raise
        found, problems, wanted = await newel.records.page(name, context, size=SIZE), refused.problems, {}
    may = context.user.may(f"{name}.edit")
    actions: list[dict[str, Any]] = []
    if may:
        actions.append({"label": _("New"), "method": "get", "url": f"/records/{name}/new", "primary": True, "icon": "plus", "key": "N"})
    actions.append({"label": "CSV", "method": "get", "url": address.with_(format="csv", page=None), "icon": "download"})
    labels = {"q": _("contains “%(text)s”", text=address.get("q")) if address.get("q") else ""}
    labels |= {n: f"{shape.fields[n].label}: {_filter_text(shape.fields[n], v)}" for n, v in wanted.items()}
    view = {
        "actions": actions, "summary": _(shape.record.help), "filters": filters(address, _filters(shape, fields, address), labels),
        "columns": [column(address, f.name, _(f.label), TYPES.get(f.type, "text"), sort=f.type != "json") for f in fields],
        "rows": [{"url": f"/records/{name}/{r['id']}", "id": r["id"], "cells": {f.name: _cell(f, r) for f in fields}} for r in found.rows],
        "pager": pager(address, found.total, len(found.rows)),
        "empty": empty(any(labels.values()), _(shape.record.label_plural).lower(), address, f"/records/{name}/new" if may else ""),
    }  # fmt: skip
    return page(request, context, "list.html", _(shape.record.label_plural), problems=shown(problems), list=view)


def _filters(shape: Shape, fields: list[FieldView], address: Address) -> list[dict[str, Any]]:
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


def _filter_text(field: FieldView, value: str) -> str:
    if field.type == "flag":
        return _("yes") if value == "true" else _("no")
    return _(dict(field.choices).get(value, value))


def _cell(field: FieldView, row: dict[str, Any]) -> Any:
    value = row.get(field.name)
    if field.type == "reference":
        title = row.get(f"{field.name}__title", "")
        return {"value": title, "url": f"/records/{field.reference}/{value}"} if field.reference and value else title
    if field.type == "choice":
        return _(dict(field.choices).get(value, str(value or "")))
    if field.type == "integer" and value is not None:
        return Decimal(value)
    return value if field.type != "json" else ""


async def _export(newel: Newel, shape: Shape, address: Address, wanted: dict[str, str], context: Context) -> Response[Any]:
    fields = [f for f in shape.fields if not f.secret]
    rows: list[dict[str, Any]] = []
    at = 1
    while len(rows) < MOST_EXPORTED:
        found = await newel.records.page(shape.name, context, search=address.get("q"), filters=wanted, sort=address.get("sort"), number=at, size=200)
        rows += found.rows
        at += 1
        if not found.rows or len(rows) >= found.total:
            break
    cells = ([r.get(f"{f.name}__title") if f.type == "reference" else r.get(f.name) for f in fields] for r in rows)
    return csv_response(shape.name, [f.name for f in fields], cells)


# ---- the form ----------------------------------------------------------------------------------------------------------------------


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
        out["complete"] = not f.null or any(v == "" for v, _label in f.choices)
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
    values: dict[str, Any] = {}
    for f in shape.fields:
        if f.readonly or f.secret:
            continue
        text = reader.text(f.name)
        if f.type == "flag":
            values[f.name] = reader.flag(f.name)
        elif f.type in ("decimal", "integer") and text:
            try:
                found = decimal(text)
            except Wrong as wrong:
                reader.bad(f.name, f"{_(f.label)}: {wrong}", code="entry.number")
                continue
            values[f.name] = int(found) if f.type == "integer" and found == found.to_integral_value() else found
        elif f.type == "reference":
            values[f.name] = reader.reference(f.name)
        elif f.code_of:
            values[f.name] = text or reader.text(f"{f.name}_text")
        elif f.type == "json":
            try:
                values[f.name] = msgspec.json.decode(text) if text else None
            except msgspec.DecodeError as error:
                reader.bad(f.name, f"{_(f.label)}: {error}", code="entry.json")
        elif f"{f.name}" in reader.form:
            values[f.name] = text
    return values


def _version(row: dict[str, Any]) -> str:
    """Changes whenever a field does: so that nothing is overwritten that somebody has not seen."""
    return hashlib.sha256(repr(sorted(row.items(), key=lambda kv: kv[0])).encode()).hexdigest()[:16]


async def _form(
    request: Web, shape: Shape, id: int | None, context: Context, reader: Reader | None = None, problems: tuple[Problem, ...] = (), status: int = 200
) -> Response[str]:
    newel, name = newel_of(request), shape.name
    row = await newel.records.get(name, id, context) if id else {}
    may = context.user.may(f"{name}.edit")
    errors = {p.where: p.message for p in problems}
    fields = []
    for f in shape.fields:
        if f.secret:
            continue
        if reader is not None and not f.readonly:
            value, title = reader.text(f.name) if f.type != "flag" else reader.flag(f.name), reader.text(f"{f.name}_text")
        elif id:
            value, title = row.get(f.name), row.get(f"{f.name}__title", "")
        else:
            value, title = request.query_params.get(f.name, f.default), ""
            if f.type == "reference" and f.reference and str(value or "").isdigit():
                title = title_of(newel.records.shape(f.reference), await newel.records.get(f.reference, int(value), context))
        fields.append(field_view(newel, f, value, title, errors.get(f.name, ""), may and not (id and shape.record.append_only and False)))
    if not id and fields:
        fields[0]["autofocus"] = True
    parent = shape.fields[shape.record.parent] if shape.record.parent else None
    parent_id = (row.get(shape.record.parent) if id else request.query_params.get(shape.record.parent)) if parent else None
    up = f"/records/{parent.reference}/{parent_id}" if parent and parent.reference and parent_id else f"/records/{name}"
    actions = []
    if id and may and not shape.record.append_only:
        actions.append({"label": _("Delete"), "method": "post", "url": f"/records/{name}/{id}/delete", "danger": True, "icon": "trash",
                        "confirm": _("Delete %(title)s?", title=title_of(shape, row))})  # fmt: skip
    if id and name == "newel.user" and may:
        actions.insert(0, {"label": _("Set password"), "method": "get", "url": f"/users/{id}/password", "icon": "key"})
    more = [f for f in shape.fields if f.secret or f.readonly]
    view = {
        "action": f"/records/{name}/{id}" if id else f"/records/{name}/new", "kind_label": _(shape.record.label),
        "back": {"label": _("back") if parent and up != f"/records/{name}" else _(shape.record.label_plural), "url": up},
        "version": _version(row) if id else None, "idempotency_key": (reader.text("idempotency_key") if reader else "") or secrets.token_urlsafe(12),
        "sections": [{"help": _(shape.record.help) if not id else "", "fields": fields}], "cancel_url": up, "actions": actions, "editable": may,
        "parts": [await _parts(newel, child, shape, id, context) for child in newel.records.shapes.children(name) if context.user.may(f"{child.name}.view")] if id else [],
        "history": [history(e) for e in await newel.records.history(name, id, context)] if id else [], "read_only": len(more),
    }  # fmt: skip
    title = title_of(shape, row) if id else _("New: %(kind)s", kind=_(shape.record.label))
    known = {f.name for f in shape.fields}
    return page(request, context, "record_form.html", title, status=status, at=up, problems=shown(problems, lambda w: w if w in known else ""), form=view)


def history(e: Event) -> dict[str, Any]:
    """An entry of the timeline."""
    what = {"create": _("made it"), "change": _("changed it"), "delete": _("deleted it"), "password": _("set a new password")}.get(e.action, e.action)
    changes = [{"label": _(c.label), "old": c.old, "new": c.new} for c in e.changes]
    return {"at": e.at, "who": e.user, "plugin": "", "what": what, "changes": changes}


async def _parts(newel: Newel, child: Shape, shape: Shape, id: int | None, context: Context) -> dict[str, Any]:
    """The parts of a record that are records of their own."""
    parent = child.record.parent
    found = await newel.records.page(child.name, context, filters={parent: id}, size=CHILDREN)
    fields = [f for f in child.fields if f.name != parent and f.list and not f.secret] or [f for f in child.fields if f.name != parent and not f.secret][:6]
    return {
        "label": _(child.record.label_plural), "help": _(child.record.help),
        "new_url": f"/records/{child.name}/new?{parent}={id}" if context.user.may(f"{child.name}.edit") else "",
        "columns": [{"name": f.name, "label": _(f.label), "type": TYPES.get(f.type, "text")} for f in fields],
        "rows": [{"url": f"/records/{child.name}/{r['id']}", "cells": {f.name: _cell(f, r) for f in fields}} for r in found.rows],
        "more_url": f"/records/{child.name}?{parent}={id}" if found.total > CHILDREN else "", "total": found.total,
    }  # fmt: skip


@get("/records/{name:str}/new")
async def new_record(request: Web, name: str) -> Response[str]:
    """An empty form."""
    context, shape = await context_of(request), newel_of(request).records.shape(name)
    require(context, f"{name}.edit")
    return await _form(request, shape, None, context)


@get("/records/{name:str}/{id:int}")
async def show_record(request: Web, name: str, id: int) -> Response[str]:
    """One record."""
    return await _form(request, newel_of(request).records.shape(name), id, await context_of(request))


@post("/records/{name:str}/new", status_code=200)
async def create_record(request: Web, name: str) -> Response[Any]:
    """Keep a new record."""
    return await _save(request, name, None)


@post("/records/{name:str}/{id:int}", status_code=200)
async def change_record(request: Web, name: str, id: int) -> Response[Any]:
    """Keep the changes, unless somebody else was quicker."""
    return await _save(request, name, id)


async def _save(request: Web, name: str, id: int | None) -> Response[Any]:
    newel, context, reader = newel_of(request), await context_of(request), Reader(await request.form())
    shape = newel.records.shape(name)
    require(context, f"{name}.edit")
    values = read(shape, reader)
    if reader.problems:
        return await _form(request, shape, id, context, reader, tuple(reader.problems), 422)
    if id is not None and reader.text("version") and reader.text("version") != _version(await newel.records.get(name, id, context)):
        problem = Problem(code="version", message=_("somebody has changed it since you opened it"), hint=_("look at the history below, then save again"))
        return await _form(request, shape, id, context, reader, (problem,), 409)
    try:
        saved = await newel.records.save(name, id, values, context, key=reader.text("idempotency_key") or None if id is None else None)
    except Refused as refused:
        if refused.status in (403, 404):
            raise
        return await _form(request, shape, id, context, reader, refused.problems, refused.status)
    row = await newel.records.get(name, saved, context)
    parent = shape.fields[shape.record.parent] if shape.record.parent else None
    url = f"/records/{parent.reference}/{row[parent.name]}" if parent and parent.reference and row.get(parent.name) else f"/records/{name}/{saved}"
    return redirect(url, flash(_("%(title)s is saved.", title=title_of(shape, row))))


@post("/records/{name:str}/{id:int}/delete", status_code=200)
async def delete_record(request: Web, name: str, id: int) -> Response[Any]:
    """Delete a record that nothing refers to."""
    newel, context = newel_of(request), await context_of(request)
    shape = newel.records.shape(name)
    row = await newel.records.get(name, id, context)
    try:
        await newel.records.delete(name, id, context)
    except Refused as refused:
        if refused.status in (403, 404):
            raise
        return await _form(request, shape, id, context, None, refused.problems, refused.status)
    parent = shape.fields[shape.record.parent] if shape.record.parent else None
    url = f"/records/{parent.reference}/{row[parent.name]}" if parent and parent.reference and row.get(parent.name) else f"/records/{name}"
    return redirect(url, flash(_("%(title)s is deleted.", title=title_of(shape, row))))


@get("/options/{name:str}")
async def options(request: Web, name: str, q: str = "", code: str = "", party: int | None = None) -> list[dict[str, Any]]:
    """What somebody may mean, for a picker: id and title, or code and title. Addresses can be narrowed to a party's."""
    newel, context = newel_of(request), await context_of(request)
    if code:
        return [{"id": found, "label": title} for found, title in await newel.records.codes(name, q, context)]
    if party is not None and "party" in newel.records.shape(name).fields:
        shape = newel.records.shape(name)
        found = await newel.records.page(name, context, search=q, filters={"party": party}, size=20)
        return [{"id": r["id"], "label": title_of(shape, r)} for r in found.rows]
    return [{"id": id_, "label": title} for id_, title in await newel.records.options(name, q, context)]


handlers = [records, new_record, show_record, create_record, change_record, delete_record, options]
