"""A running install behind its web application, for tests: requests go straight into it, without a socket."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
from newel.domain.context import Context
from newel.services.app import Newel
from newel.services.setup import create_admin
from newel.web.app import create_app
from newel_sdk.conformance.looking import all_tables
from newel_sdk.testing import item, party, running

from tests import shop

PASSWORD = "correct horse battery"


class Web:
    """An install, its application and clients. `api` sends an administrator's token."""

    def __init__(self, newel: Newel, context: Context, app: Any, token: str) -> None:
        self.newel, self.context, self.app = newel, context, app
        self.api = self.client(token)

    def client(self, token: str = "", base: str = "http://newel.test", **more: Any) -> httpx.AsyncClient:
        """A client; with a token it is a program, without one a browser that keeps cookies."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url=base, headers=headers, **more)

    async def browser(self, login: str = "admin", password: str = PASSWORD, **more: Any) -> tuple[httpx.AsyncClient, str]:
        """A browser that is logged in, and its session's CSRF token."""
        client = self.client(**more)
        page = await client.get("/login")
        found = re.search(r'name="_csrf_token" value="([^"]+)"', page.text)
        assert found
        answer = await client.post("/login", data={"login": login, "password": password, "_csrf_token": found[1]})
        assert answer.status_code == 303, answer.text[-500:]
        name = "__Host-newel_session" if self.newel.config.secure_cookies else "newel_session"
        session = await self.newel.users.by_session(client.cookies[name])
        assert session
        return client, session.csrf

    async def token(self, login: str, company: int | None = None) -> str:
        """A token of this user."""
        user = await self.newel.users.authenticate(login, PASSWORD)
        assert user
        return await self.newel.users.create_token(user, "test", 10, company)

    async def user(self, login: str, *permissions: str, company: int | None = None) -> str:
        """A user with exactly these permissions; returns a token of theirs."""
        everything, company = self.context, company or self.context.company.id
        role = await self.newel.records.save("newel.role", None, {"code": login, "name": login}, everything)
        for permission in permissions:
            await self.newel.records.save("newel.role_permission", None, {"role": role, "permission": permission}, everything)
        await self.newel.users.create(login, PASSWORD, login, [login], [company], everything)
        return await self.token(login, company)

    async def counts(self) -> dict[str, int]:
        """Number of rows of every table, to show that nothing has changed."""
        tables = await all_tables(self.newel)
        async with self.newel.database.read() as session:
            return {name: await session.value(f'SELECT COUNT(*) AS n FROM "{name}"') for name in tables}


@asynccontextmanager
async def serving(url: str, modules: dict[str, Any] | None = None, config: dict[str, Any] | None = None) -> AsyncIterator[Web]:
    """A company with two items in stock and a customer, behind the application. config: changes of the Config."""
    async with running(url, {"shop": shop.module()} if modules is None else modules) as (newel, context):
        if config:
            newel.config = msgspec.structs.replace(newel.config, **config)
        await create_admin(newel, "admin", PASSWORD)
        await item(newel, context, "BOLT", price="0.12", cost="0.05")
        await item(newel, context, "NUT", price="0.10", cost="0.04")
        await party(newel, context, "C1")
        web = Web(newel, context, create_app(newel, manage=False), "")
        web.api = web.client(await web.token("admin"))
        yield web


__all__ = ["PASSWORD", "Web", "serving"]
