"""Drafts at work: kept, listed, found again, gone when they are saved or old; everybody's own."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest
from newel.domain.document import DocumentInput, LineInput
from newel.errors import Refused
from newel_drafts import facts, hooks
from newel_drafts.rules import BODY, Draft, checked
from newel_sdk.kit import Kit

pytestmark = pytest.mark.plugins("drafts", "sales")
DRAFT = Draft(key="k1", place="/documents/sales.order/new", title="Sales order new · ACME", fields=(("reference", "half"),), focus="reference")


async def test_hook_register_plugin_keeps_what_is_typed(kit: Kit) -> None:
    """Twice under one key is one draft, the later; another user sees nothing of it; thirty days later it is gone."""
    (job,) = hooks.register_plugin().jobs
    other = msgspec.structs.replace(kit.context, user=msgspec.structs.replace(kit.context.user, login="other"))
    later = msgspec.structs.replace(DRAFT, fields=(("reference", "whole"),))
    async with kit.app.database.write() as session:
        await facts.keep(session, kit.context, DRAFT)
        await facts.keep(session, kit.context, later)
        assert [d.title for d in await facts.listed(session, kit.context, DRAFT.place)] == [DRAFT.title]
        assert await facts.one(session, kit.context, "k1") == later
        assert await facts.listed(session, other) == []
        assert await facts.one(session, other, "k1") is None
        assert job.run is not None
        await job.run(session, {}, msgspec.structs.replace(kit.context, now=kit.context.now + timedelta(days=31)))
        assert await facts.listed(session, kit.context) == []


async def test_what_is_saved_under_the_key_of_its_form_is_no_draft(kit: Kit) -> None:
    """Nobody has to say so: the document carries the key."""
    await kit.party("ACME")
    await kit.item("LAMP", price=5)
    async with kit.app.database.write() as session:
        await facts.keep(session, kit.context, DRAFT)
    entered = DocumentInput(party="ACME", lines=(LineInput(item="LAMP", quantity=Decimal(1)),))
    await kit.app.documents.create("sales.order", entered, kit.context, key="k1")
    async with kit.app.database.read() as session:
        assert await facts.listed(session, kit.context) == []
        assert await facts.one(session, kit.context, "k1") is None


def test_a_draft_is_of_this_site_and_of_a_sane_size() -> None:
    """All that is wrong is said at once."""
    assert checked(DRAFT) == DRAFT
    with pytest.raises(Refused) as refused:
        checked(msgspec.structs.replace(DRAFT, key="", place="//elsewhere", title="t" * 300))
    assert [p.code for p in refused.value.problems] == ["drafts.long", "drafts.place"]
    with pytest.raises(Refused) as refused:
        checked(msgspec.structs.replace(DRAFT, fields=(("text", "x" * BODY),)))
    assert refused.value.status == 413
