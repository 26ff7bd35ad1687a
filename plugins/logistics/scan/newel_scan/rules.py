"""What scanning decides: whether a scan fits, and what the scans of a task amount to. Pure functions over frozen values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import ROUND_DOWN, Decimal

import msgspec
from newel.domain.item import Item
from newel.domain.money import ONE, ZERO, plain
from newel.errors import Problem

from newel_scan.codes import Code, same

PICK, RECEIVE, RETURN, COUNT, MOVE = "pick", "receive", "return", "count", "move"
FREE = (COUNT, MOVE)  # no document says what is to be scanned
OUT = (PICK, MOVE)  # what is scanned has to lie here
EXACT = Decimal("0.000001")


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """One line of work. quantity: in the item's own unit, None for any; factor: of the line's unit in it.

    Args:
        lot: the only one that fits, empty for any. several: it may come in several lots. exceeds: more may come than was asked for.
    """

    line: int
    item: int
    number: str
    name: str
    gtin: str = ""
    unit: str = ""
    tracking: str = "none"
    quantity: Decimal | None = None
    line_unit: str = ""
    factor: Decimal = ONE
    lot: str = ""
    several: bool = True
    exceeds: bool = False


class Lying(msgspec.Struct, frozen=True, kw_only=True):
    """What lies in one place of ours, in the item's unit."""

    item: int
    place: int
    code: str
    quantity: Decimal
    lot: str = ""
    expiry: date | None = None


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Scanned goods of one line, lot and place. quantity: in the item's unit."""

    line: int
    item: int
    quantity: Decimal
    lot: str = ""
    place: int | None = None
    expiry: date | None = None


