"""From documents of the domain to what the API says of them, and back."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import msgspec

from newel.domain.context import Context
from newel.domain.document import Document, DocumentInput, Hold, Line, LinkInput, ScheduleInput
from newel.domain.ledger import Entry
from newel.domain.money import plain, smallest
from newel.domain.party import Address
from newel.errors import Problem
from newel.services.access import sees_costs
from newel.services.outcome import Outcome
from newel.web import api_types as a

_HEADER = (
    "id", "kind", "role", "number", "state", "phase", "version", "currency", "date", "date_due", "date_requested", "terms", "reference", "text",
    "prices_include_tax", "location_from", "location_to", "account_role", "origin", "created_by", "created_at",
)  # fmt: skip
_LINE = (
    "id", "position", "kind", "parent", "text", "unit", "tax_category", "location_from", "location_to", "lot", "account_role", "settles",
)  # fmt: skip


class PostingOut(msgspec.Struct, frozen=True, kw_only=True):
    """One side of an entry, in the company's currency."""

    account: int
    role: str
    debit: Decimal
    credit: Decimal
    currency: str
    amount: Decimal
    party: int | None
    text: str


class EntryOut(msgspec.Struct, frozen=True, kw_only=True):
    """A journal entry that was made, or would be (number 0)."""

    number: int
    text: str
    reverses: int | None
    postings: list[PostingOut]


class MoveOut(msgspec.Struct, frozen=True, kw_only=True):
    """A stock move that was made, or would be. Quantity in the item's unit."""

    line: int
    item: int
    quantity: Decimal
    source: int
    target: int
    lot: int | None
    value: Decimal | None


class OutcomeOut(msgspec.Struct, frozen=True, kw_only=True):
    """What an action did, or would do.

    `made`: ids of further documents that plugins made. `replayed`: this key was used before, and nothing was done again.
    """

    document: a.DocumentOut
    problems: list[Problem]
    moves: list[MoveOut]
    entries: list[EntryOut]
    drafts: list[str]
    made: list[int]
    replayed: bool

    @property
    def version(self) -> int:
        """Of the document, for the ETag."""
        return self.document.version


# ---- in ----------------------------------------------------------------------------------------------------------------------------


def entered(body: a.DocumentBody | None) -> DocumentInput:
    """A body as the engine takes it."""
    if body is None:
        return DocumentInput()
    values = msgspec.to_builtins(body)
    values.pop("version", None)
    return msgspec.convert(values, DocumentInput)


def parts(bodies: Iterable[a.PartBody] | None) -> tuple[LinkInput, ...] | None:
    """Parts of a flow as the engine takes them."""
    return None if bodies is None else msgspec.convert(msgspec.to_builtins(tuple(bodies)), tuple[LinkInput, ...])


def deliveries(bodies: Iterable[a.LineSchedule]) -> dict[int, tuple[ScheduleInput, ...]]:
    """Scheduled deliveries by line, as the engine takes them."""
    return {b.line: msgspec.convert(msgspec.to_builtins(b.schedules), tuple[ScheduleInput, ...]) for b in bodies}


def as_body(entered: DocumentInput) -> a.DocumentBody:
    """What would have been sent to get a document: for clients that change one."""
    values = msgspec.to_builtins(entered)
    for line in values["lines"]:
        for name in ("quantity", "price", "discount"):
            line[name] = _text(line[name])
        for schedule in line["schedules"]:
            schedule["quantity"] = _text(schedule["quantity"])
    values["rate"] = _text(values["rate"])
    return msgspec.convert(values, a.DocumentBody)


def _text(number: str | None) -> str | None:
    return None if number is None else f"{plain(Decimal(number)):f}"


# ---- out ---------------------------------------------------------------------------------------------------------------------------


