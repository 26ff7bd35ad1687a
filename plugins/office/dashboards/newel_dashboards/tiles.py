"""What a tile shows: its figure, the one before, its chart, and where the rows behind them are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from newel.domain.context import Context
from newel.domain.money import ZERO
from newel.errors import Problem, Refused
from newel.manifest import Column, Report
from newel.services import lists, reports
from newel.web.forms import Reader
from newel.web.views_text import _, day

from newel_dashboards import chart, rules
from newel_dashboards.boards import BOARDS, BoardSpec, TileSpec
from newel_dashboards.chart import Point
from newel_dashboards.facts import DIMENSIONS, period
from newel_dashboards.rules import OTHERS

PAGES = {"dashboards.sales": "/dashboards/analysis", "dashboards.receivables": "/dashboards/receivables"}
BEHIND = {"dashboards.sales": "dashboards.sales_lines", "dashboards.receivables": "dashboards.receivables_items"}
MOST, POINTS = 8, 24


async def boards(newel: Any, context: Context) -> list[BoardSpec]:
    """The boards with something for this user on them; the company's own take the place of those that come along."""
    async with newel.database.read() as session:
        rows = await session.fetch(
            "SELECT b.code, b.name, t.title, t.source, t.parameters, t.show, t.figure, t.names, t.compare FROM dashboards_board b "
            "LEFT JOIN dashboards_tile t ON t.board = b.id WHERE b.company = ? ORDER BY b.code, t.position, t.id",
            context.company.id,
        )  # fmt: skip
    own: dict[str, tuple[str, list[TileSpec]]] = {}
    for r in rows:
        tiles = own.setdefault(r["code"], (r["name"], []))[1]
        if r["source"]:
            tiles.append(TileSpec(**{n: r[n] for n in TileSpec.__struct_fields__}))
    found = [b for b in BOARDS if b.code not in own] + [BoardSpec(code=code, label=name, tiles=tuple(tiles)) for code, (name, tiles) in own.items()]
    known = [BoardSpec(code=b.code, label=b.label, tiles=tuple(t for t in b.tiles if _seen(newel, t, context))) for b in found]
    return [b for b in known if b.tiles]


def _seen(newel: Any, tile: TileSpec, context: Context) -> bool:
    report = newel.registry.reports.get(tile.source)
    right = next((c.right for c in report.columns if c.name == tile.figure), "") if report else ""
    there = report is not None or tile.source in newel.registry.documents
    return there and context.user.may(f"{tile.source}.view") and (not right or context.user.may(right))


async def tile(newel: Any, spec: TileSpec, context: Context) -> dict[str, Any]:
    """The view of a tile.

    Raises:
        Refused: what the report says, or that the tile names a column which the report has not, or does not add up.
    """
    given = spec.given(context.today)
    if spec.source in newel.registry.documents:
        return await _documents(newel, spec, given, context)
    report: Report = reports.seen(newel.registry.reports[spec.source], context)
    rows, column = await reports.run(newel, spec.source, given, context), _column(report, spec.figure)
    unit = {"digits": context.company.amount_digits, "unit": context.company.currency} if column and column.type == "amount" else {"digits": None, "unit": ""}
    view: dict[str, Any] = {"url": address(spec.source, given), "value": _sum(rows, column, spec), **unit}
    if spec.compare:
        before = await reports.run(newel, spec.source, spec.given(rules.earlier(context.today, spec.compare)), context)
        view["before"] = _sum(before, column, spec)
        view["change"] = rules.percent(view["value"] - view["before"], view["before"])
    if spec.show != "figure":
        assert column is not None
        view |= drawn(points(report, rows, column, spec.names, given, context, lying=spec.show == "bars"), spec.show)
    return view


async def _documents(newel: Any, spec: TileSpec, given: Mapping[str, str], context: Context) -> dict[str, Any]:
    reader = Reader(dict(given))
    wanted = lists.Wanted(
        state=given.get("state", ""), phase=given.get("phase", ""), date_from=reader.day("from"), date_to=reader.day("to"), search=given.get("q", "")
    )
    found = await lists.page(newel, spec.source, context, wanted, size=1)
    priced = newel.registry.documents[spec.source].priced
    sums = [{"value": s.gross, "unit": s.currency, "digits": context.company.amount_digits} for s in found.sums if priced and s.gross]
    return {"url": address(f"/documents/{spec.source}", given), "value": Decimal(found.total), "digits": 0, "unit": "", "sums": sums}


def address(source: str, given: Mapping[str, Any]) -> str:
    """Of the page that shows just these rows."""
    path = source if source.startswith("/") else PAGES.get(source, f"/report/{source}")
    left = {k: v for k, v in given.items() if v not in ("", None)}
    return f"{path}?{urlencode(left)}" if left else path


