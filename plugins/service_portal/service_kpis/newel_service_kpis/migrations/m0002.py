"""The model that everybody starts with. Data: a company changes it."""

from __future__ import annotations

from typing import Any

# measure, weight, best, worst; the figures in millionths
ROWS = (
    ("response_hours", 20, 1_000_000, 24_000_000),
    ("first_time_fix", 25, 100_000_000, 50_000_000),
    ("turnaround_days", 25, 1_000_000, 14_000_000),
    ("cost", 10, 0, 200_000_000),
    ("satisfaction", 20, 5_000_000, 1_000_000),
)


async def forwards(session: Any) -> None:
    """Add the five measures."""
    await session.need(len(ROWS))
    for row in ROWS:
        await session.fetch('INSERT INTO "service_kpis_measure" ("id", "measure", "weight", "best", "worst") VALUES (?, ?, ?, ?, ?)', session.id(), *row)


async def backwards(session: Any) -> None:
    """Take away those of them that are left."""
    await session.fetch('DELETE FROM "service_kpis_measure" WHERE "measure" = ANY(?)', [row[0] for row in ROWS])
