"""The servers that other tests stand on really are what they promise."""

import sqlite3

import asyncpg
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


def test_the_browser_runs_scripts(chromium: Browser) -> None:
    """The browser is a real one."""
    page = chromium.new_page()
    page.set_content("<p id=a></p><script>document.getElementById('a').textContent = 6 * 7</script>")
    assert page.inner_text("#a") == "42"
    page.close()
