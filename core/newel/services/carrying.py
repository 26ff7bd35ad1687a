"""Queues that wake workers. Work stays in the tables outbox and job; a queue brings ids, may lose them, and need not be there.

A distribution brings one by the entry-point group `newel.queues`: a class that takes the Config.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from importlib_metadata import entry_points

from newel.config import Config
from newel.errors import StartupError


class Queue(Protocol):
    """What carries ids of new work from whoever wrote it to a worker."""

    def carry(self, ids: list[int]) -> None:
        """Ids that were just committed; returns at once and raises nothing."""

    async def work(self, once: Callable[..., Awaitable[int]]) -> None:
        """Call once(*ids) for whatever comes, until cancelled."""

    async def close(self) -> None:
        """Let go of connections."""


def queue_of(config: Config) -> Queue | None:
    """The queue that newel.toml names; None where workers ask the database.

    Raises:
        StartupError: nothing installed brings such a queue, or it lacks what it needs.
    """
    if config.jobs == "database":
        return None
    brought: dict[str, Any] = {e.name: e for e in entry_points(group="newel.queues")}
    if config.jobs not in brought:
        known = ", ".join(sorted({"database", *brought}))
        raise StartupError(f'newel.toml: jobs: expected one of {known}, got {config.jobs!r}; "saq" comes with newel-ops[saq]')
    found: Queue = brought[config.jobs].load()(config)
    return found
