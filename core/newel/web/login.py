"""Logging in and out, and going on in another company."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from litestar import Request, get, post
from litestar.datastructures import Cookie
from litestar.response import Redirect, Response, Template

from newel.errors import Refused
from newel.web.auth import cookie_name, forged, newel_of, principal, refuse_foreign
from newel.web.headers import nonce

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
    """The form. Its token is in a cookie as well, so that another site can't log somebody in."""
    newel, token = newel_of(request), secrets.token_urlsafe(24)
    fields = [
        {"name": "login", "label": "Name", "type": "text", "value": login, "required": True, "autofocus": not login, "autocomplete": "username",
         "max_length": 60},
        {"name": "password", "label": "Password", "type": "password", "required": True, "autofocus": bool(login), "max_length": 200,
         "autocomplete": "current-password"},
    ]  # fmt: skip
    form = {"action": "/login", "next": local(goal), "fields": fields, "error": error}
    context = {"shell": bare(request, token), "title": "Log in", "login": form}
    return Template("login.html", context=context, status_code=status, cookies=[_form_cookie(newel, token, 3600)])


@get("/login", opt=PUBLIC, include_in_schema=False)
async def show_login(request: Request[Any, Any, Any]) -> Response[Any]:
    """The form to log in with; `next` in the address is where to go on."""
    goal = request.query_params.get("next", HOME)
    if request.scope.get("auth") is not None:
        return Redirect(local(goal), status_code=303)
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
        token, _ = await newel.users.login(values["login"], values["password"], address=address, agent=request.headers.get("user-agent", ""))
    except Refused as refused:
        problem = refused.problems[0]
        return _page(request, values["next"], values["login"][:60], f"{problem.message}: {problem.hint}", refused.status)
    if old := request.cookies.get(cookie_name(newel)):
        await newel.users.logout(old)
    cookie = Cookie(key=cookie_name(newel), value=token, path="/", httponly=True, samesite="lax", secure=newel.config.secure_cookies, max_age=7 * 86_400)
    return Redirect(local(values["next"]), status_code=303, cookies=[cookie, _form_cookie(newel, "", 0)])


@post("/logout", status_code=303, include_in_schema=False)
async def do_logout(request: Request[Any, Any, Any]) -> Redirect:
    """End the session."""
    newel = newel_of(request)
    if token := request.cookies.get(cookie_name(newel)):
        await newel.users.logout(token)
    gone = Cookie(key=cookie_name(newel), value="", path="/", httponly=True, samesite="lax", secure=newel.config.secure_cookies, max_age=0)
    return Redirect("/login", status_code=303, cookies=[gone])


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


handlers = [show_login, do_login, do_logout, choose_company]
