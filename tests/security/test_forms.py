"""Every form of every page, filled in as nobody meant it: never a server error, and never a field changed that the form does not have."""

from __future__ import annotations

import os
import random
from collections.abc import AsyncIterator, Iterator
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest

from tests.security.world import World, world

LONG = int(os.environ.get("NEWEL_FUZZ", "1"))
pytestmark = pytest.mark.timeout(900 * LONG)
STRANGE = (
    "",
    " ",
    "-1",
    "0",
    "1e400",
    "NaN",
    "9" * 40,
    "x" * 5000,
    "\u202e\ufeff",
    "'; --",
    "<b>",
    "2026-02-30",
    "0000-00-00",
    "1,2,3",
    "true",
    "٣",
    "\U0001f980" * 40,
)
Fields = list[tuple[str, str]]


class Forms(HTMLParser):
    """The forms of a page: method, address and fields with their values."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[tuple[str, str, Fields]] = []
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect a field."""
        given = {k: v or "" for k, v in attrs}
        if tag == "form":
            self.forms.append((given.get("method", "get").lower(), given.get("action", ""), []))
        elif not self.forms:
            return
        elif tag in ("input", "textarea", "button") and given.get("name"):
            self.forms[-1][2].append((given["name"], given.get("value", "")))
        elif tag == "select":
            self._select = given.get("name", "")
        elif tag == "option" and self._select:
            self.forms[-1][2].append((self._select, given.get("value", "")))
            self._select = ""


def forms(page: str) -> list[tuple[str, str, Fields]]:
    """The forms of a page that write."""
    parser = Forms()
    parser.feed(page)
    return [form for form in parser.forms if form[0] == "post" and form[1]]


def mutations(fields: Fields, chance: random.Random) -> Iterator[tuple[str, Fields]]:
    """Twelve ways to send a form that nobody meant. The token stays: without it nothing is looked at."""
    token, rest = [f for f in fields if f[0] == "_csrf_token"], [f for f in fields if f[0] != "_csrf_token"]
    one = chance.choice(rest)[0] if rest else "name"
    yield "as it is", token + rest
    yield "nothing", token
    yield "one missing", token + [f for f in rest if f[0] != one]
    yield "one twice", token + rest + [(one, "other")]
    yield "all twice", token + rest + rest
    yield "huge", token + [(n, v + "x" * 20_000) for n, v in rest]
    yield "strange", token + [(n, chance.choice(STRANGE)) for n, _ in rest]
    yield "one strange", token + [(n, chance.choice(STRANGE) if n == one else v) for n, v in rest]
    yield "shuffled", token + [(n, chance.choice(rest)[1]) for n, _ in rest]
    foreign = (
        "id",
        "company",
        "password",
        "permissions",
        "login_step",
        "number",
        "state",
        "created_by",
        "net",
        "hash",
        "active",
        "user",
        "is_admin",
        "document.company",
    )
    yield "foreign fields", token + rest + [(n, "1") for n in foreign]
    yield "many fields", token + rest + [(f"lines-{n}-item", "BOLT") for n in range(300)] + [(f"f{n}", "1") for n in range(300)]
    yield (
        "odd names",
        token + rest + [("lines--1-item", "x"), ("lines-9999999999-item", "x"), ("lines-x-item", "x"), ("__class__", "x"), ("a.b.c", "x"), ("", "x")],
    )


@pytest.fixture
async def here(sqlite_url: str) -> AsyncIterator[World]:
    async with world(sqlite_url) as made:
        yield made


async def pages(here: World) -> list[str]:
    """Pages with forms: of every kind of record and document, and what else is served."""
    newel = here.web.newel
    found = [f"/records/{name}/new" for name in newel.registry.records] + [f"/documents/{name}/new" for name in newel.registry.documents]
    found += [f"/document/{here.ids[kind]}{page}" for kind in ("shop.order", "sales.order", "purchasing.order", "requests.request") for page in ("", "/edit")]
    found += [f"/records/newel.party/{here.ids['newel.party']}", f"/records/newel.user/{here.ids['newel.user']}", f"/users/{here.ids['newel.user']}/password"]
    found += [route.path for route in here.web.app.routes if "{" not in route.path and "GET" in getattr(route, "methods", ())]
    found += [f"/settings/{name}" for name, manifest in newel.registry.manifests.items() if manifest.settings]
    return [path for path in found if not path.startswith(("/api", "/health", "/metrics", "/login"))]


async def kept(here: World) -> list[Any]:
    """What no form of somebody without these rights may change: users, roles, companies, and what is posted."""
    async with here.web.newel.database.read() as session:
        tables = ("role", "role_permission", "user_role", "user_company", "journal_entry", "posting", "api_token")
        rows: list[Any] = [[dict(r) for r in await session.fetch(f"SELECT * FROM {t} ORDER BY id")] for t in tables]
        return [*rows, [dict(r) for r in await session.fetch("SELECT id, login, password, party, active, login_step FROM app_user ORDER BY id")],
                [dict(r) for r in await session.fetch("SELECT * FROM company ORDER BY id")]]  # fmt: skip


async def test_forms_that_nobody_meant(here: World) -> None:
    """Somebody with rights over documents and master data, and none over users: whatever they send, the server answers, and those stay as they are."""
    seed = random.randrange(10**9) if LONG > 1 else 20260115
    chance, failed, sent = random.Random(seed), [], 0
    names = sorted({p.partition(".")[0] + ".*" for p in here.web.newel.registry.permissions()} - {"newel.*"})
    await here.web.user("clerk", *names, *(f"newel.{n}.*" for n in ("item", "party", "address", "unit", "period", "location", "tax_rate", "item_price")))
    browser, csrf = await here.web.browser("clerk")
    before = await kept(here)
    for path in await pages(here):
        page = await browser.get(path)
        if page.status_code >= 500:
            failed.append((path, page.status_code))
        for _, action, fields in forms(page.text):
            if action in ("/logout", "/company"):
                continue
            ours = [("_csrf_token", csrf) if f[0] == "_csrf_token" else f for f in fields]
            for turn, (name, mutated) in enumerate(m for _ in range(LONG) for m in mutations(ours, chance)):
                if LONG > 1 or turn % 4 == sent % 4 or name in ("strange", "foreign fields"):
                    answer = await browser.post(action, content=str(httpx.QueryParams(mutated)), headers={"content-type": "application/x-www-form-urlencoded"})
                    failed += [(path, action, name, answer.status_code, seed)] if answer.status_code >= 500 else []
                sent += 1
    assert failed == []
    assert sent > 1000
    assert await kept(here) == before


def test_the_forms_are_found() -> None:
    page = '<form method="post" action="/x"><input name="a" value="1"><select name="b"><option value="2"></select></form><form action="/y"></form>'
    assert forms(page) == [("post", "/x", [("a", "1"), ("b", "2")])]
