"""What consignment decides: pure functions over frozen values. Consigned = delivered - used - returned, at every step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Literal

import msgspec
from newel.domain.context import Context
from newel.domain.credit import DELIVERED as NOT_INVOICED
from newel.domain.credit import ORDERED, Exposure, open_parts
from newel.domain.document import Document, Line
from newel.domain.master import Master
from newel.domain.money import ZERO, plain, rounded
from newel.domain.stock import Step, layers, left
from newel.errors import Problem
from newel.manifest import Panel, Shown

ORDERS = {"consignment.order": "consigned", "consignment.loan": "loaned"}  # kind of document -> kind of its lines and of the place of its goods
STATES = tuple(ORDERS.values())
ENDS = SETTLEMENT, RETURN = "consignment.settlement", "consignment.return"
DELIVERED, USED, RETURNED = "delivered", "used", "returned"


class ConsignmentSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of consignment. exposure: whether goods at a customer count against the credit limit at their price or at their cost."""

    exposure: Literal["price", "cost"] = "price"


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """A line of an order of the party: how far it went (by link), its gross amount in its currency, its cost in the company's."""

    quantity: Decimal
    done: Mapping[str, Decimal]
    is_open: bool = True
    gross: Decimal
    cost: Decimal = ZERO
    currency: str
    rate: Decimal


class ConsignmentFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to the order's lines, where their goods lie (base unit, by line, location and lot), and what the party has of ours."""

    steps: tuple[Step, ...] = ()
    places: Mapping[tuple[int, int, int | None], Decimal] = {}
    shares: tuple[Share, ...] = ()


def origin(line: Line) -> int:
    """The order's line that a line continues; 0 for none."""
    return line.sources[0].from_line if line.sources else 0


def consigned(line: Line) -> Decimal:
    """What of an order's line is in the customer's hands and ours, in the line's unit."""
    done = {link: stage.done for link, stage in line.stages.items()}
    return done.get(DELIVERED, ZERO) - done.get(USED, ZERO) - done.get(RETURNED, ZERO)


def place(document: Document, line: Line, master: Master) -> int | None:
    """Where consigned goods go: the place that line or header names, else the customer's own, else the company's first of that kind."""
    for chosen in (line.location_to, document.location_to):
        if chosen in master.locations and master.locations[chosen].kind == line.kind:
            return chosen
    party = document.party.id if document.party else 0
    own = [x.id for x in master.locations.values() if (x.kind, x.company, x.party) == (line.kind, document.company, party)]
    return min(own, default=master.defaults.get((document.company, line.kind)))


def source(document: Document, line: Line, facts: ConsignmentFacts | None, master: Master) -> int | None:
    """Where the goods of a settlement or return are: where most of what was delivered of the order's line lies."""
    if line.location_from in master.locations and master.locations[line.location_from].kind in STATES:
        return line.location_from
    found = (facts or ConsignmentFacts()).places
    lying = [(q, -at, at) for (of, at, lot), q in found.items() if of == origin(line) and (line.lot is None or lot == line.lot) and q > 0]
    return max(lying)[2] if lying else master.defaults.get((document.company, "consigned"))


def target(document: Document, line: Line, master: Master) -> int | None:
    """Where they go: to the customer, or back to the warehouse that they came from unless another one is named."""
    if document.kind == SETTLEMENT:
        return master.defaults.get((document.company, "customer"))
    for chosen in (line.location_to, document.location_to, document.location_from):
        if chosen in master.locations and master.locations[chosen].kind not in STATES:
            return chosen
    return master.defaults.get((document.company, "storage"))


def check(document: Document, transition: str, facts: ConsignmentFacts | None, master: Master) -> Iterator[Problem]:
    """Everything that is wrong with a document that has to do with goods on consignment or loan."""
    if document.kind in ORDERS:
        return _check_order(document, transition, master)
    return (_check_end if document.kind in ENDS else _check_other)(document, transition, facts or ConsignmentFacts())


def _check_order(document: Document, transition: str, master: Master) -> Iterator[Problem]:
    kind = ORDERS[document.kind]
    at, party = master.locations.get(document.location_to or 0), document.party.id if document.party else None
    if at is not None and (at.kind != kind or at.party not in (None, party)):
        message = f"{at.code} is no place for {kind} goods of this customer"
        yield Problem(code="consignment.place", message=message, where="location_to", hint=f"choose a location of the kind {kind}, or leave it empty")
    gone = any(stage.planned for line in document.lines for stage in line.stages.values())
    if transition in ("cancel", "revise") and gone:
        yield Problem(code="consignment.gone_on", message="a part of it has gone on already", hint="undo what was made from it, or settle and close it")
    there = sum((consigned(line) for line in document.lines), ZERO)
    if transition == "close" and there:
        message = f"{plain(there)} are still at the customer and ours"
        yield Problem(code="consignment.still_there", message=message, hint="settle what was used and take back the rest first")


