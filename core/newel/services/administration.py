"""What administrators look after: settings, the outbox and jobs, and who changed what."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from newel.domain.context import Context
from newel.errors import Problem, Refused, missing
from newel.services.access import require
from newel.services.record_read import escaped
from newel.store import tables_document as t
from newel.store.documents import json_of
from newel.store.session import instant
from newel.store.tables_master import Setting

if TYPE_CHECKING:
    from newel.services.app import Newel

ADMIN = "newel.admin"
FAILED_AFTER = 8
SIZE = 100
COUNTED = 10_000  # events of records, and of documents: further on there are 'more than'


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of work for the worker. what: outbox or job. state: waiting, running, done or failed."""

    what: str
    id: int
    name: str
    state: str
    detail: str
    attempts: int
    created_at: datetime | None
    next_at: datetime | None
    error: str


class AuditRow(msgspec.Struct, frozen=True, kw_only=True):
    """One event of a record or a document."""

    at: datetime | None
    user: str
    source: str
    kind: str
    record: int
    number: str
    action: str
    changes: list[dict[str, Any]]


# ---- settings ----------------------------------------------------------------------------------------------------------------------


async def save_settings(newel: Newel, plugin: str, values: Mapping[str, Any], context: Context) -> None:
    """Keep the company's settings of a plugin; what is left out falls back to newel.toml and the plugin's defaults.

    Raises:
        Refused: 404 for a plugin without settings; 422 where a value does not fit.
    """
    require(context, ADMIN)
    manifest = newel.registry.manifests.get(plugin)
    if manifest is None or manifest.settings is None:
        raise missing("plugin with settings", plugin, "plugin")
    try:
        msgspec.convert({**newel.config.settings.get(plugin, {}), **values}, manifest.settings, strict=False)
    except msgspec.ValidationError as error:
        raise Refused(
            Problem(code="settings.invalid", message=str(error), where=str(error).rpartition("$.")[2].rstrip("`"), hint="look at its help")
        ) from error
    async with newel.database.write() as session:
        row = await session.one("SELECT id, value FROM setting WHERE company = ? AND plugin = ? FOR UPDATE", context.company.id, plugin)
        if row:
            await session.update(Setting, row["id"], value=json_of(values))
        else:
            session.add(Setting, company=context.company.id, plugin=plugin, value=json_of(values))
        old = msgspec.json.decode(row["value"]) if row else {}
        new = msgspec.json.decode(json_of(values))
        changes = [{"field": k, "old": old.get(k), "new": new.get(k)} for k in {**old, **new} if old.get(k) != new.get(k)]
        session.add(
            t.RecordEvent, kind=f"{plugin}.settings", record=context.company.id, at=context.now, user=context.user.login, source=context.source,
            action="change", changes=json_of(changes),
        )  # fmt: skip
        await session.stale("newel.setting")


# ---- work of the worker ------------------------------------------------------------------------------------------------------------


async def queue(newel: Newel, context: Context, state: str = "") -> list[Piece]:
    """What the worker has to do and has done last: failed pieces first, then waiting ones."""
    require(context, ADMIN)
    async with newel.database.read() as session:
        outbox = await session.fetch(f"SELECT * FROM outbox ORDER BY CASE WHEN done_at IS NULL THEN 0 ELSE 1 END, id DESC LIMIT {SIZE}")
        jobs = await session.fetch(f"SELECT * FROM job ORDER BY CASE state WHEN 'failed' THEN 0 WHEN 'done' THEN 2 ELSE 1 END, id DESC LIMIT {SIZE}")
    found = [_outbox(r) for r in outbox] + [_job(r) for r in jobs]
    order = {"failed": 0, "running": 1, "waiting": 2, "done": 3}
    return sorted((p for p in found if not state or p.state == state), key=lambda p: (order.get(p.state, 4), -p.id))


async def waiting(newel: Newel) -> dict[tuple[str, str], int]:
    """How many messages (outbox) and jobs there are that are not done, by (what, state); for monitoring."""
    async with newel.database.read() as session:
        failed = await session.value("SELECT COUNT(*) AS n FROM outbox WHERE done_at IS NULL AND attempts >= ?", FAILED_AFTER)
        every = await session.value("SELECT COUNT(*) AS n FROM outbox WHERE done_at IS NULL")
        jobs = {r["state"]: r["n"] for r in await session.fetch("SELECT state, COUNT(*) AS n FROM job WHERE state <> 'done' GROUP BY state")}
    found = {("outbox", "waiting"): every - failed, ("outbox", "failed"): failed}
    return found | {("job", state): jobs.get(state, 0) for state in ("waiting", "running", "failed")}


def _outbox(r: Any) -> Piece:
    state = "done" if r["done_at"] else "failed" if r["attempts"] >= FAILED_AFTER else "waiting"
    return Piece(
        what="outbox", id=r["id"], name=f"{r['plugin']}: {r['topic']}", state=state, detail=_words(msgspec.json.decode(r["payload"])), attempts=r["attempts"],
        created_at=instant(r["created_at"]), next_at=None if r["done_at"] else instant(r["available_at"]), error=r["error"] or "",
    )  # fmt: skip


def _job(r: Any) -> Piece:
    return Piece(
        what="job", id=r["id"], name=r["name"], state=r["state"], detail=_words(msgspec.json.decode(r["payload"])), attempts=r["attempts"],
        created_at=instant(r["created_at"]), next_at=instant(r["available_at"]) if r["state"] == "waiting" else None, error=r["error"] or "",
    )  # fmt: skip


