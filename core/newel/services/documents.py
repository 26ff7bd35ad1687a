"""The one way in: every change of a document is one call here, and one call is one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from newel.domain.context import Context
from newel.domain.document import Document, DocumentInput, Draft, Link, LinkInput, ScheduleInput
from newel.domain.kinds import DocumentKind
from newel.errors import PluginFailed, Problem, Refused, missing
from newel.services import following, guards, record_write
from newel.services.access import is_own
from newel.services.engine import DEPTH_MAX, Engine
from newel.services.entered import as_input, differences
from newel.services.guards import may
from newel.services.outcome import Outcome
from newel.services.resolve import Resolver
from newel.services.scheduling import reschedule
from newel.services.transacting import Transacting
from newel.store import tables_document as t
from newel.store.documents import ALL, BARE, json_of
from newel.store.session import Session


class Documents(Transacting):
    """Use cases on documents of every kind.

    All of them raise Refused with every problem at once when something stands in the way, and then nothing has changed. `key` is an idempotency
    key: the same call with the same key is carried out once and answered alike; the same key with other content is refused.
    """

    # ---- making and changing ---------------------------------------------------------------------------------------------------

    async def create(
        self, kind: str, input: DocumentInput, context: Context, *, key: str | None = None, then: Sequence[str] = (), session: Session | None = None
    ) -> Outcome:
        """Make a document, and carry out the transitions in `then` in the same transaction."""
        found = self.app.registry.kind(kind)
        may(context, f"{kind}.edit")
        input = guards.own(context, input)

        async def work(engine: Engine) -> Outcome:
            return await self._create(engine, found, input, then)

        return await self._run(work, context, session, key, ("create", kind, input, tuple(then)))

    async def update(self, id: int, version: int, input: DocumentInput, context: Context, *, key: str | None = None, session: Session | None = None) -> Outcome:
        """Replace what a user entered. Lines with an id stay the same lines; those left out go.

        Args:
            version: that the user has seen; a document that has changed since is refused with 409.
        """

        async def work(engine: Engine) -> Outcome:
            before = await self._load(engine, id)
            kind = self.app.registry.kind(before.kind)
            may(context, f"{kind.name}.edit")
            guards.fresh(before, version)
            entered = guards.own(context, input)
            if not kind.state(before.state).editable:
                raise Refused(
                    Problem(
                        code="document.locked", message=f"{before.number or 'it'} is {kind.state(before.state).label} and can't be changed",
                        hint="go back to an earlier state where that is offered, or make a new document",
                    ),
                    status=409,
                )  # fmt: skip
            resolver = Resolver(engine.session, self.app.registry, await engine.master(), context, engine.preview)
            document = await resolver.document(kind, entered, before)
            plan = await engine.plan_save(kind, document, before, resolver)
            engine.refuse(plan.problems)
            return engine.outcome(plan, await engine.write_save(plan, "change", differences(before, plan.document)))

        return await self._run(work, context, session, key, ("update", id, version, input))

    async def act(
        self, id: int, transition: str, context: Context, *, version: int | None = None, key: str | None = None, session: Session | None = None
    ) -> Outcome:
        """Carry out a transition. `version` as in update(); None for whatever is stored."""

        async def work(engine: Engine) -> Outcome:
            document = await self._load(engine, id, lock=False, heads=await self._lock(engine, id))
            if version is not None:
                guards.fresh(document, version)
            return await self._act(engine, document, transition)

        return await self._run(work, context, session, key, ("act", id, transition))

    async def follow(
        self, sources: int | Sequence[int], flow: str, context: Context, *, lines: Sequence[LinkInput] | None = None,
        input: DocumentInput | None = None, then: Sequence[str] = (), key: str | None = None, session: Session | None = None,
    ) -> Outcome:  # fmt: skip
        """Make the document that a flow leads to, from what is open in one or several documents of one party and currency.

        Args:
            lines: which lines, and how much of them; None for all that is open.
            input: header values that differ from the source's; its lines are ignored.
            then: transitions of the new document to carry out at once.
        """
        ids = [sources] if isinstance(sources, int) else sorted(set(sources))

        async def work(engine: Engine) -> Outcome:
            return await self._follow(engine, ids, flow, lines, input or DocumentInput(), then)

        return await self._run(work, context, session, key, ("follow", ids, flow, lines, input, tuple(then)))

    async def copy(self, id: int, context: Context, *, key: str | None = None) -> Outcome:
        """A new draft with the same entries, priced anew; nothing of the old one's states, holds or links comes along."""

        async def work(engine: Engine) -> Outcome:
            source = await self._load(engine, id, lock=False)
            may(context, f"{source.kind}.edit")
            entered = msgspec.structs.replace(as_input(source), date=None, date_due=None, date_requested=None, rate=None)
            parts = {line.id for line in source.lines if line.parent is not None}  # they come anew with their line
            lines = tuple(msgspec.structs.replace(x, id=0, settles=None) for x in entered.lines if x.id not in parts)
            return await self._create(engine, self.app.registry.kind(source.kind), msgspec.structs.replace(entered, lines=lines), ())

        return await self._run(work, context, None, key, ("copy", id))

    async def schedule(self, id: int, version: int, lines: Mapping[int, Sequence[ScheduleInput]], context: Context) -> Document:
        """Set the scheduled deliveries of lines (by line id, all of a line), with the dates that are promised, also of an open document (DOC-08)."""

        async def work(engine: Engine) -> Document:
            document = await self._load(engine, id)
            may(context, f"{document.kind}.schedule")
            guards.fresh(document, version)
            if document.phase in ("done", "cancelled"):
                raise Refused(Problem(code="state", message=f"{document.number} is {document.state}", hint="nothing of it is still to come"), status=409)
            return await reschedule(engine, document, lines)

        return await self._run(work, context, None, None, ())

    async def release(self, id: int, context: Context, session: Session | None = None) -> None:
        """Release a hold; recorded with who did it."""

        async def work(engine: Engine) -> None:
            row = await engine.session.one("SELECT * FROM document_hold WHERE id = ?", id)
            document = await self._load(engine, row["document"]) if row else None
            if row is None or document is None:
                raise missing("hold", id)
            await guards.may_release(engine, document, next(h for h in document.holds if h.id == id))
            await engine.session.update(t.DocumentHold, id, released_by=context.user.login, released_at=context.now)
            engine.session.add(
                t.DocumentEvent, document=document.id, at=context.now, user=context.user.login, source=context.source, action="release",
                changes=json_of([{"field": "hold", "old": row["code"], "new": "released"}]),
            )  # fmt: skip

        await self._run(work, context, session, None, ())

    # ---- looking ---------------------------------------------------------------------------------------------------------------

    async def get(self, id: int, context: Context, session: Session | None = None) -> Document:
        """A document with its price steps; Refused 404 where there is none that this user may see."""

        async def work(engine: Engine) -> Document:
            document = await self._load(engine, id, steps=True, lock=False)
            may(context, f"{document.kind}.view")
            return document

        return await self._read(work, context, session)

    async def preview(
        self, kind: str, input: DocumentInput, context: Context, *, id: int | None = None, transition: str = "", session: Session | None = None
    ) -> Outcome:
        """What create or update would give, then what the transition would do; nothing is written and problems are returned, not raised."""
        found = self.app.registry.kind(kind)
        may(context, f"{kind}.view")
        input = guards.own(context, input)

        async def work(engine: Engine) -> Outcome:
            before = await self._load(engine, id, parts=ALL | BARE) if id else None
            if id and before and before.kind != kind:
                raise missing(found.label.lower(), id, "id")
            resolver = Resolver(engine.session, self.app.registry, await engine.master(), context, True)
            document = await resolver.document(found, input, before)
            plan = await engine.plan_save(found, document, before, resolver)
            if not transition:
                return engine.outcome(plan, plan.document)
            then = await engine.plan_transition(found, plan.document, guards.transition(found, plan.document, transition))
            then.problems = [*plan.problems, *then.problems]
            return engine.outcome(then, then.document)

        return await self._read(work, context, session)

    async def preview_act(self, id: int, transition: str, context: Context) -> Outcome:
        """What a transition of a stored document would do."""

        async def work(engine: Engine) -> Outcome:
            document = await self._load(engine, id)
            kind = self.app.registry.kind(document.kind)
            may(context, f"{kind.name}.view")
            plan = await engine.plan_transition(kind, document, guards.transition(kind, document, transition))
            return engine.outcome(plan, plan.document)

        return await self._read(work, context, None)

    # ---- inside a transaction --------------------------------------------------------------------------------------------------

    async def _create(
        self, engine: Engine, kind: DocumentKind, input: DocumentInput, then: Sequence[str], sources: Sequence[tuple[Link, ...]] = (),
        copies: bool = False, origin: int | None = None,
    ) -> Outcome:  # fmt: skip
        resolver = Resolver(engine.session, self.app.registry, await engine.master(), engine.context, engine.preview)
        document = await resolver.document(kind, input, None, sources, copies)
        if origin is not None:
            document = msgspec.structs.replace(document, origin=origin, lines=following.with_parents(engine, document))
        plan = await engine.plan_save(kind, document, None, resolver, then=bool(then))
        problems = engine.refuse(plan.problems)
        saved = await engine.write_save(plan, "create", then=bool(then))
        outcome = engine.outcome(plan, saved)
        if then:
            await engine.session.flush()
            if any(line.settles is not None for line in saved.lines):  # all else is locked: it is new, and what its lines come from was read to change it
                await self._lock(engine, saved.id)
        made = len(engine.made)
        for transition in then:
            if len(engine.made) > made:  # what was made of it may have changed it
                saved, made = await self._load(engine, saved.id, lock=False), len(engine.made)
            outcome = await self._act(engine, saved, transition)
            saved = outcome.document
            problems += outcome.problems
        return msgspec.structs.replace(outcome, document=await engine.numbered(kind, outcome.document), problems=tuple(problems))

    async def _follow(
        self, engine: Engine, ids: list[int], name: str, wanted: Sequence[LinkInput] | None, header: DocumentInput, then: Sequence[str]
    ) -> Outcome:
        documents = await engine.load_sources(ids, steps=False)
        if not engine.depth:
            documents = {id: d for id, d in documents.items() if is_own(engine.context, d.party)}
        if len(documents) != len(ids):
            raise missing("document", next(id for id in ids if id not in documents))
        first = documents[ids[0]]
        flow = self.app.registry.flow(self.app.registry.kind(first.kind), name)
        target = self.app.registry.kind(flow.target_kind)
        if not engine.depth:
            may(engine.context, f"{target.name}.edit")
            may(engine.context, f"{first.kind}.view")
        problems = [p for d in documents.values() for p in following.may_follow(d, first, flow)]
        if problems:
            raise Refused(*problems, status=409)
        before = await following.before(engine, first, target, flow)
        lines, sources = following.open_lines(engine, list(documents.values()), before, flow, wanted)
        if not lines and (not flow.closes or any(self.app.registry.takes(flow, line) for d in documents.values() for line in d.lines)):
            raise Refused(
                Problem(code="flow.nothing", message=f"nothing of {first.number or 'it'} is open to be {flow.link}", hint="it has gone on already"), status=409
            )
        if flow.passes_on:
            sources = await following.passed_on(engine, documents, sources, flow, target)
        entered = following.continued(engine, before or first, target, header, lines)
        if flow.closes:
            engine.linking = {s.from_document for links in sources for s in links}
            for document in documents.values():
                engine.depth += 1  # the right to follow is enough
                await self._act(engine, document, flow.closes)
                engine.depth -= 1
            await engine.session.flush()
        return await self._create(engine, target, entered, then, sources, copies=flow.copies_prices, origin=first.id)

    async def _act(self, engine: Engine, document: Document, name: str) -> Outcome:
        kind = self.app.registry.kind(document.kind)
        if not engine.depth:  # asked before the state, which is nobody's business who has no right
            may(engine.context, f"{kind.name}.{name}")
        transition = guards.transition(kind, document, name)
        plan = await engine.plan_transition(kind, document, transition)
        engine.refuse(plan.problems, guards.status(plan.problems))
        document = await engine.write_transition(plan)
        await self._drafts(engine, document, plan.drafts)
        return engine.outcome(plan, document)

    async def _drafts(self, engine: Engine, document: Document, drafts: Sequence[tuple[str, Draft]]) -> None:
        """Make the documents that plugins propose, in the same transaction."""
        if not drafts:
            return
        if engine.depth >= DEPTH_MAX:
            raise PluginFailed(drafts[0][0], "propose_documents", f"proposed documents {DEPTH_MAX} deep: it proposes its own proposals")
        await engine.session.flush()  # rows go by table: the entry in this one's history must not wait for the new document's
        engine.depth += 1
        for plugin, draft in sorted(drafts, key=lambda d: (d[0], d[1].kind)):
            if draft.record:
                if self.app.registry.owner.get(f"record kind:{draft.record}") != plugin:
                    raise PluginFailed(plugin, "propose_documents", f"{draft.record!r} is no record kind of its own")
                shapes = self.app.records.shapes
                await record_write.save(engine.session, shapes, shapes[draft.record], None, draft.values, engine.context)
                continue
            if draft.follow:
                outcome = await self._follow(engine, [document.id], draft.follow, None, draft.input, draft.then)
                engine.made.append(outcome.document.id)
                continue
            kind = self.app.registry.documents.get(draft.kind)
            if kind is None:
                raise PluginFailed(plugin, "propose_documents", f"there is no document kind {draft.kind!r}")
            outcome = await self._create(engine, kind, draft.input, draft.then, await following.links(engine, draft.links))
            engine.made.append(outcome.document.id)
        engine.depth -= 1
