"""Articles in the life of a company: written, reviewed by somebody else, published in versions, found, offered, and read by whom they are for."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from newel.domain.context import Context, User
from newel.domain.document import DocumentInput
from newel.errors import Refused
from newel.manifest import Panel
from newel.services import reports
from newel.services.pages import detail, panels
from newel_knowledge import decide, facts
from newel_knowledge.rules import AUDIENCES, KIND, READ
from newel_sdk.kit import Kit

pytestmark = pytest.mark.plugins("knowledge", "requests")
BEARING = (
    "## Before you begin\n\nSwitch the press off.\n\n1. Take the cover off.\n2. Pull the **bearings** from the shaft with the puller, never with a hammer."
)


def somebody(kit: Kit, login: str, *permissions: str, party: int | None = None) -> Context:
    """Another person of the same company."""
    user = User(id=7, login=login, permissions=frozenset(permissions), companies=frozenset({kit.context.company.id}), party=party)
    return msgspec.structs.replace(kit.context, user=user)


def reviewer(kit: Kit) -> Context:
    return somebody(kit, "rita", "knowledge.*")


async def article(kit: Kit, title: str, body: str, *, publish: bool = True, **values: Any) -> int:
    """An article that the kit's user writes and Rita publishes."""
    id = await kit.app.records.save(KIND, None, {"title": title, "body": body, **values}, kit.context)
    if publish:
        await decide.step(kit.app, id, "submit", kit.context)
        await decide.step(kit.app, id, "publish", reviewer(kit))
    return id


async def codes(work: Any) -> list[str]:
    with pytest.raises(Refused) as caught:
        await work
    return [p.code for p in caught.value.problems] or [str(caught.value.status)]


async def found(kit: Kit, text: str, context: Context | None = None, readers: tuple[str, ...] = tuple(AUDIENCES)) -> list[str]:
    """Titles of what a search gives, the best first."""
    async with kit.app.database.read() as session:
        return [r["title"] for r in await facts.listed(session, context or kit.context, readers, text, {})]


async def box(kit: Kit, document: int, context: Context | None = None) -> list[tuple[str, str]]:
    """What the box of articles on a document's page says."""
    shown = [p for name, p in (await detail(kit.app, document, context or kit.context)).panels if name == "knowledge"]
    return _rows(shown)


def _rows(shown: list[Panel]) -> list[tuple[str, str]]:
    return [(label, value if isinstance(value, str) else str(value.value)) for p in shown for label, value in p.rows]


# ---- the whole sentence ----------------------------------------------------------------------------------------------------------------


@pytest.mark.capability("SRV-11")
async def test_hook_register_plugin_service_staff_share_what_they_know(kit: Kit) -> None:
    """One writes, a colleague reviews and publishes, the others find it, use it for a request and say that it solved it; the next version follows."""
    press = await kit.item("PRESS", price=9000)
    category = await kit.record("knowledge.category", code="REPAIR", name="Repair")
    id = await article(kit, "Changing the bearings of the press", BEARING, publish=False, item=press, category=category, tags="press, bearing")
    sam = somebody(kit, "sam", READ)
    assert await found(kit, "bearings", sam) == [], "what is being written is not found"
    await decide.step(kit.app, id, "submit", kit.context)
    await decide.step(kit.app, id, "publish", reviewer(kit))
    assert await found(kit, "bearing press", sam) == ["Changing the bearings of the press"]

    await kit.party("ACME")
    request = (await kit.document("requests.request", "ACME", then=["submit"], data={"requests": {"type": "help"}}, text="The press is loud")).document
    await decide.answer(kit.app, id, "solved", kit.context, document=request.id)
    await decide.answer(kit.app, id, "solved", kit.context, document=request.id)
    assert await box(kit, request.id) == [("Solved it", "Changing the bearings of the press")]
    async with kit.app.database.read() as session:
        row = await facts.read(session, sam, tuple(AUDIENCES), id)
        assert row is not None
        assert (row["number"], row["solved"], row["item_number"], row["category_name"]) == (1, 1, "PRESS", "Repair")
        assert [(d["number"], d["answer"]) for d in await facts.used_by(session, id)] == [(request.number, "solved")]

    await decide.step(kit.app, id, "revise", kit.context)
    await kit.app.records.save(KIND, id, {"body": BEARING + "\n3. Grease the new ones."}, kit.context)
    assert await found(kit, "grease", sam) == [], "readers keep the first version while the second is written"
    await decide.step(kit.app, id, "submit", kit.context)
    await decide.step(kit.app, id, "publish", reviewer(kit))
    assert await found(kit, "grease", sam) == ["Changing the bearings of the press"]
    async with kit.app.database.read() as session:
        assert [v["number"] for v in await facts.versions(session, id, tuple(AUDIENCES))] == [2, 1]
        old = await facts.read(session, sam, tuple(AUDIENCES), id, 1)
    assert old is not None
    assert old["body"] == BEARING, "the first version stays readable"
    actions = [e.action for e in await kit.app.records.history(KIND, id, kit.context)]
    assert actions == ["publish", "submit", "change", "revise", "publish", "submit", "create"]


