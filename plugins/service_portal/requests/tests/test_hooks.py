"""Requests in the life of a company: asked, answered, assigned, turned into what was asked for; and who sees what."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from newel.domain.context import Context, User
from newel.domain.document import Document, DocumentInput, LineInput, LinkInput
from newel.errors import Refused
from newel.manifest import Panel
from newel.services.entered import as_input
from newel.services.pages import detail
from newel_requests.answer import assign, note, say
from newel_sdk.kit import Kit

D = Decimal
KIND = "requests.request"
REQUESTER = ("view", "edit", "submit", "cancel", "reopen")
TOOL = LineInput(kind="charge", text="Taxi to the workshop", quantity=D(1), price=D("120.00"))

pytestmark = pytest.mark.plugins("requests", "sales", "invoicing", "receivables")


async def ask(kit: Kit, kind: str, *lines: LineInput, then: tuple[str, ...] = ("submit",), who: str = "ACME", **more: Any) -> Document:
    """A request of a type that is sent in."""
    data = {"requests": {"type": kind, **more.pop("data", {})}}
    return (await kit.document(KIND, who, *lines, then=then, data=data, **more)).document


def guest(kit: Kit, party: int) -> Context:
    """Somebody who stands for a party, with the rights of a requester."""
    rights = frozenset({*(f"{KIND}.{r}" for r in REQUESTER), "requests.message.view", "requests.message.edit"})
    user = User(id=99, login="erin@acme", permissions=rights, companies=frozenset({kit.context.company.id}), party=party)
    return msgspec.structs.replace(kit.context, user=user)


async def codes(work: Any) -> list[str]:
    with pytest.raises(Refused) as caught:
        await work
    return [p.code for p in caught.value.problems]


async def panels(kit: Kit, id: int, context: Context | None = None) -> dict[str, Panel]:
    found = await detail(kit.app, id, context or kit.context)
    return {p.title: p for name, p in found.panels if name == "requests"}


@pytest.mark.capability("SRV-01")
async def test_hook_register_plugin_five_types_say_what_they_need(kit: Kit) -> None:
    """Each of the five asks for its own: place and time, an amount, a document, a product, words."""
    party = await kit.party("ACME")
    address = (await kit.rows("SELECT id FROM address WHERE party = ?", party))[0]["id"]
    await kit.item("PUMP", price=100)
    order = (await kit.document("sales.order", "ACME", ("PUMP", 1), then=["confirm"])).document
    found = (await kit.app.records.page("requests.type", kit.context)).rows
    assert {r["name"] for r in found} == {"Service", "Charge", "Account", "Warranty", "Help"}
    await kit.app.records.save("newel.party", None, {"number": "NOWHERE", "name": "Nowhere", "is_customer": True}, kit.context)
    for kind, who, lacking in (("service", "NOWHERE", 2), ("service", "ACME", 1), *((t, "ACME", 1) for t in ("charge", "account", "warranty", "help"))):
        assert await codes(ask(kit, kind, who=who)) == ["requests.lacking"] * lacking
    service = await ask(kit, "service", ship_to=address, date_requested=date(2026, 1, 20), data={"time": "14:30"})
    charge = await ask(kit, "charge", TOOL)
    account = await ask(kit, "account", data={"about": order.number})
    warranty = await ask(kit, "warranty", LineInput(item="PUMP", quantity=D(1)))
    help_ = await ask(kit, "help", text="How do I bleed the pump?")
    assert [d.state for d in (service, charge, account, warranty, help_)] == ["open"] * 5
    bill = (await kit.document("invoicing.invoice", "ACME", ("PUMP", 1), then=["post"])).document
    paid = (await kit.document("receivables.payment", "ACME", LineInput(kind="payment", text="in advance", price=D(10)), then=["post"])).document
    for number in (bill.number, paid.number):
        assert (await ask(kit, "account", data={"about": number})).state == "open"
    await kit.party("VENDOR", is_customer=False)
    assert (await ask(kit, "help", who="VENDOR", text="Where do we unload?")).state == "open", "a vendor asks as well"
    assert len({d.number for d in (service, charge, account, warranty, help_)}) == 5
    assert (await panels(kit, account.id))["Request"].rows[1][1].value == order.number  # type: ignore[union-attr]


async def test_hook_check_document_names_everything_that_nobody_knows(kit: Kit) -> None:
    await kit.party("ACME")
    await kit.party("OTHER")
    await kit.item("PUMP", price=100)
    theirs = (await kit.document("sales.order", "OTHER", ("PUMP", 1), then=["confirm"])).document
    wrong = {"type": "wish", "category": "x", "team": "y", "assignee": "nobody", "time": "25:00", "priority": 10, "about": theirs.number}
    found = await codes(kit.document(KIND, "ACME", data={"requests": wrong}))
    assert found == [f"requests.{n}" for n in ("type", "category", "team", "assignee", "time", "priority", "about")]
    assert await codes(kit.document(KIND, "ACME", then=["submit"])) == ["requests.type_missing"]


async def test_hook_load_facts_says_nothing_of_other_documents(kit: Kit) -> None:
    await kit.party("ACME")
    await kit.item("PUMP", price=100)
    order = (await kit.document("sales.order", "ACME", ("PUMP", 1))).document
    assert await panels(kit, order.id) == {}


@pytest.mark.capability("SRV-02")
async def test_hook_propose_documents_turns_a_charge_into_a_credit_note(kit: Kit) -> None:
    """The taxi cost 120.00 net. The request becomes a credit note over 120.00 and 19 % tax, 142.80; posted, we owe it to the customer."""
    await kit.party("ACME")
    await kit.record("newel.tax_rate", code="DE19", name="VAT", country="DE", category="standard", rate="19", date_from="2020-01-01")
    asked = await ask(kit, "charge", TOOL)
    outcome = await kit.act(asked.id, "convert")
    (made,) = outcome.made
    credit = await kit.app.documents.get(made, kit.context)
    assert (credit.kind, credit.state, credit.reference) == ("invoicing.credit_note", "draft", asked.number)
    assert (credit.net, credit.tax, credit.gross) == (D("120.00"), D("22.80"), D("142.80"))
    await kit.act(made, "post")
    owed = await kit.rows("SELECT amount_open FROM open_item WHERE document = ?", made)
    assert [r["amount_open"] for r in owed] == [-1428000]
    books = await kit.rows("SELECT role, CAST(SUM(debit - credit) AS BIGINT) AS n FROM posting GROUP BY role ORDER BY role")
    assert [(r["role"], r["n"]) for r in books] == [("receivable", -1428000), ("revenue", 1200000), ("tax_output", 228000)]
    assert await kit.verify() == []
    assert await codes(kit.act(asked.id, "convert")) == ["requests.converted"], "once is enough"
    seen = await detail(kit.app, asked.id, kit.context)
    assert [(n.kind, n.link) for n in seen.after] == [("invoicing.credit_note", "converted")]
    assert (await kit.act(asked.id, "resolve")).document.phase == "done"


@pytest.mark.capability("SRV-02")
async def test_hook_propose_documents_by_type_and_by_name(kit: Kit) -> None:
    """A type becomes what its record says: an order for one, a quotation for another, an invoice for a third; a request may say otherwise."""
    party = await kit.party("ACME")
    address = (await kit.rows("SELECT id FROM address WHERE party = ?", party))[0]["id"]
    await kit.item("VISIT", price=80)
    visit = LineInput(item="VISIT", quantity=D(2))
    place = {"ship_to": address, "date_requested": date(2026, 1, 20)}
    for target, expected in (("", "sales.order"), ("sales.quotation", "sales.quotation"), ("invoicing.invoice", "invoicing.invoice")):
        asked = await ask(kit, "service", visit, data={"time": "09:00", "target": target}, **place)
        (made,) = (await kit.act(asked.id, "convert")).made
        document = await kit.app.documents.get(made, kit.context)
        assert (document.kind, document.net, document.lines[0].quantity) == (expected, D("160.00"), D(2))
        assert document.date_requested == date(2026, 1, 20)
    own = {"code": "offer", "name": "Offer", "target_kind": "sales.quotation"}
    await kit.record("requests.type", **own)
    (made,) = (await kit.act((await ask(kit, "offer", visit)).id, "convert")).made
    assert (await kit.app.documents.get(made, kit.context)).kind == "sales.quotation"
    assert await codes(kit.record("requests.type", **{**own, "code": "b", "target_role": "sale"})) == ["requests.type_target"]


@pytest.mark.plugins("requests", "sales", "inventory", "shipping", "returns", "invoicing")
@pytest.mark.capability("SRV-02")
async def test_a_warranty_request_becomes_a_return_that_is_authorised_first(kit: Kit) -> None:
    """Pump P-1 leaks. The request becomes a return authorisation with its serial number; authorised, its delivery is expected, and the request says so."""
    await kit.party("ACME")
    await kit.item("PUMP", price=100, cost=40, tracking="serial")
    goods = DocumentInput(lines=(LineInput(item="PUMP", lot="P-1", price=D(40)),))
    await kit.app.documents.create("inventory.receipt", goods, kit.context, then=("receive",))
    order = (await kit.document("sales.order", "ACME", ("PUMP", 1), then=["confirm"])).document
    wanted = [LinkInput(line=order.lines[0].id, lot="P-1")]
    await kit.app.documents.follow(order.id, "deliver", kit.context, lines=wanted, then=("ship",))
    asked = await ask(kit, "warranty", LineInput(item="PUMP", lot="P-1"), text="It leaks")
    (made,) = (await kit.act(asked.id, "convert")).made
    found = await kit.app.documents.get(made, kit.context)
    assert (found.kind, found.reference, found.text, found.lines[0].lot) == ("returns.authorisation", asked.number, "It leaks", asked.lines[0].lot)
    assert await codes(kit.act(made, "authorise")) == ["returns.category"], "whoever reviews it says what happens with it"
    entered = msgspec.structs.replace(as_input(found), data={"returns": {"category": "CREDIT"}})
    await kit.app.documents.update(made, found.version, entered, kit.context)
    (coming,) = (await kit.act(made, "authorise")).made
    assert (await kit.app.documents.get(coming, kit.context)).kind == "returns.receipt"
    seen = await detail(kit.app, asked.id, kit.context)
    assert ("returns.authorisation", "converted", "authorised") in [(n.kind, n.link, n.state) for n in seen.after]


@pytest.mark.plugins("requests")
async def test_alone_it_answers_and_names_what_is_missing(kit: Kit) -> None:
    await kit.party("ACME")
    asked = await ask(kit, "charge", TOOL)
    assert await codes(kit.act(asked.id, "convert")) == ["requests.target"]
    await say(kit.app, asked.number, "We will come back to you.", kit.context)
    for step in ("start", "wait", "resolve", "close", "reopen"):
        asked = (await kit.act(asked.id, step)).document
    assert asked.state == "working"


@pytest.mark.capability("SRV-04")
async def test_assigned_followed_up_and_added_to_by_its_number(kit: Kit) -> None:
    """The desk hands it to Erin until Monday, who asks back; the customer answers by quoting the number, and the work goes on."""
    party = await kit.party("ACME", service_level=6)
    await kit.record("requests.team", code="desk", name="Service desk")
    await kit.app.users.create("erin", "nine-oak-treads", "Erin", [], [kit.context.company.id], kit.context)
    asked = await ask(kit, "help", text="It drips")
    given = await assign(kit.app, asked.number, kit.context, team="desk", assignee="erin", follow_up=date(2026, 1, 19))
    (user,) = await kit.rows("SELECT id FROM app_user WHERE login = 'erin'")
    assert given.data["requests"].assignee == "erin"
    rows = dict((await panels(kit, asked.id))["Request"].rows)
    assert (rows["Team"], rows["Assigned to"], rows["Priority"]) == ("Service desk", "erin", "3")
    await kit.act(asked.id, "wait")
    here = guest(kit, party)
    await say(kit.app, asked.number, "It drips at the flange.", here)
    assert (await kit.app.documents.get(asked.id, kit.context)).state == "working"
    async with await kit.client() as client:
        again = {"number": asked.number, "text": "Now it runs."}
        for _ in range(2):
            answer = await client.post("/api/requests/information", json=again, headers={"Idempotency-Key": "m-1"})
            assert answer.status_code == 201
        assert (await client.post("/api/requests/information", json={**again, "number": "R-9"})).status_code == 404
    assert [text for _, text in (await panels(kit, asked.id))["Conversation"].rows] == ["It drips at the flange.", "Now it runs."]
    await kit.app.records.save("newel.user", user["id"], {"active": False}, kit.context)
    assert (await kit.act(asked.id, "resolve")).document.state == "resolved", "who has left keeps nothing open"


@pytest.mark.plugins("requests", "sales", "invoicing", "receivables", "credit")
@pytest.mark.capability("DOC-30")
async def test_the_service_level_is_seen_everywhere_puts_a_customer_first_and_changes_no_rule(kit: Kit) -> None:
    """Who enters an order, writes an invoice or answers a request sees the level; only what comes first depends on it."""
    for number, level in (("LOW", 1), ("HIGH", 9)):
        await kit.party(number, service_level=level)
    await kit.item("PUMP", price=100)
    for kind, then in (("sales.order", "confirm"), ("invoicing.invoice", "post")):
        made = [(await kit.document(kind, who, ("PUMP", 1), then=[then])).document for who in ("LOW", "HIGH")]
        shown = [dict(row for _, p in (await detail(kit.app, d.id, kit.context)).panels for row in p.rows)["Service level"] for d in made]
        assert (shown, made[0].state, made[0].gross) == (["1", "9"], made[1].state, made[1].gross)
    low, high = [await ask(kit, "help", text="?", who=who) for who in ("LOW", "HIGH")]
    urgent = await ask(kit, "help", text="?", who="LOW", data={"priority": 1})
    from newel.services import reports

    rows = await reports.run(kit.app, "requests.board", {}, kit.context)
    assert [(r["document"], r["priority"]) for r in rows] == [(high.id, 1), (urgent.id, 1), (low.id, 8)]
    assert dict((await panels(kit, high.id))["Request"].rows)["Service level"] == "9"


async def test_hook_propose_panels_a_requester_sees_its_own_and_never_our_notes(kit: Kit) -> None:
    mine, other = await kit.party("ACME"), await kit.party("OTHER")
    asked = await ask(kit, "help", text="It drips")
    await note(kit.app, asked.id, "Difficult customer", kit.context)
    await say(kit.app, asked.id, "Which pump is it?", kit.context)
    own, foreign = guest(kit, mine), guest(kit, other)
    assert set(await panels(kit, asked.id, own)) == {"Request", "Conversation"}
    assert set(await panels(kit, asked.id)) == {"Request", "Conversation", "Notes for colleagues"}
    for work in (
        say(kit.app, asked.number, "x", foreign), say(kit.app, asked.id, "x", foreign), assign(kit.app, asked.id, foreign, team="desk"),
        kit.app.documents.get(asked.id, foreign),
    ):  # fmt: skip
        assert await codes(work) == ["missing"]
    assert (await kit.app.records.page("requests.message", foreign)).rows == []
    values = {"document": asked.id, "party": other, "staff": False, "text": "x"}
    assert await codes(kit.app.records.save("requests.message", None, values, foreign)) == ["requests.of"]
    values = {"document": asked.id, "party": mine, "staff": True, "text": "We promise"}
    assert await codes(kit.app.records.save("requests.message", None, values, own)) == ["requests.staff"]
    assert await codes(note(kit.app, asked.id, "x", own)) == ["permission"]
    assert await codes(kit.app.records.page("requests.note", own)) == ["permission"]


async def test_a_requester_says_what_and_not_who_does_it(kit: Kit) -> None:
    mine = await kit.party("ACME")
    own = guest(kit, mine)
    given = {"type": "help", "assignee": "", "priority": 1, "target": "sales.order"}
    assert await codes(kit.app.documents.create(KIND, DocumentInput(text="?", data={"requests": given}), own)) == ["requests.internal"] * 2
    asked = (await kit.app.documents.create(KIND, DocumentInput(text="?", data={"requests": {"type": "help"}}), own, then=("submit",))).document
    assert asked.party is not None and asked.party.id == mine
    draft = (await kit.app.documents.create(KIND, DocumentInput(text="?", data={"requests": {"type": "help"}}), own)).document
    more = DocumentInput(text="It drips more", data=draft.data)
    assert (await kit.app.documents.update(draft.id, draft.version, more, own)).document.text == "It drips more"
    assert await codes(kit.app.documents.update(asked.id, asked.version, more, own)) == ["requests.sent"], "what is dealt with is not changed behind our backs"
    assert await codes(assign(kit.app, asked.id, own, priority=1)) == ["requests.sent"]
    for step in ("start", "resolve", "convert"):
        assert await codes(kit.app.documents.act(asked.id, step, own)) == ["permission"]


@pytest.mark.plugins("requests", "mail")
@pytest.mark.capability("SRV-03")
@pytest.mark.parametrize(("transition", "then"), [("submit", ()), ("acknowledge", ("acknowledge",))])
async def test_the_confirmation_with_the_number_goes_out_by_itself_or_by_hand(kit: Kit, mailbox: Any, transition: str, then: tuple[str, ...]) -> None:
    """A template for "send in" confirms by itself; one for "confirm receipt" waits for somebody to press the button."""
    await kit.settings("mail", enabled=True, host="localhost", sender="desk@newel.example")
    words = {"code": "REQUEST", "kind": KIND, "transition": transition, "language": "en", "subject": "Your request {{ number }}", "body": "Quote {{ number }}."}
    await kit.app.records.save("mail.template", None, words, kit.context)
    await kit.party("ACME", email="erin@acme.example")
    asked = await ask(kit, "help", text="It drips")
    for step in then:
        while await kit.deliver():
            pass
        assert mailbox == [], "nothing goes out before the button is pressed"
        await kit.act(asked.id, step)
    while await kit.deliver():
        pass
    assert [m["Subject"] for m in mailbox] == [f"Your request {asked.number}"]
    assert (await kit.app.documents.get(asked.id, kit.context)).state == "open"


async def test_it_can_be_worked_with_over_http(kit: Kit) -> None:
    await kit.party("ACME")
    await kit.record("requests.team", code="desk", name="Service desk")
    asked = await ask(kit, "help", text="It drips")
    client = await kit.client()
    for name, body in (("answer", {"text": "Which?"}), ("note", {"text": "old pump"}), ("assign", {"team": "desk", "priority": 2})):
        assert (await client.post(f"/api/requests/documents/{asked.id}/{name}", json=body)).status_code == 204
    refused = await client.post(f"/api/requests/documents/{asked.id}/assign", json={"team": "moon"})
    assert (refused.status_code, "moon" in refused.text) == (422, True)
    browser = await kit.browser()
    page = (await browser.get(f"/document/{asked.id}")).text
    assert all(text in page for text in ("Which?", "old pump", "Service desk"))
    assert '<textarea class="form-control" id="requests-answer.text"' in page, "an answer has more than one line"
    done = await browser.post(f"/do/requests/answer/{asked.id}", data={"answer.text": "Send a picture"})
    assert done.status_code == 303, done.text
    assert [text for _, text in (await panels(kit, asked.id))["Conversation"].rows] == ["Which?", "Send a picture"]
