"""The lines of a sale: which calendar, route and lead time are theirs, when they arrive, and what is said about it. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import NamedTuple

import msgspec
from newel.domain.context import Context
from newel.domain.document import Document, Line
from newel.domain.item import Item
from newel.domain.master import Master
from newel.domain.money import ZERO
from newel.domain.quantity import in_base
from newel.errors import Problem, Severity
from newel.manifest import Offer, Panel, Shown

from newel_delivery_dates.way import Calendar, Need, Promise, Route, Step, way

STEPS = {
    "ordered": "Ordered", "now": "As of now", "cut_off": "After the cut-off", "closed": "No working day", "holiday": "Holiday", "stock": "In stock",
    "short": "Not enough in stock", "coming": "On its way to us", "lead": "Lead time in working days", "unknown": "Nobody knows when",
    "waits": "Waits for the route", "leaves": "Leaves", "under_way": "Working days under way", "asked": "Asked for", "arrives": "With the customer",
}  # fmt: skip


class DeliveryDatesSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of delivery dates. strict: an order that can't arrive when it is asked for is only confirmed by somebody who may go over it."""

    strict: bool = False


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What a company keeps. leads: working days by item, by code of a class, and (key None) of everything."""

    calendars: tuple[Calendar, ...] = ()
    routes: tuple[Route, ...] = ()
    leads: Mapping[int | str | None, int] = {}

    def calendar(self, places: Iterable[int]) -> Calendar:
        """Of the innermost place that has one, else of the company; Monday to Friday in UTC where nobody keeps one."""
        own = {c.location: c for c in reversed(self.calendars)}
        return next((own[p] for p in (*places, None) if p in own), Calendar())

    def route(self, places: tuple[int, ...], method: str, country: str, postcode: str) -> Route | None:
        """The route that says most of those that fit, else the quickest; None where none does."""
        fitting = [
            r for r in self.routes
            if (r.location is None or r.location in places) and r.method in ("", method) and r.country in ("", country) and postcode.startswith(r.postcode)
        ]  # fmt: skip
        return min(fitting, key=lambda r: (not r.method, not r.country, -len(r.postcode), r.location is None, r.days, r.code), default=None)

    def lead(self, item: Item) -> int | None:
        """Working days until the item is procured, None where nobody knows."""
        keys = (item.id, *item.classes, None)
        return next((self.leads[k] for k in keys if k in self.leads), None)


class DatesFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a sale needs to know.

    Args:
        kept: what its company keeps.
        free: item -> location -> what is not promised to anybody. held: line -> what is promised to it. Both in the item's unit.
        coming: item -> (day, quantity, number) of open purchases, the earliest first.
    """

    kept: Kept
    free: Mapping[int, Mapping[int, Decimal]] = {}
    held: Mapping[int, Decimal] = {}
    coming: Mapping[int, tuple[tuple[date, Decimal, str], ...]] = {}


class Going(NamedTuple):
    """A line whose goods are still to go. root: the line that somebody entered, of which it is a part, or itself. wanted: in the item's unit."""

    line: Line
    root: Line
    item: Item
    wanted: Decimal


class Dated(NamedTuple):
    """A line with its promise. asked: the day that the customer asks for."""

    line: Line
    root: Line
    asked: date | None
    promise: Promise


def going(document: Document) -> Iterator[Going]:
    """The lines whose goods are still to go."""
    by_id, parents = {line.id: line for line in document.lines}, {line.parent for line in document.lines}
    for line in document.lines:
        if line.item is not None and line.item.stocked and line.id not in parents and (rest := line.quantity_open("delivered")) > 0:
            root = line
            while root.parent in by_id:
                root = by_id[root.parent]
            yield Going(line, root, line.item, in_base(rest, line.factor))


def asked(document: Document, x: Going) -> date | None:
    """The day that the customer asks for."""
    schedules = x.line.schedules or x.root.schedules
    return schedules[0].date_requested if schedules else document.date_requested


def promises(document: Document, facts: DatesFacts, master: Master, context: Context) -> list[Dated]:
    """Each line with the day on which it can be with the customer. Lines before take first."""
    out: list[Dated] = []
    left: dict[tuple[int, int | None], Decimal] = {}
    to = document.ship_to or document.bill_to or next(iter(document.party.addresses if document.party else ()), None)
    method = str(getattr(document.data.get("shipping"), "method", ""))
    for x in going(document):
        item = x.item
        place = place_of(document, x.line, master)
        places = tuple(_around(place, master))
        held = facts.held.get(x.line.id, ZERO)
        free = left.get((item.id, place))
        free = (free_at(facts.free.get(item.id, {}), place, master) if free is None else free) + held
        left[(item.id, place)] = free - x.wanted
        need = Need(
            unit=item.unit, quantity=x.wanted, free=free, coming=facts.coming.get(item.id, ()), lead=facts.kept.lead(item), begins=document.date,
            asked=asked(document, x),
        )  # fmt: skip
        route = facts.kept.route(places, method, to.country if to else "", to.postcode if to else "")
        out.append(Dated(x.line, x.root, need.asked, way(context.now, need, facts.kept.calendar(places), route)))
    return out


