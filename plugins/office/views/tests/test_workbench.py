"""A day's work from lists: what is open, what is to be billed, what was billed before, what is to be paid."""

from __future__ import annotations

import re
from html import unescape

import httpx
import pytest
from newel_sdk.kit import Kit

pytestmark = pytest.mark.plugins("views", "bulk", "sales", "inventory", "shipping", "invoicing", "receivables")
ORDER, DELIVERY, INVOICE = "sales.order", "shipping.delivery", "invoicing.invoice"


async def shipped(kit: Kit, party: str, *then: str) -> tuple[int, int]:
    """An order of this customer for a lamp, and its delivery after these steps; returns both ids."""
    order = (await kit.document(ORDER, party, ("LAMP", 1), then=["confirm"])).document.id
    return order, (await kit.follow(order, f"{DELIVERY}:deliver", then=list(then))).document.id


async def opened(web: httpx.AsyncClient, kind: str, name: str) -> str:
    """Click the tab with this name above the list of a kind; returns the page."""
    page = (await web.get(f"/documents/{kind}")).text
    tabs = {label: unescape(url) for url, label in re.findall(r'<a href="([^"]+)"(?: aria-current="page")?>([^<]+)</a>', page)}
    return (await web.get(tabs[name])).text


def rows(page: str) -> list[int]:
    """Ids of what is listed."""
    return sorted(int(id) for id in re.findall(r'<tr data-href="/document/\d+" data-id="(\d+)"', page))


async def view(web: httpx.AsyncClient, kind: str, name: str, query: str) -> None:
    assert (await web.post(f"/views/of/{kind}?{query}", data={"name": name, "pinned": "1", "shared": "*"})).status_code == 303


@pytest.mark.capability("DOC-22")
async def test_views_jump_to_orders_unbilled_deliveries_earlier_notes_and_open_invoices(kit: Kit) -> None:
    """Each is a tab of the company's own; what is unbilled is billed from there in one go, and then stands among the earlier notes and the open invoices."""
    await kit.party("ACME")
    await kit.item("LAMP", price=5)
    await kit.stock("LAMP", 100, 200)
    billed_order, billed = await shipped(kit, "ACME", "ship")
    old = (await kit.follow(billed, f"{INVOICE}:invoice_delivery", then=["post"])).document.id
    order, first = await shipped(kit, "ACME", "ship")
    _order, second = await shipped(kit, "ACME", "ship")
    waiting, _picking = await shipped(kit, "ACME")
    web = await kit.browser()
    await view(web, ORDER, "Orders to bill", "state=confirmed")
    await view(web, DELIVERY, "Unbilled", "state=shipped&sort=date")
    await view(web, DELIVERY, "Earlier notes", "state=complete")
    await view(web, INVOICE, "To be paid", "state=posted&sort=date_due")
    orders = rows(await opened(web, ORDER, "Orders to bill"))
    assert order in orders
    assert waiting in orders
    assert billed_order not in orders
    page = await opened(web, DELIVERY, "Unbilled")
    assert rows(page) == sorted([first, second])
    assert rows(await opened(web, DELIVERY, "Earlier notes")) == [billed]
    assert rows(await opened(web, INVOICE, "To be paid")) == [old]
    flow = re.search(rf'name="flow" value="({INVOICE}:[a-z_]+)"', page)
    assert flow
    made = await web.post(f"/documents/{DELIVERY}/together", data={"id": [str(first), str(second)], "flow": flow[1]})
    new = int(made.headers["location"].rsplit("/", 1)[1])
    await kit.act(new, "post")
    assert rows(await opened(web, DELIVERY, "Unbilled")) == []
    assert rows(await opened(web, DELIVERY, "Earlier notes")) == sorted([billed, first, second])
    assert rows(await opened(web, INVOICE, "To be paid")) == sorted([old, new])
    assert await kit.verify() == []


@pytest.mark.capability("DOC-32")
async def test_the_whole_backlog_with_its_actions_on_one_screen(kit: Kit) -> None:
    """All open orders with their sum, and what can be done with them: deliver, bill, and every step of theirs for many at once."""
    await kit.party("ACME")
    await kit.party("ZOO")
    await kit.item("LAMP", price=5)
    await kit.stock("LAMP", 100, 200)
    ids = [(await kit.document(ORDER, who, ("LAMP", 2), then=["confirm"])).document.id for who in ("ACME", "ACME", "ZOO")]
    await kit.document(ORDER, "ZOO", ("LAMP", 1))
    web = await kit.browser()
    await view(web, ORDER, "Backlog", "phase=open")
    page = await opened(web, ORDER, "Backlog")
    assert rows(page) == sorted(ids)
    assert "Sums of all 3 rows" in page
    flows = dict(re.findall(r'name="flow" value="([\w.]+):\w+">(?:<svg.*?</svg>)?([^<]+)<', page))
    assert {DELIVERY, INVOICE} <= flows.keys()
    steps = re.findall(r'<option value="transition:(\w+)">', page)
    assert {"confirm", "cancel"} <= set(steps)
    made = await web.post(f"/documents/{ORDER}/together", data={"id": [str(i) for i in ids[:2]], "flow": f"{DELIVERY}:deliver"})
    delivery = int(made.headers["location"].rsplit("/", 1)[1])
    lines = await kit.rows("SELECT id FROM document_line WHERE document = ?", delivery)
    assert len(lines) == 2
    run = (await web.post(f"/bulk/of/{ORDER}?phase=open", data={"id": str(ids[2]), "change": "transition:cancel"})).headers["location"]
    await web.post(f"{run}/run")
    await kit.deliver()
    assert rows(await opened(web, ORDER, "Backlog")) == sorted(ids[:2])
