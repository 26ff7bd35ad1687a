"""What sales reads: the codes that a header may name, and the order backlog."""

from __future__ import annotations

from typing import Any

from newel.domain.context import Context
from newel.domain.money import ZERO
from newel.manifest import Column, Parameter, Report
from newel.store.columns import AMOUNT, QUANTITY, unscaled
from newel.store.session import Session, day, narrowed

from newel_sales.rules import SalesFacts


async def load(session: Session) -> SalesFacts:
    """Representatives and classes, from the cache."""
    return await session.cached("sales", _load)


async def _load(session: Session) -> SalesFacts:
    representatives = await session.fetch("SELECT code, name FROM sales_representative WHERE active = ?", True)
    classes = await session.fetch("SELECT code, name FROM sales_class")
    return SalesFacts({r["code"]: r["name"] for r in representatives}, {r["code"]: r["name"] for r in classes})


# Asked for each line: only open orders count, and sums over all links would grow with the whole history.
BACKLOG = """
SELECT d.id AS document, d.number, d.date, p.name AS party, d.reference, i.number AS item, l.text, l.unit, l.quantity, l.net, d.currency,
       COALESCE((SELECT MIN(s.date_requested) FROM line_schedule s WHERE s.line = l.id), d.date_requested) AS date_requested,
       CAST(COALESCE((SELECT SUM(k.quantity) FROM line_link k WHERE k.from_line = l.id AND k.kind = 'delivered' AND k.firm = ?), 0) AS BIGINT) AS delivered,
       CAST(COALESCE((SELECT SUM(k.quantity) FROM line_link k WHERE k.from_line = l.id AND k.kind = 'invoiced' AND k.firm = ?), 0) AS BIGINT) AS invoiced
  FROM document d
  JOIN document_line l ON l.document = d.id
  LEFT JOIN item i ON i.id = l.item
  LEFT JOIN party p ON p.id = d.party
 WHERE d.company = ? AND d.kind = 'sales.order' AND d.phase = 'open' AND l.kind <> 'text'
"""


async def backlog(session: Session, parameters: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """Lines of open orders with what has been delivered and invoiced of them (DOC-32)."""
    sql, args = narrowed(BACKLOG, [True, True, context.company.id], parameters, {"party": "d.party =", "item": "l.item ="})
    rows = await session.fetch(f"{sql} ORDER BY d.date, d.id, l.position, l.id", *args)
    out = []
    for r in rows:
        quantity, delivered, invoiced = (unscaled(r[name], QUANTITY) for name in ("quantity", "delivered", "invoiced"))
        out.append(
            {
                **{name: r[name] for name in ("document", "number", "party", "reference", "item", "text", "unit", "currency")},
                "date": day(r["date"]), "date_requested": day(r["date_requested"]), "quantity": quantity, "delivered": delivered,
                "invoiced": invoiced, "open": max(quantity - delivered, ZERO), "net": unscaled(r["net"], AMOUNT),
            }
        )  # fmt: skip
    return out


REPORTS = (
    Report(
        name="sales.backlog",
        label="Order backlog",
        menu="Sales",
        help="Every line of the open orders: ordered, delivered, invoiced, still open.",
        load=backlog,
        parameters=(Parameter(name="party", label="Customer", type="newel.party"), Parameter(name="item", label="Item", type="newel.item")),
        columns=(
            Column(name="document", label="Order", type="document", text="number"),
            Column(name="date", label="Date", type="date"),
            Column(name="date_requested", label="Wanted", type="date"),
            Column(name="party", label="Customer"),
            Column(name="reference", label="Their reference"),
            Column(name="item", label="Item"),
            Column(name="text", label="Text"),
            Column(name="quantity", label="Ordered", type="quantity"),
            Column(name="delivered", label="Delivered", type="quantity"),
            Column(name="invoiced", label="Invoiced", type="quantity"),
            Column(name="open", label="Open", type="quantity"),
            Column(name="unit", label="Unit"),
            Column(name="net", label="Net", type="amount"),
            Column(name="currency", label="Currency"),
        ),
    ),
)
