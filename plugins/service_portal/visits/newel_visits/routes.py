"""Pages: GET /visits (the plan), /visits/mine, /visits/mine.ics, /visits/{id} for the technician; the same use cases through the API."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath
from newel.domain.context import Context
from newel.domain.document import Document, LineInput
from newel.errors import Refused
from newel.manifest import Field
from newel.services.app import Newel
from newel.web.auth import context_of, newel_of
from newel.web.forms import Reader
from newel.web.operations import Call, Form, operation
from newel.web.render import Web, flash, page, redirect
from newel.web.render import shown as problems_of
from newel.web.views_actions import actions
from newel.web.views_form import address_line
from newel.web.views_text import _

from newel_visits import facts, rules, send
from newel_visits.rules import DEVICE, STATES, VISIT, Task, VisitsSettings, header

WEEK = timedelta(days=7)
NEXT = ("confirm", "leave", "arrive", "finish")
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
ASK = {"permission": f"{VISIT}.view"}
WORK = {"permission": f"{VISIT}.edit"}


class PlanIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who comes when. What is left empty stays as it is. day and time are local; minutes: 5 to 1440."""

    technician: str = ""
    day: date | None = None
    time: str = ""
    minutes: int | None = None


class SignIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The customer's name and what the report says."""

    name: str
    text: str = ""


class VisitOut(msgspec.Struct, frozen=True, kw_only=True):
    """The visit that was planned."""

    id: int
    number: str


PLAN = (
    Field(name="technician", label="Technician", code_of="visits.technician"), Field(name="day", label="Day"),
    Field(name="time", label="Time", help="Local time, such as 14:30."), Field(name="minutes", label="Minutes"),
)  # fmt: skip
SIGN = (Field(name="name", label="Signed by"), Field(name="text", label="Report", long=True))


@operation("POST", "/documents/{id}/plan", body=PlanIn, errors=(404, 409), form=Form(label="Plan it", fields=PLAN, button="Plan", done="It is planned."))
async def plan(call: Call) -> None:
    """Say who makes a visit, and when."""
    found = await send.find(call.newel, call.path["id"], call.context)
    await send.plan(call.newel, found, msgspec.structs.asdict(call.body), call.context)


@operation(
    "POST", "/requests/{id}/visit", body=PlanIn, answer=VisitOut, status=201, errors=(404, 409),
    form=Form(label="Plan a visit", fields=PLAN, button="Plan", done="A visit is planned."),
)  # fmt: skip
async def visit(call: Call) -> VisitOut:
    """Turn a request into a visit, and plan it."""
    made = await send.for_request(call.newel, call.path["id"], msgspec.structs.asdict(call.body), call.context)
    return VisitOut(id=made.id, number=made.number)


@operation("POST", "/documents/{id}/sign", body=SignIn, errors=(404,))
async def sign(call: Call) -> None:
    """Keep the report that the customer signs."""
    found = await send.find(call.newel, call.path["id"], call.context)
    await send.sign(call.newel, found, call.body.name, call.body.text, call.context)


# ---- the plan --------------------------------------------------------------------------------------------------------------------------


@get("/", opt={"permission": "visits.plan"})
async def week(request: Web) -> Response[str]:
    """The visits of a week, by day and technician; on a phone one day below the other."""
    newel, context = newel_of(request), await context_of(request)
    try:
        chosen = date.fromisoformat(request.query_params.get("day", ""))
    except ValueError:
        chosen = context.today
    first = chosen - timedelta(days=chosen.weekday())
    days = [first + timedelta(days=n) for n in range(7)]
    async with newel.database.read() as session:
        found, known = await facts.plan(session, context, days[0], days[-1], ended=True), await facts.known(session)
    zone = context.setting("visits", VisitsSettings).zone
    rows = [
        {"name": t.name, "days": [[_shown(v, zone) for v in found if v.day == d and t.code in v.data.crew] for d in days]} for t in known.technicians.values()
    ]
    free = [[_shown(v, zone) for v in found if v.day == d and not v.data.crew & set(known.technicians)] for d in days]
    rows += [{"name": _("Nobody yet"), "days": free}] if any(free) else []
    view: dict[str, Any] = {"days": days, "names": [_(n) for n in DAYS], "rows": rows, "today": context.today, "before": first - WEEK, "after": first + WEEK}
    return page(request, context, "visits/week.html", _("Plan of visits"), **view)


def _shown(v: rules.Planned, zone: str) -> dict[str, Any]:
    own = rules.span(v.day, v.data, zone)
    label, phase = STATES[v.state]
    return {
        "id": v.id,
        "number": v.number,
        "party": v.party,
        "city": v.city,
        "time": v.data.time if own else "",
        "minutes": v.data.minutes,
        "state": _(label),
        "phase": phase,
    }


async def _mine(newel: Newel, context: Context, days: int) -> list[rules.Planned]:
    """Visits of the technician that the user is, from today on."""
    async with newel.database.read() as session:
        own = [t.code for t in (await facts.known(session)).technicians.values() if (t.login or t.code.lower()) == context.user.login]
        return await facts.plan(session, context, context.today, context.today + timedelta(days=days), crew=own, ended=True) if own else []


