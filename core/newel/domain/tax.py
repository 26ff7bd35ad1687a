"""Tax: what a line bears, and the sums of a document (EN 16931 categories and rounding; TAX-01)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec

from newel.domain.money import HUNDRED, ONE, ZERO, allocate, product, rounded

CATEGORY = {"standard": "S", "zero": "Z", "exempt": "E", "reverse_charge": "AE", "export": "G", "outside": "O"}


class Tax(msgspec.Struct, frozen=True, kw_only=True):
    """One tax that a line bears.

    Args:
        code: of the rate, such as "VAT20".
        category: EN 16931 (UNCL 5305) letter: S, Z, E, AE, G, O.
        rate: percent.
        role: account role that it posts to; empty for the document kind's own.
        reason: why nothing is due, for E, AE, G and O.
    """

    code: str
    category: str = "S"
    rate: Decimal = ZERO
    role: str = ""
    reason: str = ""


class TaxLine(msgspec.Struct, frozen=True, kw_only=True):
    """The sum of one tax over a document."""

    code: str
    category: str
    rate: Decimal
    base: Decimal
    amount: Decimal
    role: str = ""
    reason: str = ""


class Taxed(msgspec.Struct, frozen=True):
    """What taxing gave: net and tax of each line in order, and the sums by tax."""

    nets: tuple[Decimal, ...]
    taxes: tuple[Decimal, ...]
    lines: tuple[TaxLine, ...]


def taxed(amounts: Sequence[Decimal], taxes: Sequence[tuple[Tax, ...]], *, included: bool, digits: int, mode: str, method: str) -> Taxed:
    """Compute the tax of a document.

    Args:
        amounts: of the lines after all adjustments; with tax where `included`.
        taxes: of each line; several taxes of a line are all computed from its net amount.
        method: "document" rounds per document, category and rate (EN 16931 BR-CO-17) and allocates the result to the lines;
            "line" rounds on each line and adds up.

    Returns:
        Nets and taxes whose sums are exactly those of the tax lines and of the document.
    """
    groups: dict[tuple[Tax, ...], list[int]] = {}
    for i, line_taxes in enumerate(taxes):
        groups.setdefault(line_taxes, []).append(i)
    nets, line_tax = list(amounts), [ZERO] * len(amounts)
    sums: dict[Tax, list[Decimal]] = {}
    for group, members in groups.items():
        if not group:
            continue
        if method == "line":
            for i in members:
                nets[i], parts = _split(amounts[i], group, included, digits, mode)
                line_tax[i] = sum(parts, ZERO)
                for tax, part in zip(group, parts, strict=True):
                    _add(sums, tax, nets[i], part)
            continue
        total = sum((amounts[i] for i in members), ZERO)
        net, parts = _split(total, group, included, digits, mode)
        _spread(sum(parts, ZERO), included, [(i, amounts[i]) for i in members], digits, nets, line_tax)
        for tax, part in zip(group, parts, strict=True):
            _add(sums, tax, net, part)
    sums_by_tax = _merge(sums, digits, mode, method, included, nets, line_tax, groups)  # may still move a unit on a line
    return Taxed(tuple(nets), tuple(line_tax), sums_by_tax)


def _split(amount: Decimal, group: tuple[Tax, ...], included: bool, digits: int, mode: str) -> tuple[Decimal, list[Decimal]]:
    """Net amount and each tax of an amount."""
    if not included:
        return amount, [rounded(product(amount, t.rate) / HUNDRED, digits, mode) for t in group]
    rate = sum((t.rate for t in group), ZERO)
    net = rounded(amount / (ONE + rate / HUNDRED), digits, mode)
    return net, allocate(amount - net, [t.rate for t in group], digits)


def _spread(tax: Decimal, included: bool, members: list[tuple[int, Decimal]], digits: int, nets: list[Decimal], line_tax: list[Decimal]) -> None:
    """Give the lines of a group their shares of its tax. Lines of both signs (a charge and an allowance) are spread by sign."""
    plus = [(i, a) for i, a in members if a >= 0]
    minus = [(i, a) for i, a in members if a < 0]
    amount_plus = sum((a for _, a in plus), ZERO)
    amount_minus = sum((a for _, a in minus), ZERO)
    if minus and plus:
        whole = amount_plus + amount_minus
        tax_minus = rounded(product(tax, amount_minus) / whole, digits) if whole else ZERO
        shares = [(minus, tax_minus), (plus, tax - tax_minus)]
    else:
        shares = [(plus or minus, tax)]
    for part, part_tax in shares:
        for (i, amount), share in zip(part, allocate(part_tax, [a for _, a in part], digits), strict=True):
            line_tax[i] = share
            nets[i] = amount - share if included else amount


def _add(sums: dict[Tax, list[Decimal]], tax: Tax, base: Decimal, amount: Decimal) -> None:
    have = sums.setdefault(tax, [ZERO, ZERO])
    have[0] += base
    have[1] += amount


def _merge(
    sums: dict[Tax, list[Decimal]],
    digits: int,
    mode: str,
    method: str,
    included: bool,
    nets: list[Decimal],
    line_tax: list[Decimal],
    groups: Mapping[tuple[Tax, ...], Sequence[int]],
) -> tuple[TaxLine, ...]:
    """One tax line per tax. Where a tax stands in several groups, the document method rounds the joint base, not each group's."""
    shared = [t for t in sums if method == "document" and not included and sum(t in g for g in groups) > 1]
    for tax in shared:
        base, amount = sums[tax]
        exact = rounded(product(base, tax.rate) / HUNDRED, digits, mode)
        if exact != amount:
            members = [i for g, found in groups.items() if tax in g for i in found]
            largest = max(members, key=lambda i: (abs(nets[i]), -i))
            line_tax[largest] += exact - amount
            sums[tax][1] = exact
    return tuple(
        TaxLine(code=t.code, category=t.category, rate=t.rate, base=base, amount=amount, role=t.role, reason=t.reason)
        for t, (base, amount) in sorted(sums.items(), key=lambda pair: (pair[0].category, pair[0].code, pair[0].rate))
    )
