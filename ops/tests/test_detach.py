"""Remove any bundled plugin from a company that used it, look at its old documents, install it again: nothing is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from newel.config import Config
from newel.domain.document import DocumentInput
from newel.errors import NewelError
from newel.jobs.worker import Worker
from newel.plugins import discover
from newel.services.app import Newel
from newel.services.verify import verify
from newel.store.documents import json_of
from newel.store.master import load_master
from newel.store.tables_document import Outbox
from newel.web.app import create_app
from newel_ops import copies, detach
from newel_ops.databases import moment, opened
from newel_ops.plan import apply, plan
from newel_ops.tables import Sum, sums_of
from newel_sdk.testing import NOW, TODAY, party, running

from tests import shop
from tests.web import Web

ALL = discover()[0]
BUNDLED = sorted(ALL)
MINE = {"setting", "newel_migration", "fact_version", "user_session", "login_attempt", "api_token", "record_event", "idempotency_key"}


async def sums(url: str) -> dict[str, Sum]:
    """The checksum of every table of the company's data."""
    async with opened(url) as database, moment(database) as now:
        return {n: s for n, s in (await sums_of(now.session, now.tables.values())).items() if n not in MINE}


def without(name: str) -> dict[str, Any]:
    """All installed plugins but one: as if it had been uninstalled. What needs it is off with it."""
    return {n: module for n, module in ALL.items() if n != name}


@pytest.mark.capability("NEW-06")
@pytest.mark.parametrize("name", BUNDLED)
async def test_a_plugin_goes_and_comes_back_and_nothing_is_lost(name: str, demo_backup: Path, sqlite_url: str) -> None:
    await copies.restore(Config(database=sqlite_url), demo_backup)
    await goes_and_comes_back(name, sqlite_url)


@pytest.mark.parametrize("name", ["promotions", "purchasing", "sales"])
async def test_the_same_on_postgresql(name: str, demo_backup: Path, postgresql_url: str) -> None:
    await copies.restore(Config(database=postgresql_url), demo_backup)
    await goes_and_comes_back(name, postgresql_url)


async def goes_and_comes_back(name: str, url: str) -> None:
    config, rest = Config(database=url), without(name)
    async with opened(url) as database, database.read() as session:
        tables = await detach.tables_of_plugin(session, name)
        rows = await session.fetch("SELECT MAX(id) AS id, kind FROM document WHERE kind LIKE ? GROUP BY kind ORDER BY kind", f"{name}.%")
        ran = await session.value("SELECT COUNT(*) AS n FROM newel_migration WHERE plugin = ?", name)
    before = await sums(url)
    if not (tables or rows or ran):  # it keeps nothing, or the demonstration has no use for it
        with pytest.raises(NewelError, match="there is nothing of a plugin"):
            await detach.detach(config, name, rest)
        return

    words = await detach.detach(config, name, rest)
    assert sum("rows stay as they are" in w for w in words) == len(tables)
    assert await sums(url) == before
    made = await plan(config, rest)
    assert [r for r in made.rows if r.about == f"data of {name}"] == [] or not made.of("change")
    app = Newel(config, rest)
    await app.start()
    try:
        assert name not in app.plugins.manifests
        for row in rows:
            await _can_be_read_and_not_changed(app, row["id"])
        # What moves should have posted can't be told without the rules of posting that are gone with the plugin.
        assert [f for f in await verify(app) if f.check != "moves"] == []
    finally:
        await app.close()
    assert await sums(url) == before

    done = await apply(config, ALL)
    assert f"{name}: {len(tables)} tables are as they were left, and attached" in done
    assert await sums(url) == before
    assert await apply(config, ALL) == []


