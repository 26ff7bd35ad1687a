"""Planted faults: what a careless change would do to the code. Each test of a promise is run with its fault once, and must fail.

A fault is a change of the text of a few functions, made in memory. It says itself what is broken, and one whose text is no longer there is an error:
none goes stale without a word. In other processes the variable NEWEL_PLANT names the one to plant.
"""

from __future__ import annotations
import __future__

import importlib
import inspect
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType, FunctionType
from typing import Any, NamedTuple

VARIABLE = "NEWEL_PLANT"
HERE = "__import__('tests.reliability.plants', fromlist=['x'])."


class Edit(NamedTuple):
    """In the function named "module:name", `old` becomes `new`."""

    function: str
    old: str
    new: str


PLANTS: dict[str, tuple[Edit, ...]] = {
    "a number is drawn outside the transaction": (
        Edit("newel.services.numbers:draw", "row = await session.one(", f"row = await {HERE}outside(session, "),
    ),
    "an answer is sent before the commit": (
        Edit("newel.store.engine:Transaction.__aenter__", "await self.begin()", f"await {HERE}begin_late(self)"),
        Edit("newel.store.engine:Transaction.__aexit__", "await self.commit()", "self._committed = True"),
    ),
    "a worker whose lease has passed speaks for the job": (
        Edit("newel.jobs.worker:Worker._run_job", "if owner is None or ", "if owner is None and "),
    ),
    "a message counts as delivered before it is": (
        Edit("newel.jobs.worker:Worker._deliver", "attempts = attempts + 1, available_at = ?", "attempts = attempts + 1, done_at = ?"),
    ),
    "a job is claimed by two statements": (Edit("newel.jobs.worker:Worker._jobs", "rows = await session.fetch(", f"rows = await {HERE}claim_late(session, "),),
    "a statement commits on its own": (
        Edit("newel.services.ledger_store:write_entry", "head = await", f"await {HERE}commit_now(session); head = await"),
    ),
    "stock is read without a lock": (
        Edit("newel.services.stock_store:load_stock", "ORDER BY id{' FOR UPDATE' if lock else ''}", "ORDER BY id"),
        Edit("newel.services.transacting:Transacting._lock", "FOR UPDATE", ""),
    ),
    "the idempotency key is not stored with the effect": (
        Edit("newel.services.transacting:Transacting._once", "if key and isinstance(result, Outcome):", "if False:"),
    ),
    "the version is not compared": (
        Edit("newel.services.documents:Documents.update", "guards.fresh(before, version)", "guards.fresh(before, before.version)"),
    ),
    "each statement reads another moment": (
        Edit("newel.store.session:Database.plain_read", "repeatable_read", "read_committed"),
    ),
    "the period is looked at before the lock only": (Edit("newel.services.ledger_store:write_entry", "'open') = 'open' RETURNING", "'open') <> '' RETURNING"),),
    "the hash leaves out what an account is for": (
        Edit("newel.domain.ledger:entry_hash", "for c in POSTING_CHAINED]", "for c in POSTING_CHAINED if c != 'role']"),
    ),
    "an error of the database is swallowed": (
        Edit("newel.services.transacting:Transacting._run", "passing(error):\n                raise", "passing(error):\n                return None"),
    ),
    "a transaction is kept when the server has gone away": (
        Edit("newel.store.engine:PostgresPooled.__aexit__", "self.engine.current", "error or self.engine.current"),
    ),
    "a lock keeps out who only refers to a row": (Edit("newel.store.session:_for_postgres", " FOR NO KEY UPDATE", " FOR UPDATE"),),
    "credit is read without a lock": (Edit("newel.services.credit:load", "if lock:", "if False:"),),
}  # fmt: skip


@contextmanager
def planted(name: str) -> Iterator[None]:
    """The fault is in the code of this process until the end of the block.

    Raises:
        LookupError: the text that it changes is not in the function, or there is no such fault.
    """
    before = [(function := _function(edit.function), function.__code__) for edit in PLANTS[name]]
    try:
        plant(name)
        yield
    finally:
        for function, code in before:
            function.__code__ = code


def plant(name: str) -> None:
    """The fault is in the code of this process for good."""
    for edit in PLANTS[name]:
        function = _function(edit.function)
        function.__code__ = _changed(function, edit)


def _function(name: str) -> FunctionType:
    module, _, path = name.partition(":")
    found: Any = importlib.import_module(module)
    for part in path.split("."):
        found = getattr(found, part)
    unwrapped = inspect.unwrap(found)
    assert isinstance(unwrapped, FunctionType)
    return unwrapped


def _changed(function: FunctionType, edit: Edit) -> CodeType:
    text = textwrap.dedent(inspect.getsource(function))
    if text.count(edit.old) != 1:
        raise LookupError(f"{edit.function} holds {edit.old!r} {text.count(edit.old)} times: bring the planted fault up to date")
    source = compile(text.replace(edit.old, edit.new), inspect.getfile(function), "exec", flags=__future__.annotations.compiler_flag, dont_inherit=True)
    return next(c for c in source.co_consts if isinstance(c, CodeType) and c.co_name == function.__name__)


# ---- what planted code calls -------------------------------------------------------------------------------------------------------


async def outside(session: Any, sql: str, *args: Any) -> Any:
    """One statement that is committed whatever becomes of the transaction."""
    if session.sqlite:
        await commit_now(session)
        row = await session.one(sql, *args)
        await commit_now(session)
        return row
    from newel.store.session import _for_postgres

    rows = await session.engine._run_in_new_connection(_for_postgres(sql), args)
    return rows[0] if rows else None


async def commit_now(session: Any) -> None:
    """What was done so far stays; the rest is another transaction."""
    connection = session.engine.current_transaction.get().connection
    await connection.execute("COMMIT")
    await connection.execute("BEGIN")


async def begin_late(transaction: Any) -> None:
    """SQLite: five write transactions are committed at once, when the sixth begins."""
    raw = transaction.connection.c
    if raw.in_transaction:
        begin_late.open = getattr(begin_late, "open", 0) + 1  # type: ignore[attr-defined]
        if transaction.write and begin_late.open % 5:  # type: ignore[attr-defined]
            return
        raw.execute("COMMIT")
    await transaction.begin()


async def claim_late(session: Any, sql: str, *args: Any) -> Any:
    """Looks for a job, and takes it some time later."""
    import asyncio

    start, condition = sql.index("(SELECT id FROM job WHERE") + 1, sql.index(") RETURNING")
    inner = sql[start:condition].replace(" FOR UPDATE SKIP LOCKED", "").replace(" FOR UPDATE", "")
    found = [r["id"] for r in await session.fetch(inner, *args[2:])]
    if not session.sqlite:
        await asyncio.sleep(0.01)
    return await session.fetch(sql[:start] + "SELECT CAST(? AS BIGINT)" + sql[condition:], *args[:2], found[0]) if found else []
