"""Struct types of record kinds, from which the API's schema is made: the same bounds that the decoder keeps."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec

from newel.manifest import RecordKind
from newel.services.fields import Fields
from newel.services.values import FieldView

WIDTH = 19


def entered_type(record: RecordKind, fields: Fields) -> type[msgspec.Struct]:
    """What is sent to create or change a record. A change sends only what changes, so nothing is required; decode says what is missing."""
    made = [(f.name, _entered(f) | msgspec.UnsetType, msgspec.UNSET) for f in fields if not f.readonly]
    return msgspec.defstruct(_name(record) + "Input", made, frozen=True, kw_only=True, forbid_unknown_fields=True)


def shown_type(record: RecordKind, fields: Fields) -> type[msgspec.Struct]:
    """What is sent back: all fields but secrets, and what its references are called."""
    made: list[tuple[str, Any, Any]] = [("id", int, 0)]
    for field in fields:
        if not field.secret:
            made.append((field.name, Annotated[_shown(field), msgspec.Meta(title=field.label, description=field.help)], None))
        if field.type == "reference":
            made.append((f"{field.name}__title", str, ""))
    return msgspec.defstruct(_name(record), made, frozen=True, kw_only=True)


def values_of(entered: msgspec.Struct) -> dict[str, Any]:
    """What was sent, for Records.save."""
    return {k: v for k, v in msgspec.structs.asdict(entered).items() if v is not msgspec.UNSET}


def _name(record: RecordKind) -> str:
    return "".join(part.capitalize() for part in record.name.replace(".", "_").split("_"))


def _entered(field: FieldView) -> Any:
    said: dict[str, Any] = {"title": field.label, "description": field.help or None}
    if field.type == "choice":
        values = [value for value, _ in field.choices]
        kind: Any = Annotated[Literal[tuple(dict.fromkeys(values if field.required else ["", *values]))], msgspec.Meta(**said)]
        return kind
    if field.type == "decimal":
        most = WIDTH - field.digits
        kind = Annotated[str, msgspec.Meta(pattern=rf"^-?[0-9]{{1,{most}}}(\.[0-9]{{1,{field.digits}}})?$", examples=["12.50"], **said)]
    elif field.type == "integer":
        low, high = (None if b is None else int(b) for b in (field.minimum, field.maximum))
        kind = Annotated[int, msgspec.Meta(ge=low, le=high, **said)]
    elif field.type in ("text", "longtext"):
        return Annotated[str, msgspec.Meta(max_length=field.length or None, **said)]
    elif field.type == "reference":
        kind = Annotated[int | str, msgspec.Meta(title=field.label, description="id, or number or code as text")]
    else:
        plain: dict[str, Any] = {"date": date, "instant": datetime, "flag": bool, "json": dict[str, Any] | list[Any]}
        kind = Annotated[plain[field.type], msgspec.Meta(**said)]
    return kind | None if field.null else kind


def _shown(field: FieldView) -> Any:
    types: dict[str, Any] = {
        "integer": int, "decimal": Decimal, "date": date, "instant": datetime, "flag": bool, "reference": int,
        "json": dict[str, Any] | list[Any],
    }  # fmt: skip
    return types.get(field.type, str) | None
