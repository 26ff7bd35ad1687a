"""How documents and the stock of items stand, and who may know that they have changed."""

from __future__ import annotations

from newel.domain.context import Context
from newel.errors import Refused
from newel.services.app import Newel
from newel.store.session import Session


async def documents(session: Session, keys: list[str]) -> dict[str, str]:
    """Versions."""
    return {str(r["id"]): str(r["version"]) for r in await session.fetch("SELECT id, version FROM document WHERE id = ANY(?)", [int(k) for k in keys])}


async def items(session: Session, keys: list[str]) -> dict[str, str]:
    """What lies anywhere, and what of it is reserved."""
    sql = "SELECT item, SUM(quantity) AS quantity, SUM(reserved) AS reserved FROM stock_balance WHERE item = ANY(?) GROUP BY item"
    return {str(r["item"]): f"{r['quantity']} {r['reserved']}" for r in await session.fetch(sql, [int(k) for k in keys])}


async def allowed_documents(newel: Newel, keys: list[str], context: Context) -> list[str]:
    """Those that the user may see; of a page there is one."""
    out = []
    for key in keys[:3]:
        try:
            await newel.documents.get(int(key), context)
        except Refused:
            continue
        out.append(key)
    return out


async def allowed_items(_newel: Newel, keys: list[str], context: Context) -> list[str]:
    """All for our own people: they hear that something has changed, and not what."""
    return keys if context.user.party is None else []
