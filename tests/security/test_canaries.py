"""What people typed stays text: a canary in every text field of a company that has something of everything, looked for on every page."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from newel.config import Config
from newel.services.app import Newel
from newel.services.setup import create_admin
from newel.web.app import create_app
from newel_demo.company import demo

from tests.web import PASSWORD, Web

NOW = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)
# Breaks out of a text, of an attribute in either quotes, of a script, of a comment; a template; an address that would run.
CANARY = """</script></title>--><n-xss hx-get="/x" onfocus=alert(1)>{{7*7}}</n-xss>'"><img src=x onerror=alert(1)>"""
ADDRESS = "javascript:alert(1)//"
# Texts of documents and books; those of records come from their declarations.
COLUMNS = (
    ("document", "reference"), ("document", "text"), ("document_line", "text"), ("price_step", "reason"), ("price_step", "rule"), ("tax_line", "reason"),
    ("lot", "number"),
)  # fmt: skip


class Living(HTMLParser):
    """Elements and attributes that text has come to life as."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at an element: none of ours is called so, runs by an attribute or leads to a script."""
        for name, value in attrs:
            if name.startswith("on") or (
                name in ("href", "src", "action", "formaction", "data-href", "hx-get") and (value or "").strip().lower().startswith("javascript:")
            ):
                self.found.append(f"<{tag} {name}={value}>")
        if tag == "n-xss" or dict(attrs).get("src") == "x":
            self.found.append(f"<{tag}>")


def living(page: str) -> list[str]:
    """What has come to life on a page."""
    parser = Living()
    parser.feed(page)
    return parser.found


@pytest.mark.parametrize("bad", [f"<p>{CANARY}", f'<p title="{CANARY}">', f"<script>var a = '{CANARY}'</script>", f'<a href="{ADDRESS}">', "<b onclick=x>"])
def test_the_looking_sees(bad: str) -> None:
    assert living(bad)
    assert living(f"<p title='fine'>{CANARY.replace('<', '&lt;')}</p>") == []


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of the demonstration company with every plugin, made once."""
    file: Path = tmp_path_factory.mktemp("company") / "company.db"

    async def make() -> None:
        newel = Newel(Config(database=f"sqlite:///{file}"), clock=lambda: NOW)
        await newel.start()
        await demo(newel, documents=40)
        await create_admin(newel, "admin", PASSWORD)
        await newel.close()

    asyncio.run(make())
    return file


@pytest.fixture
async def web(company: Path, tmp_path: Path) -> AsyncIterator[Web]:
    """A copy of the company, and an administrator."""
    shutil.copy(company, tmp_path / "copy.db")
    newel = Newel(Config(database=f"sqlite:///{tmp_path / 'copy.db'}"), clock=lambda: NOW)
    await newel.start()
    user = await newel.users.authenticate("admin", PASSWORD)
    assert user
    async with newel.database.read() as session:
        context = await newel.context(session, user)
    made = Web(newel, context, create_app(newel, manage=False), "")
    made.api = made.client(await made.token("admin"))
    yield made
    await newel.close()


def texts(newel: Newel) -> Iterator[tuple[str, str]]:
    """(table, column) of every text that people enter and that nothing refers to by its value."""
    coded = {f.code_of for r in newel.registry.records for f in newel.records.fields(r) if f.code_of}
    for name in newel.registry.records:
        shape = newel.records.shape(name)
        for field in shape.fields:
            plain = field.type in ("text", "longtext") and not (field.code_of or field.choices or field.secret)
            if plain and not (name in coded and field.name == shape.key) and field.name not in ("country", "language", "permission", "login_step"):
                yield shape.table, field.name
    yield from COLUMNS


async def plant(newel: Newel) -> int:
    """The canary everywhere; ids keep it unique where it has to be. Returns how many texts there are."""
    fields = sorted(set(texts(newel)))
    async with newel.database.write() as session:
        for table, column in fields:
            await session.fetch(f'UPDATE "{table}" SET "{column}" = ? || id || ? WHERE id % 2 = 0', ADDRESS, CANARY)
            await session.fetch(f'UPDATE "{table}" SET "{column}" = ? || id WHERE id % 2 = 1', CANARY)
        await session.fetch("UPDATE fact_version SET version = version + 1")
    newel.database.cache.values.clear()
    return len(fields)


async def pages(web: Web) -> AsyncIterator[str]:
    """Every page that there is: lists, forms, records, documents and what is printed of them, reports, search, history, administration, errors."""
    strange = quote(CANARY)
    for path in ("/", "/account", "/audit", "/jobs", "/plugins", "/settings", f"/search?q={strange}", "/search?q=script", f"/nowhere/{strange}", "/two_factor"):
        yield path
    async with web.newel.database.read() as session:
        for name in web.newel.registry.records:
            shape = web.newel.records.shape(name)
            yield f"/records/{name}"
            yield f"/records/{name}?q={strange}"
            yield f"/options/{name}?q=a"
            yield f"/records/{name}/new"
            for row in await session.fetch(f'SELECT id FROM "{shape.table}" ORDER BY id LIMIT 1'):
                yield f"/records/{name}/{row['id']}"
        for kind in web.newel.registry.documents:
            yield f"/documents/{kind}"
            for row in await session.fetch("SELECT id FROM document WHERE kind = ? ORDER BY id DESC LIMIT 1", kind):
                for page in ("", "/edit", "/print"):
                    yield f"/document/{row['id']}{page}"
    for report in web.newel.registry.reports:
        yield f"/report/{report}"
    for route in web.app.routes:
        if "{" not in route.path and "GET" in getattr(route, "methods", ()) and not route.path.startswith(("/api", "/static", "/health", "/metrics")):
            yield route.path


async def test_no_text_comes_to_life(web: Web) -> None:
    """On every page, in print and in errors the canary is text: no element, no attribute, no address of a script; and no page fails over it."""
    assert await plant(web.newel) > 130
    browser, _ = await web.browser()
    alive: dict[str, Any] = {}
    seen, shown = 0, 0
    async for path in pages(web):
        answer = await browser.get(path)
        seen += 1
        shown += "n-xss" in answer.text
        page = answer.headers["content-type"].startswith("text/html")
        if answer.status_code >= 500 or (page and living(answer.text)):
            alive[path] = (answer.status_code, living(answer.text)[:3])
        known = answer.headers.get("content-type", "").startswith(("application/json", "text/calendar", "text/csv"))
        assert page or answer.is_redirect or known, path
        if page:
            assert not re.search(r"\b49</n-xss", answer.text), path
            assert "'unsafe-" not in answer.headers["content-security-policy"]
    assert alive == {}
    assert seen > 250
    assert shown > 120, "the canary was on the pages"


# ---- SQL ---------------------------------------------------------------------------------------------------------------------------

PAYLOADS = tuple(
    """
