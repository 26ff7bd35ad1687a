"""Each hook of loyalty at work, on both databases."""

from decimal import Decimal
from typing import Any

import pytest
from newel.services import pages
from newel_loyalty import hooks

pytestmark = pytest.mark.plugins("loyalty", "shop")


async def prepared(kit: Any) -> None:
    """Ten percent off from a hundred points on."""
    await kit.record("loyalty.tier", code="GOLD", name="Gold", points_min=100, percent=10)
    await kit.party("C1")
    await kit.item("BOLT", price=10, cost=4, kind="service")


async def billed(kit: Any, quantity: int) -> Any:
    """An order, and its invoice, posted."""
    order = await kit.document("shop.order", "C1", ("BOLT", quantity), then=["confirm"])
    return (await kit.follow(order.document.id, "invoice", then=["post"])).document


def test_hook_register_plugin_says_what_it_is() -> None:
    assert hooks.register_plugin().name == "loyalty"


async def test_hook_propose_documents_writes_points_and_takes_them_back(kit: Any) -> None:
    await prepared(kit)
    invoice = await billed(kit, 12)
    await kit.act(invoice.id, "undo")
    rows = await kit.rows("SELECT points, reason FROM loyalty_points ORDER BY id")
    assert [tuple(r.values()) for r in rows] == [(120, "invoice posted"), (-120, "invoice undone")]
    assert await kit.verify() == []


async def test_hook_load_facts_sees_a_changed_tier_at_once(kit: Any) -> None:
    await prepared(kit)
    await billed(kit, 10)
    await kit.app.records.save("loyalty.tier", (await kit.rows("SELECT id FROM loyalty_tier"))[0]["id"], {"percent": "50"}, kit.context)
    assert (await billed(kit, 10)).net == Decimal("50.00")


async def test_hook_propose_adjustments_makes_the_next_sale_cheaper(kit: Any) -> None:
    await prepared(kit)
    assert (await billed(kit, 10)).net == Decimal("100.00")
    assert (await billed(kit, 10)).net == Decimal("90.00")


async def test_hook_propose_panels_shows_points_and_tier(kit: Any) -> None:
    await prepared(kit)
    invoice = await billed(kit, 10)
    async with kit.app.database.read() as session:
        found = await pages.panels(kit.app, session, await kit.app.documents.get(invoice.id, kit.context, session), kit.context)
    assert [p.rows for plugin, p in found if plugin == "loyalty"] == [(("Points", "100"), ("Tier", "Gold"))]


async def test_programs_read_the_members(kit: Any) -> None:
    await prepared(kit)
    await billed(kit, 10)
    admin, other = await kit.client(), await kit.client("newel.item.view")
    (member,) = (await admin.get("/api/loyalty/members")).json()
    assert (member["points"], member["tier"]) == (100, "Gold")
    assert (await other.get("/api/loyalty/members")).status_code == 403


async def test_a_german_reads_german(kit: Any) -> None:
    client = await kit.browser()
    (user,) = await kit.rows("SELECT id FROM app_user")
    await kit.app.records.save("newel.user", user["id"], {"language": "de"}, kit.context)
    assert "Treuestufen" in (await client.get("/loyalty")).text
