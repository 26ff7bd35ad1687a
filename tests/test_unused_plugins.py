"""Installing a plugin changes nothing for documents that do not use it: row by row, the same is written."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest
from newel.domain.document import DocumentInput, LineInput, LinkInput
from newel.plugins import discover
from newel.services.app import Newel
from newel.services.verify import verify
from newel_sdk.testing import item, party, running, stock

MODULES = discover()[0]
BASE = ("inventory", "invoicing", "pricelists", "receivables", "sales", "shipping")
OTHERS = sorted(set(MODULES) - set(BASE))
# Everything that an order leaves behind, without ids: those move with whatever else a plugin sets up.
ROWS = {
    "document": "kind, role, number, state, phase, currency, rate, date, date_due, net, tax, gross, version, parts, data",
    "document_line": "position, kind, key, text, quantity, unit, factor, price_entered, discount_entered, price, net, tax, cost, taxes, account_role, data",
    "line_schedule": "quantity, date_requested, date_confirmed, release_code",
    "line_link": "kind, quantity, firm",
    "price_step": "sequence, stage, plugin, rule, amount_in, amount_out, reason",
    "tax_line": "code, category, rate, base, amount, account_role",
    "document_hold": "code, reason, plugin",
    "document_event": "action, source, changes",
    "stock_move": "quantity, value, date",
    "stock_balance": "quantity, reserved, value",
    "stock_reservation": "quantity",
    "journal_entry": "number, date, text",
    "posting": "role, debit, credit, currency, amount",
    "open_item": "role, currency, date, date_due, amount, amount_open, company_amount, company_open",
    "settlement": "amount, company_amount",
    "outbox": "topic, plugin",
}


async def written(url: str, names: list[str]) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of a quotation that is ordered, delivered in two parts, billed, paid in part and brought back in part."""
    async with running(url, {n: MODULES[n] for n in names}) as (app, context):
        do = app.documents
        await party(app, context, "C1", terms="NET30", limit_amount="100000")
        for number, price in (("BOLT", "10.00"), ("NUT", "0.33")):
            await stock(app, context, await item(app, context, number, price=price, cost="2"), 50, 100)
        await app.records.save("newel.tax_rate", None, {"code": "VAT", "name": "VAT", "category": "standard", "rate": "19"}, context)
        lines = tuple(LineInput(item=n, quantity=D(q), discount=D(d)) for n, q, d in (("BOLT", 3, 0), ("NUT", 7, 5)))
        quotation = (await do.create("sales.quotation", DocumentInput(party="C1", lines=lines), context, then=["send"])).document
        order = (await do.follow(quotation.id, "order", context, then=["confirm"])).document
        first = await do.follow(order.id, "deliver", context, lines=[LinkInput(line=order.lines[0].id, quantity=D(2))], then=["pick", "ship"])
        await do.follow(order.id, "deliver", context, then=["ship"])
        invoice = (await do.follow(order.id, "invoice", context, then=["post"])).document
        async with app.database.read() as session:
            open_item = await session.value("SELECT id FROM open_item WHERE document = ?", invoice.id)
        payment = DocumentInput(party="C1", lines=(LineInput(kind="payment", price=D(5), settles=open_item),))
        await do.create("receivables.payment", payment, context, then=["post"])
        back = [LinkInput(line=first.document.lines[0].id, quantity=D(1))]
        await do.follow(first.document.id, "return", context, lines=back, then=["receive"])
        assert await verify(app) == []
        return await _rows(app)


async def _rows(app: Newel) -> dict[str, list[tuple[Any, ...]]]:
    async with app.database.read() as session:
        return {
            table: [tuple(r[c] for c in columns.split(", ")) for r in await session.fetch(f'SELECT {columns} FROM "{table}" ORDER BY id')]
            for table, columns in ROWS.items()
        }  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
async def test_an_installed_plugin_that_is_not_used_writes_nothing(name: str, sqlite_url: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    needs: set[str] = set()
    todo = [name]
    while todo:  # what it needs comes along
        needs.add(found := todo.pop())
        todo += [n for n in MODULES[found].register_plugin().needs if n not in needs]
    plain = await written(sqlite_url, [*BASE])
    more = await written(f"sqlite:///{tmp_path_factory.mktemp('more')}/newel.db", sorted({*BASE, *needs}))
    for table, rows in plain.items():
        assert more[table] == rows, table
