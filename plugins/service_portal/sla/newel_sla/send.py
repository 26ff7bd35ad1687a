"""The use case: take the escalation steps that are due."""

from __future__ import annotations

from typing import Any

from newel.domain.context import Context
from newel.errors import Refused
from newel.services.app import Newel
from newel_requests.answer import assign

from newel_sla.facts import Standing, promises, standings
from newel_sla.rules import Step, reached


async def escalate(app: Newel, _payload: dict[str, Any], _context: Context) -> None:
    """Job: give requests of all companies to whom the steps name. A step is taken once for each request; what hinders it stands with it."""
    for context in await app.every_company("sla"):
        async with app.database.read() as session:
            steps = (await promises(session)).steps
            due = [(s, step) for s in await standings(session, context) for step in reached(steps, s.clock, s.taken)] if steps else []
        for standing, step in due:
            await _take(app, standing, step, context)


async def _take(app: Newel, standing: Standing, step: Step, context: Context) -> None:
    what = "First answer" if step.measure == "response" else "Solution"
    goes = ", ".join(filter(None, (step.team, step.assignee, f"priority {step.priority}" if step.priority else "")))
    text = f"{what}: {step.percent} % of the promised time have passed" + (f"; to {goes}" if goes else "")
    try:
        if goes:
            await assign(app, standing.id, context, team=step.team, assignee=step.assignee, priority=step.priority)
    except Refused as refused:
        text = f"{text}; refused: {refused}"
    await app.records.save("sla.escalation", None, {"document": standing.id, "step": step.id, "text": text[:500]}, context)
