"""Glance on one screen: stock and promise of each line, the margin, the customer's last orders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from newel.domain.context import Context
from newel.domain.document import Document
from newel.domain.facts import Facts
from newel.hookspecs import asked, hookimpl
from newel.manifest import Manifest, Panel
from newel.store.session import Session

from newel_glance import rules
from newel_glance.facts import load

MARGIN = "glance.margin"


@hookimpl
def register_plugin() -> Manifest:
    """A right, and nothing that is stored."""
    return Manifest(name="glance", label="Glance", permissions=((MARGIN, "see what a sale earns"),), locale="newel_glance:locale")


@hookimpl
async def load_facts(document: Document, session: Session, context: Context) -> Any:
    """Stock, what is on its way, and the customer's last orders; only for sales that are being entered, and only to be looked at."""
    return await load(session, document, context) if not session.writable and rules.entered(document) else None


@hookimpl
@asked(facts=rules.Seen)
def propose_panels(document: Document, facts: Facts, context: Context) -> Sequence[Panel]:
    """A row below each line, the customer, and the margin for those who may see it."""
    if context.user.party is not None:
        return ()
    found = facts[rules.Seen]
    panels = [*rules.stock(document, found, context.today), *rules.customer(found, context.user.may)]
    if context.user.may(MARGIN):
        panels += rules.margin(document, context.company)
    return panels
