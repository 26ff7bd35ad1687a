"""Two months of a small company whose books were agreed on at the end of each."""

from __future__ import annotations

import contextlib
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from newel.domain.document import LineInput
from newel.errors import Refused
from newel.services import reports
from newel.services.verify import verify
from newel.store.documents import money
from newel.store.session import day
from newel.store.tables_document import Posting
from newel_balances.facts import differences
from newel_sdk.kit import Kit

pytestmark = pytest.mark.plugins("balances", "invoicing", "receivables")
ENDS = (date(2026, 1, 31), date(2026, 2, 28))
CENT = 100  # amounts are kept with four digits


class _Undone(Exception):
    """Leaves a transaction without a trace."""


async def agreed(kit: Kit) -> int:
    """An invoice in January, one in February and a payment; each account is agreed on at both ends. Returns how many balances that are."""
    await kit.item("BOLT", price=10, cost=4)
    await kit.party("NORTH")
    await kit.document("invoicing.invoice", "NORTH", ("BOLT", 3), date=date(2026, 1, 20), then=["post"])
    await kit.document("invoicing.invoice", "NORTH", ("BOLT", 5), date=date(2026, 2, 10), then=["post"])
    paid = LineInput(kind="payment", price=Decimal(30), quantity=Decimal(1))
    await kit.document("receivables.payment", "NORTH", paid, date=date(2026, 2, 20), then=["post"])
    count = 0
    for end in ENDS:
        for row in await reports.run(kit.app, "newel.trial_balance", {"date_to": end.isoformat()}, kit.context):
            await kit.record("balances.assertion", account=row["account"], date=end.isoformat(), balance=row["balance"], text=f"Audit {end}")
            count += 1
    return count


async def test_hook_register_plugin_any_wrong_cent_is_told_with_account_and_day(kit: Kit) -> None:
    """A cent more on one account and less on another, in each entry: entries still balance, and both accounts are told from that day on (H13)."""
    count = await agreed(kit)
    assert len(await reports.run(kit.app, "balances.differences", {}, kit.context)) == count
    assert await reports.run(kit.app, "balances.differences", {"wrong": "true"}, kit.context) == []
    entries = await kit.rows("SELECT id, date FROM journal_entry")
    accounts = [r["account"] for r in await kit.rows("SELECT DISTINCT account FROM posting ORDER BY account")]
    assert len(entries) == 3
    assert len(accounts) > 2
    for entry in entries:
        for more, less in zip(accounts, [*accounts[1:], accounts[0]], strict=True):
            found = await _with_a_cent(kit, entry["id"], more, less)
            names = {r["id"]: f"{r['number']} {r['name']}" for r in await kit.rows("SELECT id, number, name FROM account")}
            ends = [end for end in ENDS if end >= day(entry["date"])]
            assert set(found) == {(names[a], end) for a in (more, less) for end in ends if await _is_agreed(kit, a, end)}
            assert {r["difference"] for r in found.values()} == {money(CENT), -money(CENT)}


async def _with_a_cent(kit: Kit, entry: int, more: int, less: int) -> dict[Any, Any]:
    """The differences with two postings that nobody made, by account and day; the postings are taken back."""
    found: dict[Any, Any] = {}
    with contextlib.suppress(_Undone):
        async with kit.app.database.write() as session:
            session.add(Posting, entry=entry, account=more, role="x", debit=CENT, currency="EUR", amount=CENT)
            session.add(Posting, entry=entry, account=less, role="x", credit=CENT, currency="EUR", amount=-CENT)
            await session.flush()
            found = {(r["account"], r["date"]): r for r in await differences(session, {"wrong": True}, kit.context)}
            raise _Undone
    return found


async def _is_agreed(kit: Kit, account: int, end: date) -> bool:
    return bool(await kit.rows("SELECT id FROM balances_assertion WHERE account = ? AND date = ?", account, end))


async def test_every_night_what_is_wrong_stands_on_the_jobs_page(kit: Kit) -> None:
    await agreed(kit)
    kit.clock.advance(days=60)
    account = (await kit.rows("SELECT account FROM balances_assertion ORDER BY id"))[0]["account"]
    right = (await kit.rows("SELECT balance FROM balances_assertion WHERE account = ? ORDER BY date DESC", account))[0]["balance"]
    wrong = await kit.record("balances.assertion", account=account, date="2026-03-10", balance=money(right) + Decimal("0.01"), text="Statement 7")
    await _night(kit)
    (job,) = await kit.rows("SELECT state, error FROM job WHERE name = 'balances.check'")
    number = (await kit.rows("SELECT number FROM account WHERE id = ?", account))[0]["number"]
    assert f"TEST: account {number} " in job["error"]
    assert f"at the end of 2026-03-10: expected {money(right) + Decimal('0.01')}, the books have {money(right)}, right until 2026-02-28" in job["error"]
    await kit.app.records.save("balances.assertion", wrong, {"balance": money(right)}, kit.context)
    kit.clock.advance(hours=1)
    await _night(kit)
    assert (await kit.rows("SELECT state, error FROM job WHERE name = 'balances.check'"))[0] == {"state": "waiting", "error": ""}


async def _night(kit: Kit) -> None:
    from newel.jobs.worker import Worker

    worker = Worker(kit.app)
    await worker.plan_recurring()
    await worker.once()


async def test_hook_check_entry_an_agreed_month_is_not_changed_by_the_way(kit: Kit) -> None:
    """An invoice with a date in February needs somebody who may override; one in March goes on."""
    await agreed(kit)
    with pytest.raises(Refused) as refused:
        await kit.document("invoicing.invoice", "NORTH", ("BOLT", 1), date=date(2026, 2, 20), then=["post"])
    told = [p for p in refused.value.problems if p.code == "balances.agreed"]
    assert len(told) == 2, "what the customer owes, and what was earned"
    assert all("2026-02-28" in p.message and "2026-02-20" in p.message for p in told)
    await kit.document("invoicing.invoice", "NORTH", ("BOLT", 1), date=date(2026, 3, 1), then=["post"])
    assert await reports.run(kit.app, "balances.differences", {"wrong": "true"}, kit.context) == []


async def test_hook_load_facts_overridden_it_is_told_afterwards(kit: Kit) -> None:
    await agreed(kit)
    over = msgspec.structs.replace(kit.context, overrides=frozenset({"balances.agreed"}))
    draft = (await kit.document("invoicing.invoice", "NORTH", ("BOLT", 1), date=date(2026, 2, 20))).document
    await kit.app.documents.act(draft.id, "post", over)
    wrong = await reports.run(kit.app, "balances.differences", {"wrong": "true"}, kit.context)
    assert {r["date"] for r in wrong} == {ENDS[1]}
    assert {r["right_until"] for r in wrong} == {ENDS[0]}
    assert await verify(kit.app) == [], "the books add up: only the agreement tells"
