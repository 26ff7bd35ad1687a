"""Pages of the portal (/portal): the first page, something new to send in, an offer to accept; and logins for parties."""

from __future__ import annotations

import secrets
from typing import Annotated, Any

from litestar import Response, get, post
from litestar.params import FromPath
from msgspec import Meta
from newel.domain.context import Context
from newel.domain.document import LinkInput
from newel.errors import Refused
from newel.manifest import Field
from newel.web import api_types as a
from newel.web import menu
from newel.web.auth import context_of, newel_of
from newel.web.forms import Reader
from newel.web.operations import Call, Form, operation
from newel.web.render import Web, flash, page, redirect, shown
from newel.web.views_document import state_of
from newel.web.views_text import _
from newel_attachments.routes import BODY_BYTES, uploads

from newel_portal import ask, facts, rules, send
from newel_portal.rules import USE, PortalSettings

SEE = {"permission": USE}
START = "/portal"
CHOICE = 20  # documents to choose from


@get("/", opt=SEE)
async def start(request: Web) -> Response[str]:
    """What is going on, what there is to do, and what can be asked for."""
    newel, context = newel_of(request), await context_of(request)
    party, settings, kinds = send.party(context), context.setting("portal", PortalSettings), newel.registry.kinds
    groups = [
        {
            "label": _(kind.label_plural), "waits": waits, "url": f"/documents/{kind.name}", "count": len(rows), "priced": kind.priced,
            "accept": waits and context.user.may(rules.ACCEPT) and rules.accepts(kinds, kind.name) is not None,
            "rows": [{"at": r, "state": state_of(newel, r.kind, r.state, r.phase)} for r in rows[: settings.rows]],
        }
        for kind, waits, rows in rules.grouped(kinds.documents, await facts.going_on(newel, context))
    ]  # fmt: skip
    items = [i for m in newel.registry.manifests.values() for i in m.menu if not i.home and (not i.permission or context.user.may(i.permission))]
    tiles = [{"label": _("New: %(kind)s", kind=_(k.label)), "url": f"{START}/new/{k.name}", "icon": "plus", "primary": True} for k in _made(newel, context)]
    tiles += [{"label": _(i.label), "url": i.path, "icon": "chevron-right", "primary": False} for i in items]
    invoices, sums = await facts.owed(newel, context, party)
    view = {
        "groups": groups, "tiles": tiles, "invoices": invoices, "sums": sums, "digits": context.company.amount_digits, "name": context.user.name,
        "welcome": settings.welcome, "boxes": menu.boxes(newel, context, "portal.start"), "key": secrets.token_urlsafe(12),
    }  # fmt: skip
    return page(request, context, "portal/start.html", context.company.name, at=START, view=view)


def _made(newel: Any, context: Context) -> Any:
    return rules.asked(newel.registry.kinds, context.user.may)


# ---- something new ---------------------------------------------------------------------------------------------------------------------


async def _form(request: Web, name: str, context: Context, reader: Reader | None = None, refused: Refused | None = None) -> Response[str]:
    """The form of a new document; where it may continue another one, that one is chosen first."""
    newel = newel_of(request)
    kind = ask.kind(newel, name, context)
    given = request.query_params.get("of", "")
    ways = rules.ways(newel.registry.kinds, name, context.user.may)
    if ways and not given:
        found = await facts.documents(newel, context, sorted(ways), ("open", "done"), CHOICE)
        if found:
            rows = [{"at": r, "state": state_of(newel, r.kind, r.state, r.phase)} for r in found]
            view = {"rows": rows, "url": f"{START}/new/{name}", "digits": context.company.amount_digits}
            return page(request, context, "portal/choose.html", _("New: %(kind)s", kind=_(kind.label)), at=START, view=view)
    source = await newel.documents.get(int(given), context) if given.isdigit() and len(given) < 19 and given != "0" else None
    problems = [*(reader.problems if reader else ()), *(refused.problems if refused else ())]
    view = {
        "action": f"{START}/new/{name}?of={source.id if source else 0}", "source": source, "text": reader.text("text") if reader else "",
        "rows": ask.rows(ways.get(source.kind), source, reader) if source else [],
        "fields": await ask.fields(newel, kind, context, reader, problems, lines=source is None),
        "key": (reader.text("key") if reader else "") or secrets.token_urlsafe(12), "photos": context.user.may("attachments.add"),
        "boxes": menu.boxes(newel, context, "portal.new"), "back": {"label": _("Portal"), "url": START},
    }  # fmt: skip
    names = [a.name for a in kind.asks]
    status = refused.status if refused else 422 if problems else 200
    said = shown(problems, lambda w: rules.where(w, names))
    return page(request, context, "portal/new.html", _("New: %(kind)s", kind=_(kind.label)), at=START, status=status, problems=said, view=view)


