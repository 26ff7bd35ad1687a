"""What an action on a document will do, computed before anything is written: the rules of all plugins and the kernel's own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from newel.domain.context import Context
from newel.domain.document import Document, Draft
from newel.domain.facts import Facts
from newel.domain.kinds import DocumentKind, Transition
from newel.domain.ledger import Entry, OpenItems
from newel.domain.master import Master
from newel.domain.pricing import steps_add_up
from newel.domain.stock import Move
from newel.errors import PluginFailed, Problem, Refused, Severity
from newel.services import checks, credit
from newel.services.access import sees_costs
from newel.services.copies import copied, gone_on, told_apart
from newel.services.ledger import LedgerPlan
from newel.services.ledger_store import load_clearing, load_open_items, stored_entry, stored_settled
from newel.services.numbers import due
from newel.services.outcome import Outcome
from newel.services.proposing import Proposing
from newel.services.resolve import Resolver
from newel.services.rules import Rules
from newel.services.stock import StockPlan
from newel.services.stock_store import load_stock, may_have_reservations
from newel.store.columns import QUANTITY, unscaled
from newel.store.documents import ALL, money, read_documents, read_steps
from newel.store.master import load_master
from newel.store.session import Session
from newel.watchdog import rules_limit

if TYPE_CHECKING:
    from newel.services.app import Newel

STOCK = frozenset({"move", "reserve", "release", "reverse"})


class Plan(msgspec.Struct, kw_only=True):
    """Everything that an action will do, computed before anything is written."""

    document: Document
    before: Document | None = None
    transition: Transition | None = None
    problems: list[Problem] = []
    stock: StockPlan | None = None
    ledger: LedgerPlan | None = None
    entries: list[Entry] = []
    drafts: list[tuple[str, Draft]] = []

    @property
    def moves(self) -> tuple[Move, ...]:
        """Planned stock moves."""
        return tuple(self.stock.moves) if self.stock else ()


class Planner:
    """Loads documents and computes what an action will do; writes nothing but a number that it draws, because what follows names it."""

    def __init__(self, app: Newel, session: Session, context: Context, preview: bool = False) -> None:
        self.app, self.session, self.context, self.preview = app, session, context, preview
        self.plugins, self.registry = app.plugins, app.registry
        self.shapes = app.registry.shapes
        self.made: list[int] = []
        self.fresh: set[int] = set()  # made in this transaction, and without stock so far
        self.linking: set[int] = set()  # going on in this call, so that their state and their mark are written at once
        self.depth = 0
        self._sources: dict[int, Document] = {}
        self._settling: tuple[int, OpenItems] | None = None
        self._stepped: set[int] = set()
        self.linked_quantity: dict[tuple[int, int], Decimal] = {}

    async def master(self) -> Master:
        """The company's set-up."""
        return await load_master(self.session)

    async def load(
        self, ids: Iterable[int], *, lock: bool = True, steps: bool = False, parts: int = ALL, heads: Sequence[Any] | None = None
    ) -> dict[int, Document]:
        """Documents of the context's company by id. Arguments as in read_documents."""
        lock = lock and not self.preview
        found = await read_documents(self.session, list(ids), await self.master(), self.shapes, lock=lock, steps=steps, parts=parts, heads=heads)
        return {d.id: d for d in found if d.company == self.context.company.id}

    @property
    def sources(self) -> list[Document]:
        """The documents that lines have been taken from in this transaction."""
        return list(self._sources.values())

    async def load_sources(self, ids: Sequence[int], steps: bool) -> dict[int, Document]:
        """Documents that lines are taken from, read once in a transaction; with their price steps where the target has prices."""
        lacking = [id for id in ids if id not in self._sources]
        if lacking:
            self._sources |= await self.load(lacking)
        if steps and (bare := [id for id in ids if id in self._sources and id not in self._stepped]):
            found = await read_steps(self.session, bare)
            for id in bare:
                document = self._sources[id]
                lines = tuple(msgspec.structs.replace(line, steps=found.get(line.id, ())) for line in document.lines)
                self._sources[id] = msgspec.structs.replace(document, lines=lines)
            self._stepped.update(bare)
        return {id: self._sources[id] for id in ids if id in self._sources}

    def count_links(self, document: Document, planned: int, done: int) -> None:
        """Tell the documents that lines were taken from, as far as this transaction knows them, what has gone on into this one: 1 more, -1 less."""
        self._sources |= gone_on(self._sources, document, self.linked_quantity, planned, done)

    def forget(self, ids: Iterable[int]) -> None:
        """Read these documents anew when lines are next taken from them."""
        for id in ids:
            self._sources.pop(id, None)
            self._stepped.discard(id)

    def changed(self, document: Document) -> None:
        """A document that lines were taken from has gone on."""
        if document.id in self._sources:
            values = {name: getattr(document, name) for name in ("state", "phase", "number", "version")}
            self._sources[document.id] = msgspec.structs.replace(self._sources[document.id], **values)

    # ---- saving ----------------------------------------------------------------------------------------------------------------

    async def plan_save(self, kind: DocumentKind, document: Document, before: Document | None, resolver: Resolver, then: bool = False) -> Plan:
        """Price and check a document as entered. then: a transition follows at once, and looks at the stock itself."""
        copies, problems = await copied(self, kind, document)
        if before is not None:  # lines that plugins proposed are proposed anew; the old ones lend their ids by key
            document = msgspec.structs.replace(document, lines=tuple(line for line in document.lines if not line.key))
        stock = not then and self.plugins.has("check_document") and any(STOCK & set(x.effects) for x in kind.transitions)
        facts = await self.facts(document, frozenset(), lock=then, stock=stock)
        proposing = Proposing(self, kind, resolver, before)
        if self.plugins.has("propose_lines", document=document, facts=facts):
            document, facts = await proposing.run(document, facts)
        rules = Rules(kind, facts, self.context, self.plugins, self.registry.line_kinds)
        with rules_limit(len(document.lines)):
            document = rules.price(document, copies)
            lenient = [msgspec.structs.replace(p, severity=Severity.NOTE) if p.code == "price.missing" else p for p in rules.problems]  # of a draft
            problems += [*resolver.problems, *lenient, *proposing.unknown(document)]
            problems += checks.on_save(document, before, self.registry)
            problems += self._checked(document, "", facts)
        for line in document.lines:
            if kind.priced and not steps_add_up(line.steps, line.net):
                raise AssertionError(f"price steps of line {line.position} do not add up to {line.net}")
        return Plan(document=document, before=before, problems=problems)

    # ---- transitions -----------------------------------------------------------------------------------------------------------

    async def plan_transition(self, kind: DocumentKind, document: Document, transition: Transition) -> Plan:
        """Everything that a transition will do. The document and what it comes from are locked already."""
        effects = frozenset(transition.effects)
        document = await told_apart(self, kind, document)
        # What follows by itself from another document can't be refused: no plugin is asked, and without effects none needs to know.
        ask = not transition.automatic
        facts = (
            await self.facts(document, effects, transition=transition.name, lock=True) if ask or effects else Facts([await self.master(), self.registry.kinds])
        )
        plan = Plan(document=document, before=document, transition=transition)
        with rules_limit(len(document.lines)):
            if ask:
                plan.problems += checks.on_transition(kind, document, transition, facts[Master], self.registry)
                plan.problems += self._checked(document, transition.name, facts)
            if "credit" in effects and "credit" not in self.registry.taken_over:
                plan.problems += credit.check(document, facts, self.context, self.plugins)
            if effects & STOCK:
                plan.stock = StockPlan(facts, self.context, self.plugins, self.registry.location_kinds, self.registry.still)
                if "move" in effects:
                    plan.stock.move(document, bought=kind.priced and kind.role == "receipt")
                if "reserve" in effects:
                    plan.stock.reserve(document)
                if "release" in effects or "reverse" in effects:
                    plan.stock.release(document)
            if plan.stock or "post" in effects:
                plan.ledger = LedgerPlan(facts, self.context, self.registry.account_roles, self.registry.rules)
        if "reverse" in effects:
            await self._reverse(plan)
        document = plan.document = await due(self.session, kind, document) if effects and not self.preview else document
        with rules_limit(len(document.lines)):
            self._posted(plan, kind, facts, effects)
            if ask:
                plan.drafts = self.plugins.propose("propose_documents", Draft, document=document, transition=transition.name, facts=facts, context=self.context)
        target = kind.state(transition.target)
        plan.document = msgspec.structs.replace(document, state=target.name, phase=target.phase, version=document.version + 1)
        return plan

    def _posted(self, plan: Plan, kind: DocumentKind, facts: Facts, effects: frozenset[str]) -> None:
        """Make the entry and let plugins look at it."""
        if plan.ledger is None:
            return
        document = plan.document
        if plan.stock is not None and plan.stock.moves and "reverse" not in effects:
            places = {id: location.kind for id, location in facts[Master].locations.items()}
            plan.ledger.moves(document, places, plan.stock.moves)
        if "post" in effects and kind.posting is not None:
            plan.ledger.document(document, kind)
        entry = None if plan.ledger.problems else plan.ledger.entry(document)
        if entry is not None:
            plan.entries = [entry]
            plan.problems += [p for _, p in self._named(self.plugins.propose("check_entry", Problem, entry=entry, facts=facts, context=self.context))]
        plan.problems += plan.ledger.problems
        if plan.stock is not None:
            plan.problems += plan.stock.problems

    async def _reverse(self, plan: Plan) -> None:
        """Undo what the document has moved and posted."""
        document = plan.document
        rows = await self.session.fetch("SELECT * FROM stock_move WHERE document = ? ORDER BY id", document.id)
        if rows and plan.stock is not None:
            plan.stock.reverse(
                [
                    Move(
                        id=r["id"], line=r["line"], item=r["item"], quantity=unscaled(r["quantity"], QUANTITY), source=r["source"],
                        target=r["target"], lot=r["lot"], value=money(r["value"]),
                    )
                    for r in rows
                ]
            )  # fmt: skip
        entry, items = await stored_entry(self.session, document.id)
        if entry is not None and plan.ledger is not None:
            plan.ledger.reverse(entry, items, await stored_settled(self.session, entry.id))

    # ---- facts and checks ------------------------------------------------------------------------------------------------------

    async def facts(self, document: Document, effects: frozenset[str], *, transition: str = "", lock: bool = False, stock: bool = False) -> Facts:
        """The kernel's facts and every plugin's. Balances and open items are read (and locked) before plugins look."""
        lock = lock and not self.preview
        structs: list[Any] = [await self.master(), self.registry.kinds]
        if effects & STOCK or stock:
            structs.append(await load_stock(self.session, document, self._reserved(document), bool(effects & STOCK)))
        if any(line.settles is not None for line in document.lines):
            structs.append(await self._open_items(document, lock))
        posting = self.registry.documents[document.kind].posting if "post" in effects else None
        if posting is not None and posting.difference:
            structs.append(await load_clearing(self.session, document, self.context.company))
        taken_over = "credit" in self.registry.taken_over
        if "credit" in effects and not taken_over and document.party is not None and document.party.limit_amount is not None:
            structs.append(await credit.load(self.session, document, self.context, lock))
        owners = {type(s): "newel" for s in structs}
        for plugin, loaded in await self.plugins.load(
            document=document, transition=transition, facts=Facts(structs), session=self.session, context=self.context
        ):
            if type(loaded) in owners:
                raise PluginFailed(plugin, "load_facts", f"returned a {type(loaded).__name__}, as {owners[type(loaded)]!r} did")
            owners[type(loaded)] = plugin
            structs.append(loaded)
        if taken_over:
            with rules_limit(len(document.lines)):
                structs.append(credit.proposed(document, Facts(structs), self.context, self.plugins))
        return Facts(structs)

    def _reserved(self, document: Document) -> list[int]:
        fresh = document.id in self.fresh or not document.version
        return may_have_reservations(document, fresh, {d.id: d.kind for d in self.sources}, self.registry.reserving)

    async def _open_items(self, document: Document, lock: bool) -> OpenItems:
        """What a document settles; locked at once where a transition follows, which then does not read it again."""
        kept, self._settling = self._settling, None
        if kept is not None and kept[0] == document.id:
            return kept[1]
        found = await load_open_items(self.session, document, lock)
        self._settling = (document.id, found) if lock else None
        return found

    def _checked(self, document: Document, transition: str, facts: Facts) -> list[Problem]:
        found = self.plugins.propose("check_document", Problem, document=document, transition=transition, facts=facts, context=self.context)
        return [p for _, p in self._named(found)]

    def _named(self, found: Sequence[tuple[str, Problem]]) -> list[tuple[str, Problem]]:
        """Problems with the name of the plugin that found them."""
        return [(plugin, msgspec.structs.replace(p, plugin=plugin)) for plugin, p in found]

    def refuse(self, problems: Sequence[Problem], status: int = 422) -> list[Problem]:
        """Raise where something stands in the way; returns what does not, so that it can be shown."""
        stopping = [
            p
            for p in problems
            if p.severity is Severity.BLOCK
            or (p.severity is Severity.OVERRIDE and not (p.code in self.context.overrides and self.context.user.may("newel.override")))
        ]
        if stopping and not self.preview:
            raise Refused(*stopping, *(p for p in problems if p not in stopping), status=status)
        return list(problems)

    def outcome(self, plan: Plan, document: Document) -> Outcome:
        """What the caller gets; a user who stands for a party sees nothing of our costs and books, others with the right to."""
        if self.context.user.party is not None:
            return Outcome(document=document, problems=tuple(plan.problems))
        drafts, entries = tuple(d for _, d in plan.drafts if not d.record), tuple(plan.entries) if sees_costs(self.context) else ()
        return Outcome(document, tuple(plan.problems), plan.moves, entries, drafts, tuple(self.made))
