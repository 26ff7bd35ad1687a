"""Requests on one screen: somebody asks, somebody of ours answers, and what was asked for is made of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from newel.domain.context import Context
from newel.domain.document import Document, Draft
from newel.domain.facts import Facts
from newel.domain.kinds import Ask, DocumentKind, Kinds, State, Transition
from newel.errors import Problem
from newel.hookspecs import asked, hookimpl
from newel.manifest import Manifest, Panel
from newel.store.session import Session

from newel_requests import rules
from newel_requests.facts import REPORTS, load
from newel_requests.rules import KIND, STATES, RequestData, RequestFacts, header
from newel_requests.tables import RECORDS, TABLES

OPEN = ("open", "working", "waiting", "halted")


def _go(name: str, label: str, sources: tuple[str, ...], target: str, *, primary: bool = False) -> Transition:
    return Transition(name=name, label=label, sources=sources, target=target, primary=primary)


REQUEST = DocumentKind(
    name=KIND,
    label="Request",
    label_plural="Requests",
    role="request",
    party_role="customer",
    series="R",
    menu="Service",
    data=RequestData,
    fields=("party", "date_requested", "ship_to", "reference", "text", "currency"),
    asks=(
        Ask(name="data.requests.type", label="What is it about?", code_of="requests.type"),
        Ask(name="text", label="What can we do for you?"),
        Ask(name="data.requests.about", label="Number of an order, delivery or invoice"),
        Ask(name="item", label="Product number"),
        Ask(name="date_requested", label="Day wanted"),
        Ask(name="data.requests.time", label="Time wanted", help="such as 14:30"),
        Ask(name="ship_to", label="Place"),
    ),
    help="What a customer or vendor asks for. Its number is the tracking number: whoever quotes it adds to it.",
    states=tuple(State(name=name, label=label, phase=phase, editable=phase in ("draft", "open")) for name, (label, phase) in STATES.items()),
    transitions=(
        _go("submit", "Send in", ("draft",), "open", primary=True),
        _go("acknowledge", "Confirm receipt", ("open",), "open"),
        _go("start", "Start", ("open", "waiting", "halted"), "working"),
        _go("convert", "Turn into a document", OPEN, "working"),
        _go("wait", "Wait for the requester", ("open", "working", "halted"), "waiting"),
        _go("halt", "Wait for others", ("open", "working", "waiting"), "halted"),
        _go("resolve", "Resolved", OPEN, "resolved", primary=True),
        _go("reopen", "Open again", ("resolved", "closed"), "working"),
        _go("close", "Close", ("resolved",), "closed", primary=True),
        _go("cancel", "Cancel", ("draft", *OPEN), "cancelled"),
    ),
)


@hookimpl
def register_plugin() -> Manifest:
    """One kind of documents with its types, categories and teams, and what is said about it."""
    return Manifest(
        name="requests", label="Requests", locale="newel_requests:locale",
        piccolo_app="newel_requests.piccolo_app", demo_data="newel_requests:demo.toml", tables=TABLES,
        documents=(REQUEST,), records=RECORDS, reports=REPORTS, document_data=RequestData, routes="newel_requests.routes:handlers",
    )  # fmt: skip


@hookimpl
@asked(KIND)
async def load_facts(document: Document, session: Session, context: Context) -> Any:
    """Types, teams, what was said, and the document that a request is about; nothing for documents of other kinds."""
    return await load(document, session, context)


@hookimpl
@asked(facts=RequestFacts)
def check_document(document: Document, transition: str, facts: Facts, context: Context) -> Sequence[Problem]:
    """What the type asks for, references that nobody knows, and what a requester has no say in (SRV-01)."""
    return rules.check(document, transition, facts[RequestFacts], facts[Kinds], context.user.party)


@hookimpl
@asked(facts=RequestFacts)
def propose_documents(document: Document, transition: str, facts: Facts, context: Context) -> Sequence[Draft]:
    """By its type a request becomes a quotation, order, invoice, return or whatever else has the role (SRV-02)."""
    if transition != "convert":
        return ()
    data, kinds = header(document), facts[Kinds]
    kind = rules.target(data, facts[RequestFacts].types.get(data.type), kinds)
    way = next((f for f in kinds.ways.get(KIND, ()) if kind and f.target_kind == kind.name), None)
    return rules.drafts(document, kind, way) if kind else ()


@hookimpl
@asked(facts=RequestFacts)
def propose_panels(document: Document, facts: Facts, context: Context) -> Sequence[Panel]:
    """How urgent it is, who has it, and what was said."""
    return rules.panels(document, facts[RequestFacts], context.user.party is not None)
