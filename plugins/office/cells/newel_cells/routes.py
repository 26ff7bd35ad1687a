"""Cells of lists as small forms."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from newel.domain.context import Context
from newel.errors import Problem, Refused, missing
from newel.services.access import require
from newel.web.auth import context_of, newel_of
from newel.web.forms import Reader
from newel.web.render import Web, fragment
from newel.web.views_record import field_view, read, version_of
from newel.web.views_text import _, said

from newel_cells.arrange import fields


async def _cell(
    request: Web, kind: str, id: int, name: str, context: Context, problems: tuple[Problem, ...] = (), posted: Any = None, status: int = 200
) -> Response[str]:
    newel = newel_of(request)
    field = next((f for f in fields(newel, kind, context) if f.name == name), None)
    if field is None:
        raise missing("field", name)
    row = await newel.records.get(kind, id, context)
    value = row.get(name) if posted is None else posted
    view = field_view(newel, field, value, row.get(f"{name}__title", "")) | {"label": _(field.label)}
    problem = next((said(p) for p in problems if p.where == name), None) or next(map(said, problems), None)
    response = fragment(request, "cells/cell.html", field=view, version=version_of(row), url=f"/cells/{kind}/{id}/{name}", problem=problem)
    response.status_code = status
    return response


@get("/{kind:str}/{id:int}/{name:str}")
async def cell(request: Web, kind: FromPath[str], id: FromPath[int], name: FromPath[str]) -> Response[str]:
    """One field of a record as a small form, for a cell of a list."""
    context = await context_of(request)
    require(context, f"{kind}.edit")
    return await _cell(request, kind, id, name, context)


@post("/{kind:str}/{id:int}/{name:str}", status_code=200)
async def change(request: Web, kind: FromPath[str], id: FromPath[int], name: FromPath[str]) -> Response[Any]:
    """Keep one field of a record, by the rules and rights of its form, unless somebody else was quicker."""
    newel, context, reader = newel_of(request), await context_of(request), Reader(await request.form())
    require(context, f"{kind}.edit")
    entered = read(newel.records.shape(kind, context), reader).get(name)
    if wrong := tuple(p for p in reader.problems if p.where == name):
        return await _cell(request, kind, id, name, context, wrong, reader.text(name), 422)
    if reader.text("version") != version_of(await newel.records.get(kind, id, context)):
        problem = Problem(code="cells.version", message="somebody has changed it since you opened it", hint="this is what it is now", where=name)
        return await _cell(request, kind, id, name, context, (problem,), None, 409)
    try:
        await newel.records.save(kind, id, {name: entered}, context)
    except Refused as refused:
        if refused.status in (403, 404):
            raise
        return await _cell(request, kind, id, name, context, refused.problems, reader.text(name), refused.status)
    return Response(None, status_code=204)


handlers = [cell, change]
