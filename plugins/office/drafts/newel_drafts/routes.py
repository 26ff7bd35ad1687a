"""Addresses of drafts: a page for people, and what the script in the forms asks for."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, delete, get, put
from litestar.params import FromPath
from newel.errors import missing
from newel.web.auth import context_of, newel_of
from newel.web.render import Web, page
from newel.web.views_text import _

from newel_drafts import facts
from newel_drafts.rules import Draft, checked

JSON = "application/json"


@get("/")
async def mine(request: Web) -> Response[str]:
    """Everything that the user has begun and not saved."""
    context = await context_of(request)
    async with newel_of(request).database.read() as session:
        rows = await facts.listed(session, context)
    return page(request, context, "drafts/list.html", _("My drafts"), rows=rows)


@get("/kept", opt={"api": True})
async def kept(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The user's drafts of the form at ?place=, and the words that the script says."""
    context = await context_of(request)
    async with newel_of(request).database.read() as session:
        found = await facts.listed(session, context, request.query_params.get("place", ""))
    words = {"lines": _("lines"), "kept": _("draft kept"), "restored": _("Draft restored"), "mine": _("My drafts"), "go": _("Go on"), "discard": _("Discard")}
    return Response(msgspec.json.encode({"drafts": found, "words": words}), media_type=JSON)


@get("/kept/{key:str}", opt={"api": True})
async def read(request: Request[Any, Any, Any], key: FromPath[str]) -> Response[bytes]:
    """One draft with its fields."""
    async with newel_of(request).database.read() as session:
        found = await facts.one(session, await context_of(request), key)
    if found is None:
        raise missing("draft", key, "key")
    return Response(msgspec.json.encode(found), media_type=JSON)


@put("/kept", opt={"api": True})
async def keep(request: Request[Any, Any, Any]) -> Response[None]:
    """Keep what stands in a form."""
    draft = checked(msgspec.json.decode(await request.body(), type=Draft))
    context = await context_of(request)
    async with newel_of(request).database.write() as session:
        await facts.keep(session, context, draft)
    return Response(None, status_code=204)


@delete("/kept/{key:str}", opt={"api": True}, status_code=204)
async def drop(request: Request[Any, Any, Any], key: FromPath[str]) -> None:
    """Forget a draft."""
    context = await context_of(request)
    async with newel_of(request).database.write() as session:
        await facts.drop(session, context, key)


handlers = [mine, kept, read, keep, drop]
