"""What returns decide: pure functions over frozen values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Literal

import msgspec
from newel.domain.context import Company, Context
from newel.domain.document import Document, DocumentInput, Draft, Line, LineInput
from newel.domain.master import Master
from newel.domain.money import ZERO, plain
from newel.errors import Problem, Severity
from newel.manifest import Panel, Shown

RETURN = "returns.authorisation"
GOODS = RECEIPT, SHIPMENT = "returns.receipt", "returns.shipment"
SETTLEMENTS = (("repair", "Repair"), ("credit", "Credit note"), ("replacement", "Replacement"), ("none", "Nothing"))
LABELS = dict(SETTLEMENTS)


class ReturnsSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of returns.

    Args:
        place: code of the location for goods that stay the customer's, where the customer has none of its own; it has an owner.
        overdue: what it means that a customer whose return is authorised owes money that is overdue.
    """

    place: str = "CUSTOMERS"
    overdue: Literal["note", "override", "block"] = "note"


class ReturnsData(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a header of returns holds besides (RMA-01, RMA-03).

    Args:
        category: code of a category of returns.
        inbound, outbound: when the goods are to come, and to go back to the customer.
        decision: what the review found; a rejected return says why.
    """

    category: str = ""
    inbound: date | None = None
    outbound: date | None = None
    decision: str = ""


class Category(msgspec.Struct, frozen=True, kw_only=True):
    """What happens with a return. owned: the goods stay the customer's; advance: the replacement goes out before they come."""

    code: str
    name: str
    settlement: str
    owned: bool = False
    advance: bool = False
    location: int | None = None


BUILT_IN = (
    Category(code="REPAIR", name="Repair", settlement="repair", owned=True), Category(code="CREDIT", name="Credit", settlement="credit"),
    Category(code="REPLACE", name="Replacement", settlement="replacement"),
    Category(code="AHEAD", name="Replacement sent ahead", settlement="replacement", advance=True),
)  # fmt: skip
CATEGORIES = {c.code: c for c in BUILT_IN}


class ReturnsFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the rules know. overdue: what the customer owes too late; came, lots: by line of the return, what has come and which lot it names.

    places: (line of the return, location with an owner) -> how much of it lies there, in the item's unit.
    """

    categories: Mapping[str, Category] = msgspec.field(default_factory=lambda: CATEGORIES)
    places: Mapping[tuple[int, int], Decimal] = {}
    came: Mapping[int, Decimal] = {}
    lots: Mapping[int, int | None] = {}
    overdue: Decimal = ZERO


def header(document: Document) -> ReturnsData:
    """The document's data of returns; empty where it has none."""
    found = document.data.get("returns")
    return found if isinstance(found, ReturnsData) else ReturnsData()


def category(document: Document, facts: ReturnsFacts) -> Category:
    """The category of a document; one of nothing where it has none that is known."""
    code = header(document).category
    return facts.categories.get(code, Category(code=code, name=code, settlement="none"))


def origin(line: Line) -> int:
    """The line of the return that a line continues; 0 for none."""
    return next((s.from_line for s in line.sources if s.kind in ("received", "sent")), 0)


def target(document: Document, line: Line, facts: ReturnsFacts, master: Master, settings: ReturnsSettings) -> int | None:
    """Where a line goes: what is sent to the customer, what comes to the customer's own place or into the warehouse."""
    if document.kind != RECEIPT:
        return master.defaults.get((document.company, "customer"))
    chosen, found = line.location_to or document.location_to, category(document, facts)
    if chosen or found.location:
        return chosen or found.location
    if not found.owned:
        return master.defaults.get((document.company, "storage"))
    party = document.party.id if document.party else 0
    ours = [x for x in master.locations.values() if x.company == document.company and x.owner is not None]
    own = [x.id for x in ours if x.owner == party] or [x.id for x in ours if x.code == settings.place]
    return min(own, default=None)


def source(document: Document, line: Line, facts: ReturnsFacts, master: Master) -> int | None:
    """Where a line comes from: the customer, where the customer's goods lie, or the warehouse, depot or van that the line or header names."""
    if document.kind == RECEIPT:
        return master.defaults.get((document.company, "customer"))
    lying = [(-q, at) for (of, at), q in facts.places.items() if of == origin(line) and q > 0]
    if document.kind == SHIPMENT and lying and category(document, facts).owned:
        return min(lying)[1]
    return line.location_from or document.location_from or master.defaults.get((document.company, "storage"))


def check(document: Document, transition: str, facts: ReturnsFacts, master: Master, context: Context) -> Iterator[Problem]:
    """Everything that is wrong with a document of returns."""
    settings = context.setting("returns", ReturnsSettings)
    if document.kind == RETURN:
        yield from _check_return(document, transition, facts, settings, context.company)
    elif document.kind == RECEIPT and transition == "receive" and category(document, facts).owned:
        for i, line in enumerate(document.lines):
            at = master.locations.get(target(document, line, facts, master, settings) or 0)
            if line.item and line.item.stocked and (at is None or at.owner is None):
                message = f"{line.text} stays the customer's, and there is no place for it" if at is None else f"what lies in {at.code} is ours"
                hint = f"add a location of kind storage with the customer as its owner, or one for all customers with the code {settings.place}"
                yield Problem(code="returns.place", message=message, where=f"lines[{i}].location_to", hint=hint)
    elif document.kind == SHIPMENT and transition == "ship":
        yield from _check_shipment(document, facts)
    gone = any(stage.planned for line in document.lines for stage in line.stages.values())
    if gone and transition in ("cancel", "revise", "reverse"):
        yield Problem(code="returns.gone_on", message="a part of it has gone on already", hint="cancel or undo what was made from it first")


def _check_return(document: Document, transition: str, facts: ReturnsFacts, settings: ReturnsSettings, company: Company) -> Iterator[Problem]:
    data, found = header(document), category(document, facts)
    if (data.category or transition in ("submit", "authorise")) and data.category not in facts.categories:
        message = f"there is no category of returns {data.category!r:.30}" if data.category else "the category of the return is missing"
        yield Problem(code="returns.category", message=message, where="data.returns.category", hint=f"one of {', '.join(sorted(facts.categories))}")
    if data.inbound and data.outbound and data.outbound < data.inbound and not found.advance:
        message = f"it is to go back on {data.outbound}, before it comes on {data.inbound}"
        hint = "enter a later day, or a category that sends the replacement ahead"
        yield Problem(code="returns.dates", message=message, where="data.returns.outbound", hint=hint)
    if transition == "reject" and not data.decision:
        message = "a return that is rejected says why"
        yield Problem(code="returns.decision", message=message, where="data.returns.decision", hint="enter what the review found")
    if transition == "authorise" and facts.overdue > 0:
        message = f"the customer owes {plain(facts.overdue)} {company.currency} that is overdue"
        yield Problem(code="returns.overdue", message=message, where="party", severity=Severity(settings.overdue), hint="ask for the money first")


def _check_shipment(document: Document, facts: ReturnsFacts) -> Iterator[Problem]:
    found = category(document, facts)
    if found.settlement != "replacement":
        return  # what was repaired lies where it lies, or the stock is short
    going: dict[int, Decimal] = {}
    for i, line in enumerate(document.lines):
        of = origin(line)
        if not of:
            continue
        going[of] = going.get(of, ZERO) + line.quantity
        if line.lot is not None and line.lot == facts.lots.get(of):
            message = f"this lot or serial number of {line.text} is the one that comes back"
            yield Problem(code="returns.lot", message=message, where=f"lines[{i}].lot", hint="enter that of the replacement")
        if not found.advance and going[of] > facts.came.get(of, ZERO):
            message = f"{line.text} has not come back yet, and {found.code} sends the replacement afterwards"
            hint = "receive it first, or choose a category that sends the replacement ahead"
            yield Problem(code="returns.not_come", message=message, where=f"lines[{i}].quantity", hint=hint, severity=Severity.OVERRIDE)


def drafts(document: Document, transition: str, facts: ReturnsFacts) -> list[Draft]:
    """Both ways are scheduled when a return is authorised: a draft of the delivery that is to come, and of the one that is to go back (RMA-03)."""
    if document.kind != RETURN or transition != "authorise":
        return []
    data, found = header(document), category(document, facts)
    out = [Draft(follow="receive", input=DocumentInput(date_requested=data.inbound))]
    if found.settlement in ("repair", "replacement"):
        lines = [line for line in document.lines if line.kind == "item"]
        same = found.settlement == "repair"  # a replacement has a number of its own
        sent = DocumentInput(
            party=document.party.id if document.party else None, ship_to=document.ship_to.id if document.ship_to else None,
            date_requested=data.outbound, reference=document.reference or document.number, location_from=document.location_from,
            data={"returns": data},
            lines=tuple(
                LineInput(item=x.item.id if x.item else None, text=x.text, quantity=x.quantity, unit=x.unit, lot=x.lot if same else None, data=x.data)
                for x in lines
            ),
        )  # fmt: skip
        out.append(Draft(kind=SHIPMENT, input=sent, links=tuple((x.id, "sent", x.quantity) for x in lines)))
    return out


def panels(document: Document, facts: ReturnsFacts, company: Company) -> list[Panel]:
    """What is to happen with a return, and what the customer owes."""
    if document.kind != RETURN:
        return []
    data, found = header(document), category(document, facts)
    owed = Shown(value=facts.overdue, digits=company.amount_digits, unit=company.currency) if facts.overdue else ""
    rows: list[tuple[str, str | Shown]] = [
        ("Category", found.name), ("Settled by", LABELS[found.settlement]), ("Goods", "stay the customer's" if found.owned else "become ours"),
        ("To come", Shown(value=data.inbound) if data.inbound else ""), ("To go back", Shown(value=data.outbound) if data.outbound else ""),
        ("Customer owes, overdue", owed),
    ]  # fmt: skip
    return [Panel(title="Return", rows=tuple(r for r in rows if r[1]), sequence=20, shared=True)]
