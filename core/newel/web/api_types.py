"""What documents look like in JSON: exact numbers are text, in both directions; every field that comes in has bounds."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import Meta

from newel.errors import Problem
from newel.web.operations import END, ID_MAX, Id, Name

LINES_MAX = 5000
# Text on one line, and longer text; neither has control characters that no one can type.
ONE_LINE = f"^[^\\u0000-\\u001f\\u007f]*{END}"
MANY_LINES = "^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f]*$"
Day: TypeAlias = date
_WHOLE = Annotated[int, Meta(ge=-(10**15), le=10**15)]
Number = Annotated[str, Meta(max_length=28, pattern="^-?[0-9]{1,15}([.][0-9]{1,10})?" + END, examples=["12.50"])] | _WHOLE
Version = Annotated[int, Meta(ge=1, le=ID_MAX)]
Code = Annotated[str, Meta(max_length=60, pattern=ONE_LINE)]
Reference = Id | Annotated[str, Meta(max_length=60, pattern=ONE_LINE)] | None
Extra = Annotated[dict[Annotated[str, Meta(max_length=60)], Any], Meta(max_length=50)]


class Input(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What comes in: an unknown field is an error, not a surprise."""


class ScheduleBody(Input, frozen=True, kw_only=True):
    """A scheduled delivery."""

    quantity: Number
    date_requested: Day | None = None
    date_confirmed: Day | None = None
    release_code: Annotated[str, Meta(max_length=30, pattern=ONE_LINE)] = ""


class LineBody(Input, frozen=True, kw_only=True):
    """A line as entered. `item` is an id, or the item's number or barcode; without a price the rules price the line.

    `id` is that of the stored line which this one changes, 0 for a new one.
    """

    id: Annotated[int, Meta(ge=0, le=ID_MAX)] = 0
    kind: Annotated[str, Meta(max_length=20, pattern=ONE_LINE)] = ""
    item: Reference = None
    text: Annotated[str, Meta(max_length=10_000, pattern=MANY_LINES)] = ""
    quantity: Number = "1"
    unit: Annotated[str, Meta(max_length=10, pattern=ONE_LINE)] = ""
    price: Number | None = None
    discount: Number = "0"
    tax_category: Annotated[str, Meta(max_length=20, pattern=ONE_LINE)] = ""
    schedules: Annotated[tuple[ScheduleBody, ...], Meta(max_length=500)] = ()
    location_from: Id | None = None
    location_to: Id | None = None
    lot: Reference = None
    account_role: Annotated[str, Meta(max_length=40, pattern=ONE_LINE)] = ""
    settles: Id | None = None
    data: Extra = {}
    parts: Annotated[dict[Annotated[str, Meta(max_length=300)], Extra], Meta(max_length=500)] | None = None


class DocumentBody(Input, frozen=True, kw_only=True):
    """A document as entered. `party` is an id or a number. What is left out comes from the party, the company or today."""

    party: Reference = None
    date: Day | None = None
    date_due: Day | None = None
    date_requested: Day | None = None
    ship_to: Id | None = None
    bill_to: Id | None = None
    currency: Annotated[str, Meta(max_length=3, pattern="^([A-Z]{3})?" + END)] = ""
    rate: Number | None = None
    terms: Annotated[str, Meta(max_length=20, pattern=ONE_LINE)] = ""
    reference: Annotated[str, Meta(max_length=80, pattern=ONE_LINE)] = ""
    text: Annotated[str, Meta(max_length=100_000, pattern=MANY_LINES)] = ""
    prices_include_tax: bool | None = None
    location_from: Id | None = None
    location_to: Id | None = None
    account_role: Annotated[str, Meta(max_length=40, pattern=ONE_LINE)] = ""
    lines: Annotated[tuple[LineBody, ...], Meta(max_length=LINES_MAX)] = ()
    data: Extra = {}


class DocumentChange(DocumentBody, frozen=True, kw_only=True):
    """A document as entered anew: lines that are left out go. `version` is the one that you have seen; or send If-Match."""

    version: Version | None = None


class TransitionBody(Input, frozen=True, kw_only=True):
    """`version`: the one that you have seen. `override`: codes of problems that you go on in spite of; it is recorded."""

    version: Version | None = None
    override: Annotated[tuple[Code, ...], Meta(max_length=50)] = ()


class PartBody(Input, frozen=True, kw_only=True):
    """So much of a line; without a quantity all that is open."""

    line: Id
    quantity: Number | None = None
    schedule: Id | None = None
    lot: Reference = None
    location_from: Id | None = None


