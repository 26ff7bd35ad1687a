"""Making and changing a document: the form, its live preview, and what happens when it is sent."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from litestar import Response, get, post

from newel.domain.context import Context
from newel.domain.document import Document, DocumentInput, LineInput
from newel.domain.kinds import DocumentKind, Transition
from newel.domain.master import Master
from newel.errors import Problem, Refused, Severity
from newel.services import pages as service
from newel.services.access import require
from newel.services.entered import as_input
from newel.services.outcome import Outcome
from newel.store.master import load_master
from newel.web.auth import context_of, newel_of
from newel.web.forms import Reader
from newel.web.pages_documents import show
from newel.web.render import Web, flash, fragment, page, redirect, shown
from newel.web.views_document import credit, panels, state_of, totals
from newel.web.views_entry import Posted, read, settles, with_found
from newel.web.views_form import address_line, columns, header, open_items, price_text, row_of
from newel.web.views_text import _, day, entry, number

if TYPE_CHECKING:
    from newel.services.app import Newel


class Form(msgspec.Struct):
    """A form that is being made: the document as entered, what the kernel makes of it, and what is wrong."""

    kind: DocumentKind
    posted: Posted
    before: Document | None
    outcome: Outcome | None
    problems: Sequence[Problem]
    fields: dict[str, str]
    key: str
    master: Master


async def _master(newel: Newel) -> Master:
    async with newel.database.read() as session:
        return await load_master(session)


def _next(newel: Newel, kind: DocumentKind, state: str, context: Context) -> Transition | None:
    """The transition that a user most likely wants next."""
    return next((t for t in kind.transitions if t.primary and state in t.sources and context.user.may(f"{kind.name}.{t.name}")), None)


async def _preview(newel: Newel, kind: DocumentKind, entered: DocumentInput, before: Document | None, context: Context) -> tuple[Outcome | None, list[Problem]]:
    try:
        outcome = await newel.documents.preview(kind.name, entered, context, id=before.id if before else None)
    except Refused as refused:
        return None, list(refused.problems)
    return outcome, list(outcome.problems)


async def _show(request: Web, form: Form, context: Context, status: int = 200) -> Response[str]:
    newel, kind, before = newel_of(request), form.kind, form.before
    document = form.outcome.document if form.outcome else before
    entered = form.posted.input
    errors = {form.posted.field(p.where): p.message for p in form.problems if p.severity is Severity.BLOCK} if status != 200 else {}
    top = [x for x in document.lines if x.parent is None] if form.outcome and document else []
    rows = []
    for at, (name, line) in enumerate(zip(form.posted.rows, entered.lines, strict=True)):
        if name.startswith("lines-"):
            known = top[at] if at < len(top) and len(top) == len(entered.lines) else None
            row = row_of(line, known, int(name.removeprefix("lines-")), errors, form.fields)
            row["cells"]["net"]["text"] = number(known.net, document.amount_digits) if known and document and line_shown(known) else ""
            rows.append(row)
    first, groups = header(newel, kind, entered, document, form.master, context, errors, form.fields)
    if before is None and not form.fields and first:
        first[0]["autofocus"] = True
    state = state_of(newel, kind.name, before.state if before else kind.initial.name, before.phase if before else kind.initial.phase)
    after = _next(newel, kind, before.state if before else kind.initial.name, context)
    buttons: list[dict[str, Any]] = [{"label": _("Save"), "name": "do", "value": "save", "primary": after is None, "key": "S"}]
    if after:
        buttons.append({"label": _("Save and %(step)s", step=_(after.label).lower()), "name": "do", "value": after.name, "primary": True, "key": "N"})
    view = {
        "action": f"/document/{before.id}/edit" if before else f"/documents/{kind.name}/new",
        "preview_url": f"/documents/{kind.name}/preview" + (f"?id={before.id}" if before else ""), "kind_label": _(kind.label), "help": _(kind.help),
        "number": before.number if before else "", "state": state, "version": before.version if before else None, "idempotency_key": form.key,
        "back": {"label": _(kind.label_plural), "url": f"/documents/{kind.name}"}, "cancel_url": f"/document/{before.id}" if before else f"/documents/{kind.name}",
        "fields": first, "more": groups, "summary": summary(document), "buttons": buttons,
        "grid": {"name": "lines", "label": _("Lines") if not settles(newel, kind) else _("On account"), "columns": columns(newel, kind), "rows": rows,
                 "blank": 1 if settles(newel, kind) else 3},
        "open_items": await open_items(newel, kind, entered, document, form.fields, context),
        "totals": totals(document, kind) if document and form.outcome else [], "digits": document.amount_digits if document else context.company.amount_digits,
        "currency": document.currency if document else context.company.currency, "priced": kind.priced,
    }  # fmt: skip
    title = f"{_(kind.label)} {before.number or _('draft')}" if before else _("New: %(kind)s", kind=_(kind.label))
    said = shown(form.problems, form.posted.field)
    return page(request, context, "document_form.html", title, status=status, at=f"/documents/{kind.name}", problems=said, form=view)


def line_shown(line: Any) -> bool:
    """Whether a line has an amount worth showing."""
    return line.kind != "text" and bool(line.net or line.steps)


def summary(document: Document | None) -> str:
    """The header in one line, for when it is folded."""
    if document is None:
        return ""
    where = address_line(document.ship_to) if document.ship_to else ""
    parts = (document.party.name if document.party else "", day(document.date), document.currency, document.terms, document.reference, where)
    return " · ".join(p for p in parts if p)


# ---- new ---------------------------------------------------------------------------------------------------------------------------


@get("/documents/{name:str}/new")
async def show_new(request: Web, name: str, party: int | None = None) -> Response[str]:
    """An empty form; the address may name a party, a currency and an open item to be paid."""
    newel, context = newel_of(request), await context_of(request)
    kind = newel.registry.kind(name)
    require(context, f"{name}.edit")
    query = request.query_params
    entered = DocumentInput(party=party, date=context.today, currency=query.get("currency", "")[:3])
    item = query.get("settles", "")
    fields: dict[str, str] = {}
    rows: list[str] = []
    role = settles(newel, kind)
    if item.isdigit() and role and party:
        found = [o for o in await service.open_items(newel, context, party, [role]) if o.item.id == int(item)]
        lines = tuple(LineInput(kind=kind.line_kinds[0], settles=o.item.id, price=abs(o.item.amount_open), text=o.number) for o in found)
        entered = msgspec.structs.replace(entered, lines=lines)
        rows = [f"settle-{o.item.id}" for o in found]
        fields = {f"settle-{o.item.id}": price_text(abs(o.item.amount_open)) for o in found}
    outcome, _problems = await _preview(newel, kind, entered, None, context) if party else (None, [])
    form = Form(kind, Posted(entered, rows, []), None, outcome, [], fields, secrets.token_urlsafe(12), await _master(newel))
    return await _show(request, form, context)


@post("/documents/{name:str}/new", status_code=200)
async def create(request: Web, name: str) -> Response[Any]:
    """Keep it, or say everything that is wrong with it and keep what was typed."""
    newel, context = newel_of(request), await context_of(request)
    kind = newel.registry.kind(name)
    require(context, f"{name}.edit")
    fields = {k: v for k, v in (await request.form()).items() if isinstance(v, str)}
    posted = await with_found(newel, context, read(newel, kind, fields, None))
    do, key = fields.get("do", "save"), fields.get("idempotency_key", "") or secrets.token_urlsafe(12)
    if posted.problems or do == "update":
        return await _again(request, kind, posted, None, fields, key, context, posted.problems, 422 if do != "update" else 200)
    then = (do,) if kind.transition(do) else ()
    try:
        outcome = await newel.documents.create(name, posted.input, context, key=key, then=then)
    except Refused as refused:
        return await _refused(request, kind, posted, None, fields, key, context, refused)
    return _saved(newel, kind, outcome.document)


def _saved(newel: Newel, kind: DocumentKind, document: Document) -> Response[Any]:
    state = newel.registry.kind(document.kind).state(document.state)
    text = _("%(kind)s %(number)s is saved: %(state)s.", kind=_(kind.label), number=document.number or _("draft"), state=_(state.label))
    return redirect(f"/document/{document.id}", flash(text))


async def _refused(
    request: Web, kind: DocumentKind, posted: Posted, before: Document | None, fields: dict[str, str], key: str, context: Context, refused: Refused
) -> Response[str]:
    if any(p.code == "permission" for p in refused.problems):
        raise refused
    if any(p.code == "key.reused" for p in refused.problems):  # Back, and then sent again with other values
        key = secrets.token_urlsafe(12)
        again = Problem(code="form.sent", message=_("this form has been saved before"), hint=_("save again to make another document"))
        return await _again(request, kind, posted, before, fields, key, context, [again], 409)
    return await _again(request, kind, posted, before, fields, key, context, refused.problems, refused.status)


async def _again(
    request: Web, kind: DocumentKind, posted: Posted, before: Document | None, fields: dict[str, str], key: str, context: Context,
    problems: Sequence[Problem], status: int,
) -> Response[str]:  # fmt: skip
    newel = newel_of(request)
    outcome, found = await _preview(newel, kind, posted.input, before, context)
    every = list(problems) + [p for p in found if (p.code, p.where) not in {(q.code, q.where) for q in problems}]
    form = Form(kind, posted, before, outcome, every, fields, key, await _master(newel))
    return await _show(request, form, context, status)


# ---- change ------------------------------------------------------------------------------------------------------------------------


@get("/document/{id:int}/edit")
async def show_edit(request: Web, id: int) -> Response[Any]:
    """The form of a stored document."""
    newel, context = newel_of(request), await context_of(request)
    before = await newel.documents.get(id, context)
    kind = newel.registry.kind(before.kind)
    require(context, f"{kind.name}.edit")
    if not kind.state(before.state).editable:
        text = _("%(number)s is %(state)s and can't be changed.", number=before.number, state=_(kind.state(before.state).label))
        return redirect(f"/document/{id}", flash(text, "note"))
    entered = as_input(before)
    role = settles(newel, kind)
    rows, fields = [], {}
    for i, line in enumerate(entered.lines):
        rows.append(f"settle-{line.settles}" if role and line.settles else f"lines-{i}")
        if role and line.settles:
            fields[rows[-1]] = price_text(line.price) if line.price is not None else ""
    outcome, problems = await _preview(newel, kind, entered, before, context)
    form = Form(kind, Posted(entered, rows, []), before, outcome, problems, fields, secrets.token_urlsafe(12), await _master(newel))
    return await _show(request, form, context)


@post("/document/{id:int}/edit", status_code=200)
async def change(request: Web, id: int) -> Response[Any]:
    """Keep the changes unless somebody else has changed it in between."""
    newel, context = newel_of(request), await context_of(request)
    before = await newel.documents.get(id, context)
    kind = newel.registry.kind(before.kind)
    fields = {k: v for k, v in (await request.form()).items() if isinstance(v, str)}
    posted = await with_found(newel, context, read(newel, kind, fields, before))
    do, key = fields.get("do", "save"), fields.get("idempotency_key", "") or secrets.token_urlsafe(12)
    version = Reader(fields).whole("version")
    seen = msgspec.structs.replace(before, version=version if version is not None else before.version)
    if posted.problems or do == "update":
        return await _again(request, kind, posted, seen, fields, key, context, posted.problems, 422 if do != "update" else 200)
    try:
        outcome = await newel.documents.update(id, seen.version, posted.input, context, key=key)
    except Refused as refused:
        return await _refused(request, kind, posted, seen, fields, key, context, refused)
    if kind.transition(do):
        try:
            outcome = await newel.documents.act(id, do, context)
        except Refused as refused:
            return await show(request, id, context, refused.problems, refused.status)
    return _saved(newel, kind, outcome.document)


# ---- preview -----------------------------------------------------------------------------------------------------------------------


@post("/documents/{name:str}/preview", status_code=200)
async def preview(request: Web, name: str, id: int | None = None) -> Response[str]:
    """What the form would give: prices, taxes, totals, problems, and what the next step would move and post."""
    newel, context = newel_of(request), await context_of(request)
    kind = newel.registry.kind(name)
    require(context, f"{name}.edit")
    before = await newel.documents.get(id, context) if id else None
    fields = {k: v for k, v in (await request.form()).items() if isinstance(v, str)}
    posted = await with_found(newel, context, read(newel, kind, fields, before))
    outcome, problems = await _preview(newel, kind, posted.input, before, context)
    every = [*posted.problems, *problems]
    after = _next(newel, kind, before.state if before else kind.initial.name, context)
    side: dict[str, Any] = {}
    if outcome and outcome.document.lines and after and not any(p.severity is Severity.BLOCK for p in every):
        side, more = await _side(newel, kind, posted.input, before, after, context, outcome)
        every += more
    view = _preview_view(posted, outcome, kind)
    view |= {"problems": shown(every, posted.field), "side": side,
             "open_items": await open_items(newel, kind, posted.input, outcome.document if outcome else None, fields, context)}  # fmt: skip
    return fragment(request, "document_preview.html", preview=view)


async def _side(
    newel: Newel, kind: DocumentKind, entered: DocumentInput, before: Document | None, after: Transition, context: Context, outcome: Outcome
) -> tuple[dict[str, Any], list[Problem]]:
    """Credit, panels of plugins, and the entries that the next step would make."""
    more: list[Problem] = []
    master = await _master(newel)
    side: dict[str, Any] = {}
    async with newel.database.read() as session:
        side["panels"] = panels(await service.panels(newel, session, outcome.document, context))
        side["credit"] = credit(await service.credit_of(newel, session, outcome.document, context), context)
    if set(after.effects) & {"post", "move", "credit", "reserve"}:
        try:
            then = await newel.documents.preview(kind.name, entered, context, id=before.id if before else None, transition=after.name)
        except Refused as refused:
            return side, list(refused.problems)
        had = set(outcome.problems)
        more = [msgspec.structs.replace(p, message=f"{_(after.label)}: {p.message}") for p in then.problems if p not in had]
        rows = [service.row(p.account, p.debit, p.credit, master) for e in then.entries for p in e.postings]
        if rows:
            side["entries"] = {"label": _("What “%(step)s” would post", step=_(after.label)), "digits": context.company.amount_digits,
                               "rows": [{"account": r.account, "name": r.name, "debit": r.debit or None, "credit": r.credit or None} for r in rows]}  # fmt: skip
    return side, more


def _preview_view(posted: Posted, outcome: Outcome | None, kind: DocumentKind) -> dict[str, Any]:
    document = outcome.document if outcome else None
    rows: list[dict[str, Any]] = []
    top = [x for x in document.lines if x.parent is None] if document else []
    for name, entered, line in zip(posted.rows, posted.input.lines, top, strict=False):
        if not name.startswith("lines-") or document is None:
            continue
        steps = [s for s in line.steps if s.stage in ("line", "document")]
        row: dict[str, Any] = {"index": name.removeprefix("lines-"), "outputs": {}, "placeholders": {}, "resolved": {},
                               "note": " · ".join(s.reason or s.rule for s in steps)}  # fmt: skip
        if kind.priced:
            row["outputs"]["net"] = number(line.net, document.amount_digits) if line_shown(line) else ""
            row["placeholders"]["price"] = price_text(line.price) if entered.price is None and line.steps else ""
        row["placeholders"]["unit"] = line.unit
        row["placeholders"]["text"] = line.item.name if line.item else ""
        if line.item:
            row["resolved"]["item"] = {"value": line.item.id, "text": line.item.number}
        rows.append(row)
    placeholders, resolved = {}, {}
    if document:
        placeholders = {
            "reference": "", "ship_to": address_line(document.ship_to) if document.ship_to else "", "bill_to": address_line(document.bill_to) if document.bill_to else "",
            "rate": entry(document.rate),
        }  # fmt: skip
        if document.party:
            resolved["party"] = {"value": document.party.id, "text": f"{document.party.number} {document.party.name}"}
    return {"rows": rows, "totals": totals(document, kind) if document else [], "digits": document.amount_digits if document else 2,
            "currency": document.currency if document else "", "summary": summary(document), "header": {"placeholders": placeholders, "resolved": resolved}}  # fmt: skip


handlers = [show_new, create, show_edit, change, preview]