def _words(payload: Any) -> str:
    return ", ".join(f"{k} {v}" for k, v in payload.items()) if isinstance(payload, dict) else str(payload)


async def retry(newel: Newel, what: str, piece: int, context: Context) -> None:
    """Let the worker try again now."""
    require(context, ADMIN)
    async with newel.database.write() as session:
        if what == "outbox":
            sql = "UPDATE outbox SET attempts = 0, available_at = ?, error = '' WHERE id = ? AND done_at IS NULL RETURNING id"
        else:
            sql = "UPDATE job SET state = 'waiting', attempts = 0, available_at = ? WHERE id = ? AND state <> 'running' RETURNING id"
        if await session.one(sql, context.now, piece) is None:
            raise missing("piece of work that waits", piece, "id")


async def discard(newel: Newel, what: str, piece: int, reason: str, context: Context) -> None:
    """Give up a piece of work that waits or has failed: who, when and why stands with it, and in the audit.

    Raises:
        Refused: 422 without a reason; 404 where nothing with this id waits.
    """
    require(context, ADMIN)
    if not reason.strip():
        raise Refused(Problem(code="work.reason", message="a reason was expected, got none", where="reason", hint="say why nobody needs it any more"))
    if what == "outbox":
        sql = "UPDATE outbox SET done_at = ?, error = ? WHERE id = ? AND done_at IS NULL RETURNING id"
    else:
        sql = "UPDATE job SET state = 'done', done_at = ?, error = ? WHERE id = ? AND state IN ('waiting', 'failed') RETURNING id"
    said = f"given up by {context.user.login}: {reason.strip()[:500]}"
    async with newel.database.write() as session:
        if await session.one(sql, context.now, said, piece) is None:
            raise missing("piece of work that waits", piece, "id")
        session.add(
            t.RecordEvent, kind=f"newel.{what}", record=piece, at=context.now, user=context.user.login, source=context.source, action="discard",
            changes=json_of([{"field": "reason", "old": None, "new": reason.strip()[:500]}]),
        )  # fmt: skip


# ---- audit -------------------------------------------------------------------------------------------------------------------------


async def audit(
    newel: Newel, context: Context, *, user: str = "", kind: str = "", text: str = "", field: str = "", record: str = "", date_from: date | None = None,
    date_to: date | None = None, number: int = 1, size: int = 50,
) -> tuple[list[AuditRow], int]:  # fmt: skip
    """Who changed what, in records and documents together, latest first; and how many such events there are, counted up to COUNTED.

    Args:
        text: in an old or new value. field: that was changed. record: a document's number, or an id.
    """
    require(context, ADMIN)
    hidden = {s.name: names for s in newel.records.shapes.all() if (names := s.hidden(context))}
    changed, zone = "REPLACE(CAST(changes AS TEXT), ': ', ':') LIKE ? ESCAPE '!'", context.now.tzinfo
    conditions: list[tuple[Any, str, Any]] = [
        (user.strip(), '"user" = ?', user.strip()),
        (kind.strip(), "kind = ?", kind.strip()),
        (date_from, "at >= ?", datetime.combine(date_from or date.min, time.min, zone)),
        (date_to, "at < ?", datetime.combine((date_to or date.min) + timedelta(days=1), time.min, zone)),
        *((text.strip(), "kind <> ?", name) for name in hidden),  # looking for a value would tell it
        (text.strip(), changed, f"%{escaped(text.strip()[:100])}%"),
        (field.strip(), changed, f'%"field":"{escaped(field.strip()[:60])}"%'),
        (record.strip(), "? IN (number, CAST(record AS VARCHAR(20)))", record.strip()[:60]),
    ]
    where = " AND ".join(["1 = 1", *(condition for given, condition, _ in conditions if given)])
    args = [value for given, _, value in conditions if given]
    sources = (
        "SELECT id, at, \"user\", source, kind, record, '' AS number, action, changes FROM record_event",
        'SELECT e.id, e.at, e."user", e.source, d.kind, d.id AS record, d.number, e.action, e.changes FROM document_event e '
        f"CROSS JOIN document d WHERE d.id = e.document AND d.company = {int(context.company.id)}",
    )

    def of_each(what: str, rest: str) -> str:
        return " UNION ALL ".join(f"SELECT * FROM (SELECT {what} FROM ({source}) x WHERE {where} {rest}) y" for source in sources)

    latest, until = "ORDER BY at DESC, id DESC LIMIT", max(number, 1) * size
    async with newel.database.read() as session:
        total = await session.value(f"SELECT COUNT(*) AS n FROM ({of_each('1 AS n', f'LIMIT {COUNTED}')}) z", *args, *args)
        rows = await session.fetch(f"SELECT * FROM ({of_each('*', f'{latest} {until}')}) z {latest} ? OFFSET ?", *args, *args, size, until - size)
    return [_audited(r, hidden.get(r["kind"], set())) for r in rows], int(total)


def _audited(r: Any, hidden: set[str]) -> AuditRow:
    found = msgspec.json.decode(r["changes"]) if isinstance(r["changes"], str) else r["changes"]
    changes = [c for c in found if c.get("field") not in hidden]
    return AuditRow(
        at=instant(r["at"]), user=r["user"], source=r["source"], kind=r["kind"], record=r["record"], number=r["number"], action=r["action"], changes=changes
    )
