"""Loyalty on one screen: members collect points on what they are billed, and pay less from a number of points on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from newel.domain.context import Context
from newel.domain.document import Document, Draft
from newel.domain.facts import Facts
from newel.domain.kinds import Kinds
from newel.domain.pricing import Adjustment
from newel.hookspecs import asked, hookimpl
from newel.manifest import Manifest, MenuItem, Panel
from newel.store.session import Session

from newel_loyalty import rules
from newel_loyalty.facts import REPORTS, load
from newel_loyalty.rules import Settings, Standing
from newel_loyalty.tables import RECORDS, TABLES


@hookimpl
def register_plugin() -> Manifest:
    """Tiers, an account of points, a page for the shop floor and an operation for programs."""
    return Manifest(
        name="loyalty",
        label="Loyalty",
        piccolo_app="newel_loyalty.piccolo_app",
        tables=TABLES,
        records=RECORDS,
        reports=REPORTS,
        settings=Settings,
        templates="newel_loyalty:templates",
        menu=(MenuItem(label="Loyalty", path="/loyalty", section="Sales", permission="loyalty.members.view"),),
        routes="newel_loyalty.routes:handlers",
        locale="newel_loyalty:locale",
    )


@hookimpl
@asked("sale", "invoice")
async def load_facts(document: Document, session: Session, context: Context) -> Any:
    """How the customer of a sale or invoice stands."""
    return await load(document, session)


@hookimpl
@asked("sale", facts=Standing)
def propose_adjustments(document: Document, stage: str, facts: Facts, context: Context) -> Sequence[Adjustment]:
    """The tier's percentage off a sale."""
    return rules.adjustments(stage, facts[Standing])


@hookimpl
@asked("invoice", facts=Standing)
def propose_documents(document: Document, transition: str, facts: Facts, context: Context) -> Sequence[Draft]:
    """Points are written together with the invoice, and taken back with it."""
    return rules.earned(document, transition, facts[Standing], facts[Kinds], context)


@hookimpl
@asked(facts=Standing)
def propose_panels(document: Document, facts: Facts, context: Context) -> Sequence[Panel]:
    """Points and tier on the document's page."""
    return rules.panels(facts[Standing])
