"""What can stand for an item, what is lacking beside it, and which quantity is sold: pure functions over frozen values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec
from newel.domain.document import Document, Line
from newel.domain.item import Item
from newel.domain.kinds import Kinds
from newel.domain.money import ONE, ZERO, plain, product
from newel.errors import Problem, Severity
from newel.manifest import Offer, Panel, Shown

OFFERED = 4  # substitutes of one line


class Association(msgspec.Struct, frozen=True):
    """Another item. quantity: of it for one of the item, both in their own units. shipped: it may be sent instead."""

    other: int
    kind: str
    quantity: Decimal = ONE
    shipped: bool = False


class Ordering(msgspec.Struct, frozen=True):
    """In which quantities an item is sold, in its own unit; nothing for any."""

    least: Decimal = ZERO
    step: Decimal = ZERO
    strict: bool = True
    runs_out: bool = False

    def up(self, quantity: Decimal) -> Decimal:
        """The smallest quantity that is sold and no less than this one."""
        least = max(quantity, self.least)
        steps, rest = divmod(least, self.step) if self.step else (ZERO, ZERO)
        return (steps + 1) * self.step if rest else least

    def down(self, quantity: Decimal) -> Decimal | None:
        """The largest quantity that is sold and no more than this one; None where there is none."""
        most = quantity - quantity % self.step if self.step else quantity
        return most if most and most >= self.least else None


class Assortment(msgspec.Struct, frozen=True, kw_only=True):
    """What a document needs to know.

    Args:
        associations: item -> what is associated with it, in order. ordering: item -> how it is sold. items: the other items.
        free: item -> what is free of it, in its own unit; empty where nobody asks.
        ordered: line of a sale -> (id, number) of the item that was ordered there.
    """

    associations: Mapping[int, tuple[Association, ...]] = {}
    ordering: Mapping[int, Ordering] = {}
    items: Mapping[int, Item] = {}
    free: Mapping[int, Decimal] = {}
    ordered: Mapping[int, tuple[int, str]] = {}

    def of(self, item: int, kind: str) -> list[Association]:
        """The associations of one kind whose item is in use."""
        return [a for a in self.associations.get(item, ()) if a.kind == kind and a.other in self.items]


def entered(document: Document) -> bool:
    """Whether it is a sale, or a wish for one, that somebody is still working on."""
    return document.role in ("sale", "request") and document.phase in ("draft", "offered")


def binding(document: Document, transition: str, kinds: Kinds) -> bool:
    """Whether this step of a sale offers it or makes it binding."""
    found = kinds.documents[document.kind].transition(transition) if transition else None
    return found is not None and document.phase == "draft" and kinds.documents[document.kind].state(found.target).phase in ("offered", "open")


def _lines(document: Document) -> Iterator[tuple[int, Line, Item]]:
    """What somebody has entered, with its place."""
    for i, line in enumerate(document.lines):
        if line.item is not None and not line.key and line.quantity > 0:
            yield i, line, line.item


# ---- problems ----------------------------------------------------------------------------------------------------------------------


def check(document: Document, transition: str, found: Assortment, kinds: Kinds) -> list[Problem]:
    """Quantities that are not sold and items that lack, where a sale becomes binding; until then loose rules are only pointed out."""
    if document.role == "delivery":
        step = kinds.documents[document.kind].transition(transition) if transition else None
        return list(_sent(document, found, leaves=step is not None)) if step is None or "move" in step.effects else []
    if document.role != "sale" or (transition and not binding(document, transition, kinds)):
        return []
    out = [p for i, line, item in _lines(document) if (rule := found.ordering.get(item.id)) for p in _quantity(line, item, rule, i, transition)]
    return out + (_required(document, found) if transition else [])


def _quantity(line: Line, item: Item, rule: Ordering, i: int, transition: str) -> Iterator[Problem]:
    wanted = line.quantity_base
    if rule.up(wanted) == wanted or rule.strict != bool(transition):
        return
    got, least, step, fits = (f"{plain(x)} {item.unit}" for x in (wanted, rule.least, rule.step, rule.up(wanted)))
    message = f"{item.number} is sold from {least} on, got {got}" if wanted < rule.least else f"{item.number} is sold in steps of {step}, got {got}"
    severity = Severity.BLOCK if rule.strict else Severity.NOTE
    yield Problem(code="assortment.quantity", message=message, where=f"lines[{i}].quantity", hint=f"make it {fits}", severity=severity)


def amounts(lines: Iterable[Line]) -> dict[int, Decimal]:
    """How much of each item, in its own unit."""
    out: dict[int, Decimal] = {}
    for line in lines:
        if line.item is not None:
            out[line.item.id] = out.get(line.item.id, ZERO) + line.quantity_base
    return out


def lacking(found: Assortment, item: int, kind: str, wanted: Decimal, have: Mapping[int, Decimal]) -> Iterator[tuple[Association, Decimal]]:
    """What goes with so much of an item and is not there, with how much of it, in the other item's unit."""
    for a in found.of(item, kind):
        rest = product(wanted, a.quantity) - have.get(a.other, ZERO)
        if rest > 0 and (kind == "required" or a.other not in have):
            yield a, plain(rest)


