"""What must hold of calendars, targets and steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from zoneinfo import available_timezones

from newel.errors import Problem

from newel_sla.rules import public_holidays, week


def check_calendar(values: Mapping[str, Any]) -> Iterator[Problem]:
    """Hours that can be read and are some, a zone and a country that exist."""
    try:
        if not any(week(values.get("hours") or "")):
            yield Problem(code="sla.hours", message="a calendar has hours", where="hours", hint="write Mon-Fri 08:00-17:00")
    except ValueError as error:
        yield Problem(code="sla.hours", message=str(error), where="hours", hint="write Mon-Fri 08:00-12:00, 13:00-17:00; Sat 09:00-12:00")
    if values.get("zone") not in available_timezones():
        yield Problem(code="sla.zone", message=f"there is no time zone {values.get('zone')!r:.60}", where="zone", hint="write it as Europe/Berlin")
    if values.get("country"):
        try:
            public_holidays(values["country"], values.get("region") or "", 2024)  # any year does
        except (NotImplementedError, ValueError):
            message = f"no public holidays are known of {values['country']} {values.get('region') or ''}".strip()
            yield Problem(code="sla.holidays", message=message, where="country", hint="leave both empty, and enter the free days by hand")


def check_target(values: Mapping[str, Any]) -> Iterator[Problem]:
    """It promises something."""
    if not (values.get("response_minutes") or values.get("resolution_minutes")):
        yield Problem(code="sla.promise", message="nothing is promised", where="resolution_minutes", hint="enter minutes for answer or solution")


def check_step(values: Mapping[str, Any]) -> Iterator[Problem]:
    """It lies in a range that can be reached."""
    if not 1 <= (values.get("percent") or 0) <= 1000:
        yield Problem(
            code="sla.percent", message=f"1 to 1000 percent were expected, got {values.get('percent')}", where="percent", hint="100 is when it is late"
        )
