"""Importing records: the same checks as for one, in batches; either all rows are written or none."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from newel.domain.context import Context
from newel.errors import Problem, Refused
from newel.services import record_write as write
from newel.services.fields import decode
from newel.services.shapes import Shape, Shapes
from newel.services.values import TEXTS
from newel.store.session import Session

BATCH = 5_000
MOST_PROBLEMS = 500


class ImportResult(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did, or would: for each row "created", "changed" or "unchanged".

    With any problem nothing was written; `where` says "rows[2].price" for the third row, the message "row 3".
    """

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    problems: tuple[Problem, ...] = ()
    rows: tuple[str, ...] = ()


class _Row:
    """One row on its way: where it came from, what is stored, what is to be."""

    __slots__ = ("decoded", "index", "stored")

    def __init__(self, index: int, decoded: dict[str, Any]) -> None:
        self.index, self.decoded = index, decoded
        self.stored: dict[str, Any] | None = None


class Importer:
    """One import into one record kind, in one transaction."""

    def __init__(self, session: Session, shapes: Shapes, shape: Shape, context: Context, match: tuple[str, ...]) -> None:
        self.session, self.shapes, self.shape, self.context, self.match = session, shapes, shape, context, match
        self.silent = {f.name for f in shape.fields if not f.null and (f.type not in TEXTS or f.stored)}
        self.problems: list[Problem] = []
        self.more = 0
        self.seen: dict[tuple[str, ...], dict[tuple[Any, ...], int]] = {}
        self.at: datetime | None = None
        self.did: list[str] = []

    async def run(self, rows: Sequence[Mapping[str, Any]]) -> ImportResult:
        """Check and write batch after batch; the caller rolls back where there are problems."""
        for start in range(0, len(rows), BATCH):
            batch = await self._checked(rows[start : start + BATCH], start)
            if not self.problems:
                await self._write(batch)
            await asyncio.sleep(0)  # let others have their turn
        if self.problems:
            if self.more:
                message = f"and {self.more} more problems"
                self.problems.append(Problem(code="import.more", message=message, hint="mend these first"))
            return ImportResult(problems=tuple(self.problems))
        await write.make_stale(self.session, self.shape)
        created, changed, unchanged = map(self.did.count, ("created", "changed", "unchanged"))
        return ImportResult(created=created, changed=changed, unchanged=unchanged, rows=tuple(self.did))

    def _problem(self, index: int, problem: Problem) -> None:
        if len(self.problems) >= MOST_PROBLEMS:
            self.more += 1
            return
        message, where = f"row {index + 1}: {problem.message}", f"rows[{index}].{problem.where}".rstrip(".")
        self.problems.append(msgspec.structs.replace(problem, message=message, where=where))

    def _add(self, index: int, problems: Sequence[Problem]) -> None:
        for problem in problems:
            self._problem(index, problem)

    # ---- checking ----------------------------------------------------------------------------------------------------------------

    async def _checked(self, rows: Sequence[Mapping[str, Any]], start: int) -> list[_Row]:
        batch = []
        for index, values in enumerate(rows, start):
            decoded, problems = decode(self.shape.fields, self._entered(values), {})
            self._add(index, problems)
            batch.append(_Row(index, decoded))
        found = await write.resolve(self.session, self.shapes, self.shape, [r.decoded for r in batch], self.context)
        for offset, problems in found.items():
            self._add(start + offset, problems)
        if self.problems:  # what exists can't be compared with what is wrong
            return batch
        await self._match(batch)
        for row in batch:
            self._complete(row)
        for columns in self.shape.uniques:
            if not set(columns) & set(self.shape.stamps):
                await self._unique(columns, batch)
        if self.shape.record.check is not None or self.shapes.plugins.has("check_record"):
            whole = [{**(row.stored or {}), **row.decoded} for row in batch]
            facts = await write.check_facts(self.session, self.shape, whole, self.context)
            for row, values in zip(batch, whole, strict=True):
                self._add(row.index, write.checked(self.shape, values, self.context, facts))
                self._add(row.index, write.refusing(self.shapes.problems(self.shape, row.stored, values, self.context), self.context))
        return batch

    def _entered(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """An empty cell of a column that can't be empty, or that has a default, says nothing."""
        if "" not in values.values() and None not in values.values():
            return values
        return {k: v for k, v in values.items() if v not in ("", None) or k not in self.silent}

    async def _match(self, batch: list[_Row]) -> None:
        """Find the records that rows are about."""
        if self.shape.record.append_only or not self.match:
            return
        found = await self._existing(self.match, batch)
        for row in batch:
            row.stored = found.get(self._key(self.match, row.decoded))

    def _key(self, columns: tuple[str, ...], values: Mapping[str, Any]) -> tuple[Any, ...]:
        scope, own = self.shape.scope, self.context.company.id
        return tuple([own if c == scope else values.get(c) for c in columns])

    async def _existing(self, columns: tuple[str, ...], batch: list[_Row]) -> dict[tuple[Any, ...], dict[str, Any]]:
        condition, args = self.shape.visible(self.context)
        lead = next(c for c in columns if c != self.shape.scope)
        wanted = sorted({v for r in batch if (v := {**(r.stored or {}), **r.decoded}.get(lead)) is not None})
        if not wanted:
            return {}
        sql = f'SELECT {self.shape.columns} FROM "{self.shape.table}" WHERE "{lead}" = ANY(?) AND {condition}'
        return {self._key(columns, r): dict(r) for r in await self.session.fetch(sql, wanted, *args)}

    def _complete(self, row: _Row) -> None:
        """A new record gets its defaults, and must have what is required."""
        if row.stored is not None:
            return
        for field in self.shape.fields:
            if field.name in row.decoded:
                continue
            if field.required and not field.readonly and field.stored in (None, ""):
                message = f"{field.label} is missing"
                self._problem(row.index, Problem(code="field.required", message=message, where=field.name, hint="enter a value"))
            row.decoded[field.name] = field.stored
        if self.shape.scope:
            row.decoded[self.shape.scope] = self.context.company.id

    async def _unique(self, columns: tuple[str, ...], batch: list[_Row]) -> None:
        """No two rows of the import, and no row and another record, may have the same values."""
        seen = self.seen.setdefault(columns, {})
        others = {} if columns == self.match else await self._existing(columns, batch)
        for row in batch:
            values = {**row.stored, **row.decoded} if row.stored else row.decoded
            key = self._key(columns, values)
            if key in seen:
                where = next(c for c in reversed(columns) if c != self.shape.scope)
                problem = write.duplicate(self.shape, columns, values)
                message = f"the same as row {seen[key] + 1}: {problem.message}"
                self._problem(row.index, msgspec.structs.replace(problem, where=where, message=message))
            seen.setdefault(key, row.index)
            other = others.get(key)
            if other is not None and (row.stored is None or other["id"] != row.stored["id"]):
                self._problem(row.index, write.duplicate(self.shape, columns, values))

    # ---- writing -----------------------------------------------------------------------------------------------------------------

    async def _write(self, batch: list[_Row]) -> None:
        session, shape, context, fields = self.session, self.shape, self.context, self.shape.fields
        await session.need(2 * len(batch))
        at = self.at = self.at or await write.moment(session, shape, context)
        updates: dict[tuple[str, ...], list[list[Any]]] = {}
        for row in batch:
            if row.stored is None:
                write.stamp(shape, row.decoded, context, at and at + timedelta(microseconds=row.index))
                id = session.add(shape.record.table, **row.decoded)
                write.event(session, shape, id, "import", write.changes(fields, {}, row.decoded), context)
                self.did.append("created")
                continue
            changed = write.changed_values(fields, row.stored, row.decoded)
            if not changed:
                self.did.append("unchanged")
                continue
            updates.setdefault(tuple(changed), []).append([*changed.values(), row.stored["id"]])
            write.event(session, shape, row.stored["id"], "import", write.changes(fields, row.stored, changed), context)
            self.did.append("changed")
        await session.flush()
        for names, rows in updates.items():
            sets = ", ".join(f'"{n}" = ?' for n in names)
            await session.many(f'UPDATE "{shape.table}" SET {sets} WHERE "id" = ?', rows)


def matching(shape: Shape, match: str) -> tuple[str, ...]:
    """The columns that rows are recognised by: those named, else the natural key, else the first set that may be there only once.

    Raises:
        Refused: a named column does not exist or does not say which record is meant.
    """
    names = tuple(n.strip() for n in match.split(",") if n.strip())
    sets = {tuple(sorted(c for c in u if c != shape.scope)): u for u in shape.uniques if not set(u) & set(shape.stamps)}
    if not names:
        names = (shape.key,) if shape.key else next(iter(sets), ())
    if names and tuple(sorted(names)) not in sets:
        known = "; ".join(",".join(s) for s in sets) or "nothing"
        message = f"{shape.record.label_plural} can't be recognised by {', '.join(names)}"
        raise Refused(Problem(code="import.match", message=message, where="match", hint=f"use {known}"))
    return sets[tuple(sorted(names))] if names else ()