# ---- review ----------------------------------------------------------------------------------------------------------------------------


async def test_nobody_publishes_what_they_have_written(kit: Kit) -> None:
    """Not the author, and not a reviewer who mended a word before; a third one may. The setting can switch it off."""
    id = await article(kit, "Oil", "Use oil.", publish=False)
    rita = reviewer(kit)
    await kit.app.records.save(KIND, id, {"body": "Use the right oil."}, rita)
    await decide.step(kit.app, id, "submit", kit.context)
    assert await codes(decide.step(kit.app, id, "publish", kit.context)) == ["knowledge.dual_control"]
    assert await codes(decide.step(kit.app, id, "publish", rita)) == ["knowledge.dual_control"]
    await decide.step(kit.app, id, "publish", somebody(kit, "tom", "knowledge.*"))
    (row,) = await kit.rows("SELECT number, writers, published_by FROM knowledge_version")
    assert (row["number"], row["writers"], row["published_by"]) == (1, f"{kit.context.user.login}, rita", "tom")

    await decide.step(kit.app, id, "revise", kit.context)
    await kit.app.records.save(KIND, id, {"tags": "oil"}, kit.context)
    await decide.step(kit.app, id, "submit", kit.context)
    await decide.step(kit.app, id, "publish", rita)  # she has written nothing since the last version
    await decide.step(kit.app, id, "revise", kit.context)
    await decide.step(kit.app, id, "submit", kit.context)
    await kit.settings("knowledge", dual_control=False)
    await decide.step(kit.app, id, "publish", kit.context)


async def test_what_is_in_review_or_published_is_not_changed(kit: Kit) -> None:
    """The reviewer publishes what was read, and nothing that was slipped in; steps that make no sense are refused, and so is who has no right."""
    id = await article(kit, "Oil", "Use oil.", publish=False)
    await decide.step(kit.app, id, "submit", kit.context)
    assert await codes(kit.app.records.save(KIND, id, {"body": "Use water."}, kit.context)) == ["knowledge.locked"]
    assert await codes(kit.app.records.save(KIND, id, {"state": "published"}, kit.context)) == ["field.readonly"]
    await kit.app.records.save(KIND, id, {"review_on": "2027-05-01"}, kit.context)
    assert await codes(decide.step(kit.app, id, "retire", kit.context)) == ["knowledge.step"]
    assert await codes(decide.step(kit.app, id, "explode", kit.context)) == ["missing"]
    assert await codes(decide.step(kit.app, id, "publish", somebody(kit, "sam", READ, f"{KIND}.edit"))) == ["permission"]
    await decide.step(kit.app, id, "publish", reviewer(kit))
    (row,) = await kit.rows("SELECT state, version, review_on FROM knowledge_article")
    assert (row["state"], row["version"], str(row["review_on"])) == ("published", 1, "2027-05-01")
    empty = await article(kit, "Nothing", " ", publish=False)
    assert await codes(decide.step(kit.app, empty, "submit", kit.context)) == ["knowledge.empty"]


