"""Which plugin did what to a document: prices, lines, holds from what is stored, hooks from running the rules again (NEW-10)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from newel.errors import missing
from newel.services.entered import as_input
from newel.store.master import load_master

if TYPE_CHECKING:
    from newel.services.app import Newel


async def trace_document(app: Newel, id: int) -> list[dict[str, Any]]:
    """Rows of (what, plugin, detail, calls, ms): the stored waterfall and holds, then every hook that a preview of the document calls."""
    async with app.database.read() as session:
        owner = await session.value("SELECT company FROM document WHERE id = ?", id)
        if owner is None:
            raise missing("document", id)
        context = app.system((await load_master(session)).companies[owner])
    document = await app.documents.get(id, context)
    rows: list[dict[str, Any]] = []

    def add(what: str, plugin: str, detail: str, calls: object = "", ms: object = "") -> None:
        rows.append({"what": what, "plugin": plugin, "detail": detail, "calls": calls, "ms": ms})

    for line in document.lines:
        if line.key:
            add(f"line {line.position}", line.key.split(":")[0], f"proposed {line.text}")
        for step in line.steps:
            add(f"line {line.position} {step.stage}", step.plugin, f"{step.rule}: {step.amount_in} -> {step.amount_out} {step.reason}".strip())
    for hold in document.holds:
        add("hold", hold.plugin, f"{hold.code}: {hold.reason}")
    before = {key: list(spent) for key, spent in app.plugins.spent.items()}
    outcome = await app.documents.preview(document.kind, as_input(document), context)
    for (plugin, hook), (calls, seconds) in sorted(app.plugins.spent.items(), key=lambda p: (app.plugins.hooks.index(p[0][1]), p[0][0])):
        was = before.get((plugin, hook), [0, 0.0])
        if calls > was[0]:
            add(f"hook {hook}", plugin, "", calls - was[0], round((seconds - was[1]) * 1000, 2))
    for problem in outcome.problems:
        add("problem", problem.plugin, f"{problem.code}: {problem.message}")
    return rows
