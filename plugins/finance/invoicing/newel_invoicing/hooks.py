"""Invoicing on one screen: what was sold or delivered is billed once, and corrected by credit notes."""

from __future__ import annotations

from collections.abc import Sequence

from newel.domain.context import Context
from newel.domain.document import Document
from newel.domain.facts import Facts
from newel.domain.kinds import DocumentKind, Flow, State, Transition
from newel.domain.ledger import PostingSpec
from newel.errors import Problem
from newel.hookspecs import asked, hookimpl
from newel.manifest import Manifest

from newel_invoicing import rules
from newel_invoicing.facts import REPORTS

POSTING = PostingSpec(party="receivable", line="revenue", tax="tax_output", side="debit")
FIELDS = ("party", "date", "date_due", "bill_to", "ship_to", "currency", "terms", "reference", "text", "prices_include_tax")
POST = ("number", "post")

INVOICE = DocumentKind(
    name="invoicing.invoice",
    label="Invoice",
    label_plural="Invoices",
    role="invoice",
    party_role="customer",
    series="INV",
    number_at="transition",
    posting=POSTING,
    menu="Finance",
    fields=FIELDS,
    help="Made from orders, from deliveries, or by hand. Posting draws its number, without gaps, and locks it.",
    states=(
        State(name="draft", label="Draft", phase="draft", editable=True),
        State(name="posted", label="Posted", phase="open"),
        State(name="paid", label="Paid", phase="done"),
        State(name="cancelled", label="Cancelled", phase="cancelled"),
    ),
    transitions=(
        Transition(name="post", label="Post", sources=("draft",), target="posted", effects=POST, primary=True),
        Transition(name="cancel", label="Cancel", sources=("draft",), target="cancelled"),
        Transition(name="settle", label="Paid", sources=("posted",), target="paid", automatic="settled"),
        Transition(name="unsettle", label="Open again", sources=("paid",), target="posted", automatic="unsettled"),
    ),
)

CREDIT_NOTE = DocumentKind(
    name="invoicing.credit_note",
    label="Credit note",
    label_plural="Credit notes",
    role="invoice",
    party_role="customer",
    series="CN",
    number_at="transition",
    posting=POSTING,
    sign=-1,
    menu="Finance",
    fields=FIELDS,
    help="Takes back an invoice or a part of it. Its amounts are positive on paper and post the other way.",
    states=(
        State(name="draft", label="Draft", phase="draft", editable=True),
        State(name="posted", label="Posted", phase="open"),
        State(name="settled", label="Settled", phase="done"),
        State(name="cancelled", label="Cancelled", phase="cancelled"),
    ),
    transitions=(
        Transition(name="post", label="Post", sources=("draft",), target="posted", effects=POST, primary=True),
        Transition(name="cancel", label="Cancel", sources=("draft",), target="cancelled"),
        Transition(name="settle", label="Settled", sources=("posted",), target="settled", automatic="settled"),
        Transition(name="unsettle", label="Open again", sources=("settled",), target="posted", automatic="unsettled"),
    ),
)

FLOWS = (
    # Only open sales: an accepted quotation is done, and is billed through its order; an order closed short through its deliveries.
    Flow(name="invoice", label="Invoice", link="invoiced", target_kind="invoicing.invoice", source_role="sale", phases=("open",)),
    Flow(
        name="invoice_delivery",
        label="Invoice",
        link="invoiced",
        target_kind="invoicing.invoice",
        source_role="delivery",
        phases=("done",),
        passes_on=("invoiced",),
        primary=True,
    ),
    Flow(
        name="credit",
        label="Make credit note",
        link="credited",
        target_kind="invoicing.credit_note",
        source_kind="invoicing.invoice",
        phases=("open", "done"),
        completes=False,
    ),
)


@hookimpl
def register_plugin() -> Manifest:
    """Invoices and credit notes, and what they are made from."""
    return Manifest(name="invoicing", label="Invoicing", locale="newel_invoicing:locale", documents=(INVOICE, CREDIT_NOTE), flows=FLOWS, reports=REPORTS)


@hookimpl
@asked("invoicing.")
def check_document(document: Document, transition: str, facts: Facts, context: Context) -> Sequence[Problem]:
    """An invoice that is posted has a price on each line and is due no earlier than its date; it does not go below zero."""
    return rules.check(document, transition)
