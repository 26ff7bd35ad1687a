"""Guessing passwords: counted in the database by address and by login, slowed down and never locked, and nothing told about who exists."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from newel.errors import Refused
from newel.services.app import Newel
from newel.services.passwords import weak
from newel_sdk.testing import NOW, running

PASSWORD = "correct horse battery"


class Clock:
    """A clock that tests can put forward."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def on(self, **time: float) -> None:
        self.now += timedelta(**time)


async def ann(app: Any, context: Any) -> None:
    await app.users.create("ann", PASSWORD, "Ann Lee", ("sales",), ("TEST",), context)


async def limited(app: Any, login: str, address: str, password: str = "wrong") -> str:
    """What somebody is told who tries: "" where the try was taken."""
    try:
        await app.users.authenticate(login, password, address)
    except Refused as refused:
        return refused.problems[0].hint if (refused.status, refused.problems[0].code) == (429, "login.limit") else str(refused)
    return ""


async def test_all_processes_count_together(database_url: str) -> None:
    """Ten wrong ones, five in each of two processes: the eleventh waits in both, and after a new start, too."""
    clock = Clock()
    async with running(database_url, {}, clock) as (app, context):
        await ann(app, context)
        other = Newel(app.config, {}, clock)
        await other.start()
        for one in (app, other) * 5:
            assert await limited(one, "ann", "10.0.0.1") == ""
        for one in (app, other):
            assert await limited(one, "ann", "10.0.0.1", PASSWORD) == "wait 5 minutes"
        await other.close()
        async with app.database.read() as session:
            kept = str([dict(r) for r in await session.fetch("SELECT * FROM login_attempt")])
        assert "ann" not in kept and "10.0.0.1" not in kept, "only hashes"


async def test_many_addresses_slow_a_login_down_and_lock_nobody_out(database_url: str) -> None:
    """A hundred machines guess at Ann's password: they wait ever longer, up to half a minute. Ann, at her own desk, notices nothing."""
    clock = Clock()
    async with running(database_url, {}, clock) as (app, context):
        await ann(app, context)
        assert await app.users.authenticate("ann", PASSWORD, "192.0.2.7")
        for n in range(20):
            assert await limited(app, "ann", f"10.0.0.{n}") == ""
        waits = []
        for n in range(7):
            waits.append(await limited(app, "ann", f"10.0.1.{n}"))
            clock.on(seconds=30)
            assert await limited(app, "ann", f"10.0.1.{n}") == ""
        assert waits == ["wait 1 seconds", "wait 2 seconds", "wait 4 seconds", "wait 8 seconds", "wait 16 seconds", "wait 30 seconds", "wait 30 seconds"]
        assert await limited(app, "ann", "10.0.2.1", PASSWORD) != ""
        assert await app.users.authenticate("ann", PASSWORD, "192.0.2.7"), "where she has been before"
        clock.on(seconds=31)
        assert await app.users.authenticate("ann", PASSWORD, "10.0.2.1"), "elsewhere after half a minute"
        assert await limited(app, "somebody who does not exist", "10.0.2.2") == ""


async def test_one_address_tries_many_logins(database_url: str) -> None:
    """A hundred tries from one place, whatever the logins; of IPv6 a whole network is one place."""
    clock = Clock()
    async with running(database_url, {}, clock) as (app, context):
        await ann(app, context)
        for n in range(100):
            assert await limited(app, f"user{n}", f"2001:db8::{n:x}") == ""
        assert await limited(app, "ann", "2001:db8::ffff") == "wait 5 minutes"
        assert await limited(app, "ann", "2001:db8:1::1") == ""
        clock.on(minutes=5, seconds=1)
        assert await limited(app, "ann", "2001:db8::ffff") == ""
        async with app.database.read() as session:
            assert await session.value("SELECT COUNT(*) AS n FROM login_attempt") < 20, "what is over is forgotten"


async def test_a_login_is_told_nothing_about_who_exists(sqlite_url: str) -> None:
    """The same words for a wrong password, an unknown login and somebody who is not active; the same limit, too."""
    async with running(sqlite_url, {}) as (app, context):
        await ann(app, context)
        await app.users.create("gone", PASSWORD, "Gone", (), ("TEST",), context)
        await app.records.save("newel.user", await app.records.find("newel.user", "gone", context), {"active": False}, context)
        told = set()
        for login, password in (("ann", "wrong"), ("nobody", PASSWORD), ("gone", PASSWORD)):
            with pytest.raises(Refused) as refused:
                await app.users.login(login, password, address="10.0.0.1")
            told.add((refused.value.status, refused.value.problems))
            for n in range(9):
                await limited(app, login, "10.0.0.1", f"wrong {n}")
            told.add(await limited(app, login, "10.0.0.1"))
        assert len(told) == 2


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "password12",
        "qwertyuiop",
        "1234567890",
        "iloveyou123",
        "Password1!",
        "letmein12345",
        "aaaaaaaaaaaa",
        "x" * 201,
        "ann lives here",
        "newelnewel1",
    ],
)
def test_passwords_that_others_take_are_refused(password: str) -> None:
    """Length, and how soon it is guessed; nobody is made to take a digit or a sign."""
    assert weak("ann", password), password


@pytest.mark.parametrize("password", ["correct horse battery", "nine-oak-treads", "ein sehr langer satz", "四つの馬と電池と階段", "x" + "y z" * 60])
def test_long_passwords_of_any_letters_are_taken(password: str) -> None:
    assert weak("ann", password) is None, password
