"""What credit decides: pure functions over frozen values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date as day
from decimal import Decimal
from typing import Any, Literal

import msgspec
from newel.domain.context import Context, User
from newel.domain.credit import Exposure, Exposures
from newel.domain.document import Document
from newel.domain.kinds import FIRM_PHASES, Kinds
from newel.domain.money import ZERO, plain, product, rounded
from newel.errors import Problem, Severity
from newel.manifest import Panel

ORDERED, DELIVERED, INVOICED = "open orders", "delivered, not invoiced", "open items"
REASONS = {ORDERED: "confirmed, not delivered", DELIVERED: "delivered, not invoiced", INVOICED: "invoiced, not paid"}
# Role of a document -> its setting, and the figures that count: at a delivery it matters what has left the house, at an invoice what is owed.
STAGES = {"sale": "order", "delivery": "delivery", "invoice": "invoice"}
COUNTED = {"order": (ORDERED, DELIVERED, INVOICED), "delivery": (DELIVERED, INVOICED), "invoice": (INVOICED,)}
Level = Literal["off", "note", "hold", "override", "block"]
SHOWN = ("sale", "delivery", "invoice", "request", "return", "payment")


class CreditSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings. order, delivery, invoice: what an excess does at each stage: off, note (warn), hold, override or block.

    Args:
        overdue_days: more than so many days late is an excess as well; None for never. A customer's own limit may say otherwise.
    """

    order: Level = "override"
    delivery: Level = "note"
    invoice: Level = "note"
    overdue_days: int | None = None


class Limit(msgspec.Struct, frozen=True):
    """A customer's own limit in one company."""

    id: int
    amount: Decimal
    currency: str
    overdue_days: int | None


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """What one document puts at risk, in its currency and (at today's rate) in the company's."""

    stage: str
    document: int
    number: str
    date: day
    currency: str
    amount: Decimal
    home: Decimal
    due: day | None = None


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How a customer stands, in the company's currency.

    no_rate: the limit's currency without a rate. days: how late it may be. worth: of a delivery's lines. released: up to which this one may go.
    """

    limit: Decimal | None = None
    no_rate: str = ""
    days: int | None = None
    figures: tuple[Figure, ...] = ()
    worth: Mapping[int, Decimal] = {}
    released: Decimal | None = None
    rate: Decimal = Decimal(1)
    today: day = day.min

    @property
    def overdue(self) -> Decimal:
        """What should have been paid before today."""
        return sum((f.home for f in self.figures if f.due and f.due < self.today and f.home > 0), ZERO)

    @property
    def late(self) -> int:
        """How many days the oldest of it is late."""
        return max(((self.today - f.due).days for f in self.figures if f.due and f.home > 0), default=0)


def check_limit(values: Mapping[str, Any]) -> list[Problem]:
    """A limit and its days are not below zero."""
    low = [name for name in ("amount", "overdue_days") if (values.get(name) or 0) < 0]
    return [Problem(code="credit.negative", message=f"0 or more was expected, got {values[name]}", where=name) for name in low]


def check_decision(_values: Mapping[str, Any]) -> list[Problem]:
    """Decisions come from the use case, which checks the rights; nobody writes one by hand."""
    return [Problem(code="credit.by_hand", message="a decision is made on the document", hint="open the document that waits")]


def exposures(standing: Standing) -> list[Exposure]:
    """The standing as figures by stage."""
    sums = {stage: sum((f.home for f in standing.figures if f.stage == stage), ZERO) for stage in REASONS}
    return [Exposure(stage=stage, amount=amount, reason=REASONS[stage]) for stage, amount in sums.items() if amount]


def open_parts(quantity: Decimal, delivered: Decimal, invoiced: Decimal, is_open: bool) -> tuple[Decimal, Decimal]:
    """Of a line of a sale: what is neither delivered nor invoiced, and what is delivered and not invoiced. The rest is an open item."""
    return max(quantity - max(delivered, invoiced), ZERO) if is_open else ZERO, max(min(delivered, quantity) - invoiced, ZERO)


def this_amount(document: Document, standing: Standing, context: Context) -> Decimal:
    """What the document itself adds: of a sale, what has not been invoiced; of a delivery, what its goods were sold for."""
    company = context.company
    if document.role == "delivery":
        total = sum((standing.worth.get(line.id, ZERO) for line in document.lines), ZERO)
    elif document.role == "sale" and any(line.stages for line in document.lines):
        done = {line.id: min(line.stages["invoiced"].done, line.quantity) if "invoiced" in line.stages else ZERO for line in document.lines}
        total = sum((product(x.gross, x.quantity - done[x.id]) / x.quantity for x in document.lines if x.quantity), ZERO)
        total = product(total, standing.rate)
    else:
        total = product(document.gross, standing.rate)
    return rounded(total, company.amount_digits, company.rounding)


def used(document: Document, found: Iterable[Exposure]) -> list[Exposure]:
    """The figures that count at the document's stage; those of other plugins always count."""
    counted = COUNTED.get(STAGES.get(document.role, ""), ())
    return [e for e in found if e.stage in counted or e.stage not in REASONS]


