"""The form of a new document, made from what its kind asks a party."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
from newel.domain.context import Context
from newel.domain.document import Document, DocumentInput, LineInput
from newel.domain.kinds import Ask, DocumentKind, Flow
from newel.domain.money import ZERO
from newel.errors import Problem, missing
from newel.web.forms import Part, Reader, field_of, parts_of, read_struct
from newel.web.views_form import address_line
from newel.web.views_text import _, entry

from newel_portal import rules
from newel_portal.send import acting

if TYPE_CHECKING:
    from newel.services.app import Newel

CHOICES = 200
FIRST = 2  # questions that are seen at once; the others are folded


def kind(newel: Newel, name: str, context: Context) -> DocumentKind:
    """A kind that the user may make here; Refused 404 for all others."""
    found = next((k for k in rules.asked(newel.registry.kinds, context.user.may) if k.name == name), None)
    if found is None:
        raise missing("form", name[:60], "kind")
    return found


def _part(newel: Newel, ask: Ask) -> tuple[str, Part] | None:
    """Plugin and field of a question about a plugin's data, where that plugin runs."""
    at = rules.field_of_data(ask)
    if at is None or at[0] not in newel.registry.document_data:
        return None
    return next(((at[0], p) for p in parts_of(newel.registry.document_data[at[0]]) if p.name == at[1]), None)


async def fields(
    newel: Newel, kind: DocumentKind, context: Context, reader: Reader | None, problems: Sequence[Problem], *, lines: bool
) -> list[dict[str, Any]]:
    """The questions as fields, with what was entered and what is wrong with it. lines: also the one about an item."""
    names = [a.name for a in kind.asks]
    errors: dict[str, str] = {}
    for p in problems:
        errors.setdefault(rules.where(p.where, names), p.message)
    out: list[dict[str, Any]] = []
    for ask in kind.asks:
        field = None if ask.name == "item" and not lines else await _field(newel, ask, reader.text(ask.name) if reader else "", context)
        if field is None:
            continue
        out.append(field | {"error": errors.get(ask.name, ""), "folded": len(out) >= FIRST})
        if ask.name == "item":
            quantity = reader.text("quantity") if reader else ""
            out.append(out[-1] | {"name": "quantity", "label": _("How many"), "value": quantity, "type": "number", "error": "", "help": ""})
    return out


async def _field(newel: Newel, ask: Ask, value: str, context: Context) -> dict[str, Any] | None:
    """A question as a field; None where the plugin does not run whose data it is about."""
    field: dict[str, Any] = {"name": ask.name, "label": _(ask.label), "help": _(ask.help), "type": "text", "value": value, "width": 4}
    if found := _part(newel, ask):
        field |= field_of(found[1], ask.name, value, _(ask.label)) | {"width": 4}
    elif rules.field_of_data(ask):
        return None
    if ask.code_of or ask.choices:
        options = await _choices(newel, ask, context)
        return field | {"type": "select", "options": [{"value": v, "label": label} for v, label in options]}
    if ask.name == "ship_to":
        return field | {"type": "select", "options": await _addresses(newel, context)}
    more: dict[str, dict[str, Any]] = {"text": {"type": "textarea", "rows": 5}, "date_requested": {"type": "date"}}
    return field | more.get(ask.name, {})


async def _choices(newel: Newel, ask: Ask, context: Context) -> list[tuple[str, str]]:
    """What may be chosen: what the kind says, and the codes of a record kind, without the code before the name."""
    out = {value: _(label) for value, label in ask.choices}
    if ask.code_of in newel.registry.records:
        for code, title in await newel.records.codes(ask.code_of, "", acting(context, f"{ask.code_of}.view"), CHOICES):
            out[code] = _(title.removeprefix(code).strip() or code)
    return list(out.items())


async def _addresses(newel: Newel, context: Context) -> list[dict[str, Any]]:
    found = await newel.records.page("newel.address", acting(context, "newel.address.view"), filters={"party": context.user.party}, size=CHOICES)
    return [{"value": r["id"], "label": address_line(_Row(r))} for r in found.rows]


class _Row:
    """A record as an object."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.__dict__.update(values)


def rows(flow: Flow | None, source: Document, reader: Reader | None) -> list[dict[str, Any]]:
    """The lines of a document that can go on, and how much of each."""
    out: list[dict[str, Any]] = []
    for line in source.lines:
        left = max(flow.open(line), ZERO) if flow and line.item is not None and line.parent is None else ZERO
        if left > 0:
            entered = reader.text(f"q-{line.id}") if reader else ""
            out.append({"id": line.id, "text": line.text, "item": line.item.number if line.item else "", "unit": line.unit, "open": left, "value": entered})
    if len(out) == 1 and reader is None:
        out[0]["value"] = entry(min(out[0]["open"], Decimal(1)))
    return out


def read(newel: Newel, kind: DocumentKind, reader: Reader, *, lines: bool) -> DocumentInput:
    """What was answered, as a document is entered; nothing but what was asked. Wrong entries are problems of the reader."""
    values: dict[str, Any] = {}
    data: dict[str, dict[str, Any]] = {}
    for ask in kind.asks:
        if found := _part(newel, ask):
            plugin, part = found
            data.setdefault(plugin, {}).update(read_struct(reader, (part,), f"data.{plugin}", f"data.{plugin}"))
        elif ask.name == "date_requested":
            values[ask.name] = reader.day(ask.name)
        elif ask.name == "ship_to":
            values[ask.name] = reader.reference(ask.name)
        elif ask.name == "item":
            quantity = reader.decimal("quantity", "item")
            if lines and reader.text("item"):
                values["lines"] = (LineInput(item=reader.text("item"), quantity=quantity or Decimal(1)),)
        elif ask.name in ("text", "reference"):
            values[ask.name] = reader.text(ask.name)
    return msgspec.structs.replace(DocumentInput(), **values, data=data)
