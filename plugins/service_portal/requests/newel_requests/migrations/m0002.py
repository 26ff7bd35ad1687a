"""The five types that everybody starts with. Data: a company changes them, and adds its own."""

from __future__ import annotations

from typing import Any

COLUMNS = ("code", "name", "target_kind", "target_role", "needs_place", "needs_time", "needs_about", "needs_lines", "needs_text", "urgency")
ROWS = (
    ("service", "Service", "", "sale", True, True, False, False, False, 0),
    ("charge", "Charge", "", "invoice", False, False, False, True, False, 0),
    ("account", "Account", "", "", False, False, True, False, False, 0),
    ("warranty", "Warranty", "", "return", False, False, False, True, False, -1),
    ("help", "Help", "", "", False, False, False, False, True, 0),
)


async def forwards(session: Any) -> None:
    """Add them."""
    await session.need(len(ROWS))
    names = ", ".join(f'"{c}"' for c in ("id", *COLUMNS))
    marks = ", ".join("?" * (len(COLUMNS) + 1))
    for row in ROWS:
        await session.fetch(f'INSERT INTO "requests_type" ({names}) VALUES ({marks})', session.id(), *row)


async def backwards(session: Any) -> None:
    """Take away those of them that are left."""
    await session.fetch('DELETE FROM "requests_type" WHERE "code" = ANY(?)', [row[0] for row in ROWS])
