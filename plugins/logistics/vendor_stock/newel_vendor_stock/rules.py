"""What vendor's stock decides: pure functions over frozen values. Arrived = here + used + returned, line by line of the order (CON-03, the other way round)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

import msgspec
from newel.domain.document import Document, Line
from newel.domain.master import Master
from newel.domain.money import ONE, ZERO, plain
from newel.domain.stock import Step, StockFacts, left
from newel.errors import Problem
from newel.manifest import Panel

ORDER, ARRIVAL, USAGE, RETURN = KINDS = ("vendor_stock.order", "vendor_stock.arrival", "vendor_stock.usage", "vendor_stock.return")
STEPS = (ARRIVAL, USAGE, RETURN)
# What is used is what the vendor's bill is held against: that is what the link "received" says of every purchase.
LINKS = ARRIVED, USED, RETURNED = "arrived", "received", "returned"
WORDS = {ARRIVED: "arrived", USED: "used", RETURNED: "returned"}
PLACE = "vendor_owned"  # kind of location


class VendorStockFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to the order's lines, and where their goods lie: by line, location and lot, in the item's own unit."""

    steps: tuple[Step, ...] = ()
    places: Mapping[tuple[int, int, int | None], Decimal] = {}


def origin(line: Line) -> int:
    """The order's line that a line continues; 0 for none."""
    return line.sources[0].from_line if line.sources else 0


def here(line: Line) -> Decimal:
    """What of an order's line lies here and is the vendor's, in the line's unit."""
    done = {link: stage.done for link, stage in line.stages.items()}
    return done.get(ARRIVED, ZERO) - done.get(USED, ZERO) - done.get(RETURNED, ZERO)


# ---- places --------------------------------------------------------------------------------------------------------------------------


def is_place(master: Master, location: int | None, party: int) -> bool:
    """Whether a location is one for goods of this vendor."""
    found = master.locations.get(location or 0)
    return found is not None and found.kind == PLACE and found.owner == party


def place(document: Document, line: Line, master: Master) -> int | None:
    """Where goods of the vendor are put: the place that line or header names, else the vendor's first one."""
    party = document.party.id if document.party else 0
    for chosen in (line.location_to, document.location_to):
        if is_place(master, chosen, party):
            return chosen
    return min((x.id for x in master.locations.values() if x.company == document.company and is_place(master, x.id, party)), default=None)


def source(document: Document, line: Line, facts: VendorStockFacts, master: Master) -> int | None:
    """Arrivals come from the vendor; what is used or goes back is taken from where most of what arrived of the order's line lies."""
    if document.kind == ARRIVAL:
        return master.defaults.get((document.company, "supplier"))
    if is_place(master, line.location_from, document.party.id if document.party else 0):
        return line.location_from
    lying = [(q, -at, at) for (of, at, lot), q in facts.places.items() if of == origin(line) and (line.lot is None or lot == line.lot) and q > 0]
    return max(lying)[2] if lying else place(document, line, master)


def target(document: Document, line: Line, master: Master) -> int | None:
    """Arrivals go to the vendor's place here, returns to the vendor, what is used into a store of our own."""
    if document.kind == ARRIVAL:
        return place(document, line, master)
    if document.kind == RETURN:
        return master.defaults.get((document.company, "supplier"))
    for chosen in (line.location_to, document.location_to):
        if chosen in master.locations and master.locations[chosen].owner is None and master.locations[chosen].kind != PLACE:
            return chosen
    return master.defaults.get((document.company, "storage"))


# ---- checks --------------------------------------------------------------------------------------------------------------------------


def check(document: Document, transition: str, facts: VendorStockFacts, stock: StockFacts, master: Master) -> Iterator[Problem]:
    """Everything that is wrong with a document that has to do with goods of a vendor."""
    if document.kind == ORDER:
        return _check_order(document, transition, master)
    return _check_step(document, transition, facts, stock, master) if document.kind in STEPS else _check_other(document, master)


def _check_order(document: Document, transition: str, master: Master) -> Iterator[Problem]:
    if document.location_to:
        yield from _check_place(document, document.location_to, master)
    there = sum((here(line) for line in document.lines), ZERO)
    if transition == "close" and there:
        yield _bad("still_here", f"{plain(there)} are still here and the vendor's", "", "use them or send them back first")


def _check_place(document: Document, chosen: int | None, master: Master) -> Iterator[Problem]:
    if document.party and not is_place(master, chosen, document.party.id):
        message, hint = f"a place for goods of {document.party.name} was expected", f"add a location of the kind {PLACE} that they own"
        yield _bad("place", message, "location_to", hint)


