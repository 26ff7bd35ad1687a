"""R6: whichever call to the database fails, a posting has happened as a whole or not at all, and asking again makes it whole once."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from decimal import Decimal

import pytest
from newel.domain.context import Context
from newel.domain.document import DocumentInput, LinkInput
from newel.errors import Refused
from newel.services.app import Newel
from newel_sdk.testing import running

from core.tests.test_engine import company, open_items
from core.tests.toys import order, paying
from tests.reliability.books import MODULES, counts, goods, sound
from tests.reliability.conftest import Run
from tests.reliability.failing import CUT_OFF, Planned, failing
from tests.reliability.plants import planted

pytestmark = pytest.mark.filterwarnings(*CUT_OFF)
Posting = Callable[[str], Awaitable[object]]


async def _postings(app: Newel, context: Context) -> dict[str, Posting]:
    """The postings of one sale, each as what a client does: the same call, whole, with a key."""
    await app.documents.create("toy.receipt", goods(BOLT=5000, NUT=5000), context, then=["receive"])
    sold = (await app.documents.create("toy.order", order(("BOLT", 900)), context, then=["confirm"])).document
    billed = (await app.documents.create("toy.invoice", order(("BOLT", 2000)), context, then=["post"])).document
    (owed,) = await open_items(app, billed.id)
    do, one = app.documents, LinkInput(line=sold.lines[0].id, quantity=Decimal(1))
    return {
        "invoice": lambda key: do.create("toy.invoice", order(("BOLT", 2), ("NUT", 3)), context, then=["post"], key=key),
        "order": lambda key: do.create("toy.order", order(("NUT", 1)), context, then=["confirm"], key=key),
        "payment": lambda key: do.create("toy.payment", paying(owed["id"], "1.00"), context, then=["post"], key=key),
        "delivery": lambda key: do.create("toy.delivery", DocumentInput(party="C1", lines=order(("BOLT", 1)).lines), context, then=["ship"], key=key),
        "next step": lambda key: do.follow(sold.id, "deliver", context, then=["ship"], key=key, lines=[one]),
    }


async def every_call_fails(url: str, run: Run, only: str = "") -> None:
    """Let each call of each posting fail once, before and after it is carried out."""
    async with company(url, MODULES):
        pass
    calls = faults = 0
    async with running(url, MODULES) as (app, context):
        for name, post in (await _postings(app, context)).items():
            if only and name != only:
                continue
            await post(f"{name} first")
            before = await counts(app)
            with failing() as counter:
                await post(f"{name} counted")
            whole = await counts(app)
            change = {what: whole[what] - before[what] for what in whole}
            for after in (False, True):
                for n in range(1, counter.calls + 1):
                    await _fail_one(app, post, f"{name} {n} {after}", n, after, change)
                    faults += 1
            calls += counter.calls
        await sound(app)
    run.note(calls=calls, faults=faults)


async def _fail_one(app: Newel, post: Posting, key: str, n: int, after: bool, change: dict[str, int]) -> None:
    before = await counts(app)
    try:
        with failing(n, after=after):
            await post(key)
    except (Planned, Refused):
        now = await counts(app)
        done = {what: now[what] - before[what] for what in now}
        assert done in (dict.fromkeys(change, 0), change), f"half of {key} happened"
    await post(key)
    now = await counts(app)
    assert {what: now[what] - before[what] for what in now} == change, f"{key} was asked for twice, and did not happen once"


async def test_whichever_call_fails_nothing_is_half_done(database_url: str, run: Run) -> None:
    await every_call_fails(database_url, run)


async def test_whichever_call_fails_sees_the_planted_fault(database_url: str, run: Run) -> None:
    with planted("a statement commits on its own"), pytest.raises((AssertionError, sqlite3.OperationalError), match=r"half of invoice|no transaction"):
        await every_call_fails(database_url, run, "invoice")
