"""Setup at work: who may begin, what the steps make and undo, and the way back, on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from newel.config import Config
from newel.domain.context import Context
from newel.errors import Refused
from newel.services.app import Newel
from newel.services.verify import verify
from newel.web.app import create_app
from newel.web.forms import Reader
from newel_sdk.kit import modules
from newel_setup import work
from newel_setup.steps import STEPS
from newel_setup.work import Beginner

PASSWORD = "nine brass lamp shades"
OWN = Beginner(what="own", name="Ada Lamp", login="ada", password=PASSWORD, company="Lamp Shop", country="SI")
STEP = {s.name: s for s in STEPS}


@asynccontextmanager
async def empty(url: str) -> AsyncIterator[Newel]:
    """An install that nobody has begun."""
    app = Newel(Config(database=url), modules(("setup", "sales", "inventory")))
    await app.start()
    try:
        yield app
    finally:
        await app.close()


async def ada(app: Newel) -> Context:
    """The administrator that the first start has made."""
    async with app.database.read() as session:
        user = await app.users.load(await session.value("SELECT id FROM app_user WHERE login = 'ada'"), session)
        assert user is not None
        return await app.context(session, user)


async def enter(app: Newel, context: Context, step: str, **values: str) -> None:
    """Fill in a step of the guide."""
    await work.carry_out(app, STEP[step], Reader(values), context)


async def count(app: Newel, table: str) -> int:
    """How many rows a table has."""
    async with app.database.read() as session:
        return int(await session.value(f"SELECT COUNT(*) AS n FROM {table}"))


def client(app: Newel, token: str) -> httpx.AsyncClient:
    """A browser at a server that has said this token."""
    web = create_app(app, manage=False)
    web.state.token = token
    return httpx.AsyncClient(transport=httpx.ASGITransport(web, raise_app_exceptions=False), base_url="http://newel.test")


async def test_hook_register_plugin_begins_where_there_is_no_user(database_url: str) -> None:
    """Every page leads to the first start; without the token it shows a form for it and makes nothing; with it, one administrator, once."""
    form = {"way": "guide", "name": "Ada", "login": "ada", "password": PASSWORD, "company": "Lamp Shop", "country": "SI"}
    async with empty(database_url) as app, client(app, "right") as browser:
        assert (await browser.get("/", follow_redirects=True)).url.path == "/setup/start"
        assert "way=guide" not in (await browser.get("/setup/start?token=wrong")).text
        assert "way=guide" in (await browser.get("/setup/start?token=http://newel.test/setup/start?token=right")).text, "the whole address will do"
        for wrong in ({**form, "token": "wrong"}, form):
            assert (await browser.post("/setup/start", data=wrong)).status_code == 200
        assert (await browser.post("/setup/start", data={**form, "token": "right"}, headers={"sec-fetch-site": "cross-site"})).status_code == 403
        assert (await browser.post("/setup/start", data={**form, "token": "right", "login": "Ada Ä"})).status_code == 422
        assert await count(app, "company") + await count(app, "app_user") == 0, "half a beginning is none"
        lacking = await browser.post("/setup/start", data={**form, "token": "right", "company": "", "password": "short"})
        assert lacking.status_code == 422
        assert "at least 10 characters" in lacking.text
        assert "short" not in lacking.text.partition("<main")[2], "a password is never sent back"
        began = await browser.post("/setup/start", data={**form, "token": "right"})
        assert (began.status_code, began.headers.get("location")) == (303, "/setup")
        assert (await ada(app)).company.currency == "EUR", "that of the country"
        assert (await browser.get("/setup")).status_code == 200
        again = await browser.post("/setup/start", data={**form, "login": "eve", "token": "right"})
        assert (again.status_code, again.headers["location"]) == (303, "/login")
        assert await count(app, "app_user") == 1
        with pytest.raises(Refused) as refused:
            await work.begin(app, OWN)
        assert refused.value.status == 404


async def test_steps_make_records_like_everybody_and_are_undone_until_something_is_posted(database_url: str) -> None:
    """Each step stands in the history; undoing takes it away; what is posted ends it."""
    async with empty(database_url) as app:
        await work.begin(app, OWN)
        context = await ada(app)
        await enter(app, context, "company", name="Lamp Shop d.o.o.", street="Trg 1")
        await enter(app, context, "tax", name="DDV", rate="22", reduced="9.5")
        await enter(app, context, "people", name="Sal", login="sal", password=PASSWORD, role="sales")
        await enter(app, context, "item", number="L-1", name="Lamp", kind="goods", unit="EA", price="25", cost="10")
        await enter(app, context, "customer", number="C-1", name="Miller", country="SI", terms="NET14", city="Town")
        async with app.database.read() as session:
            now = await work.state(session, context)
        assert now.done == {"company", "tax", "people", "item", "customer"}
        for name in ("customer", "item", "people", "tax"):
            await work.undo(app, STEP[name], context)
        assert [await count(app, t) for t in ("party", "address", "item", "item_price", "tax_rate", "app_user")] == [0, 0, 0, 0, 0, 1]
        await enter(app, context, "item", number="L-1", name="Lamp", kind="goods", unit="EA", price="25", cost="10")
        with pytest.raises(Refused) as refused:
            await enter(app, context, "stock", item_text="NOTHING", quantity="5")
        assert refused.value.problems
        await enter(app, context, "stock", item_text="L-1", quantity="5")
        with pytest.raises(Refused) as refused:
            await work.undo(app, STEP["item"], context)
        assert [p.code for p in refused.value.problems] == ["setup.posted"]
        assert await verify(app) == []


async def test_who_has_begun_can_begin_anew_and_nobody_else(database_url: str) -> None:
    """The database is as empty as on the first day; refused without every right, without the code, and with a second company."""
    async with empty(database_url) as app:
        await work.begin(app, OWN)
        context = await ada(app)
        await enter(app, context, "item", number="L-1", name="Lamp", kind="goods", unit="EA")

        async def refused(code: str, confirmed: str = "MAIN", who: Any = context) -> None:
            with pytest.raises(Refused) as found:
                await work.begin_anew(app, confirmed, who)
            assert [p.code for p in found.value.problems] == [code]

        await refused("setup.confirm", "main")
        sal = await app.users.create("sal", PASSWORD, "Sal", ["sales"], [context.company.id], context)
        async with app.database.read() as session:
            await refused("permission", who=await app.context(session, await app.users.load(sal, session) or context.user))
        await app.records.save("newel.company", None, {"code": "TWO", "name": "Two", "currency": "EUR"}, context)
        await refused("setup.elsewhere")
        async with app.database.write() as session:
            await session.fetch("DELETE FROM company WHERE code = 'TWO'")
        await work.begin_anew(app, "MAIN", context)
        assert [await count(app, t) for t in ("company", "app_user", "item", "setup_made", "record_event")] == [0, 0, 0, 0, 0]
        await work.begin(app, OWN)
        await enter(app, await ada(app), "item", number="L-1", name="Lamp", kind="goods", unit="EA")
        assert await verify(app) == []
