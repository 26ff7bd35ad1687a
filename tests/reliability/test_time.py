"""T1 to T3: dates of business, clocks that step, the ends of years."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as D
from zoneinfo import ZoneInfo

import pytest
from newel.config import Config
from newel.domain.document import DocumentInput, LineInput
from newel.errors import Refused
from newel.jobs.worker import Worker
from newel.manifest import Job, Manifest
from newel.services.app import Newel
from newel.store import tables_document as t
from newel_sdk.kit import Clock
from newel_sdk.testing import running

from core.tests.test_engine import company
from core.tests.toys import TOY, plugin
from tests.reliability.books import MODULES, sound

ZONES = ("Europe/Berlin", "Europe/Ljubljana", "America/New_York", "Europe/Istanbul", "Asia/Shanghai", "UTC")
# Hours before and after midnight on the days of change to and from summer time, at the end of a year, and on a leap day.
DAYS = (date(2026, 3, 29), date(2026, 10, 25), date(2026, 3, 8), date(2026, 11, 1), date(2026, 12, 31), date(2028, 2, 29))


@pytest.mark.parametrize("zone", ZONES)
def test_the_date_of_business_is_that_of_the_company(zone: str) -> None:
    """The server keeps UTC; half an hour before and after midnight where the company is are two days there."""
    for day in DAYS:
        midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)) + timedelta(days=1)
        for minutes, expected in ((-30, day), (0, day + timedelta(days=1)), (30, day + timedelta(days=1))):
            now = midnight.astimezone(UTC) + timedelta(minutes=minutes)
            app = Newel(Config(database="sqlite:///unused.db", zone=zone), {"toy": TOY}, lambda now=now: now)
            assert app.system(None).today == expected, (zone, now)


async def test_a_clock_that_steps_keeps_numbers_keys_and_leases(database_url: str) -> None:
    """An hour back, a day on, a little to and fro: entries stay in the order of their numbers, keys hold, and no job runs twice."""
    clock, ran = Clock(), list[int]()

    async def work(_session: object, payload: dict[str, int], _context: object) -> None:
        ran.append(payload["n"])

    brings = plugin("jobs", Manifest(name="jobs", label="Jobs", jobs=(Job(name="jobs.note", run=work),)))
    async with running(database_url, {**MODULES, "jobs": brings}, clock) as (app, _context):
        entered = DocumentInput(lines=(LineInput(kind="charge", text="work", price=D(5)),))
        numbers, worker = [], Worker(app)
        for n, step in enumerate((timedelta(0), timedelta(hours=-1), timedelta(days=1), timedelta(seconds=-3), timedelta(milliseconds=40))):
            clock.now += step
            async with app.database.write() as session:
                context = await app.context(session, app.system(None).user)
                session.add(t.Job, name="jobs.note", payload=f'{{"n": {n}}}', state="waiting", created_at=clock.now, created_by="test", available_at=clock.now)
            made = [await app.documents.create("toy.receipt", entered, context, then=["receive"], key=f"k{n}") for _ in range(2)]
            assert made[0].document.id == made[1].document.id
            numbers.append(made[0].document.number)
            while await worker.once():
                pass
        assert numbers == [f"RE2026-{n:05d}" for n in range(1, 6)]
        clock.advance(days=2)
        while await worker.once():
            pass
        assert sorted(ran) == list(range(5))
        await sound(app)


async def test_years_end_leap_days_and_periods_of_other_lengths(database_url: str) -> None:
    """The last and the first day of a year draw from two series; a leap day is a day; periods of 4-4-5 weeks and short years are kept as they are entered."""
    async with company(database_url, MODULES, years=1) as (app, context):
        entered = (LineInput(kind="charge", text="work", price=D(5)),)

        async def post(day: date) -> str:
            made = await app.documents.create("toy.invoice", DocumentInput(party="C1", date=day, lines=entered), context, then=["post"])
            return made.document.number

        start = date(2027, 1, 1)
        for n, weeks in enumerate((4, 4, 5) * 4 + (9,)):  # the rest, to the leap day of the year after, is a short year
            end = start + timedelta(weeks=weeks) - timedelta(days=1) if n < 12 else date(2028, 2, 29)
            await app.records.save("newel.period", None, {"code": f"W{n}", "date_from": start, "date_to": end}, context)
            start = end + timedelta(days=1)
        assert [await post(d) for d in (date(2026, 12, 31), date(2027, 1, 1), date(2026, 12, 31))] == ["IN2026-00001", "IN2027-00001", "IN2026-00002"]
        assert await post(date(2028, 2, 29)) == "IN2028-00001"
        with pytest.raises(Refused) as refused:
            await post(date(2028, 3, 1))
        assert refused.value.problems[0].code == "period.missing"
        async with app.database.read() as session:
            first = await session.value("SELECT id FROM period WHERE code = 'W0'")
        await app.records.save("newel.period", first, {"state": "closed"}, context)
        with pytest.raises(Refused, match="W0 is closed"):
            await post(date(2027, 1, 28))
        assert await post(date(2027, 1, 29)) == "IN2027-00002"
        await sound(app)