async def test_what_is_due_for_review_is_listed(kit: Kit) -> None:
    """A year after publication, unless the article says otherwise; confirmed, it is due a year later again."""
    await article(kit, "Oil", "Use oil.")
    soon = await article(kit, "Grease", "Use grease.", review_on="2026-01-20")
    await article(kit, "Draft", "Not yet.", publish=False, review_on="2026-01-20")

    async def due() -> list[str]:
        return [r["title"] for r in await reports.run(kit.app, "knowledge.due", {}, kit.context)]

    assert await due() == ["Grease"]
    await decide.step(kit.app, soon, "confirm", reviewer(kit))
    assert await due() == []
    kit.clock.advance(days=360)
    assert await due() == ["Grease", "Oil"]


# ---- who reads what --------------------------------------------------------------------------------------------------------------------


async def test_users_of_a_party_read_what_is_for_them(kit: Kit) -> None:
    """Partners and public, published and not retired; not by search, not by id, not by an older version, not by the records, whatever their rights."""
    party = await kit.party("ACME")
    guest = somebody(kit, "erin@acme", "*", party=party)
    ids = {name: await article(kit, f"Pump {name}", "How the pump works.", audience=name) for name in AUDIENCES}
    await article(kit, "Pump draft", "How the pump works.", audience="public", publish=False)
    readers = ("partner", "public")
    assert sorted(await found(kit, "pump", guest, readers)) == ["Pump partner", "Pump public"]
    async with kit.app.database.read() as session:
        assert await facts.read(session, guest, readers, ids["internal"]) is None
        assert await facts.working(session, guest, ids["public"]) is None

    await decide.step(kit.app, ids["public"], "revise", kit.context)
    await kit.app.records.save(KIND, ids["public"], {"audience": "internal"}, kit.context)
    assert len(await found(kit, "pump", guest, readers)) == 2, "the change is not published yet"
    await decide.step(kit.app, ids["public"], "submit", kit.context)
    await decide.step(kit.app, ids["public"], "publish", reviewer(kit))
    assert await found(kit, "pump", guest, readers) == ["Pump partner"]
    async with kit.app.database.read() as session:
        assert await facts.read(session, guest, readers, ids["public"], 1) is None, "it was public once, and is not any more"

    await decide.step(kit.app, ids["partner"], "retire", reviewer(kit))
    assert await found(kit, "pump", guest, readers) == []
    assert (await kit.app.records.page(KIND, guest)).rows == []
    assert await codes(kit.app.records.get(KIND, ids["partner"], guest)) == ["missing"]
    assert await codes(decide.step(kit.app, ids["partner"], "revise", guest)) == ["permission"]
    assert await codes(decide.answer(kit.app, ids["internal"], "solved", guest)) == ["missing"]


async def test_without_logging_in_only_where_the_setting_says_so(kit: Kit) -> None:
    """Closed by default; open, it shows what is for everybody, and neither partners' nor internal articles."""
    ids = {name: await article(kit, f"Pump {name}", "How the **pump** works.", audience=name) for name in AUDIENCES}
    (await kit.browser()).cookies.clear()
    web = await kit.browser()
    web.cookies.clear()
    address = f"/knowledge/open/{kit.context.company.code}"
    assert (await web.get(address)).status_code == 404
    assert (await web.get("/knowledge")).status_code in (302, 303, 401)
    await kit.settings("knowledge", open=True)
    text = (await web.get(address, params={"q": "pump"})).text
    assert "public" in text
    assert "Pump internal" not in text
    assert "Pump partner" not in text
    assert "<strong>pump</strong>" in (await web.get(f"{address}/{ids['public']}")).text
    assert [(await web.get(f"{address}/{ids[n]}")).status_code for n in ("internal", "partner")] == [404, 404]
    assert (await web.get("/knowledge/open/NOWHERE")).status_code == 404


# ---- finding ---------------------------------------------------------------------------------------------------------------------------


