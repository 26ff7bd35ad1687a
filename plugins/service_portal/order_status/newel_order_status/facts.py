"""The orders that somebody may see, with what has become of them: five questions for any number of orders."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
from newel.domain.context import Context
from newel.services.access import own_party
from newel.store.columns import QUANTITY, unscaled
from newel.store.documents import money
from newel.store.session import Session, day, rows_by

from newel_order_status.rules import LineStatus, Moved, OrderLine, Stage, stages, statuses

MOST = 50
ORDERS = (
    "SELECT d.id, d.number, d.date, d.reference, d.currency, d.gross, d.phase, p.name AS party FROM document d LEFT JOIN party p ON p.id = d.party "
    "WHERE {company} = ? AND d.role = 'sale' AND d.phase = '{phase}' AND {own} AND {which} ORDER BY d.date DESC, d.id DESC LIMIT {most}"
)
LINES = "SELECT id, document, text, quantity, unit, parent FROM document_line WHERE document = ANY(?) AND kind <> 'text' ORDER BY position"
MOVED = (
    "SELECT k.from_line, k.from_document, k.quantity, k.firm, d.id, d.role, d.number, d.date FROM line_link k JOIN document d ON d.id = k.to_document "
    "WHERE k.from_document = ANY(?) AND d.phase <> 'cancelled' ORDER BY k.id"
)
DATES = "SELECT line, quantity, COALESCE(date_confirmed, date_requested) AS day FROM line_schedule WHERE document = ANY(?) ORDER BY id"


class OrderStatus(msgspec.Struct, frozen=True, kw_only=True):
    """An order as its customer sees it. open: something of it is still to come. gross: what it comes to, tax in."""

    id: int
    number: str
    date: date | None
    reference: str
    party: str
    currency: str
    gross: Decimal
    open: bool
    stages: tuple[Stage, ...]
    lines: tuple[LineStatus, ...]


async def orders(session: Session, context: Context, number: str = "") -> list[OrderStatus]:
    """Orders of the company, those that are open first; whoever stands for a party sees its own.

    Args:
        number: of an order, or the customer's own reference; empty for all.
    """
    own, args = own_party(context, "d.party")
    which = "(d.number = ? OR d.reference = ?)" if number else "1 = 1"
    company = "+d.company" if number or args else "d.company"  # the plus: SQLite looks for the number or the party, not through all orders by day
    rows: list[Any] = []
    for phase in ("open", "done"):  # each has an index with its latest: to sort both at once would read every order there ever was
        sql = ORDERS.format(company=company, own=own, which=which, phase=phase, most=MOST - len(rows))
        rows += await session.fetch(sql, context.company.id, *args, *([number] * 2 if number else []))
    ids = [r["id"] for r in rows]
    if not ids:
        return []
    lines = rows_by(await session.fetch(LINES, ids), "document")
    moved = rows_by(await session.fetch(MOVED, ids), "from_document")
    dates = rows_by(await session.fetch(DATES, ids), "line")
    return [_status(r, lines.get(r["id"], []), moved.get(r["id"], []), dates) for r in rows]


def _status(row: Any, lines: list[Any], moved: list[Any], dates: dict[int, list[Any]]) -> OrderStatus:
    parents = {x["parent"] for x in lines}
    own = [
        OrderLine(
            id=x["id"], text=x["text"], quantity=unscaled(x["quantity"], QUANTITY), unit=x["unit"], parts=x["id"] in parents,
            dates=tuple((unscaled(s["quantity"], QUANTITY), when) for s in dates.get(x["id"], ()) if (when := day(s["day"]))),
        )
        for x in lines
    ]  # fmt: skip
    went = [
        Moved(
            line=m["from_line"], quantity=unscaled(m["quantity"], QUANTITY), role=m["role"], firm=bool(m["firm"]), document=m["id"], number=m["number"],
            date=day(m["date"]),
        )
        for m in moved
    ]  # fmt: skip
    return OrderStatus(
        id=row["id"], number=row["number"], date=day(row["date"]), reference=row["reference"], party=row["party"] or "", currency=row["currency"],
        gross=money(row["gross"]), open=row["phase"] == "open", stages=tuple(stages(own, went)), lines=tuple(statuses(own, went)),
    )  # fmt: skip
