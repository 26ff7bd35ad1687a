"""The live preview of a form: prices, taxes, totals, problems, and what the next step would move and post. Nothing is written."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import msgspec
from litestar import Response, post
from litestar.params import FromPath

from newel.domain.context import Context
from newel.domain.document import Document, DocumentInput, Line
from newel.domain.kinds import DocumentKind, Transition
from newel.domain.master import Master
from newel.domain.money import ZERO
from newel.errors import Problem, Refused, Severity
from newel.manifest import Panel
from newel.services import pages as service
from newel.services.access import require
from newel.services.outcome import Outcome
from newel.store.master import load_master
from newel.web.auth import context_of, newel_of
from newel.web.forms import Reader
from newel.web.render import Web, fragment, shown
from newel.web.views_document import credit, heading, panels, price_step, totals
from newel.web.views_entry import QUICK, Posted, read, with_found
from newel.web.views_form import address_line, line_shown, next_step, open_items, price_text, summary, tried
from newel.web.views_lines import boxes, posted_fields, row_of_line
from newel.web.views_text import _, day, entry, number, plain, said

if TYPE_CHECKING:
    from newel.services.app import Newel

Panels = list[tuple[str, Panel]]
NOTES = 20  # that are shown while somebody types; what stands in the way is shown without a limit


@post("/documents/{name:str}/preview", status_code=200)
async def preview(request: Web, name: FromPath[str]) -> Response[str]:
    """What the form would give: prices, taxes, totals, problems, and what the next step would move and post."""
    newel, context = newel_of(request), await context_of(request)
    kind = newel.registry.kind(name)
    require(context, f"{name}.edit")
    id = Reader(request.query_params).reference("id")
    before = await newel.documents.get(id, context) if isinstance(id, int) else None
    fields = posted_fields(await request.form())
    posted = await with_found(newel, context, read(newel, kind, fields, before))
    outcome, problems = await tried(newel, kind, posted.input, before, context)
    every = [*posted.problems, *problems]
    if outcome and (row := request.query_params.get("why", "")) in posted.rows:
        return await _why(request, posted.rows.index(row), posted, outcome, every, context)
    after = next_step(kind, before.state if before else kind.initial.name, context)
    side: dict[str, Any] = {}
    found = await proposed(newel, outcome, context)
    if outcome and (outcome.document.lines or outcome.document.text) and after and not any(p.severity is Severity.BLOCK for p in every):
        side, more = await _side(newel, kind, posted.input, before, after, context, outcome, found)
        every += more
    posted.tops = list(row_of_line(outcome.document).values()) if outcome else []
    async with newel.database.read() as session:
        master = await load_master(session)
    below = line_boxes(newel, posted, outcome, every, found)
    document = outcome.document if outcome else None
    rows = _rows(posted, document, kind, below, fields) if document else []
    view = _preview_view(posted, document, kind, rows, master, context)
    view |= {"problems": _shown(every, posted), "side": side, "head": heading(found, document),
             "open_items": await open_items(newel, kind, posted.input, document, fields, context)}  # fmt: skip
    return fragment(request, "document_preview.html", preview=view)


def _shown(problems: Sequence[Problem], posted: Posted) -> list[dict[str, Any]]:
    """Problems for the form: all that stand in the way, and of what they only tell the first ones."""
    notes = [p for p in problems if p.severity is Severity.NOTE]
    out = shown([*(p for p in problems if p.severity is not Severity.NOTE), *notes[:NOTES]], posted.field)
    return [*out, {"severity": "note", "message": _("and %(more)s more", more=len(notes) - NOTES)}] if len(notes) > NOTES else out


async def _side(
    newel: Newel, kind: DocumentKind, entered: DocumentInput, before: Document | None, after: Transition, context: Context, outcome: Outcome, found: Panels
) -> tuple[dict[str, Any], list[Problem]]:  # fmt: skip
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
    found = await proposed(newel, outcome, context)
    boxes_ = line_boxes(newel, posted, outcome, problems, found, why=True).get(posted.rows[at], [])
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


async def proposed(newel: Newel, outcome: Outcome | None, context: Context) -> Panels:
    """The boxes that plugins have for what was entered."""
    if outcome is None:
        return []
    async with newel.database.read() as session:
        return await service.panels(newel, session, outcome.document, context)


def line_boxes(
    newel: Newel, posted: Posted, outcome: Outcome | None, problems: Sequence[Problem], found: Panels, *, why: bool = False
) -> dict[str, list[dict[str, Any]]]:
    """What plugins show and let people choose below each row, with what is wrong there; by the row's name. why: with what explains its price."""
    if outcome is None or not outcome.document.lines:
        return {}
    made = boxes(newel, [x for x in found if why or x[1].slot != "why"], outcome.document, posted.rows)
    wrong: dict[str, list[Problem]] = {}
    for p in problems:
        wrong.setdefault(posted.field(p.where), []).append(p)
    for row, some in made.items():
        some[0]["problems"] = shown(wrong.get(f"{row}-more", []))
    return made


