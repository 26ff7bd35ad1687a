"""Other numbers of items at work."""

from __future__ import annotations

import pytest
from newel_item_numbers import hooks
from newel_sdk.kit import Kit

pytestmark = pytest.mark.plugins("item_numbers")


async def test_hook_register_plugin_finds_an_item_by_what_others_call_it(kit: Kit) -> None:
    """A customer's number counts for that customer, one of nobody's for all."""
    (record,) = hooks.register_plugin().records
    acme, other = await kit.party("ACME"), await kit.party("OTHER")
    lamp = await kit.item("LAMP", price=5)
    await kit.record(record.name, item=lamp, party=acme, number="THEIR-77")
    await kit.record(record.name, item=lamp, number="LABEL-5")

    async def found(text: str, party: int | None = None) -> list[int]:
        return [id for id, _title in await kit.app.records.options("newel.item", text, kit.context, party=party)]

    assert await found("THEIR-77", acme) == [lamp]
    assert await found("their-7", acme) == [lamp]
    assert await found("THEIR-77", other) == []
    assert await found("THEIR-77") == []
    assert await found("LABEL-5", other) == [lamp]
