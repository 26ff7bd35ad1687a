"""What labels are about, as far as the user may see it: one statement each for items and places, however many there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from newel.domain.context import Context
from newel.errors import Problem, Refused
from newel.services.access import denied, require
from newel.web.printing import address_lines

from newel_labels import rules
from newel_labels.rules import Label, Layout

if TYPE_CHECKING:
    from newel.services.app import Newel

Wanted = list[tuple[Label, int]]


def ours(context: Context) -> None:
    """Go on only for our own people; Refused 403 otherwise."""
    if context.user.party is not None:
        raise denied("a user of no party")


async def items(newel: Newel, wanted: list[tuple[int, int]], context: Context, layout: Layout, lot: str = "") -> Wanted:
    """Labels of items by id. Refused 403 without the right to see items, 404 naming those that are not there."""
    require(context, "newel.item.view")
    async with newel.database.read() as session:
        rows = await session.fetch("SELECT id, number, name, unit, gtin FROM item WHERE id = ANY(?)", [id for id, _ in wanted])
    known = {r["id"]: r for r in rows}
    _all_there("item", [id for id, _ in wanted if id not in known])
    made = {id: rules.item_label(r["number"], r["name"], r["unit"], r["gtin"], layout, lot) for id, r in known.items()}
    return [(made[id], n) for id, n in wanted]


async def places(newel: Newel, wanted: list[tuple[int, int]], context: Context) -> Wanted:
    """Labels of places of the company by id. Refused as for items."""
    require(context, "newel.location.view")
    async with newel.database.read() as session:
        sql = "SELECT id, code, name FROM location WHERE company = ? AND id = ANY(?)"
        rows = await session.fetch(sql, context.company.id, [id for id, _ in wanted])
    known = {r["id"]: r for r in rows}
    _all_there("place", [id for id, _ in wanted if id not in known])
    return [(rules.place_label(known[id]["code"], known[id]["name"]), n) for id, n in wanted]


async def goods(newel: Newel, document: int, copies: int, context: Context, layout: Layout) -> Wanted:
    """A label for each item with stock in a document, in the order of its lines. Refused as for reading it."""
    found = await newel.documents.get(document, context)
    ids = dict.fromkeys(line.item.id for line in found.lines if line.item is not None and line.item.stocked)
    return await items(newel, [(id, copies) for id in ids], context, layout)


async def parcel(newel: Newel, document: int, copies: int, context: Context) -> Wanted:
    """The label of a parcel with what a document says. Refused as for reading it; 422 where it goes to nobody."""
    found = await newel.documents.get(document, context)
    address = address_lines(found.party.name if found.party else "", found.ship_to)
    if not address or not found.number:
        hint = "choose a document with a number and a partner"
        raise Refused(Problem(code="labels.nobody", message="this document has no number, or goes to nobody", where="parcel", hint=hint))
    return [(rules.parcel_label(found.number, context.company.name, address), copies)]


def _all_there(what: str, missing: Sequence[int | str]) -> None:
    if missing:
        message = f"there is no {what} {', '.join(map(str, missing))}"
        raise Refused(Problem(code="labels.missing", message=message, where="items", hint="look up its id anew"), status=404)


async def numbered(newel: Newel, numbers: list[str], copies: int, context: Context, layout: Layout, lot: str = "") -> Wanted:
    """Labels of items by number or GTIN. Refused as for items."""
    require(context, "newel.item.view")
    async with newel.database.read() as session:
        rows = await session.fetch("SELECT id, number, gtin FROM item WHERE number = ANY(?) OR (gtin <> '' AND gtin = ANY(?))", numbers, numbers)
    known = {r["gtin"]: r["id"] for r in rows} | {r["number"]: r["id"] for r in rows}
    _all_there("item", [n for n in numbers if n not in known])
    return await items(newel, [(known[n], copies) for n in numbers], context, layout, lot)
