"""The JSON API: from the quotation of a price to the money in the bank, and everything else that a screen can do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from tests.web import PASSWORD, Web, serving

ORDER = {"party": "C1", "lines": [{"item": "BOLT", "quantity": "100"}, {"item": "NUT", "quantity": 50, "discount": "10"}]}


@pytest.fixture
async def web(database_url: str) -> AsyncIterator[Web]:
    async with serving(database_url) as found:
        yield found


async def ok(answer: Any, status: int = 200) -> Any:
    found = await answer
    assert found.status_code == status, f"{found.request.method} {found.request.url}: {found.status_code} {found.text[:800]}"
    return found.json() if found.content else None


async def refused(answer: Any, status: int, code: str, where: str | None = None) -> Any:
    """A problem document with this code, with place and remedy."""
    found = await answer
    assert found.status_code == status, f"{found.status_code} {found.text[:800]}"
    assert found.headers["content-type"].startswith("application/problem+json")
    body = found.json()
    problem = next((p for p in body["problems"] if p["code"] == code), None)
    assert problem, body["problems"]
    assert body["status"] == status
    assert body["type"].startswith("urn:newel:problem:")
    if where is not None:
        assert problem["where"] == where
    return problem


async def stocked(web: Web) -> None:
    lines = [{"item": "BOLT", "quantity": "1000", "price": "0.05"}, {"item": "NUT", "quantity": "1000", "price": "0.04"}]
    await ok(web.api.post("/api/documents/shop.receipt?then=receive", json={"lines": lines}), 201)


@pytest.mark.capability("TAK-19")
async def test_order_to_cash(web: Web) -> None:
    """Preview, order, delivery in two parts, invoice, payment; everything is done at the end, and the books balance."""
    api = web.api
    await stocked(web)
    before = await web.counts()
    seen = await ok(api.post("/api/documents/shop.order/preview?transition=confirm", json=ORDER))
    assert (seen["document"]["net"], seen["document"]["gross"]) == ("16.50", "16.50")
    assert seen["document"]["lines"][1]["steps"][0]["rule"] == "list price"
    assert await web.counts() == before, "a preview writes nothing"

    made = await ok(api.post("/api/documents/shop.order", json=ORDER), 201)
    order = made["document"]
    assert (order["state"], order["phase"], order["version"], order["net"]) == ("draft", "draft", 1, "16.50")
    assert order["number"] == "SO2026-00001"
    done = await ok(api.post(f"/api/document/{order['id']}/transitions/confirm", json={"version": 1}))
    assert done["document"]["state"] == "confirmed"

    now = await ok(api.get(f"/api/document/{order['id']}?preview=true"))
    assert [f["name"] for f in now["flows"]] == ["shop.delivery:deliver", "shop.invoice:invoice"]
    assert [t["name"] for t in now["transitions"]] == ["cancel"]
    part = {"lines": [{"line": now["lines"][0]["id"], "quantity": "40"}], "then": ["ship"]}
    first = await ok(api.post(f"/api/document/{order['id']}/flows/deliver", json=part), 201)
    assert first["document"]["state"] == "shipped"
    moves = await ok(api.get(f"/api/document/{first['document']['id']}/moves"))
    assert [(m["quantity"], m["source"]) for m in moves] == [("40", "MAIN")]
    now = await ok(api.get(f"/api/document/{order['id']}"))
    assert now["lines"][0]["stages"]["delivered"] == {"planned": "40", "done": "40", "open": "60"}
    rest = await ok(api.post(f"/api/document/{order['id']}/flows/shop.delivery:deliver", json={"then": ["ship"]}), 201)
    assert [x["quantity"] for x in rest["document"]["lines"]] == ["60", "50"]

    invoice = (await ok(api.post(f"/api/document/{order['id']}/flows/invoice", json={"then": ["post"]}), 201))["document"]
    assert (invoice["number"], invoice["gross"]) == ("INV2026-00001", "16.50")
    entries = await ok(api.get(f"/api/document/{invoice['id']}/entries"))
    assert [(r["debit"], r["credit"]) for r in entries[0]["rows"]] == [("16.50", "0.00"), ("0.00", "16.50")] or len(entries[0]["rows"]) == 3
    [open_item] = await ok(api.get(f"/api/document/{invoice['id']}/open-items"))
    assert open_item["amount_open"] == "16.50"
    payment = {"party": "C1", "lines": [{"kind": "cash", "price": "16.50", "settles": open_item["id"]}]}
    paid = await ok(api.post("/api/documents/shop.payment?then=post", json=payment), 201)
    assert paid["entries"][0]["postings"]
    assert (await ok(api.get(f"/api/document/{invoice['id']}")))["state"] == "paid"
    assert (await ok(api.get(f"/api/document/{order['id']}")))["state"] == "done"
    actions = [e["action"] for e in await ok(api.get(f"/api/document/{order['id']}/events"))]
    assert actions == ["finish", "confirm", "create"]
    assert await ok(api.get(f"/api/document/{invoice['id']}/open-items")) == []
    async with web.newel.database.read() as session:
        assert not await session.value("SELECT SUM(debit) - SUM(credit) AS n FROM posting")


async def test_lists(web: Web) -> None:
    for reference in ("alpha", "beta", "gamma"):
        await ok(web.api.post("/api/documents/shop.order", json={**ORDER, "reference": reference, "date": "2026-01-10"}), 201)
    await ok(web.api.post("/api/documents/shop.order?then=confirm", json={**ORDER, "date": "2026-02-10"}), 201)

    async def total(query: str) -> int:
        found = await ok(web.api.get(f"/api/documents/shop.order?{query}"))
        assert len(found["rows"]) == min(found["total"], found["size"])
        return int(found["total"])

    assert await total("") == 4
    assert await total("q=beta") == 1
    assert await total("state=confirmed") == await total("phase=open") == await total("date_from=2026-02-01") == 1
    assert await total("date_to=2026-01-31") == 3
    page = await ok(web.api.get("/api/documents/shop.order?sort=-reference&page=2&size=2"))
    assert ([r["reference"] for r in page["rows"]], page["total"]) == (["alpha", ""], 4)
    party = (await ok(web.api.get("/api/records/newel.party")))["rows"][0]["id"]
    assert await total(f"party={party}") == 4
    await refused(web.api.get("/api/documents/shop.order?size=201"), 400, "request.invalid", "size")
    await refused(web.api.get("/api/documents/shop.order?sort=secret"), 400, "request.invalid", "sort")
    await refused(web.api.get("/api/documents/shop.order?colour=red"), 400, "request.unknown", "colour")
    await refused(web.api.get("/api/documents/shop.order?size=1&size=2"), 400, "request.twice", "size")
    await refused(web.api.get("/api/documents/shop.order?date_from=2026-13-01"), 400, "request.invalid", "date_from")
    await refused(web.api.get("/api/documents/shop.nothing"), 404, "missing")


async def test_changing_a_document(web: Web) -> None:
    """Read as entered, change, send back: by version in the body or by If-Match."""
    made = await web.api.post("/api/documents/shop.order", json=ORDER)
    id, tag = made.json()["document"]["id"], made.headers["etag"]
    entered = await ok(web.api.get(f"/api/document/{id}/input"))
    entered["lines"][0]["quantity"] = "7"
    del entered["lines"][1]
    await refused(web.api.put(f"/api/document/{id}", json=entered), 428, "version.missing", "version")
    changed = await ok(web.api.put(f"/api/document/{id}", json=entered, headers={"If-Match": tag}))
    assert [x["quantity"] for x in changed["document"]["lines"]] == ["7"]
    assert changed["document"]["version"] == 2
    await refused(web.api.put(f"/api/document/{id}", json={**entered, "version": 1}), 409, "version", "version")
    await refused(web.api.put(f"/api/document/{id}", json=entered, headers={"If-Match": '"x"'}), 400, "request.match", "If-Match")
    again = await ok(web.api.put(f"/api/document/{id}", json={**entered, "version": 2}))
    assert again["document"]["net"] == changed["document"]["net"], "saving twice can't change a price"
    [event] = [e for e in await ok(web.api.get(f"/api/document/{id}/events")) if e["action"] == "change" and len(e["changes"]) > 1]
    assert {"field": "line 10 quantity", "old": "100", "new": "7"} in event["changes"]


async def test_copy_hold_and_override(web: Web) -> None:
    held = (await ok(web.api.post("/api/documents/shop.order", json={**ORDER, "text": "hold"}), 201))["document"]
    now = await ok(web.api.get(f"/api/document/{held['id']}?preview=true"))
    assert [(h["code"], h["active"]) for h in now["holds"]] == [("shop.hold", True)]
    assert [p["code"] for t in now["transitions"] if t["name"] == "confirm" for p in t["problems"] if p["severity"] == "block"] == ["hold"]
    await refused(web.api.post(f"/api/document/{held['id']}/transitions/confirm", json={}), 409, "hold")
    hold = now["holds"][0]["id"]
    after = await ok(web.api.post(f"/api/document/{held['id']}/holds/{hold}/release"))
    assert after["holds"][0]["released_by"] == "admin"
    assert await ok(web.api.post(f"/api/document/{held['id']}/holds/{hold}/release")) == after
    await refused(web.api.post(f"/api/document/{held['id']}/holds/999999/release"), 404, "missing", "hold")
    await ok(web.api.post(f"/api/document/{held['id']}/transitions/confirm", json={}))
    copy = (await ok(web.api.post(f"/api/document/{held['id']}/copy"), 201))["document"]
    assert (copy["state"], len(copy["lines"])) == ("draft", 2)

    doubtful = (await ok(web.api.post("/api/documents/shop.order", json={**ORDER, "text": "override"}), 201))["document"]
    way = f"/api/document/{doubtful['id']}/transitions/confirm"
    assert (await refused(web.api.post(way, json={}), 422, "shop.override", "text"))["plugin"] == "shop"
    seen = await ok(web.api.post(f"{way}/preview"))
    assert "shop.override" in [p["code"] for p in seen["problems"]]
    seller = web.client(await web.user("seller", "shop.*"))
    await refused(seller.post(way, json={"override": ["shop.override"]}), 422, "shop.override")
    await ok(web.api.post(way, json={"override": ["shop.override"]}))
    events = await ok(web.api.get(f"/api/document/{doubtful['id']}/events"))
    assert {"field": "override", "old": "shop.override", "new": "the text says override"} in events[0]["changes"]


async def test_idempotency(web: Web) -> None:
    """The same key: carried out once, answered alike. The same key with other content is refused."""
    key = {"Idempotency-Key": "order-1"}
    first = await ok(web.api.post("/api/documents/shop.order?then=confirm", json=ORDER, headers=key), 201)
    before = await web.counts()
    again = await ok(web.api.post("/api/documents/shop.order?then=confirm", json=ORDER, headers=key), 201)
    assert again["replayed"]
    assert again["document"] == first["document"]
    await refused(web.api.post("/api/documents/shop.order", json=ORDER, headers=key), 409, "key.reused", "Idempotency-Key")
    id = first["document"]["id"]
    for path in (f"/api/document/{id}/flows/deliver", f"/api/document/{id}/copy"):
        own = {"Idempotency-Key": path}
        one, two = [await ok(web.api.post(path, json={} if "flows" in path else None, headers=own), 201) for _ in range(2)]
        assert one["document"]["id"] == two["document"]["id"]
    cancelled = {"Idempotency-Key": "cancel"}
    for _ in range(2):
        await ok(web.api.post(f"/api/document/{id}/transitions/cancel", json={}, headers=cancelled))
    made = [await ok(web.api.post("/api/records/newel.item", json={"number": "K", "name": "K"}, headers={"Idempotency-Key": "k"}), 201) for _ in range(2)]
    assert made[0] == made[1]
    assert (await web.counts())["document"] == before["document"] + 2
    await refused(web.api.post("/api/documents/shop.order", json=ORDER, headers={"Idempotency-Key": "x" * 256}), 400, "key.long")


async def test_many_at_once_with_one_key(web: Web) -> None:
    """A client that lost its connection and asks again while the first request still runs."""
    sent = [web.api.post("/api/documents/shop.order", json=ORDER, headers={"Idempotency-Key": "one"}) for _ in range(8)]
    answers = await asyncio.gather(*sent)
    assert {a.status_code for a in answers} == {201}
    assert len({a.json()["document"]["id"] for a in answers}) == 1
    assert (await ok(web.api.get("/api/documents/shop.order")))["total"] == 1


async def test_records(web: Web) -> None:
    api = web.api
    made = await ok(api.post("/api/records/newel.item", json={"number": "WASHER", "name": "Washer", "unit": "KG"}), 201)
    path = f"/api/records/newel.item/{made['id']}"
    assert (await ok(api.patch(path, json={"name": "Flat washer"})))["unit"] == "KG"
    assert (await ok(api.get(path)))["name"] == "Flat washer"
    await ok(api.post("/api/records/newel.item_price", json={"item": "WASHER", "currency": "EUR", "price": "1.2345"}), 201)
    prices = await ok(api.get(f"/api/records/newel.item_price?item={made['id']}&price__from=1"))
    assert [(r["price"], r["item__title"]) for r in prices["rows"]] == [("1.2345", "WASHER Flat washer")]
    assert [o["id"] for o in await ok(api.get("/api/records/newel.item/options?q=wash"))] == [made["id"]]
    assert [e["action"] for e in await ok(api.get(f"{path}/history"))] == ["change", "create"]
    rows = [{"number": "WASHER", "name": "Washer"}, {"number": "PIN", "name": "Pin"}]
    dry = await ok(api.post("/api/records/newel.item/import", json={"rows": rows, "match": "number", "dry_run": True}))
    assert (dry["created"], dry["changed"]) == (1, 1)
    assert (await ok(api.get("/api/records/newel.item?q=PIN")))["total"] == 0
    wet = await ok(api.post("/api/records/newel.item/import", json={"rows": rows, "match": "number"}))
    assert (wet["created"], wet["changed"]) == (1, 1)
    await refused(api.post("/api/records/newel.item/import", json={"rows": [{"number": "", "name": "x"}]}), 422, "field.required", "rows[0].number")
    problem = await refused(api.patch(path, json={"name": "x" * 999, "colour": "red", "unit": "??"}), 422, "field.length", "name")
    assert problem["hint"]
    await refused(api.patch(path, json={"colour": "red", "unit": "??"}), 422, "field.reference", "unit")
    pin = (await ok(api.get("/api/records/newel.item?q=PIN")))["rows"][0]["id"]
    await ok(api.delete(f"/api/records/newel.item/{pin}"), 204)
    await refused(api.get(f"/api/records/newel.item/{pin}"), 404, "missing")
    await ok(api.post("/api/documents/shop.order", json=ORDER), 201)
    bolt = (await ok(api.get("/api/records/newel.item?q=BOLT")))["rows"][0]["id"]
    await refused(api.delete(f"/api/records/newel.item/{bolt}"), 409, "record.used")
    assert "password" not in (await api.get("/api/records/newel.user")).text


async def test_what_the_install_can_do(web: Web) -> None:
    api = web.api
    me = await ok(api.get("/api/me"))
    assert (me["login"], me["company"]["code"], me["today"]) == ("admin", "TEST", "2026-01-15")
    kinds = {k["name"]: k for k in await ok(api.get("/api/kinds"))}
    assert [t["name"] for t in kinds["shop.order"]["transitions"]] == ["confirm", "cancel", "finish"]
    assert [f["name"] for f in kinds["shop.order"]["flows"]] == ["shop.delivery:deliver", "shop.invoice:invoice"]
    fields = {f["name"]: f for k in await ok(api.get("/api/records")) if k["name"] == "newel.item" for f in k["fields"]}
    assert fields["unit"]["reference"] == "newel.unit"
    assert [p["name"] for p in await ok(api.get("/api/plugins"))] == ["shop"]
    assert "shop.orders" in [r["name"] for r in await ok(api.get("/api/reports"))]
    await ok(api.post("/api/documents/shop.order", json=ORDER), 201)
    assert [r["amount"] for r in (await ok(api.get("/api/reports/shop.orders?most=10")))["rows"]] == ["1.50"]
    await refused(api.get("/api/reports/shop.orders?most=ten"), 422, "field.type", "most")
    await refused(api.get("/api/reports/shop.orders?since=2026-02-30"), 422, "field.type", "since")
    await refused(api.get("/api/reports/shop.nothing"), 404, "missing")


@pytest.mark.capability("TAK-19")
async def test_tokens(web: Web) -> None:
    """People make tokens for programs; a program makes none."""
    await refused(web.api.post("/api/tokens", json={"name": "more"}), 403, "token.token")
    client, csrf = await web.browser()
    headers = {"x-csrf-token": csrf}
    made = await ok(client.post("/api/tokens", json={"name": "robot", "days": 1}, headers=headers), 201)
    robot = web.client(made["token"])
    assert (await ok(robot.get("/api/me")))["login"] == "admin"
    [known] = [t for t in await ok(robot.get("/api/tokens")) if t["name"] == "robot"]
    assert "token" not in known
    await ok(client.delete(f"/api/tokens/{known['id']}", headers=headers), 204)
    assert (await robot.get("/api/me")).status_code == 401
    await refused(web.api.delete(f"/api/tokens/{known['id']}"), 404, "missing")


def loose(found: Any, parts: dict[str, Any], where: str, seen: frozenset[str] = frozenset()) -> Iterator[str]:
    """Where a schema has no bound."""
    if "$ref" in found:
        name = found["$ref"].rpartition("/")[2]
        if name not in seen:
            yield from loose(parts[name], parts, name, seen | {name})
    needed = {"string": {"maxLength"}, "integer": {"minimum", "maximum"}, "array": {"maxItems"}}.get(found.get("type", ""), set())
    if "enum" not in found and not needed <= set(found):
        yield where
    for name, inner in (found.get("properties") or {}).items():
        yield from loose(inner, parts, f"{where}.{name}", seen)
    for inner in [*found.get("anyOf", []), *([found["items"]] if isinstance(found.get("items"), dict) else [])]:
        yield from loose(inner, parts, where, seen)


@pytest.mark.capability("TAK-19")
async def test_the_schema(web: Web) -> None:
    """Everything that comes in is bounded, every operation names its problems, and every answer is described."""
    schema = await ok(web.api.get("/api/openapi.json"))
    assert schema["openapi"] == "3.1.0"
    parts, ids = schema["components"]["schemas"], []
    for path, method, op in [(path, method, op) for path, methods in schema["paths"].items() for method, op in methods.items()]:
        ids.append(op["operationId"])
        assert op["summary"]
        assert {"400", "401", "403", "422"} <= set(op["responses"]), path
        incoming = [p["schema"] for p in op["parameters"]]
        if "requestBody" in op:
            assert {"413", "415"} <= set(op["responses"])
            incoming.append(op["requestBody"]["content"]["application/json"]["schema"])
        assert not [where for found in incoming for where in loose(found, parts, f"{method} {path}")]
    assert len(ids) == len(set(ids))
    body = schema["paths"]["/api/records/newel.item"]["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    assert "serial" in json.dumps(parts[body.rpartition("/")[2]]["properties"]["tracking"])
    assert "/api/reports/shop.orders" in schema["paths"]


@pytest.mark.capability("TAK-19", screen="/api/docs")
async def test_the_page_about_the_api(web: Web) -> None:
    page = await web.api.get("/api/docs")
    assert page.status_code == 200
    assert "/api/documents/{kind}" in page.text
    assert "<script" not in page.text
    assert "http://" not in page.text
    assert "https://" not in page.text


async def test_numbers_are_exact(web: Web) -> None:
    """Text in both directions; a whole number may be a number; a float is refused with the way out."""
    sent = '{"party":"C1","lines":[{"item":"BOLT","quantity":%s,"price":%s}]}'
    headers = {"content-type": "application/json"}
    made = await ok(web.api.post("/api/documents/shop.order", content=sent % ('"123456789"', '"0.123456"'), headers=headers), 201)
    [line] = made["document"]["lines"]
    assert (line["quantity"], line["price"], line["net"]) == ("123456789", "0.123456", "15241481.34")
    await ok(web.api.post("/api/documents/shop.order", content=sent % ("5", "2"), headers=headers), 201)
    for number in ("1.5", "1.0", "1e2"):
        problem = await refused(
            web.api.post("/api/documents/shop.order", content=sent % (number, '"1"'), headers=headers), 422, "number.float", "lines[0].quantity"
        )
        assert "text" in problem["hint"]
    assert "." not in json.dumps([v for v in made["document"].values() if isinstance(v, float)])


async def test_looking_after_things(web: Web) -> None:
    """Open items of a party, the trail, the worker's queue, sessions and the password."""
    api = web.api
    party = (await ok(api.get("/api/records/newel.party")))["rows"][0]["id"]
    order = (await ok(api.post("/api/documents/shop.order?then=confirm", json=ORDER), 201))["document"]
    await ok(api.post(f"/api/document/{order['id']}/flows/invoice", json={"then": ["post"]}), 201)
    assert [o["amount_open"] for o in await ok(api.get(f"/api/open-items?party={party}"))] == ["16.50"]
    await refused(api.get("/api/open-items"), 400, "request.invalid")
    blind = web.client(await web.user("blind", "shop.order.*"))
    assert await ok(blind.get(f"/api/open-items?party={party}")) == []
    trail = await ok(api.get("/api/audit?kind=shop.order"))
    assert [r["action"] for r in trail["rows"]] == ["confirm", "create"]
    assert await ok(api.get("/api/jobs?state=failed")) == []
    await refused(api.post("/api/jobs/retry", json={"what": "job", "id": 1}), 404, "missing", "id")
    await refused(blind.get("/api/audit"), 403, "permission")
    await refused(api.get("/api/settings/shop"), 404, "missing", "plugin")
    client, csrf = await web.browser()
    headers = {"x-csrf-token": csrf}
    other, _ = await web.browser()
    assert [s["this"] for s in await ok(client.get("/api/sessions"))].count(True) == 1
    await refused(client.post("/api/password", json={"current": "wrong", "new": "another horse battery"}, headers=headers), 422, "login.failed", "current")
    await refused(client.post("/api/password", json={"current": PASSWORD, "new": "short"}, headers=headers), 422, "password.weak", "password")
    await refused(api.post("/api/password", json={"current": PASSWORD, "new": "another horse battery"}), 403, "token.token")
    await ok(client.post("/api/password", json={"current": PASSWORD, "new": "another horse battery"}, headers=headers), 204)
    assert (await other.get("/api/me")).status_code == 401
    [own] = await ok(client.get("/api/sessions"))
    await ok(client.delete(f"/api/sessions/{own['id']}", headers=headers), 204)
    assert (await client.get("/api/me")).status_code == 401


async def test_figures_for_monitoring(web: Web) -> None:
    """Prometheus reads them with a token of somebody who has that right, and nobody else does."""
    await web.api.get("/api/documents")
    answer = await web.client(await web.user("watch", "newel.metrics")).get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert '\nnewel_plugin_up{plugin="shop"} 1\n' in answer.text
    assert '\nnewel_work{what="job",state="failed"} 0\n' in answer.text
    assert (await web.client(await web.user("other", "shop.order.view")).get("/metrics")).status_code == 403
    assert (await web.client().get("/metrics")).status_code in (303, 401)
