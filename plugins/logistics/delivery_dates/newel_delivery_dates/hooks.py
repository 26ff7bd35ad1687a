"""Delivery dates on one screen: when each line of a sale can be with the customer, and why not earlier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from newel.domain.context import Context
from newel.domain.document import Document
from newel.domain.facts import Facts
from newel.domain.kinds import Kinds
from newel.domain.master import Master
from newel.errors import Problem, Severity
from newel.hookspecs import asked, hookimpl
from newel.manifest import Manifest, Panel
from newel.store.session import Session

from newel_delivery_dates import rules
from newel_delivery_dates.facts import load
from newel_delivery_dates.rules import DatesFacts, DeliveryDatesSettings
from newel_delivery_dates.tables import RECORDS, TABLES

PLUGIN = "delivery_dates"


@hookimpl
def register_plugin() -> Manifest:
    """Calendars, routes and lead times; an operation that promises the days."""
    return Manifest(
        name=PLUGIN, label="Delivery dates", locale="newel_delivery_dates:locale", piccolo_app="newel_delivery_dates.piccolo_app", tables=TABLES,
        records=RECORDS, settings=DeliveryDatesSettings, routes="newel_delivery_dates.routes:handlers", demo_data="newel_delivery_dates:demo.toml",
    )  # fmt: skip


@hookimpl
@asked("sale")
async def load_facts(document: Document, transition: str, facts: Facts, session: Session, context: Context) -> Any:
    """Calendars, routes and lead times, and what is free and on its way of the goods of a sale; for a transition only where it may be refused."""
    if transition and not context.setting(PLUGIN, DeliveryDatesSettings).strict:
        return None
    return await load(document, facts, session, context)


@hookimpl
@asked(facts=DatesFacts)
def check_document(document: Document, transition: str, facts: Facts, context: Context) -> Sequence[Problem]:
    """A day that is asked for and can't be kept: pointed out on saving, and where the settings are strict refused when the order becomes open."""
    found = facts[DatesFacts]
    step = facts[Kinds].documents[document.kind].transition(transition) if transition else None
    opens = step is not None and document.phase != "open" and facts[Kinds].documents[document.kind].state(step.target).phase == "open"
    if (transition and not opens) or not any(rules.asked(document, x) for x in rules.going(document)):
        return ()
    dated = rules.promises(document, found, facts[Master], context)
    return rules.check(document, dated, Severity.OVERRIDE if transition else Severity.NOTE, guest=context.user.party is not None)


@hookimpl
@asked(facts=DatesFacts)
def propose_panels(document: Document, facts: Facts, context: Context) -> Sequence[Panel]:
    """With each line its day and the steps to it; beside the document the day of all of it, and a button that promises the days."""
    found = facts[DatesFacts]
    return rules.panels(document, rules.promises(document, found, facts[Master], context), may_promise=context.user.may(f"{document.kind}.schedule"))
