"""What drop shipment decides: pure functions over frozen values. Ordered from vendors = still to come + shipped to the customer, line by line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Literal

import msgspec
from newel.domain.document import Document, DocumentInput, Draft, Line, LineInput, ScheduleInput
from newel.domain.kinds import DocumentKind, Kinds
from newel.domain.money import ZERO, plain
from newel.errors import Problem, Severity
from newel.manifest import Choice, Entry, Panel

DELIVERY = "dropship.delivery"
PROCURED, DIRECT, DELIVERED, RECEIVED = "procured", "direct", "delivered", "received"


class DropshipSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of drop shipment.

    Args:
        automatic: a pure distributor: whatever goods are sold are ordered from their vendor, without a rule that says so (DRP-02).
        send: the purchase orders are sent at once; else somebody looks at them first.
        invoice: what a vendor has shipped is invoiced to the customer at once.
    """

    automatic: bool = False
    send: bool = True
    invoice: bool = False


class DropshipLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody says for one line. ship: "direct" by a vendor, from "stock", or empty for what the rules say. vendor: id of a party."""

    ship: Literal["", "direct", "stock"] = ""
    vendor: int | None = None


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A stored rule: empty item, class and party stand for all."""

    id: int
    company: int
    item: int | None = None
    item_class: str = ""
    party: int | None = None
    vendor: int | None = None
    direct: bool = True


class Ordered(msgspec.Struct, frozen=True, kw_only=True):
    """A vendor's order for a line of a sale, quantities in the sale's unit; shipped of it so far, and the dates that the vendor has confirmed."""

    line: int
    document: int
    number: str
    vendor: str
    quantity: Decimal
    shipped: Decimal = ZERO
    dates: tuple[date, ...] = ()


class Sold(msgspec.Struct, frozen=True, kw_only=True):
    """The sale behind a line of a purchase: what of, in which unit, in which document, and who gets it."""

    item: int | None
    unit: str
    number: str
    party: str


class DropshipFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Rules; names of vendors in use, of those that are asked for; by a sale's line what vendors have to ship of it, or (for a purchase) what it sold."""

    rules: tuple[Rule, ...] = ()
    vendors: Mapping[int, str] = {}
    ordered: Mapping[int, tuple[Ordered, ...]] = {}
    sold: Mapping[int, Sold] = {}


def check_rule(values: Mapping[str, Any]) -> list[Problem]:
    """An item or its class, not both; and a rule says something."""
    if values.get("item") and values.get("item_class"):
        return [Problem(code="dropship.rule", message="an item or a class was expected, got both", where="item_class", hint="leave one of them empty")]
    if not values.get("direct") and not values.get("vendor"):
        return [Problem(code="dropship.rule", message="it neither ships direct nor names a vendor", where="vendor", hint="say one of the two")]
    return []


# ---- which lines, and from whom ----------------------------------------------------------------------------------------------------


def _fitting(document: Document, line: Line, rules: tuple[Rule, ...]) -> list[Rule]:
    """Rules for a line: the item before its class, a narrower class before a wider one, the customer before all."""
    assert line.item is not None
    party, classes = document.party.id if document.party else None, line.item.classes
    found = [
        r
        for r in rules
        if r.company == document.company and r.party in (None, party) and r.item in (None, line.item.id) and (not r.item_class or r.item_class in classes)
    ]
    return sorted(found, key=lambda r: (r.item is None, classes.index(r.item_class) if r.item_class else len(classes), r.party is None, r.id))


def is_direct(document: Document, line: Line, facts: DropshipFacts, settings: DropshipSettings) -> bool:
    """Whether a vendor ships this line of a sale: as the line says, else as the rules or the settings say. Only goods, and never a line with parts."""
    if line.item is None or not line.item.stocked:
        return False
    said = line.data.get("dropship")
    if isinstance(said, DropshipLine) and said.ship:
        direct = said.ship == "direct"
    else:
        direct = settings.automatic or any(r.direct for r in _fitting(document, line, facts.rules))
    return direct and not document.children(line.id)  # last: it looks at every line


def vendor_of(document: Document, line: Line, facts: DropshipFacts) -> int | None:
    """Who ships it: whom the line names, else the first rule that names one. None: nobody knows."""
    said = line.data.get("dropship")
    if isinstance(said, DropshipLine) and said.vendor is not None:
        return said.vendor
    return next((r.vendor for r in _fitting(document, line, facts.rules) if r.vendor is not None), None)


