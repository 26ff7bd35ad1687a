"""A slow line between browser and server: answers come late, in pieces and in another order. What works on it works on every machine."""

from __future__ import annotations

import asyncio
import os
import random
from typing import TYPE_CHECKING

from litestar.enums import ScopeType

if TYPE_CHECKING:
    from litestar.types import ASGIApp, Message, Receive, Scope, Send

VARIABLE = "NEWEL_SLOW"


def on_slow_line(app: ASGIApp) -> ASGIApp:
    """The application, over a line as slow as NEWEL_SLOW says; without it the application itself.

    A question waits before it reaches the application, the head of its answer comes before the body, and the body comes in two pieces: each pause lasts
    from nothing to NEWEL_SLOW seconds. Another value gives other pauses, the same one the same row of them.

    Raises:
        ValueError: NEWEL_SLOW is no number.
    """
    text = os.environ.get(VARIABLE, "")
    if not text:
        return app
    most, chance = float(text), random.Random(text)  # noqa: S311 (pauses are no secrets)

    async def slowly(scope: Scope, receive: Receive, send: Send) -> None:
        async def pause() -> None:
            await asyncio.sleep(chance.uniform(0, most))

        async def piecewise(message: Message) -> None:
            if message["type"] == "http.response.body" and (body := message["body"]):
                cut = chance.randrange(len(body))
                await pause()
                await send({"type": "http.response.body", "body": body[:cut], "more_body": True})
                await pause()
                message["body"] = body[cut:]
            await send(message)

        await pause()
        await app(scope, receive, piecewise if scope["type"] == ScopeType.HTTP else send)

    return slowly
