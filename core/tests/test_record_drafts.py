"""Records that know of others when they are checked, and that plugins propose with a transition; taxes that adjustments see."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from decimal import Decimal as D
from typing import Any

import pytest
from newel.domain.document import Draft
from newel.domain.pricing import Adjustment
from newel.errors import Problem, Refused
from newel.manifest import Manifest, RecordKind
from newel.services.app import Newel
from newel.store.columns import Id
from piccolo.columns import Varchar
from piccolo.table import Table

from core.tests.test_engine import codes, company
from core.tests.toys import order, plugin

LIMIT = 3


class Ticket(Table, tablename="lottery_ticket"):
    id = Id()
    holder = Varchar(length=40)


async def sold(session: Any, rows: Sequence[Mapping[str, Any]], context: Any) -> int:
    """How many there will be; whoever asks has them to himself until the commit."""
    await session.fetch("SELECT id FROM company WHERE id = ? FOR UPDATE", context.company.id)
    return int(await session.value("SELECT COUNT(*) AS n FROM lottery_ticket")) + sum(r["id"] is None for r in rows)


def limited(values: Mapping[str, Any], count: int) -> list[Problem]:
    return [Problem(code="lottery.sold_out", message=f"{count} of {LIMIT} for {values['holder']}", where="holder")] if count > LIMIT else []


KIND = RecordKind(name="lottery.ticket", table=Ticket, label="Ticket", label_plural="Tickets", title=("holder",), check=limited, check_facts=sold)


def lottery(record: str = "lottery.ticket") -> Any:
    """Every confirmed order comes with a ticket."""

    def propose_documents(document: Any, transition: str) -> list[Draft]:
        return [Draft(record=record, values={"holder": document.number})] if transition == "confirm" else []

    return plugin("lottery", Manifest(name="lottery", label="Lottery", tables=(Ticket,), records=(KIND,)), propose_documents=propose_documents)


async def _table(app: Newel) -> None:
    async with app.database.write() as session:
        await session.fetch("CREATE TABLE lottery_ticket (id BIGINT PRIMARY KEY NOT NULL, holder VARCHAR(40) NOT NULL)")


async def _tickets(app: Newel) -> list[str]:
    async with app.database.read() as session:
        return [r["holder"] for r in await session.fetch("SELECT holder FROM lottery_ticket ORDER BY holder")]


async def test_a_check_knows_of_other_records(database_url: str) -> None:
    async with company(database_url, {"lottery": lottery()}) as (app, context):
        await _table(app)
        for holder in ("a", "b"):
            made = await app.records.save("lottery.ticket", None, {"holder": holder}, context)
        result = await app.records.import_rows("lottery.ticket", [{"holder": "c"}, {"holder": "d"}], context)
        assert [p.code for p in result.problems] == ["lottery.sold_out", "lottery.sold_out"], "loaded once for all rows"
        await app.records.save("lottery.ticket", None, {"holder": "c"}, context)
        with pytest.raises(Refused) as refused:
            await app.records.save("lottery.ticket", None, {"holder": "d"}, context)
        assert codes(refused) == ["lottery.sold_out"]
        await app.records.save("lottery.ticket", made, {"holder": "bb"}, context)
        assert await _tickets(app) == ["a", "bb", "c"]


async def test_a_record_is_made_with_a_transition_or_neither_is(database_url: str) -> None:
    """Its check decides under its own lock: of eight orders that are confirmed at once three get a ticket, and only those are confirmed."""
    async with company(database_url, {"lottery": lottery()}) as (app, context):
        await _table(app)
        orders = [(await app.documents.create("toy.order", order(("BOLT", 1)), context)).document for _ in range(8)]
        preview = await app.documents.preview_act(orders[0].id, "confirm", context)
        assert (preview.blocked, preview.drafts, await _tickets(app)) == (False, (), [])
        results = await asyncio.gather(*(app.documents.act(o.id, "confirm", context) for o in orders), return_exceptions=True)
        refused = [r for r in results if isinstance(r, Refused)]
        assert len(refused) == 5
        assert {p.code for r in refused for p in r.problems} == {"lottery.sold_out"}
        states = [(await app.documents.get(o.id, context)).state for o in orders]
        assert (states.count("confirmed"), len(await _tickets(app))) == (LIMIT, LIMIT)


async def test_a_plugin_makes_records_of_its_own_only(sqlite_url: str) -> None:
    async with company(sqlite_url, {"lottery": lottery("newel.unit")}) as (app, context):
        with pytest.raises(Refused) as refused:
            await app.documents.create("toy.order", order(("BOLT", 1)), context, then=["confirm"])
        assert codes(refused) == ["plugin.failed"]
        assert "'newel.unit' is no record kind of its own" in str(refused.value)


async def test_adjustments_see_the_taxes_of_lines(sqlite_url: str) -> None:
    """So that an amount that is meant with tax can be told in prices without."""

    def propose_adjustments(document: Any, stage: str) -> list[Adjustment]:
        if stage != "line" or document.role != "sale":
            return []
        return [Adjustment(rule="gross", line=x.id, amount=D(-119) / (D(100) + sum(t.rate for t in x.taxes))) for x in document.lines]

    async with company(sqlite_url, {"gross": plugin("gross", propose_adjustments=propose_adjustments)}) as (app, context):
        await app.records.save("newel.tax_rate", None, {"code": "VAT", "name": "VAT", "category": "standard", "rate": "19"}, context)
        made = (await app.documents.create("toy.order", order(("BOLT", 1)), context)).document
        assert (made.net, made.tax) == (D("9.00"), D("1.71"))
