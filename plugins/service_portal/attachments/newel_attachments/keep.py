"""The use cases of files: add, list, read, share, remove. Page, API and other plugins come through here, and are asked here who may do what.

Whoever may see the document or record may see its files. Users who stand for a party see those that are shared and those of their own party's
users; they never share, and remove only their own party's.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import shlex
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from newel.domain.context import Context
from newel.errors import Problem, Refused, missing
from newel.happenings import Asked, Happening
from newel.services.access import require
from newel.services.app import Newel
from newel.store.session import Session, instant
from newel.web.views_text import _

from newel_attachments import redraw, rules
from newel_attachments.rules import IMAGES, MEDIA, AttachmentsSettings, Upload
from newel_attachments.tables import File

ADD, MANAGE = "attachments.add", "attachments.manage"
DOCUMENT = "document"
CHUNK = 300_000  # bytes; a multiple of three, so that base64 has no ends in between
SCAN_SECONDS = 60
KEEP = "INSERT INTO attachments_chunk (id, hash, position, content) VALUES (?, ?, ?, ?) ON CONFLICT (hash, position) DO NOTHING"


class FileView(msgspec.Struct, frozen=True, kw_only=True):
    """A file, without its content. own: of the user's own side; picture: it can be shown as one."""

    id: int
    kind: str
    record: int
    name: str
    media_type: str
    size: int
    shared: bool
    own: bool
    picture: bool
    entered_at: datetime | None
    entered_by: str
    removed_at: datetime | None = None
    removed_by: str = ""


class Ready(msgspec.Struct, frozen=True):
    """A file that has passed all checks and may be stored."""

    name: str
    media_type: str
    content: bytes
    preview: bytes = b""


async def about(app: Newel, kind: str, id: int, context: Context) -> str:
    """What a document or record is called, for whoever may see it.

    Raises:
        Refused: 404 where there is none that the user may see, 403 without the right to see its kind.
    """
    if kind == DOCUMENT:
        found = await app.documents.get(id, context)
        return f"{app.registry.kind_of(found).label} {found.number}".strip()
    row = await app.records.get(kind, id, context)
    shape = app.records.shape(kind)
    return " ".join(str(row.get(f"{c}__title") or row.get(c) or "") for c in shape.record.title).strip()


def manages(context: Context) -> bool:
    """Whether the user may share files, and remove those of others: nobody who stands for a party."""
    return context.user.party is None and context.user.may(MANAGE)


async def listed(app: Newel, kind: str, id: int, context: Context) -> list[FileView]:
    """The files of a document or record that the user may see, as they came; those removed only for who may manage files. Refused as in about()."""
    await about(app, kind, id, context)
    async with app.database.read() as session:
        return [f for f, _ in await _seen(session, kind, id, context)]


async def _seen(session: Session, kind: str, id: int, context: Context) -> list[tuple[FileView, Any]]:
    rows = await session.fetch("SELECT * FROM attachments_file WHERE company = ? AND kind = ? AND record = ? ORDER BY id", context.company.id, kind, id)
    return [(_view(r, context), r) for r in rows if _visible(r, context)]


def _visible(row: Any, context: Context) -> bool:
    if context.user.party is None:
        return row["removed_at"] is None or manages(context)
    return row["removed_at"] is None and (bool(row["shared"]) or row["party"] == context.user.party)


def _view(row: Any, context: Context) -> FileView:
    ours = context.user.party is None
    return FileView(
        id=row["id"], kind=row["kind"], record=row["record"], name=row["name"], media_type=row["media_type"], size=row["size"], shared=bool(row["shared"]),
        own=row["party"] == context.user.party, picture=bool(row["preview"]), entered_at=instant(row["entered_at"]), removed_by=row["removed_by"],
        entered_by=row["entered_by"] if ours or row["party"] == context.user.party else "", removed_at=instant(row["removed_at"]),
    )  # fmt: skip


