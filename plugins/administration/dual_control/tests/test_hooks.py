"""Two people, and what one of them alone tries: by page, by API, by a list, by a job, by another plugin."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx
import msgspec
import pytest
from newel.domain.context import Context
from newel.domain.document import DocumentInput, LineInput
from newel.domain.facts import Facts
from newel.errors import Refused
from newel_sdk.kit import Kit

pytestmark = pytest.mark.plugins("dual_control", "credit", "shop")
D = Decimal
EVERY = ("shop.*", "newel.*", "credit.*", "dual_control.*")
ROLES: dict[str, list[str]] = {"newel.user_role": [], "newel.role_permission": []}


def as_user(kit: Kit, login: str, **more: Any) -> Context:
    """Somebody who may do everything, under another name."""
    return msgspec.structs.replace(kit.context, user=msgspec.structs.replace(kit.context.user, login=login), **more)


def order(price: Any = None, quantity: int = 1, discount: Any = 0) -> DocumentInput:
    line = LineInput(item="PUMP", quantity=D(quantity), price=None if price is None else D(price), discount=D(discount))
    return DocumentInput(party="ACME", lines=(line,))


async def goods(kit: Kit) -> None:
    """Pumps at 100, and who buys them."""
    await kit.item("PUMP", price=100)
    await kit.party("ACME")
    await kit.stock("PUMP", 10, 400)


async def two(kit: Kit) -> tuple[httpx.AsyncClient, httpx.AsyncClient]:
    """Two programs with all rights, of two users, and what they work with."""
    await goods(kit)
    return await kit.client(*EVERY), await kit.client(*EVERY)


async def refused(work: Any, *codes: str) -> Refused:
    with pytest.raises(Refused) as found:
        await work
    assert [p.code for p in found.value.problems] == list(codes), str(found.value)
    return found.value


def test_hook_register_plugin_proposals_can_be_read_and_approved() -> None:
    from newel_dual_control import hooks

    manifest = hooks.register_plugin()
    assert ([r.name for r in manifest.records], [p for p, _ in manifest.permissions]) == (["dual_control.proposal"], ["dual_control.approve"])


async def test_hook_propose_panels_who_entered_a_price_when_why_and_what_was(kit: Kit) -> None:
    """Ann sells a pump of 100 at 70 on Thursday, since it is scratched; Bob makes it 90 on Friday."""
    from newel_dual_control import hooks
    from newel_dual_control.rules import PriceData

    await kit.settings("dual_control", price_percent="80", price_reason=True)
    await goods(kit)
    do, ann, bob = kit.app.documents, as_user(kit, "ann"), as_user(kit, "bob")
    line = msgspec.structs.replace(order(70).lines[0], data={"dual_control": {"reason": "scratched"}})
    made = (await do.create("shop.order", DocumentInput(party="ACME", lines=(line,)), ann)).document

    async def shown(document: Any) -> list[tuple[str, Any]]:
        async with kit.app.database.read() as session:
            known = await hooks.load_facts(document, session)
        (panel,) = hooks.propose_panels(document, Facts([known] if known else []), kit.context)
        return [(label, value if isinstance(value, str) else value.value) for label, value in panel.rows] + [
            ("why", panel.entries[0].value),
            ("says", panel.text),
        ]

    assert await shown(made) == [
        ("By", "ann"), ("On", kit.context.today), ("Instead of", D(100)), ("why", "scratched"), ("says", "somebody else has to approve it"),
    ]  # fmt: skip
    kit.clock.advance(days=1)
    entered = DocumentInput(party="ACME", lines=(msgspec.structs.replace(line, id=made.lines[0].id, price=D(90), data={}),))
    changed = (await do.update(made.id, made.version, entered, msgspec.structs.replace(bob, now=kit.clock.now))).document
    assert await shown(changed) == [("By", "bob"), ("On", kit.context.today), ("Instead of", D(70)), ("why", ""), ("says", "")]
    await refused(do.act(made.id, "confirm", kit.context), "hold", "dual_control.reason")
    typed = msgspec.structs.replace(
        changed, lines=(msgspec.structs.replace(changed.lines[0], price_entered=D(95), data={"dual_control": PriceData(reason="x")}),)
    )
    assert (await shown(typed))[:3] == [("By", kit.context.user.login), ("On", kit.context.today), ("Instead of", D(90))]


async def test_hook_load_facts_asks_nothing_where_nobody_entered_a_price(kit: Kit) -> None:
    from newel_dual_control import hooks
    from newel_dual_control.rules import Prices

    await goods(kit)
    plain = (await kit.app.documents.create("shop.order", order(), kit.context)).document
    async with kit.app.database.read() as session:
        assert await hooks.load_facts(plain, session) is None
        assert session.statements == 0
    assert hooks.propose_panels(plain, Facts([Prices()]), kit.context) == []


# ---- prices ----------------------------------------------------------------------------------------------------------------------------


async def test_hook_check_document_a_low_price_waits_for_somebody_else(kit: Kit) -> None:
    """Ann sells a pump of 100 at 70. She can't let it pass, by the API either; Bob can. At 69 it is another thing again."""
    await kit.settings("dual_control", price_percent="80")
    ann, bob = await two(kit)
    line = {"item": "PUMP", "quantity": "1", "price": "70"}
    made = await ann.post("/api/documents/shop.order", json={"party": "ACME", "lines": [line]})
    assert made.status_code == 201, made.text
    document = made.json()["document"]
    id, (hold,) = document["id"], document["holds"]
    assert (hold["code"], "1 EA Pump at 70 EUR" in hold["reason"]) == ("dual_control.price", True)
    assert (await ann.post(f"/api/document/{id}/transitions/confirm", json={})).status_code in (409, 422)
    own = await ann.post(f"/api/document/{id}/holds/{hold['id']}/release")
    assert (own.status_code, "has worked on" in own.text) == (403, True)
    assert (await bob.post(f"/api/document/{id}/holds/{hold['id']}/release")).status_code < 300
    lower = await ann.put(f"/api/document/{id}", json={"party": "ACME", "lines": [{**line, "id": document["lines"][0]["id"], "price": "69"}]},
                          headers={"If-Match": str(document["version"])})  # fmt: skip
    assert [h["active"] for h in lower.json()["document"]["holds"]] == [False, True], lower.text
    assert (await ann.post(f"/api/document/{id}/transitions/confirm", json={})).status_code in (409, 422)
    again = lower.json()["document"]["holds"][1]["id"]
    assert (await ann.post(f"/api/document/{id}/holds/{again}/release")).status_code == 403
    assert (await bob.post(f"/api/document/{id}/holds/{again}/release")).status_code < 300
    assert (await ann.post(f"/api/document/{id}/transitions/confirm", json={})).status_code == 200
    assert await kit.verify() == []


