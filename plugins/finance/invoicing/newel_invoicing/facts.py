"""What invoicing reads: what is to be billed, and what has been."""

from __future__ import annotations

from typing import Any

from newel.domain.context import Context
from newel.domain.money import ZERO
from newel.errors import Problem, Refused
from newel.manifest import Column, Parameter, Report
from newel.store.columns import AMOUNT, QUANTITY, unscaled
from newel.store.session import Session, day, narrowed

from newel_invoicing.rules import STATES, share, state_of

# Links of a line, added up for each line that is asked for: the sums of all links there are would grow with the history.
# What is planned to be invoiced counts as well, so that nothing is offered for billing twice.
INVOICED = "COALESCE((SELECT CAST(SUM(y.quantity) AS BIGINT) FROM line_link y WHERE y.from_line = {line}.id AND y.kind = 'invoiced'), 0)"
DELIVERED = "COALESCE((SELECT CAST(SUM(y.quantity) AS BIGINT) FROM line_link y WHERE y.from_line = l.id AND y.kind = 'delivered' AND y.firm = ?), 0)"
# Of what a line of a sale has been invoiced, how much through its deliveries; the rest was invoiced from the order itself.
THROUGH = """COALESCE((SELECT CAST(SUM(y.quantity) AS BIGINT) FROM line_link x JOIN line_link y ON y.from_line = x.to_line AND y.kind = 'invoiced'
                      WHERE x.from_line = n.id AND x.kind = 'delivered'), 0)"""
# Nearly all of the history is invoiced by one link for all of it, and needs no adding up.
UNBILLED_AT_ONCE = "NOT EXISTS (SELECT 1 FROM line_link z WHERE z.from_line = {line}.id AND z.kind = 'invoiced' AND z.quantity >= {line}.quantity)"
# CROSS JOIN: from the open orders to their lines.
TO_INVOICE = f"""
SELECT d.id AS document, d.number, d.date, COALESCE(p.name, '') AS party, d.currency, COALESCE(i.number, '') AS item, l.text, l.unit,
       l.quantity, l.net, {DELIVERED} AS delivered, {INVOICED.format(line="l")} AS invoiced
  FROM document d CROSS JOIN document_line l
  LEFT JOIN item i ON i.id = l.item LEFT JOIN party p ON p.id = d.party
 WHERE d.company = ? AND d.role = 'sale' AND d.phase = 'open' AND l.document = d.id AND l.kind <> 'text' AND l.quantity > {INVOICED.format(line="l")}
"""
UNBILLED = f"""
SELECT d.id AS document, d.number, d.date, COALESCE(p.name, '') AS party, o.currency, COALESCE(i.number, '') AS item, l.text, l.unit,
       l.quantity, o.id AS sale, COALESCE(o.number, '') AS sale_number, COALESCE(n.net, 0) AS net, COALESCE(n.quantity, 0) AS ordered,
       {INVOICED.format(line="l")} AS invoiced, n.id AS sale_line, {INVOICED.format(line="n")} AS sale_invoiced, {THROUGH} AS through
  FROM document d CROSS JOIN document_line l
  LEFT JOIN item i ON i.id = l.item LEFT JOIN party p ON p.id = d.party
  LEFT JOIN line_link j ON j.to_line = l.id AND j.kind = 'delivered'
  LEFT JOIN document_line n ON n.id = j.from_line
  LEFT JOIN document o ON o.id = j.from_document
 WHERE d.company = ? AND d.role = 'delivery' AND d.phase = 'done' AND l.document = d.id AND l.kind <> 'text'
   AND {UNBILLED_AT_ONCE.format(line="l")} AND {UNBILLED_AT_ONCE.format(line="n")}
"""
INVOICES = """
SELECT d.id AS document, d.number, d.kind, d.state, d.date, d.date_due, COALESCE(p.name, '') AS party, d.currency, d.reference, d.gross,
       COALESCE((SELECT CAST(SUM(o.amount_open) AS BIGINT) FROM open_item o WHERE o.document = d.id), 0) AS amount_open
  FROM document d LEFT JOIN party p ON p.id = d.party
 WHERE d.company = ? AND d.kind IN ('invoicing.invoice', 'invoicing.credit_note')
"""


