"""Users: logging in, staying logged in, programs, and who may do what."""

from datetime import datetime, timedelta
from typing import Any

import argon2
import msgspec
import pytest
from newel.errors import Refused
from newel.services.setup import set_up_company
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


async def ann(app: Any, context: Any, *roles: str) -> int:
    made: int = await app.users.create("Ann", PASSWORD, "Ann Lee", roles or ("sales",), ("TEST",), context, language="de")
    return made


async def test_only_the_right_password_logs_in(database_url: str) -> None:
    async with running(database_url, {}) as (app, context):
        user = await ann(app, context)
        token, login = await app.users.login(" ANN ", PASSWORD, address="10.0.0.1", agent="test")
        assert (login.user.id, login.user.login, login.user.language, login.company) == (user, "ann", "de", context.company.id)
        assert login.user.may("newel.party.edit")
        assert not login.user.may("newel.user.edit")
        found = await app.users.by_session(token)
        assert found is not None
        assert (found.csrf, found.user) == (login.csrf, login.user)
        assert found.csrf != token
        for name, password in (("ann", "wrong"), ("ann", ""), ("nobody", PASSWORD), ("ann", PASSWORD + "x")):
            with pytest.raises(Refused) as refused:
                await app.users.login(name, password)
            assert (refused.value.status, refused.value.problems[0].code) == (401, "login.failed")
        assert await app.users.by_session("x") is None
        async with app.database.read() as session:
            stored = await session.one("SELECT * FROM app_user WHERE login = ?", "ann")
            assert stored["password"].startswith("$argon2id$v=19$m=19456,t=2,p=1$")
            kept = await session.one("SELECT * FROM user_session")
            assert token not in str(dict(kept))


async def test_guessing_is_limited_for_a_while(database_url: str) -> None:
    clock = Clock()
    async with running(database_url, {}, clock) as (app, context):
        await ann(app, context)
        for _ in range(10):
            assert await app.users.authenticate("ann", "wrong", "10.0.0.1") is None
        with pytest.raises(Refused) as refused:
            await app.users.authenticate("ann", PASSWORD, "10.0.0.1")
        assert refused.value.status == 429
        assert await app.users.authenticate("ann", PASSWORD, "10.0.0.2"), "somebody else's guesses lock nobody out"
        clock.on(minutes=5, seconds=1)
        assert await app.users.authenticate("ann", PASSWORD, "10.0.0.1")


async def test_unknown_users_take_as_long(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nearly all of the time is one computation of argon2: with the same parameters for whoever asks."""
    spent = []
    verify = argon2.PasswordHasher.verify

    def counted(self: Any, stored: str, password: str) -> bool:
        spent.append(argon2.extract_parameters(stored))
        return verify(self, stored, password)

    async with running(sqlite_url, {}) as (app, context):
        await ann(app, context)
        monkeypatch.setattr(argon2.PasswordHasher, "verify", counted)
        for login in ("nobody", "ann"):
            assert await app.users.authenticate(login, "wrong") is None
    assert len(spent) == 2 and spent[0] == spent[1]


async def test_sessions_end(database_url: str) -> None:
    clock = Clock()
    async with running(database_url, {}, clock) as (app, context):
        user = await app.users.load(await ann(app, context))
        idle, _ = await app.users.login("ann", PASSWORD)
        clock.on(hours=8, seconds=1)
        assert await app.users.by_session(idle) is None
        busy, _ = await app.users.login("ann", PASSWORD)
        for _ in range(23):
            clock.on(hours=7)
            assert await app.users.by_session(busy)
        clock.on(hours=7, minutes=1)
        assert await app.users.by_session(busy) is None, "after seven days in any case"
        first, _ = await app.users.login("ann", PASSWORD)
        second, login = await app.users.login("ann", PASSWORD)
        assert len(await app.users.sessions(user)) == 2
        await app.users.revoke(user, login.id)
        assert await app.users.by_session(second) is None
        with pytest.raises(Refused):
            await app.users.revoke(user, login.id)
        await app.users.logout(first)
        assert await app.users.by_session(first) is None


async def test_what_an_administrator_changes_holds_at_once(database_url: str) -> None:
    async with running(database_url, {}) as (app, context):
        user = await ann(app, context)
        token, _ = await app.users.login("ann", PASSWORD)
        await app.records.save("newel.user_role", None, {"user": user, "role": "accountant"}, context)
        found = await app.users.by_session(token)
        assert found.user.may("newel.account.edit")
        await app.records.save("newel.user", user, {"active": False}, context)
        assert await app.users.by_session(token) is None
        assert await app.users.authenticate("ann", PASSWORD) is None


async def test_a_new_password_ends_the_other_sessions(database_url: str) -> None:
    async with running(database_url, {}) as (app, context):
        user = await ann(app, context)
        old, _ = await app.users.login("ann", PASSWORD)
        kept, login = await app.users.login("ann", PASSWORD)
        await app.users.set_password(user, "another long secret", context, keep=login.id)
        assert await app.users.by_session(old) is None
        assert await app.users.by_session(kept)
        assert await app.users.authenticate("ann", PASSWORD) is None
        assert await app.users.authenticate("ann", "another long secret")
        event = (await app.records.history("newel.user", user, context))[0]
        assert (event.action, [(c.old, c.new) for c in event.changes]) == ("password", [("***", "***")])
        for weak in ("short", "ann is my name", "aaaaaaaaaaaa", "x" * 201):
            with pytest.raises(Refused, match=r"password\.weak"):
                await app.users.set_password(user, weak, context)
        with pytest.raises(Refused, match=r"newel\.user\.edit"):
            await app.users.create("bob", PASSWORD, "Bob", (), (), await _as(app, user))
        with pytest.raises(Refused):
            await app.users.create("ann", PASSWORD, "Ann", (), (), context)


async def _as(app: Any, user: int) -> Any:
    found = await app.users.load(user)
    async with app.database.read() as session:
        return await app.context(session, found)


async def test_a_program_acts_for_a_user_in_one_company(database_url: str) -> None:
    clock = Clock()
    async with running(database_url, {}, clock) as (app, context):
        other = await set_up_company(app, code="OTHER", name="Other", currency="USD")
        user = await app.users.load(await ann(app, context))
        token = await app.users.create_token(user, "shop", 30)
        assert await app.users.by_token(token) == (user, context.company.id)
        assert [t["name"] for t in await app.users.tokens(user)] == ["shop"]
        for name, days, company in (("", 30, None), ("x", 0, None), ("x", 30, other.id)):
            with pytest.raises(Refused):
                await app.users.create_token(user, name, days, company)
        clock.on(days=31)
        assert await app.users.by_token(token) is None
        fresh = await app.users.create_token(user, "shop", 30)
        await app.users.revoke_token(user, (await app.users.tokens(user))[-1]["id"])
        assert await app.users.by_token(fresh) is None


async def test_nobody_sets_the_password_of_somebody_who_may_do_more(database_url: str) -> None:
    from newel.domain.context import User

    async with running(database_url, {}) as (app, context):
        boss = await app.users.create("boss", "a-long-good-secret", "Boss", ["admin"], [context.company.id], context)
        clerk = User(id=77, login="clerk", permissions=frozenset({"newel.user.edit", "newel.user.view"}), companies=frozenset({context.company.id}))
        with pytest.raises(Refused) as refused:
            await app.users.set_password(boss, "another-good-secret", msgspec.structs.replace(context, user=clerk))
        assert refused.value.status == 403
