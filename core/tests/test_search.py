"""Search finds a document by what people know of it, and where nothing fits it looks through no more than the latest."""

from __future__ import annotations

import msgspec
import pytest
from newel.services import searching
from newel_sdk.testing import item, party, running

from core.tests.toys import TOY, order


async def test_by_number_count_reference_and_party(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(database_url, {"toy": TOY}) as (app, context):
        for number in ("C1", "C2"):
            await party(app, context, number, name=f"Miller {number}")
        await item(app, context, "A", price="10")
        made = []
        for reference, customer in (("PO 4711 north", "C1"), ("PO 4712 south", "C2"), ("", "C1")):
            entered = msgspec.structs.replace(order(("A", 1), party=customer), reference=reference)
            made.append((await app.documents.create("toy.order", entered, context)).document)
        first, second, third = (d.id for d in made)

        async def found(text: str) -> list[int]:
            return [head.id for head in await searching.search(app, text, context)]

        assert await found(made[0].number) == [first]
        assert await found(made[0].number.lower()) == [first]
        assert await found("1") == [first], "the count of a number, as people say it"
        assert await found("00002") == [second]
        assert await found("po 4712") == [second]
        assert await found("C1") == [third, first]
        assert await found("iller C2") == [second]
        for slip in ("Miler C2", "Mller C2", "Milller C2", "Mlller C2", "Milelr C2"):
            assert await found(slip) == ([second] if slip[:2] == "Mi" else []), "one letter may be wrong, behind the first two"
        assert await found("Mixxer C2") == []
        assert await found("4711") == [first]
        assert await found("nowhere") == []
        monkeypatch.setattr(searching, "LATEST", 1)
        assert await found("4711") == [], "in the middle of a reference only of the latest"
        assert await found("2") == [second], "by what it is counted as it is found for ever"
