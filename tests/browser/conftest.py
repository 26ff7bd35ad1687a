"""A live server on SQLite with a small company, and a browser that is logged in and forgives nothing."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from newel.config import Config
from newel.domain.context import Context
from newel.services.app import Newel
from newel.services.setup import create_admin, set_up_company
from newel.web.app import create_app
from newel_sdk.testing import DocumentInput, LineInput, item, party
from playwright.sync_api import Browser, Page

LOGIN, PASSWORD = "admin", "correct horse battery"
DESKTOP, PHONE = {"width": 1366, "height": 768}, {"width": 390, "height": 844}
PLUGINS = ("sales", "pricelists", "inventory", "shipping", "invoicing", "receivables")
NAMES = ("Frame", "Wheel", "Chain", "Pedal", "Helmet", "Bell")


async def company(newel: Newel) -> Context:
    """A company with six items in stock, two customers and a tax."""
    made = await set_up_company(newel, code="ACME", name="Acme", currency="EUR", country="DE", price_digits=2)
    await create_admin(newel, LOGIN, PASSWORD, "Ada Admin")
    context = newel.system(made)
    await newel.records.save("newel.tax_rate", None, {"code": "VAT19", "name": "VAT", "category": "standard", "country": "DE", "rate": "19"}, context)
    for i, name in enumerate(NAMES):
        await item(newel, context, f"I-{i}", price=Decimal(10) * (i + 1), cost=Decimal(4) * (i + 1), name=name)
    await party(newel, context, "C-1", name="Miller Ltd", terms="NET14", limit_amount="10000")
    await party(newel, context, "C-2", name="Other Ltd", limit_amount="100")
    lines = tuple(LineInput(item=f"I-{i}", quantity=Decimal(100)) for i in range(len(NAMES)))
    await newel.documents.create("inventory.receipt", DocumentInput(lines=lines), context, then=("receive",))
    return context


class Site(threading.Thread):
    """The server, in a thread with an event loop of its own."""

    def __init__(self, folder: Path, plugins: tuple[str, ...] = PLUGINS, more: Callable[[Newel, Context], Awaitable[Any]] | None = None) -> None:
        super().__init__(daemon=True)
        self.more = more
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.newel = Newel(Config(database=f"sqlite:///{folder / 'newel.db'}", plugins=plugins))
        self.started = threading.Event()
        self.error: BaseException | None = None

    def run(self) -> None:
        """Set up the company, then serve until somebody says stop."""
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self.error = error
            self.started.set()

    async def _serve(self) -> None:
        self.loop = asyncio.get_running_loop()
        await self.newel.start()
        self.context = await company(self.newel)
        if self.more is not None:
            await self.more(self.newel, self.context)
        config = uvicorn.Config(create_app(self.newel, manage=False), host="127.0.0.1", port=self.port, log_level="error", lifespan="on")
        self.server = uvicorn.Server(config)
        startup = self.server.startup

        async def started(**more: Any) -> None:
            await startup(**more)
            self.started.set()

        self.server.startup = started  # type: ignore[method-assign]
        await self.server.serve()
        await self.newel.close()

    def ask(self, question: Any) -> Any:
        """Run a coroutine where the server runs."""
        return asyncio.run_coroutine_threadsafe(question, self.loop).result(30)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Give a running server with a company of its own."""
    yield from served(Site(tmp_path_factory.mktemp("site")))


def served(site: Site) -> Iterator[Site]:
    """Run a server as long as it is needed."""
    site.start()
    assert site.started.wait(60)
    assert site.error is None, site.error
    yield site
    site.server.should_exit = True
    site.join(10)


class Watched:
    """A page; whatever it complains about fails the test."""

    def __init__(self, page: Page, site: Site) -> None:
        self.page, self.site, self.complaints = page, site, []  # type: ignore[var-annotated]
        self.expected: tuple[int, ...] = ()
        page.on("console", self._console)
        page.on("pageerror", lambda e: self.complaints.append(f"error: {e}"))
        page.on("request", lambda r: None if r.url.startswith((site.url, "data:")) else self.complaints.append(f"foreign: {r.url}"))
        page.on("response", lambda r: self.complaints.append(f"{r.status} {r.url}") if r.status >= 400 and r.status not in self.expected else None)

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning") and not any(f"status of {s}" in message.text for s in self.expected):
            self.complaints.append(f"console: {message.text}")

    def open(self, path: str) -> Page:
        """Go to an address of the site."""
        self.page.goto(self.site.url + path)
        self.page.wait_for_load_state("networkidle")
        return self.page

    def login(self) -> None:
        """As the administrator."""
        self.page.goto(f"{self.site.url}/login")
        self.page.fill("[name=login]", LOGIN)
        self.page.fill("[name=password]", PASSWORD)
        self.page.click("button[type=submit]")
        self.page.wait_for_url(f"{self.site.url}/")


@pytest.fixture
def watched(request: pytest.FixtureRequest, chromium: Browser, site: Site) -> Iterator[Watched]:
    """Give a browser window that is logged in. Parameters of the window come from the test's mark `window`, if it has one."""
    options: dict[str, Any] = getattr(request, "param", {"viewport": DESKTOP})
    window = chromium.new_context(**options)
    page = window.new_page()
    page.set_default_timeout(10_000)
    found = Watched(page, site)
    found.login()
    yield found
    window.close()
    assert found.complaints == []
