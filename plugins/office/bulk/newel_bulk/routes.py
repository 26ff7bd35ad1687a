"""Pages of bulk changes: choose what to change, look at what would happen, have it done, see what became of each."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from newel.domain.context import Context
from newel.errors import Problem, missing
from newel.services import record_read
from newel.services.access import denied, require
from newel.services.app import Newel
from newel.services.values import FieldView
from newel.web.auth import context_of, newel_of
from newel.web.forms import Reader
from newel.web.render import Web, flash, page, redirect, shown
from newel.web.views_record import field_view, read
from newel.web.views_text import _, said

from newel_bulk import work
from newel_bulk.work import Kept

SHOWN = 200
BUSY = ("checking", "running")


def _inside(context: Context, kind: str) -> None:
    if context.user.party is not None:
        raise denied("a user of no party")
    require(context, work.RIGHT)
    require(context, f"{kind}.view")


def _list(newel: Newel, context: Context, kind: str, query: str = "") -> dict[str, str]:
    found = newel.registry.documents.get(kind)
    label = _(found.label_plural if found else newel.records.shape(kind, context).record.label_plural)
    return {"label": label, "url": f"/{'documents' if found else 'records'}/{kind}{'?' if query else ''}{query}"}


# ---- begin -----------------------------------------------------------------------------------------------------------------------------


@post("/of/{kind:str}", status_code=200)
async def begin(request: Web, kind: FromPath[str]) -> Response[Any]:
    """Take up the rows that are ticked, or all of the list whose query is in the address, and look at what would happen."""
    newel, context, form = newel_of(request), await context_of(request), await request.form()
    _inside(context, kind)
    query, reader = str(request.url.query), Reader(form)
    back = _list(newel, context, kind, query)
    ids = [int(v) for k, v in form.multi_items() if k == "id" and isinstance(v, str) and v.isascii() and v.isdigit() and len(v) < 19]
    change = reader.text("change")
    if reader.flag("all"):
        ids = await work.every(newel, kind, dict(request.query_params), context)
    if not ids or not change:
        return redirect(back["url"], flash(_("Tick the rows first.") if not ids else _("Choose first what is to be changed."), "note"))
    if change not in dict(work.options(newel, kind, context)):
        raise missing("change", change, "change")
    async with newel.database.write() as session:
        run = await work.start(session, context, kind, change, sorted(set(ids)), back["url"])
    if change.startswith("transition:"):
        await _look(newel, run, change, None, context)
    return redirect(f"/bulk/runs/{run}")


async def _look(newel: Newel, id: int, change: str, value: Any, context: Context) -> None:
    """A few rows at once, many by the worker."""
    async with newel.database.write() as session:
        if not await work.choose(session, id, change, value):
            return
        run = await work.one(session, context, id)
    if run.counts.get("", 0) <= work.AT_ONCE:
        await work.chunk(newel, id, context)
    else:
        await work.ask_worker(newel, id, context)


# ---- one run ---------------------------------------------------------------------------------------------------------------------------


async def _run(newel: Newel, id: int, context: Context) -> Kept:
    async with newel.database.read() as session:
        run = await work.one(session, context, id)
    _inside(context, run.kind)
    return run


@get("/runs/{id:int}")
async def show(request: Web, id: FromPath[int]) -> Response[str]:
    """How far a change is; while it is under way the page comes again by itself."""
    context = await context_of(request)
    run = await _run(newel_of(request), id, context)
    response = await _show(request, run, context)
    if run.state in BUSY:
        response.headers["refresh"] = "2"
    return response


async def _show(request: Web, run: Kept, context: Context, problems: tuple[Problem, ...] = (), status: int = 200) -> Response[str]:
    newel, listed = newel_of(request), _list(newel_of(request), context, run.kind)
    field = _field(newel, run, context)
    async with newel.database.read() as session:
        rows = await work.rows(session, run.id, SHOWN)
        names = await _names(newel, session, run.kind, [r.record for r in rows], context)
    place = "/document" if run.kind in newel.registry.documents else f"/records/{run.kind}"
    counts = {what: run.counts.get(what, 0) for what in ("", "ready", "refused", "done")}
    chosen = dict(work.options(newel, run.kind, context)).get(run.change, run.change)
    values: dict[str, Any] = {
        "run": run, "list": {**listed, "url": run.back}, "url": f"/bulk/runs/{run.id}", "busy": run.state in BUSY, "counts": counts, "most": SHOWN,
        "change": chosen, "left": counts["ready"] + counts["refused"] + counts[""], "looked": run.total - counts[""],
        "field": field_view(newel, field, run.value, "") | {"width": 2} if field else None,
        "rows": [{"url": f"{place}/{r.record}", "label": names.get(r.record, str(r.record)), "what": r.what, "problems": [said(p) for p in r.problems]}
                 for r in rows],
    }  # fmt: skip
    title = _("%(change)s: %(what)s (%(count)s)", change=chosen, count=run.total, what=listed["label"])
    return page(request, context, "bulk/run.html", title, status=status, at=listed["url"], problems=shown(problems), **values)


def _field(newel: Newel, run: Kept, context: Context) -> FieldView | None:
    way, _colon, name = run.change.partition(":")
    return next((f for f in work.fields(newel, run.kind, context) if f.name == name), None) if way == "field" else None


async def _names(newel: Newel, session: Any, kind: str, ids: list[int], context: Context) -> dict[int, str]:
    """What to call the rows: those that may be seen."""
    if kind in newel.registry.documents:
        sql = "SELECT id, number FROM document WHERE id = ANY(?) AND kind = ? AND company = ?"
        return {r["id"]: r["number"] or _("draft") for r in await session.fetch(sql, ids, kind, context.company.id)}
    shape = newel.records.shape(kind, context)
    condition, args = shape.visible(context)
    seen = [r["id"] for r in await session.fetch(f'SELECT "id" FROM "{shape.table}" WHERE "id" = ANY(?) AND {condition}', ids, *args)]
    return await record_read.titles(session, newel.records.shapes, shape.table, seen)


@post("/runs/{id:int}/check", status_code=200)
async def check(request: Web, id: FromPath[int]) -> Response[Any]:
    """Look at what would happen to the rows that are not done; of a field, with the value that is posted."""
    newel, context, reader = newel_of(request), await context_of(request), Reader(await request.form())
    run = await _run(newel, id, context)
    field, value = _field(newel, run, context), run.value
    if field:
        value = read(newel.records.shape(run.kind, context), reader).get(field.name)
        if wrong := [p for p in reader.problems if p.where == field.name]:
            return await _show(request, run, context, tuple(wrong), 422)
        value = str(value) if field.type in ("decimal", "integer") and value not in (None, "") else value
    await _look(newel, id, run.change, value, context)
    return redirect(f"/bulk/runs/{id}")


@post("/runs/{id:int}/run", status_code=200)
async def run(request: Web, id: FromPath[int]) -> Response[Any]:
    """Have it done; go on with what was stopped. A second click does nothing more."""
    return await _turn(request, id, "running", ("checked", "stopped"))


@post("/runs/{id:int}/stop", status_code=200)
async def stop(request: Web, id: FromPath[int]) -> Response[Any]:
    """Stop after the rows that are under way; what is done stays done."""
    return await _turn(request, id, "stopped", BUSY)


async def _turn(request: Web, id: int, state: str, only: tuple[str, ...]) -> Response[Any]:
    newel, context = newel_of(request), await context_of(request)
    await _run(newel, id, context)
    async with newel.database.write() as session:
        first = await work.became(session, id, state, only)
    if first and state in BUSY:
        await work.ask_worker(newel, id, context)
    return redirect(f"/bulk/runs/{id}")


handlers = [begin, show, check, run, stop]
