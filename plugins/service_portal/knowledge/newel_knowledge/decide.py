"""Use cases of articles: take a step, say what came of it. Pages and operations come through here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from newel.domain.context import Context
from newel.errors import Problem, Refused, missing
from newel.services import record_write as write
from newel.services.access import denied, require
from newel.services.app import Newel
from newel.store.fulltext import tokens
from newel.store.session import Session, day
from newel.web.markdown import plain

from newel_knowledge import facts
from newel_knowledge.rules import ANSWERS, KIND, STEPS, KnowledgeSettings, audiences, check_step, months_later
from newel_knowledge.tables import Article, Version

WRITERS = "SELECT \"user\" FROM record_event WHERE kind = ? AND record = ? AND action IN ('create', 'change') ORDER BY at, id"


async def step(app: Newel, article: int, name: str, context: Context) -> None:
    """Take a step: submit, publish, withdraw, revise, confirm, retire. Each stands in the article's history.

    Raises:
        Refused: 403 without the right, 404 where there is no such article, what is in the way.
    """
    if name not in STEPS:
        raise missing("step", name[:40], "step")
    require(context, STEPS[name].permission)
    if context.user.party is not None:
        raise denied(STEPS[name].permission)
    async with app.database.write() as session:
        row = await session.one("SELECT * FROM knowledge_article WHERE id = ? AND company = ? FOR UPDATE", article, context.company.id)
        if row is None:
            raise missing("article", article)
        written = [r["user"] for r in await session.fetch(WRITERS, KIND, article)]
        before = await session.value("SELECT changes FROM knowledge_version WHERE article = ? ORDER BY number DESC LIMIT 1", article) or 0
        writers = list(dict.fromkeys(written[before:]))
        if problems := list(check_step(name, row, writers, context)):
            raise Refused(*problems, status=409)
        changed: dict[str, Any] = {"state": STEPS[name].target}
        if name in ("publish", "confirm"):
            later = months_later(context.today, context.setting("knowledge", KnowledgeSettings).review_months)
            entered = day(row["review_on"])
            changed["review_on"] = entered if name == "publish" and entered and entered > context.today else later
        if name == "publish":
            changed["version"] = row["version"] + 1
            _publish(session, row, changed["version"], writers, len(written), context)
        await session.update(Article, article, **changed)
        shape = app.records.shape(KIND)
        write.event(session, shape, article, name, write.changes(shape.fields, row, changed), context)


def _publish(session: Session, row: Mapping[str, Any], number: int, writers: list[str], changes: int, context: Context) -> None:
    kept = {name: row[name] for name in ("company", "title", "body", "language", "audience", "tags")}
    session.add(
        Version, **kept, article=row["id"], number=number, found_title=tokens(f"{row['title']} {row['tags']}"), found_text=tokens(plain(row["body"])),
        writers=", ".join(writers)[:500], changes=changes, published_at=context.now, published_by=context.user.login,
    )  # fmt: skip


async def answer(app: Newel, article: int, said: str, context: Context, *, document: int | None = None) -> None:
    """Say what came of an article, for a request or at all; who says it again changes their mind.

    Args:
        said: solved or useless. document: id of a document that the user may see.

    Raises:
        Refused: 404 where the user may not read the article or see the document.
    """
    if said not in ANSWERS:
        raise Refused(Problem(code="knowledge.answer", message=f"one of {', '.join(ANSWERS)} was expected, got {said!r:.40}", where="said"))
    if document is not None:
        await app.documents.get(document, context)
    async with app.database.write() as session:
        found = await facts.read(session, context, audiences(context.user, context.setting("knowledge", KnowledgeSettings)), article)
        if found is None:
            raise missing("article", article)
        of = "document IS NULL" if document is None else "document = ?"
        args = [] if document is None else [document]
        # Somebody may press the button twice: the article's row makes the second wait for the first.
        await session.fetch("SELECT id FROM knowledge_article WHERE id = ? FOR UPDATE", article)
        before = await session.value(f"SELECT id FROM knowledge_use WHERE article = ? AND login = ? AND {of}", article, context.user.login, *args)
        values = {"article": article, "version": found["number"], "login": context.user.login, "document": document, "answer": said}
        await app.records.save("knowledge.use", before, values, _on_behalf(context), session=session)


def _on_behalf(context: Context) -> Context:
    """For users of a party, who have no right to the records themselves: what they may was asked before."""
    user = msgspec.structs.replace(context.user, party=None, permissions=frozenset({"knowledge.*"}))
    return msgspec.structs.replace(context, user=user)
