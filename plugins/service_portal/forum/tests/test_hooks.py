"""A forum in the life of a company: asked, answered, accepted, followed, moderated, searched; and who sees what of it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from newel.domain.context import Context, User
from newel.errors import Refused
from newel_forum import answer, facts
from newel_forum.rules import MODERATE, POST, READ, THREAD, WRITE, called
from newel_sdk.kit import Kit

pytestmark = pytest.mark.plugins("forum")
MEMBER = (READ, WRITE)


def member(kit: Kit, login: str, *permissions: str, party: int | None = None, name: str = "") -> Context:
    """Somebody who reads and writes, unless other permissions are given."""
    company = kit.context.company.id
    user = User(
        id=abs(hash(login)) % 1000,
        login=login,
        name=name or login.title(),
        permissions=frozenset(permissions or MEMBER),
        companies=frozenset({company}),
        party=party,
    )
    return msgspec.structs.replace(kit.context, user=user)


async def board(kit: Kit, code: str = "SHOP", audience: str = "internal", **values: Any) -> int:
    return await kit.record("forum.board", code=code, name=code.title(), audience=audience, **values)


async def codes(work: Any) -> list[str]:
    with pytest.raises(Refused) as caught:
        await work
    return [p.code for p in caught.value.problems]


async def read(kit: Kit, question: Any, *args: Any) -> Any:
    """What one of the plugin's questions gives."""
    async with kit.app.database.read() as session:
        return await question(session, *args)


async def texts(kit: Kit, thread: int) -> list[str]:
    return [p["text"] for p in await read(kit, facts.posts, thread, 1)]


@pytest.mark.capability("SRV-12")
async def test_hook_register_plugin_a_board_where_colleagues_ask_and_answer(kit: Kit) -> None:
    """One asks, others answer, the asker says which answer it was; who follows sees what is new, everybody finds it, a moderator keeps order."""
    shop = await board(kit)
    ann, ben, mia = member(kit, "ann"), member(kit, "ben"), member(kit, "mia", "forum.*")
    thread = await answer.ask(kit.app, shop, "Which oil for oak?", "The treads are **oak**, untreated.", ann)
    kit.clock.advance(minutes=5)
    ann, ben, mia = (msgspec.structs.replace(c, now=kit.clock.now) for c in (ann, ben, mia))
    assert [b["unread"] for b in await read(kit, facts.boards, ben)] == [1]
    assert [b["unread"] for b in await read(kit, facts.boards, ann)] == [0]
    wrong = await answer.reply(kit.app, thread, "Sunflower oil.", ben)
    right = await answer.reply(kit.app, thread, "Linseed oil, twice.", ben)
    assert [t["title"] for t in await read(kit, facts.news, ann)] == ["Which oil for oak?"], "who asks follows"
    await answer.seen(kit.app, thread, ann)
    assert await read(kit, facts.news, ann) == []
    await answer.accept(kit.app, right, ann)
    found = await read(kit, facts.thread, ann, thread)
    assert (found["answers"], found["accepted"]) == (2, right)
    assert [t["title"] for t in await read(kit, facts.find, ben, "linseed")] == ["Which oil for oak?"]

    await answer.report(kit.app, wrong, "It goes rancid", ann)
    (told,) = await read(kit, facts.reports, mia)
    assert (told["text"], told["reason"]) == ("Sunflower oil.", "It goes rancid")
    await answer.moderate(kit.app, wrong, True, "Wrong and harmful", mia)
    assert await read(kit, facts.reports, mia) == []
    assert await read(kit, facts.find, ben, "sunflower") == []
    await answer.turn(kit.app, thread, "lock", mia)
    await answer.turn(kit.app, thread, "pin", mia)
    assert await codes(answer.reply(kit.app, thread, "Me too", ben)) == ["forum.locked"]
    history = [e.action for e in await kit.app.records.history(POST, wrong, kit.context)]
    assert history == ["hide", "create"]
    assert [e.action for e in await kit.app.records.history(THREAD, thread, kit.context)] == ["pin", "lock", "accept", "create"]
    assert await texts(kit, thread) == ["The treads are **oak**, untreated.", "Sunflower oil.", "Linseed oil, twice."], "nothing is lost"


