"""The form of a document, on the way in: what was posted becomes input. Made from the declaration of the kind."""

from __future__ import annotations

import re
from decimal import Decimal
from math import prod
from typing import TYPE_CHECKING, Any

import msgspec

from newel.domain.context import Context
from newel.domain.document import Document, DocumentInput, LineInput, ScheduleInput
from newel.domain.kinds import DocumentKind
from newel.domain.money import ONE, ZERO
from newel.errors import Problem
from newel.services.entered import as_input
from newel.store.master import load_items
from newel.web.forms import Reader, Wrong, decimal, parts_of, read_struct
from newel.web.views_lines import read_data
from newel.web.views_text import _

if TYPE_CHECKING:
    from newel.services.app import Newel

STANDARD = ("item", "charge", "text")
DEFAULT = ("party", "date", "date_due", "date_requested", "ship_to", "bill_to", "currency", "rate", "terms", "reference", "text", "prices_include_tax",
           "location_from", "location_to")  # fmt: skip
DATES = ("date", "date_due", "date_requested")
REFERENCES = {"party": "newel.party", "ship_to": "newel.address", "bill_to": "newel.address", "location_from": "newel.location",
              "location_to": "newel.location"}  # fmt: skip
QUICK = re.compile(r"(?:(?P<quantity>[\d.,]+)\s*[x×*]\s*)?(?P<item>\S+)(?:\s+-\s*(?P<discount>[\d.,]+)\s*%)?", re.IGNORECASE)
AMOUNT = re.compile(r"(?P<sum>[^A-Za-z]*?\d)\s*(?P<unit>[^\W\d_][^+*]*)?")
SEARCHED = 20  # texts of one form that are looked for; nobody types more that are no number
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
    """What was posted.

    Args:
        rows: id in the form of each line of the input ("lines-3", "settle-17").
        texts: what stands in the boxes of references, by the id of the box.
        tops: of each line of the document that came of it, how many-th of the entered ones it is a part of; empty while there is none.
    """

    input: DocumentInput
    rows: list[str]
    problems: list[Problem]
    texts: dict[str, str] = {}
    tops: list[int] = []

    def field(self, where: str) -> str:
        """The id of the input that a problem is about."""
        found = PLACE.fullmatch(where)
        if not found:
            return "party" if where == "lines" else where
        index, column = int(found[1]), found[2] or "item"
        index = self.tops[index] if index < len(self.tops) else index
        if index >= len(self.rows):
            return ""
        row = self.rows[index]
        if row.startswith("settle"):
            return row
        return f"{row}-{OTHERS.get(column, column if column in COLUMNS else 'item')}"


COLUMNS = ("item", "text", "quantity", "unit", "price", "discount", "kind", "lot", "deliveries")
OTHERS = {"schedules": "deliveries", "data": "more"}


def read(newel: Newel, kind: DocumentKind, form: Any, before: Document | None) -> Posted:
    """The posted form as input. What the form does not show of a stored document stays as it is."""
    reader = Reader(form)
    old = as_input(before) if before else DocumentInput()
    values = {name: _header(reader, name) for name in shown_fields(kind)}
    data = dict(old.data)
    for plugin, parts in data_parts(newel, kind, before).items():
        given = read_struct(reader, parts, f"data.{plugin}", f"data.{plugin}")
        if given or plugin in data:
            data[plugin] = given
    stored = {line.id: line for line in old.lines}
    found = _settled(reader, kind, stored) if settles(newel, kind) else []
    found += [(f"lines-{i}", _line(newel, reader, kind, i, len(found) + n, stored)) for n, i in enumerate(reader.rows("lines"))]
    texts = {name.removesuffix("_text"): value.strip() for name, value in reader.form.items() if name.endswith("_text") and value.strip()}
    entered = msgspec.structs.replace(old, **values, data=data, lines=tuple(line for _name, line in found))
    return Posted(entered, [name for name, _line in found], reader.problems, texts)


def _header(reader: Reader, name: str) -> Any:
    if name in REFERENCES:
        return reader.reference(name)
    if name in DATES:
        return reader.day(name)
    if name == "rate":
        return reader.decimal(name)
    return reader.flag(name) if name == "prices_include_tax" else reader.text(name)


async def with_found(newel: Newel, context: Context, posted: Posted) -> Posted:
    """References that were typed instead of chosen, where they mean exactly one record: how the form works without script."""
    entered, values = posted.input, {}
    for name, kind in REFERENCES.items():
        value = await _meant(newel, context, kind, getattr(entered, name), posted.texts.get(name, ""))
        if isinstance(value, str) and name != "party":
            message = _("there is nothing called %(text)s", text=value[:60])
            posted.problems.append(Problem(code="missing", message=message, where=name, hint=_("choose from the list")))
            value = None
        values[name] = value
    items = await _items(newel, context, posted, values["party"])
    lines = [line if (item := items.get(i)) is None else msgspec.structs.replace(line, item=item) for i, line in enumerate(entered.lines)]
    posted.input = msgspec.structs.replace(entered, **values, lines=tuple(lines))
    return posted


