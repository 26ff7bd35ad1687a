"""What the services need to know of a record kind, worked out once: fields, keys, references, whose rows they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from newel.domain.context import Context
from newel.errors import Problem
from newel.manifest import RecordKind
from newel.plugins import Plugins
from newel.services.fields import Fields, encode, fields_of
from newel.services.registry import Registry
from newel.store import describe
from newel.store.tables_document import DOCUMENTS
from newel.store.tables_master import MASTER, Company, Party


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """A record kind, ready for use.

    Args:
        table: name of its table.
        scope: its column with the company, empty for none. scope_null: rows without one belong to all companies.
        uniques: sets of columns whose values may stand together only once.
        key: the column that people call a record by (number, code), empty where several together do.
        order: column that lists are sorted by unless somebody says otherwise.
        facts: cached facts that a change makes stale.
        stamps: columns that the service fills in: entered_at, entered_by.
        parties: columns that name a party: a user who stands for one sees only its rows, and those of nobody.
    """

    record: RecordKind
    table: str
    fields: Fields
    scope: str = ""
    scope_null: bool = False
    uniques: tuple[tuple[str, ...], ...] = ()
    key: str = ""
    order: str = "id"
    facts: tuple[str, ...] = ()
    stamps: tuple[str, ...] = ()
    parties: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Name of the record kind."""
        return self.record.name

    @property
    def columns(self) -> str:
        """All columns but secrets, for SELECT."""
        names = [c.name for c in describe.columns(self.record.table) if not c.secret]
        return ", ".join(f'"{n}"' for n in names if n not in self.fields or not self.fields[n].secret)

    def seen(self, context: Context) -> Shape:
        """The same as this user meets it: without the fields that need a right which the user has not."""
        if not (hidden := self.hidden(context)):
            return self
        record = msgspec.structs.replace(self.record, search=tuple(c for c in self.record.search if c not in hidden))
        return msgspec.structs.replace(self, record=record, fields=Fields([f for f in self.fields if f.name not in hidden]))

    def hidden(self, context: Context) -> set[str]:
        """Fields that this user has no right to."""
        return {f.name for f in self.fields if f.right and not context.user.may(f.right)}

    def visible(self, context: Context) -> tuple[str, list[Any]]:
        """SQL condition for the rows that an action in this context may see, with its parameters."""
        condition, args = self._of_company(context)
        if context.user.party is None:
            return condition, args
        if self.record.internal:
            return "1 = 0", []
        owners = ['"id" = ?'] if self.record.table is Party else [f'("{c}" = ? OR "{c}" IS NULL)' for c in self.parties]
        return " AND ".join([condition, *owners]), args + [context.user.party] * len(owners)

    def _of_company(self, context: Context) -> tuple[str, list[Any]]:
        if self.scope:
            own = f'"{self.scope}" = ?'
            return (f'({own} OR "{self.scope}" IS NULL)' if self.scope_null else own), [context.company.id]
        if self.record.table is Company and "*" not in context.user.permissions:
            return '"id" = ANY(?)', [sorted(context.user.companies)]
        return "1 = 1", []


class Shapes:
    """Shapes of all record kinds, each made when first asked for."""

    def __init__(self, registry: Registry, plugins: Plugins) -> None:
        self.registry, self.plugins = registry, plugins
        self._shapes: dict[str, Shape] = {}
        self._by_table = {describe.table_name(r.table): r.name for r in registry.records.values()}

    def __getitem__(self, kind: str) -> Shape:
        if kind not in self._shapes:
            self._shapes[kind] = self._make(self.registry.record(kind))
        return self._shapes[kind]

    def of_table(self, table: str) -> Shape | None:
        """The shape of the record kind that is kept in a table."""
        return self[self._by_table[table]] if table in self._by_table else None

    def all(self) -> Iterable[Shape]:
        """Every record kind."""
        return [self[name] for name in self.registry.records]

    def children(self, kind: str) -> list[Shape]:
        """Record kinds whose rows are parts of a record of this kind."""
        table = self[kind].table
        return [s for s in self.all() if s.record.parent and s.fields[s.record.parent].target == table]

    def problems(self, shape: Shape, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, context: Context) -> list[Problem]:
        """What plugins have against making (no `before`), changing or deleting (no `after`) a record."""
        if not self.plugins.has("check_record"):
            return []
        old, new = (None if row is None else {**encode(shape.fields, row), "id": row.get("id")} for row in (before, after))
        found = self.plugins.propose("check_record", Problem, kind=shape.name, before=old, after=new, context=context)
        return [msgspec.structs.replace(p, plugin=plugin) for plugin, p in found]

    def tables(self) -> list[Any]:
        """All tables of kernel and plugins."""
        more = {t for m in self.registry.manifests.values() for t in (*m.tables, *(r.table for r in m.records))}
        return [*MASTER, *DOCUMENTS, *(t for t in more if t not in MASTER and t not in DOCUMENTS)]

    def _make(self, record: RecordKind) -> Shape:
        infos = {c.name: c for c in describe.columns(record.table)}
        scope = record.scope if record.scope in infos else ""
        uniques = describe.uniques(record.table)
        fields = fields_of(record, self.registry)
        keys = [own[0] for u in uniques if len(own := [c for c in u if c != scope]) == 1]
        return Shape(
            record=record,
            table=describe.table_name(record.table),
            fields=fields,
            scope=scope,
            scope_null=bool(scope) and infos[scope].null,
            uniques=uniques,
            key=next((k for k in keys if infos[k].type == "text"), ""),
            order=next((c for c in record.title if c in infos), "id"),
            facts=record.facts if isinstance(record.facts, tuple) else (record.facts,) if record.facts else (),
            stamps=tuple(c for c in ("entered_at", "entered_by") if c in infos and fields.readonly(c)),
            parties=tuple(f.name for f in fields if f.type == "reference" and f.target == describe.table_name(Party)),
        )
