"""Mail that comes in: it lands where it belongs, once, and nobody can speak for another one."""

from __future__ import annotations

from email.message import EmailMessage

import pytest
from newel.errors import Refused
from newel_inbox.send import take
from newel_sdk.kit import Kit

pytestmark = pytest.mark.plugins("inbox")


def mail(subject: str, text: str, sender: str = "Erin <Erin@acme.example>", **headers: str) -> bytes:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = sender, "desk@newel.example", subject
    for name, value in headers.items():
        made[name.replace("_", "-")] = value
    made.set_content(text)
    return made.as_bytes()


async def said(kit: Kit) -> list[tuple[str, str]]:
    return [(r["sender"], r["text"]) for r in await kit.rows("SELECT sender, text FROM requests_message ORDER BY id")]


@pytest.mark.capability("SRV-04")
async def test_hook_register_plugin_a_mail_that_quotes_the_number_is_added(kit: Kit) -> None:
    """Erin writes, gets a number, is asked back, and answers by mail: the work goes on by itself. The mail server delivers twice; it is kept once."""
    await kit.party("ACME", email="erin@acme.example")
    client = await kit.client("requests.message.edit", "requests.request.view", "requests.request.edit", "requests.request.submit")
    made = await client.post("/api/inbox/mail", content=mail("It drips", "At the flange."), headers={"Content-Type": "message/rfc822"})
    assert made.status_code == 200, made.text
    number = made.json()["number"]
    (row,) = await kit.rows("SELECT id, number, text FROM document WHERE kind = 'requests.request'")
    assert (row["number"], row["text"]) == (number, "It drips\n\nAt the flange.")
    await kit.act(row["id"], "wait")
    answer = mail(f"Re: your request {number}", "The small one.\n\n> which pump is it?", Message_ID="<1@acme.example>")
    for _ in range(2):
        assert (await client.post("/api/inbox/mail", content=answer)).json() == {"outcome": "added", "number": number}
    assert await said(kit) == [("erin@acme.example", "The small one.")]
    assert (await kit.app.documents.get(row["id"], kit.context)).state == "working"


async def test_only_the_requester_adds_and_only_who_is_known_asks(kit: Kit) -> None:
    await kit.party("ACME", email="erin@acme.example")
    await kit.party("OTHER", email="eve@other.example")
    number = (await take(kit.app, mail("It drips", "?"), kit.context)).number
    for sender, code in (("eve@other.example", "inbox.sender"), ("nobody@else.example", "inbox.sender")):
        with pytest.raises(Refused, match=code):
            await take(kit.app, mail(f"Re: {number}", "Cancel it", sender), kit.context)
    with pytest.raises(Refused, match=r"inbox\.unknown"):
        await take(kit.app, mail("Hello", "?", "nobody@else.example"), kit.context)
    with pytest.raises(Refused, match=r"inbox\.unreadable"):
        await take(kit.app, b"no mail at all", kit.context)
    assert await said(kit) == []


async def test_what_nobody_wrote_is_ignored(kit: Kit) -> None:
    """An answer of an absent person's machine must not start a conversation of machines."""
    await kit.party("ACME", email="erin@acme.example")
    assert (await take(kit.app, mail("I am away", "Until Monday", Auto_Submitted="auto-replied"), kit.context)).outcome == "ignored"
    assert await kit.rows("SELECT id FROM document") == []
