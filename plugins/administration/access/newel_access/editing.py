"""The page /access/file: a file of roles comes in, says what it would change, and is carried out when somebody says yes."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from newel.errors import Problem, Refused
from newel.services.access import require
from newel.web.auth import context_of, newel_of
from newel.web.render import Web, flash, page, redirect, shown
from newel.web.views_text import _

from newel_access import take, work

HOME, URL, BYTES = "/access", "/access/file", 100_000
SEE = {"permission": "newel.role_permission.view"}


async def _page(request: Web, refused: Refused | None = None, **values: Any) -> Response[str]:
    status, problems = (refused.status, shown(refused.problems, str)) if refused else (200, [])
    return page(request, await context_of(request), "access/file.html", _("Roles from a file"), at=HOME, status=status, problems=problems, url=URL, **values)


@get("/file", opt=SEE)
async def show(request: Web) -> Response[str]:
    """Where a file is sent to."""
    require(await context_of(request), work.EDIT)
    return await _page(request)


@post("/file", opt=SEE, status_code=200, request_max_body_size=4 * BYTES)
async def bring(request: Web) -> Response[Any]:
    """Form fields file, or text, what the file says; agreed: what somebody has looked at. Without it nothing is changed."""
    newel, context, form = newel_of(request), await context_of(request), await request.form()
    require(context, work.EDIT)
    file, given = form.get("file"), form.get("text")
    agreed = form.get("agreed") if isinstance(form.get("agreed"), str) else None
    try:
        raw = await file.read(BYTES + 1) if isinstance(file, UploadFile) and file.filename else (given if isinstance(given, str) else "").encode()
        if not raw.strip() or len(raw) > BYTES:
            problem = Problem(
                code="access.file", message=f"a file of at most {BYTES} bytes was expected, got {len(raw)}", where="file", hint="choose another one"
            )
            raise Refused(problem)
        text = raw.decode("utf-8-sig", "replace").replace("\r\n", "\n")
        found, refused = await take.take(newel, text, context, agreed)
    except Refused as wrong:
        if wrong.status in (403, 404):
            raise
        return await _page(request, wrong)
    if agreed is not None and refused is None:
        changed = sum(bool(r.new or r.more or r.less) for r in found)
        return redirect(f"{HOME}/roles", flash(_("%(count)s roles are as the file says.", count=len(found)), "ok" if changed else "note"))
    return await _page(request, refused, found=found, text=text, seen=take.seen(found), possible=refused is None)


handlers = [show, bring]