def check(
    document: Document, transition: str, kinds: Kinds, standing: Standing, proposed: Exposures, settings: CreditSettings, context: Context
) -> list[Problem]:
    """What stands in the way of a sale, delivery or invoice; nothing at other transitions."""
    level = _level(document, transition, kinds, settings)
    this = this_amount(document, standing, context)
    if level is None or (standing.released is not None and this <= standing.released):
        return []
    found = []
    if standing.no_rate:
        found.append(("credit.rate", f"the limit is in {standing.no_rate}, and today's rate is not known"))
    parts = used(document, proposed.proposed)
    before = sum((e.amount for e in parts), ZERO)
    if standing.limit is not None and this > 0 and before + this > standing.limit:
        why = ", ".join(f"{e.stage} {plain(e.amount)}" for e in parts if e.amount)
        text = f"limit {plain(standing.limit)}, this document {plain(this)}, already {plain(before)}" + (f" ({why})" if why else "")
        found.append(("credit.limit", f"{text} {context.company.currency}"))
    if standing.days is not None and standing.late > standing.days:
        found.append(("credit.overdue", f"{plain(standing.overdue)} is up to {standing.late} days late, {standing.days} are allowed"))
    hint = ", or ".join(["take payment", *(label for _, label in options(document.kind, context.user))])
    return [Problem(code=code, message=message, where="party", hint=hint, severity=level) for code, message in found]


def _level(document: Document, transition: str, kinds: Kinds, settings: CreditSettings) -> Severity | None:
    """How much an excess stops here; None where nothing is checked.

    A sale that is to be held goes on and its next steps wait; goods and invoices can't be held once they are out, so their drafts are.
    """
    stage, kind = STAGES.get(document.role, ""), kinds.documents.get(document.kind)
    level: str = getattr(settings, stage, "off")
    if level == "off" or (kind is not None and kind.sign < 0):
        return None
    held = level == "hold" and document.role != "sale"
    if not transition:
        early = document.phase in ("draft", "offered")
        return (Severity.HOLD if held else Severity.NOTE) if early else None
    before, after = kinds.becomes(document.kind, document.state, transition)
    goes = (after == "open" and before != "open") if document.role == "sale" else before in ("draft", "offered") and after in FIRM_PHASES
    if not goes:
        return None
    own = [h for h in document.holds if h.code.startswith("credit.")]
    if held:
        return Severity.BLOCK if not own or any(h.active for h in own) else None
    return Severity(level)


def options(kind: str, user: User) -> list[tuple[str, str]]:
    """What this user may do about an excess; any of them together."""
    found = (
        (f"{kind}.release", "release", "release this one"),
        ("credit.limit.edit", "limit", "set another limit"),
        ("newel.party.edit", "block", "block the customer, for new orders or for everything"),
    )
    return [(name, label) for permission, name, label in found if user.may(permission)]


def panels(document: Document, standing: Standing | None, proposed: Exposures, context: Context) -> list[Panel]:
    """How the customer stands with this document, and (DOC-30) its service level, which informs and changes nothing."""
    if document.party is None or document.role not in SHOWN:
        return []
    rows = _rows(document, standing, proposed, context) if standing is not None else []
    blocked = {"orders": "new orders", "all": "everything"}.get(document.party.blocked, "")
    rows += [(label, text) for label, text in (("Blocked", blocked), ("Service level", str(document.party.service_level or ""))) if text]
    return [Panel(title="Credit", rows=tuple(rows), sequence=35)] if rows else []


def _rows(document: Document, standing: Standing, proposed: Exposures, context: Context) -> list[tuple[str, str]]:
    parts, this = used(document, proposed.proposed), this_amount(document, standing, context)
    before = sum((e.amount for e in parts), ZERO)
    adds = this if document.phase in ("draft", "offered") or document.role == "sale" else ZERO
    left = None if standing.limit is None else standing.limit - before - adds
    shown = [("Used", before), *((e.stage.capitalize(), e.amount) for e in parts if e.amount), ("This document", adds), ("Limit", standing.limit)]
    shown += [("Left", left), ("Overdue", standing.overdue or None)]
    rows = [(label, f"{rounded(amount, context.company.amount_digits):f} {context.company.currency}") for label, amount in shown if amount is not None]
    if standing.late > 0:
        rows.append(("Days late", str(standing.late)))
    if left is not None and left < 0:
        rows.append(("You may", ", ".join(label for _, label in options(document.kind, context.user)) or "ask for a release"))
    return rows
