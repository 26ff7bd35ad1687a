"""From what was entered to a document that rules can work on: references found, defaults filled, everything wrong said at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from newel.domain.document import Document, DocumentInput, Line, LineInput, Link, Schedule
from newel.domain.item import Item
from newel.domain.kinds import DocumentKind
from newel.domain.money import ONE, ZERO, plain, product, rounded
from newel.domain.quantity import QUANTITY_DIGITS, QUANTITY_MAX
from newel.kernel_records import TAX_CATEGORIES as KNOWN_CATEGORIES
from newel.services.resolve_header import Header, digits_of
from newel.store import tables_master as tm
from newel.store.documents import amount_digits
from newel.store.master import ItemHistory, load_items

LINES_MAX = 20_000
PRICE_MAX = Decimal(1000000000000)
TAX_CATEGORIES = tuple(name for name, _ in KNOWN_CATEGORIES)


class Resolver(Header):
    """One use of it resolves one document.

    Args:
        before: the stored document that is changed, None for a new one.
        sources: for each line of the input, the links that it continues; empty for none.
        temporary: True for a preview: ids are negative and nothing is taken from the database's ids.
    """

    async def document(
        self, kind: DocumentKind, entered: DocumentInput, before: Document | None, sources: Sequence[tuple[Link, ...]] = (), copies: bool = False
    ) -> Document:
        """The document as entered. Look at `problems` afterwards: where there are any, the result is only good for showing."""
        context, company = self.context, self.context.company
        if len(entered.lines) > LINES_MAX:
            self.bad("lines.many", f"at most {LINES_MAX} lines, got {len(entered.lines)}", "lines", "split the document")
            entered = msgspec.structs.replace(entered, lines=())
        party = await self._party(entered.party)
        when = self._date(entered.date, "date") or (before.date if before else context.today)
        currency = entered.currency or (party.currency if party and party.currency else company.currency)
        rate = self._rate(currency, entered.rate, when)
        ship_to, bill_to = await self._addresses(party, entered)
        terms = entered.terms or (party.terms if party else "")
        if terms and terms not in self.master.terms:
            self.bad("missing", f"there are no terms {terms!r}", "terms", "choose existing terms of payment")
        due = self._date(entered.date_due, "date_due")
        if due is None and terms in self.master.terms and kind.priced:
            due = self.master.terms[terms].due(when)
        for name in ("location_from", "location_to"):
            self._location(getattr(entered, name), name)
        self._text(entered.reference, 80, "reference")
        self._text(entered.text, 100_000, "text")
        self._role(entered.account_role, "account_role")
        include = entered.prices_include_tax
        if not self.temporary:  # every line, its parts, steps and schedules, with room to spare
            await self.session.need(200 + 12 * len(entered.lines))
        head = Document(
            id=before.id if before else self.id(), kind=kind.name, role=kind.role, state=before.state if before else kind.initial.name,
            phase=before.phase if before else kind.initial.phase, number=before.number if before else "", company=company.id, party=party,
            ship_to=ship_to, bill_to=bill_to, currency=currency, rate=rate, amount_digits=amount_digits(self.master, company, currency),
            date=when, date_due=due, date_requested=self._date(entered.date_requested, "date_requested"), terms=terms,
            reference=entered.reference, text=entered.text,
            prices_include_tax=company.prices_include_tax if include is None else include,
            location_from=entered.location_from, location_to=entered.location_to, account_role=entered.account_role,
            origin=before.origin if before else None, holds=before.holds if before else (), version=before.version if before else 0,
            created_by=before.created_by if before else context.user.login, created_at=before.created_at if before else context.now,
            data=self._data(entered.data, self.registry.document_data, "data"),
        )  # fmt: skip
        lines = await self.lines(kind, head, entered.lines, before, sources, copies)
        return msgspec.structs.replace(head, lines=with_their_line(lines, before) if before else lines)

    # ---- lines -----------------------------------------------------------------------------------------------------------------

    async def lines(
        self, kind: DocumentKind, head: Document, entered: Sequence[LineInput], before: Document | None = None,
        sources: Sequence[tuple[Link, ...]] = (), copies: bool = False, parents: Sequence[Line] = (), keys: Sequence[str] = (),
    ) -> tuple[Line, ...]:  # fmt: skip
        """Lines as entered, with items, units, lots and schedules. parents, keys: of lines that plugins propose, for each of them."""
        items = await load_items(self.session, [x.item for x in entered if x.item not in (None, "")])
        lots = await self._lots(kind, entered, items)
        known = {line.id: line for line in before.lines} if before else {}
        out = []
        for i, x in enumerate(entered):
            where = f"lines[{parents[i].position}].{keys[i]}" if parents else f"lines[{i}]"
            stored = known.get(x.id)
            if x.id and stored is None:
                self.bad("missing", f"this document has no line {x.id}", f"{where}.id", "leave id out for a new line")
            out.append(self._line(
                kind, head, x, where, items, lots,
                id=stored.id if stored else self.id(),
                position=(i + 1) * 10,
                sources=stored.sources if stored else sources[i] if i < len(sources) else (),
                copied_from=stored.copied_from if stored else sources[i][0].from_line if copies and i < len(sources) and sources[i] else None,
                stages=stored.stages if stored else {},
                parent=parents[i].id if parents else stored.parent if stored else None,
                key=keys[i] if keys else stored.key if stored else "",
            ))  # fmt: skip
        return tuple(out)

    def _line(
        self, kind: DocumentKind, head: Document, x: LineInput, where: str, items: dict[Any, ItemHistory], lots: Mapping[tuple[int, str], int], **kept: Any
    ) -> Line:
        line_kind = x.kind or (self._goods_kind(kind) if x.item not in (None, "") else "text" if x.text and x.price is None else "charge")
        if line_kind not in kind.line_kinds or line_kind not in self.registry.line_kinds:
            self.bad("line.kind", f"{kind.label} takes lines of kind {', '.join(kind.line_kinds)}, got {line_kind!r:.40}", f"{where}.kind")
        item = self._item(x.item, where, items, head)
        if item is None and x.item in (None, "") and line_kind in self.registry.line_kinds and self.registry.line_kinds[line_kind].item:
            self.bad("item.missing", "this line needs an item", f"{where}.item", "choose an item, or make it a text line")
        unit, factor = self._unit(x.unit, item, where)
        if x.text or x.account_role or (x.location_from, x.location_to) != (None, None):
            self._text(x.text, 10_000, f"{where}.text")
            self._location(x.location_from, f"{where}.location_from")
            self._location(x.location_to, f"{where}.location_to")
            self._role(x.account_role, f"{where}.account_role")
        if x.tax_category and x.tax_category not in TAX_CATEGORIES and x.tax_category not in self.master.taxes:
            known = ", ".join(TAX_CATEGORIES)
            self.bad("missing", f"there is no tax category {x.tax_category!r:.40}", f"{where}.tax_category", f"one of {known}")
        if line_kind != "text":
            self._quantity(x.quantity, unit, f"{where}.quantity")
        if x.price is not None and (not x.price.is_finite() or abs(x.price) > PRICE_MAX or digits_of(x.price) > 6):
            self.bad("price.range", f"a price below {PRICE_MAX} with at most 6 digits after the point was expected, got {x.price!s:.40}", f"{where}.price")
        elif x.price is not None and x.quantity.is_finite() and abs(x.price * x.quantity) > QUANTITY_MAX * 100:
            self.bad("amount.range", "quantity times price is too large to keep", f"{where}.price", "split the line")
        if not x.discount.is_finite() or not -1000 <= x.discount <= 100 or digits_of(x.discount) > 6:
            self.bad("discount.range", f"a discount between -1000 and 100 percent was expected, got {x.discount!s:.40}", f"{where}.discount")
        return Line(
            **kept, kind=line_kind, item=item, text=x.text or (item.name if item else ""), quantity=_safe(x.quantity), unit=unit, factor=factor,
            price_entered=None if x.price is None else _safe(x.price), discount_entered=_safe(x.discount),
            tax_category=x.tax_category or (item.tax_category if item else "standard"),
            schedules=self.schedules(x, where), location_from=x.location_from, location_to=x.location_to,
            lot=lots.get((item.id, x.lot)) if item and isinstance(x.lot, str) else x.lot if isinstance(x.lot, int) else None,
            account_role=x.account_role, settles=x.settles, data=self._data(x.data, self.registry.line_data, f"{where}.data") if x.data else {}, parts=x.parts,
        )  # fmt: skip

    def _goods_kind(self, kind: DocumentKind) -> str:
        """What a line with an item is where nobody says: the first kind of line for items that the document takes."""
        return next((k for k in kind.line_kinds if k in self.registry.line_kinds and self.registry.line_kinds[k].item), "item")

    def _item(self, key: int | str | None, where: str, items: dict[Any, ItemHistory], head: Document) -> Item | None:
        if key in (None, ""):
            return None
        history = items.get(key)
        if history is None:
            self.bad("missing", f"there is no item {key!s:.40}", f"{where}.item", "choose an existing item by number, barcode or id")
            return None
        item = history.on(head.date, head.currency, self.context.company, self.master.item_classes)
        if not item.active and head.phase == "draft":
            self.bad("item.inactive", f"item {item.number} is no longer in use", f"{where}.item", "choose its successor")
        return item

    def _unit(self, unit: str, item: Item | None, where: str) -> tuple[str, Decimal]:
        if not unit or (item and unit == item.unit):
            return (item.unit if item else unit), ONE
        unit = self._meant_unit(unit)
        found = self.master.units.get(unit)
        if found is None:
            self.bad("missing", f"there is no unit {unit!r:.20}", f"{where}.unit", "choose an existing unit")
            return unit, ONE
        if item is None or unit == item.unit:
            return unit, ONE
        if unit in item.factors:
            return unit, item.factors[unit]
        own = self.master.units.get(item.unit)
        if found.base == item.unit:
            return unit, plain(found.factor)
        if own is not None and own.base and own.base in (found.base, unit):
            return unit, plain((found.factor / own.factor).quantize(Decimal("0.000001")))
        self.bad("unit.conversion", f"{unit} can't be converted to {item.unit}, the unit of {item.number}", f"{where}.unit", "add the unit to the item")
        return unit, ONE

    def _meant_unit(self, text: str) -> str:
        """The code of the unit that somebody means who writes its code or its name, in any case."""
        if text in self.master.units:
            return text
        small = text.casefold()
        found = [u.code for u in self.master.units.values() if small in (u.code.casefold(), u.name.casefold())]
        return found[0] if len(found) == 1 else text

    def _quantity(self, quantity: Decimal, unit: str, where: str) -> None:
        if not quantity.is_finite() or not ZERO < quantity <= QUANTITY_MAX:
            self.bad("quantity.range", f"a quantity above 0 and up to {QUANTITY_MAX} was expected, got {quantity!s:.40}", where)
            return
        known = self.master.units.get(unit)
        digits = known.digits if known else 6
        if digits_of(quantity) > digits:
            self.bad("quantity.digits", f"{unit or 'a quantity'} has at most {digits} digits after the point, got {quantity!s:.40}", where)

    def schedules(self, x: LineInput, where: str) -> tuple[Schedule, ...]:
        """Scheduled deliveries of a line as entered: they add up to its quantity."""
        if not x.schedules:
            return ()
        for n, s in enumerate(x.schedules):
            self._quantity(s.quantity, x.unit, f"{where}.schedules[{n}].quantity")
            self._date(s.date_requested, f"{where}.schedules[{n}].date_requested")
            self._date(s.date_confirmed, f"{where}.schedules[{n}].date_confirmed")
            self._text(s.release_code, 30, f"{where}.schedules[{n}].release_code")
        if all(s.quantity.is_finite() for s in x.schedules):
            total = sum((s.quantity for s in x.schedules), ZERO)
            if total != x.quantity:
                self.bad("schedule.sum", f"the scheduled deliveries add up to {total}, the line has {x.quantity!s:.40}", f"{where}.schedules")
        return tuple(
            Schedule(
                id=self.id(), quantity=_safe(s.quantity), date_requested=s.date_requested, date_confirmed=s.date_confirmed,
                release_code=s.release_code,
            )
            for s in x.schedules
        )  # fmt: skip

    async def _lots(self, kind: DocumentKind, entered: Sequence[LineInput], items: dict[Any, ItemHistory]) -> dict[tuple[int, str], int]:
        """Lots by (item, number). Goods that come in may bring a new one; everything else needs one that is there."""
        asked = {(items[x.item].row["id"], x.lot): i for i, x in enumerate(entered) if isinstance(x.lot, str) and x.lot and x.item in items}
        await self._known_lots(entered)
        if not asked:
            return {}
        rows = await self.session.fetch("SELECT id, item, number FROM lot WHERE item = ANY(?) AND number = ANY(?)", *map(list, zip(*asked, strict=True)))
        found = {(r["item"], r["number"]): r["id"] for r in rows}
        for key, i in asked.items():
            if key in found:
                continue
            if kind.new_lots or kind.role in ("receipt", "production", "return", "transfer"):
                found[key] = self.id() if self.temporary else self.session.add(tm.Lot, item=key[0], number=key[1][:60])
            else:
                self.bad("missing", f"there is no lot {key[1]!r:.40} of this item", f"lines[{i}].lot", "choose a lot that is in stock")
        return found

    async def _known_lots(self, entered: Sequence[LineInput]) -> None:
        """Lots given by id must be there."""
        asked = {x.lot: i for i, x in enumerate(entered) if isinstance(x.lot, int)}
        for i, x in enumerate(entered):
            if isinstance(x.lot, str) and x.lot and x.item is None:
                self.bad("lot.item", f"the lot {x.lot!r:.40} belongs to no item", f"lines[{i}].lot", "enter the item, or leave out the lot")
        known = {r["id"] for r in await self.session.fetch("SELECT id FROM lot WHERE id = ANY(?)", sorted(asked))} if asked else set()
        for lot, i in asked.items():
            if lot not in known:
                self.bad("missing", f"there is no lot {lot}", f"lines[{i}].lot", "choose a lot that is in stock")


def _safe(value: Decimal) -> Decimal:
    """A number that the rules can compute with, where the entered one was refused."""
    return value if value.is_finite() and abs(value) <= QUANTITY_MAX * 10 and digits_of(value) <= 6 else ZERO


def with_their_line(lines: Sequence[Line], before: Document) -> tuple[Line, ...]:
    """Parts that were taken over from another document stay with their line: they go when it goes, and keep pace with its quantity."""
    was = {line.id: line.quantity for line in before.lines}
    by_id = {line.id: line for line in lines}
    out = []
    for line in lines:
        top, quantity = line, line.quantity
        while top.parent in by_id:
            top = by_id[top.parent]
        if top.parent is not None:
            continue
        if top is not line and was.get(line.id) == quantity and not line.schedules:
            quantity = plain(rounded(product(quantity, top.quantity) / was.get(top.id, top.quantity), QUANTITY_DIGITS))
        out.append(line if quantity is line.quantity else msgspec.structs.replace(line, quantity=quantity))
    return tuple(out)
