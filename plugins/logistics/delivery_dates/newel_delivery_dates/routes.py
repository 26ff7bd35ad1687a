"""POST /api/delivery_dates/documents/{id}/promise, and the same on the page of a sale: the days are promised."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import msgspec
from newel.domain.document import Line, ScheduleInput
from newel.domain.facts import Facts
from newel.errors import Problem, Refused
from newel.manifest import Field
from newel.services.access import require
from newel.store.master import load_master
from newel.web.operations import Call, Form, operation

from newel_delivery_dates.facts import load
from newel_delivery_dates.rules import latest, promises


class PromiseIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which lines. again: also those of which a day has been confirmed already."""

    again: bool = False


FORM = Form(
    label="Promise these days", button="Promise", done="The days are promised.",
    fields=(Field(name="again", label="Also lines with a confirmed day", help="Otherwise their day stays."),),
)  # fmt: skip


@operation("POST", "/documents/{id}/promise", body=PromiseIn, errors=(404, 409), form=FORM)
async def promise(call: Call) -> None:
    """Confirm to the customer the day on which each line can be there, or the later one that is asked for."""
    newel, context = call.newel, call.context
    document = await newel.documents.get(call.path["id"], context)
    require(context, f"{document.kind}.schedule")
    async with newel.database.read() as session:
        master = await load_master(session)
        found = await load(document, Facts([master]), session, context)
    dated = promises(document, found, master, context) if found else []
    every = {x.line.id: x for x in dated} | latest(dated)
    wanted = {
        line.id: tuple(_scheduled(line, x.asked, x.promise.earliest))
        for line in document.lines
        if (x := every.get(line.id)) and x.promise.earliest and (call.body.again or not any(s.date_confirmed for s in line.schedules))
    }
    if not wanted:
        hint = "lines that have a confirmed day are left out unless you say so"
        raise Refused(Problem(code="delivery_dates.nothing", message="there is no line whose day could be promised", hint=hint), status=409)
    await newel.documents.schedule(document.id, document.version, wanted, context)


def _scheduled(line: Line, asked: date | None, earliest: date) -> Iterator[ScheduleInput]:
    """The deliveries of a line with the day that can be kept, or the later one that each is asked for."""
    for s in line.schedules or (ScheduleInput(quantity=line.quantity, date_requested=asked),):
        day = max(earliest, s.date_requested or earliest)
        yield ScheduleInput(quantity=s.quantity, date_requested=s.date_requested, date_confirmed=day, release_code=s.release_code)


handlers = [promise]
