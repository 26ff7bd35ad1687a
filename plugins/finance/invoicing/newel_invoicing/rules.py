"""What invoicing decides: pure functions over frozen values."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from newel.domain.document import Document
from newel.domain.money import ZERO, portion
from newel.errors import Problem, Severity

STATES = ("draft", "posted", "paid", "overdue", "cancelled")


def check(document: Document, transition: str) -> list[Problem]:
    """What is wrong with an invoice or credit note."""
    out: list[Problem] = []
    if document.date_due is not None and document.date_due < document.date:
        message = f"due on {document.date_due}, before its date {document.date}"
        out.append(Problem(code="invoicing.due", message=message, where="date_due", hint="enter a later day, or leave it to the terms"))
    if transition != "post":
        return out
    if all(line.kind == "text" for line in document.lines):
        out.append(Problem(code="invoicing.empty", message="there is nothing to bill", where="lines", hint="add a line with a price"))
    parents = {line.parent for line in document.lines}
    for i, line in enumerate(document.lines):
        partly = line.parent is not None or line.id in parents  # the price of parts may be in their line, and the other way round
        if line.kind != "text" and not line.steps and not line.net and line.price_entered is None and not line.price and not partly:
            message = f"{line.text or 'the line'} has no price"
            out.append(Problem(code="invoicing.price", message=message, where=f"lines[{i}].price", hint="enter a price, 0 for free"))
    if document.gross < 0:
        other = "a credit note" if document.kind == "invoicing.invoice" else "an invoice"
        message = f"the sum is {document.gross}"
        out.append(Problem(code="invoicing.negative", message=message, hint=f"make {other} of it"))
    elif document.gross == 0 and not out:
        message = "the sum is 0: nothing will be owed"
        out.append(Problem(code="invoicing.zero", message=message, severity=Severity.NOTE))
    return out


def state_of(state: str, date_due: date | None, today: date) -> str:
    """The state by which people filter: posted and late is overdue."""
    return "overdue" if state == "posted" and date_due is not None and date_due < today else state


def share(net: Decimal, part: Decimal, quantity: Decimal) -> Decimal:
    """What so much of a line is worth before tax, for reports."""
    return portion(net, part, quantity, ZERO, part == quantity, 4)
