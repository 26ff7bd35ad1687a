"""From an order to the customer's door, day by day: pure functions.

Each step begins on the day on which the one before it ended, so that they add up from the day of the order to the day of arrival.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays
import msgspec
from newel.domain.money import ZERO, plain

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
PART = re.compile(r"({0})(?:\s*-\s*({0}))?".format("|".join(DAYS)))
CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)", re.ASCII)
DAY = timedelta(days=1)
FAR = 800  # days that are looked through before a way counts as closed for good

Reason = tuple[str, str]


class Calendar(msgspec.Struct, frozen=True, kw_only=True):
    """When goods leave a place.

    Args:
        location: the place and all inside it; None for every place that has no calendar of its own.
        zone: name of a time zone, such as Europe/Vienna. days: weekdays on which people work, Monday is 0.
        cut_off: local time after which an order counts as of the next day.
        country, region: whose public holidays are free (ISO 3166); empty for none.
        free, extra: further free days with their names; days on which people work in spite of everything.
    """

    code: str = ""
    location: int | None = None
    zone: str = "UTC"
    days: frozenset[int] = frozenset(range(5))
    cut_off: time | None = None
    country: str = ""
    region: str = ""
    free: Mapping[date, str] = {}
    extra: frozenset[date] = frozenset()

    def closed(self, day: date) -> Reason | None:
        """Why nobody works on a day, as the name of a step and what belongs to it; None where people do."""
        if day in self.extra:
            return None
        name = self.free.get(day) or (public_holidays(self.country, self.region, day.year).get(day) if self.country else None)
        if name:
            return "holiday", name
        return ("closed", "") if day in self.free or day.weekday() not in self.days else None


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """A way to customers.

    Args:
        location, method, country, postcode: from where, by which way of shipping, to which country, and how its postal codes begin; empty for any.
        leaves: weekdays on which it leaves, empty for every day on which people work; text: the same as somebody has written it.
        cut_off: instead of the calendar's. days: working days under way, of `calendar`, or of the place's own where it is None.
    """

    code: str
    location: int | None = None
    method: str = ""
    country: str = ""
    postcode: str = ""
    leaves: frozenset[int] = frozenset()
    text: str = ""
    cut_off: time | None = None
    days: int = 0
    calendar: Calendar | None = None


class Need(msgspec.Struct, frozen=True, kw_only=True):
    """What a line wants, in the item's unit.

    Args:
        free: what of it is there for this line; less than nothing where others wait before it.
        coming: (day, quantity, number of the document) of what is on its way, the earliest first. lead: working days until it is procured.
        begins: first day on which anybody looks at it.
        asked: the day that the customer asks for.
    """

    unit: str = ""
    quantity: Decimal
    free: Decimal = ZERO
    coming: tuple[tuple[date, Decimal, str], ...] = ()
    lead: int | None = None
    begins: date = date.min
    asked: date | None = None


class Step(msgspec.Struct, frozen=True):
    """From one day to another (often the same), why, and a detail of it: a time, a name, a number."""

    name: str
    day_in: date
    day_out: date
    detail: str = ""


class Promise(msgspec.Struct, frozen=True):
    """The steps of a line's way. leaves, arrives: first days on which it can; None where nobody knows, arrives also without a route."""

    steps: tuple[Step, ...]
    leaves: date | None = None
    arrives: date | None = None

    @property
    def earliest(self) -> date | None:
        """The first day that can be promised."""
        return self.arrives or self.leaves

    @property
    def day(self) -> date | None:
        """The day to promise: the earliest, or a later one that is asked for."""
        return self.steps[-1].day_out if self.leaves else None


class _ClosedError(Exception):
    """There is no day on which it could go on."""


# ---- what people write ---------------------------------------------------------------------------------------------------------------


def weekdays(text: str) -> frozenset[int]:
    """Weekdays from "Mon-Fri, Sun", Monday is 0.

    Raises:
        ValueError: a part can't be read.
    """
    out: set[int] = set()
    for part in filter(None, (p.strip().lower() for p in text.split(","))):
        found = PART.fullmatch(part)
        first, last = (DAYS.index(found[1]), DAYS.index(found[2] or found[1])) if found else (1, 0)
        if last < first:
            raise ValueError(f"days of the week from Mon to Sun were expected, got {part!r:.40}")
        out.update(range(first, last + 1))
    return frozenset(out)


def clock(text: str) -> time | None:
    """A time of day from "15:00"; None from nothing.

    Raises:
        ValueError: it is none.
    """
    found = CLOCK.fullmatch(text)
    if text and not found:
        raise ValueError(f"a time of day was expected, got {text!r:.40}")
    return time(int(found[1]), int(found[2])) if found else None


