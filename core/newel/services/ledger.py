"""Journal entries: planned purely from rules and roles, then numbered, chained and written. Only the kernel makes entries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec

from newel.domain.context import Context
from newel.domain.document import Document, Line
from newel.domain.facts import Facts
from newel.domain.kinds import DocumentKind
from newel.domain.ledger import AccountRole, Clearing, Entry, OpenItem, OpenItems, Posting, PostingRule, PostingSpec, unbalanced
from newel.domain.master import Master
from newel.domain.money import ZERO, portion, product, rounded
from newel.domain.stock import Move
from newel.errors import Problem


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """So much of an open item is settled by a line; signed like the item."""

    item: OpenItem
    line: int
    amount: Decimal
    company_amount: Decimal


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """A new open item; debit positive."""

    role: str
    amount: Decimal
    company_amount: Decimal


class LedgerPlan:
    """The entry of one action, what it settles and what it opens."""

    def __init__(self, facts: Facts, context: Context, roles: Mapping[str, AccountRole], rules: Mapping[tuple[str, str], PostingRule]) -> None:
        self.facts, self.context, self.roles, self.rules = facts, context, roles, rules
        self.master = facts[Master]
        self.problems: list[Problem] = []
        self.postings: list[Posting] = []
        self.settled: list[Settled] = []
        self.opened: list[Opened] = []
        self.reverses: int | None = None
        self.cleared = (facts.get(Clearing) or Clearing()).lines
        self._items = dict((facts.get(OpenItems) or OpenItems()).items)

    # ---- making postings -------------------------------------------------------------------------------------------------------

    def _post(self, document: Document, role: str, amount: Decimal, company_amount: Decimal, text: str = "") -> None:
        """One side; positive is debit. Nothing is written for nothing."""
        if not amount and not company_amount:
            return
        account = self.master.accounts.get((document.company, role))
        if account is None:
            self.problems.append(
                Problem(
                    code="account.missing", message=f"no account stands for the role {role!r}", where="account_role",
                    hint="map the role under Finance, Account mapping",
                )
            )  # fmt: skip
            return
        party = document.party.id if document.party and role in self.roles and self.roles[role].open_items else None
        self.postings.append(
            Posting(
                account=account, role=role, debit=max(company_amount, ZERO), credit=max(-company_amount, ZERO), currency=document.currency,
                amount=amount, party=party, text=text,
            )
        )  # fmt: skip

    def _home(self, document: Document, amount: Decimal) -> Decimal:
        if document.currency == self.context.company.currency:
            return amount
        return rounded(product(amount, document.rate), self.context.company.amount_digits, self.context.company.rounding)

    def moves(self, document: Document, kinds: Mapping[int, str], moves: Sequence[Move]) -> None:
        """Post moves by the rule for the kinds of their two ends, one pair of postings for each rule."""
        sums: dict[tuple[str, str], Decimal] = {}
        for move in moves:
            ends = (kinds[move.source], kinds[move.target])
            rule = self.rules.get(ends)
            if rule is None:
                self.problems.append(
                    Problem(
                        code="posting.rule", message=f"no posting rule says how goods go from {ends[0]} to {ends[1]}",
                        hint="install the plugin that brings the rule",
                    )
                )  # fmt: skip
            elif rule.debit != rule.credit:
                sums[(rule.debit, rule.credit)] = sums.get((rule.debit, rule.credit), ZERO) + move.value
        company = self.context.company.currency
        home = msgspec.structs.replace(document, currency=company)
        for (debit, credit), value in sorted(sums.items()):
            self._post(home, debit, value, value, "goods")
            self._post(home, credit, -value, -value, "goods")

    def document(self, document: Document, kind: DocumentKind) -> None:
        """Post gross to the party's role; lines, taxes and differences against it."""
        spec = kind.posting
        assert spec is not None
        sign = (1 if spec.side == "debit" else -1) * kind.sign
        party_role = document.account_role or spec.party
        sums: dict[str, Decimal] = {}
        self._clear(document, spec, sign)
        for i, line in enumerate(document.lines):
            if not line.net or line.id in self.cleared:
                continue
            if line.settles is not None:
                self._settle(document, line, -sign * line.net, line.account_role or spec.line, f"lines[{i}]")
            else:
                goods = line.item is not None and line.item.stocked
                role = line.account_role or self._item_role(line, spec.line if goods or not spec.other else spec.other)
                sums[role] = sums.get(role, ZERO) - sign * line.net
        for tax in document.taxes:
            role = tax.role or spec.tax
            sums[role] = sums.get(role, ZERO) - sign * tax.amount
        sums[party_role] = sums.get(party_role, ZERO) + sign * document.gross
        for role, amount in sorted(sums.items()):
            home = self._home(document, amount)
            self._post(document, role, amount, home)
            if self.roles[role].open_items and amount:
                self.opened.append(Opened(role=role, amount=amount, company_amount=home))
        if not self.problems:
            self._balance(document)

    def _clear(self, document: Document, spec: PostingSpec, sign: int) -> None:
        """Take from the role of the goods what they were worth; the rest of these lines is a difference of price or of exchange rates."""
        lines = [line for line in document.lines if line.id in self.cleared]
        if not lines:
            return
        worth = -sign * sum((self.cleared[line.id][0] for line in lines), ZERO)
        same = document.currency == self.context.company.currency
        goods = worth if same else -sign * sum((self.cleared[line.id][1] for line in lines), ZERO)
        price = -sign * sum((line.net for line in lines), ZERO) - goods
        self._post(document, spec.line, goods, worth)
        self._post(document, spec.difference, price, self._home(document, price), "price difference")
        home = msgspec.structs.replace(document, currency=self.context.company.currency)
        self._post(home, "exchange", ZERO, self._home(document, goods) - worth, "exchange difference")

    def _item_role(self, line: Line, default: str) -> str:
        """An item's own role where it is of the same kind (income for sales), else the document kind's."""
        role = line.item.role if line.item else ""
        return role if role and role in self.roles and self.roles[role].kind == self.roles[default].kind else default

    def _settle(self, document: Document, line: Line, amount: Decimal, role: str, where: str) -> None:
        """amount: signed, debit positive; it takes the open item towards zero at the rate at which it was opened."""
        item = self._items.get(line.settles or 0)
        if item is None:
            self.problems.append(Problem(code="missing", message=f"there is no open item {line.settles}", where=f"{where}.settles", hint="choose an open one"))
            return
        left = item.amount_open + amount
        if item.currency != document.currency:
            self.problems.append(
                Problem(
                    code="settle.currency", message=f"the open item is in {item.currency}, the document in {document.currency}",
                    where=f"{where}.settles", hint=f"pay it with a document in {item.currency}",
                )
            )  # fmt: skip
            return
        if left * item.amount < 0 or amount * item.amount > 0:
            self.problems.append(
                Problem(
                    code="settle.amount", message=f"{abs(item.amount_open)} {item.currency} is open, got {abs(line.net)}", where=f"{where}.price",
                    hint="enter at most what is open; more goes on a line without open item",
                )
            )  # fmt: skip
            return
        digits = self.context.company.amount_digits
        home = -portion(item.company_open, -amount, item.amount_open, ZERO, left == 0, digits)
        self.settled.append(Settled(item=item, line=line.id, amount=-amount, company_amount=-home))
        self._items[item.id] = msgspec.structs.replace(item, amount_open=left, company_open=item.company_open + home)
        self._post(document, role, amount, home, f"open item {item.id}")
        difference = self._home(document, amount) - home
        if difference:
            self._post(msgspec.structs.replace(document, currency=self.context.company.currency), "exchange", ZERO, difference, "exchange difference")

    def _balance(self, document: Document) -> None:
        """Conversion leaves units of the company's currency: they are a visible posting of their own."""
        difference = unbalanced(self.postings)
        if difference:
            if document.currency == self.context.company.currency:
                self.problems.append(Problem(code="entry.unbalanced", message=f"debits and credits differ by {difference}"))
                return
            self._post(msgspec.structs.replace(document, currency=self.context.company.currency), "rounding", ZERO, -difference, "conversion")

    def reverse(self, entry: Entry, items: Sequence[OpenItem], settled: Sequence[Settled] = ()) -> None:
        """The opposite of an entry. Its open items must still be whole; what it has settled is open again."""
        self.settled += settled
        for item in items:
            if item.amount_open != item.amount:
                self.problems.append(
                    Problem(code="settled", message="a part of it has been paid already", hint="undo the payment first, or make a credit note")
                )
            self.settled.append(Settled(item=item, line=0, amount=item.amount_open, company_amount=item.company_open))
        self.reverses = entry.id
        self.postings = [msgspec.structs.replace(p, debit=p.credit, credit=p.debit, amount=-p.amount) for p in entry.postings]

    def entry(self, document: Document) -> Entry | None:
        """The entry, or None where nothing was posted."""
        if not self.postings:
            return None
        return Entry(
            company=document.company, date=document.date, document=document.id, text=f"{document.number or document.kind}",
            reverses=self.reverses, postings=tuple(self.postings),
        )  # fmt: skip