def _check_end(document: Document, transition: str, facts: ConsignmentFacts) -> Iterator[Problem]:
    wanted: dict[int, Decimal] = {}
    for i, line in enumerate(document.lines):
        if line.kind == "text":
            continue
        if not (of := origin(line)):
            yield Problem(code="consignment.order", message=f"{line.text} is of no order", where=f"lines[{i}]", hint="make it from the order")
            continue
        wanted[of] = wanted.get(of, ZERO) + line.quantity
        there = left(facts.steps, DELIVERED, of, document.id)
        if transition != "cancel" and wanted[of] > there:
            message = f"{plain(there)} {line.unit} of {line.text} are at the customer and ours, got {plain(wanted[of])}"
            yield Problem(code="consignment.exceeded", message=message, where=f"lines[{i}].quantity", hint="enter at most what is there")
        tracked = line.item is not None and line.item.tracking != "none"
        lying = sum((q for (line_id, _, lot), q in facts.places.items() if line_id == of and lot == line.lot), ZERO)
        if transition == "post" and tracked and (line.lot is None or lying < line.quantity_base):
            message = f"this lot or serial number of {line.text} was not delivered to this customer" if line.lot else f"{line.text} is tracked"
            yield Problem(code="consignment.lot", message=message, where=f"lines[{i}].lot", hint="enter the lot or serial number that the customer has")
    if transition == "reverse" and any(stage.planned for line in document.lines for stage in line.stages.values()):
        yield Problem(code="consignment.gone_on", message="it has gone on already", hint="cancel what was made from it first, or make a credit note")


def _check_other(document: Document, transition: str, facts: ConsignmentFacts) -> Iterator[Problem]:
    """Goods that are ours can be delivered, and nothing else: no invoice and no return before they are settled."""
    for i, line in enumerate(document.lines):
        if line.kind not in STATES:
            continue
        if document.role != "delivery":
            message = f"{line.text} is only {line.kind}: it is ours until it is settled"
            hint = "settle what the customer used from the order, or take it back from there"
            yield Problem(code="consignment.not_settled", message=message, where=f"lines[{i}]", hint=hint)
        elif not line.sources:
            yield Problem(code="consignment.order", message=f"{line.text} is of no order", where=f"lines[{i}]", hint="make it from the order")
        elif transition == "reverse" and left(facts.steps, DELIVERED, origin(line)) < line.quantity:
            message = f"a part of {line.text} has been used or brought back"
            yield Problem(code="consignment.gone_on", message=message, where=f"lines[{i}]", hint="undo the settlement first")


def panels(document: Document, facts: ConsignmentFacts | None) -> Iterator[Panel]:
    """On the order what was delivered, is there, was used and came back; on a delivery what is left of it, which leads to the order."""
    if document.kind in ORDERS:
        rows: list[tuple[str, str | Shown]] = [(line.text, _stages(line, ORDERS[document.kind])) for line in document.lines if line.kind in STATES]
    else:
        steps = facts.steps if facts else ()
        rest = {step.to_line: q for of in {s.line for s in steps} for step, q in layers((s for s in steps if s.line == of), DELIVERED)}
        ours = [(x, f"{plain(rest.get(x.id, ZERO))} of {plain(x.quantity)} {x.kind}") for x in document.lines if x.kind in STATES]
        rows = [(x.text, Shown(value=text, url=f"/document/{x.sources[0].from_document}" if x.sources else "")) for x, text in ours]
    if rows:
        yield Panel(title="Still ours", rows=tuple(rows), sequence=15)


def _stages(line: Line, state: str) -> str:
    done = [(link, line.stages[link].done) for link in (DELIVERED, USED, RETURNED) if link in line.stages]
    return ", ".join([f"{plain(consigned(line))} of {plain(line.quantity)} {state}", *(f"{plain(q)} {link}" for link, q in done if q)])


def exposures(facts: ConsignmentFacts | None, at: str, master: Master, context: Context) -> list[Exposure]:
    """Goods at the customer by themselves, at price or cost. The kernel takes what is delivered for owed: that is put right."""
    if not facts or not facts.shares:
        return []
    sums = {"consigned": ZERO, ORDERED: ZERO, NOT_INVOICED: ZERO}
    for s in facts.shares:
        delivered, used, returned, invoiced = (s.done.get(link, ZERO) for link in (DELIVERED, USED, RETURNED, "invoiced"))
        price = s.gross * (master.rate(context.company, s.currency, context.today) or s.rate) / s.quantity
        ordered, owed = open_parts(s.quantity, delivered + used, invoiced, s.is_open)  # a settlement is a delivery to the kernel
        sums["consigned"] += (delivered - used - returned) * (price if at == "price" else s.cost / s.quantity)
        sums[ORDERED] += price * ((s.quantity - delivered if s.is_open else ZERO) - ordered)
        sums[NOT_INVOICED] += price * (used - invoiced - owed)
    reasons = {"consigned": f"goods at the customer that are ours, at {at}"}
    found = {stage: rounded(amount, context.company.amount_digits, context.company.rounding) for stage, amount in sums.items()}
    return [Exposure(stage=k, amount=v, reason=reasons.get(k, "without what is on consignment or loan")) for k, v in found.items() if v]
