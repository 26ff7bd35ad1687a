"""The page where an administrator changes how documents look on paper: edit, see it as PDF, keep it as a version, go back."""

from __future__ import annotations

import asyncio
import base64
import io
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath
from newel.domain.context import Context
from newel.errors import Problem, Refused, missing
from newel.kernel_records import LANGUAGES
from newel.services.access import require
from newel.store.session import instant
from newel.web.auth import context_of, newel_of
from newel.web.render import Web, flash, page, redirect, shown
from newel.web.views_text import _
from PIL import Image

from newel_prints import rules
from newel_prints.keep import ours
from newel_prints.paper import load, made, pdf
from newel_prints.rules import BUILT_IN, PARTS, Layout

HOME, VIEW, EDIT = "/prints/layouts", "prints.layout.view", "prints.layout.edit"
LOGO_BYTES, LOGO_PIXELS, LOGO_EDGE = 2_000_000, 20_000_000, 700
LAST = "SELECT id FROM document WHERE company = ? AND (kind = ? OR ? = '') ORDER BY id DESC LIMIT 1"


async def _page(
    request: Web, context: Context, kind: str, tongue: str, filled: Layout | None = None, problems: tuple[Problem, ...] = (), status: int = 200
) -> Response[str]:
    newel = newel_of(request)
    async with newel.database.read() as session:
        known = [x for x in await load(session) if x.company == context.company.id]
        stamps = {
            r["id"]: (instant(r["entered_at"]), r["entered_by"])
            for r in await session.fetch("SELECT id, entered_at, entered_by FROM prints_layout WHERE company = ?", context.company.id)
        }
    versions = [x for x in reversed(known) if (x.kind, x.language) == (kind, tongue)]
    layout = filled or next((x for x in versions if x.active), Layout())
    kinds = sorted((k for k in newel.registry.documents.values() if context.user.may(f"{k.name}.view")), key=lambda k: _(k.label))
    changed = {(x.kind, x.language): x.active for x in known}
    values: dict[str, Any] = {
        "kinds": [("", _("All kinds of documents")), *((k.name, _(k.label)) for k in kinds)], "languages": [("", _("All languages")), *LANGUAGES],
        "kind": kind, "tongue": tongue, "versions": [(x, stamps[x.id]) for x in versions], "used": versions[0].id if versions and versions[0].active else 0,
        "parts": [{"name": n, "label": _(label), "help": _(help_), "value": getattr(layout, n) or BUILT_IN[n]} for n, label, help_ in PARTS],
        "logo": layout.logo, "may": context.user.may(EDIT), "wrong": {p.where: p.message for p in problems},
        "own": [(k, x) for (k, x), active in sorted(changed.items()) if active],
    }  # fmt: skip
    return page(request, context, "prints/layouts.html", _("Layouts of prints"), status=status, at=HOME, problems=shown(problems, str), **values)


@get("/layouts", opt={"permission": VIEW})
async def layouts(request: Web) -> Response[str]:
    """The layout of a kind of documents in a language. ?kind=, ?language=, ?version= of an earlier one."""
    context, asked = await context_of(request), request.query_params
    filled = await _version(request, context, asked["version"]) if asked.get("version", "").isdecimal() else None
    kind, tongue = (filled.kind, filled.language) if filled else (asked.get("kind", ""), asked.get("language", ""))
    return await _page(request, context, kind, tongue, filled)


async def _version(request: Web, context: Context, id: str) -> Layout:
    async with newel_of(request).database.read() as session:
        found = next((x for x in await session.cached("prints", load) if str(x.id) == id and x.company == context.company.id), None)
    if found is None:
        raise missing("layout", id, "version")
    return found


@post("/layouts", status_code=200, opt={"permission": EDIT}, request_max_body_size=LOGO_BYTES + 1_000_000)
async def change(request: Web) -> Response[Any]:
    """Keep a version, show it as PDF, or go back to the built-in one."""
    newel, context, form = newel_of(request), await context_of(request), await request.form()
    kind, tongue, do = (str(form.get(name, "")) for name in ("kind", "language", "do"))
    given = Layout(kind=kind, language=tongue, active=do != "back")
    try:
        texts = {n: str(form.get(n, "")).replace("\r\n", "\n").strip() for n, _label, _help in PARTS}
        given = msgspec.structs.replace(given, logo=await _logo(form), **{n: "" if t == BUILT_IN[n].strip() else t for n, t in texts.items()})
        if do == "preview":
            return await _shown(request, context, given)
        await newel.records.save("prints.layout", None, {f: getattr(given, f) for f in Layout.__struct_fields__ if f not in ("id", "company")}, context)
    except Refused as refused:
        return await _page(request, context, kind, tongue, given, refused.problems, refused.status)
    said = _("The layout is kept.") if given.active else _("The built-in layout is back.")
    return redirect(f"{HOME}?kind={kind}&language={tongue}", flash(said))


async def _shown(request: Web, context: Context, layout: Layout) -> Response[bytes]:
    """The last document of the kind in this layout, as PDF. Nothing is kept."""
    newel = newel_of(request)
    require(context, EDIT)
    if wrong := list(rules.check_layout(msgspec.structs.asdict(layout))):
        raise Refused(*wrong)
    async with newel.database.read() as session:
        id = await session.value(LAST, context.company.id, layout.kind, layout.kind)
    if id is None:
        raise Refused(Problem(code="prints.nothing", message="there is no document yet that could be shown", hint="enter one first"))
    paper = await made(newel, id, context, (layout.language,) if layout.language else (), layout)
    return Response(await asyncio.to_thread(pdf, paper), media_type="application/pdf", headers={"content-disposition": 'inline; filename="layout.pdf"'})


async def _logo(form: Any) -> str:
    """The picture of the form as a PNG in a data address, drawn anew: the file that was sent, else what was there."""
    sent = form.get("file")
    if form.get("without") == "true":
        return ""
    if not isinstance(sent, UploadFile) or not sent.filename:
        return str(form.get("logo", ""))
    return await asyncio.to_thread(_redrawn, await sent.read(LOGO_BYTES + 1))


def _redrawn(content: bytes) -> str:
    try:
        with Image.open(io.BytesIO(content), formats=["PNG", "JPEG"]) as image:
            if len(content) > LOGO_BYTES or image.width * image.height > LOGO_PIXELS:
                raise ValueError("it is too large")
            image.thumbnail((LOGO_EDGE, LOGO_EDGE))
            image.convert("RGBA").save(out := io.BytesIO(), "PNG", optimize=True)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        problem = Problem(code="prints.logo", message="a PNG or JPEG picture of at most 2 MB was expected", where="logo", hint="choose another file")
        raise Refused(problem) from error
    return f"data:image/png;base64,{base64.b64encode(out.getvalue()).decode()}"


@get("/layouts/{id:int}/style.css")
async def style(request: Web, id: FromPath[int]) -> Response[str]:
    """The styles of a layout, for the preview of documents."""
    context = await context_of(request)
    ours(context)
    return Response((await _version(request, context, str(id))).style, media_type="text/css; charset=utf-8")


handlers = [layouts, change, style]
