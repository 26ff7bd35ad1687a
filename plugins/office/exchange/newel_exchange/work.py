"""Imports at work, through the very use cases that people's forms go through: what would happen, and making it happen. Carried out twice it changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from newel.domain.context import Context
from newel.domain.document import DocumentInput
from newel.errors import Problem, Refused, missing
from newel.services.app import Newel
from newel.web.views_text import _

from newel_exchange import keep, rules
from newel_exchange.keep import Kept
from newel_exchange.rules import Choice, Row, Seen, Target

ROUNDS = 10  # of looking again without the rows that are wrong: later checks are made where earlier ones found nothing
STEP = 20  # documents between two notes of progress


def targets(newel: Newel, kind: str, context: Context) -> list[Target]:
    """What columns may be; Refused 404 where there is no such kind."""
    if kind in newel.registry.documents:
        return rules.document_targets()
    taken = [f for f in newel.records.fields(kind, context) if not f.readonly and not f.secret and f.type != "json"]
    needed = {f.name for f in taken if f.required and f.stored in (None, "")}
    return [Target(f.name, _(f.label), f.type, f.choices, f.name in needed and f.name == newel.records.shape(kind).key) for f in taken]


async def run(newel: Newel, payload: dict[str, Any], _system: Context) -> None:
    """The job: with the rights of whoever sent the file, as they are now."""
    user = await newel.users.load(payload["user"])
    if user is None:
        raise missing("user", payload["user"])
    async with newel.database.read() as session:
        context = await newel.context(session, user, payload["company"], source="exchange")
        kept = await keep.one(session, context, payload["id"])
    if kept.state in ("checking", "waiting", "running"):
        await carry_out(newel, kept, context, dry=kept.state == "checking")


async def carry_out(newel: Newel, kept: Kept, context: Context, *, dry: bool) -> list[Seen]:
    """Look at all rows, and bring them in unless dry; returns what became of each."""
    if not dry:
        await _note(newel, kept, state="running")
    rows = rules.rows_of(kept.sheet.head, kept.sheet.rows, kept.choice, targets(newel, kept.kind, context))
    try:
        await (_documents if kept.kind in newel.registry.documents else _records)(newel, kept, rows, context, dry)
    except Refused as refused:
        for row in rows[:1]:
            for problem in refused.problems:
                rules.refuse(row, problem, kept.choice, "")
    seen = [r.seen for r in rows]
    for found in seen:
        found.what = "refused" if found.problems else found.what
    await _note(newel, kept, state="checked" if dry else "done", result=seen, done=len(seen))
    return seen


async def _note(newel: Newel, kept: Kept, **what: Any) -> None:
    async with newel.database.write() as session:
        await keep.became(session, kept.id, **what)


# ---- records ---------------------------------------------------------------------------------------------------------------------------


async def _records(newel: Newel, kept: Kept, rows: list[Row], context: Context, dry: bool) -> None:
    """All in one transaction. Rows that are wrong are left out and the others looked at again, until nothing is wrong."""
    for _round in range(ROUNDS):
        good = [r for r in rows if not r.seen.problems]
        if not good:
            return
        stays = dry or (kept.choice.whole and len(good) < len(rows))
        found = await newel.records.import_rows(kept.kind, [r.values for r in good], context, match=kept.choice.match, dry=stays)
        for row, what in zip(good, found.rows, strict=False):
            row.seen.what = what
        if not found.problems:
            return
        for problem in found.problems:
            place = rules.PLACE.match(problem.where)
            if place:
                rules.refuse(good[int(place[1])], problem, kept.choice, place[2] or "")
    for row in rows:
        if not row.seen.problems:
            problem = Problem(code="exchange.later", message="too many others are wrong: this row has not been looked at", hint="mend the others first")
            rules.refuse(row, problem, kept.choice, "")


# ---- documents -------------------------------------------------------------------------------------------------------------------------


async def _documents(newel: Newel, kept: Kept, rows: list[Row], context: Context, dry: bool) -> None:
    """Each looked at; then one by one, or all in one transaction."""
    groups = rules.grouped(rows, kept.choice)
    there = await _there(newel, kept.kind, [g[0].values.get(rules.KEY, "") for g in groups], context)
    todo: list[tuple[list[Row], DocumentInput]] = []
    for number, group in enumerate(groups, 1):
        entered = await _looked(newel, kept, group, there, context)
        if entered is not None:
            todo.append((group, entered))
            if not dry and not kept.choice.whole:
                await _made(newel, kept, group, entered, context)
        if number % STEP == 0:
            await _note(newel, kept, done=sum(len(g) for g in groups[:number]))
    if dry or not kept.choice.whole or any(r.seen.problems for r in rows):
        return
    try:
        async with newel.database.write() as session:
            for group, entered in todo:
                await _made(newel, kept, group, entered, context, session)
                if any(r.seen.problems for r in group):
                    raise _Back
    except _Back:
        return


class _Back(Exception):
    """Takes a transaction back."""


async def _there(newel: Newel, kind: str, references: Sequence[str], context: Context) -> dict[tuple[Any, str], str]:
    """Documents of the kind that have these references already: number by party and reference."""
    async with newel.database.read() as session:
        sql = "SELECT party, reference, number FROM document WHERE company = ? AND kind = ? AND reference = ANY(?) AND phase <> 'cancelled'"
        found = await session.fetch(sql, context.company.id, kind, sorted(set(references)))
    return {(r["party"], r["reference"]): r["number"] or "·" for r in found}


async def _looked(newel: Newel, kept: Kept, group: list[Row], there: dict[tuple[Any, str], str], context: Context) -> DocumentInput | None:
    """What is to be made, or None where it is there already or something is wrong."""
    problems: list[Problem] = []
    if not any(r.seen.problems for r in group):
        try:
            entered = rules.entered(group)
            outcome = await newel.documents.preview(kept.kind, entered, context)
            problems = [p for p in outcome.problems if p.severity in ("block", "override")]
        except msgspec.ValidationError as error:
            problems = [Problem(code="exchange.value", message=str(error), hint="mend the row")]
        except Refused as refused:
            problems = list(refused.problems)
    if problems or any(r.seen.problems for r in group):
        _left(group, problems, kept.choice)
        return None
    document = outcome.document
    number = there.get((document.party.id if document.party else None, document.reference), "")
    _done(group, "unchanged" if number else "created", number)
    return None if number else entered


async def _made(newel: Newel, kept: Kept, group: list[Row], entered: DocumentInput, context: Context, session: Any = None) -> None:
    try:
        outcome = await newel.documents.create(kept.kind, entered, context, key=f"exchange-{kept.id}-{group[0].seen.row}", session=session)
        _done(group, "created", outcome.document.number)
    except Refused as refused:
        _left(group, refused.problems, kept.choice)


def _done(group: list[Row], what: str, number: str) -> None:
    for row in group:
        row.seen.what, row.seen.document = what, number


def _left(group: list[Row], problems: Sequence[Problem], choice: Choice) -> None:
    """Note what is wrong with the row that it is in; the other rows of the document stay out with it."""
    filled = [r for r in group if any(name.startswith("line.") and value for name, value in r.values.items())]
    for problem in problems:
        place = rules.PLACE.match(problem.where)
        row = filled[int(place[1])] if place and int(place[1]) < len(filled) else group[0]
        rules.refuse(row, problem, choice, f"line.{place[2]}" if place else problem.where)
    for row in group:
        if not row.seen.problems:
            together = Problem(code="exchange.together", message="another row of the same document is wrong", hint="mend that one; keep them together")
            rules.refuse(row, together, choice, "")