async def one(app: Newel, file: int, context: Context) -> tuple[FileView, Any]:
    """A file with its stored row; Refused 404 where there is none that the user may see, whatever the reason."""
    async with app.database.read() as session:
        row = await session.one("SELECT * FROM attachments_file WHERE id = ? AND company = ?", file, context.company.id)
    if row is None or not _visible(row, context):
        raise missing("file", file, "id")
    try:
        await about(app, row["kind"], row["record"], context)
    except Refused as refused:  # that there is a file is nobody's business who may not see what it is on
        raise missing("file", file, "id") from refused
    return _view(row, context), row


async def content(app: Newel, file: int, context: Context, *, preview: bool = False) -> tuple[FileView, bytes]:
    """A file with its content, or with the small picture of it where it has one. Refused as in one()."""
    view, row = await one(app, file, context)
    async with app.database.read() as session:
        wanted = row["preview"] if preview and row["preview"] else row["hash"]
        rows = await session.fetch("SELECT content FROM attachments_chunk WHERE hash = ? ORDER BY position", wanted)
    return view, b"".join(base64.b64decode(r["content"]) for r in rows)


# ---- adding ----------------------------------------------------------------------------------------------------------------------------


async def prepare(app: Newel, uploads: Sequence[Upload], context: Context) -> list[Ready]:
    """Check files and draw pictures anew; nothing is stored.

    Raises:
        Refused: everything that is wrong with any of them; 403 without the right to add files.
    """
    require(context, ADD)
    settings = context.setting("attachments", AttachmentsSettings)
    problems: list[Problem] = []
    out = []
    for upload in uploads:
        name = rules.clean_name(upload.name)
        wrong = list(rules.check(name, upload.content, settings))
        try:
            if not wrong:
                out.append(await _ready(app, name, upload.content, settings))
        except Refused as refused:
            wrong += refused.problems
        problems += wrong
    if not uploads:
        problems.append(Problem(code="attachments.nothing", message="no file was chosen", hint="choose a file, or take a photo"))
    if problems:
        raise Refused(*problems)
    return out


async def _ready(app: Newel, name: str, content: bytes, settings: AttachmentsSettings) -> Ready:
    await _scan(app, name, content)
    kind = rules.type_of(content)
    media = MEDIA[rules.ending_of(name)] if kind == "txt" else MEDIA[kind]
    if kind not in IMAGES:
        return Ready(name, media, content)
    picture = await asyncio.to_thread(redraw.redrawn, name, content, kind, settings.edge)
    return Ready(name, media, picture.content, picture.preview)