async def test_only_the_asker_or_a_moderator_accepts_an_answer(kit: Kit) -> None:
    """Not whoever answers, and not the question itself; accepted again, it is taken back."""
    thread = await answer.ask(kit.app, await board(kit), "Which oil?", "For oak.", member(kit, "ann"))
    post = await answer.reply(kit.app, thread, "Linseed.", member(kit, "ben"))
    assert await codes(answer.accept(kit.app, post, member(kit, "ben"))) == ["permission"]
    (question,) = await kit.rows("SELECT MIN(id) AS id FROM forum_post")
    assert await codes(answer.accept(kit.app, question["id"], member(kit, "ann"))) == ["forum.accept"]
    await answer.accept(kit.app, post, member(kit, "mia", "forum.*"))
    await answer.accept(kit.app, post, member(kit, "ann"))
    assert (await read(kit, facts.thread, member(kit, "ann"), thread))["accepted"] is None


async def test_users_of_a_party_see_boards_of_their_audience_only(kit: Kit) -> None:
    """Not by list, search, thread, post, report or following; not as records, whatever their rights; and they never moderate."""
    erin = member(kit, "erin@acme", "*", party=await kit.party("ACME"))
    inside, outside = await board(kit, "INSIDE"), await board(kit, "OUTSIDE", "partner")
    secret = await answer.ask(kit.app, inside, "Margins of pumps", "They are high.", member(kit, "ann"))
    shared = await answer.ask(kit.app, outside, "Pumps that leak", "Which seal?", erin)
    post = await answer.reply(kit.app, secret, "Very high.", member(kit, "ben"))
    assert [b["code"] for b in await read(kit, facts.boards, erin)] == ["OUTSIDE"]
    assert [t["title"] for t in await read(kit, facts.find, erin, "pumps")] == ["Pumps that leak"]
    assert await read(kit, facts.thread, erin, secret) is None
    for work in (
        answer.ask(kit.app, inside, "Hello there", "Hi.", erin), answer.reply(kit.app, secret, "Hi.", erin), answer.turn(kit.app, secret, "follow", erin),
        answer.report(kit.app, post, "I want to see it", erin), answer.accept(kit.app, post, erin),
    ):  # fmt: skip
        assert await codes(work) == ["missing"]
    assert await codes(answer.moderate(kit.app, post, True, "Because", erin)) == ["permission"]
    assert await codes(answer.turn(kit.app, shared, "pin", erin)) == ["permission"]
    for kind in (THREAD, POST, "forum.board", "forum.report"):
        assert (await kit.app.records.page(kind, erin)).rows == []


async def test_authors_have_names_and_no_logins(kit: Kit) -> None:
    """Somebody without a name, or whose name is an address, is a number."""
    assert called(member(kit, "ann", name="Ann Adams").user) == "Ann Adams"
    for name in ("ann", "ann@example.org"):
        user = msgspec.structs.replace(member(kit, "ann").user, name=name, id=17)
        assert called(user) == "Member 17"
    thread = await answer.ask(kit.app, await board(kit), "Which oil?", "For oak.", member(kit, "ann@acme", name="Ann Adams"))
    await kit.app.users.create("reader", "a long enough passphrase 7", "Reader", [], [kit.context.company.id], kit.context)
    text = (await (await kit.browser()).get(f"/forum/threads/{thread}")).text
    assert "Ann Adams" in text
    assert "ann@acme" not in text


async def test_hidden_posts_are_seen_by_moderators_only(kit: Kit) -> None:
    """The others read that it was hidden and why; a hidden question takes its thread along; shown again, all is back."""
    ann, mia = member(kit, "ann"), member(kit, "mia", "forum.*")
    shop = await board(kit)
    thread = await answer.ask(kit.app, shop, "Buy my car", "It is cheap.", ann)
    (first,) = await kit.rows("SELECT id FROM forum_post")
    assert await codes(answer.moderate(kit.app, first["id"], True, " ", mia)) == ["forum.reason"]
    await answer.moderate(kit.app, first["id"], True, "No advertising", mia)
    assert (await read(kit, facts.threads, ann, shop, 1))[1] == 0
    assert (await read(kit, facts.threads, mia, shop, 1))[1] == 1
    assert await codes(answer.reply(kit.app, thread, "How much?", ann)) == ["missing"]
    assert await read(kit, facts.find, ann, "cheap") == []
    await answer.moderate(kit.app, first["id"], False, "", mia)
    assert [t["title"] for t in await read(kit, facts.find, ann, "cheap")] == ["Buy my car"]


