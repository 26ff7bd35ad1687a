"""POST /api/call_centre/events for telephony software, GET /api/call_centre/pop for clients of agents, and the page /call_centre for agents."""

from __future__ import annotations

import os
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath
from newel.errors import Problem, Refused
from newel.services.access import require
from newel.services.lists import visible
from newel.web.auth import context_of, newel_of
from newel.web.operations import Call, Id, operation
from newel.web.render import Web, fragment, page, redirect, shell
from newel.web.views_text import _

from newel_call_centre import facts
from newel_call_centre.rules import SECRETS, CallSettings, EventIn, signed
from newel_call_centre.take import request as make_request
from newel_call_centre.take import take

VIEW = "call_centre.call.view"
PHASES = {"ringing": "open", "talking": "done", "ended": "draft", "missed": "error"}


class CallOut(msgspec.Struct, frozen=True, kw_only=True):
    """Where the call is kept."""

    id: int


class AgentIn(msgspec.Struct, frozen=True, kw_only=True):
    """Whose call; the user's own unless given."""

    agent: str = ""


class PopOut(msgspec.Struct, frozen=True, kw_only=True):
    """The call that somebody has now; nothing while the telephone is silent."""

    pop: facts.Pop | None = None


class RequestIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the caller wants; party: who it is, where the number does not say it."""

    text: str = ""
    party: Id | None = None


class RequestOut(msgspec.Struct, frozen=True, kw_only=True):
    """The request that was made."""

    id: int
    number: str


async def _prove(call: Call) -> None:
    """Where a secret is set, an event is signed with it: a token alone could be read off a telephone system's log."""
    settings = call.context.setting("call_centre", CallSettings)
    secret = os.environ.get(settings.secret_variable, "") if settings.secret_variable.startswith(SECRETS) else ""
    header = call.request.headers.get("x-newel-signature", "")
    if secret and not signed(header, secret, await call.request.body(), call.newel.clock()):
        message, hint = "the event is not signed, not with our secret, or too long ago", "send X-Newel-Signature: t=<seconds>,v1=<HMAC-SHA256>"
        raise Refused(Problem(code="call_centre.signature", message=message, where="X-Newel-Signature", hint=hint), status=403)


@operation("POST", "/events", body=EventIn, answer=CallOut)
async def events(call: Call) -> CallOut:
    """Tell of a call: it rings, was answered, has ended, was recorded."""
    await _prove(call)
    return CallOut(id=await take(call.newel, call.body, call.context))


@operation("GET", "/pop", query=AgentIn, answer=PopOut)
async def pop(call: Call) -> PopOut:
    """Who is calling: the call that an agent has now, with the partner and what is open of them."""
    return PopOut(pop=await _pop(call.newel, call.context, call.query.agent or call.context.user.login))


@operation("POST", "/calls/{id}/request", body=RequestIn, answer=RequestOut, status=201, errors=(404, 409))
async def request(call: Call) -> RequestOut:
    """Make a request from a call; where there is one already, that one."""
    made = await make_request(call.newel, call.path["id"], call.context, party=call.body.party, text=call.body.text)
    return RequestOut(id=made.id, number=made.number)


async def _pop(newel: Any, context: Any, agent: str) -> facts.Pop | None:
    require(context, VIEW)
    async with newel.database.read() as session:
        return await facts.pop(session, context, agent, visible(newel, context))


async def _view(request: Web) -> dict[str, Any]:
    newel, context = newel_of(request), await context_of(request)
    found = await _pop(newel, context, context.user.login)
    async with newel.database.read() as session:
        last = await facts.calls(session, context, "agent = ?", context.user.login, limit=15)
        ids = sorted({c.party for c in last if c.party})
        names = {r["id"]: r["name"] for r in await session.fetch("SELECT id, name FROM party WHERE id = ANY(?)", ids)} if ids else {}
    kinds = newel.registry.documents
    return {
        "pop": found, "calls": last, "names": names, "phases": PHASES, "kinds": {k: _(v.label) for k, v in kinds.items()},
        "states": {(k, s.name): _(s.label) for k, v in kinds.items() for s in v.states}, "words": {n: _(n.capitalize()) for n in PHASES},
        "may_ask": context.user.may("call_centre.call.edit"), "shell": shell(request, newel, context),
    }  # fmt: skip


@get("/", opt={"permission": VIEW})
async def agent(request: Web) -> Response[Any]:
    """What an agent has on the screen all day: who calls, and the last calls."""
    view = await _view(request)
    view.pop("shell")
    return page(request, await context_of(request), "call_centre/agent.html", _("My calls"), **view)


@get("/now", opt={"permission": VIEW})
async def now(request: Web) -> Response[Any]:
    """The part of it that changes."""
    return fragment(request, "call_centre/now.html", **await _view(request))


@post("/calls/{id:int}/request", status_code=200, opt={"permission": "call_centre.call.edit"})
async def ask(request: Web, id: FromPath[int]) -> Response[Any]:
    """Make a request and open its form."""
    form = await request.form()
    party = form.get("party", "")
    who = int(party) if isinstance(party, str) and party.isascii() and party.isdigit() else None
    made = await make_request(newel_of(request), id, await context_of(request), party=who)
    return redirect(f"/document/{made.id}/edit" if made.phase == "draft" else f"/document/{made.id}")


handlers = [events, pop, request, agent, now, ask]
