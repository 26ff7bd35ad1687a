"""Consignment on one screen: goods go to a customer and stay ours, until they are used and billed or come back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from newel.domain.context import Context
from newel.domain.credit import Exposure
from newel.domain.document import Document, Line
from newel.domain.facts import Facts
from newel.domain.kinds import DocumentKind, Extension, Flow, Kinds, LineKind, State, Transition
from newel.domain.ledger import PostingRule
from newel.domain.master import Master
from newel.domain.party import Party
from newel.domain.stock import LocationKind
from newel.errors import Problem
from newel.hookspecs import asked, hookimpl
from newel.manifest import Manifest, Panel
from newel.store.session import Session

from newel_consignment import rules
from newel_consignment.facts import REPORTS, load
from newel_consignment.rules import DELIVERED, ENDS, RETURN, RETURNED, SETTLEMENT, STATES, USED, ConsignmentFacts, ConsignmentSettings

DRAFT = State(name="draft", label="Draft", phase="draft", editable=True)
CANCELLED = State(name="cancelled", label="Cancelled", phase="cancelled")


def _order(name: str, label: str, line_kind: str, series: str, text: str) -> DocumentKind:
    return DocumentKind(
        name=name, label=label, label_plural=f"{label}s", role="sale", party_role="customer", series=series, menu="Sales", help=text,
        line_kinds=(line_kind, "text"), links=(DELIVERED,),
        fields=("party", "date", "date_requested", "ship_to", "bill_to", "currency", "terms", "reference", "text", "location_from", "location_to"),
        states=(
            DRAFT, State(name="confirmed", label="Confirmed", phase="open"), State(name="done", label="Done", phase="done"),
            State(name="closed", label="Closed short", phase="done"), CANCELLED,
        ),
        transitions=(
            Transition(name="confirm", label="Confirm", sources=("draft",), target="confirmed", effects=("credit",), primary=True),
            Transition(name="revise", label="Revise", sources=("confirmed",), target="draft", effects=("release",)),
            Transition(name="close", label="Close short", sources=("confirmed",), target="closed", effects=("release",)),
            Transition(name="cancel", label="Cancel", sources=("draft", "confirmed"), target="cancelled", effects=("release",)),
            Transition(name="reopen", label="Open again", sources=("closed",), target="confirmed", effects=("credit",)),
            Transition(name="complete", label="Done", sources=("confirmed",), target="done", automatic="linked"),
            Transition(name="resume", label="Open again", sources=("done", "closed"), target="confirmed", automatic="unlinked"),
        ),
    )  # fmt: skip


def _end(name: str, label: str, role: str, series: str, text: str, more: tuple[Transition, ...] = (), states: tuple[State, ...] = ()) -> DocumentKind:
    return DocumentKind(
        name=name, label=label, label_plural=label.replace("Return", "Returns") if name == RETURN else f"{label}s", role=role, party_role="customer",
        series=series, menu="Stock", priced=False, help=text,
        line_kinds=("item", "text"), fields=("party", "date", "ship_to", "location_to", "reference", "text"),
        states=(DRAFT, State(name="posted", label="Posted", phase="done"), *states, CANCELLED),
        transitions=(
            Transition(name="post", label="Post", sources=("draft",), target="posted", effects=("move",), primary=True),
            Transition(name="cancel", label="Cancel", sources=("draft",), target="cancelled"),
            Transition(name="reverse", label="Undo", sources=("posted",), target="cancelled", effects=("reverse",)),
            *more,
        ),
    )  # fmt: skip


BILLED = (
    Transition(name="complete", label="Billed", sources=("posted",), target="complete", automatic="linked"),
    Transition(name="resume", label="To be billed again", sources=("complete",), target="posted", automatic="unlinked"),
)
DOCUMENTS = (
    _order(
        "consignment.order", "Consignment order", "consigned", "CO",
        "Delivered like any other order, but the goods stay ours. What the customer uses is settled and billed; the rest comes back.",
    ),
    _order(
        "consignment.loan", "Loan order", "loaned", "LO",
        "Goods that a customer may use for a while. They stay ours until they come back, or the customer keeps them and is billed.",
    ),
    _end(
        SETTLEMENT, "Consignment settlement", "delivery", "CS",
        "What the customer has used or keeps becomes theirs: its cost is posted now, and it can be billed.",
        BILLED, (State(name="complete", label="Posted and billed", phase="done"),),
    ),
    _end(RETURN, "Return of our goods", "transfer", "CR", "Goods on consignment or loan come back into stock; nothing was sold."),
)  # fmt: skip


# What ends it -> kind of document, link, the link that takes from the same goods, what it is called for either kind of order.
ENDINGS = {
    "settle": (SETTLEMENT, USED, RETURNED, {"consignment.order": "Settle what was used", "consignment.loan": "Customer keeps it"}),
    "take_back": (RETURN, RETURNED, USED, {"consignment.order": "Take back", "consignment.loan": "Take back"}),
}
FLOWS = tuple(
    Flow(
        name=name, label=label, link=link, target_kind=target, source_kind=kind, line_kinds=STATES, line_kind="item", after=DELIVERED,
        together=(other,), copies_prices=False, primary=(name == "settle") == (kind == "consignment.order"),
    )
    for name, (target, link, other, labels) in ENDINGS.items()
    for kind, label in labels.items()
)  # fmt: skip


def _posting() -> tuple[PostingRule, ...]:
    """Between our own places nothing is posted; what becomes the customer's, or is lost, leaves stock like from a warehouse."""
    own = (*STATES, "storage", "transit")
    out = [PostingRule(source=a, target=b, debit="stock", credit="stock") for a in own for b in own if a in STATES or b in STATES]
    for kind in STATES:
        for outside, role in (("customer", "cogs"), ("scrap", "stock_difference"), ("supplier", "goods_received")):
            out.append(PostingRule(source=kind, target=outside, debit=role, credit="stock"))
            out.append(PostingRule(source=outside, target=kind, debit="stock", credit=role))
    return tuple(out)


