"""The pipeline that every change of a document goes through, inside one transaction. Documents (documents.py) are its only caller."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from newel.domain.document import Document, Hold, Line
from newel.domain.kinds import FIRM_PHASES, DocumentKind, Transition
from newel.domain.money import ZERO
from newel.errors import Problem, Severity
from newel.services.ledger_store import write_entry
from newel.services.numbers import draw, due
from newel.services.planning import Plan, Planner
from newel.services.stock_store import write_stock
from newel.store import tables_document as t
from newel.store.columns import QUANTITY, scaled
from newel.store.documents import HOLDS, LINKS, OWING, add_event, insert_document, json_of, update_document, write_state

DEPTH_MAX = 5


class Engine(Planner):
    """One transaction's work on documents: plans, and writes what was planned."""

    # ---- writing ---------------------------------------------------------------------------------------------------------------

    async def write_save(self, plan: Plan, action: str, changes: Iterable[tuple[str, Any, Any]] = (), then: bool = False) -> Document:
        """Write a saved document with its links and event. then: transitions follow at once, and the first that does something draws the number."""
        document, before = plan.document, plan.before
        document = msgspec.structs.replace(document, version=document.version + 1)
        session, context = self.session, self.context
        if before is None:
            kind = self.registry.kind(document.kind)
            if kind.number_at == "create" and not then:
                document = msgspec.structs.replace(document, number=await draw(session, kind, document))
            insert_document(session, document)
            self.fresh.add(document.id)
        else:
            await update_document(session, before, document)
        stored = {line.id for line in before.lines} if before else set()
        for line in document.lines:
            for s in line.sources:
                if line.id not in stored:
                    session.add(
                        t.LineLink, kind=s.kind, from_document=s.from_document, from_line=s.from_line, to_document=document.id, to_line=line.id,
                        quantity=self._link_quantity(line, s.from_line), firm=document.phase in FIRM_PHASES, schedule=s.schedule,
                    )  # fmt: skip
        known = self.linking | {d.id for d in self.sources if any(x.stages or x.sources for x in d.lines)}
        linked = sorted({s.from_document for line in document.lines for s in line.sources if line.id not in stored} - known)
        if linked:
            await session.fetch("UPDATE document SET parts = parts | ? WHERE id = ANY(?)", LINKS, linked)
        firm = int(document.phase in FIRM_PHASES)
        if before is None:
            self.count_links(document, 1, firm)
        else:
            self.forget({s.from_document for line in document.lines for s in line.sources})
        kept = [(self._link_quantity(x, s.from_line), x.id, s.from_line) for x in document.lines for s in x.sources if x.id in stored]
        await session.many("UPDATE line_link SET quantity = ? WHERE to_line = ? AND from_line = ?", kept)
        document = await self._write_holds(document, plan.problems)
        add_event(session, document.id, context.now, context.user.login, context.source, action, changes)
        return document

    async def numbered(self, kind: DocumentKind, document: Document) -> Document:
        """The document with its number, where nothing that it has gone through has drawn it."""
        found = await due(self.session, kind, document)
        if found is not document:
            await self.session.update(t.Document, document.id, number=found.number)
        return found

    def _link_quantity(self, line: Line, source: int) -> int:
        """How much of the source a line takes, as stored: never more than the source has."""
        return scaled(self.linked_quantity.get((line.id, source), line.quantity), QUANTITY)

    async def _write_holds(self, document: Document, problems: Sequence[Problem]) -> Document:
        """Keep what holds the document from now on; a transition that follows in the same call meets it as well."""
        fresh: dict[str, Hold] = {}
        have = {h.code for h in document.holds if h.active}
        for p in problems:
            if p.severity is Severity.HOLD and p.code not in have and p.code not in fresh:
                id = self.session.add(t.DocumentHold, document=document.id, code=p.code, reason=p.message, plugin=p.plugin, transitions=json_of(p.holds))
                fresh[p.code] = Hold(id=id, code=p.code, reason=p.message, plugin=p.plugin, transitions=p.holds)
        if not fresh:
            return document
        await self.session.flush()  # a new document must be there
        await self.session.fetch("UPDATE document SET parts = parts | ? WHERE id = ?", HOLDS, document.id)
        return msgspec.structs.replace(document, holds=(*document.holds, *fresh.values()))

    async def write_transition(self, plan: Plan) -> Document:
        """Write a transition with everything that follows from it, in the order of locks: stock, number, what it comes from, ledger."""
        session, context, transition = self.session, self.context, plan.transition
        assert transition is not None
        assert plan.before is not None
        document, before = plan.document, plan.before
        kind = self.registry.kind(document.kind)
        if plan.stock is not None:
            await write_stock(session, plan.stock, document, context)
            self.fresh.discard(document.id)
        if "number" in transition.effects and not document.number:
            document = msgspec.structs.replace(document, number=await draw(session, kind, document))
        await write_state(session, document, LINKS if document.id in self.linking else 0)
        overridden = [p for p in plan.problems if p.severity is Severity.OVERRIDE]
        changes: list[tuple[str, Any, Any]] = [("state", before.state, document.state)]
        if document.number != before.number and kind.number_at != "create":
            changes.append(("number", before.number, document.number))
        changes += [("override", p.code, p.message) for p in overridden]
        document = await self._write_holds(document, plan.problems)
        add_event(session, document.id, context.now, context.user.login, context.source, transition.name, changes)
        await self._announce(document, transition)
        self.changed(document)
        await session.flush()
        if document.role == "sale" and document.phase == "done" and self._owes(document):
            await session.fetch("UPDATE document SET parts = parts | ? WHERE id = ?", OWING, document.id)
        await self._relink(before, document)
        if plan.ledger is not None and plan.entries:
            entry = msgspec.structs.replace(plan.entries[0], text=document.number or document.kind)
            plan.entries = [await write_entry(session, entry, plan.ledger, document, context)]
            await session.flush()
        await self._settled(plan, document)
        return document

    async def _announce(self, document: Document, transition: Transition) -> None:
        """Leave a note in the outbox for every plugin that wants to know after the commit."""
        now = self.context.now
        for plugin in self.plugins.implementers("after_transition", document=document):
            listens = self.registry.manifests[plugin].listens if plugin in self.registry.manifests else None
            if listens is not None and not await listens(document, transition.name, self.session, self.context):
                continue
            self.session.add(
                t.Outbox, topic="transition", plugin=plugin, document=document.id, created_at=now, available_at=now,
                payload=json_of({"document": document.id, "transition": transition.name, "company": document.company}),
            )  # fmt: skip

    async def _relink(self, before: Document, document: Document) -> None:
        """Links become firm with their target, and void with a cancelled one; what they come from may be complete now."""
        was, now = before.phase in FIRM_PHASES, document.phase in FIRM_PHASES
        gone = document.phase == "cancelled" and before.phase != "cancelled"
        back = self._given_back(before, document)
        if was == now and not gone and not back:
            return
        sources = sorted({s.from_document for line in document.lines for s in line.sources})
        if not sources:
            return
        change = "quantity = 0, firm = ?" if gone else "firm = ?"
        await self.session.fetch(f"UPDATE line_link SET {change} WHERE to_document = ?", now, document.id)
        await self.session.many("UPDATE line_link SET quantity = ? WHERE to_line = ? AND from_line = ? AND kind = ?", back)
        if gone or back or any(id not in self._sources for id in sources):
            self.forget(sources)
            found = list((await self.load(sources, parts=LINKS)).values())
        else:  # read and locked in this very transaction
            self.count_links(document, 0, int(now) - int(was))
            found = [self._sources[id] for id in sources]
        for source in found:
            await self._automatic(source, self._linked)
            if source.phase == "done" and source.role == "sale" and any("delivery" in map(self.registry.link_roles.get, x.stages) for x in source.lines):
                await self.session.fetch("UPDATE document SET parts = (parts & ?) | ? WHERE id = ?", ~OWING, OWING * self._owes(source), source.id)

    def _owes(self, document: Document) -> bool:
        """Whether more of a line was delivered than invoiced."""
        roles = self.registry.link_roles
        done = [[(roles.get(link), stage.done) for link, stage in line.stages.items()] for line in document.lines]
        return any(sum((q if role == "delivery" else -q for role, q in line if role in ("delivery", "invoice")), ZERO) > 0 for line in done)

    def _given_back(self, before: Document, document: Document) -> list[tuple[int, int, int, str]]:
        """Links of a document that somebody closes short, with the quantity that has gone on: the rest is open again in what it comes from."""
        if (before.phase, document.phase) != ("open", "done"):
            return []
        gives = self.registry.given_back
        links = [(line, s) for line in document.lines for s in line.sources if s.kind in gives]
        done = [(line.stages[gives[s.kind]].done if gives[s.kind] in line.stages else ZERO, line, s) for line, s in links]
        return [(scaled(q, QUANTITY), line.id, s.from_line, s.kind) for q, line, s in done if q < s.quantity]

    async def _settled(self, plan: Plan, document: Document) -> None:
        if plan.ledger is None or not plan.ledger.settled:
            return
        owners = sorted({s.item.document for s in plan.ledger.settled} - {document.id})
        rows = await self.session.fetch(
            "SELECT document, SUM(CASE WHEN amount_open <> 0 THEN 1 ELSE 0 END) AS n FROM open_item WHERE document = ANY(?) GROUP BY document", owners
        )
        open_count = {r["document"]: int(r["n"]) for r in rows}
        for owner in (await self.load(owners, parts=0)).values():
            await self._automatic(owner, lambda d, name: name == ("unsettled" if open_count[d.id] else "settled"))

    def _linked(self, document: Document, name: str) -> bool:
        if name not in ("linked", "unlinked"):
            return False
        flows = [f for f in self.registry.flows_from(self.registry.kind(document.kind)) if f.completes]
        parents = {line.parent for line in document.lines}
        complete = bool(flows) and all(f.complete(line) for f in flows for line in document.lines if self.registry.takes(f, line) and line.id not in parents)
        return complete == (name == "linked")

    async def _automatic(self, document: Document, holds: Any) -> None:
        """Carry out a transition that the kernel does by itself."""
        kind = self.registry.documents.get(document.kind)
        if kind is None:
            return
        for transition in kind.transitions:
            if transition.automatic and document.state in transition.sources and holds(document, transition.automatic):
                plan = await self.plan_transition(kind, document, transition)
                self.refuse(plan.problems)
                await self.write_transition(plan)
                return