async def to_invoice(session: Session, parameters: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """Lines of open orders that have not been billed; `delivered` only leaves those of which something is delivered and unbilled."""
    sql, args = narrowed(TO_INVOICE, [True, context.company.id], parameters, {"party": "d.party =", "until": "d.date <="})
    out = []
    for r in await session.fetch(f"{sql} ORDER BY d.date, d.id, l.position, l.id", *args):
        quantity, delivered, invoiced = (unscaled(r[name], QUANTITY) for name in ("quantity", "delivered", "invoiced"))
        unbilled = max(delivered - invoiced, ZERO)
        if parameters.get("delivered") and not unbilled:
            continue
        out.append(
            {
                **{name: r[name] for name in ("document", "number", "party", "currency", "item", "text", "unit")},
                "date": day(r["date"]),
                "quantity": quantity,
                "delivered": delivered,
                "invoiced": invoiced,
                "unbilled": unbilled,
                "open": quantity - invoiced,
                "net": share(unscaled(r["net"], AMOUNT), quantity - invoiced, quantity),
            }
        )
    return out


async def unbilled(session: Session, parameters: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """Lines of deliveries that have not been billed, neither themselves nor through their order, which bills the oldest first (DOC-22)."""
    sql, args = narrowed(UNBILLED, [context.company.id], parameters, {"party": "d.party =", "until": "d.date <="})
    out, left = [], dict[int, int]()  # by line of a sale: what was invoiced from the order, and of no delivery yet
    for r in await session.fetch(f"{sql} ORDER BY d.date, d.id, l.position, l.id", *args):
        rest = r["quantity"] - r["invoiced"]
        before = left.get(r["sale_line"], r["sale_invoiced"] - r["through"])
        billed = min(rest, before)
        left[r["sale_line"]] = before - billed
        if rest <= billed or (r["sale"] is not None and r["ordered"] <= r["sale_invoiced"]):
            continue
        open_quantity = unscaled(rest - billed, QUANTITY)
        net = share(unscaled(r["net"], AMOUNT), open_quantity, unscaled(r["ordered"], QUANTITY)) if r["ordered"] else ZERO
        out.append(
            {
                **{name: r[name] for name in ("document", "number", "party", "currency", "item", "text", "unit", "sale", "sale_number")},
                "date": day(r["date"]),
                "quantity": unscaled(r["quantity"], QUANTITY),
                "open": open_quantity,
                "net": net,
            }
        )
    return out


async def invoices(session: Session, parameters: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """Invoices and credit notes by whatever is asked for: state, customer, period, amount, reference (DOC-23)."""
    state = parameters.get("state") or ""
    if state and state not in STATES:
        message = f"one of {', '.join(STATES)} was expected, got {state!r:.40}"
        raise Refused(Problem(code="invoicing.state", message=message, where="state", hint="leave it empty for all"))
    columns = {
        "party": "d.party =",
        "date_from": "d.date >=",
        "date_to": "d.date <=",
        "currency": "d.currency =",
        "reference": "d.reference =",
    }
    sql, args = narrowed(INVOICES, [context.company.id], parameters, columns)
    out = []
    for r in await session.fetch(f"{sql} ORDER BY d.date, d.id", *args):
        gross, found = unscaled(r["gross"], AMOUNT), state_of(r["state"], day(r["date_due"]), context.today)
        sign = -1 if r["kind"] == "invoicing.credit_note" else 1
        if state and state not in (found, r["state"]):
            continue
        if parameters.get("amount_from") is not None and gross < parameters["amount_from"]:
            continue
        out.append(
            {
                **{name: r[name] for name in ("document", "number", "party", "currency", "reference")},
                "date": day(r["date"]),
                "date_due": day(r["date_due"]),
                "state": found,
                "gross": sign * gross,
                "open": unscaled(r["amount_open"], AMOUNT),
            }
        )
    return out


PARTY = Parameter(name="party", label="Customer", type="newel.party")
UNTIL = Parameter(name="until", label="Until", type="date")
DATE, CUSTOMER = Column(name="date", label="Date", type="date"), Column(name="party", label="Customer")
LINE = (Column(name="item", label="Item"), Column(name="text", label="Text"))
UNIT, CURRENCY = Column(name="unit", label="Unit"), Column(name="currency", label="Currency")
OPEN, NET = Column(name="open", label="To bill", type="quantity"), Column(name="net", label="Net to bill", type="amount")

REPORTS = (
    Report(
        name="invoicing.to_invoice",
        label="Orders to be invoiced",
        menu="Finance",
        help="What was ordered, what of it is delivered, and what has not been billed.",
        load=to_invoice,
        parameters=(PARTY, UNTIL, Parameter(name="delivered", label="Only what is delivered", type="flag")),
        columns=(
            Column(name="document", label="Order", type="document", text="number"),
            DATE,
            CUSTOMER,
            *LINE,
            Column(name="quantity", label="Ordered", type="quantity"),
            Column(name="delivered", label="Delivered", type="quantity"),
            Column(name="invoiced", label="Invoiced", type="quantity"),
            Column(name="unbilled", label="Delivered, not billed", type="quantity"),
            OPEN,
            UNIT,
            NET,
            CURRENCY,
        ),
    ),
    Report(
        name="invoicing.unbilled",
        label="Unbilled deliveries",
        menu="Finance",
        help="What has been delivered and not been billed.",
        load=unbilled,
        parameters=(PARTY, UNTIL),
        columns=(
            Column(name="document", label="Delivery", type="document", text="number"),
            DATE,
            CUSTOMER,
            Column(name="sale", label="Order", type="document", text="sale_number"),
            *LINE,
            Column(name="quantity", label="Delivered", type="quantity"),
            OPEN,
            UNIT,
            NET,
            CURRENCY,
        ),
    ),
    Report(
        name="invoicing.invoices",
        label="Invoices by state",
        menu="Finance",
        help="Draft, posted, overdue and paid invoices and credit notes.",
        load=invoices,
        parameters=(
            Parameter(name="state", label="State: " + ", ".join(STATES)),
            PARTY,
            Parameter(name="date_from", label="From", type="date"),
            Parameter(name="date_to", label="To", type="date"),
            Parameter(name="currency", label="Currency"),
            Parameter(name="reference", label="Reference"),
            Parameter(name="amount_from", label="Amount at least", type="decimal"),
        ),
        columns=(
            Column(name="document", label="Invoice", type="document", text="number"),
            DATE,
            Column(name="date_due", label="Due", type="date"),
            CUSTOMER,
            Column(name="reference", label="Reference"),
            Column(name="state", label="State"),
            Column(name="gross", label="Gross", type="amount"),
            Column(name="open", label="Open", type="amount"),
            CURRENCY,
        ),
    ),
)