class LineSchedule(Input, frozen=True, kw_only=True):
    """All scheduled deliveries of a line; none for one delivery of the whole."""

    line: Id
    schedules: Annotated[tuple[ScheduleBody, ...], Meta(max_length=500)]


class ScheduleChange(Input, frozen=True, kw_only=True):
    """Lines whose deliveries change; the others stay. `version` is the one that you have seen; or send If-Match."""

    version: Version | None = None
    lines: Annotated[tuple[LineSchedule, ...], Meta(min_length=1, max_length=LINES_MAX)]


class FlowBody(Input, frozen=True, kw_only=True):
    """Which lines go on (all that is open, where left out), values of the new document's header, and transitions to carry out at once."""

    lines: Annotated[tuple[PartBody, ...], Meta(max_length=LINES_MAX)] | None = None
    input: DocumentBody | None = None
    then: Annotated[tuple[Name, ...], Meta(max_length=10)] = ()
    also: Annotated[tuple[Id, ...], Meta(max_length=200)] = ()


# ---- out ---------------------------------------------------------------------------------------------------------------------------


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """A record that something refers to."""

    id: int
    number: str = ""
    name: str = ""


class AddressOut(msgspec.Struct, frozen=True, kw_only=True):
    """A postal address."""

    id: int
    name: str
    street: str
    postcode: str
    city: str
    region: str
    country: str


class StepOut(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a price; the steps of a line add up to its net amount."""

    stage: str
    plugin: str
    rule: str
    amount_in: Decimal
    amount_out: Decimal
    reason: str


class ScheduleOut(msgspec.Struct, frozen=True, kw_only=True):
    """A scheduled delivery."""

    id: int
    quantity: Decimal
    date_requested: Day | None
    date_confirmed: Day | None
    release_code: str


class LinkOut(msgspec.Struct, frozen=True, kw_only=True):
    """Where a line comes from."""

    kind: str
    document: int
    line: int
    quantity: Decimal


class StageOut(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a line has gone on: planned counts drafts too, open is what is left."""

    planned: Decimal
    done: Decimal
    open: Decimal


class LineOut(msgspec.Struct, frozen=True, kw_only=True):
    """A line."""

    id: int
    position: int
    kind: str
    parent: int | None
    proposed_by: str
    item: Named | None
    text: str
    quantity: Decimal
    unit: str
    price_entered: Decimal | None
    discount_entered: Decimal
    price: Decimal
    net: Decimal
    tax: Decimal
    gross: Decimal
    tax_category: str
    steps: list[StepOut]
    schedules: list[ScheduleOut]
    sources: list[LinkOut]
    stages: dict[str, StageOut]
    location_from: int | None
    location_to: int | None
    lot: int | None
    account_role: str
    settles: int | None
    data: dict[str, Any]


class TaxOut(msgspec.Struct, frozen=True, kw_only=True):
    """The sum of one tax."""

    code: str
    category: str
    rate: Decimal
    base: Decimal
    amount: Decimal
    reason: str


class HoldOut(msgspec.Struct, frozen=True, kw_only=True):
    """Why named transitions wait; all of them where none is named."""

    id: int
    code: str
    reason: str
    plugin: str
    transitions: list[str]
    active: bool
    released_by: str
    released_at: datetime | None


class ActionOut(msgspec.Struct, frozen=True, kw_only=True):
    """Something that may be done with a document now. problems: what stands in the way, where they were asked for."""

    name: str
    label: str
    target: str
    primary: bool
    problems: list[Problem] = []


class DocumentOut(msgspec.Struct, frozen=True, kw_only=True):
    """A document. transitions and flows are those that its state and your rights allow."""

    id: int
    kind: str
    role: str
    number: str
    state: str
    phase: str
    version: int
    party: Named | None
    ship_to: AddressOut | None
    bill_to: AddressOut | None
    currency: str
    rate: Decimal
    date: Day
    date_due: Day | None
    date_requested: Day | None
    terms: str
    reference: str
    text: str
    prices_include_tax: bool
    location_from: int | None
    location_to: int | None
    account_role: str
    origin: int | None
    net: Decimal
    tax: Decimal
    gross: Decimal
    lines: list[LineOut]
    taxes: list[TaxOut]
    holds: list[HoldOut]
    created_by: str
    created_at: datetime | None
    data: dict[str, Any]
    transitions: list[ActionOut] = []
    flows: list[ActionOut] = []