@get("/new/{name:str}", opt=SEE)
async def new(request: Web, name: FromPath[str]) -> Response[str]:
    """Ask for something. ?of=: id of the document that it continues, 0 for none."""
    context = await context_of(request)
    send.party(context)
    return await _form(request, name, context)


@post("/new/{name:str}", opt=SEE, status_code=200, request_max_body_size=BODY_BYTES)
async def create(request: Web, name: FromPath[str]) -> Response[Any]:
    """Send it in, with photos."""
    newel, context = newel_of(request), await context_of(request)
    send.party(context)
    kind = ask.kind(newel, name, context)
    reader = Reader({k: v for k, v in (await request.form()).items() if isinstance(v, str)})
    given = request.query_params.get("of", "")
    source = int(given) if given.isdigit() and len(given) < 19 else 0
    entered = ask.read(newel, kind, reader, lines=not source)
    links = [
        LinkInput(line=int(n[2:]), quantity=quantity)
        for n in reader.form
        if n.startswith("q-") and n[2:].isdigit() and len(n) < 20 and (quantity := reader.decimal(n, n))
    ]  # fmt: skip
    if source and not links and not reader.problems:
        reader.bad("lines", _("nothing is chosen"), _("enter how many of a line it is about"), "portal.nothing")
    if reader.problems:
        return await _form(request, name, context, reader)
    try:
        photos = await uploads(request, "photos")
        made = await send.send(newel, name, entered, context, source=source, lines=links, photos=photos, key=reader.text("key") or None)
    except Refused as refused:
        if refused.status in (403, 404):
            raise
        return await _form(request, name, context, reader, refused)
    return redirect(f"/document/{made.id}", flash(_("Thank you. We have it under the number %(number)s.", number=made.number)))


@post("/accept/{id:int}", opt=SEE, status_code=200)
async def accept(request: Web, id: FromPath[int]) -> Response[Any]:
    """Accept an offer."""
    reader = Reader({k: v for k, v in (await request.form()).items() if isinstance(v, str)})
    made = await send.accept(newel_of(request), id, reader.text("name"), await context_of(request), reader.text("key") or None)
    return redirect(START, flash(_("Thank you. Your order is %(number)s; we confirm it.", number=made.number)))


# ---- logins ----------------------------------------------------------------------------------------------------------------------------


class InviteIn(a.Input, frozen=True, kw_only=True):
    """A login for a customer; somebody sets its password afterwards."""

    login: Annotated[str, Meta(min_length=1, max_length=60, pattern=a.ONE_LINE)]
    name: Annotated[str, Meta(max_length=120, pattern=a.ONE_LINE)] = ""


FORM = Form(
    label="Give this customer a login", on="newel.party", button="Make the login", done="The login is made. Set its password on the page of the user.",
    fields=(Field(name="login", label="Login"), Field(name="name", label="Name of the person")),
)  # fmt: skip


@operation("POST", "/customers/{id}/login", body=InviteIn, answer=int, errors=(404,), form=FORM)
async def invite(call: Call) -> int:
    """Give a customer a login for the portal; answers with the id of the user, whose password is then to be set."""
    first = call.body.login[0]
    password = secrets.token_urlsafe(32).replace(first.lower(), "").replace(first.upper(), "")  # a login in it would be weak
    return await send.invite(call.newel, call.path["id"], call.body.login, call.body.name, password, call.context)


handlers = [start, new, create, accept, invite]
