"""Documents: header, lines, scheduled deliveries, links, holds, and what a user enters to make them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec

from newel.domain.item import Item
from newel.domain.money import ONE, ZERO, plain, rounded
from newel.domain.party import Address, Party
from newel.domain.pricing import PriceStep
from newel.domain.quantity import in_base
from newel.domain.tax import Tax, TaxLine

Day = date  # inside a class that has a field named `date`, that name is the field


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """A scheduled delivery inside a line (DOC-08). Quantity in the line's unit."""

    id: int = 0
    quantity: Decimal
    date_requested: date | None = None
    date_confirmed: date | None = None
    release_code: str = ""


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """So much of one line went into another one. Quantity in the source line's unit.

    firm: the target document counts (it is open or done); until then the quantity is only planned.
    """

    id: int = 0
    kind: str
    from_line: int
    to_line: int = 0
    from_document: int
    to_document: int = 0
    quantity: Decimal
    firm: bool = False
    schedule: int | None = None


class Stage(msgspec.Struct, frozen=True):
    """How much of a line went the way of one kind of link: planned (all) and done (firm). In the line's unit."""

    planned: Decimal = ZERO
    done: Decimal = ZERO


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a document.

    Args:
        id: negative while nothing is stored.
        key: empty for what a user entered; "plugin:key" for a line that a plugin proposed.
        parent: id of the line that it is a part of. A line with children does not move.
        quantity: in `unit`; factor is base units per unit.
        price_entered: what the user typed for one unit, None to let the rules price it.
        discount_entered: percent that the user typed.
        price: unit price before adjustments, in the document's currency, tax in or out as the document says.
        net, tax, gross: amounts of the line; gross = net + tax.
        cost: standard cost of the whole quantity on the document's date, in the company's currency.
        account_role: role that the line posts to, empty for the default of item or document kind.
        settles: id of the open item that this line pays.
        copied_from: line whose stored price steps this line takes over instead of being priced by today's rules.
        stages: what went on from this line, by kind of link.
        sources: where this line comes from.
        data: plugin name -> that plugin's frozen struct. parts: see LineInput; only while it is saved.
    """

    id: int
    position: int = 0
    kind: str = "item"
    key: str = ""
    parent: int | None = None
    item: Item | None = None
    text: str = ""
    quantity: Decimal = ONE
    unit: str = ""
    factor: Decimal = ONE
    price_entered: Decimal | None = None
    discount_entered: Decimal = ZERO
    price: Decimal = ZERO
    net: Decimal = ZERO
    tax: Decimal = ZERO
    cost: Decimal = ZERO
    tax_category: str = ""
    taxes: tuple[Tax, ...] = ()
    steps: tuple[PriceStep, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    sources: tuple[Link, ...] = ()
    stages: dict[str, Stage] = {}
    location_from: int | None = None
    location_to: int | None = None
    lot: int | None = None
    account_role: str = ""
    settles: int | None = None
    copied_from: int | None = None
    data: dict[str, Any] = {}
    parts: dict[str, dict[str, Any]] | None = None

    @property
    def gross(self) -> Decimal:
        """net + tax."""
        return self.net + self.tax

    @property
    def quantity_base(self) -> Decimal:
        """The quantity in the item's own unit."""
        return in_base(self.quantity, self.factor)

    @property
    def discount(self) -> Decimal:
        """Percent that all steps after the price took off, whoever took it; needs the steps. Two digits: for people, not for sums."""
        steps = [s for s in self.steps if s.stage != "tax"]
        if len(steps) < 2 or not steps[0].amount_out:
            return self.discount_entered
        return plain(rounded((steps[0].amount_out - steps[-1].amount_out) * 100 / steps[0].amount_out, 2))

    def quantity_open(self, link: str) -> Decimal:
        """What has not gone on by this kind of link, not even as a plan."""
        stage = self.stages.get(link)
        return self.quantity - stage.planned if stage else self.quantity


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """A reason why named transitions wait; empty transitions mean all."""

    id: int = 0
    code: str
    reason: str
    plugin: str = "newel"
    transitions: tuple[str, ...] = ()
    released_by: str = ""
    released_at: datetime | None = None

    @property
    def active(self) -> bool:
        """True until somebody has released it."""
        return self.released_at is None


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A document as every rule sees it.

    Args:
        kind: name of its DocumentKind, such as "loyalty.voucher".
        role: sale, purchase, delivery, receipt, invoice, bill, payment, return, request, transfer or production.
        phase: draft, offered, open, done or cancelled; of its state. party: bill-to; ship_to and bill_to are addresses.
        rate: company currency for one unit of the document's currency.
        net, tax, gross: sums; gross = net + tax + rounding.
        version: goes up with every change (optimistic lock). origin: document that this one was made from.
        data: plugin name -> that plugin's frozen struct for the header.
    """

    id: int
    kind: str
    role: str
    state: str
    phase: str = "draft"
    number: str = ""
    company: int = 0
    party: Party | None = None
    ship_to: Address | None = None
    bill_to: Address | None = None
    currency: str = ""
    rate: Decimal = ONE
    amount_digits: int = 2
    date: date
    date_due: Day | None = None
    date_requested: Day | None = None
    terms: str = ""
    reference: str = ""
    text: str = ""
    prices_include_tax: bool = False
    location_from: int | None = None
    location_to: int | None = None
    account_role: str = ""
    origin: int | None = None
    lines: tuple[Line, ...] = ()
    taxes: tuple[TaxLine, ...] = ()
    holds: tuple[Hold, ...] = ()
    net: Decimal = ZERO
    tax: Decimal = ZERO
    gross: Decimal = ZERO
    version: int = 0
    created_by: str = ""
    created_at: datetime | None = None
    data: dict[str, Any] = {}

    def line(self, id: int) -> Line:
        """The line with this id; KeyError where there is none."""
        for line in self.lines:
            if line.id == id:
                return line
        raise KeyError(id)

    def children(self, id: int) -> tuple[Line, ...]:
        """The parts of a line."""
        return tuple(line for line in self.lines if line.parent == id)


# ---- what a user enters ------------------------------------------------------------------------------------------------------------


class ScheduleInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A scheduled delivery as entered."""

    quantity: Decimal
    date_requested: date | None = None
    date_confirmed: date | None = None
    release_code: str = ""


class LineInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line as entered: by screen, API, import, job or plugin.

    Args:
        id: of the stored line that this changes; 0 for a new one.
        item: id, or number as text.
        unit: empty for the item's own unit.
        price: manual unit price; None lets the rules price the line.
        discount: manual discount in percent.
        data: plugin name -> values of that plugin's line struct.
        parts: the same for lines that plugins propose below this one, by key ("kits:PUMP"); None keeps what is stored.
    """

    id: int = 0
    kind: str = ""
    item: int | str | None = None
    text: str = ""
    quantity: Decimal = ONE
    unit: str = ""
    price: Decimal | None = None
    discount: Decimal = ZERO
    tax_category: str = ""
    schedules: tuple[ScheduleInput, ...] = ()
    location_from: int | None = None
    location_to: int | None = None
    lot: int | str | None = None
    account_role: str = ""
    settles: int | None = None
    data: dict[str, Any] = {}
    parts: dict[str, dict[str, Any]] | None = None


class DocumentInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A document as entered. References take an id, or a number or code as text. Dates left out take the party's or today's."""

    party: int | str | None = None
    date: Day | None = None
    date_due: Day | None = None
    date_requested: Day | None = None
    ship_to: int | None = None
    bill_to: int | None = None
    currency: str = ""
    rate: Decimal | None = None
    terms: str = ""
    reference: str = ""
    text: str = ""
    prices_include_tax: bool | None = None
    location_from: int | None = None
    location_to: int | None = None
    account_role: str = ""
    lines: tuple[LineInput, ...] = ()
    data: dict[str, Any] = {}


class LinkInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """So much of a source line, for a flow. quantity None: all that is open."""

    line: int
    quantity: Decimal | None = None
    schedule: int | None = None
    lot: int | str | None = None
    location_from: int | None = None


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A document, or a record of its own, that a plugin proposes to make in the same transaction.

    Args:
        kind: of the new document; or follow: a flow of this document: the draft is what it makes of all that is open (an invoice on delivery).
        input: what would have been entered; for a flow, header values that differ.
        links: for each line of the input, in order, the (line id, link kind, quantity) that it continues, or None. then: transitions to carry out.
        record: instead, kind of a record of the proposing plugin, with its values; the record's check may still refuse all of it.
    """

    kind: str = ""
    follow: str = ""
    input: DocumentInput = DocumentInput()
    links: tuple[tuple[int, str, Decimal] | None, ...] = ()
    then: tuple[str, ...] = ()
    record: str = ""
    values: dict[str, Any] = {}
