"""Who gets at what of a customer: every route of an install with every plugin, asked by everybody who is not that customer.

The routes come from the application itself, the addresses from what customer B has, and the bodies from the types of the operations; so a route that is
added tomorrow is asked as well. One whose address can't be filled fails the test until VALUES says with what.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from functools import partial
from itertools import product
from typing import Any

import httpx
import pytest
from msgspec import inspect as types
from newel.domain.document import DocumentInput, LineInput
from newel.errors import Refused
from newel.web.api import OPERATIONS
from newel_attachments import keep
from newel_attachments.rules import Upload
from newel_portal import send
from newel_requests import answer
from newel_sdk.kit import modules
from newel_sdk.testing import item, party, stock

from tests.web import PASSWORD, Web, serving

D = Decimal
# What only B and we may read: name, mail, tax number, reference, text, price, street, message, file.
CANARIES = ("Bystander Works", "b@canary.example", "DE777000777", "REF-CANARY", "TEXT-CANARY", "7654.32", "Canary Lane", "MESSAGE-CANARY", "file-canary")
PARAMETER = re.compile(r"{(\w+)(?::\w+)?}")
WRITES = ("POST", "PUT", "PATCH", "DELETE")
# Parameters of addresses that are no id of B's: there is nothing of a customer behind them.
VALUES: dict[str, tuple[str, ...]] = {
    "name": ("accept", "cancel", "newel.open_items", "order", "requests.request"), "kind": ("newel.party", "requests.message", "sales.order"),
    "transition": ("cancel",), "flow": ("deliver", "order"), "hold": ("1",), "token": ("1",), "session": ("1",), "plugin": ("requests",), "code": ("a",),
    "article": ("1",), "item": ("1",), "key": ("a",), "file_path": ("newel.css",), "thread": ("1",), "post": ("1",), "board": ("1",), "number": ("1",),
    "action": ("hide",),
    "how": ("follow",), "n": ("1",), "ending": ("xlsx",), "subject": ("sales",),
}  # fmt: skip
OWN = ("/login", "/logout", "/static", "/account", "/api/tokens", "/api/sessions", "/api/password", "/health", "/metrics", "/two_factor", "/company")
RECORDS = ("/records/{name:str}/{id:int}", "/api/records/{kind:str}/{id:str}", "/attachments/of/{kind:str}/{id:int}")
# Bodies where the smallest one says nothing, by the end of the address.
BODIES: dict[str, Any] = {"/proposals/{id}/decision": {"decision": "approve"}, "/decision": {"block": "all"}}
# Answers that are the same for whatever id: what they look for is narrowed to the user's own party before anybody looks.
SAME = {("POST", "/api/vendor_stock/vendors/{id:str}/bill"): {409}}


class Town:
    """Customer B with everything that a customer can have here, and others who are not B."""

    def __init__(self, web: Web) -> None:
        self.web, self.app, self.context = web, web.newel, web.context
        self.ids: dict[str, list[int]] = {}
        self.numbers: list[str] = []
        self.tokens: dict[str, str] = {}
        self.clients: dict[str, Callable[[], httpx.AsyncClient]] = {"anonymous": web.client}

    async def make(self, kind: str, number: str, *then: str, **more: Any) -> int:
        """A document of this party's, with canaries in it."""
        lines = (LineInput(item="GADGET", quantity=D(2), price=D("7654.32")),)
        entered = DocumentInput(party=number, lines=lines, reference="REF-CANARY", text="TEXT-CANARY", **more)
        made = (await self.app.documents.create(kind, entered, self.context, then=then)).document
        self.ids.setdefault("document", []).append(made.id)
        self.numbers.append(made.number)
        return made.id

    async def login(self, name: str, login: str) -> None:
        """A token of this user, under the name of who it is in the matrix."""
        self.tokens[name] = await self.web.token(login)
        self.clients[name] = partial(self.web.client, self.tokens[name])

    async def user(self, name: str, login: str, permissions: set[str], party: int | None = None) -> None:
        """Somebody with exactly these permissions."""
        save = self.app.records.save
        role = await save("newel.role", None, {"code": login, "name": login}, self.context)
        for permission in sorted(permissions):
            await save("newel.role_permission", None, {"role": role, "permission": permission}, self.context)
        await self.app.users.create(login, PASSWORD, login, [login], [self.context.company.id], self.context, party=party)
        await self.login(name, login)


@asynccontextmanager
async def town(url: str) -> AsyncIterator[Town]:
    async with serving(url, modules()) as web:
        made = Town(web)
        await _customer(made)
        await _others(made)
        yield made


