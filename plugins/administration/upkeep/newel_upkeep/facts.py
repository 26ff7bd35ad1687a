"""What the books are made of: the journal's chain, examinations, and series of numbers with what lacks in them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
from newel.domain.context import Context
from newel.manifest import Column, Report
from newel.services.doctor import Diagnosis
from newel.services.verify import Finding
from newel.store.session import Session, instant, rows_by

LATEST, NAMED = 10, 20


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What an examination has found: in the books, and about the install; empty where nothing is wrong."""

    books: tuple[Finding, ...] = ()
    install: tuple[Diagnosis, ...] = ()


async def chain(session: Session, context: Context) -> dict[str, Any]:
    """The last entry of the company's journal: number, hash, date; empty where there is none."""
    row = await session.one(
        "SELECT c.number, c.hash, e.date FROM ledger_chain c LEFT JOIN journal_entry e ON e.company = c.company AND e.number = c.number WHERE c.company = ?",
        context.company.id,
    )
    return dict(row) if row and row["number"] else {}


async def examinations(session: Session) -> list[dict[str, Any]]:
    """The latest examinations, the last one first."""
    rows = await session.fetch(f"SELECT * FROM upkeep_examination ORDER BY id DESC LIMIT {LATEST}")
    return [
        {"asked_by": r["asked_by"], "asked_at": instant(r["asked_at"]), "done_at": instant(r["done_at"]),
         "found": msgspec.json.decode(r["findings"], type=Result)} for r in rows
    ]  # fmt: skip


async def numbers(session: Session, _parameters: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """Each series of the company with how many numbers it has drawn and which of them no document has. Only series with a gap are read number by number."""
    where = "d.company = s.company AND d.kind = s.kind AND d.number LIKE s.prefix || CAST(s.year AS VARCHAR(4)) || '-%'"
    series = await session.fetch(
        f"SELECT s.id, s.kind, s.year, s.prefix, s.digits, s.next, COUNT(DISTINCT d.number) AS n FROM number_series s LEFT JOIN document d ON {where} "
        "WHERE s.company = ? GROUP BY s.id, s.kind, s.year, s.prefix, s.digits, s.next ORDER BY s.year DESC, s.kind", context.company.id,
    )  # fmt: skip
    odd = [s["id"] for s in series if s["n"] != s["next"] - 1]
    found = await session.fetch(f"SELECT s.id, d.number FROM number_series s JOIN document d ON {where} WHERE s.id = ANY(?)", odd) if odd else []
    there = {id: {r["number"] for r in rows} for id, rows in rows_by(found, "id").items()}
    return [_series(s, there.get(s["id"], set()) if s["id"] in odd else None) for s in series]


def _series(s: Any, there: set[str] | None) -> dict[str, Any]:
    """A series as a row. there: its numbers, where some lack."""
    name = f"{s['prefix']}{s['year']}-"
    drawn = [f"{name}{n:0{s['digits']}d}" for n in range(1, s["next"])] if there is not None else []
    lacking = [n for n in drawn if n not in (there or ())]
    words = ", ".join(lacking[:NAMED]) + (" …" if len(lacking) > NAMED else "")
    last = f"{name}{s['next'] - 1:0{s['digits']}d}" if s["next"] > 1 else ""
    return {"kind": s["kind"], "year": s["year"], "last": last, "drawn": Decimal(s["next"] - 1), "documents": Decimal(s["n"]), "lacking": words}


NUMBERS = Report(
    name="upkeep.numbers", label="Numbers and gaps", menu="Administration", load=numbers,
    help="What each series has drawn, and numbers that no document has. A number is drawn with its document, so there should be none.",
    columns=(Column(name="kind", label="Document kind"), Column(name="year", label="Year"), Column(name="last", label="Last number"),
             Column(name="drawn", label="Drawn", type="quantity"), Column(name="documents", label="Documents", type="quantity"),
             Column(name="lacking", label="Lacking")),
)  # fmt: skip
