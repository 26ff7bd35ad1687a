"""What became of requests: their history, what was made of them and what that cost by the ledger. A few questions for any number of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import msgspec
from newel.domain.context import Context
from newel.domain.document import Document
from newel.domain.money import ZERO
from newel.manifest import Column, Parameter, Report
from newel.store.columns import QUANTITY, unscaled
from newel.store.documents import money
from newel.store.session import Session
from newel_requests.facts import History, data_of, histories
from newel_requests.rules import KIND, STATES

from newel_service_kpis.rules import MEASURES, Case, Measure, Owner, rated

HOPS = 4  # request, order, delivery, invoice, credit note
YEAR = timedelta(days=365)
REQUESTS = (
    "SELECT id, number, state, data, date FROM document WHERE kind = ? AND company = ? AND phase IN ('open', 'done') AND date BETWEEN ? AND ? ORDER BY id"
)
WORKED = (  # how often somebody went there for it
    "SELECT reference, COUNT(*) AS n FROM document WHERE company = ? AND kind = 'visits.visit' AND phase = 'done' AND reference = ANY(?) GROUP BY reference"
)
GRADES = "SELECT document, grade FROM service_kpis_grade WHERE document = ANY(?) ORDER BY id"
NEXT = (
    "SELECT DISTINCT k.from_document AS source, k.to_document AS target, d.number FROM line_link k JOIN document d ON d.id = k.to_document "
    "WHERE k.from_document = ANY(?) ORDER BY 1, 2"
)
TEAMS = "SELECT t.code, t.name, t.party, p.name AS called FROM requests_team t LEFT JOIN party p ON p.id = t.party"
COSTS = (
    "SELECT e.document, SUM(p.debit - p.credit) AS cost FROM posting p JOIN journal_entry e ON e.id = p.entry JOIN account a ON a.id = p.account "
    "WHERE e.document = ANY(?) AND a.kind IN ('expense', 'income') GROUP BY e.document"
)


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A request with what was done about it: the numbers of the documents that came of it."""

    case: Case
    number: str
    state: str
    made: tuple[str, ...] = ()


class Graded(msgspec.Struct, frozen=True):
    """The grade that a request has, None for none yet."""

    grade: int | None = None


async def load(document: Document, session: Session) -> Graded | None:
    """The grade of a request that is solved."""
    if document.phase != "done":
        return None
    return Graded(await session.value("SELECT grade FROM service_kpis_grade WHERE document = ? ORDER BY id DESC LIMIT 1", document.id))


async def load_owner(session: Session, rows: Sequence[Mapping[str, Any]], context: Context) -> Owner:
    """Whose the requests are that grades are given for, of those that the user may see."""
    ids = sorted({r["document"] for r in rows if r.get("document")})
    own, args = ("1 = 1", []) if context.user.party is None else ("party = ?", [context.user.party])
    sql = f"SELECT id, party, phase FROM document WHERE id = ANY(?) AND kind = ? AND company = ? AND {own}"
    found = await session.fetch(sql, ids, KIND, context.company.id, *args) if ids else []
    return Owner({r["id"]: (r["party"], r["phase"]) for r in found})


async def model(session: Session) -> tuple[Measure, ...]:
    """The measures of the model; read again only when one has changed."""
    return await session.cached("service_kpis", _model)


async def _model(session: Session) -> tuple[Measure, ...]:
    rows = await session.fetch("SELECT * FROM service_kpis_measure ORDER BY measure")
    return tuple(Measure(measure=r["measure"], weight=r["weight"], best=unscaled(r["best"], QUANTITY), worst=unscaled(r["worst"], QUANTITY)) for r in rows)


async def seen(session: Session, context: Context, since: date | None, until: date | None) -> list[Seen]:
    """The requests of a time that were sent in. since, until: days, both included; the last year unless given."""
    until = until or context.today
    rows = await session.fetch(REQUESTS, KIND, context.company.id, since or until - YEAR, until)
    ids = [r["id"] for r in rows]
    if not ids:
        return []
    told = await histories(session, ids)
    grades = {r["document"]: r["grade"] for r in await session.fetch(GRADES, ids)}
    visits = {r["reference"]: r["n"] for r in await session.fetch(WORKED, context.company.id, [r["number"] for r in rows])}
    costs, made = await _costs(session, ids)
    out = []
    for r in rows:
        if r["id"] in told:
            more = {"team": data_of(r["data"]).team, "cost": costs.get(r["id"], ZERO), "visits": visits.get(r["number"], 0), "grade": grades.get(r["id"])}
            case = _case(told[r["id"]], id=r["id"], **more)
            out.append(Seen(case=case, number=r["number"], state=r["state"], made=tuple(made.get(r["id"], ()))))
    return out


