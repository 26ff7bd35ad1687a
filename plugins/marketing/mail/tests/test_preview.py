"""What a template would make of a document, before anything is sent."""

from __future__ import annotations

import html
import re

import pytest
from newel.errors import Refused
from newel_mail.rehearse import rehearse
from newel_sdk.kit import Kit

pytestmark = pytest.mark.plugins("mail", "sales")
TEMPLATE = {"role": "sale", "transition": "confirm", "active": True}


async def test_the_page_shows_it_and_says_what_is_wrong(kit: Kit) -> None:
    """On the template's page and alone: a document of one's choice, why it could not be sent; text stays text; another kind's number is no document."""
    await kit.item("BOLT", price="3")
    await kit.party("C1", language="de", name="<b>Meier</b>")
    await kit.settings("mail", sender="sales@newel.example")
    body = "Guten Tag {{ party.name }}, {{ number }}"
    template = await kit.record("mail.template", code="hallo", language="de", subject="Nr. {{ number }}", body=body, **TEMPLATE)
    browser, preview = await kit.browser(), f"/mail/preview/{template}"
    assert "No document yet" in (await browser.get(preview)).text
    orders = [(await kit.document("sales.order", "C1", ("BOLT", 1), then=("confirm",))).document for _ in range(2)]
    form = (await browser.get(f"/records/mail.template/{template}")).text
    assert re.search(r'<select[^>]+name="kind"[^>]*>\s*<option value=""', form), "a template for a role shows no kind of documents that it is not for"
    box = re.search(r'hx-get="(/mail/preview/\d+)"', form)
    assert box is not None
    assert box[1] == preview
    assert "/mail/preview/" not in (await browser.get(f"/records/newel.party/{orders[0].party.id}")).text, "templates alone have it"
    alone = (await browser.get(preview, headers={"hx-request": "true"})).text
    assert "<html" not in alone
    assert orders[1].number in alone
    page = (await browser.get(f"{preview}?document={orders[0].number}")).text
    assert f"Guten Tag &lt;b&gt;Meier&lt;/b&gt;, {orders[0].number}" in page
    assert "the partner has no e-mail address" in html.unescape(page)
    assert "this is what the partner gets" in page
    missing = await browser.get(f"{preview}?document=4711")
    assert missing.status_code == 422
    assert "there is no document &#39;4711&#39;" in missing.text


async def test_only_who_sees_templates_and_documents_sees_it(kit: Kit) -> None:
    """The right to see templates is not one to see documents."""
    await kit.item("BOLT", price="3")
    await kit.party("C1")
    template = await kit.record("mail.template", code="hello", language="en", subject="{{ number }}", body="{{ number }}", **TEMPLATE)
    number = (await kit.document("sales.order", "C1", ("BOLT", 1), then=("confirm",))).document.number
    assert (await (await kit.client("sales.order.view")).get(f"/mail/preview/{template}")).status_code == 403
    narrow = await kit.client("mail.template.view")
    assert number not in (await narrow.get(f"/mail/preview/{template}")).text
    assert (await narrow.get(f"/mail/preview/{template}?document={number}")).status_code == 422
    with pytest.raises(Refused):
        await rehearse(kit.app, 10**9, "", kit.context)