def to_order(line: Line) -> Decimal:
    """What of a line has neither been ordered from a vendor nor delivered from stock, in the line's unit."""
    done = {link: stage.planned for link, stage in line.stages.items()}
    return line.quantity - done.get(PROCURED, ZERO) - done.get(DELIVERED, ZERO) + done.get(DIRECT, ZERO)


def to_come(line: Line) -> Decimal:
    """What vendors still have to ship of a line."""
    done = {link: stage.planned for link, stage in line.stages.items()}
    return done.get(PROCURED, ZERO) - done.get(DIRECT, ZERO)


# ---- what follows ------------------------------------------------------------------------------------------------------------------


def purchases(document: Document, transition: str, facts: DropshipFacts, kinds: Kinds, settings: DropshipSettings) -> Iterator[Draft]:
    """When a sale becomes open: a purchase order for each vendor, without anybody doing anything (DRP-02)."""
    was, now = kinds.becomes(document.kind, document.state, transition)
    if now != "open" or was == "open":
        return
    by_vendor: dict[int, list[Line]] = {}
    for line in document.lines:
        if is_direct(document, line, facts, settings) and to_order(line) > 0:
            by_vendor.setdefault(vendor_of(document, line, facts) or 0, []).append(line)
    kind = purchase_kind(document, kinds)
    if kind is None:
        return
    send = next((t.name for t in kind.transitions if kind.initial.name in t.sources and kind.state(t.target).phase == "open"), "")
    for vendor, lines in sorted(by_vendor.items()):
        entered = DocumentInput(
            party=vendor, ship_to=document.ship_to.id if document.ship_to else None, date_requested=document.date_requested, reference=document.number,
            lines=tuple(_bought(line) for line in lines),
        )  # fmt: skip
        links = tuple((line.id, PROCURED, to_order(line)) for line in lines)
        yield Draft(kind=kind.name, input=entered, links=links, then=(send,) if settings.send and send else ())


def purchase_kind(document: Document, kinds: Kinds) -> DocumentKind | None:
    """What is ordered from vendors with: the first kind that the way PROCURED leads to."""
    return next((kinds.documents[f.target_kind] for f in kinds.ways[document.kind] if f.link == PROCURED), None)


def _bought(line: Line) -> LineInput:
    quantity = to_order(line)
    whole = line.schedules if quantity == line.quantity else ()
    return LineInput(
        item=line.item.id if line.item else None, text=line.text, quantity=quantity, unit=line.unit,
        schedules=tuple(ScheduleInput(quantity=s.quantity, date_requested=s.date_requested, release_code=s.release_code) for s in whole),
    )  # fmt: skip


def invoices(document: Document, transition: str, kinds: Kinds, settings: DropshipSettings) -> Iterator[Draft]:
    """What a vendor has shipped is billed to the customer, where the settings say so."""
    if not settings.invoice or document.kind != DELIVERY or kinds.becomes(document.kind, document.state, transition)[1] != "done":
        return
    for flow in kinds.ways[document.kind]:
        target = kinds.documents[flow.target_kind]
        if target.role == "invoice":
            post = next((t.name for t in target.transitions if target.initial.name in t.sources and "post" in t.effects), "")
            yield Draft(follow=f"{flow.target_kind}:{flow.name}", then=(post,) if post else ())
            return


# ---- what is wrong -----------------------------------------------------------------------------------------------------------------


def check(document: Document, transition: str, facts: DropshipFacts, kinds: Kinds, settings: DropshipSettings) -> Iterator[Problem]:
    """Everything that is wrong with a sale, a purchase or a direct delivery."""
    if document.role == "sale":
        yield from _check_sale(document, transition, facts, kinds, settings)
    elif document.role == "purchase":
        yield from _check_purchase(document, facts)
    elif document.kind == DELIVERY and transition not in ("", "cancel"):
        for i, line in enumerate(document.lines):
            if line.item is not None and {RECEIVED, DIRECT} - {s.kind for s in line.sources}:
                yield _bad("order", f"{line.text} is of no vendor's order", f"lines[{i}]", "make the delivery from the purchase order")


