"""Who is told of what: whichever process has changed it, nobody of what is not theirs to know, and nobody keeps others waiting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from newel.config import Config
from newel.domain.document import DocumentInput, LineInput
from newel.services.app import Newel
from newel_live import facts, hooks
from newel_live.work import MOST, MOST_OF_ONE, Hub, hub_of
from newel_sdk.kit import Kit, modules

pytestmark = pytest.mark.plugins("live", "shop")


async def begun(hub: Hub, user: int, **wanted: list[str]) -> tuple[Any, AsyncIterator[bytes]]:
    """A page that listens; what changes from now on is told to it."""
    listener = hub.enter(user, {f"live.{topic}": keys for topic, keys in wanted.items()})
    assert listener is not None
    events = hub.told(listener, {"word": "said"})
    assert await anext(events) == b'event: ready\ndata: {"word":"said"}\n\n'
    return listener, events


async def test_hook_register_plugin_another_process_changes_and_this_one_tells(kit: Kit) -> None:
    """A second install over the same database sells a lamp: whoever looks at lamps or at the order hears it, whoever looks at frames does not."""
    await kit.party("ACME")
    lamp, frame = await kit.item("LAMP", price=5, cost=2), await kit.item("FRAME", price=7, cost=3)
    await kit.stock("LAMP", 10, 20)
    order = (await kit.document("shop.order", "ACME", ("LAMP", 2))).document
    hub = hub_of(kit.app)
    assert hub_of(kit.app) is hub
    _one, lamps = await begun(hub, 1, item=[str(lamp)], document=[str(order.id)])
    two, frames = await begun(hub, 2, item=[str(frame)])
    other = Newel(Config(database=kit.app.config.database), modules(("live", "shop")), kit.clock)
    await other.start(migrations=False)
    try:
        entered = DocumentInput(party="ACME", lines=(LineInput(id=order.lines[0].id, item="LAMP", quantity=Decimal(3)),))
        await other.documents.update(order.id, order.version, entered, kit.context)
        assert await asyncio.wait_for(anext(lamps), 300) == f'event: changed\ndata: [["live.document","{order.id}"]]\n\n'.encode()
        await other.documents.act(order.id, "confirm", kit.context)
        heard = b""
        while f'["live.item","{lamp}"]'.encode() not in heard:
            heard += await asyncio.wait_for(anext(lamps), 300)
        assert two.news == set()
    finally:
        await other.close()
        await lamps.aclose()  # type: ignore[attr-defined]
        await frames.aclose()  # type: ignore[attr-defined]
    assert hub.listeners == []


async def test_who_does_not_read_keeps_nobody_waiting_and_grows_no_heap(kit: Kit) -> None:
    """Three changes are one thing to be told, whoever is slow; others hear of each."""
    await kit.party("ACME")
    order = (await kit.document("shop.order", "ACME", reference="a")).document
    hub = hub_of(kit.app)
    slow, unread = await begun(hub, 1, document=[str(order.id)])
    quick, events = await begun(hub, 2, document=[str(order.id)])
    for n in range(3):
        stored = await kit.app.documents.get(order.id, kit.context)
        await kit.app.documents.update(order.id, stored.version, DocumentInput(party="ACME", reference=str(n)), kit.context)
        await hub.look()
        assert b"changed" in await asyncio.wait_for(anext(events), 300)
        assert (slow.news, quick.news) == ({("live.document", str(order.id))}, set())
    assert await anext(unread) == f'event: changed\ndata: [["live.document","{order.id}"]]\n\n'.encode()
    slow.end()
    quick.end()
    assert [event async for event in unread] == []
    assert [event async for event in events] == []
    assert hub.listeners == []


async def test_so_many_listen_and_no_more(kit: Kit) -> None:
    """Of one user the oldest page goes; where all places are taken there is none."""
    hub = Hub(kit.app)
    first = hub.enter(1, {})
    assert first is not None
    for _ in range(MOST_OF_ONE):
        hub.enter(1, {})
    assert (first.ended, first in hub.listeners, len(hub.listeners)) == (True, False, MOST_OF_ONE)
    for user in range(2, MOST):
        hub.enter(user, {})
    assert len(hub.listeners) == MOST
    assert hub.enter(0, {}) is None


async def test_nobody_watches_what_they_may_not_see(kit: Kit) -> None:
    """Not the stock for who stands for a party, and no document without the right."""
    await kit.party("ACME")
    order = (await kit.document("shop.order", "ACME")).document
    party = (await kit.rows("SELECT id FROM party"))[0]["id"]
    guest = msgspec.structs.replace(kit.context, user=msgspec.structs.replace(kit.context.user, party=party))
    nobody = msgspec.structs.replace(kit.context, user=msgspec.structs.replace(kit.context.user, permissions=frozenset()))
    assert await facts.allowed_items(kit.app, ["1"], guest) == []
    assert await facts.allowed_documents(kit.app, [str(order.id), "999"], guest) == [str(order.id)]
    assert await facts.allowed_documents(kit.app, [str(order.id)], nobody) == []
    assert [w.topic for w in hooks.register_plugin().watches] == ["live.document", "live.item"]
