"""What readers, reviewers and requests are shown, each with a question or two to the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from newel.domain.context import Context
from newel.domain.document import Document
from newel.manifest import Column, Parameter, Report
from newel.store.session import Session, day

from newel_knowledge.rules import AUDIENCES, ENOUGH, LANGUAGES, OFFERED, VIEW, Articles, KnowledgeSettings, Offer, Stored, audiences

JOIN = "JOIN knowledge_article a ON a.id = t.article AND a.version = t.number AND a.state <> 'retired'"
READABLE = "a.company = ? AND t.audience = ANY(?)"
SHOWN = (
    "SELECT t.*, a.state, a.owner, a.review_on, a.category, a.item, c.name AS category_name, i.number AS item_number, i.name AS item_name, "
    "(SELECT COUNT(DISTINCT u.login) FROM knowledge_use u WHERE u.article = a.id AND u.answer = 'solved') AS solved, "
    "(SELECT COUNT(DISTINCT u.login) FROM knowledge_use u WHERE u.article = a.id AND u.answer = 'useless') AS useless "
    "FROM knowledge_version t {join} LEFT JOIN knowledge_category c ON c.id = a.category LEFT JOIN item i ON i.id = a.item WHERE "
)


async def load_stored(session: Session, rows: Sequence[Mapping[str, Any]], context: Context) -> Stored:  # noqa: ARG001 (every loader gets it)
    """Articles as they are, before they are changed."""
    ids = sorted({r["id"] for r in rows if r.get("id")})
    found = await session.fetch("SELECT * FROM knowledge_article WHERE id = ANY(?)", ids) if ids else []
    return Stored({r["id"]: dict(r) for r in found})


async def find(session: Session, context: Context, readers: Sequence[str], text: str, *, every: bool = True, limit: int = 50) -> list[int]:
    """Ids of current versions that somebody may read and that fit a text, the best first."""
    from newel_knowledge.tables import INDEX  # the tables name checks that name this module

    if not readers:
        return []
    args = (context.company.id, list(readers))
    return await INDEX.search(session, text, join=JOIN, where=READABLE, args=args, every=every, limit=limit)


async def listed(session: Session, context: Context, readers: Sequence[str], text: str, filters: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Current versions: those that fit a text, the best first; without a text all, the latest first; at most 50."""
    where, args = READABLE, [context.company.id, list(readers)]
    for name in ("t.language", "a.category", "t.audience", "a.item"):
        if value := filters.get(name.partition(".")[2]):
            where, args = f"{where} AND {name} = ?", [*args, value]
    if not text:
        sql = f"{SHOWN.format(join=JOIN)} {where} ORDER BY t.published_at DESC, t.id DESC LIMIT 50"
        return [dict(r) for r in await session.fetch(sql, *args)]
    ids = await find(session, context, readers, text) or await find(session, context, readers, text, every=False)
    found = {r["id"]: dict(r) for r in await session.fetch(f"{SHOWN.format(join=JOIN)} {where} AND t.id = ANY(?)", *args, ids)} if ids else {}
    return [found[id] for id in ids if id in found]


async def read(session: Session, context: Context, readers: Sequence[str], article: int, number: int | None = None) -> dict[str, Any] | None:
    """The current version of an article, or an older one; None where there is none that somebody may read.

    Both count: who may not read an article now does not read what it once was, nor an older version that was meant for others.
    """
    now = await session.one(f"{SHOWN.format(join=JOIN)} {READABLE} AND t.article = ?", context.company.id, list(readers), article)
    if number is None or (now and now["number"] == number) or now is None:
        return dict(now) if now else None
    join = "JOIN knowledge_article a ON a.id = t.article"
    old = await session.one(f"{SHOWN.format(join=join)} {READABLE} AND t.article = ? AND t.number = ?", context.company.id, list(readers), article, number)
    return dict(old) if old else None


async def working(session: Session, context: Context, article: int) -> dict[str, Any] | None:
    """An article as it is being written, for those who may see that."""
    if context.user.party is not None or not context.user.may(VIEW):
        return None
    row = await session.one(
        "SELECT a.*, c.name AS category_name, i.number AS item_number, i.name AS item_name FROM knowledge_article a "
        "LEFT JOIN knowledge_category c ON c.id = a.category LEFT JOIN item i ON i.id = a.item WHERE a.id = ? AND a.company = ?",
        article, context.company.id,
    )  # fmt: skip
    return dict(row) if row else None


