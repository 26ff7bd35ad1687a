"""The portal at work: a customer logs in on a phone, sends in a request and a return with photos, accepts an offer. On both databases."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import httpx
import pytest
from newel.domain.document import LineInput
from newel.errors import Refused
from newel_portal import hooks, rules, send
from newel_sdk.kit import PASSWORD, Kit, kit_on
from newel_sdk.testing import TODAY

from plugins.service_portal.attachments.tests.test_rules import picture

D = Decimal
PLUGINS = ["inventory", "invoicing", "order_status", "parts", "portal", "receivables", "requests", "returns", "sales", "shipping"]


class Desk:
    """A company with customer A, who has a delivered and invoiced order, an offer and a login, and customer B, who has the same."""

    def __init__(self, kit: Kit) -> None:
        self.kit, self.app = kit, kit.app
        self.made: dict[str, dict[str, Any]] = {}

    async def customer(self, number: str, price: str) -> None:
        kit = self.kit
        id = await kit.party(number, name=f"Firm {number}")
        order = await kit.document("sales.order", number, LineInput(item="PUMP", quantity=D(3), price=D(price)), reference=f"REF-{number}", then=["confirm"])
        await kit.follow(order.document.id, "deliver", then=["ship"])
        bill = await kit.follow(order.document.id, "invoice", then=["post"])
        offer = await kit.document("sales.quotation", number, LineInput(item="PUMP", quantity=D(1), price=D(price)), then=["send"])
        await send.invite(self.app, id, f"person-of-{number.lower()}", f"Person of {number}", PASSWORD, kit.context)
        self.made[number] = {"party": id, "order": order.document, "bill": bill.document, "offer": offer.document}

    async def login(self, login: str) -> httpx.AsyncClient:
        """A person of a customer's at the pages."""
        client = self.kit._client({})
        found = re.search(r'name="_csrf_token" value="([^"]+)"', (await client.get("/login")).text)
        answer = await client.post("/login", data={"login": login, "password": PASSWORD, "_csrf_token": found[1] if found else ""})
        assert answer.status_code == 303, answer.text[-300:]
        session = await self.app.users.by_session(client.cookies["newel_session"])
        assert session
        client.headers["x-csrftoken"] = session.csrf
        return client

    async def rows(self, kind: str) -> list[dict[str, Any]]:
        return await self.kit.rows("SELECT id, number, state, party, text FROM document WHERE kind = ? ORDER BY id", kind)


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Desk]:
    async with kit_on(url, PLUGINS) as kit:
        await kit.item("PUMP", price=100, cost=40)
        await kit.stock("PUMP", 20, 800)
        desk = Desk(kit)
        await desk.customer("CA", "123.45")
        await desk.customer("CB", "678.90")
        yield desk
        assert await kit.verify() == []


def test_hook_register_plugin() -> None:
    manifest = hooks.register_plugin()
    (item,) = manifest.menu
    assert item.home, "users of a party start here"


async def test_where_a_customer_starts(database_url: str) -> None:
    """A logs in, lands on the portal, and sees an offer, the open invoice and what can be asked for; of B nothing, of us nothing."""
    async with opened(database_url) as desk:
        browser = await desk.login("person-of-ca")
        assert (await browser.get("/")).headers["location"] == "/portal"
        page = (await browser.get("/portal")).text
        a, b = desk.made["CA"], desk.made["CB"]
        assert a["offer"].number in page and a["bill"].number in page
        assert "/portal/new/requests.request" in page and "/portal/new/returns.authorisation" in page
        assert "/order_status" in page and "/parts" in page
        assert "440.72" in page or "370.35" in page, "what is to pay"
        for theirs in (b["offer"].number, b["bill"].number, "678.90", "Firm CB"):
            assert theirs not in page
        nav = re.findall(r'<li><a href="([^"]+)"', page[page.index('id="nav"') : page.index("<main")])
        assert nav[0] == "/portal"
        assert set(nav) == {"/portal", "/order_status", "/parts"}, "no lists of ours, no records, no settings"
        assert '"create": []' in page
        staff = await desk.kit.browser()
        assert (await staff.get("/portal")).status_code == 403
        assert "/documents/sales.order" in (await staff.get("/")).text


