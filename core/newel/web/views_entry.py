"""The form of a document, on the way in: what was posted becomes input. Made from the declaration of the kind."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from newel.domain.context import Context
from newel.domain.document import Document, DocumentInput, LineInput, ScheduleInput
from newel.domain.kinds import DocumentKind
from newel.domain.money import ONE, ZERO
from newel.errors import Problem
from newel.services.entered import as_input
from newel.web.forms import Reader, Wrong, decimal, parts_of, read_struct
from newel.web.views_text import _

if TYPE_CHECKING:
    from newel.services.app import Newel

STANDARD = ("item", "charge", "text")
DEFAULT = ("party", "date", "date_due", "date_requested", "ship_to", "bill_to", "currency", "rate", "terms", "reference", "text", "prices_include_tax",
           "location_from", "location_to")  # fmt: skip
DATES = ("date", "date_due", "date_requested")
REFERENCES = {"party": "newel.party", "ship_to": "newel.address", "bill_to": "newel.address", "location_from": "newel.location",
              "location_to": "newel.location"}  # fmt: skip
QUICK = re.compile(r"(?:(?P<quantity>[\d.,]+)\s*[x×*]\s*)?(?P<item>\S+)(?:\s+-(?P<discount>[\d.,]+)\s*%)?")
PLACE = re.compile(r"lines\[(\d+)\](?:\.(\w+))?.*")


def shown_fields(kind: DocumentKind) -> tuple[str, ...]:
    """The header fields that a kind's form has."""
    if kind.fields:
        return kind.fields
    unfit = set() if kind.priced else {"date_due", "currency", "rate", "terms", "prices_include_tax"}
    if not kind.party_role and kind.role in ("transfer", "production"):
        unfit |= {"party", "ship_to", "bill_to"}
    if kind.role in ("transfer", "production", "receipt", "delivery", "return"):
        unfit |= {"date_requested", "bill_to"}
    else:
        unfit.add("location_to")
    return tuple(f for f in DEFAULT if f not in unfit)


def settles(newel: Newel, kind: DocumentKind) -> str:
    """The account role whose open items a document of this kind pays; empty where it pays none."""
    line = kind.posting.line if kind.posting else ""
    return line if line and newel.registry.account_roles[line].open_items else ""


def data_parts(newel: Newel, kind: DocumentKind, document: Document | None) -> dict[str, Any]:
    """Plugin -> fields of its struct, for plugins that keep something in the header of this kind."""
    registry, out = newel.registry, {}
    owner = registry.owner[f"document kind:{kind.name}"]
    for plugin, struct in registry.document_data.items():
        extends = any(e.kind == kind.name or (not e.kind and e.role == kind.role) for e in registry.manifests[plugin].extends)
        if plugin == owner or extends or (document is not None and plugin in document.data):
            out[plugin] = parts_of(struct)
    return out


# ---- in ----------------------------------------------------------------------------------------------------------------------------


class Posted(msgspec.Struct):
    """What was posted. rows: index in the form of each line of the input."""

    input: DocumentInput
    rows: list[str]
    problems: list[Problem]

    def field(self, where: str) -> str:
        """The id of the input that a problem is about."""
        found = PLACE.fullmatch(where)
        if not found:
            return "party" if where == "lines" else where
        index, column = int(found[1]), found[2] or "item"
        if index >= len(self.rows):
            return ""
        row = self.rows[index]
        if row.startswith("settle"):
            return row
        return f"{row}-{'deliveries' if column == 'schedules' else column if column in COLUMNS else 'item'}"


COLUMNS = ("item", "text", "quantity", "unit", "price", "discount", "kind", "lot", "deliveries")


def read(newel: Newel, kind: DocumentKind, form: Any, before: Document | None) -> Posted:
    """The posted form as input. What the form does not show of a stored document stays as it is."""
    reader = Reader(form)
    old = as_input(before) if before else DocumentInput()
    values: dict[str, Any] = {}
    for name in shown_fields(kind):
        if name in REFERENCES:
            found = reader.reference(name)
            values[name] = found if name == "party" or not isinstance(found, str) else _unknown(reader, name, found)
        elif name in DATES:
            values[name] = reader.day(name)
        elif name == "rate":
            values[name] = reader.decimal(name)
        elif name == "prices_include_tax":
            values[name] = reader.flag(name)
        else:
            values[name] = reader.text(name)
    data = dict(old.data)
    for plugin, parts in data_parts(newel, kind, before).items():
        given = read_struct(reader, parts, f"data.{plugin}", f"data.{plugin}")
        if given or plugin in data:
            data[plugin] = given
    stored = {line.id: line for line in old.lines}
    lines, rows = [], []
    if settles(newel, kind):
        for name, line in _settled(reader, kind, stored):
            lines.append(line)
            rows.append(name)
    for index in reader.rows("lines"):
        lines.append(_line(reader, kind, index, len(lines), stored))
        rows.append(f"lines-{index}")
    return Posted(msgspec.structs.replace(old, **values, data=data, lines=tuple(lines)), rows, reader.problems)


