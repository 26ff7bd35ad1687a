"""What an action does to stock: planned purely from locked balances, then written. One place for every kind of move."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

import msgspec

from newel.domain.context import Context
from newel.domain.document import Document, Line
from newel.domain.facts import Facts
from newel.domain.master import Master
from newel.domain.money import ONE, ZERO, plain, product, rounded
from newel.domain.stock import Balance, LocationKind, Move, Reservation, StockFacts, value_out
from newel.errors import Problem, Severity
from newel.plugins import Plugins


class _Place(msgspec.Struct):
    """A balance at work. id 0: there is none yet."""

    id: int
    item: int
    location: int
    lot: int | None
    quantity: Decimal = ZERO
    reserved: Decimal = ZERO
    value: Decimal = ZERO
    changed: bool = False


class StockPlan:
    """Moves and reservations of one action, and the balances that they leave. still: kinds of lines whose goods stay where they are."""

    def __init__(self, facts: Facts, context: Context, plugins: Plugins, kinds: dict[str, LocationKind], still: frozenset[str] = frozenset()) -> None:
        self.facts, self.context, self.plugins, self.kinds, self.still = facts, context, plugins, kinds, still
        self.master = facts[Master]
        stock = facts.get(StockFacts) or StockFacts()
        self.places = {
            (b.item, b.location, b.lot): _Place(b.id, b.item, b.location, b.lot, b.quantity, b.reserved, b.value)
            for found in stock.balances.values()
            for b in found
        }
        self._by_id = {p.id: p for p in self.places.values()}
        self._by_item: dict[int, list[_Place]] = {}
        for p in self.places.values():
            self._by_item.setdefault(p.item, []).append(p)
        self.reservations = {line: list(found) for line, found in stock.reservations.items()}
        self.moved, self.bought_lines = stock.moved, stock.bought
        self.rate, self.bought = ONE, False
        self.released: list[Reservation] = []
        self.reserved: list[Reservation] = []
        self.moves: list[Move] = []
        self.problems: list[Problem] = []

    # ---- what a transition asks for --------------------------------------------------------------------------------------------

    def move(self, document: Document, bought: bool = False) -> None:
        """Moves of all lines with goods; a line with parts does not move itself. bought: what the lines amount to is what goods from outside are worth."""
        self.rate, self.bought = document.rate, bought
        parents = {line.parent for line in document.lines}
        for i, line in enumerate(document.lines):
            if line.item is None or not line.item.stocked or line.id in parents or line.kind in self.still:
                continue
            source, target = self._ends(document, line, i)
            if source is None or target is None or source == target:
                if source is not None and source == target:
                    self._bad("stock.same", "goods can't move to where they are", f"lines[{i}]", "choose two locations")
                continue
            self._move_line(line, i, source, target)

    def reserve(self, document: Document) -> None:
        """Promise what is free to the lines; less than ordered is a note (back-order) or a block, as the company says."""
        parents = {line.parent for line in document.lines}
        for i, line in enumerate(document.lines):
            if line.item is None or not line.item.stocked or line.id in parents or line.kind in self.still:
                continue
            source = self._decide("decide_source", document, line)
            if source is None or not self._tracked(source):
                continue
            needed = line.quantity_base - sum((r.quantity for r in self.reservations.get(line.id, ())), ZERO)
            wanted = needed
            for place in self._candidates(line, source):
                take = min(wanted, place.quantity - place.reserved)
                if take <= 0:
                    continue
                place.reserved += take
                place.changed = True
                self.reserved.append(Reservation(line=line.id, balance=place.id, quantity=take))
                wanted -= take
            if wanted > 0:
                block = self.context.company.shortage == "block"
                self._short(line, i, needed, needed - wanted, source, Severity.BLOCK if block else Severity.NOTE)

    def release(self, document: Document) -> None:
        """Give back what is promised to the lines."""
        for line in document.lines:
            for reservation in self.reservations.pop(line.id, []):
                place = self._by_id[reservation.balance]
                place.reserved -= reservation.quantity
                place.changed = True
                self.released.append(reservation)

    def reverse(self, moves: Iterable[Move]) -> None:
        """The same goods and values back again."""
        for move in moves:
            source = self._tracked(move.target)
            if source:
                place = self._place(move.item, move.target, move.lot)
                if place.quantity - place.reserved < move.quantity:
                    self._bad("stock.short", "the goods are no longer where they went", "", "bring them back first, or make a return")
                    continue
                place.quantity -= move.quantity
                place.value -= move.value
                place.changed = True
            self._arrive(move.item, move.source, move.lot, move.quantity, ZERO if self._owned(move.source) else move.value)
            self.moves.append(msgspec.structs.replace(move, id=0, source=move.target, target=move.source))

    # ---- how ---------------------------------------------------------------------------------------------------------------------

    def _decide(self, hook: str, document: Document, line: Line) -> int | None:
        answer = self.plugins.decide(hook, int, document=document, line=line, facts=self.facts, context=self.context)
        return answer[1] if answer else None

    def _ends(self, document: Document, line: Line, i: int) -> tuple[int | None, int | None]:
        source, target = self._decide("decide_source", document, line), self._decide("decide_target", document, line)
        for end, name in ((source, "source"), (target, "target")):
            if end is None or end not in self.master.locations:
                self._bad("location.missing", f"no {name} location for {line.text}", f"lines[{i}]", "set one on the document, or a default for the company")
                return None, None
        return source, target

    def _move_line(self, line: Line, i: int, source: int, target: int) -> None:
        assert line.item is not None
        needed = line.quantity_base
        if line.item.tracking != "none" and line.lot is None and not self._tracked(source):
            self._bad("lot.missing", f"{line.item.number} is tracked by {line.item.tracking}", f"lines[{i}].lot", "enter the lot or serial number")
            return
        if not self._tracked(source):
            self._add(line, source, target, line.lot, needed, self._value_in(line, needed))
            return
        # Only what may be reserved can have been promised: goods from elsewhere leave the promises of the lines before alone.
        kind = self.kinds[self.master.locations[source].kind]
        promised = [r for s in line.sources for r in self.reservations.get(s.from_line, ())] if kind.available else []
        wanted = needed
        for place in self._candidates(line, source, {r.balance for r in promised}):
            own = sum((r.quantity for r in promised if r.balance == place.id), ZERO)
            take = min(wanted, place.quantity - place.reserved + own)
            if take <= 0:
                continue
            self._consume(line, place, min(own, take))
            value = value_out(Balance(id=0, item=0, location=0, quantity=place.quantity, value=place.value), take, self.context.company.amount_digits)
            place.quantity -= take
            place.value -= value
            place.changed = True
            if self.bought and self._owned(place.location):
                value = self._part_of(self._value_in(line, needed), needed, needed - wanted, take)
            self._add(line, place.location, target, place.lot, take, value)
            wanted -= take
        # What was promised elsewhere is no longer needed once the goods have come from here.
        self._consume(line, None, min(needed - wanted, sum((r.quantity for r in promised), ZERO)))
        if wanted > 0:
            self._short(line, i, needed, needed - wanted, source, Severity.BLOCK)

    def _consume(self, line: Line, place: _Place | None, quantity: Decimal) -> None:
        """Take from the promises of the lines before: of one place, or (None) until as much is released as was moved in all."""
        if place is None:
            quantity -= sum((r.quantity for r in self.released if r.line in {s.from_line for s in line.sources}), ZERO)
        for s in line.sources:
            rest = []
            for r in self.reservations.get(s.from_line, ()):
                take = min(quantity, r.quantity) if place is None or r.balance == place.id else ZERO
                if take <= 0:
                    rest.append(r)
                    continue
                quantity -= take
                self._by_id[r.balance].reserved -= take
                self._by_id[r.balance].changed = True
                self.released.append(msgspec.structs.replace(r, quantity=take))
                if take < r.quantity:
                    rest.append(msgspec.structs.replace(r, quantity=r.quantity - take))
            self.reservations[s.from_line] = rest

    def _candidates(self, line: Line, source: int, first: Sequence[int] | set[int] = ()) -> list[_Place]:
        """Places that may give: in the location and below, of the lot where one is named; those that hold a promise for the line come first.

        What lies below and is somebody else's is not taken together with the location's own.
        """
        assert line.item is not None
        owner = self.master.locations[source].owner
        below = {at for at in self.master.below(source) if self.master.locations[at].owner == owner}
        found = [p for p in self._by_item.get(line.item.id, ()) if p.location in below and p.id and (line.lot is None or p.lot == line.lot) and p.quantity > 0]
        return sorted(found, key=lambda p: (p.id not in first, p.location != source, p.lot or 0, p.id))

    def _tracked(self, location: int) -> bool:
        kind = self.kinds.get(self.master.locations[location].kind)
        return kind is not None and kind.tracked

    def _value_in(self, line: Line, quantity: Decimal) -> Decimal:
        """What goods are worth that come from outside: what they left at, what is paid for them, else their standard cost."""
        assert line.item is not None
        company = self.context.company
        for source in line.sources:
            left, value = self.moved.get(source.from_line, (ZERO, ZERO))
            if left:
                return rounded(product(value, quantity) / left, company.amount_digits, company.rounding)
            order = self.bought_lines.get(source.from_line)
            if order is not None:
                return self._part_of(product(order.net, order.rate), order.quantity, order.before, line.quantity)
        if self.bought:
            return rounded(product(line.net, self.rate), company.amount_digits, company.rounding)
        if line.price_entered is not None:
            return rounded(product(product(line.price_entered, line.quantity), self.rate), company.amount_digits, company.rounding)
        return rounded(product(line.item.cost, quantity), company.amount_digits, company.rounding)

    def _part_of(self, value: Decimal, quantity: Decimal, before: Decimal, take: Decimal) -> Decimal:
        """The value of a part that comes after another one; the parts add up to the whole."""
        company = self.context.company
        upto = [rounded(product(value, q) / quantity, company.amount_digits, company.rounding) for q in (before, before + take)]
        return upto[1] - upto[0]

    def _owned(self, location: int) -> bool:
        """Whether goods there are somebody else's: they have no value for us."""
        return self.master.locations[location].owner is not None

    def _place(self, item: int, location: int, lot: int | None) -> _Place:
        key = (item, location, lot)
        if key not in self.places:
            self.places[key] = _Place(0, item, location, lot)
        return self.places[key]

    def _arrive(self, item: int, location: int, lot: int | None, quantity: Decimal, value: Decimal) -> None:
        if self._tracked(location):
            place = self._place(item, location, lot)
            place.quantity += quantity
            place.value += value
            place.changed = True

    def _add(self, line: Line, source: int, target: int, lot: int | None, quantity: Decimal, value: Decimal) -> None:
        assert line.item is not None
        if self._owned(target) or (self._owned(source) and not self.bought):
            value = ZERO
        self._arrive(line.item.id, target, lot, quantity, value)
        self.moves.append(Move(line=line.id, item=line.item.id, quantity=quantity, source=source, target=target, lot=lot, value=value))

    def _bad(self, code: str, message: str, where: str, hint: str) -> None:
        self.problems.append(Problem(code=code, message=message, where=where, hint=hint))

    def _short(self, line: Line, i: int, wanted: Decimal, there: Decimal, source: int, severity: Severity) -> None:
        assert line.item is not None
        place = self.master.locations[source].code
        self.problems.append(
            Problem(
                code="stock.short", message=f"{plain(wanted)} {line.item.unit} of {line.item.number} wanted, {plain(there)} free in {place}",
                where=f"lines[{i}].quantity", severity=severity,
                hint="deliver what is there and keep the rest on back-order" if severity is Severity.NOTE else "take less, or wait for stock",
            )
        )  # fmt: skip
