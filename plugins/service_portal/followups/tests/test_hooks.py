"""Requests that are made by themselves: a customer who buys no more, a payment that does not come."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from newel.errors import Refused
from newel_sdk.kit import Kit

pytestmark = pytest.mark.plugins("followups", "sales", "invoicing", "receivables")
KIND = "requests.request"


async def work(kit: Kit) -> None:
    """The worker looks once more."""
    from newel.jobs.worker import Worker

    await Worker(kit.app).plan_recurring()
    while await kit.deliver():
        pass


async def requests(kit: Kit) -> list[Any]:
    rows = await kit.rows("SELECT id FROM document WHERE kind = ? ORDER BY id", KIND)
    return [await kit.app.documents.get(r["id"], kit.context) for r in rows]


@pytest.mark.capability("SRV-06")
async def test_hook_register_plugin_no_sale_and_overdue_make_requests(kit: Kit) -> None:
    """ACME ordered on 15 January and never again; BETA has not paid 119.00 that were due on 15 January. On 16 April both have a request, once."""
    for number in ("ACME", "BETA", "NEVER"):
        await kit.party(number)
    await kit.item("PUMP", price=119)
    await kit.record("followups.rule", code="QUIET", event="no_sale", days=90, type="help", text="Ask what they need")
    await kit.record("followups.rule", code="LATE", event="overdue", days=30, type="account", again_days=14)
    await kit.document("sales.order", "ACME", ("PUMP", 1), then=["confirm"])
    bill = (await kit.document("invoicing.invoice", "BETA", ("PUMP", 1), then=["post"])).document
    kit.clock.advance(days=30)
    await work(kit)
    assert await requests(kit) == [], "30 days are not more than 30"
    kit.clock.advance(days=61)
    await work(kit)
    found = {d.party.number: d for d in await requests(kit)}
    assert set(found) == {"ACME", "BETA"}
    assert found["ACME"].text == "Ask what they need: the last one was on 2026-01-15, 91 days ago."
    assert found["BETA"].text == "Payment overdue: 119.00 EUR late, the oldest by 91 days."
    assert (found["BETA"].state, found["BETA"].reference, found["BETA"].data["requests"].about) == ("open", "LATE", bill.number)
    kit.clock.advance(days=2)
    await work(kit)
    assert len(await requests(kit)) == 2, "while it is open there is no other one"
    await kit.act(found["BETA"].id, "resolve")
    await work(kit)
    assert len(await requests(kit)) == 2, "not again before 14 days"
    kit.clock.advance(days=14)
    await work(kit)
    assert len(await requests(kit)) == 3


async def test_a_rule_that_is_wrong_stops_no_other_and_says_so(kit: Kit) -> None:
    """A request of the type charge needs lines, which nobody enters here."""
    for number in ("ACME", "BETA"):
        await kit.party(number)
    await kit.item("PUMP", price=Decimal(10))
    for number in ("ACME", "BETA"):
        await kit.document("sales.order", number, ("PUMP", 1), then=["confirm"])
    await kit.record("followups.rule", code="A", event="no_sale", days=1, type="charge")
    await kit.record("followups.rule", code="B", event="no_sale", days=1, type="help")
    await kit.record("followups.rule", code="OFF", event="no_sale", days=1, type="help", active=False)
    kit.clock.advance(days=9)
    await work(kit)
    assert [d.reference for d in await requests(kit)] == ["B", "B"]
    (job,) = await kit.rows("SELECT error FROM job WHERE name = 'followups.look'")
    assert "what it is about, as lines" in job["error"]
    with pytest.raises(Refused, match="0"):
        await kit.record("followups.rule", code="C", event="no_sale", days=0, type="help")
