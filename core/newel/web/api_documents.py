"""Documents of every kind over the API."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from newel.domain.context import Context
from newel.domain.document import Document
from newel.errors import Problem, Refused, missing
from newel.services import actions
from newel.services.entered import as_input
from newel.web import api_types as a
from newel.web.api_convert import OutcomeOut, as_body, deliveries, document_out, entered, outcome_out, parts
from newel.web.operations import END, Call, Id, operation

MADE = {"answer": OutcomeOut, "status": 201, "key": True, "errors": (404, 409, 424), "tag": "documents"}
DONE = {"answer": OutcomeOut, "key": True, "errors": (404, 409, 424), "tag": "documents"}
Then = Annotated[str, Meta(max_length=200, pattern="^([a-z][a-z0-9_]*(,[a-z][a-z0-9_]*)*)?" + END)]


class CreateQuery(a.Input, frozen=True, kw_only=True):
    """`then`: transitions to carry out at once, separated by commas."""

    then: Then = ""


class PreviewQuery(a.Input, frozen=True, kw_only=True):
    """`id`: of the stored document that would be changed. `transition`: that would follow."""

    id: Id | msgspec.UnsetType = msgspec.UNSET
    transition: Then = ""


class GetQuery(a.Input, frozen=True, kw_only=True):
    """`preview`: also what stands in the way of each transition."""

    preview: bool = False


# ---- looking -----------------------------------------------------------------------------------------------------------------------


@operation("GET", "/document/{id}", answer=a.DocumentOut, query=GetQuery, errors=(404, 409, 424), tag="documents")
async def get_document(call: Call) -> a.DocumentOut:
    """Read a document with everything in it, and what may be done with it now."""
    document = await call.newel.documents.get(call.path["id"], call.context)
    return document_out(document, **await _actions(call, document, call.query.preview))


async def _actions(call: Call, document: Document, preview: bool) -> dict[str, list[a.ActionOut]]:
    registry, user = call.newel.registry, call.context.user
    if document.kind not in registry.documents:
        return {}
    ways = []
    for t in actions.transitions(registry, document, user):
        problems: list[Problem] = []
        if preview:
            try:
                problems = list((await call.newel.documents.preview_act(document.id, t.name, call.context)).problems)
            except Refused as refused:
                problems = list(refused.problems)
        ways.append(a.ActionOut(name=t.name, label=t.label, target=t.target, primary=t.primary, problems=problems))
    flows = [
        a.ActionOut(name=f"{f.target_kind}:{f.name}", label=f.label, target=f.target_kind, primary=f.primary) for f in actions.flows(registry, document, user)
    ]
    return {"transitions": ways, "flows": flows}


@operation("GET", "/document/{id}/input", answer=a.DocumentBody, errors=(404,), tag="documents")
async def get_input(call: Call) -> a.DocumentBody:
    """Read a document as it was entered: change it and send it back with PUT."""
    return as_body(as_input(await call.newel.documents.get(call.path["id"], call.context)))


# ---- writing -----------------------------------------------------------------------------------------------------------------------


def _then(text: str) -> tuple[str, ...]:
    return tuple(name for name in text.split(",") if name)


@operation("POST", "/documents/{kind}", body=a.DocumentBody, query=CreateQuery, **MADE)
async def create_document(call: Call) -> OutcomeOut:
    """Make a document, and carry out transitions in the same transaction."""
    outcome = await call.newel.documents.create(call.path["kind"], entered(call.body), call.context, key=call.key, then=_then(call.query.then))
    return outcome_out(outcome, call.context)


@operation("POST", "/documents/{kind}/preview", body=a.DocumentBody, query=PreviewQuery, **{**DONE, "key": False})
async def preview_document(call: Call) -> OutcomeOut:
    """Say what a document would become: prices, taxes, stock, entries and every problem. Nothing is written."""
    outcome = await call.newel.documents.preview(
        call.path["kind"], entered(call.body), call.context, id=call.query.id or None, transition=call.query.transition
    )
    return outcome_out(outcome, call.context)


@operation("PUT", "/document/{id}", body=a.DocumentChange, match=True, **{**DONE, "errors": (404, 409, 424, 428)})
async def update_document(call: Call) -> OutcomeOut:
    """Replace what was entered. Send the version that you have seen, in the body or as If-Match."""
    outcome = await call.newel.documents.update(call.path["id"], _seen(call), entered(call.body), call.context, key=call.key)
    return outcome_out(outcome, call.context)


@operation("PUT", "/document/{id}/schedules", body=a.ScheduleChange, answer=a.DocumentOut, match=True, errors=(404, 409, 428), tag="documents")
async def schedule_document(call: Call) -> a.DocumentOut:
    """Promise dates: set the scheduled deliveries of lines, also after the document has become open. Their quantities add up to the line's."""
    document = await call.newel.documents.schedule(call.path["id"], _seen(call), deliveries(call.body.lines), call.context)
    return document_out(document, **await _actions(call, document, False))


