"""What the workshop gives to authors of plugins."""

from decimal import Decimal

import pytest
from newel_sdk.testing import TODAY, item, party, running, stock

from core.tests.toys import TOY


async def test_a_company_with_goods_in_its_warehouse(database_url: str) -> None:
    async with running(database_url, {"toy": TOY}) as (app, context):
        assert context.today == TODAY
        await item(app, context, "BOLT", price="2", cost="1.25")
        await party(app, context, "C1")
        await stock(app, context, "BOLT", 10, "12.50")
        async with app.database.read() as session:
            row = await session.one("SELECT quantity, value FROM stock_balance")
        assert (row["quantity"], row["value"]) == (10_000_000, 125_000)
        app.registry.documents.clear()
        with pytest.raises(LookupError):
            await stock(app, context, "BOLT", 1, Decimal(1))
