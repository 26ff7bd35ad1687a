"""What somebody meets who has a further step, and who tries to get round it."""

from __future__ import annotations

import re
from typing import Any

import httpx
import msgspec
import pytest
from newel.domain.context import User
from newel.errors import Refused
from newel_sdk.kit import LOGIN, PASSWORD, Kit
from newel_two_factor import rules, take

pytestmark = pytest.mark.plugins("two_factor")


def field(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return found[1]


async def start(client: httpx.AsyncClient, goal: str = "/account") -> httpx.Response:
    """The password, as a browser sends it."""
    client.cookies.clear()
    page = (await client.get("/login")).text
    return await client.post("/login", data={"login": LOGIN, "password": PASSWORD, "next": goal, "_csrf_token": field(page, "_csrf_token")})


async def step(client: httpx.AsyncClient, code: str) -> httpx.Response:
    """The code, as a browser sends it."""
    page = (await client.get("/two_factor/login?next=/account")).text
    return await client.post("/two_factor/login", data={"code": code, "next": "/account", "_csrf_token": field(page, "_csrf_token")})


def code_of(kit: Kit, secret: str) -> str:
    return rules.code_at(secret, int(kit.clock().timestamp()) // 30)


async def with_app(kit: Kit) -> tuple[httpx.AsyncClient, str, list[str]]:
    """Somebody who has set up an app: their browser, the secret, the recovery codes."""
    client = await kit.browser()
    page = (await client.post("/two_factor", data={"do": "app", "password": PASSWORD})).text
    found = re.search(r'class="n-code">([A-Z2-7]{32})<', page)
    assert found
    assert "data:image/svg+xml" in page
    wrong = await client.post("/two_factor/app", data={"code": "000000"})
    assert (wrong.status_code, found[1] in wrong.text) == (422, True)
    done = await client.post("/two_factor/app", data={"code": code_of(kit, found[1])})
    codes = re.findall(r"\b\w{4}(?:-\w{4}){5}\b", done.text)
    assert len(codes) == 10
    kit.clock.advance(minutes=1)
    return client, found[1], codes


async def test_hook_register_plugin_a_code_after_the_password(kit: Kit) -> None:
    """Ann sets up an app; from then on her password alone opens nothing, and a code opens the page that she wanted."""
    client, secret, _ = await with_app(kit)
    client.headers.pop("x-csrftoken")
    answer = await start(client)
    assert (answer.status_code, answer.headers["location"]) == (303, "/two_factor/login?next=/account")
    half = client.cookies["newel_session"]
    assert (await client.get("/account")).headers["location"].startswith("/login"), "she is nobody yet"
    assert (await client.get("/api/me")).status_code == 401
    refused = await step(client, "123456")
    assert (refused.status_code, "does not fit" in refused.text) == (422, True)
    done = await step(client, code_of(kit, secret))
    assert (done.status_code, done.headers["location"]) == (303, "/account")
    assert client.cookies["newel_session"] != half, "a new token: what was known before the step opens nothing"
    assert (await client.get("/api/me")).json()["login"] == LOGIN
    assert "Ended" not in (await client.get("/account")).text
    client.cookies.clear()
    client.cookies.set("newel_session", half)
    assert (await client.get("/api/me")).status_code == 401
    await start(client)
    again = await step(client, code_of(kit, secret))
    assert again.status_code == 422, "a code is taken once"


async def test_the_step_can_not_be_stepped_over(kit: Kit) -> None:
    client, secret, _ = await with_app(kit)
    client.headers.pop("x-csrftoken")
    await start(client)
    before = (await client.get("/two_factor/login")).text
    data = {"code": code_of(kit, secret)}
    assert (await client.post("/two_factor/login", data=data)).status_code == 403, "without the token of the form"
    foreign = await client.post("/two_factor/login", data={**data, "_csrf_token": field(before, "_csrf_token")}, headers={"Origin": "https://evil.test"})
    assert foreign.status_code == 403
    for method, path in (("POST", "/two_factor"), ("POST", "/two_factor/app"), ("POST", "/two_factor/passkeys/options"), ("GET", "/two_factor")):
        answer = await client.request(method, path, data={"_csrf_token": field(before, "_csrf_token"), "do": "remove", "what": "app", "password": PASSWORD})
        assert answer.headers["location"].startswith("/login"), (method, path)
    kit.clock.advance(minutes=11)
    late = await client.post("/two_factor/login", data={"code": code_of(kit, secret), "_csrf_token": field(before, "_csrf_token")})
    assert late.headers["location"].startswith("/login"), "ten minutes"
    stranger = kit._client({})
    assert (await stranger.get("/two_factor/login")).headers["location"].startswith("/login")


async def test_recovery_codes_let_in_once_each(kit: Kit) -> None:
    client, _, codes = await with_app(kit)
    client.headers.pop("x-csrftoken")
    await start(client)
    assert (await step(client, codes[0].upper())).status_code == 303
    await start(client)
    assert (await step(client, codes[0])).status_code == 422
    assert (await step(client, codes[1])).status_code == 303
    assert "8 are left" in (await client.get("/two_factor")).text


async def test_guessing_codes_takes_years(kit: Kit) -> None:
    """After five wrong ones even the right one waits; a recovery code does not."""
    client, secret, codes = await with_app(kit)
    client.headers.pop("x-csrftoken")
    await start(client)
    for _ in range(5):
        assert (await step(client, "000000")).status_code == 422
    assert (await step(client, code_of(kit, secret))).status_code == 429
    assert (await step(client, codes[0])).status_code == 303
    kit.clock.advance(minutes=16)
    await start(client)
    assert (await step(client, code_of(kit, secret))).status_code == 303


async def test_changes_want_the_password_and_end_other_sessions(kit: Kit) -> None:
    other = await kit.browser()
    client, _, _ = await with_app(kit)
    assert (await other.get("/api/me")).status_code == 401
    for do, what in (("remove", "app"), ("codes", "")):
        answer = await client.post("/two_factor", data={"do": do, "what": what, "password": "not my password"})
        assert (answer.status_code, "not your password" in answer.text) == (422, True)
    assert (await client.post("/two_factor/passkeys/options", data={"password": "no"})).status_code == 422
    assert (await client.post("/two_factor", data={"do": "remove", "what": "app", "password": PASSWORD})).status_code == 303
    client.headers.pop("x-csrftoken")
    assert (await start(client)).headers["location"] == "/account", "the password is enough again"
    events = await kit.rows("SELECT action FROM record_event WHERE kind = ? AND action LIKE ? ORDER BY id", "newel.user", "app %")
    assert [e["action"] for e in events] == ["app added", "app removed"]
    program = await kit.client()
    assert (await program.post("/two_factor", data={"do": "codes", "password": PASSWORD})).status_code == 403, "a token changes nothing"


async def test_somebody_who_looks_after_users_takes_it_away(kit: Kit) -> None:
    await with_app(kit)
    admin = (await kit.rows("SELECT id FROM app_user WHERE login = ?", LOGIN))[0]["id"]
    clerk = await kit.client("newel.user.*")
    answer = await clerk.post(f"/api/two_factor/users/{admin}/reset", json={})
    assert answer.status_code == 403, "not of somebody who may do more"
    boss = User(id=99, login="boss", permissions=frozenset({"*"}))
    await take.reset(kit.app, admin, msgspec.structs.replace(kit.context, user=boss))
    client = kit._client({})
    assert (await start(client)).headers["location"] == "/account"
    own = await kit.client()
    assert (await own.post(f"/api/two_factor/users/{admin}/reset", json={})).status_code == 403, "one's own wants the password"


async def test_without_the_plugin_nobody_gets_in_easier(kit: Kit) -> None:
    """Switched off, the step can't be taken, and the password alone is still not enough."""
    await with_app(kit)
    manifests: dict[str, Any] = dict(kit.app.plugins.manifests)
    try:
        kit.app.plugins.manifests.pop("two_factor")
        with pytest.raises(Refused) as refused:
            await kit.app.users.login(LOGIN, PASSWORD)
        assert (refused.value.status, refused.value.problems[0].code) == (403, "login.step")
    finally:
        kit.app.plugins.manifests.update(manifests)


async def test_who_is_in_already_is_not_sent_round_in_circles(kit: Kit) -> None:
    """The page of the step, opened by somebody who is logged in and has no step to take, leads to the start."""
    browser = await kit.browser()
    first = await browser.get("/two_factor/login")
    assert first.headers["location"].startswith("/login")
    assert (await browser.get(first.headers["location"])).headers["location"] == "/"
