"""Sales on one screen: leads become quotations, quotations become orders, and orders stay open until everything has gone on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from newel.domain.context import Context
from newel.domain.document import Document
from newel.domain.facts import Facts
from newel.domain.kinds import DocumentKind, Flow, State, Transition
from newel.errors import Problem
from newel.hookspecs import asked, hookimpl
from newel.manifest import Manifest, Panel
from newel.store.session import Session

from newel_sales import rules
from newel_sales.facts import REPORTS, load
from newel_sales.rules import SalesData, SalesFacts, SalesSettings
from newel_sales.tables import RECORDS, TABLES

FIELDS = (
    "party", "date", "date_requested", "ship_to", "bill_to", "currency", "terms", "reference", "text", "prices_include_tax",
    "location_from",
)  # fmt: skip

LEAD = DocumentKind(
    name="sales.lead",
    label="Lead",
    label_plural="Leads",
    role="request",
    party_role="customer",
    series="L",
    menu="Sales",
    fields=FIELDS,
    help="Somebody who may buy. Roll it into a quotation or an order; it stays, closed, with what it said.",
    states=(
        State(name="new", label="New", phase="draft", editable=True),
        State(name="qualified", label="Qualified", phase="offered", editable=True),
        State(name="converted", label="Converted", phase="done"),
        State(name="lost", label="Lost", phase="cancelled"),
    ),
    transitions=(
        Transition(name="qualify", label="Qualify", sources=("new",), target="qualified", primary=True),
        Transition(name="convert", label="Close as converted", sources=("new", "qualified"), target="converted"),
        Transition(name="lose", label="Lost", sources=("new", "qualified"), target="lost"),
        Transition(name="reopen", label="Open again", sources=("lost",), target="new"),
    ),
)

QUOTATION = DocumentKind(
    name="sales.quotation",
    label="Quotation",
    label_plural="Quotations",
    role="sale",
    party_role="customer",
    series="Q",
    menu="Sales",
    fields=FIELDS,
    help="An offer. It has everything that an order has, but it can't be delivered: an order is made from it.",
    states=(
        State(name="draft", label="Draft", phase="draft", editable=True),
        State(name="sent", label="Sent", phase="offered"),
        State(name="accepted", label="Accepted", phase="done"),
        State(name="rejected", label="Rejected", phase="cancelled"),
        State(name="expired", label="Expired", phase="cancelled"),
    ),
    transitions=(
        Transition(name="send", label="Send", sources=("draft",), target="sent", primary=True),
        Transition(name="accept", label="Accepted", sources=("sent",), target="accepted"),
        Transition(name="reject", label="Rejected", sources=("draft", "sent"), target="rejected"),
        Transition(name="expire", label="Expired", sources=("sent",), target="expired"),
        Transition(name="revise", label="Revise", sources=("sent", "rejected", "expired"), target="draft"),
    ),
)

ORDER = DocumentKind(
    name="sales.order",
    label="Sales order",
    label_plural="Sales orders",
    role="sale",
    party_role="customer",
    series="SO",
    menu="Sales",
    fields=FIELDS,
    help="What a customer has ordered. It is done when every line has been delivered and invoiced.",
    states=(
        State(name="draft", label="Draft", phase="draft", editable=True),
        State(name="confirmed", label="Confirmed", phase="open"),
        State(name="done", label="Done", phase="done"),
        State(name="closed", label="Closed short", phase="done"),
        State(name="cancelled", label="Cancelled", phase="cancelled"),
    ),
    transitions=(
        Transition(name="confirm", label="Confirm", sources=("draft",), target="confirmed", effects=("credit",), primary=True),
        Transition(name="revise", label="Revise", sources=("confirmed",), target="draft", effects=("release",)),
        Transition(name="close", label="Close short", sources=("confirmed",), target="closed", effects=("release",)),
        Transition(name="cancel", label="Cancel", sources=("draft", "confirmed"), target="cancelled", effects=("release",)),
        Transition(name="reopen", label="Open again", sources=("closed",), target="confirmed", effects=("credit",)),
        Transition(name="complete", label="Done", sources=("confirmed",), target="done", automatic="linked"),
        Transition(name="resume", label="Open again", sources=("done",), target="confirmed", automatic="unlinked"),
    ),
)

EARLY = ("draft", "offered")
FLOWS = (
    Flow(
        name="quote", label="Make quotation", link="quoted", target_kind="sales.quotation", source_kind="sales.lead", phases=EARLY,
        closes="convert", exceeds=True, primary=True,
    ),
    Flow(
        name="order", label="Make order", link="ordered", target_kind="sales.order", source_kind="sales.quotation", phases=("offered",),
        closes="accept", exceeds=True, primary=True,
    ),
    Flow(
        name="order_lead", label="Make order", link="ordered", target_kind="sales.order", source_kind="sales.lead", phases=EARLY,
        closes="convert", exceeds=True,
    ),
)  # fmt: skip


@hookimpl
def register_plugin() -> Manifest:
    """Three kinds of documents, what leads from one to the next, and the records that their headers refer to."""
    return Manifest(
        name="sales",
        label="Sales",
        locale="newel_sales:locale",
        piccolo_app="newel_sales.piccolo_app",
        demo_data="newel_sales:demo.toml",
        tables=TABLES,
        documents=(LEAD, QUOTATION, ORDER),
        flows=FLOWS,
        records=RECORDS,
        reports=REPORTS,
        document_data=SalesData,
        settings=SalesSettings,
    )


@hookimpl
async def load_facts(document: Document, session: Session, context: Context) -> Any:
    """Representatives and classes, for documents that name some."""
    return await load(session) if "sales" in document.data else None


@hookimpl
@asked("sales.")
def check_document(document: Document, transition: str, facts: Facts, context: Context) -> Sequence[Problem]:
    """Shares, classes, blocked customers, expired offers, empty documents, and orders that have already gone on."""
    return rules.check(document, transition, facts.get(SalesFacts), context.setting("sales", SalesSettings), context.today)


@hookimpl
@asked("sales.")
def propose_panels(document: Document, facts: Facts, context: Context) -> Sequence[Panel]:
    """How far the document has gone on, who sells it, and until when an offer holds."""
    return rules.panels(document, facts.get(SalesFacts), context.setting("sales", SalesSettings))
