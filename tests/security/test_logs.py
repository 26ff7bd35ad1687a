"""No secret and nothing personal in logs and diagnostics, whatever goes wrong and wherever it comes in."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from newel.web import logs

from tests.web import PASSWORD, serving

SECRETS = {
    "a password as text": ("login failed: password=Hunter2-Hunter2 for ann", "Hunter2-Hunter2"),
    "a password as JSON": ('{"login": "ann", "password": "Hunter2 Hunter2"}', "Hunter2"),
    "a new password": ('{"new_password": "Hunter2"}', "Hunter2"),
    "a password of a struct": ("Body(password='Hunter2 and more', login='ann')", "Hunter2"),
    "a password in JSON in JSON": ('{"event": "{\\"password\\": \\"Hunter2\\"}"}', "Hunter2"),
    "a password in an address": ("can't open postgresql://newel:Hunter2@db.example/newel", "Hunter2"),
    "a password in a query": ("GET /login?next=/&password=Hunter2&x=1", "Hunter2"),
    "a token of ours": ("unknown newel_AbCdEfGhIjKlMnOpQrStUvWxYz012345678901234", "AbCdEfGhIjKl"),
    "a header": ("Authorization: Bearer abc.def.ghi", "abc.def"),
    "another header": ("authorization: Basic YW5uOkh1bnRlcjI=", "YW5u"),
    "a cookie": ("Cookie: newel_session=abcdefghij; x=1", "abcdefghij"),
    "a secret cookie": ("__Host-newel_session=abcdefghij", "abcdefghij"),
    "a token of a form": ("_csrf_token=abcdefghij", "abcdefghij"),
    "a hash": ("stored $argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA", "c2FsdA"),
    "a key of an app": ("otpauth://totp/Newel:ann?secret=JBSWY3DPEHPK3PXP", "JBSWY3DP"),
    "a one-time code": ("two_factor code=123456", "123456"),
    "a mail address": ("sent to ann.lee+x@mail.example.com", "ann.lee"),
    "a bank account": ("pays from DE89 3704 0044 0532 0130 00 today", "3704 0044"),
    "a bank account in one": ("iban DE89370400440532013000", "370400440532"),
    "a card": ("card 4111 1111 1111 1111", "4111 1111"),
    "an API key": ("api_key: sk-1234567890", "sk-1234567890"),
}


@pytest.mark.parametrize("text", SECRETS, ids=list(SECRETS))
def test_secrets_are_stars(text: str) -> None:
    said, secret = SECRETS[text]
    assert secret not in logs.redacted(said)


@pytest.mark.parametrize(
    "said", ["reference 12ab34cd56ef: POST /api/documents/sales.order", "SO2026-00001 of 2026-01-15 over 1234567.89 EUR", "item 4711 in lot 12345678"]
)
def test_what_helps_stays(said: str) -> None:
    assert logs.redacted(said) == said


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What the server would write, as JSON lines."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(logs.formatter(as_json=True))
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield out
    root.removeHandler(handler)
    root.setLevel(level)


async def test_nothing_that_is_sent_in_is_logged(sqlite_url: str, written: io.StringIO) -> None:
    """The same secret through the login, headers, cookies, addresses, JSON and forms, also where the server fails with it in its hands."""
    secret = "Sesame-open-0815"
    async with serving(sqlite_url) as web:
        client, csrf = await web.browser()
        await web.client().post("/login", data={"login": secret, "password": secret})
        await web.newel.users.authenticate(secret, secret, "10.0.0.1")
        await web.newel.users.authenticate("admin", secret, "10.0.0.1")
        await web.client(secret).get("/api/me")
        await client.get("/api/me", headers={"Cookie": f"newel_session={secret}"})
        await client.post("/account/password", data={"old": secret, "password": secret, "_csrf_token": csrf})
        await web.api.post("/api/password", json={"current": secret, "new": secret})
        await web.api.post("/api/records/newel.item", json={"number": 1, "password": secret})

        async def failing(*_a: Any, **_k: Any) -> None:
            raise RuntimeError(f"could not store password={secret!r} of {secret.lower()}@example.com")

        web.newel.records.save = failing  # type: ignore[method-assign]
        failed = await web.api.post("/api/records/newel.item", json={"number": "X", "name": secret})
        assert failed.status_code == 500
        lines = [json.loads(line) for line in written.getvalue().splitlines()]
        assert any(failed.json()["reference"] in line["event"] and "RuntimeError" in line["exception"] for line in lines)
        assert any("login failed" in line["event"] for line in lines), "who guesses is seen"
        assert all({"timestamp", "level", "logger", "event"} <= line.keys() for line in lines)
        assert secret.lower() not in written.getvalue().lower()
        assert PASSWORD not in written.getvalue()


async def test_refusals_are_logged(sqlite_url: str, written: io.StringIO) -> None:
    """Who asked for what they may not, and forged requests: seen by whoever watches the log."""
    async with serving(sqlite_url) as web:
        nobody = web.client(await web.user("nobody"))
        assert (await nobody.get("/api/audit")).status_code == 403
        client, _ = await web.browser()
        assert (await client.post("/account/sessions")).status_code == 403
        events = [json.loads(line)["event"] for line in written.getvalue().splitlines()]
        assert any("refused 403 permission" in e and "/api/audit" in e and "nobody" in e for e in events)
        assert any("refused 403 csrf" in e and "admin" in e for e in events)
