"""POST /api/inbox/mail: what a mail server hands over, with the token of a program."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, post
from newel.web.auth import context_of, newel_of

from newel_inbox.send import take

BYTES = 4_000_000


@post("/mail", status_code=200, opt={"api": True, "permission": "requests.message.edit"}, request_max_body_size=BYTES)
async def mail(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Take a mail in, as it came (message/rfc822)."""
    taken = await take(newel_of(request), await request.body(), await context_of(request, source="inbox"))
    return Response(msgspec.json.encode(taken), media_type="application/json")


handlers = [mail]
