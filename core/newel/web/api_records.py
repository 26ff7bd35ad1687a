"""Records of every kind over the API: what is kept and is no document."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from newel.errors import Problem, Refused
from newel.services.record_write import Event
from newel.services.values import TEXTS
from newel.web import api_types as a
from newel.web.operations import END, ID_MAX, Call, operation

ROWS_MAX = 20_000
FILTER_LENGTH = 200
Values = Annotated[dict[Annotated[str, Meta(max_length=60)], Any], Meta(max_length=200)]
PAGED = ("q", "sort", "page", "size")


class RecordPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a list. A reference x comes with x__title; total counts all pages."""

    rows: list[dict[str, Any]]
    total: int
    page: int
    size: int


class PagedQuery(a.Input, frozen=True, kw_only=True):
    """`q` looks in the columns that name a record."""

    q: Annotated[str, Meta(max_length=100, pattern=a.ONE_LINE)] = ""
    sort: Annotated[str, Meta(max_length=61, pattern="^(-?[a-z][a-z0-9_]*)?" + END)] = ""
    page: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    size: Annotated[int, Meta(ge=1, le=200)] = 50


class OptionsQuery(a.Input, frozen=True, kw_only=True):
    """`q`: the beginning of what is meant, or a part of it."""

    q: Annotated[str, Meta(max_length=100, pattern=a.ONE_LINE)] = ""
    limit: Annotated[int, Meta(ge=1, le=200)] = 20


class Option(msgspec.Struct, frozen=True, kw_only=True):
    """A record to choose, by id; code where it has one."""

    id: int
    title: str


class FieldChange(msgspec.Struct, frozen=True, kw_only=True):
    """Old and new value of a field."""

    field: str
    label: str
    old: str
    new: str


class RecordEventOut(msgspec.Struct, frozen=True, kw_only=True):
    """Who changed what, when."""

    at: datetime | None
    user: str
    source: str
    action: str
    changes: list[FieldChange]


class ImportBody(a.Input, frozen=True, kw_only=True):
    """Rows by field name; references by number or code. `match`: fields that a row is recognised by, separated by commas.

    `dry_run`: only say what would happen.
    """

    rows: Annotated[tuple[Values, ...], Meta(min_length=1, max_length=ROWS_MAX)]
    match: Annotated[str, Meta(max_length=200, pattern="^([a-z][a-z0-9_]*(,[a-z][a-z0-9_]*)*)?" + END)] = ""
    dry_run: bool = False


class ImportOut(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did, or would do."""

    created: int
    changed: int
    unchanged: int
    dry_run: bool


@operation("GET", "/records/{kind}", answer=RecordPage, query=PagedQuery, free_query=True, errors=(404,), tag="records")
async def list_records(call: Call) -> RecordPage:
    """List records of a kind. Every field is a filter; name__from and name__to bound numbers and dates."""
    given = call.given()
    paged = call.convert({n: v for n, v in given.items() if n in PAGED}, PagedQuery)
    filters = {n: v for n, v in given.items() if n not in PAGED}
    _refuse_wide(call, filters)
    found = await call.newel.records.page(call.path["kind"], call.context, search=paged.q, filters=filters, sort=paged.sort, number=paged.page, size=paged.size)
    return RecordPage(rows=found.rows, total=found.total, page=paged.page, size=paged.size)


def _refuse_wide(call: Call, filters: dict[str, str]) -> None:
    """What the published schema does not allow as a filter."""
    known = call.newel.records.fields(call.path["kind"], call.context).by_name
    for name, value in filters.items():
        field = known.get(name.removesuffix("__from").removesuffix("__to"))
        wide = field is not None and field.type in ("integer", "reference") and value.lstrip("-").isdigit() and abs(int(value)) > ID_MAX
        if len(value) > FILTER_LENGTH or wide or (not value and field is not None and field.type not in TEXTS):
            problem = Problem(code="list.filter", message=f"{value!r:.40} is no value for this filter", where=name[:60], hint="look at /api/docs")
            raise Refused(problem, status=400)


@operation("POST", "/records/{kind}", body=Values, answer=dict[str, Any], status=201, key=True, errors=(404, 409), tag="records")
async def create_record(call: Call) -> dict[str, Any]:
    """Make a record. References are ids, or numbers or codes as text."""
    id = await call.newel.records.save(call.path["kind"], None, call.body, call.context, key=call.key)
    return await _stored(call, id)


async def _stored(call: Call, id: int) -> dict[str, Any]:
    """The record after a write; only its id where the user may write and not read."""
    if not call.context.user.may(f"{call.path['kind']}.view"):
        return {"id": id}
    return await call.newel.records.get(call.path["kind"], id, call.context)


@operation("GET", "/records/{kind}/{id}", answer=dict[str, Any], errors=(404,), tag="records")
async def get_record(call: Call) -> dict[str, Any]:
    """Read a record."""
    return await call.newel.records.get(call.path["kind"], call.path["id"], call.context)


@operation("PATCH", "/records/{kind}/{id}", body=Values, answer=dict[str, Any], key=True, errors=(404, 409), tag="records")
async def update_record(call: Call) -> dict[str, Any]:
    """Change a record; what is not sent stays as it is."""
    id = await call.newel.records.save(call.path["kind"], call.path["id"], call.body, call.context, key=call.key)
    return await _stored(call, id)


@operation("DELETE", "/records/{kind}/{id}", errors=(404, 409), tag="records")
async def delete_record(call: Call) -> None:
    """Delete a record that nothing uses, with its parts."""
    await call.newel.records.delete(call.path["kind"], call.path["id"], call.context)


@operation("GET", "/records/{kind}/options", answer=list[Option], query=OptionsQuery, errors=(404,), tag="records")
async def record_options(call: Call) -> list[Option]:
    """List records to choose from; those that start with the text first."""
    found = await call.newel.records.options(call.path["kind"], call.query.q, call.context, call.query.limit)
    return [Option(id=id, title=title) for id, title in found]


@operation("GET", "/records/{kind}/{id}/history", answer=list[RecordEventOut], errors=(404,), tag="records")
async def record_history(call: Call) -> list[RecordEventOut]:
    """Read who changed a record, latest first."""
    return [_event(e) for e in await call.newel.records.history(call.path["kind"], call.path["id"], call.context)]


def _event(e: Event) -> RecordEventOut:
    changes = [FieldChange(field=c.field, label=c.label, old=c.old, new=c.new) for c in e.changes]
    return RecordEventOut(at=e.at, user=e.user, source=e.source, action=e.action, changes=changes)


@operation("POST", "/records/{kind}/import", body=ImportBody, answer=ImportOut, errors=(404, 409), tag="records")
async def import_records(call: Call) -> ImportOut:
    """Create and change many records at once, all or none. With `match`, importing twice changes nothing."""
    body: ImportBody = call.body
    found = await call.newel.records.import_rows(call.path["kind"], body.rows, call.context, match=body.match, dry=body.dry_run)
    if found.problems:
        raise Refused(*found.problems)
    return ImportOut(created=found.created, changed=found.changed, unchanged=found.unchanged, dry_run=body.dry_run)


operations = [
    list_records, create_record, record_options, import_records, get_record, update_record, delete_record, record_history,
]  # fmt: skip
