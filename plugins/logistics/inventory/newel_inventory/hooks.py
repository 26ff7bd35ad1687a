"""Inventory on one screen: goods come in, change places and are counted; what is sold is reserved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from newel.domain.context import Context
from newel.domain.document import Document, Line, LineInput
from newel.domain.facts import Facts
from newel.domain.kinds import DocumentKind, Extension, State, Transition
from newel.domain.master import Master
from newel.domain.money import product
from newel.domain.pricing import Price
from newel.domain.stock import StockFacts
from newel.domain.tax import Tax
from newel.errors import Problem
from newel.hookspecs import asked, hookimpl
from newel.manifest import Manifest
from newel.store.session import Session

from newel_inventory import rules
from newel_inventory.facts import REPORTS, load
from newel_inventory.rules import CountData, StockNow

DRAFT = State(name="draft", label="Draft", phase="draft", editable=True)
CANCELLED = State(name="cancelled", label="Cancelled", phase="cancelled")
CANCEL = Transition(name="cancel", label="Cancel", sources=("draft",), target="cancelled")


def _undo(state: str) -> Transition:
    return Transition(name="reverse", label="Undo", sources=(state,), target="cancelled", effects=("reverse",))


RECEIPT = DocumentKind(
    name="inventory.receipt",
    label="Goods receipt",
    label_plural="Goods receipts",
    role="receipt",
    series="GR",
    menu="Stock",
    fields=("party", "date", "location_to", "reference", "text"),
    help="Goods come in. The price of a line is what one unit cost; left out, it is the item's standard cost.",
    states=(DRAFT, State(name="received", label="Received", phase="done"), CANCELLED),
    transitions=(
        Transition(name="receive", label="Receive", sources=("draft",), target="received", effects=("move",), primary=True),
        CANCEL,
        _undo("received"),
    ),
)

TRANSFER = DocumentKind(
    name="inventory.transfer",
    label="Transfer",
    label_plural="Transfers",
    role="transfer",
    series="TR",
    priced=False,
    menu="Stock",
    line_kinds=("item", "text"),
    fields=("date", "location_from", "location_to", "reference", "text"),
    help="Goods go from one place of the company to another.",
    states=(DRAFT, State(name="moved", label="Moved", phase="done"), CANCELLED),
    transitions=(
        Transition(name="move", label="Move", sources=("draft",), target="moved", effects=("move",), primary=True),
        CANCEL,
        _undo("moved"),
    ),
)

COUNT = DocumentKind(
    name="inventory.count",
    label="Stock count",
    label_plural="Stock counts",
    role="transfer",
    series="SC",
    priced=False,
    menu="Stock",
    line_kinds=("item", "text"),
    fields=("date", "location_from", "reference", "text"),
    help="What was found in a place. The difference to what should be there is moved when the count is posted.",
    states=(DRAFT, State(name="posted", label="Posted", phase="done"), CANCELLED),
    transitions=(
        Transition(name="post", label="Post differences", sources=("draft",), target="posted", effects=("move",), primary=True),
        CANCEL,
        _undo("posted"),
    ),
)

RESERVING = Extension(
    role="sale",
    effects={"confirm": ("reserve",), "reopen": ("reserve",), "cancel": ("release",), "close": ("release",), "revise": ("release",)},
)


@hookimpl
def register_plugin() -> Manifest:
    """Three kinds of documents, and the reservation of what is sold."""
    return Manifest(
        name="inventory",
        label="Inventory",
        locale="newel_inventory:locale",
        documents=(RECEIPT, TRANSFER, COUNT),
        extends=(RESERVING,),
        reports=REPORTS,
        line_data=CountData,
    )


@hookimpl
@asked("inventory.count", "receipt", "return")
async def load_facts(document: Document, session: Session, context: Context) -> Any:
    """What lies in each place, for counts and for serial numbers that come in."""
    return await load(session, document)


@hookimpl
@asked("inventory.count")
def propose_lines(document: Document, line: Line, facts: Facts, context: Context) -> Sequence[tuple[str, LineInput]]:
    """The difference of a counted line, as a move from or to the company's scrap location."""
    scrap = facts[Master].defaults.get((context.company.id, "scrap"))
    return rules.difference(document, line, facts.get(StockNow) or StockNow(), scrap)


@hookimpl
@asked("inventory.count", "sale", "receipt", "return")
def check_document(document: Document, transition: str, facts: Facts, context: Context) -> Sequence[Problem]:
    """What is not there for a sale, lots and serial numbers that are missing, counts that are out of date."""
    stock = facts.get(StockNow) or StockNow()
    if document.role == "sale":
        return rules.check_sale(document, facts.get(StockFacts), facts[Master].locations) if not transition else ()
    if document.role in ("receipt", "return"):
        ours = {key: lying for key, lying in stock.places.items() if key[1] in facts[Master].locations and facts[Master].locations[key[1]].owner is None}
        return rules.check_incoming(document, transition, StockNow(ours), context.company.currency)
    if document.kind == "inventory.count":
        return rules.check_count(document, transition, stock, facts[Master].defaults.get((context.company.id, "scrap")))
    return ()


@hookimpl
@asked("inventory.receipt")
def decide_price(document: Document, line: Line, facts: Facts, context: Context) -> Price | None:
    """Goods that come in without a price of their own come at standard cost."""
    if line.item is None:
        return None
    return Price(amount=product(line.item.cost, line.factor), rule="standard cost", reason=f"standard cost of {line.item.number}")


@hookimpl
@asked("inventory.receipt")
def decide_tax(document: Document, line: Line, facts: Facts, context: Context) -> Sequence[Tax] | None:
    """A receipt bears no tax: the bill does."""
    return ()
