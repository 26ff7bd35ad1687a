"""What stands on a timeline: the kernel's history, what the worker had to do, comments, and what other plugins tell. Reads only."""

from __future__ import annotations

import asyncio
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from newel.domain.context import Context, User
from newel.domain.document import Document
from newel.domain.kinds import DocumentKind
from newel.errors import PluginFailed, Refused
from newel.happenings import Asked, Happening
from newel.services.app import Newel
from newel.services.entered import differences
from newel.services.pages import EventView
from newel.store.session import Session, instant
from newel.web.views_document import event
from newel.web.views_record import history
from newel.web.views_text import _

from newel_timeline.rules import DOCUMENT, Then, as_of, blank, merged

SECONDS, PEOPLE, SHOWN = 5, 40, 10
LATER = "(at < ? OR (at = ? AND id < ?))"


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """A comment that somebody is to read. about, record: where it stands; title: what that was called; read: whether it was opened."""

    id: int
    comment: int
    about: str
    record: int
    title: str
    who: str
    text: str
    at: datetime
    read: bool


async def collected(newel: Newel, asked: Asked, context: Context) -> list[tuple[str, Happening]]:
    """(plugin, entry) of one page, the latest first. A plugin that fails costs its entries and not the page."""
    async with newel.database.read() as session:
        found = await _comments(session, asked, context)
        if asked.about == DOCUMENT:
            found += [*await _changes(newel, session, asked), *await _jobs(newel, session, asked)]
    if asked.about != DOCUMENT:
        found += await _record(newel, asked, context)
    for name, manifest in newel.registry.manifests.items():
        if manifest.happenings is not None:
            found += [(name, h) for h in await _told(newel, name, asked, context)]
    return merged(asked, found)


async def _told(newel: Newel, plugin: str, asked: Asked, context: Context) -> list[Happening]:
    """What a plugin tells, in a transaction of its own."""
    tell = newel.registry.manifests[plugin].happenings
    assert tell is not None
    try:
        async with newel.database.read() as session:
            return msgspec.convert(list(await asyncio.wait_for(tell(session, asked, context), SECONDS)), list[Happening])
    except Exception as error:  # a plugin may fail in any way
        newel.plugins.note(PluginFailed(plugin, "happenings", f"{type(error).__name__}: {error}"))
        return [Happening(id=0, at=context.now, kind="job", text=_("The plugin %(name)s can't tell what happened.", name=plugin), phase="error")]


def _narrowed(asked: Asked, who: str = "") -> tuple[str, list[Any]]:
    """The end of a statement that reads one page; who: the column with the person."""
    at, id = asked.before
    where, args = (f" AND {who} = ?", [asked.who]) if asked.who and who else ("", [])
    return f"{where} AND {LATER} ORDER BY at DESC, id DESC LIMIT {asked.most:d}", [*args, at, at, id]


async def _changes(newel: Newel, session: Session, asked: Asked) -> list[tuple[str, Happening]]:
    if asked.kind not in ("", "change"):
        return []
    more, args = _narrowed(asked, '"user"')
    rows = await session.fetch(f"SELECT * FROM document_event WHERE document = ?{more}", asked.id, *args)
    name = await session.value("SELECT kind FROM document WHERE id = ?", asked.id)
    out = []
    for r in rows:
        seen = EventView(at=instant(r["at"]), user=r["user"], source=r["source"], action=r["action"], changes=_changed(r))
        view = event(seen, newel.registry.documents[name]) if name in newel.registry.documents else {"plugin": "", "what": r["action"], "changes": []}
        out.append((view["plugin"], Happening(id=r["id"], at=_at(r), kind="change", who=r["user"], text=view["what"], changes=_pairs(view))))
    return out


async def _jobs(newel: Newel, session: Session, asked: Asked) -> list[tuple[str, Happening]]:
    """What plugins were, or are still to be, told of the document after a transition."""
    if asked.kind not in ("", "job") or asked.who:
        return []
    more, args = _narrowed(asked)
    sql = f"SELECT * FROM (SELECT id, plugin, payload, error, done_at, created_at AS at FROM outbox WHERE document = ?) found WHERE 1 = 1{more}"
    kind = newel.registry.documents.get(await session.value("SELECT kind FROM document WHERE id = ?", asked.id))
    return [(r["plugin"], _job(newel, kind, r)) for r in await session.fetch(sql, asked.id, *args)]


def _job(newel: Newel, kind: DocumentKind | None, row: Any) -> Happening:
    name = msgspec.json.decode(row["payload"]).get("transition", "")
    step = kind.transition(name) if kind else None
    found = newel.registry.manifests.get(row["plugin"])
    state, phase = (_("done"), "done") if row["done_at"] else (_("failed so far"), "error") if row["error"] else (_("waits"), "open")
    text = _("Job of %(plugin)s after “%(step)s”", plugin=_(found.label) if found else row["plugin"], step=_(step.label) if step else name)
    return Happening(id=row["id"], at=_at(row), kind="job", text=text, body=row["error"], state=state, phase=phase)


