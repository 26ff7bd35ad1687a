"""Full-text search over posts."""

from __future__ import annotations

from typing import Any

from newel_forum.tables import INDEX


async def forwards(session: Any) -> None:
    """Make the index."""
    for statement in INDEX.create(session.sqlite):
        await session.fetch(statement)


async def backwards(session: Any) -> None:
    """Take it away."""
    for statement in INDEX.drop(session.sqlite):
        await session.fetch(statement)
