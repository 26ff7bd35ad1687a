"""A line and its parts: the price of the one as shares of the others, for kits, configurations and whatever else has parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from newel.domain.document import Document, Line
from newel.domain.money import ZERO, allocate, product
from newel.domain.pricing import Adjustment

HAND_ON = -1_000_000  # before every other adjustment of its stage


def handed_on(document: Document, parts: Mapping[int, Sequence[int]], plugin: str, what: str) -> list[Adjustment]:
    """Hand the amount of lines on to their parts: the line is left with nothing, and the parts add up to it to the last unit.

    For the stage "document"; it goes before all others of that stage, so that they find the amounts where they are taxed, posted, delivered
    and billed. Weights are what the parts would cost alone.

    Args:
        parts: id of a line -> ids of the lines that share its amount.
        plugin: that asks; what it has handed on in the document before is not handed on again.
        what: the line is, for people ("kit").
    """
    by_id = {line.id: line for line in document.lines}
    out: list[Adjustment] = []
    for id, ids in parts.items():
        line, below = by_id[id], [by_id[x] for x in ids]
        if not line.steps or not below or _handed(line, plugin):
            continue
        taken = [x for x in below if _handed(x, plugin)]
        reason = f"share of the {what} {line.item.number if line.item else line.text}"
        if taken:  # the parts keep their amounts; what a new price of the line differs by stays on it
            shares = [(id, -sum((x.net for x in taken), ZERO))]
        else:
            amounts = allocate(line.net, [max(alone(x), ZERO) for x in below], document.amount_digits)
            shares = [(id, -line.net), *zip(ids, amounts, strict=True)]
        out += [Adjustment(rule="share", reason=reason, line=x, amount=amount, sequence=HAND_ON) for x, amount in shares]
    return out


def _handed(line: Line, plugin: str) -> bool:
    return any(s.plugin == plugin and s.stage == "document" and s.rule == "share" for s in line.steps)


def alone(line: Line) -> Decimal:
    """What a part would cost alone; where it has no list price, its cost says how much of the whole it is."""
    return product(line.item.price_home or line.item.price or line.item.cost, line.quantity_base) if line.item else ZERO
