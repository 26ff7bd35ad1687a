"""The form of a document, on the way out: its fields and lines as a view model. Made from the declaration of the kind."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from newel.domain.context import Context
from newel.domain.document import Document, DocumentInput, Line, LineInput, ScheduleInput
from newel.domain.kinds import DocumentKind, Transition
from newel.domain.master import Master
from newel.errors import Problem, Refused
from newel.services import lists
from newel.services.outcome import Outcome
from newel.web.forms import field_of
from newel.web.views_entry import DATES, REFERENCES, STANDARD, data_parts, settles, shown_fields
from newel.web.views_text import _, day, entry, words

if TYPE_CHECKING:
    from newel.services.app import Newel

GOODS = ("delivery", "receipt", "return", "transfer", "production")
CENT = Decimal("0.01")
FIRST = ("party", "date", "date_due", "date_requested", "reference", "location_from", "location_to", "account_role")


def columns(newel: Newel, kind: DocumentKind) -> list[dict[str, Any]]:
    """The columns of the line grid."""
    if settles(newel, kind):
        only: list[dict[str, Any]] = [
            {"name": "text", "label": _("Text"), "type": "text", "lead": True, "note": True},
            {"name": "price", "label": _("Amount"), "type": "number", "width": "m"},
        ]
        return only
    out: list[dict[str, Any]] = []
    kinds = newel.registry.line_kinds
    extra = [k for k in kind.line_kinds if k not in STANDARD and k in kinds]
    if extra and len(kind.line_kinds) > 1:
        out.append({"name": "kind", "label": _("Kind"), "type": "select", "width": "s",
                    "options": [{"value": k, "label": _(kinds[k].label)} for k in kind.line_kinds if k in kinds]})  # fmt: skip
    if any(kinds[k].item for k in kind.line_kinds if k in kinds):
        out.append({"name": "item", "label": _("Item"), "type": "reference", "url": "/options/newel.item", "width": "l", "lead": True})
    out.append({"name": "text", "label": _("Description"), "type": "text", "note": True})
    out.append({"name": "quantity", "label": _("Quantity"), "type": "number", "width": "s"})
    out.append({"name": "unit", "label": _("Unit"), "type": "text", "width": "xs"})
    if kind.priced:
        out.append({"name": "price", "label": _("Price"), "type": "number", "width": "s"})
        out.append({"name": "discount", "label": _("Disc. %"), "type": "number", "width": "xs"})
    if kind.role in GOODS or kind.new_lots:
        out.append({"name": "lot", "label": _("Lot"), "type": "text", "width": "s"})
    if kind.role in ("sale", "purchase"):
        out.append({"name": "deliveries", "label": _("Delivery"), "type": "text", "width": "m"})
    if kind.priced:
        out.append({"name": "net", "label": _("Net"), "type": "output", "width": "s"})
    return out


def row_of(line: LineInput, at: Line | None, lots: dict[int, str], index: int, problems: dict[str, str], posted: dict[str, str]) -> dict[str, Any]:
    """A line as a row of the grid. posted: what stood in the fields, shown again as it was."""
    item = at.item if at else None
    values: dict[str, Any] = {
        "item": {"value": item.id if item else line.item if isinstance(line.item, int) else "",
                 "text": item.number if item else line.item if isinstance(line.item, str) else ""},
        "text": {"value": line.text if not item or line.text != item.name else "", "placeholder": item.name if item else ""},
        "quantity": {"value": entry(line.quantity), "placeholder": "1"},
        "unit": {"value": line.unit if not item or line.unit != item.unit else "", "placeholder": item.unit if item else ""},
        "price": {"value": entry(line.price), "placeholder": price_text(at.price) if at and at.steps and line.price is None else ""},
        "discount": {"value": entry(line.discount) if line.discount else ""},
        "kind": {"value": line.kind}, "lot": {"value": lots.get(line.lot, "") if isinstance(line.lot, int) else line.lot or ""},
        "deliveries": {"value": deliveries(line.schedules, line.quantity)},
        "net": {"text": ""},
    }  # fmt: skip
    for name, cell in values.items():
        key = f"lines-{index}-{name}"
        if name not in ("item", "net") and key in posted:
            cell["value"] = posted[key]
        elif name == "item" and not item and f"{key}_text" in posted:
            cell |= {"value": posted.get(key, ""), "text": posted[f"{key}_text"]}
        if key in problems:
            cell["error"] = problems[key]
    return {"id": line.id or "", "cells": values}


def price_text(value: Decimal) -> str:
    """A price as it is entered, with two digits at least."""
    return entry(value, 2) if value == value.quantize(CENT) else entry(value)


def deliveries(schedules: Sequence[ScheduleInput], quantity: Decimal) -> str:
    """Scheduled deliveries as they are entered."""
    if len(schedules) == 1 and schedules[0].quantity == quantity and not schedules[0].release_code:
        return schedules[0].date_requested.isoformat() if schedules[0].date_requested else ""
    parts = [f"{entry(s.quantity)} {s.date_requested or ''} {s.release_code}".strip() for s in schedules]
    return "; ".join(parts)


def header(
    newel: Newel, kind: DocumentKind, input: DocumentInput, at: Document | None, master: Master, context: Context, errors: dict[str, str],
    posted: dict[str, str],
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:  # fmt: skip
    """(fields that are always seen, folded groups of further ones)."""
    made = {name: _header_field(newel, kind, name, input, at, master, context) for name in shown_fields(kind)}
    for name, field in made.items():
        field["error"] = errors.get(name, "")
        if name in posted and field["type"] not in ("reference", "checkbox"):
            field["value"] = posted[name]
    wanted = FIRST if kind.role in GOODS else tuple(n for n in FIRST if not n.startswith("location"))
    wanted += ("text",) if kind.role == "request" else ()  # what is asked for is what it is about
    first = [f for n, f in made.items() if n in wanted]
    groups: list[dict[str, Any]] = [{"label": _("More"), "fields": rest}] if (rest := [f for n, f in made.items() if n not in wanted]) else []
    for plugin, parts in data_parts(newel, kind, at).items():
        data = input.data.get(plugin)
        fields: list[dict[str, Any]] = []
        grids: list[dict[str, Any]] = []
        for part in parts:
            value = data.get(part.name) if isinstance(data, dict) else getattr(data, part.name, part.default)
            name = f"data.{plugin}.{part.name}"
            if part.type == "rows":
                grids.append(_data_grid(newel, plugin, name, part, value))
                continue
            url = f"/options/{plugin}.{part.name}?code=1" if f"{plugin}.{part.name}" in newel.registry.records else ""
            fields.append(field_of(part, name, posted.get(name, value), url=url) | {"error": errors.get(name, "")})
        open_ = any(f.get("error") or (f["type"] != "checkbox" and f["value"]) for f in fields)
        groups.append({"label": _(newel.registry.manifests[plugin].label), "fields": fields, "grids": grids, "open": open_})
    return first, groups


def _data_grid(newel: Newel, plugin: str, name: str, part: Any, value: Any) -> dict[str, Any]:
    cols, rows = [], []
    for inner in part.rows:
        field = field_of(inner, inner.name, None)
        record = f"{plugin}.{inner.name}"
        if record in newel.registry.records and inner.type == "text":
            field |= {"type": "reference", "url": f"/options/{record}?code=1"}
        cols.append({"name": inner.name, "label": field["label"], "type": field["type"], "url": field.get("url")})
    for x in value or ():
        got = x if isinstance(x, dict) else msgspec.structs.asdict(x)
        cells = {p.name: {"value": (shown := field_of(p, p.name, got.get(p.name))["value"]), "text": shown} for p in part.rows}
        rows.append({"cells": cells})
    return {"name": name, "label": words(part.name), "columns": cols, "rows": rows, "blank": 1}


def _header_field(newel: Newel, kind: DocumentKind, name: str, input: DocumentInput, at: Document | None, master: Master, context: Context) -> dict[str, Any]:
    value = getattr(input, name)
    label = {"party": _(kind.party_role.capitalize()) if kind.party_role else _("Party"), "date_due": _("Due"), "date_requested": _("Requested"),
             "location_from": _("From location"), "location_to": _("To location"), "text": _("Text"), "terms": _("Terms of payment")}  # fmt: skip
    field: dict[str, Any] = {"name": name, "label": label.get(name, words(name)), "type": "text", "value": value}
    if name in DATES:
        field |= {"type": "date", "value": value.isoformat() if value else ""}
    elif name in REFERENCES:
        party = at.party.id if at and at.party else None
        scope = f"?party={party}" if party and REFERENCES[name] == "newel.address" else ""
        field |= {"type": "reference", "url": f"/options/{REFERENCES[name]}{scope}", "text": reference_text(name, value, at, master), "width": 2,
                  "value": value if isinstance(value, int) else at.party.id if name == "party" and at and at.party else ""}  # fmt: skip
        if name == "party" and context.user.may("newel.party.edit"):
            field["create_url"] = "/records/newel.party/new"
    elif name == "currency":
        field |= {"type": "select", "options": [{"value": c, "label": c} for c in sorted(master.currencies, key=lambda c: (c != context.company.currency, c))]}
    elif name == "terms":
        field |= {"type": "select", "options": [{"value": t.code, "label": f"{t.code} {t.name}"} for t in master.terms.values()]}
    elif name == "account_role":
        field |= {"type": "select", "options": [{"value": r.name, "label": _(r.label)} for r in newel.registry.account_roles.values()]}
    elif name == "rate":
        field |= {"type": "number", "value": entry(value) if value is not None else ""}
    elif name == "prices_include_tax":
        field |= {"type": "checkbox", "value": context.company.prices_include_tax if value is None else value}
    elif name == "text":
        field |= {"type": "textarea", "width": 4, "rows": 2}
    return field


async def open_items(
    newel: Newel, kind: DocumentKind, entered: DocumentInput, at: Document | None, fields: dict[str, str], context: Context
) -> dict[str, Any] | None:
    """What the party owes and a document of this kind can settle, with the amounts that were entered; None where nothing is settled."""
    role = settles(newel, kind)
    if not role:
        return None
    party = at.party if at else None
    found = await lists.open_items(newel, context, party.id, [role], entered.currency) if party else []
    sign = (1 if kind.posting and kind.posting.side == "debit" else -1) * kind.sign
    kinds = {k.name: _(k.label) for k in newel.registry.documents.values()}
    return {
        "label": _("Open items of %(party)s", party=party.name) if party else _("Open items"), "chosen": party is not None,
        "rows": [
            {"id": o.item.id, "number": o.number, "reference": o.reference, "kind": kinds.get(o.kind, o.kind), "date": o.item.date,
             "date_due": o.item.date_due, "amount": abs(o.item.amount), "open": abs(o.item.amount_open), "digits": context.company.amount_digits,
             "currency": o.item.currency, "value": fields.get(f"settle-{o.item.id}", ""), "late": o.item.date_due < context.today}
            for o in found if o.item.amount * sign > 0
        ],
    }  # fmt: skip


def reference_text(name: str, value: Any, at: Document | None, master: Master) -> str:
    """What stands in the box of a reference."""
    if isinstance(value, str):
        return f"{at.party.number} {at.party.name}" if name == "party" and at and at.party else value
    if value is None or at is None:
        return ""
    if name == "party":
        return f"{at.party.number} {at.party.name}" if at.party else ""
    if name in ("location_from", "location_to"):
        place = master.locations.get(value)
        return f"{place.code} {place.name}" if place else ""
    address = at.ship_to if name == "ship_to" else at.bill_to
    return address_line(address) if address else ""


def address_line(address: Any) -> str:
    """An address in one line."""
    return ", ".join(x for x in (address.name, address.street, " ".join(filter(None, (address.postcode, address.city))), address.country) if x)


def next_step(kind: DocumentKind, state: str, context: Context) -> Transition | None:
    """The transition that a user most likely wants next."""
    return next((t for t in kind.transitions if t.primary and state in t.sources and context.user.may(f"{kind.name}.{t.name}")), None)


async def tried(newel: Newel, kind: DocumentKind, entered: DocumentInput, before: Document | None, context: Context) -> tuple[Outcome | None, list[Problem]]:
    """What would come of it; None where not even that can be said."""
    try:
        outcome = await newel.documents.preview(kind.name, entered, context, id=before.id if before else None)
    except Refused as refused:
        return None, list(refused.problems)
    return outcome, list(outcome.problems)


def net_of(document: Document, line: Line) -> Decimal:
    """The net amount of a line with its parts, which may have taken it over."""
    return sum((net_of(document, part) for part in document.children(line.id)), line.net)


def line_shown(line: Any) -> bool:
    """Whether a line has an amount worth showing."""
    return line.kind != "text" and bool(line.net or line.steps)


def summary(document: Document | None) -> str:
    """The header in one line, for when it is folded."""
    if document is None:
        return ""
    where = address_line(document.ship_to) if document.ship_to else ""
    parts = (document.party.name if document.party else "", day(document.date), document.currency, document.terms, document.reference, where)
    return " · ".join(p for p in parts if p)
