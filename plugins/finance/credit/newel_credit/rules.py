"""What credit decides: pure functions over frozen values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date as day
from decimal import Decimal
from typing import Any, Literal

import msgspec
from newel.domain.context import Context, User
from newel.domain.credit import DELIVERED, INVOICED, ORDERED, REASONS, Exposure, Exposures, Figure, added
from newel.domain.document import Document
from newel.domain.kinds import FIRM_PHASES, Kinds
from newel.domain.money import ZERO, plain, rounded
from newel.errors import Problem, Severity
from newel.manifest import Panel, Shown

# Role of a document -> its setting, and the figures that count: at a delivery it matters what has left the house, at an invoice what is owed.
STAGES = {"sale": "order", "delivery": "delivery", "invoice": "invoice"}
COUNTED = {"order": (ORDERED, DELIVERED, INVOICED), "delivery": (DELIVERED, INVOICED), "invoice": (INVOICED,)}
Level = Literal["off", "note", "hold", "override", "block"]
SHOWN = ("sale", "delivery", "invoice", "request", "return", "payment")


class CreditSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an excess does at each stage. overdue_days: more days late are an excess as well, unless the customer's limit says otherwise."""

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


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How a customer stands, in the company's currency.

    no_rate: the limit's currency without a rate. days: how late it may be. worth: of a delivery. released: up to which this one may go.
    """

    limit: Decimal | None = None
    no_rate: str = ""
    days: int | None = None
    figures: tuple[Figure, ...] = ()
    worth: Decimal = ZERO
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


def this_amount(document: Document, standing: Standing, context: Context) -> Decimal:
    """What the document itself adds: of a sale, what has not been invoiced; of a delivery, what its goods were sold for."""
    total = standing.worth if document.role == "delivery" else added(document, standing.rate)
    return rounded(total, context.company.amount_digits, context.company.rounding)


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
    hint = ", or ".join(["take payment", *options(document.kind, context.user)])
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
    if not transition and document.phase in ("draft", "offered"):
        return Severity.HOLD if held else Severity.NOTE
    before, after = kinds.becomes(document.kind, document.state, transition)
    goes = (after == "open" and before != "open") if document.role == "sale" else before in ("draft", "offered") and after in FIRM_PHASES
    if not goes:
        return None
    own = [h for h in document.holds if h.code.startswith("credit.")]
    return Severity(level) if not held else Severity.BLOCK if not own or any(h.active for h in own) else None


def stops(document: Document, transition: str, kinds: Kinds, settings: CreditSettings) -> bool:
    """Whether an excess does something here that is kept: a mere note on what is saved is only for looking."""
    level = _level(document, transition, kinds, settings)
    return level is not None and (bool(transition) or level is not Severity.NOTE)


def options(kind: str, user: User) -> list[str]:
    """What this user may do about an excess; any of them together."""
    every = (
        (f"{kind}.release", "release this one"),
        ("credit.limit.edit", "set another limit"),
        ("newel.party.edit", "block the customer, for new orders or for everything"),
    )
    return [label for permission, label in every if user.may(permission)]


def panels(document: Document, standing: Standing | None, proposed: Exposures, context: Context) -> list[Panel]:
    """How the customer stands with this document, and (DOC-30) its service level, which informs and changes nothing."""
    if document.party is None or document.role not in SHOWN:
        return []
    rows, over = _rows(document, standing, proposed, context) if standing is not None else ([], False)
    blocked = {"orders": "new orders", "all": "everything"}.get(document.party.blocked, "")
    rows += [(label, text) for label, text in (("Blocked", blocked), ("Service level", str(document.party.service_level or ""))) if text]
    held = any(h.active and h.code.startswith("credit.") for h in document.holds)
    form = "decision" if document.version and document.role in STAGES and (over or held) else ""
    return [Panel(title="Credit limit", rows=tuple(rows), sequence=35, form=form)] if rows else []


def _rows(document: Document, standing: Standing, proposed: Exposures, context: Context) -> tuple[list[tuple[str, str | Shown]], bool]:
    """Figures, each with what it is made of; and whether it is too much."""
    parts, this, company = used(document, proposed.proposed), this_amount(document, standing, context), context.company
    before = sum((e.amount for e in parts), ZERO)
    adds = this if document.phase in ("draft", "offered") or document.role == "sale" else ZERO
    left = None if standing.limit is None else standing.limit - before - adds
    behind = f"/report/credit.figures?party={document.party.id if document.party else 0}" if context.user.may("credit.figures.view") else ""
    shown: list[tuple[str, Decimal | None, str]] = [
        ("Used", before, behind),
        *((e.stage.capitalize(), e.amount, behind if e.stage in REASONS else "") for e in parts if e.amount),
    ]
    shown += [("This document", adds, ""), ("Limit", standing.limit, ""), ("Left", left, ""), ("Overdue", standing.overdue or None, behind)]
    rows: list[tuple[str, str | Shown]] = [
        (label, Shown(value=amount, digits=company.amount_digits, unit=company.currency, url=url)) for label, amount, url in shown if amount is not None
    ]
    if standing.late > 0:
        rows.append(("Days late", str(standing.late)))
    over = (left is not None and left < 0) or (standing.days is not None and standing.late > standing.days)
    if over:
        rows.append(("You may", ", ".join(options(document.kind, context.user)) or "ask for a release"))
    return rows, over
