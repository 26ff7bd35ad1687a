"""What loyalty reads: the balance of one customer for a document, the tiers from the cache, and the members for a report."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from newel.domain.context import Context
from newel.domain.document import Document
from newel.domain.money import plain
from newel.manifest import Column, Report
from newel.store.columns import QUANTITY, unscaled
from newel.store.session import Session

from newel_loyalty.rules import Standing, Tier

BALANCE = (
    "SELECT COALESCE(SUM(points), 0) AS points, COALESCE(SUM(CASE WHEN document = ? THEN points ELSE 0 END), 0) AS here FROM loyalty_points WHERE party = ?"
)


async def load(document: Document, session: Session) -> Standing | None:
    """How the document's customer stands; nothing is asked for documents of nobody."""
    if document.party is None:
        return None
    row = await session.one(BALANCE, document.id, document.party.id)
    return Standing(points=int(row["points"]), here=int(row["here"]), tiers=await tiers(session))


async def tiers(session: Session) -> tuple[Tier, ...]:
    """All tiers, the best first."""
    return await session.cached("loyalty", _tiers)


async def _tiers(session: Session) -> tuple[Tier, ...]:
    rows = await session.fetch("SELECT code, name, points_min, percent FROM loyalty_tier ORDER BY points_min DESC, id")
    return tuple(Tier(code=r["code"], name=r["name"], points_min=r["points_min"], percent=plain(unscaled(r["percent"], QUANTITY))) for r in rows)


async def members(session: Session, _parameters: dict[str, Any], _context: Context) -> list[dict[str, Any]]:
    """Everybody with points, the most first."""
    known = await tiers(session)
    rows = await session.fetch(
        "SELECT p.party, y.name, SUM(p.points) AS points FROM loyalty_points p JOIN party y ON y.id = p.party "
        "GROUP BY p.party, y.name ORDER BY SUM(p.points) DESC, y.name LIMIT 1000"
    )
    out = []
    for r in rows:
        standing = Standing(points=int(r["points"]), tiers=known)
        out.append({"party": r["party"], "name": r["name"], "points": Decimal(standing.points), "tier": standing.tier.name if standing.tier else ""})
    return out


REPORTS = (
    Report(
        name="loyalty.members",
        label="Members",
        menu="Sales",
        load=members,
        help="Customers with points, and the tier that they have reached.",
        columns=(
            Column(name="party", label="Customer", type="newel.party", text="name"),
            Column(name="points", label="Points", type="quantity", total=True),
            Column(name="tier", label="Tier"),
        ),
    ),
)
