"""Reports: parameters, a table with totals and links, and the same as CSV."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from litestar import Response, get
from litestar.params import FromPath

from newel.domain.context import Context
from newel.domain.money import ZERO
from newel.errors import Problem, Refused, missing
from newel.manifest import Column, Parameter, Report
from newel.services import reports
from newel.services.access import require
from newel.web.auth import context_of, newel_of
from newel.web.forms import Reader, Wrong, decimal
from newel.web.render import Web, page, shown
from newel.web.views_list import Address, asked, file_actions, file_response, pager
from newel.web.views_record import title_of
from newel.web.views_text import _, entry, plain

if TYPE_CHECKING:
    from newel.services.app import Newel

TYPES = {"amount": "money", "quantity": "quantity", "percent": "quantity", "date": "date"}
SHOWN = 200


def given_of(report: Report, address: Address) -> tuple[dict[str, str], list[Problem]]:
    """Parameters from the address as the service takes them: numbers in the reader's format become plain ones."""
    given: dict[str, str] = {}
    problems: list[Problem] = []
    for p in report.parameters:
        text = address.get(p.name)
        if p.type == "decimal" and text:
            try:
                text = str(decimal(text))
            except Wrong as wrong:
                problems.append(Problem(code="entry.number", message=f"{_(p.label)}: {wrong}", where=p.name))
                continue
        elif p.type not in ("text", "date", "decimal", "flag"):
            found = Reader(address.query).reference(p.name)
            text = str(found) if isinstance(found, int) else ""
        given[p.name] = text
    return given, problems


@get("/report/{name:str}")
async def show_report(request: Web, name: FromPath[str]) -> Response[Any]:
    """A report with what was asked for; one that needs something waits until it is given."""
    newel, context = newel_of(request), await context_of(request)
    report = newel.registry.reports.get(name)
    if report is None:
        raise missing("report", name, "name")
    require(context, f"{name}.view")
    report = reports.seen(report, context)
    address = Address(request.url.path, {k: v for k, v in request.query_params.items() if k != "format"})
    given, problems = given_of(report, address)
    waits = [p for p in report.parameters if p.required and not given.get(p.name)]
    rows: list[dict[str, Any]] = []
    status = 200
    if not waits and not problems:
        try:
            rows = await reports.run(newel, name, given, context)
        except Refused as refused:
            if refused.status in (403, 404):
                raise
            problems, status = list(refused.problems), refused.status
    if (file := asked(newel, request.query_params)) and not problems:
        return file_response(newel, file, name, [_(c.label) for c in report.columns], [[_raw(c, r) for c in report.columns] for r in rows])
    fields = [await _field(newel, p, address, context) for p in report.parameters]
    digits, start = context.company.amount_digits, (address.number - 1) * SHOWN
    view = {
        "summary": _(report.help), "filters": {"action": address.path, "fields": fields, "active": [], "hidden": {}},
        "actions": file_actions(newel, context, address),
        "columns": [{"name": c.name, "label": _(c.label), "type": TYPES.get(c.type, "text"), "digits": digits} for c in report.columns],
        "rows": [{"cells": {c.name: _cell(newel, report, c, r, address, digits) for c in report.columns}} for r in rows[start : start + SHOWN]],
        "totals": _totals(report, rows), "pager": pager(address, len(rows), len(rows[start : start + SHOWN]), SHOWN),
        "empty": _empty(waits, given, address),
    }  # fmt: skip
    return page(request, context, "report.html", _(report.label), status=status, problems=shown(problems, lambda w: w), list=view)


def _empty(waits: list[Parameter], given: dict[str, str], address: Address) -> dict[str, Any]:
    """Why there are no rows, and the one thing to do about it."""
    if waits:
        return {"title": _("What shall it be about?"), "reason": _("Fill in %(names)s above.", names=", ".join(_(p.label) for p in waits))}
    again = {"label": _("Clear the filter"), "url": address.path, "icon": "x"} if any(given.values()) else None
    reason = _("There are no rows for these parameters.") if again else _("As soon as there are some, they stand here.")
    return {"title": _("Nothing to show"), "reason": reason, "action": again}


async def _field(newel: Newel, p: Parameter, address: Address, context: Context) -> dict[str, Any]:
    value = address.get(p.name)
    field: dict[str, Any] = {"name": p.name, "label": _(p.label), "value": value, "required": False}
    if p.type == "date":
        return field | {"type": "date", "narrow": True}
    if p.type == "decimal":
        return field | {"type": "number", "narrow": True}
    if p.type == "flag":
        return field | {"type": "select", "options": [{"value": "true", "label": _("yes")}, {"value": "false", "label": _("no")}], "narrow": True}
    if p.type == "text" or p.type not in newel.registry.records:
        if p.name in ("role", "account_role"):
            options = [{"value": r.name, "label": _(r.label)} for r in newel.registry.account_roles.values()]
            return field | {"type": "select", "options": options, "narrow": True}
        return field | {"type": "text"}
    text = address.get(f"{p.name}_text")
    if value.isascii() and value.isdigit():
        try:
            text = title_of(newel.records.shape(p.type), await newel.records.get(p.type, int(value), context))
        except Refused:
            text = value
    return field | {"type": "reference", "url": f"/options/{p.type}", "text": text}


def _raw(column: Column, row: dict[str, Any]) -> Any:
    return row.get(column.text or column.name) if column.type not in ("amount", "quantity", "percent", "date") else row.get(column.name)


def _behind(newel: Newel, report: Report, column: Column, value: int, address: Address) -> str:
    """Where a figure comes from: the report of the same menu that needs just this record, else the record itself."""
    for other in newel.registry.reports.values():
        needed = [p for p in other.parameters if p.required]
        if other.name != report.name and other.menu == report.menu and len(needed) == 1 and needed[0].type == column.type:
            span = {p.name: address.get(p.name) for p in other.parameters if p.type == "date"}
            return Address(f"/report/{other.name}", span).with_(**{needed[0].name: value})
    return f"/records/{column.type}/{value}"


def _cell(newel: Newel, report: Report, column: Column, row: dict[str, Any], address: Address, digits: int) -> Any:
    value = row.get(column.name)
    if column.type == "document":
        text = row.get(column.text or column.name) or (_("draft") if value else "")
        return {"value": text, "url": f"/document/{value}"} if value else text
    if column.type in newel.registry.records:
        text = row.get(column.text) if column.text else row.get(f"{column.name}__title") or value
        return {"value": text, "url": _behind(newel, report, column, value, address)} if isinstance(value, int) else text
    if column.type == "amount" and value is not None:
        return {"value": value, "digits": row.get("digits", digits)}
    if column.type == "percent" and value is not None:
        return {"value": value, "unit": "%"}
    if isinstance(value, Decimal):
        return plain(value) if column.type in TYPES else entry(value)
    return value if value is not None else ""


def _totals(report: Report, rows: list[dict[str, Any]]) -> dict[str, Decimal]:
    """Sums of the columns that ask for one, over all rows."""
    return {c.name: sum((Decimal(v) for r in rows if (v := r.get(c.name)) is not None), ZERO) for c in report.columns if c.total} if rows else {}


handlers = [show_report]