async def _can_be_read_and_not_changed(app: Newel, id: int) -> None:
    """On its page and by the API."""
    async with app.database.read() as session:
        companies = (await load_master(session)).companies
    context = app.system(next(iter(companies.values())), today=TODAY)
    document = await app.documents.get(id, context)
    assert document.lines or document.role == "request"
    user = await app.users.load(await _login(app))
    assert user is not None
    web = Web(app, context, create_app(app, manage=False), await app.users.create_token(user, "test", 1))
    answer = await web.api.get(f"/api/document/{id}")
    assert answer.status_code == 200 and answer.json()["number"] == document.number
    browser, _ = await web.browser("demo", "nine-oak-treads")
    page = await browser.get(f"/document/{id}")
    assert page.status_code == 200, page.text[-800:]
    assert document.number in page.text
    if document.kind not in app.registry.documents:
        assert "is not running: this can be read and not changed" in page.text
        listed = await browser.get(f"/documents/{document.kind}")
        assert listed.status_code == 200 and f"/document/{id}" in listed.text
        assert f"/documents/{document.kind}/new" not in listed.text
        assert f"/document/{id}/edit" not in page.text and f"/document/{id}/copy" not in page.text
        changed = await web.api.post(f"/api/document/{id}/copy", json={})
        assert changed.status_code == 404
    assert (await browser.get(f"/document/{id}/print", follow_redirects=True)).status_code == 200


async def _login(app: Newel) -> int:
    async with app.database.read() as session:
        return int(await session.value("SELECT id FROM app_user WHERE login = 'demo'"))


async def test_a_plugin_that_runs_is_neither_detached_nor_purged(demo_url: str, tmp_path: Path) -> None:
    config = Config(database=demo_url)
    with pytest.raises(NewelError, match="promotions runs: put 'promotions' under disabled"):
        await detach.detach(config, "promotions", ALL)
    with pytest.raises(NewelError, match="promotions is not detached: newel detach promotions first"):
        await detach.purge(config, "promotions", tmp_path / "out.zip")
    with pytest.raises(NewelError, match="nothing of a plugin 'ghost'"):
        await detach.detach(config, "ghost", ALL)


async def test_a_change_while_it_was_gone_is_named(demo_url: str) -> None:
    await detach.detach(Config(database=demo_url), "pricelists", without("pricelists"))
    async with opened(demo_url) as database, database.write() as session:
        tables = await detach.tables_of_plugin(session, "pricelists")
        name = [n for n in tables if await session.value(f'SELECT COUNT(*) AS n FROM "{n}"')][-1]
        await session.fetch(f'DELETE FROM "{name}" WHERE id = (SELECT MAX(id) FROM "{name}")')
    assert any(f"pricelists: table {name} is not as it was left" in line for line in await apply(Config(database=demo_url), ALL))


async def test_purging_exports_drops_and_can_be_taken_back(demo_url: str, tmp_path: Path) -> None:
    config, file = Config(database=demo_url), tmp_path / "promotions.zip"
    before = await sums(demo_url)
    await detach.detach(config, "promotions", without("promotions"))
    done = await detach.purge(config, "promotions", file)
    assert any("exported and dropped" in line for line in done)
    after = await sums(demo_url)
    gone = set(before) - set(after)
    assert gone and all(n.startswith("promotions_") for n in gone)
    changed = {n for n in after if before[n] != after[n]}
    assert changed <= {"outbox", "job", "role_permission"}, "its documents and everybody else's rows stay"
    app = Newel(config, without("promotions"))
    await app.start()
    assert await verify(app) == []
    await app.close()

    await apply(config, ALL)  # installed again: empty tables
    assert await detach.bring_back(config, "promotions", file)
    back = await sums(demo_url)
    assert {n: back[n] for n in gone} == {n: before[n] for n in gone}
    with pytest.raises(NewelError, match="has rows already"):
        await detach.bring_back(config, "promotions", file)
    with pytest.raises(NewelError, match="is no export of pricelists"):
        await detach.bring_back(config, "pricelists", file)


async def test_messages_wait_for_a_plugin_that_does_not_run(database_url: str) -> None:
    """The worker does not pretend to have told a plugin that was not there."""
    async with running(database_url, {"shop": shop.module()}) as (app, context):
        made = await app.documents.create("shop.order", DocumentInput(party=await party(app, context, "ACME")), context)
        for name in ("shop", "absent"):
            async with app.database.write() as session:
                payload = json_of({"document": made.document.id, "transition": "confirm", "company": context.company.id})
                session.add(Outbox, topic="transition", plugin=name, payload=payload, created_at=NOW, available_at=NOW)
        assert await Worker(app).once() == 1
        async with app.database.read() as session:
            assert [r["plugin"] for r in await session.fetch("SELECT plugin FROM outbox WHERE done_at IS NULL")] == ["absent"]
