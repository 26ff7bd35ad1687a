"""The kernel's own checks: what no plugin may leave out. Pure; every function returns problems."""

from __future__ import annotations

from collections import Counter

from newel.domain.document import Document
from newel.domain.kinds import DocumentKind, Transition
from newel.domain.master import Master
from newel.errors import Problem
from newel.services.registry import Registry

POSTING = frozenset({"post", "move", "reverse"})


def on_save(document: Document, before: Document | None, registry: Registry) -> list[Problem]:
    """What must hold of a document whenever it is kept."""
    once = {k.name for k in registry.line_kinds.values() if k.once}
    seen = Counter((line.kind, line.item.id) for line in document.lines if line.kind in once and line.item is not None)
    problems = [
        Problem(
            code="line.twice", message=f"{line.item.number} stands more than once; a {line.kind} may stand only once in a document",
            where=f"lines[{i}].item", hint="put the amounts together in one line",
        )
        for i, line in enumerate(document.lines)
        if line.item is not None and seen.get((line.kind, line.item.id), 0) > 1
    ]  # fmt: skip
    return problems + (_gone_on(document, before) if before is not None else [])


def _gone_on(document: Document, before: Document) -> list[Problem]:
    """What has gone on into another document stays, and stays as much."""
    keep = {line.id for line in document.lines}
    problems = [
        Problem(code="line.linked", message=f"line {line.position} has gone on into another document", where="lines", hint="keep the line")
        for line in before.lines
        if line.id not in keep and any(s.planned for s in line.stages.values())
    ]
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


def on_transition(kind: DocumentKind, document: Document, transition: Transition, master: Master, registry: Registry) -> list[Problem]:
    """What must hold before a document goes on."""
    problems = period_open(document, master) if POSTING & set(transition.effects) else []
    phase = kind.state(transition.target).phase
    if phase in ("draft", "cancelled"):
        return problems
    if kind.party_role and document.party is None:
        problems.append(Problem(code="party.missing", message=f"a {kind.label} needs a {kind.party_role}", where="party", hint="choose one"))
    if kind.role != "request" and not document.lines:
        problems.append(Problem(code="lines.missing", message=f"a {kind.label} needs at least one line", where="lines", hint="add a line"))
    if document.party is not None and not transition.automatic and _stopped(kind, document, phase, document.party.blocked):
        what = "new orders" if document.party.blocked == "orders" else "everything"
        problems.append(Problem(code="party.blocked", message=f"{document.party.name} is blocked for {what}", where="party", hint="unblock the party first"))
    return problems + _held(kind, document, transition) + (_unpriced(document, registry) if kind.priced and transition.effects else [])


def _stopped(kind: DocumentKind, document: Document, phase: str, blocked: str) -> bool:
    """Whether a block of the party stops this: sales that become open; where everything is blocked, deliveries and invoices as well."""
    if kind.role == "sale":
        return blocked in ("orders", "all") and phase == "open"
    goes_out = kind.role in ("delivery", "invoice") and kind.sign > 0
    return blocked == "all" and goes_out and kind.state(document.state).phase in ("draft", "offered")


def _held(kind: DocumentKind, document: Document, transition: Transition) -> list[Problem]:
    return [
        Problem(code="hold", message=f"on hold: {h.reason}", hint=f"somebody with the right {kind.name}.release can release it", plugin=h.plugin)
        for h in document.holds
        if h.active and (not h.transitions or transition.name in h.transitions)
    ]


def _unpriced(document: Document, registry: Registry) -> list[Problem]:
    """Lines of items for which there is no price anywhere; a price of nothing is one, and so are the prices of a line's parts."""
    parents = {line.parent for line in document.lines}
    return [
        Problem(code="price.missing", message=f"{line.text} has no price", where=f"lines[{i}].price", hint="enter a price")
        for i, line in enumerate(document.lines)
        if line.item is not None
        and not (line.price or line.net or line.steps or line.key or line.copied_from or line.id in parents)
        and line.price_entered is line.item.price is line.item.price_home is None
        and registry.line_kinds[line.kind].priced
    ]


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
        return [Problem(code="period.closed", message=f"the period {period.code} is closed", where="date", hint="date it in an open period")]
    return []
