"""newel doctor finds what was broken on purpose: each finding has cause, effect and fix."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from newel.config import Config
from newel.services.app import Newel
from newel.services.doctor import Diagnosis, diagnose
from newel.services.setup import create_admin
from newel_demo.company import PASSWORD, USERS
from newel_ops.checks import KNOWN_LOGINS, KNOWN_PASSWORD
from newel_sdk.testing import NOW, running

from tests import shop


async def found(url: str, **config: Any) -> dict[str, Diagnosis]:
    """What doctor says of the install, by check."""
    app = Newel(Config(database=url, **config), {"shop": shop.module()}, lambda: NOW)
    await app.start()
    try:
        return {d.check: d for d in await diagnose(app)}
    finally:
        await app.close()


async def make(url: str) -> None:
    async with running(url, {"shop": shop.module()}) as (app, _context):
        await create_admin(app, "boss", "quite a long password")


async def test_a_fresh_install_is_in_order(database_url: str) -> None:
    await make(database_url)
    told = await found(database_url)
    looked = {"ids", "references", "database version", "durability", "passwords", "administrators", "worker", "clocks", "books of TEST", "rates of TEST"}
    assert looked <= set(told)
    # Which plugins are installed, who may read the file and what can be printed is the machine's business.
    others = ("newel.toml", "database file", "printing")
    wrong = [d for d in told.values() if d.level != "ok" and not d.check.startswith(others)]
    assert wrong == []


async def sql(app: Newel, statement: str, *args: Any) -> None:
    async with app.database.write() as session:
        await session.fetch(statement, *args)


async def _ids(app: Newel) -> None:
    back = "UPDATE newel_id SET next = 5" if app.database.sqlite else "SELECT setval('newel_id', 5, false)"
    async with app.database.engine.transaction():
        await app.database.engine.run_sql(back)


async def _password(app: Newel) -> None:
    await create_admin(app, "demo", PASSWORD)


async def _admins(app: Newel) -> None:
    await sql(app, "UPDATE app_user SET active = ?", False)
    await sql(app, "UPDATE app_user SET active = ? WHERE login = 'nobody'", True)


async def _token(app: Newel) -> None:
    async with app.database.read() as session:
        user = await app.users.load(await session.value("SELECT id FROM app_user WHERE login = 'boss'"))
    assert user is not None
    await app.users.create_token(user, "old", 1)
    await sql(app, "UPDATE api_token SET expires_at = ?", NOW - timedelta(days=1))


async def _period(app: Newel) -> None:
    await sql(app, "UPDATE period SET state = 'closed'")


async def _queue(app: Newel) -> None:
    from newel.store.tables_document import Job, Outbox

    async with app.database.write() as session:
        session.add(Outbox, topic="transition", plugin="shop", created_at=NOW, available_at=NOW - timedelta(hours=2))
        session.add(Job, name="x", state="running", created_at=NOW, available_at=NOW, lease_until=NOW - timedelta(hours=1))


FAULTS: dict[str, tuple[Any, str, str, str]] = {
    "ids that come again": (_ids, "ids", "error", "the allocator stands at 5"),
    "the password of the manual": (_password, "passwords", "warning", "demo still have the password"),
    "nobody administers": (_admins, "administrators", "error", "nobody may administer"),
    "an expired token": (_token, "tokens", "warning", "1 API tokens have expired"),
    "closed periods": (_period, "books of TEST", "error", "is closed"),
    "no worker": (_queue, "worker", "warning", "1 messages wait"),
    "a dead worker": (_queue, "jobs left", "warning", "1 jobs were left"),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_what_was_broken_is_found(fault: str, database_url: str) -> None:
    broken, check, level, cause = FAULTS[fault]
    await make(database_url)
    app = Newel(Config(database=database_url), {"shop": shop.module()}, lambda: NOW)
    await app.start()
    await broken(app)
    await app.close()
    told = (await found(database_url))[check]
    assert told.level == level and cause in told.cause
    assert told.effect and told.fix


def test_the_passwords_of_the_manual_are_those_of_the_demonstration() -> None:
    assert (KNOWN_PASSWORD, set(KNOWN_LOGINS)) == (PASSWORD, set(USERS))


async def test_an_open_network_without_tls_is_told(sqlite_url: str) -> None:
    await make(sqlite_url)
    told = await found(sqlite_url, host="0.0.0.0")
    assert told["cookies"].level == "warning" and "secure_cookies" in told["cookies"].fix


async def test_data_of_a_plugin_that_is_gone_is_told(database_url: str) -> None:
    async with running(database_url):
        pass
    told = await found(database_url)
    assert "newel detach sales" in told["data of sales"].fix


async def test_checks_that_fail_are_told_and_the_others_run(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    await make(sqlite_url)

    async def broken(_app: Newel) -> list[Diagnosis]:
        raise RuntimeError("boom")

    monkeypatch.setattr("newel_ops.checks.checks", broken)
    told = await found(sqlite_url)
    assert told["checks of ops"].cause == "RuntimeError: boom" and told["users"].level == "ok"
