"""Who gets in where: every route has an expectation, every response its headers, and nobody sees another company's things."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest
from litestar import get, post
from newel.hookspecs import hookimpl
from newel.manifest import Manifest
from newel.services.setup import set_up_company
from newel.web.operations import Call, operation

from tests import shop
from tests.web import Web, serving

# Routes that anybody may ask for. Every other route must answer 401, or send to the login.
OPEN = {
    "/login": "the form itself",
    "/health/live": "a machine asks whether the process answers",
    "/health/ready": "a machine asks whether the database answers",
    "/static": "files that are the same for everybody",
}
HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "accelerometer=()",
    "x-frame-options": "DENY",
}
POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-", "style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
)  # fmt: skip


@pytest.fixture
async def web(sqlite_url: str) -> AsyncIterator[Web]:
    """One engine is enough here: what is tested lies above it."""
    async with serving(sqlite_url) as found:
        yield found


def routes(app: Any) -> list[tuple[str, str]]:
    """Every (method, path) of the application, with parameters filled in."""
    values = {"int": "1", "str": "x1", "path": "none.css", "uuid": "0", "date": "2026-01-01"}
    known = {
        "kind": "newel.item",
        "id": "1",
        "transition": "confirm",
        "flow": "deliver",
        "name": "shop.orders",
        "plugin": "shop",
        "session": "1",
        "hold": "1",
        "token": "1",
    }

    def filled(match: re.Match[str]) -> str:
        return known.get(match[1], values.get(match[2] or "str", "x1"))

    out = []
    for route in app.routes:
        path = re.sub(r"{(\w+)(?::(\w+))?}", filled, route.path)
        out += [(method, path) for method in sorted(getattr(route, "methods", {"GET"})) if method != "OPTIONS"]
    return out


def is_open(path: str) -> bool:
    return any(path == known or path.startswith(known + "/") for known in OPEN)


def assert_headers(answer: httpx.Response) -> None:
    where = f"{answer.request.method} {answer.request.url}"
    for name, value in HEADERS.items():
        assert answer.headers.get(name, "").startswith(value), f"{where}: {name}"
    policy = answer.headers["content-security-policy"]
    assert all(part in policy for part in POLICY), where
    assert "unsafe" not in policy
    assert len(re.findall("nonce-", policy)) == 1


async def test_every_route_refuses_strangers(web: Web) -> None:
    """Generated from the routes: one that is neither listed as open nor refuses fails."""
    found = routes(web.app)
    assert len(found) > 30
    async with web.client() as stranger:
        for method, path in found:
            answer = await stranger.request(method, path)
            assert_headers(answer)
            if is_open(path):
                assert answer.status_code != 401, (method, path)
            elif path.startswith("/api"):
                assert answer.status_code == 401, (method, path, answer.status_code)
                assert answer.headers["www-authenticate"] == "Bearer"
                assert answer.json()["type"] == "urn:newel:problem:login"
            else:
                assert answer.status_code == 303, (method, path, answer.status_code)
                assert answer.headers["location"].startswith("/login?next=")


async def test_nobody_without_rights_gets_far(web: Web) -> None:
    """A user with no permission: no route of the API gives or changes anything but what is everybody's own."""
    own = ("me", "kinds", "records", "plugins", "reports", "tokens", "openapi.json", "docs", "sessions", "open-items")
    token = await web.user("nobody")
    async with web.client(token) as nobody:
        for method, path in routes(web.app):
            if not path.startswith("/api") or path.removeprefix("/api/") in own:
                continue
            asked = path.replace("/documents/newel.item", "/documents/shop.order")
            answer = await nobody.request(method, asked, json={} if method in ("POST", "PUT", "PATCH") else None)
            assert answer.status_code in (400, 403, 404, 422, 428), (method, path, answer.status_code)
        assert (await nobody.get("/api/kinds")).json() == []
        assert (await nobody.get("/api/records")).json() == []
        assert (await nobody.get("/api/reports")).json() == []


