"""Upkeep at work: the books are examined on demand, what somebody changed behind Newel's back is named, and so is a number that lacks."""

from __future__ import annotations

import pytest
from newel_sdk.kit import Kit

pytestmark = pytest.mark.plugins("upkeep", "inventory")


async def examined(kit: Kit) -> str:
    """Ask for an examination on the page, let the worker do it, and look."""
    browser = await kit.browser()
    for _twice in range(2):
        assert (await browser.post("/upkeep/examine")).status_code == 303
    assert "waiting" in (await browser.get("/upkeep")).text
    await kit.deliver()
    return (await browser.get("/upkeep")).text


async def test_hook_register_plugin_the_books_are_examined_on_demand(kit: Kit) -> None:
    """Asked twice is once; what adds up is said so, what does not is named with its row."""
    await kit.item("BOLT", price=2, cost=1)
    made = await kit.document("inventory.receipt", None, ("BOLT", 5), then=("receive",))
    page = await examined(kit)
    assert page.count("everything adds up") == 1
    assert "/report/newel.journal" in page
    async with kit.app.database.write() as session:
        await session.fetch("UPDATE document SET net = net + 10000, gross = gross + 10000 WHERE id = ?", made.document.id)
    page = await examined(kit)
    assert "1 finding" in page
    assert f"document {made.document.id}" in page
    client = await kit.client("upkeep.numbers.view")
    assert (await client.get("/upkeep")).status_code == 403


async def test_numbers_that_no_document_has_are_named(kit: Kit) -> None:
    """None lacks while Newel draws them; one that somebody takes away is named."""
    await kit.item("BOLT", price=2, cost=1)
    ids = [(await kit.document("inventory.receipt", None, ("BOLT", 5), then=("receive",))).document.id for _ in range(3)]
    client = await kit.client("upkeep.numbers.view")

    async def rows() -> list[dict[str, object]]:
        found: list[dict[str, object]] = (await client.get("/api/reports/upkeep.numbers")).json()["rows"]
        return found

    (row,) = await rows()
    assert (row["last"], row["drawn"], row["documents"], row["lacking"]) == ("GR2026-00003", "3", "3", "")
    async with kit.app.database.write() as session:
        await session.fetch("UPDATE document SET number = 'X' WHERE id = ?", ids[1])
    (row,) = await rows()
    assert (row["documents"], row["lacking"]) == ("2", "GR2026-00002")
