"""What must hold of calendars, routes and lead times."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from zoneinfo import available_timezones

from newel.errors import Problem

from newel_delivery_dates.way import clock, public_holidays, weekdays


def _time(values: Mapping[str, Any]) -> Iterator[Problem]:
    text = values.get("cut_off") or ""
    try:
        clock(text)
    except ValueError:
        yield Problem(code="delivery_dates.time", message=f"a time of day was expected, got {text!r:.40}", where="cut_off", hint="write it as 15:00")


def _days(values: Mapping[str, Any], name: str) -> Iterator[Problem]:
    text = values.get(name) or ""
    try:
        weekdays(text)
    except ValueError:
        message = f"days of the week from Mon to Sun were expected, got {text!r:.60}"
        yield Problem(code="delivery_dates.days", message=message, where=name, hint="write Mon-Fri, or Tue, Thu")


def check_calendar(values: Mapping[str, Any]) -> Iterator[Problem]:
    """Days that can be read and are some, a time, a zone and a country that exist."""
    yield from _time(values)
    yield from _days(values, "days")
    if not (values.get("days") or "").strip():
        yield Problem(code="delivery_dates.days", message="a calendar has working days", where="days", hint="write Mon-Fri, or Tue, Thu")
    if values.get("zone") not in available_timezones():
        yield Problem(code="delivery_dates.zone", message=f"there is no time zone {values.get('zone')!r:.60}", where="zone", hint="write it as Europe/Vienna")
    if values.get("country"):
        try:
            public_holidays(values["country"], values.get("region") or "", 2024)  # any year does
        except (NotImplementedError, ValueError):
            message = f"no public holidays are known of {values['country']} {values.get('region') or ''}".strip()
            yield Problem(code="delivery_dates.holidays", message=message, where="country", hint="leave both empty, and enter the free days by hand")


def check_route(values: Mapping[str, Any]) -> Iterator[Problem]:
    """Days and a time that can be read; a postal code is one of a country."""
    yield from _time(values)
    yield from _days(values, "leaves")
    if values.get("postcode") and not values.get("country"):
        yield Problem(code="delivery_dates.postcode", message="a postal code needs its country", where="country", hint="enter the country, such as AT")


def check_lead_time(values: Mapping[str, Any]) -> Iterator[Problem]:
    """Of an item or of a class."""
    if values.get("item") and values.get("item_class"):
        yield Problem(code="delivery_dates.both", message="an item or a class was expected, got both", where="item_class", hint="leave one of them empty")
