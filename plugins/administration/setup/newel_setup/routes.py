"""The first start (/setup/start, public as long as there is no user), the guide (/setup) with its steps, undoing and beginning anew."""

from __future__ import annotations

import secrets
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Template
from newel.errors import Refused, missing
from newel.kernel_records import LANGUAGES
from newel.services.app import Newel
from newel.services.setup import CURRENCIES
from newel.web import menu
from newel.web.auth import context_of, newel_of, refuse_foreign
from newel.web.forms import Reader
from newel.web.login import bare, beginning, session_cookie
from newel.web.render import Web, flash, page, redirect, shown
from newel.web.views_text import _, language, said

from newel_setup import work
from newel_setup.steps import Step, countries, field, offered
from newel_setup.work import ADMIN, DEMO, OWN, Beginner

PUBLIC = {"public": True}
RIGHT = {"permission": ADMIN}
HOME, START = "/setup", "/setup/start"
WAYS = ("guide", "import", DEMO)


# ---- the first start -------------------------------------------------------------------------------------------------------------------


def _spoken(request: Web) -> str:
    """The language that the browser asks for first, of those that we have."""
    wanted = [part.partition(";")[0].strip()[:2].lower() for part in request.headers.get("accept-language", "").split(",")]
    return next((tag for tag in wanted if tag in dict(LANGUAGES)), "en")


def _known(request: Web, token: str) -> bool:
    expected = getattr(request.app.state, "token", "")
    return bool(expected) and secrets.compare_digest(token.encode(), expected.encode())


def _fields(way: str, given: dict[str, str], errors: dict[str, str]) -> list[dict[str, Any]]:
    """What is asked at the first start; way: demo, import or guide."""
    currencies = [{"value": c, "label": f"{c} {_(n)}"} for c, n, _digits in CURRENCIES]
    own = [
        field("company", _("Name of your company"), required=True, width=2, autofocus=True),
        field("country", _("Country"), "select", options=[{"value": "", "label": ""}, *countries()], required=True),
        field("currency", _("Currency of the books"), "select", options=currencies, help=_("Empty: that of the country.")),
    ]  # fmt: skip
    you = [
        field("name", _("Your name"), required=True, autocomplete="name"),
        field("login", _("Login"), required=True, autocomplete="username", help=_("In small letters.")),
        field("password", _("Password"), "password", required=True, autocomplete="new-password", max_length=200,
              help=_("At least ten characters; four words are easy to keep.")),
        field("language", _("Language"), "select", options=[{"value": t, "label": n} for t, n in LANGUAGES], complete=True),
    ]  # fmt: skip
    return [f | {"value": given.get(f["name"], ""), "error": errors.get(f["name"], "")} for f in ([] if way == DEMO else own) + you]


def _first(request: Web, token: str, way: str, given: dict[str, str], refused: Refused | None = None) -> Template:
    problems = [said(p) for p in refused.problems] if refused else []
    view = {"token": token, "known": _known(request, token), "way": way, "demo": work.has_demo(), "fields": [], "problems": shown(problems, lambda w: w)}
    if view["known"] and way:
        view["fields"] = _fields(way, given, {p.where: p.message for p in problems if p.where})
    frame = bare(request) | {"lang": language.get()}
    return Template("setup/start.html", context={"shell": frame, "title": _("First start"), "setup": view}, status_code=refused.status if refused else 200)


@get("/start", opt=PUBLIC)
async def start(request: Web) -> Response[Any]:
    """The three ways to begin, for whoever has the token that the server has said."""
    if not await beginning(newel_of(request)):
        return redirect("/login")
    language.set(_spoken(request))
    way = request.query_params.get("way", "")
    return _first(
        request, request.query_params.get("token", "")[:300].rpartition("token=")[2].strip(), way if way in WAYS else "", {"language": language.get()}
    )


@post("/start", opt=PUBLIC, status_code=200)
async def begin(request: Web) -> Response[Any]:
    """Make company and administrator, and log in."""
    newel, reader = newel_of(request), Reader(await request.form())
    refuse_foreign(request)
    if not await beginning(newel):
        return redirect("/login")
    language.set(_spoken(request))
    token, way = reader.text("token")[:100], reader.text("way")
    if not _known(request, token) or way not in WAYS:
        return _first(request, token, "", {})
    given = {n: reader.text(n)[:200] for n in ("company", "country", "currency", "name", "login", "language")} | {"password": reader.form.get("password", "")}
    given["login"] = given["login"].lower()
    try:
        await work.begin(newel, Beginner(what=DEMO if way == DEMO else OWN, **given))
    except Refused as refused:
        return _first(request, token, way, given | {"password": ""}, refused)
    request.app.state.token = ""
    address = request.client.host if request.client else ""
    opened, _session = await newel.users.login(given["login"], given["password"], address=address, agent=request.headers.get("user-agent", ""))
    answer = redirect("/" if way == DEMO else HOME if way == "guide" else f"{HOME}#files")
    answer.set_cookie(session_cookie(newel, opened))
    return answer


