"""Fields with rights of their own: a value in each that is found again wherever it is shown, and somebody who has every right but those.

What prices documents have belongs to the documents: whoever may see orders to vendors, receipts and bills sees what they cost. The reports of the books have
rights of their own as well. All else is asked for here: every route, with the things that hold or come from the protected values in its address.
"""

from __future__ import annotations

import asyncio
import io
import re
import zipfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from newel.config import Config
from newel.domain.context import User
from newel.domain.document import DocumentInput, LineInput
from newel.errors import StartupError
from newel.services import pages, reports
from newel.services.access import COSTS
from newel.services.app import Newel
from newel.services.setup import create_admin, set_up_company
from newel.services.shapes import Shape
from newel.web.app import create_app
from newel_sdk.testing import item, party, stock

from tests.web import PASSWORD, Web

NOW = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)
DELICATE = "company.delicate"
PLANTED: dict[str, Any] = {
    "newel.item_cost.cost": "918.27", "purchasing.price.price": "816.35", "newel.item.gtin": "4006381333931", "newel.party.phone": "zq-0815-zq",
}  # fmt: skip
MARGIN = "81.73"  # of the item's price, which is 1000
COST = PLANTED["newel.item_cost.cost"]
# Documents whose prices are what things cost, and the books: rights of their own.
OWN_RIGHTS = ("purchase", "receipt", "bill", "transfer", "production")
BOOKS = ("newel.trial_balance.view", "newel.general_ledger.view", "newel.journal.view")


class Here:
    """The install, what its addresses name, and two clients: one sees everything, one everything but protected fields."""

    def __init__(self, web: Web) -> None:
        self.web = web
        self.ids: dict[str, list[int]] = {}
        self.hidden = httpx.AsyncClient()


def shown(answer: httpx.Response) -> set[str]:
    """Those of the planted values that stand in an answer, in whatever format numbers are written; files of spreadsheets are unpacked."""
    text = answer.text
    if answer.content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
            text = " ".join(packed.read(name).decode("utf-8", "replace") for name in packed.namelist())
    text = re.sub(r"(?<=\d)[, .'\u2019\u202f\xa0](?=\d{3}\b)", "", text).replace(",", ".")
    return {value for value in (*PLANTED.values(), MARGIN) if value in text}


async def _things(web: Web) -> dict[str, list[int]]:
    """A value in every protected field, changed once so that histories tell of it, and a sale of what costs that much up to its delivery."""
    newel, context = web.newel, web.context
    save, ids = newel.records.save, {}
    customer = await party(newel, context, "C1", phone="1")
    await save("newel.party", customer, {"phone": PLANTED["newel.party.phone"]}, context)
    gem = await item(newel, context, "GEM", price="1000")
    await save("newel.item", gem, {"gtin": PLANTED["newel.item.gtin"]}, context)
    cost = await save("newel.item_cost", None, {"item": gem, "cost": "1"}, context)
    await save("newel.item_cost", cost, {"cost": COST}, context)
    vendor = await party(newel, context, "V1")
    other = await item(newel, context, "OTHER")
    price = await save(
        "purchasing.price", None, {"party": vendor, "item": other, "part_number": "X", "currency": "EUR", "quantity_min": 1, "price": 2}, context
    )
    await save("purchasing.price", price, {"price": PLANTED["purchasing.price.price"]}, context)
    await stock(newel, context, "GEM", 10, Decimal(COST) * 10)
    lines = (LineInput(item="GEM", quantity=Decimal(1)),)
    ids |= {"newel.party": [customer], "newel.item": [gem], "newel.item_cost": [cost], "purchasing.price": [price]}
    order = await newel.documents.create("sales.order", DocumentInput(party=customer, lines=lines), context, then=("confirm",))
    draft = await newel.documents.create("sales.order", DocumentInput(party=customer, lines=lines), context)
    delivery = await newel.documents.follow(order.document.id, "deliver", context)
    await newel.documents.act(delivery.document.id, "ship", context)
    invoice = await newel.documents.follow(order.document.id, "invoice", context)
    await newel.documents.act(invoice.document.id, "post", context)
    ids |= {"sales.order": [order.document.id, draft.document.id], "shipping.delivery": [delivery.document.id], "invoicing.invoice": [invoice.document.id]}
    return ids


async def _somebody(here: Here) -> None:
    """Every right but those of fields, of documents whose prices are costs, and of the books."""
    newel = here.web.newel
    without = {COSTS, DELICATE, "glance.margin", *BOOKS}
    kinds = tuple(f"{k.name}." for k in newel.registry.documents.values() if k.role in OWN_RIGHTS)
    rights = sorted(p for p in newel.registry.permissions() if p not in without and not p.startswith(kinds))
    here.hidden = here.web.client(await here.web.user("blind", *rights))