def _check_step(document: Document, transition: str, facts: VendorStockFacts, stock: StockFacts, master: Master) -> Iterator[Problem]:
    if transition == "cancel":
        return
    wanted: dict[int, Decimal] = {}
    for i, line in enumerate(document.lines):
        of = origin(line)
        if line.kind == "text":
            continue
        if not of:
            yield _bad("order", f"{line.text} is of no order", f"lines[{i}]", "make it from the order")
            continue
        wanted[of] = wanted.get(of, ZERO) + line.quantity
        if document.kind == ARRIVAL:
            yield from _check_arrival(document, line, i, transition, stock, master)
        elif transition != "reverse":
            yield from _check_leaving(line, i, transition, facts, wanted[of], left(facts.steps, ARRIVED, of, document.id))
        if transition == "reverse" and document.kind == ARRIVAL and left(facts.steps, ARRIVED, of) < wanted[of]:
            yield _bad("gone_on", f"a part of {line.text} has been used or sent back", f"lines[{i}]", "undo that first")
    if transition == "reverse" and any(stage.planned for line in document.lines for stage in line.stages.values()):
        yield _bad("gone_on", "it has been billed already", "", "undo the bill first")


def _check_arrival(document: Document, line: Line, i: int, transition: str, stock: StockFacts, master: Master) -> Iterator[Problem]:
    yield from _check_place(document, line.location_to or document.location_to or place(document, line, master), master)
    if line.item is None or line.item.tracking != "serial" or transition == "reverse":
        return
    if line.quantity_base != ONE:
        yield _bad("serial", f"a serial number stands for one piece, got {plain(line.quantity_base)}", f"lines[{i}].quantity", "use a line for each piece")
    if line.lot is not None and any(b.lot == line.lot and b.quantity > 0 for b in stock.balances.get(line.item.id, ())):
        yield _bad("serial", f"this serial number of {line.item.number} is here already", f"lines[{i}].lot", "check the number")


def _check_leaving(line: Line, i: int, transition: str, facts: VendorStockFacts, wanted: Decimal, there: Decimal) -> Iterator[Problem]:
    if wanted > there:
        message = f"{plain(there)} {line.unit} of {line.text} are here and the vendor's, got {plain(wanted)}"
        yield _bad("exceeded", message, f"lines[{i}].quantity", "enter at most what is here")
    if not transition or line.item is None or line.item.tracking == "none":
        return
    lying = sum((q for (of, _, lot), q in facts.places.items() if of == origin(line) and lot == line.lot), ZERO)
    if line.lot is None or lying < line.quantity_base:
        what = "did not come with this order" if line.lot else "is missing"
        yield _bad("lot", f"the lot or serial number of {line.text} {what}", f"lines[{i}].lot", "enter one that lies here")


def _check_other(document: Document, master: Master) -> Iterator[Problem]:
    """Goods of a vendor go in, out and into use by the documents made for it, and no other way: so that none is sold, counted or kept unpaid."""
    places = {document.location_from, document.location_to, *(x.location_from for x in document.lines), *(x.location_to for x in document.lines)}
    if document.role == "purchase" or not any(master.locations[at].kind == PLACE for at in places if at in master.locations):
        return
    for where, ends in [("", document), *((f"lines[{i}].", x) for i, x in enumerate(document.lines))]:
        named = {name: master.locations.get(at) for name in ("location_from", "location_to") if (at := getattr(ends, name)) is not None}
        owners = {at.owner for at in named.values() if at}
        between = document.role == "transfer" and len(named) == 2 and len(owners) == 1  # two places of one vendor
        for name, at in named.items():
            if at is not None and at.kind == PLACE and not between:
                yield _bad("theirs", f"goods in {at.code} are not ours", where + name, "use them first, or send them back: from the order with the vendor")


def _bad(code: str, message: str, where: str, hint: str) -> Problem:
    return Problem(code=f"vendor_stock.{code}", message=message, where=where, hint=hint)


# ---- what is shown -------------------------------------------------------------------------------------------------------------------


def panels(document: Document) -> Iterator[Panel]:
    """On the order, what arrived, is here, was used and went back."""
    if document.kind != ORDER:
        return
    rows = tuple((line.text, _stages(line)) for line in document.lines if line.stages)
    if rows:
        yield Panel(title="Here and the vendor's", rows=rows, sequence=15)


def _stages(line: Line) -> str:
    done = [(link, line.stages[link].done) for link in LINKS if link in line.stages]
    return ", ".join([f"{plain(here(line))} of {plain(line.quantity)} {line.unit}", *(f"{plain(q)} {WORDS[link]}" for link, q in done if q)])
