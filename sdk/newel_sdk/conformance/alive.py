"""What only running it tells: it starts, migrates and comes back, works for random documents, and nothing is lost without it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

from newel.config import Config
from newel.domain.document import DocumentInput, LineInput
from newel.domain.kinds import DocumentKind
from newel.errors import NewelError, PluginFailed, Refused
from newel.services.app import Newel
from newel.services.verify import verify
from newel.store.describe import columns, table_name
from newel.store.migrate import MigrationFailed, migrate
from newel.store.migrate_back import migrate_back

from newel_sdk import shop
from newel_sdk.conformance.looking import all_tables, checksums
from newel_sdk.conformance.records import fill
from newel_sdk.conformance.spy import Spy
from newel_sdk.conformance.subject import Fault, Subject
from newel_sdk.kit import modules
from newel_sdk.strategies import document_inputs, samples
from newel_sdk.testing import item, party, running, stock

ITEMS, PARTIES = ("BOLT", "NUT", "GEAR"), ("C1", "C2")
RATES = {"USD": "0.9137", "JPY": "0.006151", "KWD": "3.0719"}  # two digits, none, and three
DOCUMENTS, DEEP = 8, 4
SHORT, LONG, BUDGET_LINES, TRIES = 3, 30, 100, 3
BOOKS = {"entry.unbalanced", "posting.rule", "account.missing"}


class Alive:
    """Examines a plugin on one empty database, check after check: each one goes on with what the one before has left."""

    def __init__(self, subject: Subject, url: str) -> None:
        self.subject, self.url = subject, url
        self.faults: list[Fault] = []
        self.spy = Spy(subject)
        self.made: list[int] = []

    def fault(self, check: str, message: str) -> None:
        """Keep a fault, once."""
        if (fault := Fault(check, message)) not in self.faults:
            self.faults.append(fault)

    async def examine(self) -> list[Fault]:
        """All faults."""
        try:
            self.needed = {n: m for n, m in modules(self.subject.declared.needs).items() if n != self.subject.name}
            if not await self.alone():
                return self.faults
            await self.back()
            await self.documents()
            await self.reinstall()
            await self.together()
        except (LookupError, NewelError) as error:
            self.fault("alone", f"it can't be run: {error}")
        return self.faults

    @asynccontextmanager
    async def started(self, found: dict[str, Any]) -> AsyncIterator[Newel]:
        app = Newel(Config(database=self.url), found)
        await app.start()
        try:
            yield app
        finally:
            await app.close()

    # ---- starting --------------------------------------------------------------------------------------------------------------

    async def alone(self) -> bool:
        """With only what it needs it starts, and migrates once."""
        for start in ("first", "second"):
            app = Newel(Config(database=self.url), {**self.needed, self.subject.name: self.subject.module})
            ran = await app.start()
            try:
                if app.off:
                    self.fault("alone", f"it is off: {'; '.join(f'{o.name}: {o.reason}' for o in app.off)}")
                    return False
                if start == "second" and ran:
                    self.fault("alone", f"migrations ran twice: {ran}")
                self.faults += [Fault("manifest", m) async for m in self._tables(app)]
            finally:
                await app.close()
        return True

    async def _tables(self, app: Newel) -> AsyncIterator[str]:
        for table in self.subject.declared.tables:
            names = ", ".join(f'"{column.name}"' for column in columns(table))
            try:
                async with app.database.read() as session:
                    await session.fetch(f'SELECT {names} FROM "{table_name(table)}" WHERE 1 = 0')
            except Exception as error:  # each database has an error of its own
                made = f"the migrations do not make what the table {table_name(table)} declares"
                yield f"{made}: {error}; `newel migration {self.subject.name}` writes the next one"

    async def back(self) -> None:
        """Its migrations go back, leave nothing, and go forward again."""
        found = {**self.needed, self.subject.name: self.subject.module}
        async with self.started(found) as app:
            config = app.migration_apps().get(self.subject.name)
            if config is None:
                return
            try:
                await migrate_back(app.database, self.subject.name, config)
                left = [t for t in await all_tables(app) if t.startswith(f"{self.subject.name}_")]
                if left:
                    self.fault("migrations", f"going back leaves {', '.join(left)}")
                await migrate(app.database, app.migration_apps())
                self.faults += [Fault("migrations", f"after going back and forward again: {m}") async for m in self._tables(app)]
            except (MigrationFailed, NewelError) as error:
                self.fault("migrations", str(error))

    async def together(self) -> None:
        """With every other installed plugin it starts, and the books still add up."""
        if not self.url.startswith("sqlite"):  # dozens of migrations, and nothing about them is special to one database
            return
        try:
            async with self.started({**modules(), self.subject.name: self.subject.module}) as app:
                for off in app.off:
                    if off.name == self.subject.name:
                        self.fault("together", f"with all other plugins it is off: {off.reason}")
                self._verified(await verify(app), "together")
        except NewelError as error:
            self.fault("together", str(error))

    def _verified(self, findings: list[Any], check: str) -> None:
        for f in findings[:3]:
            self.fault(check, f"the books do not add up: {f.check}, {f.where}: {f.message}")

    # ---- documents -------------------------------------------------------------------------------------------------------------

    async def documents(self) -> None:
        """Random documents of every kind that it or the sample shop has, as far as they go."""
        found = {**self.needed, "shop": shop, self.subject.name: self.spy.module()}
        async with running(self.url, found) as (app, context):
            self.app, self.context = app, context
            self._mirrored()
            await self._company()
            own = [k for k in app.registry.documents.values() if k.name.startswith((f"{self.subject.name}.", "shop.order"))]
            for filled in (False, True):  # records made at random may stop everything, so not everything is made after them
                if filled:
                    await fill(app, context, f"{self.subject.name}.")
                for kind in own:
                    for entered in samples(
                        document_inputs(PARTIES, ITEMS, currencies=("", *RATES)), DOCUMENTS if kind.name.startswith("shop.") else DOCUMENTS // 2
                    ):
                        await self._one(kind, entered)
            for name in [k.name for k in own]:
                await self._batched(name)
            self.faults += [Fault(check, message) for check, message in dict.fromkeys([*self.spy.faults, *self.spy.replay()])]
            self._verified(await verify(app), "books")
            await self._undone()

    async def _undone(self) -> None:
        """What was posted and undone is nothing, account by account."""
        async with self.app.database.read() as session:
            rows = await session.fetch(
                "SELECT d.kind, d.number, p.role FROM posting p JOIN journal_entry e ON e.id = p.entry JOIN document d ON d.id = e.document WHERE d.id IN "
                "(SELECT x.document FROM journal_entry x WHERE x.reverses IS NOT NULL) GROUP BY d.id, d.kind, d.number, p.account, p.role "
                "HAVING SUM(p.debit - p.credit) <> 0 OR SUM(p.amount) <> 0"
            )
        for r in rows[:3]:
            self.fault("books", f"{r['kind']} {r['number']} was undone, and something is left on {r['role']}")

    async def _company(self) -> None:
        """Items in stock, customers of a class, and a tax."""
        app, context = self.app, self.context
        await app.records.save("newel.tax_rate", None, {"code": "VAT", "name": "VAT", "category": "standard", "rate": "19"}, context)
        classes = [await app.records.save(kind, None, {"code": "CLASS", "name": "Class"}, context) for kind in ("newel.item_class", "newel.party_class")]
        for n, number in enumerate(ITEMS):
            await item(app, context, number, price=f"{n + 1}.99", cost="0.70", item_class=classes[0])
            await stock(app, context, number, 100_000, 70_000)
        for currency, rate in RATES.items():
            await app.records.save("newel.currency_rate", None, {"currency": currency, "rate": rate, "date_from": "2020-01-01"}, context)
        for number in PARTIES:
            await party(app, context, number, party_class=classes[1])

    def _mirrored(self) -> None:
        """Goods that go and come back leave nothing in the books."""
        rules = self.app.registry.rules
        for rule in self.subject.declared.posting_rules:
            other = rules.get((rule.target, rule.source))
            if other is not None and (other.debit, other.credit) != (rule.credit, rule.debit):
                self.fault(
                    "books",
                    f"goods that go {rule.source} -> {rule.target} -> {rule.source} leave a remainder: debit {rule.debit}, credit {rule.credit}, and back "
                    f"debit {other.debit}, credit {other.credit}",
                )

    async def _one(self, kind: DocumentKind, entered: DocumentInput) -> None:
        """A document, all transitions that it can go through, and what follows from it."""
        if not kind.party_role:
            entered = DocumentInput(lines=entered.lines)
        made = await self._try(self.app.documents.create(kind.name, entered, self.context))
        if made is not None:
            await self._on(made.document.id, DEEP)

    async def _on(self, id: int, deep: int) -> None:
        self.made.append(id)
        seen: set[str] = set()
        while True:
            document = await self.app.documents.get(id, self.context)
            kind = self.app.registry.kind(document.kind)
            ways = [t for t in kind.transitions if document.state in t.sources and not t.automatic and t.name not in seen]
            # What undoes comes last, so that there is something to undo.
            ways.sort(key=lambda t: (kind.state(t.target).phase == "cancelled", not t.primary))
            if deep and document.phase == "open":
                for flow in self.app.registry.flows_from(kind):
                    follow = await self._try(self.app.documents.follow(id, f"{flow.target_kind}:{flow.name}", self.context))
                    if follow is not None:
                        await self._on(follow.document.id, deep - 1)
            if not ways:
                return
            seen.add(ways[0].name)
            await self._try(self.app.documents.act(id, ways[0].name, self.context))

    async def _try(self, action: Coroutine[Any, Any, Any]) -> Any:
        """The outcome, or None where it was refused; refused for a fault of the plugin it is kept."""
        try:
            return await action
        except Refused as refused:
            for problem in refused.problems:
                if problem.code in BOOKS:
                    self.fault("books", f"{problem.code}: {problem.message}")
                elif problem.code == "plugin.failed" and problem.plugin == self.subject.name:
                    self.fault("answers", problem.message)
        except PluginFailed as failed:
            self.fault("answers", str(failed))
        except AssertionError as error:
            self.fault("books", f"the kernel's invariant is broken: {error}")
        return None

    async def _batched(self, kind: str) -> None:
        """Loading costs the same for a document of three lines and of thirty."""
        counts = {}
        for lines in (SHORT, LONG, SHORT, LONG):
            self.spy.statements.clear()
            entered = DocumentInput(party="C1", lines=tuple(LineInput(item=ITEMS[n % 3], price=Decimal(n + 1)) for n in range(lines)))
            await self._try(self.app.documents.preview(kind, entered, self.context))
            counts[lines] = max(self.spy.statements, default=0)
        if counts[LONG] > counts[SHORT]:
            self.fault(
                "facts", f"load_facts asks the database {counts[SHORT]} times for {SHORT} lines and {counts[LONG]} times for {LONG}: ask once for all lines"
            )

    async def _budget(self, app: Newel) -> None:
        """Its rules take no longer for a hundred lines than the manifest says; the best of several tries counts."""
        entered = DocumentInput(party="C1", lines=tuple(LineInput(item=ITEMS[n % 3]) for n in range(BUDGET_LINES)))
        times = []
        for _ in range(TRIES):
            app.plugins.restart_clock()
            await self._try(app.documents.preview("shop.order", entered, self.context))
            times.append(sum(spent[1] for (plugin, hook), spent in app.plugins.spent.items() if plugin == self.subject.name and hook != "load_facts"))
        took, budget = min(times) * 1000, self.subject.declared.budget_ms
        if took > budget:
            self.fault("budget", f"its rules took {took:.0f} ms for a document of {BUDGET_LINES} lines, the manifest allows {budget} ms")

    # ---- going and coming back -------------------------------------------------------------------------------------------------

    async def reinstall(self) -> None:
        """Without it, its documents can be read; with it again, nothing is lost."""
        others = {**self.needed, "shop": shop}
        with_it = {**others, self.subject.name: self.subject.module}
        async with self.started(with_it) as app:
            before = await checksums(app)
        async with self.started(others) as app:
            for id in self.made:
                try:
                    await app.documents.get(id, self.context)
                except Exception as error:  # whatever it is, a document can't be read
                    self.fault("reinstall", f"without the plugin, the document {id} can't be read: {type(error).__name__}: {error}")
                    break
        async with self.started(with_it) as app:
            after = await checksums(app)
            await self._budget(app)
        changed = sorted(t for t in before.keys() | after.keys() if before.get(t) != after.get(t))
        if changed:
            self.fault("reinstall", f"after removing and installing it again, {', '.join(changed)} differ")
