"""Vendors at work: they log in, see their own orders, confirm dates and ship; and get at nothing else. On both databases."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import newel_dropship.hooks
import newel_inventory.hooks
import newel_invoicing.hooks
import newel_pricelists.hooks
import newel_purchasing.hooks
import newel_sales.hooks
import newel_shipping.hooks
import newel_vendor_stock.hooks
import newel_vendor_workbench.hooks
import pytest
from newel.domain.document import Document, DocumentInput, LineInput
from newel.services.administration import save_settings
from newel.services.verify import verify
from newel_sdk.testing import item, party

from tests.web import PASSWORD, Web, serving

D = Decimal
PLUGINS = {
    "purchasing": newel_purchasing.hooks, "dropship": newel_dropship.hooks, "inventory": newel_inventory.hooks, "invoicing": newel_invoicing.hooks,
    "pricelists": newel_pricelists.hooks, "sales": newel_sales.hooks, "shipping": newel_shipping.hooks, "vendor_stock": newel_vendor_stock.hooks,
    "vendor_workbench": newel_vendor_workbench.hooks,
}  # fmt: skip
LATER = date(2026, 2, 2)
# What no vendor may ever read: what we sell for, what we reckon with, and what else we know of customers and other vendors.
SECRETS = ("777.77", "55.55", "c1@secret.example", "DE999888", "Rival", "V2-SECRET", "66.61")


class Desk:
    """Two vendors with a login each. The first one has an order for us and one for a customer, the second one an order."""

    def __init__(self, web: Web) -> None:
        self.web, self.app, self.context, self.do = web, web.newel, web.context, web.newel.documents
        self.tokens: dict[str, str] = {}
        self.orders: dict[str, Document] = {}

    async def vendor(self, number: str, name: str) -> None:
        """A vendor whose login is its number in small letters."""
        vendor = await party(self.app, self.context, number, name=name, is_customer=False)
        answer = await self.web.api.post(f"/api/vendor_workbench/vendors/{vendor}/login", json={"login": number.lower(), "name": f"Clerk of {number}"})
        assert answer.status_code == 200, answer.text
        await self.app.users.set_password(answer.json(), PASSWORD, self.context)
        self.tokens[number] = await self.web.token(number.lower())

    async def purchase(self, vendor: str, *lines: LineInput, kind: str = "purchasing.order", then: tuple[str, ...] = ("send",)) -> Document:
        """An order to a vendor."""
        entered = DocumentInput(party=vendor, lines=lines, date_requested=LATER)
        return (await self.do.create(kind, entered, self.context, then=then)).document

    def client(self, vendor: str = "V1") -> httpx.AsyncClient:
        """A program of a vendor's."""
        return self.web.client(self.tokens[vendor])

    async def orders_of(self, vendor: str = "V1") -> dict[str, str]:
        """Number and stage of what a vendor sees."""
        async with self.client(vendor) as client:
            answer = await client.get("/api/vendor_workbench/orders")
        assert answer.status_code == 200, answer.text
        return {r["number"]: r["stage"] for r in answer.json()}

    async def now(self, document: Document) -> Document:
        """A document as it is by now."""
        return await self.do.get(document.id, self.context)


async def build(web: Web) -> Desk:
    """A shop that sells a gadget straight from V1, at 777.77, and a drill with serial numbers; the customer has secrets of its own."""
    desk = Desk(web)
    save = desk.app.records.save
    await item(desk.app, desk.context, "GADGET", price="777.77", cost="55.55")
    await item(desk.app, desk.context, "DRILL", price="777.77", cost="55.55", tracking="serial")
    await desk.vendor("V1", "Honest Works")
    await desk.vendor("V2", "Rival Works")
    buyer = await party(desk.app, desk.context, "CB", name="Buyer Ltd", email="c1@secret.example", tax_id="DE999888")
    await save(
        "newel.address",
        None,
        {"party": buyer, "kind": "shipping", "name": "Buyer's yard", "street": "Quay 9", "city": "Harbour", "country": "DE"},
        desk.context,
    )
    for number, price in (("GADGET", "40"), ("DRILL", "66")):
        offer = {"party": "V1", "item": number, "currency": "EUR", "price": price, "part_number": f"HW-{number}"}
        await save("purchasing.price", None, offer, desk.context)
        await save("dropship.rule", None, {"item": number, "vendor": "V1", "direct": True, "active": True}, desk.context)
    await save("purchasing.price", None, {"party": "V2", "item": "NUT", "currency": "EUR", "price": "66.61", "part_number": "V2-SECRET"}, desk.context)
    lines = (LineInput(item="GADGET", quantity=D(5)), LineInput(item="DRILL", quantity=D(2)))
    sale = (await desk.do.create("sales.order", DocumentInput(party="CB", lines=lines), desk.context, then=["confirm"])).document
    found = await desk.do.get(sale.id, desk.context)
    async with desk.app.database.read() as session:
        direct = await session.value("SELECT id FROM document WHERE kind = 'purchasing.order'")
    desk.orders = {
        "sale": found, "direct": await desk.do.get(direct, desk.context), "ours": await desk.purchase("V1", LineInput(item="BOLT", quantity=D(10), price=D(2))),
        "draft": await desk.purchase("V1", LineInput(item="BOLT", quantity=D(3), price=D(2)), then=()),
        "rival": await desk.purchase("V2", LineInput(item="NUT", quantity=D(4))),
    }  # fmt: skip
    return desk


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Desk]:
    async with serving(url, PLUGINS) as web:
        yield await build(web)
        assert await verify(web.newel) == []