async def test_search_is_the_same_on_both_databases(kit: Kit) -> None:
    """The title counts more than the text; words in other forms, without accents, in parts, and numbers with signs in them are found; all words must fit."""
    await article(kit, "Oil for the gearbox", "Fill in two litres. Bearings are not touched.")
    await article(kit, "Bearing 6204-2RS", "Change it every year. The gearbox stays closed.")
    await article(kit, "Öl für Türen", "Ein Tropfen Öl in jedes Scharnier.", language="de")
    assert await found(kit, "bearing") == ["Bearing 6204-2RS", "Oil for the gearbox"]
    assert sorted(await found(kit, "bearings gearbox")) == ["Bearing 6204-2RS", "Oil for the gearbox"]
    assert await found(kit, "6204-2rs") == ["Bearing 6204-2RS"]
    assert await found(kit, "gear litr") == ["Oil for the gearbox"]
    assert await found(kit, "TÜREN") == await found(kit, "turen") == ["Öl für Türen"]
    assert await found(kit, "litres hinge") == ["Oil for the gearbox"], "where nothing has all words, what has some"
    assert await found(kit, "carburettor") == []
    for hostile in ('"', "' OR 1=1 --", "bearing)", "NEAR(a b)", "title:x", "*", "a & | !", "-", "\\", "()", "AND OR NOT", "😀"):
        await found(kit, hostile)


async def test_search_finds_chinese_words_of_two_signs(kit: Kit) -> None:
    """Signs that stand together are found wherever they stand; the same signs in another order are not."""
    await article(kit, "更换压力机轴承", "先关闭电源，然后拆下轴承盖。", language="zh")
    await article(kit, "承轴", "反过来的字。", language="zh")
    assert await found(kit, "轴承") == ["更换压力机轴承"]
    assert await found(kit, "压力机 电源") == ["更换压力机轴承"]
    assert await found(kit, "电池") == []
    async with kit.app.database.read() as session:
        offered = await facts.suggested(session, kit.context, tuple(AUDIENCES), "请问压力机的轴承响了怎么办")
    assert [o.title for o in offered] == ["更换压力机轴承"], "out of a whole sentence, by its words"


async def test_a_deleted_article_is_gone_from_the_index_too(kit: Kit) -> None:
    """The databases keep the index themselves."""
    id = await article(kit, "Oil", "Use oil.")
    await kit.app.records.delete(KIND, id, kit.context)
    assert await found(kit, "oil") == []
    await article(kit, "Oil again", "Use oil.")
    assert await found(kit, "oil") == ["Oil again"]


# ---- around a request ------------------------------------------------------------------------------------------------------------------


async def test_hook_load_facts_reads_nothing_for_other_documents_and_when_saving(kit: Kit) -> None:
    """A plugin that a document has nothing to do with costs nothing."""
    await kit.party("ACME")
    request = (await kit.document("requests.request", "ACME", data={"requests": {"type": "help"}}, text="The bearings are loud")).document
    async with kit.app.database.write() as session:
        before = session.statements
        assert await facts.around(request, session, kit.context) is None
        assert session.statements == before
    async with kit.app.database.read() as session:
        other = msgspec.structs.replace(request, role="sale")
        assert await facts.around(other, session, kit.context) is None
        assert await facts.around(request, session, somebody(kit, "nora")) is None


async def test_hook_propose_panels_offers_what_fits_the_words(kit: Kit) -> None:
    """While a request is typed, before it is stored, and on its page; to its requester only what is for partners."""
    party = await kit.party("ACME")
    for name in AUDIENCES:
        await article(kit, f"Loud bearings, {name}", BEARING, audience=name)
    await article(kit, "Invoices", "Where the invoices are.")
    typed = DocumentInput(party=party, text="Our press has become loud, are these the bearings?", data={"requests": {"type": "help"}})
    outcome = await kit.app.documents.preview("requests.request", typed, kit.context)
    async with kit.app.database.read() as session:
        shown = [p for name, p in await panels(kit.app, session, outcome.document, kit.context) if name == "knowledge"]
    assert sorted(v for _, v in _rows(shown)) == [f"Loud bearings, {name}" for name in sorted(AUDIENCES)]
    request = (await kit.app.documents.create("requests.request", typed, kit.context, then=("submit",))).document
    guest = somebody(kit, "erin@acme", READ, "requests.request.view", party=party)
    assert sorted(v for _, v in await box(kit, request.id, guest)) == ["Loud bearings, partner", "Loud bearings, public"]
    await kit.act(request.id, "resolve")
    assert await box(kit, request.id) == [], "nothing is offered for what is solved"