@lru_cache(maxsize=512)
def public_holidays(country: str, region: str, year: int) -> Mapping[date, str]:
    """The public holidays of a country and one of its regions in a year, with their names in the country's own language.

    Raises:
        NotImplementedError: nothing is known of this country or region.
    """
    known = holidays.country_holidays(country, subdiv=region or None)
    return dict(holidays.country_holidays(country, subdiv=region or None, years=year, language=known.default_language))


# ---- the way -------------------------------------------------------------------------------------------------------------------------


class _Way:
    def __init__(self, day: date, steps: tuple[Step, ...] = ()) -> None:
        self.day, self.steps = day, list(steps)

    def step(self, name: str, day: date, detail: str = "") -> None:
        last = self.steps[-1] if self.steps else None
        if last and (last.name, last.detail) == (name, detail):
            self.steps[-1] = Step(name, last.day_in, day, detail)
        else:
            self.steps.append(Step(name, self.day, day, detail))
        self.day = day

    def open(self, calendar: Calendar, route: Route | None = None) -> None:
        """On to the first day on which people work, and on which the route leaves."""
        for _ in range(FAR):
            why = calendar.closed(self.day)
            if why is None and route is not None and route.leaves and self.day.weekday() not in route.leaves:
                why = "waits", f"{route.code} · {route.text}"
            if why is None:
                return
            self.step(why[0], self.day + DAY, why[1])
        raise _ClosedError

    def work(self, calendar: Calendar, days: int, name: str, detail: str) -> None:
        """So many working days on."""
        self.step(name, self.day, detail)
        for _ in range(days):
            self.step(name, self.day + DAY, detail)
            self.open(calendar)


def way(at: datetime, need: Need, calendar: Calendar, route: Route | None = None) -> Promise:
    """How a line gets to the customer, if it is ordered at an instant: the first days on which it can leave and arrive, with all steps."""
    local = at.astimezone(ZoneInfo(calendar.zone))
    moment = local.time() if need.begins <= local.date() else None
    cut_off = route.cut_off if route and route.cut_off is not None else calendar.cut_off
    w = _Way(max(local.date(), need.begins))
    w.step("ordered", w.day, f"{moment:%H:%M}" if moment else "")
    try:
        if moment and cut_off is not None and moment > cut_off and calendar.closed(w.day) is None:
            w.step("cut_off", w.day + DAY, f"{cut_off:%H:%M}")
        w.open(calendar)
        w = _procured(w, need, calendar)
        if w.steps[-1].name == "unknown":
            return Promise(tuple(w.steps))
        w.open(calendar, route)
        w.step("leaves", w.day, route.code if route else "")
        leaves, arrives = w.day, None
        if route is not None:
            w.work(route.calendar or calendar, route.days, "under_way", f"{route.code} · {route.days}")
            arrives = w.day
    except (_ClosedError, OverflowError):  # or there is no later date
        w.step("unknown", w.day, route.code if route else calendar.code)
        return Promise(tuple(w.steps))
    if need.asked is not None and need.asked > w.day:
        w.step("asked", need.asked)
    if route is not None:
        w.step("arrives", w.day)
    return Promise(tuple(w.steps), leaves, arrives)


def _procured(w: _Way, need: Need, calendar: Calendar) -> _Way:
    """From the order to the day on which all of it is there: from stock, or by what comes or is procured first."""
    wanted = f"{plain(need.quantity)} {need.unit}".strip()
    if need.quantity <= need.free:
        w.step("stock", w.day, wanted)
        return w
    w.step("short", w.day, f"{plain(max(need.free, ZERO))} / {wanted}")
    ways = []
    if (found := next(_covering(need), None)) is not None:
        ways.append(_Way(w.day, tuple(w.steps)))
        ways[-1].step("coming", max(found[0], w.day), found[1])
    if need.lead is not None:
        ways.append(_Way(w.day, tuple(w.steps)))
        ways[-1].work(calendar, need.lead, "lead", str(need.lead))
    if not ways:
        w.step("unknown", w.day, f"{plain(need.quantity - max(need.free, ZERO))} {need.unit}".strip())
    return min(ways, key=lambda found: found.day, default=w)


def _covering(need: Need) -> Iterator[tuple[date, str]]:
    """What is on its way, from where on it is enough."""
    there = need.free
    for day, quantity, number in need.coming:
        there += quantity
        if need.quantity <= there:
            yield day, number
