"""Spare parts at work, each hook among them: a repair point orders online at its own prices and sees stock and order; on both databases."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import httpx
import msgspec
import pytest
from newel.domain.context import Context, User
from newel.domain.document import Document, DocumentInput, Line, LineInput, Stage
from newel.domain.facts import Facts
from newel.domain.item import Item
from newel.domain.master import Master
from newel.domain.party import Party
from newel.errors import Refused
from newel_parts import hooks
from newel_parts.rules import ORDER, PartsFacts, check_part, check_picture
from newel_sdk.kit import PASSWORD, Kit, kit_on
from newel_sdk.testing import TODAY, ask, running

D = Decimal
PLUGINS = ["inventory", "invoicing", "parts", "pricelists", "shipping"]
PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
THEIRS = ("parts.catalogue", "parts.order.view", "parts.order.edit", "parts.order.confirm")
SEAL = Item(id=7, number="SEAL", name="Seal")


def document(*lines: Line, **values: Any) -> Document:
    base = {"id": 5, "kind": ORDER, "role": "sale", "state": "draft", "company": 1, "currency": "EUR", "party": Party(id=9, number="C", name="C")}
    return Document(**{**base, "date": TODAY, "lines": lines, **values})


async def guest_of(context: Context, party: int = 9) -> Context:
    user = User(id=7, login="point", permissions=frozenset(THEIRS), companies=frozenset({context.company.id}), party=party)
    return msgspec.structs.replace(context, user=user)


# ---- hooks ---------------------------------------------------------------------------------------------------------------------------


def test_hook_register_plugin() -> None:
    (kind,) = hooks.register_plugin().documents
    assert (kind.name, kind.role) == (ORDER, "sale"), "whatever delivers, bills and prices sales does so with these"


async def test_hook_load_facts_only_for_repair_points(sqlite_url: str) -> None:
    async with running(sqlite_url, {"parts": hooks}) as (app, context), app.database.read() as session:
        guest = await guest_of(context)
        assert await ask(hooks.load_facts, session, context, document=document()) is None
        assert await ask(hooks.load_facts, session, guest, document=document(kind="sales.order")) is None
        assert session.statements == 0
        assert await ask(hooks.load_facts, session, guest, document=document()) == PartsFacts()


async def test_hook_check_document_what_a_repair_point_may_not_decide(sqlite_url: str) -> None:
    async with running(sqlite_url, {"parts": hooks}) as (_, context):
        guest = await guest_of(context)
        facts = Facts([PartsFacts(frozenset({7})), Master()])
        fine = Line(id=1, item=SEAL, tax_category="standard")

        def found(*lines: Line, who: Context = guest, **values: Any) -> list[str]:
            return [p.where for p in ask(hooks.check_document, document(*lines, **values), "", facts, who)]

        assert found(fine) == []
        assert found(fine, terms="NET90", rate=D(2), date=TODAY.replace(day=1), account_role="rounding", location_from=3) == [
            "date", "terms", "rate", "account_role", "location_from"
        ]  # fmt: skip
        for bad in ({"price_entered": D(0)}, {"discount_entered": D(99)}, {"account_role": "rounding"}, {"tax_category": "zero"}, {"location_from": 1}):
            assert found(msgspec.structs.replace(fine, **bad)) == ["lines[0].price"]
        assert found(Line(id=1, item=Item(id=8, number="GOLD", name="Gold"), tax_category="standard")) == ["lines[0].item"]
        assert found(msgspec.structs.replace(fine, price_entered=D(0)), who=context) == [], "our own people may"
        sent = Line(id=1, item=SEAL, stages={"delivered": Stage(D(1), D(0))})
        assert [p.code for p in ask(hooks.check_document, document(sent), "cancel", facts, context)] == ["parts.gone_on"]
        assert ask(hooks.check_document, document(sent, kind="sales.order"), "cancel", facts, context) is None


def test_pictures_are_what_they_say_they_are() -> None:
    def codes(kind: str, content: bytes) -> list[str]:
        return [p.code for p in check_picture(f"data:image/{kind};base64,{base64.b64encode(content).decode()}")]

    assert codes("png", PIXEL) == []
    assert codes("webp", b"RIFF0000WEBPVP8 ") == []
    for kind, content in (("jpeg", PIXEL), ("svg+xml", b"<svg onload='alert(1)'/>"), ("png", b"<script>"), ("png", b"")):
        assert codes(kind, content) == ["parts.picture"]
    assert codes("png", PIXEL + b"0" * 500_000) == ["parts.large"]
    assert [p.code for p in check_picture("https://elsewhere.example/x.png")] == ["parts.picture"]
    assert [p.where for p in check_part({"item": 1, "product": 1, "replaced_by": 1})] == ["product", "replaced_by"]


# ---- online --------------------------------------------------------------------------------------------------------------------------


class Shop:
    """A maker of pumps with a repair point that gets a tenth off, and another one that does not."""

    def __init__(self, kit: Kit) -> None:
        self.kit, self.ids = kit, {}

    async def open(self) -> Shop:
        kit = self.kit
        for number, price in (("PUMP", 100), ("SEAL", 15), ("SEALOLD", 14), ("RING", 2), ("GOLD", 1000)):
            self.ids[number] = await kit.item(number, price=price, cost=1)
        await kit.stock("SEAL", 20, 80)
        for number in ("POINT", "OTHER"):
            self.ids[number] = await kit.party(number)
        offers = await self.record("pricelists.list", code="RP", name="Repair points", currency="EUR")
        await self.record("pricelists.line", price_list=offers, percent="90")
        await self.record("pricelists.assignment", price_list=offers, party=self.ids["POINT"])
        await self.record("parts.part", product="PUMP", item="SEALOLD", position="1", quantity="2", replaced_by="SEAL")
        await self.record("parts.part", product="PUMP", item="RING", position="2", text="grease it")
        van = await self.record("newel.location", code="ATPOINT", name="At the point", kind="storage", party=self.ids["POINT"])
        lines = (LineInput(item="SEAL", quantity=D(3)),)
        await kit.app.documents.create("inventory.transfer", DocumentInput(location_to=van, lines=lines), kit.context, then=("move",))
        return self

    async def record(self, record: str, /, **values: Any) -> int:
        return await self.kit.app.records.save(record, None, values, self.kit.context)

    async def person(self, login: str, party: str, *permissions: str) -> httpx.AsyncClient:
        """Somebody who stands for a party, with a token."""
        await self.kit._admin()
        role = await self.record("newel.role", code=login, name=login)
        for permission in permissions:
            await self.record("newel.role_permission", role=role, permission=permission)
        await self.kit.app.users.create(login, PASSWORD, login, [login], [self.kit.context.company.id], self.kit.context, party=self.ids[party])
        user = await self.kit.app.users.authenticate(login, PASSWORD)
        assert user is not None and user.party == self.ids[party]
        token = await self.kit.app.users.create_token(user, "test", 10)
        return self.kit._client({"Authorization": f"Bearer {token}"})


@asynccontextmanager
async def shop(url: str) -> AsyncIterator[Shop]:
    async with kit_on(url, PLUGINS) as kit:
        yield await Shop(kit).open()
        assert await kit.verify() == []


@pytest.mark.capability("SRV-08", screen="/parts")
async def test_a_repair_point_orders_parts_online(database_url: str) -> None:
    """It sees the parts of a pump at its own prices, what lies with us and with it, orders two seals, and follows the order to the delivery."""
    async with shop(database_url) as here:
        kit, point = here.kit, await here.person("point", "POINT", *THEIRS)
        assert "PUMP" in (await point.get("/parts")).text
        address = f"/parts/products/{here.ids['PUMP']}"
        text = (await point.get(address)).text
        assert "13.50" in text and "1.80" in text and "in place of SEALOLD" in text and "grease it" in text
        assert "GOLD" not in text
        cells = text.split("in place of SEALOLD")[1].split("</tr>")[0]
        assert ">17 <" in cells and ">3 <" in cells, "17 with us, 3 with them"
        other = await here.person("other", "OTHER", *THEIRS)
        assert "15.00" in (await other.get(address)).text, "everybody sees the own price"

        empty = await point.post(address, data={})
        assert (empty.status_code, "no quantity is entered" in empty.text) == (422, True)
        wrong = await point.post(address, data={f"q-{here.ids['SEAL']}": "many"})
        assert wrong.status_code == 422 and 'value="many"' in wrong.text
        form = {f"q-{here.ids['SEAL']}": "2", f"q-{here.ids['RING']}": "", "reference": "Job 12", "once": "a"}
        made = await point.post(address, data=form)
        again = await point.post(address, data=form)
        assert (made.status_code, again.headers["location"]) == (303, made.headers["location"])
        number = int(made.headers["location"].rsplit("/", 1)[1])
        order = await kit.app.documents.get(number, kit.context)
        assert (order.state, order.party.number, order.net, order.reference) == ("confirmed", "POINT", D(27), "Job 12")  # type: ignore[union-attr]
        assert (await point.get(f"/document/{number}")).status_code == 200
        assert "Ordered" in (await point.get("/parts")).text and "0 of 2" in (await point.get("/parts")).text
        await kit.follow(number, "deliver", then=["ship"])
        assert "2 of 2" in (await point.get("/parts")).text
        assert order.number not in (await other.get("/parts")).text
        assert (await other.get(f"/document/{number}")).status_code == 404
        gold = await point.post(address, data={f"q-{here.ids['GOLD']}": "1"})
        assert gold.status_code == 422 and "stands on no parts list" in gold.text


async def test_prices_are_not_for_a_repair_point_to_say(database_url: str) -> None:
    """Neither on the page nor over the API."""
    async with shop(database_url) as here:
        point = await here.person("point", "POINT", *THEIRS)
        context = await guest_of(here.kit.context, here.ids["POINT"])
        for line in (LineInput(item="SEAL", price=D(0)), LineInput(item="SEAL", discount=D(90)), LineInput(item="GOLD")):
            with pytest.raises(Refused) as refused:
                await here.kit.app.documents.create(ORDER, DocumentInput(lines=(line,)), context)
            assert {p.code for p in refused.value.problems if p.severity == "block"} <= {"parts.price", "parts.listed"}
        answer = await point.post("/api/documents/parts.order", json={"lines": [{"item": "SEAL", "quantity": "1", "price": "0"}]})
        assert answer.status_code == 422 and "parts.price" in answer.text
        assert (await point.post(f"/parts/products/{here.ids['PUMP']}/pictures", files={"picture": ("a.png", PIXEL, "image/png")})).status_code == 403
        nobody = await here.person("nobody", "OTHER", "parts.order.view")
        assert (await nobody.get("/parts")).status_code == 403


async def test_pictures_stand_above_the_list(database_url: str) -> None:
    async with shop(database_url) as here:
        us = await here.kit.browser()
        address = f"/parts/products/{here.ids['PUMP']}"
        bad = await us.post(f"{address}/pictures", files={"picture": ("a.png", b"<svg/>", "image/png")})
        assert bad.status_code == 422 and "a PNG, JPEG or WebP picture was expected" in bad.text
        good = await us.post(f"{address}/pictures", files={"picture": ("pump.png", PIXEL, "image/png")})
        assert good.status_code == 303
        point = await here.person("point", "POINT", *THEIRS)
        text = (await point.get(address)).text
        assert 'src="data:image/png;base64,iVBOR' in text and 'alt="pump.png"' in text and "Add a picture" not in text
        await here.record("parts.picture", product="PUMP", name="bad", image="data:image/svg+xml;base64,PHN2Zy8+")
        assert "data:image/svg" not in (await point.get(address)).text, "what came in another way is not shown"
        draft = await us.post(address, data={f"q-{here.ids['GOLD']}": "1"})
        assert draft.status_code == 303, "our own people may order what stands on no list, as a draft"
        assert (await us.get("/parts/products/999999")).status_code == 404
