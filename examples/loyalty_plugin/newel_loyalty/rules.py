"""What loyalty decides: pure functions over frozen values. No database, no clock, no file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec
from newel.domain.context import Context
from newel.domain.document import Document, Draft
from newel.domain.kinds import Kinds
from newel.domain.pricing import Adjustment
from newel.errors import Problem
from newel.manifest import Panel

OPENED, UNDONE = "open", "cancelled"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of a company. points: for one unit of the company's currency, on the net amount of an invoice."""

    points: Decimal = Decimal(1)


class Tier(msgspec.Struct, frozen=True, kw_only=True):
    """A tier. percent: off every sale, from so many points on."""

    code: str
    name: str
    points_min: int
    percent: Decimal


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How a customer stands. here: points that this very document has given so far; tiers: the best first."""

    points: int = 0
    here: int = 0
    tiers: tuple[Tier, ...] = ()

    @property
    def tier(self) -> Tier | None:
        """The best tier that the points are enough for."""
        return next((t for t in self.tiers if self.points >= t.points_min), None)


def adjustments(stage: str, standing: Standing) -> list[Adjustment]:
    """The discount of the customer's tier on the whole sale."""
    tier = standing.tier
    if stage != "document" or tier is None or not tier.percent:
        return []
    return [Adjustment(rule=tier.code, percent=-tier.percent, reason=f"{tier.percent.normalize():f} % for {tier.name}")]


def earned(document: Document, transition: str, standing: Standing, kinds: Kinds, context: Context) -> list[Draft]:
    """Points for an invoice that is posted; an invoice that is undone takes back what it gave. Rounded down: half a point is no point."""
    if document.party is None:
        return []
    before, after = kinds.becomes(document.kind, document.state, transition)
    count, reason = 0, "invoice posted"
    if after == OPENED and before != OPENED:
        count = int(document.net * document.rate * context.setting("loyalty", Settings).points)
    elif after == UNDONE:
        count, reason = -standing.here, "invoice undone"
    if not count:
        return []
    values = {"party": document.party.id, "document": document.id, "date": context.today, "points": count, "reason": reason}
    return [Draft(record="loyalty.points", values=values)]


def panels(standing: Standing) -> Sequence[Panel]:
    """Points, tier, and how far it is to the next one."""
    tier = standing.tier
    above = [t for t in standing.tiers if t.points_min > standing.points]
    rows = [("Points", str(standing.points)), ("Tier", tier.name if tier else "")]
    rows += [("Next tier", above[-1].name), ("Points missing", str(above[-1].points_min - standing.points))] if above else []
    return [Panel(title="Loyalty", rows=tuple(r for r in rows if r[1]))]


def check_tier(values: Mapping[str, Any]) -> list[Problem]:
    """A percentage is between 0 and 100, and points are not below 0."""
    out = []
    if not 0 <= values["percent"] <= 100:
        message = f"a percentage between 0 and 100 was expected, got {values['percent']}"
        out.append(Problem(code="loyalty.percent", message=message, where="percent", hint="enter 10 for ten percent off", plugin="loyalty"))
    if values["points_min"] < 0:
        message = f"0 points or more were expected, got {values['points_min']}"
        out.append(Problem(code="loyalty.points", message=message, where="points_min", hint="enter 0 for everybody", plugin="loyalty"))
    return out
