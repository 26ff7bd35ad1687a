"""Use cases of requests: say something about one, and give it to somebody. Screen, API, mail and portal come through here."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
from newel.domain.context import Context
from newel.domain.document import Document
from newel.errors import missing
from newel.services.app import Newel
from newel.services.entered import as_input

from newel_requests.rules import KIND, header


async def find(app: Newel, request: int | str, context: Context) -> Document:
    """A request by id, or by the number that somebody quotes.

    Raises:
        Refused: 404 where there is none that the user may see.
    """
    if isinstance(request, str):
        async with app.database.read() as session:
            found = await session.value("SELECT id FROM document WHERE number = ? AND kind = ? AND company = ?", request.strip(), KIND, context.company.id)
        if found is None:
            raise missing("request", request[:40], "number")
        request = int(found)
    document = await app.documents.get(request, context)
    if document.kind != KIND or document.party is None:
        raise missing("request", request, "number")
    return document


async def say(app: Newel, request: int | str, text: str, context: Context, *, sender: str = "", from_requester: bool = False, key: str | None = None) -> int:
    """Add to a request; returns the message's id. What the requester adds takes up the work again where it waited for that (SRV-04).

    Args:
        request: id, or number as quoted.
        sender: e-mail address it came from, where that says more than the user.
        from_requester: a program hands on what the requester wrote; what users write who stand for a party always is.
        key: idempotency key: the same message is kept once.
    """
    document = await find(app, request, context)
    assert document.party is not None
    staff = context.user.party is None and not from_requester
    values = {"document": document.id, "party": document.party.id, "staff": staff, "sender": sender, "text": text}
    async with app.database.write() as session:
        id = await app.records.save("requests.message", None, values, context, key=key, session=session)
        if not staff and document.state == "waiting":
            own = msgspec.structs.replace(app.system(context.company), now=context.now, today=context.today, source="requests")
            await app.documents.act(document.id, "start", own, session=session)
    return id


async def note(app: Newel, request: int | str, text: str, context: Context) -> int:
    """Add a note for colleagues; returns its id."""
    document = await find(app, request, context)
    return await app.records.save("requests.note", None, {"document": document.id, "text": text}, context)


async def assign(
    app: Newel, request: int | str, context: Context, *, team: str = "", assignee: str = "", follow_up: date | None = None, priority: int | None = None
) -> Document:
    """Give a request to a team or user, with the day on which somebody looks at it again; what is left empty stays as it is.

    Raises:
        Refused: everything that is wrong; 409 where it is done already.
    """
    document = await find(app, request, context)
    given: dict[str, Any] = {"team": team, "assignee": assignee, "follow_up": follow_up, "priority": priority}
    data = msgspec.structs.replace(header(document), **{name: value for name, value in given.items() if value not in ("", None)})
    entered = msgspec.structs.replace(as_input(document), data={**document.data, "requests": data})
    return (await app.documents.update(document.id, document.version, entered, context)).document
