"""The way of a line, day by day: steps that add up, days on which nobody works, and what can never happen."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from newel_delivery_dates.checks import check_calendar, check_lead_time, check_route
from newel_delivery_dates.rules import Kept
from newel_delivery_dates.way import Calendar, Need, Promise, Route, clock, public_holidays, way, weekdays

D = Decimal
VIENNA = Calendar(code="V", zone="Europe/Vienna", cut_off=time(15), country="AT")
TEN = Need(unit="EA", quantity=D(10), free=D(10))


def at(text: str) -> datetime:
    """An instant of Vienna's autumn, in summer time until 25 October."""
    return datetime.fromisoformat(f"2026-{text}:00+02:00").astimezone(UTC)


def told(found: Promise) -> list[str]:
    """The steps as "name days detail"."""
    return [f"{s.name} +{(s.day_out - s.day_in).days} {s.detail}".strip() for s in found.steps]


def test_over_a_weekend_and_a_holiday() -> None:
    """Ordered on Friday after the cut-off: Saturday and Sunday are free, and Monday is the National Day."""
    found = way(at("10-23T16:20"), TEN, VIENNA, Route(code="AT-2", days=2))
    assert told(found) == [
        "ordered +0 16:20", "cut_off +1 15:00", "closed +2", "holiday +1 Nationalfeiertag", "stock +0 10 EA", "leaves +0 AT-2", "under_way +2 AT-2 · 2",
        "arrives +0",
    ]  # fmt: skip
    assert (found.leaves, found.arrives) == (date(2026, 10, 27), date(2026, 10, 29))
    before = way(at("10-23T15:00"), TEN, VIENNA, Route(code="AT-2", days=2))
    assert (before.leaves, before.arrives) == (date(2026, 10, 23), date(2026, 10, 28)), "at the cut-off it is not late yet; two days over the same weekend"
    assert told(before)[3:] == ["under_way +1 AT-2 · 2", "closed +2", "holiday +1 Nationalfeiertag", "under_way +1 AT-2 · 2", "arrives +0"]


def test_the_day_is_that_of_the_calendar_and_not_of_utc() -> None:
    """Half past eleven in the evening in UTC is the next day in Vienna."""
    assert way(datetime(2026, 10, 19, 23, 30, tzinfo=UTC), TEN, VIENNA).leaves == date(2026, 10, 20)


def test_a_route_that_leaves_on_tuesdays_only() -> None:
    tuesdays = Route(code="SEA", leaves=frozenset({1}), text="Tue", cut_off=time(12), days=3)
    found = way(at("10-14T13:00"), TEN, VIENNA, tuesdays)
    assert told(found) == [
        "ordered +0 13:00", "cut_off +1 12:00", "stock +0 10 EA", "waits +2 SEA · Tue", "closed +2", "waits +1 SEA · Tue", "leaves +0 SEA",
        "under_way +3 SEA · 3", "arrives +0",
    ]  # fmt: skip
    assert (found.leaves, found.arrives) == (date(2026, 10, 20), date(2026, 10, 23))
    never = way(at("10-14T13:00"), TEN, VIENNA, Route(code="SUN", leaves=frozenset({6}), text="Sun"))
    assert (never.earliest, never.day, never.steps[-1].name) == (None, None, "unknown"), "it leaves on a day on which nobody works"


def test_nothing_in_stock() -> None:
    """What is on its way or what is procured, whichever is there first; nobody knows where neither is."""
    none = msgspec.structs.replace(TEN, free=D(2))
    assert told(way(at("10-14T09:00"), none, VIENNA))[1:] == ["short +0 2 / 10 EA", "unknown +0 8 EA"]
    lead = msgspec.structs.replace(none, lead=5)
    found = way(at("10-14T09:00"), lead, VIENNA)
    assert told(found)[1:] == ["short +0 2 / 10 EA", "lead +3 5", "closed +2", "lead +2 5", "leaves +0"]
    assert found.day == date(2026, 10, 21)
    coming = msgspec.structs.replace(lead, coming=((date(2026, 10, 15), D(5), "PO-1"), (date(2026, 10, 17), D(3), "PO-2")))
    found = way(at("10-14T09:00"), coming, VIENNA)
    assert told(found)[2:] == ["coming +3 PO-2", "closed +2", "leaves +0"]
    assert found.day == date(2026, 10, 19), "it comes on a Saturday, and leaves on Monday"
    late = msgspec.structs.replace(coming, coming=((date(2026, 11, 30), D(8), "PO-3"),))
    assert way(at("10-14T09:00"), late, VIENNA).day == date(2026, 10, 21), "procuring it anew is quicker"
    overdue = msgspec.structs.replace(coming, coming=((date(2026, 10, 1), D(8), "PO-4"),))
    assert way(at("10-14T09:00"), overdue, VIENNA).day == date(2026, 10, 14), "what should be here already may come today"


