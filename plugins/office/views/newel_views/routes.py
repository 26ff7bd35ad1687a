"""The page behind a list: save it as a view, change views, choose columns."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath
from newel.domain.context import Context
from newel.errors import Problem, Refused
from newel.services.app import Newel
from newel.web.auth import context_of, newel_of
from newel.web.forms import Reader
from newel.web.render import Web, flash, page, redirect, shown
from newel.web.views_text import _

from newel_views import keep
from newel_views.arrange import address, columns_of, of_view
from newel_views.rules import EVERYBODY, WIDTHS, View, laid_out, layout_of, plain


def _label(newel: Newel, kind: str, context: Context) -> str:
    found = newel.registry.documents.get(kind)
    return _(found.label_plural if found else newel.records.shape(kind, context).record.label_plural)


def _here(kind: str, query: str) -> str:
    return f"/views/of/{kind}{'?' if query else ''}{query}"


async def _show(request: Web, kind: str, context: Context, problems: tuple[Problem, ...] = (), status: int = 200) -> Response[str]:
    newel, query = newel_of(request), str(request.url.query)
    async with newel.database.read() as session:
        kept, roles = await keep.kept(session, context, kind), await keep.roles(session, context)
    chosen = kept.view(request.query_params.get("view", ""))
    layout = kept.layout(chosen)
    columns, _gone = laid_out(columns_of(newel, kind, context), layout)
    widths = {c.name: c.width for c in layout.columns}
    names = {"": _("me alone"), EVERYBODY: _("everybody"), **{code: _("role: %(role)s", role=name) for code, name in roles}}
    label, sizes = _label(newel, kind, context), (_("as its content"), _("tiny"), _("narrow"), _("medium"), _("wide"), _("very wide"))
    values: dict[str, Any] = {
        "back": {"label": label, "url": f"{address(newel, kind)}{'?' if query else ''}{query}"}, "here": _here(kind, query), "query": plain(query),
        "chosen": chosen, "shares": [{"value": v, "label": text} for v, text in names.items() if v == "" or roles],
        "views": [{"view": v, "url": of_view(newel, kind, v), "mine": keep.may_change(context, v), "shared": names.get(v.shared, v.shared)}
                  for v in kept.views],
        "columns": [{"name": c["name"], "label": c["label"], "shown": not c.get("more"), "width": widths.get(c["name"], "")} for c in columns],
        "freeze": layout.freeze, "widths": list(zip(WIDTHS, sizes, strict=True)), "own": (chosen.id if chosen else 0) in kept.layouts,
    }  # fmt: skip
    title = _("Views and columns: %(what)s", what=label)
    return page(request, context, "views/views.html", title, status=status, at=address(newel, kind), problems=shown(problems, lambda where: where), **values)


@get("/of/{kind:str}")
async def show(request: Web, kind: FromPath[str]) -> Response[str]:
    """The views of a list, and its columns; the address is the list's own."""
    context = await context_of(request)
    keep.inside(context, kind)
    return await _show(request, kind, context)


@post("/of/{kind:str}", status_code=200)
async def save(request: Web, kind: FromPath[str]) -> Response[Any]:
    """Keep the list as it is asked for as a new view, or a view with its changes; forget one."""
    newel, context, reader = newel_of(request), await context_of(request), Reader(await request.form())
    keep.inside(context, kind)
    query, id = plain(str(request.url.query)), reader.whole("id") or 0
    try:
        async with newel.database.write() as session:
            if reader.text("do") == "delete":
                await keep.drop(session, context, kind, id)
                return redirect(f"/views/of/{kind}", flash(_("The view is deleted.")))
            kept = await keep.kept(session, context, kind)
            before = kept.view(str(id)) or View(
                id=id, name="", user=context.user.login, shared="", query=query, layout=kept.layout(kept.view(request.query_params.get("view", ""))),
                pinned=True, standard=False,
            )  # fmt: skip
            again = {"query": query} if reader.text("do") == "take" else {}
            made = msgspec.structs.replace(
                before, name=reader.text("name"), shared=reader.text("shared"), pinned=reader.flag("pinned"), standard=reader.flag("standard"), **again
            )
            found = msgspec.structs.replace(made, id=await keep.save(session, context, kind, made))
    except Refused as refused:
        if refused.status in (403, 404):
            raise
        return await _show(request, kind, context, refused.problems, refused.status)
    return redirect(of_view(newel, kind, found), flash(_("The view %(name)s is saved.", name=found.name)))


@post("/columns/{kind:str}", status_code=200)
async def choose(request: Web, kind: FromPath[str]) -> Response[Any]:
    """Keep which columns the user wants to see, in which order, how wide; or go back to those that the list has by itself."""
    newel, context, reader = newel_of(request), await context_of(request), Reader(await request.form())
    keep.inside(context, kind)
    names = [c["name"] for c in columns_of(newel, kind, context)]
    rows = [(n, reader.whole(f"place-{n}") or 0, reader.text(f"width-{n}")) for n in names if reader.flag(f"show-{n}")]
    layout = layout_of(rows, reader.flag("freeze"))
    if reader.problems or (not rows and reader.text("do") != "reset"):
        nothing = Problem(code="views.nothing", message="a list needs at least one column", hint="tick one")
        return await _show(request, kind, context, tuple(reader.problems) or (nothing,), 422)
    async with newel.database.write() as session:
        view = (await keep.kept(session, context, kind)).view(request.query_params.get("view", ""))
        await keep.keep_columns(session, context, kind, view.id if view else 0, None if reader.text("do") == "reset" else layout)
    query = urlencode({**request.query_params})
    return redirect(f"{address(newel, kind)}{'?' if query else ''}{query}", flash(_("Your columns are kept.")))


handlers = [show, save, choose]