@pytest.mark.parametrize("token", ["", "Bearer", "Bearer x", "Basic YTpi", "bearer newel_" + "x" * 500, "Bearer é"])
async def test_bad_tokens(web: Web, token: str) -> None:
    async with web.client() as client:
        assert (await client.get("/api/me", headers={b"Authorization": token.encode()})).status_code == 401


async def test_an_expired_or_revoked_token(web: Web) -> None:
    user = await web.newel.users.authenticate("admin", "correct horse battery")
    assert user
    token = await web.newel.users.create_token(user, "short", 1)
    async with web.client(token) as client:
        assert (await client.get("/api/me")).status_code == 200
        for known in await web.newel.users.tokens(user):
            await web.newel.users.revoke_token(user, known["id"])
        assert (await client.get("/api/me")).status_code == 401


# ---- sessions and forged requests --------------------------------------------------------------------------------------------------


async def test_logging_in_and_out(web: Web) -> None:
    client, csrf = await web.browser()
    cookie = client.cookies["newel_session"]
    assert (await client.get("/api/me")).json()["login"] == "admin"
    again, _ = await web.browser()
    assert again.cookies["newel_session"] != cookie, "a new session at each login"
    assert (await client.post("/logout", data={"_csrf_token": csrf})).status_code == 303
    client.cookies.set("newel_session", cookie)
    assert (await client.get("/api/me")).status_code == 401, "the session has ended, not only the cookie"


async def test_the_cookie(sqlite_url: str) -> None:
    async with serving(sqlite_url, config={"secure_cookies": True}) as web:
        client = web.client(base="https://newel.test")
        page = await client.get("/login")
        token = re.search(r'name="_csrf_token" value="([^"]+)"', page.text)
        assert token
        answer = await client.post("/login", data={"login": "admin", "password": "correct horse battery", "_csrf_token": token[1], "next": "/x?a=1"})
        cookie = next(c for c in answer.headers.get_list("set-cookie") if c.startswith("__Host-newel_session="))
        assert {"HttpOnly", "Path=/", "SameSite=lax", "Secure"} <= {part.strip() for part in cookie.split(";")}
        assert "Domain" not in cookie
        assert answer.headers["strict-transport-security"].startswith("max-age=31536000")
        assert answer.headers["location"] == "/x?a=1"


@pytest.mark.parametrize("address", ["https://evil.test/", "//evil.test", "/\\evil.test", "javascript:alert(1)", "", "/a\r\nX: y"])
async def test_login_goes_on_only_here(web: Web, address: str) -> None:
    client = web.client()
    page = await client.get("/login", params={"next": address})
    token = re.search(r'name="_csrf_token" value="([^"]+)"', page.text)
    assert token
    answer = await client.post("/login", data={"login": "admin", "password": "correct horse battery", "_csrf_token": token[1], "next": address})
    assert answer.headers["location"] == "/"


async def test_login_says_nothing_and_is_limited(web: Web) -> None:
    client = web.client()
    texts = set()
    for login in ("admin", "nobody-at-all"):
        page = await client.get("/login")
        token = re.search(r'name="_csrf_token" value="([^"]+)"', page.text)
        assert token
        answer = await client.post("/login", data={"login": login, "password": "wrong wrong wrong", "_csrf_token": token[1]})
        assert answer.status_code == 401
        alert = re.search(r'role="alert".*?<p>(.*?)</p>', answer.text, re.DOTALL)
        assert alert
        texts.add(alert[1])
    assert len(texts) == 1, "who exists is nobody's business"
    for _ in range(20):
        token = re.search(r'name="_csrf_token" value="([^"]+)"', (await client.get("/login")).text)
        assert token
        answer = await client.post("/login", data={"login": "admin", "password": "wrong wrong wrong", "_csrf_token": token[1]})
    assert answer.status_code == 429


