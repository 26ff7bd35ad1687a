"""What a document needs to know of kits: their parts, kept in the process, and what is free of the parts in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from newel.domain.context import Context
from newel.domain.document import Document
from newel.store.columns import QUANTITY, unscaled
from newel.store.session import Session, rows_by

from newel_kits.rules import Graph, Kit, KitFacts, Part, own, tree

FREE = """
SELECT b.item, CAST(SUM(b.quantity - b.reserved) AS BIGINT) AS free FROM stock_balance b JOIN location l ON l.id = b.location
 WHERE b.item = ANY(?) AND l.company = ? AND l.kind = 'storage' AND l.owner IS NULL GROUP BY b.item
"""


async def load(session: Session, document: Document, context: Context) -> KitFacts | None:
    """Nothing for a document without kits; one statement for one that is still being thought about."""
    kits: Mapping[int, Kit] = await session.cached("kits", _load)
    if not kits and not any(line.parent or line.key for line in document.lines):
        return None
    if not any((line.item is not None and line.item.id in kits) or own(line) is not None for line in document.lines):
        return None
    found = tree(document.lines)
    asked = document.role in ("request", "sale") and document.phase in ("draft", "offered") and found.tops
    free = None
    if asked:
        rows = await session.fetch(FREE, sorted({line.item.id for line in document.lines if line.item is not None}), context.company.id)
        free = {r["item"]: unscaled(r["free"], QUANTITY) for r in rows}
    return KitFacts(kits=kits, tree=found, free=free)


async def _load(session: Session) -> Mapping[int, Kit]:
    parts = rows_by(await session.fetch("SELECT kit, item, quantity FROM kits_component ORDER BY kit, sequence, id"), "kit")
    return {
        r["item"]: Kit(r["price_mode"] == "fixed", tuple(Part(x["item"], unscaled(x["quantity"], QUANTITY)) for x in parts.get(r["id"], ())))
        for r in await session.fetch("SELECT id, item, price_mode FROM kits_kit WHERE active = ?", True)
    }


async def load_graph(session: Session, rows: Sequence[Mapping[str, Any]], _context: Context) -> Graph:
    """What contains what once these kits or parts are written. Locked, so that two people can't close a circle together."""
    kits = {r["id"]: r["item"] for r in await session.fetch("SELECT id, item FROM kits_kit ORDER BY id FOR UPDATE")}
    kits |= {r["id"]: r["item"] for r in rows if "kit" not in r and r["id"] is not None}
    edges = {r["id"]: (r["kit"], r["item"]) for r in await session.fetch("SELECT id, kit, item FROM kits_component")}
    edges |= {r["id"] or -n: (r["kit"], r["item"]) for n, r in enumerate(rows, 1) if r.get("kit")}
    parts: dict[int, set[int]] = {}
    for kit, item in edges.values():
        parts.setdefault(kits[kit], set()).add(item)
    named = await session.fetch("SELECT id, number FROM item WHERE id = ANY(?)", sorted({*kits.values(), *(i for _, i in edges.values())}))
    return Graph(parts={item: frozenset(found) for item, found in parts.items()}, items=kits, numbers={r["id"]: r["number"] for r in named})
