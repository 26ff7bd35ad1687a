"""The page /two_factor of one's own, the step at the login /two_factor/login, and taking it away from somebody: POST /api/two_factor/users/{id}/reset."""

from __future__ import annotations

from typing import Any

import msgspec
import segno
from litestar import Response, get, post
from litestar.response import Template
from newel.errors import Problem, Refused
from newel.services.users import LoginSession
from newel.web.auth import context_of, newel_of, principal
from newel.web.login import bare, finished, pending
from newel.web.operations import Call, Form, operation
from newel.web.render import Web, flash, page, redirect, shown
from newel.web.views_text import _, language

from newel_two_factor import facts, rules, take
from newel_two_factor.take import Place

NAME = "two_factor"
PUBLIC = {"public": True}


def _place(request: Web) -> Place:
    return Place(request.headers.get("host", "")[:255], newel_of(request).config.secure_cookies)


def _own(request: Web) -> LoginSession:
    """The session of whoever changes how they log in; a program with a token can't."""
    found = principal(request).session
    if found is None:
        problem = Problem(code="two_factor.token", message="a token can't change how somebody logs in", hint="log in with a browser", plugin=NAME)
        raise Refused(problem, status=403)
    return found


async def _form(request: Web) -> dict[str, str]:
    return {name: value for name, value in (await request.form()).items() if isinstance(value, str) and len(value) <= 20_000}


def _credential(text: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise take.wrong("no passkey was chosen", "try again, with script switched on", where="credential") from error


# ---- one's own ---------------------------------------------------------------------------------------------------------------------


async def _page(request: Web, refused: Refused | None = None, **more: Any) -> Response[str]:
    newel, context = newel_of(request), await context_of(request)
    async with newel.database.read() as session:
        standing = await facts.standing(session, context.user.id)
    status, problems = (refused.status, shown(refused.problems, lambda where: where)) if refused else (200, [])
    return page(request, context, "two_factor/own.html", _("Two-step login"), status=status, problems=problems, standing=standing, **more)


def _picture(request: Web, secret: str) -> dict[str, str]:
    address = rules.address_of(secret, principal(request).user.login, request.headers.get("host", "Newel")[:60])
    return {"secret": secret, "picture": segno.make(address, micro=False).svg_data_uri(scale=5, border=3, light="white", dark="black")}


@get("/")
async def own(request: Web) -> Response[str]:
    """What is asked of the user at the login, and the ways to change it."""
    return await _page(request)


@post("/", status_code=200)
async def change(request: Web) -> Response[Any]:
    """Set up an app, take something away, make recovery codes: form fields do and password, and what for taking away."""
    newel, who, form = newel_of(request), _own(request), await _form(request)
    try:
        await take.prove(newel, who, form.get("password", ""))
        if form.get("do") == "app":
            return await _page(request, setup=_picture(request, await take.begin_app(newel, who.user)))
        if form.get("do") == "codes":
            return await _page(request, codes=await take.renew_codes(newel, who))
        if form.get("do") == "remove" and (form.get("what") == "app" or form.get("what", "").isdecimal()):
            await take.remove(newel, who, form["what"][:18])
            return redirect("/two_factor", flash(_("It is taken away. Your other sessions have ended.")))
    except Refused as refused:
        return await _page(request, refused)
    return redirect("/two_factor")


@post("/app", status_code=200)
async def confirm(request: Web) -> Response[Any]:
    """The first code of a new app: form field code. Shows recovery codes, once."""
    newel, who, form = newel_of(request), _own(request), await _form(request)
    try:
        return await _page(request, codes=await take.confirm_app(newel, who, form.get("code", "")[:20]))
    except Refused as refused:
        secret = await take.unconfirmed(newel, who.user)
        return await _page(request, refused, **({"setup": _picture(request, secret)} if secret else {}))


@post("/passkeys/options", status_code=200)
async def new_key(request: Web) -> Response[str]:
    """What the browser needs to make a passkey: form field password."""
    newel, who = newel_of(request), _own(request)
    try:
        await take.prove(newel, who, (await _form(request)).get("password", ""))
        return Response(await take.registering(newel, who, _place(request)), media_type="application/json")
    except Refused as refused:
        return Response(msgspec.json.encode({"message": refused.problems[0].message}).decode(), status_code=refused.status, media_type="application/json")


@post("/passkeys", status_code=200)
async def add_key(request: Web) -> Response[Any]:
    """Keep the passkey that the browser has made: form fields credential and name."""
    newel, who, form = newel_of(request), _own(request), await _form(request)
    try:
        codes = await take.register(newel, who, _place(request), _credential(form.get("credential", "")), form.get("name", ""))
    except Refused as refused:
        return await _page(request, refused)
    return await _page(request, codes=codes) if codes else redirect("/two_factor", flash(_("The passkey is there.")))


# ---- at the login ------------------------------------------------------------------------------------------------------------------


async def _step(request: Web, who: LoginSession, goal: str, refused: Refused | None = None) -> Template:
    language.set(who.user.language or "en")
    async with newel_of(request).database.read() as session:
        standing = await facts.standing(session, who.user.id)
    error = f"{refused.problems[0].message}: {refused.problems[0].hint}" if refused else ""
    field = {"name": "code", "label": _("Code"), "type": "text", "required": True, "autofocus": True, "autocomplete": "one-time-code", "max_length": 40,
             "help": _("Of your app, or one of your recovery codes.")}  # fmt: skip
    login = {"action": "/two_factor/login", "next": goal[:2000], "fields": [field], "error": error}
    context = {"shell": bare(request, who.csrf), "title": _("One more step"), "login": login, "keys": bool(standing.keys)}
    return Template("two_factor/login.html", context=context, status_code=refused.status if refused else 200)


@get("/login", opt=PUBLIC)
async def ask(request: Web) -> Template:
    """What is asked after the password; `next` in the address is where to go on."""
    return await _step(request, await pending(request, NAME), request.query_params.get("next", "/"))


@post("/login", opt=PUBLIC, status_code=200)
async def answer(request: Web) -> Response[Any]:
    """A code, or what a passkey has signed: form fields code or credential, and next."""
    who, form = await pending(request, NAME), await _form(request)
    try:
        if form.get("credential"):
            await take.sign(newel_of(request), who, _place(request), _credential(form["credential"]))
        else:
            await take.enter(newel_of(request), who.user, form.get("code", ""))
    except Refused as refused:
        return await _step(request, who, form.get("next", "/"), refused)
    return await finished(request, who, form.get("next", "/"))


@post("/login/options", opt=PUBLIC, status_code=200)
async def known_keys(request: Web) -> Response[str]:
    """What the browser needs to let a passkey sign."""
    who = await pending(request, NAME)
    return Response(await take.asking(newel_of(request), who, _place(request)), media_type="application/json")


# ---- for others --------------------------------------------------------------------------------------------------------------------


class ResetIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Nothing is to be said."""


FORM = Form(label="Two-step login", on="newel.user", button="Take it away", done="The password alone is enough again. The user's sessions have ended.")


@operation("POST", "/users/{id}/reset", body=ResetIn, errors=(404,), form=FORM)
async def reset(call: Call) -> None:
    """Take app, passkeys and recovery codes away from a user who has lost them: the password alone is enough until they set up others."""
    await take.reset(call.newel, call.path["id"], call.context)


handlers = [own, change, confirm, new_key, add_key, ask, answer, known_keys, reset]
