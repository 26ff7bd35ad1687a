"""One-time codes after RFC 6238 and RFC 4226, and recovery codes. Pure functions."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from urllib.parse import quote

STEP_SECONDS, DIGITS, DRIFT = 30, 6, 1
WRONG_MOST, WAIT = 5, timedelta(minutes=15)
RECOVERY_CODES = 10
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # none that looks like another one


def new_secret() -> str:
    """160 random bits in base 32, as apps take them."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def code_at(secret: str, counter: int, digits: int = DIGITS) -> str:
    """The code of a counter: HOTP, RFC 4226 section 5.3, with HMAC-SHA-1, which every app knows."""
    digest = hmac.new(base64.b32decode(secret), counter.to_bytes(8, "big"), hashlib.sha1).digest()
    at = digest[-1] & 0x0F
    return str((int.from_bytes(digest[at : at + 4], "big") & 0x7FFFFFFF) % 10**digits).zfill(digits)


def counter_of(secret: str, entered: str, now: datetime, used: int) -> int | None:
    """The counter whose code was entered: of this half minute, the one before or the one after, and later than the last one that was used."""
    code, present = entered.replace(" ", ""), int(now.timestamp()) // STEP_SECONDS
    fitting = [c for c in range(present - DRIFT, present + DRIFT + 1) if hmac.compare_digest(code_at(secret, c).encode(), code.encode())]
    return max((c for c in fitting if c > used), default=None)


def must_wait(wrong: int, wrong_at: datetime | None, now: datetime) -> bool:
    """After several wrong codes in a row, one try in a quarter of an hour: a million codes are soon tried. Passkeys and recovery codes are not meant."""
    return wrong >= WRONG_MOST and wrong_at is not None and now < wrong_at + WAIT


def address_of(secret: str, login: str, issuer: str) -> str:
    """What the picture for an app says: the key address that apps read."""
    return f"otpauth://totp/{quote(issuer, safe='')}:{quote(login, safe='')}?secret={secret}&issuer={quote(issuer, safe='')}"


def new_codes() -> list[str]:
    """Recovery codes, such as k7m3-x2pq-9hde-4wtz-ab5c-r8nf: 118 random bits each, so that their hashes tell nothing (ASVS 5.0 V6.5.2)."""
    return ["-".join("".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(6)) for _ in range(RECOVERY_CODES)]


def hashed(code: str) -> str:
    """What is kept of a recovery code: it is random, so one plain hash is enough."""
    return hashlib.sha256(code.replace("-", "").replace(" ", "").lower().encode()).hexdigest()
