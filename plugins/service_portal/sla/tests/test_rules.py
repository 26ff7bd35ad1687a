"""Business time: figures that anybody can check with a calendar in hand, and what must hold of all of them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from newel_sla.checks import check_calendar, check_step, check_target
from newel_sla.rules import NOTHING, Calendar, Course, Step, Target, choose, clock, due, elapsed, reached, spans, week, works

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = Calendar(code="OFFICE", zone="Europe/Berlin", week=week("Mon-Fri 08:00-17:00"), country="DE")
CALENDARS = (
    OFFICE,
    Calendar(code="SHOP", zone="America/New_York", week=week("Mon-Fri 09:00-12:30, 13:00-18:00; Sat 10:00-14:00"), country="US"),
    Calendar(code="NIGHT", zone="Europe/Istanbul", week=week("Mon-Sun 00:00-02:00, 22:00-24:00"), free=frozenset({date(2026, 7, 15)})),
    Calendar(code="ALWAYS", week=week("Mon-Sun 00:00-24:00")),
)
instants = st.integers(0, 7 * 366 * 24 * 60).map(lambda n: datetime(2024, 1, 1, tzinfo=UTC) + n * MINUTE)
lengths = st.integers(0, 30 * 24 * 60).map(lambda n: n * MINUTE)
calendars = st.sampled_from(CALENDARS)


def at(text: str) -> datetime:
    """A local time in Berlin, in summer, as an instant."""
    return datetime.fromisoformat(f"{text}:00+02:00").astimezone(UTC)


def test_over_easter_four_hours_last_five_days() -> None:
    """On Maundy Thursday at 16:00 one hour is left; Good Friday and Easter Monday are free in Germany: three more are over on Tuesday at 11:00."""
    start = at("2026-04-02 16:00")
    assert due(OFFICE, start, 4 * HOUR) == at("2026-04-07 11:00")
    assert elapsed(OFFICE, start, at("2026-04-07 08:00")) == HOUR
    assert not works(OFFICE, date(2026, 4, 3))
    assert works(OFFICE, date(2026, 4, 7))


def test_an_hour_that_the_clock_skips_is_counted_once() -> None:
    """In the night of 29 March there is no 2:30: what would end then ends at 3:30, and what begins at 3:00 begins there."""
    berlin = Calendar(code="B", zone="Europe/Berlin", week=week("Mon-Sun 00:00-02:30, 03:00-24:00"))
    midnight = datetime(2026, 3, 28, 23, 0, tzinfo=UTC)
    assert elapsed(berlin, midnight, midnight + 23 * HOUR) == 23 * HOUR


def test_special_days_beat_public_holidays() -> None:
    inventory = Calendar(code="X", week=week("Mon-Fri 08:00-17:00"), country="DE", extra=frozenset({date(2026, 4, 3)}), free=frozenset({date(2026, 4, 7)}))
    assert (works(inventory, date(2026, 4, 3)), works(inventory, date(2026, 4, 7))) == (True, False)


def test_a_region_has_holidays_of_its_own() -> None:
    bavaria = Calendar(code="BY", week=week("Mon-Fri 08:00-17:00"), country="DE", region="BY")
    assert (works(bavaria, date(2026, 1, 6)), works(OFFICE, date(2026, 1, 6))) == (False, True)


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-05-01", 24)])
def test_a_day_has_the_hours_that_the_clock_gives_it(day: str, hours: int) -> None:
    berlin = Calendar(code="B", zone="Europe/Berlin", week=week("Mon-Sun 00:00-01:30, 01:30-02:30, 02:30-24:00"))
    begins = datetime.fromisoformat(f"{day}T00:00:00").replace(tzinfo=UTC) - 3 * HOUR
    own = [(b, e) for b, e in spans(berlin, begins) if b < begins + 40 * HOUR]
    total = sum((e - b for b, e in own if b.astimezone(BERLIN).date() == date.fromisoformat(day)), NOTHING)
    assert total == hours * HOUR


@given(calendars, instants, lengths)
def test_when_it_is_due_exactly_so_much_has_passed(calendar: Calendar, start: datetime, span: timedelta) -> None:
    end = due(calendar, start, span)
    assert end is not None
    assert end >= start
    assert elapsed(calendar, start, end) == span
    if span:
        assert elapsed(calendar, start, end - MINUTE) < span, "not a minute earlier"


@given(calendars, st.lists(instants, min_size=3, max_size=3).map(sorted))
def test_time_adds_up_and_never_runs_faster_than_the_clock(calendar: Calendar, three: list[datetime]) -> None:
    a, b, c = three
    b, c = min(b, a + timedelta(days=40)), min(c, a + timedelta(days=60))
    assert elapsed(calendar, a, b) + elapsed(calendar, b, c) == elapsed(calendar, a, c)
    assert NOTHING <= elapsed(calendar, a, c) <= c - a
    assert elapsed(calendar, c, a) == NOTHING


@given(calendars, instants)
def test_hours_come_in_order_and_none_twice(calendar: Calendar, start: datetime) -> None:
    last = None
    for n, (begins, ends) in enumerate(spans(calendar, start)):
        assert begins < ends > start
        assert last is None or begins >= last
        last = ends
        if n == 40:
            break


@given(calendars, instants, lengths, lengths)
def test_a_pause_moves_the_end_by_its_own_hours(calendar: Calendar, start: datetime, first: timedelta, pause: timedelta) -> None:
    """Stopped and started again, the solution is due as much business time later as the pause lasted."""
    target = Target(id=1, code="T", calendar=calendar, resolution_minutes=60 * 24 * 60)
    stop = due(calendar, start, first)
    again = due(calendar, stop, pause) if stop else None
    assert stop and again
    plain = clock(target, Course(states=((start, "running"),)), again)
    paused = clock(target, Course(states=((start, "running"), (stop, "paused"), (again, "running"))), again)
    assert plain.resolution_due and paused.resolution_due
    assert elapsed(calendar, plain.resolution_due, paused.resolution_due) == pause
    assert paused.resolution_used == first


def test_nothing_is_due_in_a_calendar_that_is_closed_for_good() -> None:
    assert due(Calendar(code="X", week=((),) * 7), at("2026-04-02 16:00"), HOUR) is None


def test_the_promise_for_the_type_and_level_wins() -> None:
    a, b, c, d = (
        Target(id=n, code=code, calendar=OFFICE, type=kind, level_min=level)
        for n, (code, kind, level) in enumerate([("A", "", 0), ("B", "", 5), ("C", "help", 0), ("D", "help", 7)])
    )
    every = [a, b, c, d]
    assert [choose(every, kind, level) for kind, level in (("x", 4), ("x", 5), ("help", 6), ("help", 9))] == [a, b, c, d]
    assert choose([d], "x", 9) is None


def test_a_step_is_taken_once_and_not_for_what_is_answered() -> None:
    target = Target(id=1, code="T", calendar=CALENDARS[3], response_minutes=60, resolution_minutes=600)
    steps = [
        Step(id=n, target=1, measure=m, percent=p) for n, (m, p) in enumerate([("response", 100), ("response", 50), ("resolution", 10), ("resolution", 11)])
    ]
    start = at("2026-04-02 16:00")
    open_ = clock(target, Course(states=((start, "running"),)), start + HOUR)
    assert [s.id for s in reached(steps, open_, frozenset())] == [2, 1, 0]
    assert [s.id for s in reached(steps, open_, frozenset({1}))] == [2, 0]
    answered = clock(target, Course(states=((start, "running"),), answered=start + MINUTE), start + HOUR)
    assert [s.id for s in reached(steps, answered, frozenset())] == [2]
    done = clock(target, Course(states=((start, "running"), (start + HOUR, "done"))), start + 9 * HOUR)
    assert (reached(steps, done, frozenset()), done.late, done.response_used) == ([], (), HOUR)


@pytest.mark.parametrize(
    "text", ["Mon 8-17", "Mon-Fry 08:00-17:00", "Fri-Mon 08:00-17:00", "Mon 08:00-12:00, 11:00-13:00", "Mon 17:00-08:00", "Mon 24:30-24:40"]
)
def test_hours_that_cannot_be_meant_are_named(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        week(text)


def test_what_records_must_be() -> None:
    good = {"hours": "Mon 08:00-12:00", "zone": "Europe/Berlin", "country": "DE", "region": "BY"}
    assert not list(check_calendar(good))
    wrong = {"hours": "", "zone": "Mars/Olympus", "country": "DE", "region": "XX"}
    assert [p.code for p in check_calendar(wrong)] == ["sla.hours", "sla.zone", "sla.holidays"]
    assert [p.code for p in check_calendar({**good, "hours": "x"})] == ["sla.hours"]
    assert [p.code for p in check_target({})] == ["sla.promise"]
    assert [p.code for p in check_step({"percent": 0})] == ["sla.percent"]