async def test_whoever_writes_too_much_waits(kit: Kit) -> None:
    """Three within an hour by setting, the fourth when the first is an hour old; moderators and nought do not count."""
    await kit.settings("forum", posts_per_hour=3)
    ann, mia = member(kit, "ann"), member(kit, "mia", "forum.*")
    thread = await answer.ask(kit.app, await board(kit), "Which oil?", "For oak.", ann)
    for n in range(2):
        await answer.reply(kit.app, thread, f"Nobody? {n}", ann)
    with pytest.raises(Refused) as caught:
        await answer.reply(kit.app, thread, "Hello?", ann)
    assert [(p.code, p.where) for p in caught.value.problems] == [("forum.too_many", "text")]
    assert caught.value.problems[0].hint == f"you can go on at {kit.clock.now.hour + 1:02}:{kit.clock.now.minute:02} UTC"
    for n in range(5):
        await answer.reply(kit.app, thread, f"Patience {n}", mia)
    kit.clock.advance(minutes=60)
    await answer.reply(kit.app, thread, "Hello?", msgspec.structs.replace(ann, now=kit.clock.now))


async def test_what_is_wrong_is_said_at_once(kit: Kit) -> None:
    """Title and text together; a closed board takes answers and no threads; nobody writes without the right, or as a record."""
    shop = await board(kit)
    ann = member(kit, "ann")
    assert await codes(answer.ask(kit.app, shop, "?", " ", ann)) == ["forum.title", "forum.text"]
    thread = await answer.ask(kit.app, shop, "Which oil?", "For oak.", ann)
    await kit.app.records.save("forum.board", shop, {"closed": True}, kit.context)
    assert await codes(answer.ask(kit.app, shop, "Which wax?", "For oak.", ann)) == ["forum.closed"]
    await answer.reply(kit.app, thread, "Linseed.", ann)
    assert await codes(answer.reply(kit.app, thread, "x" * 20_001, ann)) == ["forum.text"]
    assert await codes(answer.reply(kit.app, thread, "Hi", member(kit, "eve", READ))) == ["permission"]
    assert await codes(kit.app.records.save(POST, None, {}, kit.context)) == ["forum.only_here"]
    assert await codes(answer.turn(kit.app, thread, "burn", member(kit, "mia", MODERATE, READ))) == ["missing"]


async def test_unread_marks_and_following(kit: Kit) -> None:
    """What was there a month before one came is not new; all can be marked as read; who does not follow any more is told nothing."""
    shop = await board(kit)
    ann = member(kit, "ann")
    old = await answer.ask(kit.app, shop, "Old question", "Long ago.", ann)
    kit.clock.advance(days=31)
    ann, ben = (msgspec.structs.replace(member(kit, n), now=kit.clock.now) for n in ("ann", "ben"))
    thread = await answer.ask(kit.app, shop, "Which oil?", "For oak.", ann)
    assert [b["unread"] for b in await read(kit, facts.boards, ben)] == [1]
    await answer.turn(kit.app, old, "follow", ben)
    await answer.seen(kit.app, None, ben)
    assert [b["unread"] for b in await read(kit, facts.boards, ben)] == [0]
    kit.clock.advance(minutes=1)
    later = msgspec.structs.replace(ann, now=kit.clock.now)
    await answer.reply(kit.app, thread, "Nobody?", later)
    await answer.reply(kit.app, old, "Still open.", later)
    ben = msgspec.structs.replace(ben, now=kit.clock.now)
    assert [t["title"] for t in await read(kit, facts.news, ben)] == ["Old question"]
    assert [t["unread"] for t in (await read(kit, facts.threads, ben, shop, 1))[0]] == [1, 1]
    await answer.turn(kit.app, old, "unfollow", ben)
    await answer.seen(kit.app, old, msgspec.structs.replace(ben, now=kit.clock.now))
    assert await read(kit, facts.news, ben) == []


async def test_search_is_the_same_on_both_databases(kit: Kit) -> None:
    """One line for each thread, the one whose title fits first; Chinese, too."""
    shop = await board(kit)
    mia = member(kit, "mia", "forum.*")
    first = await answer.ask(kit.app, shop, "Bearing 6204 is loud", "What now?", mia)
    await answer.reply(kit.app, first, "Change the bearing. Bearings are cheap.", mia)
    await answer.ask(kit.app, shop, "Oil", "Does the bearing need some?", mia)
    await answer.ask(kit.app, shop, "轴承响了", "怎么更换轴承？", mia)
    assert [t["title"] for t in await read(kit, facts.find, mia, "bearings")] == ["Bearing 6204 is loud", "Oil"]
    assert [t["title"] for t in await read(kit, facts.find, mia, "更换轴承")] == ["轴承响了"]
