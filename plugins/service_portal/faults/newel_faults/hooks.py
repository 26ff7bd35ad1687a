"""The fault file on one screen: what failed and why is kept when it comes back, counted, and mended for good."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from newel.domain.context import Context
from newel.domain.document import Document, Draft
from newel.domain.facts import Facts
from newel.domain.kinds import Kinds
from newel.errors import Problem
from newel.hookspecs import hookimpl
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
def check_document(document: Document, transition: str, facts: Facts, context: Context) -> Sequence[Problem]:
    """Causes that nobody knows."""
    found = facts.get(FaultFacts)
    return list(rules.check(document, found)) if found is not None and not transition else ()


@hookimpl
def propose_documents(document: Document, transition: str, facts: Facts, context: Context) -> Sequence[Draft]:
    """What failed goes into the file when it comes back."""
    found = facts.get(FaultFacts)
    return rules.drafts(document, facts[Kinds].becomes(document.kind, document.state, transition), found) if found is not None else ()


@hookimpl
def propose_panels(document: Document, facts: Facts, context: Context) -> Sequence[Panel]:
    """What is wrong with each piece."""
    return list(rules.panels(document)) if facts.get(FaultFacts) is not None else ()
