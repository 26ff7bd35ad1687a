"""What the call centre decides: who has signed an event, what it changes of a call, who it is that calls. Pure functions over frozen values."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec
from newel.errors import Problem

SECRETS = "NEWEL_CALL_CENTRE_"
SIGNATURE = re.compile(r"t=(\d{1,12}),v1=([0-9a-f]{64})")
SKEW = timedelta(minutes=5)
SAME, SHORTEST = 8, 6  # digits from the end that make two numbers one: countries write what stands before in many ways
TIMES = {"started": "started_at", "answered": "answered_at", "ended": "ended_at"}


class CallSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of the call centre.

    Args:
        secret_variable: environment variable NEWEL_CALL_CENTRE_... with the secret that signs events; where it is not set, the token alone counts.
        extensions: login of a user by what the telephone system calls the agent, where the two differ.
        request_kind: kind of document that is made from a call; it rests where nothing installed has this name.
        request_data: what its header says at first, by plugin; what no running plugin keeps is left out.
    """

    secret_variable: str = "NEWEL_CALL_CENTRE_SECRET"  # noqa: S105 - the name of a variable
    extensions: dict[str, str] = {}
    request_kind: str = "requests.request"
    request_data: dict[str, dict[str, str]] = msgspec.field(default_factory=lambda: {"requests": {"type": "help"}})


class EventIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What telephony software tells.

    Args:
        call: its own id of the call.
        event: started (it rings), answered, ended, or recorded (the link is there).
        number: of the other side, as the network gives it; empty where it is withheld. 40 characters of it are kept, of the agent 60.
        agent: who takes the call: login, or extension. at: instant of the event, now unless given. recording: https address.
    """

    call: str
    event: Literal["started", "answered", "ended", "recorded"]
    direction: Literal["in", "out"] = "in"
    number: Annotated[str, msgspec.Meta(max_length=500)] = ""
    agent: Annotated[str, msgspec.Meta(max_length=500)] = ""
    at: datetime | None = None
    recording: str = ""


def signature(secret: str, body: bytes, at: datetime) -> str:
    """What the header X-Newel-Signature says: HMAC-SHA256 over seconds since 1970, a point and the body."""
    seconds = int(at.timestamp())
    return f"t={seconds},v1={hmac.new(secret.encode(), f'{seconds}.'.encode() + body, hashlib.sha256).hexdigest()}"


def signed(header: str, secret: str, body: bytes, now: datetime) -> bool:
    """Whether the body was signed with the secret, and not long ago."""
    found = SIGNATURE.fullmatch(header)
    if not found or abs(int(found[1]) - now.timestamp()) > SKEW.total_seconds():
        return False
    expected = hmac.new(secret.encode(), f"{found[1]}.".encode() + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, found[2])


def digits(number: str) -> str:
    """The digits of a telephone number by which it is found; empty where there are too few."""
    found = "".join(c for c in number if c.isascii() and c.isdigit())
    return found[-SAME:] if len(found) >= SHORTEST else ""


def check_event(event: EventIn) -> Iterator[Problem]:
    """What is wrong with an event."""
    if not 1 <= len(event.call) <= 100:
        yield Problem(code="call_centre.call", message="1 to 100 characters were expected", where="call", hint="send the id that your system gives the call")
    if event.at is not None and event.at.tzinfo is None:
        yield Problem(code="call_centre.at", message="an instant with its zone was expected", where="at", hint="send it as 2026-01-31T09:00:00Z")
    if event.recording and (len(event.recording) > 500 or urlsplit(event.recording).scheme != "https"):
        yield Problem(code="call_centre.recording", message="an https address was expected", where="recording", hint="send the link, not the recording")


def changed(event: EventIn, known: Mapping[str, Any] | None, agent: str, now: datetime) -> dict[str, Any]:
    """What an event changes of a call. Events may come late, twice or in another order: what is known of a moment stays."""
    values: dict[str, Any] = {} if known else {"call": event.call, "direction": event.direction}
    column = TIMES.get(event.event)
    if column and not (known or {}).get(column):
        values[column] = event.at or now
    given = {"number": event.number[:40], "agent": agent[:60], "recording": event.recording}
    return values | {name: value for name, value in given.items() if value and not (known or {}).get(name)}


def state(call: Mapping[str, Any]) -> str:
    """ringing, talking, ended, or missed (nobody answered)."""
    if call.get("ended_at"):
        return "ended" if call.get("answered_at") else "missed"
    return "talking" if call.get("answered_at") else "ringing"