async def test_login_of_another_site(web: Web) -> None:
    """Nobody is logged in by a form of another site."""
    client = web.client()
    data = {"login": "admin", "password": "correct horse battery"}
    assert (await client.post("/login", data=data)).status_code == 403
    await client.get("/login")
    assert (await client.post("/login", data={**data, "_csrf_token": "x"})).status_code == 403
    token = client.cookies["newel_login"]
    answer = await client.post("/login", data={**data, "_csrf_token": token}, headers={"Origin": "https://evil.test"})
    assert answer.status_code == 403


async def test_a_second_login_page_leaves_the_first_one_as_it_is(web: Web) -> None:
    """Two tabs, or a script of a page whose session has ended and that is sent to the form, while somebody types the password."""
    client = web.client()
    first = re.search(r'name="_csrf_token" value="([^"]+)"', (await client.get("/login")).text)
    assert first
    assert first[1] in (await client.get("/login")).text
    answer = await client.post("/login", data={"login": "admin", "password": "correct horse battery", "_csrf_token": first[1]})
    assert answer.status_code == 303
    script = web.client()
    await script.get("/login", headers={"x-csrftoken": "of a session that has ended"})
    assert "newel_login" not in script.cookies


async def test_forged_requests(web: Web) -> None:
    """Every route that writes, asked by a browser with a session but without its token, or from elsewhere."""
    client, csrf = await web.browser()
    before = await web.counts()
    for method, path in routes(web.app):
        if method in ("GET", "HEAD") or is_open(path):
            continue
        for headers in (
            {},
            {"x-csrf-token": "x"},
            {"x-csrf-token": csrf, "sec-fetch-site": "cross-site"},
            {"x-csrf-token": csrf, "origin": "https://evil.test"},
        ):
            answer = await client.request(method, path, headers=headers)
            assert answer.status_code == 403, (method, path, headers, answer.status_code)
    assert await web.counts() == before
    made = await client.post("/api/records/newel.item", json={"number": "X", "name": "X"}, headers={"x-csrf-token": csrf})
    assert made.status_code == 201
    form = await client.post("/api/records/newel.item", json={"number": "Y", "name": "Y", "_csrf_token": csrf})
    assert form.status_code == 403, "the API wants the header"


async def test_one_nonce_for_a_session(web: Web) -> None:
    client, _ = await web.browser()
    nonces = {re.search("nonce-([^']+)'", (await client.get(path)).headers["content-security-policy"])[1] for path in ("/api/me", "/api/docs")}  # type: ignore[index]
    assert len(nonces) == 1
    other, _ = await web.browser()
    policy = (await other.get("/api/me")).headers["content-security-policy"]
    assert nonces.pop() not in policy


async def test_static_files_are_kept_by_version(web: Web) -> None:
    """For ever with the version of their content in the address, else asked for again."""
    page = (await web.client().get("/login")).text
    address = re.search(r'href="(/static/newel.css[?]v=[0-9a-f]{12})"', page)
    assert address
    assert "immutable" in (await web.client().get(address[1])).headers["cache-control"]
    plain = await web.client().get("/static/newel.css")
    assert plain.headers["cache-control"] == "no-cache"
    assert (await web.client().get("/static/../app.py")).status_code == 404
    assert (await web.client().get("/static/%2e%2e/app.py")).status_code == 404


async def test_nothing_answers_trace(web: Web) -> None:
    """A page, the API, static files, and what does not exist."""
    for path in ("/login", "/", "/api/me", "/static/newel.css", "/nowhere"):
        answer = await web.client().request("TRACE", path, headers={"x-told": "zq-told-zq"})
        assert answer.status_code in (404, 405), (path, answer.status_code)
        assert "zq-told-zq" not in answer.text


async def test_headers_of_everything(web: Web) -> None:
    """Also of what does not exist, of what is not allowed and of server errors."""
    web.newel.records.page = None  # type: ignore[method-assign,assignment]  # so that a request fails for a reason of ours
    for path in ("/nowhere", "/api/nowhere", "/static/newel.css", "/static/nothing.css", "/api/me", "/login", "/api/records/newel.item", "/%00"):
        assert_headers(await web.api.get(path))
    assert_headers(await web.api.delete("/api/me"))


