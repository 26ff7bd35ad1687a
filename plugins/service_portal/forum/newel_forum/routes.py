"""Pages of the forum: /forum, /forum/boards/{id}, /forum/threads/{id}, /forum/posts/{id}/{action}, /forum/reports."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from newel.domain.context import Context
from newel.errors import Problem, Refused, missing
from newel.services.app import Newel
from newel.store.fulltext import excerpt
from newel.web.auth import context_of, newel_of
from newel.web.forms import Reader
from newel.web.markdown import plain, rendered
from newel.web.render import Web, flash, fragment, page, redirect, shown
from newel.web.views_text import _

from newel_forum import answer, facts
from newel_forum.facts import SIZE
from newel_forum.rules import AUDIENCES, MODERATE, READ, WRITE, moderates

SEE, SAY, KEEP_ORDER = {"permission": READ}, {"permission": WRITE}, {"permission": MODERATE}


def _number(request: Web) -> int:
    found = Reader(request.query_params).reference("page")
    return min(max(found, 1), 10_000) if isinstance(found, int) else 1


def _pager(total: int, number: int, url: str) -> dict[str, Any] | None:
    """See the macro pager; None where everything is on one page."""
    if total <= SIZE:
        return None
    last = min(number * SIZE, total)
    return {"first": (number - 1) * SIZE + 1, "last": last, "total": total, "previous_url": f"{url}?page={number - 1}" if number > 1 else "",
            "next_url": f"{url}?page={number + 1}" if last < total else ""}  # fmt: skip


def _has(newel: Newel, context: Context, plugin: str, permission: str) -> bool:
    """Whether another plugin is there and open to the user; its pages are then linked by their addresses."""
    return plugin in newel.plugins.manifests and context.user.may(permission)


# ---- reading -----------------------------------------------------------------------------------------------------------------------


@get("/", opt=SEE)
async def index(request: Web) -> Response[str]:
    """Boards, what is new in threads that one follows, and search."""
    newel, context = newel_of(request), await context_of(request)
    text = request.query_params.get("q", "").strip()[:200]
    async with newel.database.read() as session:
        boards, news = await facts.boards(session, context), await facts.news(session, context)
        found = await facts.find(session, context, text) if text else []
        waiting = len(await facts.reports(session, context)) if moderates(context.user) else 0
    hits = [r | {"pieces": excerpt(r["title"], text, 200), "excerpt": excerpt(plain(r["text"]), text)} for r in found]
    view = {"boards": boards, "news": news, "text": text, "hits": hits, "waiting": waiting, "moderates": moderates(context.user)}
    return page(request, context, "forum/index.html", _("Forum"), view=view, audiences=AUDIENCES, staff=context.user.party is None)


@get("/boards/{board:int}", opt=SEE)
async def show_board(request: Web, board: FromPath[int]) -> Response[str]:
    """The threads of a board."""
    newel, context, number = newel_of(request), await context_of(request), _number(request)
    async with newel.database.read() as session:
        found = await facts.board(session, context, board)
        if found is None:
            raise missing("board", board)
        rows, total = await facts.threads(session, context, board, number)
    may = context.user.may(WRITE) and (not found["closed"] or moderates(context.user))
    view = {"board": found, "rows": rows, "pager": _pager(total, number, f"/forum/boards/{board}"), "may_ask": may}
    return page(request, context, "forum/board.html", found["name"], at="/forum", view=view)


@get("/threads/{thread:int}", opt=SEE)
async def show_thread(request: Web, thread: FromPath[int]) -> Response[str]:
    """A thread with its posts; from now on one has seen it."""
    return await _thread(request, thread)


async def _thread(request: Web, thread: int, problems: tuple[Problem, ...] = (), status: int = 200, text: str = "") -> Response[str]:
    newel, context, number = newel_of(request), await context_of(request), _number(request)
    keeps = moderates(context.user)
    async with newel.database.read() as session:
        found = await facts.thread(session, context, thread)
        if found is None:
            raise missing("thread", thread)
        rows = await facts.posts(session, thread, number)
        best = next((p for p in rows if p["id"] == found["accepted"]), None)
        if found["accepted"] and best is None:
            best = (await facts.post(session, context, found["accepted"]) or (None,))[0]
    if found["unread"]:
        await answer.seen(newel, thread, context)
    asker = found["author"] == context.user.login
    posts = [p | {"html": rendered(p["text"]) if keeps or not p["hidden"] else "", "first": number == 1 and n == 0} for n, p in enumerate(rows)]
    view = {
        "thread": found, "posts": posts, "best": best | {"html": rendered(best["text"])} if best else None, "text": text, "moderates": keeps,
        "may_accept": asker or keeps, "may_write": context.user.may(WRITE) and (keeps or not found["locked"]),
        "article": _has(newel, context, "knowledge", "knowledge.article.edit") and context.user.party is None,
        "pager": _pager(found["answers"] + 1, number, f"/forum/threads/{thread}"),
    }  # fmt: skip
    return page(request, context, "forum/thread.html", found["title"], status=status, at="/forum", problems=shown(problems, str), view=view)


# ---- writing -----------------------------------------------------------------------------------------------------------------------


@get("/boards/{board:int}/new", opt=SAY)
async def new(request: Web, board: FromPath[int]) -> Response[str]:
    """A new thread."""
    return await _ask(request, board, {})


async def _ask(request: Web, board: int, values: dict[str, str], problems: tuple[Problem, ...] = (), status: int = 200) -> Response[str]:
    newel, context = newel_of(request), await context_of(request)
    async with newel.database.read() as session:
        found = await facts.board(session, context, board)
    if found is None:
        raise missing("board", board)
    wrong = {p.where: p.message for p in problems}
    view = {"board": found, "suggest": _has(newel, context, "knowledge", "knowledge.read"), "html": rendered(values["text"]) if values.get("text") else "",
            "title": {"name": "title", "label": _("What do you want to know?"), "type": "text", "value": values.get("title", ""), "width": 4, "required": True,
                      "max_length": 200, "error": wrong.get("title", ""), "autofocus": True},
            "text": {"name": "text", "label": _("Text"), "type": "textarea", "rows": 10, "value": values.get("text", ""), "width": 4,
                     "error": wrong.get("text", "")}}  # fmt: skip
    return page(request, context, "forum/ask.html", _("New thread"), status=status, at="/forum", problems=shown(problems, str), view=view)


@post("/boards/{board:int}/new", opt=SAY)
async def ask(request: Web, board: FromPath[int]) -> Response[Any]:
    """Start a thread, or only show what it will look like."""
    newel, context, values = newel_of(request), await context_of(request), await _entered(request)
    if values["do"] == "preview":
        return await _ask(request, board, values)
    try:
        thread = await answer.ask(newel, board, values["title"], values["text"], context)
    except Refused as refused:
        if refused.status in (403, 404):
            raise
        return await _ask(request, board, values, tuple(refused.problems), refused.status)
    return redirect(f"/forum/threads/{thread}")


async def _entered(request: Web) -> dict[str, str]:
    form = await request.form()
    return {n: value.replace("\r\n", "\n") if isinstance(value := form.get(n, ""), str) else "" for n in ("title", "text", "reason", "do")}


@post("/preview", opt=SAY, status_code=200)
async def preview(request: Web) -> Response[str]:
    """What a text will look like."""
    return fragment(request, "forum/preview.html", html=rendered((await _entered(request))["text"]))


@post("/threads/{thread:int}", opt=SAY)
async def reply(request: Web, thread: FromPath[int]) -> Response[Any]:
    """Answer."""
    newel, context, values = newel_of(request), await context_of(request), await _entered(request)
    try:
        made = await answer.reply(newel, thread, values["text"], context)
    except Refused as refused:
        if refused.status in (403, 404):
            raise
        return await _thread(request, thread, tuple(refused.problems), refused.status, values["text"])
    async with newel.database.read() as session:
        found = await facts.thread(session, context, thread)
    last = (found["answers"] // SIZE) + 1 if found else 1
    return redirect(f"/forum/threads/{thread}{f'?page={last}' if last > 1 else ''}#post-{made}")


@post("/threads/{thread:int}/{how:str}", opt=SEE)
async def turn(request: Web, thread: FromPath[int], how: FromPath[str]) -> Response[Any]:
    """Follow, pin or lock it, or the opposite."""
    await answer.turn(newel_of(request), thread, how, await context_of(request))
    return redirect(f"/forum/threads/{thread}")


@post("/posts/{id:int}/{action:str}", opt=SEE)
async def act(request: Web, id: FromPath[int], action: FromPath[str]) -> Response[Any]:
    """Accept, report, hide or show a post."""
    newel, context, values = newel_of(request), await context_of(request), await _entered(request)
    try:
        if action == "accept":
            thread, said = await answer.accept(newel, id, context), ""
        elif action == "report":
            thread, said = await answer.report(newel, id, values["reason"], context), _("Thank you: a moderator will look at it.")
        elif action in ("hide", "show"):
            thread, said = await answer.moderate(newel, id, action == "hide", values["reason"], context), _("Done.")
        else:
            raise missing("action", action[:40])
    except Refused as refused:
        if refused.status in (403, 404):
            raise
        async with newel.database.read() as session:
            found = await facts.post(session, context, id)
        return await _thread(request, found[1]["id"] if found else 0, tuple(refused.problems), refused.status)
    back = "/forum/reports" if values["do"] == "reports" else f"/forum/threads/{thread}#post-{id}"
    return redirect(back, *([flash(said)] if said else []))


@post("/seen", opt=SEE)
async def seen(request: Web) -> Response[Any]:
    """All is read."""
    await answer.seen(newel_of(request), None, await context_of(request))
    return redirect("/forum")


@get("/reports", opt=KEEP_ORDER)
async def reports(request: Web) -> Response[str]:
    """What readers have reported."""
    newel, context = newel_of(request), await context_of(request)
    if not moderates(context.user):
        raise missing("page", "reports")
    async with newel.database.read() as session:
        rows = [r | {"html": rendered(r["text"])} for r in await facts.reports(session, context)]
    return page(request, context, "forum/reports.html", _("Reported posts"), at="/forum", rows=rows)


handlers = [index, show_board, show_thread, new, ask, preview, reply, turn, act, seen, reports]