class Scan(msgspec.Struct, frozen=True, kw_only=True):
    """A scan with what was entered beside it. quantity: in the item's own unit, None: what the code says, else one."""

    code: Code
    quantity: Decimal | None = None
    lot: str = ""
    expiry: date | None = None
    place: int | None = None


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A task as it stands. known: the item that the code stands for, whether wanted or not; spot: code of the place that was scanned."""

    kind: str
    today: date
    wanted: Sequence[Wanted] = ()
    done: Sequence[Part] = ()
    lying: Sequence[Lying] = ()
    known: Item | None = None
    spot: str = ""


def text(quantity: Decimal) -> str:
    """A quantity for people: no trailing zeros, no exponent."""
    return f"{plain(quantity):f}"


def decide(job: Job, scan: Scan) -> Part | Problem:
    """What a scan counts as, or why it does not."""
    code = scan.code
    if code.problem:
        return Problem(code="scan.unread", message=f"this barcode can't be read: {code.problem}", hint="scan it again, or type the number of the item")
    if code.sscc and not code.gtin:
        return Problem(code="scan.pallet", message=f"{code.sscc} is the number of a pallet or box", hint="scan the goods on it")
    fits = [w for w in job.wanted if (same(code.gtin, w.gtin) if code.gtin else False) or code.text == w.number]
    if not fits and job.known is not None:
        fits = [w for w in job.wanted if w.item == job.known.id]
    if not fits and job.known is not None and job.kind in FREE:
        known = job.known
        fits = [Wanted(line=0, item=known.id, number=known.number, name=known.name, unit=known.unit, line_unit=known.unit, tracking=known.tracking)]
    if not fits:
        return _other(job.known, code)
    serial = fits[0].tracking == "serial"
    lot = ((code.serial if serial else code.lot) or scan.lot) if fits[0].tracking != "none" else ""
    if fits[0].tracking != "none" and not lot:
        hint = "scan or enter the serial number" if serial else "scan or enter the lot"
        return Problem(code="scan.lot", message=f"{fits[0].number} is tracked by {fits[0].tracking}", where="lot", hint=hint)
    quantity = scan.quantity if scan.quantity is not None else ONE if serial else code.quantity or ONE
    best = _line(job, fits, lot)
    if isinstance(best, Problem):
        return best
    part = Part(line=best.line, item=best.item, quantity=quantity, lot=lot, place=scan.place, expiry=code.expiry or scan.expiry)
    return next((wrong for rule in (_quantity, _expired, _there, _one_place) if (wrong := rule(job, best, part))), part)


def _other(known: Item | None, code: Code) -> Problem:
    if known is None:
        return Problem(
            code="scan.unknown", message=f"no item has the number {code.gtin or code.text:.60}", hint="look at the label, or type the number of the item"
        )
    return Problem(code="scan.other", message=f"{known.number} {known.name} is not wanted here", hint="put it back where it was")


def _rest(job: Job, wanted: Wanted) -> Decimal | None:
    """What is still wanted of a line; None for any quantity."""
    return None if wanted.quantity is None else wanted.quantity - sum((p.quantity for p in job.done if p.line == wanted.line), ZERO)


def _line(job: Job, fits: Sequence[Wanted], lot: str) -> Wanted | Problem:
    """The line that a scan is for: of its lot, and one of which something is still wanted."""
    of_lot = [w for w in fits if w.lot in ("", lot)]
    if not of_lot:
        message = f"lot {fits[0].lot} of {fits[0].number} was expected, this is {lot}"
        return Problem(code="scan.lot_other", message=message, hint="look for the right one, or have the document changed")
    free = [w for w in of_lot if w.several or all(p.lot == lot for p in job.done if p.line == w.line)]
    if not free:
        there = next(p.lot for p in job.done if p.line == of_lot[0].line)
        hint = "finish with what is there; the rest goes with the next document"
        return Problem(code="scan.lot_second", message=f"this line of {of_lot[0].number} has lot {there}, this is {lot}", hint=hint)
    return next((w for w in free if (_rest(job, w) or ONE) > 0), free[0])


def _quantity(job: Job, wanted: Wanted, part: Part) -> Problem | None:
    if not part.quantity > 0:
        return Problem(code="scan.quantity", message=f"a quantity above 0 was expected, got {text(part.quantity)}", where="quantity")
    if wanted.tracking == "serial":
        if part.quantity != ONE:
            message = f"a serial number stands for one piece, got {text(part.quantity)}"
            return Problem(code="scan.serial", message=message, where="quantity", hint="scan each piece")
        if any(p.item == part.item and p.lot == part.lot for p in job.done):
            return Problem(code="scan.twice", message=f"{wanted.number} {part.lot} is scanned already", hint="take another piece")
    rest = _rest(job, wanted)
    if rest is not None and part.quantity > rest and not wanted.exceeds:
        message = f"{text(max(rest, ZERO))} {wanted.unit} of {wanted.number} are still wanted, got {text(part.quantity)}"
        return Problem(code="scan.more", message=message, where="quantity", hint="put back what is too much")
    return None


def _expired(job: Job, wanted: Wanted, part: Part) -> Problem | None:
    """Goods past their date neither go out nor come in (LOG-10)."""
    ends = part.expiry or next((x.expiry for x in job.lying if x.item == part.item and x.lot == part.lot and part.lot), None)
    if job.kind not in (PICK, RECEIVE) or ends is None or ends >= job.today:
        return None
    hint = "set it aside and take another lot" if job.kind == PICK else "do not take it; tell the vendor"
    return Problem(code="scan.expired", message=f"{wanted.number} {part.lot} has expired on {ends.isoformat()}", hint=hint)


def _there(job: Job, wanted: Wanted, part: Part) -> Problem | None:
    """What goes out has to lie where it was scanned."""
    if job.kind not in OUT:
        return None

    def of(x: Lying | Part) -> bool:
        return x.item == part.item and x.lot in ("", part.lot) and (part.place is None or x.place == part.place)

    there = sum((x.quantity for x in job.lying if of(x)), ZERO) - sum((p.quantity for p in job.done if of(p)), ZERO)
    if part.quantity <= there:
        return None
    lot, got = f" {part.lot}" if part.lot else "", text(part.quantity)
    message = f"{text(there)} {wanted.unit} of {wanted.number}{lot} are there, got {got}"
    if part.place:
        message = f"{text(there)} {wanted.unit} of {wanted.number}{lot} lie in {job.spot}, got {got}"
    return Problem(code="scan.short", message=message, hint="look at the label of the place, and have the place counted")


def _one_place(job: Job, wanted: Wanted, part: Part) -> Problem | None:
    """What comes in on one document goes to one place, from where it can be moved on."""
    if job.kind in OUT or part.place is None or all(p.place in (None, part.place) for p in job.done):
        return None
    return Problem(
        code="scan.places", message=f"{wanted.number} goes to another place than what was scanned before", hint="finish this, then begin anew for the rest"
    )


# ---- what it amounts to ----------------------------------------------------------------------------------------------------------------


def parts(done: Iterable[Part]) -> list[Part]:
    """Scans of the same line, lot and place as one."""
    out: dict[tuple[int, int, str, int | None], Part] = {}
    for p in done:
        key = (p.line, p.item, p.lot, p.place)
        before = out.get(key)
        out[key] = p if before is None else msgspec.structs.replace(before, quantity=before.quantity + p.quantity, expiry=before.expiry or p.expiry)
    return list(out.values())


def in_line_unit(quantity: Decimal, wanted: Wanted) -> Decimal | Problem:
    """A quantity of the item's unit in the line's unit."""
    out = (quantity / wanted.factor).quantize(EXACT, ROUND_DOWN)
    if out * wanted.factor != quantity:
        message = f"{text(wanted.factor)} {wanted.unit} of {wanted.number} are one {wanted.line_unit}, got {text(quantity)}"
        return Problem(code="scan.part", message=message, hint=f"scan whole {wanted.line_unit}")
    return plain(out)


def missing(wanted: Iterable[Wanted], done: Iterable[Part]) -> dict[int, Decimal]:
    """By line: what was wanted and not scanned."""
    have: dict[int, Decimal] = {}
    for p in done:
        have[p.line] = have.get(p.line, ZERO) + p.quantity
    left = {w.line: w.quantity - have.get(w.line, ZERO) for w in wanted if w.quantity is not None}
    return {line: rest for line, rest in left.items() if rest > 0}


def where(wanted: Sequence[Wanted], lying: Sequence[Lying], today: date) -> dict[int, tuple[Lying, ...]]:
    """By line: where to take it from, what expires first at first (FEFO) and nothing past its day, as much as is wanted. Lines share what lies there."""
    ordered = sorted((x for x in lying if x.expiry is None or x.expiry >= today), key=lambda x: (x.expiry or date.max, x.code, x.lot))
    left = [x.quantity for x in ordered]
    out: dict[int, tuple[Lying, ...]] = {}
    for w in wanted:
        found, rest = [], w.quantity or ZERO
        for i, x in enumerate(ordered):
            take = min(rest, left[i]) if x.item == w.item and w.lot in ("", x.lot) else ZERO
            if take > 0:
                found.append(msgspec.structs.replace(x, quantity=take))
                left[i] -= take
                rest -= take
        out[w.line] = tuple(found)
    return out


def walk(wanted: Sequence[Wanted], places: Mapping[int, Sequence[Lying]]) -> list[Wanted]:
    """The lines in the order of their places, what lies nowhere last."""
    return sorted(wanted, key=lambda w: (not places.get(w.line), places[w.line][0].code if places.get(w.line) else "", w.number, w.line))
