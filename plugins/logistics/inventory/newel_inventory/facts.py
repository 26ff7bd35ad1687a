"""What inventory reads: balances for its rules, and the reports on stock."""

from __future__ import annotations

from typing import Any

from newel.domain.context import Context
from newel.domain.document import Document
from newel.manifest import Column, Parameter, Report
from newel.store.columns import AMOUNT, QUANTITY, unscaled
from newel.store.session import Session, day, narrowed

from newel_inventory.rules import Lying, StockNow


async def load(session: Session, document: Document) -> StockNow | None:
    """One statement for counts and for serial numbers that come in, none for anything else: a sale has the kernel's balances."""
    goods = [line.item for line in document.lines if line.item is not None and line.item.stocked]
    items = sorted({item.id for item in goods if item.tracking == "serial" or document.kind == "inventory.count"})
    rows = await session.fetch("SELECT item, location, lot, quantity, value FROM stock_balance WHERE item = ANY(?)", items) if items else []
    return StockNow(places={(r["item"], r["location"], r["lot"]): Lying(unscaled(r["quantity"], QUANTITY), unscaled(r["value"], AMOUNT)) for r in rows})


async def on_hand(session: Session, parameters: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """What lies where, and what of it is promised."""
    sql, args = narrowed(
        """SELECT i.number AS item, i.name, l.code AS location, COALESCE(t.number, '') AS lot, t.date_expiry, b.quantity, b.reserved,
                  b.value, i.unit
             FROM stock_balance b JOIN item i ON i.id = b.item JOIN location l ON l.id = b.location LEFT JOIN lot t ON t.id = b.lot
            WHERE l.company = ? AND b.quantity <> 0""",
        [context.company.id], parameters, {"item": "b.item =", "location": "b.location ="},
    )  # fmt: skip
    return [
        {
            **{name: r[name] for name in ("item", "name", "location", "lot", "unit")},
            "date_expiry": day(r["date_expiry"]), "quantity": unscaled(r["quantity"], QUANTITY),
            "reserved": unscaled(r["reserved"], QUANTITY), "free": unscaled(r["quantity"] - r["reserved"], QUANTITY),
            "value": unscaled(r["value"], AMOUNT),
        }
        for r in await session.fetch(f"{sql} ORDER BY i.number, l.code, t.number, b.id", *args)
    ]  # fmt: skip


async def moves(session: Session, parameters: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """Every move of a period."""
    sql, args = narrowed(
        """SELECT m.date, m.document, d.number, i.number AS item, i.name, i.unit, COALESCE(t.number, '') AS lot,
                  s.code AS source, g.code AS target, m.quantity, m.value
             FROM stock_move m JOIN document d ON d.id = m.document JOIN item i ON i.id = m.item
             JOIN location s ON s.id = m.source JOIN location g ON g.id = m.target LEFT JOIN lot t ON t.id = m.lot
            WHERE d.company = ?""",
        [context.company.id], parameters, {"item": "m.item =", "date_from": "m.date >=", "date_to": "m.date <="},
    )  # fmt: skip
    return [
        {
            **{name: r[name] for name in ("document", "number", "item", "name", "unit", "lot", "source", "target")},
            "date": day(r["date"]), "quantity": unscaled(r["quantity"], QUANTITY), "value": unscaled(r["value"], AMOUNT),
        }
        for r in await session.fetch(f"{sql} ORDER BY m.date, m.id", *args)
    ]  # fmt: skip


async def reservations(session: Session, parameters: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """What is promised, and to whom."""
    sql, args = narrowed(
        """SELECT d.id AS document, d.number, d.date_requested, COALESCE(p.name, '') AS party, i.number AS item, i.name, i.unit,
                  l.code AS location, COALESCE(t.number, '') AS lot, r.quantity
             FROM stock_reservation r JOIN stock_balance b ON b.id = r.balance JOIN location l ON l.id = b.location
             JOIN document_line n ON n.id = r.line CROSS JOIN document d JOIN item i ON i.id = b.item
             LEFT JOIN party p ON p.id = d.party LEFT JOIN lot t ON t.id = b.lot
            WHERE d.id = n.document AND d.company = ?""",  # from what is promised to its documents, not from all of them
        [context.company.id], parameters, {"item": "b.item =", "party": "d.party ="},
    )  # fmt: skip
    return [
        {
            **{name: r[name] for name in ("document", "number", "party", "item", "name", "unit", "location", "lot")},
            "date_requested": day(r["date_requested"]),
            "quantity": unscaled(r["quantity"], QUANTITY),
        }
        for r in await session.fetch(f"{sql} ORDER BY i.number, d.date, r.id", *args)
    ]


ITEM = Parameter(name="item", label="Item", type="newel.item")
GOODS = (Column(name="item", label="Item"), Column(name="name", label="Name"))
LOT, UNIT = Column(name="lot", label="Lot"), Column(name="unit", label="Unit")
QUANTITY_COLUMN = Column(name="quantity", label="Quantity", type="quantity")

REPORTS = (
    Report(
        name="inventory.on_hand",
        label="Stock on hand",
        menu="Stock",
        help="What lies where, what of it is promised and free, and what it is worth.",
        load=on_hand,
        parameters=(ITEM, Parameter(name="location", label="Location", type="newel.location")),
        columns=(
            *GOODS,
            Column(name="location", label="Location"),
            LOT,
            Column(name="date_expiry", label="Expires", type="date"),
            QUANTITY_COLUMN,
            Column(name="reserved", label="Reserved", type="quantity"),
            Column(name="free", label="Free", type="quantity"),
            UNIT,
            Column(name="value", label="Value", type="amount", total=True, right="newel.costs"),
        ),
    ),
    Report(
        name="inventory.moves",
        label="Stock moves",
        menu="Stock",
        help="Every move of goods in a period.",
        load=moves,
        parameters=(ITEM, Parameter(name="date_from", label="From", type="date"), Parameter(name="date_to", label="To", type="date")),
        columns=(
            Column(name="date", label="Date", type="date"),
            Column(name="document", label="Document", type="document", text="number"),
            *GOODS,
            LOT,
            Column(name="source", label="From"),
            Column(name="target", label="To"),
            QUANTITY_COLUMN,
            UNIT,
            Column(name="value", label="Value", type="amount", right="newel.costs"),
        ),
    ),
    Report(
        name="inventory.reservations",
        label="Reservations",
        menu="Stock",
        help="Which goods are promised to which document.",
        load=reservations,
        parameters=(ITEM, Parameter(name="party", label="Customer", type="newel.party")),
        columns=(
            *GOODS,
            Column(name="location", label="Location"),
            LOT,
            QUANTITY_COLUMN,
            UNIT,
            Column(name="document", label="For", type="document", text="number"),
            Column(name="party", label="Customer"),
            Column(name="date_requested", label="Wanted", type="date"),
        ),
    ),
)
