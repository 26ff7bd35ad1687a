"""What the workbench decides: pure functions over frozen values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal

import msgspec
from newel.domain.document import Document, Line, ScheduleInput
from newel.domain.kinds import Flow
from newel.domain.money import ONE, ZERO, plain
from newel.errors import Problem

PERMISSION = "vendor_workbench.use"
DESPATCH, ADVISED = "vendor_workbench.despatch", "advised"
STAGES = {"new": "New", "confirm": "To confirm", "ship": "To ship", "done": "Done"}
# What a vendor may be told; whatever else stands in the way is between our customers and us.
TOLD = frozenset({"version", "schedule.sum", "schedule.linked", "lot.missing", "key.reused", "busy", "flow.phase", "missing", "permission"})


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A line of an order, as the vendor's list needs it. gone: shipped, announced or received of it; day: the earliest date that is confirmed."""

    quantity: Decimal
    gone: Decimal = ZERO
    confirmed: bool = False
    day: date | None = None


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """A way that goods of an order leave the vendor by. direct: they go straight to a customer; then: the transition that says so."""

    flow: Flow
    direct: bool
    then: str


class Parcel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """So much of a line is shipped, in the line's unit; lot: its lot or serial number, where the item is tracked by one."""

    line: int
    quantity: Decimal
    lot: str = ""


class Delivery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A delivery that a vendor promises. Quantity in the line's unit; day None: not known yet."""

    quantity: Decimal
    day: date | None = None


def stage(phase: str, parts: Sequence[Part]) -> str:
    """What an order waits for: new (nothing is confirmed yet), confirm (a line is not), ship, or done."""
    rest = [p for p in parts if p.gone < p.quantity] if phase == "open" else []
    if not rest:
        return "done"
    if not any(p.confirmed or p.gone for p in parts):
        return "new"
    return "ship" if all(p.confirmed for p in rest) else "confirm"


def gone(line: Line, links: Iterable[str]) -> Decimal:
    """How much of a line has left the vendor: what was announced may have been received as well, so the most that one way says."""
    return max((line.stages[link].planned for link in links if link in line.stages), default=ZERO)


# ---- promises ------------------------------------------------------------------------------------------------------------------------


def promised(document: Document, wanted: Mapping[int, Sequence[Delivery]], today: date) -> tuple[dict[int, tuple[ScheduleInput, ...]], list[Problem]]:
    """The scheduled deliveries of the lines that change, with the dates that were asked for kept; and dates that are over."""
    out: dict[int, tuple[ScheduleInput, ...]] = {}
    problems = []
    lines = {line.id: line for line in document.lines}
    for id, deliveries in wanted.items():
        line = lines.get(id)
        had = line.schedules if line else ()
        before = [(s.quantity, s.date_confirmed) for s in had]
        if [(d.quantity, d.day) for d in deliveries] in (before, [(line.quantity, None)] if line and not had else before):
            continue
        if any(d.day and d.day < today and d.day not in {day for _, day in before} for d in deliveries):
            where = f"lines[{line.position}].schedules" if line else "lines"
            problems.append(Problem(code="vendor_workbench.past", message="a date that is over can't be promised", where=where, hint="enter today or later"))
        out[id] = tuple(
            ScheduleInput(
                quantity=d.quantity, date_confirmed=d.day, release_code=had[n].release_code if n < len(had) else "",
                date_requested=had[n].date_requested if n < len(had) else (had[-1].date_requested if had else document.date_requested),
            )
            for n, d in enumerate(deliveries)
        )  # fmt: skip
    return out, problems


# ---- shipments -----------------------------------------------------------------------------------------------------------------------


def parcels(line: Line, quantity: Decimal, numbers: str) -> list[Parcel]:
    """What somebody typed for one line: serial numbers share the quantity, one each; a lot has all of it."""
    found = [n for n in re.split(r"[\s,;]+", numbers) if n]
    if len(found) < 2:
        return [Parcel(line=line.id, quantity=quantity, lot=found[0] if found else "")]
    if line.item is not None and line.item.tracking == "serial":
        share = ONE / line.factor
        return [Parcel(line=line.id, quantity=share, lot=n) for n in found]
    return [Parcel(line=line.id, quantity=quantity, lot=n) for n in found]


def check_parcels(document: Document, wanted: Sequence[Parcel], opens: Mapping[int, Decimal], direct: bool) -> Iterator[Problem]:
    """Everything that is wrong with a shipment, by line: nothing in it, more than is open, numbers that are missing or too many."""
    if not any(p.quantity for p in wanted):
        yield _bad("nothing", "nothing is shipped", "", "enter how much of which line goes now")
    sums: dict[int, Decimal] = {}
    for p in wanted:
        sums[p.line] = sums.get(p.line, ZERO) + p.quantity
    for line in document.lines:
        now = sums.pop(line.id, None)
        if now is None:
            continue
        where, most = f"q-{line.id}", opens.get(line.id, ZERO)
        if now > most or any(p.quantity <= 0 for p in wanted if p.line == line.id):
            yield _bad(
                "quantity", f"{line.text}: more than 0 and at most {plain(most)} {line.unit} can go, got {plain(now)}", where, "enter what is open, or less"
            )
        if direct and line.item is not None and line.item.tracking != "none":
            yield from _check_numbers(line, [p for p in wanted if p.line == line.id])
    if sums:
        yield _bad("line", "the order has no such line", "", "look at the order again")


def _check_numbers(line: Line, own: Sequence[Parcel]) -> Iterator[Problem]:
    assert line.item is not None
    serial = line.item.tracking == "serial"
    what = "a serial number for each piece" if serial else "one lot number"
    lots = [p.lot for p in own if p.lot]
    odd = any(p.quantity * line.factor != ONE for p in own) if serial else False
    if len(lots) != len(own) or len(set(lots)) != len(lots) or odd:
        pieces = plain(sum((p.quantity for p in own), ZERO) * line.factor)
        message = f"{line.text}: {what} was expected, got {len(set(lots))} for {pieces} {line.item.unit}"
        yield _bad("lot", message, f"lot-{line.id}", "enter the numbers with blanks or commas between them")


def _bad(code: str, message: str, where: str, hint: str) -> Problem:
    return Problem(code=f"vendor_workbench.{code}", message=message, where=where, hint=hint)


def for_vendors(problems: Iterable[Problem], company: str) -> list[Problem]:
    """Problems that a vendor may read. Others (a customer's credit, a closed period) become one that names nothing."""
    found = list(problems)
    told = [p for p in found if p.code in TOLD or p.code.startswith("vendor_workbench.")]
    if len(told) < len(found):
        told.append(_bad("stopped", "this can't be done at the moment", "", f"ask {company}"))
    return told
