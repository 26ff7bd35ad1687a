"""A customer looks where an order is: bought, half of it shipped, half of that invoiced; and sees nobody else's."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest
from newel.domain.document import DocumentInput, LineInput, LinkInput, ScheduleInput
from newel_sdk.kit import Kit

D = Decimal
pytestmark = pytest.mark.plugins("order_status", "shop")


async def customer(kit: Kit, party: int, login: str) -> httpx.AsyncClient:
    """A program of a user who stands for a party."""
    client = await kit.client("order_status.view", "shop.order.view")
    (row,) = await kit.rows("SELECT id FROM app_user WHERE login LIKE 'user%' AND party IS NULL")
    await kit.app.records.save("newel.user", row["id"], {"party": party}, kit.context)
    return client


def states(order: dict[str, Any]) -> list[tuple[str, str, int]]:
    return [(s["name"], s["state"], s["percent"]) for s in order["stages"]]


@pytest.mark.capability("REP-06")
async def test_hook_register_plugin_a_customer_sees_where_the_order_is(kit: Kit) -> None:
    """Ten pumps for 20 and 30 January: six are shipped and three of those invoiced; then the rest."""
    mine, other = await kit.party("ACME"), await kit.party("OTHER")
    await kit.item("PUMP", price=100)
    await kit.stock("PUMP", 20, 1000)
    schedules = tuple(ScheduleInput(quantity=D(5), date_requested=date(2026, 1, day)) for day in (20, 30))
    line = LineInput(item="PUMP", quantity=D(10), schedules=schedules)
    order = (await kit.document("shop.order", "ACME", line, reference="PO-7", then=["confirm"])).document
    await kit.document("shop.order", "OTHER", ("PUMP", 1), then=["confirm"])
    client = await customer(kit, mine, "erin")
    (seen,) = (await client.get("/api/order_status/orders")).json()
    assert (seen["number"], seen["open"], seen["gross"]) == (order.number, True, "1000.0000")
    assert states(seen) == [("shipping", "none", 0), ("invoicing", "none", 0)]
    assert seen["lines"][0]["due"] == "2026-01-20"

    follow, first = kit.app.documents.follow, order.lines[0].id
    packed = (await follow(order.id, "deliver", kit.context, lines=[LinkInput(line=first, quantity=D(6))])).document
    (seen,) = (await client.get("/api/order_status/orders")).json()
    assert states(seen)[0] == ("shipping", "started", 0)
    await kit.act(packed.id, "ship")
    await follow(order.id, "invoice", kit.context, lines=[LinkInput(line=first, quantity=D(3))], then=("post",))
    (seen,) = (await client.get("/api/order_status/orders?number=PO-7")).json()
    assert states(seen) == [("shipping", "partly", 60), ("invoicing", "partly", 30)]
    assert seen["stages"][0]["documents"] == [[packed.number, "2026-01-15"]]
    assert (seen["lines"][0]["done"]["shipping"], seen["lines"][0]["due"]) == ("6.000000", "2026-01-30")

    await kit.follow(order.id, "deliver", then=["ship"])
    await kit.follow(order.id, "invoice", then=["post"])
    (seen,) = (await client.get("/api/order_status/orders")).json()
    assert (states(seen), seen["open"], seen["lines"][0]["due"]) == ([("shipping", "done", 100), ("invoicing", "done", 100)], False, None)
    assert len((await (await customer(kit, other, "eve")).get("/api/order_status/orders")).json()) == 1
    assert len((await (await kit.client()).get("/api/order_status/orders")).json()) == 2
    assert (await (await kit.client("shop.order.view")).get("/api/order_status/orders")).status_code == 403


@pytest.mark.plugins("order_status", "sales", "purchasing", "dropship")
@pytest.mark.capability("REP-06")
async def test_what_is_bought_for_an_order_is_production(kit: Kit) -> None:
    """What a vendor ships straight to the customer is under way as soon as the vendor knows of it."""
    await kit.party("ACME")
    vendor = await kit.party("VENDOR")
    await kit.item("PUMP", price=100, cost=50)
    order = (await kit.document("sales.order", "ACME", ("PUMP", 4), then=["confirm"])).document
    await kit.app.documents.follow(order.id, "procure", kit.context, input=DocumentInput(party=vendor), then=("send",))
    (seen,) = (await (await kit.client()).get("/api/order_status/orders")).json()
    assert states(seen)[0] == ("production", "done", 100)


async def test_the_page_says_it_in_words(kit: Kit) -> None:
    await kit.party("ACME")
    await kit.item("PUMP", price=100)
    await kit.stock("PUMP", 20, 1000)
    order = (await kit.document("shop.order", "ACME", ("PUMP", 2), then=["confirm"])).document
    browser = await kit.browser()
    await kit.follow(order.id, "deliver", then=["ship"])
    text = (await browser.get("/order_status")).text
    assert order.number in text and "shipped" in text and "not invoiced yet" in text
    assert "There is no order with this number" in (await browser.get("/order_status?number=none")).text
