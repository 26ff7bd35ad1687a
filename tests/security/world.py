"""Two companies with the same plugins and the same kinds of things in them, the routes that are served, and people of every sort."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
from newel.plugins import discover
from newel.services.setup import set_up_company

from tests import shop
from tests.web import Web, serving

OUTSIDE = frozenset({"HEAD", "OPTIONS"})
NEEDED = re.compile(r"permission (?:'|&#39;|&#x27;)([\w.*]+)")
LINE = {"item": "BOLT", "quantity": "2"}
MARK = "zq-only-in-test-zq"


class World:
    """The install, a thing of each sort that addresses name, and clients by role."""

    def __init__(self, web: Web) -> None:
        self.web = web
        self.ids: dict[str, int] = {}
        self.clients: dict[str, httpx.AsyncClient] = {}
        self._exact: dict[tuple[str, ...], httpx.AsyncClient] = {}

    def routes(self) -> list[tuple[str, str]]:
        """Every (method, path) that the application serves, with the placeholders in the path."""
        found = {(m, r.path) for r in self.web.app.routes for m in getattr(r, "methods", {"GET"}) if m not in OUTSIDE}
        return sorted(found, key=lambda one: (one[1], one[0]))

    def filled(self, path: str, more: Mapping[str, Any] | None = None) -> str:
        """The path with things of the first company in the place of the placeholders. more: name -> value, or the sort of thing whose id it is."""
        given = {name: self.ids.get(value, value) for name, value in (more or {}).items()}
        return re.sub(r"{(\w+)(?::(\w+))?}", lambda m: str(given.get(m[1]) or self._usual(path, m[1], m[2])), path)

    def _usual(self, path: str, name: str, kind: str | None) -> Any:
        if name in ("id", "item"):
            return self.ids[next((s for start, s in SORTS if path.startswith(start)), "newel.item" if name == "item" else "shop.order")]
        if name in ("kind", "name"):
            return next((value for start, value in KINDS if path.startswith(start)), "x1")
        return USUAL.get(name, 1 if kind == "int" else "x1")

    async def exact(self, rights: tuple[str, ...]) -> httpx.AsyncClient:
        """Somebody with these rights and no other, in the first company."""
        if rights not in self._exact:
            login = f"exact{len(self._exact)}"
            self._exact[rights] = self.web.client(await self.web.user(login, *rights))
        return self._exact[rights]

    async def ask(self, client: httpx.AsyncClient, method: str, path: str, body: Any = None, more: Mapping[str, Any] | None = None) -> httpx.Response:
        """Ask for a route: JSON of the API, a form of the pages. more: of `filled`; a value "@sort" of the body is an id, too."""
        address = self.filled(path, more) + str((more or {}).get("query", ""))
        if method == "GET":
            return await client.get(address)
        kind = "json" if address.startswith("/api") else "data"
        sent = {k: self.ids[v[1:]] if isinstance(v, str) and v.startswith("@") else v for k, v in (body or {}).items()}
        return await client.request(method, address, **{kind: sent})


# Which thing an id in an address below this start names; the first that fits.
SORTS = (
    ("/api/document", "shop.order"), ("/document", "shop.order"), ("/api/records", "newel.period"), ("/records", "newel.period"),
    ("/users", "newel.user"), ("/api/credit/parties", "newel.party"), ("/api/credit/documents", "sales.order"),
    ("/api/vendor_stock/vendors", "newel.party"), ("/api/vendor_workbench/vendors", "newel.party"),
    ("/api/vendor_workbench/orders", "purchasing.order"), ("/vendor_workbench", "purchasing.order"),
    ("/api/requests/documents", "requests.request"), ("/api/service_kpis/documents", "requests.request"), ("/do", "sales.order"),
)  # fmt: skip
KINDS = (
    ("/api/records", "newel.period"), ("/records", "newel.period"), ("/options", "newel.period"), ("/api/documents", "shop.order"),
    ("/documents", "shop.order"), ("/api/reports", "shop.orders"), ("/report", "shop.orders"), ("/settings", "credit"), ("/document/", "shop.delivery:deliver"),
    ("/do", "decision"), ("/exchange/into", "newel.item"), ("/views", "newel.item"), ("/cells", "newel.item"), ("/bulk", "shop.order"),
)  # fmt: skip
USUAL = {
    "plugin": "credit", "transition": "cancel", "flow": "shop.delivery:deliver", "hold": 1, "token": 1, "session": 1, "file_path": "none.css",
}  # fmt: skip


@asynccontextmanager
async def world(url: str) -> AsyncIterator[World]:
    """Every installed plugin and the sample shop, company TEST with its things, company B, and people."""
    async with serving(url, {**discover()[0], "shop": shop.module()}) as web:
        made = World(web)
        await _things(made)
        await _people(made)
        yield made


async def _things(made: World) -> None:
    web = made.web
    for kind in ("shop.order", "sales.order", "purchasing.order", "requests.request"):
        answer = await web.api.post(f"/api/documents/{kind}", json={"party": "C1", "reference": MARK, "lines": [LINE] if kind != "requests.request" else []})
        assert answer.status_code == 201, (kind, answer.text)
        made.ids[kind] = answer.json()["document"]["id"]
    for name in ("", " too"):
        held = {"party": "C1", "text": "hold", "reference": MARK, "lines": [LINE]}
        document = (await web.api.post("/api/documents/shop.order", json=held)).json()["document"]
        made.ids |= {f"held{name}": document["id"], f"hold{name}": document["holds"][0]["id"]}
    for name in ("second order", "third order"):
        made.ids[name] = (await web.api.post("/api/documents/shop.order", json={"party": "C1", "reference": MARK, "lines": [LINE]})).json()["document"]["id"]
    periods = (await web.api.get("/api/records/newel.period?size=5")).json()["rows"]
    made.ids |= {"second period": periods[1]["id"], "third period": periods[2]["id"]}
    for kind in ("newel.period", "newel.party", "newel.item"):
        made.ids[kind] = (await web.api.get(f"/api/records/{kind}?size=1")).json()["rows"][0]["id"]


async def _people(made: World) -> None:
    web, newel, everything = made.web, made.web.newel, made.web.context
    other = await set_up_company(newel, code="B", name="B", currency="EUR", country="DE", first_year=2026)
    await web.user("gone", "*")
    gone = web.client(await web.token("gone"))
    disabled, _ = await web.browser("gone")
    user = await newel.records.find("newel.user", "gone", everything)
    await newel.records.save("newel.user", user, {"active": False}, everything)
    made.ids["newel.user"] = user
    expired, _ = await web.browser()
    async with newel.database.write() as session:
        await session.fetch("UPDATE user_session SET expires_at = ?", newel.clock() - timedelta(seconds=1))
    # All rights but the one that opens every company's door.
    names = sorted({p.partition(".")[0] + ".*" for p in newel.registry.permissions()})
    foreign = web.client(await web.user("foreign", *names, company=other.id))
    made.clients = {
        "anonymous": web.client(), "disabled": disabled, "disabled program": gone, "expired": expired, "other": foreign,
        "none": web.client(await web.user("nobody")),
    }  # fmt: skip


__all__ = ["MARK", "NEEDED", "World", "world"]
