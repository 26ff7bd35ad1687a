"""A live server on SQLite for tests in a real browser: a company, an administrator, and a page that forgives nothing."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import uvicorn
from newel.services.setup import create_admin
from newel.web.app import create_app

from newel_sdk.kit import LOGIN, PASSWORD, Kit, kit_on
from newel_sdk.servers import PATIENCE, free_port
from newel_sdk.slow import on_slow_line

if TYPE_CHECKING:
    from newel.services.app import Newel
    from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Route

T = TypeVar("T")
SECONDS = 300  # for the server to start or to answer `ask`, on a machine with much else to do
DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}


class _Server(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config, started: threading.Event) -> None:
        super().__init__(config)
        self._up = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._up.set()


class Site(threading.Thread):
    """The server, in a thread with an event loop of its own. kit: to build data with; call `ask` with its coroutines.

    Args:
        folder: for the database file. names: plugins, as for kit.modules.
    """

    def __init__(self, folder: Path, names: Iterable[str] | None = None) -> None:
        super().__init__(daemon=True)
        self.port = free_port()
        self.url, self._place, self._names = f"http://127.0.0.1:{self.port}", folder, names
        self._listening = threading.Event()
        self._error: BaseException | None = None
        self.kit: Kit

    def run(self) -> None:
        """Set up the company, then serve until stop()."""
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # whatever it was, the test that waits must say so
            self._error = error
            self._listening.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        async with kit_on(f"sqlite:///{self._place / 'site.db'}", self._names) as self.kit:
            await create_admin(self.kit.app, LOGIN, PASSWORD, "Ada Admin")
            await self._listen(self.kit.app)

    async def _listen(self, app: Newel) -> None:
        place: dict[str, Any] = {"host": "127.0.0.1", "port": self.port}
        self.web = create_app(app, manage=False)
        config = uvicorn.Config(on_slow_line(self.web), **place, log_level="critical", lifespan="on", timeout_graceful_shutdown=1)
        self._server = _Server(config, self._listening)
        await self._server.serve()

    def up(self) -> Site:
        """Start it and wait until it answers."""
        self.start()
        if not self._listening.wait(SECONDS):
            raise TimeoutError(f"the server did not start within {SECONDS} s")
        if self._error is not None:
            raise self._error
        return self

    def stop(self) -> None:
        """Stop it."""
        self._server.should_exit = True
        self.join(10)

    def ask(self, question: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine of the kit where the server runs, and return its result."""
        return asyncio.run_coroutine_threadsafe(question, self._loop).result(SECONDS)


# What is there as a whole has its boxes, and the style sheets that they bring.
WIDER = """(width) => document.readyState === "complete" && !document.querySelector(".htmx-request")
  && [...document.querySelectorAll("link[rel=stylesheet]")].every((one) => one.sheet) && {width: document.documentElement.scrollWidth,
  out: [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > width + 1).slice(0, 3).map((e) => e.outerHTML.slice(0, 120))}"""


def fits(page: Page) -> None:
    """Wait until the page is there as a whole, with the boxes that it is fetching: then it is not wider than its window.

    Right after a click the next page may be half there, or not at all: wait for something that only the next page has, then ask.

    Raises:
        AssertionError: it is wider; says by how much, and what sticks out.
    """
    window = page.viewport_size["width"] if page.viewport_size else 0
    found = page.wait_for_function(WIDER, arg=window).json_value()
    assert found["width"] <= window, f"{page.url} was expected to be {window} pixels wide, got {found['width']}: {found['out']}"


class Watched:
    """A browser's page, logged in. Whatever it complains about (scripts, styles, foreign requests, errors of the server) is kept in `complaints`.

    expected: statuses of answers that are no complaint, such as 403 where a test looks at what is refused.
    """

    def __init__(self, page: Page, site: Site) -> None:
        self.page, self.site = page, site
        self._asked = 0
        self._open: set[Request] = set()
        page.on("request", self._begun)
        page.on("requestfinished", self._ended)
        page.on("requestfailed", self._ended)
        self.complaints: list[str] = []
        self.expected: tuple[int, ...] = ()
        page.on("console", self._console)
        page.on("pageerror", lambda e: self.complaints.append(f"error: {e}"))
        page.on("request", lambda r: None if r.url.startswith((site.url, "data:")) else self.complaints.append(f"foreign: {r.url}"))
        page.on("response", lambda r: self.complaints.append(f"{r.status} {r.url}") if r.status >= 400 and r.status not in self.expected else None)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not any(f"status of {s}" in message.text for s in self.expected):
            self.complaints.append(f"console: {message.text}")

    def _begun(self, request: Request) -> None:
        if request.resource_type != "eventsource":  # never answered as a whole
            self._asked += 1
            self._open.add(request)

    def _ended(self, request: Request) -> None:
        self._open.discard(request)

    def settled(self) -> None:
        """Wait until the page has asked for whatever follows from what was typed, and has its answers, however slow the machine is."""
        asked = -1
        while self._open or asked != self._asked:
            asked = self._asked
            self.page.evaluate("() => new Promise((done) => setTimeout(done, 600))")  # milliseconds: longer than a script waits for the next key

    def hold(self, url: str | re.Pattern[str], times: int = 1) -> Callable[[int], Route]:
        """Hold back the next answers from an address, as a slow line does; returns what waits for the n-th question there and gives it, to be continued."""
        held: list[Route] = []
        self.page.route(url, lambda route: held.append(route), times=times)  # noqa: PLW0108 (Playwright marks what it calls)

        def nth(number: int) -> Route:
            for _turn in range(PATIENCE // 20):
                if len(held) >= number:
                    return held[number - 1]
                self.page.wait_for_timeout(20)
            raise TimeoutError(f"{number} questions to {url} were expected, got {len(held)}")

        return nth

    def open(self, path: str) -> Page:
        """Go to an address of the site."""
        self._open.clear()
        self.page.goto(self.site.url + path)
        self.page.wait_for_load_state("networkidle")
        return self.page

    def login(self, login: str = LOGIN, lands: str = "/") -> None:
        """As the administrator, or as somebody whose password is the kit's PASSWORD. lands: the page that this user comes to."""
        page = self.open("/login")
        page.fill("[name=login]", login)
        page.fill("[name=password]", PASSWORD)
        page.click("button[type=submit]")
        page.wait_for_url(self.site.url + lands)


@contextmanager
def window(chromium: Browser, site: Site, login: str = LOGIN, lands: str = "/", expected: tuple[int, ...] = (), **options: Any) -> Iterator[Watched]:
    """A window of the browser in which somebody has logged in; at its end it must not have complained about anything.

    Args:
        login, lands: as for Watched.login. expected: statuses of answers that are no complaint.
        options: of Playwright's new_context, such as viewport or color_scheme; 1280 pixels wide without any. Nothing moves or fades unless
            reduced_motion says so: a colour that is measured would be one of the way.
    """
    context = chromium.new_context(**{"reduced_motion": "reduce", **(options or {"viewport": DESKTOP})})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    found = Watched(page, site)
    found.expected = expected
    found.login(login, lands)
    yield found
    page.unroute_all(behavior="ignoreErrors")  # an answer that a test holds back may still be on its way
    context.close()
    assert not found.complaints, "the page complained:\n" + "\n".join(found.complaints)


__all__ = ["DESKTOP", "PHONE", "Site", "Watched", "fits", "window"]