def test_a_later_day_that_is_asked_for_is_kept() -> None:
    found = way(at("10-14T09:00"), msgspec.structs.replace(TEN, asked=date(2026, 11, 20)), VIENNA, Route(code="AT", days=1))
    assert (found.earliest, found.day) == (date(2026, 10, 15), date(2026, 11, 20))
    assert told(found)[-2:] == ["asked +36", "arrives +0"]
    assert way(at("10-14T16:20"), msgspec.structs.replace(TEN, begins=date(2026, 12, 1)), VIENNA).day == date(2026, 12, 1), "dated ahead: no time of that day"
    assert way(at("10-14T09:00"), msgspec.structs.replace(TEN, begins=date.max), VIENNA, Route(code="AT", days=1)).day is None, "there is no day after that"


def test_days_of_the_companys_own_and_another_calendar_under_way() -> None:
    own = msgspec.structs.replace(VIENNA, free={date(2026, 10, 14): "Stocktaking"}, extra=frozenset({date(2026, 10, 17)}))
    assert told(way(at("10-14T09:00"), TEN, own))[1] == "holiday +1 Stocktaking"
    assert way(at("10-17T09:00"), TEN, own).leaves == date(2026, 10, 17), "people work on this Saturday"
    road = Route(code="X", days=1, calendar=Calendar(days=frozenset({0})))
    assert way(at("10-14T09:00"), TEN, VIENNA, road).arrives == date(2026, 10, 19), "its days are counted on Mondays"


def test_the_route_that_says_most_counts() -> None:
    every, land, city, express, place = (
        Route(code="ALL", days=1), Route(code="AT", country="AT", days=3), Route(code="W", country="AT", postcode="10", days=2),
        Route(code="EX", method="EXPRESS", days=1), Route(code="LOC", location=7, country="AT", days=9),
    )  # fmt: skip
    kept = Kept(routes=(every, land, city, express, place))
    asked: list[tuple[Any, ...]] = [(("", "DE", "1010"), every), (("", "AT", "8010"), land), (("", "AT", "1010"), city), (("EXPRESS", "AT", "1010"), express)]
    assert [kept.route((3,), *to) for to, _route in asked] == [route for _to, route in asked]
    assert kept.route((9, 7), "", "AT", "8010") == place
    assert Kept(routes=(express,)).route((), "", "AT", "") is None
    inner, outer = Calendar(code="I", location=9), Calendar(code="C")
    calendars = Kept(calendars=(outer, inner))
    assert [calendars.calendar(p).code for p in ((9, 7), (8, 9), (7,), ())] == ["I", "I", "C", "C"]


def test_what_people_write() -> None:
    assert (weekdays("Mon-Wed, Sat"), weekdays(""), clock("07:30"), clock("")) == (frozenset({0, 1, 2, 5}), frozenset(), time(7, 30), None)
    for text in ("Mo", "Sat-Mon", "Mon Tue", "1-5"):
        with pytest.raises(ValueError, match="days of the week"):
            weekdays(text)
    for text in ("7:30", "24:00", "noon", "15:00:00"):
        with pytest.raises(ValueError, match="time of day"):
            clock(text)
    assert public_holidays("DE", "BY", 2026)[date(2026, 1, 6)] == "Heilige Drei Könige"


