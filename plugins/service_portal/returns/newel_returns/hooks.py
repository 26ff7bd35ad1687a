"""Returns on one screen: a return is asked for, reviewed, comes in, and goes back, is replaced or credited."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from newel.domain.context import Context
from newel.domain.document import Document, Draft, Line
from newel.domain.facts import Facts
from newel.domain.kinds import Ask, DocumentKind, Flow, State, Transition
from newel.domain.master import Master
from newel.errors import Problem
from newel.hookspecs import asked, hookimpl
from newel.manifest import Manifest, Panel
from newel.store.session import Session

from newel_returns import rules
from newel_returns.facts import REPORTS, load
from newel_returns.rules import BUILT_IN, GOODS, RECEIPT, RETURN, SHIPMENT, ReturnsData, ReturnsFacts, ReturnsSettings
from newel_returns.tables import RECORDS, TABLES

DRAFT = State(name="draft", label="Draft", phase="draft", editable=True)
CANCELLED = State(name="cancelled", label="Cancelled", phase="cancelled")


def _go(name: str, label: str, sources: str, target: str, *effects: str, automatic: str = "", primary: bool = False) -> Transition:
    return Transition(name=name, label=label, sources=tuple(sources.split()), target=target, effects=effects, automatic=automatic, primary=primary)


def _goods(name: str, labels: tuple[str, str], role: str, series: str, act: str, text: str, done: str, links: tuple[str, ...] = ()) -> DocumentKind:
    """Goods that come or go; they move at the transition `act`."""
    return DocumentKind(
        name=name, label=labels[0], label_plural=labels[1], role=role, party_role="customer", series=series, menu="Service", priced=False, links=links,
        line_kinds=("item", "text"), fields=("party", "date", "date_requested", "ship_to", "location_from", "location_to", "reference", "text"), help=text,
        states=(DRAFT, State(name=done.lower(), label=done, phase="done"), CANCELLED),
        transitions=(
            _go(act, act.capitalize(), "draft", done.lower(), "move", primary=True), _go("cancel", "Cancel", "draft", "cancelled"),
            _go("reverse", "Undo", done.lower(), "cancelled", "reverse"),
        ),
    )  # fmt: skip


KINDS = (
    DocumentKind(
        name=RETURN, label="Return authorisation", label_plural="Return authorisations", role="request", party_role="customer", series="RMA",
        menu="Service", new_lots=True, line_kinds=("item", "text"),
        fields=("party", "date", "ship_to", "bill_to", "currency", "reference", "text", "location_from", "location_to"),
        asks=(
            Ask(name="data.returns.category", label="What do you wish?", choices=tuple((c.code, c.name) for c in BUILT_IN), code_of="returns.category"),
            Ask(name="text", label="What is wrong with it?"), Ask(name="item", label="Product number"),
        ),
        help="What a customer wants to send back, and why. Its category says whether it is repaired, credited or replaced.",
        states=(
            DRAFT, State(name="requested", label="In review", phase="offered", editable=True), State(name="authorised", label="Authorised", phase="open"),
            State(name="settled", label="Settled", phase="done"), State(name="closed", label="Closed", phase="done"),
            State(name="rejected", label="Rejected", phase="cancelled"), CANCELLED,
        ),
        transitions=(
            _go("submit", "Ask for review", "draft", "requested"), _go("authorise", "Authorise", "draft requested", "authorised", primary=True),
            _go("reject", "Reject", "requested", "rejected"), _go("revise", "Revise", "authorised", "requested"),
            _go("close", "Close", "authorised", "closed"), _go("cancel", "Cancel", "draft requested authorised", "cancelled"),
            _go("complete", "Settled", "authorised", "settled", automatic="linked"), _go("resume", "Open again", "settled", "authorised", automatic="unlinked"),
        ),
    ),
    _goods(RECEIPT, ("Returned delivery", "Returned deliveries"), "return", "RR", "receive", "What a customer has sent back.", "Received"),
    _goods(SHIPMENT, ("Shipment of a return", "Shipments of returns"), "delivery", "RS", "ship", "What goes back.", "Shipped", ("authorised",)),
)  # fmt: skip


def _way(name: str, label: str, link: str, target: str, **more: Any) -> Flow:
    base = {"source_kind": RETURN, "line_kinds": ("item",), "copies_prices": False}
    return Flow(name=name, label=label, link=link, target_kind=target, **{**base, **more})


ASK = {"source_kind": "", "copies_prices": True, "completes": False}
FLOWS = (
    _way("authorise", "Authorise return", "authorised", RETURN, **ASK, source_role="sale", phases=("open", "done"), after="delivered"),
    _way("authorise", "Authorise return", "authorised", RETURN, **ASK, source_role="delivery", phases=("done",), passes_on=("authorised",)),
    _way("receive", "Receive", "received", RECEIPT, passes_on=("returned",), together=("charged",), primary=True),
    _way("send", "Send back", "sent", SHIPMENT, together=("credited",)),
    _way("credit", "Make credit note", "credited", "invoicing.credit_note", after="received", together=("sent",), copies_prices=True),
    _way("charge", "Charge what never came", "charged", "invoicing.invoice", after="sent", together=("received",), copies_prices=True, completes=False),
)


@hookimpl
def register_plugin() -> Manifest:
    """Three kinds of documents, what leads from one to the next, and categories."""
    return Manifest(
        name="returns", label="Returns", locale="newel_returns:locale", piccolo_app="newel_returns.piccolo_app", tables=TABLES, documents=KINDS,
        flows=FLOWS, records=RECORDS, reports=REPORTS, document_data=ReturnsData, demo_data="newel_returns:demo.toml", settings=ReturnsSettings,
    )  # fmt: skip


@hookimpl
@asked("returns.")
async def load_facts(document: Document, session: Session, context: Context) -> Any:
    """Categories, where the customer's goods lie, what came of a return, and what the customer owes."""
    return await load(session, document, context)


@hookimpl
@asked(facts=ReturnsFacts)
def check_document(document: Document, transition: str, facts: Facts, context: Context) -> Sequence[Problem]:
    """Categories, days, places of goods that stay the customer's, replacements before their time."""
    return list(rules.check(document, transition, facts[ReturnsFacts], facts[Master], context))


@hookimpl
@asked(facts=ReturnsFacts)
def propose_documents(document: Document, transition: str, facts: Facts, context: Context) -> Sequence[Draft]:
    """The delivery that is to come and the one that is to go back."""
    return rules.drafts(document, transition, facts[ReturnsFacts])


@hookimpl
@asked(*GOODS)
def decide_source(document: Document, line: Line, facts: Facts, context: Context) -> int | None:
    """Returns come from the customer; what was repaired leaves the place of the customer's goods."""
    return rules.source(document, line, facts.get(ReturnsFacts) or ReturnsFacts(), facts[Master])


@hookimpl
@asked(*GOODS)
def decide_target(document: Document, line: Line, facts: Facts, context: Context) -> int | None:
    """What stays the customer's goes to a place with an owner."""
    return rules.target(document, line, facts.get(ReturnsFacts) or ReturnsFacts(), facts[Master], context.setting("returns", ReturnsSettings))


@hookimpl
@asked(facts=ReturnsFacts)
def propose_panels(document: Document, facts: Facts, context: Context) -> Sequence[Panel]:
    """What is to happen with a return, and what the customer owes."""
    return rules.panels(document, facts[ReturnsFacts], context.company)
