"""Every route and every sort of person: who gets in is in routes.toml, and a route that is not there fails."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from newel.domain.context import User

from tests.security.matrix import TABLE, looked_at, refused, table
from tests.security.world import MARK, World, world

REFUSED = ("anonymous", "disabled", "disabled program", "expired")
HEADERS = ("content-security-policy", "x-content-type-options", "x-frame-options", "referrer-policy", "cross-origin-opener-policy", "permissions-policy")


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def here(loop: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One install for the whole table: one engine is enough, what is tested lies above it."""
    folder: Path = tmp_path_factory.mktemp("matrix")
    manager = world(f"sqlite:///{folder / 'matrix.db'}")
    found = loop.run(manager.__aenter__())
    yield found
    loop.run(manager.__aexit__(None, None, None))


def is_open(method: str, path: str) -> bool:
    return "anonymous" in table()[f"{method} {path}"]


def test_every_route_has_an_entry(here: World) -> None:
    """A new route is looked at before it is served: `python -m tests.security.matrix` proposes its entry."""
    served = {f"{method} {path}" for method, path in here.routes()}
    assert sorted(served - table().keys()) == [], f"enter them in {TABLE.name}"
    assert sorted(table().keys() - served) == [], f"take them out of {TABLE.name}"
    assert [name for name, entry in table().items() if "anonymous" in entry and not entry.get("why")] == [], "what anybody may ask for has a reason"


@pytest.mark.parametrize("who", REFUSED)
def test_strangers_are_refused_everywhere(here: World, loop: asyncio.Runner, who: str) -> None:
    """Nobody, somebody who is not active any more by browser and by token, and somebody whose session is over."""

    async def asked() -> list[Any]:
        wrong = []
        for method, path in here.routes():
            answer = await here.ask(here.clients[who], method, path)
            if not refused(path, answer) and not is_open(method, path):
                wrong.append((method, path, answer.status_code))
        return wrong

    assert loop.run(asked()) == []


def test_each_route_lets_in_whom_it_should(here: World, loop: asyncio.Runner) -> None:
    """Without rights, with exactly the rights, and with every right in another company: the status of the table, and nothing of others in the body."""

    async def asked() -> list[Any]:
        wrong: list[Any] = []
        for name, entry in table().items():
            method, path = name.split(" ", 1)
            found = await looked_at(here, method, path, entry)
            wrong += [
                (name, key, entry.get(key), found.get(key)) for key in ("rights", "anonymous", "none", "exact", "other") if found.get(key) != entry.get(key)
            ]
        return wrong

    assert loop.run(asked()) == []


def test_nothing_of_another_company_is_in_an_answer(here: World, loop: asyncio.Runner) -> None:
    """Somebody with every right in company B never reads what stands on documents of the first; who may do nothing, neither."""

    async def asked() -> list[Any]:
        read = []
        for name, entry in table().items():
            method, path = name.split(" ", 1)
            for who in ("other", "none"):
                answer = await here.ask(here.clients[who], method, path, entry.get("body"), entry.get("path"))
                read += [(name, who)] if MARK in answer.text else []
        own = await here.web.api.get("/api/documents/shop.order")
        return [*read, *([] if MARK in own.text else ["the mark is nowhere"])]

    assert loop.run(asked()) == []


def test_every_answer_has_its_headers(here: World, loop: asyncio.Runner) -> None:
    """Answers to people who are known, in their right place: all that tests/test_security.py wants of those to strangers."""

    async def asked() -> list[Any]:
        bare: list[Any] = []
        for method, path in here.routes():
            answer = await here.ask(here.web.api, method, path)
            bare += [(method, path, header) for header in HEADERS if header not in answer.headers]
            if not path.startswith("/static/") and answer.headers.get("cache-control") != "no-store":
                bare.append((method, path, answer.headers.get("cache-control")))
        return bare

    assert loop.run(asked()) == []


def test_every_write_wants_the_token_of_its_session(here: World, loop: asyncio.Runner) -> None:
    """Without the token, with a wrong one, and from a page of another site: 403, and not one row more or less."""

    async def asked() -> list[Any]:
        browser, csrf = await here.web.browser()
        before, wrong = await here.web.counts(), []
        attacks: tuple[dict[str, str], ...] = ({}, {"x-csrf-token": "x"}, {"x-csrf-token": csrf, "sec-fetch-site": "cross-site"},
                                               {"x-csrf-token": csrf, "origin": "https://evil.test"})  # fmt: skip
        for method, path in here.routes():
            for headers in () if method == "GET" or is_open(method, path) or path.startswith(("/two_factor/login", "/setup/start")) else attacks:
                answer = await browser.request(method, here.filled(path), headers=headers)
                wrong += [] if answer.status_code == 403 else [(method, path, headers, answer.status_code)]
        assert await here.web.counts() == before
        return wrong

    assert loop.run(asked()) == []


def test_reading_changes_nothing(here: World, loop: asyncio.Runner) -> None:
    """A GET writes no row: a link that somebody is lured to does nothing."""

    async def asked() -> None:
        before = await here.web.counts()
        for method, path in here.routes():
            if method == "GET":
                await here.ask(here.web.api, method, path)
        assert await here.web.counts() == before

    loop.run(asked())


@pytest.mark.parametrize("name", ["GET /api/audit", "GET /document/{id:int}", "POST /api/documents/{kind:str}", "DELETE /api/records/{kind:str}/{id:str}"])
def test_the_table_sees(here: World, loop: asyncio.Runner, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Planted: everybody may do everything. The statuses are no longer those of the table."""
    monkeypatch.setattr(User, "may", lambda *_: True)
    method, path = name.split(" ", 1)
    found = loop.run(looked_at(here, method, path, table()[name]))
    assert found["none"] != table()[name]["none"]
