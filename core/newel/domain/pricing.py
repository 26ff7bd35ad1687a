"""Prices: one decision, any number of adjustments, and the waterfall that explains them (PRC-01, PRC-07, NEW-01)."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from newel.domain.money import HUNDRED, ZERO, product, rounded


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to decide_price.

    Args:
        amount: price of ONE of the line's unit in the document's currency; tax in or out as the document says.
        rule: what decided, such as the price list's code.
        reason: one sentence for people.
    """

    amount: Decimal
    rule: str
    reason: str = ""


class Adjustment(msgspec.Struct, frozen=True, kw_only=True):
    """A discount (negative) or surcharge (positive), of one line or of the document.

    Args:
        line: id of the line; None for the whole document, which the kernel allocates to the lines by their amounts before tax.
        percent: of the amount that earlier steps left; the kernel rounds the new amount once. Or
        amount: in the document's currency. Exactly one of the two.
        sequence: place among the adjustments of a stage; equal ones are ordered by plugin and rule.
    """

    rule: str
    reason: str = ""
    line: int | None = None
    percent: Decimal | None = None
    amount: Decimal | None = None
    sequence: int = 100
    plugin: str = ""


class PriceStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a line's waterfall. amount_out - amount_in is what it did; the steps add up to the net amount.

    stage: base, manual, line, document, copied or tax (the tax taken out of a price that includes it).
    """

    stage: str
    plugin: str
    rule: str
    amount_in: Decimal
    amount_out: Decimal
    reason: str = ""


def adjusted(amount: Decimal, adjustment: Adjustment, digits: int, mode: str) -> Decimal:
    """The amount after one adjustment, rounded once."""
    if adjustment.percent is not None:
        return rounded(product(amount, HUNDRED + adjustment.percent) / HUNDRED, digits, mode)
    return rounded(amount + (adjustment.amount or ZERO), digits, mode)


def steps_add_up(steps: tuple[PriceStep, ...], net: Decimal) -> bool:
    """Whether each step starts where the one before ended, and the last ends at the net amount."""
    at = ZERO
    for step in steps:
        if step.amount_in != at:
            return False
        at = step.amount_out
    return at == net or not steps
