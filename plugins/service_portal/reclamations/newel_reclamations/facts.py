"""What reclamations report: what is open, late and what it cost; where a lot came from and went to."""

from __future__ import annotations

from typing import Any

import msgspec
from newel.domain.context import Context
from newel.manifest import Column, Parameter, Report
from newel.store.columns import QUANTITY, unscaled
from newel.store.session import Session, day

from newel_reclamations.rules import CUSTOMER, NOTICES, ReclamationData, ReclamationsSettings, deadlines, late

BOARD = """
SELECT d.id AS document, d.number, d.kind, d.state, d.phase, d.date, d.reference, d.data, p.name AS party,
       (SELECT MIN(o.id) FROM line_link k JOIN document o ON o.id = k.from_document WHERE k.to_document = d.id AND k.kind = 'reclaimed') AS about
  FROM document d LEFT JOIN party p ON p.id = d.party
 WHERE d.company = ? AND d.kind = ANY(?) AND d.phase = ANY(?) AND (CAST(? AS BIGINT) = 0 OR d.party = ?) ORDER BY d.date, d.id
"""


async def board(session: Session, parameters: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """Reclamations with their deadlines, outcome and cost; open ones only unless all are asked for."""
    party, phases = parameters.get("party") or 0, ["open", "done"] if parameters.get("all") else ["open"]
    rows = await session.fetch(BOARD, context.company.id, list(NOTICES), phases, party, party)
    about = {r["about"] for r in rows} - {None}
    numbers = {r["id"]: r["number"] for r in await session.fetch("SELECT id, number FROM document WHERE id = ANY(?)", sorted(about))} if about else {}
    settings = context.setting("reclamations", ReclamationsSettings)
    out = []
    for r in rows:
        stored = msgspec.json.decode(r["data"]) if isinstance(r["data"], str) else r["data"]
        data = msgspec.convert(stored.get("reclamations", {}), ReclamationData, strict=False)
        when = day(r["date"]) or context.today
        ends = deadlines(when, data, settings)
        out.append(
            {**{n: r[n] for n in ("document", "number", "state", "party", "reference", "about")}, "about_number": numbers.get(r["about"], ""), "date": when,
             "side": "customer" if r["kind"] == CUSTOMER else "vendor", "answer_by": ends[0], "settle_by": ends[1],
             "late": late(r["state"], r["phase"], ends, context.today), "outcome": data.outcome.replace("_", " "), "cost": data.cost}
        )  # fmt: skip
    return out


TRACE = """
SELECT m.date, d.id AS document, d.number, p.name AS party, i.number AS item, m.quantity, a.code AS source, b.code AS target
  FROM stock_move m JOIN document d ON d.id = m.document JOIN item i ON i.id = m.item JOIN location a ON a.id = m.source JOIN location b ON b.id = m.target
  LEFT JOIN party p ON p.id = d.party WHERE d.company = ? AND m.lot = ? ORDER BY m.date, m.id
"""


async def trace(session: Session, parameters: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """Where a lot came from, and where it went."""
    rows = await session.fetch(TRACE, context.company.id, parameters["lot"])
    return [{**dict(r), "date": day(r["date"]), "quantity": unscaled(r["quantity"], QUANTITY)} for r in rows]


REPORTS = (
    Report(
        name="reclamations.board", label="Reclamations by deadline", menu="Service", load=board,
        help="What customers complain about and what we complain about: deadlines, outcome and cost.",
        parameters=(Parameter(name="party", label="Customer or vendor", type="newel.party"), Parameter(name="all", label="Also settled ones", type="flag")),
        columns=(
            Column(name="document", label="Reclamation", type="document", text="number"), Column(name="side", label="Of"), Column(name="party", label="Party"),
            Column(name="about", label="About", type="document", text="about_number"), Column(name="date", label="Date", type="date"),
            Column(name="answer_by", label="Answer by", type="date"), Column(name="settle_by", label="Settle by", type="date"),
            Column(name="late", label="Overdue"), Column(name="state", label="State"), Column(name="outcome", label="Outcome"),
            Column(name="cost", label="Cost", type="amount", total=True),
        ),
    ),
    Report(
        name="reclamations.trace", label="Way of a lot", menu="Stock", load=trace, help="Where a lot or serial number came from, and where it went.",
        parameters=(Parameter(name="lot", label="Lot", type="newel.lot", required=True),),
        columns=(
            Column(name="date", label="Date", type="date"), Column(name="document", label="Document", type="document", text="number"),
            Column(name="party", label="Party"), Column(name="item", label="Item"), Column(name="quantity", label="Quantity", type="quantity"),
            Column(name="source", label="From"), Column(name="target", label="To"),
        ),
    ),
)  # fmt: skip