def _required(document: Document, found: Assortment) -> list[Problem]:
    out, seen, have = [], set(), amounts(document.lines)
    wanted = amounts(line for _i, line, _item in _lines(document))
    for i, _line, item in _lines(document):
        for a, rest in lacking(found, item.id, "required", wanted[item.id], have) if item.id not in seen else ():
            other = found.items[a.other]
            message = f"{item.number} is not sold without {other.number}"
            hint = f"add {rest} {other.unit} of {other.number}"
            out.append(Problem(code="assortment.required", message=message, where=f"lines[{i}].item", hint=hint))
        seen.add(item.id)
    return out


def _sent(document: Document, found: Assortment, *, leaves: bool) -> Iterator[Problem]:
    """Where something else is sent than was ordered: it has to be a substitute, and when it leaves an authorised one."""
    for i, line in enumerate(document.lines):
        for id, number in [found.ordered[x.from_line] for x in line.sources if x.from_line in found.ordered]:
            if line.item is None or line.item.id == id:
                continue
            known = next((a for a in found.of(id, "substitute") if a.other == line.item.id and a.quantity == 1), None)
            where, sent = f"lines[{i}].item", line.item.number
            if known is None:
                message, hint = f"{number} was ordered, and {sent} can't stand for it", "send what was ordered, or one of its substitutes"
                yield Problem(code="assortment.other", message=message, where=where, hint=hint)
            elif not known.shipped:
                message, hint = f"{sent} can stand for {number}, but nobody has authorised that it is sent instead", "ask somebody who may go over it"
                severity = Severity.OVERRIDE if leaves else Severity.NOTE
                yield Problem(code="assortment.unauthorised", message=message, where=where, hint=hint, severity=severity)
            else:
                yield Problem(code="assortment.sent", message=f"{sent} is sent instead of {number}", where=where, severity=Severity.NOTE)


# ---- what is offered ---------------------------------------------------------------------------------------------------------------


def panels(document: Document, found: Assortment) -> list[Panel]:
    """Below each line: quantities that are sold, what can stand for what lacks, and what goes with it. Lines before take first."""
    if not entered(document) and not (document.role == "delivery" and document.phase == "draft"):
        return []
    out: list[Panel] = []
    left, seen, have = dict(found.free), set(), amounts(document.lines)
    wanted = amounts(line for _i, line, _item in _lines(document))
    for _i, line, item in _lines(document):
        rule = found.ordering.get(item.id, Ordering())
        short = item.stocked and left.get(item.id, ZERO) < line.quantity_base
        left[item.id] = left.get(item.id, ZERO) - line.quantity_base
        if document.role != "delivery":
            out += _sold(line, item, rule)
        if short or rule.runs_out:
            out += _instead(document, line, item, found, left)
        if document.role != "delivery" and item.id not in seen:
            out += _beside(document, line, found, wanted[item.id], have)
        seen.add(item.id)
    return out


