"""What planner, technician and customer have on their screens."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from newel.domain.document import Document, LineInput
from newel_sdk.kit import LOGIN, Kit
from newel_sdk.testing import NOW
from newel_visits.rules import Planned, VisitData, calendar

D = Decimal
VISIT = "visits.visit"
pytestmark = pytest.mark.plugins("visits", "requests", "inventory", "invoicing", "receivables")


async def visit(kit: Kit, **more: Any) -> Document:
    """Today at ten, for the user who is the technician."""
    await kit.party("ACME", name="Acme & Söhne; Mills, Ltd", phone="+49 30 1234")
    await kit.item("HOUR", price=80, kind="service", unit="H")
    await kit.item("SEAL", price=15, cost=4)
    await kit.stock("SEAL", 10, 40)
    await kit.record("visits.technician", code=LOGIN.upper(), name="Ada Admin")
    await kit.record("visits.technician", code="OLAF", name="Olaf Ries")
    await kit.record("visits.checklist", code="PUMP", name="Pumps", tasks="Is it tight?\nNoise, bearing")
    await kit.settings("visits", zone="Europe/Berlin", labour="HOUR")
    data = {"visits": {"technician": LOGIN.upper(), "time": "10:00", "checklist": "PUMP", **more}}
    line = LineInput(kind="text", text="Look at the pump")
    return (await kit.document(VISIT, "ACME", line, date_requested=date(2026, 1, 15), data=data, then=["confirm"])).document


@pytest.mark.capability("SRV-01", screen="/visits/mine")
async def test_a_technician_does_a_visit_on_the_telephone(kit: Kit) -> None:
    """On the way, on site, an hour and two seals, checked and signed, done: 110.00, in five presses."""
    made = await visit(kit)
    browser = await kit.browser()
    mine = (await browser.get("/visits/mine")).text
    assert "10:00" in mine and f"/visits/{made.id}" in mine and "Acme &amp; Söhne" in mine
    page = f"/visits/{made.id}"
    shown = (await browser.get(page)).text
    assert "On the way" in shown and 'href="tel:+49 30 1234"' in shown
    for step in ("leave", "arrive"):
        assert (await browser.post(f"{page}/act", data={"transition": step})).status_code == 303
    kit.clock.advance(minutes=50)
    shown = (await browser.get(page)).text
    assert "Is it tight?" in shown and "On site: 0.75" in shown, "hours are proposed by the quarter"
    assert (await browser.post(f"{page}/work", data={"hours": "an hour"})).status_code == 422
    refused = await browser.post(f"{page}/act", data={"transition": "finish"})
    assert refused.status_code == 422 and "the customer has not signed" in refused.text and "Is it tight?, Noise, bearing" in refused.text
    entered = {"hours": "1", "item_text": "SEAL", "quantity": "2", "task-0": "true", "remark-1": "loud", "name": "Ida Mertens", "report": "<b>Tight</b>"}
    assert (await browser.post(f"{page}/work", data=entered)).status_code == 303
    after = (await browser.get(page)).text
    assert "Signed by Ida Mertens" in after and "&lt;b&gt;Tight" in after and "<b>Tight" not in after
    assert (await browser.post(f"{page}/act", data={"transition": "finish"})).status_code == 303
    done = await kit.app.documents.get(made.id, kit.context)
    assert (done.state, done.net, [t.done for t in done.data["visits"].tasks]) == ("done", D(110), [True, False])
    assert await kit.verify() == []


async def test_the_plan_of_a_week_and_the_calendar(kit: Kit) -> None:
    made = await visit(kit)
    browser = await kit.browser()
    plan = (await browser.get("/visits")).text
    assert "Ada Admin" in plan and "Olaf Ries" in plan and f"/visits/{made.id}" in plan and "Thu" in plan
    assert f"/visits/{made.id}" not in (await browser.get("/visits?day=2026-01-19")).text
    assert (await browser.get("/visits?day=nonsense")).status_code == 200
    answer = await browser.get("/visits/mine.ics")
    lines = answer.text.split("\r\n")
    assert answer.headers["content-type"].startswith("text/calendar") and "DTSTART:20260115T090000Z" in lines and "DTEND:20260115T100000Z" in lines
    assert f"SUMMARY:Acme & Söhne\\; Mills\\, Ltd {made.number}" in lines
    technician = await kit.client(f"{VISIT}.view")
    assert [(await technician.get(path)).status_code for path in ("/visits", "/visits/mine", f"/visits/{made.id}")] == [403, 200, 200]
    assert (await technician.post(f"/visits/{made.id}/work", data={})).status_code == 403
    assert (await browser.get("/visits/999999")).status_code == 404


async def test_a_visit_is_planned_from_a_request_through_the_api(kit: Kit) -> None:
    """A request in words only becomes a visit, too; a second press makes a second visit."""
    await visit(kit)
    data = {"requests": {"type": "help"}}
    asked = (await kit.document("requests.request", "ACME", text="It drips", data=data, then=["submit"])).document
    client = await kit.client()
    body = {"technician": "OLAF", "day": "2026-01-16", "time": "08:00", "minutes": 30}
    answer = await client.post(f"/api/visits/requests/{asked.id}/visit", json=body)
    assert answer.status_code == 201, answer.text
    found = await kit.app.documents.get(answer.json()["id"], kit.context)
    assert (found.text, found.reference, found.data["visits"].minutes) == ("It drips", asked.number, 30)
    wrong = await client.post(f"/api/visits/documents/{found.id}/plan", json={"technician": "NOBODY"})
    assert wrong.status_code == 422 and "visits.technician" in wrong.text
    assert (await client.post(f"/api/visits/documents/{found.id}/sign", json={"name": "Ida"})).status_code == 422, "a draft is not signed"
    again = await client.post(f"/api/visits/requests/{asked.id}/visit", json={})
    assert again.json()["id"] != found.id
    browser = await kit.browser()
    shown = (await browser.get(f"/document/{asked.id}")).text
    assert found.number in shown and "Plan a visit" in shown
    fields = {"visit.technician": "OLAF", "visit.day": "2026-01-17", "visit.time": "09:00", "visit.minutes": "45"}
    assert (await browser.post(f"/do/visits/visit/{asked.id}", data=fields)).status_code == 303


def test_long_lines_of_a_calendar_are_folded() -> None:
    """No line has more than 75 octets, and no character is cut: unfolded, the text is what it was."""
    name = "Größe " * 30
    made = calendar([Planned(id=1, number="V1", state="confirmed", party=name, day=date(2026, 1, 15), data=VisitData(time="10:00"))], "UTC", NOW, "h")
    assert all(len(line.encode()) <= 75 for line in made.split("\r\n"))
    assert f"SUMMARY:{name} V1" in made.replace("\r\n ", "")
