"""Pages of documents: look, act, go on, copy."""

from __future__ import annotations

import re
import secrets
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from newel.domain.context import Context
from newel.domain.document import DocumentInput, Line, LinkInput
from newel.domain.kinds import Flow
from newel.errors import Problem, Refused, Severity, missing
from newel.services import lists
from newel.services import pages as service
from newel.services.access import require
from newel.web import menu
from newel.web.auth import context_of, newel_of
from newel.web.forms import Reader
from newel.web.render import Web, flash, page, redirect, shown
from newel.web.views_actions import actions, flows, payments
from newel.web.views_document import document_view
from newel.web.views_forms import form_view, found
from newel.web.views_text import _, entry, inside, words

LINE = re.compile(r"lines\[(\d{1,6})\]")


async def show(request: Web, id: int, context: Context, problems: tuple[Problem, ...] = (), status: int = 200) -> Response[str]:
    """The page of a document; problems of an action that was refused stand on top."""
    newel = newel_of(request)
    timeline = menu.boxes(newel, context, "document.history", "document", id)
    detail = await service.detail(newel, id, context, history=not timeline)
    d = detail.document
    steps, notes = await actions(newel, d, context)
    doc = document_view(newel, detail, context, request.query_params.get("lines", ""))
    for (plugin, panel), view in zip([p for p in detail.panels if p[1].line is None and p[1].slot != "head"], doc["panels"], strict=True):
        if panel.form and (op := found(request, plugin, panel.form)):
            view["form"] = form_view(request, plugin, op, id)
    doc["panels"] += menu.boxes(newel, context, "document", "document", id)
    doc["timeline"] = timeline
    kind = newel.registry.kind_of(d)
    ways = [*flows(newel, d, context), *payments(newel, await lists.open_of_document(newel, id, context), d, context)]
    if d.phase == "open" and not any(a.get("primary") for a in (*steps, *ways)):  # then the first way that is open is what comes next
        next((a for a in ways if a.get("completes") and not a.get("disabled")), {})["primary"] = True
    doc["actions"] = sorted([*steps, *ways], key=lambda a: (not a.get("primary"), bool(a.get("danger"))))
    tools: list[dict[str, Any]] = []
    if kind.state(d.state).editable and context.user.may(f"{d.kind}.edit"):
        tools.append({"label": _("Edit"), "method": "get", "url": f"/document/{id}/edit", "icon": "pencil", "key": "E"})
    if d.kind in newel.registry.documents and context.user.may(f"{d.kind}.edit"):
        key = {"idempotency_key": secrets.token_urlsafe(12)}
        tools.append({"label": _("Copy"), "method": "post", "url": f"/document/{id}/copy", "icon": "copy", "hidden": key})
    tools.append({"label": _("Print"), "method": "get", "url": f"/document/{id}/print", "icon": "printer", "key": "P"})
    if not menu.boxes(newel, context, "document.print"):
        tools.append({"label": "PDF", "method": "get", "url": f"/document/{id}/pdf", "icon": "download"})
    doc["tools"] = tools
    if menu.home(newel, context):
        _for_guests(doc)
    title = f"{doc['kind_label']} {d.number or _('draft')}"
    if d.kind not in newel.registry.documents:
        away = _("the plugin %(name)s is not running: this can be read and not changed", name=d.kind.partition(".")[0])
        problems = (*problems, Problem(code="plugin.away", message=away, severity=Severity.NOTE))
    said = shown([*problems, *(p for p in notes if p not in problems)])
    return page(request, context, "document.html", title, status=status, at=f"/documents/{d.kind}", problems=said, doc=doc)


def _for_guests(doc: dict[str, Any]) -> None:
    """Users who have a place of their own see what they can do, and no ways to our lists and forms."""
    doc["actions"] = [a for a in doc["actions"] if not a.get("disabled")]
    doc["tools"] = [t for t in doc["tools"] if t["url"].endswith(("/print", "/pdf"))]
    doc["party"]["url"] = ""
    for line in doc["lines"]:
        line["item"] = line["item"] and {**line["item"], "url": ""}


@get("/document/{id:int}")
async def show_document(request: Web, id: FromPath[int]) -> Response[str]:
    """One document."""
    return await show(request, id, await context_of(request))


@post("/document/{id:int}/act", status_code=200)
async def act(request: Web, id: FromPath[int]) -> Response[Any]:
    """Carry out a transition."""
    newel, reader = newel_of(request), Reader(await request.form())
    overrides = frozenset(filter(None, reader.text("overrides").split(",")))
    context = await context_of(request, overrides=overrides)
    try:
        version = reader.whole("version")
        outcome = await newel.documents.act(id, reader.text("transition"), context, version=version, key=reader.text("idempotency_key") or None)
    except Refused as refused:
        if refused.status in (403, 404):
            raise
        return await show(request, id, context, refused.problems, refused.status)
    d = outcome.document
    state = newel.registry.kind(d.kind).state(d.state)
    return redirect(f"/document/{id}", flash(_("%(number)s is now: %(state)s", number=d.number or _("It"), state=_(state.label))))