def _check_sale(document: Document, transition: str, facts: DropshipFacts, kinds: Kinds, settings: DropshipSettings) -> Iterator[Problem]:
    was, now = kinds.becomes(document.kind, document.state, transition)
    opens, ends = now == "open" and was != "open", was == "open" and now != "open"
    severity = Severity.BLOCK if opens else Severity.NOTE
    direct = [(i, x) for i, x in enumerate(document.lines) if not ends and (opens or not transition) and is_direct(document, x, facts, settings)]
    for i, line in direct:
        vendor = vendor_of(document, line, facts)
        if vendor is None or vendor not in facts.vendors:
            known = "is no vendor in use" if vendor else "is not said"
            where = f"lines[{i}].data.dropship.vendor"
            yield _bad("vendor", f"who ships {line.text} {known}", where, "name a vendor on the line, or keep a rule", severity)
    if direct and opens and document.ship_to is None:
        yield _bad("address", "a vendor is to ship it, and there is no address", "ship_to", "enter the customer's address")
    if direct and opens and purchase_kind(document, kinds) is None:
        yield _bad("no_purchase", "no running plugin makes purchase orders", "", "install purchasing, or take the goods from stock")
    if ends:
        for i, line in enumerate(document.lines):
            if to_come(line) > 0:
                names = ", ".join(sorted({o.number for o in facts.ordered.get(line.id, ())}))
                message = f"{plain(to_come(line))} {line.unit} of {line.text} are still to come from vendors ({names})"
                yield _bad("ordered", message, f"lines[{i}]", "cancel or close the purchase order first")


def _check_purchase(document: Document, facts: DropshipFacts) -> Iterator[Problem]:
    """A purchase for a sale stays what was sold, so that one quantity is true for both."""
    for i, line in enumerate(document.lines):
        sold = next((facts.sold[s.from_line] for s in line.sources if s.kind == PROCURED and s.from_line in facts.sold), None)
        if sold is not None and ((line.item.id if line.item else None) != sold.item or line.unit != sold.unit):
            message = f"line {line.position} is for {sold.number} and must stay the item that was sold there, in {sold.unit}"
            yield _bad("differs", message, f"lines[{i}].item", "add another line for what is not for that sale")


def _bad(code: str, message: str, where: str, hint: str, severity: Severity = Severity.BLOCK) -> Problem:
    return Problem(code=f"dropship.{code}", message=message, where=where, hint=hint, severity=severity)


# ---- what is shown -----------------------------------------------------------------------------------------------------------------


def panels(document: Document, facts: DropshipFacts, settings: DropshipSettings) -> Iterator[Panel]:
    """On a sale who ships what, how much of it has gone, and when the rest will; on a purchase whom it is for; in the form what may be chosen."""
    if document.role == "purchase":
        whom = dict.fromkeys((sold.number, sold.party) for sold in facts.sold.values())
        if whom:
            yield Panel(title="Ships straight to", rows=tuple(whom), sequence=14)
        return
    rows = [
        (line.text, f"{o.vendor}, {o.number}: {plain(o.shipped)} of {plain(o.quantity)} {line.unit} shipped" + _promised(o))
        for line in document.lines
        for o in facts.ordered.get(line.id, ())
    ]
    if rows:
        yield Panel(title="Shipped by vendors", rows=tuple(rows), sequence=14)
    for line in document.lines if document.role == "sale" and document.phase == "draft" else ():
        if line.item is not None and line.item.stocked and not line.key and ("dropship" in line.data or _fitting(document, line, facts.rules)):
            yield _entries(document, line, facts, settings)


def _entries(document: Document, line: Line, facts: DropshipFacts, settings: DropshipSettings) -> Panel:
    """From where a line is shipped, and by whom."""
    said = line.data.get("dropship")
    own = said if isinstance(said, DropshipLine) else DropshipLine()
    by_rule = is_direct(document, msgspec.structs.replace(line, data={}), facts, settings)
    choices = [
        ("", f"As the rules say: {'by the vendor' if by_rule else 'from stock'}"),
        ("direct", "By the vendor, straight to the customer"),
        ("stock", "From stock"),
    ]
    vendor = vendor_of(document, line, facts)
    named = [Choice(value=str(id), label=name) for id, name in sorted(facts.vendors.items(), key=lambda v: v[1])]
    entries = [Entry(path=("ship",), label="Shipped", value=own.ship, choices=tuple(Choice(value=v, label=text) for v, text in choices), required=True)]
    if named:
        entries.append(
            Entry(path=("vendor",), label="Vendor", value=str(vendor or ""), choices=tuple(named), required=vendor is not None, proposed=own.vendor is None)
        )
    return Panel(title="Shipment", line=line.id, entries=tuple(entries), sequence=14)


def _promised(o: Ordered) -> str:
    return f", confirmed for {', '.join(d.isoformat() for d in o.dates)}" if o.dates and o.shipped < o.quantity else ""
