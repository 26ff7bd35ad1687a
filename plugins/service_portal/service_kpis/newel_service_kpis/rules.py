"""How repair points and teams are rated: figures from their requests, and points by a model of the company's own. Pure functions.

Times are wall-clock times: whoever waits does not know our hours. What was promised in business time is the matter of service levels.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
from newel.domain.money import HUNDRED, ZERO, rounded
from newel.errors import Problem

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MEASURES = {
    "response_hours": "Hours to the first answer", "first_time_fix": "Percent solved the first time", "turnaround_days": "Days to the solution",
    "cost": "Cost of one request", "satisfaction": "Grade given by requesters",
}  # fmt: skip
LONGEST = 2000


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the model: the figure earns all points at `best`, none at `worst`, and its share in between; weight against the other measures."""

    measure: str
    weight: int
    best: Decimal
    worst: Decimal


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one request.

    Args:
        asked, answered, solved: instants; solved is the last time that it was, None while it is open.
        reopened: how often it was opened again. visits: how often somebody was there for it.
        cost: what its documents cost by the ledger, in the company's currency; income is negative.
        grade: 1 to 5, best, as the requester gave it.
    """

    id: int
    team: str
    asked: datetime
    answered: datetime | None = None
    solved: datetime | None = None
    reopened: int = 0
    visits: int = 0
    cost: Decimal = ZERO
    grade: int | None = None


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of a team. figures: by measure, those of which something is known; score: 0 to 100, None where nothing is."""

    team: str
    requests: int
    solved: int
    figures: dict[str, Decimal]
    score: Decimal | None = None


def figures(cases: Sequence[Case]) -> dict[str, Decimal]:
    """The figures of some requests, with one digit (cost with two); without those of which nothing is known yet."""
    done = [c for c in cases if c.solved]
    answers = [_spans(c.answered - c.asked, HOUR) for c in cases if c.answered]
    days = [_spans(c.solved - c.asked, DAY) for c in done if c.solved]
    fixed = [HUNDRED if not c.reopened and c.visits < 2 else ZERO for c in done]
    grades = [Decimal(c.grade) for c in cases if c.grade is not None]
    found = {"response_hours": answers, "first_time_fix": fixed, "turnaround_days": days, "cost": [c.cost for c in done], "satisfaction": grades}
    return {name: rounded(sum(values, ZERO) / len(values), 2 if name == "cost" else 1) for name, values in found.items() if values}


def _spans(length: timedelta, unit: timedelta) -> Decimal:
    return Decimal(length // timedelta(seconds=1)) / Decimal(unit // timedelta(seconds=1))


def points(measure: Measure, figure: Decimal) -> Decimal:
    """0 to 100 for one figure; the best may be the smaller one (days) or the greater one (grades)."""
    share = (figure - measure.worst) / (measure.best - measure.worst)
    return min(max(share, ZERO), Decimal(1)) * HUNDRED


def scored(model: Sequence[Measure], found: Mapping[str, Decimal]) -> Decimal | None:
    """The weighted mean of the points, with one digit; measures of which nothing is known count for nothing."""
    known = [(m, found[m.measure]) for m in model if m.measure in found]
    weight = sum(m.weight for m, _ in known)
    return rounded(sum((m.weight * points(m, figure) for m, figure in known), ZERO) / weight, 1) if weight else None


def rated(cases: Iterable[Case], model: Sequence[Measure]) -> list[Score]:
    """A score for each team, the best first."""
    by_team: dict[str, list[Case]] = {}
    for case in cases:
        by_team.setdefault(case.team, []).append(case)
    out = []
    for team, own in by_team.items():
        found = figures(own)
        solved = sum(c.solved is not None for c in own)
        out.append(Score(team=team, requests=len(own), solved=solved, figures=found, score=scored(model, found)))
    return sorted(out, key=lambda s: (s.score is None, -(s.score or ZERO), s.team))


def check_measure(values: Mapping[str, Any]) -> Iterator[Problem]:
    """Best and worst differ, and the weight weighs."""
    best, worst = Decimal(values.get("best") or 0), Decimal(values.get("worst") or 0)
    if best == worst:
        yield Problem(code="service_kpis.range", message="best and worst are the same", where="worst", hint="say where nothing is earned any more")
    if not 1 <= (values.get("weight") or 0) <= 1000:
        yield Problem(code="service_kpis.weight", message=f"a weight from 1 to 1000 was expected, got {values.get('weight')}", where="weight")


class Owner(msgspec.Struct, frozen=True):
    """Whose the requests are that grades are given for, and in which phase they are, by id."""

    documents: dict[int, tuple[int, str]] = {}


def check_grade(values: Mapping[str, Any], owner: Owner) -> Iterator[Problem]:
    """A grade is for a request that is solved, and by its own partner."""
    party, phase = owner.documents.get(values.get("document") or 0, (0, ""))
    if not phase:
        yield Problem(code="service_kpis.of", message=f"there is no request {values.get('document')}", where="document", hint="name an existing one")
    elif phase != "done":
        yield Problem(code="service_kpis.open", message="it is not solved yet", where="document", hint="give the grade when it is")
    elif party != values.get("party"):
        yield Problem(code="service_kpis.party", message="a grade is given by the partner of the request", where="party", hint="name the same one")
    if values.get("grade") not in range(1, 6):
        yield Problem(code="service_kpis.grade", message=f"a grade from 1 to 5 was expected, got {values.get('grade')}", where="grade", hint="5 is best")
    if len(values.get("remark") or "") > LONGEST:
        yield Problem(code="service_kpis.remark", message=f"at most {LONGEST} characters", where="remark", hint="write it shorter")
