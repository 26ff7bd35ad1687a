"""Codes by the numbers of the standards, used once, and slowed down."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from newel_two_factor import rules

SECRET = base64.b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("second", "code"),
    [(59, "94287082"), (1111111109, "07081804"), (1111111111, "14050471"), (1234567890, "89005924"), (2000000000, "69279037"), (20000000000, "65353130")],
)
def test_the_codes_of_the_standard(second: int, code: str) -> None:
    """RFC 6238, appendix B, SHA-1."""
    assert rules.code_at(SECRET, second // 30, digits=8) == code


@pytest.mark.parametrize(
    ("counter", "code"), list(enumerate(["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"]))
)
def test_the_counters_of_the_standard(counter: int, code: str) -> None:
    """RFC 4226, appendix D."""
    assert rules.code_at(SECRET, counter) == code


def test_a_code_counts_for_half_a_minute_and_its_neighbours_and_once() -> None:
    now = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)
    at = int(now.timestamp()) // 30
    for drift, fits in ((-2, False), (-1, True), (0, True), (1, True), (2, False)):
        code = rules.code_at(SECRET, at + drift)
        assert (rules.counter_of(SECRET, code, now, used=0) == at + drift) is fits
        assert rules.counter_of(SECRET, f"{code[:3]} {code[3:]}", now, used=0) == (at + drift if fits else None), "as apps show it"
    assert rules.counter_of(SECRET, rules.code_at(SECRET, at), now, used=at) is None, "used before"
    assert rules.counter_of(SECRET, "é" * 6, now, used=0) is None


def test_wrong_codes_have_to_wait() -> None:
    now = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)
    assert not rules.must_wait(4, now, now)
    assert rules.must_wait(5, now, now + timedelta(minutes=14))
    assert not rules.must_wait(5, now, now + timedelta(minutes=15))


def test_recovery_codes_are_many_and_unlike() -> None:
    codes = rules.new_codes()
    assert len(set(codes)) == 10
    assert {len(c) for c in codes} == {29}
    assert rules.hashed(codes[0]) == rules.hashed(codes[0].replace("-", " ").upper()) != rules.hashed(codes[1])