def _column(report: Report, name: str) -> Column | None:
    if not name:
        return None
    for c in report.columns:
        if c.name == name and c.type in ("amount", "quantity"):
            return c
    known = ", ".join(c.name for c in report.columns if c.type in ("amount", "quantity"))
    raise Refused(
        Problem(code="dashboards.column", message=f"{report.name} has no column of amounts {name!r}", where="figure", hint=f"known are {known or 'none'}")
    )


def _sum(rows: Sequence[Mapping[str, Any]], column: Column | None, spec: TileSpec) -> Decimal:
    """Of all rows, as the report's own page adds them up; of a development, which nobody adds up, what is last."""
    if column is None:
        return Decimal(len(rows))
    if column.total:
        return sum((r[column.name] or ZERO for r in rows), ZERO)
    if spec.show == "figure":
        message = f"{column.name} is not added up by {spec.source}: its rows may differ in currency or unit"
        raise Refused(Problem(code="dashboards.total", message=message, where="figure", hint="take a column that has a total, or count the rows"))
    return rows[-1][column.name] if rows else ZERO


def points(
    report: Report, rows: Sequence[Mapping[str, Any]], column: Column, label: str, given: Mapping[str, Any], context: Context, lying: bool
) -> list[Point]:
    """Rows as points of a chart: those of one name together; of bars the largest and all the rest."""
    kind = next((c for c in report.columns if c.name == label), None)
    out: dict[str, Point] = {}
    for r in rows:
        value = r.get(kind.text or kind.name) if kind else ""
        text = day(value) if kind and kind.type == "date" else " · ".join(said(str(x)) for x in (value, r.get("two")) if x) or _("(none)")
        old, was = out.get(text), r.get(f"{column.name}_before")
        total = (r[column.name] or ZERO) + (old.value if old else ZERO)
        out[text] = Point(
            text, total, was if old is None or was is None else was + (old.before or ZERO), behind(report.name, given, r, context) if old is None else "",
            OTHERS in r.get("keys", ()),
        )  # fmt: skip
    found = list(out.values())
    if not lying:
        return found[-POINTS:]
    if "one" not in {c.name for c in report.columns}:
        found.sort(key=lambda p: -p.value)
    if len(found) > MOST:
        rest = found[MOST - 1 :]
        before = sum((p.before for p in rest if p.before is not None), ZERO) if rest[0].before is not None else None
        found = [*found[: MOST - 1], Point(_("(others)"), sum((p.value for p in rest), ZERO), before, address(report.name, given), True)]
    return found


def said(text: str) -> str:
    """What the analysis says by itself, in the reader's language; names stay as they are."""
    return _("(others)") if text == OTHERS else text


def behind(source: str, given: Mapping[str, Any], row: Mapping[str, Any], context: Context) -> str:
    """The rows behind a row of the analysis: the same parameters, and its own values. Empty where the report knows of none."""
    if source not in BEHIND or "keys" not in row:
        return ""
    if OTHERS in row["keys"]:
        return address(source, {**given, "top": 0})
    left = {k: v for k, v in given.items() if k not in ("by", "and_by", "compare", "top")}
    by = [b for b in dict.fromkeys((given.get("by") or "customer", given.get("and_by"))) if b]
    for name, key in zip(by, row["keys"], strict=True):
        about = DIMENSIONS[name]
        if about.time:
            within = rules.span({k: _date(v) for k, v in given.items() if k in ("date_from", "date_to") and v}, context.today)
            left |= _days(str(key), about.time, within)
        elif key == "":
            left["without"] = name
        else:
            left[about.given] = str(key)
    return address(BEHIND[source], left)


def _date(value: Any) -> Any:
    return date.fromisoformat(value) if isinstance(value, str) else value


def _days(key: str, length: int, within: rules.Span) -> dict[str, str]:
    """First and last day of a period, as far as they are within the span."""
    at, days = within.start.replace(day=1), []
    while at <= within.end:
        if period(f"{at:%Y-%m}", length) == key:
            days.append(at)
        at = rules.months_later(at.replace(day=1), 1)
    if not days:
        return {"date_from": within.start.isoformat(), "date_to": (within.start - timedelta(1)).isoformat()}
    last = rules.months_later(days[-1], 1) - timedelta(1)
    return {"date_from": max(days[0], within.start).isoformat(), "date_to": min(last, within.end).isoformat()}


def drawn(found: list[Point], show: str) -> dict[str, Any]:
    """The chart and what it says in words."""
    named = [p for p in found if not p.rest]
    return {"chart": chart.DRAWN[show](found) if found else None, "points": found, "largest": max(named, key=lambda p: p.value, default=None),
            "smallest": min(named, key=lambda p: p.value, default=None), "compared": any(p.before is not None for p in found)}  # fmt: skip
