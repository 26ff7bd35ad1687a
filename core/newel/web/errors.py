"""Everything that goes wrong, as a problem document for programs (RFC 9457) and as a page for people."""

from __future__ import annotations

import logging
import re
import secrets
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import msgspec
from litestar import Request
from litestar.exceptions import HTTPException, ValidationException
from litestar.response import Redirect, Response, Template

from newel.errors import Conflict, PluginFailed, Problem, Refused
from newel.services.access import helpers
from newel.store.session import unavailable
from newel.web import render
from newel.web.auth import CONTEXT, Principal, is_api
from newel.web.headers import nonce
from newel.web.views_text import _, said

log = logging.getLogger("newel.web")
MEDIA_TYPE = "application/problem+json"
AT = re.compile(r" - at `(?:key in )?\$\.?(?P<where>[^`]*)`$")
NEEDED = re.compile(r"'([a-z0-9_.*]+)'")
CODES = {
    400: ("request", _("look at the address and what was sent")), 401: ("login", _("log in, or send a token: Authorization: Bearer ...")),
    403: ("permission", _("ask an administrator")), 404: ("missing", _("check the address")), 405: ("method", _("this address does not do that")),
    413: ("request.large", _("send less at once")), 415: ("request.type", _("send application/json")), 429: ("limit", _("wait a little")),
}  # fmt: skip
PHRASES = (
    _("Bad Request"), _("Forbidden"), _("Not Found"), _("Method Not Allowed"), _("Conflict"), _("Precondition Failed"), _("Unprocessable Entity"),
    _("Failed Dependency"), _("Too Many Requests"), _("Internal Server Error"), _("Service Unavailable"),
)  # fmt: skip


class ProblemDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The body of every answer that is an error: RFC 9457, with all problems at once.

    Args:
        type: "urn:newel:problem:" and the code of the first problem; codes are stable and listed in docs/errors.md.
        reference: of a server error, found in the log.
    """

    type: str
    title: str
    status: int
    detail: str
    instance: str
    problems: tuple[Problem, ...] = ()
    reference: str = ""


def handle(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """The answer to a request that failed."""
    status, problems, reference = explained(error)
    if status in (HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS):
        known = request.scope.get("user")
        log.warning(
            "refused %s %s: %s %s by %s", status, problems[0].code, request.method, request.scope["path"][:300], known.login if known else "nobody known"
        )
    more = dict(getattr(error, "headers", None) or {}) if isinstance(error, HTTPException) else {}
    if reference:
        if status == 500 and (own := _owner(request)):
            failed = PluginFailed(own, f"the page {request.scope['path']}", f"{type(error).__name__}: {error}")
            request.app.state.newel.plugins.note(failed)
            problems = (Problem(code="server", message=f"plugin {own!r} failed: {type(error).__name__}", hint=problems[0].hint, plugin=own),)
        log.error("reference %s: %s %s", reference, request.method, request.scope["path"], exc_info=error)
    if is_api(request.scope["path"]):
        return document(request, status, problems, reference, more)
    if status == HTTPStatus.UNAUTHORIZED:
        return _to_login(request)
    return _page(request, status, problems, reference, more)


def explained(error: Exception) -> tuple[int, tuple[Problem, ...], str]:
    """(status, problems, reference): the reference is empty unless the fault is ours."""
    if isinstance(error, Refused):
        return error.status, error.problems, ""
    if isinstance(error, PluginFailed):
        return 424, (error.problem(),), ""
    if isinstance(error, Conflict):
        hint = "nothing was changed; an administrator can say in newel.toml which one precedes"
        return 424, (Problem(code="plugin.conflict", message=str(error), hint=hint),), ""
    if isinstance(error, ValidationException):
        return 400, tuple(_invalid(error)), ""
    if isinstance(error, msgspec.ValidationError):
        return 400, (from_msgspec(error),), ""
    gone = isinstance(error, HTTPException) and error.detail == "client disconnected prematurely"  # Litestar calls it an error of ours
    if isinstance(error, HTTPException) and (status := 400 if gone else error.status_code) < 500:
        code, hint = CODES.get(status, ("request", ""))
        return status, (Problem(code=code, message=HTTPStatus(status).phrase, hint=hint),), ""
    reference = secrets.token_hex(6)
    if unavailable(error):
        hint = f"ask again later with the same Idempotency-Key: it is carried out once; administrators find the reason under {reference} in the log"
        return 503, (Problem(code="database", message="the database can't work at present", hint=hint),), reference
    hint = f"tell support the reference {reference}"
    return 500, (Problem(code="server", message="something went wrong on our side; nothing was changed", hint=hint),), reference


def _owner(request: Request[Any, Any, Any]) -> str:
    """The plugin under whose name the address is, else nothing."""
    parts = request.scope["path"].strip("/").split("/")
    name = parts[1] if parts[0] == "api" and len(parts) > 1 else parts[0]
    return name if name in request.app.state.newel.plugins.manifests else ""


def _invalid(error: ValidationException) -> list[Problem]:
    found = error.extra if isinstance(error.extra, list) else []
    out = [
        Problem(code="request.invalid", message=str(e.get("message", ""))[:300], where=str(e.get("key", ""))[:100], hint="look at /api/docs")
        for e in found
        if isinstance(e, dict)
    ]
    return out or [Problem(code="request.invalid", message="the request is not valid", hint="look at /api/docs")]


def from_msgspec(error: msgspec.ValidationError) -> Problem:
    """What msgspec found, with the place as a path."""
    text = str(error)
    found = AT.search(text)
    where, message = (found["where"], text[: found.start()]) if found else ("", text)
    if "got `float`" in message:
        return Problem(code="number.float", message=message, where=where, hint='send decimals as text, such as "12.50": a float is not exact')
    return Problem(code="request.invalid", message=message, where=where, hint="look at /api/docs for what is expected")


# ---- answers -----------------------------------------------------------------------------------------------------------------------


def document(
    request: Request[Any, Any, Any], status: int, problems: tuple[Problem, ...], reference: str = "", more: dict[str, str] | None = None
) -> Response[Any]:
    """The problem document."""
    first = problems[0]
    body = ProblemDocument(
        type=f"urn:newel:problem:{first.code}", title=HTTPStatus(status).phrase, status=status, detail=first.message,
        instance=request.scope["path"][:2000], problems=problems, reference=reference,
    )  # fmt: skip
    headers = {**(more or {}), **({"WWW-Authenticate": "Bearer"} if status == HTTPStatus.UNAUTHORIZED else {})}
    return Response(msgspec.json.encode(body), status_code=status, media_type=MEDIA_TYPE, headers=headers)


def _to_login(request: Request[Any, Any, Any]) -> Response[Any]:
    """To the form; a fragment can't be it, so its page goes there as a whole."""
    if request.headers.get("hx-request"):
        return Response(b"", status_code=401, headers={"HX-Redirect": "/login"}, media_type="text/html")
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "") if request.method == "GET" else "/"
    return Redirect(f"/login?next={quote(path[:1000], safe='/')}", status_code=303)


def _page(request: Request[Any, Any, Any], status: int, problems: tuple[Problem, ...], reference: str, more: dict[str, str]) -> Response[Any]:
    problems = tuple(map(said, problems))
    first = problems[0]
    message = "; ".join(dict.fromkeys(_(p.message) for p in problems))
    error = {"status": status, "message": message, "hint": _(first.hint), "reference": reference, "rule": first.code, "helper": _helper(request, problems)}
    context = {"shell": _shell(request), "title": _(HTTPStatus(status).phrase), "error": error}
    return Template("error.html", context=context, status_code=status, headers=more)


def _helper(request: Request[Any, Any, Any], problems: tuple[Problem, ...]) -> str:
    """Who has the permission that is missing."""
    who, needed = request.scope.get("auth"), NEEDED.search(problems[0].message) if problems[0].code == "permission" else None
    return helpers(request.app.state.newel, who.user, who.company, needed[1]) if needed and isinstance(who, Principal) else ""


def _shell(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """The frame; bare where nobody is logged in, or where the frame itself is what fails."""
    context = request.scope["state"].get(CONTEXT)
    if context is not None:
        try:
            return render.shell(request, request.app.state.newel, context)
        except Exception:  # the page about an error must not fail for another one
            log.warning("the frame of an error page failed", exc_info=True)
    who = request.scope.get("auth")
    csrf = who.csrf if isinstance(who, Principal) else ""
    return {"nonce": nonce(request.scope), "csrf": csrf, "lang": "en", "user": None, "company": None, "nav": [], "home_url": "/"}


__all__ = ["ProblemDocument", "document", "explained", "from_msgspec", "handle"]
