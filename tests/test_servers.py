"""The servers that other tests stand on really are what they promise."""

import sqlite3
from typing import Any

import asyncpg
import pytest
from newel_sdk.site import PHONE, fits
from newel_sdk.slow import on_slow_line
from playwright.sync_api import Browser


async def test_a_database_is_fresh_and_writable(database_url: str) -> None:
    """A test may create what it likes: nobody else sees it."""
    create = "CREATE TABLE probe (id INTEGER)"
    if database_url.startswith("sqlite:///"):
        connection = sqlite3.connect(database_url.removeprefix("sqlite:///"))
        connection.execute(create)
        connection.close()
        return
    connection = await asyncpg.connect(database_url)
    assert await connection.fetchval("SHOW fsync") == "on"
    assert await connection.fetchval("SHOW listen_addresses") == ""
    await connection.execute(create)
    await connection.close()


async def test_the_next_database_is_empty(postgresql_url: str) -> None:
    """A second database does not see the first one's tables."""
    connection = await asyncpg.connect(postgresql_url)
    assert await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
    await connection.close()


async def test_a_database_left_open_does_not_stop_the_run(postgresql_url: str) -> None:
    """Dropping the database cuts connections that a failed test left open."""
    connection = await asyncpg.connect(postgresql_url)
    connection.terminate()


async def test_a_slow_line_brings_the_same_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer is whole in the end, its head comes first; without the variable nothing stands between."""
    sent: list[Any] = []

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"A whole page", "more_body": False})

    async def send(message: Any) -> None:
        sent.append(message)

    await on_slow_line(app)({"type": "http"}, None, send)
    assert [m.get("body") for m in sent] == [None, b"A whole page"]
    sent.clear()
    monkeypatch.setenv("NEWEL_SLOW", "0.001")
    await on_slow_line(app)({"type": "http"}, None, send)
    assert [m.get("more_body") for m in sent] == [None, True, False]
    assert b"".join(m.get("body", b"") for m in sent) == b"A whole page"


def test_the_browser_runs_scripts(chromium: Browser) -> None:
    """The browser is a real one."""
    page = chromium.new_page()
    page.set_content("<p id=a></p><script>document.getElementById('a').textContent = 6 * 7</script>")
    assert page.inner_text("#a") == "42"
    page.close()


def test_what_sticks_out_of_the_window_is_named(chromium: Browser) -> None:
    """Also while the page is still on its way: then it is waited for."""
    page = chromium.new_page(viewport=PHONE)
    page.set_content("<p>narrow</p>")
    fits(page)
    page.route(
        "http://slow.example/", lambda route: route.fulfill(body="<img src=a.png><b style='display:block; width:800px'>wide</b>", content_type="text/html")
    )
    page.route("http://slow.example/a.png", lambda route: (page.wait_for_timeout(300), route.abort())[1])
    page.goto("http://slow.example/", wait_until="commit")
    with pytest.raises(AssertionError, match=r"slow\.example/ was expected to be 390 pixels wide, got 8\d\d: \['<b"):
        fits(page)
    page.close()
