"""Vendor's stock on one screen: goods of a vendor lie here and stay the vendor's, until they are used and billed or go back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from newel.domain.context import Context
from newel.domain.document import Document, Line
from newel.domain.facts import Facts
from newel.domain.kinds import DocumentKind, Flow, State, Transition
from newel.domain.ledger import PostingRule
from newel.domain.master import Master
from newel.domain.stock import LocationKind, StockFacts
from newel.errors import Problem
from newel.hookspecs import asked, hookimpl
from newel.manifest import Manifest, Panel
from newel.store.session import Session

from newel_vendor_stock import rules
from newel_vendor_stock.facts import REPORTS, load
from newel_vendor_stock.rules import ARRIVAL, ARRIVED, ORDER, PLACE, RETURN, RETURNED, STEPS, USAGE, USED, VendorStockFacts

DRAFT = State(name="draft", label="Draft", phase="draft", editable=True)
CANCELLED = State(name="cancelled", label="Cancelled", phase="cancelled")
PURCHASE = DocumentKind(
    name=ORDER, label="Order for vendor's stock", label_plural="Orders for vendors' stock", role="purchase", party_role="vendor", series="VS",
    menu="Purchasing", links=(ARRIVED, "advised"),
    fields=("party", "date", "date_requested", "currency", "terms", "reference", "text", "prices_include_tax", "location_to"),
    help="Goods that a vendor puts here and keeps. Only what is used is bought, at the price of this order; the rest goes back.",
    states=(
        DRAFT, State(name="sent", label="Sent", phase="open"), State(name="done", label="Done", phase="done"),
        State(name="closed", label="Closed short", phase="done"), CANCELLED,
    ),
    transitions=(
        Transition(name="send", label="Send", sources=("draft",), target="sent", primary=True),
        Transition(name="revise", label="Revise", sources=("sent",), target="draft"),
        Transition(name="close", label="Close short", sources=("sent",), target="closed"),
        Transition(name="cancel", label="Cancel", sources=("draft", "sent"), target="cancelled"),
        Transition(name="complete", label="Done", sources=("sent",), target="done", automatic="linked"),
        Transition(name="resume", label="Open again", sources=("done", "closed"), target="sent", automatic="unlinked"),
    ),
)  # fmt: skip


def _step(name: str, label: str, role: str, series: str, text: str, more: tuple[Transition, ...] = (), states: tuple[State, ...] = ()) -> DocumentKind:
    return DocumentKind(
        name=name, label=label, label_plural=label.replace(" ", "s ", 1), role=role, party_role="vendor", series=series, menu="Stock",
        priced=role == "receipt", help=text,
        line_kinds=("item", "text"), fields=("party", "date", "location_to", "reference", "text"),
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
    Transition(name="resume", label="To be billed", sources=("complete",), target="posted", automatic="unlinked"),
)
DOCUMENTS = (
    PURCHASE,
    _step(ARRIVAL, "Arrival for vendor's stock", "transfer", "VA", "Goods of a vendor come in. They stay the vendor's: nothing is owed, and nothing posted."),
    _step(
        USAGE, "Use of vendor's stock", "receipt", "VU", "What is used becomes ours now, worth what was ordered for it, and the vendor may bill it.",
        BILLED, (State(name="complete", label="Posted and billed", phase="done"),),
    ),
    _step(RETURN, "Return of vendor's stock", "transfer", "VT", "Goods go back to the vendor; nothing was bought."),
)  # fmt: skip
FLOWS = (
    Flow(name="arrive", label="Goods in", link=ARRIVED, target_kind=ARRIVAL, source_kind=ORDER, copies_prices=False, primary=True),
    Flow(name="use", label="Use", link=USED, target_kind=USAGE, source_kind=ORDER, after=ARRIVED, together=(RETURNED,), line_kinds=("item",)),
    Flow(
        name="send_back", label="Send back", link=RETURNED, target_kind=RETURN, source_kind=ORDER, after=ARRIVED, together=(USED,), copies_prices=False,
        line_kinds=("item",),
    ),
    Flow(
        name="bill_usage", label="Enter bill", link="billed", target_kind="purchasing.bill", source_kind=USAGE, phases=("done",), passes_on=("billed",),
        exceeds=True, primary=True,
    ),
)  # fmt: skip
POSTING = (
    PostingRule(source=PLACE, target="storage", debit="stock", credit="goods_received"),
    PostingRule(source="storage", target=PLACE, debit="goods_received", credit="stock"),
    *(PostingRule(source=a, target=b, debit="stock", credit="stock") for a, b in (("supplier", PLACE), (PLACE, "supplier"), (PLACE, PLACE))),
)


@hookimpl
def register_plugin() -> Manifest:
    """The order, what comes of it, and places for goods that are a vendor's."""
    return Manifest(
        name="vendor_stock", label="Vendor's stock", locale="newel_vendor_stock:locale",
        needs=("purchasing",), documents=DOCUMENTS, flows=FLOWS, posting_rules=POSTING, reports=REPORTS,
        location_kinds=(LocationKind(name=PLACE, label="Vendor's stock here", tracked=True),), routes="newel_vendor_stock.routes:handlers",
        demo_data="newel_vendor_stock:demo.toml",
    )  # fmt: skip


@hookimpl
@asked(*STEPS)
async def load_facts(document: Document, session: Session, context: Context) -> Any:
    """What happened to the order's lines, and where their goods lie."""
    return await load(session, document)


@hookimpl
def check_document(document: Document, transition: str, facts: Facts, context: Context) -> Sequence[Problem]:
    """No more is used than is here; what is a vendor's goes no other way; an order stays open while goods of it are here."""
    if document.role == "sale" and document.location_from is None and not any(line.location_from for line in document.lines):
        return ()
    found, stock = facts.get(VendorStockFacts) or VendorStockFacts(), facts.get(StockFacts) or StockFacts()
    return list(rules.check(document, transition, found, stock, facts[Master]))


@hookimpl
@asked(*STEPS)
def decide_source(document: Document, line: Line, facts: Facts, context: Context) -> int | None:
    """Arrivals come from the vendor; the rest starts where the goods of the order lie."""
    return rules.source(document, line, facts.get(VendorStockFacts) or VendorStockFacts(), facts[Master])


@hookimpl
@asked(*STEPS)
def decide_target(document: Document, line: Line, facts: Facts, context: Context) -> int | None:
    """Arrivals go to the vendor's place here, what is used into our own store, returns to the vendor."""
    return rules.target(document, line, facts[Master])


@hookimpl
@asked(ORDER)
def propose_panels(document: Document, facts: Facts, context: Context) -> Sequence[Panel]:
    """How much of an order is here and the vendor's."""
    return list(rules.panels(document))
