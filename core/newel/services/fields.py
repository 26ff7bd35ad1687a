"""Fields of a record kind: derived from its declaration and its table.

Form, list, API schema, import and export of a record all come from these descriptors, so that no two of them can differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from newel.errors import Problem
from newel.manifest import Field, RecordKind
from newel.services.registry import Registry
from newel.services.values import WHOLE, FieldView, decode_one, entered
from newel.store.describe import ColumnInfo, columns, table_name

SHOWN = 6


class Fields:
    """The fields of one record kind, in order and by name."""

    __slots__ = ("all", "by_name")

    def __init__(self, fields: Sequence[FieldView]) -> None:
        self.all = tuple(fields)
        self.by_name = {f.name: f for f in fields}

    def __iter__(self) -> Iterator[FieldView]:
        return iter(self.all)

    def __len__(self) -> int:
        return len(self.all)

    def __getitem__(self, name: str) -> FieldView:
        return self.by_name[name]

    def readonly(self, name: str) -> bool:
        """Whether nobody enters the field."""
        return name not in self.by_name or self.by_name[name].readonly

    def __contains__(self, name: object) -> bool:
        return name in self.by_name


# ---- deriving ----------------------------------------------------------------------------------------------------------------------


def fields_of(record: RecordKind, registry: Registry) -> Fields:
    """The fields that people see of a record kind: all columns but the id and the company that the service fills in."""
    said = {f.name: f for f in record.fields}
    infos = {c.name: c for c in columns(record.table) if not c.key and c.name != record.scope}
    names, rights = record.columns or tuple(infos), registry.rights(record)
    by_table = {table_name(r.table): r.name for r in registry.records.values()}
    shown, out = 0, []
    for name in names:
        info, field = infos[name], said.get(name, Field(name=name))
        listed = field.list if field.list is not None else shown < SHOWN and info.type not in ("longtext", "json") and not info.secret
        shown += listed
        out.append(msgspec.structs.replace(_field(record, info, field, registry, by_table, listed), right=rights.get(name, "")))
    return Fields(out)


def _field(record: RecordKind, info: ColumnInfo, field: Field, registry: Registry, by_table: dict[str, str], listed: bool) -> FieldView:
    choices = field.choices
    if field.choices_of:
        choices = tuple((name, kind.label or name) for name, kind in getattr(registry, field.choices_of).items())
    needed = info.unique or info.name in record.title or (info.type == "reference" and not info.null)
    if choices and info.default:  # empty is none of the choices
        needed = not any(known == "" for known, _ in choices)
    view = FieldView(
        name=info.name,
        label=field.label or info.name.replace("_", " ").capitalize(),
        help=field.help or info.help,
        type="choice" if choices else info.type,
        required=field.required if field.required is not None else needed and not info.null and info.type != "flag",
        null=info.null,
        length=info.length,
        digits=info.scale,
        minimum=field.minimum,
        maximum=field.maximum,
        choices=choices,
        reference=by_table.get(info.references, ""),
        target=info.references,
        code_of=field.code_of,
        list=listed,
        readonly=field.readonly,
        secret=field.secret or info.secret,
        stored=info.default,
    )
    return msgspec.structs.replace(view, default=entered(view, info.default))


def decode(fields: Fields, values: Mapping[str, Any], stored: Mapping[str, Any] | None = None) -> tuple[dict[str, Any], list[Problem]]:
    """Turn what was entered into what is stored.

    Args:
        values: by field name. Decimals as text, int or Decimal, never float; references as id or as natural key.
        stored: the row as it is; None for a new record, which then gets its defaults.

    Returns:
        The values for the store (references by natural key still as text), and everything that is wrong, each with its field.
    """
    out: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, value in values.items():
        field = fields.by_name.get(name)
        if field is None:
            hint = f"known are {', '.join(fields.by_name)}"
            problems.append(Problem(code="field.unknown", message=f"there is no field {name!r:.60}", where=str(name)[:60], hint=hint))
        elif field.readonly:
            if stored is None or entered(field, stored.get(name)) != value:
                hint = "leave it out"
                problems.append(Problem(code="field.readonly", message=f"{field.label} can't be entered", where=name, hint=hint))
        else:
            try:
                out[name] = decode_one(field, value)
            except ValueError as error:
                problems.append(error.args[0])
    if stored is None:
        for field in fields:
            if field.name in values:
                continue
            if field.required and not field.readonly and field.stored in (None, ""):
                message = f"{field.label} is missing"
                problems.append(Problem(code="field.required", message=message, where=field.name, hint="enter a value"))
            else:
                out[field.name] = field.stored
    return out, problems


def from_form(fields: Fields, form: Mapping[str, Any]) -> dict[str, Any]:
    """What a browser posts (text only, unticked boxes not at all) as values for decode; fields that it does not have are left out.

    A box is sent with a hidden field of the same name before it, so its value is "", "false" or "true"; a reference is sent as its id.
    """
    out: dict[str, Any] = {}
    for field in fields:
        if field.name not in form or field.readonly:
            continue
        value = form[field.name]
        if field.type == "flag":
            value = value or "false"
        elif field.type == "reference" and isinstance(value, str) and WHOLE.fullmatch(value):
            value = int(value)
        out[field.name] = value
    return out


def encode(fields: Fields, row: Mapping[str, Any]) -> dict[str, Any]:
    """A stored row as values: numbers as Decimal without superfluous zeros, and no secrets."""
    out = {"id": row["id"]} if "id" in row else {}
    for field in fields:
        if field.name in row and not field.secret:
            out[field.name] = entered(field, row[field.name])
    return out


__all__ = ["FieldView", "Fields", "decode", "decode_one", "encode", "entered", "fields_of", "from_form"]
