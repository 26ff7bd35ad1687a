"""Each hook of the smallest plugin at work, on both databases."""

from typing import Any

import msgspec
import newel_minimum
import pytest
from newel.errors import Refused

pytestmark = pytest.mark.plugins("minimum", "shop")


def test_hook_register_plugin_says_what_it_is() -> None:
    assert newel_minimum.register_plugin().name == "minimum"


async def test_hook_check_document_asks_below_the_minimum(kit: Any) -> None:
    await kit.party("C1")
    await kit.item("BOLT", price=5, kind="service")
    await kit.document("shop.order", "C1", ("BOLT", 4), then=["confirm"])
    with pytest.raises(Refused) as refused:
        await kit.document("shop.order", "C1", ("BOLT", 3), then=["confirm"])
    assert [p.message for p in refused.value.problems] == ["a sale of at least 20 EUR was expected, got 15.00"]
    small = (await kit.document("shop.order", "C1", ("BOLT", 3))).document
    anyway = msgspec.structs.replace(kit.context, overrides=frozenset({"minimum.amount"}))
    assert (await kit.app.documents.act(small.id, "confirm", anyway)).document.state == "confirmed"


async def test_the_minimum_is_a_setting(kit: Any) -> None:
    await kit.party("C1")
    await kit.item("BOLT", price=5, kind="service")
    await kit.settings("minimum", amount="0")
    assert (await kit.document("shop.order", "C1", ("BOLT", 1), then=["confirm"])).document.state == "confirmed"
