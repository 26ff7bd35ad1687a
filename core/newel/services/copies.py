"""Lines that continue others: how much of them is open, and which amounts they take over."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from newel.domain.document import Document, Line, Link, Stage
from newel.domain.kinds import DocumentKind
from newel.domain.money import ZERO, plain, portion
from newel.errors import Problem
from newel.services.rules import Copy
from newel.store.columns import QUANTITY, unscaled
from newel.store.documents import money, read_steps

if TYPE_CHECKING:
    from newel.services.planning import Planner


async def copied(planner: Planner, kind: DocumentKind, document: Document) -> tuple[dict[int, Copy], list[Problem]]:
    """Amounts of lines that continue others, and whether they take more than is open."""
    sources = {s.from_line for line in document.lines for s in line.sources}
    if not sources:
        return {}, []
    ids = sorted({s.from_document for line in document.lines for s in line.sources})
    documents = await planner.load_sources(ids, kind.priced)
    lines = {line.id: (line, d) for d in documents.values() for line in d.lines if line.id in sources}
    own = [line.id for line in document.lines]
    asked = {s.kind for line in document.lines for s in line.sources} | planner.registry.diverting
    begun = any(stage.planned for line, _ in lines.values() for link, stage in line.stages.items() if link in asked)
    taken = await _taken(planner, lines, own) if begun else {}
    problems: list[Problem] = []
    copies: dict[int, Copy] = {}
    for i, line in enumerate(document.lines):
        here: dict[tuple[int, str], tuple[Decimal, Decimal]] = {}
        for s in line.sources:
            if s.from_line not in lines:
                continue
            source, owner = lines[s.from_line]
            had, amount = taken.get((s.from_line, s.kind), (ZERO, ZERO))
            planner.linked_quantity[(line.id, s.from_line)] = min(line.quantity, max(source.quantity - had, ZERO))
            left = source.quantity - had - _diverted(planner, owner, line, s, taken)
            if line.quantity > left and s.kind not in planner.registry.unbounded:
                problems.append(
                    Problem(
                        code="link.exceeded", where=f"lines[{i}].quantity", hint="take at most what is open",
                        message=f"{plain(max(left, ZERO))} of {source.text or 'the line'} in {owner.number} is open to be {s.kind}, got {line.quantity}",
                    )
                )  # fmt: skip
            if s.from_line == line.copied_from and has_prices(planner.registry.documents.get(owner.kind)):
                whole = source.net + (source.tax if owner.prices_include_tax else ZERO)
                copy = copies[line.id] = Copy(line=source, amount=whole, taken=amount, left=had + line.quantity == source.quantity)
                amount += portion(whole, line.quantity, source.quantity, amount, copy.left, document.amount_digits, planner.context.company.rounding)
            here[(s.from_line, s.kind)] = (had + line.quantity, amount)
        taken |= here  # what a line has had is no longer there for the next one of the same source
    return copies, problems


async def _taken(planner: Planner, lines: dict[int, tuple[Line, Document]], own: list[int]) -> dict[tuple[int, str], tuple[Decimal, Decimal]]:
    """What other lines have had of these, by (line, kind of link): quantity and amount."""
    taken: dict[tuple[int, str], tuple[Decimal, Decimal]] = {}
    for r in await planner.session.fetch(
        "SELECT k.from_line, k.kind, SUM(k.quantity) AS quantity, SUM(l.net) AS net, SUM(l.tax) AS tax FROM line_link k "
        "JOIN document_line l ON l.id = k.to_line WHERE k.from_line = ANY(?) AND k.quantity > 0 AND NOT k.to_line = ANY(?) "
        "GROUP BY k.from_line, k.kind",
        sorted(lines), own,
    ):  # fmt: skip
        found = lines.get(r["from_line"])
        amount = money(int(r["net"])) + (money(int(r["tax"])) if found and found[1].prices_include_tax else ZERO)
        taken[(r["from_line"], r["kind"])] = (unscaled(int(r["quantity"]), QUANTITY), amount)
    return taken


def _diverted(planner: Planner, owner: Document, line: Line, link: Link, taken: dict[tuple[int, str], tuple[Decimal, Decimal]]) -> Decimal:
    """How much of what is open to a link goes another way, but for what this very line brings back from there."""
    kind = planner.registry.documents.get(owner.kind)
    own = {s.kind for s in line.sources if s.from_line == link.from_line}
    out = ZERO
    for flow in planner.registry.flows_from(kind) if kind else ():
        if flow.link == link.kind:
            for more, again in flow.less:
                out += taken.get((link.from_line, more), (ZERO, ZERO))[0] - taken.get((link.from_line, again), (ZERO, ZERO))[0]
                out -= line.quantity if again in own else ZERO
            break
    return out


def gone_on(known: Mapping[int, Document], document: Document, quantities: Mapping[tuple[int, int], Decimal], planned: int, done: int) -> dict[int, Document]:
    """What the known documents are when so much of their lines has gone on into this one.

    Args:
        quantities: by (line, line that it comes from), where it is less than the line's own. planned, done: 1 more, -1 less.
    """
    lines = {x.id: x for d in known.values() for x in d.lines}
    changed: dict[int, dict[int, Line]] = {}
    for line in document.lines:
        for s in line.sources:
            if s.from_document in known:
                quantity = quantities.get((line.id, s.from_line), s.quantity if line.id == s.to_line else line.quantity)
                of_document = changed.setdefault(s.from_document, {})
                source = of_document.get(s.from_line, lines[s.from_line])
                stage = source.stages.get(s.kind, Stage())
                stages = source.stages | {s.kind: Stage(stage.planned + quantity * planned, stage.done + quantity * done)}
                of_document[s.from_line] = msgspec.structs.replace(source, stages=stages)
    return {id: msgspec.structs.replace(known[id], lines=tuple(found.get(x.id, x) for x in known[id].lines)) for id, found in changed.items()}


def has_prices(kind: DocumentKind | None) -> bool:
    """Whether there is something to copy: a delivery made by hand has no prices, and its invoice is priced by the rules."""
    return kind is None or kind.priced


async def told_apart(planner: Planner, kind: DocumentKind, document: Document) -> Document:
    """The document, with its steps where a line amounts to nothing: only they tell a price of nothing from none."""
    if not kind.priced or not any(line.item and not (line.net or line.price or line.steps) for line in document.lines):
        return document
    found = await read_steps(planner.session, [document.id])
    lines = tuple(msgspec.structs.replace(line, steps=found.get(line.id, line.steps)) for line in document.lines)
    return msgspec.structs.replace(document, lines=lines)