@hookimpl
def register_plugin() -> Manifest:
    """Two kinds of orders, what ends them, and places for goods that are ours at customers."""
    return Manifest(
        name="consignment", label="Consignment", locale="newel_consignment:locale",
        documents=DOCUMENTS, flows=FLOWS, extends=(Extension(role="delivery", line_kinds=STATES),),
        line_kinds=(LineKind(name="consigned", label="On consignment", item=True), LineKind(name="loaned", label="On loan", item=True)),
        location_kinds=(
            LocationKind(name="consigned", label="Consigned to customers", tracked=True),
            LocationKind(name="loaned", label="Loaned to customers", tracked=True),
        ),
        posting_rules=_posting(), reports=REPORTS, settings=ConsignmentSettings, demo_data="newel_consignment:demo.toml",
    )  # fmt: skip


@hookimpl
async def load_facts(document: Document, transition: str, facts: Facts, session: Session, context: Context) -> Any:
    """What happened to the order's lines, and what a party with a credit limit has of ours."""
    return await load(session, document, transition, facts[Kinds], context)


@hookimpl
def check_document(document: Document, transition: str, facts: Facts, context: Context) -> Sequence[Problem]:
    """No more is settled than is there; what is ours is not billed; an order stays open while goods of it are out."""
    return list(rules.check(document, transition, facts.get(ConsignmentFacts), facts[Master]))


@hookimpl
@asked(*ENDS)
def decide_source(document: Document, line: Line, facts: Facts, context: Context) -> int | None:
    """A settlement or return starts where the goods of the order lie."""
    return rules.source(document, line, facts.get(ConsignmentFacts), facts[Master])


@hookimpl
@asked(*ENDS, "delivery")
def decide_target(document: Document, line: Line, facts: Facts, context: Context) -> int | None:
    """Deliveries go to the customer's place for our goods, settlements to the customer, returns back into the warehouse."""
    if document.kind in ENDS:
        return rules.target(document, line, facts[Master])
    return rules.place(document, line, facts[Master]) if line.kind in STATES and document.role == "delivery" else None


@hookimpl
def propose_exposure(party: Party, facts: Facts, context: Context) -> Sequence[Exposure]:
    """Goods at the customer, at price or cost as the settings say."""
    at = context.setting("consignment", ConsignmentSettings).exposure
    return rules.exposures(facts.get(ConsignmentFacts), at, facts[Master], context)


@hookimpl
def propose_panels(document: Document, facts: Facts, context: Context) -> Sequence[Panel]:
    """How much of an order or delivery is still ours."""
    return list(rules.panels(document, facts.get(ConsignmentFacts)))
