"""An install in a test: chosen plugins on an empty database, a company, a clock that stands still, and hands to work with.

The fixture `kit` gives one: `order = await kit.document("shop.order", "C1", ("BOLT", 3), then=["confirm"])`.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
from newel.domain.document import DocumentInput, LineInput
from newel.plugins import discover
from newel.services.administration import save_settings
from newel.services.verify import Finding, verify

from newel_sdk import shop as sample
from newel_sdk.testing import NOW, Number, item, party, running, stock

if TYPE_CHECKING:
    import httpx
    from newel.domain.context import Context
    from newel.services.app import Newel
    from newel.services.outcome import Outcome

LOGIN, PASSWORD = "admin", secrets.token_urlsafe(12)
SHOP = "shop"


class Clock:
    """Stands still until it is moved on. Call it for the present instant (UTC)."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **span: int) -> datetime:
        """Later by days=, hours= or minutes=; returns the new instant."""
        self.now += timedelta(**span)
        return self.now


def modules(names: Iterable[str] | None = None) -> dict[str, Any]:
    """Plugins by name, with those that they need. None: all that are installed. "shop" is the sample plugin of this package.

    Raises:
        LookupError: naming what is not installed or can't be imported, and why.
    """
    found, off = discover()
    if names is None:
        return found
    reasons = {o.name: o.reason for o in off}
    known = {SHOP: sample, **found}
    wanted: dict[str, Any] = {}
    todo = list(names)
    while todo:
        name = todo.pop()
        if name not in known:
            raise LookupError(f"the plugin {name!r} {reasons.get(name, 'is not installed: pip install -e the folder of its pyproject.toml')}")
        if name not in wanted:
            wanted[name] = known[name]
            todo += known[name].register_plugin().needs
    return dict(sorted(wanted.items()))