@asynccontextmanager
async def company(url: str) -> AsyncIterator[Here]:
    """Every installed plugin, newel.toml with rights of its own for two fields, and what is looked for."""
    rights = {"newel.item.gtin": DELICATE, "newel.party.phone": DELICATE}
    newel = Newel(Config(database=url, field_rights=rights), clock=lambda: NOW)
    await newel.start()
    made = await set_up_company(newel, code="TEST", name="Test company", currency="EUR", country="DE", price_digits=2, first_year=2026)
    user = User(id=0, login="tester", permissions=frozenset({"*"}), companies=frozenset({made.id}))
    async with newel.database.read() as session:
        context = await newel.context(session, user, made.id)
    await create_admin(newel, "admin", PASSWORD)
    web = Web(newel, context, create_app(newel, manage=False), "")
    web.api = web.client(await web.token("admin"))
    here = Here(web)
    here.ids = await _things(web)
    await _somebody(here)
    yield here
    await newel.close()


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def here(loop: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Here]:
    """One install for all questions: one engine is enough, what is tested lies above it."""
    folder: Path = tmp_path_factory.mktemp("fields")
    manager = company(f"sqlite:///{folder / 'fields.db'}")
    yield loop.run(manager.__aenter__())
    loop.run(manager.__aexit__(None, None, None))


# ---- what is asked -----------------------------------------------------------------------------------------------------------------

LINES = {"party": "C1", "lines": [{"item": "GEM", "quantity": "1"}]}
FORM = {"party_text": "C1", "lines-0-item_text": "GEM", "lines-0-quantity": "1"}
ITEM = {"number": "GEM", "name": "Stone", "kind": "goods", "unit": "EA", "tax_category": "standard", "tracking": "none", "active": "true"}
AUDIT = ("/audit", "/api/audit")
OTHERS = {"ending": "xlsx", "code": "sales"}


def addresses(here: Here) -> Iterator[tuple[str, str, Any]]:
    """Every GET route with each thing that fits into it, lists with each filter, sorting, search and file, and the previews."""
    newel = here.web.newel
    formats = [ending for m in newel.registry.manifests.values() for ending in m.formats] + ["csv"]
    for route in here.web.app.routes:
        if "GET" in getattr(route, "methods", ()) and not route.path.startswith(("/static", "/health", "/metrics", "/logout")):
            for path in filled(here, route.path):
                yield "GET", path, None
    for name, planted in PLANTED.items():
        kind, _, field = name.rpartition(".")
        asked = (f"q={planted}", f"sort={field}", f"sort=-{field}", f"{field}={planted}", f"{field}__from={planted}")
        for query in (*asked, *(f"format={e}" for e in formats)):
            yield "GET", f"/records/{kind}?{query}", None
            yield "GET", f"/api/records/{kind}?{query}", None
        for path in (f"/search?q={planted}", *(f"{audit}?{q}" for audit in AUDIT for q in (f"text={planted}", f"kind={kind}")), f"/options/{kind}?q={planted}"):
            yield "GET", path, None
    for report in newel.registry.reports.values():
        given = "&".join(f"{p.name}={here.ids[p.type][0]}" for p in report.parameters if p.required and p.type in here.ids)
        for path in (f"/report/{report.name}?{given}", f"/api/reports/{report.name}?{given}", *(f"/report/{report.name}?{given}&format={e}" for e in formats)):
            yield "GET", path, None
    for kind, step in (("sales.order", "confirm"), ("invoicing.invoice", "post"), ("shipping.delivery", "ship")):
        yield "POST", f"/api/documents/{kind}/preview?transition={step}", LINES
        yield "POST", f"/documents/{kind}/preview", FORM
    yield "POST", f"/api/document/{here.ids['sales.order'][1]}/transitions/confirm/preview", None


def filled(here: Here, path: str) -> Iterator[str]:
    """The path with each thing that may stand in it."""
    names = re.findall(r"{(\w+)(?::\w+)?}", path)
    if not names:
        yield path
        return
    kinds = ("kind", "name")
    named = next((n for n in names if n in kinds), "")
    for kind, ids in here.ids.items():
        for id in ids if "id" in names or "item" in names else ids[:1]:
            yield re.sub(
                r"{(\w+)(?::\w+)?}", lambda m, kind=kind, id=id: kind if m[1] == named else str(id) if m[1] in ("id", "item") else OTHERS.get(m[1], "1"), path
            )


async def ask(client: httpx.AsyncClient, method: str, path: str, body: Any) -> httpx.Response:
    if method == "GET":
        return await client.get(path)
    return await client.request(method, path, **{"json" if path.startswith("/api") else "data": body})


async def answers(here: Here, client: httpx.AsyncClient) -> dict[str, set[str]]:
    """What each address shows of the planted values; what was asked for comes back in the box that it was typed into and doesn't count."""
    out: dict[str, set[str]] = {}
    for method, path, body in addresses(here):
        answer = await ask(client, method, path, body)
        out[f"{method} {path}"] = shown(answer) - {v for v in PLANTED.values() if v in path}
    return out


def test_every_protected_field_has_a_value(here: Here) -> None:
    """A field that gets a right of its own gets a value here as well."""
    newel = here.web.newel
    guarded = {f"{kind}.{f.name}" for kind in newel.registry.records for f in newel.records.fields(kind) if f.right}
    assert guarded == set(PLANTED)