async def form_of(browser: httpx.AsyncClient, page: str, action: str) -> dict[str, str]:
    """The fields of a form on a page, as a browser would send them."""
    (body,) = re.findall(rf'<form[^>]* action="{action}".*?</form>', page, re.DOTALL) or [""]
    found = {}
    for tag in re.findall(r"<input[^>]*>", body):
        name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
        if name:
            found[name[1]] = value[1] if value else ""
    return found


def test_hook_register_plugin() -> None:
    manifest = newel_vendor_workbench.hooks.register_plugin()
    assert [name for name, _ in manifest.permissions] == ["vendor_workbench.use"]
    assert manifest.menu[0].path == "/vendor_workbench"


@pytest.mark.capability("DRP-03", screen="/vendor_workbench")
async def test_a_vendor_works_without_paper(database_url: str) -> None:
    """V1 logs in with name and password, finds two orders, confirms a date, ships part to the customer and sends the rest of the goods to us."""
    async with opened(database_url) as desk:
        direct, ours, sale = (desk.orders[n] for n in ("direct", "ours", "sale"))
        browser, _ = await desk.web.browser("v1", PASSWORD)
        assert (await browser.get("/")).headers["location"] == "/vendor_workbench", "where a vendor starts"
        page = (await browser.get("/vendor_workbench")).text
        assert direct.number in page and ours.number in page
        assert desk.orders["draft"].number not in page, "nobody's business yet"
        assert desk.orders["rival"].number not in page
        assert await desk.orders_of() == {direct.number: "new", ours.number: "new"}

        at = f"/vendor_workbench/{direct.id}"
        page = (await browser.get(at)).text
        assert "Quay 9" in page and "Harbour" in page, "where it goes"
        assert "HW-GADGET" in page, "by the vendor's own number"
        fields = await form_of(browser, page, f"{at}/confirm")
        fields |= {name: "2026-02-05" for name in fields if name.startswith("d-") and name.endswith("-0")}
        assert (await browser.post(f"{at}/confirm", data=fields)).status_code == 303
        assert {s.date_confirmed for x in (await desk.now(direct)).lines for s in x.schedules} == {date(2026, 2, 5)}
        assert await desk.orders_of() == {direct.number: "ship", ours.number: "new"}

        page = (await browser.get(at)).text
        fields = await form_of(browser, page, f"{at}/ship")
        gadget, drill = (x.id for x in direct.lines)
        wrong = fields | {f"q-{gadget}": "9", f"q-{drill}": "2", f"lot-{drill}": "S-1"}
        answer = await browser.post(f"{at}/ship", data=wrong)
        assert answer.status_code == 422
        assert "vendor_workbench.quantity" in answer.text and "vendor_workbench.lot" in answer.text, "all at once"
        assert 'value="9"' in answer.text, "what was typed is still there"
        right = fields | {f"q-{gadget}": "3", f"lot-{drill}": "S-1, S-2", "tracking": "1Z77"}
        assert (await browser.post(f"{at}/ship", data=right)).status_code == 303
        assert (await browser.post(f"{at}/ship", data=right)).status_code == 303, "pressed twice, shipped once"
        stages = [x.stages["delivered"].done for x in (await desk.now(sale)).lines]
        assert stages == [3, 2], "the customer's order is delivered by it"
        page = (await browser.get(at)).text
        assert "1Z77" in page
        assert await desk.orders_of() == {direct.number: "ship", ours.number: "new"}

        paper = await browser.get(f"{at}/print")
        assert paper.status_code == 200 and direct.number in paper.text and "Quay 9" in paper.text


