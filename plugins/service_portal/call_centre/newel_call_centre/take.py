"""Use cases of the call centre: take an event in, and make a request from a call."""

from __future__ import annotations

from typing import Any

from newel.domain.context import Context
from newel.domain.document import Document, DocumentInput
from newel.errors import Problem, Refused, missing
from newel.services.access import require
from newel.services.app import Newel

from newel_call_centre import facts
from newel_call_centre.rules import CallSettings, EventIn, changed, check_event

KIND = "call_centre.call"


async def take(app: Newel, event: EventIn, context: Context) -> int:
    """Note what telephony software tells; returns the call's id. The same event again changes nothing.

    Raises:
        Refused: everything that is wrong with it.
    """
    if problems := list(check_event(event)):
        raise Refused(*problems)
    settings = context.setting("call_centre", CallSettings)
    agent = settings.extensions.get(event.agent, event.agent)
    try:
        return await _note(app, event, agent, context)
    except Refused as refused:
        if not any(p.code == "record.unique" for p in refused.problems):
            raise
        return await _note(app, event, agent, context)  # two events of a new call at once: the other one made it


async def _note(app: Newel, event: EventIn, agent: str, context: Context) -> int:
    async with app.database.write() as session:
        sql = "SELECT * FROM call_centre_call WHERE company = ? AND call = ? FOR UPDATE"
        known = await session.one(sql, context.company.id, event.call)
        values: dict[str, Any] = changed(event, known, agent, context.now)
        if "number" in values and not (known and known["party"]):
            found = await facts.callers(session, event.number)
            values |= {"party": found[0].id} if len(found) == 1 else {}
        return await app.records.save(KIND, known["id"] if known else None, values, context, session=session)


async def request(app: Newel, call: int, context: Context, *, party: int | None = None, text: str = "") -> Document:
    """The request that a call is about, made once; it stays a draft until somebody has written down what is wanted.

    Args:
        party: who calls, where the number does not say it.

    Raises:
        Refused: 404 where there is no such call; 409 where nothing installed takes requests; what is wrong with it.
    """
    require(context, f"{KIND}.edit")
    settings = context.setting("call_centre", CallSettings)
    async with app.database.read() as session:
        found = await facts.calls(session, context, "id = ?", call)
    if not found:
        raise missing("call", call, "id")
    view = found[0]
    if view.document is not None:
        return await app.documents.get(view.document, context)
    if settings.request_kind not in app.registry.documents:
        message, hint = f"nothing installed is {settings.request_kind!r}", "install what takes requests, or change the setting request_kind"
        raise Refused(Problem(code="call_centre.request_kind", message=message, hint=hint), status=409)
    who = party or view.party
    if who is None:
        raise Refused(Problem(code="call_centre.caller", message="it is not known who calls", where="party", hint="choose the partner first"))
    data = {plugin: values for plugin, values in settings.request_data.items() if plugin in app.registry.document_data}
    async with app.database.write() as session:
        entered = DocumentInput(party=who, text=text, data=data)
        made = await app.documents.create(settings.request_kind, entered, context, key=f"call:{call}", session=session)
        await session.flush()  # the call refers to it
        await app.records.save(KIND, call, {"document": made.document.id, "party": who}, context, session=session)
    return made.document
