"""Use cases of visits: plan one, take down what was done, let it be signed, and plan what is looked after regularly."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import msgspec
from newel.domain.context import Context
from newel.domain.document import Document, DocumentInput, LineInput
from newel.errors import NewelError, Refused, missing
from newel.services.app import Newel
from newel.services.entered import as_input
from newel.store.session import Session, day

from newel_visits import rules
from newel_visits.rules import DEVICE, VISIT, Task, VisitData, VisitsSettings, header

DUE = (
    "SELECT m.*, t.code AS technician_code, c.code AS checklist_code FROM visits_maintenance m LEFT JOIN visits_technician t ON t.id = m.technician "
    "LEFT JOIN visits_checklist c ON c.id = m.checklist WHERE m.company = ? AND m.active = ? AND m.next <= ? ORDER BY m.id"
)


async def find(app: Newel, id: int, context: Context) -> Document:
    """A visit.

    Raises:
        Refused: 404 where there is none that the user may see.
    """
    document = await app.documents.get(id, context)
    if document.kind != VISIT:
        raise missing("visit", id)
    return document


async def plan(app: Newel, visit: Document, values: dict[str, Any], context: Context, session: Session | None = None) -> Document:
    """Say who goes, when and for how long; what is empty stays as it is.

    Args:
        values: day (a date), and technician, helpers, time and minutes as in VisitData.

    Raises:
        Refused: everything that is wrong; 409 where somebody else has changed the visit.
    """
    own = {name: value for name, value in values.items() if name != "day" and value not in ("", None, ())}
    entered = as_input(visit)
    entered = msgspec.structs.replace(
        entered, date_requested=values.get("day") or visit.date_requested, data={**visit.data, "visits": msgspec.structs.replace(header(visit), **own)}
    )
    return (await app.documents.update(visit.id, visit.version, entered, context, session=session)).document


async def for_request(app: Newel, request: int, values: dict[str, Any], context: Context) -> Document:
    """Turn a request into a visit and plan it, all or nothing; where that was done before, it gets a further visit to the same pieces.

    Raises:
        Refused: everything that is wrong.
    """
    async with app.database.write() as session:
        asked = await app.documents.get(request, context, session=session)
        data = asked.data.get("requests")
        if data is None or not hasattr(data, "target"):
            raise missing("request", request)
        if asked.lines and not any(line.kind != "text" and line.quantity_open("converted") > 0 for line in asked.lines):
            visit = (await app.documents.create(VISIT, _again(asked), context, session=session)).document
            await session.flush()
            return await plan(app, visit, values, context, session)
        if data.target != VISIT:
            entered = msgspec.structs.replace(as_input(asked), data={**asked.data, "requests": msgspec.structs.replace(data, target=VISIT)})
            await app.documents.update(asked.id, asked.version, entered, context, session=session)
            await session.flush()
        outcome = await app.documents.act(asked.id, "convert", context, session=session)
        await session.flush()
        visit = await app.documents.get(outcome.made[0], context, session=session)
        return await plan(app, visit, values, context, session)


def _again(asked: Document) -> DocumentInput:
    lines = tuple(LineInput(kind=DEVICE, item=x.item.id, lot=x.lot) for x in asked.lines if x.item and x.item.tracking != "none")
    return DocumentInput(
        party=asked.party.id if asked.party else None, ship_to=asked.ship_to.id if asked.ship_to else None, reference=asked.number, text=asked.text, lines=lines
    )


async def work(app: Newel, visit: Document, tasks: Sequence[Task], lines: Sequence[LineInput], context: Context) -> Document:
    """Take down on site what was checked, and time and material that were used.

    Args:
        lines: to be added.

    Raises:
        Refused: everything that is wrong; 409 where somebody else has changed the visit.
    """
    entered = as_input(visit)
    data = msgspec.structs.replace(header(visit), tasks=tuple(tasks))
    entered = msgspec.structs.replace(entered, lines=(*entered.lines, *lines), data={**visit.data, "visits": data})
    return (await app.documents.update(visit.id, visit.version, entered, context)).document


async def sign(app: Newel, visit: Document, name: str, text: str, context: Context) -> int:
    """Keep the report that the customer signs, with what is signed for; returns its id.

    Args:
        name: of who signs. text: what was done, and what is left.
    """
    values = {"document": visit.id, "party": visit.party.id if visit.party else None, "name": name.strip(), "text": text.strip()}
    return await app.records.save("visits.report", None, {**values, "work": rules.fingerprint(visit.lines)}, context)


# ---- regular maintenance ---------------------------------------------------------------------------------------------------------------


async def repeat(app: Newel, _payload: dict[str, Any], _context: Context) -> None:
    """Job: plan the visits of regular maintenance that are due soon, in all companies.

    Raises:
        NewelError: naming every visit that could not be planned; the others are.
    """
    refused = [problem for context in await app.every_company("visits") for problem in await _company(app, context)]
    if refused:
        raise NewelError("; ".join(refused))


async def _company(app: Newel, context: Context) -> list[str]:
    until = context.today + timedelta(days=context.setting("visits", VisitsSettings).ahead_days)
    async with app.database.read() as session:
        rows = await session.fetch(DUE, context.company.id, True, until)
    refused = []
    for row in rows:
        due = day(row["next"])
        try:
            while due and due <= until:
                due = await _next(app, row, due, context)
        except Refused as error:
            refused.append(f"regular maintenance {row['id']}: {error}")
    return refused


async def _next(app: Newel, row: Any, due: date, context: Context) -> date:
    """Plan one visit, and say when the next one is due: both or neither."""
    data = VisitData(technician=row["technician_code"] or "", time=row["time"], minutes=row["minutes"], checklist=row["checklist_code"] or "")
    line = LineInput(kind=DEVICE, item=row["item"], lot=row["lot"])
    entered = DocumentInput(party=row["party"], date_requested=due, ship_to=row["ship_to"], text=row["text"], lines=(line,), data={"visits": data})
    after = rules.later(due, row["months"])
    async with app.database.write() as session:
        await app.documents.create(VISIT, entered, context, session=session, key=f"visits:{row['id']}:{due}")
        await app.records.save("visits.maintenance", row["id"], {"next": after.isoformat()}, context, session=session)
    return after
