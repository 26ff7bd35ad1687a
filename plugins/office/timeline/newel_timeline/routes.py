"""Pages of timelines and notices, and a document as it was; for programs the same as operations."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath
from msgspec import Meta
from newel.domain.context import Context
from newel.errors import Refused, missing
from newel.happenings import Asked, Happening
from newel.web.api_types import Input
from newel.web.auth import context_of, newel_of
from newel.web.forms import Reader
from newel.web.operations import Call, Id, operation
from newel.web.render import Web, flash, fragment, page, redirect, shell, shown
from newel.web.views_document import shown_value, state_of
from newel.web.views_text import _, day, number, words

from newel_timeline import facts, keep, rules
from newel_timeline.rules import DOCUMENT, KINDS, PAGE, Then

AMOUNTS, NUMBERS = ("net", "tax"), ("rate", "quantity", "discount_entered")
COLUMNS = ("item", "text", "quantity", "unit", "price", "discount_entered", "net")
ADDRESS = ("name", "street", "postcode", "city", "region", "country")


def place(about: str, id: int, entry: int = 0) -> str:
    """The page of what the timeline is of, at one of its entries."""
    return (f"/document/{id}" if about == DOCUMENT else f"/records/{about}/{id}") + (f"#timeline-{entry}" if entry else "")


def _asked(request: Web, about: str, id: int, context: Context) -> Asked:
    """What the address asks for: a kind, a person, a place to go on from."""
    given = request.query_params
    begin = rules.before(given.get("before", "")) or (context.now + timedelta(days=1), 2**62)
    kind = given.get("kind", "") if given.get("kind") in KINDS else ""
    return Asked(about=about, id=id, before=begin, most=PAGE + 1, kind=kind, who=given.get("who", "")[:60])


def _entry(plugin: str, h: Happening) -> dict[str, Any]:
    return {"h": h, "plugin": plugin, "body": rules.pieces(h.body) if h.kind == "comment" else [(h.body, False)]}


async def _show(request: Web, about: str, id: int, context: Context, refused: Refused | None = None, text: str = "") -> Response[str]:
    """One page of a timeline: alone for its box, else with the frame."""
    newel, title = newel_of(request), await keep.titled(newel_of(request), about, id, context)
    asked = _asked(request, about, id, context)
    found = await facts.collected(newel, asked, context)
    async with newel.database.read() as session:
        who = await facts.people(session, about, id)
    url, chosen = f"/timeline/of/{about}/{id}", {"kind": asked.kind, "who": asked.who}
    more = f"{url}?{urlencode({**chosen, 'before': rules.cursor(found[PAGE - 1][1])})}" if len(found) > PAGE else ""
    labels = (_("Changes"), _("Comments"), _("E-mails"), _("Prints"), _("Jobs"), _("Files"))
    values: dict[str, Any] = {
        "entries": [_entry(*one) for one in found[:PAGE]], "url": url, "more": more, "kinds": list(zip(KINDS, labels, strict=True)), "people": who,
        "chosen": chosen, "text": text, "first": "before" not in request.query_params, "ask": f"/api{url.replace('/of/', '/people/')}",
        "then": f"/timeline/then/{id}" if about == DOCUMENT else "", "today": context.today.isoformat(),
    }  # fmt: skip
    if request.headers.get("hx-request"):
        return fragment(request, "timeline/entries.html", shell=shell(request, newel, context), **values)
    problems = shown(refused.problems, lambda where: f"comment-{about}-{id}" if where else "") if refused else []
    back = {"label": title, "url": place(about, id)}
    return page(request, context, "timeline/page.html", _("Timeline"), status=refused.status if refused else 200, problems=problems, back=back, **values)


@get("/of/{kind:str}/{id:int}")
async def show(request: Web, kind: FromPath[str], id: FromPath[int]) -> Response[str]:
    """What happened with a document (kind "document") or record, the latest first. ?kind=, ?who=: only these; ?before=: older ones."""
    return await _show(request, kind, id, await context_of(request))


@post("/of/{kind:str}/{id:int}", status_code=200)
async def write(request: Web, kind: FromPath[str], id: FromPath[int]) -> Response[Any]:
    """Comment on it."""
    context, text = await context_of(request), Reader(await request.form()).text("text")
    try:
        made = await keep.comment(newel_of(request), kind, id, text, context)
    except Refused as refused:
        if refused.status in (403, 404):
            raise
        return await _show(request, kind, id, context, refused, text)
    return redirect(place(kind, id, made))


@get("/people/{kind:str}/{id:int}", opt={"api": True})
async def people(request: Request[Any, Any, Any], kind: FromPath[str], id: FromPath[int]) -> Response[bytes]:
    """Who can be called (@login) there: their login or name begins with ?q=."""
    newel, context = newel_of(request), await context_of(request)
    await keep.titled(newel, kind, id, context)
    found = await facts.colleagues(newel, kind, id, request.query_params.get("q", "")[:60], context)
    return Response(msgspec.json.encode([{"login": u.login, "name": u.name} for u in found]), media_type="application/json")


# ---- as it was -------------------------------------------------------------------------------------------------------------------------


@get("/then/{id:int}")
async def then(request: Web, id: FromPath[int]) -> Response[str]:
    """A document at the end of ?day=."""
    newel, context, reader = newel_of(request), await context_of(request), Reader(request.query_params)
    title = await keep.titled(newel, DOCUMENT, id, context)
    document = await newel.documents.get(id, context)
    chosen = reader.day("day") or context.today
    was = await facts.then(newel, document, chosen)
    view = _then_view(was, document.amount_digits) if was else None
    state = state_of(newel, document.kind, was.state, "draft")["label"] if was else ""
    return page(
        request, context, "timeline/then.html", _("%(document)s as of %(day)s", document=title, day=day(chosen)), at=f"/documents/{document.kind}",
        problems=shown(reader.problems), back={"label": title, "url": place(DOCUMENT, id)}, day=chosen.isoformat(), state=state, was=view,
        url=f"/timeline/then/{id}",
    )  # fmt: skip


def _then_view(was: Then, digits: int) -> dict[str, Any]:
    def told(name: str, value: Any) -> str:
        if value in (None, "", {}, []):
            return ""
        if name in AMOUNTS:
            return number(value, digits)
        if name == "price":
            return number(value, max(digits, -int(Decimal(value).normalize().as_tuple().exponent)))
        if name in NUMBERS:
            return number(value)
        if isinstance(value, Mapping):  # an address
            return ", ".join(str(value[part]) for part in ADDRESS if value.get(part))
        return day(value) if name.startswith("date") else shown_value(value)

    said = [{"label": words(name), "value": told(name, value)} for name, value in was.values.items() if name not in (*AMOUNTS, "data")]
    lines = [{"position": position, **{name: told(name, line.get(name)) for name in COLUMNS}} for position, line in was.lines]
    return {"facts": said, "lines": lines, "totals": [{"label": words(n), "value": told(n, was.values.get(n))} for n in AMOUNTS if was.values.get(n)]}


# ---- notices ---------------------------------------------------------------------------------------------------------------------------


@get("/notices")
async def notices(request: Web) -> Response[str]:
    """What the user is to read; for the head of a page the bell with the latest of them."""
    newel, context = newel_of(request), await context_of(request)
    small = bool(request.headers.get("hx-request"))
    async with newel.database.read() as session:
        found = await facts.notices(session, context, 8 if small else 200)
        count = (await facts.unread(session, [context.user.id], context.company.id)).get(context.user.id, 0)
    values: dict[str, Any] = {"notices": found, "count": count, "user": context.user.id}
    if small:
        return fragment(request, "timeline/bell.html", shell=shell(request, newel, context), **values)
    return page(request, context, "timeline/notices.html", _("Notices"), **values)


@post("/notices/read", status_code=200)
async def read_all(request: Web) -> Response[Any]:
    """All of them have been read."""
    await keep.read(newel_of(request), None, await context_of(request))
    return redirect("/timeline/notices", flash(_("All notices are read.")))


@post("/notices/{id:int}/open", status_code=200)
async def open_notice(request: Web, id: FromPath[int]) -> Response[Any]:
    """Read one: go to where the comment stands."""
    mine = await keep.read(newel_of(request), [id], await context_of(request))
    if not mine:
        raise missing("notice", id, "id")
    return redirect(place(mine[0].about, mine[0].record, mine[0].comment))


# ---- programs --------------------------------------------------------------------------------------------------------------------------


class Of(Input, frozen=True, kw_only=True):
    """Of what: "document", or name of the record kind. before: as the entry after which to go on says it."""

    of: Annotated[str, Meta(max_length=60)]
    id: Id
    kind: Annotated[str, Meta(max_length=20)] = ""
    who: Annotated[str, Meta(max_length=60)] = ""
    before: Annotated[str, Meta(max_length=40)] = ""


class CommentIn(Input, frozen=True, kw_only=True):
    """A comment; whom it calls (@login) is told."""

    of: Annotated[str, Meta(max_length=60)]
    id: Id
    text: Annotated[str, Meta(min_length=1, max_length=rules.LONGEST)]


class EntryOut(Happening, frozen=True, kw_only=True):
    """An entry. plugin: that did it or tells it, empty for people; cursor: of the entries before it."""

    plugin: str
    cursor: str


@operation("GET", "/entries", query=Of, answer=list[EntryOut], errors=(404,))
async def list_entries(call: Call) -> list[EntryOut]:
    """List what happened with a document or record, the latest first."""
    q, context = call.query, call.context
    await keep.titled(call.newel, q.of, q.id, context)
    begin: tuple[datetime, int] = rules.before(q.before) or (context.now + timedelta(days=1), 2**62)
    found = await facts.collected(call.newel, Asked(about=q.of, id=q.id, before=begin, most=PAGE, kind=q.kind, who=q.who), context)
    return [EntryOut(**msgspec.structs.asdict(h), plugin=plugin, cursor=rules.cursor(h)) for plugin, h in found]


@operation("POST", "/comments", body=CommentIn, answer=int, status=201, errors=(404,))
async def add_comment(call: Call) -> int:
    """Comment on a document or record; answers with the comment's id."""
    return await keep.comment(call.newel, call.body.of, call.body.id, call.body.text, call.context)


@operation("GET", "/notices", answer=list[facts.Notice])
async def list_notices(call: Call) -> list[facts.Notice]:
    """List your notices, unread ones first."""
    async with call.newel.database.read() as session:
        return await facts.notices(session, call.context)


handlers = [show, write, people, then, notices, read_all, open_notice, list_entries, add_comment, list_notices]
