"""From one document to the next: which of its lines are open, and what the new document says (flows)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from newel.domain.document import Document, DocumentInput, Line, LineInput, Link, LinkInput, ScheduleInput
from newel.domain.kinds import DocumentKind, Flow
from newel.errors import Problem, missing
from newel.services.engine import Engine


def may_follow(document: Document, first: Document, flow: Flow) -> list[Problem]:
    """What stands in the way of following a flow from this document together with the first one."""
    if document.phase not in flow.phases or document.kind != first.kind:
        return [
            Problem(
                code="flow.phase", message=f"{document.number or document.kind} is {document.state} and can't be {flow.link}",
                hint=f"it must be {' or '.join(flow.phases)}",
            )
        ]  # fmt: skip
    held = next((h for h in document.holds if h.active and (not h.transitions or flow.name in h.transitions)), None)
    if held is not None:
        return [Problem(code="hold", message=f"{document.number} is on hold: {held.reason}", hint="release it first")]
    same = (document.party, document.currency, document.prices_include_tax) == (first.party, first.currency, first.prices_include_tax)
    if not same:
        return [Problem(code="flow.mixed", message="documents of one party and currency go together", hint="make one for each")]
    return []


async def before(engine: Engine, first: Document, target: DocumentKind, flow: Flow) -> Document | None:
    """The document behind the source that the new one takes after, where the source is for the other side.

    What a vendor sends to a customer is a delivery of that customer's order.
    """
    if not flow.passes_on or _same_side(engine, first, target):
        return None
    behind = await engine.load_sources(sorted({s.from_document for line in first.lines for s in line.sources}), steps=False)
    return next((d for d in behind.values() if _same_side(engine, d, target)), None)


def open_lines(
    engine: Engine, documents: Sequence[Document], before: Document | None, flow: Flow, wanted: Sequence[LinkInput] | None
) -> tuple[list[LineInput], list[tuple[Link, ...]]]:
    """Lines of the new document with the links to what they continue: all that is open, or what was asked for.

    Args:
        before: the document that the new one takes after, where that is not the source.
    """
    known_before = {line.id: line for line in before.lines} if before else {}
    known = {line.id for d in documents for line in d.lines}
    if wanted is not None and (unknown := [w.line for w in wanted if w.line not in known]):
        raise missing("line", unknown[0], "lines")
    asked: dict[int, list[LinkInput]] = {}
    for one in wanted or ():  # several for one line where somebody names several lots
        asked.setdefault(one.line, []).append(one)
    planned = engine.registry.documents[flow.target_kind].role in ("sale", "purchase")
    lines: list[LineInput] = []
    sources: list[tuple[Link, ...]] = []
    for document in documents:
        parents = {line.parent for line in document.lines}
        for line in document.lines:
            if not engine.registry.takes(flow, line) or (line.id in parents and not flow.copies_prices):
                continue
            like = next((known_before[s.from_line] for s in line.sources if s.from_line in known_before), line)
            wants: Sequence[LinkInput | None] = asked.get(line.id, ()) if wanted is not None else (None,) if flow.open(line) > 0 else ()
            for want in wants:
                quantity = want.quantity if want and want.quantity is not None else flow.open(line)
                lines.append(
                    LineInput(
                        kind=flow.line_kind or like.kind, item=line.item.id if line.item else None, text=like.text, quantity=quantity, unit=line.unit,
                        tax_category=like.tax_category, account_role=like.account_role, data=like.data,
                        lot=want.lot if want and want.lot else line.lot, location_from=want.location_from if want else None,
                        schedules=_scheduled(line) if planned and quantity == line.quantity else (),
                    )
                )  # fmt: skip
                link = Link(kind=flow.link, from_line=line.id, from_document=document.id, quantity=quantity, schedule=want.schedule if want else None)
                sources.append((link,))
    return lines, sources


def _scheduled(line: Line) -> tuple[ScheduleInput, ...]:
    """A whole line keeps its scheduled deliveries where goods are still to come: when an offer becomes an order."""
    return tuple(
        ScheduleInput(quantity=s.quantity, date_requested=s.date_requested, date_confirmed=s.date_confirmed, release_code=s.release_code)
        for s in line.schedules
    )


def _same_side(engine: Engine, document: Document, target: DocumentKind) -> bool:
    kind = engine.registry.documents.get(document.kind)
    return kind is None or not kind.party_role or not target.party_role or kind.party_role == target.party_role


async def passed_on(
    engine: Engine, documents: dict[int, Document], sources: Sequence[tuple[Link, ...]], flow: Flow, target: DocumentKind
) -> list[tuple[Link, ...]]:
    """Links also from the lines before that are for the same side as the target: an invoice of a delivery counts on the order, and takes its price there."""
    lines = {line.id: line for d in documents.values() for line in d.lines}
    behind = await engine.load_sources(sorted({s.from_document for d in documents.values() for line in d.lines for s in line.sources}), steps=False)
    same = {id for id, d in behind.items() if _same_side(engine, d, target)}
    out = []
    for links in sources:
        found = []
        for link in links:
            there = {s.from_line: s.from_document for s in lines[link.from_line].sources if s.from_document in same and s.kind not in flow.passes_on}
            found += [msgspec.structs.replace(link, kind=name, from_line=x, from_document=d) for x, d in there.items() for name in flow.passes_on]
            found.append(link)
        out.append(tuple(found))
    return out


def continued(engine: Engine, first: Document, target: DocumentKind, header: DocumentInput, lines: Sequence[LineInput]) -> DocumentInput:
    """The header of the new document: what was entered for it, else what the source says; for the other side only where goods go, and when."""
    own = target.name.split(".")[0]
    data = {p: v for p, v in first.data.items() if p in engine.registry.document_data and first.kind.split(".")[0] == own}
    header = msgspec.structs.replace(
        header,
        ship_to=header.ship_to or (first.ship_to.id if first.ship_to else None),
        reference=header.reference or first.reference,
        date_requested=header.date_requested or first.date_requested,
        lines=tuple(lines),
        data={**data, **header.data},
    )
    if not _same_side(engine, first, target):
        return header
    return msgspec.structs.replace(
        header,
        party=header.party if header.party is not None else first.party.id if first.party else None,
        bill_to=header.bill_to or (first.bill_to.id if first.bill_to else None),
        currency=header.currency or first.currency,
        rate=header.rate if header.rate is not None else (first.rate if (header.date or engine.context.today) == first.date else None),  # else the day's rate
        terms=header.terms or first.terms,
        text=header.text or first.text,
        prices_include_tax=first.prices_include_tax,
        location_from=header.location_from or first.location_from,
        location_to=header.location_to or first.location_to,
    )


def with_parents(engine: Engine, document: Document) -> tuple[Line, ...]:
    """Parts stay parts: a line that continues a part of another one belongs to the line that continues that other one."""
    parents = {line.id: line.parent for d in engine.sources for line in d.lines}
    made = {s.from_line: line.id for line in document.lines for s in line.sources}
    if not any(parents.get(id) for id in made):
        return document.lines
    return tuple(
        msgspec.structs.replace(line, parent=next((made.get(parents[s.from_line] or 0) for s in line.sources if parents.get(s.from_line)), None))
        for line in document.lines
    )


async def links(engine: Engine, wanted: Sequence[tuple[int, str, Decimal] | None]) -> list[tuple[Link, ...]]:
    """The links of a draft's lines to the lines that they continue."""
    ids = sorted({w[0] for w in wanted if w})
    rows = await engine.session.fetch("SELECT id, document FROM document_line WHERE id = ANY(?)", ids) if ids else []
    owner = {r["id"]: r["document"] for r in rows}
    return [(Link(kind=w[1], from_line=w[0], from_document=owner[w[0]], quantity=w[2]),) if w else () for w in wanted]
