"""Vans and depots are filled up: what lacks, what is proposed, and the documents that come of it; on both databases."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from newel.domain.document import DocumentInput, LineInput, LinkInput
from newel_restock import hooks
from newel_restock.routes import fill_up
from newel_restock.rules import Lack, RestockSettings, check_level, proposals
from newel_sdk.kit import kit_on

D = Decimal
AMOUNT = st.decimals("0", "1000", places=2)


def lack(**values: Any) -> Lack:
    return Lack(**{"location": 1, "item": 7, "number": "SEAL", "free": D(0), "coming": D(0), "minimum": D(2), "target": D(5), **values})


def test_hook_register_plugin() -> None:
    assert [m.path for m in hooks.register_plugin().menu] == ["/restock"]


@pytest.mark.parametrize(("free", "coming", "proposed"), [(0, 0, 5), (1, 0, 4), (2, 0, 0), (1, 1, 0), (0, 1, 4), (9, 0, 0)])
def test_up_to_the_target_where_less_than_the_minimum_is_there_or_coming(free: int, coming: int, proposed: int) -> None:
    assert lack(free=D(free), coming=D(coming)).quantity == proposed


@given(AMOUNT, AMOUNT, AMOUNT, AMOUNT)
def test_what_is_proposed_once_is_enough(free: Decimal, coming: Decimal, minimum: Decimal, more: Decimal) -> None:
    first = lack(free=free, coming=coming, minimum=minimum, target=minimum + more)
    assert first.quantity >= 0
    assert lack(free=free, coming=coming + first.quantity, minimum=minimum, target=minimum + more).quantity == 0


def test_a_document_for_each_way() -> None:
    found = proposals([lack(source=9), lack(item=8, source=9), lack(location=2, source=9), lack(location=9), lack(free=D(5))], RestockSettings())
    assert [(kind, x.location_from, x.location_to, len(x.lines)) for kind, x in found] == [
        ("inventory.transfer", 9, 1, 2), ("inventory.transfer", 9, 2, 1), ("purchasing.requisition", None, 9, 1),
    ]  # fmt: skip


def test_records() -> None:
    bad = {"minimum": D(5), "target": D(4), "location": 1, "source": 1}
    assert [p.where for p in check_level(bad)] == ["target", "source"]


@pytest.mark.capability("SRV-09", screen="/restock")
async def test_a_van_is_filled_up_from_the_depot_and_the_depot_is_bought_for(database_url: str) -> None:
    """The van should have 4 to 6 seals and has 1; the depot 30 to 50 and has 12. Five go to the van, 38 are to be ordered, and not twice."""
    async with kit_on(database_url, ["inventory", "purchasing", "restock"]) as kit:
        await kit.item("SEAL", price=15, cost=4)
        await kit.stock("SEAL", 13, 52)
        depot = (await kit.rows("SELECT id FROM location WHERE kind = 'storage'"))[0]["id"]
        place = {"code": "VAN1", "name": "Ann's van", "kind": "storage"}
        van = await kit.app.records.save("newel.location", None, place, kit.context)
        one = DocumentInput(location_from=depot, location_to=van, lines=(LineInput(item="SEAL"),))
        await kit.app.documents.create("inventory.transfer", one, kit.context, then=("move",))
        await kit.record("restock.level", location=van, item="SEAL", minimum="4", target="6", source=depot)
        await kit.record("restock.level", location=depot, item="SEAL", minimum="30", target="50")

        async def lacking(**parameters: Any) -> list[tuple[Any, ...]]:
            async with kit.app.database.read() as session:
                rows = await kit.app.registry.reports["restock.lacking"].load(session, parameters, kit.context)
            return [(r["place"], r["free"], r["coming"], r["quantity"], r["source"], r["there"]) for r in rows]

        assert sorted(await lacking()) == [("MAIN", D(12), D(0), D(38), "bought", None), ("VAN1", D(1), D(0), D(5), "MAIN", D(12))]
        assert await lacking(location=van) == [("VAN1", D(1), D(0), D(5), "MAIN", D(12))]
        us = await kit.browser()
        assert "Make transfers and requisitions" in (await us.get("/restock")).text
        assert (await us.post("/restock")).status_code == 303
        made = {r["kind"]: r["id"] for r in await kit.rows("SELECT id, kind FROM document WHERE text = 'Minimum stock'")}
        assert sorted(made) == ["inventory.transfer", "purchasing.requisition"]
        assert await lacking() == [] and await fill_up(kit.app, kit.context) == []
        assert "Nothing lacks" in (await us.get("/restock")).text
        assert sorted(await lacking(all=True))[1][:4] == ("VAN1", D(1), D(5), D(0))
        await kit.act(made["inventory.transfer"], "move")
        assert sorted(await lacking(all=True))[1][:4] == ("VAN1", D(6), D(0), D(0))
        assert await lacking() == [], "seven are in the depot, and 38 are coming"
        await kit.act(made["purchasing.requisition"], "approve")
        vendor = DocumentInput(party=await kit.party("SUPPLY"))
        bought = await kit.app.documents.follow(made["purchasing.requisition"], "purchase", kit.context, input=vendor, then=("send",))
        part = [LinkInput(line=bought.document.lines[0].id, quantity=D(8))]
        await kit.app.documents.follow(bought.document.id, "receive", kit.context, lines=part, then=("receive",))
        assert min(await lacking(all=True))[:4] == ("MAIN", D(15), D(30), D(0)), "ordered, and a part of it has come"
        await kit.act(bought.document.id, "close")
        assert [row[3] for row in await lacking()] == [D(35)], "the rest does not come any more"
        assert await kit.verify() == []


async def test_nobody_fills_up_who_may_not(sqlite_url: str) -> None:
    async with kit_on(sqlite_url, ["inventory", "restock"]) as kit:
        guest = await kit.client("restock.lacking.view")
        text = (await guest.get("/restock")).text
        assert "Make transfers" not in text
        assert (await guest.post("/restock")).status_code == 403
