"""What promotions decide: which of them fit, which of those are given, and how much they take off. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cached_property
from itertools import groupby
from typing import Any

import msgspec
from newel.domain.context import Company
from newel.domain.document import Document, Line, LineInput
from newel.domain.master import Master
from newel.domain.money import HUNDRED, ONE, ZERO, allocate, product, rounded
from newel.domain.pricing import Adjustment, adjusted

PLUGIN, GIFT = "promotions", "promotions:"
Key = int | str  # id of an item or party, code of a class, or "" for all


class PromotionData(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the header of a sale holds besides: the codes of coupons."""

    coupons: tuple[str, ...] = ()


class PromotionSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings. entered_prices: whether promotions are given on prices that were entered by hand, too."""

    entered_prices: bool = False


class Promotion(msgspec.Struct, frozen=True, kw_only=True):
    """A promotion with the policy of its group. order: the total order (sequence and code of the group, then its own)."""

    id: int
    code: str
    name: str
    group: int
    policy: str
    order: tuple[int, str, int, str]
    date_from: date | None = None
    date_to: date | None = None
    percent: Decimal | None = None
    amount: Decimal | None = None
    per: str = "line"
    currency: str = ""
    basis: str = "net"
    quantity_min: Decimal | None = None
    quantity_max: Decimal | None = None
    value_min: Decimal | None = None
    value_max: Decimal | None = None
    gift: int | None = None
    gift_quantity: Decimal = ONE
    gift_each: Decimal | None = None
    coupon: bool = False


class Coupon(msgspec.Struct, frozen=True, kw_only=True):
    """A coupon that a document names. used, by_party, here: how often it was used at all, by this customer, and in this document."""

    id: int
    code: str
    promotion: str
    uses_max: int | None = None
    uses_party: int | None = None
    used: int = 0
    by_party: int = 0
    here: int = 0


class PromotionFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for the document's customer and day. by_what: item id, class code or "" -> promotions. given: codes in the stored steps.

    gifts: whether any of them gives something along.
    """

    by_what: Mapping[Key, tuple[Promotion, ...]] = {}
    gifts: bool = False
    coupons: Mapping[str, Coupon] = {}
    given: frozenset[str] = frozenset()


def within(value: Any, low: Any, high: Any) -> bool:
    """Whether a value lies in a span; None means no limit."""
    return (low is None or low <= value) and (high is None or value <= high)


def goods(line: Line) -> bool:
    """Freight and other charges are promoted only where a scope names them."""
    return line.item is not None and line.kind != "charge" and line.item.kind not in ("charge", "freight")


def coupons(document: Document) -> tuple[str, ...]:
    """Codes of the coupons that a document names, each once."""
    found = document.data.get(PLUGIN)
    return tuple(dict.fromkeys(code.strip().upper() for code in found.coupons)) if isinstance(found, PromotionData) else ()


def select(found: Sequence[Promotion], benefit: Callable[[Promotion], Decimal]) -> list[Promotion]:
    """Those that are given of the ones that fit, by the policies of their groups, in their total order."""
    ordered = sorted(found, key=lambda p: p.order)
    alone = next((p for p in ordered if p.policy == "exclusive"), None)
    if alone is not None:
        return [alone]
    chosen: list[Promotion] = []
    for _, group in groupby(ordered, key=lambda p: p.order[:2]):
        members = list(group)
        if members[0].policy == "stack":
            chosen += members
        else:  # of equally good ones the first
            chosen.append(max(members, key=benefit) if members[0].policy == "best" else members[0])
    return chosen


