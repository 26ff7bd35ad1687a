"""The books in a file that others can check without Newel: every entry with its postings, and the hashes that chain them.

A line of JSON each: a head, the accounts, for each company its entries by number, and an end with the number and the hash of the last one.
tools/verify_audit.py, which needs nothing but Python, recomputes them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from newel.config import Config
from newel.domain.ledger import ENTRY_CHAINED, POSTING_CHAINED
from newel.errors import NewelError
from newel.store.session import Session, day, instant

from newel_ops.databases import moment, opened

PAGE = 2000
VERSION = 1


async def export(config: Config, file: Path, code: str = "") -> int:
    """Write the books of the company with this code, or of all, into a new file; returns how many entries it holds.

    Raises:
        NewelError: there is no such company, or the file is there already.
    """
    count = 0
    async with opened(config.database, **config.engine) as database, moment(database) as now:
        companies = [c for c in await now.session.fetch("SELECT id, code, name, currency FROM company ORDER BY code") if code in ("", c["code"])]
        if not companies:
            raise NewelError(f"there is no company {code!r}")
        try:
            with file.open("xb") as out:
                _line(out, {"newel audit": VERSION, "made_at": datetime.now(UTC).isoformat(), "amounts": "scaled by 10000"})
                for company in companies:
                    async for line in _books(now.session, company):
                        _line(out, line)
                        count += "entry" in line
        except FileExistsError as error:
            raise NewelError(f"{file} is there already") from error
    return count


def _line(out: Any, value: dict[str, Any]) -> None:
    out.write(msgspec.json.encode(value) + b"\n")


async def _books(session: Session, company: Any) -> AsyncIterator[dict[str, Any]]:
    """The lines of one company."""
    accounts = await session.fetch("SELECT id, number, name, kind FROM account WHERE company = ? ORDER BY number", company["id"])
    yield {"company": dict(company), "accounts": [dict(a) for a in accounts]}
    number = 0
    while rows := await session.fetch("SELECT * FROM journal_entry WHERE company = ? AND number > ? ORDER BY number LIMIT ?", company["id"], number, PAGE):
        postings: dict[int, list[list[Any]]] = {}
        sql = "SELECT p.* FROM posting p JOIN journal_entry e ON e.id = p.entry WHERE e.company = ? AND e.number BETWEEN ? AND ? ORDER BY p.id"
        for p in await session.fetch(sql, company["id"], rows[0]["number"], rows[-1]["number"]):
            postings.setdefault(p["entry"], []).append([p[c] for c in POSTING_CHAINED])
        for row in rows:
            made = instant(row["created_at"])
            values = {**row, "date": day(row["date"]), "created_at": made.astimezone(UTC) if made else None}
            yield {"entry": [values[c] for c in ENTRY_CHAINED], "postings": postings.get(row["id"], []), "hash": row["hash"]}
        number = rows[-1]["number"]
    head = await session.one("SELECT number, hash FROM ledger_chain WHERE company = ?", company["id"])
    yield {"end": company["code"], "number": head["number"] if head else 0, "hash": head["hash"] if head else ""}
