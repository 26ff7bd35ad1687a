"""The start page, lists of documents, and search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from litestar import Response, get, post
from litestar.params import FromPath

from newel.domain.context import Context
from newel.domain.kinds import PHASES, DocumentKind
from newel.errors import Refused
from newel.services import lists, searching
from newel.services.access import require
from newel.services.actions import kind_of
from newel.services.lists import Head, Wanted
from newel.web import menu
from newel.web.auth import context_of, newel_of
from newel.web.forms import Reader
from newel.web.render import Web, flash, fragment, page, redirect, shown
from newel.web.views_document import PHASES as SHAPES
from newel.web.views_document import kind_label, state_of
from newel.web.views_list import MOST_EXPORTED, SIZE, Address, arranged, asked, column, empty, file_actions, file_response, filters, listed, pager, shown_rows
from newel.web.views_text import _, day, inside, said

if TYPE_CHECKING:
    from newel.services.app import Newel

SEARCHED = 5
COUNTED = 2_000  # rows that a list counts at once; more are counted when the page is there


# ---- start -------------------------------------------------------------------------------------------------------------------------


@get("/")
async def start(request: Web) -> Response[str]:
    """What waits to be done, what was made last, what is overdue. Whoever stands for a party starts where a plugin has pages for them."""
    newel, context = newel_of(request), await context_of(request)
    theirs = (item.path for m in newel.registry.manifests.values() for item in m.menu if item.permission and context.user.may(item.permission))
    if context.user.party is not None and (own := menu.home(newel, context) or next(theirs, "")):
        return redirect(own)
    groups: dict[str, dict[str, Any]] = {}
    for w in await lists.waiting(newel, context):
        kind = newel.registry.documents[w.kind]
        group = groups.setdefault(w.kind, {"label": _(kind.label_plural), "url": f"/documents/{w.kind}", "priced": kind.priced, "rows": []})
        sums = [{"value": s.gross, "unit": s.currency, "digits": context.company.amount_digits} for s in w.sums if kind.priced and s.gross]
        group["rows"].append(
            {"state": state_of(newel, w.kind, w.state, w.phase), "count": w.count, "url": f"/documents/{w.kind}?state={w.state}", "sums": sums}
        )
    late = []
    for o in await lists.overdue(newel, context):
        role = newel.registry.account_roles.get(o.role)
        url = f"/report/newel.open_items?role={o.role}&overdue=true" if context.user.may("newel.open_items.view") else ""
        late.append({"label": _(role.label) if role else o.role, "count": o.count, "amount": o.amount, "url": url})
    settled = any(k.posting and context.user.may(f"{k.name}.view") for k in newel.registry.documents.values())
    recent = [
        {"url": f"/document/{h.id}", "kind": kind_label(newel, h.kind), "number": h.number or _("draft"), "state": state_of(newel, h.kind, h.state, h.phase),
         "party": h.party_name, "date": h.date, "gross": h.gross if newel.registry.documents[h.kind].priced else None, "currency": h.currency}
        for h in await lists.recent(newel, context)
    ]  # fmt: skip
    creates = [k for k in newel.registry.documents.values() if context.user.may(f"{k.name}.edit")]
    first = {"label": _("New: %(kind)s", kind=_(creates[0].label)), "url": f"/documents/{creates[0].name}/new"} if creates else None
    view = {"groups": list(groups.values()), "overdue": late if settled else None, "recent": recent, "digits": context.company.amount_digits,
            "currency": context.company.currency,
            "first": first, "today": context.today}  # fmt: skip
    return page(request, context, "start.html", _("Start"), start=view)


# ---- documents ---------------------------------------------------------------------------------------------------------------------


def wanted_by(address: Address) -> tuple[Wanted, Reader]:
    """What an address narrows a list to, and what is wrong with it."""
    reader = Reader(address.query)
    party = reader.reference("party")
    wanted = Wanted(
        state=address.get("state")[:30], phase=address.get("phase")[:10], party=party if isinstance(party, int) else None, date_from=reader.day("from"),
        date_to=reader.day("to"), search=address.get("q"),
    )  # fmt: skip
    return wanted, reader


@get("/documents/{name:str}")
async def documents(request: Web, name: FromPath[str]) -> Response[Any]:
    """The documents of one kind."""
    newel, context = newel_of(request), await context_of(request)
    kind = await kind_of(newel, name, context)
    address = Address(request.url.path, {k: v for k, v in request.query_params.items() if k != "format"})
    wanted, reader = wanted_by(address)
    columns: dict[str, Any] = {"columns": columns_of(kind, address)}
    if file := asked(newel, request.query_params):
        await arranged(request, newel, context, name, columns)
        return await _export(newel, kind, wanted, address, context, file, columns["columns"])
    whole = "sums" in address.query
    most = None if whole else max(COUNTED, address.number * SIZE)
    found = await lists.page(newel, name, context, wanted, sort=address.get("sort"), number=address.number, size=SIZE, most=most)
    digits = context.company.amount_digits
    sums = [{"label": _("Total"), "value": s.gross, "unit": s.currency, "digits": digits} for s in found.sums] if kind.priced else []
    if whole and request.headers.get("hx-request"):
        return fragment(request, "list_sums.html", total=found.total, sums=sums)
    party = await newel.records.get("newel.party", wanted.party, context) if wanted.party and context.user.may("newel.party.view") else None
    labels = _labels(newel, kind, wanted, f"{party['number']} {party['name']}" if party else "")
    actions: list[dict[str, Any]] = []
    may = name in newel.registry.documents and context.user.may(f"{name}.edit")
    if may:
        actions.append({"label": _("New"), "method": "get", "url": f"/documents/{name}/new", "primary": True, "icon": "plus", "key": "N"})
    actions += file_actions(newel, context, address, name if may else "")
    view = {
        "actions": actions, "filters": filters(address, _fields(kind, wanted, party), labels), "summary": _(kind.help), **columns,
        "rows": [{"url": f"/document/{h.id}", "id": h.id, "cells": _cells(newel, h, digits)} for h in found.rows],
        "sums": sums, "sums_url": "" if found.whole else address.with_(sums=1), "pager": pager(address, found.total, len(found.rows), whole=found.whole),
        "empty": empty(any(labels.values()), inside(_(kind.label_plural)), address, f"/documents/{name}/new" if may else ""),
        "bulk": _bulk(newel, kind, context) if found.rows else None, "order": _("newest first"),
    }  # fmt: skip
    if other := await arranged(request, newel, context, name, view):
        return other
    return page(request, context, "list.html", _(kind.label_plural), problems=shown(reader.problems), list=view)


def _bulk(newel: Newel, kind: DocumentKind, context: Context) -> dict[str, Any] | None:
    """Ways on that several documents can go together: one invoice for many orders."""
    flows = [f for f in newel.registry.flows_from(kind) if context.user.may(f"{f.target_kind}.edit")]
    actions = [
        {"label": _("%(step)s together", step=_(f.label)), "name": "flow", "value": f"{f.target_kind}:{f.name}"}
        for f in sorted(flows, key=lambda f: not f.primary)
    ]
    return {"action": f"/documents/{kind.name}/together", "actions": actions} if actions else None


@post("/documents/{name:str}/together", status_code=200)
async def together(request: Web, name: FromPath[str]) -> Response[Any]:
    """Make one document of what is open in several ones."""
    newel, context, form = newel_of(request), await context_of(request), await request.form()
    kind = newel.registry.kind(name)
    require(context, f"{kind.name}.view")
    ids = [int(v) for k, v in form.multi_items() if k == "id" and isinstance(v, str) and v.isdigit() and len(v) < 19]
    if not ids:
        return redirect(f"/documents/{name}", flash(_("Tick the documents first."), "note"))
    try:
        made = await newel.documents.follow(ids, str(form.get("flow", "")), context)
    except Refused as refused:
        return redirect(f"/documents/{name}", flash("; ".join(said(p).message for p in refused.problems)[:800], "error", said(refused.problems[0]).hint))
    text = _("One document is made of %(count)s.", count=len(ids))
    return redirect(f"/document/{made.document.id}", flash(text))


def columns_of(kind: DocumentKind, address: Address) -> list[dict[str, Any]]:
    """What a list of documents can show; `more` is not seen unless somebody chooses it."""
    out = [
        column(address, "number", _("Number")),
        column(address, "party", _(kind.party_role.capitalize()) if kind.party_role else _("Party")),
        column(address, "date", _("Date"), "date"),
        column(address, "reference", _("Reference")),
        column(address, "state", _("State"), "badge"),
    ]
    if kind.role in ("sale", "purchase", "request"):
        out.insert(3, column(address, "date_requested", _("Requested"), "date"))
    if kind.priced:
        if kind.posting and kind.role in ("invoice", "bill"):
            out.insert(3, column(address, "date_due", _("Due"), "date"))
        out.append(column(address, "gross", _("Total"), "money"))
    if not kind.party_role and kind.role in ("transfer", "production"):
        del out[1]
    more = {"party_number": (_("Party number"), "text"), "date_requested": (_("Requested"), "date"), "date_due": (_("Due"), "date")}
    more |= {"net": (_("Net"), "money")} if kind.priced else {}
    return out + [column(address, n, *m, sort=n in lists.SORTS, more=True) for n, m in more.items() if n not in {c["name"] for c in out}]


def _cells(newel: Newel, h: Head, digits: int) -> dict[str, Any]:
    state = state_of(newel, h.kind, h.state, h.phase)
    return {
        "number": h.number or _("draft"), "party": {"value": h.party_name, "sub": ""}, "date": h.date, "date_due": h.date_due, "reference": h.reference,
        "party_number": h.party_number, "net": {"value": h.net, "unit": h.currency, "digits": digits},
        "date_requested": h.date_requested, "state": {"value": state["label"], "phase": state["phase"]},
        "gross": {"value": h.gross, "unit": h.currency, "digits": digits},
    }  # fmt: skip


def _fields(kind: DocumentKind, wanted: Wanted, party: dict[str, Any] | None) -> list[dict[str, Any]]:
    states = [{"value": s.name, "label": _(s.label)} for s in kind.states]
    fields: list[dict[str, Any]] = [
        {"name": "q", "label": _("Search"), "type": "text", "value": wanted.search, "placeholder": _("number, reference, party, item")},
        {"name": "state", "label": _("State"), "type": "select", "options": states, "value": wanted.state, "narrow": True},
    ]
    if kind.party_role or kind.role not in ("transfer", "production"):
        text = f"{party['number']} {party['name']}" if party else ""
        fields.append({"name": "party", "label": _(kind.party_role.capitalize()) if kind.party_role else _("Party"), "type": "reference",
                       "url": "/options/newel.party", "value": wanted.party or "", "text": text})  # fmt: skip
    return [
        *fields,
        {"name": "from", "label": _("From"), "type": "date", "value": wanted.date_from.isoformat() if wanted.date_from else "", "narrow": True},
        {"name": "to", "label": _("To"), "type": "date", "value": wanted.date_to.isoformat() if wanted.date_to else "", "narrow": True},
    ]


def _labels(newel: Newel, kind: DocumentKind, wanted: Wanted, party: str) -> dict[str, str]:
    state = state_of(newel, kind.name, wanted.state, "")["label"] if wanted.state else ""
    return {
        "q": _("contains “%(text)s”", text=wanted.search) if wanted.search else "",
        "state": _("state is %(state)s", state=state) if wanted.state else "",
        "phase": _("is %(phase)s", phase=_(wanted.phase)) if wanted.phase in PHASES and wanted.phase in SHAPES else "",
        "party": _("for %(party)s", party=party) if wanted.party else "",
        "from": _("from %(day)s", day=day(wanted.date_from)) if wanted.date_from else "",
        "to": _("until %(day)s", day=day(wanted.date_to)) if wanted.date_to else "",
    }


async def _export(
    newel: Newel, kind: DocumentKind, wanted: Wanted, address: Address, context: Context, file: str, columns: list[dict[str, Any]]
) -> Response[Any]:
    """All rows of the list, exactly those of the filter, with the columns that are seen; amounts have their currency beside them."""
    found = await lists.page(newel, kind.name, context, wanted, sort=address.get("sort"), size=MOST_EXPORTED + 1, most=0)
    if kind.priced:
        columns = [*columns, column(address, "currency", _("Currency"))]
    cells = ({**_cells(newel, h, 0), "currency": h.currency} for h in found.rows)
    return file_response(newel, file, kind.name, [c["label"] for c in columns], shown_rows(columns, cells))


# ---- search ------------------------------------------------------------------------------------------------------------------------


async def _found(newel: Newel, text: str, context: Context) -> list[dict[str, str]]:
    out = [
        {"label": h.number or _("draft"), "detail": " · ".join(x for x in (h.party_name, h.reference) if x), "kind": kind_label(newel, h.kind),
         "url": f"/document/{h.id}"}
        for h in await searching.search(newel, text, context)
    ]  # fmt: skip
    async with newel.database.read() as session:
        for record in newel.registry.records.values():
            if not record.menu or not record.search or record.menu == "Administration" or not context.user.may(f"{record.name}.view"):
                continue
            for id_, title in await newel.records.options(record.name, text, context, limit=SEARCHED, session=session):
                out.append({"label": title, "detail": "", "kind": _(record.label), "url": f"/records/{record.name}/{id_}"})
    return out


@get("/search")
async def search(request: Web) -> Response[Any]:
    """Documents by number, reference or party, and records by name: for the palette as JSON, else as a page."""
    newel, context = newel_of(request), await context_of(request)
    text = request.query_params.get("q", "").strip()[:100]
    found = await _found(newel, text, context) if len(text) > 1 else []
    if "application/json" in request.headers.get("accept", ""):
        return Response(found[:24], media_type="application/json")
    address = Address("/search", {"q": text})
    columns = [("label", _("Name"), "text"), ("kind", _("Kind"), "text"), ("detail", _("Details"), "text")]
    fields = filters(address, [{"name": "q", "label": _("Search"), "type": "text", "value": text, "autofocus": not found}], {})
    none = {"title": _("Nothing found") if text else _("What are you looking for?"), "reason": _("Search for a number, a reference or a name.")}
    view = listed(columns, [{"url": f["url"], "cells": f} for f in found], filters=fields, empty=none)
    return page(request, context, "list.html", _("Search"), list=view)


@get("/options/documents")
async def options(request: Web) -> list[dict[str, Any]]:
    """Documents for a picker."""
    newel, context = newel_of(request), await context_of(request)
    kind = request.query_params.get("kind", "")
    if kind:
        require(context, f"{kind}.view")
    found = await searching.search(newel, request.query_params.get("q", ""), context, [kind] if kind else None, size=20)
    return [{"id": h.id, "label": h.number, "detail": h.party_name} for h in found]


handlers = [start, documents, together, search, options]
