"""What a transaction may be asked, and what it refuses to write."""

from __future__ import annotations

from datetime import date
from decimal import Decimal as D

import pytest
from newel.store import tables_document as t
from newel_sdk.testing import TODAY, item, party, running

from core.tests.toys import TOY, order


async def test_a_list_is_asked_for_whatever_its_length(database_url: str) -> None:
    """None, one and several of numbers, texts and days give what they name; so does everything but them."""
    async with running(database_url, {"toy": TOY}) as (app, context):
        await party(app, context, "C1")
        await item(app, context, "BOLT", price="10.00")
        ids = [(await app.documents.create("toy.order", order(("BOLT", n)), context)).document.id for n in (1, 2, 3)]
        async with app.database.read() as session:
            for wanted in ([], ids[:1], ids[1:], ids):
                found = await session.fetch("SELECT id FROM document WHERE id = ANY(?) ORDER BY id", wanted)
                assert [r["id"] for r in found] == wanted
                others = await session.fetch("SELECT id FROM document WHERE NOT id = ANY(?) AND kind = ANY(?) ORDER BY id", wanted, ["toy.order"])
                assert [r["id"] for r in others] == [id for id in ids if id not in wanted]
            for days in ([TODAY], [TODAY, date(2000, 1, 1)]):
                assert len(await session.fetch("SELECT id FROM document WHERE date = ANY(?) AND role = 'sale'", days)) == 3
            both = await session.fetch("SELECT id FROM document WHERE id = ANY(?) AND state = ANY(?)", ids[:1], ["draft", "open"])
            assert [r["id"] for r in both] == ids[:1]


async def test_a_number_that_is_not_scaled_is_refused_in_any_row(sqlite_url: str) -> None:
    """SQLite would keep it as a float: no row of the statement is written."""
    async with running(sqlite_url, {"toy": TOY}) as (app, context):
        await item(app, context, "BOLT", price="10.00")

        async def write() -> None:
            async with app.database.write() as session:
                for balance in (10_000, D("1.5"), 20_000):
                    session.add(t.StockReservation, line=1, balance=2, quantity=balance)

        with pytest.raises(TypeError, match="Decimal parameter: numbers are scaled integers"):
            await write()
        async with app.database.read() as session:
            assert await session.value("SELECT COUNT(*) AS n FROM stock_reservation") == 0