async def test_a_request_with_a_photo(database_url: str) -> None:
    """What is wrong is said with what was typed still there; sent twice, it is there once, with its photo, which B never sees."""
    async with opened(database_url) as desk:
        browser = await desk.login("person-of-ca")
        form = (await browser.get("/portal/new/requests.request")).text
        assert 'name="data.requests.type"' in form and 'capture="environment"' in form
        assert "team" not in form and "priority" not in form, "who deals with it is not for the customer"
        fields = {"data.requests.type": "help", "text": "The pump rattles <b>", "key": "once"}
        answer = await browser.post("/portal/new/requests.request?of=0", data=fields | {"text": ""})
        assert (answer.status_code, "requests.lacking" in answer.text) == (422, True)
        assert 'value="help" selected' in answer.text
        bad = [("photos", ("x.jpg", b"<svg/>", "image/jpeg"))]
        answer = await browser.post("/portal/new/requests.request?of=0", data=fields, files=bad)
        assert answer.status_code == 422 and "attachments.content" in answer.text and "The pump rattles &lt;b&gt;" in answer.text
        assert await desk.rows("requests.request") == []
        good = [("photos", ("a.jpg", picture("JPEG"), "image/jpeg")), ("photos", ("b.png", picture(), "image/png")), ("photos", ("", b"", ""))]
        for _ in range(2):
            answer = await browser.post("/portal/new/requests.request?of=0", data=fields, files=good)
            assert answer.status_code == 303
        (made,) = await desk.rows("requests.request")
        assert (made["state"], made["text"], made["party"]) == ("open", "The pump rattles <b>", desk.made["CA"]["party"])
        assert answer.headers["location"] == f"/document/{made['id']}"
        box = f"/attachments/of/document/{made['id']}"
        assert box in (await browser.get(f"/document/{made['id']}")).text
        assert {"a.jpg", "b.png"} <= set(re.findall(r"<span>([ab]\.\w+)</span>", (await browser.get(box)).text))
        assert made["number"] in (await browser.get("/portal")).text
        other = await desk.login("person-of-cb")
        for path in (f"/document/{made['id']}", box):
            assert (await other.get(path)).status_code == 404
        said = await browser.post(f"/do/requests/answer/{made['id']}", data={"answer.text": "It is louder now"})
        assert said.status_code == 303
        assert "It is louder now" in (await browser.get(f"/document/{made['id']}")).text


async def test_a_return_of_what_was_bought(database_url: str) -> None:
    """A chooses the order, one of three pumps, says what is wrong and adds a photo: we get it for review, at the price that was paid."""
    async with opened(database_url) as desk:
        browser, order = await desk.login("person-of-ca"), desk.made["CA"]["order"]
        page = (await browser.get("/portal/new/returns.authorisation")).text
        assert order.number in page and desk.made["CB"]["order"].number not in page
        at = f"/portal/new/returns.authorisation?of={order.id}"
        form = (await browser.get(at)).text
        (line,) = re.findall(r'name="(q-\d+)"', form)
        assert "AHEAD" in form and 'name="item"' not in form
        fields = {"data.returns.category": "REPAIR", "text": "It rattles", "key": "r1"}
        answer = await browser.post(at, data=fields)
        assert (answer.status_code, "portal.nothing" in answer.text) == (422, True)
        answer = await browser.post(at, data=fields | {line: "4"})
        assert (answer.status_code, 'value="4"' in answer.text) == (422, True), "more than was bought"
        answer = await browser.post(at, data=fields | {line: "1"}, files=[("photos", ("a.jpg", picture("JPEG"), "image/jpeg"))])
        assert answer.status_code == 303, answer.text
        (made,) = await desk.rows("returns.authorisation")
        assert (made["state"], made["text"]) == ("requested", "It rattles")
        (got,) = (await desk.app.documents.get(made["id"], desk.kit.context)).lines
        assert (got.quantity, got.price) == (D(1), D("123.45"))
        foreign = desk.made["CB"]["order"]
        (theirs,) = foreign.lines
        for of, name in ((foreign.id, f"q-{theirs.id}"), (order.id, f"q-{theirs.id}")):
            answer = await browser.post(f"/portal/new/returns.authorisation?of={of}", data=fields | {name: "1", "key": "r2"})
            assert answer.status_code in (404, 422)
            assert "678.90" not in answer.text and foreign.number not in answer.text
        assert len(await desk.rows("returns.authorisation")) == 1