async def test_a_server_error_leaks_nothing(web: Web, caplog: pytest.LogCaptureFixture) -> None:
    async def secret(*_a: Any, **_k: Any) -> None:
        raise RuntimeError("a password is in here")

    web.newel.records.page = secret  # type: ignore[method-assign,assignment]
    answer = await web.api.get("/api/records/newel.item")
    assert answer.status_code == 500
    assert "password" not in answer.text
    reference = answer.json()["reference"]
    assert len(reference) >= 10
    assert any(reference in r.getMessage() and r.exc_info for r in caplog.records)


async def test_errors_for_people(web: Web) -> None:
    """A page with the frame around it; a fragment of somebody whose session has ended leads to the login as a whole."""
    client, csrf = await web.browser()
    answer = await client.get("/document/999999")
    assert answer.status_code == 404
    assert "there is no document 999999" in answer.text
    assert "/logout" in answer.text, "with the frame"
    refused = await client.post("/document/1/act", data={"_csrf_token": "x"})
    assert (refused.status_code, "does not belong to your session" in refused.text) == (403, True)
    assert (await client.post("/document/1/act", data={"_csrf_token": csrf})).status_code in (404, 422)

    async def broken(*_a: Any, **_k: Any) -> None:
        raise RuntimeError("a password is in here")

    web.newel.documents.get = broken  # type: ignore[method-assign,assignment]
    answer = await client.get("/document/1")
    assert answer.status_code == 500
    assert "password is in here" not in answer.text
    assert re.search(r'class="n-reference">[0-9a-f]{12}<', answer.text)
    async with web.client() as stranger:
        answer = await stranger.get("/", headers={"HX-Request": "true"})
        assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/login")


# ---- companies ---------------------------------------------------------------------------------------------------------------------


async def test_another_company(web: Web) -> None:
    """Ids of company B, asked for by a user of A: as if they did not exist."""
    made = await set_up_company(web.newel, code="B", name="B", currency="EUR", country="DE", first_year=2026)
    admin_b = web.client(await web.token("admin", made.id))
    order = {"party": "C1", "lines": [{"item": "BOLT", "quantity": 1}]}
    foreign = (await admin_b.post("/api/documents/shop.order?then=confirm", json=order)).json()["document"]
    period = (await admin_b.get("/api/records/newel.period?size=1")).json()["rows"][0]["id"]
    someone = web.client(await web.user("someone", "shop.*", "newel.*"))
    id = foreign["id"]
    for method, path, body in (
        ("GET", f"/api/document/{id}", None), ("GET", f"/api/document/{id}/input", None), ("GET", f"/api/document/{id}/entries", None),
        ("GET", f"/api/document/{id}/moves", None), ("GET", f"/api/document/{id}/events", None), ("GET", f"/api/document/{id}/open-items", None),
        ("PUT", f"/api/document/{id}", {**order, "version": foreign["version"]}), ("POST", f"/api/document/{id}/transitions/cancel", {}),
        ("POST", f"/api/document/{id}/transitions/cancel/preview", None), ("POST", f"/api/document/{id}/flows/deliver", {}),
        ("POST", f"/api/document/{id}/copy", None), ("POST", f"/api/document/{id}/holds/1/release", None),
        ("POST", f"/api/documents/shop.order/preview?id={id}", order), ("GET", f"/api/records/newel.period/{period}", None),
        ("PATCH", f"/api/records/newel.period/{period}", {"code": "x"}), ("DELETE", f"/api/records/newel.period/{period}", None),
    ):  # fmt: skip
        answer = await someone.request(method, path, json=body)
        assert answer.status_code == 404, (method, path, answer.status_code, answer.text[:300])
        assert foreign["number"] not in answer.text
    assert (await someone.get("/api/documents/shop.order")).json()["total"] == 0
    own = (await someone.get("/api/records/newel.period?size=200")).json()["rows"]
    assert period not in [r["id"] for r in own]
    answer = await someone.post("/api/tokens", json={"name": "x", "company": made.id})
    assert answer.status_code == 403


