"""Prices, adjustments, taxes, totals: pure, from what the user entered and from facts. Saving twice can't change a price (PRC-07)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec

from newel.domain.context import Context
from newel.domain.document import Document, Line
from newel.domain.facts import Facts
from newel.domain.kinds import DocumentKind, LineKind
from newel.domain.money import ZERO, allocate, portion, product, rounded
from newel.domain.pricing import Adjustment, Price, PriceStep, adjusted
from newel.domain.tax import Tax, taxed
from newel.errors import Problem
from newel.plugins import Plugins

AMOUNT_MAX = Decimal(900000000000000)
PRICE_SCALE = 6


class Copy(msgspec.Struct, frozen=True, kw_only=True):
    """The line that another one takes its amounts from.

    Args:
        line: the source with its stored steps, from a document with or without tax in its prices.
        amount: of the source before tax was taken out of it.
        taken: what other lines made from it have had.
        left: this is the last part, and takes what is left.
    """

    line: Line
    amount: Decimal
    taken: Decimal
    left: bool


class Pricing(msgspec.Struct):
    """A line at work: its amount so far and the steps that led there. taxes: of the line that it copies, where it copies one."""

    line: Line
    price: Decimal = ZERO
    amount: Decimal = ZERO
    steps: list[PriceStep] = []
    taxes: tuple[Tax, ...] | None = None

    def step(self, stage: str, plugin: str, rule: str, amount: Decimal, reason: str = "") -> None:
        """Go on to a new amount."""
        self.steps.append(PriceStep(stage=stage, plugin=plugin, rule=rule, amount_in=self.amount, amount_out=amount, reason=reason))
        self.amount = amount


class Rules:
    """The rules of one document."""

    def __init__(self, kind: DocumentKind, facts: Facts, context: Context, plugins: Plugins, line_kinds: Mapping[str, LineKind]) -> None:
        self.kind, self.facts, self.context, self.plugins, self.line_kinds = kind, facts, context, plugins, line_kinds
        self.problems: list[Problem] = []
        self.mode = context.company.rounding

    def price(self, document: Document, copies: Mapping[int, Copy]) -> Document:
        """The document with prices, steps, taxes and sums. Problems are added to `problems`."""
        if not self.kind.priced:
            return self._costed(document)
        digits = document.amount_digits
        work = [self._base(document, line, i, copies, digits) for i, line in enumerate(document.lines)]
        taxes = [self._taxes(document, w) for w in work]
        for stage in ("line", "document") if self.plugins.has("propose_adjustments", document=document, facts=self.facts) else ():
            self._adjust(self._snapshot(document, work, taxes), stage, work, digits)
        return self._total(document, work, taxes, digits)

    # ---- prices ----------------------------------------------------------------------------------------------------------------

    def _base(self, document: Document, line: Line, index: int, copies: Mapping[int, Copy], digits: int) -> Pricing:
        work = Pricing(line, steps=[])
        kind = self.line_kinds.get(line.kind)
        if kind is not None and not kind.priced:
            return work
        copy = copies.get(line.id)
        if copy is not None and line.price_entered is None:
            self._copied(work, copy, digits)
            return work
        if line.price_entered is not None:
            work.price = line.price_entered
            owner = line.key.partition(":")[0]
            stage, plugin, rule, reason = "manual", "newel", "entered", "price entered by hand"
            if owner:
                stage, plugin, rule, reason = "base", owner, "proposed", "price of what comes with the line above"
        else:
            answer = self.plugins.decide("decide_price", Price, document=document, line=line, facts=self.facts, context=self.context)
            if answer is None:
                self.problems.append(
                    Problem(
                        code="price.missing", message=f"{line.text or 'the line'} has no price in {document.currency} on {document.date}",
                        where=f"lines[{index}].price", hint="enter a price, or keep a list price for the item",
                    )
                )  # fmt: skip
                return work
            plugin, price = answer
            work.price = rounded(price.amount, PRICE_SCALE, self.mode).normalize()
            stage, rule, reason = "base", price.rule, price.reason
        amount = rounded(product(work.price, line.quantity), digits, self.mode)
        if abs(amount) > AMOUNT_MAX:
            self.problems.append(
                Problem(code="amount.range", message=f"the amount {amount:.2e} is too large to keep", where=f"lines[{index}].quantity", hint="split the line")
            )
            amount = ZERO
        work.step(stage, plugin, rule, amount, reason)
        if line.discount_entered:
            cut = Adjustment(rule="discount", percent=-line.discount_entered)
            work.step("manual", "newel", "discount", adjusted(amount, cut, digits, self.mode), f"{line.discount_entered} % entered by hand")
        return work

    def _copied(self, work: Pricing, copy: Copy, digits: int) -> None:
        """Take over the waterfall of the source, in proportion; the parts of a line add up to the whole."""
        line, source = work.line, copy.line
        work.taxes = source.taxes
        work.price = source.price
        whole = portion(copy.amount, line.quantity, source.quantity, copy.taken, copy.left, digits, self.mode)
        steps = [s for s in source.steps if s.stage != "tax"]
        for i, step in enumerate(steps):
            last = i == len(steps) - 1
            amount = whole if last else rounded(product(step.amount_out, line.quantity) / source.quantity, digits, self.mode)
            work.step(step.stage, step.plugin, step.rule, amount, step.reason)
        if not steps:
            work.step("copied", "newel", "copied", whole, "taken over from the line before")

    def _snapshot(self, document: Document, work: Sequence[Pricing], taxes: Sequence[tuple[Tax, ...]]) -> Document:
        """The document as the plugins of one stage see it: everything of earlier stages in, nothing of this one; taxes without amounts."""
        return msgspec.structs.replace(
            document,
            lines=tuple(msgspec.structs.replace(w.line, price=w.price, net=w.amount, taxes=t, steps=tuple(w.steps)) for w, t in zip(work, taxes, strict=True)),
            net=sum((w.amount for w in work), ZERO),
        )

    def _adjust(self, seen: Document, stage: str, work: list[Pricing], digits: int) -> None:
        proposed = self.plugins.propose("propose_adjustments", Adjustment, document=seen, stage=stage, facts=self.facts, context=self.context)
        by_id = {w.line.id: w for w in work}
        for plugin, change in sorted(proposed, key=lambda p: (p[1].sequence, p[0], p[1].rule, p[1].line or 0)):
            if (change.percent is None) == (change.amount is None):
                self.problems.append(Problem(code="adjustment.invalid", message=f"{change.rule}: exactly one of percent and amount", plugin=plugin))
            elif change.line is not None:
                target = by_id.get(change.line)
                if target is not None and target.taxes is None and target.steps:
                    target.step(stage, plugin, change.rule, adjusted(target.amount, change, digits, self.mode), change.reason)
            else:
                self._spread(plugin, change, stage, [w for w in work if w.steps and w.taxes is None and w.amount > 0], digits)

    def _spread(self, plugin: str, change: Adjustment, stage: str, work: list[Pricing], digits: int) -> None:
        """Allocate an adjustment of the whole document to its lines, before tax."""
        total = sum((w.amount for w in work), ZERO)
        if not work or not total:
            return
        delta = adjusted(total, change, digits, self.mode) - total
        for w, part in zip(work, allocate(delta, [w.amount for w in work], digits), strict=True):
            if part:
                w.step(stage, plugin, change.rule, w.amount + part, change.reason)

    # ---- taxes and sums --------------------------------------------------------------------------------------------------------

    def _taxes(self, document: Document, work: Pricing) -> tuple[Tax, ...]:
        posting = self.kind.posting
        if not work.steps or work.line.settles is not None or (posting is not None and not posting.tax):
            return ()
        if work.taxes is not None:
            return work.taxes
        answer = self.plugins.decide("decide_tax", (tuple, list), document=document, line=work.line, facts=self.facts, context=self.context)
        return tuple(answer[1]) if answer else ()

    def _total(self, document: Document, work: list[Pricing], taxes: list[tuple[Tax, ...]], digits: int) -> Document:
        company = self.context.company
        parents = {line.parent for line in document.lines}  # what has handed its amount on to its parts bears no tax itself
        taxes = [() if not w.amount and w.line.id in parents else found for w, found in zip(work, taxes, strict=True)]
        result = taxed([w.amount for w in work], taxes, included=document.prices_include_tax, digits=digits, mode=self.mode, method=company.tax_rounding)
        lines = []
        for w, net, tax, line_taxes in zip(work, result.nets, result.taxes, taxes, strict=True):
            if net != w.amount:
                w.step("tax", "newel", "tax included", net, "tax taken out of the price")
            lines.append(msgspec.structs.replace(w.line, price=w.price, net=net, tax=tax, taxes=line_taxes, steps=tuple(w.steps), cost=self._cost(w.line)))
        net, tax = sum(result.nets, ZERO), sum(result.taxes, ZERO)
        if sum((x.amount for x in result.lines), ZERO) != tax:
            raise AssertionError("taxes of lines and of the document differ")
        return msgspec.structs.replace(document, lines=tuple(lines), taxes=result.lines, net=net, tax=tax, gross=net + tax)

    def _cost(self, line: Line) -> Decimal:
        if line.item is None or not line.item.cost:
            return ZERO
        return rounded(product(line.item.cost, line.quantity_base), self.context.company.amount_digits, self.mode)

    def _costed(self, document: Document) -> Document:
        lines = tuple(msgspec.structs.replace(line, cost=self._cost(line), price=line.price_entered or ZERO) for line in document.lines)
        return msgspec.structs.replace(document, lines=lines)
