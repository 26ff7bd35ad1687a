"""Pages of records: list, form, parts on the parent's page, history, and the choices of pickers. All from the declarations."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from litestar import Response, get, post
from litestar.params import FromPath

from newel.domain.context import Context
from newel.errors import Problem, Refused
from newel.services.access import require
from newel.services.shapes import Shape
from newel.web import menu
from newel.web.auth import context_of, newel_of
from newel.web.forms import Reader
from newel.web.render import Web, flash, page, redirect, shown
from newel.web.views_forms import forms_on
from newel.web.views_list import MOST_EXPORTED, SIZE, Address, arranged, asked, column, empty, file_actions, file_response, filters, pager, shown_rows
from newel.web.views_record import TYPES, cell_of, field_view, filter_fields, filter_text, history, read, reports_on, title_of, version_of
from newel.web.views_text import _, inside, said

if TYPE_CHECKING:
    from newel.services.app import Newel

FILTERED = ("choice", "flag", "reference")
CHILDREN = 200
FEW = 4  # links to reports that fit in the head of a page


# ---- lists -------------------------------------------------------------------------------------------------------------------------


def columns_of(shape: Shape, address: Address) -> list[dict[str, Any]]:
    """What a list of records can show; `more` is not seen unless somebody chooses it."""
    return [column(address, f.name, _(f.label), TYPES.get(f.type, "text"), more=not f.list) for f in shape.fields if not f.secret and f.type != "json"]


@get("/records/{name:str}")
async def records(request: Web, name: FromPath[str]) -> Response[Any]:
    """The records of one kind."""
    newel, context = newel_of(request), await context_of(request)
    shape = newel.records.shape(name, context)
    require(context, f"{name}.view")
    address = Address(request.url.path, {k: v for k, v in request.query_params.items() if k != "format"})
    fields = [f for f in shape.fields if not f.secret and f.type != "json"]
    wanted = {f.name: v for f in shape.fields if f.type in FILTERED and (v := address.get(f.name))}
    columns = {"columns": columns_of(shape, address)}
    if file := asked(newel, request.query_params):
        await arranged(request, newel, context, name, columns)
        return await _export(newel, shape, address, wanted, context, file, columns["columns"])
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
    actions += file_actions(newel, context, address, name if may else "")
    labels = {"q": _("contains “%(text)s”", text=address.get("q")) if address.get("q") else ""}
    titles = found.rows[0] if found.rows else {}
    said_of = {n: titles.get(f"{n}__title") or filter_text(shape.fields[n], v) for n, v in wanted.items()}
    labels |= {n: _("%(field)s is %(value)s", field=_(shape.fields[n].label), value=text) for n, text in said_of.items()}
    narrowed = filters(address, filter_fields(shape, [f for f in fields if f.list], address), labels)
    view = {
        "actions": actions, "summary": _(shape.record.help), "filters": narrowed, **columns,
        "rows": [{"url": f"/records/{name}/{r['id']}", "id": r["id"], "cells": {f.name: cell_of(f, r) for f in fields}} for r in found.rows],
        "pager": pager(address, found.total, len(found.rows)),
        "empty": empty(any(labels.values()), inside(_(shape.record.label_plural)), address, f"/records/{name}/new" if may else ""),
    }  # fmt: skip
    if other := await arranged(request, newel, context, name, view):
        return other
    return page(request, context, "list.html", _(shape.record.label_plural), problems=shown(problems), list=view)


async def _export(
    newel: Newel, shape: Shape, address: Address, wanted: dict[str, str], context: Context, file: str, columns: list[dict[str, Any]]
) -> Response[Any]:
    """All rows of the filter, with the columns that are seen."""
    found = await newel.records.page(shape.name, context, search=address.get("q"), filters=wanted, sort=address.get("sort"), size=MOST_EXPORTED + 1)
    cells = ({c["name"]: cell_of(shape.fields[c["name"]], r) for c in columns} for r in found.rows)
    return file_response(newel, file, shape.name, [c["label"] for c in columns], shown_rows(columns, cells))


# ---- the form ----------------------------------------------------------------------------------------------------------------------


async def _form(
    request: Web, shape: Shape, id: int | None, context: Context, reader: Reader | None = None, problems: tuple[Problem, ...] = (), status: int = 200
) -> Response[str]:
    newel, name = newel_of(request), shape.name
    row = await newel.records.get(name, id, context) if id else {}
    may = context.user.may(f"{name}.edit")
    errors = {p.where: said(p).message for p in problems}
    fields = []
    for f in shape.fields:
        if f.secret:
            continue
        value: Any
        if reader is not None and not f.readonly:
            value, title = reader.text(f.name) if f.type != "flag" else reader.flag(f.name), reader.text(f"{f.name}_text")
        elif id:
            value, title = row.get(f.name), row.get(f"{f.name}__title", "")
        else:
            value, title = request.query_params.get(f.name, f.default), ""
            if f.type == "reference" and f.reference and str(value or "").isdigit():
                title = title_of(newel.records.shape(f.reference), await newel.records.get(f.reference, int(value), context))
        fields.append(field_view(newel, f, value, title, errors.get(f.name, ""), may))
    if not id and fields:
        fields[0]["autofocus"] = True
    parent = shape.fields[shape.record.parent] if shape.record.parent else None
    parent_id = (row.get(shape.record.parent) if id else request.query_params.get(shape.record.parent)) if parent else None
    up = f"/records/{parent.reference}/{parent_id}" if parent and parent.reference and parent_id else f"/records/{name}"
    actions = []
    if id and may and not shape.record.append_only:
        actions.append({"label": _("Delete"), "method": "post", "url": f"/records/{name}/{id}/delete", "danger": True, "icon": "trash",
                        "confirm": _("Delete %(title)s?", title=title_of(shape, row))})  # fmt: skip
    about = reports_on(newel, name, context, id) if id else []
    actions = [*about, *actions] if len(about) < FEW else actions
    if id and name == "newel.user" and may:
        actions.insert(0, {"label": _("Set password"), "method": "get", "url": f"/users/{id}/password", "icon": "key"})
    children = [c.seen(context) for c in newel.records.shapes.children(name) if context.user.may(f"{c.name}.view")] if id else []
    view = {
        "action": f"/records/{name}/{id}" if id else f"/records/{name}/new", "kind_label": _(shape.record.label),
        "back": {"label": _("back") if parent and up != f"/records/{name}" else _(shape.record.label_plural), "url": up},
        "version": version_of(row) if id else None, "idempotency_key": (reader.text("idempotency_key") if reader else "") or secrets.token_urlsafe(12),
        "sections": [{"help": _(shape.record.help) if not id else "", "fields": fields}], "cancel_url": up, "actions": actions, "editable": may,
        "parts": [await _parts(newel, child, id, context) for child in children],
        "links": about if len(about) >= FEW else [], "forms": forms_on(request, name, id) if id else [],
        "panels": menu.boxes(newel, context, "record", name, id) if id else [],
        "timeline": menu.boxes(newel, context, "record.history", name, id) if id else [],
        "history": [history(e, shape) for e in await newel.records.history(name, id, context)] if id else [],
    }  # fmt: skip
    title = title_of(shape, row) if id else _("New: %(kind)s", kind=_(shape.record.label))
    known = {f.name for f in shape.fields}
    return page(request, context, "record_form.html", title, status=status, at=up, problems=shown(problems, lambda w: w if w in known else ""), form=view)


async def _parts(newel: Newel, child: Shape, id: int | None, context: Context) -> dict[str, Any]:
    """The parts of a record that are records of their own."""
    parent = child.record.parent
    found = await newel.records.page(child.name, context, filters={parent: id}, size=CHILDREN)
    fields = [f for f in child.fields if f.name != parent and f.list and not f.secret] or [f for f in child.fields if f.name != parent and not f.secret][:6]
    return {
        "label": _(child.record.label_plural), "help": _(child.record.help),
        "new_url": f"/records/{child.name}/new?{parent}={id}" if context.user.may(f"{child.name}.edit") else "",
        "columns": [{"name": f.name, "label": _(f.label), "type": TYPES.get(f.type, "text")} for f in fields],
        "rows": [{"url": f"/records/{child.name}/{r['id']}", "cells": {f.name: cell_of(f, r) for f in fields}} for r in found.rows],
        "more_url": f"/records/{child.name}?{parent}={id}" if found.total > CHILDREN else "", "total": found.total,
    }  # fmt: skip


async def show_again(request: Web, name: str, id: int, context: Context, refused: Refused) -> Response[str]:
    """The page of a record after something on it was refused."""
    return await _form(request, newel_of(request).records.shape(name, context), id, context, None, refused.problems, refused.status)


@get("/records/{name:str}/new")
async def new_record(request: Web, name: FromPath[str]) -> Response[str]:
    """An empty form."""
    context = await context_of(request)
    require(context, f"{name}.edit")
    return await _form(request, newel_of(request).records.shape(name, context), None, context)


@get("/records/{name:str}/{id:int}")
async def show_record(request: Web, name: FromPath[str], id: FromPath[int]) -> Response[str]:
    """One record."""
    context = await context_of(request)
    return await _form(request, newel_of(request).records.shape(name, context), id, context)


@post("/records/{name:str}/new", status_code=200)
async def create_record(request: Web, name: FromPath[str]) -> Response[Any]:
    """Keep a new record."""
    return await _save(request, name, None)


@post("/records/{name:str}/{id:int}", status_code=200)
async def change_record(request: Web, name: FromPath[str], id: FromPath[int]) -> Response[Any]:
    """Keep the changes, unless somebody else was quicker."""
    return await _save(request, name, id)


async def _save(request: Web, name: str, id: int | None) -> Response[Any]:
    newel, context, reader = newel_of(request), await context_of(request), Reader(await request.form())
    shape = newel.records.shape(name, context)
    require(context, f"{name}.edit")
    values = read(shape, reader)
    if reader.problems:
        return await _form(request, shape, id, context, reader, tuple(reader.problems), 422)
    if id is not None and reader.text("version") and reader.text("version") != version_of(await newel.records.get(name, id, context)):
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
async def delete_record(request: Web, name: FromPath[str], id: FromPath[int]) -> Response[Any]:
    """Delete a record that nothing refers to."""
    newel, context = newel_of(request), await context_of(request)
    shape = newel.records.shape(name, context)
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
async def options(request: Web, name: FromPath[str]) -> list[dict[str, Any]]:
    """What somebody may mean, for a picker: id and title, or code and title. Addresses can be narrowed to a party's."""
    newel, context = newel_of(request), await context_of(request)
    q, party = request.query_params.get("q", ""), Reader(request.query_params).reference("party")
    if request.query_params.get("code"):
        return [{"id": found, "label": title} for found, title in await newel.records.codes(name, q, context)]
    if isinstance(party, int) and "party" in newel.records.shape(name).fields:
        shape = newel.records.shape(name, context)
        found = await newel.records.page(name, context, search=q, filters={"party": party}, size=20)
        return [{"id": r["id"], "label": title_of(shape, r)} for r in found.rows]
    own = Reader(request.query_params).reference("for")  # whose own numbers are looked through as well
    titles = dict(await newel.records.options(name, q, context, party=own if isinstance(own, int) else None))
    details = await newel.records.details(name, list(titles), context)
    return [{"id": i, "label": title, "detail": details[i]} for i, title in titles.items()]


handlers = [records, new_record, show_record, create_record, change_record, delete_record, options]