@post("/document/{id:int}/release", status_code=200)
async def release(request: Web, id: FromPath[int]) -> Response[Any]:
    """Release a hold."""
    context = await context_of(request)
    hold = Reader(await request.form()).whole("hold")
    if hold is None:
        raise missing("hold", "", "hold")
    await newel_of(request).documents.release(hold, context)
    return redirect(f"/document/{id}", flash(_("The hold is released.")))


@post("/document/{id:int}/copy", status_code=200)
async def copy(request: Web, id: FromPath[int]) -> Response[Any]:
    """A new draft with the same entries."""
    context = await context_of(request)
    key = Reader(await request.form()).text("idempotency_key")
    made = await newel_of(request).documents.copy(id, context, key=key or None)
    return redirect(f"/document/{made.document.id}", flash(_("This is a copy, priced anew.")))


# ---- going on ----------------------------------------------------------------------------------------------------------------------


async def _follow_page(request: Web, id: int, name: str, context: Context, form: Reader | None = None, refused: Refused | None = None) -> Response[str]:
    newel = newel_of(request)
    d = await newel.documents.get(id, context)
    kind = newel.registry.kind(d.kind)
    flow = newel.registry.flow(kind, name)
    target = newel.registry.kind(flow.target_kind)
    require(context, f"{target.name}.edit")
    parents = {x.parent for x in d.lines}
    rows = [_row(x, flow, form) for x in d.lines if newel.registry.takes(flow, x) and (x.id not in parents or flow.copies_prices)]
    problems = [*(form.problems if form else ()), *(refused.problems if refused else ())]
    primary = next((t for t in target.transitions if t.primary and target.initial.name in t.sources and context.user.may(f"{target.name}.{t.name}")), None)
    follow = {
        "action": f"/document/{id}/follow/{name}", "back": {"label": f"{_(kind.label)} {d.number}", "url": f"/document/{id}"},
        "kind_label": _(target.label), "kind_inside": inside(_(target.label)), "party": d.party.name if d.party else "", "rows": rows,
        "date": form.text("date") if form else context.today.isoformat(), "label": _(flow.label), "lots": any(r["lot"] for r in rows),
        "idempotency_key": (form.text("idempotency_key") if form else "") or secrets.token_urlsafe(12),
        "reference": form.text("reference") if form else d.reference, "link": words(flow.link),
        "then": {"name": primary.name, "label": _(primary.label), "inside": inside(_(primary.label), noun=False)} if primary else None,
    }  # fmt: skip
    title = f"{_(flow.label)}: {_(kind.label)} {d.number}"
    status = refused.status if refused else 422 if problems else 200
    return page(request, context, "follow.html", title, at=f"/documents/{d.kind}", status=status, problems=shown(problems, _place(rows)), follow=follow)


def _place(rows: list[dict[str, Any]]) -> Any:
    """Problems with the n-th line of the new document are about the n-th line that has a quantity now."""
    ids = {f"q-{r['id']}" for r in rows}
    used = [f"q-{r['id']}" for r in rows if r["value"] not in ("", "0")]

    def field(where: str) -> str:
        found = LINE.match(where)
        index = int(found[1]) if found else len(used)
        return where if where in ids else used[index] if index < len(used) else ""

    return field


def _row(x: Line, flow: Flow, form: Reader | None) -> dict[str, Any]:
    left = max(flow.open(x), x.quantity * 0)
    stage = x.stages.get(flow.link)
    return {
        "id": x.id, "position": x.position, "item": x.item.number if x.item else "", "text": x.text, "quantity": x.quantity, "unit": x.unit, "open": left,
        "done": stage.planned if stage else 0, "value": form.text(f"q-{x.id}") if form else entry(left),
        "lot": x.item is not None and x.item.tracking != "none", "lot_value": form.text(f"lot-{x.id}") if form else "",
    }  # fmt: skip


@get("/document/{id:int}/follow/{name:str}")
async def show_follow(request: Web, id: FromPath[int], name: FromPath[str]) -> Response[str]:
    """How much of which line goes on; all that is open unless somebody says less."""
    return await _follow_page(request, id, name, await context_of(request))


@post("/document/{id:int}/follow/{name:str}", status_code=200)
async def follow(request: Web, id: FromPath[int], name: FromPath[str]) -> Response[Any]:
    """Make the next document."""
    newel, context, reader = newel_of(request), await context_of(request), Reader(await request.form())
    links = []
    for field in list(reader.form):
        line = field.removeprefix("q-")
        if line == field or not line.isdigit() or len(line) > 18:
            continue
        quantity = reader.decimal(field)
        if quantity:
            links.append(LinkInput(line=int(line), quantity=quantity, lot=reader.text(f"lot-{line}") or None))
    header = DocumentInput(date=reader.day("date"), reference=reader.text("reference"))
    if reader.problems:
        return await _follow_page(request, id, name, context, reader)
    then = (reader.text("do"),) if reader.text("do") not in ("", "make") else ()
    try:
        made = await newel.documents.follow(id, name, context, lines=links, input=header, then=then, key=reader.text("idempotency_key") or None)
    except Refused as refused:
        if refused.status in (403, 404):
            raise
        return await _follow_page(request, id, name, context, reader, refused)
    d = made.document
    return redirect(f"/document/{d.id}", flash(_("%(kind)s %(number)s is made.", kind=_(newel.registry.kind(d.kind).label), number=d.number or _("draft"))))


handlers = [show_document, act, release, copy, show_follow, follow]
