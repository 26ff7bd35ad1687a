"""A shop behind uvicorn, for measuring over HTTP: as its users reach it, with a session and all checks."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import httpx
import msgspec
import uvicorn
from newel.config import Config
from newel.services.app import Newel
from newel.services.setup import create_admin
from newel.web.app import create_app
from newel_sdk.servers import free_port
from newel_sdk.testing import NOW
from uvicorn.supervisors import Multiprocess

from tests.benchmarks.flow import Shop

PASSWORD = "correct horse battery"
VARIABLE = "NEWEL_BENCH_SITE"


class Request(NamedTuple):
    """One of the pages or calls that people make most. body: JSON of a POST."""

    name: str
    path: str
    body: bytes = b""


class Site(NamedTuple):
    """A running server: its address, its main process, a logged-in user's headers, and what is asked of it."""

    url: str
    process: int
    headers: dict[str, str]
    requests: tuple[Request, ...]


def application() -> Any:
    """The web application of the database that the environment names; uvicorn's workers make it, each for itself."""
    return create_app(Newel(Config(database=os.environ[VARIABLE]), clock=lambda: NOW))


def main(port: int, workers: int) -> None:
    """Serve it. Where uvicorn opens the socket for several workers it leaves out TCP_NODELAY, and each answer is 40 ms late (its issue 3149)."""
    config = uvicorn.Config("tests.benchmarks.site:application", factory=True, port=port, workers=workers, log_level="warning")
    listening = config.bind_socket()
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # what is accepted has it from there
    if workers > 1:
        Multiprocess(config, sockets=[listening]).run()
    else:
        uvicorn.Server(config).run(sockets=[listening])


async def _requests(one: Shop) -> tuple[Request, ...]:
    """Ten pages and calls, on documents that are there."""
    async with one.app.database.read() as session:
        order = await session.value("SELECT MAX(id) AS n FROM document WHERE kind = 'sales.order'")
        party = await session.value("SELECT id FROM party WHERE number = 'C1'")
    lines = [{"item": f"I{n}", "quantity": "3"} for n in range(5)]
    return (
        Request("home page", "/"),
        Request("page: list of orders", "/documents/sales.order"),
        Request("page: an order", f"/document/{order}"),
        Request("page: new order", "/documents/sales.order/new"),
        Request("page: a customer", f"/records/newel.party/{party}"),
        Request("page: trial balance", "/report/newel.trial_balance"),
        Request("search", "/search?q=SO2026-00"),
        Request("API: list of orders", "/api/documents/sales.order"),
        Request("API: an order", f"/api/document/{order}"),
        Request("API: price an order of 5 lines", "/api/documents/sales.order/preview", msgspec.json.encode({"party": "C1", "lines": lines})),
    )


@asynccontextmanager
async def served(one: Shop, workers: int = 1) -> AsyncIterator[Site]:
    """The shop behind so many uvicorn workers, on a port of the loopback."""
    await create_admin(one.app, "bench", PASSWORD)
    token, _ = await one.app.users.login("bench", PASSWORD)
    user = await one.app.users.authenticate("bench", PASSWORD)
    assert user
    api = await one.app.users.create_token(user, "bench", 10)
    port = free_port()
    command = [sys.executable, "-m", "tests.benchmarks.site", str(port), str(workers)]
    running = await asyncio.create_subprocess_exec(*command, env={**os.environ, VARIABLE: one.app.database.url})
    try:
        async with httpx.AsyncClient() as client:
            await _ready(client, f"http://127.0.0.1:{port}/health/ready")
        headers = {"Cookie": f"newel_session={token}", "Authorization": f"Bearer {api}"}
        yield Site(f"http://127.0.0.1:{port}", running.pid, headers, await _requests(one))
    finally:
        running.terminate()
        await running.wait()


async def _ready(client: httpx.AsyncClient, url: str) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            if (await client.get(url)).is_success:
                return
        except httpx.TransportError:
            pass
        await asyncio.sleep(0.1)
    raise TimeoutError(f"{url} did not answer within 60 s")


def headers_of(site: Site, request: Request) -> dict[str, str]:
    """A program's token for the API, a browser's session for pages."""
    if request.path.startswith("/api/"):
        return {"Authorization": site.headers["Authorization"], **({"Content-Type": "application/json"} if request.body else {})}
    return {"Cookie": site.headers["Cookie"]}


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