@pytest.mark.parametrize(("percent", "entered", "waits"), [
    ("80", {"price": 80}, False), ("80", {"price": "79.99"}, True), ("80", {"discount": 21}, True), ("80", {"price": 100, "discount": 21}, True),
    ("80", {}, False), ("0", {"price": 100}, True), ("0", {"price": 200}, True), ("0", {"discount": 1}, True), ("0", {}, False), (None, {"price": 1}, False),
])  # fmt: skip
async def test_which_prices_wait(kit: Kit, percent: str | None, entered: dict[str, Any], waits: bool) -> None:
    if percent is not None:
        await kit.settings("dual_control", price_percent=percent)
    await goods(kit)
    work = kit.app.documents.create("shop.order", order(**entered), kit.context, then=("confirm",))
    if waits:
        with pytest.raises(Refused, match="released"):
            await work
    else:
        assert (await work).document.state == "confirmed"


async def test_a_release_counts_for_what_was_released(kit: Kit) -> None:
    """While it is held Ann lowers the price: what Bob releases is not what stands there, so it does not go on until he sees that, too."""
    await kit.settings("dual_control", price_percent="80")
    await goods(kit)
    do, ann, bob = kit.app.documents, as_user(kit, "ann"), as_user(kit, "bob")
    made = (await do.create("shop.order", order(70), ann)).document
    changed = (await do.update(made.id, made.version, order(10), ann)).document
    await do.release(changed.holds[0].id, bob)
    await refused(do.act(made.id, "confirm", ann), "dual_control.unreleased")
    saved = (await do.update(made.id, changed.version, order(10), ann)).document
    await do.release(next(h.id for h in saved.holds if h.active), bob)
    assert (await do.act(made.id, "confirm", ann)).document.state == "confirmed"
    dropped = (await do.create("shop.order", order(1), ann)).document
    assert (await do.act(dropped.id, "cancel", ann)).document.state == "cancelled", "it may be given up"


# ---- credit ----------------------------------------------------------------------------------------------------------------------------


