"""Purchasing on one screen: what is needed is ordered, comes in, is billed and paid, and each step is held against the one before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from newel.domain.context import Context
from newel.domain.document import Document, Line
from newel.domain.facts import Facts
from newel.domain.kinds import DocumentKind, Flow, LineKind, State, Transition
from newel.domain.ledger import AccountRole, PostingSpec
from newel.domain.pricing import Price
from newel.domain.tax import Tax
from newel.errors import Problem
from newel.hookspecs import asked, hookimpl
from newel.manifest import Manifest, Panel
from newel.store.session import Session

from newel_purchasing import rules
from newel_purchasing.facts import REPORTS, load
from newel_purchasing.rules import PurchasingFacts, PurchasingSettings
from newel_purchasing.tables import RECORDS, TABLES

DRAFT = State(name="draft", label="Draft", phase="draft", editable=True)
CANCELLED = State(name="cancelled", label="Cancelled", phase="cancelled")
HEAD = ("party", "date", "date_due", "currency", "terms", "reference", "text", "prices_include_tax")
BILLING = PostingSpec(party="payable", line="goods_received", tax="tax_input", side="credit", other="expense", difference="price_difference")


def _go(name: str, label: str, sources: str, target: str, *effects: str, automatic: str = "") -> Transition:
    primary = not automatic and target not in ("draft", "cancelled", "closed")
    return Transition(name=name, label=label, sources=tuple(sources.split()), target=target, effects=effects, automatic=automatic, primary=primary)


def _kind(name: str, label: str, role: str, series: str, states: Sequence[tuple[str, str, str]], steps: Sequence[Transition], **more: Any) -> DocumentKind:
    shown = tuple(State(name=n, label=text, phase=phase) for n, text, phase in states)
    return DocumentKind(
        name=f"purchasing.{name}", label=label, role=role, series=series, menu="Purchasing",
        states=(DRAFT, *shown, CANCELLED), transitions=tuple(steps), **{"label_plural": f"{label}s", "party_role": "vendor", **more},
    )  # fmt: skip


KINDS = (
    _kind(
        "requisition", "Requisition", "request", "PR", (("approved", "To be ordered", "open"), ("ordered", "Ordered", "done")),
        (
            _go("approve", "To be ordered", "draft", "approved"), _go("cancel", "Cancel", "draft approved", "cancelled"),
            _go("revise", "Revise", "approved", "draft"), _go("complete", "Ordered", "approved", "ordered", automatic="linked"),
            _go("resume", "To be ordered", "ordered", "approved", automatic="unlinked"),
        ),
        party_role="", fields=("party", "date", "date_requested", "text"), help="What somebody needs. Purchase orders are made from it.",
    ),
    _kind(
        "order", "Purchase order", "purchase", "PO", (("sent", "Sent", "open"), ("done", "Done", "done"), ("closed", "Closed short", "done")),
        (
            _go("send", "Send", "draft", "sent"), _go("revise", "Revise", "sent", "draft"), _go("close", "Close short", "sent", "closed"),
            _go("cancel", "Cancel", "draft sent", "cancelled"), _go("complete", "Done", "sent", "done", automatic="linked"),
            _go("resume", "Open again", "done", "sent", automatic="unlinked"),
        ),
        fields=(*HEAD, "date_requested", "location_to"), help="What a vendor is to deliver. It is done when all of it has come and is billed.",
    ),
    _kind(
        "receipt", "Vendor's delivery", "receipt", "VR", (("received", "Received", "done"), ("billed", "Received and billed", "done")),
        (
            _go("receive", "Receive", "draft", "received", "move"), _go("cancel", "Cancel", "draft", "cancelled"),
            _go("reverse", "Undo", "received", "cancelled", "reverse"), _go("complete", "Billed", "received", "billed", automatic="linked"),
            _go("resume", "To be billed", "billed", "received", automatic="unlinked"),
        ),
        label_plural="Vendors' deliveries", fields=("party", "date", "location_to", "reference", "text"),
        help="What has come of an order, worth what was ordered for it.",
    ),
    _kind(
        "bill", "Vendor's bill", "bill", "VB", (("posted", "Posted", "open"), ("paid", "Paid", "done")),
        (
            _go("post", "Post", "draft", "posted", "number", "post"), _go("cancel", "Cancel", "draft", "cancelled"),
            _go("reverse", "Undo", "posted", "cancelled", "reverse"), _go("settle", "Paid", "posted", "paid", automatic="settled"),
            _go("unsettle", "Open again", "paid", "posted", automatic="unsettled"),
        ),
        label_plural="Vendors' bills", number_at="transition", posting=BILLING, fields=HEAD,
        help="What the vendor asks for, held against what was ordered and what came. The reference is the vendor's own number.",
    ),
    _kind(
        "payment", "Payment to a vendor", "payment", "VP", (("posted", "Posted", "done"),),
        (
            _go("post", "Post", "draft", "posted", "post"), _go("cancel", "Cancel", "draft", "cancelled"),
            _go("reverse", "Undo", "posted", "cancelled", "reverse"),
        ),
        label_plural="Payments to vendors", posting=PostingSpec(party="bank", line="payable", side="credit"), line_kinds=("payout",),
        fields=("party", "date", "currency", "reference", "text", "account_role"), help="Money to a vendor, for open items or in advance.",
    ),
)  # fmt: skip
FLOWS = (
    Flow(
        name="purchase", label="Make purchase order", link="ordered", target_kind="purchasing.order", source_kind="purchasing.requisition",
        copies_prices=False, exceeds=True, primary=True,
    ),
    Flow(name="receive", label="Receive", link="received", target_kind="purchasing.receipt", source_role="purchase", exceeds=True, primary=True),
    Flow(name="bill", label="Enter bill", link="billed", target_kind="purchasing.bill", source_role="purchase", exceeds=True),
    Flow(
        name="bill_receipt", label="Enter bill", link="billed", target_kind="purchasing.bill", source_kind="purchasing.receipt", phases=("done",),
        passes_on=("billed",), exceeds=True, primary=True,
    ),
)  # fmt: skip


@hookimpl
def register_plugin() -> Manifest:
    """Five kinds of documents, what leads from one to the next, and vendors' prices."""
    return Manifest(
        name="purchasing", label="Purchasing", locale="newel_purchasing:locale", precedes=("pricelists",), piccolo_app="newel_purchasing.piccolo_app",
        tables=TABLES, documents=KINDS, flows=FLOWS, records=RECORDS, reports=REPORTS, settings=PurchasingSettings,
        line_kinds=(LineKind(name="payout", label="Payment"),), demo_data="newel_purchasing:demo.toml",
        account_roles=(AccountRole(name="price_difference", label="Purchase price differences", kind="expense"),),
    )  # fmt: skip


