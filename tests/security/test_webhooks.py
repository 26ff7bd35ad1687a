"""What other systems send us: forged, old, twice or in another order, it has no effect that it should not have; what was told twice is answered alike."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import httpx
import pytest
from newel_call_centre.rules import signature
from newel_sdk.kit import Kit

pytestmark = pytest.mark.plugins("call_centre", "inbox", "shop")
SECRET = "nine-oak-treads"
CALLS, MAIL = "/api/call_centre/events", "/api/inbox/mail"
TELEPHONE = ("call_centre.call.view", "call_centre.call.edit")
POST = ("requests.message.edit", "requests.request.view", "requests.request.edit", "requests.request.submit")


async def kept(kit: Kit) -> dict[str, list[dict[str, Any]]]:
    """Everything that a hook may have an effect on."""
    tables = ("call_centre_call", "document", "requests_message", "record_event", "outbox")
    return {name: await kit.rows(f"SELECT * FROM {name} ORDER BY id") for name in tables}


def event(call: str, name: str, **more: Any) -> bytes:
    return json.dumps({"call": call, "event": name, **more}).encode()


async def tell(client: httpx.AsyncClient, body: bytes, signed: str) -> httpx.Response:
    return await client.post(CALLS, content=body, headers={"Content-Type": "application/json", "X-Newel-Signature": signed})


def mail(text: str, subject: str = "It drips", id: str = "<1@acme.example>", sender: str = "erin@acme.example") -> bytes:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"], made["Message-ID"] = sender, "desk@newel.example", subject, id
    made.set_content(text)
    return made.as_bytes()


async def test_what_is_forged_or_old_has_no_effect(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a token, with a wrong one, without the right, without our signature, with one of another body, secret or hour: refused, and nothing is there."""
    monkeypatch.setenv("NEWEL_CALL_CENTRE_SECRET", SECRET)
    await kit.party("ACME", phone="030 12345678", email="erin@acme.example")
    system, stranger, poor = await kit.client(*TELEPHONE), await kit.client(*TELEPHONE), await kit.client("call_centre.call.view")
    stranger.headers["Authorization"] = "Bearer " + "x" * 43
    before, body, now = await kept(kit), event("c-1", "started", number="030 12345678"), kit.clock()
    good = signature(SECRET, body, now)
    for client, sent, signed, status in (
        (stranger, body, good, 401), (poor, body, good, 403), (system, body, "", 403), (system, body, good[:-1] + ("0" if good[-1] != "0" else "1"), 403),
        (system, body, signature("another", body, now), 403), (system, event("c-2", "started"), good, 403), (system, body, good.upper(), 403),
        (system, body, signature(SECRET, body, now - timedelta(minutes=6)), 403), (system, body, signature(SECRET, body, now + timedelta(minutes=6)), 403),
        (system, body, good.replace("t=", "t=1"), 403), (system, body, f"{good},v1={'0' * 64}", 403),
    ):  # fmt: skip
        assert (await tell(client, sent, signed)).status_code == status, signed
    for client in (stranger, poor):
        assert (await client.post(MAIL, content=mail("At the flange."))).status_code in (401, 403)
    assert await kept(kit) == before
    kit.clock.advance(minutes=4)
    assert (await tell(system, body, good)).status_code == 200, "what is signed by us and not old is taken"


async def test_a_recorded_event_that_is_sent_again_changes_nothing(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody plays back what they have overheard: within five minutes it is answered as before and has no effect, afterwards it is refused."""
    monkeypatch.setenv("NEWEL_CALL_CENTRE_SECRET", SECRET)
    system = await kit.client(*TELEPHONE)
    body = event("c-1", "started", number="030 12345678")
    signed = signature(SECRET, body, kit.clock())
    first = await tell(system, body, signed)
    before = await kept(kit)
    for minutes, status in ((1, 200), (3, 200), (2, 403)):
        kit.clock.advance(minutes=minutes)
        again = await tell(system, body, signed)
        assert again.status_code == status
        assert status == 403 or again.json() == first.json()
    assert await kept(kit) == before


@pytest.mark.parametrize("seed", range(6))
async def test_events_in_any_order_and_number_give_the_same_call(kit: Kit, seed: int) -> None:
    """The network delivers late, twice and in another order: the call is one, with the instants at which things happened."""
    system, chance, start = await kit.client(*TELEPHONE), random.Random(seed), kit.clock()
    names = ("started", "answered", "ended", "recorded")
    bodies = [event("c-1", n, at=(start + timedelta(minutes=i)).isoformat(), number="030 1", **({"recording": "https://pbx.example/1"} if i == 3 else {}))
              for i, n in enumerate(names)]  # fmt: skip
    sent = bodies * 3
    chance.shuffle(sent)
    answers = set()
    for body in sent:
        kit.clock.advance(minutes=chance.randint(0, 3))
        answers.add((await system.post(CALLS, content=body, headers={"Content-Type": "application/json"})).text)
    assert len(answers) == 1, "whenever it comes, the answer is the same"
    (row,) = await kit.rows("SELECT started_at, answered_at, ended_at, recording, number FROM call_centre_call")
    found = [str(row[f"{n}_at"]).replace("T", " ")[:16] for n in names[:3]]
    assert found == [f"{start + timedelta(minutes=i):%Y-%m-%d %H:%M}" for i in range(3)]
    assert (row["recording"], row["number"]) == ("https://pbx.example/1", "030 1")


async def test_a_mail_that_comes_again_is_answered_as_before(kit: Kit) -> None:
    """A mail server that has had no answer delivers again: the same answer, one request, one message. Another text under the same id is refused."""
    await kit.party("ACME", email="erin@acme.example")
    post = await kit.client(*POST)
    first = await post.post(MAIL, content=mail("At the flange."))
    assert (first.status_code, first.json()["outcome"]) == (200, "made")
    number = first.json()["number"]
    before = await kept(kit)
    for _ in range(3):
        kit.clock.advance(hours=5)
        assert (await post.post(MAIL, content=mail("At the flange."))).json() == first.json()
    assert (await post.post(MAIL, content=mail("Send me a new pump."))).status_code == 409
    assert await kept(kit) == before
    answers = [mail("Second.", f"Re: {number}", "<3@acme.example>"), mail("First.", f"Re: {number}", "<2@acme.example>")]
    for body in answers * 2:
        assert (await post.post(MAIL, content=body)).json() == {"outcome": "added", "number": number}
    assert [r["text"] for r in await kit.rows("SELECT text FROM requests_message ORDER BY id")] == ["Second.", "First."]
    stranger = await post.post(MAIL, content=mail("Cancel it.", f"Re: {number}", "<4@evil.example>", "eve@evil.example"))
    assert (stranger.status_code, "inbox.sender" in stranger.text) == (422, True)
