"""A task as a page and its script show it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from newel.domain.context import Context
from newel.domain.money import ZERO
from newel.services.app import Newel
from newel.store.master import load_master
from newel.store.session import Session
from newel.web.views_text import _, number, said

from newel_scan import facts, rules
from newel_scan.facts import StepView, Task
from newel_scan.rules import COUNT, FREE, MOVE, PICK, RECEIVE, RETURN, Lying


def labels() -> dict[str, str]:
    """What each kind of task is called, in the order of a day."""
    return {PICK: _("Pick"), RECEIVE: _("Receive"), RETURN: _("Take back"), COUNT: _("Count"), MOVE: _("Move")}


async def task_view(newel: Newel, session: Session, context: Context, task: Task) -> dict[str, Any]:
    """Everything that the page of a task says; its lines in the order of their places."""
    d, names = task.source, dict(await facts.places(session, context))
    about = f"{d.number} · {d.party.name}" if d and d.party else d.number if d else " → ".join(names.get(x, "") for x in (task.place, task.target) if x)
    here = task.kind == COUNT and task.place is not None and task.state == "open"
    ready = [s for s in task.steps if s.state in ("ok", "place")]
    return {
        "title": f"{labels()[task.kind]}: {about}", "label": labels()[task.kind], "about": about, "rows": await _rows(session, context, task),
        "tracked": task.kind in FREE or any(w.tracking != "none" for w in task.wanted),
        "found": _found(task), "expected": await facts.there(session, task.place) if here and task.place else [], "latest": ready[0] if ready else None,
        "at": next((s.place for s in task.steps if s.state == "place" and s.by == context.user.login), ""), "free": task.kind in FREE,
        "refused": [said_step(s) for s in task.steps if s.state == "refused"], "login": context.user.login,
        **await _result(newel, session, context, task),
    }  # fmt: skip


async def _rows(session: Session, context: Context, task: Task) -> list[dict[str, Any]]:
    """What is wanted, with where it lies and how much of it is scanned."""
    spots: dict[int, tuple[Lying, ...]] = {}
    if task.kind == PICK:
        at = facts.source_place(await load_master(session), task.source, context.company.id)
        spots = rules.where(task.wanted, await facts.lying(session, context, [w.item for w in task.wanted], at), context.today)
    done: dict[int, Decimal] = {}
    for p in task.done:
        done[p.line] = done.get(p.line, ZERO) + p.quantity
    return [
        {
            "line": w.line, "item": w.number, "name": w.name, "unit": w.unit, "gtin": w.gtin, "tracking": w.tracking, "exceeds": w.exceeds,
            "wanted": rules.text(w.quantity or ZERO), "done": rules.text(done.get(w.line, ZERO)), "lot": w.lot,
            "ready": done.get(w.line, ZERO) >= (w.quantity or ZERO),
            "places": [{"code": x.code, "lot": x.lot, "quantity": rules.text(x.quantity)} for x in spots.get(w.line, ())],
            "packs": f"{number(rules.text((w.quantity or ZERO) / w.factor))} {w.line_unit}" if w.line_unit != w.unit else "",
        }
        for w in rules.walk(task.wanted, spots)
    ]  # fmt: skip


def _found(task: Task) -> list[tuple[str, str, str]]:
    """(what, quantity, unit) of what was counted or taken along, by item and lot."""
    out: dict[tuple[str, str], Decimal] = {}
    for s in task.steps if task.kind in FREE else ():
        if s.state == "ok":
            key = (f"{s.item} {s.lot}".strip(), s.unit)
            out[key] = out.get(key, ZERO) + Decimal(s.quantity)
    return [(what, rules.text(quantity), unit) for (what, unit), quantity in sorted(out.items())]


async def _result(newel: Newel, session: Session, context: Context, task: Task) -> dict[str, Any]:
    """What came of a finished task: its document, and the differences of a count."""
    if not task.result:
        return {"result": None, "state": "", "differences": [], "post": False, "may_post": False}
    d = await newel.documents.get(task.result, context, session)
    kind = newel.registry.kind_of(d)
    counted = {x.id: x for x in d.lines}
    differences = [{"item": counted[x.parent].item, "text": x.text, "differs": x.item is not None} for x in d.lines if x.parent in counted]
    post = task.kind == COUNT and d.state == kind.initial.name
    return {
        "result": d, "state": _(kind.state(d.state).label), "differences": differences if task.kind == COUNT else [],
        "post": post, "may_post": context.user.may(f"{d.kind}.post"),
    }  # fmt: skip


def said_step(step: StepView) -> dict[str, Any]:
    """A scan with its problem in the reader's language."""
    problem = said(step.problem) if step.problem else None
    names = {n: getattr(step, n) for n in ("id", "key", "code", "state", "line", "item", "quantity", "unit", "lot", "place", "by")}
    return {**names, "problem": problem.code if problem else "", "message": problem.message if problem else "", "hint": problem.hint if problem else ""}
