"""Business time: which hours of which days count, how much of them has passed, when so much will have passed. Pure functions.

Instants are UTC; the hours of a calendar are local times of its zone, so that a day with a changed clock has the hours that people worked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import holidays
import msgspec

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
PART = re.compile(r"([a-z]{3})(?:\s*-\s*([a-z]{3}))?\s+(.+)")
SPAN = re.compile(r"([01]\d|2[0-4]):([0-5]\d)\s*-\s*([01]\d|2[0-4]):([0-5]\d)")
NOTHING = timedelta(0)
FAR = 3660  # days that are looked through before a calendar counts as closed for good

Span = tuple[int, int]  # minutes of a day, from and to


class SlaSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of service levels. pauses: states of a request in which the time for the solution stands still."""

    pauses: tuple[str, ...] = ("waiting",)


class Calendar(msgspec.Struct, frozen=True, kw_only=True):
    """When people work.

    Args:
        zone: name of a time zone, such as Europe/Berlin.
        week: for each day from Monday on, the spans that count, in order and apart.
        country, region: whose public holidays are free (ISO 3166); empty for none.
        free, extra: further days that are free; days on which people work in spite of a holiday.
    """

    code: str
    zone: str = "UTC"
    week: tuple[tuple[Span, ...], ...] = ()
    country: str = ""
    region: str = ""
    free: frozenset[date] = frozenset()
    extra: frozenset[date] = frozenset()


def week(text: str) -> tuple[tuple[Span, ...], ...]:
    """The hours of a week, from "Mon-Fri 08:00-12:00, 13:00-17:00; Sat 09:00-12:00".

    Raises:
        ValueError: saying which part can't be read, or which hours overlap.
    """
    days: list[list[Span]] = [[] for _ in DAYS]
    for part in filter(None, (p.strip().lower() for p in text.split(";"))):
        found = PART.fullmatch(part)
        if not found or found[1] not in DAYS or (found[2] or found[1]) not in DAYS:
            raise ValueError(f"{part[:60]!r}: days and hours were expected, such as Mon-Fri 08:00-17:00")
        first, last = DAYS.index(found[1]), DAYS.index(found[2] or found[1])
        if last < first:
            raise ValueError(f"{part[:60]!r}: a week goes from Mon to Sun; write two parts")
        for day in days[first : last + 1]:
            day += [_span(span.strip()) for span in found[3].split(",")]
    for name, day in zip(DAYS, days, strict=True):
        day.sort()
        if any(a[1] > b[0] for a, b in pairwise(day)):
            raise ValueError(f"{name}: the hours overlap")
    return tuple(tuple(day) for day in days)


def _span(text: str) -> Span:
    found = SPAN.fullmatch(text)
    start, end = (int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])) if found else (0, 0)
    if not 0 <= start < end <= 24 * 60:
        raise ValueError(f"{text[:40]!r}: hours were expected, such as 08:00-17:00")
    return start, end


@lru_cache(maxsize=512)
def public_holidays(country: str, region: str, year: int) -> frozenset[date]:
    """The public holidays of a country, and of one of its regions, in a year.

    Raises:
        NotImplementedError: nothing is known of this country or region.
    """
    return frozenset(holidays.country_holidays(country, subdiv=region or None, years=year))


def works(calendar: Calendar, day: date) -> bool:
    """Whether the hours of its weekday count on a day."""
    if day in calendar.extra:
        return True
    return day not in calendar.free and not (calendar.country and day in public_holidays(calendar.country, calendar.region, day.year))


