"""Logging in and out, and going on in another company."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from litestar import Request, get, post
from litestar.datastructures import Cookie
from litestar.exceptions import NotAuthorizedException
from litestar.response import Redirect, Response, Template

from newel.errors import Refused
from newel.services.users import LoginSession
from newel.web.auth import TOKEN_LENGTH, context_of, cookie_name, forged, newel_of, principal, refuse_foreign, refuse_forged
from newel.web.headers import nonce
from newel.web.reading import SAFE

if TYPE_CHECKING:
    from newel.services.app import Newel

HOME = "/"
PUBLIC = {"public": True}
FORM_COOKIE = "newel_login"


def local(path: str) -> str:
    """An address to go on to, only if it is one of ours."""
    fine = path.startswith("/") and not path.startswith("//") and "\\" not in path and len(path) <= 2000
    return path if fine and all(" " <= c < "\x7f" for c in path) else HOME


def bare(request: Request[Any, Any, Any], csrf: str = "") -> dict[str, Any]:
    """What the frame of a page needs where nobody is logged in."""
    return {"nonce": nonce(request.scope), "csrf": csrf, "lang": "en", "user": None, "company": None, "nav": [], "home_url": HOME}


def _form_cookie(newel: Newel, value: str, age: int) -> Cookie:
    name = f"__Host-{FORM_COOKIE}" if newel.config.secure_cookies else FORM_COOKIE
    return Cookie(key=name, value=value, path="/", httponly=True, samesite="strict", secure=newel.config.secure_cookies, max_age=age)


def _page(request: Request[Any, Any, Any], goal: str, login: str = "", error: str = "", status: int = 200) -> Template:
    """The form. Its token is in a cookie as well, so that another site can't log somebody in: the same for two forms, none where a script is sent here."""
    newel = newel_of(request)
    token = request.cookies.get(_form_cookie(newel, "", 0).key) or secrets.token_urlsafe(24)
    fields = [
        {"name": "login", "label": "Name", "type": "text", "value": login, "required": True, "autofocus": not login, "autocomplete": "username",
         "max_length": 60},
        {"name": "password", "label": "Password", "type": "password", "required": True, "autofocus": bool(login), "max_length": 200,
         "autocomplete": "current-password"},
    ]  # fmt: skip
    form = {"shell": bare(request, token), "title": "Log in", "login": {"action": "/login", "next": local(goal), "fields": fields, "error": error}}
    return Template("login.html", context=form, status_code=status, cookies=[] if "x-csrftoken" in request.headers else [_form_cookie(newel, token, 3600)])


async def beginning(newel: Newel) -> str:
    """Where to begin as long as there is no user, a page of a plugin; empty where there are users."""
    found = [b.url for m in newel.registry.manifests.values() for b in m.boxes if b.on == "begin"]
    async with newel.database.read() as session:
        return "" if not found or await session.value("SELECT id FROM app_user LIMIT 1") else found[0]


@get("/login", opt=PUBLIC, include_in_schema=False)
async def show_login(request: Request[Any, Any, Any]) -> Response[Any]:
    """The form to log in with; `next` in the address is where to go on."""
    goal = request.query_params.get("next", HOME)
    if request.scope.get("auth") is not None:
        return Redirect(HOME if "/login" in goal else local(goal), status_code=303)  # a step that nobody waits for would send back here
    if begins := await beginning(newel_of(request)):
        return Redirect(begins, status_code=303)
    return _page(request, goal)


@post("/login", opt=PUBLIC, status_code=200, include_in_schema=False)
async def do_login(request: Request[Any, Any, Any]) -> Response[Any]:
    """Start a session; the one before, if any, ends."""
    newel, form = newel_of(request), await request.form()
    values = {name: value if isinstance(value := form.get(name), str) else "" for name in ("login", "password", "next", "_csrf_token", "_csrf")}
    refuse_foreign(request)
    expected = request.cookies.get(_form_cookie(newel, "", 0).key, "")
    if not expected or not secrets.compare_digest((values["_csrf_token"] or values["_csrf"]).encode(), expected.encode()):
        raise forged()
    address = request.client.host if request.client else ""
    try:
        token, made = await newel.users.login(values["login"], values["password"], address=address, agent=request.headers.get("user-agent", ""))
    except Refused as refused:
        problem = refused.problems[0]
        return _page(request, values["next"], values["login"][:60], f"{problem.message}: {problem.hint}", refused.status)
    if old := request.cookies.get(cookie_name(newel)):
        await newel.users.logout(old)
    goal = f"/{made.step}/login?next={quote(local(values['next']), safe='/')}" if made.step else local(values["next"])
    return Redirect(goal, status_code=303, cookies=[session_cookie(newel, token), _form_cookie(newel, "", 0)])


def session_cookie(newel: Newel, token: str, age: int = 7 * 86_400) -> Cookie:
    """The cookie of a session. age: in seconds; 0 takes it away."""
    return Cookie(key=cookie_name(newel), value=token, path="/", httponly=True, samesite="lax", secure=newel.config.secure_cookies, max_age=age)


# ---- a further step after the password, on a page of a plugin: the handlers of /<plugin>/login are public, and ask these two ----------------


async def pending(request: Request[Any, Any, Any], plugin: str) -> LoginSession:
    """Who has given the password and has still to take the plugin's step; a form must carry the `csrf` of it.

    Raises:
        NotAuthorizedException: nobody has: they are sent to the login.
        Refused: 403, what was sent comes from elsewhere.
    """
    found = await newel_of(request).users.by_session(request.cookies.get(cookie_name(newel_of(request)), "")[:TOKEN_LENGTH], plugin)
    if found is None:
        raise NotAuthorizedException
    if request.method not in SAFE:
        await refuse_forged(request, found.csrf)
    return found


async def finished(request: Request[Any, Any, Any], found: LoginSession, goal: str) -> Redirect:
    """The step is taken: the session begins, and goes on to `goal`."""
    newel = newel_of(request)
    return Redirect(local(goal), status_code=303, cookies=[session_cookie(newel, await newel.users.passed(found))])


@post("/logout", status_code=303, include_in_schema=False)
async def do_logout(request: Request[Any, Any, Any]) -> Redirect:
    """End the session."""
    newel = newel_of(request)
    if token := request.cookies.get(cookie_name(newel)):
        await newel.users.logout(token)
    return Redirect("/login", status_code=303, cookies=[session_cookie(newel, "", 0)])


@post("/company", status_code=303, include_in_schema=False)
async def choose_company(request: Request[Any, Any, Any]) -> Redirect:
    """Go on in another company: form fields company and next."""
    form, who = await request.form(), principal(request)
    given = form.get("company")
    company = int(given) if isinstance(given, str) and given.isascii() and given.isdigit() and len(given) <= 18 else 0
    if who.session is not None:
        await newel_of(request).users.choose_company(who.session, company)
    given_next = form.get("next")
    return Redirect(local(given_next if isinstance(given_next, str) else HOME), status_code=303)


@post("/account/language", status_code=303, include_in_schema=False)
async def choose_language(request: Request[Any, Any, Any]) -> Redirect:
    """Go on in another language: form field language."""
    given = (await request.form()).get("language")
    await newel_of(request).users.choose_language(given if isinstance(given, str) else "", await context_of(request))
    return Redirect("/account", status_code=303)


handlers = [show_login, do_login, do_logout, choose_company, choose_language]
