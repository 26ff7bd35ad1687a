"""Operations of plugins as forms on pages: made from the type of the body, carried out by the same function as through the API."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response, post
from litestar.params import FromPath

from newel.domain.context import Context
from newel.errors import Refused, missing
from newel.web.auth import context_of
from newel.web.errors import from_msgspec
from newel.web.forms import Reader, parts_of, read_struct
from newel.web.operations import PLACEHOLDER, Call, Operation
from newel.web.pages_documents import show
from newel.web.pages_records import show_again
from newel.web.render import Web, flash, redirect
from newel.web.views_forms import found
from newel.web.views_text import _


@post("/do/{plugin:str}/{name:str}/{id:int}", status_code=200)
async def carry_out(request: Web, plugin: FromPath[str], name: FromPath[str], id: FromPath[int]) -> Response[Any]:
    """Carry out an operation; what is wrong stands on the page that it came from, with everything that was entered."""
    op = found(request, plugin, name)
    if op is None or op.form is None:
        raise missing("operation", name, "name")
    context = await context_of(request)
    fields = {k: v for k, v in (await request.form()).items() if isinstance(v, str)}
    reader = Reader(fields)
    request.state.entered = (plugin, name, fields)
    values = read_struct(reader, parts_of(op.body), name, "")
    on = op.form.on
    try:
        if reader.problems:
            raise Refused(*reader.problems)
        await _run(request, op, id, values, context)
    except Refused as refused:
        if refused.status == 404:
            raise
        return await (show(request, id, context, refused.problems, refused.status) if on == "document" else show_again(request, on, id, context, refused))
    return redirect(f"/document/{id}" if on == "document" else f"/records/{on}/{id}", flash(_(op.form.done)))


async def _run(request: Web, op: Operation, id: int, values: dict[str, Any], context: Context) -> None:
    call = Call(request, context)
    call.path = {PLACEHOLDER.findall(op.path)[0]: id}
    try:
        call.body = msgspec.convert(values, op.body)
    except msgspec.ValidationError as error:
        raise Refused(from_msgspec(error)) from None
    await op.function(call)


handlers = [carry_out]
