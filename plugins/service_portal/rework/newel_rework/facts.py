"""What rework reads: what the work on returns came to."""

from __future__ import annotations

from typing import Any

import msgspec
from newel.domain.context import Company, Context
from newel.domain.document import Document
from newel.domain.money import ZERO, product, rounded
from newel.manifest import Column, Parameter, Report
from newel.store.columns import RATE, unscaled
from newel.store.documents import money
from newel.store.session import Session, day

from newel_rework.rules import COSTS, Cost, ReworkFacts

# Every line of work that counts, with the return that it belongs to. Material is worth what it left stock at.
# CROSS JOIN: from the returns to their links, and not from all links there are.
WORK = """
SELECT x.document, i.kind, l.cost, l.net, w.rate,
       (SELECT CAST(COALESCE(SUM(m.value), 0) AS BIGINT) FROM stock_move m WHERE m.document = w.id AND m.line = l.id) AS value
  FROM (SELECT DISTINCT k.from_document AS document, k.to_document AS work FROM document d CROSS JOIN line_link k
         WHERE k.from_document = d.id AND k.kind = 'worked' AND d.kind = 'returns.authorisation' AND {condition}) x
  JOIN document w ON w.id = x.work AND w.phase IN ('open', 'done') JOIN document_line l ON l.document = w.id JOIN item i ON i.id = l.item
"""


async def load(session: Session, document: Document, context: Context) -> ReworkFacts | None:
    """One statement for returns that are open or done, nothing for all others."""
    if document.phase not in ("open", "done"):
        return None
    return ReworkFacts(cost=(await _cost(session, context.company, "d.id = ?", document.id)).get(document.id))


async def _cost(session: Session, company: Company, condition: str, *args: Any) -> dict[int, Cost]:
    """What the work cost, by return (RMA-06)."""
    found: dict[int, Cost] = {}
    for r in await session.fetch(WORK.format(condition=condition), *args):
        old, material = found.get(r["document"], Cost()), r["kind"] == "goods"
        found[r["document"]] = Cost(
            material=old.material + (money(r["value"]) if material else ZERO), labour=old.labour + (ZERO if material else money(r["cost"])),
            charge=old.charge + rounded(product(money(r["net"]), unscaled(r["rate"], RATE)), company.amount_digits, company.rounding),
        )  # fmt: skip
    return found


async def cost(session: Session, parameters: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """What the work on each return came to."""
    party = parameters.get("party") or 0
    found = await _cost(session, context.company, "d.company = ? AND (CAST(? AS BIGINT) = 0 OR d.party = ?)", context.company.id, party, party)
    heads = await session.fetch(
        "SELECT d.id, d.number, d.date, p.name AS party, d.state FROM document d LEFT JOIN party p ON p.id = d.party WHERE d.id = ANY(?) ORDER BY d.date, d.id",
        sorted(found),
    ) if found else []  # fmt: skip
    return [
        {"document": r["id"], "number": r["number"], "date": day(r["date"]), "party": r["party"], "state": r["state"],
         **msgspec.structs.asdict(found[r["id"]]), "result": found[r["id"]].result}
        for r in heads
    ]  # fmt: skip


REPORTS = (
    Report(
        name="rework.cost", label="Cost of returns", menu="Service", load=cost, parameters=(Parameter(name="party", label="Customer", type="newel.party"),),
        help="Material and labour that went into each return, and what is charged for them.",
        columns=(
            Column(name="document", label="Return", type="document", text="number"), Column(name="date", label="Date", type="date"),
            Column(name="party", label="Customer"), Column(name="state", label="State"),
            *(Column(name=n, label=text, type="amount", total=True, right="" if n == "charge" else COSTS)
              for n, text in (("material", "Material"), ("labour", "Labour"), ("charge", "To be charged"), ("result", "Result"))),
        ),
    ),
)  # fmt: skip
