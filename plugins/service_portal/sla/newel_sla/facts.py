"""What the clock of a request needs: promises from the cache, the request's history, and the board over all of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from newel.domain.context import Context
from newel.domain.document import Document
from newel.manifest import Column, Parameter, Report
from newel.store.session import Session, day, instant, rows_by
from newel_requests.facts import data_of, histories
from newel_requests.rules import KIND, STATES, RequestData, header

from newel_sla.rules import Calendar, Clock, Course, SlaSettings, Step, Target, choose, clock, week

ENDS = ("resolved", "closed", "cancelled")
TAKEN = "SELECT document, step, entered_at, text FROM sla_escalation WHERE document = ANY(?) ORDER BY id"
OPEN = (
    "SELECT d.id, d.number, d.state, d.data, d.party, p.name, COALESCE(p.service_level, 0) AS level FROM document d LEFT JOIN party p ON p.id = d.party "
    "WHERE d.kind = ? AND d.company = ? AND d.phase = 'open' ORDER BY d.id"
)


class Promises(msgspec.Struct, frozen=True):
    """Targets with their calendars, and steps."""

    targets: tuple[Target, ...] = ()
    steps: tuple[Step, ...] = ()


class SlaFacts(msgspec.Struct, frozen=True):
    """How a request stands; escalations: when and what."""

    clock: Clock
    escalations: tuple[tuple[datetime | None, str], ...] = ()


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """An open request with its clock. taken: steps that were taken already."""

    id: int
    number: str
    state: str
    party: int | None
    name: str | None
    level: int
    data: RequestData
    clock: Clock
    taken: frozenset[int] = frozenset()


def _pauses(context: Context) -> Sequence[str]:
    return context.setting("sla", SlaSettings).pauses


async def promises(session: Session) -> Promises:
    """What is promised; read again only when something of it has changed."""
    return await session.cached("sla", _promises)


async def _promises(session: Session) -> Promises:
    days = rows_by(await session.fetch("SELECT calendar, day, works FROM sla_day"), "calendar")
    calendars = {
        r["id"]: Calendar(
            code=r["code"], zone=r["zone"], week=week(r["hours"]), country=r["country"], region=r["region"],
            free=frozenset(d for x in days.get(r["id"], ()) if not x["works"] and (d := day(x["day"]))),
            extra=frozenset(d for x in days.get(r["id"], ()) if x["works"] and (d := day(x["day"]))),
        )
        for r in await session.fetch("SELECT * FROM sla_calendar")
    }  # fmt: skip
    names = ("id", "code", "type", "level_min", "response_minutes", "resolution_minutes")
    targets = [Target(calendar=calendars[r["calendar"]], **{n: r[n] for n in names}) for r in await session.fetch("SELECT * FROM sla_target")]
    steps = [Step(**{n: r[n] for n in Step.__struct_fields__}) for r in await session.fetch("SELECT * FROM sla_step")]
    return Promises(tuple(targets), tuple(steps))


async def courses(session: Session, ids: Sequence[int], pauses: Sequence[str]) -> dict[int, Course]:
    """What has happened to requests that were sent in, by id: what the clock makes of their states."""
    found = await histories(session, ids)
    return {id: Course(states=tuple((at, _phase(state, pauses)) for at, state in c.states), answered=c.answered) for id, c in found.items()}


def _phase(state: str, pauses: Sequence[str]) -> str:
    return "done" if state in ENDS else "paused" if state in pauses else "running"


async def load(document: Document, session: Session, context: Context) -> SlaFacts | None:
    """How one request stands; None where it is none, was not sent in, or nothing is promised."""
    if document.phase == "draft":
        return None
    target = choose((await promises(session)).targets, header(document).type, document.party.service_level if document.party else 0)
    course = (await courses(session, [document.id], _pauses(context))).get(document.id) if target else None
    if target is None or course is None:
        return None
    taken = await session.fetch(TAKEN, [document.id])
    return SlaFacts(clock(target, course, context.now), tuple((instant(r["entered_at"]), r["text"]) for r in taken))


async def standings(session: Session, context: Context) -> list[Standing]:
    """All open requests of the company to which something is promised."""
    targets = (await promises(session)).targets
    rows = [(r, data_of(r["data"])) for r in await session.fetch(OPEN, KIND, context.company.id)] if targets else []
    promised = [(r, data, target) for r, data in rows if (target := choose(targets, data.type, r["level"]))]
    ids = [r["id"] for r, _, _ in promised]
    found = await courses(session, ids, _pauses(context))
    taken = rows_by(await session.fetch(TAKEN, ids), "document") if ids else {}
    return [
        Standing(
            **{n: r[n] for n in ("id", "number", "state", "party", "name", "level")}, data=data, clock=clock(target, found[r["id"]], context.now),
            taken=frozenset(x["step"] for x in taken.get(r["id"], ())),
        )
        for r, data, target in promised
        if r["id"] in found
    ]  # fmt: skip


def local(at: datetime | None, target: Target) -> str:
    """An instant in the calendar's own time."""
    return f"{at.astimezone(ZoneInfo(target.calendar.zone)):%Y-%m-%d %H:%M}" if at else ""


# ---- the board -------------------------------------------------------------------------------------------------------------------------


async def _board(session: Session, parameters: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """Open requests against what is promised: what is late first, then what is due next."""
    out = []
    for s in await standings(session, context):
        if (parameters["late"] and not s.clock.late) or (parameters["team"] and parameters["team"] != s.data.team):
            continue
        target = s.clock.target
        row = {"document": s.id, "number": s.number, "party": s.party, "name": s.name, "level": s.level, "team": s.data.team, "assignee": s.data.assignee}
        row |= {"promise": target.code, "answer": local(s.clock.response_due, target), "solution": local(s.clock.resolution_due, target)}
        passed = max(s.clock.percent("response") if s.clock.answered is None else 0, s.clock.percent("resolution"))
        out.append(row | {"passed": passed, "late": ", ".join(s.clock.late), "state": STATES[s.state][0]})
    return sorted(out, key=lambda r: (not r["late"], -r["passed"], r["document"]))


REPORTS = (
    Report(
        name="sla.board", label="Deadlines", load=_board, menu="Service", help="Open requests against what is promised: what is late first.",
        parameters=(Parameter(name="late", label="Only what is late", type="flag"), Parameter(name="team", label="Team")),
        columns=(
            Column(name="late", label="Late"), Column(name="passed", label="Passed", type="percent"),
            Column(name="document", label="Request", type="document", text="number"), Column(name="party", label="Partner", type="newel.party", text="name"),
            Column(name="level", label="Level"), Column(name="promise", label="Promise"), Column(name="answer", label="Answer by"),
            Column(name="solution", label="Solve by"), Column(name="state", label="State"), Column(name="team", label="Team"),
            Column(name="assignee", label="Assigned to"),
        ),
    ),
)  # fmt: skip
