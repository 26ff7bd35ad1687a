"""Pages of articles: /knowledge, /knowledge/{id} with edit, compare and steps, /knowledge/open/{company}; and GET /api/knowledge/search."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath
from newel.domain.context import Context, User
from newel.domain.master import Master
from newel.errors import Problem, Refused, missing
from newel.services.app import Newel
from newel.store.fulltext import excerpt
from newel.store.master import load_master
from newel.web.auth import context_of, newel_of
from newel.web.forms import Reader
from newel.web.login import bare
from newel.web.markdown import plain, rendered
from newel.web.operations import Call, operation
from newel.web.render import Web, flash, fragment, page, redirect, shown, templates
from newel.web.views_text import _

from newel_knowledge import decide, facts, rules
from newel_knowledge.rules import AUDIENCES, EDIT, LANGUAGES, READ, STATES, STEPS, VIEW, KnowledgeSettings, audiences

SEE, WRITE = {"permission": READ}, {"permission": EDIT}
MANY = 2000


def _readers(context: Context) -> tuple[str, ...]:
    return audiences(context.user, context.setting("knowledge", KnowledgeSettings))


def _asked(request: Web) -> str:
    return request.query_params.get("q", "").strip()[:200]


def _id(request: Web, name: str) -> int | None:
    found = Reader(request.query_params).reference(name)
    return found if isinstance(found, int) else None


# ---- reading -----------------------------------------------------------------------------------------------------------------------


@get("/", opt=SEE)
async def index(request: Web) -> Response[str]:
    """Search, and what is being written for those who write."""
    newel, context = newel_of(request), await context_of(request)
    text, language = _asked(request), request.query_params.get("language", "")
    staff = context.user.party is None
    async with newel.database.read() as session:
        filters = {"language": language, "category": _id(request, "category"), "item": _id(request, "item")}
        found = await facts.listed(session, context, _readers(context), text, filters)
        work = await facts.in_work(session, context) if staff and context.user.may(VIEW) else []
        groups = [dict(r) for r in await session.fetch("SELECT id, name FROM knowledge_category ORDER BY name")]
    may = {"edit": staff and context.user.may(EDIT), "due": staff and context.user.may("knowledge.due.view"), "staff": staff}
    return page(request, context, "knowledge/index.html", _("Knowledge"), view=_list(found, text, "/knowledge"), work=work, states=STATES, may=may,
                category=filters["category"] or "", language=language, languages=LANGUAGES, groups=groups, audiences=AUDIENCES)  # fmt: skip


def _list(found: list[dict[str, Any]], text: str, base: str) -> dict[str, Any]:
    rows = [r | {"excerpt": excerpt(plain(r["body"]), text), "pieces": excerpt(r["title"], text, 200)} for r in found]
    return {"rows": rows, "text": text, "base": base}


@get("/{article:int}", opt=SEE)
async def show(request: Web, article: FromPath[int]) -> Response[str]:
    """An article: its latest version, an older one (?version=2), or as it is being written (?draft=1)."""
    return await _show(request, article)


async def _show(request: Web, article: int, problems: tuple[Problem, ...] = (), status: int = 200) -> Response[str]:
    newel, context = newel_of(request), await context_of(request)
    readers, number = _readers(context), _id(request, "version")
    async with newel.database.read() as session:
        found, work = await facts.read(session, context, readers, article, number), await facts.working(session, context, article)
        if work and number is None and (found is None or request.query_params.get("draft")):
            found = work | {"number": work["version"], "draft": True}
        if found is None:
            raise missing("article", article)
        older = await facts.versions(session, article, readers)
        used = await facts.used_by(session, article) if context.user.party is None else []
    document = await _document(newel, context, _id(request, "document"))
    view = {"id": article, "row": found, "html": rendered(found["body"]), "tags": rules.tags_of(found["tags"]), "older": older, "used": used, "work": work,
            "document": document, "steps": _steps(work, context), "base": "/knowledge"}  # fmt: skip
    return page(request, context, "knowledge/article.html", found["title"], status=status, at="/knowledge", problems=shown(problems), view=view,
                states=STATES, languages=LANGUAGES, audiences=AUDIENCES, staff=context.user.party is None, answers=rules.ANSWERS)  # fmt: skip


async def _document(newel: Newel, context: Context, id: int | None) -> dict[str, Any] | None:
    """The request that the reader comes from, if it is one of theirs."""
    if id is None:
        return None
    try:
        found = await newel.documents.get(id, context)
    except Refused:
        return None
    return {"id": id, "number": found.number or _("draft")}


def _steps(work: dict[str, Any] | None, context: Context) -> list[dict[str, Any]]:
    if work is None:
        return []
    steps = [(name, s) for name, s in STEPS.items() if work["state"] in s.sources and context.user.may(s.permission)]
    made = [{"label": _(s.label), "url": f"/knowledge/{work['id']}/{name}", "method": "post", "primary": s.primary, "icon": s.icon} for name, s in steps]
    if work["state"] == "draft" and context.user.may(EDIT):
        made.insert(0, {"label": _("Edit"), "url": f"/knowledge/{work['id']}/edit", "icon": "pencil"})
    return made


@get("/{article:int}/compare", opt=SEE)
async def compare(request: Web, article: FromPath[int]) -> Response[str]:
    """What is different between two versions (?from=1&to=2), or between the latest one and what is being written (without `to`)."""
    newel, context = newel_of(request), await context_of(request)
    async with newel.database.read() as session:
        old = await facts.read(session, context, _readers(context), article, _id(request, "from"))
        to = _id(request, "to")
        new = await facts.read(session, context, _readers(context), article, to) if to else await facts.working(session, context, article)
    if old is None or new is None:
        raise missing("version", article)
    fields = [(_(label), old[n], new[n]) for n, label in (("title", "Title"), ("tags", "Tags"), ("audience", "Audience")) if old[n] != new[n]]
    view = {"id": article, "old": old["number"], "new": to, "fields": fields, "changes": rules.differences(old["body"], new["body"])}
    return page(request, context, "knowledge/compare.html", new["title"], at="/knowledge", view=view)


# ---- writing -----------------------------------------------------------------------------------------------------------------------


@get("/new", opt=WRITE)
async def new(request: Web) -> Response[str]:
    """An empty article; ?title and ?body fill it in, such as from an answer that somebody gave."""
    query, user = request.query_params, (await context_of(request)).user
    start = {"language": user.language, "owner": user.login, "title": query.get("title", "")[:200], "body": query.get("body", "")[:MANY]}
    return await _form(request, None, start)


@get("/{article:int}/edit", opt=WRITE)
async def edit(request: Web, article: FromPath[int]) -> Response[str]:
    """The form of an article."""
    values = await newel_of(request).records.get(rules.KIND, article, await context_of(request))
    return await _form(request, article, values)


async def _form(request: Web, article: int | None, values: dict[str, Any], problems: tuple[Problem, ...] = ()) -> Response[str]:
    context = await context_of(request)
    wrong = {p.where: p.message for p in problems}
    kinds = {"language": LANGUAGES, "audience": AUDIENCES}
    fields: list[dict[str, Any]] = []
    for f in newel_of(request).records.fields(rules.KIND):
        if f.readonly or f.name == "body":
            continue
        field = {"name": f.name, "label": _(f.label), "type": "text", "value": values.get(f.name) or "", "required": f.required, "help": _(f.help),
                 "error": wrong.get(f.name, ""), "max_length": f.length, "width": 4 if f.name == "title" else 1}  # fmt: skip
        if f.name in kinds:
            field |= {"type": "select", "complete": True, "options": [{"value": v, "label": _(label)} for v, label in kinds[f.name].items()]}
        elif f.reference or f.code_of:
            url = f"/options/{f.reference}" if f.reference else f"/options/{f.code_of}?code=1"
            field |= {"type": "reference", "url": url, "text": values.get(f"{f.name}__title") or (values.get(f.name) or "" if f.code_of else "")}
        elif f.name == "review_on":
            field["type"] = "date"
        fields.append(field)
    text = values.get("body") or ""
    body = {"name": "body", "label": _("Text"), "type": "textarea", "value": text, "rows": 22, "error": wrong.get("body", "")}
    view = {"id": article, "fields": fields, "body": body, "html": rendered(text),
            "action": f"/knowledge/{article}/edit" if article else "/knowledge/new"}  # fmt: skip
    title = values.get("title") or _("New article") if article else _("New article")
    return page(request, context, "knowledge/edit.html", title, status=422 if problems else 200, at="/knowledge", problems=shown(problems, str), view=view)


@post(["/new", "/{article:int}/edit"], opt=WRITE)
async def write(request: Web) -> Response[Any]:
    """Save, or only show what it will look like."""
    article: int | None = request.path_params.get("article")
    newel, context, form = newel_of(request), await context_of(request), await request.form()
    reader = Reader(form)
    values: dict[str, Any] = {n: reader.text(n) for n in ("title", "language", "audience", "tags")}
    values |= {"body": str(form.get("body", "")).replace("\r\n", "\n"), "owner": reader.text("owner") or reader.text("owner_text")}
    values |= {"category": reader.reference("category"), "item": reader.reference("item"), "review_on": reader.day("review_on")}
    again = values | {f"{n}__title": reader.text(f"{n}_text") for n in ("category", "item", "owner")}
    problems = tuple(reader.problems)
    if reader.text("do") == "preview" or problems:
        return await _form(request, article, again, problems)
    try:
        saved = await newel.records.save(rules.KIND, article, values, context)
    except Refused as refused:
        if refused.status in (403, 404):
            raise
        return await _form(request, article, again, tuple(refused.problems))
    return redirect(f"/knowledge/{saved}?draft=1", flash(_("Saved.")))


@post("/preview", opt=WRITE, status_code=200)
async def preview(request: Web) -> Response[str]:
    """What a text will look like."""
    text = (await request.form()).get("body", "")
    return fragment(request, "knowledge/preview.html", html=rendered(text if isinstance(text, str) else ""))


@post("/{article:int}/{name:str}", opt=SEE)
async def act(request: Web, article: FromPath[int], name: FromPath[str]) -> Response[Any]:
    """Take a step, or say what came of an article."""
    newel, context, reader = newel_of(request), await context_of(request), Reader(await request.form())
    try:
        if name == "answer":
            document = reader.reference("document")
            await decide.answer(newel, article, reader.text("said"), context, document=document if isinstance(document, int) else None)
            back = f"/document/{document}" if isinstance(document, int) else f"/knowledge/{article}"
            return redirect(back, flash(_("Thank you: it is counted.")))
        await decide.step(newel, article, name, context)
    except Refused as refused:
        if refused.status in (403, 404):
            raise
        return await _show(request, article, tuple(refused.problems), refused.status)
    return redirect(f"/knowledge/{article}", flash(_("Done.")))


# ---- for other pages and programs --------------------------------------------------------------------------------------------------


@get("/suggest", opt=SEE)
async def suggest(request: Web) -> Response[str]:
    """Titles of the few articles that fit what somebody is typing (?title= and ?text=), for the form of any plugin; empty where none does."""
    newel, context = newel_of(request), await context_of(request)
    async with newel.database.read() as session:
        typed = " ".join(request.query_params.get(n, "") for n in ("title", "text"))
        found = await facts.suggested(session, context, _readers(context), typed[:MANY])
    return fragment(request, "knowledge/found.html", offered=found)


class SearchIn(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked for."""

    text: str


