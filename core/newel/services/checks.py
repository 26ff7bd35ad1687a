"""The kernel's own checks: what no plugin may leave out. Pure; every function returns problems."""

from __future__ import annotations

from collections import Counter

from newel.domain.context import Context
from newel.domain.document import Document
from newel.domain.kinds import DocumentKind, Transition
from newel.domain.master import Master
from newel.errors import Problem
from newel.services.registry import Registry

POSTING = frozenset({"post", "move", "reverse"})


def on_save(kind: DocumentKind, document: Document, before: Document | None, registry: Registry, context: Context) -> list[Problem]:
    """What must hold of a document whenever it is kept."""
    problems = []
    once = {k.name for k in registry.line_kinds.values() if k.once}
    seen = Counter((line.kind, line.item.id) for line in document.lines if line.kind in once and line.item is not None)
    for i, line in enumerate(document.lines):
        if line.item is not None and seen.get((line.kind, line.item.id), 0) > 1:
            problems.append(
                Problem(
                    code="line.twice", message=f"{line.item.number} stands more than once; a {line.kind} may stand only once in a document",
                    where=f"lines[{i}].item", hint="put the amounts together in one line",
                )
            )  # fmt: skip
    if before is not None:
        keep = {line.id for line in document.lines}
        for line in before.lines:
            went = next((s for s in line.stages.values() if s.planned), None)
            if line.id not in keep and went is not None:
                problems.append(
                    Problem(code="line.linked", message=f"line {line.position} has gone on into another document", where="lines", hint="keep the line")
                )
        for i, line in enumerate(document.lines):
            most = max((s.planned for s in line.stages.values()), default=line.quantity)
            if line.stages and most > line.quantity:
                problems.append(
                    Problem(
                        code="link.exceeded", message=f"{most} of this line has gone on already, got {line.quantity}", where=f"lines[{i}].quantity",
                        hint="enter at least what has gone on",
                    )
                )  # fmt: skip
    return problems


def on_transition(
    kind: DocumentKind, document: Document, transition: Transition, master: Master, context: Context, registry: Registry
) -> list[Problem]:
    """What must hold before a document goes on."""
    problems = []
    forward = kind.state(transition.target).phase not in ("draft", "cancelled")
    if forward and kind.party_role and document.party is None:
        problems.append(Problem(code="party.missing", message=f"a {kind.label} needs a {kind.party_role}", where="party", hint="choose one"))
    if forward and kind.role != "request" and not document.lines:
        problems.append(Problem(code="lines.missing", message=f"a {kind.label} needs at least one line", where="lines", hint="add a line"))
    for hold in document.holds:
        if hold.active and (not hold.transitions or transition.name in hold.transitions) and forward:
            problems.append(
                Problem(
                    code="hold", message=f"on hold: {hold.reason}", hint=f"somebody with the right {kind.name}.release can release it", plugin=hold.plugin
                )
            )
    if document.party is not None and forward and kind.role == "sale" and transition.target != document.state:
        if document.party.blocked in ("orders", "all") and kind.state(transition.target).phase == "open":
            problems.append(
                Problem(code="party.blocked", message=f"{document.party.name} is blocked for new orders", where="party", hint="unblock the party first")
            )
    if forward and kind.priced and set(transition.effects) and kind.posting is None:
        for i, line in enumerate(document.lines):
            if not line.steps and not line.net and line.price_entered is None and not line.price and registry.line_kinds[line.kind].priced:
                if line.item is not None and line.item.price is None and line.item.price_home is None and line.copied_from is None:
                    problems.append(
                        Problem(code="price.missing", message=f"{line.text} has no price", where=f"lines[{i}].price", hint="enter a price")
                    )
    if POSTING & set(transition.effects):
        problems += period_open(document, master)
    return problems


def period_open(document: Document, master: Master) -> list[Problem]:
    """The document's date must lie in an open period."""
    period = master.period(document.company, document.date)
    if period is None:
        return [
            Problem(
                code="period.missing", message=f"no accounting period covers {document.date}", where="date",
                hint="add one under Finance, Periods, or change the date",
            )
        ]  # fmt: skip
    if not period.open:
        return [
            Problem(code="period.closed", message=f"the period {period.code} is closed", where="date", hint="date it in an open period")
        ]
    return []

