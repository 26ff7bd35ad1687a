"""Credit on one screen: what a customer may owe, checked wherever its debt grows, and what to do when it is too much."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from newel.domain.context import Context
from newel.domain.credit import Exposure, Exposures, by_stage
from newel.domain.document import Document
from newel.domain.facts import Facts
from newel.domain.kinds import Kinds
from newel.domain.party import Party
from newel.errors import Problem
from newel.hookspecs import asked, hookimpl
from newel.manifest import Manifest, Panel
from newel.store.session import Session

from newel_credit import rules
from newel_credit.facts import REPORTS, load
from newel_credit.rules import CreditSettings, Standing
from newel_credit.tables import RECORDS, TABLES


@hookimpl
def register_plugin() -> Manifest:
    """Limits by customer and company. The kernel's own check of credit rests: the limit on the customer's page is the fall-back here."""
    return Manifest(
        name="credit", label="Credit limits", locale="newel_credit:locale",
        takes_over=("credit",), piccolo_app="newel_credit.piccolo_app", tables=TABLES, records=RECORDS, reports=REPORTS,
        settings=CreditSettings, demo_data="newel_credit:demo.toml", routes="newel_credit.routes:handlers",
    )  # fmt: skip


@hookimpl
async def load_facts(document: Document, transition: str, facts: Facts, session: Session, context: Context) -> Any:
    """How the customer of a sale, delivery or invoice stands; locked while it goes on, so that two at once can't both find room."""
    return await load(document, transition, facts, session, context)


@hookimpl
def propose_exposure(party: Party, facts: Facts, context: Context) -> Sequence[Exposure]:
    """Open orders, what is delivered and not invoiced, what is invoiced and not paid: nothing stands in two of them."""
    standing = facts.get(Standing)
    return by_stage(standing.figures) if standing else ()


@hookimpl
@asked(facts=Standing)
def check_document(document: Document, transition: str, facts: Facts, context: Context) -> Sequence[Problem]:
    """Limit and days late, as strictly as the settings say for orders, deliveries and invoices (CRD-02)."""
    settings = context.setting("credit", CreditSettings)
    return rules.check(document, transition, facts[Kinds], facts[Standing], facts.get(Exposures) or Exposures(), settings, context)


@hookimpl
def propose_panels(document: Document, facts: Facts, context: Context) -> Sequence[Panel]:
    """Used, this document, limit, overdue; and the customer's service level."""
    return rules.panels(document, facts.get(Standing), facts.get(Exposures) or Exposures(), context)
