"""A company for the tests of the promises, and what must hold of its books whatever was done to it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from newel.domain.document import DocumentInput, LineInput
from newel.services.app import Newel
from newel.services.verify import verify

from core.tests.toys import TOY, plugin

COUNTED = (
    "document",
    "document_line",
    "document_event",
    "journal_entry",
    "posting",
    "stock_move",
    "stock_reservation",
    "open_item",
    "settlement",
    "outbox",
    "idempotency_key",
)


async def _after_transition(document: Any) -> None:
    """Wants to hear of every transition, so that each leaves a row in the outbox."""


MODULES = {"toy": TOY, "listener": plugin("listener", after_transition=_after_transition)}


async def counts(app: Newel) -> dict[str, int]:
    """How much of everything there is, and how far numbers and the chain have come."""
    async with app.database.read() as session:
        found = {name: int(await session.value(f'SELECT COUNT(*) AS n FROM "{name}"')) for name in COUNTED}
        found["numbers"] = int(await session.value("SELECT COALESCE(SUM(next), 0) AS n FROM number_series"))
        found["chain"] = int(await session.value("SELECT SUM(number) AS n FROM ledger_chain"))
        found["states"] = int(await session.value("SELECT COUNT(*) AS n FROM document WHERE state <> 'draft'"))
        return found


async def sound(app: Newel) -> None:
    """Everything adds up: what `newel verify` looks at, the trial balance, no key twice, and numbers from 1 to N in every series."""
    findings = await verify(app)
    assert not findings, findings
    async with app.database.read() as session:
        assert int(await session.value("SELECT COALESCE(SUM(debit - credit), 0) AS n FROM posting")) == 0
        keys = await session.fetch("SELECT key, COUNT(*) AS n FROM idempotency_key GROUP BY key HAVING COUNT(*) > 1")
        assert keys == []
        for series in await session.fetch("SELECT * FROM number_series"):
            like = f"{series['prefix']}{series['year']}-"
            rows = await session.fetch(
                "SELECT number FROM document WHERE kind = ? AND company = ? AND number LIKE ?", series["kind"], series["company"], like + "%"
            )
            assert sorted(int(r["number"].removeprefix(like)) for r in rows) == list(range(1, series["next"])), f"gaps in the number series {like}"


def goods(**quantities: Any) -> DocumentInput:
    """A receipt of so many of each item, worth 2.00 apiece."""
    return DocumentInput(lines=tuple(LineInput(item=n, quantity=Decimal(q), price=Decimal(2)) for n, q in quantities.items()))
