"""Numbers of documents: one series for each company, kind and year, without gaps."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from newel.domain.document import Document
from newel.domain.kinds import DocumentKind
from newel.store.session import Session


async def draw(session: Session, kind: DocumentKind, document: Document) -> str:
    """Draw the next number of the kind's series for the document's year: in the transaction, so that none is lost, and late, as others wait for it."""
    year = document.date.year
    row = await session.one(
        "UPDATE number_series SET next = next + 1 WHERE company = ? AND kind = ? AND year = ? RETURNING next, prefix, digits",
        document.company, kind.name, year,
    )  # fmt: skip
    if row is None:
        await session.fetch(
            "INSERT INTO number_series (id, company, kind, year, prefix, digits, next) VALUES (?, ?, ?, ?, ?, 5, 2)",
            session.id(), document.company, kind.name, year, kind.series,
        )  # fmt: skip
        return f"{kind.series}{year}-00001"
    return _written(row["prefix"], year, row["next"] - 1, row["digits"])


def _written(prefix: str, year: int, count: int, digits: int) -> str:
    return f"{prefix}{year}-{count:0{digits}d}"


async def counted(session: Session, company: int, kinds: Sequence[str], count: int) -> list[str]:
    """The numbers that end in a count, such as 142 for SO2026-00142, of each kind and year."""
    rows = await session.fetch("SELECT prefix, year, digits FROM number_series WHERE company = ? AND kind = ANY(?) AND next > ?", company, list(kinds), count)
    return [_written(r["prefix"], r["year"], count, r["digits"]) for r in rows]


async def due(session: Session, kind: DocumentKind, document: Document) -> Document:
    """The document with its number, where its kind has one from the start and it was not drawn yet."""
    if kind.number_at != "create" or document.number:
        return document
    return msgspec.structs.replace(document, number=await draw(session, kind, document))
