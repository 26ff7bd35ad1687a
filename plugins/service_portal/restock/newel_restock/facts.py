"""What restock reads: what lies in vans and depots, what is on its way, and what lacks."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from newel.domain.context import Context
from newel.domain.money import ZERO, plain, product
from newel.manifest import Column, Parameter, Report
from newel.store.columns import QUANTITY, unscaled
from newel.store.master import load_master
from newel.store.session import Session

from newel_restock.rules import Lack, RestockSettings

# What is on its way to a place: transfers that wait, requisitions that are not ordered, orders that have not come.
# CROSS JOIN: what is not finished leads, as in its index, and not the history of the items.
COMING = """
SELECT COALESCE(l.location_to, d.location_to) AS location, l.item, l.quantity, l.factor,
       (SELECT CAST(COALESCE(SUM(k.quantity), 0) AS BIGINT) FROM line_link k WHERE k.from_line = l.id
         AND ((d.role = 'request' AND k.kind = 'ordered') OR (d.role = 'purchase' AND k.kind = 'received' AND k.firm = ?))) AS gone
  FROM document d CROSS JOIN document_line l
 WHERE d.company = ? AND (d.phase = 'open' OR d.phase = 'draft') AND l.document = d.id AND l.item = ANY(?)
   AND ((d.kind = ? AND d.phase = 'draft') OR ((d.kind = ? OR d.role = 'purchase') AND d.phase IN ('draft', 'open')))
"""


async def lacks(session: Session, context: Context) -> list[Lack]:
    """Every minimum of the company with what lies there and is on its way."""
    levels = await session.fetch(
        "SELECT x.*, i.number FROM restock_level x JOIN item i ON i.id = x.item WHERE x.company = ? ORDER BY x.location, i.number", context.company.id
    )
    items = sorted({r["item"] for r in levels})
    if not items:
        return []
    master = await load_master(session)
    lying: dict[tuple[int, int], Decimal] = {}
    for r in await session.fetch("SELECT location, item, quantity - reserved AS free FROM stock_balance WHERE item = ANY(?)", items):
        lying[(r["location"], r["item"])] = lying.get((r["location"], r["item"]), ZERO) + unscaled(r["free"], QUANTITY)
    coming: dict[tuple[int | None, int], Decimal] = {}
    settings, home = context.setting("restock", RestockSettings), master.defaults.get((context.company.id, "storage"))
    for r in await session.fetch(COMING, True, context.company.id, items, settings.transfer, settings.requisition):
        at = (r["location"] or home, r["item"])
        rest = product(unscaled(max(r["quantity"] - r["gone"], 0), QUANTITY), unscaled(r["factor"], QUANTITY))
        coming[at] = coming.get(at, ZERO) + rest

    def there(location: int | None, item: int) -> Decimal:
        return sum((lying.get((x, item), ZERO) for x in master.below(location)), ZERO) if location else ZERO

    return [
        Lack(
            location=r["location"], item=r["item"], number=r["number"], free=there(r["location"], r["item"]), source=r["source"],
            coming=coming.get((r["location"], r["item"]), ZERO), minimum=unscaled(r["minimum"], QUANTITY), target=unscaled(r["target"], QUANTITY),
            there=there(r["source"], r["item"]),
        )
        for r in levels
    ]  # fmt: skip


async def lacking(session: Session, parameters: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """Vans and depots by part: what lies there, is coming, should be there, and is proposed."""
    places = (await load_master(session)).locations
    rows = []
    for x in await lacks(session, context):
        if (x.quantity > 0 or parameters.get("all")) and parameters.get("location") in (None, x.location):
            source = places[x.source].code if x.source in places else "bought"
            numbers = {n: plain(getattr(x, n)) for n in ("free", "coming", "minimum", "target", "quantity")}
            rows.append({"place": places[x.location].code, "item": x.number, **numbers, "source": source, "there": plain(x.there) if x.source else None})
    return rows


REPORTS = (
    Report(
        name="restock.lacking", label="Stock of vans and depots", menu="Service", load=lacking, help="Where less than the minimum lies, and what is proposed.",
        parameters=(Parameter(name="location", label="Van or depot", type="newel.location"), Parameter(name="all", label="Also what is enough", type="flag")),
        columns=(
            Column(name="place", label="Van or depot"), Column(name="item", label="Item"),
            *(Column(name=n, label=text, type="quantity") for n, text in (("free", "Free"), ("coming", "Coming"), ("minimum", "Minimum"),
                                                                         ("target", "Fill up to"), ("quantity", "Proposed"))),
            Column(name="source", label="From"), Column(name="there", label="Free there", type="quantity"),
        ),
    ),
)  # fmt: skip
