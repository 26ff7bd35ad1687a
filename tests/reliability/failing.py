"""The N-th call to the database fails: before it reaches the database, or after it was carried out and its answer was lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import pytest
from newel.store.engine import Inline

# A call that fails while a connection is given back leaves it unclosed: that is the fault, and no news.
CUT_OFF = ("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")


class Planned(Exception):
    """Fails a call, as a driver whose connection is gone would."""


class Failing:
    """Counts calls to the database of either kind, and lets the one with the number `at` fail.

    Args:
        at: from 1; 0 never. after: the call is carried out, and what it answers is lost.
        error: what is raised instead.
    """

    def __init__(self, at: int = 0, *, after: bool = False, error: type[Exception] = Planned) -> None:
        self.at, self.after, self.error, self.calls = at, after, error, 0

    def _wrapped(self, call: Any) -> Any:
        async def counted(*args: Any, **more: Any) -> Any:
            self.calls += 1
            fails = self.calls == self.at
            if fails and not self.after:
                raise self.error("planted: the call never came there")
            result = await call(*args, **more)
            if fails:
                raise self.error("planted: the answer was lost")
            return result

        return counted


@contextmanager
def failing(at: int = 0, *, after: bool = False, error: type[Exception] = Planned) -> Iterator[Failing]:
    """Count the calls of the block, and let one fail."""
    counter = Failing(at, after=after, error=error)
    with pytest.MonkeyPatch.context() as patch:
        for owner, names in ((Inline, ("execute_fetchall", "execute", "executemany")), (asyncpg.Connection, ("_execute", "_executemany", "execute"))):
            for name in names:
                patch.setattr(owner, name, counter._wrapped(getattr(owner, name)))
        yield counter
