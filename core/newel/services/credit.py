"""Credit: every plugin's exposure of a party against its limit (CRD-01, CRD-02)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from newel.domain.context import Context
from newel.domain.credit import DELIVERED, INVOICED, ORDERED, CreditFacts, Exposure, Exposures, Figure, added, by_stage, open_parts
from newel.domain.document import Document
from newel.domain.facts import Facts
from newel.domain.money import ZERO, product, rounded
from newel.errors import Problem, Severity
from newel.plugins import Plugins
from newel.store.columns import AMOUNT, QUANTITY, RATE, unscaled
from newel.store.documents import money
from newel.store.master import load_master
from newel.store.session import Session, day

Row = Mapping[str, Any]


# Firm links of each line of the parties' sales, by the role of what they lead to (once, by however many links): an invoice of a delivery counts on the
# order's line. Only sales that are open, or over with something still to be invoiced: an index has just these, so that a long history costs nothing.
# And what is open of invoices. Materialized: the sums of a line are added up once, and not again in each condition.
FIGURES = """
WITH z AS MATERIALIZED (
  SELECT d.party, d.id AS document, d.number, d.date, d.currency, d.rate, d.phase, l.quantity, l.net + l.tax AS amount,
         CAST(COALESCE((SELECT SUM(y.quantity) FROM (SELECT DISTINCT x.to_line, x.quantity FROM line_link x JOIN document t ON t.id = x.to_document
                         WHERE x.from_line = l.id AND x.firm = ? AND t.role = 'delivery') y), 0) AS BIGINT) AS delivered,
         CAST(COALESCE((SELECT SUM(y.quantity) FROM (SELECT DISTINCT x.to_line, x.quantity FROM line_link x JOIN document t ON t.id = x.to_document
                         WHERE x.from_line = l.id AND x.firm = ? AND t.role = 'invoice') y), 0) AS BIGINT) AS invoiced
    FROM document d JOIN document_line l ON l.document = d.id
   WHERE d.party = ANY(?) AND d.company = ? AND d.role = 'sale' AND d.id <> ? AND (d.phase = 'open' OR d.parts >= 16)
)
SELECT z.party, z.document, z.number, z.date, CAST(NULL AS DATE) AS date_due, z.currency, z.rate, z.phase, z.quantity, z.delivered, z.invoiced,
       CAST(SUM(z.amount) AS BIGINT) AS amount, CAST(0 AS BIGINT) AS company_amount, CAST(0 AS BIGINT) AS item
  FROM z
 WHERE z.phase = 'open' OR z.delivered > z.invoiced
 GROUP BY z.party, z.document, z.number, z.date, z.currency, z.rate, z.phase, z.quantity, z.delivered, z.invoiced HAVING SUM(z.amount) <> 0
 UNION ALL
SELECT o.party, o.document, d.number, o.date, o.date_due, o.currency, 0, '', 0, 0, 0, o.amount_open, o.company_open, o.id
  FROM open_item o JOIN document d ON d.id = o.document
 WHERE o.party = ANY(?) AND o.company = ? AND o.role <> 'payable' AND o.amount_open <> 0
"""

WORTH = "SELECT l.id, l.quantity, l.net + l.tax AS gross, d.currency, d.rate FROM document_line l JOIN document d ON d.id = l.document WHERE l.id = ANY(?)"


async def load(session: Session, document: Document, context: Context, lock: bool) -> CreditFacts:
    """Read the party's exposure; its row is locked so that two orders at once can't both find room."""
    assert document.party is not None
    if lock:
        await session.fetch("SELECT id FROM party WHERE id = ? FOR UPDATE", document.party.id)
    found = await figures(session, [document.party.id], context, document.id)
    return CreditFacts(by_stage(found.get(document.party.id, ())))


async def figures(session: Session, parties: Sequence[int], context: Context, without: int = 0) -> dict[int, list[Figure]]:
    """Everything that these parties owe or will owe, document by document; one statement, however many they are.

    Args:
        without: id of a document that is left out, because it is looked at itself.
    """
    company, today, wanted, master = context.company, context.today, list(parties), await load_master(session)
    out: dict[int, list[Figure]] = {}

    def add(r: Row, stage: str, amount: Decimal, rate: Decimal, due: date | None = None) -> None:
        home = rounded(product(amount, rate), company.amount_digits, company.rounding)
        figure = Figure(
            stage=stage, document=r["document"], number=r["number"], date=day(r["date"]) or today, currency=r["currency"],
            amount=rounded(amount, AMOUNT), home=home, due=due,
        )  # fmt: skip
        out.setdefault(r["party"], []).append(figure)

    rows = await session.fetch(FIGURES, True, True, wanted, company.id, without, wanted, company.id)
    for r in sorted(rows, key=lambda r: (r["item"] > 0, day(r["date_due"]) or day(r["date"]) or today, r["item"], r["document"])):
        rate, amount = master.rate(company, r["currency"], today), money(r["amount"])
        if r["item"]:
            add(r, INVOICED, amount, rate or money(r["company_amount"]) / amount, day(r["date_due"]))
            continue
        quantity, delivered, invoiced = (unscaled(r[name], QUANTITY) for name in ("quantity", "delivered", "invoiced"))
        for stage, part in zip((ORDERED, DELIVERED), open_parts(quantity, delivered, invoiced, r["phase"] == "open"), strict=True):
            if part:
                add(r, stage, product(amount, part) / quantity, rate or unscaled(r["rate"], RATE))
    return out


async def worth(session: Session, document: Document, context: Context) -> Decimal:
    """What the goods of a delivery were sold for, in the company's currency at today's rate."""
    links = [(line, s.from_line) for line in document.lines for s in line.sources]
    prices, master = {}, await load_master(session)
    for r in await session.fetch(WORTH, sorted({source for _, source in links})) if links else []:
        rate = master.rate(context.company, r["currency"], context.today) or unscaled(r["rate"], RATE)
        prices[r["id"]] = product(money(r["gross"]), rate) / unscaled(r["quantity"], QUANTITY)
    return sum((product(prices[source], line.quantity) for line, source in links if source in prices), ZERO)


def check(document: Document, facts: Facts, context: Context, plugins: Plugins) -> list[Problem]:
    """A problem that a person with the right may go on in spite of, where limit < exposure + this document."""
    party = document.party
    if party is None or party.limit_amount is None:
        return []
    proposed = [e for _, e in plugins.propose("propose_exposure", Exposure, party=party, facts=facts, context=context)]
    this = rounded(added(document, document.rate), context.company.amount_digits, context.company.rounding)
    before = sum((e.amount for e in proposed), ZERO)
    if before + this <= party.limit_amount:
        return []
    parts = ", ".join(f"{e.stage} {e.amount.normalize():f}" for e in proposed if e.amount)
    return [
        Problem(
            code="credit.limit", severity=Severity.OVERRIDE, where="party", hint="take payment, raise the limit, or go on if you may",
            message=f"limit {party.limit_amount.normalize():f}, this document {this}, already {before.normalize():f}" + (f" ({parts})" if parts else ""),
        )
    ]  # fmt: skip


def proposed(document: Document, facts: Facts, context: Context, plugins: Plugins) -> Exposures:
    """Every plugin's figures of the party, for the plugin that has taken the check over."""
    if document.party is None:
        return Exposures()
    found = plugins.propose("propose_exposure", Exposure, party=document.party, facts=facts, context=context)
    return Exposures(tuple(msgspec.structs.replace(e, plugin=plugin) for plugin, e in found))
