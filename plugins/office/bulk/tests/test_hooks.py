"""Many rows changed at once, through the pages and the worker."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from newel_bulk import hooks, work
from newel_sdk.kit import Kit

pytestmark = pytest.mark.plugins("bulk", "shop")
ORDERS, ITEMS = "shop.order", "newel.item"


async def orders(kit: Kit, count: int = 3) -> list[int]:
    """Drafts of one customer for one lamp each."""
    await kit.party("ACME", name="Acme")
    await kit.item("LAMP", price=5)
    await kit.stock("LAMP", 100, 200)
    return [(await kit.document(ORDERS, "ACME", ("LAMP", 1))).document.id for _n in range(count)]


async def begun(web: httpx.AsyncClient, kind: str, change: str, *ids: int, query: str = "", **more: str) -> str:
    """Tick rows and say what is to be changed; returns the address of the page that one is led to."""
    answer = await web.post(f"/bulk/of/{kind}?{query}", data={"id": [str(i) for i in ids], "change": change, **more})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


async def carried_out(kit: Kit, web: httpx.AsyncClient, url: str) -> str:
    """Have it done, and let the worker work; returns the page."""
    assert (await web.post(f"{url}/run")).status_code == 303
    await worked(kit)
    return (await web.get(url)).text


async def worked(kit: Kit) -> None:
    """Let the worker work until nothing of a run waits."""
    while await kit.rows("SELECT id FROM job WHERE name = 'bulk.run' AND state = 'waiting'"):
        await kit.deliver()


def counts(page: str) -> dict[str, int]:
    """How many rows became what."""
    return {what: int(n) for what, n in re.findall(r'data-phase="\w+">([a-z ]+)</span> <strong class="n-code">(\d+)', page)}


def reasons(page: str) -> dict[str, str]:
    """What stands beside each row that has a reason."""
    rows = re.findall(r'<td class="n-lead".*?<a href="/\w+/(?:[\w.]+/)?(\d+)">.*?</td>.*?<td class="[^"]*" data-label="Reason">(.*?)</td>', page, re.DOTALL)
    return {id: re.sub(r"\s+", " ", re.sub(r"<.*?>", " ", text)).strip() for id, text in rows if text.strip()}


async def states(kit: Kit) -> list[str]:
    """Of all documents, in the order in which they were made."""
    return [r["state"] for r in await kit.rows("SELECT state FROM document WHERE kind = ? ORDER BY id", ORDERS)]


def test_hook_register_plugin_arranges_lists_and_brings_a_job() -> None:
    """It declares what lists are arranged with, and who works the rows off."""
    declared = hooks.register_plugin()
    assert declared.lists == "newel_bulk.arrange:arrange"
    assert {j.name for j in declared.jobs} == {"bulk.run", "bulk.clear"}


async def test_many_documents_go_on_together_and_each_refusal_has_its_reason(kit: Kit) -> None:
    """What would happen comes first and changes nothing; the worker does it; what was refused says why; a second time does only what is left."""
    first, second, third = await orders(kit)
    await kit.act(second, "cancel")
    web = await kit.browser()
    page = (await web.get(f"/documents/{ORDERS}")).text
    assert "All 3 rows" in page
    assert '<option value="transition:confirm">Confirm</option>' in page
    url = await begun(web, ORDERS, "transition:confirm", first, second, third)
    page = (await web.get(url)).text
    assert "What would happen" in page
    assert counts(page) == {"would go": 2, "refused": 1}
    assert list(reasons(page)) == [str(second)]
    assert "Cancelled" in reasons(page)[str(second)]
    assert await states(kit) == ["draft", "cancelled", "draft"]
    await kit.act(third, "cancel")
    page = await carried_out(kit, web, url)
    assert counts(page) == {"done": 1, "refused": 2}
    assert await states(kit) == ["confirmed", "cancelled", "cancelled"]
    await web.post(f"{url}/check")
    assert counts((await web.get(url)).text) == {"done": 1, "refused": 2}
    events = await kit.rows("SELECT id FROM document_event WHERE document = ? AND action = 'confirm'", first)
    assert len(events) == 1
    assert await kit.verify() == []


async def test_all_rows_across_pages_in_chunks_with_progress_and_a_stop(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker takes some at a time; somebody stops it; what is done stays done, and going on does the rest, each once."""
    monkeypatch.setattr(work, "CHUNK", 4)
    monkeypatch.setattr(work, "AT_ONCE", 3)
    await orders(kit, 12)
    await kit.party("ZOO")
    other = (await kit.document(ORDERS, "ZOO", ("LAMP", 1))).document.id
    web = await kit.browser()
    acme = (await kit.rows("SELECT id FROM party WHERE number = 'ACME'"))[0]["id"]
    url = await begun(web, ORDERS, "transition:confirm", query=f"party={acme}", all="1")
    looking = await web.get(url)
    assert looking.headers["refresh"] == "2"
    assert "Looking at the rows 0/12" in re.sub(r"\s+", " ", re.sub(r"<.*?>", "", looking.text))
    await kit.deliver()
    assert "Looking at the rows 4/12" in re.sub(r"<.*?>", "", (await web.get(url)).text)
    await worked(kit)
    assert counts((await web.get(url)).text) == {"would go": 12}
    await web.post(f"{url}/run")
    await web.post(f"{url}/run")
    await kit.deliver()
    assert "Changing the rows 4/12" in re.sub(r"<.*?>", "", (await web.get(url)).text)
    await web.post(f"{url}/stop")
    await worked(kit)
    page = (await web.get(url)).text
    assert "Stopped" in page
    assert counts(page) == {"done": 4, "would go": 8}
    assert counts(await carried_out(kit, web, url)) == {"done": 12}
    assert len(await kit.rows("SELECT id FROM document_event WHERE action = 'confirm'")) == 12
    assert (await kit.rows("SELECT state FROM document WHERE id = ?", other))[0]["state"] == "draft"


