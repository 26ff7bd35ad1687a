"""What rework decides: pure functions over frozen values."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import msgspec
from newel.domain.context import Company
from newel.domain.document import Document, Draft, Line
from newel.domain.kinds import Kinds
from newel.domain.master import Master
from newel.domain.money import ZERO
from newel.errors import Problem, Severity
from newel.manifest import Panel, Shown

ORDER, RETURN, INVOICE = "rework.order", "returns.authorisation", "invoicing.invoice"
WORKED, COSTS = "worked", "newel.costs"


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What the work on a return came to, net and in the company's currency.

    Args:
        material: as it left stock. labour: standard cost of the hours. charge: price for the customer, after warranty.
    """

    material: Decimal = ZERO
    labour: Decimal = ZERO
    charge: Decimal = ZERO

    @property
    def result(self) -> Decimal:
        """What is left of the charge when the work is paid for."""
        return self.charge - self.material - self.labour


class ReworkFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the work on a return has cost so far; None where nothing was done."""

    cost: Cost | None = None


def source(document: Document, line: Line, master: Master) -> int | None:
    """Where material comes from: the depot or van that line or header names, else the warehouse."""
    return line.location_from or document.location_from or master.defaults.get((document.company, "storage"))


def target(document: Document, master: Master) -> int | None:
    """Where material goes: into the work."""
    return master.defaults.get((document.company, "rework"))


def check(document: Document, transition: str) -> Iterator[Problem]:
    """Everything that is wrong with work on a return."""
    returns = {s.from_document for line in document.lines for s in line.sources}
    if transition == "finish" and len(returns) != 1:
        message = f"work was expected to be for one return, got {len(returns)}"
        yield Problem(code="rework.return", message=message, where="lines", hint="make it from the return; its first line says what is to be done")
    if transition == "waive" and document.net:
        message = f"{document.net} {document.currency} is to be charged"
        yield Problem(code="rework.charge", message=message, hint="invoice it, or go on if you may", severity=Severity.OVERRIDE)
    if transition == "reverse" and any(stage.planned for line in document.lines for stage in line.stages.values()):
        yield Problem(code="rework.gone_on", message="it is being charged already", hint="cancel the invoice first, or make a credit note")


def drafts(document: Document, transition: str, kinds: Kinds) -> list[Draft]:
    """What has a price after warranty is charged when it is finished (RMA-04)."""
    charged = document.kind == ORDER and transition == "finish" and document.net > 0 and INVOICE in kinds.documents
    return [Draft(follow="charge")] if charged else []


def panels(facts: ReworkFacts, company: Company, costs: bool = True) -> list[Panel]:
    """What the work on a return came to; without costs only what is charged for it."""
    if facts.cost is None:
        return []
    sums = {"Material": facts.cost.material, "Labour": facts.cost.labour} if costs else {}
    sums["To be charged"] = facts.cost.charge
    rows = tuple((label, Shown(value=amount, digits=company.amount_digits, unit=company.currency)) for label, amount in sums.items())
    return [Panel(title="Work on this return", rows=rows, sequence=21)]
