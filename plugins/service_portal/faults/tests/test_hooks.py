"""Each hook of the fault file at work: faults that returned deliveries write, counted and mended; on both databases."""

from decimal import Decimal
from typing import Any

import pytest
from newel.domain.document import Document, DocumentInput, Line, LineInput
from newel.domain.facts import Facts
from newel.domain.item import Item
from newel.domain.kinds import Kinds
from newel.errors import Refused
from newel.services.verify import verify
from newel_faults import hooks
from newel_faults.rules import FaultData, FaultFacts
from newel_inventory import hooks as inventory
from newel_returns import hooks as returns
from newel_sdk.kit import kit_on
from newel_sdk.testing import TODAY, ask, item, party, running

D = Decimal
MODULES = {"faults": hooks, "inventory": inventory, "returns": returns}
PUMP = Item(id=7, number="PUMP", name="Pump")
CAUSES = Facts([FaultFacts({"SEAL": 3}), Kinds({k.name: k for k in returns.KINDS})])


def document(*lines: Line, kind: str = "returns.receipt", role: str = "return") -> Document:
    return Document(id=5, kind=kind, role=role, state="draft", date=TODAY, lines=lines)


def line(cause: str = "SEAL", **values: Any) -> Line:
    return Line(id=1, item=PUMP, data={"faults": FaultData(cause=cause, fault="leaks")}, **values)


def test_hook_register_plugin() -> None:
    manifest = hooks.register_plugin()
    assert [m.path for m in manifest.menu] == ["/faults/chart"]


async def test_hook_load_facts_reads_nothing_for_others(sqlite_url: str) -> None:
    async with running(sqlite_url, MODULES) as (app, context), app.database.read() as session:
        assert await hooks.load_facts(document(kind="sales.order", role="sale"), session, context) is None
        assert session.statements == 0
        assert await hooks.load_facts(document(line()), session, context) == FaultFacts()


def test_hook_check_document() -> None:
    assert ask(hooks.check_document, document(line()), "", CAUSES, None) == []
    assert [(p.code, p.where) for p in ask(hooks.check_document, document(line("RUST")), "", CAUSES, None)] == [("faults.cause", "lines[0].data.faults.cause")]
    assert ask(hooks.check_document, document(line("RUST")), "receive", CAUSES, None) == ()


def test_hook_propose_documents_when_it_comes_back() -> None:
    (draft,) = ask(hooks.propose_documents, document(line(quantity=D(2), lot=9)), "receive", CAUSES, None)
    assert (draft.record, draft.values["cause"], draft.values["quantity"], draft.values["lot"]) == ("faults.fault", 3, D(2), 9)
    for nothing in (document(line("RUST")), document(Line(id=1, item=PUMP)), document(line(), kind="returns.authorisation", role="request")):
        assert ask(hooks.propose_documents, nothing, "receive", CAUSES, None) == []
    assert ask(hooks.propose_documents, document(line()), "cancel", CAUSES, None) == []


def test_hook_propose_panels_with_boxes_for_each_piece() -> None:
    (panel,) = ask(hooks.propose_panels, document(line(), Line(id=2, kind="text")), CAUSES, None)
    assert (panel.line, [(e.path, e.value) for e in panel.entries]) == (1, [(("cause",), "SEAL"), (("fault",), "leaks")])
    assert ask(hooks.propose_panels, document(line()), Facts(), None) is None


async def filled(app: Any, context: Any) -> None:
    """Seven faults of two causes in two items, out of returned deliveries and by hand."""
    customer = await party(app, context, "ACME")
    place = {"code": "CUSTOMERS", "name": "Customers' goods", "kind": "storage", "owner": customer, "party": customer}
    await app.records.save("newel.location", None, place, context)
    causes = {}
    for code, name in (("SEAL", "Seal leaks"), ("WIRE", "Wire broken")):
        causes[code] = await app.records.save("faults.cause", None, {"code": code, "name": name}, context)
    for number, tracking, cause, quantity in (("PUMP", "lot", "SEAL", 4), ("FAN", "none", "WIRE", 2)):
        made = await item(app, context, number, price=100, cost=40, tracking=tracking)
        asked = LineInput(item=made, quantity=D(quantity), lot="L1" if tracking == "lot" else None, data={"faults": {"cause": cause, "fault": "broken"}})
        entered = DocumentInput(party=customer, lines=(asked,), data={"returns": {"category": "REPAIR"}})
        back = (await app.documents.create("returns.authorisation", entered, context, then=("authorise",))).document
        async with app.database.read() as session:
            coming = await session.value("SELECT to_document FROM line_link WHERE from_document = ? AND kind = 'received'", back.id)
        await app.documents.act(coming, "receive", context)
        by_hand = {"date": TODAY, "item": made, "cause": causes["WIRE"], "quantity": "1"}
        if number == "PUMP":
            await app.records.save("faults.fault", None, by_hand, context)


@pytest.mark.capability("RMA-10", screen="/faults/chart")
async def test_faults_are_kept_counted_and_mended(database_url: str) -> None:
    """Returned deliveries write the file; the chart says where to begin, and the measure against it is seen from there."""
    async with running(database_url, MODULES) as (app, context):
        await filled(app, context)
        rows = (await app.records.page("faults.fault", context, sort="id")).rows
        assert next((r["item__title"], r["cause__title"], r["quantity"], r["text"]) for r in rows) == ("PUMP Pump", "SEAL Seal leaks", D(4), "broken")

        async def counted(**parameters: Any) -> list[tuple[Any, ...]]:
            async with app.database.read() as session:
                found = await app.registry.reports["faults.frequency"].load(session, parameters, context)
            return [(r["name"], r["quantity"], r["share"], r["running"], r["measure"]) for r in found]

        assert await counted() == [("Seal leaks", D(4), D("57.1"), D("57.1"), ""), ("Wire broken", D(3), D("42.9"), D(100), "")]
        assert [r[:2] for r in await counted(by="item")] == [("PUMP", D(5)), ("FAN", D(2))]
        assert [r[:2] for r in await counted(by="lot")] == [("L1", D(4)), ("", D(3))]
        measure = {"item": "PUMP", "cause": "SEAL", "text": "Another seal", "responsible": "Ann", "date_due": "2026-03-01"}
        made = await app.records.save("faults.measure", None, measure, context)
        assert (await counted())[0][4] == "open"
        await app.records.save("faults.measure", made, {"date_done": "2026-02-20"}, context)
        assert (await counted())[0][4] == "done"
        with pytest.raises(Refused) as refused:
            await app.records.save("faults.measure", None, {**measure, "responsible": ""}, context)
        assert [p.code for p in refused.value.problems] == ["faults.responsible"]
        assert await verify(app) == []


async def test_the_chart_is_a_page(sqlite_url: str) -> None:
    """For those who may see the report; bars, the line of shares and the table say the same."""
    async with kit_on(sqlite_url, ["faults", "inventory", "returns"]) as kit:
        browser = await kit.browser()
        assert "No faults yet" in (await browser.get("/faults/chart")).text
        await filled(kit.app, kit.context)
        text = (await browser.get("/faults/chart?by=cause")).text
        assert text.count("<rect") == 2 and "<polyline" in text and "57.1" in text
        assert "PUMP" in (await browser.get("/faults/chart?by=item")).text
        assert "<rect" in (await browser.get("/faults/chart?by=<script>")).text
        guest = await kit.client("faults.fault.view")
        assert (await guest.get("/faults/chart")).status_code == 403
