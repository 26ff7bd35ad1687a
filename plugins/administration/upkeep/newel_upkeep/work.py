"""Use cases: ask for an examination of the books, and carry it out."""

from __future__ import annotations

from typing import Any

from newel.domain.context import Context
from newel.jobs.worker import enqueue
from newel.services.access import require
from newel.services.app import Newel
from newel.services.doctor import diagnose
from newel.services.verify import verify
from newel.store.documents import json_of

from newel_upkeep.facts import Result
from newel_upkeep.tables import Examination

ADMIN = "newel.admin"


async def ask(newel: Newel, context: Context) -> None:
    """Let the worker examine the books of all companies; one that waits already is enough.

    Raises:
        Refused: 403 without the right newel.admin.
    """
    require(context, ADMIN)
    async with newel.database.write() as session:
        if await session.value("SELECT id FROM upkeep_examination WHERE done_at IS NULL FOR UPDATE"):
            return
        id = session.add(Examination, asked_by=context.user.login, asked_at=context.now)
    await enqueue(newel, "upkeep.verify", {"examination": id}, context.company.id, context.user.login)


async def verify_all(newel: Newel, payload: dict[str, Any], _context: Context) -> None:
    """Recompute every invariant from the rows (NEW-12), look at the install, and keep what is wrong. Again: the same."""
    found = Result(books=tuple(await verify(newel)), install=tuple(d for d in await diagnose(newel) if d.level != "ok"))
    async with newel.database.write() as session:
        await session.update(Examination, int(payload["examination"]), done_at=newel.clock(), findings=json_of(found))