class Deal:
    """One document with what may be given on it."""

    def __init__(self, document: Document, facts: PromotionFacts, master: Master, company: Company, settings: PromotionSettings) -> None:
        self.document, self.facts, self.master, self.company = document, facts, master, company
        self.settings, self.named = settings, frozenset(c.promotion for c in facts.coupons.values())
        self._candidates: dict[tuple[int, bool], tuple[Promotion, ...]] = {}

    @cached_property
    def lines(self) -> list[Line]:
        """Those that may get something."""
        return [line for line in self.document.lines if self.open(line)]

    def open(self, line: Line) -> bool:
        """Not what copies its price, what nobody calculated, or a gift."""
        calculated = line.copied_from is None if line.price_entered is None else self.settings.entered_prices
        return line.item is not None and calculated and not line.key.startswith(GIFT)

    # ---- what fits ---------------------------------------------------------------------------------------------------------------

    def candidates(self, line: Line) -> tuple[Promotion, ...]:
        """Promotions in whose scope a line is, each once."""
        assert line.item is not None
        of = line.item.id, goods(line)
        found = self._candidates.get(of)
        if found is None:
            keys: tuple[Key, ...] = (line.item.id, *line.item.classes, *([""] if of[1] else []))
            found = self._candidates[of] = tuple({p.code: p for key in keys for p in self.facts.by_what.get(key, ())}.values())
        return found

    def fits(self, p: Promotion, quantity: Decimal) -> bool:
        """Whether coupon, currency, quantity and order value are as the promotion wants them."""
        if (p.coupon and p.code not in self.named) or not within(quantity, p.quantity_min, p.quantity_max):
            return False
        if p.currency and self.rate(p.currency) is None:
            return False
        if p.value_min is None and p.value_max is None:
            return True
        return within(self.worth[p.basis], *(None if x is None else self.converted(x, p) for x in (p.value_min, p.value_max)))

    @cached_property
    def worth(self) -> dict[str, Decimal]:
        """The order's value without and with tax, as it is before this stage."""
        lines = [line for line in self.document.lines if goods(line)]
        return {basis: sum((line.net / self.factor(basis, line) for line in lines), ZERO) for basis in ("net", "gross")}

    def rate(self, currency: str) -> Decimal | None:
        """Units of the document's currency for one of this; None where no rate is known on its day."""
        if currency == self.document.currency:
            return ONE
        home = self.master.rate(self.company, currency, self.document.date)
        return home / self.document.rate if home is not None else None

    def converted(self, amount: Decimal, p: Promotion) -> Decimal:
        """A promotion's amount in the document's currency, not rounded."""
        return product(amount, self.rate(p.currency) or ZERO)

    def factor(self, basis: str, line: Line) -> Decimal:
        """What one unit of an amount with or without tax is in the line's prices."""
        if (basis == "gross") == self.document.prices_include_tax:
            return ONE
        taxed = ONE + sum((t.rate for t in line.taxes), ZERO) / HUNDRED
        return ONE / taxed if basis == "gross" else taxed

    # ---- how much ----------------------------------------------------------------------------------------------------------------

    def _rounded(self, amount: Decimal) -> Decimal:
        return rounded(amount, self.document.amount_digits, self.company.rounding)

    def off(self, p: Promotion, line: Line, amount: Decimal) -> Decimal:
        """What a promotion takes off a line that has come down to this amount; never more than all of it."""
        if p.percent is not None:
            return amount - adjusted(amount, Adjustment(rule=p.code, percent=-p.percent), self.document.amount_digits, self.company.rounding)
        units = line.quantity_base if p.per == "unit" else ONE
        return min(amount, self._rounded(product(self.converted(p.amount or ZERO, p), units) * self.factor(p.basis, line)))

    def parts(self, p: Promotion, lines: Sequence[Line], left: Mapping[int, Decimal]) -> list[Decimal]:
        """What a promotion of the whole document takes off each of these lines, which have come down to what is left."""
        digits, amounts = self.document.amount_digits, [left[line.id] for line in lines]
        if p.percent is not None:
            return allocate(self.off(p, lines[0], sum(amounts, ZERO)), amounts, digits)
        factors = [self.factor(p.basis, line) for line in lines]
        bases = [self._rounded(amount / factor) for amount, factor in zip(amounts, factors, strict=True)]
        shares = allocate(min(self._rounded(self.converted(p.amount or ZERO, p)), sum(bases, ZERO)), bases, digits)
        return [
            amount if share == base else min(amount, self._rounded(product(share, factor)))
            for amount, factor, base, share in zip(amounts, factors, bases, shares, strict=True)
        ]

    # ---- what is given -----------------------------------------------------------------------------------------------------------

    def adjustments(self, stage: str) -> list[Adjustment]:
        """Everything that is given in a stage."""
        return list(self._of_lines() if stage == "line" else self._of_document())

    def _of_lines(self) -> Iterator[Adjustment]:
        for gift in [line for line in self.document.lines if line.key.startswith(GIFT)]:
            yield Adjustment(rule=gift.key.removeprefix(GIFT), line=gift.id, percent=-HUNDRED, reason="a gift")
        for line in [line for line in self.lines if line.net > 0]:
            found = [p for p in self.candidates(line) if p.per != "document" and p.gift is None and self.fits(p, line.quantity_base)]
            if not found:
                continue
            amount = line.net
            for n, p in enumerate(select(found, lambda p, line=line: self.off(p, line, line.net))):  # type: ignore[misc]
                off = self.off(p, line, amount)
                if off:
                    amount -= off
                    how: dict[str, Any] = {"percent": -p.percent} if p.percent is not None else {"amount": -off}
                    yield Adjustment(rule=p.code, line=line.id, reason=p.name, sequence=100 + n, **how)

    def _of_document(self) -> Iterator[Adjustment]:
        of: dict[str, list[Line]] = {}
        found: dict[str, Promotion] = {}
        for line in [line for line in self.lines if line.net > 0]:
            here = self.candidates(line)
            whole = [p for p in here if p.per == "document" and p.gift is None]
            if whole and {p.code for p in here if p.policy == "exclusive"} & {s.rule for s in line.steps if s.plugin == PLUGIN}:
                continue  # it has one that stands alone
            for p in whole:
                found[p.code] = p
                of.setdefault(p.code, []).append(line)
        fitting = [p for p in found.values() if self.fits(p, sum((line.quantity_base for line in of[p.code]), ZERO))]
        left = {line.id: line.net for line in self.lines}
        before = dict(left)
        for n, p in enumerate(select(fitting, lambda p: sum(self.parts(p, of[p.code], before), ZERO))):
            for line, part in zip(of[p.code], self.parts(p, of[p.code], left), strict=True):
                if part:
                    left[line.id] -= part
                    yield Adjustment(rule=p.code, line=line.id, amount=-part, reason=p.name, sequence=100 + n)

    def gifts(self, line: Line) -> list[tuple[str, LineInput]]:
        """Gifts that come with a line."""
        if not self.open(line):
            return []
        found = [p for p in self.candidates(line) if p.gift is not None and self.fits(p, line.quantity_base)]
        times = {p.code: line.quantity_base // p.gift_each if p.gift_each else ONE for p in found}
        return [
            (p.code, LineInput(item=p.gift, quantity=p.gift_quantity * times[p.code]))
            for p in select([p for p in found if times[p.code]], lambda _: ZERO)
        ]  # fmt: skip
