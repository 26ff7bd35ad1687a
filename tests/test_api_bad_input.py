"""What must not happen: every bad request is refused with a code, a place and a remedy, and nothing in the database has changed."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from newel.errors import StartupError
from newel.hookspecs import hookimpl
from newel.manifest import Manifest
from newel.services.registry import Registry
from newel.store.tables_master import Item

from tests import shop
from tests.web import Web, serving

JSON = {"content-type": "application/json"}
ORDER = {"party": "C1", "lines": [{"item": "BOLT", "quantity": "1"}]}


@pytest.fixture
async def web(database_url: str) -> AsyncIterator[Web]:
    async with serving(database_url) as found:
        yield found


async def refused(web: Web, status: int, code: str, where: str | None, method: str, path: str, **request: Any) -> dict[str, Any]:
    """Refused with code, place and remedy; not one row more or less."""
    before = await web.counts()
    answer = await web.api.request(method, path, **request)
    assert answer.status_code == status, f"{answer.status_code} {answer.text[:800]}"
    assert answer.headers["content-type"].startswith("application/problem+json")
    problem = next((p for p in answer.json()["problems"] if p["code"] == code), None)
    assert problem, answer.text[:800]
    assert where is None or problem["where"] == where, problem
    assert problem["message"]
    assert problem["hint"], problem
    assert await web.counts() == before
    found: dict[str, Any] = problem
    return found


def line(**more: Any) -> dict[str, Any]:
    return {"party": "C1", "lines": [{"item": "BOLT", "quantity": "1", **more}]}


BODIES = {
    "unknown item": (line(item="NO-SUCH"), 422, "missing", "lines[0].item"),
    "unknown item id": (line(item=999_999_999), 422, "missing", "lines[0].item"),
    "unknown party": ({**ORDER, "party": "NOBODY"}, 422, "missing", "party"),
    "negative quantity": (line(quantity="-1"), 422, "quantity.range", "lines[0].quantity"),
    "no quantity": (line(quantity="0"), 422, "quantity.range", "lines[0].quantity"),
    "20 digits": (line(quantity="1" * 20), 422, "request.invalid", "lines[0].quantity"),
    "15 digits": (line(quantity="9" * 15), 422, "quantity.range", "lines[0].quantity"),
    "too many digits after the point": (line(quantity="1.5"), 422, "quantity.digits", "lines[0].quantity"),
    "text as quantity": (line(quantity="many"), 422, "request.invalid", "lines[0].quantity"),
    "exponent": (line(quantity="1e3"), 422, "request.invalid", "lines[0].quantity"),
    "not a number": (line(quantity="NaN"), 422, "request.invalid", "lines[0].quantity"),
    "infinite": (line(price="Infinity"), 422, "request.invalid", "lines[0].price"),
    "Arabic digits": (line(quantity="١٢"), 422, "request.invalid", "lines[0].quantity"),
    "newline after a number": (line(quantity="1\n"), 422, "request.invalid", "lines[0].quantity"),
    "enormous price": (line(price="999999999999", quantity="999999999999"), 422, "amount.range", "lines[0].price"),
    "discount": (line(discount="101"), 422, "discount.range", "lines[0].discount"),
    "wrong currency": ({**ORDER, "currency": "XXX"}, 422, "missing", "currency"),
    "currency without rate": ({**ORDER, "currency": "USD"}, 422, "currency.rate", "currency"),
    "currency in small letters": ({**ORDER, "currency": "eur"}, 422, "request.invalid", "currency"),
    "rate of zero": ({**ORDER, "currency": "USD", "rate": "0"}, 422, "rate.range", "rate"),
    "unknown unit": (line(unit="FURLONG"), 422, "missing", "lines[0].unit"),
    "unit that can't be converted": (line(unit="KG"), 422, "unit.conversion", "lines[0].unit"),
    "line kind": (line(kind="cash"), 422, "line.kind", "lines[0].kind"),
    "unknown location": (line(location_from=999_999), 422, "missing", "lines[0].location_from"),
    "foreign data": (line(data={"nobody": {}}), 422, "data.unknown", "lines[0].data.nobody"),
    "schedules": (line(quantity="5", schedules=[{"quantity": "4"}]), 422, "schedule.sum", "lines[0].schedules"),
    "a lot that is not there": (line(lot=999_999), 422, "missing", "lines[0].lot"),
    "a lot that nobody has seen": (line(lot="L-1"), 422, "missing", "lines[0].lot"),
    "an address that is not there": ({**ORDER, "ship_to": 999_999}, 422, "missing", "ship_to"),
    "terms": ({**ORDER, "terms": "NEVER"}, 422, "missing", "terms"),
    "account role": (line(account_role="piggy_bank"), 422, "missing", "lines[0].account_role"),
    "tax category": (line(tax_category="flat"), 422, "missing", "lines[0].tax_category"),
    "a line that is not there": (line(id=77), 422, "missing", "lines[0].id"),
    "date that does not exist": ({**ORDER, "date": "2026-02-30"}, 422, "request.invalid", "date"),
    "date in another order": ({**ORDER, "date": "15.01.2026"}, 422, "request.invalid", "date"),
    "date long ago": ({**ORDER, "date": "0001-01-01"}, 422, "date.range", "date"),
    "unknown field": ({**ORDER, "colour": "red"}, 422, "request.invalid", ""),
    "unknown field of a line": (line(colour="red"), 422, "request.invalid", "lines[0]"),
    "an object for a list": ({**ORDER, "lines": {}}, 422, "request.invalid", "lines"),
    "a list for an object": ([], 422, "request.invalid", ""),
    "NUL": ({**ORDER, "text": "a\x00b"}, 422, "text.control", "text"),
    "NUL in a name": ({**ORDER, "data": {"a\x00": {}}}, 422, "text.control", "data"),
    "control characters": ({**ORDER, "reference": "a\x1bb"}, 422, "request.invalid", "reference"),
    "long text": ({**ORDER, "reference": "x" * 81}, 422, "request.invalid", "reference"),
    "float": (line(quantity=1.5), 422, "number.float", "lines[0].quantity"),
    "float in data": ({**ORDER, "data": {"shop": {"x": 0.1}}}, 422, "number.float", "data.shop.x"),
    "truth as a number": (line(quantity=True), 422, "request.invalid", "lines[0].quantity"),
    "number beyond 64 bits": ({**ORDER, "data": {"shop": 2**63}}, 422, "number.range", "data.shop"),
    "too many lines": ({**ORDER, "lines": [{}] * 5001}, 422, "request.invalid", "lines"),
}


@pytest.mark.parametrize("case", BODIES)
async def test_bad_documents(sqlite_url: str, case: str) -> None:
    body, status, code, where = BODIES[case]
    async with serving(sqlite_url) as web:
        await refused(web, status, code, where, "POST", "/api/documents/shop.order", json=body)
        if status == 422 and code not in ("request.invalid", "number.float", "number.range", "text.control"):
            seen = await web.api.post("/api/documents/shop.order/preview", json=body)
            assert code in [p["code"] for p in seen.json()["problems"]], "a preview says the same"


async def test_bad_documents_on_both(web: Web) -> None:
    """The same on both databases, one after the other in one install."""
    for body, status, code, where in BODIES.values():
        await refused(web, status, code, where, "POST", "/api/documents/shop.order", json=body)


BYTES = {
    "broken": (b'{"party": "C1",', "json.malformed"),
    "empty": (b"", "json.malformed"),
    "two": (b"{}{}", "json.malformed"),
    "NaN": (b'{"lines": [{"quantity": NaN}]}', "json.malformed"),
    "Infinity": (b'{"lines": [{"quantity": -Infinity}]}', "json.malformed"),
    "not UTF-8": (b'{"text": "\xff\xfe"}', "json.malformed"),
    "half a character": (b'{"text": "\\ud800"}', "json.malformed"),
    "deep lists": (b"[" * 100_000, "json.deep"),
    "deep objects": (b'{"data":' * 50_000, "json.deep"),
    "closed and deep": (b'{"data":{"shop":' + b"[" * 500 + b"]" * 500 + b"}}", "json.deep"),
}


@pytest.mark.parametrize("case", BYTES)
async def test_bad_json(sqlite_url: str, case: str) -> None:
    raw, code = BYTES[case]
    async with serving(sqlite_url) as web:
        await refused(web, 400, code, None, "POST", "/api/documents/shop.order", content=raw, headers=JSON)


async def test_five_megabytes(web: Web) -> None:
    """At most four fit, announced or not."""
    raw = b'{"text": "' + b"x" * 5_000_000 + b'"}'
    await refused(web, 413, "request.large", "", "POST", "/api/documents/shop.order", content=raw, headers=JSON)

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(raw), 65_536):
            yield raw[start : start + 65_536]

    await refused(web, 413, "request.large", "", "POST", "/api/documents/shop.order", content=pieces(), headers=JSON)


@pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "application/xml"])
async def test_other_types(sqlite_url: str, media: str) -> None:
    async with serving(sqlite_url) as web:
        await refused(web, 415, "request.type", "", "POST", "/api/documents/shop.order", content=b"{}", headers={"content-type": media})


async def test_addresses(web: Web) -> None:
    for path, status, code, where in (
        ("/api/document/0", 400, "request.invalid", "id"), ("/api/document/-1", 400, "request.invalid", "id"),
        ("/api/document/1.0", 400, "request.invalid", "id"), ("/api/document/" + "9" * 30, 400, "request.invalid", "id"),
        ("/api/document/9007199254740992", 404, "missing", ""), ("/api/document/x%00", 400, "text.control", "path"),
        ("/api/documents/shop.order?q=%00", 400, "text.control", "path"), ("/api/documents/shop.order?page=0", 400, "request.invalid", "page"),
        ("/api/documents/shop.order?page=99999999999999999999", 400, "request.invalid", "page"),
        ("/api/documents/Shop", 400, "request.invalid", "kind"), ("/api/records/newel.item?colour=red", 422, "list.filter", "colour"),
        ("/api/records/newel.item?sort=password", 422, "list.sort", "sort"), ("/api/records/newel.nothing", 404, "missing", "kind"),
        ("/api/records/newel.item/1/x", 404, "missing", ""), ("/api/nothing", 404, "missing", ""),
    ):  # fmt: skip
        await refused(web, status, code, where, "GET", path)
    answer = await web.api.request("BREW", "/api/me")
    assert answer.status_code == 405
    assert (await web.api.delete("/api/me")).headers["allow"]


# ---- states, versions, periods, keys -----------------------------------------------------------------------------------------------


async def test_states_and_versions(web: Web) -> None:
    order = (await web.api.post("/api/documents/shop.order?then=confirm", json=ORDER)).json()["document"]
    path = f"/api/document/{order['id']}"
    await refused(web, 409, "version", "version", "POST", f"{path}/transitions/cancel", json={"version": 1})
    await refused(web, 409, "state", "state", "POST", f"{path}/transitions/confirm", json={})
    await refused(web, 404, "missing", "transition", "POST", f"{path}/transitions/explode", json={})
    await refused(web, 404, "missing", "transition", "POST", f"{path}/transitions/finish", json={})
    await refused(web, 404, "missing", "flow", "POST", f"{path}/flows/nowhere", json={})
    await refused(web, 409, "document.locked", "", "PUT", path, json={**ORDER, "version": order["version"]})
    first = order["lines"][0]["id"]
    await refused(web, 422, "link.exceeded", "lines[0].quantity", "POST", f"{path}/flows/deliver", json={"lines": [{"line": first, "quantity": "2"}]})
    await refused(web, 422, "quantity.range", "lines[0].quantity", "POST", f"{path}/flows/deliver", json={"lines": [{"line": first, "quantity": "-1"}]})
    await refused(web, 404, "missing", "lines", "POST", f"{path}/flows/deliver", json={"lines": [{"line": 77}]})
    assert (await web.api.post(f"{path}/flows/invoice", json={})).status_code == 201
    await refused(web, 409, "flow.nothing", "", "POST", f"{path}/flows/invoice", json={})
    await refused(web, 409, "stock.short", "lines[0].quantity", "POST", f"{path}/flows/deliver", json={"then": ["ship"]})
    draft = (await web.api.post("/api/documents/shop.order", json={})).json()["document"]
    await refused(web, 422, "party.missing", "party", "POST", f"/api/document/{draft['id']}/transitions/confirm", json={})


async def test_a_closed_period(web: Web) -> None:
    january = next(r for r in (await web.api.get("/api/records/newel.period?size=200")).json()["rows"] if r["code"] == "2026-01")
    assert (await web.api.patch(f"/api/records/newel.period/{january['id']}", json={"state": "closed"})).status_code == 200
    order = (await web.api.post("/api/documents/shop.order?then=confirm", json=ORDER)).json()["document"]
    await refused(web, 422, "period.closed", "date", "POST", f"/api/document/{order['id']}/flows/invoice", json={"then": ["post"]})
    late = {"then": ["post"], "input": {"date": "1999-01-01"}}
    await refused(web, 422, "period.missing", "date", "POST", f"/api/document/{order['id']}/flows/invoice", json=late)


async def test_a_payment_of_nothing(web: Web) -> None:
    payment = {"party": "C1", "lines": [{"kind": "cash", "price": "1.00", "settles": 999_999}]}
    await refused(web, 422, "missing", "lines[0].settles", "POST", "/api/documents/shop.payment?then=post", json=payment)


async def test_a_used_key(web: Web) -> None:
    headers = {"Idempotency-Key": "k"}
    assert (await web.api.post("/api/documents/shop.order", json=ORDER, headers=headers)).status_code == 201
    await refused(web, 409, "key.reused", "Idempotency-Key", "POST", "/api/documents/shop.order", json=line(quantity="2"), headers=headers)
    assert (await web.api.post("/api/records/newel.unit", json={"code": "A", "name": "A"}, headers={"Idempotency-Key": "u"})).status_code == 201
    answer = await web.api.post("/api/records/newel.unit", json={"code": "B", "name": "B"}, headers={"Idempotency-Key": "u"})
    assert answer.status_code == 409
    for bad in ("", "x" * 256, "a\tb"):
        await refused(web, 400, "key.long", "Idempotency-Key", "POST", "/api/documents/shop.order", json=ORDER, headers={"Idempotency-Key": bad})


# ---- plugins -----------------------------------------------------------------------------------------------------------------------


def plugin(**hooks: Any) -> dict[str, Any]:
    """The shop, and a plugin that misbehaves."""

    @hookimpl
    def register_plugin() -> Manifest:
        return Manifest(name="bad", label="Bad")

    made = {name: hookimpl(function) for name, function in hooks.items()}
    return {"shop": shop.module(), "bad": SimpleNamespace(register_plugin=register_plugin, **made)}


def raises(document: Any) -> Any:
    raise ValueError("from inside")


def hangs(document: Any) -> Any:
    while True:
        time.sleep(0.05)


def wrong_type(document: Any) -> Any:
    return ["not a problem"]


async def loader_raises(document: Any) -> Any:
    raise KeyError("from inside")


async def loader_wrong(document: Any) -> Any:
    return {"facts": 1}


async def loader_writes(document: Any, session: Any) -> Any:
    await session.fetch("UPDATE item SET name = 'mine'")


FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "raises": ({"check_document": raises}, "check_document"),
    "hangs": ({"check_document": hangs}, "check_document"),
    "answers with the wrong type": ({"check_document": wrong_type}, "check_document"),
    "its loader raises": ({"load_facts": loader_raises}, "load_facts"),
    "its loader answers with the wrong type": ({"load_facts": loader_wrong}, "load_facts"),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_bad_plugins(sqlite_url: str, fault: str) -> None:
    """The request is refused naming plugin and hook; nothing has changed, and the server goes on."""
    hooks, hook = FAULTS[fault]
    async with serving(sqlite_url, plugin(**hooks)) as web:
        problem = await refused(web, 424, "plugin.failed", "", "POST", "/api/documents/shop.order", json=ORDER)
        assert problem["plugin"] == "bad"
        assert "'bad'" in problem["message"]
        assert hook in problem["message"]
        assert "newel.toml" in problem["hint"]
        assert (await web.api.get("/api/me")).status_code == 200


async def test_two_plugins_with_one_answer(sqlite_url: str) -> None:
    """Neither precedes: both are named, and nothing is written."""
    from newel.domain.pricing import Price

    def decide_price(document: Any) -> Any:
        return Price(amount=shop.Decimal(1), rule="one")

    modules = plugin(decide_price=decide_price)

    @hookimpl
    def register_plugin() -> Manifest:
        return Manifest(name="worse", label="Worse")

    modules["worse"] = SimpleNamespace(register_plugin=register_plugin, decide_price=hookimpl(decide_price))
    async with serving(sqlite_url, modules) as web:
        problem = await refused(web, 424, "plugin.conflict", "", "POST", "/api/documents/shop.order", json=ORDER)
        assert "'bad'" in problem["message"]
        assert "'worse'" in problem["message"]


def test_a_foreign_table() -> None:
    """A plugin can't claim a table of somebody else: the install does not start, and says whose fault it is."""
    with pytest.raises(StartupError, match=r"'bad'.*'item' must be named bad_"):
        Registry([Manifest(name="bad", label="Bad", tables=(Item,))])