def test_no_answer_shows_what_is_protected(here: Here, loop: asyncio.Runner) -> None:
    """Whatever is asked, by page and API, the values are in no answer for somebody without the rights."""
    read = {path: found for path, found in loop.run(answers(here, here.hidden)).items() if found}
    assert read == {}


def test_the_looking_sees(here: Here, loop: asyncio.Runner) -> None:
    """With every right the same questions find every value, in every sort of output."""
    read = {path: found for path, found in loop.run(answers(here, here.web.api)).items() if found}
    assert set[str]().union(*read.values()) == {*PLANTED.values(), MARGIN}
    for output in ("/api/records/", "/records/", "/history", "sort=", "format=csv", "format=xlsx", "/report/", "/api/reports/", "/document/", "/entries",
                   "/audit", "/exchange/", "/dashboards/analysis", "/dashboards/sales/", "POST /documents/", "POST /api/documents/"):  # fmt: skip
        assert any(output in path for path in read), output


FAULTS = {
    "fields": (Shape, "hidden", lambda *_: set(), "/records/newel.item_cost"),
    "columns": (reports, "seen", lambda report, _context: report, "/report/inventory.moves"),
    "entries": (pages, "sees_costs", lambda _: True, "/document/{delivery}"),
}


def test_nothing_is_found_by_what_is_hidden(here: Here, loop: asyncio.Runner) -> None:
    """A filter, an order, a search that told whether a guess is right would show the value as well."""

    async def guessed() -> None:
        for name, value in PLANTED.items():
            kind, _, field = name.rpartition(".")
            for query in (f"sort={field}", f"{field}={value}", f"{field}__to={value}"):
                assert (await here.hidden.get(f"/api/records/{kind}?{query}")).status_code == 422, (name, query)
            for path in (f"/api/records/{kind}?q=", "/api/audit?text="):
                right, wrong = [(await here.hidden.get(f"{path}{guess}")).json()["total"] for guess in (value, value[::-1])]
                assert right == wrong, path
            assert (await here.hidden.get(f"/options/{kind}?q={value}")).json() == [], name
        assert (await here.web.api.get(f"/api/records/newel.item?q={PLANTED['newel.item.gtin']}")).json()["total"] == 1, "with the right it is found"

    loop.run(guessed())


@pytest.mark.parametrize("name", FAULTS)
def test_it_sees_the_planted_fault(here: Here, loop: asyncio.Runner, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Planted: one of the places that leave something out forgets to."""
    *planted, path = FAULTS[name]
    address = path.format(delivery=here.ids["shipping.delivery"][0])
    assert not shown(loop.run(here.hidden.get(address)))
    monkeypatch.setattr(*planted)
    assert shown(loop.run(here.hidden.get(address)))


def test_nobody_enters_what_they_may_not_see(here: Here, loop: asyncio.Runner) -> None:
    """By page, API, import and file: the field is refused or left alone, and all others can be entered."""
    item, cost = here.ids["newel.item"][0], here.ids["newel.item_cost"][0]

    async def tried() -> None:
        for body in ({"cost": "1"}, {"cost": COST}):
            answer = await here.hidden.patch(f"/api/records/newel.item_cost/{cost}", json=body)
            assert (answer.status_code, COSTS in answer.text, COST in answer.text) == (403, True, False)
        answer = await here.hidden.post("/api/records/newel.item/import", json={"rows": [{"number": "GEM", "gtin": "1"}]})
        assert (answer.status_code, DELICATE in answer.text) == (403, True)
        answer = await here.hidden.post(f"/records/newel.item/{item}", data=ITEM | {"gtin": "1"})
        assert answer.status_code == 303, answer.text[-2000:]
        stored = await here.web.newel.records.get("newel.item", item, here.web.context)
        assert (stored["name"], stored["gtin"]) == ("Stone", PLANTED["newel.item.gtin"])

    loop.run(tried())


def test_guests_see_neither_books_nor_who_of_us_did_what(here: Here, loop: asyncio.Runner) -> None:
    """A customer's user reads their document; its entries and its history are ours, whatever rights the user has."""

    async def asked() -> None:
        newel, everything = here.web.newel, here.web.context
        guest = here.web.client(await here.web.user("guest", "invoicing.invoice.view", COSTS))
        user = await newel.records.find("newel.user", "guest", everything)
        await newel.records.save("newel.user", user, {"party": here.ids["newel.party"][0]}, everything)
        path = f"/api/document/{here.ids['invoicing.invoice'][0]}"
        assert (await guest.get(path)).status_code == 200
        assert (await guest.get(f"{path}/entries")).status_code == 403
        assert (await guest.get(f"{path}/events")).json() == []
        assert (await here.web.api.get(f"{path}/events")).json()

    loop.run(asked())


def test_a_right_that_can_not_be_kept_is_refused_at_the_start() -> None:
    """What a record is called or found by is on every page; a field or right that is not there is a mistake in writing."""
    for name, right in (("newel.item.number", DELICATE), ("newel.item.colour", DELICATE), ("newel.thing.name", DELICATE)):
        with pytest.raises(StartupError, match=name):
            Newel(Config(database="sqlite:///:memory:", field_rights={name: right}), {})
