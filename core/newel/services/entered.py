"""Back from a document to what was entered, and what changed between two of them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec

from newel.domain.document import Document, DocumentInput, LineInput, ScheduleInput


def as_input(document: Document) -> DocumentInput:
    """What a user would have entered to get this document: for forms, copies and imports."""
    parts = _parts(document)
    return DocumentInput(
        party=document.party.id if document.party else None, date=document.date, date_due=document.date_due,
        date_requested=document.date_requested, ship_to=document.ship_to.id if document.ship_to else None,
        bill_to=document.bill_to.id if document.bill_to else None, currency=document.currency, rate=document.rate, terms=document.terms,
        reference=document.reference, text=document.text, prices_include_tax=document.prices_include_tax,
        location_from=document.location_from, location_to=document.location_to, account_role=document.account_role, data=document.data,
        lines=tuple(
            LineInput(
                id=x.id, kind=x.kind, item=x.item.id if x.item else None, text=x.text, quantity=x.quantity, unit=x.unit, price=x.price_entered,
                discount=x.discount_entered, tax_category=x.tax_category, location_from=x.location_from, location_to=x.location_to, lot=x.lot,
                account_role=x.account_role, settles=x.settles, data=x.data, parts=parts.get(x.id),
                schedules=tuple(
                    ScheduleInput(
                        quantity=s.quantity, date_requested=s.date_requested, date_confirmed=s.date_confirmed, release_code=s.release_code
                    )
                    for s in x.schedules
                ),
            )
            for x in document.lines
            if not x.key
        ),
    )  # fmt: skip


def _parts(document: Document) -> dict[int, dict[str, dict[str, Any]]]:
    """By line that a user entered: what stands in its parts and is not the doing of the plugin that proposes them."""
    by_id = {line.id: line for line in document.lines}
    out: dict[int, dict[str, dict[str, Any]]] = {}
    for part in document.lines:
        data = {plugin: values for plugin, values in part.data.items() if plugin != part.key.partition(":")[0]} if part.key else {}
        if data:
            root = part
            while root.key and root.parent in by_id:
                root = by_id[root.parent]
            out.setdefault(root.id, {})[part.key] = data
    return out


def differences(before: Document, after: Document) -> list[tuple[str, Any, Any]]:
    """What changed, field by field, for the history (APR-04)."""
    out: list[tuple[str, Any, Any]] = []

    def compare(prefix: str, old: Any, new: Any, names: Sequence[str]) -> None:
        for name in names:
            a, b = _shown(getattr(old, name)), _shown(getattr(new, name))
            if a != b:
                out.append((prefix + name, a, b))

    compare(
        "", before, after,
        ("party", "ship_to", "bill_to", "currency", "rate", "date", "date_due", "date_requested", "terms", "reference", "text", "net", "tax", "data"),
    )  # fmt: skip
    old = {line.id: line for line in before.lines}
    for line in after.lines:
        was = old.pop(line.id, None)
        if was is None:
            out.append((f"line {line.position}", None, f"{line.quantity} {line.unit} {line.text}"))
        else:
            compare(f"line {line.position} ", was, line, ("item", "text", "quantity", "unit", "price", "discount_entered", "net", "schedules", "data"))
    for line in old.values():  # what it was, so that the document can be seen as it stood
        out.append((f"line {line.position}", f"{line.quantity} {line.unit} {line.text}", None))
        kept = [(name, _shown(getattr(line, name))) for name in ("item", "price", "discount_entered", "net")]
        out += [(f"line {line.position} {name}", value, None) for name, value in kept if value not in (None, "0")]
    return out


def _shown(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if hasattr(value, "number"):
        return value.number
    return msgspec.to_builtins(value, str_keys=True) if isinstance(value, (msgspec.Struct, tuple, dict)) else value
