"""Pages: /dashboards/<board>, its tiles one by one, and the analysis of sales (/dashboards/analysis) and of receivables (/dashboards/receivables)."""

from __future__ import annotations

import logging
from typing import Any

from litestar import Response, get
from litestar.params import FromPath
from newel.domain.context import Context
from newel.domain.money import ZERO
from newel.errors import Refused, missing
from newel.manifest import Column, Report
from newel.services import reports
from newel.services.access import require
from newel.web.auth import context_of, newel_of
from newel.web.pages_reports import given_of
from newel.web.render import Web, fragment, page, redirect, shown
from newel.web.views_list import Address, asked, file_actions, file_response
from newel.web.views_record import title_of
from newel.web.views_text import _

from newel_dashboards import tiles
from newel_dashboards.boards import BoardSpec, TileSpec
from newel_dashboards.facts import DIMENSIONS

HOME = "/dashboards"
SEE = {"permission": "dashboards.see"}
log = logging.getLogger(__name__)


async def _board(request: Web, code: str, context: Context) -> tuple[list[BoardSpec], BoardSpec]:
    found = await tiles.boards(newel_of(request), context)
    for board in found:
        if board.code == code or not code:
            return found, board
    raise missing("dashboard", code, "code")


@get("/", opt=SEE)
async def first(request: Web) -> Response[Any]:
    """The first board that has something for the user."""
    _found, board = await _board(request, "", await context_of(request))
    return redirect(f"{HOME}/{board.code}")


@get("/{code:str}", opt=SEE)
async def show_board(request: Web, code: FromPath[str]) -> Response[str]:
    """A board: each tile is fetched by itself, so that none waits for another or fails with it."""
    context = await context_of(request)
    found, board = await _board(request, code, context)
    view = {
        "tabs": [{"label": _(b.label), "url": f"{HOME}/{b.code}", "active": b.code == board.code} for b in found],
        "tiles": [{"label": _(t.title), "url": f"{HOME}/{board.code}/{n}", "wide": t.show != "figure"} for n, t in enumerate(board.tiles)],
    }
    return page(request, context, "dashboards/board.html", _(board.label), at=HOME, board=view)


@get("/{code:str}/{n:int}", opt=SEE)
async def show_tile(request: Web, code: FromPath[str], n: FromPath[int]) -> Response[str]:
    """One tile; what goes wrong in it stands in it, with a way to try again."""
    newel, context = newel_of(request), await context_of(request)
    _found, board = await _board(request, code, context)
    if not 0 <= n < len(board.tiles):
        raise missing("tile", str(n), "n")
    spec = board.tiles[n]
    view = {"id": f"tile-{n}", "title": _(spec.title), "again": f"{HOME}/{code}/{n}", "compare": _compare(spec),
            "fetched": bool(request.headers.get("hx-request"))}  # fmt: skip
    try:
        view |= await tiles.tile(newel, spec, context)
    except Refused as refused:
        view["problems"] = shown(refused.problems)
    except Exception:
        log.exception("tile %s of the dashboard %s", n, code)
        view["problems"] = [{"severity": "block", "message": _("This figure could not be made."), "hint": _("The reason is in the log.")}]
    if view["fetched"]:
        return fragment(request, "dashboards/tile.html", tile=view)
    return page(request, context, "dashboards/one.html", _(spec.title), at=HOME, tile=view, back={"label": _(board.label), "url": f"{HOME}/{code}"})


def _compare(spec: TileSpec) -> str:
    return {"year": _("a year before"), "before": _("a month before")}.get(spec.compare, "")


# ---- analysis --------------------------------------------------------------------------------------------------------------------------


@get("/analysis")
async def analysis(request: Web) -> Response[Any]:
    """Sales by one or two dimensions, compared with another time."""
    return await _analysis(request, "dashboards.sales", "revenue")


@get("/receivables")
async def receivables(request: Web) -> Response[Any]:
    """What customers owe by age and one dimension."""
    return await _analysis(request, "dashboards.receivables", "total")


