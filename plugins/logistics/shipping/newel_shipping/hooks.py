"""Shipping on one screen: what was sold is delivered, in as many parts as it takes, and may come back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from newel.domain.context import Context
from newel.domain.document import Document, Line
from newel.domain.facts import Facts
from newel.domain.kinds import DocumentKind, Flow, State, Transition
from newel.domain.master import Master
from newel.errors import Problem
from newel.hookspecs import asked, hookimpl
from newel.manifest import Manifest, Panel
from newel.store.session import Session

from newel_shipping import rules
from newel_shipping.facts import REPORTS, load
from newel_shipping.rules import Methods, ShippingData
from newel_shipping.tables import RECORDS, TABLES

DRAFT = State(name="draft", label="Draft", phase="draft", editable=True)
CANCELLED = State(name="cancelled", label="Cancelled", phase="cancelled")

DELIVERY = DocumentKind(
    name="shipping.delivery",
    label="Delivery",
    label_plural="Deliveries",
    role="delivery",
    party_role="customer",
    series="D",
    priced=False,
    menu="Stock",
    fields=("party", "date", "ship_to", "location_from", "reference", "text"),
    help="Goods on their way to a customer. It takes what is open of the order, or less; the rest stays open.",
    states=(
        DRAFT,
        State(name="picked", label="Picked", phase="draft", editable=True),
        State(name="shipped", label="Shipped", phase="done"),
        State(name="complete", label="Shipped and billed", phase="done"),
        CANCELLED,
    ),
    transitions=(
        Transition(name="pick", label="Picked", sources=("draft",), target="picked"),
        Transition(name="ship", label="Ship", sources=("draft", "picked"), target="shipped", effects=("move",), primary=True),
        Transition(name="cancel", label="Cancel", sources=("draft", "picked"), target="cancelled"),
        Transition(name="reverse", label="Undo", sources=("shipped",), target="cancelled", effects=("reverse",)),
        Transition(name="complete", label="Billed", sources=("shipped",), target="complete", automatic="linked"),
        Transition(name="resume", label="To be billed again", sources=("complete",), target="shipped", automatic="unlinked"),
    ),
)

RETURN = DocumentKind(
    name="shipping.return",
    label="Return",
    label_plural="Returns",
    role="return",
    party_role="customer",
    series="RT",
    priced=False,
    menu="Stock",
    fields=("party", "date", "location_to", "reference", "text"),
    help="Goods that a customer sends back.",
    states=(DRAFT, State(name="received", label="Received", phase="done"), CANCELLED),
    transitions=(
        Transition(name="receive", label="Receive", sources=("draft",), target="received", effects=("move",), primary=True),
        Transition(name="cancel", label="Cancel", sources=("draft",), target="cancelled"),
        Transition(name="reverse", label="Undo", sources=("received",), target="cancelled", effects=("reverse",)),
    ),
)

FLOWS = (
    Flow(
        name="deliver", label="Deliver", link="delivered", target_kind="shipping.delivery", source_role="sale", phases=("open",), copies_prices=False,
        primary=True,
    ),
    Flow(
        name="return", label="Take back", link="returned", target_kind="shipping.return", source_role="delivery", phases=("done",), completes=False,
        copies_prices=False,
    ),
)  # fmt: skip


@hookimpl
def register_plugin() -> Manifest:
    """Deliveries and returns, and how goods are sent."""
    return Manifest(
        name="shipping",
        label="Shipping",
        locale="newel_shipping:locale",
        piccolo_app="newel_shipping.piccolo_app",
        demo_data="newel_shipping:demo.toml",
        tables=TABLES,
        documents=(DELIVERY, RETURN),
        flows=FLOWS,
        records=RECORDS,
        reports=REPORTS,
        document_data=ShippingData,
    )


@hookimpl
async def load_facts(document: Document, session: Session, context: Context) -> Any:
    """Ways of shipping, for documents that name one, and for what is or may be sent."""
    return await load(session) if "shipping" in document.data or document.role in ("request", "sale", "delivery") else None


@hookimpl
def check_document(document: Document, transition: str, facts: Facts, context: Context) -> Sequence[Problem]:
    """The way of shipping must exist, weights must make sense, and an undone delivery must not have gone on."""
    return rules.check(document, transition, facts.get(Methods))


@hookimpl
@asked("shipping.return")
def decide_source(document: Document, line: Line, facts: Facts, context: Context) -> int | None:
    """A return comes from the customer, also where its header still says from where the goods were sent."""
    if document.location_from is None:
        return None
    return facts[Master].defaults.get((document.company, "customer"))


@hookimpl
@asked("shipping.return")
def decide_target(document: Document, line: Line, facts: Facts, context: Context) -> int | None:
    """A return goes to where the goods were sent from, unless it says something else."""
    if document.location_from is None:
        return None
    return line.location_to or document.location_to or document.location_from


@hookimpl
def propose_panels(document: Document, facts: Facts, context: Context) -> Sequence[Panel]:
    """Carrier and tracking number; the customer's usual carrier."""
    return rules.panels(document, facts.get(Methods))
