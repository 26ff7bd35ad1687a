"""Use cases of the forum: ask, answer, accept, follow, report, moderate. Each stands in the history of what it is about."""

from __future__ import annotations

from typing import Any

from newel.domain.context import Context
from newel.errors import Problem, Refused, missing
from newel.services import record_write as write
from newel.services.access import denied, require
from newel.services.app import Newel
from newel.store.fulltext import tokens
from newel.store.session import Session, instant
from newel.web.markdown import plain

from newel_forum import facts
from newel_forum.rules import HOUR, MODERATE, POST, READ, REPORT, THREAD, WRITE, called, check_open, check_post, check_reason, moderates
from newel_forum.tables import Mark, Post, Report, Thread

TURNS = {"pin": ("pinned", True), "unpin": ("pinned", False), "lock": ("locked", True), "unlock": ("locked", False)}


async def ask(app: Newel, board: int, title: str, text: str, context: Context) -> int:
    """Start a thread; who starts it follows it. Returns its id.

    Raises:
        Refused: 403 without the right, 404 where the user sees no such board, everything that is wrong with it.
    """
    require(context, WRITE)
    async with app.database.write() as session:
        found = await facts.board(session, context, board)
        if found is None:
            raise missing("board", board)
        problems = list(check_post(text, context, await _recent(session, context), title))
        if found["closed"] and not moderates(context.user):
            problems.append(Problem(code="forum.closed", message=f"{found['name']} takes no new threads", hint="choose another board"))
        if problems:
            raise Refused(*problems)
        who = {"author": context.user.login, "author_name": called(context.user)}
        values = {"company": context.company.id, "board": board, "title": title.strip(), "asked_at": context.now, "last_at": context.now}
        thread = session.add(Thread, **values, **who)
        _event(app, session, THREAD, thread, "create", {}, values, context)
        _post(app, session, thread, text, context, title)
        await session.flush()
        await _mark(session, thread, context, follows=True)
    return thread


async def reply(app: Newel, thread: int, text: str, context: Context) -> int:
    """Answer in a thread; returns the post's id.

    Raises:
        Refused: 403 without the right, 404 where the user sees no such thread, everything that is wrong with it.
    """
    require(context, WRITE)
    async with app.database.write() as session:
        found = await _thread(session, context, thread)
        if problems := [*check_post(text, context, await _recent(session, context)), *check_open(found, context)]:
            raise Refused(*problems)
        post = _post(app, session, thread, text, context)
        await session.flush()
        await session.fetch("UPDATE forum_thread SET answers = answers + 1, last_at = ? WHERE id = ?", context.now, thread)
        await _mark(session, thread, context)
    return post


async def accept(app: Newel, post: int, context: Context) -> int:
    """Mark a post as the answer, or take the mark away where it is already; for who asked, and moderators. Returns the thread's id."""
    async with app.database.write() as session:
        row, of = await _seen(session, context, post)
        if of["author"] != context.user.login and not moderates(context.user):
            raise denied(MODERATE)
        if row["hidden"] or post == await _first(session, of["id"]):
            raise Refused(Problem(code="forum.accept", message="an answer was expected", hint="choose one of the posts below the question"))
        now = None if of["accepted"] == post else post
        await session.update(Thread, of["id"], accepted=now)
        _event(app, session, THREAD, of["id"], "accept" if now else "unaccept", of, {"accepted": now}, context)
    return int(of["id"])


async def turn(app: Newel, thread: int, how: str, context: Context) -> None:
    """Follow or unfollow a thread, for every reader; pin, unpin, lock or unlock it, for moderators."""
    require(context, READ)
    async with app.database.write() as session:
        found = await _thread(session, context, thread)
        if how in ("follow", "unfollow"):
            await _mark(session, thread, context, follows=how == "follow")
        elif how in TURNS:
            _moderating(context)
            name, value = TURNS[how]
            await session.update(Thread, thread, **{name: value})
            _event(app, session, THREAD, thread, how, found, {name: value}, context)
        else:
            raise missing("action", how[:40])


async def report(app: Newel, post: int, reason: str, context: Context) -> int:
    """Tell the moderators of a post; once for each reader. Returns the thread's id."""
    require(context, READ)
    async with app.database.write() as session:
        row, of = await _seen(session, context, post)
        if problems := list(check_reason(reason)):
            raise Refused(*problems)
        if not await session.one("SELECT id FROM forum_report WHERE post = ? AND login = ?", row["id"], context.user.login):
            values = {"company": context.company.id, "post": post, "login": context.user.login, "reason": reason.strip(), "reported_at": context.now}
            _event(app, session, REPORT, session.add(Report, **values), "create", {}, values, context)
    return int(of["id"])