async def test_a_report_that_fails(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def load(*_: Any) -> Any:
        raise ZeroDivisionError("from inside")

    manifest = shop.manifest()
    report = msgspec.structs.replace(shop.REPORT, load=load)
    monkeypatch.setattr(shop, "manifest", lambda: msgspec.structs.replace(manifest, reports=(report,)))
    async with serving(sqlite_url) as web:
        problem = await refused(web, 424, "plugin.failed", "", "GET", "/api/reports/shop.orders")
        assert problem["plugin"] == "shop"


async def test_whoever_leaves_while_sending_is_no_fault_of_ours(web: Web, caplog: pytest.LogCaptureFixture) -> None:
    """A browser gives up a preview with the next key, before all of it is sent: nothing is logged as an error, and no server error is counted."""
    headers = [(b"host", b"newel.test"), (b"content-type", b"application/json"), (b"authorization", web.api.headers["Authorization"].encode())]
    address = "/api/documents/shop.order/preview"
    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http", "path": address, "query_string": b""}
    came = iter([{"type": "http.request", "body": b'{"party":', "more_body": True}, {"type": "http.disconnect"}])
    sent: list[Any] = []

    async def receive() -> Any:
        return next(came)

    async def send(message: Any) -> None:
        sent.append(message)

    more = {"raw_path": address.encode(), "root_path": "", "headers": headers, "client": ("127.0.0.1", 1), "server": ("newel.test", 80)}
    await web.app(scope | more, receive, send)
    assert sent[0]["status"] == 400
    assert [r for r in caplog.records if r.levelname == "ERROR"] == []