def _sold(line: Line, item: Item, rule: Ordering) -> Iterator[Panel]:
    wanted = line.quantity_base
    if rule.up(wanted) == wanted:
        return
    rows = (("At least", rule.least), ("In steps of", rule.step))
    fits = dict.fromkeys(x for x in (rule.down(wanted), rule.up(wanted)) if x)
    offers = tuple(Offer(label="Make it %(what)s", **_amount(line, item, x)) for x in fits)
    yield Panel(title="Order quantity", line=line.id, sequence=20, offers=offers, rows=tuple((k, Shown(value=plain(v), unit=item.unit)) for k, v in rows if v))


def _amount(line: Line, item: Item, base: Decimal) -> dict[str, Any]:
    """A quantity in the line's unit if it can be said in it, else in the item's own."""
    whole, rest = divmod(base, line.factor)
    if rest:
        return {"what": Shown(value=plain(base), unit=item.unit), "values": {"quantity": plain(base), "unit": item.unit}}
    return {"what": Shown(value=plain(whole), unit=line.unit), "values": {"quantity": plain(whole), "unit": line.unit if line.unit != item.unit else ""}}


def _instead(document: Document, line: Line, item: Item, found: Assortment, left: Mapping[int, Decimal]) -> Iterator[Panel]:
    offers = []

    def lacks(a: Association) -> bool:
        return found.items[a.other].stocked and left.get(a.other, ZERO) < product(line.quantity_base, a.quantity)

    for a in sorted(found.of(item.id, "substitute"), key=lacks):  # what is there comes first
        other = found.items[a.other]
        if document.role == "delivery" and (not a.shipped or a.quantity != 1):
            continue
        values: dict[str, str | Decimal] = {"item": other.number, "text": "", "unit": "", "price": ""}
        if a.quantity != 1 or line.factor != 1:
            values["quantity"] = plain(product(line.quantity_base, a.quantity))
        offers.append(Offer(label="Take %(what)s", what=f"{other.number} {other.name}", rows=_known(document, other, left), values=values))
    if offers:
        yield Panel(title="Instead", line=line.id, sequence=35, offers=tuple(offers[:OFFERED]), text="it runs out" if _ends(item, found) else "")


def _ends(item: Item, found: Assortment) -> bool:
    return item.id in found.ordering and found.ordering[item.id].runs_out


def _known(document: Document, other: Item, left: Mapping[int, Decimal]) -> tuple[tuple[str, Shown], ...]:
    """What one wants to know before one takes it: what is free, and the list price of one."""
    free = [("Free", Shown(value=plain(max(left.get(other.id, ZERO), ZERO)), unit=other.unit))] if other.stocked else []
    if document.role == "delivery" or other.price is None:
        return tuple(free)
    price = plain(other.price)
    digits = max(document.amount_digits, -int(price.as_tuple().exponent))
    return (*free, ("List price", Shown(value=price, digits=digits, unit=document.currency)))


def _beside(document: Document, line: Line, found: Assortment, wanted: Decimal, have: Mapping[int, Decimal]) -> Iterator[Panel]:
    for kind, title in (("required", "Is needed with it"), ("suggested", "Goes with it")):
        offers = []
        for a, rest in lacking(found, line.item.id, kind, wanted, have) if line.item else ():
            other = found.items[a.other]
            values: dict[str, str | Decimal] = {"item": other.number, "quantity": rest}
            offers.append(Offer(label="Add %(what)s", what=f"{other.number} {other.name}", rows=_known(document, other, found.free), values=values, adds=True))
        if offers:
            yield Panel(title=title, line=line.id, sequence=36, offers=tuple(offers))


# ---- records -----------------------------------------------------------------------------------------------------------------------


def check_association(values: Mapping[str, Any]) -> Iterator[Problem]:
    """An item does not go with itself."""
    if values["item"] == values["other"]:
        yield Problem(code="assortment.itself", message="another item was expected, got the same one", where="other", hint="choose another item")


def check_ordering(values: Mapping[str, Any]) -> Iterator[Problem]:
    """A minimum that can be ordered: one of the steps."""
    least, step = values.get("quantity_min") or ZERO, values.get("quantity_step") or ZERO
    if step and least % step:
        message = f"a multiple of {plain(step)} was expected, got {plain(least)}"
        yield Problem(code="assortment.minimum", message=message, where="quantity_min", hint="the minimum has to be one of the steps")