# ---- the guide -------------------------------------------------------------------------------------------------------------------------


def _step(newel: Newel, name: str) -> Step:
    found = next((s for s in offered(newel) if s.name == name), None)
    if found is None:
        raise missing("step", name, "name")
    return found


@get("/", opt=RIGHT)
async def guide(request: Web) -> Response[str]:
    """What is done and what is next."""
    newel, context = newel_of(request), await context_of(request)
    async with newel.database.read() as session:
        now = await work.state(session, context)
    following = next((s.name for s in offered(newel) if s.name not in now.done), "")
    steps = [{"name": s.name, "title": _(s.title), "help": _(s.help), "done": s.name in now.done, "next": s.name == following,
              "undo": s.name in now.made and not now.posted} for s in offered(newel)]  # fmt: skip
    files = [{"label": _(newel.registry.record(kind).label_plural), "url": box["url"]} for kind in (s.into for s in offered(newel) if s.into)
             for box in menu.boxes(newel, context, "list", kind)]  # fmt: skip
    view = {"steps": steps, "files": files, "create": menu.create(newel, context)[:1], "anew": _anew(now, context.user.may("*")), "code": context.company.code,
            "demo": now.began == DEMO}  # fmt: skip
    return page(request, context, "setup/guide.html", _("Set-up guide"), at=HOME, setup=view)


def _anew(now: work.State, may: bool) -> bool:
    return may and (now.began == DEMO or (now.began == OWN and not now.posted))


async def _form(request: Web, step: Step, given: dict[str, str] | None = None, refused: Refused | None = None) -> Response[str]:
    newel, context = newel_of(request), await context_of(request)
    problems = [said(p) for p in refused.problems] if refused else []
    errors = {p.where.rpartition(".")[2]: p.message for p in problems}
    fields = []
    for f in await step.fields(newel, context):
        typed = {"value": given.get(f["name"], ""), "text": given.get(f"{f['name']}_text", "")} if given is not None else {}
        fields.append(f | typed | {"error": errors.get(f["name"], "")})
    actions = [{"label": _("Skip"), "method": "get", "url": _after(newel, step)}]
    form = {"action": f"{HOME}/step/{step.name}", "kind_label": _("Step"), "back": {"label": _("Set-up guide"), "url": HOME}, "cancel_url": HOME,
            "submit_label": _("Save and go on"), "sections": [{"help": _(step.help), "fields": fields}], "actions": actions}  # fmt: skip
    status = refused.status if refused else 200
    return page(
        request, context, "record_form.html", _(step.title), at=HOME, status=status, problems=shown(problems, lambda w: w.rpartition(".")[2]), form=form
    )


def _after(newel: Newel, step: Step) -> str:
    left = offered(newel)[offered(newel).index(step) + 1 :]
    return f"{HOME}/step/{left[0].name}" if left else HOME


@get("/step/{name:str}", opt=RIGHT)
async def show_step(request: Web, name: FromPath[str]) -> Response[str]:
    """The form of one step."""
    return await _form(request, _step(newel_of(request), name))


@post("/step/{name:str}", opt=RIGHT, status_code=200)
async def save_step(request: Web, name: FromPath[str]) -> Response[Any]:
    """Make what was entered, and go on to the next step."""
    newel, context, reader, step = newel_of(request), await context_of(request), Reader(await request.form()), _step(newel_of(request), name)
    try:
        await work.carry_out(newel, step, reader, context)
    except Refused as refused:
        if refused.status in (403, 404):
            raise
        return await _form(request, step, reader.form | {"password": ""}, refused)
    return redirect(_after(newel, step), flash(_("%(step)s: saved.", step=_(step.title))))


@post("/undo/{name:str}", opt=RIGHT, status_code=200)
async def undo_step(request: Web, name: FromPath[str]) -> Response[Any]:
    """Take away what the guide has made in a step."""
    newel, step = newel_of(request), _step(newel_of(request), name)
    await work.undo(newel, step, await context_of(request))
    return redirect(HOME, flash(_("%(step)s: undone.", step=_(step.title))))


@post("/anew", opt=RIGHT, status_code=200)
async def begin_anew(request: Web) -> Response[Any]:
    """Empty the database and go to the first start with a new token: form field code, the company's."""
    newel = newel_of(request)
    try:
        await work.begin_anew(newel, Reader(await request.form()).text("code"), await context_of(request))
    except Refused as refused:
        if refused.status == 403:
            raise
        return redirect(HOME, flash(said(refused.problems[0]).message, "error"))
    request.app.state.token = secrets.token_urlsafe(24)
    answer = redirect(f"{START}?token={request.app.state.token}")
    answer.set_cookie(session_cookie(newel, "", 0))
    return answer


handlers = [start, begin, guide, show_step, save_step, undo_step, begin_anew]
