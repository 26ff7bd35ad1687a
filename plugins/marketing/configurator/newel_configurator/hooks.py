"""The configurator on one screen: the choices of a line are checked, priced step by step, and become the lines of its parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from newel.domain.context import Context
from newel.domain.document import Document, Draft, Line, LineInput
from newel.domain.facts import Facts
from newel.domain.kinds import DocumentKind, Kinds, State, Transition
from newel.domain.parts import handed_on
from newel.domain.pricing import Adjustment, Price
from newel.errors import Problem
from newel.hookspecs import asked, hookimpl
from newel.manifest import Manifest, Panel
from newel.store.session import Session

from newel_configurator import checks, rules
from newel_configurator.facts import load
from newel_configurator.rules import SELLING, ConfigData, ConfigFacts
from newel_configurator.tables import RECORDS, TABLES

DRAFT = DocumentKind(
    name="configurator.draft", label="Configuration", label_plural="Configurations", role="request", series="CD", menu="Sales",
    fields=("party", "date", "currency", "reference", "text"),
    help="Choose and price before anybody orders. What is kept has a number, which is entered on the line of an order.",
    states=(State(name="draft", label="Draft", phase="draft", editable=True), State(name="kept", label="Kept", phase="done")),
    transitions=(Transition(name="keep", label="Keep", sources=("draft",), target="kept", primary=True),),
)  # fmt: skip


@hookimpl
def register_plugin() -> Manifest:
    """What may be configured, and configurations that are made before an order."""
    return Manifest(
        name="configurator", label="Configurator", locale="newel_configurator:locale", precedes=("pricelists",), piccolo_app="newel_configurator.piccolo_app",
        tables=TABLES, records=RECORDS, documents=(DRAFT,), line_data=ConfigData, demo_data="newel_configurator:demo.toml",
    )  # fmt: skip


@hookimpl
@asked(*SELLING)
async def load_facts(document: Document, session: Session, context: Context) -> Any:
    """What was chosen, for documents in which something is configured."""
    return await load(session, document, context)


@hookimpl
@asked(facts=ConfigFacts)
def propose_lines(document: Document, line: Line, facts: Facts, context: Context) -> Sequence[tuple[str, LineInput]]:
    """The parts of a configured line."""
    return rules.parts(document, line, facts[ConfigFacts])


@hookimpl
@asked(facts=ConfigFacts)
def decide_price(document: Document, line: Line, facts: Facts, context: Context) -> Price | None:
    """Nothing for a part whose price is in its line."""
    return rules.price(line)


@hookimpl
@asked(facts=ConfigFacts)
def propose_adjustments(document: Document, stage: str, facts: Facts, context: Context) -> Sequence[Adjustment]:
    """A step for each option; then the price as shares of the parts."""
    found = facts[ConfigFacts]
    if stage == "line":
        return rules.surcharges(document, found, context.company)
    return handed_on(document, rules.bearing(document, found), "configurator", "configured")


@hookimpl
@asked(facts=ConfigFacts)
def check_document(document: Document, transition: str, facts: Facts, context: Context) -> Sequence[Problem]:
    """What can't be chosen together, and why."""
    return checks.check(document, facts[ConfigFacts]) if not transition else ()


@hookimpl
@asked("request", "sale", facts=ConfigFacts)
def propose_documents(document: Document, transition: str, facts: Facts, context: Context) -> Sequence[Draft]:
    """A record of each configuration that is offered, ordered or kept for the first time."""
    before, after = facts[Kinds].becomes(document.kind, document.state, transition)
    if before not in ("draft", "offered") or after in ("", "draft", "cancelled"):
        return ()
    kept = sorted(checks.keep(document, facts[ConfigFacts]).items())
    return [Draft(record="configurator.configuration", values={"number": n, "item": item, "content": text}) for n, (item, text) in kept]


@hookimpl
@asked(facts=ConfigFacts)
def propose_panels(document: Document, facts: Facts, context: Context) -> Sequence[Panel]:
    """What can be chosen for each line, and the number of what was."""
    return rules.panels(facts[ConfigFacts], document, context.company)
