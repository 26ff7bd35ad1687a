"""Each hook of returns, as the kernel calls it; the story shows them together."""

from datetime import date
from decimal import Decimal
from typing import Any

from newel import defaults
from newel.domain.document import Document, Line, Link
from newel.domain.facts import Facts
from newel.domain.master import Master
from newel.domain.party import Party
from newel.domain.stock import Location
from newel.services.registry import Registry
from newel_invoicing import hooks as invoicing
from newel_purchasing import hooks as purchasing
from newel_returns import hooks
from newel_returns.rules import RECEIPT, RETURN, SHIPMENT, ReturnsData, ReturnsFacts
from newel_sales import hooks as sales
from newel_sdk.testing import TODAY, ask, running
from newel_shipping import hooks as shipping

D = Decimal
PLACES = {
    1: Location(id=1, code="MAIN", kind="storage", company=1), 2: Location(id=2, code="CUSTOMER", kind="customer", company=1),
    3: Location(id=3, code="CUSTOMERS", kind="storage", company=1, owner=90), 4: Location(id=4, code="ACME", kind="storage", company=1, owner=9),
}  # fmt: skip
MASTER = Master(locations=PLACES, defaults={(1, "storage"): 1, (1, "customer"): 2})


def document(kind: str, category: str = "REPAIR", *lines: Line, party: int = 9, **values: Any) -> Document:
    role = {RETURN: "request", RECEIPT: "return", SHIPMENT: "delivery"}.get(kind, "sale")
    customer = Party(id=party, number="C", name="Customer")
    data = {"returns": ReturnsData(category=category)}
    return Document(id=5, kind=kind, role=role, state="draft", company=1, party=customer, date=TODAY, lines=lines, data=data, **values)


def line(link: str = "received", **values: Any) -> Line:
    return Line(id=1, text="Pump", sources=(Link(kind=link, from_line=70, from_document=7, quantity=D(1)),), **values)


def test_hook_register_plugin_what_returns_start_from_and_what_they_do_not() -> None:
    """Whatever was sold or delivered may come back; what goes back is not billed as if it were sold once more."""
    registry = Registry([defaults.register_plugin(), hooks.register_plugin(), *(m.register_plugin() for m in (sales, shipping, invoicing, purchasing))])
    for kind in ("sales.order", "shipping.delivery", SHIPMENT):
        assert "authorise" in {f.name for f in registry.flows_from(registry.kind(kind))}
    assert {f.name for f in registry.flows_from(registry.kind(SHIPMENT))} == {"authorise"}
    assert {f.name for f in registry.flows_from(registry.kind(RETURN))} == {"receive", "send", "credit", "charge"}
    assert "authorise" not in {f.name for f in registry.flows_from(registry.kind("purchasing.order"))}


async def test_hook_load_facts_reads_nothing_for_others(sqlite_url: str) -> None:
    async with running(sqlite_url, {"returns": hooks}) as (app, context), app.database.read() as session:
        assert await ask(hooks.load_facts, document("sales.order"), session, context) is None
        assert session.statements == 0
        found = await ask(hooks.load_facts, document(RETURN), session, context)
        assert sorted(found.categories) == ["AHEAD", "CREDIT", "REPAIR", "REPLACE"]


async def test_hook_check_document_and_hook_propose_panels(sqlite_url: str) -> None:
    async with running(sqlite_url, {"returns": hooks}) as (_, context):
        facts = Facts([MASTER, ReturnsFacts(overdue=D("12.5"))])
        unknown = document(RETURN, "NONSENSE")
        assert [p.code for p in ask(hooks.check_document, unknown, "", facts, context)] == ["returns.category"]
        assert ask(hooks.check_document, unknown, "", Facts([MASTER]), context) is None
        (panel,) = ask(hooks.propose_panels, document(RETURN), facts, context)
        assert ("Settled by", "Repair") in panel.rows and panel.rows[-1][1].value == D("12.5")
        assert ask(hooks.propose_panels, document(RECEIPT), facts, context) == []


def test_hook_propose_panels_of_others() -> None:
    assert ask(hooks.propose_panels, document("sales.order"), Facts(), None) is None


def test_hook_propose_documents_by_category() -> None:
    facts = Facts([MASTER, ReturnsFacts()])
    asked = Line(id=3, text="Pump", lot=8)
    for category, expected in (("REPAIR", [8]), ("REPLACE", [None]), ("CREDIT", None)):
        made = ask(hooks.propose_documents, document(RETURN, category, asked), "authorise", facts, None)
        assert made[0].follow == "receive"
        assert [x.lot for d in made[1:] for x in d.input.lines] == (expected or [])
        assert ask(hooks.propose_documents, document(RETURN, category, asked), "submit", facts, None) == []
    dated = document(RETURN, "REPAIR", asked, text="x")
    dated.data["returns"] = ReturnsData(category="REPAIR", inbound=date(2026, 2, 1), outbound=date(2026, 2, 9))
    assert [d.input.date_requested for d in ask(hooks.propose_documents, dated, "authorise", facts, None)] == [date(2026, 2, 1), date(2026, 2, 9)]


async def test_hook_decide_source_and_hook_decide_target(sqlite_url: str) -> None:
    async with running(sqlite_url, {"returns": hooks}) as (_, context):
        lying = Facts([MASTER, ReturnsFacts(places={(70, 4): D(1)})])

        def ends(found: Document) -> tuple[int | None, int | None]:
            return ask(hooks.decide_source, found, found.lines[0], lying, context), ask(hooks.decide_target, found, found.lines[0], lying, context)

        assert ends(document(RECEIPT, "REPAIR", line())) == (2, 4), "the customer's own place"
        assert ends(document(RECEIPT, "REPAIR", line(), party=8)) == (2, 3), "the place for all customers"
        assert ends(document(RECEIPT, "CREDIT", line(), location_from=1)) == (2, 1), "what becomes ours goes into the warehouse"
        assert ends(document(SHIPMENT, "REPAIR", line("sent"))) == (4, 2)
        assert ends(document(SHIPMENT, "REPLACE", line("sent"))) == (1, 2)
        assert ends(document("sales.order", "REPAIR", line())) == (None, None)


async def test_hook_decide_target_says_where_a_category_puts_things(sqlite_url: str) -> None:
    async with running(sqlite_url, {"returns": hooks}) as (_, context):
        facts = ReturnsFacts()
        apart = ReturnsFacts(
            categories={**facts.categories, "CREDIT": facts.categories["CREDIT"].__class__(code="CREDIT", name="C", settlement="credit", location=7)}
        )
        found = document(RECEIPT, "CREDIT", line())
        assert ask(hooks.decide_target, found, found.lines[0], Facts([MASTER, apart]), context) == 7
