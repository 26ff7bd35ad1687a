"""A new user, without a manual: from `newel serve` on an empty database to the first paid invoice, and every way to begin with its way back."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from newel_sdk.servers import PATIENCE, free_port
from newel_sdk.site import Watched
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import DESKTOP, PLUGINS

PASSWORD = "nine brass lamp shades"
SECONDS = 300
SERVE = """
from newel.cli import main
from newel.web import app
from newel_sdk.slow import on_slow_line
made = app.create_app
app.create_app = lambda *given, **named: on_slow_line(made(*given, **named))
main()
"""


@pytest.fixture
def first(tmp_path: Path, chromium: Browser) -> Iterator[tuple[Page, str]]:
    """Give a browser and the address that the server has said, as somebody reads it there."""
    (tmp_path / "newel.toml").write_text(f"plugins = {[*PLUGINS, 'exchange', 'setup']!r}\n", "utf-8")
    port = free_port()
    command = [sys.executable, "-c", SERVE, "serve", "--port", str(port)]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "NEWEL_CONFIG": str(tmp_path / "newel.toml")}
    server = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    stop = threading.Timer(SECONDS, server.kill)
    stop.start()
    assert server.stdout is not None
    said = next((found[1] for line in server.stdout if (found := re.search(r"begin at (\S+)", line))), "")
    stop.cancel()
    window = chromium.new_context(viewport=DESKTOP)
    window.set_default_timeout(PATIENCE)
    watched = Watched(window.new_page(), SimpleNamespace(url=f"http://127.0.0.1:{port}"))  # type: ignore[arg-type]
    watched.expected = (422,)  # a password that is too short, on purpose
    yield watched.page, said
    window.close()
    server.terminate()
    server.communicate(timeout=SECONDS)
    assert watched.complaints == []


def begin(page: Page, way: str, **values: str) -> None:
    """Choose a way to begin, and say who one is."""
    page.get_by_role("link", name=way).click()
    for name, value in {"name": "Ada Lamp", "login": "ada", "password": PASSWORD, **values}.items():
        if name == "country":
            page.get_by_label("Country").select_option(label=value)
        else:
            page.fill(f"[name={name}]", value)
    page.get_by_role("button", name="Begin").click()


def anew(page: Page) -> None:
    """Take everything away from the guide."""
    page.fill("[name=code]", page.locator("label[for=code]").inner_text().split()[1])
    page.wait_for_load_state()  # a script asks whether one is sure
    page.get_by_role("button", name="Take everything away").click()
    page.get_by_role("button", name="Yes, go on").click()
    expect(page.get_by_text("How would you like to begin?")).to_be_visible()


@pytest.mark.screen("C58")
def test_each_way_to_begin_has_a_way_back(first: tuple[Page, str]) -> None:
    page, said = first
    page.goto(said.partition("/setup")[0])
    page.get_by_label("Code, or the whole address").fill(said)
    page.get_by_role("button", name="Go on").click()
    begin(page, "Look around first")
    expect(page.get_by_role("heading", name="Work to do")).to_be_visible()
    page.goto(said.partition("/setup")[0] + "/setup")
    anew(page)
    begin(page, "Bring my data along", company="Lamp Shop", country="Slovenia")
    page.locator("#files").get_by_role("link", name="Items").click()
    expect(page.get_by_role("heading", name="Import: Items")).to_be_visible()
    page.go_back()
    anew(page)
    begin(page, "Set up my company", company="Lamp Shop", country="Slovenia")
    page.get_by_role("link", name="Tax", exact=True).click()
    page.fill("[name=rate]", "22")
    page.get_by_role("button", name="Save and go on").click()
    with page.expect_navigation():
        page.get_by_role("link", name="Set-up guide").first.click()
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Yes, go on").click()
    expect(page.get_by_text("Tax: undone.")).to_be_visible()
    anew(page)


@pytest.mark.screen("C58")
def test_from_the_first_start_to_the_first_paid_invoice(first: tuple[Page, str]) -> None:
    page, said = first

    def step(**values: str) -> None:
        for name, value in values.items():
            page.fill(f"[name={name}]", value)
        page.get_by_role("button", name="Save and go on").click()

    page.goto(said)
    begin(page, "Set up my company", company="Lamp Shop", country="Slovenia")
    page.get_by_role("link", name="Begin", exact=True).first.click()
    step(street="Trg 1", tax_id="SI12345678")
    step(rate="22")
    expect(page.get_by_role("heading", name="Numbers of documents")).to_be_visible()
    page.get_by_role("link", name="Skip", exact=True).click()
    step(name="Sal Esche", login="sal", password="short")
    expect(page.get_by_text("a password has at least 10 characters").first).to_be_visible()
    expect(page.locator("[name=login]")).to_have_value("sal")
    page.get_by_label("Role").select_option(label="Sales")
    step(password=PASSWORD)
    step(number="L-1", name="Lamp", price="25", cost="10")
    step(number="C-1", name="Miller Ltd", street="High street 2", city="Town")
    page.locator("#item").fill("lamp")
    page.get_by_role("option", name="L-1").click()
    step(quantity="10")
    page.get_by_role("link", name="New: Sales order").click()
    page.get_by_label("Customer", exact=True).fill("mill")
    page.get_by_role("option", name="Miller").click()
    page.locator("#lines-0-item").fill("lamp")
    page.get_by_role("option", name="L-1").click()
    page.locator("#lines-0-quantity").fill("3")
    page.get_by_role("button", name="Save and confirm").click()
    for following in ("Deliver", "Invoice", "Payment"):
        page.locator(".n-doc-actions .btn-primary", has_text=following).click()
        page.get_by_role("button", name=re.compile("^(Make and (ship|post)|Save and post)$")).click()
    page.locator("#flow a.n-node", has_text="Invoice").last.click()
    expect(page.locator(".n-doc-head .n-badge")).to_have_text("Paid")
    expect(page.locator(".n-doc-total")).to_contain_text("91.50")
