"""Price lists on one screen: the price of a line of a sale, where a list that the customer has says one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from newel.domain.context import Context
from newel.domain.document import Document, Line
from newel.domain.facts import Facts
from newel.domain.pricing import Price
from newel.hookspecs import asked, hookimpl
from newel.manifest import Manifest, Panel
from newel.store.session import Session

from newel_pricelists.facts import REPORTS, load
from newel_pricelists.rules import PriceFacts, answer, panels
from newel_pricelists.tables import RECORDS, TABLES

# A vendor may be a customer too: what we buy is never priced by what we sell.
SELLING = ("request", "sale", "invoice")


@hookimpl
def register_plugin() -> Manifest:
    """Lists, their lines, and who has them."""
    return Manifest(
        name="pricelists",
        label="Price lists",
        locale="newel_pricelists:locale",
        piccolo_app="newel_pricelists.piccolo_app",
        demo_data="newel_pricelists:demo.toml",
        tables=TABLES,
        records=RECORDS,
        reports=REPORTS,
    )


@hookimpl
@asked(*SELLING)
async def load_facts(document: Document, session: Session, context: Context) -> Any:
    """The lists of the customer, and their lines for the items of the document."""
    if document.party is None:
        return None
    items = {line.item.id: line.item for line in document.lines if line.item is not None}
    return await load(session, document.party, items.values(), context.company.id, document.date)


@hookimpl
@asked(facts=PriceFacts)
def decide_price(document: Document, line: Line, facts: Facts, context: Context) -> Price | None:
    """The most specific line of the customer's lists; no answer where none fits."""
    if line.item is None:
        return None
    return answer(facts[PriceFacts], line.item, line.quantity_base, line.factor, document.currency, document.rate, document.date, context.company)


@hookimpl
@asked(facts=PriceFacts)
def propose_panels(document: Document, facts: Facts, context: Context) -> Sequence[Panel]:
    """The customer's lists, in the head; with each price the next quantity that has a better one."""
    return panels(document, facts[PriceFacts], context.company)
