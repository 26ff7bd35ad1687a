"""The use cases of requests over HTTP and on the page of one: POST /api/requests/information, and /api/requests/documents/{id}/answer, note, assign."""

from __future__ import annotations

from datetime import date

import msgspec
from newel.manifest import Field
from newel.web.operations import Call, Form, operation

from newel_requests import answer as use


class InformationIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is added to a request. number: as quoted."""

    number: str
    text: str


class TextIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that is said."""

    text: str


class AssignIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who deals with it. What is left empty stays as it is. priority: 1 comes first, 9 last."""

    team: str = ""
    assignee: str = ""
    follow_up: date | None = None
    priority: int | None = None


class MessageOut(msgspec.Struct, frozen=True, kw_only=True):
    """Where it was kept."""

    id: int


SAY = (Field(name="text", label="Text", long=True),)
ASSIGN = (
    Field(name="team", label="Team", code_of="requests.team"), Field(name="assignee", label="User", code_of="newel.user"),
    Field(name="follow_up", label="Look at it again on"),
    Field(name="priority", label="Priority", help="1 comes first; empty: as it is."),
)  # fmt: skip


@operation("POST", "/information", body=InformationIn, answer=MessageOut, status=201, errors=(404,), key=True)
async def information(call: Call) -> MessageOut:
    """Add to a request by quoting its number."""
    return MessageOut(id=await use.say(call.newel, call.body.number, call.body.text, call.context, key=call.key))


@operation("POST", "/documents/{id}/answer", body=TextIn, errors=(404,), form=Form(label="Write", fields=SAY, button="Send", done="It is kept."))
async def answer(call: Call) -> None:
    """Say something that requester and staff both read."""
    await use.say(call.newel, call.path["id"], call.body.text, call.context)


@operation("POST", "/documents/{id}/note", body=TextIn, errors=(404,), form=Form(label="Write a note", fields=SAY, button="Keep", done="It is kept."))
async def note(call: Call) -> None:
    """Keep a note that only colleagues read."""
    await use.note(call.newel, call.path["id"], call.body.text, call.context)


@operation(
    "POST", "/documents/{id}/assign", body=AssignIn, errors=(404, 409), form=Form(label="Who does it?", fields=ASSIGN, button="Assign", done="Assigned.")
)
async def assign(call: Call) -> None:
    """Give a request to a team or a user, with a day to look at it again."""
    await use.assign(call.newel, call.path["id"], call.context, **msgspec.structs.asdict(call.body))


handlers = [information, answer, note, assign]
