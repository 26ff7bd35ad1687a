"""Spare parts on one screen: repair points order from parts lists, at their own prices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from newel.domain.context import Context
from newel.domain.document import Document
from newel.domain.facts import Facts
from newel.domain.kinds import DocumentKind, State, Transition
from newel.domain.master import Master
from newel.errors import Problem
from newel.hookspecs import asked, hookimpl
from newel.manifest import Manifest, MenuItem
from newel.store.session import Session

from newel_parts import rules
from newel_parts.facts import load
from newel_parts.rules import ORDER, PartsFacts, PartsSettings
from newel_parts.tables import RECORDS, TABLES

KIND = DocumentKind(
    name=ORDER, label="Parts order", label_plural="Parts orders", role="sale", party_role="customer", series="PA", menu="Service",
    line_kinds=("item", "text"), fields=("party", "date", "date_requested", "ship_to", "reference", "text", "location_from"),
    help="What a repair point has ordered. It is delivered and billed like any other sale.",
    states=(
        State(name="draft", label="Draft", phase="draft", editable=True), State(name="confirmed", label="Ordered", phase="open"),
        State(name="done", label="Done", phase="done"), State(name="closed", label="Closed short", phase="done"),
        State(name="cancelled", label="Cancelled", phase="cancelled"),
    ),
    transitions=(
        Transition(name="confirm", label="Place order", sources=("draft",), target="confirmed", effects=("credit",), primary=True),
        Transition(name="revise", label="Revise", sources=("confirmed",), target="draft", effects=("release",)),
        Transition(name="close", label="Close short", sources=("confirmed",), target="closed", effects=("release",)),
        Transition(name="cancel", label="Cancel", sources=("draft", "confirmed"), target="cancelled", effects=("release",)),
        Transition(name="complete", label="Done", sources=("confirmed",), target="done", automatic="linked"),
        Transition(name="resume", label="Open again", sources=("done",), target="confirmed", automatic="unlinked"),
    ),
)  # fmt: skip


@hookimpl
def register_plugin() -> Manifest:
    """Orders of parts, and parts lists with pictures."""
    return Manifest(
        name="parts", label="Spare parts", locale="newel_parts:locale",
        piccolo_app="newel_parts.piccolo_app", tables=TABLES, documents=(KIND,), records=RECORDS,
        demo_data="newel_parts:demo.toml", settings=PartsSettings, routes="newel_parts.routes:handlers", templates="newel_parts:templates",
        permissions=(("parts.catalogue", "see parts lists with prices and stock"),),
        menu=(MenuItem(label="Spare parts", path="/parts", section="Service", permission="parts.catalogue"),),
    )  # fmt: skip


@hookimpl
@asked(ORDER)
async def load_facts(session: Session, context: Context) -> Any:
    """What a repair point may order."""
    return await load(session, context)


@hookimpl
@asked(ORDER)
def check_document(document: Document, transition: str, facts: Facts, context: Context) -> Sequence[Problem]:
    """A repair point orders parts, at the prices and terms that it has."""
    if transition in ("cancel", "revise") and any(stage.planned for line in document.lines for stage in line.stages.values()):
        return [Problem(code="parts.gone_on", message="a part of it is on its way already", hint="cancel its deliveries and invoices first")]
    return list(rules.check(document, facts.get(PartsFacts) or PartsFacts(), facts[Master], context))