def _case(told: History, **more: Any) -> Case:
    solved = [at for at, state in told.states if state == "resolved"]
    ended = told.states[-1][1] in ("resolved", "closed")
    return Case(asked=told.states[0][0], answered=told.answered, solved=solved[-1] if solved and ended else None, reopened=max(len(solved) - ended, 0), **more)


async def _costs(session: Session, ids: Sequence[int]) -> tuple[dict[int, Decimal], dict[int, list[str]]]:
    """What each request cost by the ledger, through all that was made of it; and the numbers of what was made of it at once."""
    roots: dict[int, set[int]] = {id: {id} for id in ids}  # document -> requests that it came of
    made: dict[int, list[str]] = {}
    new = set(ids)
    for hop in range(HOPS):
        links = await session.fetch(NEXT, sorted(new)) if new else []
        new = set()
        for link in links:
            if hop == 0:
                made.setdefault(link["source"], []).append(link["number"] or "draft")
            before = roots.setdefault(link["target"], set())
            if more := roots[link["source"]] - before:
                before |= more
                new.add(link["target"])
    found = await session.fetch(COSTS, sorted(roots))
    costs: dict[int, Decimal] = {}
    for r in found:
        for root in roots[r["document"]]:
            costs[root] = costs.get(root, ZERO) + money(r["cost"])
    return costs, made


# ---- reports ---------------------------------------------------------------------------------------------------------------------------


async def _scores(session: Session, parameters: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """Teams and repair points, the best first (SRV-13)."""
    cases = [s.case for s in await seen(session, context, parameters["since"], parameters["until"])]
    teams = {r["code"]: r for r in await session.fetch(TEAMS)}
    out = []
    for score in rated(cases, await model(session)):
        team = teams.get(score.team)
        row = {
            "team": team["name"] if team else score.team or "-",
            "party": team["party"] if team else None,
            "called": team["called"] if team else None,
            "score": score.score,
        }
        out.append({**row, "requests": score.requests, "solved": score.solved, **{m: score.figures.get(m) for m in MEASURES}})
    return out


async def _monitor(session: Session, parameters: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """Each request: how soon it was answered and solved, and what was done about it, the latest first."""
    out = []
    for s in await seen(session, context, parameters["since"], parameters["until"]):
        c = s.case
        hours = (c.answered - c.asked) // timedelta(hours=1) if c.answered else None
        days = (c.solved - c.asked).days if c.solved else None
        row = {
            "document": c.id,
            "number": s.number,
            "team": c.team,
            "state": STATES[s.state][0],
            "hours": hours,
            "days": days,
            "reopened": c.reopened,
            "visits": c.visits,
        }
        out.append({**row, "made": ", ".join(s.made), "cost": c.cost or None, "grade": c.grade})
    return out[::-1]


SPAN = (Parameter(name="since", label="From", type="date"), Parameter(name="until", label="To", type="date"))
REPORTS = (
    Report(
        name="service_kpis.scores", label="Repair points and teams", load=_scores, menu="Service", parameters=SPAN,
        help="Rated by the measures of service; the best first. Times are wall-clock times, costs what the ledger says.",
        columns=(
            Column(name="score", label="Score"), Column(name="team", label="Team"),
            Column(name="party", label="Repair point", type="newel.party", text="called"),
            Column(name="requests", label="Requests"), Column(name="solved", label="Solved"), Column(name="response_hours", label="Hours to answer"),
            Column(name="first_time_fix", label="First time, %", type="percent"), Column(name="turnaround_days", label="Days to solve"),
            Column(name="cost", label="Cost of one", type="amount"), Column(name="satisfaction", label="Grade"),
        ),
    ),
    Report(
        name="service_kpis.monitor", label="Answers and measures", load=_monitor, menu="Service", parameters=SPAN,
        help="How soon each request was answered and solved, and what was done about it.",
        columns=(
            Column(name="document", label="Request", type="document", text="number"), Column(name="team", label="Team"), Column(name="state", label="State"),
            Column(name="hours", label="Hours to answer"), Column(name="days", label="Days to solve"), Column(name="reopened", label="Opened again"),
            Column(name="visits", label="Visits"), Column(name="made", label="Made of it"), Column(name="cost", label="Cost", type="amount", total=True),
            Column(name="grade", label="Grade"),
        ),
    ),
)  # fmt: skip