@get("/mine", opt=ASK)
async def mine(request: Web) -> Response[str]:
    """What a technician has on the phone: today's visits in order, the next days below."""
    newel, context = newel_of(request), await context_of(request)
    zone = context.setting("visits", VisitsSettings).zone
    found = await _mine(newel, context, 7)
    groups = {d: [_shown(v, zone) for v in found if v.day == d] for d in dict.fromkeys([context.today, *(v.day for v in found)])}
    return page(request, context, "visits/mine.html", _("My visits"), groups=groups, today=context.today)


@get("/mine.ics", opt=ASK)
async def mine_calendar(request: Web) -> Response[str]:
    """The next four weeks as a calendar file."""
    newel, context = newel_of(request), await context_of(request)
    found = await _mine(newel, context, 28)
    body = rules.calendar(found, context.setting("visits", VisitsSettings).zone, context.now, request.url.hostname or "newel")
    return Response(body, media_type="text/calendar", headers={"content-disposition": 'attachment; filename="visits.ics"'})


# ---- on site ---------------------------------------------------------------------------------------------------------------------------


async def _show(request: Web, id: int, context: Context, refused: Refused | None = None) -> Response[str]:
    newel = newel_of(request)
    d = await send.find(newel, id, context)
    async with newel.database.read() as session:
        known = await facts.known(session)
        load = await facts.load(d, session, context)
        serials, phone = await facts.serials(session, d), await facts.phone(session, d)
    assert isinstance(load, rules.VisitFacts)
    settings, data = context.setting("visits", VisitsSettings), header(d)
    steps, _notes = await actions(newel, d, context)
    for n, step in enumerate(steps):
        step |= {"url": f"/visits/{id}/act", "primary": n == 0 and (d.state != "onsite" or load.signed is not None)}
    hours = Decimal(max(int((context.now - load.arrived).total_seconds()) // 900, 1)) / 4 if load.arrived and d.state == "onsite" else None
    view = {
        "id": id, "number": d.number, "state": STATES[d.state], "text": d.text, "reference": d.reference, "day": d.date_requested, "time": data.time,
        "minutes": data.minutes, "party": d.party, "address": address_line(d.ship_to) if d.ship_to else "", "tasks": rules.tasks(data, known),
        "devices": [(x, serials.get(x.lot or 0, "")) for x in d.lines if x.kind == DEVICE], "used": [x for x in d.lines if x.kind == "item"],
        "phone": phone, "signed": load.signed, "hours": hours,
        "version": d.version, "works": d.state == "onsite" and context.user.may(f"{VISIT}.edit"), "labour": settings.labour,
        "next": [s for s in steps if s["value"] in NEXT], "other": [s for s in steps if s["value"] not in NEXT],
    }  # fmt: skip
    said = problems_of(refused.problems) if refused else ()
    title = f"{d.party.name if d.party else _('Visit')}"
    return page(request, context, "visits/visit.html", title, at="/visits/mine", status=refused.status if refused else 200, problems=said, v=view)


@get("/{id:int}", opt=ASK)
async def on_site(request: Web, id: FromPath[int]) -> Response[str]:
    """One visit, as the technician needs it."""
    return await _show(request, id, await context_of(request))


@post("/{id:int}/act", status_code=200, opt=ASK)
async def act(request: Web, id: FromPath[int]) -> Response[Any]:
    """The next step, with one thumb."""
    newel, reader = newel_of(request), Reader(await request.form())
    context = await context_of(request, overrides=frozenset(filter(None, reader.text("overrides").split(","))))
    await send.find(newel, id, context)
    try:
        await newel.documents.act(id, reader.text("transition"), context, version=reader.whole("version"), key=reader.text("idempotency_key") or None)
    except Refused as refused:
        if refused.status in (403, 404):
            raise
        return await _show(request, id, context, refused)
    return redirect(f"/visits/{id}")


@post("/{id:int}/work", status_code=200, opt=WORK)
async def work(request: Web, id: FromPath[int]) -> Response[Any]:
    """What was checked, and time and material; with the customer's name the report is signed as well."""
    newel, context, reader = newel_of(request), await context_of(request), Reader(await request.form())
    found = await send.find(newel, id, context)
    try:
        lines = _used(reader, context.setting("visits", VisitsSettings).labour)
        if reader.problems:
            raise Refused(*reader.problems)
        found = await send.work(newel, found, await _tasks(newel, found, reader), lines, context)
        if name := reader.text("name"):
            await send.sign(newel, found, name, reader.text("report"), context)
    except Refused as refused:
        if refused.status in (403, 404):
            raise
        return await _show(request, id, context, refused)
    return redirect(f"/visits/{id}", flash(_("It is kept.")))


async def _tasks(newel: Newel, visit: Document, reader: Reader) -> list[Task]:
    async with newel.database.read() as session:
        asked = rules.tasks(header(visit), await facts.known(session))
    return [Task(text=t.text, done=reader.flag(f"task-{n}"), remark=reader.text(f"remark-{n}")) for n, t in enumerate(asked)]


def _used(reader: Reader, labour: str) -> list[LineInput]:
    """Hours and one more piece of material, where they were entered."""
    hours, quantity, item = reader.decimal("hours"), reader.decimal("quantity"), reader.reference("item")
    out = [LineInput(item=labour or reader.reference("labour"), quantity=hours)] if hours else []
    return out + ([LineInput(item=item, quantity=quantity or Decimal(1), lot=reader.text("lot") or None)] if item else [])


handlers = [plan, visit, sign, week, mine, mine_calendar, on_site, act, work]
