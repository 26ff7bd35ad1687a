"""The fault file on one screen: what failed and why is kept when it comes back, counted, and mended for good."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from newel.domain.context import Context
from newel.domain.document import Document, Draft
from newel.domain.facts import Facts
from newel.domain.kinds import Kinds
from newel.errors import Problem
from newel.hookspecs import asked, hookimpl
from newel.manifest import Manifest, MenuItem, Panel
from newel.store.session import Session

from newel_faults import rules
from newel_faults.facts import REPORTS, load
from newel_faults.rules import FaultData, FaultFacts
from newel_faults.tables import RECORDS, TABLES


@hookimpl
def register_plugin() -> Manifest:
    """Causes, faults and measures, and what lines of requests and returns say of a fault."""
    chart = MenuItem(label="Pareto chart of faults", path="/faults/chart", section="Service", permission="faults.frequency.view")
    return Manifest(
        name="faults", label="Fault file", locale="newel_faults:locale",
        piccolo_app="newel_faults.piccolo_app", tables=TABLES, records=RECORDS, reports=REPORTS,
        demo_data="newel_faults:demo.toml", line_data=FaultData,
        routes="newel_faults.routes:handlers", templates="newel_faults:templates", menu=(chart,),
    )  # fmt: skip


@hookimpl
async def load_facts(document: Document, session: Session, context: Context) -> Any:
    """The causes that a line may name."""
    return await load(session, document)


@hookimpl
@asked(facts=FaultFacts)
def check_document(document: Document, transition: str, facts: Facts, context: Context) -> Sequence[Problem]:
    """Causes that nobody knows."""
    return list(rules.check(document, facts[FaultFacts])) if not transition else ()


@hookimpl
@asked(facts=FaultFacts)
def propose_documents(document: Document, transition: str, facts: Facts, context: Context) -> Sequence[Draft]:
    """What failed goes into the file when it comes back."""
    return rules.drafts(document, facts[Kinds].becomes(document.kind, document.state, transition), facts[FaultFacts])


@hookimpl
@asked(facts=FaultFacts)
def propose_panels(document: Document, facts: Facts, context: Context) -> Sequence[Panel]:
    """What is wrong with each piece."""
    return list(rules.panels(document))
