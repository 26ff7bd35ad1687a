"""What a document needs to know of its items: kept in the process, and two statements at most for however many lines."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec
from newel.domain.context import Context
from newel.domain.document import Document
from newel.store.columns import QUANTITY, unscaled
from newel.store.master import load_items, load_master
from newel.store.session import Session, rows_by

from newel_assortment.rules import Association, Assortment, Ordering

FREE = """
SELECT b.item, CAST(SUM(b.quantity - b.reserved) AS BIGINT) AS free FROM stock_balance b JOIN location l ON l.id = b.location
 WHERE b.item = ANY(?) AND l.company = ? AND l.kind = 'storage' AND l.owner IS NULL GROUP BY b.item
"""
ORDERED = """
SELECT l.id, l.item, i.number FROM document_line l JOIN document d ON d.id = l.document JOIN item i ON i.id = l.item
 WHERE l.id = ANY(?) AND d.role = 'sale'
"""


class _Kept(msgspec.Struct):
    """All that is declared, by item."""

    associations: Mapping[int, tuple[Association, ...]]
    ordering: Mapping[int, Ordering]


async def load(session: Session, document: Document, context: Context) -> Assortment | None:
    """What goes with the items of a sale or delivery; what is free of them only while somebody looks."""
    if not document.lines:
        return None
    kept = await session.cached("assortment", _load)
    ordered = await _ordered(session, document) if document.role == "delivery" and kept.associations else {}
    items = {line.item.id for line in document.lines if line.item is not None} | {item for item, _number in ordered.values()}
    associations = {item: kept.associations[item] for item in items if item in kept.associations}
    ordering = {item: kept.ordering[item] for item in items if item in kept.ordering}
    if not associations and not ordering and not ordered:
        return None
    others = {a.other for found in associations.values() for a in found}
    master, loaded = await load_master(session), await load_items(session, others)
    known = {x: h.on(document.date, document.currency, context.company, master.item_classes) for x, h in loaded.items() if isinstance(x, int)}
    free: dict[int, Decimal] = {}
    if associations and not session.writable:
        rows = await session.fetch(FREE, sorted(items | others), context.company.id)
        free = {r["item"]: unscaled(r["free"], QUANTITY) for r in rows}
    active = {id: item for id, item in known.items() if item.active}
    return Assortment(associations=associations, ordering=ordering, items=active, free=free, ordered=ordered)


async def _ordered(session: Session, document: Document) -> dict[int, tuple[int, str]]:
    lines = sorted({x.from_line for line in document.lines for x in line.sources})
    return {r["id"]: (r["item"], r["number"]) for r in await session.fetch(ORDERED, lines)} if lines else {}


async def _load(session: Session) -> _Kept:
    rows: Any = rows_by(await session.fetch("SELECT * FROM assortment_association ORDER BY sequence, id"), "item")
    return _Kept(
        {item: tuple(Association(r["other"], r["kind"], unscaled(r["quantity"], QUANTITY), bool(r["shipped"])) for r in found) for item, found in rows.items()},
        {
            r["item"]: Ordering(unscaled(r["quantity_min"], QUANTITY), unscaled(r["quantity_step"], QUANTITY), bool(r["strict"]), bool(r["runs_out"]))
            for r in await session.fetch("SELECT * FROM assortment_ordering")
        },
    )
