"""A user who stands for a party (a vendor, a customer) sees and does what is that party's, and nothing else."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from newel.domain.context import User
from newel.domain.document import DocumentInput, LineInput
from newel.errors import Refused
from newel.services import lists, pages, reports, searching
from newel_sdk.testing import item, party, running, stock

from core.tests.toys import TOY, order

THEIRS = frozenset({"toy.order.*", "toy.delivery.*", "newel.party.*", "newel.address.*", "newel.trial_balance.view"})


async def _refused(work: Any) -> int:
    with pytest.raises(Refused) as caught:
        await work
    return caught.value.status


async def test_only_what_is_theirs(database_url: str) -> None:
    async with running(database_url, {"toy": TOY}) as (app, context):
        mine, other = await party(app, context, "C1"), await party(app, context, "C2")
        await item(app, context, "A", price="10", cost="4")
        await stock(app, context, "A", 10, 40)
        own = (await app.documents.create("toy.order", order(("A", 1)), context, then=["confirm"])).document
        foreign = (await app.documents.create("toy.order", order(("A", 1), party="C2"), context, then=["confirm"])).document
        user = User(id=99, login="them", permissions=THEIRS, companies=frozenset({context.company.id}), party=mine)
        guest = msgspec.structs.replace(context, user=user)

        assert (await app.documents.get(own.id, guest)).id == own.id
        for work in (
            app.documents.get(foreign.id, guest), app.documents.act(foreign.id, "cancel", guest), app.documents.copy(foreign.id, guest),
            app.documents.follow(foreign.id, "deliver", guest), app.documents.preview_act(foreign.id, "cancel", guest),
            app.documents.update(foreign.id, 1, order(("A", 2)), guest), pages.detail(app, foreign.id, guest),
        ):  # fmt: skip
            assert await _refused(work) == 404
        assert [h.id for h in (await lists.page(app, "toy.order", guest, lists.Wanted())).rows] == [own.id]
        assert [h.id for h in (await lists.page(app, "toy.order", guest, lists.Wanted(party=other))).rows] == []
        assert [h.id for h in await lists.recent(app, guest)] == [own.id]
        assert [h.id for h in await searching.search(app, foreign.number, guest)] == []
        assert sum(w.count for w in await lists.waiting(app, guest)) == 1
        assert [r["id"] for r in (await app.records.page("newel.party", guest)).rows] == [mine]
        assert await _refused(app.records.get("newel.party", other, guest)) == 404
        assert await _refused(app.records.save("newel.address", None, {"party": other, "name": "x", "street": "y", "city": "z", "country": "DE"}, guest)) == 422
        sent = await app.documents.follow(own.id, "deliver", guest, then=["ship"])
        seen = await pages.detail(app, sent.document.id, guest)
        assert (sent.moves, sent.entries, seen.moves, seen.entries, seen.events, seen.panels) == ((), (), [], [], [], []), "our costs and books are ours"
        assert (await pages.detail(app, sent.document.id, context)).moves
        assert await _refused(reports.run(app, "newel.trial_balance", {}, guest)) == 403, "a report that can't be narrowed to a party"


async def test_what_they_enter_is_theirs(database_url: str) -> None:
    async with running(database_url, {"toy": TOY}) as (app, context):
        mine = await party(app, context, "C1")
        await party(app, context, "C2")
        await item(app, context, "A", price="10")
        user = User(id=99, login="them", permissions=THEIRS, companies=frozenset({context.company.id}), party=mine)
        guest = msgspec.structs.replace(context, user=user)
        lines = (LineInput(item="A"),)
        made = (await app.documents.create("toy.order", DocumentInput(lines=lines), guest)).document
        assert made.party is not None
        assert made.party.id == mine
        assert await _refused(app.documents.create("toy.order", DocumentInput(party="C2", lines=lines), guest)) == 403
        assert await _refused(app.documents.preview("toy.order", DocumentInput(party="C2", lines=lines), guest)) == 403
        assert await _refused(app.documents.update(made.id, made.version, DocumentInput(party="C2", lines=lines), guest)) == 403
