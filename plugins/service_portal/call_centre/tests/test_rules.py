"""Signatures, numbers, and events in any order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from newel_call_centre.rules import EventIn, changed, check_event, digits, signature, signed, state

NOW = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@given(st.binary(max_size=200), st.text(min_size=1, max_size=40), st.integers(-4, 4))
def test_what_is_signed_with_the_secret_is_known_for_minutes(body: bytes, secret: str, minutes: int) -> None:
    header = signature(secret, body, NOW)
    assert signed(header, secret, body, NOW + minutes * MINUTE)
    assert not signed(header, secret + "x", body, NOW)
    assert not signed(header, secret, body + b"x", NOW)
    assert not signed(header, secret, body, NOW + 6 * MINUTE)


@pytest.mark.parametrize("header", ["", "t=1", "v1=00", "t=1,v1=zz", f"t={int(NOW.timestamp())},v1={'0' * 64}"])
def test_what_is_no_signature_is_none(header: str) -> None:
    assert not signed(header, "secret", b"x", NOW)


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("+49 (30) 1234-5678", "12345678"),
        ("030/12345678", "12345678"),
        ("004930.12345678", "12345678"),
        ("123456", "123456"),
        ("12345", ""),
        ("", ""),
        ("*#٣٤٥٦٧٨", ""),
    ],
)
def test_a_number_is_known_however_it_is_written(number: str, expected: str) -> None:
    assert digits(number) == expected


def test_events_in_any_order_give_the_same_call() -> None:
    told = [
        EventIn(call="c", event="started", number="030 1", agent="a", at=NOW), EventIn(call="c", event="answered", at=NOW + MINUTE),
        EventIn(call="c", event="ended", at=NOW + 3 * MINUTE), EventIn(call="c", event="recorded", recording="https://pbx.example/1"),
    ]  # fmt: skip
    ends = []
    for order in permutations(told):
        call: dict[str, object] = {}
        for event in (*order, *order):
            call |= changed(event, call or None, event.agent, NOW)
        ends.append((state(call), call))
    assert all(end == ends[0] for end in ends)
    assert ends[0][0] == "ended"
    assert [state({}), state({"answered_at": NOW}), state({"ended_at": NOW})] == ["ringing", "talking", "missed"]


def test_what_an_event_must_be() -> None:
    wrong = EventIn(call="", event="recorded", at=datetime(2026, 1, 1), recording="http://pbx.example/1")  # noqa: DTZ001
    assert [p.code for p in check_event(wrong)] == ["call_centre.call", "call_centre.at", "call_centre.recording"]
    assert [p.code for p in check_event(EventIn(call="c", event="recorded", recording="javascript:alert(1)"))] == ["call_centre.recording"]
