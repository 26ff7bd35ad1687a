"""Timelines at work: what stands on them, who is told of a comment, who may see it, and documents as they were."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from newel.domain.document import DocumentInput, LineInput
from newel.errors import Refused
from newel.happenings import Asked, Happening
from newel_sdk.kit import PASSWORD, Kit
from newel_timeline import facts, hooks, keep

pytestmark = pytest.mark.plugins("timeline", "shop")
HX = {"HX-Request": "true"}


async def order(kit: Kit, quantity: int = 2) -> int:
    await kit.party("ACME")
    await kit.item("LAMP", price=5)
    return (await kit.document("shop.order", "ACME", ("LAMP", quantity), reference="PO 1")).document.id


async def colleague(kit: Kit, login: str, *permissions: str, **more: Any) -> int:
    role = await kit.record("newel.role", code=login, name=login)
    for permission in permissions:
        await kit.record("newel.role_permission", role=role, permission=permission)
    return await kit.app.users.create(login, PASSWORD, login.capitalize(), [login], [kit.context.company.id], kit.context, **more)


async def seen_by(kit: Kit, user: int) -> Any:
    found = await kit.app.users.load(user)
    assert found is not None
    async with kit.app.database.read() as session:
        return await kit.app.context(session, found, kit.context.company.id)


async def told(kit: Kit, id: int, **asked: Any) -> list[tuple[str, Happening]]:
    context = msgspec.structs.replace(kit.context)
    before = (kit.clock.advance(minutes=1), 2**62)
    return await facts.collected(kit.app, Asked(**{"about": "document", "id": id, "before": before, "most": 30, **asked}), context)


async def test_hook_register_plugin_all_that_happened_stands_in_one_list(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    """What people changed, old to new, what they wrote, what the worker had to do, and what other plugins tell; one that fails costs its own entries."""
    id = await order(kit)
    kit.clock.advance(hours=1)
    now = await kit.app.documents.get(id, kit.context)
    await kit.app.documents.update(
        id, now.version, DocumentInput(party="ACME", reference="PO 2", lines=(LineInput(id=now.lines[0].id, item="LAMP", quantity=Decimal(3)),)), kit.context
    )
    kit.clock.advance(hours=1)
    await keep.comment(kit.app, "document", id, "Please hurry", kit.context)
    wrote, changed, made = await told(kit, id)
    assert (wrote[1].kind, wrote[1].body, made[1].text) == ("comment", "Please hurry", "made it")
    assert ("Reference", "PO 1", "PO 2") in changed[1].changes
    assert [h.kind for _, h in await told(kit, id, kind="change")] == ["change", "change"]
    assert await told(kit, id, who="nobody") == []

    async def call(_session: Any, asked: Asked, _context: Any) -> Sequence[Happening]:
        return [Happening(id=1, at=kit.clock.now, kind="call", text="called them", who="bo")]

    async def fails(session: Any, _asked: Asked, _context: Any) -> Sequence[Happening]:
        await session.fetch("SELECT nothing FROM nowhere")
        return []

    for name, tell in (("shop", call), ("timeline", fails)):
        monkeypatch.setitem(kit.app.registry.manifests, name, msgspec.structs.replace(kit.app.registry.manifests[name], happenings=tell))
    texts = [(plugin, h.text) for plugin, h in await told(kit, id)]
    assert ("shop", "called them") in texts
    assert ("timeline", "The plugin timeline can't tell what happened.") in texts
    assert len(texts) == 5


async def test_a_mention_tells_those_and_only_those_who_are_called(kit: Kit) -> None:
    """Anna may see orders and is called, Bettina may and is not, Cyril may not see them: calling him is refused, and so is who is not there, both at once."""
    id = await order(kit)
    anna, bo, cy = await colleague(kit, "anna", "shop.order.view"), await colleague(kit, "bettina", "shop.order.view"), await colleague(kit, "cyril")
    assert [u.login for u in await facts.colleagues(kit.app, "document", id, "", kit.context)] == ["anna", "bettina"]
    with pytest.raises(Refused) as refused:
        await keep.comment(kit.app, "document", id, "@cyril and @nobody look", kit.context)
    assert [p.message.split("'")[1] for p in refused.value.problems] == ["cyril", "nobody"]
    await keep.comment(kit.app, "document", id, "@anna look", kit.context)
    (notice,) = await _notices(kit, anna)
    assert (notice.text, notice.who, notice.read) == ("@anna look", kit.context.user.login, False)
    assert await _notices(kit, bo) == await _notices(kit, cy) == []
    theirs = await seen_by(kit, anna)
    (watch,) = hooks.register_plugin().watches
    assert await watch.allowed(kit.app, [str(anna), str(bo)], theirs) == [str(anna)]
    async with kit.app.database.read() as session:
        assert await watch.marks(session, [str(anna), str(bo)]) == {str(anna): "1", str(bo): "0"}
    assert await keep.read(kit.app, [notice.id], await seen_by(kit, bo)) == [], "nobody opens what another one was sent"
    (read,) = await keep.read(kit.app, [notice.id], theirs)
    assert read.comment == notice.comment
    assert [n.read for n in await _notices(kit, anna)] == [True]


async def _notices(kit: Kit, user: int) -> list[facts.Notice]:
    async with kit.app.database.read() as session:
        return await facts.notices(session, await seen_by(kit, user))


async def test_who_stands_for_a_party_sees_no_timeline(kit: Kit) -> None:
    """Not even that of their own order."""
    id = await order(kit)
    (party,) = await kit.rows("SELECT id FROM party")
    guest = await seen_by(kit, await colleague(kit, "guest", "shop.order.view", party=party["id"]))
    await kit.app.documents.get(id, guest)
    with pytest.raises(Refused) as refused:
        await keep.comment(kit.app, "document", id, "hello", guest)
    assert refused.value.status == 403
    with pytest.raises(Refused, match=r"timeline\.called"):
        await keep.comment(kit.app, "document", id, "@guest look", kit.context)


async def test_a_document_as_it_was_at_the_end_of_a_day(kit: Kit) -> None:
    """Two lamps on Thursday, three and a frame on Friday; on Wednesday there was nothing."""
    id = await order(kit)
    thursday = kit.context.today
    kit.clock.advance(days=1)
    await kit.item("FRAME", price=7)
    now = await kit.app.documents.get(id, kit.context)
    lines = (LineInput(id=now.lines[0].id, item="LAMP", quantity=Decimal(3)), LineInput(item="FRAME"))
    await kit.app.documents.update(id, now.version, DocumentInput(party="ACME", reference="PO 2", lines=lines), kit.context)
    friday = kit.context.today
    kit.clock.advance(days=1)
    now = await kit.app.documents.get(id, kit.context)
    await kit.app.documents.update(id, now.version, DocumentInput(party="ACME", lines=(LineInput(id=now.lines[1].id, item="FRAME"),)), kit.context)
    document = await kit.app.documents.get(id, kit.context)
    first, second = await facts.then(kit.app, document, thursday), await facts.then(kit.app, document, friday)
    assert first is not None
    assert second is not None
    assert (first.values["reference"], first.values["net"], [(x["item"], x["quantity"]) for _, x in first.lines]) == ("PO 1", "10", [("LAMP", "2")])
    assert [(position, x["item"], x["quantity"], x["net"]) for position, x in second.lines] == [(10, "LAMP", "3", "15"), (20, "FRAME", "1", "7")]
    assert second.values["net"] == "22"
    assert await facts.then(kit.app, document, thursday.replace(day=thursday.day - 1)) is None
    browser = await kit.browser()
    page = (await browser.get(f"/timeline/then/{id}", params={"day": friday.isoformat()})).text
    assert "FRAME" in page
    assert "22.00" in page


async def test_the_pages_work_without_script(kit: Kit) -> None:
    """Comment by a form, filter by a form, older entries by a link; a refused comment keeps what was written."""
    id = await order(kit)
    browser = await kit.browser()
    url = f"/timeline/of/document/{id}"
    answer = await browser.post(url, data={"text": "Look <b>here</b>"})
    assert answer.status_code == 303
    assert re.fullmatch(rf"/document/{id}#timeline-\d+", answer.headers["location"])
    refused = await browser.post(url, data={"text": "@nobody look"})
    assert (refused.status_code, "@nobody look</textarea>" in refused.text) == (422, True)
    page = (await browser.get(url)).text
    assert "Look &lt;b&gt;here" in page
    assert "made it" in page
    assert "made it" not in (await browser.get(url, params={"kind": "comment"}, headers=HX)).text
    for _ in range(35):
        await keep.comment(kit.app, "document", id, "again", kit.context)
    page = (await browser.get(url)).text
    (more,) = re.findall(r'href="([^"]+)" data-more', page)
    assert "made it" not in page
    assert "made it" in (await browser.get(more.replace("&amp;", "&"))).text
    assert url in (await browser.get(f"/document/{id}")).text
    (party,) = await kit.rows("SELECT id FROM party")
    assert f"/timeline/of/newel.party/{party['id']}" in (await browser.get(f"/records/newel.party/{party['id']}")).text
    assert "made it" in (await browser.get(f"/timeline/of/newel.party/{party['id']}")).text
    assert "All notices" in (await browser.get("/timeline/notices", headers=HX)).text
    program = await kit.client("shop.order.view")
    entries = (await program.get("/api/timeline/entries", params={"of": "document", "id": id, "kind": "comment"})).json()
    assert len(entries) == 30
    rest = (await program.get("/api/timeline/entries", params={"of": "document", "id": id, "kind": "comment", "before": entries[-1]["cursor"]})).json()
    assert len(rest) == 6
    assert (await program.post("/api/timeline/comments", json={"of": "document", "id": id, "text": "by a program"})).status_code == 201
    assert (await program.get("/api/timeline/notices")).json() == []