async def test_a_requester_says_that_it_helped_for_requests_of_their_own_only(kit: Kit) -> None:
    """Counted once for each reader; for a request of another party it is refused as if it were not there."""
    party, other = await kit.party("ACME"), await kit.party("OTHER")
    id = await article(kit, "Loud bearings", BEARING, audience="partner")
    mine, theirs = [
        (await kit.document("requests.request", who, data={"requests": {"type": "help"}}, text="Loud", then=["submit"])).document for who in (party, other)
    ]
    guest = somebody(kit, "erin@acme", READ, "requests.request.view", party=party)
    await decide.answer(kit.app, id, "solved", guest, document=mine.id)
    assert await codes(decide.answer(kit.app, id, "solved", guest, document=theirs.id)) == ["missing"]
    await decide.answer(kit.app, id, "useless", guest)
    assert await codes(decide.answer(kit.app, id, "great", guest)) == ["knowledge.answer"]
    rows = await kit.rows("SELECT login, document, answer FROM knowledge_use ORDER BY id")
    assert [(r["login"], r["document"], r["answer"]) for r in rows] == [("erin@acme", mine.id, "solved"), ("erin@acme", None, "useless")]


async def test_programs_search_with_what_they_may_read(kit: Kit) -> None:
    """GET /api/knowledge/search."""
    await article(kit, "Loud <b>bearings</b>", BEARING)
    client = await kit.client(READ)
    (one,) = (await client.get("/api/knowledge/search", params={"text": "bearing"})).json()
    assert one["title"] == "Loud <b>bearings</b>"
    assert "bearings from the shaft" in one["excerpt"]
    assert (await client.get("/api/knowledge/search", params={"text": "  "})).json() == []
    assert (await (await kit.client("requests.request.view")).get("/knowledge/suggest?text=bearings")).status_code == 403


async def test_every_page_keeps_to_what_a_user_of_a_party_may_read(kit: Kit) -> None:
    """All addresses of the plugin, by somebody who stands for a party and has every permission there is: nothing internal is told."""
    party = await kit.party("ACME")
    secret = await article(kit, "Margins of pumps", "They are high, and this is SECRET.", publish=True)
    draft = await article(kit, "Pump draft", "Not yet, and SECRET.", audience="public", publish=False)
    shared = await article(kit, "Pumps that leak", "Which seal fits.", audience="partner")
    await kit.record("newel.role", code="ALL", name="All")
    await kit.record("newel.role_permission", role="ALL", permission="*")
    await kit.app.users.create("erin", "a long enough passphrase 7", "Erin", ["ALL"], [kit.context.company.id], kit.context, party=party)
    user = await kit.app.users.authenticate("erin", "a long enough passphrase 7")
    assert user is not None
    client = kit._client({"Authorization": f"Bearer {await kit.app.users.create_token(user, 'test', 10)}"})
    assert (await client.get(f"/knowledge/{shared}")).status_code == 200
    said = ""
    for path in ("", "?q=pump", "?q=secret", "/suggest?text=secret+pumps+margins", f"/{shared}?version=1", f"/{shared}?draft=1"):
        said += (await client.get(f"/knowledge{path}")).text
    for path in (f"/{secret}", f"/{draft}", f"/{draft}?draft=1", f"/{secret}?version=1", f"/{secret}/compare?from=1", f"/{secret}/edit", f"/{draft}/edit"):
        answer = await client.get(f"/knowledge{path}")
        assert answer.status_code in (403, 404), path
        said += answer.text
    for path in (f"/{secret}/answer", f"/{draft}/submit", f"/{shared}/retire", f"/{secret}/edit"):
        form = {"said": "solved", "title": "x", "body": "y", "language": "en", "audience": "public"}
        assert (await client.post(f"/knowledge{path}", data=form)).status_code in (403, 404), path
    said += (await client.get("/api/knowledge/search", params={"text": "secret"})).text
    said += (await client.get("/api/records/knowledge.article")).text + (await client.get(f"/records/knowledge.article/{secret}")).text
    assert "SECRET" not in said
    assert "Margins" not in said
    assert "Pump draft" not in said