' | '' | " | ` | \\ | \\' | ' OR '1'='1 | ' OR 1=1 -- | ' OR 1=1 # | ') OR ('1'='1 | " OR ""=" | 1 OR 1=1 | 1; DROP TABLE party | '; DELETE FROM party; --
$1 | ? | :a
' UNION SELECT password FROM app_user -- | 1 UNION SELECT 1,2,3 | % | _ | %' AND '%'=' | [a-z] | * | id; SELECT 1 | (SELECT 1)
CASE WHEN 1=1 THEN name END | 1/**/OR/**/1=1
name DESC, (SELECT password FROM app_user) | ' || (SELECT password FROM app_user) || ' | pg_sleep(5) | '; SELECT pg_sleep(5); -- | ʼ OR 1=1
""".strip()
    .replace("\n", " | ")
    .split(" | ")
)


async def test_no_payload_is_more_than_a_text(web: Web) -> None:
    """Filters, sorting and search of every list: what looks like SQL finds what has it as a text in it, which is nothing, and breaks nothing."""
    before, wrong = await web.counts(), []
    kinds = [n for n in web.newel.registry.records if not n.startswith("newel.user")]
    for turn, name in enumerate(kinds):
        shape = web.newel.records.shape(name)
        text = next((f.name for f in shape.fields if f.type == "text" and not f.secret and not f.choices), None)
        for payload in PAYLOADS[turn % 4 :: 4]:
            asked = [{"sort": payload}, {"search": payload}, *([{text: payload}] if text else [])]
            for query in asked:
                answer = await web.api.get(f"/api/records/{name}", params=query)
                found = answer.json().get("total", 0)
                literal = payload in ("'", '"', "%", "_", "*", "\\", "?", "`")
                if answer.status_code >= 500 or ("sort" in query and answer.status_code == 200) or (found and not literal):
                    wrong.append((name, query, answer.status_code, found))
    for kind in list(web.newel.registry.documents)[:3]:
        for payload in PAYLOADS:
            for query in ({"sort": payload}, {"text": payload}, {"state": payload}, {"party": payload}):
                answer = await web.api.get(f"/api/documents/{kind}", params=query)
                if answer.status_code >= 500 or answer.json().get("total", 0):
                    wrong.append((kind, query, answer.status_code, answer.text[:100]))
    assert wrong == []
    assert await web.counts() == before
