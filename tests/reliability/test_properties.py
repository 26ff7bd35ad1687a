"""H1 and H2: whatever is posted balances, and what is taken back has never been."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import msgspec
from hypothesis import strategies as st
from newel.domain.context import Context
from newel.domain.document import DocumentInput, LineInput
from newel.services.app import Newel
from newel.services.setup import set_up_company
from newel_sdk.strategies import samples

from core.tests.test_engine import company, open_items
from core.tests.toys import order, paying
from tests.reliability.books import MODULES, goods, sound
from tests.reliability.conftest import Run
from tests.reliability.sizes import size

MOST = D(10) ** 12 - D("0.01")  # the highest price; ten of them are 10^15 cents
PRICES = st.one_of(st.just(D(0)), st.just(MOST), st.integers(1, 10**14 - 1).map(lambda n: D(n).scaleb(-2)), st.integers(1, 999).map(lambda n: D(n).scaleb(-2)))
EACH = 100  # examples of one company: what an account stands at fits 64 bits, as SQLite counts
COUNTS = st.one_of(st.integers(1, 5), st.integers(1, 20))


async def _with_rates(app: Newel, context: Context, n: int) -> Context:
    """A company for the next examples, with rates of currencies; the first is there already."""
    if n:
        made = await set_up_company(app, code=f"C{n}", name="Next", currency="EUR", country="DE", price_digits=2, first_year=2026)
        context = msgspec.structs.replace(context, company=made)
    for currency, rate in (("USD", "0.913"), ("JPY", "0.0062"), ("KWD", "2.9")):
        await app.records.save("newel.currency_rate", None, {"currency": currency, "rate": rate, "date_from": "2026-01-01"}, context)
    return context


async def test_every_posting_balances(database_url: str, run: Run) -> None:
    """In its currency and in the company's: lines of nothing, 1 to 999 lines, amounts up to 10^15 cents; and a planted cent is found."""
    examples = samples(st.tuples(COUNTS, st.lists(PRICES, min_size=1, max_size=4), st.sampled_from(["EUR", "USD", "JPY", "KWD"])), size("H1 examples"))
    examples.append((999, [D("0.01"), D(0), MOST], "EUR"))
    async with company(database_url, MODULES) as (app, context):
        for code, rate in (("VAT", "19"), ("CITY", "2.5")):
            await app.records.save("newel.tax_rate", None, {"code": code, "name": code, "category": "standard", "rate": rate}, context)
        lines_posted = 0
        for n, (count, prices, currency) in enumerate(examples):
            if n % EACH == 0:
                there = await _with_rates(app, context, n)
            digits = {"JPY": 0, "KWD": 3}.get(currency, 2)
            parts = [(prices[i % len(prices)] / count).quantize(D(1).scaleb(-digits)) for i in range(count)]
            lines = tuple(LineInput(kind="charge", text="work", price=part, quantity=D(10)) for part in parts)
            made = await app.documents.create("toy.invoice", DocumentInput(party="C1", currency=currency, lines=lines), there, then=["post"])
            lines_posted += len(made.document.lines)
        async with app.database.read() as session:
            off = await session.fetch(
                "SELECT entry FROM posting GROUP BY entry HAVING SUM(debit) <> SUM(credit) OR (COUNT(DISTINCT currency) = 1 AND SUM(amount) <> 0)"
            )
            largest = int(await session.value("SELECT MAX(debit) AS n FROM posting"))
        assert off == []
        await sound(app)
        run.note(examples=len(examples), lines=lines_posted, largest=D(largest).scaleb(-4))


async def _standing(app: Newel) -> list[Any]:
    """Balances of every account, what lies where and is promised, and what is open."""
    async with app.database.read() as session:
        accounts = await session.fetch("SELECT account, SUM(debit - credit) AS n FROM posting GROUP BY account HAVING SUM(debit - credit) <> 0")
        stock = await session.fetch(
            "SELECT item, location, SUM(quantity) AS q, SUM(value) AS v, SUM(reserved) AS r FROM stock_balance GROUP BY item, location "
            "HAVING SUM(quantity) <> 0"
        )
        items = await session.fetch("SELECT id, amount_open FROM open_item WHERE amount_open <> 0")
    return [sorted(tuple(map(int, r.values())) for r in rows) for rows in (accounts, stock, items)]


async def _sale(app: Newel, context: Context, quantity: int, price: D, part: D) -> list[int]:
    """Goods go, are invoiced and paid in part; returns the documents in the order in which they were made."""
    gone = (await app.documents.create("toy.delivery", DocumentInput(party="C1", lines=order(("BOLT", quantity)).lines), context, then=["ship"])).document
    billed = (await app.documents.create("toy.invoice", order(("BOLT", quantity, price)), context, then=["post"])).document
    owed = await open_items(app, billed.id)
    amount = (billed.gross * part).quantize(D("0.01"))
    if not owed or not amount:
        return [gone.id, billed.id]
    paid = (await app.documents.create("toy.payment", paying(owed[0]["id"], amount), context, then=["post"])).document
    return [gone.id, billed.id, paid.id]


async def test_what_is_taken_back_has_never_been(database_url: str, run: Run) -> None:
    """Every account, every place and every open item is as it was, whatever was posted in between."""
    cases = samples(st.tuples(st.integers(1, 40), st.decimals(0, 999, places=3), st.sampled_from([D(1), D("0.5"), D("0.333"), D(0)])), size("H2 sales"))
    async with company(database_url, MODULES) as (app, context):
        await app.documents.create("toy.receipt", DocumentInput(lines=(LineInput(item="BOLT", quantity=D(7), price=D("3.33")),)), context, then=["receive"])
        await app.documents.create("toy.receipt", goods(NUT=3), context, then=["receive"])
        before = await _standing(app)
        for quantity, price, part in cases:
            for id in reversed(await _sale(app, context, quantity, price, part)):
                await app.documents.act(id, "undo", context)
            assert await _standing(app) == before, (quantity, price, part)
        await sound(app)
        run.note(sales=len(cases))
