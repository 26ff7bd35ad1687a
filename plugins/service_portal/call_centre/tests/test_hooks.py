"""A telephone system speaks to us over HTTP: it rings, somebody answers, a request is made, the recording comes."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
from newel.services.pages import detail
from newel_call_centre.rules import signature
from newel_sdk.kit import LOGIN, Kit

pytestmark = pytest.mark.plugins("call_centre", "requests", "shop")
TELEPHONE = ("call_centre.call.view", "call_centre.call.edit")


class Telephone:
    """A telephone system, as makers write them: it knows a token and perhaps a secret, and tells of each call."""

    def __init__(self, client: httpx.AsyncClient, kit: Kit, secret: str = "") -> None:
        self.client, self.kit, self.secret = client, kit, secret

    async def tell(self, call: str, event: str, **more: Any) -> httpx.Response:
        body = json.dumps({"call": call, "event": event, **more}).encode()
        headers = {"Content-Type": "application/json"}
        if self.secret:
            headers["X-Newel-Signature"] = signature(self.secret, body, self.kit.clock())
        return await self.client.post("/api/call_centre/events", content=body, headers=headers)


async def telephone(kit: Kit, secret: str = "") -> Telephone:
    return Telephone(await kit.client(*TELEPHONE), kit, secret)


async def panels(kit: Kit, id: int) -> list[Any]:
    return [p for name, p in (await detail(kit.app, id, kit.context)).panels if name == "call_centre"]


@pytest.mark.capability("SRV-10")
async def test_hook_register_plugin_from_the_ringing_to_the_request(kit: Kit) -> None:
    """ACME calls: the agent sees who it is and the open order, makes a request, hangs up after two minutes; the recording is with the request."""
    acme = await kit.party("ACME", phone="+49 (30) 1234-5678", service_level=7)
    await kit.item("PUMP", price=100)
    order = (await kit.document("shop.order", "ACME", ("PUMP", 1), then=["confirm"])).document
    system = await telephone(kit)
    assert (await system.tell("c-1", "started", number="030 12345678", agent=LOGIN)).status_code == 200
    agent = await kit.client()
    seen = (await agent.get("/api/call_centre/pop")).json()["pop"]
    assert seen["call"]["state"] == "ringing"
    assert [(c["id"], c["name"], c["service_level"]) for c in seen["callers"]] == [(acme, "Acme", 7)]
    assert [d["number"] for d in seen["open"]] == [order.number]
    kit.clock.advance(minutes=1)
    await system.tell("c-1", "answered")
    call = seen["call"]["id"]
    made = await agent.post(f"/api/call_centre/calls/{call}/request", json={"text": "It drips"})
    assert made.status_code == 201, made.text
    again = await agent.post(f"/api/call_centre/calls/{call}/request", json={"text": "It drips"})
    assert again.json() == made.json(), "one call makes one request"
    kit.clock.advance(minutes=2)
    await system.tell("c-1", "ended")
    await system.tell("c-1", "recorded", recording="https://pbx.example/c-1.ogg")
    assert (await agent.get("/api/call_centre/pop")).json() == {"pop": None}
    request = await kit.act(made.json()["id"], "submit")
    assert (request.document.text, request.document.party.id, request.document.state) == ("It drips", acme, "open")
    (panel,) = await panels(kit, request.document.id)
    assert [(name, shown.value, shown.url) for name, shown in panel.rows] == [("2026-01-15 09:00", "030 12345678", "https://pbx.example/c-1.ogg")]
    (row,) = await kit.rows("SELECT answered_at, ended_at, document FROM call_centre_call")
    assert row["document"] == made.json()["id"]


async def test_an_event_twice_or_late_changes_nothing(kit: Kit) -> None:
    await kit.party("ACME", phone="030 12345678")
    system = await telephone(kit)
    for event in ("ended", "started", "started", "answered"):
        kit.clock.advance(minutes=1)
        assert (await system.tell("c-1", event, number="030 12345678", agent="erin")).status_code == 200
    rows = await kit.rows("SELECT started_at, ended_at FROM call_centre_call")
    assert len(rows) == 1


async def test_hook_load_facts_only_requests_have_calls(kit: Kit) -> None:
    await kit.party("ACME")
    await kit.item("PUMP", price=100)
    order = (await kit.document("shop.order", "ACME", ("PUMP", 1))).document
    assert await panels(kit, order.id) == []


async def test_hook_propose_panels_nothing_where_nobody_called(kit: Kit) -> None:
    await kit.party("ACME")
    asked = (await kit.document("requests.request", "ACME")).document
    assert await panels(kit, asked.id) == []


async def test_who_is_not_signed_or_has_no_right_is_refused(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWEL_CALL_CENTRE_SECRET", "nine-oak-treads")
    assert (await (await telephone(kit)).tell("c-1", "started")).status_code == 403
    assert (await (await telephone(kit, "another")).tell("c-1", "started")).status_code == 403
    assert (await (await telephone(kit, "nine-oak-treads")).tell("c-1", "started")).status_code == 200
    nobody = Telephone(await kit.client("call_centre.call.view"), kit, "nine-oak-treads")
    assert (await nobody.tell("c-2", "started")).status_code == 403
    stale = await telephone(kit, "nine-oak-treads")
    body = json.dumps({"call": "c-3", "event": "started"}).encode()
    headers = {"Content-Type": "application/json", "X-Newel-Signature": signature("nine-oak-treads", body, kit.clock() - timedelta(minutes=9))}
    assert (await stale.client.post("/api/call_centre/events", content=body, headers=headers)).status_code == 403
    monkeypatch.delenv("NEWEL_CALL_CENTRE_SECRET")
    wrong = await (await telephone(kit)).tell("c-1", "recorded", recording="javascript:alert(1)")
    assert (wrong.status_code, "https" in wrong.text) == (422, True)
    longer = await (await telephone(kit)).tell("c-1", "started", number="1" * 501)
    assert (longer.status_code, "number" in longer.text) == (422, True)


async def test_several_partners_with_one_number_and_none(kit: Kit) -> None:
    """Two firms share a number: the agent chooses. A withheld number is nobody's; then a request names the partner itself."""
    first, second = [await kit.party(number, phone="030-12345678") for number in ("ACME", "BETA")]
    system, agent = await telephone(kit), await kit.client()
    await system.tell("c-1", "started", number="+493012345678", agent=LOGIN)
    seen = (await agent.get("/api/call_centre/pop")).json()["pop"]
    assert [c["id"] for c in seen["callers"]] == [first, second]
    refused = await agent.post(f"/api/call_centre/calls/{seen['call']['id']}/request", json={})
    assert (refused.status_code, "call_centre.caller" in refused.text) == (422, True)
    made = await agent.post(f"/api/call_centre/calls/{seen['call']['id']}/request", json={"party": second})
    assert (await kit.app.documents.get(made.json()["id"], kit.context)).party.id == second
    await system.tell("c-1", "ended")
    await system.tell("c-2", "started", agent=LOGIN)
    assert (await agent.get("/api/call_centre/pop")).json()["pop"]["callers"] == []
    assert (await agent.post("/api/call_centre/calls/999/request", json={})).status_code == 404