def test_records_say_all_that_is_wrong() -> None:
    bad = {"days": "", "cut_off": "3 pm", "zone": "Mars", "country": "XX"}
    assert [(p.code, p.where) for p in check_calendar(bad)] == [
        ("delivery_dates.time", "cut_off"), ("delivery_dates.days", "days"), ("delivery_dates.zone", "zone"), ("delivery_dates.holidays", "country"),
    ]  # fmt: skip
    assert list(check_calendar({"days": "Mon-Fri", "cut_off": "15:00", "zone": "Europe/Vienna", "country": "AT"})) == []
    assert [p.code for p in check_route({"leaves": "often", "cut_off": "", "postcode": "10"})] == ["delivery_dates.days", "delivery_dates.postcode"]
    assert [p.code for p in check_lead_time({"item": 1, "item_class": "A"})] == ["delivery_dates.both"]


# ---- what can never happen -----------------------------------------------------------------------------------------------------------

DATES = st.dates(date(2025, 12, 1), date(2027, 2, 1))
TIMES = st.none() | st.times()
CALENDARS = st.builds(
    Calendar, zone=st.sampled_from(("UTC", "Europe/Vienna", "Pacific/Auckland")), days=st.frozensets(st.integers(0, 6), min_size=1), cut_off=TIMES,
    country=st.sampled_from(("", "AT", "SI", "TR")), free=st.dictionaries(DATES, st.sampled_from(("", "Stocktaking")), max_size=4),
    extra=st.frozensets(DATES, max_size=3),
)  # fmt: skip
ROUTES = st.none() | st.builds(
    Route, code=st.just("R"), leaves=st.frozensets(st.integers(0, 6)), text=st.just("…"), cut_off=TIMES, days=st.integers(0, 9),
    calendar=st.none() | CALENDARS,
)  # fmt: skip
AMOUNTS = st.integers(0, 20).map(D)
NEEDS = st.builds(
    Need, quantity=st.integers(1, 20).map(D), free=AMOUNTS, lead=st.none() | st.integers(0, 12), begins=st.just(date.min) | DATES, asked=st.none() | DATES,
    coming=st.lists(st.tuples(DATES, AMOUNTS, st.just("PO")), max_size=3).map(lambda found: tuple(sorted(found))),
)  # fmt: skip
INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - the zone comes with it


@given(INSTANTS, NEEDS, CALENDARS, ROUTES)
def test_the_steps_connect_from_the_order_to_the_door(now: datetime, need: Need, calendar: Calendar, route: Route | None) -> None:
    """Never earlier than the order, never backwards, never out on a day on which nobody works or the route does not leave."""
    found = way(now, need, calendar, route)
    assert found.steps[0].name == "ordered"
    assert all(a.day_out == b.day_in for a, b in pairwise(found.steps))
    assert all(s.day_in <= s.day_out for s in found.steps)
    if found.leaves is None:
        assert (found.day, found.steps[-1].name) == (None, "unknown")
        return
    assert found.steps[0].day_in <= found.leaves <= (found.earliest or date.min) <= (found.day or date.min)
    assert calendar.closed(found.leaves) is None
    assert route is None or not route.leaves or found.leaves.weekday() in route.leaves


@given(INSTANTS, st.timedeltas(timedelta(0), timedelta(days=40)), NEEDS, CALENDARS, ROUTES)
def test_who_orders_later_does_not_get_it_earlier(now: datetime, later: timedelta, need: Need, calendar: Calendar, route: Route | None) -> None:
    first, second = way(now, need, calendar, route), way(now + later, need, calendar, route)
    assert first.earliest is None or second.earliest is None or first.earliest <= second.earliest


@given(INSTANTS, st.integers(0, 9), NEEDS, CALENDARS, ROUTES)
def test_more_days_never_bring_it_earlier(now: datetime, more: int, need: Need, calendar: Calendar, route: Route | None) -> None:
    slower = None if route is None else msgspec.structs.replace(route, days=route.days + more)
    longer = msgspec.structs.replace(need, lead=None if need.lead is None else need.lead + more)
    first, second = way(now, need, calendar, route), way(now, longer, calendar, slower)
    assert first.earliest is None or second.earliest is None or first.earliest <= second.earliest
