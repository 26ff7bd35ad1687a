"""Reclamations on one screen: what is wrong with a delivery is said, answered in time, and made good."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from newel.domain.context import Context
from newel.domain.document import Document, Line
from newel.domain.facts import Facts
from newel.domain.kinds import DocumentKind, Flow, State, Transition
from newel.domain.ledger import AccountRole, PostingSpec
from newel.domain.master import Master
from newel.errors import Problem
from newel.hookspecs import asked, hookimpl
from newel.manifest import Manifest, Panel

from newel_reclamations import rules
from newel_reclamations.facts import REPORTS
from newel_reclamations.rules import CREDIT, CUSTOMER, SENDING, VENDOR, Discrepancy, ReclamationData, ReclamationsSettings

DRAFT = State(name="draft", label="Draft", phase="draft", editable=True)
CANCELLED = State(name="cancelled", label="Cancelled", phase="cancelled")


def _go(name: str, label: str, sources: str, target: str, *effects: str, automatic: str = "", primary: bool = False) -> Transition:
    return Transition(name=name, label=label, sources=tuple(sources.split()), target=target, effects=effects, automatic=automatic, primary=primary)


def _notice(name: str, label: str, side: str, series: str, notify: str, text: str) -> DocumentKind:
    """A reclamation of a customer, or of ours to a vendor. It stays editable while it is open: outcome and cost are found on the way."""
    return DocumentKind(
        name=name, label=label, label_plural=label.replace("Reclamation", "Reclamations").replace("reclamation", "reclamations"), role="request",
        party_role=side, series=series, menu="Service", new_lots=True, help=text,
        fields=("party", "date", "currency", "reference", "text"),
        states=(
            DRAFT, State(name="open", label="Open", phase="open", editable=True), State(name="answered", label="Answered", phase="open", editable=True),
            State(name="settled", label="Settled", phase="done"), State(name="refused", label="Refused", phase="done"), CANCELLED,
        ),
        transitions=(
            _go("notify", notify, "draft", "open", primary=True), _go("answer", "Answered", "open", "answered", primary=True),
            _go("settle", "Settle", "open answered", "settled"), _go("refuse", "Refused", "open answered", "refused"),
            _go("cancel", "Cancel", "draft", "cancelled"), _go("reopen", "Open again", "settled refused", "answered"),
        ),
    )  # fmt: skip


KINDS = (
    _notice(CUSTOMER, "Customer's reclamation", "customer", "RC", "Take up", "Something about a delivery or invoice of ours is not as agreed."),
    _notice(VENDOR, "Reclamation to a vendor", "vendor", "RV", "Send", "Something about a delivery or bill of a vendor is not as agreed."),
    DocumentKind(
        name=SENDING, label="Goods sent back", label_plural="Goods sent back", role="transfer", party_role="vendor", series="SB", menu="Service", priced=False,
        line_kinds=("item", "text"), fields=("party", "date", "location_from", "reference", "text"), help="Goods go back, at their value in stock.",
        states=(DRAFT, State(name="sent", label="Sent", phase="done"), State(name="credited", label="Sent and credited", phase="done"), CANCELLED),
        transitions=(
            _go("send", "Send", "draft", "sent", "move", primary=True), _go("cancel", "Cancel", "draft", "cancelled"),
            _go("reverse", "Undo", "sent", "cancelled", "reverse"), _go("complete", "Credited", "sent", "credited", automatic="linked"),
            _go("resume", "To be credited", "credited", "sent", automatic="unlinked"),
        ),
    ),
    DocumentKind(
        name=CREDIT, label="Vendor's credit note", label_plural="Vendors' credit notes", role="bill", party_role="vendor", series="VC", menu="Service", sign=-1,
        number_at="transition", fields=("party", "date", "date_due", "currency", "reference", "text"),
        posting=PostingSpec(
            party="payable", line="goods_received", tax="tax_input", side="credit", other="reclamation_difference", difference="reclamation_difference"
        ), help="What the vendor gives back. A line without item reduces the price.",
        states=(DRAFT, State(name="posted", label="Posted", phase="open"), State(name="settled", label="Settled", phase="done"), CANCELLED),
        transitions=(
            _go("post", "Post", "draft", "posted", "number", "post", primary=True), _go("cancel", "Cancel", "draft", "cancelled"),
            _go("reverse", "Undo", "posted", "cancelled", "reverse"), _go("settle", "Settled", "posted", "settled", automatic="settled"),
            _go("unsettle", "Open again", "settled", "posted", automatic="unsettled"),
        ),
    ),
)  # fmt: skip


def _reclaim(target: str, role: str, *phases: str, **more: Any) -> Flow:
    return Flow(name="reclaim", label="Reclaim", link="reclaimed", target_kind=target, source_role=role, phases=phases, completes=False, **more)


FLOWS = (
    _reclaim(CUSTOMER, "sale", "open", "done"), _reclaim(CUSTOMER, "delivery", "done", passes_on=("reclaimed",)),
    _reclaim(CUSTOMER, "invoice", "open", "done"), _reclaim(VENDOR, "purchase", "open", "done"), _reclaim(VENDOR, "receipt", "done"),
    _reclaim(VENDOR, "bill", "open", "done"),
    Flow(name="credit", label="Make credit note", link="credited", target_kind="invoicing.credit_note", source_kind=CUSTOMER, completes=False),
    Flow(name="authorise", label="Authorise return", link="authorised", target_kind="returns.authorisation", source_kind=CUSTOMER, line_kinds=("item",),
         completes=False),
    Flow(name="send_back", label="Send goods back", link="sent_back", target_kind=SENDING, source_kind=VENDOR, line_kinds=("item",), completes=False,
         copies_prices=False),
    Flow(name="credit", label="Enter credit note", link="credited", target_kind=CREDIT, source_kind=SENDING, phases=("done",), passes_on=("credited",),
         line_kinds=("item",), primary=True),
)  # fmt: skip


@hookimpl
def register_plugin() -> Manifest:
    """Reclamations of customers and to vendors, and what follows from those to vendors."""
    return Manifest(
        name="reclamations", label="Reclamations", locale="newel_reclamations:locale",
        documents=KINDS, flows=FLOWS, reports=REPORTS, settings=ReclamationsSettings,
        document_data=ReclamationData, line_data=Discrepancy,
        account_roles=(AccountRole(name="reclamation_difference", label="Differences of reclamations", kind="expense"),),
    )  # fmt: skip


@hookimpl
@asked("reclamations.")
def check_document(document: Document, transition: str, facts: Facts, context: Context) -> Sequence[Problem]:
    """Reasons, deadlines, outcomes; credit notes for goods that were not sent back."""
    return list(rules.check(document, transition, context.setting("reclamations", ReclamationsSettings)))


@hookimpl
@asked(SENDING)
def decide_source(document: Document, line: Line, facts: Facts, context: Context) -> int | None:
    """What goes back to a vendor leaves the place where it was received."""
    return rules.source(document, line, facts[Master])


@hookimpl
@asked(SENDING)
def decide_target(document: Document, line: Line, facts: Facts, context: Context) -> int | None:
    """It goes to the vendor."""
    return facts[Master].defaults.get((document.company, "supplier"))


@hookimpl
@asked("reclamations.")
def propose_panels(document: Document, facts: Facts, context: Context) -> Sequence[Panel]:
    """Deadlines, and how it ended."""
    return rules.panels(document, context.setting("reclamations", ReclamationsSettings), context.today, context.company)