async def _comments(session: Session, asked: Asked, context: Context) -> list[tuple[str, Happening]]:
    if asked.kind not in ("", "comment"):
        return []
    more, args = _narrowed(asked, '"user"')
    sql = f"SELECT * FROM timeline_comment WHERE company = ? AND about = ? AND record = ?{more}"
    rows = await session.fetch(sql, context.company.id, asked.about, asked.id, *args)
    return [("", Happening(id=r["id"], at=_at(r), kind="comment", who=r["user"], text=_("wrote"), body=r["text"])) for r in rows]


async def _record(newel: Newel, asked: Asked, context: Context) -> list[tuple[str, Happening]]:
    shape = newel.records.shape(asked.about)
    found = [(e, history(e, shape)) for e in await newel.records.history(asked.about, asked.id, context)]
    return [("", Happening(id=e.id, at=instant(e.at) or context.now, kind="change", who=e.user, text=view["what"], changes=_pairs(view))) for e, view in found]


def _pairs(view: dict[str, Any]) -> tuple[tuple[str, str, str], ...]:
    return tuple((c["label"], c["old"], c["new"]) for c in view["changes"])


def _changed(row: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = msgspec.json.decode(row["changes"]) if isinstance(row["changes"], str) else row["changes"]
    return found


def _at(row: Any) -> datetime:
    at = instant(row["at"])
    assert at is not None
    return at


async def people(session: Session, about: str, id: int) -> list[str]:
    """Logins of those who did something that stands on the timeline."""
    changed = "document_event WHERE document = ?" if about == DOCUMENT else "record_event WHERE record = ? AND kind = ?"
    sql = f'SELECT "user" FROM {changed} UNION SELECT "user" FROM timeline_comment WHERE record = ? AND about = ? ORDER BY 1'
    return [r["user"] for r in await session.fetch(sql, *([id] if about == DOCUMENT else [id, about]), id, about)]


# ---- who may be called ---------------------------------------------------------------------------------------------------------------


async def sees(newel: Newel, user: User, about: str, id: int, context: Context) -> bool:
    """Whether this user may see the document or record, in the company at hand."""
    try:
        async with newel.database.read() as session:
            theirs = await newel.context(session, user, context.company.id)
        await (newel.documents.get(id, theirs) if about == DOCUMENT else newel.records.get(about, id, theirs))
    except Refused:
        return False
    return True


async def colleagues(newel: Newel, about: str, id: int, text: str, context: Context) -> list[User]:
    """Our own people whose login or name begins with the text, and who may see the document or record."""
    async with newel.database.read() as session:
        sql = "SELECT id FROM app_user WHERE active = ? AND party IS NULL AND id <> ? AND (lower(login) LIKE ? OR lower(name) LIKE ?) ORDER BY login LIMIT ?"
        start = text.lower().translate({ord(c): None for c in "%_"}) + "%"
        found = [await newel.users.load(r["id"], session) for r in await session.fetch(sql, True, context.user.id, start, start, PEOPLE)]
    return [user for user in found if user is not None and await sees(newel, user, about, id, context)][:SHOWN]


# ---- as of -----------------------------------------------------------------------------------------------------------------------------


async def then(newel: Newel, document: Document, day: date) -> Then | None:
    """The document at the end of a day; None where it was not there yet."""
    zone = ZoneInfo(newel.config.zone)
    if document.created_at is None or document.created_at.astimezone(zone).date() > day:
        return None
    async with newel.database.read() as session:
        rows = await session.fetch("SELECT at, changes FROM document_event WHERE document = ? ORDER BY at DESC, id DESC", document.id)
    events = [_changed(r) for r in rows if _at(r).astimezone(zone).date() > day]
    return as_of(document.state, differences(blank(document), document), events)


# ---- notices ---------------------------------------------------------------------------------------------------------------------------


async def notices(session: Session, context: Context, most: int = 50) -> list[Notice]:
    """The user's notices in the company at hand, unread ones first, then the latest."""
    sql = (
        'SELECT n.id, n.comment, n.title, n.at, n.read_at, c.about, c.record, c."user", c.text FROM timeline_notice n JOIN timeline_comment c '
        'ON c.id = n.comment WHERE n."user" = ? AND n.company = ? ORDER BY CASE WHEN n.read_at IS NULL THEN 0 ELSE 1 END, n.at DESC, n.id DESC LIMIT ?'
    )
    return [
        Notice(id=r["id"], comment=r["comment"], about=r["about"], record=r["record"], title=r["title"], who=r["user"], text=r["text"], at=_at(r),
               read=r["read_at"] is not None)
        for r in await session.fetch(sql, context.user.id, context.company.id, most)
    ]  # fmt: skip


async def unread(session: Session, users: list[int], company: int | None = None) -> dict[int, int]:
    """How many notices are unread, by user; of all companies where none is given."""
    where, args = (" AND company = ?", [company]) if company else ("", [])
    sql = f'SELECT "user", COUNT(*) AS n FROM timeline_notice WHERE read_at IS NULL AND "user" = ANY(?){where} GROUP BY "user"'
    return {r["user"]: int(r["n"]) for r in await session.fetch(sql, users, *args)}
