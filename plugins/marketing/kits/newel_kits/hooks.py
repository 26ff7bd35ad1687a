"""Kits on one screen: a line of a kit gets the lines of its parts, and hands its price on to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from newel.domain.context import Context
from newel.domain.document import Document, Line, LineInput
from newel.domain.facts import Facts
from newel.domain.parts import handed_on
from newel.domain.pricing import Adjustment, Price
from newel.errors import Problem
from newel.hookspecs import asked, hookimpl
from newel.manifest import Manifest, Panel
from newel.store.session import Session

from newel_kits import rules
from newel_kits.facts import load
from newel_kits.rules import KitFacts, KitPart
from newel_kits.tables import RECORDS, TABLES


@hookimpl
def register_plugin() -> Manifest:
    """Kits and their parts."""
    return Manifest(
        name="kits",
        label="Kits",
        locale="newel_kits:locale",
        precedes=("pricelists",),  # what a kit's parts share has no price in a list
        piccolo_app="newel_kits.piccolo_app",
        tables=TABLES,
        records=RECORDS,
        line_data=KitPart,
        demo_data="newel_kits:demo.toml",
    )


@hookimpl
async def load_facts(document: Document, session: Session, context: Context) -> Any:
    """Kits, for documents with one of them."""
    return await load(session, document, context)


@hookimpl
@asked(facts=KitFacts)
def propose_lines(document: Document, line: Line, facts: Facts, context: Context) -> Sequence[tuple[str, LineInput]]:
    """The parts of a kit."""
    return rules.parts(document, line, facts[KitFacts].kits)


@hookimpl
@asked(facts=KitFacts)
def decide_price(document: Document, line: Line, facts: Facts, context: Context) -> Price | None:
    """Nothing for a line whose price is elsewhere: in the parts of the kit, or in the kit above."""
    return rules.price(line, facts[KitFacts].tree)


@hookimpl
@asked(facts=KitFacts)
def propose_adjustments(document: Document, stage: str, facts: Facts, context: Context) -> Sequence[Adjustment]:
    """The kit's discount on its parts; then its price as shares of them."""
    found = facts[KitFacts]
    return rules.discounts(document, found.tree) if stage == "line" else handed_on(document, found.tree.bears, "kits", "kit")


@hookimpl
@asked(facts=KitFacts)
def check_document(document: Document, transition: str, facts: Facts, context: Context) -> Sequence[Problem]:
    """Kits without parts, handled as one piece, or short of parts."""
    return rules.check(document, transition, facts[KitFacts])


@hookimpl
@asked(facts=KitFacts)
def propose_panels(document: Document, facts: Facts, context: Context) -> Sequence[Panel]:
    """Availability and progress of each kit and its parts."""
    return rules.panels(document, facts[KitFacts])