async def _items(newel: Newel, context: Context, posted: Posted, party: int | str | None) -> dict[int, int | str]:
    """By line: the item that is meant, where that is not the chosen one. All lines at once; only what has no exact number is searched for."""
    boxes = [(line.item, posted.texts.get(f"{row}-item", "")) for row, line in zip(posted.rows, posted.input.lines, strict=True)]
    async with newel.database.read() as session:
        known = await load_items(session, {key for value, text in boxes for key in (value, text, text.split(" ", 1)[0]) if key})
    out: dict[int, int | str] = {}
    searched: dict[str, int | str] = {}
    for i, (value, text) in enumerate(boxes):
        if isinstance(value, int) and (not text or (value in known and text.split(maxsplit=1)[0] == known[value].row["number"])):
            continue
        wanted = text if isinstance(value, int) else value
        if not wanted or wanted in known:
            out |= {i: wanted} if wanted else {}
            continue
        if wanted not in searched and len(searched) < SEARCHED:
            found = await newel.records.options("newel.item", wanted, context, limit=2, party=party if isinstance(party, int) else None)
            searched[wanted] = found[0][0] if len(found) == 1 else wanted
        first = wanted.split(" ", 1)[0]
        out[i] = first if searched.get(wanted, wanted) == wanted and " " in wanted and first in known else searched.get(wanted, wanted)
    return out


async def _meant(newel: Newel, context: Context, kind: str, value: int | str | None, text: str) -> int | str | None:
    """The id of what a box means: the chosen one, unless the text in the box says something else."""
    if value is None:
        return None
    if isinstance(value, int):
        if not text or kind != "newel.party":
            return value
        number = str((await newel.records.get(kind, value, context)).get("number", ""))
        if text.split(maxsplit=1)[0] == number:
            return value
        value = text
    if await newel.records.find(kind, value, context):
        return value if kind == "newel.party" else await newel.records.find(kind, value, context)
    found = await newel.records.options(kind, value, context, limit=2)
    if not found and " " in value:  # a title: number and name
        found = await newel.records.options(kind, value.split()[0], context, limit=2)
    return found[0][0] if len(found) == 1 else value


def _settled(reader: Reader, kind: DocumentKind, stored: dict[int, LineInput]) -> list[tuple[str, LineInput]]:
    """Lines that pay open items, from fields settle-<open item>."""
    ids = {line.settles: line.id for line in stored.values() if line.settles}
    out: list[tuple[str, LineInput]] = []
    for name in reader.form:
        number = name.removeprefix("settle-")
        if name == number or not number.isdigit() or len(number) > 18:
            continue
        amount = reader.decimal(name, f"lines[{len(out)}].price")
        if amount:
            base = stored.get(ids.get(int(number), 0)) or LineInput(kind=kind.line_kinds[0], settles=int(number))
            out.append((name, msgspec.structs.replace(base, price=amount, text=base.text or reader.text(f"{name}-text"))))
    return out


def _line(newel: Newel, reader: Reader, kind: DocumentKind, index: int, at: int, stored: dict[int, LineInput]) -> LineInput:
    prefix, where = f"lines-{index}", f"lines[{at}]"
    known = reader.text(f"{prefix}-id")
    new = LineInput(kind=kind.line_kinds[0] if len(kind.line_kinds) == 1 else "")
    line = stored.get(int(known) if known.isdigit() and len(known) < 19 else 0, new)
    values: dict[str, Any] = {name: reader.text(f"{prefix}-{name}") for name in ("kind", "text", "unit", "lot") if f"{prefix}-{name}" in reader.form}
    if "lot" in values:
        values["lot"] = values["lot"] or None
    if f"{prefix}-item_text" in reader.form:
        values["item"] = reader.reference(f"{prefix}-item")
        if values["item"] != line.item:  # another item: what was derived from the old one goes
            line = msgspec.structs.replace(line, tax_category="", account_role="", kind=new.kind, data={})
    if f"{prefix}-quantity" in reader.form:
        found, unit = _amount(reader, f"{prefix}-quantity", f"{where}.quantity")
        values |= {"quantity": ONE if found is None else found} | ({"unit": unit} if unit else {})
    for name, empty in (("price", None), ("discount", ZERO)):
        if f"{prefix}-{name}" in reader.form:
            given = reader.decimal(f"{prefix}-{name}", f"{where}.{name}")
            values[name] = empty if given is None else given
    if isinstance(values.get("item"), str):
        values |= _quick(values["item"], reader.text(f"{prefix}-quantity"), reader.text(f"{prefix}-discount"))
    if f"{prefix}-deliveries" in reader.form:
        values["schedules"] = _schedules(reader, f"{prefix}-deliveries", where, values.get("quantity", line.quantity))
    entries = read_data(reader, prefix, newel.registry.line_data, values.get("item", line.item), where)
    values["data"] = line.data | {plugin: _plain(line.data.get(plugin)) | entered for plugin, entered in entries.items()}
    return msgspec.structs.replace(line, **values)


def _amount(reader: Reader, name: str, where: str) -> tuple[Decimal | None, str]:
    """A quantity and the unit beside it: `12`, `3 box`, `12*4`, `2*12+6 EA`."""
    text = re.sub(r"(?<=\d)\s*[x×]\s*(?=\d)", "*", reader.text(name))
    found = AMOUNT.fullmatch(text[:80])
    if not found:
        return reader.decimal(name, where), ""
    try:
        parts = [[decimal(factor) for factor in part.split("*")] for part in re.split(r"(?<=\d)\s*(?=[+-])", found["sum"])]
    except Wrong as wrong:
        reader.bad(where, str(wrong), _("a quantity can be a sum with a unit: 2*12+6 EA"), "entry.number")
        return None, ""
    total: Decimal = sum((prod(part, start=ONE) for part in parts), ZERO)
    return total, (found["unit"] or "").strip()


def _plain(data: Any) -> dict[str, Any]:
    return msgspec.structs.asdict(data) if isinstance(data, msgspec.Struct) else dict(data or {})


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
