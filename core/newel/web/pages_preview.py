"""The live preview of a form: prices, taxes, totals, problems, and what the next step would move and post. Nothing is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from litestar import Response, post
from litestar.params import FromPath

from newel.domain.context import Context
from newel.domain.document import Document, DocumentInput
from newel.domain.kinds import DocumentKind, Transition
from newel.domain.master import Master
from newel.errors import Problem, Refused, Severity
from newel.manifest import Panel
from newel.services import pages as service
from newel.services.access import require
from newel.services.outcome import Outcome
from newel.store.master import load_master
from newel.web.auth import context_of, newel_of
from newel.web.forms import Reader
from newel.web.render import Web, fragment, shown
from newel.web.views_document import credit, panels, price_step, totals
from newel.web.views_entry import QUICK, Posted, read, with_found
from newel.web.views_form import address_line, line_shown, net_of, next_step, open_items, price_text, summary, tried
from newel.web.views_lines import boxes, row_of_line
from newel.web.views_text import _, day, entry, number, plain, said

if TYPE_CHECKING:
    from newel.services.app import Newel

Panels = list[tuple[str, Panel]]


@post("/documents/{name:str}/preview", status_code=200)
async def preview(request: Web, name: FromPath[str]) -> Response[str]:
    """What the form would give: prices, taxes, totals, problems, and what the next step would move and post."""
    newel, context = newel_of(request), await context_of(request)
    kind = newel.registry.kind(name)
    require(context, f"{name}.edit")
    id = Reader(request.query_params).reference("id")
    before = await newel.documents.get(id, context) if isinstance(id, int) else None
    fields = {k: v for k, v in (await request.form()).items() if isinstance(v, str)}
    posted = await with_found(newel, context, read(newel, kind, fields, before))
    outcome, problems = await tried(newel, kind, posted.input, before, context)
    every = [*posted.problems, *problems]
    if outcome and (row := request.query_params.get("why", "")) in posted.rows:
        return await _why(request, posted.rows.index(row), posted, outcome, every, context)
    after = next_step(kind, before.state if before else kind.initial.name, context)
    side: dict[str, Any] = {}
    found = await _panels(newel, outcome, context)
    if outcome and (outcome.document.lines or outcome.document.text) and after and not any(p.severity is Severity.BLOCK for p in every):
        side, more = await _side(newel, kind, posted.input, before, after, context, outcome, found)
        every += more
    posted.tops = list(row_of_line(outcome.document).values()) if outcome else []
    async with newel.database.read() as session:
        master = await load_master(session)
    below = _boxes(newel, posted, outcome, every, found)
    view = _preview_view(posted, outcome, kind, below, fields, master, context)
    view |= {"problems": shown(every, posted.field), "side": side,
             "open_items": await open_items(newel, kind, posted.input, outcome.document if outcome else None, fields, context)}  # fmt: skip
    return fragment(request, "document_preview.html", preview=view)


async def _side(
    newel: Newel,
    kind: DocumentKind,
    entered: DocumentInput,
    before: Document | None,
    after: Transition,
    context: Context,
    outcome: Outcome,
    found: Panels,
) -> tuple[dict[str, Any], list[Problem]]:
    """Credit, panels of plugins, and the entries that the next step would make."""
    more: list[Problem] = []
    side: dict[str, Any] = {}
    async with newel.database.read() as session:
        master = await load_master(session)
        side["panels"] = [p for p in panels(found) if p["facts"] or p["text"]]
        side["credit"] = credit(await service.credit_of(newel, session, outcome.document, context), context)
    if outcome.document.lines and set(after.effects) & {"post", "move", "credit", "reserve"}:
        try:
            then = await newel.documents.preview(kind.name, entered, context, id=before.id if before else None, transition=after.name)
        except Refused as refused:
            return side, list(refused.problems)
        had = set(outcome.problems)
        more = [msgspec.structs.replace(p, message=f"{_(after.label)}: {said(p).message}") for p in then.problems if p not in had]
        side["then"] = _follows(newel, after, then, master)
        rows = [service.row(p.account, p.debit, p.credit, master) for e in then.entries for p in e.postings] if context.user.party is None else []
        if rows:
            shown_rows = [{"account": r.account, "name": r.name, "debit": r.debit or None, "credit": r.credit or None} for r in rows]
            label = _("What “%(step)s” would post", step=_(after.label))
            side["entries"] = {"label": label, "digits": context.company.amount_digits, "rows": shown_rows}
    return side, more


def _follows(newel: Newel, after: Transition, then: Outcome, master: Master) -> dict[str, Any] | None:
    """What the next step would move and make, for people."""
    items = {line.id: line for line in then.document.lines}

    def place(id_: int) -> str:
        return master.locations[id_].code if id_ in master.locations else str(id_)

    moves = [{"quantity": m.quantity, "item": found.item.number if (found := items.get(m.line)) and found.item else "",
              "unit": found.item.unit if found and found.item else "", "source": place(m.source), "target": place(m.target)} for m in then.moves]  # fmt: skip
    drafts = [f"{_(newel.registry.kind(d.kind).label)} ({len(d.input.lines)})" for d in then.drafts]
    return {"label": _("What “%(step)s” would do", step=_(after.label)), "moves": moves, "drafts": drafts} if moves or drafts else None


async def _why(request: Web, at: int, posted: Posted, outcome: Outcome, problems: Sequence[Problem], context: Context) -> Response[str]:
    """Where price, tax and delivery of the n-th line come from."""
    newel, document = newel_of(request), outcome.document
    top = [x for x in document.lines if x.parent is None]
    line = top[at] if at < len(top) else None
    boxes_ = (await line_boxes(newel, posted, outcome, problems, context)).get(posted.rows[at], [])
    wrong = shown([p for p in problems if posted.field(p.where).startswith(f"{posted.rows[at]}-")], posted.field)
    digits = max([document.amount_digits, *(-int(plain(s.amount_out).as_tuple().exponent) for s in line.steps)]) if line else 2
    view = {
        "line": line, "document": document, "digits": min(digits, 6), "boxes": boxes_, "problems": wrong,
        "steps": [price_step(s) for s in line.steps if s.stage != "tax"] if line else [],
        "taxes": [{"label": f"{t.code} {entry(t.rate)} %", "reason": t.reason} for t in line.taxes] if line else [],
        "dates": [{"label": _("Requested"), "value": line.schedules[0].date_requested if line.schedules else document.date_requested, "kind": "date"},
                  {"label": _("Confirmed"), "value": line.schedules[0].date_confirmed if line.schedules else None, "kind": "date"}] if line else [],
    }  # fmt: skip
    return fragment(request, "document_why.html", why=view)


async def line_boxes(newel: Newel, posted: Posted, outcome: Outcome | None, problems: Sequence[Problem], context: Context) -> dict[str, list[dict[str, Any]]]:
    """What plugins show and let people choose below each row, with what is wrong there; by the row's name."""
    return _boxes(newel, posted, outcome, problems, await _panels(newel, outcome, context))