async def with_found(newel: Newel, context: Context, posted: Posted) -> Posted:
    """Texts that were typed instead of chosen, where they mean exactly one record: how the form works without script."""

    async def one(kind: str, text: Any) -> Any:
        if not isinstance(text, str) or not text or await newel.records.find(kind, text, context):
            return text
        found = await newel.records.options(kind, text, context, limit=2)
        if not found and " " in text:  # a title: number and name
            found = await newel.records.options(kind, text.split()[0], context, limit=2)
        return found[0][0] if len(found) == 1 else text

    entered = posted.input
    lines = tuple([msgspec.structs.replace(x, item=await one("newel.item", x.item)) if isinstance(x.item, str) else x for x in entered.lines])
    posted.input = msgspec.structs.replace(entered, party=await one("newel.party", entered.party), lines=lines)
    return posted


def _unknown(reader: Reader, name: str, text: str) -> None:
    reader.bad(name, _("there is nothing called %(text)s", text=text[:60]), _("choose from the list"), "missing")


def _settled(reader: Reader, kind: DocumentKind, stored: dict[int, LineInput]) -> list[tuple[str, LineInput]]:
    """Lines that pay open items, from fields settle-<open item>."""
    ids = {line.settles: line.id for line in stored.values() if line.settles}
    out = []
    for name in reader.form:
        number = name.removeprefix("settle-")
        if name == number or not number.isdigit() or len(number) > 18:
            continue
        amount = reader.decimal(name, f"lines[{len(out)}].price")
        if amount:
            base = stored.get(ids.get(int(number), 0)) or LineInput(kind=kind.line_kinds[0], settles=int(number))
            out.append((name, msgspec.structs.replace(base, price=amount, text=base.text or reader.text(f"{name}-text"))))
    return out


def _line(reader: Reader, kind: DocumentKind, index: int, at: int, stored: dict[int, LineInput]) -> LineInput:
    prefix, where = f"lines-{index}", f"lines[{at}]"
    known = reader.text(f"{prefix}-id")
    line = stored.get(int(known) if known.isdigit() and len(known) < 19 else 0) or LineInput(kind=kind.line_kinds[0] if len(kind.line_kinds) == 1 else "")
    values: dict[str, Any] = {}

    def given(name: str) -> bool:
        return f"{prefix}-{name}" in reader.form

    if given("item_text"):
        values["item"] = reader.reference(f"{prefix}-item")
    if given("kind"):
        values["kind"] = reader.text(f"{prefix}-kind")
    elif values.get("item") != line.item and kind.line_kinds[0] in STANDARD:
        values["kind"] = ""
    for name in ("text", "unit"):
        if given(name):
            values[name] = reader.text(f"{prefix}-{name}")
    if values.get("item") != line.item and line.id:  # another item: what was derived from the old one goes
        line = msgspec.structs.replace(line, tax_category="", account_role="", lot=None)
    if given("lot"):
        values["lot"] = reader.text(f"{prefix}-lot") or None
    for name, empty in (("quantity", ONE), ("price", None), ("discount", ZERO)):
        if given(name):
            found = reader.decimal(f"{prefix}-{name}", f"{where}.{name}")
            values[name] = empty if found is None else found
    if isinstance(values.get("item"), str):
        values |= _quick(values["item"], reader.text(f"{prefix}-quantity"), reader.text(f"{prefix}-discount"))
    if given("deliveries"):
        values["schedules"] = _schedules(reader, f"{prefix}-deliveries", where, values.get("quantity", line.quantity))
    return msgspec.structs.replace(line, **values)


def _quick(text: str, quantity: str, discount: str) -> dict[str, Any]:
    """`12x 4711 -5%` in the item's field: quantity and discount along with it, where they are not entered on their own."""
    found = QUICK.fullmatch(text.strip())
    if not found or not (found["quantity"] or found["discount"]):
        return {}
    out: dict[str, Any] = {"item": found["item"]}
    try:
        if found["quantity"] and not quantity:
            out["quantity"] = decimal(found["quantity"])
        if found["discount"] and not discount:
            out["discount"] = decimal(found["discount"])
    except Wrong:
        return {}
    return out


def _schedules(reader: Reader, name: str, where: str, quantity: Decimal) -> tuple[ScheduleInput, ...]:
    """`2026-01-31` for all of it, or `10 2026-01-31; 5 2026-02-28 RELEASE` for parts."""
    out = []
    for part in filter(None, (p.strip() for p in reader.text(name).split(";"))):
        pieces = part.replace("@", " ").split()
        one = Reader({"q": pieces[0] if len(pieces) > 1 else "", "d": pieces[1] if len(pieces) > 1 else pieces[0]})
        amount, when = one.decimal("q"), one.day("d")
        if one.problems:
            reader.bad(f"{where}.schedules", one.problems[0].message, _("write 2026-01-31, or 10 2026-01-31; 5 2026-02-28"), "entry.schedule")
            return ()
        out.append(ScheduleInput(quantity=quantity if amount is None else amount, date_requested=when, release_code=" ".join(pieces[2:])))
    return tuple(out)
