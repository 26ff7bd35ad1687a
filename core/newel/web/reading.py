"""Which requests may read from the replica: those that only look, once it has all that their sender has written.

An answer to a change says where the primary was, as a cookie and as a header; the next request brings it back. A program that brings none
reads from the primary, since it may not keep cookies.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from litestar.datastructures import Cookie, MutableScopeHeaders

from newel.store.replica import Reading, reading

if TYPE_CHECKING:
    from litestar import Request
    from litestar.types import Message, Scope

    from newel.services.app import Newel

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
NAME = "newel_position"
HEADER = "newel-position"
DIGITS = 18


@contextmanager
def reads(request: Request[Any, Any, Any], newel: Newel, person: bool) -> Iterator[None]:
    """Around the handler of a request. person: who sends it is logged in with a browser, which keeps cookies."""
    if newel.database.replica is None:
        yield
        return
    given = request.headers.get(HEADER) or request.cookies.get(NAME) or ("0" if person else "")
    looks = request.method in SAFE and given.isdecimal() and len(given) <= DIGITS
    token = reading.set(Reading(int(given) if looks else None))
    try:
        yield
    finally:
        reading.reset(token)


class Position:
    """Hook that tells whoever has changed something where the primary is now."""

    def __init__(self, newel: Newel) -> None:
        self.newel = newel

    async def __call__(self, message: Message, scope: Scope) -> None:  # noqa: ARG002 (Litestar calls it with it)
        """Add the header and the cookie; the cookie lives as long as the replica may be behind."""
        current, replica = reading.get(), self.newel.database.replica
        if message["type"] != "http.response.start" or current is None or not current.wrote or replica is None:
            return
        position, headers = str(await replica.position()), MutableScopeHeaders.from_message(message)
        cookie = Cookie(NAME, value=position, max_age=int(replica.most) + 5, httponly=True, secure=self.newel.config.secure_cookies)
        headers[HEADER] = position
        headers.add("set-cookie", cookie.to_header(header=""))
