"""One call is one transaction: tried again where others got in between, answered once for an idempotency key."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from newel.domain.context import Context
from newel.domain.document import Document
from newel.errors import Conflict, PluginFailed, Problem, Refused, missing
from newel.services.access import is_own
from newel.services.engine import Engine
from newel.services.outcome import Outcome
from newel.store import tables_document as t
from newel.store.documents import ALL, json_of
from newel.store.session import Session, passing

if TYPE_CHECKING:
    from newel.services.app import Newel

T = TypeVar("T")
TRIES = 5
KEY_LENGTH = 255


class Transacting:
    """How use cases on documents reach the database."""

    def __init__(self, app: Newel) -> None:
        self.app = app

    async def _load(self, engine: Engine, id: int, *, steps: bool = False, lock: bool = True, parts: int = ALL, heads: Any = None) -> Document:
        found = await engine.load([id], steps=steps, lock=lock, parts=parts, heads=heads)
        if id not in found or not is_own(engine.context, found[id].party):
            raise missing("document", id)
        return found[id]

    async def _lock(self, engine: Engine, id: int) -> list[Any] | None:
        """Lock a document together with all that it may change, in id order, so that two users can't deadlock. Returns its row, where there was one to lock."""
        if engine.session.sqlite:
            return None
        rows = await engine.session.fetch(
                "SELECT * FROM document WHERE id IN (SELECT CAST(? AS BIGINT) UNION ALL SELECT from_document FROM line_link WHERE to_document = ? UNION ALL "
                "SELECT o.document FROM open_item o JOIN document_line l ON l.settles = o.id WHERE l.document = ?) ORDER BY id FOR UPDATE",
                id, id, id,
            )  # fmt: skip
        return [r for r in rows if r["id"] == id]

    async def _read(self, work: Callable[[Engine], Awaitable[T]], context: Context, session: Session | None) -> T:
        try:
            if session is not None:
                return await work(Engine(self.app, session, context, preview=True))
            async with self.app.database.read() as opened:
                return await work(Engine(self.app, opened, context, preview=True))
        except (PluginFailed, Conflict) as failed:
            raise self._refused(failed) from failed

    async def _run(self, work: Callable[[Engine], Awaitable[T]], context: Context, session: Session | None, key: str | None, request: tuple[Any, ...]) -> T:
        """One transaction; again from its start where another one got in between (a deadlock, or the same new row twice)."""
        digest = self._digest(request) if key else ""
        if session is not None:
            return await self._once(work, context, session, key, digest)
        for attempt in range(TRIES):
            try:
                async with self.app.database.write() as opened:
                    return await self._once(work, context, opened, key, digest)
            except (PluginFailed, Conflict) as failed:
                raise self._refused(failed) from failed
            except Exception as error:
                if not passing(error):
                    raise
                if attempt == TRIES - 1:
                    raise Refused(Problem(code="busy", message="others changed the same data at the same time", hint="try again"), status=409) from error
                await asyncio.sleep(0.01 * 2**attempt)
        raise AssertionError("unreachable")

    async def _once(self, work: Callable[[Engine], Awaitable[T]], context: Context, session: Session, key: str | None, digest: str) -> T:
        """What the key stands for if it has been used before, else the work."""
        stored = await self._replayed(session, context, key, digest) if key else None
        if stored is not None:
            return stored  # type: ignore[return-value]
        result = await work(Engine(self.app, session, context))
        if key and isinstance(result, Outcome):
            session.add(
                t.IdempotencyKey, user=context.user.login, key=key, request=digest, created_at=context.now,
                result=json_of({"document": result.document.id, "made": result.made}),
            )  # fmt: skip
        return result

    def _refused(self, failed: PluginFailed | Conflict) -> Refused:
        if isinstance(failed, PluginFailed):
            self.app.plugins.note(failed)
        return Refused(failed.problem(), status=424)

    async def _replayed(self, session: Session, context: Context, key: str, digest: str) -> Outcome | None:
        if len(key) > KEY_LENGTH:
            raise Refused(Problem(code="key.long", message=f"an idempotency key has at most {KEY_LENGTH} characters", where="Idempotency-Key"))
        row = await session.one('SELECT request, result FROM idempotency_key WHERE "user" = ? AND key = ?', context.user.login, key)
        if row is None:
            return None
        if row["request"] != digest:
            raise Refused(
                Problem(code="key.reused", message="this idempotency key stood for another request", where="Idempotency-Key", hint="use a fresh key"),
                status=409,
            )
        result = msgspec.json.decode(row["result"])
        engine = Engine(self.app, session, context, preview=True)
        made = await engine.load([result["document"]], steps=True, lock=False)  # whoever made it was told of it before, whosever it is
        document = made[result["document"]]
        return Outcome(document=document, made=tuple(result["made"]), replayed=True)

    def _digest(self, request: tuple[Any, ...]) -> str:
        return hashlib.sha256(json_of(request).encode()).hexdigest()