async def test_an_offer_is_accepted_as_it_stands(database_url: str) -> None:
    """A signs: we have an order to confirm, at the offered price, with the name on it. B's offer is not A's to accept, and nobody accepts twice."""
    async with opened(database_url) as desk:
        browser, offer = await desk.login("person-of-ca"), desk.made["CA"]["offer"]
        assert f'action="/portal/accept/{offer.id}"' in (await browser.get("/portal")).text
        assert (await browser.post(f"/portal/accept/{desk.made['CB']['offer'].id}", data={"key": "x"})).status_code == 404
        assert (await browser.post(f"/portal/accept/{offer.id}", data={"key": "x"})).status_code == 422, "nobody has signed"
        for _ in range(2):
            answer = await browser.post(f"/portal/accept/{offer.id}", data={"key": "k", "price": "0.01", "party": "CB", "name": " Ann  Alder "})
            assert (answer.status_code, answer.headers.get("location")) == (303, "/portal"), answer.text
        assert (await browser.post(f"/portal/accept/{offer.id}", data={"key": "other", "name": "Ann"})).status_code in (404, 409)
        assert (await browser.post(f"/portal/accept/{desk.made['CA']['order'].id}", data={})).status_code == 404, "no offer"
        *_, order = await desk.rows("sales.order")
        found = await desk.app.documents.get(order["id"], desk.kit.context)
        assert (order["state"], found.lines[0].price, found.party and found.party.number) == ("draft", D("123.45"), "CA")
        assert found.text.endswith(f"Accepted and signed by Ann Alder on {TODAY.isoformat()}.")
        assert (await desk.rows("sales.quotation"))[0]["state"] == "accepted"
        assert offer.number not in (await browser.get("/portal")).text


async def test_only_for_customers_and_only_what_they_may(database_url: str) -> None:
    """Kinds that ask a party nothing have no form; a login is for customers; the role has no right to edit an order."""
    async with opened(database_url) as desk:
        browser = await desk.login("person-of-ca")
        for kind in ("sales.order", "invoicing.invoice", "no.such", "../x"):
            assert (await browser.get(f"/portal/new/{kind}")).status_code == 404
        assert (await browser.get("/documents/sales.order/new")).status_code == 403
        vendor = await desk.kit.party("V", is_customer=False)
        with pytest.raises(Refused) as caught:
            await send.invite(desk.app, vendor, "v", "", PASSWORD, desk.kit.context)
        assert caught.value.problems[0].code == "portal.customer"
        admin = await desk.kit.client()
        answer = await admin.post(f"/api/portal/customers/{desk.made['CB']['party']}/login", json={"login": "second"})
        assert answer.status_code == 200
        held = await desk.kit.rows("SELECT permission FROM role_permission p JOIN role r ON r.id = p.role WHERE r.code = 'customer'")
        rights = {r["permission"] for r in held}
        assert {"portal.use", "requests.request.submit", "returns.authorisation.submit", "parts.order.confirm", "invoicing.invoice.view"} <= rights
        assert not rights & {"sales.order.edit", "sales.order.confirm", "returns.authorisation.authorise", "attachments.manage", "requests.type.view"}


async def test_with_nothing_but_what_it_needs(sqlite_url: str) -> None:
    """Without sales, requests and returns there is a first page that says that nothing is under way."""
    async with kit_on(sqlite_url, ["portal"]) as kit:
        id = await kit.party("C")
        await send.invite(kit.app, id, "somebody", "", PASSWORD, kit.context)
        page = (await (await Desk(kit).login("somebody")).get("/portal")).text
        assert "Nothing is under way" in page
        assert rules.asked(kit.app.registry.kinds, lambda _: True) == []
