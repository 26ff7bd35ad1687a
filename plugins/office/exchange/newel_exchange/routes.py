"""Pages of imports: send a file, say which column is what, look at what would happen, bring it in, mend what was refused."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath
from newel.domain.context import Context
from newel.errors import Problem, missing
from newel.jobs.worker import enqueue
from newel.services.app import Newel
from newel.web.auth import context_of, newel_of
from newel.web.forms import Reader
from newel.web.render import Web, page, redirect, shown
from newel.web.views_list import MOST_EXPORTED, file_response, writers
from newel.web.views_text import _, language, said

from newel_exchange import keep, reading, rules, work
from newel_exchange.keep import Kept
from newel_exchange.rules import Choice

AT_ONCE = 200  # rows that are looked at while somebody waits; more are looked at by the worker
SHOWN = 200
SAMPLES = 3
BODY_BYTES = reading.BYTES + 100_000
BUSY = ("checking", "waiting", "running")


def _label(newel: Newel, kind: str) -> str:
    found = newel.registry.documents.get(kind)
    return _(found.label_plural if found else newel.records.shape(kind).record.label_plural)


def _list(newel: Newel, kind: str) -> dict[str, str]:
    return {"label": _label(newel, kind), "url": f"/{'documents' if kind in newel.registry.documents else 'records'}/{kind}"}


# ---- send a file -----------------------------------------------------------------------------------------------------------------------


async def _start(request: Web, kind: str, context: Context, problems: tuple[Problem, ...] = (), status: int = 200) -> Response[str]:
    newel = newel_of(request)
    keep.may(context, kind)
    async with newel.database.read() as session:
        latest = await keep.latest(session, context, kind)
    values: dict[str, Any] = {
        "back": _list(newel, kind), "url": f"/exchange/into/{kind}", "latest": latest, "targets": work.targets(newel, kind, context),
        "formats": list(writers(newel)),
        "megabytes": reading.BYTES // 1_000_000, "most": reading.ROWS, "document": kind in newel.registry.documents,
    }  # fmt: skip
    title = _("Import: %(what)s", what=_label(newel, kind))
    return page(request, context, "exchange/start.html", title, status=status, at=values["back"]["url"], problems=shown(problems), **values)


@get("/into/{kind:str}")
async def start(request: Web, kind: FromPath[str]) -> Response[str]:
    """Where a file is sent to."""
    return await _start(request, kind, await context_of(request))


@post("/into/{kind:str}", status_code=200, request_max_body_size=BODY_BYTES)
async def upload(request: Web, kind: FromPath[str]) -> Response[Any]:
    """Read a file and keep what is in it."""
    newel, context, form = newel_of(request), await context_of(request), await request.form()
    keep.may(context, kind)
    targets, file = work.targets(newel, kind, context), form.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        problem = Problem(code="exchange.file", message="a file was expected", hint="choose one first")
        return await _start(request, kind, context, (problem,), 422)
    sheet = await reading.read(await file.read(reading.BYTES + 1))
    if sheet.problem:
        return await _start(request, kind, context, (sheet.problem,), 422)
    async with newel.database.write() as session:
        choice = rules.guessed(sheet.head, targets, await keep.before(session, context, kind))
        id = await keep.add(session, context, kind, file.filename, sheet, choice)
    return redirect(f"/exchange/imports/{id}")


@get("/into/{kind:str}/rows/{ending:str}")
async def rows(request: Web, kind: FromPath[str], ending: FromPath[str]) -> Response[Any]:
    """A file with all columns, and the records that are there, to be changed and sent back; of documents, the names of the columns."""
    newel, context = newel_of(request), await context_of(request)
    keep.may(context, kind)
    if ending not in writers(newel):
        raise missing("format", ending)
    targets = work.targets(newel, kind, context)
    found = [] if kind in newel.registry.documents else (await newel.records.page(kind, context, size=MOST_EXPORTED + 1)).rows
    keys = {t.name: await _keys(newel, kind, t.name, found, context) for t in targets if t.type == "reference"}
    values = [[keys[t.name].get(r.get(t.name), "") if t.type == "reference" else r.get(t.name) for t in targets] for r in found]
    return file_response(newel, ending, kind, [t.name for t in targets], values)


async def _keys(newel: Newel, kind: str, field: str, found: list[dict[str, Any]], context: Context) -> dict[Any, str]:
    """What a reference is written as in a file, by id; empty where its kind has no number or code."""
    reference = newel.records.shape(kind).fields[field].reference
    shape = newel.records.shape(reference) if reference and context.user.may(f"{reference}.view") else None
    if shape is None or not shape.key:
        return {}
    async with newel.database.read() as session:
        sql = f'SELECT "id", "{shape.key}" AS key FROM "{shape.table}" WHERE "id" = ANY(?)'
        return {r["id"]: r["key"] for r in await session.fetch(sql, sorted({r[field] for r in found if r.get(field)}))}


# ---- one import ------------------------------------------------------------------------------------------------------------------------


async def _kept(request: Web, id: int, context: Context) -> Kept:
    async with newel_of(request).database.read() as session:
        return await keep.one(session, context, id)


@get("/imports/{id:int}")
async def show(request: Web, id: FromPath[int]) -> Response[str]:
    """How far an import is; while it is under way the page comes again by itself."""
    context = await context_of(request)
    kept = await _kept(request, id, context)
    response = _show(request, kept, context)
    if kept.state in BUSY:
        response.headers["refresh"] = "2"
    return response


def _show(request: Web, kept: Kept, context: Context, problems: tuple[Problem, ...] = (), status: int = 200) -> Response[str]:
    newel, targets = newel_of(request), work.targets(newel_of(request), kept.kind, context)
    counts = {what: sum(s.what == what for s in kept.result) for what in ("created", "changed", "unchanged", "refused")}
    cells = dict(kept.sheet.rows)
    listed = sorted(kept.result, key=lambda s: (s.what != "refused", s.row))[:SHOWN]
    samples = [[row[at] for _n, row in kept.sheet.rows if row[at]][:SAMPLES] for at in range(len(kept.sheet.head))]
    values: dict[str, Any] = {
        "kept": kept, "list": _list(newel, kept.kind),
        "back": {"label": _("Import: %(what)s", what=_label(newel, kept.kind)), "url": f"/exchange/into/{kept.kind}"},
        "url": f"/exchange/imports/{kept.id}", "busy": kept.state in BUSY, "counts": counts, "formats": list(writers(newel)), "most": SHOWN,
        "right": len(kept.result) - counts["refused"], "document": kept.kind in newel.registry.documents,
        "columns": [{"name": f"column-{at}", "label": name, "samples": samples[at], "value": kept.choice.columns.get(name, "")}
                    for at, name in enumerate(kept.sheet.head)],
        "targets": [{"value": t.name, "label": f"{t.label} *" if t.required else t.label} for t in targets], "point": kept.choice.point,
        "rows": [{"row": s.row, "what": s.what, "document": s.document, "cells": [c for c in cells[s.row] if c][:4],
                  "problems": [(column, said(p)) for column, p in zip(s.columns, s.problems, strict=True)]} for s in listed],
    }  # fmt: skip
    at = values["list"]["url"]
    return page(request, context, "exchange/import.html", kept.name, status=status, at=at, problems=shown(problems), **values)


@post("/imports/{id:int}/check", status_code=200)
async def check(request: Web, id: FromPath[int]) -> Response[Any]:
    """Keep which column is what, and look at what would happen."""
    newel, context, reader = newel_of(request), await context_of(request), Reader(await request.form())
    kept = await _kept(request, id, context)
    found = {name: value for at, name in enumerate(kept.sheet.head) if (value := reader.text(f"column-{at}"))}
    point = reader.text("point") if reader.text("point") in rules.POINTS else "."
    choice = Choice(columns=found, point=point, whole=reader.text("whole") != "false", language=language.get(), match=kept.choice.match)
    problems = rules.check(choice, work.targets(newel, kept.kind, context))
    if problems:
        return _show(request, kept, context, tuple(problems), 422)
    async with newel.database.write() as session:
        if not await keep.became(session, id, state="checking", done=0, result=[], only=("new", "checked", "failed")):
            return redirect(f"/exchange/imports/{id}")
        await keep.choose(session, context, kept, choice)
    if kept.total <= AT_ONCE:
        kept = await _kept(request, id, context)
        await work.carry_out(newel, kept, context, dry=True)
    else:
        await _enqueue(newel, id, context)
    return redirect(f"/exchange/imports/{id}")


@post("/imports/{id:int}/run", status_code=200)
async def run(request: Web, id: FromPath[int]) -> Response[Any]:
    """Have a file brought in that was looked at; a second click does nothing more, and neither does one where all or none means none."""
    newel, context = newel_of(request), await context_of(request)
    kept = await _kept(request, id, context)
    if kept.choice.whole and any(s.what == "refused" for s in kept.result):
        return redirect(f"/exchange/imports/{id}")
    async with newel.database.write() as session:
        first = await keep.became(session, id, state="waiting", done=0, only=("checked",))
    if first:
        await _enqueue(newel, id, context)
    return redirect(f"/exchange/imports/{id}")


async def _enqueue(newel: Newel, id: int, context: Context) -> None:
    payload = {"id": id, "user": context.user.id, "company": context.company.id}
    await enqueue(newel, "exchange.run", payload, context.company.id, context.user.login)


@get("/imports/{id:int}/refused/{ending:str}")
async def refused(request: Web, id: FromPath[int], ending: FromPath[str]) -> Response[Any]:
    """The rows that were refused, with what is wrong with them: to be mended and sent again."""
    newel, context = newel_of(request), await context_of(request)
    kept = await _kept(request, id, context)
    if ending not in writers(newel):
        raise missing("format", ending)
    wrong = {s.row: "; ".join(said(p).message for p in s.problems) for s in kept.result if s.what == "refused"}
    values = [[*cells, wrong[number]] for number, cells in kept.sheet.rows if number in wrong]
    return file_response(newel, ending, f"{kept.kind}.refused", [*kept.sheet.head, _("Problem")], values)


handlers = [start, upload, rows, show, check, run, refused]
