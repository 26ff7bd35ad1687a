"""What sales decides: pure functions over frozen values."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

import msgspec
from newel.domain.document import Document
from newel.domain.money import HUNDRED, ZERO
from newel.errors import Problem, Severity
from newel.manifest import Panel

LEADING = {"send": "sent", "confirm": "confirmed"}


class Share(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A representative's part in a sale, in percent."""

    representative: str
    percent: Decimal


class SalesData(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a header of sales holds besides (DOC-11, DOC-12).

    Args:
        representatives: any number; their shares add up to 100.
        classes: codes of sales classes, any number.
        valid_until: of a quotation; None for its date plus the days in the settings.
    """

    representatives: tuple[Share, ...] = ()
    classes: tuple[str, ...] = ()
    valid_until: date | None = None


class SalesSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of sales. quotation_days: how long an offer holds that says nothing itself."""

    quotation_days: int = 30


class SalesFacts(msgspec.Struct, frozen=True):
    """Codes and names of representatives and sales classes."""

    representatives: dict[str, str] = {}
    classes: dict[str, str] = {}


def header(document: Document) -> SalesData:
    """The document's sales data; empty where it has none."""
    found = document.data.get("sales")
    return found if isinstance(found, SalesData) else SalesData()


def valid_until(document: Document, settings: SalesSettings) -> date:
    """The last day on which a quotation holds."""
    return header(document).valid_until or document.date + timedelta(days=settings.quotation_days)


def check(document: Document, transition: str, facts: SalesFacts | None, settings: SalesSettings, today: date) -> list[Problem]:
    """Everything that is wrong with a lead, quotation or order."""
    return [
        *_check_header(header(document), facts or SalesFacts()),
        *_check_party(document, transition),
        *_check_validity(document, transition, settings, today),
        *_check_progress(document, transition),
    ]


def _check_header(data: SalesData, facts: SalesFacts) -> Iterator[Problem]:
    names = [share.representative for share in data.representatives]
    for i, share in enumerate(data.representatives):
        where = f"data.sales.representatives[{i}]"
        if share.representative not in facts.representatives:
            message = f"there is no representative {share.representative!r:.40}"
            yield Problem(code="sales.representative", message=message, where=f"{where}.representative", hint="choose an existing one")
        elif share.representative in names[:i]:
            message = f"representative {share.representative} is named twice"
            yield Problem(code="sales.representative_twice", message=message, where=where, hint="add the two shares up")
        if not share.percent.is_finite() or not ZERO < share.percent <= HUNDRED:
            message = f"a share above 0 and up to 100 percent was expected, got {share.percent!s:.40}"
            yield Problem(code="sales.share", message=message, where=f"{where}.percent")
    total = sum((s.percent for s in data.representatives if s.percent.is_finite()), ZERO)
    if names and total != HUNDRED:
        message = f"the shares of the representatives add up to {total!s:.40}, 100 was expected"
        yield Problem(code="sales.shares", message=message, where="data.sales.representatives", hint="change the shares so that they add up to 100")
    for i, code in enumerate(data.classes):
        if code not in facts.classes:
            message = f"there is no sales class {code!r:.40}"
            yield Problem(code="sales.class", message=message, where=f"data.sales.classes[{i}]", hint="choose an existing class")


def _check_party(document: Document, transition: str) -> Iterator[Problem]:
    """The kernel refuses open orders of a blocked party; a quotation or a new document would come to nothing as well."""
    if document.role == "sale" and (transition == "send" or document.version == 0) and document.party is not None and document.party.blocked:
        what = "new sales" if document.party.blocked == "orders" else "everything"
        message = f"{document.party.name} is blocked for {what}"
        hint = "somebody with the right can lift the block on the customer's page"
        yield Problem(code="sales.blocked", message=message, where="party", hint=hint)


def _check_validity(document: Document, transition: str, settings: SalesSettings, today: date) -> Iterator[Problem]:
    if document.kind != "sales.quotation" or document.phase not in ("draft", "offered") or transition in ("expire", "reject", "revise"):
        return
    last = valid_until(document, settings)
    if last < document.date:
        message = f"a quotation of {document.date} can't be valid until {last}"
        yield Problem(code="sales.validity", message=message, where="data.sales.valid_until", hint="enter a later day")
    elif last < today:
        message = f"this quotation was valid until {last}"
        yield Problem(
            code="sales.expired",
            message=message,
            where="data.sales.valid_until",
            hint="extend it, or let it expire",
            severity=Severity.NOTE,
        )


def _check_progress(document: Document, transition: str) -> Iterator[Problem]:
    if transition in LEADING and document.lines and not any(line.kind != "text" for line in document.lines):
        message = f"a {'quotation' if transition == 'send' else 'sales order'} needs at least one line before it is {LEADING[transition]}"
        yield Problem(code="sales.empty", message=message, where="lines", hint="add what the customer wants")
    gone = any(stage.planned for line in document.lines for stage in line.stages.values())
    if document.kind == "sales.order" and transition in ("cancel", "revise") and gone:
        message = "a part of this order has gone on already"
        yield Problem(code="sales.gone_on", message=message, hint="cancel what was made from it first, or close the order short")


def progress(document: Document) -> list[tuple[str, Decimal, Decimal, Decimal]]:
    """For each kind of link: its name, the quantity of all lines, what is planned and what is done."""
    wholes = {line.parent for line in document.lines}
    lines = [line for line in document.lines if line.kind != "text" and line.id not in wholes]
    kinds = sorted({kind for line in lines for kind in line.stages})
    total = sum((line.quantity for line in lines), ZERO)
    return [
        (
            kind,
            total,
            sum((line.stages[kind].planned for line in lines if kind in line.stages), ZERO),
            sum((line.stages[kind].done for line in lines if kind in line.stages), ZERO),
        )
        for kind in kinds
    ]


def _part(total: Decimal, planned: Decimal, done: Decimal) -> str:
    return f"{done.normalize():f}/{total.normalize():f}" + (f" (+{(planned - done).normalize():f})" if planned > done else "")


def panels(document: Document, facts: SalesFacts | None, settings: SalesSettings) -> list[Panel]:
    """Progress, and who and when."""
    rows = [(kind.capitalize(), _part(total, planned, done)) for kind, total, planned, done in progress(document)]
    out = [Panel(title="Progress", rows=tuple(rows), sequence=10)] if rows else []
    names, data = (facts or SalesFacts()).representatives, header(document)
    about = [(names.get(s.representative, s.representative), f"{s.percent.normalize():f} %") for s in data.representatives]
    if document.kind == "sales.quotation":
        about.append(("Valid until", valid_until(document, settings).isoformat()))
    return [*out, Panel(title="Sales", rows=tuple(about), sequence=20)] if about else out