async def _scan(app: Newel, name: str, content: bytes) -> None:
    """Ask the scanner of newel.toml, if there is one. Whatever goes wrong with it keeps the file out."""
    command = shlex.split(app.config.settings.get("attachments", {}).get("scanner", ""))
    if not command:
        return
    nowhere = asyncio.subprocess.DEVNULL
    try:
        process = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.PIPE, stdout=nowhere, stderr=nowhere)
        try:
            await asyncio.wait_for(process.communicate(content), SCAN_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()
        code = process.returncode
    except OSError:
        code = None
    if code == 1:
        raise Refused(Problem(code="attachments.harmful", message=f"{name}: the scanner found something harmful in it", where=name, hint="do not open it"))
    if code != 0:
        hint = "try again later; whoever runs Newel finds the command under settings.attachments in newel.toml"
        raise Refused(Problem(code="attachments.scanner", message=f"{name}: it could not be scanned", where=name, hint=hint))


async def add(app: Newel, kind: str, id: int, uploads: Sequence[Upload], context: Context, *, shared: bool = False) -> list[int]:
    """Attach files to a document or record: all of them, or none. Returns their ids; what the user sees there already is not kept twice.

    Args:
        kind: "document", or name of the record kind. shared: users who stand for a party see them, too; only for who may manage files.

    Raises:
        Refused: as in about() and prepare(); everything that is wrong.
    """
    require(context, ADD)
    await about(app, kind, id, context)
    ready = await prepare(app, uploads, context)
    async with app.database.write() as session:
        return await store(session, kind, id, ready, context, shared=shared)


async def store(session: Session, kind: str, id: int, ready: Sequence[Ready], context: Context, *, shared: bool = False) -> list[int]:
    """Store files that are prepared, on what the caller has made or looked up in the same transaction. Refused where there are too many."""
    there = {r["hash"]: r["id"] for v, r in await _seen(session, kind, id, context) if v.removed_at is None}
    most = context.setting("attachments", AttachmentsSettings).most
    fresh = {_hash(r.content): r for r in ready}
    if len(there | fresh) > most:
        message = f"at most {most} files were expected here, got {len(there | fresh)}"
        raise Refused(Problem(code="attachments.many", message=message, hint="remove some, or pack them into one"))
    out = []
    for key, file in fresh.items():
        if key not in there:
            values = {"company": context.company.id, "kind": kind, "record": id, "name": file.name, "media_type": file.media_type, "size": len(file.content)}
            hashes = {"hash": await _keep(session, file.content), "preview": await _keep(session, file.preview) if file.preview else ""}
            who = {"party": context.user.party, "entered_at": context.now, "entered_by": context.user.login}
            await session.need(1)
            there[key] = session.add(File, **values, **hashes, **who, shared=shared and manages(context))
        out.append(there[key])
    await session.flush()
    return out


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


async def _keep(session: Session, content: bytes) -> str:
    """Keep a content, once however many files have it; returns its hash."""
    key, parts = _hash(content), range(0, len(content), CHUNK)
    await session.need(len(parts))
    await session.many(KEEP, [(session.id(), key, n, base64.b64encode(content[at : at + CHUNK]).decode()) for n, at in enumerate(parts)])
    return key


# ---- changing --------------------------------------------------------------------------------------------------------------------------


async def share(app: Newel, file: int, shared: bool, context: Context) -> FileView:
    """Let users who stand for a party see a file, or no longer. Refused 403 for whoever may not manage files."""
    require(context, MANAGE)
    view, _ = await one(app, file, context)
    if not manages(context):
        raise missing("file", file, "id")
    async with app.database.write() as session:
        await session.update(File, file, shared=shared)
    return view


async def remove(app: Newel, file: int, context: Context) -> FileView:
    """Take a file away. Who did it and when stays known, and those who manage files can still open it."""
    require(context, ADD)
    view, row = await one(app, file, context)
    if not manages(context) and (row["entered_by"] != context.user.login if context.user.party is None else row["party"] != context.user.party):
        hint = "ask whoever added it, or somebody who may manage files"
        raise Refused(Problem(code="attachments.others", message=f"{view.name} was added by somebody else", hint=hint), status=403)
    if view.removed_at is None:
        async with app.database.write() as session:
            await session.update(File, file, removed_at=context.now, removed_by=context.user.login)
    return view


async def happenings(session: Session, asked: Asked, context: Context) -> list[Happening]:
    """For timelines: who added which file, and took which away."""
    if asked.kind not in ("", "file"):
        return []
    at, id = asked.before
    who, args = (" AND entered_by = ?", [asked.who]) if asked.who else ("", [])
    sql = (
        "SELECT id, name, entered_at, entered_by, removed_at, removed_by FROM attachments_file WHERE company = ? AND kind = ? AND record = ? AND "
        f"(entered_at < ? OR (entered_at = ? AND id < ?)){who} ORDER BY entered_at DESC, id DESC LIMIT ?"
    )
    rows = await session.fetch(sql, context.company.id, asked.about, asked.id, at, at, id, *args, asked.most)
    return [
        Happening(id=r["id"], at=instant(r["entered_at"]) or context.now, kind="file", who=r["entered_by"], text=_("added %(name)s", name=r["name"]),
                  state=_("Removed") if r["removed_at"] else "", url="" if r["removed_at"] else f"/attachments/files/{r['id']}")
        for r in rows
    ]  # fmt: skip
