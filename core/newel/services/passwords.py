"""Passwords, and how often somebody may guess."""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import secrets
from datetime import datetime, timedelta

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from newel.errors import Problem, Refused
from newel.store.session import Session, instant
from newel.store.tables_master import LoginAttempt

SHORTEST, LONGEST = 10, 200
GUESSABLE, MEASURED = 3, 72
MINUTES = 5
TRIES, TRIES_OF_ADDRESS, TRIES_OF_LOGIN = 10, 100, 20
SLOWEST_SECONDS = 30
KNOWN = timedelta(days=30)


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
    """Why a password may not be used: its length, and how soon somebody would guess it who knows the login and what others take (ASVS 5.0 V6.2)."""
    from zxcvbn import zxcvbn  # its word lists take a while, and are needed where a password is set only

    if len(password) < SHORTEST:
        message, hint = f"a password has at least {SHORTEST} characters", "take four words that nobody would put together"
    elif len(password) > LONGEST:
        message, hint = f"a password has at most {LONGEST} characters", "shorten it"
    elif login.lower() in password.lower() or zxcvbn(password[:MEASURED], user_inputs=[login, "newel"])["score"] < GUESSABLE:
        message, hint = "the password is easy to guess", "take four words that nobody would put together"
    else:
        return None
    return Problem(code="password.weak", message=message, where="password", hint=hint)


class Guesses:
    """Failed attempts of the last minutes, in the database, so that all processes count together; of what was typed only hashes are kept.

    Too many by a login at an address, or at an address, have to wait. Too many by a login from everywhere are slowed down, and only where this
    login has never worked: nobody is locked out by what others guess.
    """

    def __init__(self, login: str, address: str, now: datetime) -> None:
        self.now, self.since = now, now - timedelta(minutes=MINUTES)
        self.pair, self.address, self.login = (_key(*parts) for parts in ((login, _network(address)), ("", _network(address)), (login,)))

    async def check(self, session: Session) -> None:
        """Refused 429 where there were too many."""
        sql = "SELECT key, COUNT(*) AS n, MAX(at) AS last FROM login_attempt WHERE key = ANY(?) AND NOT good AND at > ? GROUP BY key"
        found = {r["key"]: r for r in await session.fetch(sql, [self.pair, self.address, self.login], self.since)}
        tried = {key: found[key]["n"] if key in found else 0 for key in (self.pair, self.address, self.login)}
        wait = f"{MINUTES} minutes" if tried[self.pair] >= TRIES or tried[self.address] >= TRIES_OF_ADDRESS else ""
        if not wait and tried[self.login] >= TRIES_OF_LOGIN and not await self._known(session):
            seconds = min(2 ** (tried[self.login] - TRIES_OF_LOGIN), SLOWEST_SECONDS)
            wait = f"{seconds} seconds" if self.now < (instant(found[self.login]["last"]) or self.now) + timedelta(seconds=seconds) else ""
        if wait:
            raise Refused(Problem(code="login.limit", message="too many failed attempts to log in", hint=f"wait {wait}"), status=429)

    async def _known(self, session: Session) -> bool:
        return bool(await session.value("SELECT id FROM login_attempt WHERE key = ? AND good AND at > ?", self.pair, self.now - KNOWN))

    async def count(self, session: Session) -> list[int]:
        """One more, counted before the password is looked at, so that many at once are no way round; returns the ids of its rows."""
        await session.fetch("DELETE FROM login_attempt WHERE at < ? AND (NOT good OR at < ?)", self.since, self.now - KNOWN)
        return [session.add(LoginAttempt, key=key, at=self.now) for key in (self.pair, self.address, self.login)]

    async def forget(self, session: Session, counted: list[int]) -> None:
        """The right password was given: it was no guess, nor were those before it here."""
        await session.fetch("DELETE FROM login_attempt WHERE key = ? OR id = ANY(?)", self.pair, counted)
        session.add(LoginAttempt, key=self.pair, at=self.now, good=True)


def _key(*parts: str) -> str:
    return hashlib.sha256("\n".join((str(len(parts)), *parts)).encode()).hexdigest()


def _network(address: str) -> str:
    """An address as it counts: whoever has an IPv6 address has all of its /64."""
    return str(ipaddress.ip_network((address, 64), strict=False)) if ":" in address and "%" not in address else address
