"""Drafts in the database: each user's own, in the company at hand."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
from newel.domain.context import Context
from newel.store.session import Session, instant

from newel_drafts.rules import DAYS, Draft, Kept

# What was saved under the key of its form is no draft any more, whoever was told so and whoever was not.
OPEN = 'FROM drafts_draft d WHERE d.company = ? AND d."user" = ? AND NOT EXISTS (SELECT 1 FROM idempotency_key k WHERE k."user" = d."user" AND k.key = d.key)'
MOST = 50


async def listed(session: Session, context: Context, place: str = "") -> list[Kept]:
    """The user's drafts, the latest first; of one form where its path is given."""
    where, args = (" AND d.place = ?", [place]) if place else ("", [])
    sql = f"SELECT d.key, d.place, d.title, d.changed_at {OPEN}{where} ORDER BY d.changed_at DESC, d.id DESC LIMIT {MOST}"
    rows = await session.fetch(sql, context.company.id, context.user.login, *args)
    return [Kept(key=r["key"], place=r["place"], title=r["title"], changed_at=instant(r["changed_at"])) for r in rows]


async def one(session: Session, context: Context, key: str) -> Draft | None:
    """The user's draft with this key."""
    row = await session.one(f"SELECT d.body {OPEN} AND d.key = ?", context.company.id, context.user.login, key)
    return msgspec.json.decode(row["body"], type=Draft) if row else None


async def keep(session: Session, context: Context, draft: Draft) -> None:
    """Keep a draft, over what was kept under its key."""
    await session.fetch(
        'INSERT INTO drafts_draft (id, company, "user", key, place, title, body, changed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?) '
        'ON CONFLICT (company, "user", key) DO UPDATE SET place = excluded.place, title = excluded.title, body = excluded.body, '
        "changed_at = excluded.changed_at RETURNING id",
        session.id(), context.company.id, context.user.login, draft.key, draft.place, draft.title, msgspec.json.encode(draft).decode(), context.now,
    )  # fmt: skip


async def drop(session: Session, context: Context, key: str) -> None:
    """Forget a draft."""
    await session.fetch('DELETE FROM drafts_draft WHERE company = ? AND "user" = ? AND key = ? RETURNING id', context.company.id, context.user.login, key)


async def clear(session: Session, _payload: dict[str, Any], context: Context) -> None:
    """Forget what has been saved, and what nobody has touched for thirty days."""
    await session.fetch(
        'DELETE FROM drafts_draft WHERE changed_at < ? OR EXISTS (SELECT 1 FROM idempotency_key k WHERE k."user" = drafts_draft."user" '
        "AND k.key = drafts_draft.key) RETURNING id",
        context.now - timedelta(days=DAYS),
    )
