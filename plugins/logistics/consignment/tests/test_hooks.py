"""Each hook of consignment, as the kernel calls it; the story shows them together."""

from decimal import Decimal
from typing import Any

from newel import defaults
from newel.domain.document import Document, Line, Link, Stage
from newel.domain.facts import Facts
from newel.domain.master import Master
from newel.domain.stock import Location
from newel.services.registry import Registry
from newel_consignment import hooks
from newel_consignment.rules import ConsignmentFacts, Share, Step
from newel_inventory import hooks as inventory
from newel_invoicing import hooks as invoicing
from newel_sales import hooks as sales
from newel_sdk.testing import TODAY, ask, item, party, running
from newel_shipping import hooks as shipping

D = Decimal
PLACES = {n: Location(id=n, code=kind, kind=kind, company=1) for n, kind in enumerate(("storage", "consigned", "customer"), 1)}
MASTER = Master(locations=PLACES, defaults={(1, kind.kind): n for n, kind in PLACES.items()})
FROM = (Link(kind="delivered", from_line=1, from_document=40, quantity=D(1)),)
CONSIGNED = Line(id=2, kind="consigned", text="Bolt", sources=FROM)


def document(kind: str, role: str, *lines: Line, **values: Any) -> Document:
    return Document(id=50, kind=kind, role=role, state="draft", company=1, date=TODAY, lines=lines, **values)


def test_hook_register_plugin_lets_orders_be_delivered_and_nothing_else() -> None:
    modules = (sales, shipping, invoicing, inventory)
    registry = Registry([defaults.register_plugin(), hooks.register_plugin(), *(m.register_plugin() for m in modules)])
    for kind in ("consignment.order", "consignment.loan"):
        assert {f.name for f in registry.flows_from(registry.kind(kind))} == {"deliver", "settle", "take_back"}
        assert "reserve" in next(t for t in registry.kind(kind).transitions if t.name == "confirm").effects, "inventory reserves whatever is a sale"
    assert "invoice_delivery" in {f.name for f in registry.flows_from(registry.kind("consignment.settlement"))}
    ordinary = {f.name for f in registry.flows_from(registry.kind("sales.order"))}
    assert ordinary == {"deliver", "invoice"}
    assert all(rule.debit == rule.credit for (a, b), rule in registry.rules.items() if "storage" in (a, b) and {a, b} & {"consigned", "loaned"})


async def test_hook_load_facts_asks_only_where_such_goods_are(database_url: str) -> None:
    async with running(database_url, {"consignment": hooks}) as (app, context), app.database.read() as session:
        own = Facts([app.registry.kinds])
        for plain in (document("sales.order", "sale", Line(id=2)), document("shipping.delivery", "delivery", Line(id=2, sources=FROM))):
            assert await hooks.load_facts(plain, "", own, session, context) is None
        assert session.statements == 0
        assert await hooks.load_facts(document("shipping.delivery", "delivery", CONSIGNED), "", own, session, context) == ConsignmentFacts()
        assert session.statements == 1


def test_hook_check_document() -> None:
    bill = document("any.bill", "invoice", CONSIGNED)
    assert [p.code for p in hooks.check_document(bill, "", Facts([MASTER]), None)] == ["consignment.not_settled"]


def test_hook_decide_source_and_hook_decide_target_leave_ordinary_lines_alone() -> None:
    facts = Facts([MASTER])
    delivery = document("shipping.delivery", "delivery", CONSIGNED, Line(id=3))
    assert [ask(hooks.decide_target, delivery, line, facts, None) for line in delivery.lines] == [2, None]
    assert [ask(hooks.decide_source, delivery, line, facts, None) for line in delivery.lines] == [None, None]
    used = document("consignment.settlement", "delivery", Line(id=2, sources=FROM))
    assert (ask(hooks.decide_source, used, used.lines[0], facts, None), ask(hooks.decide_target, used, used.lines[0], facts, None)) == (2, 3)


def test_hook_decide_target_of_a_return_is_the_warehouse() -> None:
    back = document("consignment.return", "transfer", Line(id=2, sources=FROM), location_to=2)
    assert ask(hooks.decide_target, back, back.lines[0], Facts([MASTER]), None) == 1


async def test_hook_propose_exposure(database_url: str) -> None:
    async with running(database_url, {"consignment": hooks}) as (_, context):
        share = Share(quantity=D(2), done={"delivered": D(1)}, gross=D(20), currency="EUR", rate=D(1))
        found = hooks.propose_exposure(None, Facts([MASTER, ConsignmentFacts(shares=(share,))]), context)
        assert [(e.stage, e.amount) for e in found] == [("consigned", D(10)), ("delivered, not invoiced", D(-10))]
        assert hooks.propose_exposure(None, Facts([MASTER]), context) == []


def test_hook_propose_panels() -> None:
    line = Line(id=1, kind="loaned", text="Pump", quantity=D(3), stages={"delivered": Stage(D(2), D(2)), "returned": Stage(D(1), D(1))})
    (panel,) = hooks.propose_panels(document("consignment.loan", "sale", line), Facts(), None)
    assert panel.rows == (("Pump", "1 of 3 loaned, 2 delivered, 1 returned"),)
    step = Step(line=1, link="delivered", to_document=50, to_line=2, quantity=D(1), day=TODAY)
    (panel,) = hooks.propose_panels(document("shipping.delivery", "delivery", CONSIGNED), Facts([ConsignmentFacts(steps=(step,))]), None)
    assert [(label, x.value) for label, x in panel.rows] == [("Bolt", "1 of 1 consigned")]
    assert hooks.propose_panels(document("sales.order", "sale", Line(id=1)), Facts(), None) == []


async def test_it_works_without_the_other_plugins(database_url: str) -> None:
    """An order can be entered and confirmed; without shipping it waits."""
    from newel.domain.document import DocumentInput, LineInput

    async with running(database_url, {"consignment": hooks}) as (app, context):
        lines = (LineInput(item=await item(app, context, "BOLT", price=1)),)
        entered = DocumentInput(party=await party(app, context, "ACME"), lines=lines)
        made = await app.documents.create("consignment.order", entered, context, then=("confirm",))
        assert made.document.state == "confirmed"