async def test_a_preview_shows_no_other_kind(web: Web) -> None:
    """Whoever may see orders can't look at an invoice through the preview of an order."""
    order = {"party": "C1", "lines": [{"item": "BOLT", "quantity": 1}]}
    receipt = (await web.api.post("/api/documents/shop.receipt", json={"lines": order["lines"]})).json()["document"]
    seller = web.client(await web.user("seller", "shop.order.*"))
    answer = await seller.post(f"/api/documents/shop.order/preview?id={receipt['id']}", json=order)
    assert answer.status_code == 404
    assert receipt["number"] not in answer.text
    assert (await seller.get(f"/api/document/{receipt['id']}")).status_code == 403


async def test_choosing_a_company(web: Web) -> None:
    made = await set_up_company(web.newel, code="B", name="B", currency="EUR", country="DE", first_year=2026)
    await web.user("someone", "shop.*")
    client, csrf = await web.browser("someone")
    answer = await client.post("/company", data={"company": str(made.id), "_csrf_token": csrf})
    assert answer.status_code == 404
    link = (await web.api.get("/api/records/newel.user_company?size=200")).json()["rows"]
    mine = [r["id"] for r in link if r["user__title"].endswith("someone")]
    assert (await web.api.delete(f"/api/records/newel.user_company/{mine[0]}")).status_code == 204
    assert (await client.get("/")).status_code == 404, "no company is left"
    assert (await client.post("/logout", data={"_csrf_token": csrf})).status_code == 303, "but the door out is open"
    admin, csrf = await web.browser()
    assert (await admin.post("/company", data={"company": str(made.id), "_csrf_token": csrf, "next": "/"})).status_code == 303
    assert (await admin.get("/api/me")).json()["company"]["code"] == "B"


# ---- routes of plugins -------------------------------------------------------------------------------------------------------------


@operation("GET", "/count", answer=int)
async def count(call: Call) -> int:
    """Count something."""
    return call.context.company.id


@get("/page")
async def page() -> str:
    return "a page"


@post("/secret", opt={"permission": "shop.secret"})
async def secret() -> str:
    return "done"


HANDLERS = [count, page, secret]


async def test_routes_of_plugins(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Served under the plugin's name, behind the same door; those that can't be imported are off with a reason."""
    manifest = shop.manifest()
    monkeypatch.setattr(shop, "manifest", lambda: msgspec.structs.replace(manifest, routes=f"{__name__}:HANDLERS"))
    broken = shop.module()
    broken.register_plugin = _registered("broken", routes="no.such.module:handlers")
    taken = shop.module()
    taken.register_plugin = _registered("login", routes=f"{__name__}:HANDLERS")
    modules = {"shop": shop.module(), "broken": broken, "login": taken}
    for name in ("broken", "login"):
        del modules[name].check_document
    async with serving(sqlite_url, modules) as web:
        assert (await web.api.get("/api/shop/count")).status_code == 200
        assert "/api/shop/count" in (await web.api.get("/api/openapi.json")).json()["paths"]
        async with web.client() as stranger:
            assert (await stranger.get("/api/shop/count")).status_code == 401
            assert (await stranger.get("/shop/page")).status_code == 303
        client, csrf = await web.browser()
        assert (await client.get("/shop/page")).text == "a page"
        assert (await client.post("/shop/secret")).status_code == 403
        assert (await client.post("/shop/secret", headers={"x-csrf-token": csrf})).status_code == 201
        someone = web.client(await web.user("someone", "shop.order.view"))
        assert (await someone.post("/shop/secret")).status_code == 403
        reasons = {off.name: off.reason for off in web.newel.off}
        assert "no.such.module" in reasons["broken"] or "No module" in reasons["broken"]
        assert "/login" in reasons["login"] or "taken" in reasons["login"]
        assert (await client.get("/broken")).status_code == 404


def _registered(name: str, **more: Any) -> Any:
    @hookimpl
    def register_plugin() -> Manifest:
        return Manifest(name=name, label=name, **more)

    return register_plugin
