"""Who sends a request: sessions of people, tokens of programs, and the proof that a form is our own."""

from __future__ import annotations

import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
from litestar import Request
from litestar.enums import ScopeType
from litestar.exceptions import NotAuthorizedException
from litestar.middleware import ASGIMiddleware

from newel.domain.context import Context, User
from newel.errors import Problem, Refused
from newel.services.access import require
from newel.services.users import LoginSession
from newel.web import headers
from newel.web.reading import SAFE, reads
from newel.web.views_text import language

if TYPE_CHECKING:
    from litestar.types import ASGIApp, Receive, Scope, Send

    from newel.services.app import Newel

CSRF_FIELDS, CSRF_HEADERS = ("_csrf_token", "_csrf"), ("x-csrftoken", "x-csrf-token")
BEARER = "bearer "
TOKEN_LENGTH = 200
CONTEXT = "context"


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Who sends the request. session is None for a program with a token; csrf belongs to the session."""

    user: User
    company: int
    session: LoginSession | None = None
    csrf: str = ""


def newel_of(request: Request[Any, Any, Any]) -> Newel:
    """The install that serves the request."""
    found: Newel = request.app.state.newel
    return found


def principal(request: Request[Any, Any, Any]) -> Principal:
    """Who sends the request.

    Raises:
        NotAuthorizedException: nobody that is known.
    """
    found = request.scope.get("auth")
    if not isinstance(found, Principal):
        raise NotAuthorizedException
    return found


async def context_of(request: Request[Any, Any, Any], **more: Any) -> Context:
    """The context of an action of this request: user, company, time, settings. `more` goes into the Context (overrides, source)."""
    who, newel, kept = principal(request), newel_of(request), request.scope["state"].get(CONTEXT)
    if kept is None:
        source = "api" if is_api(request.scope["path"]) else "screen"
        async with newel.database.read() as session:
            kept = await newel.context(session, who.user, who.company, source=source)
        request.scope["state"][CONTEXT] = kept
    return msgspec.structs.replace(kept, **more) if more else kept


def is_api(path: str) -> bool:
    """Whether programs, and not people, ask for this address."""
    return path == "/api" or path.startswith("/api/")


def cookie_name(newel: Newel) -> str:
    """Name of the session's cookie; with the prefix that browsers enforce where we are on https."""
    return "__Host-newel_session" if newel.config.secure_cookies else "newel_session"


class Access(ASGIMiddleware):
    """Lets a request through to its handler if it may be there.

    A handler says in `opt` what it needs: nothing for somebody who is known, permission="..." for a right, public=True for anybody, and
    open=True for anybody without even looking who it is (static files, health).
    """

    scopes = (ScopeType.HTTP,)

    def __init__(self, newel: Newel) -> None:
        self.newel = newel

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Find out who it is, and check what must be checked before any handler runs."""
        request: Request[Any, Any, Any] = Request(scope, receive=receive, send=send)
        opt = scope["route_handler"].opt
        refuse_control_characters(scope)
        headers.nonce(scope)
        if opt.get("open"):
            await next_app(scope, receive, send)
            return
        found = await self._principal(request)
        scope["auth"] = found
        scope["user"] = found.user if found else None
        if found is not None:
            language.set(found.user.language or "en")
            if found.csrf:
                scope["state"][headers.NONCE] = headers.nonce_of(found.csrf)
        if not opt.get("public"):
            if found is None:
                raise NotAuthorizedException
            if request.method not in SAFE and found.session is not None:
                await refuse_forged(request, found.csrf)
            if permission := opt.get("permission"):
                require(await context_of(request), permission)
            elif not is_api(scope["path"]):
                with suppress(Refused):  # for the frame of an error page; whoever needs the context asks, and is refused then
                    await context_of(request)
        with reads(request, self.newel, found is not None and found.session is not None):
            await next_app(scope, receive, send)

    async def _principal(self, request: Request[Any, Any, Any]) -> Principal | None:
        given = request.headers.get("authorization", "")
        if given:
            if given[: len(BEARER)].lower() != BEARER or len(given) > TOKEN_LENGTH:
                return None
            known = await self.newel.users.by_token(given[len(BEARER) :].strip())
            return Principal(user=known[0], company=known[1]) if known else None
        token = request.cookies.get(cookie_name(self.newel), "")
        session = await self.newel.users.by_session(token) if 0 < len(token) <= TOKEN_LENGTH else None
        return Principal(user=session.user, company=session.company, session=session, csrf=session.csrf) if session else None


FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def refuse_foreign(request: Request[Any, Any, Any]) -> None:
    """Refuse a write that a page of another site has sent."""
    site, origin = request.headers.get("sec-fetch-site", ""), request.headers.get("origin", "")
    foreign = site not in ("", "same-origin", "none") if site else bool(origin) and urlsplit(origin).netloc != request.headers.get("host", "")
    if foreign:
        raise forged()


async def refuse_forged(request: Request[Any, Any, Any], csrf: str) -> None:
    """A browser sends cookies with requests that another site made: only our own pages know the session's token."""
    refuse_foreign(request)
    given = next((v for h in CSRF_HEADERS if (v := request.headers.get(h))), "")
    if not given and not is_api(request.scope["path"]) and request.content_type[0] in FORMS:
        form = await request.form()
        given = next((v for f in CSRF_FIELDS if isinstance(v := form.get(f), str)), "")
    if not secrets.compare_digest(given.encode(), csrf.encode()):
        raise forged()


def forged() -> Refused:
    """The error for a write that does not come from one of our pages."""
    problem = Problem(code="csrf", message="this form does not belong to your session", hint="load the page anew and send the form again")
    return Refused(problem, status=403)


def refuse_control_characters(scope: Scope) -> None:
    """No database column takes a NUL, and no address of ours has a control character in it."""
    path, query = scope["path"], scope["query_string"].lower()
    if any(c < " " or c == "\x7f" for c in path) or b"%00" in query:
        problem = Problem(code="text.control", message="the address has control characters in it", where="path", hint="leave them out")
        raise Refused(problem, status=400)
