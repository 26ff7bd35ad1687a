"""Dates are promised after an order has become open; what was delivered of a scheduled part stays known."""

from __future__ import annotations

from datetime import date
from decimal import Decimal as D

import pytest
from newel.domain.document import DocumentInput, LineInput, ScheduleInput
from newel.errors import Refused
from newel_sdk.testing import item, party, running

from core.tests.toys import TOY

MAY, JUNE = date(2030, 5, 3), date(2030, 6, 4)


async def test_a_date_is_promised(database_url: str) -> None:
    async with running(database_url, {"toy": TOY}) as (app, context):
        await party(app, context, "C1")
        await item(app, context, "A", price="10")
        order = DocumentInput(party="C1", lines=(LineInput(item="A", quantity=D(10)), LineInput(item="A", quantity=D(1))))
        made = (await app.documents.create("toy.order", order, context, then=["confirm"])).document
        first = made.lines[0].id
        parts = (ScheduleInput(quantity=D(4), date_confirmed=MAY), ScheduleInput(quantity=D(6), date_confirmed=JUNE))
        after = await app.documents.schedule(made.id, made.version, {first: parts}, context)
        stored = await app.documents.get(made.id, context)
        assert [(s.quantity, s.date_confirmed) for s in stored.lines[0].schedules] == [(D(4), MAY), (D(6), JUNE)]
        assert (stored.lines[1].schedules, stored.version, stored.net) == ((), after.version, D(110))

        later = (ScheduleInput(quantity=D(10), date_confirmed=JUNE),)
        moved = await app.documents.schedule(made.id, after.version, {first: later}, context)
        assert [s.id for s in moved.lines[0].schedules] == [stored.lines[0].schedules[0].id], "the first one stays what it is"
        async with app.database.read() as session:
            assert await session.value("SELECT COUNT(*) AS n FROM line_schedule WHERE document = ?", made.id) == 1

        with pytest.raises(Refused) as caught:
            await app.documents.schedule(made.id, moved.version, {first: (ScheduleInput(quantity=D(9)),), 7: ()}, context)
        assert sorted(p.code for p in caught.value.problems) == ["missing", "schedule.sum"]
        with pytest.raises(Refused) as caught:
            await app.documents.schedule(made.id, made.version, {first: later}, context)
        assert caught.value.status == 409, "somebody else was there first"


async def test_what_is_promised_is_checked_like_what_is_entered(sqlite_url: str) -> None:
    async with running(sqlite_url, {"toy": TOY}) as (app, context):
        await party(app, context, "C1")
        await item(app, context, "A", price="10")
        made = (await app.documents.create("toy.order", DocumentInput(party="C1", lines=(LineInput(item="A", quantity=D(2)),)), context)).document
        wrong = (ScheduleInput(quantity=D("NaN"), date_confirmed=date(999, 1, 1), release_code="x" * 40), ScheduleInput(quantity=D(0)))
        with pytest.raises(Refused) as caught:
            await app.documents.schedule(made.id, made.version, {made.lines[0].id: wrong}, context)
        assert {p.code for p in caught.value.problems} == {"quantity.range", "date.range", "text.long"}