async def test_what_a_vendor_ships_is_invoiced_where_the_settings_say_so(database_url: str) -> None:
    """The vendor has no right to any invoice, and sees none; the customer is billed for what went, and for nothing else."""
    async with opened(database_url) as desk:
        await save_settings(desk.app, "dropship", {"invoice": True}, desk.context)
        direct, sale = desk.orders["direct"], desk.orders["sale"]
        async with desk.client() as vendor:
            parcel = {"way": "ship_direct", "lines": [{"line": direct.lines[0].id, "quantity": "3"}], "tracking": "1Z78"}
            answer = await vendor.post(f"/api/vendor_workbench/orders/{direct.id}/ship", json=parcel)
        assert answer.status_code == 200, answer.text
        assert [s for s in SECRETS if s in answer.text] == []
        gadget, drill = (await desk.now(sale)).lines
        assert [gadget.stages[name].done for name in ("delivered", "invoiced")] == [3, 3]
        assert "invoiced" not in drill.stages or drill.stages["invoiced"].done == 0
        async with desk.app.database.read() as session:
            (row,) = await session.fetch("SELECT id, state FROM document WHERE kind = 'invoicing.invoice'")
        bill = await desk.do.get(row["id"], desk.context)
        assert (bill.state, bill.party.number, bill.net) == ("posted", "CB", 3 * D("777.77"))


async def test_goods_for_us_are_announced(database_url: str) -> None:
    """A despatch note says what is on its way; receiving it is ours, and a cancelled note opens the rest again."""
    async with opened(database_url) as desk:
        ours = desk.orders["ours"]
        (line,) = ours.lines
        async with desk.client() as vendor:
            at = f"/api/vendor_workbench/orders/{ours.id}"
            seen = (await vendor.get(at)).json()
            assert (seen["lines"][0]["open"], seen["ways"], seen["ship_to"][0]) == ({"advise": "10"}, {"advise": False}, "Test company")
            promise = [{"line": line.id, "quantity": "4", "day": "2026-02-03"}, {"line": line.id, "quantity": "6", "day": "2026-02-20"}]
            answer = await vendor.post(f"{at}/confirm", json={"version": seen["version"], "deliveries": promise})
            assert [d["confirmed"] for d in answer.json()["lines"][0]["deliveries"]] == ["2026-02-03", "2026-02-20"]
            assert {d["wanted"] for d in answer.json()["lines"][0]["deliveries"]} == {"2026-02-02"}, "what we asked for stays"
            old = await vendor.post(f"{at}/confirm", json={"version": seen["version"], "deliveries": promise[:1]})
            assert old.status_code == 409
            for bad, code in ((promise[:1], "schedule.sum"), ([promise[0] | {"quantity": "10", "day": "2020-01-01"}], "vendor_workbench.past")):
                answer = await vendor.post(f"{at}/confirm", json={"version": (await desk.now(ours)).version, "deliveries": bad})
                assert (answer.status_code, [p["code"] for p in answer.json()["problems"]]) == (422, [code])
            parcel = {"way": "advise", "lines": [{"line": line.id, "quantity": "4"}], "tracking": "TR-1"}
            for _ in range(2):
                answer = await vendor.post(f"{at}/ship", json=parcel, headers={"Idempotency-Key": "one"})
                assert answer.status_code == 200, answer.text
            assert [(s["quantity"], s["tracking"]) for s in answer.json()["lines"][0]["shipments"]] == [("4", "TR-1")]
            assert answer.json()["lines"][0]["open"] == {"advise": "6"}
            await desk.do.follow(ours.id, "receive", desk.context, then=["receive"])
            assert await desk.orders_of() == {ours.number: "done", desk.orders["direct"].number: "new"}
            assert (await vendor.post(f"{at}/ship", json=parcel)).status_code == 409


async def test_goods_for_the_vendors_own_shelf(database_url: str) -> None:
    """An order for vendor's stock is confirmed and announced like any other."""
    async with opened(database_url) as desk:
        order = await desk.purchase("V1", LineInput(item="BOLT", quantity=D(7), price=D(1)), kind="vendor_stock.order")
        async with desk.client() as vendor:
            at = f"/api/vendor_workbench/orders/{order.id}"
            parcel = {"way": "advise", "lines": [{"line": order.lines[0].id, "quantity": "7"}]}
            assert (await vendor.post(f"{at}/ship", json=parcel)).json()["stage"] == "done"
        assert (await desk.orders_of())[order.number] == "done"


async def test_whatever_concerns_the_customer_is_not_told(database_url: str) -> None:
    """A customer is blocked: the vendor can't ship, and learns only that we know why."""
    async with opened(database_url) as desk:
        direct = desk.orders["direct"]
        await desk.app.records.save("newel.party", await desk.app.records.find("newel.party", "CB", desk.context), {"blocked": "all"}, desk.context)
        async with desk.client() as vendor:
            parcel = {"way": "ship_direct", "lines": [{"line": direct.lines[0].id, "quantity": "1"}]}
            answer = await vendor.post(f"/api/vendor_workbench/orders/{direct.id}/ship", json=parcel)
        assert (answer.status_code, [p["code"] for p in answer.json()["problems"]]) == (422, ["vendor_workbench.stopped"])
        assert "Buyer" not in answer.text and "blocked" not in answer.text


