"""What receivables decides: pure functions over frozen values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal

import msgspec
from newel.domain.context import Company
from newel.domain.document import Document, Line
from newel.domain.ledger import OpenItem
from newel.domain.money import ZERO, rounded
from newel.errors import Problem, Severity
from newel.manifest import Panel

REFUND = "receivables.refund"
WRITE_OFF = "write_off"
Items = Mapping[int, OpenItem]
BUCKETS = ((30, "days_30"), (60, "days_60"), (90, "days_90"))


class PaymentData(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the header of a payment holds besides. means: code of the means of payment."""

    means: str = ""


class ReceivablesSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings. write_off_limit: a smaller rest of an item is written off, in the payment's currency; 0 for never."""

    write_off_limit: Decimal = Decimal("1.00")


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """Account roles of means of payment by code; for sales, what the party owes in the company's currency."""

    means: Mapping[str, str] = {}
    owed: Decimal = ZERO
    overdue: Decimal = ZERO


class PaymentLine(msgspec.Struct, frozen=True, kw_only=True):
    """A proposed line. settles None with a role is a write-off, without one a credit of the customer."""

    amount: Decimal
    settles: int | None = None
    account_role: str = ""


def propose_settlement(items: Iterable[OpenItem], amount: Decimal, limit: Decimal = ZERO) -> tuple[PaymentLine, ...]:
    """Lines that settle open items with an amount, oldest due first; their sum is the amount.

    Credits of the customer are used after the money, oldest first, and only as far as they are needed. A rest of an item that
    is not above the limit is written off where money for it came at all. What is left is kept as a credit of the customer.
    """
    ordered = sorted(items, key=lambda i: (i.date_due, i.date, i.id))
    debts = [i for i in ordered if i.amount_open > 0]
    owed = [i for i in ordered if i.amount_open < 0]
    left, spare = amount, -sum((i.amount_open for i in owed), ZERO)
    lines, needed, written = [], ZERO, ZERO
    for item in debts:
        paid = min(left + spare, item.amount_open)
        if paid <= 0:
            break
        rest = item.amount_open - paid
        if rest > limit:
            rest = ZERO
        lines.append(PaymentLine(settles=item.id, amount=paid + rest))
        cash = min(left, paid)
        left, spare = left - cash, spare - (paid - cash)
        needed, written = needed + paid - cash, written + rest
    for item in owed:
        used = min(needed, -item.amount_open)
        if used > 0:
            needed -= used
            lines.append(PaymentLine(settles=item.id, amount=-used))
    if written:
        lines.append(PaymentLine(amount=-written, account_role=WRITE_OFF))
    if left > 0:
        lines.append(PaymentLine(amount=left))
    return tuple(lines)


def _bad(code: str, message: str, where: str, hint: str, severity: Severity = Severity.BLOCK) -> Problem:
    return Problem(code=f"receivables.{code}", message=message, where=where, hint=hint, severity=severity)


def check(document: Document, transition: str, items: Items, facts: Claims, settings: ReceivablesSettings) -> list[Problem]:
    """Everything that is wrong with a payment or refund."""
    settled: dict[int, Decimal] = {}
    out: list[Problem] = []
    if transition not in ("cancel", "reverse"):
        for i, line in enumerate(document.lines):
            out += _check_line(document, line, f"lines[{i}]", items, settled)
        out += _check_means(document, facts)
    if transition == "post":
        out += _check_sum(document, settings)
    return out


def _check_line(document: Document, line: Line, where: str, items: Items, settled: dict[int, Decimal]) -> Iterator[Problem]:
    if not line.net:
        yield _bad("amount", "the line has no amount", f"{where}.price", "enter the amount as the price of the line")
    if line.settles is None:
        return
    item = items.get(line.settles)
    if item is None:
        yield _bad("item", f"there is no open item {line.settles}", f"{where}.settles", "choose an open item of the customer")
        return
    if document.party is None or item.party != document.party.id:
        yield _bad("party", "the open item belongs to another party", f"{where}.settles", "choose an open item of the customer")
    if item.currency != document.currency:
        message = f"the open item is in {item.currency}, the payment in {document.currency}"
        yield _bad("currency", message, f"{where}.settles", f"make a payment in {item.currency}")
    side = -1 if document.kind == REFUND else 1
    settled[item.id] = settled.get(item.id, ZERO) + line.net
    if not min(ZERO, side * item.amount_open) <= settled[item.id] <= max(ZERO, side * item.amount_open):
        hint = "enter at most what is open, with its sign; more goes on a line without open item and becomes the customer's credit"
        yield _bad("more", f"{side * item.amount_open} {item.currency} is open, got {settled[item.id]}", f"{where}.price", hint)


def _check_means(document: Document, facts: Claims) -> Iterator[Problem]:
    data = document.data.get("receivables")
    if not isinstance(data, PaymentData) or not data.means:
        return
    if data.means not in facts.means:
        yield _bad("means", f"there is no means of payment {data.means!r:.40}", "data.receivables.means", "choose an existing one")
    elif (document.account_role or "bank") != facts.means[data.means]:
        message = f"{data.means} posts to the role {facts.means[data.means]}, the payment to {document.account_role or 'bank'}"
        yield _bad("role", message, "account_role", f"set the account role to {facts.means[data.means]}")


def _check_sum(document: Document, settings: ReceivablesSettings) -> Iterator[Problem]:
    if document.gross < 0:
        other = "payment" if document.kind == REFUND else "refund"
        yield _bad("negative", f"the sum is {document.gross}", "lines", f"make a {other} of it")
    written = -sum((line.net for line in document.lines if line.account_role == WRITE_OFF), ZERO)
    if abs(written) > settings.write_off_limit:
        message = f"{written} {document.currency} is written off, up to {settings.write_off_limit} is usual"
        yield _bad("write_off", message, "lines", "somebody with the right may go on", Severity.OVERRIDE)


def panels(document: Document, facts: Claims | None, company: Company) -> list[Panel]:
    """What the customer of a sale owes."""
    if document.role != "sale" or facts is None or not facts.owed:
        return []
    shown = (("Owes", facts.owed), ("Overdue", facts.overdue))
    rows = [(label, f"{rounded(amount, company.amount_digits):f} {company.currency}") for label, amount in shown if amount]
    return [Panel(title="Receivables", rows=tuple(rows), sequence=40)]


def bucket(date_due: date, today: date) -> str:
    """Which column of the ageing an item stands in."""
    late = (today - date_due).days
    return "not_due" if late < 0 else next((name for days, name in BUCKETS if late <= days), "older")