async def test_hook_check_release_nobody_lets_their_own_credit_pass(kit: Kit) -> None:
    """Who made, changed or confirmed the order can't release it: not by the API, not by the decision about credit, not by a job."""
    await kit.settings("credit", order="hold")
    ann, bob = await two(kit)
    await kit.record("credit.limit", party="ACME", amount=10, currency="EUR")
    body = {"party": "ACME", "lines": [{"item": "PUMP", "quantity": "1"}]}
    made = (await ann.post("/api/documents/shop.order", json=body)).json()["document"]
    confirmed = (await bob.post(f"/api/document/{made['id']}/transitions/confirm", json={})).json()["document"]
    (hold,) = [h for h in confirmed["holds"] if h["code"] == "credit.limit"]
    way = f"/api/document/{made['id']}/holds/{hold['id']}/release"
    for client in (ann, bob):
        assert "dual_control.own" in (answer := await client.post(way)).text, answer.text
        assert (await client.post(f"/api/credit/documents/{made['id']}/decision", json={"release": True})).status_code == 403
    for context, code in ((as_user(kit, "newel", source="nightly"), "nobody"), (as_user(kit, "cleo", source="mail"), "nobody")):
        await refused(kit.app.documents.release(hold["id"], context), f"dual_control.{code}")
    assert (await kit.app.documents.get(made["id"], kit.context)).holds[0].active
    third = await kit.client(*EVERY)
    assert (await third.post(f"/api/credit/documents/{made['id']}/decision", json={"release": True})).status_code == 204
    assert not (await kit.app.documents.get(made["id"], kit.context)).holds[0].active


async def test_other_holds_are_released_as_before(kit: Kit) -> None:
    await kit.settings("dual_control", holds=[])
    await kit.settings("credit", order="hold")
    await two(kit)
    await kit.record("credit.limit", party="ACME", amount=10, currency="EUR")
    made = (await kit.app.documents.create("shop.order", order(), kit.context, then=("confirm",))).document
    await kit.app.documents.release(made.holds[0].id, kit.context)
    assert not any(h.active for h in (await kit.app.documents.get(made.id, kit.context)).holds)


# ---- records ---------------------------------------------------------------------------------------------------------------------------


async def proposed(client: httpx.AsyncClient, kind: str, changes: str, **more: Any) -> int:
    answer = await client.post("/api/records/dual_control.proposal", json={"kind": kind, "changes": changes, **more})
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


async def decided(client: httpx.AsyncClient, proposal: int, decision: str = "approve") -> httpx.Response:
    return await client.post(f"/api/dual_control/proposals/{proposal}/decision", json={"decision": decision})


async def test_hook_check_record_a_role_waits_for_somebody_else(kit: Kit) -> None:
    """Ann gives herself nothing: she proposes it, and Bob approves. She can't by the form, the API, a list, a job, nor by changing the proposal."""
    ann, bob = await two(kit)
    role = await kit.record("newel.role", code="boss", name="Boss")
    await kit.record("newel.role_permission", role=role, permission="shop.*")
    (me,) = await kit.rows("SELECT id, login FROM app_user WHERE login = 'user1'")
    await kit.settings("dual_control", records=ROLES)
    wanted = {"user": me["id"], "role": role}
    direct = await ann.post("/api/records/newel.user_role", json=wanted)
    assert (direct.status_code, "dual_control.proposal" in direct.text) == (422, True)
    listed = await kit.app.records.import_rows("newel.user_role", [wanted], as_user(kit, "user1"))
    assert [p.code for p in listed.problems] == ["dual_control.proposal"]
    await refused(kit.app.records.save("newel.user_role", None, wanted, as_user(kit, "newel", source="nightly")), "dual_control.proposal")
    await refused(kit.app.records.save("newel.role_permission", None, {"role": role, "permission": "*"}, as_user(kit, "user1")), "dual_control.proposal")
    (had,) = await kit.rows('SELECT id FROM user_role WHERE "user" = ?', me["id"])
    await refused(kit.app.records.delete("newel.user_role", had["id"], as_user(kit, "user1")), "dual_control.proposal")
    waiting = await proposed(ann, "newel.user_role", "user: user1\nrole: boss", reason="stands in for Cleo")
    own = await decided(ann, waiting)
    assert (own.status_code, "dual_control.own" in own.text) == (403, True)
    assert (await bob.patch(f"/api/records/dual_control.proposal/{waiting}", json={"reason": "x"})).status_code == 422, "it stays as it was entered"
    assert (await bob.delete(f"/api/records/dual_control.proposal/{waiting}")).status_code == 422
    assert len(await kit.rows('SELECT id FROM user_role WHERE "user" = ?', me["id"])) == 1
    assert (await decided(bob, waiting)).status_code == 204
    assert len(await kit.rows('SELECT id FROM user_role WHERE "user" = ?', me["id"])) == 2
    (row,) = await kit.rows("SELECT state, entered_by, decided_by FROM dual_control_proposal")
    assert row == {"state": "approved", "entered_by": "user1", "decided_by": "user2"}
    assert (await decided(bob, waiting)).status_code == 409
    given = await proposed(ann, "newel.user_role", "", record=str(had["id"]), deletes=True)
    assert (await decided(bob, given)).status_code == 204
    assert [r["role"] for r in await kit.rows('SELECT role FROM user_role WHERE "user" = ?', me["id"])] == [role]


