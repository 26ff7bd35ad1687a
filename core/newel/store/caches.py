"""What a process keeps between transactions: blocks of ids, and facts that change rarely."""

from __future__ import annotations

from collections import deque
from typing import Any


class Ids:
    """Ids for all tables of one database, taken in blocks: rows can refer to each other before anything is written."""

    def __init__(self) -> None:
        self._ranges: deque[list[int]] = deque()

    @property
    def left(self) -> int:
        """How many ids can be had without asking the database."""
        return sum(end - at for at, end in self._ranges)

    def take(self) -> int:
        """The next id."""
        first = self._ranges[0]
        id, first[0] = first[0], first[0] + 1
        if first[0] == first[1]:
            self._ranges.popleft()
        return id

    def put(self, start: int, end: int) -> None:
        """A fresh block [start, end)."""
        self._ranges.append([start, end])

    def drop(self) -> None:
        """Forget all: after a rollback on SQLite the database would give the same block again."""
        self._ranges.clear()


class FactCache:
    """Facts that change rarely, kept in the process until their version row moves."""

    def __init__(self) -> None:
        self.values: dict[str, tuple[int, Any]] = {}