@pytest.mark.plugins("call_centre")
async def test_alone_it_notes_calls_and_says_what_is_missing(kit: Kit) -> None:
    await kit.party("ACME", phone="030-12345678")
    await kit.settings("call_centre", extensions={"12": LOGIN})
    system, agent = await telephone(kit), await kit.client()
    await system.tell("c-1", "started", number="030-12345678", agent="12")
    call = (await agent.get("/api/call_centre/pop")).json()["pop"]["call"]["id"]
    refused = await agent.post(f"/api/call_centre/calls/{call}/request", json={})
    assert (refused.status_code, "requests.request" in refused.text) == (409, True)


async def test_the_page_shows_the_caller_and_makes_the_request(kit: Kit) -> None:
    await kit.party("ACME", phone="030-12345678")
    system, browser = await telephone(kit), await kit.browser()
    assert "Nobody is calling" in (await browser.get("/call_centre")).text
    await system.tell("c-1", "started", number="030-12345678", agent=LOGIN)
    (call,) = await kit.rows("SELECT id FROM call_centre_call")
    now = (await browser.get("/call_centre/now")).text
    assert "Acme" in now and "New request" in now and "<html" not in now
    done = await browser.post(f"/call_centre/calls/{call['id']}/request", data={"party": ""})
    (made,) = await kit.rows("SELECT id FROM document WHERE kind = 'requests.request'")
    assert (done.status_code, done.headers["location"]) == (303, f"/document/{made['id']}/edit")
