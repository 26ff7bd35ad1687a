"""Each hook at work in a company: what a plugin answers shows in the document."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import msgspec
import pytest
from newel import defaults
from newel.domain.credit import Exposure
from newel.domain.document import Draft, LineInput
from newel.domain.pricing import Adjustment, Price
from newel.domain.tax import Tax
from newel.errors import Problem, Refused, Severity
from newel.jobs.worker import Worker
from newel.manifest import Manifest, Panel
from newel.plugins import Plugins

from core.tests.test_engine import codes, company
from core.tests.toys import TOY, order, plugin


async def work_off(worker: Worker) -> None:
    """Until nothing is due."""
    for _ in range(20):
        if not await worker.once():
            return
    raise AssertionError("the worker does not come to rest")


async def test_register_plugin(database_url: str) -> None:
    async with company(database_url) as (app, _):
        assert app.registry.owner["document kind:toy.order"] == "toy" and app.plugins.order == ("toy",)


class Rebate(msgspec.Struct, frozen=True):
    percent: D


async def test_load_facts_and_propose_adjustments(database_url: str) -> None:
    """Facts are loaded once for a document; adjustments of lines come before those of the document, which are allocated."""
    calls = []

    async def load_facts(document: Any, session: Any) -> Rebate:
        calls.append(await session.value("SELECT COUNT(*) AS n FROM item"))
        return Rebate(D(10))

    def propose_adjustments(document: Any, stage: str, facts: Any) -> list[Adjustment]:
        if stage == "line":
            return [Adjustment(rule="rebate", line=document.lines[0].id, percent=-facts[Rebate].percent, reason="first line")]
        return [Adjustment(rule="voucher", amount=D("-1.00"), reason="voucher")]

    async with company(database_url, {"rebate": plugin("rebate", load_facts=load_facts, propose_adjustments=propose_adjustments)}) as (app, context):
        calls.clear()
        made = (await app.documents.create("toy.order", order(("BOLT", 1), ("BOLT", 1)), context)).document
        assert calls == [2]
        assert [x.net for x in made.lines] == [D("8.53"), D("9.47")]
        assert [(s.stage, s.plugin, s.rule, s.amount_out) for s in made.lines[0].steps] == [
            ("base", "newel", "list price", D("10.00")), ("line", "rebate", "rebate", D("9.00")), ("document", "rebate", "voucher", D("8.53")),
        ]  # fmt: skip


async def test_propose_lines(database_url: str) -> None:
    """A proposed line belongs to the line that it came with, and keeps its identity when the document is saved again."""

    def propose_lines(line: Any) -> list[tuple[str, LineInput]]:
        return [("gift", LineInput(item="NUT", quantity=line.quantity * 2, price=D(0)))] if line.item and line.item.number == "BOLT" else []

    async with company(database_url, {"gifts": plugin("gifts", propose_lines=propose_lines)}) as (app, context):
        from newel.services.entered import as_input

        made = (await app.documents.create("toy.order", order(("BOLT", 3)), context)).document
        assert [(x.key, x.quantity, x.net) for x in made.lines] == [("", D(3), D(30)), ("gifts:gift", D(6), D(0))]
        assert made.lines[1].parent == made.lines[0].id
        entered = as_input(made)
        bigger = msgspec.structs.replace(entered, lines=(msgspec.structs.replace(entered.lines[0], quantity=D(5)),))
        again = (await app.documents.update(made.id, made.version, bigger, context)).document
        assert [(x.id, x.quantity) for x in again.lines] == [(made.lines[0].id, D(5)), (made.lines[1].id, D(10))]


async def test_check_document_can_hold_and_release_is_recorded(database_url: str) -> None:
    def check_document(document: Any, transition: str) -> list[Problem]:
        if transition == "confirm":
            return [Problem(code="careful.look", message="look at it", severity=Severity.HOLD, holds=("deliver",))]
        return []

    async with company(database_url, {"careful": plugin("careful", check_document=check_document)}) as (app, context):
        made = (await app.documents.create("toy.order", order(("BOLT", 1)), context, then=["confirm"])).document
        with pytest.raises(Refused) as refused:
            await app.documents.follow(made.id, "deliver", context)
        assert codes(refused) == ["hold"] and "look at it" in str(refused.value)
        (hold,) = (await app.documents.get(made.id, context)).holds
        await app.documents.release(hold.id, context)
        assert (await app.documents.get(made.id, context)).holds[0].released_by == "tester"
        await app.documents.follow(made.id, "deliver", context)


async def test_propose_documents(database_url: str) -> None:
    """An invoice on delivery, and a thank-you order, in the same transaction."""

    def propose_documents(document: Any, transition: str) -> list[Draft]:
        if transition != "ship":
            return []
        return [Draft(follow="bill", then=("post",)), Draft(kind="toy.order", input=order(("NUT", 1, "0")))]

    async with company(database_url, {"quick": plugin("quick", propose_documents=propose_documents)}) as (app, context):
        made = (await app.documents.create("toy.order", order(("BOLT", 2)), context, then=["confirm"])).document
        shipped = await app.documents.follow(made.id, "deliver", context, then=["ship"])
        kinds = [(d.kind, d.state, d.gross) for d in [await app.documents.get(id, context) for id in shipped.made]]
        assert sorted(kinds) == [("toy.invoice", "posted", D("20.00")), ("toy.order", "draft", D("0.00"))]
        assert (await app.documents.get(made.id, context)).state == "done"


class BellSettings(msgspec.Struct, frozen=True):
    tone: str = "low"


async def test_after_transition_is_delivered_and_tried_again(database_url: str) -> None:
    """It gets the company's settings and transactions of its own."""
    from newel.services.administration import save_settings

    told: list[tuple[str, str]] = []

    async def after_transition(document: Any, transition: str, database: Any, context: Any) -> None:
        async with database.read() as session:
            assert await session.value("SELECT phase FROM document WHERE id = ?", document.id) in ("open", "done")
        assert context.setting("bell", BellSettings).tone == "high"
        told.append((document.number, transition))
        if len(told) == 1:
            raise OSError("the line is busy")

    bell = plugin("bell", Manifest(name="bell", label="Bell", settings=BellSettings), after_transition=after_transition)
    async with company(database_url, {"bell": bell}) as (app, context):
        await save_settings(app, "bell", {"tone": "high"}, context)
        await app.documents.create("toy.order", order(("BOLT", 1)), context, then=["confirm"])
        worker = Worker(app)
        told.clear()
        await work_off(worker)
        assert ("OR2026-00001", "confirm") in told
        later = app.clock() + timedelta(minutes=10)
        app.clock = lambda: later
        await work_off(worker)
        async with app.database.read() as session:
            assert await session.value("SELECT COUNT(*) AS n FROM outbox WHERE done_at IS NULL") == 0