def addresses(desk: Desk) -> list[tuple[str, str]]:
    """Every (method, address) of the application, once for each document, party and item of ours and of the other vendor."""
    values = {
        "kind": ["purchasing.order", "sales.order", "newel.party", "purchasing.price"], "transition": ["cancel"], "flow": ["receive", "ship_direct"],
        "name": ["newel.open_items", "newel.item", "receive"], "plugin": ["vendor_workbench"], "session": ["1"], "hold": ["1"], "token": ["1"],
    }  # fmt: skip
    ids = [str(d.id) for n, d in desk.orders.items() if n not in ("direct", "ours")]
    out = []
    for route in desk.web.app.routes:
        paths = [route.path]
        for parameter in re.findall(r"{(\w+)(?::\w+)?}", route.path):
            fills = ids if parameter == "id" else values.get(parameter, ["x"])
            paths = [re.sub(rf"{{{parameter}(?::\w+)?}}", fill, path) for path in paths for fill in fills]
        out += [(method, path) for path in paths for method in sorted(getattr(route, "methods", {"GET"})) if method != "OPTIONS"]
    return out


async def test_a_vendor_gets_at_nothing_else(sqlite_url: str) -> None:
    """Every route and operation, with every document that is not V1's: nothing is given away, and nothing changes. One engine is enough for it."""
    async with opened(sqlite_url) as desk:
        found = addresses(desk)
        assert len(found) > 300
        browser, csrf = await desk.web.browser("v1", PASSWORD)
        before = await desk.web.counts()
        async with desk.client() as program:
            for method, path in found:
                if path in ("/logout", "/login") or path.startswith(("/static", "/api/tokens", "/api/sessions", "/account")):
                    continue  # the vendor's own session and tokens
                page = not path.startswith("/api")
                form: dict[str, Any] = {"data": {"_csrf_token": csrf}} if page else {"json": {}}
                answer = await (browser if page else program).request(method, path, **(form if method in ("POST", "PUT", "PATCH", "DELETE") else {}))
                told = [secret for secret in SECRETS if secret in answer.text]
                assert told == [], (method, path, told)
                assert answer.status_code < 500, (method, path, answer.status_code)
                for foreign in ("rival", "draft"):
                    assert desk.orders[foreign].number not in answer.text.replace(f"/{desk.orders[foreign].id}", ""), (method, path, foreign)
                if f"/{desk.orders['rival'].id}" in path:
                    assert answer.status_code >= 400, (method, path, answer.status_code)
        after = await desk.web.counts()
        changed = {name for name in after if after[name] != before.get(name)}
        assert changed <= {"user_session"}, changed


async def test_the_two_vendors_apart(database_url: str) -> None:
    """What one has, the other does not even learn to exist; users without a vendor, and parties that are none, get no further."""
    async with opened(database_url) as desk:
        direct, ours, rival, draft = (desk.orders[n] for n in ("direct", "ours", "rival", "draft"))
        assert set(await desk.orders_of("V2")) == {rival.number}
        for vendor, foreign in (("V1", (rival, draft, desk.orders["sale"])), ("V2", (direct, ours, draft))):
            async with desk.client(vendor) as client:
                for d in foreign:
                    at, line = f"/api/vendor_workbench/orders/{d.id}", d.lines[0].id
                    parcel = {"way": "advise", "lines": [{"line": line, "quantity": "1"}]}
                    answers = [
                        await client.get(at), await client.post(f"{at}/ship", json=parcel),
                        await client.post(f"{at}/confirm", json={"version": d.version, "deliveries": [{"line": line, "quantity": str(d.lines[0].quantity)}]}),
                    ]  # fmt: skip
                    assert [a.status_code for a in answers] == [404, 404, 404], (vendor, d.number)
                    assert [s for s in SECRETS if any(s in a.text for a in answers)] == []
        async with desk.client() as client:
            parcel = {"way": "advise", "lines": [{"line": rival.lines[0].id, "quantity": "1"}]}
            answer = await client.post(f"/api/vendor_workbench/orders/{ours.id}/ship", json=parcel)
            assert (answer.status_code, answer.json()["problems"][0]["code"]) == (422, "vendor_workbench.line"), "another vendor's line in one's own order"
        admin, _ = await desk.web.browser()
        assert (await admin.get("/vendor_workbench")).status_code == 403
        customer = await desk.app.records.find("newel.party", "CB", desk.context)
        await desk.app.records.save("newel.party", customer, {"is_vendor": False}, desk.context)
        answer = await desk.web.api.post(f"/api/vendor_workbench/vendors/{customer}/login", json={"login": "cb"})
        assert answer.json()["problems"][0]["code"] == "vendor_workbench.vendor"
