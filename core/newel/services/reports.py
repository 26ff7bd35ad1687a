"""Reports: rows that nobody enters, made by a plugin's loader from parameters that people give."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import msgspec

from newel.domain.context import Context
from newel.errors import PluginFailed, Problem, Refused, missing
from newel.manifest import Parameter, Report
from newel.services.access import denied, require
from newel.services.values import DAY, DECIMAL, WHOLE

if TYPE_CHECKING:
    from newel.services.app import Newel

SECONDS = 30.0
TEXT_LENGTH = 200


async def run(newel: Newel, name: str, given: Mapping[str, str], context: Context) -> list[dict[str, Any]]:
    """The rows of a report.

    Args:
        given: parameters as text; flags as "true" or "false", records by id. Empty ones count as not given.

    Raises:
        Refused: 404, 403, every wrong parameter at once, or 424 where the plugin's loader fails.
    """
    report = newel.registry.reports.get(name)
    if report is None:
        raise missing("report", name, "name")
    require(context, f"{name}.view")
    values = parameters(report, given) | _own(report, context)
    plugin = newel.registry.owner.get(f"report:{name}", "newel")
    async with newel.database.read() as session:
        try:
            async with asyncio.timeout(SECONDS):
                rows = await report.load(session, values, context)
        except Refused:
            raise
        except Exception as error:
            raise Refused(PluginFailed(plugin, f"report {name}", f"{type(error).__name__}: {error}").problem(), status=424) from error
    made: Any = rows
    hidden = {c.name for c in report.columns} - {c.name for c in seen(report, context).columns}
    if not isinstance(made, list) or not all(isinstance(r, dict) for r in made):
        raise Refused(PluginFailed(plugin, f"report {name}", "must return a list of dicts").problem(), status=424)
    return [{n: v for n, v in r.items() if n not in hidden} for r in rows] if hidden else rows


def seen(report: Report, context: Context) -> Report:
    """The report as this user meets it: without the columns that need a right which the user has not (Column.right)."""
    return msgspec.structs.replace(report, columns=tuple(c for c in report.columns if not c.right or context.user.may(c.right)))


def _own(report: Report, context: Context) -> dict[str, Any]:
    """For a user who stands for a party, the rows of that party; a report that can't be narrowed to one is not for such users."""
    if context.user.party is None:
        return {}
    found = {p.name: context.user.party for p in report.parameters if p.type == "newel.party"}
    if len(found) != 1:
        raise denied("a user of no party")
    return dict(found)


def parameters(report: Report, given: Mapping[str, str]) -> dict[str, Any]:
    """Parameters as the loader takes them; those that are not given are None."""
    known = {p.name: p for p in report.parameters}
    problems = [
        Problem(code="request.unknown", message=f"there is no parameter {n!r:.60}", where=n[:60], hint=f"known are {', '.join(known) or 'none'}")
        for n in given
        if n not in known
    ]
    values: dict[str, Any] = {}
    for p in report.parameters:
        text = given.get(p.name, "").strip()
        try:
            values[p.name] = _value(p, text) if text else None
        except (ValueError, InvalidOperation):
            problems.append(Problem(code="field.type", message=f"{p.label}: {text!r:.60} is no {p.type}", where=p.name, hint=HINTS.get(p.type, "choose by id")))
        if p.required and not text:
            problems.append(Problem(code="field.required", message=f"{p.label} is missing", where=p.name, hint="enter a value"))
    if problems:
        raise Refused(*problems)
    return values


HINTS = {
    "text": f"enter at most {TEXT_LENGTH} characters", "date": "write year-month-day, such as 2026-01-31", "decimal": "write 12.50", "flag": "true or false",
}  # fmt: skip


def _value(p: Parameter, text: str) -> Any:
    if p.type == "text":
        if len(text) > TEXT_LENGTH:
            raise ValueError
        return text
    if p.type == "date":
        if not DAY.fullmatch(text):
            raise ValueError
        return date.fromisoformat(text)
    if p.type == "decimal":
        if not DECIMAL.fullmatch(text):
            raise ValueError
        return Decimal(text)
    if p.type == "flag":
        if text not in ("true", "false"):
            raise ValueError
        return text == "true"
    if not WHOLE.fullmatch(text) or not 0 < int(text) <= 2**53:
        raise ValueError
    return int(text)
