"""Dual control on one screen: who does something delicate is not who lets it pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from newel.domain.context import Context
from newel.domain.document import Document, Hold
from newel.domain.facts import Facts
from newel.domain.kinds import Kinds
from newel.errors import Problem
from newel.hookspecs import hookimpl
from newel.manifest import Manifest, Panel
from newel.store.session import Session

from newel_dual_control import rules
from newel_dual_control.decide import APPROVE
from newel_dual_control.facts import prices
from newel_dual_control.rules import NAME, DualControlSettings, PriceData, Prices
from newel_dual_control.tables import RECORDS, TABLES


@hookimpl
def register_plugin() -> Manifest:
    """Proposed changes, and the right to approve those of others."""
    return Manifest(
        name=NAME, label="Dual control", locale="newel_dual_control:locale", piccolo_app="newel_dual_control.piccolo_app", tables=TABLES, records=RECORDS,
        settings=DualControlSettings, line_data=PriceData, routes="newel_dual_control.routes:handlers",
        permissions=((APPROVE, "approve what others have proposed"),),
    )  # fmt: skip


@hookimpl
async def load_facts(document: Document, session: Session) -> Any:
    """Who entered prices by hand, and what they were before; only for those who look, and where there are some."""
    return None if session.writable or not any(x.price_entered is not None for x in document.lines) else await prices(session, document)


@hookimpl
def propose_panels(document: Document, facts: Facts, context: Context) -> Sequence[Panel]:
    """Prices entered by hand, with their reasons."""
    return rules.panels(document, facts.get(Prices) or Prices(), context.setting(NAME, DualControlSettings), context)


@hookimpl
def check_document(document: Document, transition: str, facts: Facts, context: Context) -> Sequence[Problem]:
    """Prices and discounts entered by hand wait for somebody else."""
    settings = context.setting(NAME, DualControlSettings)
    return [*rules.check_prices(document, transition, facts[Kinds], settings), *rules.check_reasons(document, transition, facts[Kinds], settings)]


@hookimpl
def check_release(document: Document, hold: Hold, people: Sequence[str], context: Context) -> Sequence[Problem]:
    """Who has worked on the document releases neither its credit nor its prices."""
    return rules.check_release(document, hold, people, context.setting(NAME, DualControlSettings), context)


@hookimpl
def check_record(kind: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, context: Context) -> Sequence[Problem]:
    """Delicate records change by proposals."""
    return rules.check_record(kind, before, after, context.setting(NAME, DualControlSettings), context)
