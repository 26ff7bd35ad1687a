"""What the fault file reads: causes, and faults by what they are counted by."""

from __future__ import annotations

from datetime import date
from typing import Any

from newel.domain.context import Context
from newel.domain.document import Document
from newel.domain.money import plain
from newel.manifest import Column, Parameter, Report
from newel.services.access import own_party
from newel.store.columns import QUANTITY, unscaled
from newel.store.session import Session

from newel_faults.rules import FaultFacts, asked, pareto, said

COLUMNS = {"cause": "c.name", "item": "i.number", "lot": "COALESCE(t.number, '')"}
# measures: 0 none, 1 done, 2 one is open.
COUNTED = """
SELECT {column} AS name, CAST(SUM(f.quantity) AS BIGINT) AS quantity,
       MAX((SELECT COALESCE(MAX(CASE WHEN m.date_done IS NULL THEN 2 ELSE 1 END), 0) FROM faults_measure m
             WHERE m.item = f.item AND m.cause = f.cause AND m.company = f.company)) AS measures
  FROM faults_fault f JOIN item i ON i.id = f.item JOIN faults_cause c ON c.id = f.cause LEFT JOIN lot t ON t.id = f.lot
 WHERE f.company = ? AND f.date >= ? AND (CAST(? AS BIGINT) = 0 OR f.item = ?) AND {own} GROUP BY {column}
"""
MEASURES = ("", "done", "open")


async def _causes(session: Session) -> FaultFacts:
    rows = await session.fetch("SELECT id, code FROM faults_cause WHERE active = ?", True)
    return FaultFacts({r["code"]: r["id"] for r in rows})


async def load(session: Session, document: Document) -> FaultFacts | None:
    """Causes, from the cache, for documents whose lines may name one; nothing where there are none and no line does."""
    if not asked(document):
        return None
    found = await session.cached("faults", _causes)
    return found if found.causes or any(said(line).cause for line in document.lines) else None


async def by_frequency(session: Session, parameters: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """Faults by cause, item or lot, the most frequent first, with their share of all and what is being done about them."""
    own, args = own_party(context, "f.party")
    sql = COUNTED.format(column=COLUMNS.get(parameters.get("by") or "cause", COLUMNS["cause"]), own=own)
    item = parameters.get("item") or 0
    rows = await session.fetch(sql, context.company.id, parameters.get("date_from") or date(1900, 1, 1), item, item, *args)
    measures = {r["name"]: MEASURES[r["measures"] or 0] for r in rows}
    bars = pareto([(r["name"], plain(unscaled(r["quantity"], QUANTITY))) for r in rows])
    return [{"name": b.name, "quantity": b.quantity, "share": b.share, "running": b.running, "measure": measures[b.name]} for b in bars]


REPORTS = (
    Report(
        name="faults.frequency", label="Faults by frequency", menu="Service", load=by_frequency, help="Which causes, items or lots make most of the faults.",
        parameters=(
            Parameter(name="by", label="By cause, item or lot"), Parameter(name="item", label="Item", type="newel.item"),
            Parameter(name="date_from", label="Since", type="date"),
        ),
        columns=(
            Column(name="name", label="What"), Column(name="quantity", label="Faults", type="quantity", total=True),
            Column(name="share", label="Percent", type="percent"), Column(name="running", label="Running share", type="percent"),
            Column(name="measure", label="Measure"),
        ),
    ),
)  # fmt: skip
