"""Drop shipment on one screen: what is sold is ordered from a vendor by itself, and goes straight to the customer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from newel.domain.context import Context
from newel.domain.document import Document, Draft, Line
from newel.domain.facts import Facts
from newel.domain.kinds import DocumentKind, Flow, Kinds, State, Transition
from newel.domain.ledger import PostingRule
from newel.domain.master import Master
from newel.errors import Problem
from newel.hookspecs import asked, hookimpl
from newel.manifest import Manifest, Panel
from newel.store.session import Session

from newel_dropship import rules
from newel_dropship.facts import NONE, REPORTS, load
from newel_dropship.rules import DELIVERED, DELIVERY, DIRECT, PROCURED, RECEIVED, DropshipFacts, DropshipLine, DropshipSettings
from newel_dropship.tables import RECORDS, TABLES

KIND = DocumentKind(
    name=DELIVERY, label="Direct delivery", label_plural="Direct deliveries", role="delivery", party_role="customer", series="DD", priced=False,
    menu="Stock", new_lots=True, fields=("party", "date", "ship_to", "reference", "text"),
    help="What a vendor has shipped straight to the customer. It counts as received on the purchase order and as delivered on the sale.",
    states=(
        State(name="draft", label="Draft", phase="draft", editable=True), State(name="shipped", label="Shipped", phase="done"),
        State(name="complete", label="Shipped and billed", phase="done"), State(name="cancelled", label="Cancelled", phase="cancelled"),
    ),
    transitions=(
        Transition(name="ship", label="Ship", sources=("draft",), target="shipped", effects=("move",), primary=True),
        Transition(name="cancel", label="Cancel", sources=("draft",), target="cancelled"),
        Transition(name="reverse", label="Undo", sources=("shipped",), target="cancelled", effects=("reverse",)),
        Transition(name="complete", label="Billed", sources=("shipped",), target="complete", automatic="linked"),
        Transition(name="resume", label="To be billed again", sources=("complete",), target="shipped", automatic="unlinked"),
    ),
)  # fmt: skip
FLOWS = (
    Flow(
        name="procure", label="Order from vendor", link=PROCURED, target_role="purchase", source_role="sale", completes=False, copies_prices=False,
        diverts=DELIVERED, arrives=DIRECT, gives_back=RECEIVED,
    ),
    Flow(
        name="ship_direct", label="Ship to the customer", link=RECEIVED, target_kind=DELIVERY, source_role="purchase", line_source=PROCURED,
        passes_on=(DELIVERED, DIRECT), copies_prices=False, primary=True,
    ),
)  # fmt: skip
POSTING = (
    PostingRule(source="supplier", target="customer", debit="cogs", credit="goods_received"),
    PostingRule(source="customer", target="supplier", debit="goods_received", credit="cogs"),
)


@hookimpl
def register_plugin() -> Manifest:
    """Direct deliveries, the way to them, and rules that say what is shipped direct."""
    return Manifest(
        name="dropship", label="Drop shipment", locale="newel_dropship:locale",
        piccolo_app="newel_dropship.piccolo_app", tables=TABLES, documents=(KIND,), flows=FLOWS, records=RECORDS,
        reports=REPORTS, posting_rules=POSTING, settings=DropshipSettings, line_data=DropshipLine, demo_data="newel_dropship:demo.toml",
    )  # fmt: skip


@hookimpl
@asked("sale", "purchase")
async def load_facts(document: Document, session: Session, context: Context) -> Any:
    """Rules for sales, and how far vendors are; for purchases, which sales they are for."""
    return await load(document, session, context.setting("dropship", DropshipSettings))


@hookimpl
@asked(DELIVERY, "sale", "purchase")
def check_document(document: Document, transition: str, facts: Facts, context: Context) -> Sequence[Problem]:
    """A vendor and an address must be known; a sale does not end while vendors are to ship something of it; a purchase for a sale stays what was sold."""
    if document.kind != DELIVERY and facts.get(DropshipFacts) is None:
        return ()
    settings = context.setting("dropship", DropshipSettings)
    return list(rules.check(document, transition, facts.get(DropshipFacts) or NONE, facts[Kinds], settings))


@hookimpl
@asked(DELIVERY, "sale", "purchase")
def propose_documents(document: Document, transition: str, facts: Facts, context: Context) -> Sequence[Draft]:
    """Purchase orders when a sale becomes open; an invoice when a vendor has shipped, where the settings say so."""
    settings = context.setting("dropship", DropshipSettings)
    if document.kind != DELIVERY and facts.get(DropshipFacts) is None:
        return ()
    if document.role == "sale":
        return list(rules.purchases(document, transition, facts.get(DropshipFacts) or NONE, facts[Kinds], settings))
    return list(rules.invoices(document, transition, facts[Kinds], settings))


@hookimpl
@asked(DELIVERY, "sale")
def decide_source(document: Document, line: Line, facts: Facts, context: Context) -> int | None:
    """Goods that a vendor ships come from the vendor, so that nothing is reserved for them here."""
    direct = document.kind == DELIVERY
    if document.role == "sale" and (found := facts.get(DropshipFacts)):
        direct = rules.is_direct(document, line, found, context.setting("dropship", DropshipSettings))
    return facts[Master].defaults.get((document.company, "supplier")) if direct else None


@hookimpl
def propose_panels(document: Document, facts: Facts, context: Context) -> Sequence[Panel]:
    """Who ships what and when; whom a purchase is for."""
    return list(rules.panels(document, facts.get(DropshipFacts) or NONE, context.setting("dropship", DropshipSettings)))
