"""Passwords, and how often somebody may guess."""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from datetime import datetime, timedelta

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from newel.errors import Problem, Refused

SHORTEST, LONGEST = 10, 200
MINUTES = 5
TRIES, TRIES_OF_ADDRESS = 10, 100
REMEMBERED = 20_000


class Passwords:
    """argon2id with 19 MiB, two passes, one lane (OWASP); in threads, two at once, so that logging in can't starve the rest."""

    def __init__(self) -> None:
        self._hash = PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19_456, parallelism=1),))
        self._turn = asyncio.Semaphore(2)
        self._nobody = ""

    async def make(self, password: str) -> str:
        """What is stored instead of the password."""
        async with self._turn:
            return await asyncio.to_thread(self._hash.hash, password)

    async def fits(self, password: str, stored: str | None) -> bool:
        """Whether it is the password; takes as long where there is none."""
        if not self._nobody:
            self._nobody = await self.make(secrets.token_urlsafe(16))
        async with self._turn:
            found = await asyncio.to_thread(self._hash.verify, password[: LONGEST + 1], stored or self._nobody)
        return found and bool(stored)


def weak(login: str, password: str) -> Problem | None:
    """Why a password may not be used."""
    if len(password) < SHORTEST:
        message, hint = f"a password has at least {SHORTEST} characters", "take four words that nobody would put together"
    elif len(password) > LONGEST:
        message, hint = f"a password has at most {LONGEST} characters", "shorten it"
    elif login.lower() in password.lower() or len(set(password)) < 4:
        message, hint = "the password is easy to guess", "take four words that nobody would put together"
    else:
        return None
    return Problem(code="password.weak", message=message, where="password", hint=hint)


class Guesses:
    """Failed attempts of the last minutes, by login and address, and by address alone. In memory: each process counts for itself."""

    def __init__(self) -> None:
        self._failed: dict[tuple[str, str], deque[datetime]] = {}

    def check(self, login: str, address: str, now: datetime) -> None:
        """Refused 429 where there were too many."""
        for key, most in (((login, address), TRIES), (("", address), TRIES_OF_ADDRESS)):
            failed = self._failed.get(key)
            while failed and failed[0] <= now - timedelta(minutes=MINUTES):
                failed.popleft()
            if failed is not None and not failed:
                del self._failed[key]
            elif failed and len(failed) >= most:
                message, hint = "too many failed attempts to log in", f"wait {MINUTES} minutes"
                raise Refused(Problem(code="login.limit", message=message, hint=hint), status=429)

    def failed(self, login: str, address: str, now: datetime) -> None:
        """One more."""
        for key in ((login, address), ("", address)):
            self._failed.setdefault(key, deque(maxlen=TRIES_OF_ADDRESS)).append(now)
        while len(self._failed) > REMEMBERED:
            del self._failed[next(iter(self._failed))]

    def forget(self, login: str, address: str) -> None:
        """The right password was given."""
        self._failed.pop((login, address), None)
