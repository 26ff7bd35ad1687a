"""Pages for one thumb (/handover): what goes off, and who takes it."""

from __future__ import annotations

import secrets
from datetime import datetime
from decimal import Decimal
from typing import Any

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath
from newel.domain.context import Context
from newel.errors import Problem, Refused
from newel.web.auth import context_of, newel_of
from newel.web.forms import Reader
from newel.web.render import Web, flash, page, redirect, shown
from newel.web.views_text import _
from newel_attachments.rules import AttachmentsSettings, Upload

from newel_handover import keep
from newel_handover.keep import allowed

BODY_BYTES = 25_000_000


async def _ours(request: Web) -> Context:
    context = await context_of(request)
    allowed(context)
    return context


async def _list(request: Web, name: str, title: str) -> Response[Any]:
    """What waits; ?code= goes to the delivery whose number was scanned."""
    context = await _ours(request)
    rows = await keep.waiting(newel_of(request), context, name == "prove")
    code = request.query_params.get("code", "").strip()
    problems: tuple[Problem, ...] = ()
    if code:
        if found := next((r for r in rows if r.number == code), None):
            return redirect(f"/handover/{name}/{found.id}")
        problems = (Problem(code="handover.number", message=f"{code[:40]} does not wait here", hint="look at the number, or choose from the list"),)
    return page(request, context, "handover/list.html", title, at=f"/handover/{name}", problems=shown(problems), rows=rows, name=name)


async def _delivery(request: Web, id: int, name: str, context: Context, problems: tuple[Problem, ...] = (), status: int = 200) -> Response[str]:
    newel = newel_of(request)
    d = await newel.documents.get(id, context)
    async with newel.database.read() as session:
        known = await keep.handed(session, id)
    lines = [{"item": x.item.number, "name": x.text, "quantity": x.quantity, "unit": x.unit} for x in d.lines if x.item]
    values: dict[str, Any] = {
        "d": d, "lines": lines, "known": known, "state": _(newel.registry.kind_of(d).state(d.state).label), "key": secrets.token_urlsafe(12),
        "packs": keep.PACKED in newel.registry.document_data, "own": d.data.get(keep.PACKED), "beside": newel.registry.manifests.keys() & {"prints", "labels"},
    }  # fmt: skip
    return page(request, context, f"handover/{name}.html", d.number, at=f"/handover/{name}", status=status, problems=shown(problems), **values)


@get("/load")
async def loads(request: Web) -> Response[Any]:
    """Deliveries that are picked."""
    return await _list(request, "load", _("Load"))


@get("/prove")
async def proofs(request: Web) -> Response[Any]:
    """Deliveries that are on their way."""
    return await _list(request, "prove", _("Hand over"))


@get("/load/{id:int}")
async def show_load(request: Web, id: FromPath[int]) -> Response[str]:
    """A delivery that is picked: its packages, and off it goes."""
    return await _delivery(request, id, "load", await _ours(request))


@post("/load/{id:int}", status_code=200)
async def load(request: Web, id: FromPath[int]) -> Response[Any]:
    """Send a delivery."""
    context, reader = await _ours(request), Reader(await request.form())
    given = {"packages": reader.whole("packages"), "weight": reader.decimal("weight"), "tracking": reader.text("tracking") or None}
    values = {name: str(v) if isinstance(v, Decimal) else v for name, v in given.items() if v is not None}
    if reader.problems:
        return await _delivery(request, id, "load", context, tuple(reader.problems), 422)
    try:
        d = await keep.load(newel_of(request), context, id, values, f"handover-{reader.text('key')[:40]}")
    except Refused as refused:
        if refused.status in (403, 404):
            raise
        return await _delivery(request, id, "load", context, refused.problems, refused.status)
    return redirect("/handover/load", flash(_("%(number)s is on its way.", number=d.number)))


@get("/prove/{id:int}")
async def show_prove(request: Web, id: FromPath[int]) -> Response[str]:
    """Who takes a delivery: name, signature, photo, place."""
    return await _delivery(request, id, "prove", await _ours(request))


@post("/prove/{id:int}", status_code=200, request_max_body_size=BODY_BYTES)
async def prove(request: Web, id: FromPath[int]) -> Response[Any]:
    """Keep who took a delivery."""
    newel, context, form = newel_of(request), await _ours(request), await request.form()
    text, limit = Reader(form).text, context.setting("attachments", AttachmentsSettings).size * 1_000_000 + 1
    sent = {n: Upload(f.filename, await f.read(limit)) for n in ("signature", "photo") if isinstance(f := form.get(n), UploadFile) and f.filename}
    try:
        degrees = {n: Decimal(text(n)[:20]) if text(n) else None for n in ("latitude", "longitude")}
        at = datetime.fromisoformat(text("at")) if text("at") else None
    except (ArithmeticError, ValueError):
        degrees, at = {}, None
    hand = keep.Hand(
        name=text("name"), signature=sent["signature"].content if "signature" in sent else b"", photo=sent.get("photo"),
        at=at if at and at.tzinfo else None, **degrees,
    )  # fmt: skip
    try:
        await keep.prove(newel, context, id, hand)
    except Refused as refused:
        if refused.status in (403, 404):
            raise
        return await _delivery(request, id, "prove", context, refused.problems, refused.status)
    return redirect("/handover/prove", flash(_("Handed over to %(name)s.", name=hand.name)))


handlers = [loads, proofs, show_load, load, show_prove, prove]