async def moderate(app: Newel, post: int, hide: bool, reason: str, context: Context) -> int:
    """Hide a post with a reason, or leave it and show it again; reports of it are done. A first post takes its thread along. Returns the thread's id."""
    _moderating(context)
    async with app.database.write() as session:
        row, of = await _seen(session, context, post)
        if hide and (problems := list(check_reason(reason))):
            raise Refused(*problems)
        changed = {"hidden": hide, "hidden_by": context.user.login if hide else "", "reason": reason.strip() if hide else ""}
        await session.update(Post, post, **changed)
        _event(app, session, POST, post, "hide" if hide else "show", row, changed, context)
        if post == await _first(session, of["id"]):
            await session.update(Thread, of["id"], hidden=hide)
        elif hide and of["accepted"] == post:
            await session.update(Thread, of["id"], accepted=None)
        await session.fetch("UPDATE forum_report SET done = true WHERE post = ?", post)
    return int(of["id"])


async def seen(app: Newel, thread: int | None, context: Context) -> None:
    """Somebody has read a thread, or (None) all that they see."""
    async with app.database.write() as session:
        if thread is not None:
            await _mark(session, thread, context)
            return
        new = [t["id"] for t in await facts.unread(session, context)]
        sql = "UPDATE forum_mark SET seen_at = ? WHERE login = ? AND thread = ANY(?) RETURNING thread"
        marked = {r["thread"] for r in await session.fetch(sql, context.now, context.user.login, new)}
        await session.need(len(new))
        for id in new:
            if id not in marked:
                session.add(Mark, thread=id, login=context.user.login, seen_at=context.now)


# ---- inside ----------------------------------------------------------------------------------------------------------------------------


def _moderating(context: Context) -> None:
    if not moderates(context.user):
        raise denied(MODERATE)


async def _thread(session: Session, context: Context, id: int) -> dict[str, Any]:
    await session.fetch("SELECT id FROM forum_thread WHERE id = ? FOR UPDATE", id)
    found = await facts.thread(session, context, id)
    if found is None:
        raise missing("thread", id)
    return found


async def _seen(session: Session, context: Context, post: int) -> tuple[dict[str, Any], dict[str, Any]]:
    found = await facts.post(session, context, post)
    if found is None:
        raise missing("post", post)
    return found


async def _first(session: Session, thread: int) -> int:
    return int(await session.value("SELECT id FROM forum_post WHERE thread = ? ORDER BY posted_at, id LIMIT 1", thread))


async def _recent(session: Session, context: Context) -> list[Any]:
    """When the user has posted within the last hour. Two posts at once wait for each other, so that none slips through."""
    await session.fetch("SELECT id FROM app_user WHERE login = ? FOR UPDATE", context.user.login)
    sql = "SELECT posted_at FROM forum_post WHERE author = ? AND posted_at > ? ORDER BY posted_at"
    return [instant(r["posted_at"]) for r in await session.fetch(sql, context.user.login, context.now - HOUR)]


def _post(app: Newel, session: Session, thread: int, text: str, context: Context, title: str = "") -> int:
    user = context.user
    values = {"thread": thread, "author": user.login, "author_name": called(user), "staff": user.party is None, "text": text.strip(), "posted_at": context.now}
    found = {"found_title": tokens(title), "found_text": tokens(plain(text)), "language": user.language[:10] or "en", "company": context.company.id}
    post = session.add(Post, **values, **found)
    _event(app, session, POST, post, "create", {}, values, context)
    return post


async def _mark(session: Session, thread: int, context: Context, follows: bool | None = None) -> None:
    id = await session.value("SELECT id FROM forum_mark WHERE thread = ? AND login = ?", thread, context.user.login)
    values: dict[str, Any] = {"seen_at": context.now} | ({} if follows is None else {"follows": follows})
    if id is None:
        session.add(Mark, thread=thread, login=context.user.login, **values)
        await session.flush()
    else:
        await session.update(Mark, id, **values)


def _event(app: Newel, session: Session, kind: str, id: int, action: str, old: Any, new: dict[str, Any], context: Context) -> None:
    shape = app.records.shape(kind)
    write.event(session, shape, id, action, write.changes(shape.fields, old, new), context)
