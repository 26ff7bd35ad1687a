"""Visits on one screen: who comes when, what is used and how long it takes, what is signed, and what is charged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from newel.domain.context import Context
from newel.domain.document import Document, Draft, Line
from newel.domain.facts import Facts
from newel.domain.kinds import DocumentKind, Flow, Kinds, LineKind, State, Transition
from newel.domain.ledger import AccountRole, PostingRule
from newel.domain.master import Master
from newel.domain.stock import LocationKind
from newel.errors import Problem
from newel.hookspecs import asked, hookimpl
from newel.manifest import Job, Manifest, MenuItem, Panel
from newel.store.session import Session

from newel_visits import checks, rules
from newel_visits.facts import load
from newel_visits.rules import DEVICE, INVOICE, STATES, VISIT, VisitData, Visited, VisitFacts, VisitsSettings
from newel_visits.send import repeat
from newel_visits.tables import RECORDS, TABLES

ON = ("confirmed", "travelling", "onsite")


def _go(name: str, label: str, sources: tuple[str, ...], target: str, *effects: str, primary: bool = False) -> Transition:
    return Transition(name=name, label=label, sources=sources, target=target, effects=effects, primary=primary)


KIND = DocumentKind(
    name=VISIT, label="Visit", label_plural="Visits", role="production", party_role="customer", series="V", menu="Service", data=VisitData, new_lots=True,
    line_kinds=("item", DEVICE, "text"), fields=("party", "date_requested", "ship_to", "reference", "text", "currency", "location_from"),
    help="Work at a customer's at a given time. Material leaves the technician's van; time and material are charged where no warranty covers them.",
    states=tuple(State(name=name, label=label, phase=phase, editable=phase in ("draft", "open")) for name, (label, phase) in STATES.items()),
    transitions=(
        _go("confirm", "Confirm", ("planned",), "confirmed", primary=True), _go("revise", "Plan again", ("confirmed",), "planned"),
        _go("leave", "On the way", ("confirmed",), "travelling", primary=True), _go("arrive", "On site", ("confirmed", "travelling"), "onsite", primary=True),
        _go("finish", "Done", ("onsite",), "done", "move", primary=True), _go("miss", "Nobody there", ON, "missed"),
        _go("cancel", "Cancel", ("planned", *ON), "cancelled"), _go("reverse", "Undo", ("done",), "cancelled", "reverse"),
    ),
)  # fmt: skip


def _from(name: str, link: str, source: str, phases: tuple[str, ...] = ("open",)) -> Flow:
    return Flow(
        name=name, label="Plan a visit", link=link, target_kind=VISIT, source_kind=source, line_kinds=("item",), line_kind=DEVICE, phases=phases,
        completes=False, copies_prices=False,
    )  # fmt: skip


FLOWS = (
    _from("visit", "converted", "requests.request", ()),  # a request is turned into it; this says what its pieces become
    _from("visit_return", "visited", "returns.authorisation"), _from("visit_claim", "visited", "warranty.claim"),
    Flow(name="charge", label="Invoice", link="invoiced", target_kind=INVOICE, source_kind=VISIT, line_kinds=("item",), phases=("done",), primary=True),
)  # fmt: skip


@hookimpl
def register_plugin() -> Manifest:
    """One kind of document with technicians and checklists, where the material goes, the plan, and a job for regular maintenance."""
    return Manifest(
        name="visits", label="Visits", locale="newel_visits:locale", piccolo_app="newel_visits.piccolo_app", tables=TABLES, documents=(KIND,), flows=FLOWS,
        records=RECORDS,
        document_data=VisitData, settings=VisitsSettings, routes="newel_visits.routes:handlers", templates="newel_visits:templates",
        line_kinds=(LineKind(name=DEVICE, label="Device", item=True, priced=False, moves=False),),
        location_kinds=(LocationKind(name="visit", label="Used on visits"),),
        account_roles=(AccountRole(name="visit_material", label="Material of visits", kind="expense"),),
        posting_rules=(
            PostingRule(source="storage", target="visit", debit="visit_material", credit="stock"),
            PostingRule(source="visit", target="storage", debit="stock", credit="visit_material"),
        ),
        jobs=(Job(name="visits.repeat", act=repeat, every=3600),),
        permissions=(("visits.plan", "see the visits of all technicians by day and week"),),
        menu=(
            MenuItem(label="Plan of visits", path="/visits", section="Service", permission="visits.plan"),
            MenuItem(label="My visits", path="/visits/mine", section="Service", permission=f"{VISIT}.arrive"),
        ),
    )  # fmt: skip


@hookimpl
@asked(VISIT, "requests.request")
async def load_facts(document: Document, session: Session, context: Context) -> Any:
    """Technicians, their other visits around that day, and what was signed; of a request the visits that came of it."""
    return await load(document, session, context)


@hookimpl
def check_document(document: Document, transition: str, facts: Facts, context: Context) -> Sequence[Problem]:
    """Nobody is at two places at once; a visit that is done was checked and signed."""
    found = facts.get(VisitFacts)
    zone = context.setting("visits", VisitsSettings).zone
    return list(checks.check(document, transition, found, zone, context.user.party is not None)) if found is not None else ()


@hookimpl
@asked(VISIT)
def propose_documents(document: Document, transition: str, facts: Facts, context: Context) -> Sequence[Draft]:
    """The invoice for what has a price."""
    return rules.drafts(document, transition, facts[Kinds])


@hookimpl
@asked(VISIT)
def decide_source(document: Document, line: Line, facts: Facts, context: Context) -> int | None:
    """Material comes from the technician's van."""
    return rules.source(document, line, facts.get(VisitFacts) or VisitFacts(), facts[Master])


@hookimpl
@asked(VISIT)
def decide_target(document: Document, line: Line, facts: Facts, context: Context) -> int | None:
    """Material is used up on the visit."""
    return facts[Master].defaults.get((document.company, "visit"))


@hookimpl
def propose_panels(document: Document, facts: Facts, context: Context) -> Sequence[Panel]:
    """Who comes when; on a request, its visits and a form that plans one."""
    guest = context.user.party is not None
    if (visited := facts.get(Visited)) is not None:
        return rules.of_request(document, visited, guest)
    found = facts.get(VisitFacts)
    return rules.panels(document, found, context.setting("visits", VisitsSettings).zone, guest) if found is not None else ()
