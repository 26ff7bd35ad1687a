"""Warranty on one screen: what was sold is covered for a while, lives, needs service, and ends with a proof."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from newel.domain.context import Context
from newel.domain.document import Document, Draft
from newel.domain.facts import Facts
from newel.domain.kinds import DocumentKind, Flow, Kinds, State, Transition
from newel.domain.pricing import Adjustment
from newel.errors import Problem
from newel.hookspecs import asked, hookimpl
from newel.manifest import Manifest, Panel
from newel.store.session import Session

from newel_warranty import rules
from newel_warranty.facts import REPORTS, load
from newel_warranty.rules import CLAIM, WarrantyFacts
from newel_warranty.tables import RECORDS, TABLES

KIND = DocumentKind(
    name=CLAIM, label="Warranty claim", label_plural="Warranty claims", role="request", party_role="customer", series="WC", menu="Service", priced=False,
    new_lots=True, line_kinds=("item", "text"), fields=("party", "date", "reference", "text"),
    help="A customer says that something failed. The warranty of each piece is shown; what is accepted may come back as a return.",
    states=(
        State(name="draft", label="Draft", phase="draft", editable=True), State(name="accepted", label="Accepted", phase="open"),
        State(name="settled", label="Settled", phase="done"), State(name="refused", label="Refused", phase="cancelled"),
        State(name="cancelled", label="Cancelled", phase="cancelled"),
    ),
    transitions=(
        Transition(name="accept", label="Accept", sources=("draft",), target="accepted", primary=True),
        Transition(name="refuse", label="Refuse", sources=("draft",), target="refused"),
        Transition(name="settle", label="Settled", sources=("accepted",), target="settled"),
        Transition(name="cancel", label="Cancel", sources=("draft",), target="cancelled"),
        Transition(name="complete", label="Comes back", sources=("accepted",), target="settled", automatic="linked"),
        Transition(name="resume", label="Open again", sources=("settled",), target="accepted", automatic="unlinked"),
    ),
)  # fmt: skip
FLOWS = (
    Flow(
        name="authorise_claim", label="Authorise return", link="authorised", target_kind="returns.authorisation", source_kind=CLAIM, line_kinds=("item",),
        primary=True,
    ),
)  # fmt: skip


@hookimpl
def register_plugin() -> Manifest:
    """Claims, terms of warranty, the life of pieces, and who has which."""
    return Manifest(
        name="warranty", label="Warranty", locale="newel_warranty:locale",
        piccolo_app="newel_warranty.piccolo_app", tables=TABLES, documents=(KIND,), flows=FLOWS, records=RECORDS,
        demo_data="newel_warranty:demo.toml", reports=REPORTS,
    )  # fmt: skip


@hookimpl
@asked("request", "return", "sale", "delivery", "production")
async def load_facts(document: Document, session: Session, context: Context) -> Any:
    """Terms, and the lives of the pieces that the lines name, or that the work is for."""
    return await load(session, document, context)


@hookimpl
@asked(facts=WarrantyFacts)
def propose_adjustments(document: Document, stage: str, facts: Facts, context: Context) -> Sequence[Adjustment]:
    """What the warranty takes off the price of work."""
    return list(rules.adjustments(document, stage, facts[WarrantyFacts]))


@hookimpl
def check_document(document: Document, transition: str, facts: Facts, context: Context) -> Sequence[Problem]:
    """Pieces at the end of their life, and claims that nothing covers."""
    found = facts.get(WarrantyFacts)
    return list(rules.check(document, transition, found or WarrantyFacts())) if found or document.kind == CLAIM else ()


@hookimpl
@asked(facts=WarrantyFacts)
def propose_documents(document: Document, transition: str, facts: Facts, context: Context) -> Sequence[Draft]:
    """The life of a piece goes on when somebody has worked on it at the customer's."""
    done = facts[Kinds].becomes(document.kind, document.state, transition)[1] == "done"
    return rules.drafts(document, facts[WarrantyFacts], context.today) if done else ()


@hookimpl
@asked(facts=WarrantyFacts)
def propose_panels(document: Document, facts: Facts, context: Context) -> Sequence[Panel]:
    """What covers the pieces of a request or return."""
    return list(rules.panels(document, facts[WarrantyFacts]))
