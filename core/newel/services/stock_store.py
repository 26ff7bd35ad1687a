"""Read (and lock) the stock that a document touches; write what was planned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from newel.domain.context import Context
from newel.domain.document import Document
from newel.domain.money import plain
from newel.domain.stock import Balance, Bought, Reservation, StockFacts
from newel.services.stock import StockPlan
from newel.store import tables_document as t
from newel.store.columns import AMOUNT, QUANTITY, RATE, scaled, unscaled
from newel.store.documents import money
from newel.store.session import Session, rows_by


async def load_stock(session: Session, document: Document, lines: Sequence[int], lock: bool) -> StockFacts:
    """Balances of the document's goods, and reservations of these lines; locked in id order where they are going to change."""
    items = sorted({line.item.id for line in document.lines if line.item is not None and line.item.stocked})
    if not items:
        return StockFacts()
    order = f"ORDER BY id{' FOR UPDATE' if lock else ''}"
    rows = await session.fetch(f"SELECT * FROM stock_balance WHERE item = ANY(?) {order}", items)
    reserved = await session.fetch("SELECT * FROM stock_reservation WHERE line = ANY(?) ORDER BY id", lines) if lines else []
    if others := {r["balance"] for r in reserved} - {r["id"] for r in rows}:  # something else was promised than is moved now
        rows += await session.fetch(f"SELECT * FROM stock_balance WHERE id = ANY(?) {order}", sorted(others))
    return StockFacts(
        {item: tuple(_balance(r) for r in found) for item, found in rows_by(rows, "item").items()},
        {
            line: tuple(Reservation(id=r["id"], line=line, balance=r["balance"], quantity=plain(unscaled(r["quantity"], QUANTITY))) for r in found)
            for line, found in rows_by(reserved, "line").items()
        },
        await _moved(session, document) if lock and document.role == "return" else {},
        await _bought(session, document) if lock else {},
    )


def may_have_reservations(document: Document, fresh: bool, known: Mapping[int, str], reserving: frozenset[str]) -> list[int]:
    """The lines that may: of the document, unless it is new, and of what it comes from.

    Args:
        known: id -> kind of documents that lines come from, as far as they have been read. reserving: the kinds that reserve.
    """
    own = {line.id for line in document.lines} if document.kind in reserving and not fresh else set()
    of_sources = (s for line in document.lines for s in line.sources)
    return sorted(own | {s.from_line for s in of_sources if s.from_document not in known or known[s.from_document] in reserving})


async def _bought(session: Session, document: Document) -> dict[int, Bought]:
    """Lines of purchases behind lines that come from two documents at once: a sale, and the purchase that is to fill it."""
    links = [s for line in document.lines if len({s.from_document for s in line.sources}) > 1 for s in line.sources]
    if not links:
        return {}
    ids, kinds = sorted({s.from_line for s in links}), sorted({s.kind for s in links})
    rows = await session.fetch(
        "SELECT l.id, l.quantity, l.net, d.rate, (SELECT CAST(COALESCE(SUM(k.quantity), 0) AS BIGINT) FROM line_link k WHERE k.from_line = l.id "
        "AND k.kind = ANY(?) AND k.firm = ? AND k.to_document <> ?) AS before FROM document_line l JOIN document d ON d.id = l.document "
        "WHERE l.id = ANY(?) AND d.role = 'purchase'",
        kinds, True, document.id, ids,
    )  # fmt: skip
    return {
        r["id"]: Bought(quantity=unscaled(r["quantity"], QUANTITY), net=money(r["net"]), rate=unscaled(r["rate"], RATE), before=unscaled(r["before"], QUANTITY))
        for r in rows
    }


async def _moved(session: Session, document: Document) -> dict[int, tuple[Decimal, Decimal]]:
    links = [s for line in document.lines for s in line.sources]  # moves are found by their document
    sql = "SELECT line, SUM(quantity) AS quantity, SUM(value) AS value FROM stock_move WHERE document = ANY(?) AND line = ANY(?) GROUP BY line"
    rows = await session.fetch(sql, sorted({s.from_document for s in links}), sorted({s.from_line for s in links})) if links else []
    return {r["line"]: (unscaled(int(r["quantity"]), QUANTITY), money(int(r["value"]))) for r in rows}


def _balance(r: Any) -> Balance:
    return Balance(
        id=r["id"], item=r["item"], location=r["location"], lot=r["lot"], quantity=plain(unscaled(r["quantity"], QUANTITY)),
        reserved=plain(unscaled(r["reserved"], QUANTITY)), value=money(r["value"]),
    )  # fmt: skip


async def write_stock(session: Session, plan: StockPlan, document: Document, context: Context) -> None:
    """Write what was planned."""
    fresh = [p for p in plan.places.values() if p.changed and not p.id]
    for place in fresh:
        place.id = session.add(
            t.StockBalance, item=place.item, location=place.location, lot=place.lot, quantity=scaled(place.quantity, QUANTITY),
            reserved=scaled(place.reserved, QUANTITY), value=scaled(place.value, AMOUNT),
        )  # fmt: skip
    changed = sorted((p for p in plan.places.values() if p.changed and p not in fresh), key=lambda p: p.id)
    await session.many(
        "UPDATE stock_balance SET quantity = ?, reserved = ?, value = ? WHERE id = ?",
        [(scaled(p.quantity, QUANTITY), scaled(p.reserved, QUANTITY), scaled(p.value, AMOUNT), p.id) for p in changed],
    )
    for r in plan.reserved:
        session.add(t.StockReservation, line=r.line, balance=r.balance, quantity=scaled(r.quantity, QUANTITY))
    if plan.released:
        left = {r.id: r.quantity for found in plan.reservations.values() for r in found}
        touched = sorted({r.id for r in plan.released})
        await session.many("UPDATE stock_reservation SET quantity = ? WHERE id = ?", [(scaled(left[id], QUANTITY), id) for id in touched if id in left])
        gone = [id for id in touched if id not in left]
        if gone:
            await session.fetch("DELETE FROM stock_reservation WHERE id = ANY(?)", gone)
    for move in plan.moves:
        session.add(
            t.StockMove, document=document.id, line=move.line, item=move.item, lot=move.lot, quantity=scaled(move.quantity, QUANTITY),
            source=move.source, target=move.target, value=scaled(move.value, AMOUNT), date=document.date, at=context.now,
        )  # fmt: skip
