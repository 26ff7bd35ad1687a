"""Making and changing a document: the form, its live preview, and what happens when it is sent."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from newel.domain.context import Context
from newel.domain.document import Document, DocumentInput, LineInput
from newel.domain.kinds import DocumentKind
from newel.domain.master import Master
from newel.errors import Problem, Refused, Severity
from newel.services import lists
from newel.services.access import require
from newel.services.entered import as_input
from newel.services.outcome import Outcome
from newel.store.master import load_master
from newel.web.auth import context_of, newel_of
from newel.web.forms import Reader
from newel.web.pages_documents import show
from newel.web.pages_preview import line_boxes, proposed
from newel.web.render import Web, flash, page, redirect, shown
from newel.web.views_document import heading, state_of, totals
from newel.web.views_entry import Posted, read, settles, with_found
from newel.web.views_form import columns, header, line_shown, net_of, next_step, open_items, price_text, row_of, summary, tried
from newel.web.views_lines import posted_fields, row_of_line
from newel.web.views_text import _, inside, number, said

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


async def _show(request: Web, form: Form, context: Context, status: int = 200) -> Response[str]:
    newel, kind, before = newel_of(request), form.kind, form.before
    document = form.outcome.document if form.outcome else before
    entered = form.posted.input
    form.posted.tops = list(row_of_line(document).values()) if form.outcome and document else []
    errors = {form.posted.field(p.where): said(p).message for p in form.problems if p.severity is Severity.BLOCK} if status != 200 else {}
    top = [x for x in document.lines if x.parent is None] if form.outcome and document else []
    proposals = await proposed(newel, form.outcome, context)
    below = line_boxes(newel, form.posted, form.outcome, form.problems, proposals)
    lots = await lists.lot_numbers(newel, [x.lot for x in entered.lines if isinstance(x.lot, int)])
    rows = []
    for at, (name, line) in enumerate(zip(form.posted.rows, entered.lines, strict=True)):
        if name.startswith("lines-"):
            known = top[at] if at < len(top) and len(top) == len(entered.lines) else None
            row = row_of(line, known, lots, int(name.removeprefix("lines-")), errors, form.fields)
            row["boxes"] = below.get(name, [])
            row["cells"]["net"]["text"] = number(net_of(document, known), document.amount_digits) if known and document and line_shown(known) else ""
            rows.append(row)
    first, groups = header(newel, kind, entered, document, form.master, context, errors, form.fields)
    if before is None and not form.fields and first:
        first[0]["autofocus"] = True
    state = state_of(newel, kind.name, before.state if before else kind.initial.name, before.phase if before else kind.initial.phase)
    after = next_step(kind, before.state if before else kind.initial.name, context)
    buttons: list[dict[str, Any]] = [{"label": _("Save"), "name": "do", "value": "save", "primary": after is None, "key": "S"}]
    if after:
        label = _("Save and %(step)s", step=inside(_(after.label), noun=False))
        buttons.append({"label": label, "name": "do", "value": after.name, "primary": True, "key": "N"})
    view = {
        "action": f"/document/{before.id}/edit" if before else f"/documents/{kind.name}/new",
        "preview_url": f"/documents/{kind.name}/preview" + (f"?id={before.id}" if before else ""), "kind_label": _(kind.label), "help": _(kind.help),
        "number": before.number if before else "", "state": state, "version": before.version if before else None, "idempotency_key": form.key,
        "back": {"label": _(kind.label_plural), "url": f"/documents/{kind.name}"},
        "cancel_url": f"/document/{before.id}" if before else f"/documents/{kind.name}",
        "fields": first, "more": groups, "head": heading(proposals, document), "summary": summary(document), "buttons": buttons,
        "grid": {"name": "lines", "label": _("Lines") if not settles(newel, kind) else _("On account"), "columns": columns(newel, kind), "rows": rows,
                 "blank": 1 if settles(newel, kind) else 3, "why": kind.priced and not settles(newel, kind)},
        "open_items": await open_items(newel, kind, entered, document, form.fields, context),
        "totals": totals(document, kind) if document and form.outcome else [], "digits": document.amount_digits if document else context.company.amount_digits,
        "currency": document.currency if document else context.company.currency, "priced": kind.priced,
    }  # fmt: skip
    title = f"{_(kind.label)} {before.number or _('draft')}" if before else _("New: %(kind)s", kind=_(kind.label))
    problems = shown(form.problems, form.posted.field)
    return page(request, context, "document_form.html", title, status=status, at=f"/documents/{kind.name}", problems=problems, form=view)


# ---- new ---------------------------------------------------------------------------------------------------------------------------


@get("/documents/{name:str}/new")
async def show_new(request: Web, name: FromPath[str]) -> Response[str]:
    """An empty form; the address may name a party, a currency and an open item to be paid."""
    newel, context = newel_of(request), await context_of(request)
    kind = newel.registry.kind(name)
    require(context, f"{name}.edit")
    query = request.query_params
    party = Reader(query).reference("party")
    entered = DocumentInput(party=party, date=context.today, currency=query.get("currency", "")[:3])
    item = query.get("settles", "")
    fields: dict[str, str] = {}
    rows: list[str] = []
    role = settles(newel, kind)
    if item.isdigit() and role and isinstance(party, int):
        found = [o for o in await lists.open_items(newel, context, party, [role]) if o.item.id == int(item)]
        lines = tuple(LineInput(kind=kind.line_kinds[0], settles=o.item.id, price=abs(o.item.amount_open), text=o.number) for o in found)
        entered = msgspec.structs.replace(entered, lines=lines)
        rows = [f"settle-{o.item.id}" for o in found]
        fields = {f"settle-{o.item.id}": price_text(abs(o.item.amount_open)) for o in found}
    outcome, _problems = await tried(newel, kind, entered, None, context) if party else (None, [])
    form = Form(kind, Posted(entered, rows, []), None, outcome, [], fields, secrets.token_urlsafe(12), await _master(newel))
    return await _show(request, form, context)


@post("/documents/{name:str}/new", status_code=200)
async def create(request: Web, name: FromPath[str]) -> Response[Any]:
    """Keep it, or say everything that is wrong with it and keep what was typed."""
    newel, context = newel_of(request), await context_of(request)
    kind = newel.registry.kind(name)
    require(context, f"{name}.edit")
    fields = posted_fields(await request.form())
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
    outcome, found = await tried(newel, kind, posted.input, before, context)
    every = list(problems) + [p for p in found if (p.code, p.where) not in {(q.code, q.where) for q in problems}]
    form = Form(kind, posted, before, outcome, every, fields, key, await _master(newel))
    return await _show(request, form, context, status)


# ---- change ------------------------------------------------------------------------------------------------------------------------


@get("/document/{id:int}/edit")
async def show_edit(request: Web, id: FromPath[int]) -> Response[Any]:
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
    outcome, problems = await tried(newel, kind, entered, before, context)
    form = Form(kind, Posted(entered, rows, []), before, outcome, problems, fields, secrets.token_urlsafe(12), await _master(newel))
    return await _show(request, form, context)


@post("/document/{id:int}/edit", status_code=200)
async def change(request: Web, id: FromPath[int]) -> Response[Any]:
    """Keep the changes unless somebody else has changed it in between."""
    newel, context = newel_of(request), await context_of(request)
    before = await newel.documents.get(id, context)
    kind = newel.registry.kind(before.kind)
    fields = posted_fields(await request.form())
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


handlers = [show_new, create, show_edit, change]
