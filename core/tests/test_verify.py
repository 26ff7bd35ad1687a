"""verify finds what is planted, names the row, and nothing else."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest
from newel.domain.document import LineInput, ScheduleInput
from newel.services.app import Newel
from newel.services.verify import CHECKS, verify

from core.tests.test_engine import company, open_items
from core.tests.toys import order, paying

# check -> a statement that breaks it
FAULTS = {
    "balanced": "UPDATE posting SET debit = debit + 1 WHERE id = (SELECT MIN(id) FROM posting WHERE debit > 0)",
    "chain": "UPDATE posting SET account = (SELECT MAX(id) FROM account) WHERE id = (SELECT MIN(id) FROM posting)",
    "totals": "UPDATE document SET net = net + 1, gross = gross + 1 WHERE kind = 'toy.order'",
    "taxes": "UPDATE tax_line SET amount = amount + 1",
    "steps": "UPDATE price_step SET amount_out = amount_out + 1 WHERE id = (SELECT MAX(id) FROM price_step)",
    "steps connected": "UPDATE price_step SET amount_in = 1 WHERE sequence = 0 AND id = (SELECT MIN(id) FROM price_step)",
    "links": "UPDATE line_link SET quantity = quantity * 10",
    "links firm": "UPDATE line_link SET firm = NOT firm",
    "stock": "UPDATE stock_balance SET quantity = quantity + 1000000 WHERE id = (SELECT MIN(id) FROM stock_balance)",
    "stock without moves": "UPDATE stock_balance SET location = (SELECT id FROM location WHERE kind = 'transit')",
    "reservations": "UPDATE stock_balance SET reserved = reserved + 1 WHERE id = (SELECT MIN(id) FROM stock_balance)",
    "open items": "UPDATE open_item SET amount_open = amount_open - 1 WHERE amount_open > 0",
    "settled by the ledger": "UPDATE open_item SET company_open = company_open - 1, company_amount = company_amount - 1 WHERE amount_open > 0",
    "number series": "UPDATE number_series SET next = next + 1 WHERE kind = 'toy.invoice'",
    "parts": "UPDATE document SET parts = 0",
    "moves": "UPDATE stock_move SET value = value + 10000 WHERE id = (SELECT MAX(id) FROM stock_move)",
}


async def a_day(app: Newel, context: Any) -> None:
    """Enough that every check has something to look at."""
    await app.records.save("newel.tax_rate", None, {"code": "VAT", "name": "VAT", "category": "standard", "rate": "19"}, context)
    line = LineInput(item="BOLT", quantity=D(10), schedules=(ScheduleInput(quantity=D(4)), ScheduleInput(quantity=D(6))))
    entered = order(("NUT", 3))
    made = (await app.documents.create("toy.order", type(entered)(party="C1", lines=(line, *entered.lines)), context, then=["confirm"])).document
    await app.documents.follow(made.id, "deliver", context, then=["ship"])
    invoice = (await app.documents.follow(made.id, "invoice", context, then=["post"])).document
    (owed,) = await open_items(app, invoice.id)
    await app.documents.create("toy.payment", paying(owed["id"], "7.00"), context, then=["post"])


async def _unlock(app: Newel) -> None:
    """Somebody with the database's own rights takes the triggers away."""
    async with app.database.write() as session:
        if session.sqlite:
            for row in await session.fetch("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
                await session.fetch(f'DROP TRIGGER "{row["name"]}"')
        else:
            for table in ("journal_entry", "posting", "stock_move"):
                await session.fetch(f'ALTER TABLE "{table}" DISABLE TRIGGER ALL')


def test_every_check_has_a_planted_fault() -> None:
    assert set(FAULTS) == set(CHECKS) | {"chain", "moves"}


@pytest.mark.parametrize("check", FAULTS)
async def test_a_planted_fault_is_found(database_url: str, check: str) -> None:
    from newel_sdk.testing import running

    from core.tests.toys import TOY

    async with company(database_url) as (app, context):
        await a_day(app, context)
    async with running(database_url, {"toy": TOY}) as (app, context):
        assert await verify(app) == []
        await _unlock(app)
        async with app.database.write() as session:
            await session.fetch(FAULTS[check])
        found = await verify(app)
    assert check in {f.check for f in found}
    assert all(f.where.split()[-1] and f.message for f in found)


async def test_a_missing_entry_breaks_the_chain(sqlite_url: str) -> None:
    from newel_sdk.testing import running

    from core.tests.toys import TOY

    async with company(sqlite_url) as (app, context):
        await a_day(app, context)
    async with running(sqlite_url, {"toy": TOY}) as (app, context):
        await _unlock(app)
        async with app.database.write() as session:
            middle = await session.value("SELECT id FROM journal_entry WHERE number = 2")
            await session.fetch("DELETE FROM posting WHERE entry = ?", middle)
            await session.fetch("DELETE FROM journal_entry WHERE id = ?", middle)
        assert next(f.where for f in await verify(app) if f.check == "chain").endswith("number 2")