async def _panels(newel: Newel, outcome: Outcome | None, context: Context) -> Panels:
    if outcome is None or not (outcome.document.lines or outcome.document.text):
        return []
    async with newel.database.read() as session:
        return await service.panels(newel, session, outcome.document, context)


def _boxes(newel: Newel, posted: Posted, outcome: Outcome | None, problems: Sequence[Problem], found: Panels) -> dict[str, list[dict[str, Any]]]:
    if outcome is None or not outcome.document.lines:
        return {}
    made = boxes(newel, found, outcome.document, posted.rows)
    wrong: dict[str, list[Problem]] = {}
    for p in problems:
        wrong.setdefault(posted.field(p.where), []).append(p)
    for row, some in made.items():
        some[0]["problems"] = shown(wrong.get(f"{row}-more", []))
    return made


def _preview_view(
    posted: Posted,
    outcome: Outcome | None,
    kind: DocumentKind,
    below: dict[str, list[dict[str, Any]]],
    fields: dict[str, str],
    master: Master,
    context: Context,
) -> dict[str, Any]:
    document = outcome.document if outcome else None
    rows: list[dict[str, Any]] = []
    top = [x for x in document.lines if x.parent is None] if document else []
    for name, entered, line in zip(posted.rows, posted.input.lines, top, strict=False):
        if not name.startswith("lines-") or document is None:
            continue
        steps = [s for s in line.steps if s.stage in ("line", "document")]
        row: dict[str, Any] = {"index": name.removeprefix("lines-"), "outputs": {}, "placeholders": {}, "resolved": {},
                               "note": " · ".join(s.reason or s.rule for s in steps), "boxes": below.get(name, [])}  # fmt: skip
        if kind.priced:
            row["outputs"]["net"] = number(net_of(document, line), document.amount_digits) if line_shown(line) else ""
            row["placeholders"]["price"] = price_text(line.price) if entered.price is None and line.steps else ""
        row["placeholders"]["unit"] = line.unit
        row["placeholders"]["text"] = line.item.name if line.item else ""
        if line.item:
            typed = QUICK.fullmatch(fields.get(f"{name}-item_text", "").strip())
            enters = {f"{name}-{n}": entry(getattr(entered, n)) for n in ("quantity", "discount") if typed and typed[n]}
            row["resolved"]["item"] = {"value": line.item.id, "text": line.item.number, "enters": enters}
        if (said := fields.get(f"{name}-quantity", "").strip()) and (line.factor != 1 or not said.replace(".", "").replace(",", "").isdigit()):
            means = f"= {number(plain(line.quantity))} {line.unit}"
            if line.item and line.factor != 1:
                means += f" = {number(plain(line.quantity_base))} {line.item.unit}"
            row["note"] = " · ".join(filter(None, (means, row["note"])))
        rows.append(row)
    placeholders, resolved = {}, {}
    if document:
        placeholders = {"rate": entry(document.rate)}
        if document.party:
            resolved["party"] = {"value": document.party.id, "text": f"{document.party.number} {document.party.name}"}
    return {
        "rows": rows, "totals": totals(document, kind) if document else [], "digits": document.amount_digits if document else 2,
        "currency": document.currency if document else "", "summary": summary(document),
        "header": {"placeholders": placeholders, "resolved": resolved, "defaults": _defaults(document, posted.input, master, context) if document else {}},
    }  # fmt: skip


def _defaults(document: Document, entered: DocumentInput, master: Master, context: Context) -> dict[str, dict[str, str]]:
    """What the header takes where nothing is entered, as far as it comes from the party: raw value and text."""
    party = document.party
    terms = party.terms if party else ""
    due = master.terms[document.terms].due(document.date) if document.terms in master.terms else None
    currency = (party.currency if party else "") or context.company.currency
    named = f"{terms} {master.terms[terms].name}" if terms in master.terms else terms
    out = {"terms": {"value": terms, "text": named}, "currency": {"value": currency, "text": currency},
           "date_due": {"value": due.isoformat() if due else "", "text": day(due)}}  # fmt: skip
    for name, found in (("ship_to", document.ship_to), ("bill_to", document.bill_to)):
        usual = found if getattr(entered, name) is None else None
        out[name] = {"value": str(usual.id) if usual else "", "text": address_line(usual) if usual else ""}
    return out


handlers = [preview]
