"""Credit: every plugin's exposure of a party against its limit (CRD-01, CRD-02)."""

from __future__ import annotations

import msgspec

from newel.domain.context import Context
from newel.domain.credit import CreditFacts, Exposure, Exposures
from newel.domain.document import Document
from newel.domain.facts import Facts
from newel.domain.money import ZERO, product, rounded
from newel.errors import Problem, Severity
from newel.plugins import Plugins
from newel.store.columns import RATE, unscaled
from newel.store.documents import money
from newel.store.session import Session


async def load(session: Session, document: Document, lock: bool) -> CreditFacts:
    """Read the party's exposure; its row is locked so that two orders at once can't both find room."""
    assert document.party is not None
    if lock:
        await session.fetch("SELECT id FROM party WHERE id = ? FOR UPDATE", document.party.id)
    rows = await session.fetch(
        "SELECT 'owed' AS what, 0 AS rate, SUM(company_open) AS amount FROM open_item WHERE party = ? AND company = ? UNION ALL "
        "SELECT 'ordered', d.rate, SUM(d.gross) FROM document d WHERE d.party = ? AND d.company = ? AND d.role = 'sale' AND d.phase = 'open' "
        "AND d.id <> ? GROUP BY d.rate UNION ALL "
        "SELECT 'invoiced', d.rate, -SUM(l.net + l.tax) FROM line_link k JOIN document d ON d.id = k.from_document JOIN document_line l "
        "ON l.id = k.to_line JOIN document i ON i.id = k.to_document WHERE d.party = ? AND d.company = ? AND d.role = 'sale' "
        "AND d.phase = 'open' AND d.id <> ? AND k.firm AND i.role = 'invoice' GROUP BY d.rate",
        *(document.party.id, document.company) * 2, document.id, document.party.id, document.company, document.id,
    )  # fmt: skip
    owed = sum((money(int(r["amount"] or 0)) for r in rows if r["what"] == "owed"), ZERO)
    ordered = sum((product(money(int(r["amount"])), unscaled(r["rate"], RATE)) for r in rows if r["what"] != "owed"), ZERO)
    return CreditFacts(
        (
            Exposure(stage="open items", amount=owed, reason="invoiced and not paid", plugin="newel"),
            Exposure(stage="open orders", amount=rounded(ordered, 4), reason="confirmed and not invoiced", plugin="newel"),
        )
    )


def check(document: Document, facts: Facts, context: Context, plugins: Plugins) -> list[Problem]:
    """A problem that a person with the right may go on in spite of, where limit < exposure + this document."""
    party = document.party
    if party is None or party.limit_amount is None:
        return []
    proposed = [e for _, e in plugins.propose("propose_exposure", Exposure, party=party, facts=facts, context=context)]
    this = rounded(product(document.gross, document.rate), context.company.amount_digits, context.company.rounding)
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
