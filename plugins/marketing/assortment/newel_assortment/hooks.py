"""Assortment on one screen: what can stand for an item, what goes with it, and in which quantities it is sold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from newel.domain.context import Context
from newel.domain.document import Document
from newel.domain.facts import Facts
from newel.domain.kinds import Kinds
from newel.errors import Problem
from newel.hookspecs import asked, hookimpl
from newel.manifest import Manifest, Panel
from newel.store.session import Session

from newel_assortment import rules
from newel_assortment.facts import load
from newel_assortment.rules import Assortment
from newel_assortment.tables import RECORDS, TABLES


@hookimpl
def register_plugin() -> Manifest:
    """Associated items and order quantities."""
    return Manifest(
        name="assortment",
        label="Assortment",
        locale="newel_assortment:locale",
        piccolo_app="newel_assortment.piccolo_app",
        tables=TABLES,
        records=RECORDS,
        demo_data="newel_assortment:demo.toml",
    )


@hookimpl
@asked("sale", "request", "delivery")
async def load_facts(document: Document, session: Session, context: Context) -> Any:
    """What is declared for the items of a sale or delivery, and what is free of what could stand for them."""
    return await load(session, document, context)


@hookimpl
@asked(facts=Assortment)
def check_document(document: Document, transition: str, facts: Facts, context: Context) -> Sequence[Problem]:
    """Quantities that are not sold, items that lack, and what is sent instead of what was ordered."""
    return rules.check(document, transition, facts[Assortment], facts[Kinds])


@hookimpl
@asked(facts=Assortment)
def propose_panels(document: Document, facts: Facts, context: Context) -> Sequence[Panel]:
    """Below each line one click for the right quantity, for a substitute, and for what goes with it."""
    return rules.panels(document, facts[Assortment])