async def test_decide_price_precedes_by_configuration(database_url: str) -> None:
    rivals = {n: plugin(n, decide_price=lambda line, n=n: Price(amount=D(len(n)), rule=n)) for n in ("one", "three")}
    async with company(database_url) as (app, context):
        app.plugins = Plugins({"toy": TOY, **rivals}, defaults)
        with pytest.raises(Refused) as refused:
            await app.documents.create("toy.order", order(("BOLT", 1)), context)
        assert codes(refused) == ["plugin.conflict"] and "'one' and 'three'" in str(refused.value)
        app.plugins = Plugins({"toy": TOY, **rivals}, defaults, precedes={"three": ("one",)})
        assert (await app.documents.create("toy.order", order(("BOLT", 1)), context)).document.net == D(5)


async def test_decide_tax(database_url: str) -> None:
    rules = plugin("levy", decide_tax=lambda line: (Tax(code="LEVY", rate=D(10)), Tax(code="CITY", rate=D("2.5"))))
    async with company(database_url, {"levy": rules}) as (app, context):
        made = (await app.documents.create("toy.order", order(("BOLT", 1)), context)).document
        assert [(x.code, x.base, x.amount) for x in made.taxes] == [("CITY", D(10), D("0.25")), ("LEVY", D(10), D("1.00"))]


async def test_propose_exposure_counts_against_the_limit(database_url: str) -> None:
    from newel_sdk.testing import party

    more = plugin("guarantee", propose_exposure=lambda party: [Exposure(stage="guarantees", amount=D(95))])
    async with company(database_url, {"guarantee": more}) as (app, context):
        await party(app, context, "C9", limit_amount="100")
        with pytest.raises(Refused) as refused:
            await app.documents.create("toy.order", order(("BOLT", 1), party="C9"), context, then=["confirm"])
        assert codes(refused) == ["credit.limit"] and "guarantees 95" in str(refused.value)


async def test_a_plugin_takes_the_check_of_credit_over(database_url: str) -> None:
    """The kernel's check rests; the plugin sees what every plugin proposes, and the kinds of others. Two that do so are a conflict."""
    from newel.domain.credit import Exposures
    from newel.domain.kinds import Kinds
    from newel.errors import Conflict
    from newel_sdk.testing import party

    seen: list[Any] = []

    def check_document(document: Any, transition: str, facts: Any) -> list[Problem]:
        seen.append((facts[Kinds].becomes(document.kind, document.state, transition), [(e.plugin, e.stage) for e in facts[Exposures].proposed]))
        return []

    def taking(name: str) -> Any:
        return plugin(name, Manifest(name=name, label=name, takes_over=("credit",)), check_document=check_document)

    more = plugin("guarantee", propose_exposure=lambda party: [Exposure(stage="guarantees", amount=D(95))])
    async with company(database_url, {"guarantee": more, "keeper": taking("keeper")}) as (app, context):
        await party(app, context, "C9", limit_amount="0")
        seen.clear()
        made = await app.documents.create("toy.order", order(("BOLT", 1), party="C9"), context, then=["confirm"])
        assert (made.document.state, seen[-1]) == ("confirmed", (("draft", "open"), [("guarantee", "guarantees")]))
        assert [kind.name for kind in app.registry.kinds.of_role("sale")] == ["toy.order"]
        assert app.registry.kinds.becomes("toy.order", "confirmed", "complete") == ("", "")
    with pytest.raises(Conflict, match="check 'credit' is declared twice"):
        async with company(database_url, {"keeper": taking("keeper"), "other": taking("other")}):
            pass


