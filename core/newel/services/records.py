"""Records: everything that is kept and is no document. One service for screen, API, import, jobs and plugins."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from newel.domain.context import Context
from newel.errors import Problem, Refused
from newel.services import record_read as read
from newel.services import record_write as write
from newel.services.access import require
from newel.services.fields import Fields, encode
from newel.services.record_import import Importer, ImportResult, matching
from newel.services.record_read import Page
from newel.services.record_write import Change, Event
from newel.services.shapes import Shape, Shapes
from newel.store.describe import is_duplicate
from newel.store.session import Session
from newel.store.tables_document import IdempotencyKey

if TYPE_CHECKING:
    from newel.services.app import Newel


class _Nothing(Exception):
    """Rolls a transaction back."""


class Records:
    """Use cases of records. Each opens its own transaction unless it gets a session."""

    def __init__(self, app: Newel) -> None:
        self.app = app
        self.shapes = Shapes(app.registry, app.plugins)

    def shape(self, kind: str, context: Context | None = None) -> Shape:
        """Everything about a record kind, with a context as its user meets it; Refused 404 where there is none."""
        return self.shapes[kind] if context is None else self.shapes[kind].seen(context)

    def fields(self, kind: str, context: Context | None = None) -> Fields:
        """The fields of a record kind, with a context those that its user may see."""
        return self.shape(kind, context).fields

    # ---- reading -----------------------------------------------------------------------------------------------------------------

    async def page(
        self, kind: str, context: Context, *, search: str = "", filters: Mapping[str, Any] | None = None, sort: str = "", number: int = 1, size: int = 50,
        session: Session | None = None,
    ) -> Page:  # fmt: skip
        """One page of the list.

        Args:
            filters: by field name, as text; `name__from` and `name__to` for numbers and dates; references by id.
            sort: field name, "-name" for downwards.
            size: rows of a page.
        """
        shape = self._seen(kind, context)
        async with self._reading(session) as reading:
            return await read.page(reading, self.shapes, shape, context, search, filters or {}, sort, number, size)

    async def get(self, kind: str, id: int, context: Context, *, session: Session | None = None) -> dict[str, Any]:
        """One record, with `<reference>__title`."""
        shape = self._seen(kind, context)
        async with self._reading(session) as reading:
            row = encode(shape.fields, await read.one(reading, shape, id, context))
            await read.add_titles(reading, self.shapes, shape, [row])
            return row

    async def find(self, kind: str, key: str, context: Context, *, session: Session | None = None) -> int | None:
        """The id of the record with this number or code, or None."""
        shape = self._seen(kind, context)
        if not shape.key:
            return None
        condition, args = shape.visible(context)
        async with self._reading(session) as reading:
            sql = f'SELECT "id" FROM "{shape.table}" WHERE "{shape.key}" = ? AND {condition}'
            found: int | None = await reading.value(sql, key, *args)
            return found

    async def options(
        self, kind: str, text: str, context: Context, limit: int = 20, party: int | None = None, *, session: Session | None = None
    ) -> list[tuple[int, str]]:
        """(id, title) of active records for a combobox: those that start with the text first. party: whose own numbers count as well."""
        shape = self._seen(kind, context)
        async with self._reading(session) as reading:
            return [(id, title) for id, title, _ in await read.options(reading, self.shapes, shape, text, context, limit, party)]

    async def details(self, kind: str, ids: Sequence[int], context: Context) -> dict[int, str]:
        """What tells records of one title apart, by id: of a party its city and tax number."""
        shape = self._seen(kind, context)
        async with self._reading(None) as session:
            return await read.details(session, self.shapes, shape, ids, context)

    async def codes(self, kind: str, text: str, context: Context, limit: int = 20) -> list[tuple[str, str]]:
        """The same as (code, title), for fields that hold a code (FieldView.code_of)."""
        shape = self._seen(kind, context)
        async with self._reading(None) as session:
            return [(code, title) for _, title, code in await read.options(session, self.shapes, shape, text, context, limit)]

    async def history(self, kind: str, id: int, context: Context) -> list[Event]:
        """Who changed what when, latest first."""
        shape = self._seen(kind, context)
        async with self._reading(None) as session:
            await read.one(session, shape, id, context)
            return await write.history(session, self.shapes, shape, id)

    # ---- writing -----------------------------------------------------------------------------------------------------------------

    async def save(
        self, kind: str, id: int | None, values: Mapping[str, Any], context: Context, *, session: Session | None = None, key: str | None = None
    ) -> int:
        """Create (id None) or change a record; returns its id.

        Args:
            values: only what changes need be given. Decimals as text or Decimal; references as id, or number or code as text.
            key: idempotency key: the same call with the same key does nothing the second time and returns the same id.

        Raises:
            Refused: every problem at once, each with its field; 403 without `<kind>.edit`.
        """
        shape = self._edited(kind, context, values)
        async with self._writing(session, shape) as writing:
            if key is None:
                return await write.save(writing, self.shapes, shape, id, values, context)
            request = hashlib.sha256(repr((kind, id, sorted(values.items(), key=str))).encode()).hexdigest()
            done = await self._done(writing, key, request, context)
            if done is None:
                done = await write.save(writing, self.shapes, shape, id, values, context)
                result = msgspec.json.encode({"id": done}).decode()
                await writing.need(1)
                writing.add(IdempotencyKey, user=context.user.login, key=key, request=request, result=result, created_at=context.now)
            return done

    async def _done(self, session: Session, key: str, request: str, context: Context) -> int | None:
        """The id that the call with this key gave, if it was made before."""
        row = await session.one('SELECT request, result FROM idempotency_key WHERE "user" = ? AND key = ?', context.user.login, key)
        if row is None:
            return None
        if row["request"] != request:
            problem = Problem(code="idempotency.differs", message="this key belongs to another request", where="key", hint="use a new key")
            raise Refused(problem, status=409)
        result = msgspec.json.decode(row["result"]) if isinstance(row["result"], str) else row["result"]
        return int(result["id"])

    async def delete(self, kind: str, id: int, context: Context, *, session: Session | None = None) -> None:
        """Delete a record and its parts; Refused, saying by what, where it is still used."""
        shape = self._edited(kind, context)
        async with self._writing(session, shape) as writing:
            await write.delete(writing, self.shapes, shape, id, context)

    async def import_rows(self, kind: str, rows: Sequence[Mapping[str, Any]], context: Context, *, match: str = "", dry: bool = False) -> ImportResult:
        """Create and change many records at once, all or none.

        Args:
            rows: by field name; references by number or code as text.
            dry: only say what would happen.
            match: what a row is recognised by, such as "number" or "item,currency,date_from"; empty for the natural key.
        """
        shape = self._edited(kind, context, *rows)
        columns = matching(shape, match)
        result = ImportResult()
        with contextlib.suppress(_Nothing):  # leaves the transaction without a trace
            async with self._writing(None, shape) as session:
                result = await Importer(session, self.shapes, shape, context, columns).run(rows)
                if result.problems or dry:
                    raise _Nothing
        return result

    # ---- inside ------------------------------------------------------------------------------------------------------------------

    def _seen(self, kind: str, context: Context) -> Shape:
        require(context, f"{self.shapes[kind].name}.view")
        return self.shapes[kind].seen(context)

    def _edited(self, kind: str, context: Context, *entered: Mapping[str, Any]) -> Shape:
        """All fields, since rules look at the whole row; refused where somebody enters what they may not see."""
        shape = self.shapes[kind]
        require(context, f"{kind}.edit")
        for field in shape.fields:
            if field.right and any(field.name in values for values in entered):
                require(context, field.right)
        return shape

    @asynccontextmanager
    async def _reading(self, session: Session | None) -> AsyncIterator[Session]:
        if session is not None:
            yield session
            return
        async with self.app.database.read() as own:
            yield own

    @asynccontextmanager
    async def _writing(self, session: Session | None, shape: Shape) -> AsyncIterator[Session]:
        if session is not None:
            yield session
            return
        try:
            async with self.app.database.write() as own:
                yield own
        except Exception as error:
            if not is_duplicate(error):
                raise
            message = f"somebody else has just saved the same {shape.record.label.lower()}"
            raise Refused(Problem(code="record.unique", message=message, hint="look at theirs, then save again"), status=409) from error


__all__ = ["Change", "Event", "ImportResult", "Page", "Records"]