def _seen(call: Call) -> int:
    """The version that the caller has seen; Refused 428 where it does not say."""
    version = _version(call)
    if version is None:
        problem = Problem(code="version.missing", message="which version have you seen?", where="version", hint="send version, or If-Match")
        raise Refused(problem, status=428)
    return version


def _version(call: Call) -> int | None:
    version: int | None = call.body.version
    return version if version is not None else call.match


@operation("POST", "/document/{id}/transitions/{transition}", body=a.TransitionBody, match=True, **DONE)
async def act(call: Call) -> OutcomeOut:
    """Carry out a transition, such as confirm, ship or post."""
    context: Context = msgspec.structs.replace(call.context, overrides=frozenset(call.body.override))
    outcome = await call.newel.documents.act(call.path["id"], call.path["transition"], context, version=_version(call), key=call.key)
    return outcome_out(outcome, context)


@operation("POST", "/document/{id}/transitions/{transition}/preview", **{**DONE, "key": False})
async def preview_act(call: Call) -> OutcomeOut:
    """Say what a transition of a stored document would do. Nothing is written."""
    outcome = await call.newel.documents.preview_act(call.path["id"], call.path["transition"], call.context)
    return outcome_out(outcome, call.context)


@operation("POST", "/document/{id}/flows/{flow}", body=a.FlowBody, **MADE)
async def follow(call: Call) -> OutcomeOut:
    """Go on in another document, such as a delivery or an invoice, with what is open or with named parts of it.

    `also` names further documents of the same party and currency that go into the same new one.
    """
    body: a.FlowBody = call.body
    outcome = await call.newel.documents.follow(
        [call.path["id"], *body.also], call.path["flow"], call.context, lines=parts(body.lines), input=entered(body.input), then=body.then,
        key=call.key,
    )  # fmt: skip
    return outcome_out(outcome, call.context)


@operation("POST", "/document/{id}/copy", **MADE)
async def copy_document(call: Call) -> OutcomeOut:
    """Make a new draft with the same entries, priced anew."""
    return outcome_out(await call.newel.documents.copy(call.path["id"], call.context, key=call.key), call.context)


@operation("POST", "/document/{id}/holds/{hold}/release", answer=a.DocumentOut, errors=(404, 409, 424), tag="documents")
async def release_hold(call: Call) -> a.DocumentOut:
    """Release a hold; it is recorded who did it. Releasing it again changes nothing."""
    documents = call.newel.documents
    document = await documents.get(call.path["id"], call.context)
    found = next((h for h in document.holds if h.id == call.path["hold"]), None)
    if found is None:
        raise missing("hold", call.path["hold"], "hold")
    if found.active:
        await documents.release(found.id, call.context)
        document = await documents.get(document.id, call.context)
    return document_out(document, **await _actions(call, document, False))


operations = [
    create_document, preview_document, get_document, update_document, schedule_document, get_input, act, preview_act, follow, copy_document, release_hold,
]  # fmt: skip
