"""What readers and moderators are shown, each with a question or two to the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from newel.domain.context import Context
from newel.store.session import Session

from newel_forum.rules import FRESH, audiences, moderates
from newel_forum.tables import INDEX

SIZE = 50
THREADS = (
    "SELECT t.*, b.name AS board_name, b.audience, m.follows, CASE WHEN t.last_at > COALESCE(m.seen_at, ?) THEN 1 ELSE 0 END AS unread "
    "FROM forum_thread t JOIN forum_board b ON b.id = t.board LEFT JOIN forum_mark m ON m.thread = t.id AND m.login = ? "
    "WHERE t.company = ? AND b.audience = ANY(?) AND (t.hidden = false OR t.hidden = ?)"
)


def _seen(context: Context) -> list[Any]:
    """Parameters of THREADS: what nobody has marked is new for a month; who moderates sees what is hidden, too."""
    user = context.user
    return [context.now - FRESH, user.login, context.company.id, list(audiences(user)), moderates(user)]


async def boards(session: Session, context: Context) -> list[dict[str, Any]]:
    """The boards that somebody sees, with how much is in them and new."""
    user = context.user
    sql = (
        "SELECT b.id, b.code, b.name, b.about, b.audience, b.closed, COUNT(t.id) AS threads, MAX(t.last_at) AS last_at, "
        "SUM(CASE WHEN t.last_at > COALESCE(m.seen_at, ?) THEN 1 ELSE 0 END) AS unread FROM forum_board b "
        "LEFT JOIN forum_thread t ON t.board = b.id AND t.hidden = false LEFT JOIN forum_mark m ON m.thread = t.id AND m.login = ? "
        "WHERE b.company = ? AND b.audience = ANY(?) GROUP BY b.id ORDER BY b.sequence, b.name"
    )
    return [dict(r) for r in await session.fetch(sql, context.now - FRESH, user.login, context.company.id, list(audiences(user)))]


async def board(session: Session, context: Context, id: int) -> dict[str, Any] | None:
    """One board, if somebody sees it."""
    row = await session.one(
        "SELECT * FROM forum_board WHERE id = ? AND company = ? AND audience = ANY(?)", id, context.company.id, list(audiences(context.user))
    )
    return dict(row) if row else None


async def threads(session: Session, context: Context, board: int, number: int) -> tuple[list[dict[str, Any]], int]:
    """A page of a board's threads, pinned ones first, then by the latest post; and how many there are."""
    total = await session.value(f"SELECT COUNT(*) AS n FROM ({THREADS} AND t.board = ?) x", *_seen(context), board)
    sql = f"{THREADS} AND t.board = ? ORDER BY t.pinned DESC, t.last_at DESC, t.id DESC LIMIT ? OFFSET ?"
    return [dict(r) for r in await session.fetch(sql, *_seen(context), board, SIZE, (number - 1) * SIZE)], total


async def thread(session: Session, context: Context, id: int) -> dict[str, Any] | None:
    """One thread, if somebody sees it."""
    row = await session.one(f"{THREADS} AND t.id = ?", *_seen(context), id)
    return dict(row) if row else None


async def unread(session: Session, context: Context) -> list[dict[str, Any]]:
    """Threads in which there is something that somebody has not seen."""
    return [dict(r) for r in await session.fetch(f"SELECT * FROM ({THREADS}) x WHERE x.unread = 1 ORDER BY x.last_at DESC LIMIT 1000", *_seen(context))]


async def news(session: Session, context: Context) -> list[dict[str, Any]]:
    """Threads that somebody follows and in which there is something new."""
    sql = f"SELECT * FROM ({THREADS} AND m.follows = true) x WHERE x.unread = 1 ORDER BY x.last_at DESC LIMIT {SIZE}"
    return [dict(r) for r in await session.fetch(sql, *_seen(context))]


async def posts(session: Session, thread: int, number: int) -> list[dict[str, Any]]:
    """A page of the posts of a thread, the first one first."""
    sql = "SELECT * FROM forum_post WHERE thread = ? ORDER BY posted_at, id LIMIT ? OFFSET ?"
    return [dict(r) for r in await session.fetch(sql, thread, SIZE, (number - 1) * SIZE)]


async def post(session: Session, context: Context, id: int) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """A post with its thread, if somebody sees it."""
    row = await session.one("SELECT * FROM forum_post WHERE id = ?", id)
    of = await thread(session, context, row["thread"]) if row else None
    return (dict(row), of) if row and of and (not row["hidden"] or moderates(context.user)) else None


async def find(session: Session, context: Context, text: str) -> list[dict[str, Any]]:
    """Threads with the post that fits a text best, the best first."""
    join = "JOIN forum_thread h ON h.id = t.thread AND h.hidden = false JOIN forum_board b ON b.id = h.board"
    where, args = "t.company = ? AND t.hidden = false AND b.audience = ANY(?)", [context.company.id, list(audiences(context.user))]
    if not args[1]:
        return []
    ids = await INDEX.search(session, text, join=join, where=where, args=args) or await INDEX.search(
        session, text, join=join, where=where, args=args, every=False
    )
    sql = "SELECT p.id, p.thread, p.text, h.title, h.accepted, b.name AS board_name FROM forum_post p JOIN forum_thread h ON h.id = p.thread "
    found = {r["id"]: dict(r) for r in await session.fetch(f"{sql} JOIN forum_board b ON b.id = h.board WHERE p.id = ANY(?)", ids)} if ids else {}
    best: dict[int, dict[str, Any]] = {}
    for id in ids:
        best.setdefault(found[id]["thread"], found[id])
    return list(best.values())


async def reports(session: Session, context: Context) -> Sequence[dict[str, Any]]:
    """What was reported and nobody has decided about yet, the oldest first."""
    sql = (
        "SELECT r.id, r.post, r.login, r.reason, r.reported_at, p.text, p.author_name, p.thread, h.title FROM forum_report r "
        "JOIN forum_post p ON p.id = r.post JOIN forum_thread h ON h.id = p.thread WHERE r.company = ? AND r.done = false ORDER BY r.reported_at, r.id"
    )
    return [dict(r) for r in await session.fetch(sql, context.company.id)]