async def test_decide_source_and_decide_target(database_url: str) -> None:
    """Goods of every receipt go to the transit place; nothing is posted between places of one owner."""

    def place(kind: str) -> Any:
        from newel.domain.master import Master

        return lambda document, facts: facts[Master].defaults[(document.company, kind)] if document.role == "delivery" else None

    rules = plugin("via", decide_source=place("storage"), decide_target=place("transit"))
    async with company(database_url, {"via": rules}) as (app, context):
        made = (await app.documents.create("toy.order", order(("BOLT", 2)), context, then=["confirm"])).document
        moved = await app.documents.follow(made.id, "deliver", context, then=["ship"])
        assert [(m.quantity, m.value) for m in moved.moves] == [(D(2), D(4))] and moved.entries == ()


async def test_check_entry(database_url: str) -> None:
    rules = plugin("guard", check_entry=lambda entry: [Problem(code="guard.no", message="not today")] if entry.postings[0].role == "receivable" else [])
    async with company(database_url, {"guard": rules}) as (app, context):
        with pytest.raises(Refused) as refused:
            await app.documents.create("toy.invoice", order(("BOLT", 1)), context, then=["post"])
        assert codes(refused) == ["guard.no"] and refused.value.problems[0].plugin == "guard"


async def test_check_release_is_told_who_has_worked_on_it(database_url: str) -> None:
    """A plugin keeps somebody from releasing a hold, and is named; an empty answer lets it through."""
    told: list[tuple[str, ...]] = []

    def check_document(document: Any, transition: str) -> list[Problem]:
        looked = transition or document.role != "sale"
        return [] if looked else [Problem(code="guard.look", message="look at it", severity=Severity.HOLD)]

    def check_release(hold: Any, people: Any, context: Any) -> list[Problem]:
        told.append(people)
        return [Problem(code="guard.own", message=f"{hold.reason}, but not you")] if context.user.login in people else []

    async with company(database_url, {"guard": plugin("guard", check_document=check_document, check_release=check_release)}) as (app, context):
        made = (await app.documents.create("toy.order", order(("BOLT", 1)), context)).document
        with pytest.raises(Refused) as refused:
            await app.documents.release(made.holds[0].id, context)
        assert (codes(refused), refused.value.problems[0].plugin, refused.value.status) == (["guard.own"], "guard", 403)
        assert (await app.documents.get(made.id, context)).holds[0].active
        other = msgspec.structs.replace(context, user=msgspec.structs.replace(context.user, login="other"))
        await app.documents.release(made.holds[0].id, other)
        assert (told, (await app.documents.get(made.id, context)).holds[0].released_by) == ([(context.user.login,)] * 2, "other")


async def test_check_record_whatever_way_it_comes(database_url: str) -> None:
    """What a plugin has against a record stops making, changing, importing and deleting it, and its notes stop nothing."""
    seen: list[tuple[Any, Any]] = []

    def check_record(kind: str, before: Any, after: Any) -> list[Problem]:
        if kind != "newel.item_class":
            return []
        seen.append((before and before["name"], after and after["name"]))
        wrong = after is None or after["name"] == "secret"
        return [Problem(code="guard.no", message="not this one", severity=Severity.BLOCK if wrong else Severity.NOTE)]

    async with company(database_url, {"guard": plugin("guard", check_record=check_record)}) as (app, context):
        save = app.records.save
        made = await save("newel.item_class", None, {"code": "A", "name": "a"}, context)
        await save("newel.item_class", made, {"name": "b"}, context)
        for work in (
            save("newel.item_class", None, {"code": "B", "name": "secret"}, context),
            save("newel.item_class", made, {"name": "secret"}, context),
            app.records.delete("newel.item_class", made, context),
        ):
            with pytest.raises(Refused) as refused:
                await work
            assert (codes(refused), refused.value.problems[0].plugin) == (["guard.no"], "guard")
        result = await app.records.import_rows("newel.item_class", [{"code": "A", "name": "secret"}], context)
        assert [p.code for p in result.problems] == ["guard.no"]
        assert seen == [(None, "a"), ("a", "b"), (None, "secret"), ("b", "secret"), ("b", None), ("b", "secret")]
        assert (await app.records.get("newel.item_class", made, context))["name"] == "b"


def test_propose_panels() -> None:
    found = Plugins({"box": plugin("box", Manifest(name="box", label="Box"), propose_panels=lambda document: [Panel(title="Hello")])})
    assert found.propose("propose_panels", Panel, document=None, facts=None, context=None) == [("box", Panel(title="Hello"))]
