"""What visits decide: when they are, who is free, what is charged and shown. Pure functions over frozen values."""

from __future__ import annotations

import hashlib
import re
from calendar import monthrange
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import msgspec
from newel.domain.document import Document, Draft, Line
from newel.domain.kinds import Kinds
from newel.domain.master import Master
from newel.domain.money import plain
from newel.manifest import Panel, Shown

VISIT, INVOICE = "visits.visit", "invoicing.invoice"
DEVICE = "device"
OCTETS = 75  # of a line of iCalendar, without its end
ESCAPED = {"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n", "\r": ""}
TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
STATES = {  # name: (label, phase)
    "planned": ("Planned", "draft"), "confirmed": ("Confirmed", "open"), "travelling": ("On the way", "open"), "onsite": ("On site", "open"),
    "done": ("Done", "done"), "missed": ("Missed", "cancelled"), "cancelled": ("Cancelled", "cancelled"),
}  # fmt: skip


ZONES = frozenset(available_timezones())  # settings are read with every request: looking for the files each time took 4 ms


class VisitsSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of visits.

    Args:
        zone: time zone of the company, such as Europe/Berlin: days and times of visits are its local time.
        labour: number of the item that technicians enter their hours with; empty: they choose one.
        ahead_days: so many days before it is due a visit of regular maintenance is planned by itself.
    """

    zone: str = "UTC"
    labour: str = ""
    ahead_days: int = 30

    def __post_init__(self) -> None:
        """Refuse a zone that does not exist."""
        if self.zone not in ZONES:
            raise ValueError(f"there is no time zone {self.zone!r:.60}: write it as Europe/Berlin")


class Task(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something to check on site, and what was found."""

    text: str = ""
    done: bool = False
    remark: str = ""


