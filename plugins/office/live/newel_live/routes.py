"""GET /api/live/events: what has changed, while a page is open."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.response import Stream
from newel.domain.context import Context
from newel.errors import Problem, Refused
from newel.services.app import Newel
from newel.web.auth import context_of, newel_of
from newel.web.views_text import _

from newel_live.rules import Wanted, wanted
from newel_live.work import hub_of


async def _allowed(newel: Newel, asked: Wanted, context: Context) -> Wanted:
    """Of what is asked, what there is and the user may watch."""
    found = {watch.topic: watch for manifest in newel.registry.manifests.values() for watch in manifest.watches}
    return {topic: await found[topic].allowed(newel, keys, context) for topic, keys in asked.items() if topic in found}


@get("/events", opt={"api": True})
async def events(request: Request[Any, Any, Any]) -> Response[Any]:
    """Tell of changes of ?watch=topic:key.key,topic:key, as server-sent events, for two minutes; 204 where there is nothing to watch."""
    newel, context = newel_of(request), await context_of(request)
    asked = await _allowed(newel, wanted(request.query_params.get("watch", "")), context)
    if not any(asked.values()):
        return Response(None, status_code=204)  # which tells a browser not to ask again
    hub = hub_of(newel)
    listener = hub.enter(context.user.id, asked)
    if listener is None:
        raise Refused(Problem(code="live.full", message="too many pages listen already", hint="pages work without; they ask again later"), status=503)
    words = {"stock": _("Stock has just changed"), "document": _("Somebody else has changed this document."), "load": _("Load it anew"),
             "kept": _("What you have entered stays; when you save, you see both.")}  # fmt: skip
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return Stream(hub.told(listener, words), media_type="text/event-stream", headers=headers)


handlers = [events]
