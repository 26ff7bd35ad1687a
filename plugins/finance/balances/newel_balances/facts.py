"""Agreed balances beside those of the books: three questions, however many there are."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
from newel.domain.context import Context
from newel.errors import NewelError
from newel.manifest import Column, Job, Parameter, Report
from newel.services.app import Newel
from newel.store.documents import money
from newel.store.session import Session, day

from newel_balances import rules
from newel_balances.rules import Agreed, Assertion

NIGHT = 24 * 3600


class _Every(msgspec.Struct, frozen=True):
    """Agreed balances of all companies."""

    by_company: dict[int, Agreed]


class BalancesWrong(NewelError):
    """Balances that were agreed on and are no longer those of the books, one a line."""


async def _last(session: Session) -> _Every:
    rows = await session.fetch(
        "SELECT b.company, b.account, MAX(b.date) AS last, a.number, a.name FROM balances_assertion b JOIN account a ON a.id = b.account "
        "GROUP BY b.company, b.account, a.number, a.name"
    )
    found: dict[int, Agreed] = {}
    for r in rows:
        found.setdefault(r["company"], Agreed({})).last[r["account"]] = (_day(r["last"]), f"{r['number']} {r['name']}")
    return _Every(found)


def _day(stored: Any) -> date:
    found = day(stored)
    assert found is not None, "the column takes no NULL"
    return found


async def load(session: Session, context: Context) -> Agreed | None:
    """Up to when accounts of the company were agreed on; None where none was."""
    return (await session.cached("balances", _last)).by_company.get(context.company.id)


async def differences(session: Session, parameters: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """Every agreed balance with that of the books; `wrong`: only those that differ."""
    agreed = await session.fetch(
        "SELECT b.id, b.account, b.date, b.balance, b.text, a.number, a.name FROM balances_assertion b JOIN account a ON a.id = b.account "
        "WHERE b.company = ? ORDER BY b.id",
        context.company.id,
    )
    sums = await session.fetch(
        "SELECT p.account, e.date, SUM(p.debit - p.credit) AS amount FROM posting p JOIN journal_entry e ON e.id = p.entry "
        "WHERE e.company = ? AND p.account = ANY(?) GROUP BY p.account, e.date",
        context.company.id, sorted({r["account"] for r in agreed}),
    ) if agreed else []  # fmt: skip
    posted: dict[int, dict[Any, int]] = {}
    for r in sums:
        posted.setdefault(r["account"], {})[_day(r["date"])] = int(r["amount"])
    assertions = [Assertion(id=r["id"], account=r["account"], date=_day(r["date"]), balance=r["balance"]) for r in agreed]
    rows = {r["id"]: r for r in agreed}
    out = []
    for found in rules.compared(assertions, posted):
        a, row = found.assertion, rows[found.assertion.id]
        if found.books == a.balance and parameters.get("wrong"):
            continue
        name, expected, books = f"{row['number']} {row['name']}", money(a.balance), money(found.books)
        out.append(
            {"assertion": a.id, "assertion__title": name, "account": name, "date": a.date, "expected": expected, "books": books,
             "difference": books - expected, "right_until": found.right_until, "text": row["text"], "told": rules.told(name, found, expected, books)}
        )  # fmt: skip
    return out


async def nightly(app: Newel, _payload: dict[str, Any], _context: Context) -> None:
    """Look at the balances of every company.

    Raises:
        BalancesWrong: naming each company, account and day; so the job stays on the jobs page until somebody has seen to it.
    """
    wrong: list[str] = []
    for context in await app.every_company("balances"):
        async with app.database.read() as session:
            wrong += [f"{context.company.code}: {row['told']}" for row in await differences(session, {"wrong": True}, context)]
    if wrong:
        raise BalancesWrong("; ".join(wrong))


JOBS = (Job(name="balances.check", act=nightly, every=NIGHT),)
REPORTS = (
    Report(
        name="balances.differences", label="Agreed balances and the books", menu="Finance", load=differences,
        help="What was agreed on, what the books say, and up to which agreed day they were right.",
        parameters=(Parameter(name="wrong", label="Only differences", type="flag"),),
        columns=(
            Column(name="assertion", label="Account", type="balances.assertion"), Column(name="date", label="At the end of", type="date"),
            Column(name="expected", label="Agreed", type="amount"), Column(name="books", label="In the books", type="amount"),
            Column(name="difference", label="Difference", type="amount", total=True), Column(name="right_until", label="Right until", type="date"),
            Column(name="text", label="Source"),
        ),
    ),
)  # fmt: skip