class VisitData(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the header of a visit holds besides; its day is the header's date_requested, its place ship_to.

    Args:
        technician: code of who goes, and whose van the material comes from. helpers: codes of who goes along.
        time: hour and minute of the arrival, such as 14:30, in the company's time zone. minutes: how long it takes.
        checklist: code of a list of what to check. tasks: what was checked; until then the list counts.
    """

    technician: str = ""
    helpers: tuple[str, ...] = ()
    time: str = ""
    minutes: int = 60
    checklist: str = ""
    tasks: tuple[Task, ...] = ()

    @property
    def crew(self) -> frozenset[str]:
        """Everybody who goes."""
        return frozenset(filter(None, (self.technician, *self.helpers)))


class Technician(msgspec.Struct, frozen=True, kw_only=True):
    """Who goes. login: of the user, empty for the code in small letters; location: the van."""

    id: int
    code: str
    name: str
    login: str = ""
    location: int | None = None


class Known(msgspec.Struct, frozen=True):
    """Technicians, and the tasks of checklists, by code."""

    technicians: dict[str, Technician] = {}
    checklists: dict[str, tuple[str, ...]] = {}


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """A visit as the plan knows it."""

    id: int
    number: str
    state: str
    party: str
    city: str = ""
    day: date
    data: VisitData


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """A signed report: by whom and when, what it says, and the fingerprint of the work that was signed for."""

    name: str
    at: datetime | None
    text: str
    work: str


class VisitFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known around a visit.

    Args:
        others: visits of the same technicians around that day.
        stored: day and data before the change; None where nothing is stored.
        signed: the last report. arrived: when somebody was on site.
    """

    known: Known = Known()
    others: tuple[Planned, ...] = ()
    stored: tuple[date | None, VisitData] | None = None
    signed: Signed | None = None
    arrived: datetime | None = None


class Visited(msgspec.Struct, frozen=True):
    """What visits came of a request: (id, number, state, day)."""

    visits: tuple[tuple[int, str, str, date | None], ...] = ()


def header(document: Document) -> VisitData:
    """The visit's own data; empty where it has none."""
    found = document.data.get("visits")
    return found if isinstance(found, VisitData) else VisitData()


# ---- when ------------------------------------------------------------------------------------------------------------------------------


def span(day: date | None, data: VisitData, zone: str) -> tuple[datetime, datetime] | None:
    """From when to when a visit is, in UTC; None where day or time are not said, or the clock skips that time of the day."""
    if day is None or not TIME.fullmatch(data.time):
        return None
    local = datetime.combine(day, time.fromisoformat(data.time), ZoneInfo(zone))
    start = local.astimezone(UTC)
    if start.astimezone(ZoneInfo(zone)).replace(tzinfo=None) != local.replace(tzinfo=None):
        return None
    return start, start + timedelta(minutes=data.minutes)


def clashes(day: date | None, data: VisitData, others: Iterable[Planned], zone: str) -> Iterator[tuple[Planned, str]]:
    """Visits at the same time, with the code of somebody who would have to be at both."""
    own = span(day, data, zone)
    for other in others if own else ():
        theirs, both = span(other.day, other.data, zone), sorted(data.crew & other.data.crew)
        if own and theirs and both and own[0] < theirs[1] and theirs[0] < own[1]:
            yield other, both[0]


def later(day: date, months: int) -> date:
    """The same day so many months later, or the last one of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


# ---- what is done ----------------------------------------------------------------------------------------------------------------------


def tasks(data: VisitData, known: Known) -> tuple[Task, ...]:
    """What is to be checked: as far as it was checked already, else what the checklist says."""
    return data.tasks or tuple(Task(text=text) for text in known.checklists.get(data.checklist, ()))


def fingerprint(lines: Iterable[Line]) -> str:
    """What a customer signs for: each item with lot, quantity and unit."""
    said = "\n".join(f"{line.kind} {line.item.number if line.item else line.text} {line.lot} {plain(line.quantity)} {line.unit}" for line in lines)
    return hashlib.sha256(said.encode()).hexdigest()


def source(document: Document, line: Line, facts: VisitFacts, master: Master) -> int | None:
    """Where material comes from: what line or header name, else the technician's van, else the warehouse."""
    technician = facts.known.technicians.get(header(document).technician)
    van = technician.location if technician else None
    return line.location_from or document.location_from or van or master.defaults.get((document.company, "storage"))


def drafts(document: Document, transition: str, kinds: Kinds) -> list[Draft]:
    """What has a price after warranty is charged when the visit is done."""
    return [Draft(follow="charge")] if transition == "finish" and document.net > 0 and INVOICE in kinds.documents else []


def panels(document: Document, facts: VisitFacts, zone: str, guest: bool) -> list[Panel]:
    """Who comes when, what was checked and signed. The customer sees the same, but not how to plan."""
    data, own = header(document), span(document.date_requested, header(document), zone)
    names = [facts.known.technicians[c].name for c in (data.technician, *data.helpers) if c in facts.known.technicians]
    rows: list[tuple[str, str | Shown]] = [("Technician", ", ".join(names))]
    if document.date_requested:
        rows.append(("Day", Shown(value=document.date_requested)))
    if own:
        start, end = (f"{at.astimezone(ZoneInfo(zone)):%H:%M}" for at in own)
        rows.append(("Time", f"{start} to {end}"))
    if facts.arrived:
        rows.append(("On site since", f"{facts.arrived.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"))
    rows += [(t.text, t.remark or "checked") for t in data.tasks if t.done or t.remark]
    if facts.signed:
        rows.append((f"Signed by {facts.signed.name}", facts.signed.text or "without remarks"))
    if not guest and document.phase in ("draft", "open"):
        rows.append(("On site", Shown(value="the page for the technician", url=f"/visits/{document.id}")))
    form = "" if guest or document.phase not in ("draft", "open") else "plan"
    return [Panel(title="Visit", rows=tuple(r for r in rows if r[1]), sequence=10, shared=True, form=form)]


def of_request(document: Document, visited: Visited, guest: bool) -> list[Panel]:
    """On a request: its visits, and a form that plans one."""
    rows = tuple((number, Shown(value=f"{day or 'no day yet'}: {STATES[state][0]}", url=f"/visits/{id}" if not guest else f"/document/{id}"))
                 for id, number, state, day in visited.visits)  # fmt: skip
    form = "" if guest or document.phase != "open" else "visit"
    return [Panel(title="Visits", rows=rows, sequence=16, form=form, shared=True)] if rows or form else []


# ---- a calendar for telephones (iCalendar, RFC 5545) ------------------------------------------------------------------------------------


def calendar(visits: Iterable[Planned], zone: str, now: datetime, host: str) -> str:
    """A calendar with an event for each visit that has a time; instants are UTC. host: makes the events' identities unique."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Newel//visits//EN"]
    for v in visits:
        if own := span(v.day, v.data, zone):
            start, end = (f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}" for at in own)
            lines += ["BEGIN:VEVENT", f"UID:visit-{v.id}@{text(host)}", f"DTSTAMP:{now.astimezone(UTC):%Y%m%dT%H%M%SZ}", f"DTSTART:{start}", f"DTEND:{end}"]
            lines += [f"SUMMARY:{text(f'{v.party} {v.number}')}", f"DESCRIPTION:{text(STATES[v.state][0])}", "END:VEVENT"]
    return "".join(f"{folded}\r\n" for line in [*lines, "END:VCALENDAR"] for folded in folds(line))


def text(value: str) -> str:
    """A text with what has a meaning of its own escaped."""
    return "".join(ESCAPED.get(c, c) for c in value)


def folds(line: str) -> Iterable[str]:
    """A line in pieces of at most 75 octets; a character is never cut, and each further piece starts with a blank."""
    piece, size = "", 0
    for c in line:
        more = len(c.encode())
        if size + more > OCTETS:
            yield piece
            piece, size = " ", 1
        piece, size = piece + c, size + more
    yield piece
