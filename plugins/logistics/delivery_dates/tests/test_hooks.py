"""Each hook at work: an order over a holiday weekend, what is said about it, what it costs, and what is promised."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from newel.domain.document import DocumentInput, LineInput, ScheduleInput
from newel.domain.facts import Facts
from newel.errors import Refused, Severity
from newel.manifest import Panel
from newel.services import pages
from newel.store.master import load_master
from newel_delivery_dates import hooks
from newel_sdk.kit import Kit
from newel_sdk.testing import ask

pytestmark = pytest.mark.plugins("delivery_dates", "sales", "inventory", "purchasing", "shipping", "kits")
D = Decimal
ORDER = "sales.order"


async def works(kit: Kit, quantity: int = 10) -> None:
    """A works in Vienna that ships until three; two days to Austria, four to the rest by a lorry on Tuesdays; ten days for new pumps."""
    await kit.party("ACME", country="AT")
    await kit.party("SEA", country="IT")
    await kit.item("PUMP", price=50, cost=30)
    if quantity:
        await kit.stock("PUMP", quantity, 30 * quantity)
    await kit.record("delivery_dates.calendar", code="VIENNA", name="Vienna", zone="Europe/Vienna", days="Mon-Fri", cut_off="15:00", country="AT")
    await kit.record("delivery_dates.route", code="AT-2", name="Austria", country="AT", days=2)
    await kit.record("delivery_dates.route", code="LORRY", name="Elsewhere", leaves="Tue", days=4)
    await kit.record("delivery_dates.lead_time", item="PUMP", days=10)
    clock_at(kit, "2026-10-23T16:20")


def clock_at(kit: Kit, text: str) -> None:
    """Local time in Vienna, in summer."""
    kit.clock.now = datetime.fromisoformat(f"{text}:00+02:00").astimezone(UTC)


async def typed(kit: Kit, who: str, *quantities: int, **header: Any) -> tuple[list[Panel], list[Any]]:
    """The panels of an order of pumps that is being typed, and its problems."""
    lines = tuple(LineInput(item="PUMP", quantity=D(q)) for q in quantities)
    outcome = await kit.app.documents.preview(ORDER, DocumentInput(party=who, lines=lines, **header), kit.context)
    return await panels(kit, outcome.document), [p for p in outcome.problems if p.code.startswith("delivery_dates.")]


async def panels(kit: Kit, document: Any) -> list[Panel]:
    async with kit.app.database.read() as session:
        return [p for name, p in await pages.panels(kit.app, session, document, kit.context) if name == "delivery_dates"]


def rows(panel: Panel) -> list[tuple[str, str, str]]:
    """Label, detail and day of each row."""
    return [(k, getattr(v, "unit", v), f"{getattr(v, 'value', '')}") for k, v in panel.rows]


async def test_hook_propose_panels_tells_the_way_to_the_day(kit: Kit) -> None:
    """After the cut-off, a weekend, a holiday; a lorry on Tuesdays; nothing in stock. What a line before takes is gone."""
    await works(kit)
    found, _problems = await typed(kit, "ACME", 10)
    assert rows(found[0]) == [
        ("Ordered", "16:20", "2026-10-23"), ("After the cut-off", "15:00", "2026-10-24"), ("No working day", "", "2026-10-26"),
        ("Holiday", "Nationalfeiertag", "2026-10-27"), ("In stock", "10 EA", "2026-10-27"), ("Leaves", "AT-2", "2026-10-27"),
        ("Working days under way", "AT-2 · 2", "2026-10-29"), ("With the customer", "", "2026-10-29"),
    ]  # fmt: skip
    assert rows(found[-1]) == [("All of it", "", "2026-10-29")]
    clock_at(kit, "2026-10-20T16:20")  # a Tuesday, when the lorry has left
    found, _problems = await typed(kit, "SEA", 6, 6)
    assert [r[2] for r in rows(found[0])][-1] == "2026-11-02"
    second = rows(found[1])
    assert ("Not enough in stock", "4 / 6 EA", "2026-10-21") in second
    assert ("Lead time in working days", "10", "2026-11-05") in second
    assert second[-1] == ("With the customer", "", "2026-11-16"), "the lorry leaves on 10 November"
    assert rows(found[-1]) == [("All of it", "", "2026-11-16"), ("First of it", "", "2026-11-02")]
    assert {p.slot for p in found[:2]} == {"when"}
    assert not any(p.shared for p in found)


async def test_hook_load_facts_knows_what_is_on_its_way(kit: Kit) -> None:
    """A purchase brings it before the lead time is over; what is promised to an open order is there for it, what is delivered is no longer dated."""
    await works(kit, 4)
    line = LineInput(item="PUMP", quantity=D(20))
    bought = DocumentInput(party="SEA", date_requested=date(2026, 10, 28), lines=(line,))
    order = (await kit.app.documents.create("purchasing.order", bought, kit.context, then=("send",))).document
    found, _problems = await typed(kit, "ACME", 10)
    assert ("On its way to us", order.number, "2026-10-28") in rows(found[0])
    assert rows(found[0])[-1][2] == "2026-10-30"
    sale = (await kit.document(ORDER, "ACME", ("PUMP", 4), then=["confirm"])).document
    assert ("In stock", "4 EA", "2026-10-27") in rows((await panels(kit, sale))[0])
    await kit.follow(sale.id, "deliver", then=["ship"])
    async with kit.app.database.read() as session:
        sale = await kit.app.documents.get(sale.id, kit.context, session)
    assert await panels(kit, sale) == []


async def test_what_lies_elsewhere_is_not_here(kit: Kit) -> None:
    """Ten pumps in another warehouse do not make a line quicker that ships from here; what is bought does, and there they are in stock."""
    await works(kit, 0)
    other = await kit.app.records.save("newel.location", None, {"code": "LINZ", "name": "Linz", "kind": "storage"}, kit.context)
    line = LineInput(item="PUMP", quantity=D(10), price=D(30))
    await kit.document("inventory.receipt", None, line, location_to=other, then=["receive"])
    await kit.app.documents.create(
        "purchasing.order", DocumentInput(party="SEA", date_requested=date(2026, 10, 28), lines=(line,)), kit.context, then=("send",)
    )
    await kit.record("delivery_dates.calendar", code="LINZ", name="Linz", location=other, zone="Europe/Vienna", days="Mon-Sun", cut_off="18:00")
    found, _problems = await typed(kit, "ACME", 10)
    assert [r[0] for r in rows(found[0])][4:6] == ["Not enough in stock", "On its way to us"]
    found, _problems = await typed(kit, "ACME", 10, location_from=other)
    assert [r[2] for r in rows(found[0])] == ["2026-10-23"] * 3 + ["2026-10-25"] * 2, "people in Linz work on weekends, and until six"


async def test_hook_check_document_says_what_can_not_be_kept(kit: Kit) -> None:
    """Only where a day is asked for; once for a day of the header, of the line that comes last; with the step that takes longest."""
    await works(kit)
    assert (await typed(kit, "ACME", 10))[1] == []
    assert (await typed(kit, "ACME", 10, date_requested=date(2026, 10, 29)))[1] == []
    [problem] = (await typed(kit, "ACME", 6, 6, date_requested=date(2026, 10, 28)))[1]
    assert (problem.code, problem.where, problem.severity) == ("delivery_dates.late", "date_requested", Severity.NOTE)
    assert problem.message == "PUMP can be with the customer on 2026-11-12 at the earliest, asked for is 2026-10-28"
    assert problem.hint == "most of it: Lead time in working days: 10"
    kept = await kit.document(ORDER, "ACME", ("PUMP", 10), date_requested=date(2026, 10, 28), then=["confirm"])
    assert kept.document.phase == "open", "it is only pointed out"
    await kit.settings("delivery_dates", strict=True)
    with pytest.raises(Refused) as refused:
        await kit.document(ORDER, "ACME", ("PUMP", 10), date_requested=date(2026, 10, 28), then=["confirm"])
    assert [(p.code, p.severity) for p in refused.value.problems if p.code.startswith("delivery")] == [("delivery_dates.late", Severity.OVERRIDE)]
    found, _problems = await typed(kit, "ACME", 2, date_requested=date(2026, 10, 28))
    assert [(o.what, o.values) for o in found[0].offers] == [("2026-11-12", {"deliveries": "2026-11-12"})], "one click asks for the day that can be kept"
    assert (await typed(kit, "ACME", 2, date_requested=date(2026, 11, 12)))[0][0].offers == ()
    later = await kit.document(ORDER, "ACME", ("PUMP", 10), date_requested=date(2026, 12, 1), then=["confirm"])
    assert later.document.phase == "open"


async def test_days_that_are_promised(kit: Kit) -> None:
    """By one call: the earliest day, or the later one that is asked for; a day that was confirmed stays unless it is said again."""
    await works(kit)
    lines = (
        LineInput(item="PUMP", quantity=D(2)),
        LineInput(item="PUMP", quantity=D(4), schedules=(ScheduleInput(quantity=D(1)), ScheduleInput(quantity=D(3), date_requested=date(2026, 12, 1)))),
    )
    sale = (await kit.document(ORDER, "ACME", *lines, then=["confirm"])).document
    client = await kit.client("delivery_dates.route.view", "sales.order.view", "sales.order.schedule")
    address = f"/api/delivery_dates/documents/{sale.id}/promise"

    async def confirmed() -> list[tuple[str, str]]:
        sql = "SELECT CAST(date_confirmed AS VARCHAR) AS day, CAST(date_requested AS VARCHAR) AS asked FROM line_schedule WHERE document = ? ORDER BY line, id"
        return [(r["day"], r["asked"]) for r in await kit.rows(sql, sale.id)]

    assert (await client.post(address, json={})).status_code == 204
    assert await confirmed() == [("2026-10-29", None), ("2026-10-29", None), ("2026-12-01", "2026-12-01")]
    clock_at(kit, "2026-11-02T10:00")
    again = await client.post(address, json={})
    assert (again.status_code, again.json()["problems"][0]["code"]) == (409, "delivery_dates.nothing")
    assert (await confirmed())[0] == ("2026-10-29", None)
    shown = await panels(kit, await kit.app.documents.get(sale.id, kit.context))
    assert [(p.text, rows(p)[0]) for p in shown[:1]] == [("Later than promised", ("As of now", "09:00", "2026-11-02"))], "in winter time"
    assert (await client.post(address, json={"again": True})).status_code == 204
    assert await confirmed() == [("2026-11-04", None), ("2026-11-04", None), ("2026-12-01", "2026-12-01")]
    looker = await kit.client("sales.order.view")
    assert (await looker.post(address, json={})).status_code == 403
    page = (await (await kit.browser()).get(f"/document/{sale.id}")).text
    assert "Promise these days" in page
    assert page.count("Why this day") == 4, "two lines, each with the words and the caption"


async def test_a_kit_comes_with_the_last_of_its_parts(kit: Kit) -> None:
    await works(kit)
    await kit.item("HOSE", price=5, cost=2)
    made = await kit.record("kits.kit", item=await kit.item("SET", price=60, cost=1))
    for part in ("PUMP", "HOSE"):
        await kit.record("kits.component", kit=made, item=part, quantity=1)
    order = (await kit.document(ORDER, "ACME", ("SET", 1))).document
    found = await panels(kit, order)
    assert [(p.line, p.slot) for p in found] == [(order.lines[0].id, "when"), (None, "side")]
    assert rows(found[0])[-1] == ("Nobody knows when", "1 EA", ""), "there are no hoses, and nobody knows how long they take"
    assert rows(found[1]) == [("All of it", "…", ""), ("First of it", "", "2026-10-29")]


async def test_it_costs_nothing_where_nothing_is_kept(kit: Kit) -> None:
    """No statement more on saving and looking; and with calendars none on saving where no day is asked for, and few on looking, however many lines."""
    await kit.party("ACME")
    await kit.item("PUMP", price=50, cost=30)

    async def spent(writable: bool, lines: int, asked: date | None = None) -> tuple[int, bool]:
        entered = DocumentInput(party="ACME", date_requested=asked, lines=tuple(LineInput(item="PUMP", quantity=D(1)) for _ in range(lines)))
        document = (await kit.app.documents.preview(ORDER, entered, kit.context)).document
        async with kit.app.database.write() if writable else kit.app.database.read() as session:
            master = await load_master(session)
            before = session.statements
            found = await ask(hooks.load_facts, document, "", Facts([master]), session, kit.context)
            return session.statements - before, found is not None

    await spent(False, 1)
    assert [await spent(w, 3, date(2026, 1, 20)) for w in (True, False)] == [(0, False), (0, False)]
    await kit.record("delivery_dates.lead_time", days=3)
    await spent(False, 1)
    assert await spent(True, 3) == (0, False)
    assert {await spent(False, n) for n in (1, 30)} == {(2, True)}


def test_hook_register_plugin() -> None:
    manifest = hooks.register_plugin()
    assert manifest.needs == ()
    assert [r.name for r in manifest.records if r.menu] == ["delivery_dates.calendar", "delivery_dates.route", "delivery_dates.lead_time"]