def _around(place: int | None, master: Master) -> Iterator[int]:
    while place is not None and place in master.locations:
        yield place
        place = master.locations[place].parent


def place_of(document: Document, line: Line, master: Master) -> int | None:
    """Where a line ships from."""
    return line.location_from or document.location_from or master.defaults.get((document.company, "storage"))


def free_at(by_location: Mapping[int, Decimal], place: int | None, master: Master) -> Decimal:
    """What of an item is free in a place and all inside it, as far as it is our own."""
    own = (master.locations[id] for id in (master.below(place) if place else ()) if id in by_location)
    return sum((by_location[x.id] for x in own if x.kind == "storage" and x.owner is None), ZERO)


def latest(found: Iterable[Dated]) -> dict[int, Dated]:
    """By entered line the part that comes last; what nobody knows comes after everything."""
    out: dict[int, Dated] = {}
    for dated in found:
        before = out.setdefault(dated.root.id, dated)
        if (dated.promise.day or date.max) > (before.promise.day or date.max):
            out[dated.root.id] = dated
    return out


# ---- what is said --------------------------------------------------------------------------------------------------------------------


def panels(document: Document, found: list[Dated], *, may_promise: bool) -> list[Panel]:
    """With each line its day and all the steps to it; beside the document the day of all of it."""
    out = [
        Panel(
            title="Delivery date", line=root, slot="when", sequence=25, rows=tuple(_rows(document, x.promise)), offers=tuple(_offers(document, x)),
            text="Later than promised" if any(s.date_confirmed and s.date_confirmed < (x.promise.earliest or date.max) for s in x.line.schedules) else "",
        )
        for root, x in latest(found).items()
    ]  # fmt: skip
    days = [x.promise.day for x in found]
    known = [d for d in days if d is not None]
    rows = (("All of it", Shown(value=max(known)) if len(known) == len(days) else "…"), ("First of it", Shown(value=min(known)) if known else ""))
    form = "promise" if may_promise and known and document.version else ""
    return [*out, Panel(title="Delivery dates", rows=rows if len(set(days)) > 1 else rows[:1], form=form, sequence=35)] if found else out


def _rows(document: Document, found: Promise) -> Iterator[tuple[str, str | Shown]]:
    for s in found.steps:
        name = "now" if s.name == "ordered" and document.phase == "open" else s.name
        yield STEPS[name], s.detail if name == "unknown" else Shown(value=s.day_out, unit=s.detail)


def late(x: Dated) -> bool:
    """Whether it is asked for earlier than it can be there."""
    return x.asked is not None and (x.promise.earliest or date.max) > x.asked


def _offers(document: Document, x: Dated) -> Iterator[Offer]:
    """One click asks for the first day on which it can be there, where somebody asks for an earlier one."""
    if document.phase in ("draft", "offered") and late(x) and x.promise.earliest is not None and len(x.root.schedules) < 2:
        day = x.promise.earliest.isoformat()
        yield Offer(label="Ask for %(what)s", what=day, values={"deliveries": day})


def check(document: Document, found: list[Dated], severity: Severity, *, guest: bool) -> list[Problem]:
    """What is asked for earlier than it can be there; for a day of the header the line that comes last."""
    at = {line.id: i for i, line in enumerate(document.lines)}
    behind = sorted((x for x in latest(found).values() if late(x)), key=lambda x: x.promise.earliest or date.max)
    own = [_late(x, f"lines[{at[x.root.id]}].schedules", severity, guest) for x in behind if x.line.schedules or x.root.schedules]
    of_header = [x for x in behind if not (x.line.schedules or x.root.schedules)]
    return own + [_late(x, "date_requested", severity, guest) for x in of_header[-1:]]


def _late(x: Dated, where: str, severity: Severity, guest: bool) -> Problem:
    number = x.line.item.number if x.line.item else x.line.text
    most = max(x.promise.steps, key=_days)
    hint = "" if guest or not _days(most) else f"most of it: {STEPS[most.name]}: {most.detail}" if most.detail else f"most of it: {STEPS[most.name]}"
    if x.promise.earliest is None:
        message = f"nobody knows when {number} can be delivered, asked for is {x.asked}"
        return Problem(code="delivery_dates.unknown", message=message, where=where, hint=hint, severity=severity)
    if x.promise.arrives is None:
        message = f"{number} can leave on {x.promise.earliest} at the earliest, asked for is {x.asked}"
    else:
        message = f"{number} can be with the customer on {x.promise.earliest} at the earliest, asked for is {x.asked}"
    return Problem(code="delivery_dates.late", message=message, where=where, hint=hint, severity=severity)


def _days(step: Step) -> int:
    return (step.day_out - step.day_in).days
