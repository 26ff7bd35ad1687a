"""The Pareto chart of faults: GET /faults/chart."""

from __future__ import annotations

from typing import Any

from litestar import Response, get
from newel.services import reports
from newel.web.auth import context_of, newel_of
from newel.web.render import Web, page
from newel.web.views_text import _

WIDTH, HEIGHT, LEFT, TOP, MOST = 720, 300, 40, 16, 12


@get("/chart", opt={"permission": "faults.frequency.view"})
async def chart(request: Web) -> Response[str]:
    """Bars of the most frequent faults with the line of their running share, drawn by the server."""
    newel, context = newel_of(request), await context_of(request)
    by = request.query_params.get("by", "cause")
    by = by if by in ("cause", "item", "lot") else "cause"
    rows = await reports.run(newel, "faults.frequency", {"by": by}, context)
    return page(request, context, "faults/chart.html", _("Pareto chart of faults"), by=by, rows=rows, bars=drawn(rows[:MOST]), width=WIDTH, height=HEIGHT)


def drawn(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Places of bars and of the points of the line, in whole units of the drawing."""
    if not rows:
        return []
    step, tall, most = (WIDTH - LEFT - 16) // len(rows), HEIGHT - TOP - 48, rows[0]["quantity"]
    out = []
    for n, row in enumerate(rows):
        size = int(row["quantity"] * tall / most)
        x = LEFT + n * step
        point = (x + step // 2, TOP + tall - int(row["running"] * tall / 100))
        out.append({**row, "x": x + step // 8, "y": TOP + tall - size, "w": step * 3 // 4, "h": size, "px": point[0], "py": point[1], "base": TOP + tall})
    return out


handlers = [chart]