class FoundOut(msgspec.Struct, frozen=True, kw_only=True):
    """An article that fits. excerpt: plain text, to be escaped before it is shown."""

    id: int
    version: int
    title: str
    language: str
    audience: str
    excerpt: str


@operation("GET", "/search", query=SearchIn, answer=tuple[FoundOut, ...])
async def search(call: Call) -> tuple[FoundOut, ...]:
    """Articles that the user may read and that fit a text, the best first, at most 50."""
    async with call.newel.database.read() as session:
        found = await facts.listed(session, call.context, _readers(call.context), call.query.text.strip()[:200], {}) if call.query.text.strip() else []
    return tuple(
        FoundOut(id=r["article"], version=r["number"], title=r["title"], language=r["language"], audience=r["audience"],
                 excerpt="".join(piece for piece, _hit in excerpt(plain(r["body"]), call.query.text)))
        for r in found
    )  # fmt: skip


# ---- without logging in ------------------------------------------------------------------------------------------------------------


async def _anybody(newel: Newel, code: str) -> Context:
    """Of somebody whom nobody knows, in the company of this code; 404 unless its setting opens its articles to everybody."""
    async with newel.database.read() as session:
        master: Master = await load_master(session)
        company = next((c.id for c in master.companies.values() if c.code == code), 0)
        nobody = User(id=0, login="", companies=frozenset({company}))
        context = await newel.context(session, nobody, company)
    if not audiences(None, context.setting("knowledge", KnowledgeSettings)):
        raise missing("page", code[:40])
    return context


@get(["/open/{code:str}", "/open/{code:str}/{article:int}"], opt={"public": True})
async def read_open(request: Web, code: FromPath[str]) -> Response[str]:
    """What is for everybody, where the setting says so."""
    newel, article = newel_of(request), request.path_params.get("article")
    context = await _anybody(newel, code)
    readers = audiences(None, context.setting("knowledge", KnowledgeSettings))
    base = f"/knowledge/open/{code}"
    async with newel.database.read() as session:
        if article is None:
            view = _list(await facts.listed(session, context, readers, _asked(request), {}), _asked(request), base)
            title = context.company.name
        else:
            found = await facts.read(session, context, readers, article)
            if found is None:
                raise missing("article", article)
            view, title = {"row": found, "html": rendered(found["body"]), "base": base}, found["title"]
    body = templates(request).get_template("knowledge/open.html").render(shell=bare(request), title=title, view=view)
    return Response(body, media_type="text/html; charset=utf-8")


handlers = [index, show, compare, new, edit, write, preview, act, suggest, search, read_open]
