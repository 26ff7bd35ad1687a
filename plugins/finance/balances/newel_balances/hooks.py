"""Agreed balances on one screen: the books are held against what a bank, an auditor or a count has said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from newel.domain.context import Context
from newel.domain.document import Document
from newel.domain.facts import Facts
from newel.domain.ledger import Entry
from newel.errors import Problem
from newel.hookspecs import hookimpl
from newel.manifest import Manifest
from newel.store.session import Session

from newel_balances import rules
from newel_balances.facts import JOBS, REPORTS, load
from newel_balances.rules import Agreed
from newel_balances.tables import RECORDS, TABLES


@hookimpl
def register_plugin() -> Manifest:
    """Balances that the books must have, a report of those that they have not, and a look at them every night."""
    return Manifest(
        name="balances", label="Agreed balances", locale="newel_balances:locale", piccolo_app="newel_balances.piccolo_app", tables=TABLES,
        records=RECORDS, reports=REPORTS, jobs=JOBS,
    )  # fmt: skip


@hookimpl
async def load_facts(document: Document, session: Session, context: Context) -> Any:
    """Up to when each account was agreed on, from the cache."""
    return await load(session, context)


@hookimpl
def check_entry(entry: Entry, facts: Facts, context: Context) -> Sequence[Problem]:
    """An entry that would make an agreed balance wrong needs somebody who may override."""
    agreed = facts.get(Agreed)
    return rules.check(entry, agreed) if agreed else ()
