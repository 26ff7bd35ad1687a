"""Rework on one screen: labour and material go into what a customer has sent back, and are charged where no warranty covers them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from newel.domain.context import Context
from newel.domain.document import Document, Draft, Line
from newel.domain.facts import Facts
from newel.domain.kinds import DocumentKind, Extension, Flow, Kinds, LineKind, State, Transition
from newel.domain.ledger import AccountRole, PostingRule
from newel.domain.master import Master
from newel.domain.stock import LocationKind
from newel.errors import Problem
from newel.hookspecs import asked, hookimpl
from newel.manifest import Manifest, Panel
from newel.store.session import Session

from newel_rework import rules
from newel_rework.facts import REPORTS, load
from newel_rework.rules import COSTS, INVOICE, ORDER, RETURN, WORKED, ReworkFacts

KIND = DocumentKind(
    name=ORDER, label="Work on a return", label_plural="Work on returns", role="production", party_role="customer", series="RW", menu="Service",
    line_kinds=("work", "item", "text"), fields=("party", "date", "currency", "reference", "text", "location_from"),
    help="Labour and material for a return. Material leaves stock when the work is finished; what has a price is charged.",
    states=(
        State(name="draft", label="Draft", phase="draft", editable=True), State(name="finished", label="Finished", phase="open"),
        State(name="done", label="Done", phase="done"), State(name="cancelled", label="Cancelled", phase="cancelled"),
    ),
    transitions=(
        Transition(name="finish", label="Finish", sources=("draft",), target="finished", effects=("move",), primary=True),
        Transition(name="waive", label="Nothing to charge", sources=("finished",), target="done"),
        Transition(name="cancel", label="Cancel", sources=("draft",), target="cancelled"),
        Transition(name="reverse", label="Undo", sources=("finished",), target="cancelled", effects=("reverse",)),
        Transition(name="complete", label="Charged", sources=("finished",), target="done", automatic="linked"),
        Transition(name="resume", label="To be charged", sources=("done",), target="finished", automatic="unlinked"),
    ),
)  # fmt: skip
FLOWS = (
    Flow(
        name="work", label="Start work", link=WORKED, target_kind=ORDER, source_kind=RETURN, line_kinds=("work",), completes=False, exceeds=True,
        copies_prices=False,
    ),
    Flow(name="charge", label="Invoice", link="invoiced", target_kind=INVOICE, source_kind=ORDER, line_kinds=("work", "item"), line_kind="item", primary=True),
)  # fmt: skip


@hookimpl
def register_plugin() -> Manifest:
    """One kind of document, lines for work on returns, and where the material goes."""
    return Manifest(
        name="rework", label="Work on returns", locale="newel_rework:locale",
        documents=(KIND,), flows=FLOWS, extends=(Extension(kind=RETURN, line_kinds=("work",)),), reports=REPORTS,
        line_kinds=(LineKind(name="work", label="Work", item=True),), location_kinds=(LocationKind(name="rework", label="Work on returns"),),
        account_roles=(AccountRole(name="rework", label="Repair and rework", kind="expense"),),
        posting_rules=(
            PostingRule(source="storage", target="rework", debit="rework", credit="stock"),
            PostingRule(source="rework", target="storage", debit="stock", credit="rework"),
        ),
    )  # fmt: skip


@hookimpl
@asked(RETURN)
async def load_facts(document: Document, session: Session, context: Context) -> Any:
    """What the work on a return has cost so far."""
    return await load(session, document, context)


@hookimpl
@asked(ORDER)
def check_document(document: Document, transition: str, facts: Facts, context: Context) -> Sequence[Problem]:
    """Work belongs to one return; what has a price is not given away by mistake."""
    return list(rules.check(document, transition))


@hookimpl
@asked(ORDER)
def propose_documents(document: Document, transition: str, facts: Facts, context: Context) -> Sequence[Draft]:
    """The invoice for work that has a price."""
    return rules.drafts(document, transition, facts[Kinds])


@hookimpl
@asked(ORDER)
def decide_source(document: Document, line: Line, facts: Facts, context: Context) -> int | None:
    """Material comes from the warehouse, or from the depot or van that is named."""
    return rules.source(document, line, facts[Master])


@hookimpl
@asked(ORDER)
def decide_target(document: Document, line: Line, facts: Facts, context: Context) -> int | None:
    """Material goes into the work."""
    return rules.target(document, facts[Master])


@hookimpl
@asked(facts=ReworkFacts)
def propose_panels(document: Document, facts: Facts, context: Context) -> Sequence[Panel]:
    """On a return: what the work on it came to."""
    return rules.panels(facts[ReworkFacts], context.company, context.user.may(COSTS))