async def _customer(t: Town) -> None:
    """B: addresses, documents of every role, a message, files and a login."""
    await item(t.app, t.context, "GADGET", price="7654.32", cost="11.11")
    await stock(t.app, t.context, "GADGET", 50, 500)
    b = await party(t.app, t.context, "B", name="Bystander Works", email="b@canary.example", tax_id="DE777000777")
    address = {"party": b, "kind": "shipping", "name": "Yard", "street": "Canary Lane", "city": "X", "country": "DE"}
    t.ids |= {"newel.party": [b], "newel.address": [await t.app.records.save("newel.address", None, address, t.context)]}
    order = await t.make("sales.order", "B", "confirm")
    for flow in ("deliver", "invoice"):
        next_ = (await t.app.documents.follow(order, flow, t.context, then=["ship" if flow == "deliver" else "post"])).document
        t.ids["document"].append(next_.id)
        t.numbers.append(next_.number)
    await t.make("sales.quotation", "B", "send")
    request = await t.make("requests.request", "B", "submit", data={"requests": {"type": "help"}})
    await t.make("returns.authorisation", "B", "submit", data={"returns": {"category": "REPAIR"}})
    await t.make("purchasing.order", "B", "send")
    await answer.say(t.app, request, "MESSAGE-CANARY", t.context)
    async with t.app.database.read() as session:
        t.ids["requests.message"] = [r["id"] for r in await session.fetch("SELECT id FROM requests_message")]
    adding = [(keep.DOCUMENT, order), (keep.DOCUMENT, request), ("newel.party", b)]
    found = [await keep.add(t.app, k, i, [Upload(f"file-canary-{i}.txt", b"file-canary")], t.context, shared=True) for k, i in adding]
    t.ids["file"] = [id for ids in found for id in ids]
    t.ids["user"] = [await send.invite(t.app, b, "bea", "Bea Canary", PASSWORD, t.context)]
    await t.login("B", "bea")


async def _others(t: Town) -> None:
    """Everybody else: A as customers are, A with far too many rights, a repair point, a vendor, and a colleague without rights."""
    number = {n: await party(t.app, t.context, n, name=f"Firm {n}") for n in ("A", "R", "V")}
    await send.invite(t.app, number["A"], "anna", "Anna", PASSWORD, t.context)
    await t.login("A", "anna")
    registry = t.app.registry
    kinds = {p for p in registry.permissions() if p.rpartition(".")[0] in registry.documents}
    plugins = {p for m in registry.manifests.values() for p, _ in m.permissions if m.name != "newel"} - {"newel.admin"}
    records = {f"{n}.{way}" for n in ("newel.party", "newel.address", "requests.message") for way in ("view", "edit")}
    await t.user("A with too many rights", "alma", kinds | plugins | records, number["A"])
    parts = {"portal.use", "attachments.add", "parts.catalogue", "parts.order.view", "parts.order.edit", "parts.order.confirm"}
    await t.user("repair point", "rita", parts, number["R"])
    await t.user("vendor", "vera", {"vendor_workbench.use"}, number["V"])
    await t.user("colleague without rights", "carl", set())


def addresses(t: Town) -> list[tuple[str, str, str, bool]]:
    """(method, route, address, whether it names something of B's) of everything that the application serves."""
    some = [*t.ids["document"][::3], *t.ids["newel.party"]]  # of an order, a quotation or request, a purchase; pages of documents are asked for all
    out = []
    for route in sorted(t.web.app.routes, key=lambda r: r.path):
        if route.path.startswith(OWN):
            continue
        names = PARAMETER.findall(route.path)
        missing = [n for n in names if n != "id" and n not in VALUES]
        assert missing == [], f"{route.path}: nobody says what {missing} may be; add it to VALUES"
        theirs = "id" in names
        if route.path.startswith(tuple(r.rpartition("/")[0] for r in RECORDS)) and theirs:
            paths = [_filled(route.path, [k, str(i)]) for k in ("newel.party", "newel.address", "requests.message") for i in t.ids[k]]
            paths += [_filled(route.path, ["document", str(i)]) for i in t.ids["document"]] if "attachments" in route.path else []
        else:
            special = t.ids["file"] if "attachments" in route.path else t.ids["user"] if "users" in route.path else some
            special = t.ids["document"] if route.path.startswith(("/document/{id", "/api/document/{id")) else special
            paths = [_filled(route.path, values) for values in product(*([str(i) for i in special] if n == "id" else VALUES[n] for n in names))]
        out += [(m, route.path, path, theirs) for path in paths for m in sorted(getattr(route, "methods", {"GET"}) - {"OPTIONS", "HEAD"})]
    return out


def _filled(path: str, values: list[str] | tuple[str, ...]) -> str:
    for value in values:
        path = PARAMETER.sub(value, path, count=1)
    return path


def bodies(t: Town) -> dict[tuple[str, str], Any]:
    """(method, address with names only) -> the smallest body that an operation takes."""
    every = [("", op) for op in OPERATIONS] + list(t.web.app.state.operations)
    said = {f"/api{prefix}{op.path}": next((b for end, b in BODIES.items() if op.path.endswith(end)), None) for prefix, op in every}
    return {
        (op.method, path): said[path] or sample(types.type_info(op.body)) for prefix, op in every if op.body is not None and (path := f"/api{prefix}{op.path}")
    }  # fmt: skip