def document_out(document: Document, **actions: Any) -> a.DocumentOut:
    """A document. Amounts have the digits of its currency, other numbers those that they need."""
    digits = document.amount_digits
    return a.DocumentOut(
        **{name: getattr(document, name) for name in _HEADER},
        party=a.Named(id=document.party.id, number=document.party.number, name=document.party.name) if document.party else None,
        ship_to=_address(document.ship_to), bill_to=_address(document.bill_to), rate=plain(document.rate),
        net=amount(document.net, digits), tax=amount(document.tax, digits), gross=amount(document.gross, digits),
        lines=[_line(line, digits) for line in document.lines],
        taxes=[
            a.TaxOut(
                code=t.code, category=t.category, rate=plain(t.rate), base=amount(t.base, digits), amount=amount(t.amount, digits), reason=t.reason
            )
            for t in document.taxes
        ],
        holds=[_hold(h) for h in document.holds],
        data=_data(document.data),
        **actions,
    )  # fmt: skip


def amount(value: Decimal, digits: int) -> Decimal:
    """An amount with its currency's digits, or more where it has them."""
    short = plain(value)
    exponent = short.as_tuple().exponent
    return short if isinstance(exponent, int) and -exponent > digits else short.quantize(smallest(digits))


def _line(line: Line, digits: int) -> a.LineOut:
    return a.LineOut(
        **{name: getattr(line, name) for name in _LINE},
        proposed_by=line.key.partition(":")[0],
        item=a.Named(id=line.item.id, number=line.item.number, name=line.item.name) if line.item else None,
        quantity=plain(line.quantity), price_entered=None if line.price_entered is None else plain(line.price_entered),
        discount_entered=plain(line.discount_entered), price=plain(line.price),
        net=amount(line.net, digits), tax=amount(line.tax, digits), gross=amount(line.gross, digits),
        steps=[
            a.StepOut(
                stage=s.stage, plugin=s.plugin, rule=s.rule, amount_in=amount(s.amount_in, digits), amount_out=amount(s.amount_out, digits),
                reason=s.reason,
            )
            for s in line.steps
        ],
        schedules=[
            a.ScheduleOut(
                id=s.id, quantity=plain(s.quantity), date_requested=s.date_requested, date_confirmed=s.date_confirmed, release_code=s.release_code
            )
            for s in line.schedules
        ],
        sources=[a.LinkOut(kind=s.kind, document=s.from_document, line=s.from_line, quantity=plain(s.quantity)) for s in line.sources],
        stages={
            name: a.StageOut(planned=plain(s.planned), done=plain(s.done), open=plain(line.quantity - s.planned)) for name, s in line.stages.items()
        },
        data=_data(line.data),
    )  # fmt: skip


def _address(found: Address | None) -> a.AddressOut | None:
    return None if found is None else a.AddressOut(**{name: getattr(found, name) for name in a.AddressOut.__struct_fields__})


def _hold(h: Hold) -> a.HoldOut:
    return a.HoldOut(
        id=h.id, code=h.code, reason=h.reason, plugin=h.plugin, transitions=list(h.transitions), active=h.active, released_by=h.released_by,
        released_at=h.released_at,
    )  # fmt: skip


def _data(data: dict[str, Any]) -> dict[str, Any]:
    return {name: msgspec.to_builtins(value, str_keys=True) for name, value in data.items()}


def outcome_out(outcome: Outcome, context: Context) -> OutcomeOut:
    """An outcome with everything in it."""
    digits = context.company.amount_digits
    return OutcomeOut(
        document=document_out(outcome.document),
        problems=list(outcome.problems),
        moves=[
            MoveOut(
                line=m.line, item=m.item, quantity=plain(m.quantity), source=m.source, target=m.target, lot=m.lot,
                value=amount(m.value, digits) if sees_costs(context) else None,
            )
            for m in outcome.moves
        ],
        entries=[_entry(e, digits) for e in outcome.entries],
        drafts=[d.kind for d in outcome.drafts],
        made=list(outcome.made),
        replayed=outcome.replayed,
    )  # fmt: skip


def _entry(entry: Entry, digits: int) -> EntryOut:
    return EntryOut(
        number=entry.number, text=entry.text, reverses=entry.reverses,
        postings=[
            PostingOut(
                account=p.account, role=p.role, debit=amount(p.debit, digits), credit=amount(p.credit, digits), currency=p.currency,
                amount=amount(p.amount, digits), party=p.party, text=p.text,
            )
            for p in entry.postings
        ],
    )  # fmt: skip
