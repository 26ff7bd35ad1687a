"""What is in a database, whatever it is."""

from __future__ import annotations

import hashlib

from newel.services.app import Newel


async def all_tables(app: Newel) -> list[str]:
    """Names of all tables."""
    async with app.database.read() as session:
        sql = (
            "SELECT name AS t FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name"
            if session.sqlite
            else "SELECT table_name AS t FROM information_schema.tables WHERE table_schema = 'public' ORDER BY table_name"
        )
        return [r["t"] for r in await session.fetch(sql)]


async def checksums(app: Newel) -> dict[str, str]:
    """Table -> SHA-256 of its rows, in whatever order they stand."""
    out = {}
    for table in await all_tables(app):
        async with app.database.read() as session:
            rows = sorted(repr(tuple(dict(r).values())) for r in await session.fetch(f'SELECT * FROM "{table}"'))
        out[table] = hashlib.sha256("\n".join(rows).encode()).hexdigest()
    return out