def sample(kind: types.Type) -> Any:
    """A value of a type, as JSON."""
    if isinstance(kind, types.StructType):
        return {f.encode_name: sample(f.type) for f in kind.fields if f.required}
    if isinstance(kind, types.Metadata):
        return sample(kind.type)
    if isinstance(kind, types.UnionType):
        return sample(kind.types[0])
    if isinstance(kind, types.LiteralType):
        return kind.values[0]
    if isinstance(kind, types.IntType):
        return kind.ge or 1
    if isinstance(kind, types.StrType):
        tried = ("x", "1", "a.b", "document", "2026-01-01", "EUR")
        return next((v for v in tried if re.search(kind.pattern or "", v) and len(v) >= (kind.min_length or 0)), "x")
    if isinstance(kind, types.ListType | types.VarTupleType):
        return [sample(kind.item_type)] if kind.min_length else []
    return {types.BoolType: False, types.DecimalType: "1", types.DateType: "2026-01-01"}.get(type(kind), {} if isinstance(kind, types.DictType) else "x")


async def ask(client: httpx.AsyncClient, method: str, route: str, path: str, found: dict[tuple[str, str], Any]) -> httpx.Response:
    """One request, as a program or, on pages, as a form."""
    if method not in WRITES:
        return await client.request(method, path)
    if path.startswith("/api"):
        return await client.request(
            method, path, json=found.get((method, PARAMETER.sub(r"{\1}", route)), {}), headers={"If-Match": "1"} if method == "PUT" else {}
        )
    return await client.request(method, path, data={"transition": "cancel", "hold": "1"})


def told(t: Town, response: httpx.Response) -> list[str]:
    """What of B's is in an answer; the address that was asked for may stand in it."""
    return [c for c in (*CANARIES, *(n for n in t.numbers if n)) if c in response.text]


async def theirs_now(t: Town) -> list[list[dict[str, Any]]]:
    """Everything of B's that could have changed."""
    asked = (
        "SELECT id, state, version, text FROM document WHERE party = ? ORDER BY id", "SELECT * FROM address WHERE party = ? ORDER BY id",
        "SELECT * FROM party WHERE id = ?", "SELECT id, text FROM requests_message WHERE party = ? ORDER BY id",
    )  # fmt: skip
    async with t.app.database.read() as session:
        found = [[dict(r) for r in await session.fetch(sql, t.ids["newel.party"][0])] for sql in asked]
        kept = await session.fetch("SELECT id, shared, removed_at FROM attachments_file WHERE id = ANY(?) ORDER BY id", t.ids["file"])
        return [*found, [dict(r) for r in kept]]


async def test_nobody_gets_at_anything_of_a_customer(sqlite_url: str) -> None:
    """Every route times ids of B's times everybody who is not B: refused, nothing of B is told, nothing has changed."""
    async with town(sqlite_url) as t:
        every, found = addresses(t), bodies(t)
        assert sum(theirs for *_, theirs in every) > 200
        wrong: list[Any] = []
        before = await theirs_now(t)
        for who in [n for n in t.clients if n != "B"]:
            async with t.clients[who]() as client:
                for method, route, path, theirs in every:
                    answer = await ask(client, method, route, path, found)
                    allowed = {401, 403, 404} | ({303} if who == "anonymous" else SAME.get((method, route), set()))
                    if (said := told(t, answer)) or answer.status_code >= 500 or (theirs and answer.status_code not in allowed):
                        wrong.append((who, method, path, answer.status_code, said, answer.text[:200] if answer.status_code in (400, 422, 500) else ""))
        assert wrong == [], f"{len(wrong)} answers"
        assert await theirs_now(t) == before, "nothing of B's has changed, and nothing has come to it"


async def test_the_canaries_sing(sqlite_url: str) -> None:
    """B reads every canary of its own, so that their silence above means something; and what we reckon with is not told to B either."""
    async with town(sqlite_url) as t:
        heard: set[str] = set()
        async with t.clients["B"]() as client:
            for method, _route, path, _theirs in addresses(t):
                if method == "GET":
                    answer = await client.get(path)
                    assert answer.status_code < 500, path
                    assert "11.11" not in answer.text, path
                    heard |= set(told(t, answer))
        assert {"REF-CANARY", "TEXT-CANARY", "7654.32", "MESSAGE-CANARY", "file-canary", "Bystander Works"} <= heard


async def test_a_fault_is_found(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Were files shown to whoever asks, or documents not narrowed to the party, the matrix would say so."""
    async with town(sqlite_url) as t:
        async with t.clients["A with too many rights"]() as client:
            assert (await client.get(f"/attachments/files/{t.ids['file'][0]}")).status_code == 404

            async def careless(*_: Any) -> str:
                return ""

            monkeypatch.setattr(keep, "about", careless)
            leaked = await client.get(f"/attachments/files/{t.ids['file'][0]}")
            assert told(t, leaked) == ["file-canary"]
        with pytest.raises(Refused):
            await t.app.documents.get(0, t.context)