@hookimpl
@asked("purchase", "receipt", "bill", "purchasing.")
async def load_facts(document: Document, session: Session, context: Context) -> Any:
    """Prices of the vendor, and the orders behind receipts and bills."""
    return await load(document, session)


@hookimpl
@asked("purchase", "purchasing.")
def decide_price(document: Document, line: Line, facts: Facts, context: Context) -> Price | None:
    """Whatever is bought is priced by the vendor's prices, else at standard cost; never by what we sell it for."""
    return rules.price(document, line, facts.get(PurchasingFacts) or PurchasingFacts(), context.company)


@hookimpl
@asked("purchasing.requisition", "purchasing.receipt")
def decide_tax(document: Document, line: Line, facts: Facts, context: Context) -> Sequence[Tax] | None:
    """A requisition bears no tax, nor does a receipt that comes without an order: the bill does."""
    return ()


@hookimpl
@asked("purchase", "purchasing.")
def check_document(document: Document, transition: str, facts: Facts, context: Context) -> Sequence[Problem]:
    """Prices that nobody knows, what has gone on, and the match of order, receipt and bill."""
    return rules.check(document, transition, facts.get(PurchasingFacts) or PurchasingFacts(), context.setting("purchasing", PurchasingSettings))


@hookimpl
@asked("purchase", "purchasing.", facts=PurchasingFacts)
def propose_panels(document: Document, facts: Facts, context: Context) -> Sequence[Panel]:
    """The vendor's numbers of the items, and the match."""
    return rules.panels(document, facts[PurchasingFacts])