async def in_work(session: Session, context: Context) -> list[dict[str, Any]]:
    """What is being written or reviewed, or has been retired."""
    sql = "SELECT id, title, state, version, owner, language, audience FROM knowledge_article WHERE company = ? AND state <> 'published' ORDER BY state, title"
    return [dict(r) for r in await session.fetch(sql, context.company.id)]


async def versions(session: Session, article: int, readers: Sequence[str]) -> list[dict[str, Any]]:
    """Versions that somebody may read, latest first."""
    sql = "SELECT number, title, published_at, published_by, writers FROM knowledge_version WHERE article = ? AND audience = ANY(?) ORDER BY number DESC"
    return [dict(r) for r in await session.fetch(sql, article, list(readers))]


async def used_by(session: Session, article: int) -> list[dict[str, Any]]:
    """Documents that an article was used for."""
    sql = "SELECT DISTINCT d.id, d.number, u.answer FROM knowledge_use u JOIN document d ON d.id = u.document WHERE u.article = ? ORDER BY d.number LIMIT 50"
    return [dict(r) for r in await session.fetch(sql, article)]


async def around(document: Document, session: Session, context: Context) -> Articles | None:
    """Articles for a request: those that were used, and while it is open those that fit its words. Nothing while it is saved."""
    readers = audiences(context.user, context.setting("knowledge", KnowledgeSettings))
    if document.role != "request" or session.writable or not readers:
        return None
    used: list[Any] = []
    if document.version:
        sql = (
            f"SELECT t.article AS id, t.title, u.answer FROM knowledge_use u JOIN knowledge_version t ON t.article = u.article {JOIN} "
            f"WHERE u.document = ? AND {READABLE} ORDER BY u.id"
        )
        used = await session.fetch(sql, document.id, context.company.id, list(readers))
    words = " ".join([document.text, *(line.text for line in document.lines)]).strip()
    offered = await suggested(session, context, readers, words) if document.phase in ("draft", "open") else []
    return Articles(used=tuple(Offer(id=r["id"], title=r["title"], answer=r["answer"]) for r in used), offered=tuple(offered))


async def suggested(session: Session, context: Context, readers: Sequence[str], text: str) -> list[Offer]:
    """The few articles that fit best what somebody is typing; none before there are a few letters."""
    ids = await find(session, context, readers, text, every=False, limit=OFFERED) if len(text.strip()) >= ENOUGH or not text.isascii() else []
    found = {r["id"]: r for r in await session.fetch("SELECT id, article, title FROM knowledge_version WHERE id = ANY(?)", ids)} if ids else {}
    return [Offer(id=found[id]["article"], title=found[id]["title"]) for id in ids]


# ---- what is due -----------------------------------------------------------------------------------------------------------------------


async def _due(session: Session, parameters: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """Published articles whose review has come, the longest overdue first."""
    until = parameters["until"] or context.today + timedelta(days=14)
    sql = (
        "SELECT a.id, a.title, a.owner, a.review_on, a.language, a.audience, a.version FROM knowledge_article a "
        "WHERE a.company = ? AND a.version > 0 AND a.state <> 'retired' AND a.review_on <= ? ORDER BY a.review_on, a.title"
    )
    rows = [dict(r) for r in await session.fetch(sql, context.company.id, until) if parameters["owner"] in (None, "", r["owner"])]
    return [r | {"review_on": day(r["review_on"]), "language": LANGUAGES[r["language"]], "audience": AUDIENCES[r["audience"]]} for r in rows]


REPORTS = (
    Report(
        name="knowledge.due", label="Articles due for review", load=_due, menu="Service",
        help="Published articles whose next review is due within 14 days, or until a day; the longest overdue first.",
        parameters=(Parameter(name="until", label="Due until", type="date"), Parameter(name="owner", label="Owner")),
        columns=(
            Column(name="review_on", label="Review", type="date"), Column(name="id", label="Article", type="knowledge.article", text="title"),
            Column(name="owner", label="Owner"), Column(name="version", label="Version"), Column(name="language", label="Language"),
            Column(name="audience", label="Audience"),
        ),
    ),
)  # fmt: skip
