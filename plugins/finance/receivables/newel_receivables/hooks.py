"""Receivables on one screen: money comes in, settles what is open, and goes back where too much came."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from newel.domain.context import Context
from newel.domain.document import Document
from newel.domain.facts import Facts
from newel.domain.kinds import DocumentKind, LineKind, State, Transition
from newel.domain.ledger import OpenItems, PostingSpec
from newel.errors import Problem
from newel.hookspecs import asked, hookimpl
from newel.manifest import Manifest, Panel
from newel.store.session import Session

from newel_receivables import rules
from newel_receivables.facts import REPORTS, load
from newel_receivables.rules import Claims, PaymentData, ReceivablesSettings
from newel_receivables.tables import RECORDS, TABLES

STATES = (
    State(name="draft", label="Draft", phase="draft", editable=True),
    State(name="posted", label="Posted", phase="done"),
    State(name="cancelled", label="Cancelled", phase="cancelled"),
)
TRANSITIONS = (
    Transition(name="post", label="Post", sources=("draft",), target="posted", effects=("post",), primary=True),
    Transition(name="cancel", label="Cancel", sources=("draft",), target="cancelled"),
    Transition(name="reverse", label="Undo", sources=("posted",), target="cancelled", effects=("reverse",)),
)


def _kind(name: str, label: str, series: str, side: str, about: str) -> DocumentKind:
    """Payments and refunds differ in the side that the money is on."""
    return DocumentKind(
        name=f"receivables.{name}", label=label, label_plural=f"{label}s", role="payment", party_role="customer", series=series,
        menu="Finance", posting=PostingSpec(party="bank", line="receivable", side=side), line_kinds=("payment",), states=STATES,
        transitions=TRANSITIONS, fields=("party", "date", "currency", "reference", "text", "account_role"), help=about,
    )  # fmt: skip


IN = "Money from a customer. A line settles an open item, or (without one) keeps the money as the customer's credit."
OUT = "Money back to a customer, for a credit note or for what was paid too much."
KINDS = (_kind("payment", "Payment", "PAY", "debit", IN), _kind("refund", "Refund", "REF", "credit", OUT))


@hookimpl
def register_plugin() -> Manifest:
    """Payments and refunds, their means, and what customers owe."""
    return Manifest(
        name="receivables", label="Receivables", locale="newel_receivables:locale",
        piccolo_app="newel_receivables.piccolo_app", demo_data="newel_receivables:demo.toml",
        tables=TABLES, documents=KINDS,
        line_kinds=(LineKind(name="payment", label="Payment"),), records=RECORDS, reports=REPORTS, document_data=PaymentData,
        settings=ReceivablesSettings,
    )  # fmt: skip


@hookimpl
@asked("receivables.", "sale")
async def load_facts(document: Document, session: Session, context: Context) -> Any:
    """The open items that a payment settles and the means that it names; for a sale, what the customer owes."""
    return await load(session, document, context)


@hookimpl
@asked("receivables.")
def check_document(document: Document, transition: str, facts: Facts, context: Context) -> Sequence[Problem]:
    """Each line settles what is open of this party in this currency, and no more; the means fits; write-offs are small."""
    settled = facts.get(OpenItems) or OpenItems()
    settings = context.setting("receivables", ReceivablesSettings)
    return rules.check(document, transition, settled.items, facts.get(Claims) or Claims(), settings)


@hookimpl
def propose_panels(document: Document, facts: Facts, context: Context) -> Sequence[Panel]:
    """On a sale: what the customer owes, and what of it is overdue."""
    return rules.panels(document, facts.get(Claims), context.company)