async def test_single_fields_wait_and_the_others_do_not(kit: Kit) -> None:
    """The limit of a customer needs two people, its telephone number one; a new customer with a limit needs two."""
    ann, bob = await two(kit)
    await kit.settings("dual_control", records={"newel.party": ["limit_amount"]})
    save, context = kit.app.records.save, kit.context
    acme = await kit.app.records.find("newel.party", "ACME", context)
    await save("newel.party", acme, {"phone": "030 1"}, context)
    found = await refused(save("newel.party", acme, {"limit_amount": 5000, "phone": "030 2"}, context), "dual_control.proposal")
    assert (found.problems[0].where, found.problems[0].plugin) == ("limit_amount", "dual_control")
    await refused(save("newel.party", None, {"number": "NEW", "name": "New", "limit_amount": 1}, context), "dual_control.proposal")
    rejected = await proposed(ann, "newel.party", "limit_amount: 9000", record="ACME")
    assert (await decided(ann, rejected, "reject")).status_code == 204, "one takes back one's own"
    assert (await decided(bob, rejected)).status_code == 409
    wrong = await proposed(ann, "newel.party", "limit_amount: much", record="ACME")
    assert (await decided(bob, wrong)).status_code == 422
    assert (await kit.rows("SELECT state FROM dual_control_proposal WHERE id = ?", wrong))[0]["state"] == "waiting"
    fine = await proposed(ann, "newel.party", "limit_amount: 5000\nphone: 030 3", record="ACME")
    assert (await decided(bob, fine)).status_code == 204
    row = await kit.app.records.get("newel.party", acme or 0, context)
    assert (row["limit_amount"], row["phone"]) == (5000, "030 3")


async def test_who_may_not_change_it_neither_proposes_nor_approves_it(kit: Kit) -> None:
    ann, _ = await two(kit)
    await kit.settings("dual_control", records={"newel.party": ["limit_amount"]})
    sent = {"kind": "newel.party", "record": "ACME", "changes": "limit_amount: 1"}
    poor = await kit.client("dual_control.proposal.edit", "dual_control.proposal.view", "dual_control.approve")
    answer = await poor.post("/api/records/dual_control.proposal", json=sent)
    assert (answer.status_code, "dual_control.right" in answer.text) == (422, True)
    waiting = await proposed(ann, "newel.party", "limit_amount: 1", record="ACME")
    assert (await decided(poor, waiting)).status_code == 403
    assert (await decided(await kit.client("newel.party.edit"), waiting)).status_code == 403
    for body, code in (
        ({**sent, "kind": "newel.item"}, "kind"), ({**sent, "changes": "limit_amount"}, "line"), ({**sent, "changes": ""}, "empty"),
        ({**sent, "deletes": True}, "empty"), ({**sent, "changes": "phone: 1\nphone: 2"}, "line"),
    ):  # fmt: skip
        assert f"dual_control.{code}" in (await ann.post("/api/records/dual_control.proposal", json=body)).text, body


async def test_decided_on_the_page(kit: Kit) -> None:
    """The proposal's page has the decision as a form; the list says what waits."""
    ann, _ = await two(kit)
    await kit.settings("dual_control", records={"newel.party": ["limit_amount"]})
    waiting = await proposed(ann, "newel.party", "limit_amount: 1", record="ACME")
    browser = await kit.browser()
    page = (await browser.get(f"/records/dual_control.proposal/{waiting}")).text
    assert "Decide about it" in page
    assert "Waiting" in (await browser.get("/records/dual_control.proposal")).text