async def test_a_worker_that_dies_in_the_middle_doubles_nothing(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    """It had changed rows and could not say so: the next one finds them changed, and changes the others."""
    ids = await orders(kit, 4)
    web = await kit.browser()
    url = await begun(web, ORDERS, "transition:confirm", *ids)
    act, done = kit.app.documents.act, []

    async def dying(document: int, *rest: Any, **more: Any) -> Any:
        if len(done) == 2:
            raise SystemError("the machine is gone")
        done.append(document)
        return await act(document, *rest, **more)

    monkeypatch.setattr(kit.app.documents, "act", dying)
    await web.post(f"{url}/run")
    await kit.deliver()
    monkeypatch.undo()
    assert await states(kit) == ["confirmed", "confirmed", "draft", "draft"]
    assert "Changing the rows 0/4" in re.sub(r"<.*?>", "", (await web.get(url)).text)
    kit.clock.advance(minutes=10)
    await worked(kit)
    assert counts((await web.get(url)).text) == {"done": 4}
    assert await states(kit) == ["confirmed"] * 4
    assert len(await kit.rows("SELECT id FROM document_event WHERE action = 'confirm'")) == 4


async def test_a_field_of_many_records_is_set_by_the_rules_of_the_form(kit: Kit) -> None:
    """The value is entered once, tried on each without a trace, and kept in each with its history."""
    ids = [await kit.item(f"I{n}", name=f"Item {n}") for n in range(3)]
    web = await kit.browser()
    assert '<option value="field:number">' not in (await web.get(f"/records/{ITEMS}")).text
    url = await begun(web, ITEMS, "field:unit", *ids, 999_999)
    assert "The new value" in (await web.get(url)).text
    await web.post(f"{url}/check", data={"unit": "NONE"})
    page = (await web.get(url)).text
    assert counts(page) == {"refused": 4}
    assert "there is no unit" in reasons(page)[str(ids[0])]
    await web.post(f"{url}/check", data={"unit": "BOX"})
    page = (await web.get(url)).text
    assert counts(page) == {"would go": 3, "refused": 1}
    assert {r["unit"] for r in await kit.rows("SELECT unit FROM item")} == {"EA"}
    assert counts(await carried_out(kit, web, url)) == {"done": 3, "refused": 1}
    assert {r["unit"] for r in await kit.rows("SELECT unit FROM item")} == {"BOX"}
    history = await kit.app.records.history(ITEMS, ids[0], kit.context)
    assert [(c.field, c.old, c.new) for c in history[0].changes] == [("unit", "EA", "BOX")]


async def test_rights_are_those_of_whoever_asks_at_the_time(kit: Kit) -> None:
    """Without the right to change many there is nothing to choose; a step one may not do is not offered; a run is one's own."""
    (order,) = await orders(kit, 1)
    web = await kit.browser()
    url = await begun(web, ORDERS, "transition:confirm", order)
    reader = await kit.client(f"{ORDERS}.view", f"{ORDERS}.confirm")
    assert "transition:confirm" not in (await reader.get(f"/documents/{ORDERS}")).text
    assert (await reader.post(f"/bulk/of/{ORDERS}", data={"id": str(order), "change": "transition:confirm"})).status_code == 403
    some = await kit.client(f"{ORDERS}.view", f"{ORDERS}.confirm", "bulk.change")
    page = (await some.get(f"/documents/{ORDERS}")).text
    assert "transition:confirm" in page
    assert "transition:cancel" not in page
    assert (await some.post(f"/bulk/of/{ORDERS}", data={"id": str(order), "change": "transition:cancel"})).status_code == 404
    assert (await some.get(url)).status_code == 404
    assert (await some.post(f"{url}/run")).status_code == 404
    theirs = await begun(some, ORDERS, "transition:confirm", order)
    await some.post(f"{theirs}/run")
    role = (await kit.rows("SELECT id FROM role_permission WHERE permission = ? ORDER BY id DESC", f"{ORDERS}.confirm"))[0]["id"]
    await kit.app.records.delete("newel.role_permission", role, kit.context)
    await worked(kit)
    page = (await some.get(theirs)).text
    assert counts(page) == {"refused": 1}
    assert "the permission" in reasons(page)[str(order)]
    assert await states(kit) == ["draft"]
    nothing = await web.post(f"/bulk/of/{ORDERS}", data={"change": "transition:confirm"})
    assert nothing.headers["location"] == f"/documents/{ORDERS}"


async def test_more_than_fit_are_refused_and_old_runs_go(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    """A whole list is a run only while it can be looked over; after thirty days a run is forgotten."""
    (order, *_rest) = await orders(kit, 3)
    web = await kit.browser()
    url = await begun(web, ORDERS, "transition:confirm", order)
    monkeypatch.setattr(work, "MOST", 2)
    answer = await web.post(f"/bulk/of/{ORDERS}", data={"all": "1", "change": "transition:confirm"})
    assert answer.status_code == 422
    assert "at most 2 rows" in answer.text
    kit.clock.advance(days=31)
    async with kit.app.database.write() as session:
        await work.clear(session, {}, kit.context)
    assert not await kit.rows("SELECT id FROM bulk_row")
    assert (await web.get(url)).status_code in (303, 401, 404)