def spans(calendar: Calendar, start: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The working hours from an instant on, in order, none twice; the first may have begun before it."""
    zone = ZoneInfo(calendar.zone)
    today, past = start.astimezone(zone).date() - timedelta(days=1), datetime.min.replace(tzinfo=UTC)
    for n in range(FAR):
        day = today + timedelta(days=n)
        for span in calendar.week[day.weekday()] if works(calendar, day) else ():
            begins, ends = (_instant(day, minute, zone) for minute in span)
            begins = max(begins, past)  # an hour that the clock skips is nobody's
            if begins < ends:
                past = ends
                if ends > start:
                    yield begins, ends


def _instant(day: date, minute: int, zone: ZoneInfo) -> datetime:
    day, minute = (day + timedelta(days=1), 0) if minute == 24 * 60 else (day, minute)
    return datetime.combine(day, time(minute // 60, minute % 60), zone).astimezone(UTC)


def elapsed(calendar: Calendar, start: datetime, end: datetime) -> timedelta:
    """Business time between two instants; nothing where the end lies before the start."""
    total = NOTHING
    for begins, ends in spans(calendar, start) if start < end else ():
        if begins >= end:
            break
        total += min(ends, end) - max(begins, start)
    return total


def due(calendar: Calendar, start: datetime, span: timedelta) -> datetime | None:
    """The first instant at which so much business time has passed since the start; None where the calendar never has so much."""
    if span <= NOTHING:
        return start
    for begins, ends in spans(calendar, start):
        there = ends - max(begins, start)
        if there >= span:
            return ends - there + span
        span -= there
    return None


# ---- the clock of a request ------------------------------------------------------------------------------------------------------------


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What is promised: the first answer and the solution within so many minutes of business time.

    Args:
        type: of requests; empty for all. level_min: for partners with this service level and above.
    """

    id: int
    code: str
    calendar: Calendar
    type: str = ""
    level_min: int = 0
    response_minutes: int = 0
    resolution_minutes: int = 0


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What happens when so many percent of a promised time have passed. measure: response or resolution."""

    id: int
    target: int
    measure: str
    percent: int
    team: str = ""
    assignee: str = ""
    priority: int | None = None


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """What has happened to a request.

    Args:
        states: since when it was in which phase or pause: (instant, running, paused or done), in order; the first is when it was sent in.
        answered: when somebody of ours first answered or began.
    """

    states: tuple[tuple[datetime, str], ...]
    answered: datetime | None = None


class Clock(msgspec.Struct, frozen=True, kw_only=True):
    """How a request stands against what is promised.

    Args:
        response_due, resolution_due: None while the clock is stopped, and where nothing is promised.
        response_used, resolution_used: business time so far, or until it was done.
        late: response, resolution, both or none of them.
    """

    target: Target
    response_due: datetime | None = None
    resolution_due: datetime | None = None
    response_used: timedelta = NOTHING
    resolution_used: timedelta = NOTHING
    late: tuple[str, ...] = ()
    paused: bool = False
    answered: datetime | None = None
    done: datetime | None = None

    def percent(self, measure: str) -> int:
        """How much of a promised time has passed, rounded down; 0 where nothing is promised."""
        used, promised = (self.response_used, self.target.response_minutes) if measure == "response" else (self.resolution_used, self.target.resolution_minutes)
        return used // timedelta(minutes=1) * 100 // promised if promised else 0


def choose(targets: Sequence[Target], type: str, level: int) -> Target | None:  # noqa: A002 - what it is called in a request
    """The promise for a request: of its own type before all types, then the highest service level that the partner reaches, then by code."""
    fitting = [t for t in targets if t.type in ("", type) and t.level_min <= level]
    return min(fitting, key=lambda t: (not t.type, -t.level_min, t.code), default=None)


def clock(target: Target, course: Course, now: datetime) -> Clock:
    """How it stands at an instant. The time for the solution stands still in pauses; the time for the first answer does not."""
    calendar, begun = target.calendar, course.states[0][0]
    used = before = NOTHING
    last, running = begun, False
    for (at, state), (until, _) in zip(course.states, (*course.states[1:], (max(now, course.states[-1][0]), "")), strict=True):
        running = state == "running"
        if running:
            last, before = at, used
            used += elapsed(calendar, at, until)
    state = course.states[-1][1]
    answered = course.answered
    response, resolution = timedelta(minutes=target.response_minutes), timedelta(minutes=target.resolution_minutes)
    done = course.states[-1][0] if state == "done" else None
    spent = elapsed(calendar, begun, answered or done or now)
    late = [name for name, much, promised in (("response", spent, response), ("resolution", used, resolution)) if promised and much > promised]
    return Clock(
        target=target,
        response_due=due(calendar, begun, response) if response and not (answered or done) else None,
        resolution_due=due(calendar, last, resolution - before) if resolution and running else None,
        response_used=spent,
        resolution_used=used,
        late=tuple(late),
        paused=state == "paused",
        answered=answered,
        done=done,
    )


def reached(steps: Sequence[Step], found: Clock, taken: frozenset[int]) -> list[Step]:
    """The steps that are due and were not taken yet, the mildest first; what is answered or done is not escalated for that any more."""
    over = {"response": found.answered is not None or found.done is not None, "resolution": found.done is not None}
    fitting = [s for s in steps if s.target == found.target.id and s.id not in taken and not over[s.measure]]
    return sorted((s for s in fitting if found.percent(s.measure) >= s.percent), key=lambda s: (s.percent, s.id))