class Kit:
    """What a test works with; made by the fixture `kit`.

    Attributes:
        app: the started install. context: of a user who may do everything. clock: see Clock.
    """

    def __init__(self, app: Newel, context: Context, clock: Clock) -> None:
        self.app, self.clock, self._context = app, clock, context
        self._web: Any = None
        self._clients: list[httpx.AsyncClient] = []

    @property
    def context(self) -> Context:
        """Of somebody who may do everything, at the clock's present instant."""
        return msgspec.structs.replace(self._context, now=self.clock.now, today=self.clock.now.date())

    # ---- building --------------------------------------------------------------------------------------------------------------

    async def item(self, number: str, *, price: Number | None = None, cost: Number | None = None, **values: Any) -> int:
        """An item with list price and standard cost; see testing.item."""
        return await item(self.app, self.context, number, price=price, cost=cost, **values)

    async def party(self, number: str, **values: Any) -> int:
        """A customer and vendor with an address; see testing.party."""
        return await party(self.app, self.context, number, **values)

    async def stock(self, item_number: str | int, quantity: Number, value: Number) -> int:
        """Goods worth `value` altogether in the main warehouse; see testing.stock."""
        return await stock(self.app, self.context, item_number, quantity, value)

    async def record(self, kind: str, **values: Any) -> int:
        """A record of any kind; returns its id."""
        return await self.app.records.save(kind, None, values, self.context)

    async def settings(self, plugin: str, **values: Any) -> None:
        """Settings of a plugin in this company; actions from now on see them."""
        await save_settings(self.app, plugin, values, self.context)
        async with self.app.database.read() as session:
            self._context = await self.app.context(session, self._context.user, self._context.company.id)

    async def document(self, kind: str, who: int | str | None, *lines: Sequence[Any] | LineInput, then: Sequence[str] = (), **header: Any) -> Outcome:
        """A document and the transitions to carry out at once.

        Args:
            lines: (item, quantity) or (item, quantity, unit price), or a LineInput.
        """
        entered = tuple(line if isinstance(line, LineInput) else _line(*line) for line in lines)
        return await self.app.documents.create(kind, DocumentInput(party=who, lines=entered, **header), self.context, then=then)

    async def act(self, document: int, transition: str) -> Outcome:
        """Carry out a transition."""
        return await self.app.documents.act(document, transition, self.context)

    async def follow(self, document: int, flow: str, *, then: Sequence[str] = ()) -> Outcome:
        """The document that a flow leads to, from all that is open."""
        return await self.app.documents.follow(document, flow, self.context, then=then)

    # ---- looking ---------------------------------------------------------------------------------------------------------------

    async def rows(self, sql: str, *args: Any) -> list[dict[str, Any]]:
        """Rows as stored: numbers are scaled integers."""
        async with self.app.database.read() as session:
            return [dict(row) for row in await session.fetch(sql, *args)]

    async def verify(self) -> list[Finding]:
        """What does not add up in the books; empty when all is well."""
        return await verify(self.app)

    async def outbox(self) -> list[dict[str, Any]]:
        """What waits to be told to the world outside, oldest first: (plugin, payload, attempts, error)."""
        return await self.rows("SELECT plugin, payload, attempts, error FROM outbox WHERE done_at IS NULL ORDER BY id")

    async def deliver(self) -> int:
        """Run what waits in outbox and jobs, as the worker would; returns how many pieces were done or failed."""
        from newel.jobs.worker import Worker

        return await Worker(self.app).once()

    # ---- the web ---------------------------------------------------------------------------------------------------------------

    async def client(self, *permissions: str) -> httpx.AsyncClient:
        """A program with a token, straight into the application: of the administrator, or of a user with exactly these permissions."""
        token = await self._token(permissions)
        return self._client({"Authorization": f"Bearer {token}"})

    async def browser(self) -> httpx.AsyncClient:
        """A person at the pages: logged in as the administrator; its header x-csrftoken makes forms its own."""
        await self._admin()
        client = self._client({})
        found = re.search(r'name="_csrf_token" value="([^"]+)"', (await client.get("/login")).text)
        token = found[1] if found else ""
        answer = await client.post("/login", data={"login": LOGIN, "password": PASSWORD, "_csrf_token": token})
        if answer.status_code != 303:
            raise AssertionError(f"the login was refused with status {answer.status_code}")
        session = await self.app.users.by_session(client.cookies["newel_session"])
        client.headers["x-csrftoken"] = session.csrf if session else ""
        return client

    def _client(self, headers: dict[str, str]) -> httpx.AsyncClient:
        import httpx
        from newel.web.app import create_app

        self._web = self._web or create_app(self.app, manage=False)
        transport = httpx.ASGITransport(self._web, raise_app_exceptions=False)
        self._clients.append(httpx.AsyncClient(transport=transport, base_url="http://newel.test", headers=headers))
        return self._clients[-1]

    async def close(self) -> None:
        """Close the clients; the fixture does it."""
        for client in self._clients:
            await client.aclose()

    async def _admin(self) -> None:
        from newel.services.setup import create_admin

        if not await self.rows("SELECT id FROM app_user WHERE login = ?", LOGIN):
            await create_admin(self.app, LOGIN, PASSWORD)

    async def _token(self, permissions: Sequence[str]) -> str:
        await self._admin()
        login = LOGIN
        if permissions:
            login = f"user{len(await self.rows('SELECT id FROM app_user'))}"
            role = await self.record("newel.role", code=login, name=login)
            for permission in permissions:
                await self.record("newel.role_permission", role=role, permission=permission)
            await self.app.users.create(login, PASSWORD, login, [login], [self.context.company.id], self.context)
        user = await self.app.users.authenticate(login, PASSWORD)
        if user is None:
            raise AssertionError(f"the user {login!r} can't log in")
        return await self.app.users.create_token(user, "test", 10)


def _line(item: str | int, quantity: Number, price: Number | None = None) -> LineInput:
    return LineInput(item=item, quantity=Decimal(quantity), price=None if price is None else Decimal(price))


@asynccontextmanager
async def kit_on(url: str, names: Iterable[str] | None = None, clock: Clock | None = None, **company: Any) -> AsyncIterator[Kit]:
    """A kit on an empty database. company: as for testing.running."""
    clock = clock or Clock()
    async with running(url, modules(names), clock, **company) as (app, context):
        kit = Kit(app, context, clock)
        yield kit
        await kit.close()


__all__ = ["LOGIN", "PASSWORD", "Clock", "Kit", "kit_on", "modules"]
