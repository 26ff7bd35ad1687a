"""A year of a company that sells from stock: leads, offers, orders, deliveries, invoices, credits and payments, day by day.

Every document is made by the people and through the use cases that would make it in earnest, and what is not due yet is not done: so the
last weeks hold documents in all states. Kinds are found by role, states by phase.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from newel.domain.document import Document, DocumentInput, LineInput, LinkInput
from newel.domain.kinds import DocumentKind, Flow
from newel.domain.money import ZERO, rounded
from newel.errors import Refused
from newel.services.outcome import Outcome
from newel.store.columns import AMOUNT, unscaled

from newel_demo.company import DAYS, DemoKit, receive

PER_SALE = 3.6  # documents that one sale leads to on average
GROWTH = 1.5
LOGINS = {"sale": "sales", "request": "sales", "delivery": "warehouse", "return": "warehouse", "receipt": "warehouse"}
Days = AsyncIterator[int]


class Story:
    """One run of the year. Each sale is an async generator that says after how many days it goes on."""

    def __init__(self, kit: DemoKit, documents: int, tell: Callable[[str, int, int], Any]) -> None:
        self.kit, self.random, self.documents, self.tell_progress = kit, kit.random, documents, tell
        self.api, self.registry = kit.app.documents, kit.app.registry
        self.refused: Counter[str] = Counter()
        self.made = self._count = 0
        self._waiting: list[tuple[date, int, Days]] = []
        self._find_kinds()

    async def tell(self) -> dict[str, int]:
        """Live through the year; returns what was refused."""
        sales = round(self.documents / PER_SALE) if self.order else 0
        for n in range(sales):  # a company that grows: most is going on in the last weeks
            self._begin(self._sale(), self.kit.today - timedelta(days=int((DAYS - 1) * (1 - n / sales) ** GROWTH)))
        self._begin(self._restock(), self.kit.start + timedelta(days=30))
        while self._waiting:
            self.kit.day, _, story = heapq.heappop(self._waiting)
            if self.kit.day > self.kit.today:
                await story.aclose()  # type: ignore[attr-defined]
                continue
            try:
                self._begin(story, self.kit.day + timedelta(days=await anext(story)))
            except StopAsyncIteration:
                self.tell_progress("documents", min(self.made, self.documents), self.documents)
        if self.order:
            await self._today(self.order)
        return dict(self.refused)

    def _begin(self, story: Days, day: date) -> None:
        """Let a story go on at a day; of those that wait for one day the first comes first."""
        self._count += 1
        heapq.heappush(self._waiting, (day, self._count, story))

    def _chance(self, share: float) -> bool:
        return self.random.random() < share

    # ---- what kinds there are ----------------------------------------------------------------------------------------------------

    def _find_kinds(self) -> None:
        """An order is a sale that is open for a while, and best delivered or billed; an offer is a sale that leads to it."""
        kinds = sorted(self.registry.documents.values(), key=lambda k: k.name)
        sales = [k for k in kinds if k.role == "sale"]
        firm = [k for k in sales if any(s.phase == "open" for s in k.states)]
        firm.sort(key=lambda k: not (self._flow(k, "delivery") or self._flow(k, "invoice")))
        offered = [(o, s) for o in firm for s in sales if s is not o and self._between(s, o)]
        self.order = offered[0][0] if offered else next(iter(firm), None)
        self.offer = offered[0][1] if offered else None
        targets = [k for k in (self.offer, self.order) if k is not None]
        self.leads = [k for k in kinds if k.role == "request" and k.party_role == "customer" and any(self._between(k, t) for t in targets)]

    def _flow(self, kind: DocumentKind, role: str, sign: int = 1) -> Flow | None:
        """The way on from this kind to one of that role; the primary one, else the first by name."""
        found = [
            f
            for f in self.registry.flows_from(kind)
            if (target := self.registry.documents[f.target_kind]).role == role and target.sign == sign and f.target_kind != kind.name
        ]
        return min(found, key=lambda f: (not f.primary, f.target_kind, f.name), default=None)

    def _between(self, source: DocumentKind, target: DocumentKind) -> Flow | None:
        return next((f for f in self.registry.flows_from(source) if f.target_kind == target.name), None)

    def _path(self, kind: DocumentKind, state: str, phase: str) -> list[str] | None:
        """Names of the transitions that lead from a state to the nearest one of that phase."""
        ways: list[tuple[str, list[str]]] = [(state, [])]
        seen = {state}
        for at, names in ways:
            if names and kind.state(at).phase == phase:
                return names
            for t in sorted(kind.transitions, key=lambda t: not t.primary):
                leads = kind.state(t.target).phase
                if at not in t.sources or t.automatic or t.target in seen or (leads in ("draft", "cancelled") and leads != phase):
                    continue
                seen.add(t.target)
                ways.append((t.target, [*names, t.name]))
        return None

    # ---- what people do ----------------------------------------------------------------------------------------------------------

    async def _try(self, work: Awaitable[Outcome]) -> Document | None:
        """What an action gave; None where it was refused, which is counted."""
        try:
            return (await work).document
        except Refused as refused:
            self.refused[refused.problems[0].code] += 1
            return None

    async def _create(self, kind: DocumentKind, entered: DocumentInput, then: Sequence[str] = ()) -> Document | None:
        context = self.kit.context(LOGINS.get(kind.role, "accountant"))
        document = await self._try(self.api.create(kind.name, entered, context, then=then))
        self.made += document is not None
        return document

    async def _follow(self, document: Document, flow: Flow | None, lines: Sequence[LinkInput] | None = None) -> Document | None:
        if flow is None:
            return None
        context = self.kit.context(LOGINS.get(self.registry.documents[flow.target_kind].role, "accountant"))
        name, header = f"{flow.target_kind}:{flow.name}", DocumentInput(date=self.kit.day)
        made = await self._try(self.api.follow(document.id, name, context, lines=lines, input=header))
        self.made += made is not None
        return made

    async def _advance(self, document: Document, phase: str) -> bool:
        """Take a document as it is now to a phase. False where that is refused, or where no way leads there."""
        kind = self.registry.documents[document.kind]
        context = self.kit.context(LOGINS.get(kind.role, "accountant"))
        now = await self.api.get(document.id, context)
        names = self._path(kind, now.state, phase)
        if phase == "cancelled" and names:  # several ways: rejected, expired, withdrawn
            direct = [t.name for t in kind.transitions if now.state in t.sources and kind.state(t.target).phase == phase and not t.automatic]
            names = [self.random.choice(direct)] if direct else names
        for name in names or ():
            if await self._try(self.api.act(document.id, name, context)) is None:
                return False
        return names is not None

    def _entered(self) -> DocumentInput:
        """A customer wants something."""
        goods = [i for i in self.kit.items if i.kind in ("goods", "service")]
        chosen = self.random.sample(goods, min(self.random.choice((1, 2, 2, 3, 3, 4, 5, 6, 8)), len(goods)))
        lines = []
        for item in chosen:
            most = 2 if item.tracking == "serial" else 4 if item.price > 100 else 12 if item.price > 20 else 40
            discount = Decimal(self.random.choice((2, 3, 5))) if self._chance(0.06) else ZERO
            lines.append(LineInput(item=item.number, quantity=Decimal(self.random.randint(1, most)), discount=discount))
        freight = next((i for i in self.kit.items if i.kind == "freight"), None)
        if freight is not None and self._chance(0.4):
            lines.append(LineInput(kind="charge", item=freight.number))
        wanted = self.kit.day + timedelta(days=self.random.randint(5, 20))
        reference = f"PO {self.random.randint(1000, 99999)}" if self._chance(0.7) else ""
        return DocumentInput(party=self.random.choice(self.kit.customers), date_requested=wanted, reference=reference, lines=tuple(lines))

    # ---- the stories -------------------------------------------------------------------------------------------------------------

    async def _restock(self) -> Days:
        while True:
            await receive(self.kit, self.random.sample(self.kit.items, min(25, len(self.kit.items))), (20, 80), "replenishment")
            self.made += 1
            yield 30

    async def _sale(self) -> Days:
        """From the first word to the order: with or without a lead and an offer."""
        order, document, begin = self.order, None, self.random.random()
        assert order is not None
        if self.leads and begin < 0.2:
            document = await self._create(self.leads[0], self._entered())
            yield self.random.randint(1, 6)
            if document is None or not await self._advance(document, "offered"):
                return
            yield self.random.randint(2, 10)
            if self._chance(0.35):
                await self._advance(document, "cancelled")
                return
            document = await self._follow(document, self._between(self.leads[0], self.offer or order))
        elif self.offer and begin < 0.5:
            document = await self._create(self.offer, self._entered())
        else:
            document = await self._create(order, self._entered())
        if document is not None and self.offer is not None and document.kind == self.offer.name:
            yield self.random.randint(0, 2)
            if not await self._advance(document, "offered"):
                return
            yield self.random.randint(2, 16)
            if self._chance(0.3):
                await self._advance(document, "cancelled")
                return
            document = await self._follow(document, self._between(self.offer, order))
        if document is not None:
            yield self.random.randint(0, 3)
            self._begin(self._order(document), self.kit.day)

    async def _order(self, order: Document) -> Days:
        """Confirm, deliver in one or two parts, bill each part."""
        phase = "cancelled" if self._chance(0.05) else "open"
        if not await self._advance(order, phase) or phase == "cancelled":
            return
        kind = self.registry.documents[order.kind]
        parts = 2 if len(order.lines) > 1 and self._chance(0.25) else 1
        for part in range(parts):
            yield self.random.randint(2, 12)
            if part and (await self.api.get(order.id, self.kit.context())).phase != "open":
                return
            half = [x for x in order.lines if x.item is not None and x.item.kind == "goods"][: max(len(order.lines) // 2, 1)]
            first = parts == 2 and part == 0 and bool(half)
            delivery = await self._follow(
                order, self._flow(kind, "delivery"), [LinkInput(line=x.id, quantity=rounded(x.quantity / 2, 0, "up")) for x in half] if first else None
            )
            yield self.random.randint(0, 2)
            if delivery is not None and not await self._advance(delivery, "done"):
                return
            yield self.random.randint(0, 4)
            invoice = await self._bill(order, delivery)
            if invoice is not None:
                self._begin(self._billing(invoice), self.kit.day + timedelta(days=self.random.randint(0, 2)))
            if delivery is not None and self._chance(0.04):
                self._begin(self._returned(delivery), self.kit.day + timedelta(days=self.random.randint(4, 20)))

    async def _bill(self, order: Document, delivery: Document | None) -> Document | None:
        """An invoice of what was delivered; of the order where nothing is delivered."""
        through = self._flow(self.registry.documents[delivery.kind], "invoice") if delivery is not None else None
        if delivery is not None and through is not None:
            return await self._follow(delivery, through)
        return await self._follow(order, self._flow(self.registry.documents[order.kind], "invoice"))

    async def _today(self, order: DocumentKind) -> None:
        """What everybody finds on the desk this morning: one document of each kind that waits for them."""
        self.kit.day = self.kit.today
        for kind in (*self.leads[:1], *([self.offer] if self.offer else []), order):
            await self._create(kind, self._entered())
        placed = await self._create(order, self._entered())
        if placed is None or not await self._advance(placed, "open"):
            return
        delivery = await self._follow(placed, self._flow(order, "delivery"))
        if delivery is None or await self._advance(delivery, "done"):
            await self._bill(placed, delivery)

    async def _returned(self, delivery: Document) -> Days:
        """One line comes back."""
        flow = self._flow(self.registry.documents[delivery.kind], "return")
        line = next((x for x in delivery.lines if x.item is not None and x.item.kind == "goods" and x.item.tracking == "none"), None)
        back = await self._follow(delivery, flow, [LinkInput(line=line.id, quantity=Decimal(1))]) if line else None
        yield self.random.randint(0, 3)
        if back is not None:
            await self._advance(back, "done")

    async def _billing(self, invoice: Document) -> Days:
        """Post, perhaps credit a part, and be paid: early, late, in parts or not at all."""
        if not await self._advance(invoice, "open"):
            return
        if self._chance(0.06):
            yield self.random.randint(3, 12)
            flow = self._flow(self.registry.documents[invoice.kind], "invoice", -1)
            line = next((x for x in invoice.lines if x.item is not None and x.quantity > 0), None)
            credit = await self._follow(invoice, flow, [LinkInput(line=line.id, quantity=Decimal(1))]) if flow and line else None
            yield 1
            if credit is not None:
                await self._advance(credit, "open")
        if self._chance(0.07):
            return
        wait = 0 if invoice.date_due is None else (invoice.date_due - self.kit.day).days
        yield max(wait + (self.random.randint(-8, 2) if self._chance(0.7) else self.random.randint(5, 45)), 1)
        part = self._chance(0.1)
        await self._pay(invoice, Decimal("0.5") if part else Decimal(1))
        if part and self._chance(0.6):
            yield self.random.randint(10, 40)
            await self._pay(invoice, Decimal(1))

    async def _pay(self, invoice: Document, share: Decimal) -> None:
        """Money for an invoice, less what was credited on it."""
        posting = self.registry.documents[invoice.kind].posting
        kinds = [k for k in self.registry.documents.values() if k.role == "payment" and k.party_role == "customer"]
        kind = next((k for k in kinds if k.posting and posting and (k.posting.line, k.posting.side) == (posting.party, posting.side)), None)
        sql = (
            "SELECT id, amount_open FROM open_item WHERE amount_open <> 0 "
            "AND (document = ? OR document IN (SELECT id FROM document WHERE origin = ?)) ORDER BY id"
        )
        async with self.kit.app.database.read() as session:
            items = [(r["id"], unscaled(r["amount_open"], AMOUNT)) for r in await session.fetch(sql, invoice.id, invoice.id)]
        if share != 1:
            items = [(id, rounded(amount * share, invoice.amount_digits)) for id, amount in items if amount > 0]
        if kind is None or not items or sum((amount for _, amount in items), ZERO) < 0:
            return
        lines = tuple(LineInput(kind=kind.line_kinds[0], price=amount, settles=id) for id, amount in items if amount)
        entered = DocumentInput(party=invoice.party.id if invoice.party else None, currency=invoice.currency, reference=invoice.number, lines=lines)
        steps = self._path(kind, kind.initial.name, "done") or self._path(kind, kind.initial.name, "open") or ()
        await self._create(kind, entered, steps)
