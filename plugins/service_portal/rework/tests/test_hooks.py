"""Each hook of rework, as the kernel calls it, and work without a warranty; the story of a whole repair is told where the warranty is."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from newel.domain.document import Document, DocumentInput, Line, LineInput, Link
from newel.domain.facts import Facts
from newel.domain.kinds import Kinds
from newel.domain.master import Master
from newel.errors import Refused
from newel.services.entered import as_input
from newel.services.pages import detail
from newel.services.verify import verify
from newel_inventory import hooks as inventory
from newel_invoicing import hooks as invoicing
from newel_returns import hooks as returns
from newel_rework import hooks
from newel_rework.rules import Cost, ReworkFacts
from newel_sdk.testing import TODAY, ask, item, party, running, stock

D = Decimal
MODULES = {"inventory": inventory, "invoicing": invoicing, "returns": returns, "rework": hooks}
MASTER = Master(defaults={(1, "storage"): 1, (1, "rework"): 2})


def job(*lines: Line, **values: Any) -> Document:
    return Document(id=5, kind=values.pop("kind", "rework.order"), role="production", state="draft", company=1, date=TODAY, lines=lines, **values)


def source(document: int) -> tuple[Link, ...]:
    return (Link(kind="worked", from_line=document, from_document=document, quantity=D(1)),)


def test_hook_register_plugin_adds_lines_for_work_to_returns() -> None:
    (extension,) = hooks.register_plugin().extends
    assert (extension.kind, extension.line_kinds) == ("returns.authorisation", ("work",))


async def test_hook_load_facts_of_returns_only(sqlite_url: str) -> None:
    async with running(sqlite_url, MODULES) as (app, context), app.database.read() as session:
        assert await ask(hooks.load_facts, job(kind="sales.order"), session, context) is None
        assert await ask(hooks.load_facts, job(kind="returns.authorisation"), session, context) is None
        assert session.statements == 0
        assert await ask(hooks.load_facts, job(kind="returns.authorisation", phase="open"), session, context) == ReworkFacts()


def test_hook_check_document() -> None:
    one, two, free = Line(id=1, sources=source(8)), Line(id=2, sources=source(9)), Line(id=3)
    for lines, transition, expected in (
        ((one, free), "finish", []), ((one, two), "finish", ["rework.return"]), ((free,), "finish", ["rework.return"]), ((free,), "", []),
    ):  # fmt: skip
        assert [p.code for p in ask(hooks.check_document, job(*lines), transition, Facts(), None)] == expected
    assert [p.code for p in ask(hooks.check_document, job(net=D(1)), "waive", Facts(), None)] == ["rework.charge"]
    assert ask(hooks.check_document, job(kind="sales.order"), "waive", Facts(), None) is None


def test_hook_propose_documents_only_where_something_is_charged() -> None:
    kinds = Facts([Kinds({"invoicing.invoice": invoicing.INVOICE})])
    assert [d.follow for d in ask(hooks.propose_documents, job(net=D(1)), "finish", kinds, None)] == ["charge"]
    assert ask(hooks.propose_documents, job(), "finish", kinds, None) == []
    assert ask(hooks.propose_documents, job(net=D(1)), "finish", Facts([Kinds()]), None) == [], "without invoicing nobody charges"


def test_hook_decide_source_and_target() -> None:
    line = Line(id=1)
    assert ask(hooks.decide_source, job(line), line, Facts([MASTER]), None) == 1
    assert ask(hooks.decide_source, job(line, location_from=9), line, Facts([MASTER]), None) == 9, "a van"
    assert ask(hooks.decide_source, job(line, kind="sales.order"), line, Facts([MASTER]), None) is None


def test_hook_decide_target() -> None:
    line = Line(id=1)
    assert ask(hooks.decide_target, job(line), line, Facts([MASTER]), None) == 2
    assert ask(hooks.decide_target, job(line, kind="sales.order"), line, Facts([MASTER]), None) is None


async def test_hook_propose_panels(sqlite_url: str) -> None:
    async with running(sqlite_url, MODULES) as (_, context):
        (panel,) = ask(hooks.propose_panels, job(), Facts([ReworkFacts(cost=Cost(material=D(3), labour=D(4), charge=D(9)))]), context)
        assert [shown.value for _, shown in panel.rows] == [D(3), D(4), D(9)]
        assert ask(hooks.propose_panels, job(), Facts(), context) is None


async def test_material_of_work_that_is_undone_comes_back(database_url: str) -> None:
    """Two seals leave stock at 4 each and come back; without a warranty both hours are charged, and nothing twice."""
    async with running(database_url, MODULES) as (app, context):
        do = app.documents
        await item(app, context, "PUMP", price=100, cost=40)
        await item(app, context, "HOUR", price=60, cost=25, kind="service", unit="H")
        await stock(app, context, await item(app, context, "SEAL", price=15, cost=4), 10, 40)
        lines = (LineInput(kind="item", item="PUMP"), LineInput(kind="work", item="HOUR", quantity=D(2)))
        asked = DocumentInput(party=await party(app, context, "ACME"), lines=lines, data={"returns": {"category": "REPAIR"}})
        back = (await do.create("returns.authorisation", asked, context, then=("authorise",))).document
        work = (await do.follow(back.id, "work", context)).document
        assert [(x.kind, x.quantity) for x in work.lines] == [("work", D(2))]
        entered = msgspec.structs.replace(as_input(work), lines=(*as_input(work).lines, LineInput(kind="item", item="SEAL", quantity=D(2))))
        work = (await do.update(work.id, work.version, entered, context)).document
        done = await do.act(work.id, "finish", context)
        assert [(m.quantity, m.value) for m in done.moves] == [(D(2), D(8))]
        with pytest.raises(Refused) as refused:
            await do.act(work.id, "reverse", context)
        assert {p.code for p in refused.value.problems} == {"rework.gone_on"}, "a draft of an invoice was made"
        async with app.database.read() as session:
            bill = await session.value("SELECT id FROM document WHERE kind = 'invoicing.invoice'")
        bill = await do.get(bill, context)
        assert [(x.kind, x.net) for x in bill.lines] == [("item", D(120)), ("item", D(30))]
        await do.act(bill.id, "cancel", context)
        await do.act(work.id, "reverse", context)
        again = (await do.follow(back.id, "work", context, then=("finish",))).document
        assert again.net == D(120)
        async with app.database.read() as session:
            rows = await app.registry.reports["rework.cost"].load(session, {}, context)
        assert [(r["material"], r["labour"], r["charge"]) for r in rows] == [(D(0), D(50), D(120))]
        assert next(p for _, p in (await detail(app, back.id, context)).panels if p.title == "Work on this return")
        assert await verify(app) == []
