"""The use cases of prints: make one and keep it, list them, read one as it was. Page, API and other plugins come through here."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from newel.domain.context import Context
from newel.errors import Problem, Refused, missing
from newel.happenings import Asked, Happening
from newel.services.access import denied
from newel.store.session import Session, instant
from newel.web.views_text import _, day, language

from newel_prints.paper import Paper, made, pdf, unpacked
from newel_prints.tables import Print

if TYPE_CHECKING:
    from newel.services.app import Newel

SHOWN = "id, company, document, paper, languages, copy, name, pages, size, hash, entered_at, entered_by"
ORIGINAL = "SELECT source FROM prints_print WHERE document = ? AND paper = ? AND languages = ? AND copy = 0"


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A print, without its content.

    Args:
        paper: fingerprint of what it says. languages: with commas. copy: 0 for the original, else which copy.
        size: in bytes. hash: SHA-256 of the PDF.
    """

    id: int
    document: int
    paper: str
    name: str
    languages: str
    copy: int
    pages: int
    size: int
    hash: str
    entered_at: datetime | None
    entered_by: str

    @property
    def file(self) -> str:
        """A name to be saved under, in letters that every system takes."""
        text = f"{self.name} {self.copy}" if self.copy else self.name
        return ("".join(c if c.isalnum() and c.isascii() else "-" for c in text).strip("-") or "document") + ".pdf"


def _kept(row: Any) -> Kept:
    return Kept(**{f: row[f] for f in Kept.__struct_fields__ if f != "entered_at"}, entered_at=instant(row["entered_at"]))


async def shown(newel: Newel, id: int, context: Context, languages: tuple[str, ...] = ()) -> tuple[Paper, bool]:
    """What the next print of a document would be, and whether it is a copy. Refused as in printed()."""
    ours(context)
    paper = await made(newel, id, context, languages)
    async with newel.database.read() as session:
        first = await _original(session, id, paper)
    return _marked(paper, first, context), first is not None


async def printed(newel: Newel, id: int, context: Context, languages: tuple[str, ...] = ()) -> tuple[Kept, bytes]:
    """Print a document: make the PDF and keep it.

    The first print of what the document says, in these languages, is the original. Every later one is a copy of it: made from what was kept, not from
    what has become of address or layout since, and marked as a copy on each page.

    Raises:
        Refused: 404 and 403 as for reading the document; 403 for users who stand for a party; 503 where no PDF can be made.
    """
    ours(context)
    paper = await made(newel, id, context, languages)
    async with newel.database.read() as session:
        first = await _original(session, id, paper)
    while True:
        pages = _marked(paper, first, context)
        content = await asyncio.to_thread(pdf, pages)
        async with newel.database.write() as session:
            await session.one("SELECT id FROM document WHERE id = ? FOR UPDATE", id)
            now = await _original(session, id, paper)
            if now == first:  # else somebody else has just printed the original
                return await _keep(session, id, pages, content, context), content
            first = now


async def _original(session: Session, id: int, paper: Paper) -> Paper | None:
    source = await session.value(ORIGINAL, id, paper.said, ",".join(paper.languages))
    return unpacked(source) if source else None


def _marked(paper: Paper, first: Paper | None, context: Context) -> Paper:
    return first.marked(_copy(first.languages, context)) if first else paper


async def _keep(session: Session, id: int, pages: Paper, content: bytes, context: Context) -> Kept:
    tongues = ",".join(pages.languages)
    sql = "SELECT COUNT(*) AS n FROM prints_print WHERE document = ? AND paper = ? AND languages = ?"
    copy = int(await session.value(sql, id, pages.said, tongues))
    values: dict[str, Any] = {
        "document": id, "paper": pages.said, "languages": tongues, "copy": copy, "name": pages.title[:160], "pages": pages.pages, "size": len(content),
        "hash": hashlib.sha256(content).hexdigest(), "entered_at": context.now, "entered_by": context.user.login,
    }  # fmt: skip
    await session.need(1)
    source = "" if copy else pages.packed()
    text = base64.b64encode(content).decode()
    return Kept(id=session.add(Print, company=context.company.id, content=text, source=source, **values), **values)


def _copy(languages: Sequence[str], context: Context) -> str:
    """The mark of a copy made today, in the languages of the paper."""
    words = []
    reader = language.get()
    for tongue in languages:
        language.set(tongue)
        words.append(_("Copy of %(day)s", day=day(context.today)))
    language.set(reader)
    return " / ".join(words)


def ours(context: Context) -> None:
    """Go on only for our own people; Refused 403 otherwise."""
    if context.user.party is not None:
        raise denied("a user of no party")


async def listed(newel: Newel, document: int, context: Context) -> list[Kept]:
    """The prints of a document, the last one first. Refused 404 and 403 as for reading the document."""
    ours(context)
    await newel.documents.get(document, context)
    async with newel.database.read() as session:
        rows = await session.fetch(f"SELECT {SHOWN} FROM prints_print WHERE document = ? ORDER BY entered_at DESC, id DESC", document)
    return [_kept(r) for r in rows]


async def content(newel: Newel, id: int, context: Context) -> tuple[Kept, bytes]:
    """A print as it was made, byte by byte.

    Raises:
        Refused: 404 where there is none that the user may see; 409 where it is not what was kept.
    """
    ours(context)
    async with newel.database.read() as session:
        row = await session.one(f"SELECT {SHOWN}, content FROM prints_print WHERE id = ? AND company = ?", id, context.company.id)
    if row is None:
        raise missing("print", id, "id")
    await newel.documents.get(row["document"], context)
    found = base64.b64decode(row["content"])
    if hashlib.sha256(found).hexdigest() != row["hash"]:
        problem = Problem(
            code="prints.damaged", message="this print is not what was kept: its hash differs", hint="look into a backup, and at who writes the database"
        )
        raise Refused(problem, status=409)
    return _kept(row), found


async def as_file(newel: Newel, id: int, context: Context) -> tuple[str, bytes]:
    """A document for a mail: printed and kept as any other print; (name, PDF)."""
    kept, content = await printed(newel, id, context)
    return kept.file, content


async def happenings(session: Session, asked: Asked, _context: Context) -> list[Happening]:
    """For timelines: who printed what."""
    if asked.about != "document" or asked.kind not in ("", "print"):
        return []
    rows = await session.fetch(
        f"SELECT {SHOWN} FROM prints_print WHERE document = ? AND (entered_at < ? OR (entered_at = ? AND id < ?)) AND (? = '' OR entered_by = ?) "
        "ORDER BY entered_at DESC, id DESC LIMIT ?",
        asked.id, asked.before[0], *asked.before, asked.who, asked.who, asked.most,
    )  # fmt: skip
    return [_happening(_kept(r)) for r in rows]


def _happening(p: Kept) -> Happening:
    assert p.entered_at is not None
    what = _("Copy %(number)s printed", number=p.copy) if p.copy else _("Printed")
    return Happening(id=p.id, at=p.entered_at, kind="print", text=what, who=p.entered_by, state=p.languages, url=f"/prints/kept/{p.id}")