async def _analysis(request: Web, name: str, figure: str) -> Response[Any]:
    newel, context = newel_of(request), await context_of(request)
    require(context, f"{name}.view")
    report = reports.seen(newel.registry.reports[name], context)
    address = Address(request.url.path, {k: v for k, v in request.query_params.items() if k != "format"})
    given, problems = given_of(report, address)
    rows: list[dict[str, Any]] = []
    status = 200
    if not problems:
        try:
            rows = await reports.run(newel, name, given, context)
        except Refused as refused:
            problems, status = list(refused.problems), refused.status
    two, compared = bool(given.get("and_by")), bool(given.get("compare"))
    columns = [c for c in report.columns if not (c.name == "two" and not two) and not ((c.name.endswith("_before") or c.name == "change") and not compared)]
    if (file := asked(newel, request.query_params)) and not problems:
        return file_response(newel, file, name, [_(c.label) for c in columns], [[_said(r[c.name]) for c in columns] for r in rows])
    by = given.get("by") or "customer"
    column = next(c for c in report.columns if c.name == figure)
    points = tiles.points(report, rows, column, "one", given, context, lying=not DIMENSIONS[by].time) if not problems else []
    view: dict[str, Any] = {
        "id": "chart", "title": f"{_(column.label)}: {_(DIMENSIONS[by].label)}" if by in DIMENSIONS else _(report.label),
        "digits": context.company.amount_digits,
        "unit": context.company.currency, **tiles.drawn(points, "columns" if by in DIMENSIONS and DIMENSIONS[by].time else "bars"),
    }  # fmt: skip
    view["value"] = sum((r[figure] for r in rows), ZERO)
    more: dict[str, Any] = {
        "summary": _(report.help), "filters": {"action": address.path, "fields": await _fields(newel, report, given, context), "active": [], "hidden": {}},
        "actions": file_actions(newel, context, address), "view": view,
        "columns": [{"label": _(c.label), "type": c.type, "name": c.name, "total": _total(rows, c)} for c in columns],
        "rows": [{"url": tiles.behind(name, given, r, context), "cells": {c.name: _said(r[c.name]) for c in columns}} for r in rows],
    }  # fmt: skip
    return page(request, context, "dashboards/analysis.html", _(report.label), status=status, at=address.path, problems=shown(problems, lambda w: w), **more)


def _total(rows: list[dict[str, Any]], column: Column) -> Any:
    return sum((r[column.name] or ZERO for r in rows), ZERO) if column.total else None


def _said(value: Any) -> Any:
    return tiles.said(value) if isinstance(value, str) else value


async def _fields(newel: Any, report: Report, given: dict[str, str], context: Context) -> list[dict[str, Any]]:
    """Fields of the filter: choices where the report knows them, pickers for records."""
    dimensions = [{"value": n, "label": _(d.label)} for n, d in DIMENSIONS.items() if report.name == "dashboards.sales" or not d.goods]
    times = [{"value": "before", "label": _("The time before")}, {"value": "year", "label": _("A year before")}]
    choices = {"by": dimensions, "and_by": dimensions, "compare": times, "without": dimensions}
    out = []
    for p in report.parameters:
        value = given.get(p.name, "")
        field: dict[str, Any] = {"name": p.name, "label": _(p.label), "value": value, "narrow": True}
        if p.name in choices:
            field |= {"type": "select", "options": choices[p.name], "value": value or ("customer" if p.name == "by" else "")}
        elif p.type in newel.registry.records:
            text = title_of(newel.records.shape(p.type), await newel.records.get(p.type, int(value), context)) if value else ""
            field |= {"type": "reference", "url": f"/options/{p.type}", "text": text}
        else:
            field["type"] = {"date": "date", "decimal": "number"}.get(p.type, "text")
        out.append(field)
    return out


handlers = [first, analysis, receivables, show_board, show_tile]