def _preview_view(posted: Posted, document: Document | None, kind: DocumentKind, rows: list[Any], master: Master, context: Context) -> dict[str, Any]:
    header: dict[str, Any] = {}
    if document:
        party = {"party": {"value": p.id, "text": f"{p.number} {p.name}"}} if (p := document.party) else {}
        header = {"placeholders": {"rate": entry(document.rate)}, "resolved": party, "defaults": _defaults(document, posted.input, master, context)}
    return {
        "rows": rows, "totals": totals(document, kind) if document else [], "digits": document.amount_digits if document else 2,
        "currency": document.currency if document else "", "summary": summary(document), "header": header,
    }  # fmt: skip


def _rows(posted: Posted, document: Document, kind: DocumentKind, below: dict[str, list[dict[str, Any]]], fields: dict[str, str]) -> list[dict[str, Any]]:
    """What comes of the rows of the grid, without those that the browser shows as they are."""
    rows = []
    seen = set(fields.get("seen", "").split())  # the rows that are shown, each with the fingerprint that it came with
    nets: dict[int, Decimal] = {}  # of each row with its parts, which may have taken it over
    for at, part in zip(posted.tops, document.lines, strict=True):
        nets[at] = nets.get(at, ZERO) + part.net
    for at, (name, entered, line) in enumerate(zip(posted.rows, posted.input.lines, (x for x in document.lines if x.parent is None), strict=False)):
        if not name.startswith("lines-"):
            continue
        texts = {"unit": line.unit, "text": line.item.name if line.item else ""}
        row: dict[str, Any] = {"outputs": {}, "placeholders": texts, "note": _note(line, fields.get(f"{name}-quantity", "")), "boxes": below.get(name, [])}
        if kind.priced:
            row["outputs"]["net"] = number(nets[at], document.amount_digits) if line_shown(line) else ""
            texts["price"] = price_text(line.price) if entered.price is None and line.steps else ""
        fingerprint = blake2b(repr(row).encode(), digest_size=6).hexdigest()
        found, typed = line.item, fields.get(f"{name}-item_text", "").strip()
        row |= {"index": name.removeprefix("lines-"), "seen": fingerprint}
        if found and (fields.get(f"{name}-item"), typed) != (str(found.id), found.number):
            quick = QUICK.fullmatch(typed)
            enters = {f"{name}-{n}": entry(getattr(entered, n)) for n in ("quantity", "discount") if quick and quick[n]}
            row["resolved"] = {"item": {"value": found.id, "text": found.number, "enters": enters}}
        if "resolved" in row or f"{name}-note:{fingerprint}" not in seen:
            rows.append(row)
    emptied = {one.partition("-note:")[0].removeprefix("lines-") for one in seen} - {name.removeprefix("lines-") for name in posted.rows}
    return [*rows, *({"index": i, "outputs": {"net": ""}, "placeholders": {"unit": "", "text": "", "price": ""}} for i in sorted(emptied))]


def _note(line: Line, typed: str) -> str:
    """What changed the price, and what the quantity means where that is not what was typed."""
    said = [s.reason or s.rule for s in line.steps if s.stage in ("line", "document")]
    if typed.strip() and (line.factor != 1 or not typed.strip().replace(".", "").replace(",", "").isdigit()):
        base = f" = {number(plain(line.quantity_base))} {line.item.unit}" if line.item and line.factor != 1 else ""
        said.insert(0, f"= {number(plain(line.quantity))} {line.unit}{base}")
    return " · ".join(said)


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
