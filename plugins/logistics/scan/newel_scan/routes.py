"""Pages for one thumb (/scan), and scans for programs (/api/scan)."""

from __future__ import annotations

import asyncio
import base64
import secrets
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from litestar import Response, get, post
from litestar.params import FromPath
from msgspec import Meta
from newel.domain.context import Context
from newel.errors import Problem, Refused, missing
from newel.web import api_types as a
from newel.web import menu
from newel.web.auth import context_of, newel_of
from newel.web.forms import Reader
from newel.web.operations import Call, operation
from newel.web.render import Web, flash, page, redirect, shown
from newel.web.views_text import _

from newel_scan import facts, keep
from newel_scan.keep import Given, allowed
from newel_scan.pictures import photo, read_codes
from newel_scan.rules import COUNT, FREE, MOVE, PICK, RECEIVE, RETURN
from newel_scan.views import labels, said_step, task_view

BODY_BYTES = 25_000_000
ICONS = {PICK: "basket", RECEIVE: "package", RETURN: "arrow-back-up", COUNT: "calculator", MOVE: "arrows-exchange"}


async def _ours(request: Web) -> Context:
    context = await context_of(request)
    allowed(context)
    return context


def reasons() -> tuple[str, ...]:
    """Why less was there than was wanted."""
    return _("not found"), _("too few there"), _("damaged"), _("no time"), _("something else")


# ---- lists -----------------------------------------------------------------------------------------------------------------------------


@get("/")
async def home(request: Web) -> Response[str]:
    """What there is to do."""
    context = await _ours(request)
    counts = await facts.counts(newel_of(request), context)
    tiles = [{"url": f"/scan/tasks/{kind}", "label": label, "icon": ICONS[kind], "count": counts[kind]} for kind, label in labels().items()]
    tiles += [{**box, "icon": "truck-delivery"} for box in menu.boxes(newel_of(request), context, "scan.start")]
    return page(request, context, "scan/home.html", _("Scan"), at="/scan", tiles=tiles)


@get("/tasks/{kind:str}")
async def tasks(request: Web, kind: FromPath[str]) -> Response[str]:
    """What waits of one kind; ?code= goes to the document whose number was scanned."""
    return await _tasks(request, kind, await _ours(request))


async def _tasks(request: Web, kind: str, context: Context, problems: tuple[Problem, ...] = (), status: int = 200) -> Response[Any]:
    newel = newel_of(request)
    if kind not in ICONS:
        raise missing("task", kind, "kind")
    code = request.query_params.get("code", "").strip()
    rows = await facts.waiting(newel, context, kind)
    found = next((r for r in rows if code and r.number == code), None)
    if code and found is None:
        problems = (*problems, Problem(code="scan.document", message=f"{code[:40]} does not wait here", hint="look at the number, or choose from the list"))
    elif found is not None:
        return redirect(f"/scan/task/{await keep.start(newel, context, kind, source=found.id)}")
    async with newel.database.read() as session:
        places = await facts.places(session, context) if kind in FREE else []
        begun = await facts.free_tasks(session, context, kind) if kind in FREE else []
    values = {"kind": kind, "rows": rows, "places": places, "begun": begun, "free": kind in FREE, "move": kind == MOVE}
    return page(request, context, "scan/tasks.html", labels()[kind], at="/scan", status=status, problems=shown(problems), **values)


@post("/tasks/{kind:str}", status_code=200)
async def start(request: Web, kind: FromPath[str]) -> Response[Any]:
    """Begin a task."""
    context, reader = await _ours(request), Reader(await request.form())
    ends = {name: reader.whole(name) for name in ("source", "place", "target")}
    try:
        id = await keep.start(newel_of(request), context, kind, **ends)
    except Refused as refused:
        if refused.status in (403, 404):
            raise
        return await _tasks(request, kind, context, refused.problems, refused.status)
    return redirect(f"/scan/task/{id}")


# ---- a task ----------------------------------------------------------------------------------------------------------------------------


async def _task(request: Web, id: int, context: Context, problems: tuple[Problem, ...] = (), status: int = 200) -> Response[str]:
    newel = newel_of(request)
    async with newel.database.read() as session:
        task = await facts.task(newel, session, context, id)
        view = await task_view(newel, session, context, task)
    latest = next((said_step(s) for s in task.steps if str(s.id) == request.query_params.get("step")), None)
    values: dict[str, Any] = {
        "task": task, "view": view, "latest": latest, "asked": latest if latest and latest["problem"] == "scan.lot" else None,
        "why": any(p.code == "scan.reason" for p in problems), "key": secrets.token_urlsafe(12), "reasons": reasons(),
        "beside": newel.registry.manifests.keys() & {"prints", "labels"},
    }  # fmt: skip
    return page(request, context, "scan/task.html", view["title"], at="/scan", status=status, problems=shown(problems), **values)


@get("/task/{id:int}")
async def show(request: Web, id: FromPath[int]) -> Response[str]:
    """A task: scan, see what is left, finish."""
    return await _task(request, id, await _ours(request))


@post("/task/{id:int}/steps", status_code=200, request_max_body_size=BODY_BYTES)
async def scan(request: Web, id: FromPath[int]) -> Response[Any]:
    """Take a scan, typed or as a photo of the barcode."""
    newel, context, form = newel_of(request), await _ours(request), await request.form()
    reader, picture = Reader(form), await photo(form, "photo")
    code = reader.text("code") or next(iter(await asyncio.to_thread(read_codes, picture) if picture else []), "")
    quantity, expiry = reader.decimal("quantity"), reader.day("expiry")
    problems = tuple(reader.problems)
    if not code:
        problems = (*problems, Problem(code="scan.empty", message="there is no barcode", where="code", hint="scan one, or type the number of the item"))
    if problems:
        return await _task(request, id, context, problems, 422)
    key = reader.text("key")[:64] or secrets.token_urlsafe(12)
    made = await keep.step(newel, context, id, Given(key=key, code=code[:200], quantity=quantity, lot=reader.text("lot")[:60], expiry=expiry))
    return redirect(f"/scan/task/{id}?step={made.id}")


@post("/task/{id:int}/undo", status_code=200)
async def undo(request: Web, id: FromPath[int]) -> Response[Any]:
    """Take a scan back, or take note of one that was refused."""
    step = Reader(await request.form()).whole("step")
    await keep.undo(newel_of(request), await _ours(request), id, step or 0)
    return redirect(f"/scan/task/{id}")


@post("/task/{id:int}/finish", status_code=200)
async def finish(request: Web, id: FromPath[int]) -> Response[Any]:
    """Finish a task, or give it up."""
    newel, context, reader = newel_of(request), await _ours(request), Reader(await request.form())
    if reader.text("do") == "drop":
        await keep.drop(newel, context, id)
        return redirect("/scan", flash(_("Given up; nothing has moved.")))
    try:
        await keep.finish(newel, context, id, reason=reader.text("reason"), absent=reader.flag("absent"))
    except Refused as refused:
        if refused.status in (403, 404):
            raise
        return await _task(request, id, context, refused.problems, refused.status)
    return redirect(f"/scan/task/{id}")


@post("/task/{id:int}/post", status_code=200)
async def post_count(request: Web, id: FromPath[int]) -> Response[Any]:
    """Post the differences of a count."""
    newel, context = newel_of(request), await _ours(request)
    async with newel.database.read() as session:
        task = await facts.task(newel, session, context, id)
    if task.kind != COUNT or not task.result:
        raise missing("count", id, "id")
    try:
        await newel.documents.act(task.result, "post", context, key=f"scan-{id}-post")
    except Refused as refused:
        if refused.status in (403, 404):
            raise
        return await _task(request, id, context, refused.problems, refused.status)
    return redirect(f"/scan/task/{id}", flash(_("The differences are posted.")))


# ---- programs --------------------------------------------------------------------------------------------------------------------------


class StepIn(a.Input, frozen=True, kw_only=True):
    """A scan. key: of the device that sends it, so that it counts once; quantity: in the item's unit; at: when, by the device's clock."""

    key: Annotated[str, Meta(min_length=1, max_length=64, pattern=a.ONE_LINE)]
    code: Annotated[str, Meta(min_length=1, max_length=200)]
    quantity: a.Number | None = None
    lot: Annotated[str, Meta(max_length=60, pattern=a.ONE_LINE)] = ""
    expiry: a.Day | None = None
    at: datetime | None = None


class StepOut(a.Input, frozen=True, kw_only=True):
    """What became of a scan. state: ok, refused, ask (for a lot), place (the label of one) or undone; problem: why it was refused."""

    id: int
    key: str
    code: str
    state: str
    line: int
    item: str
    quantity: str
    unit: str
    lot: str
    place: str
    by: str
    problem: str = ""
    message: str = ""
    hint: str = ""


class PictureIn(a.Input, frozen=True, kw_only=True):
    """A picture (JPEG, PNG or WebP) in base64."""

    image: str


@operation("POST", "/tasks/{id}/steps", body=StepIn, answer=StepOut, errors=(404,))
async def add_step(call: Call) -> StepOut:
    """Take a scan, or say why it is refused; sent again under its key, it is answered as before and counts once."""
    b: StepIn = call.body
    at = b.at if b.at and b.at.tzinfo else None
    quantity = None if b.quantity is None else Decimal(b.quantity)
    given = Given(key=b.key, code=b.code, quantity=quantity, lot=b.lot, expiry=b.expiry, at=at)
    return StepOut(**said_step(await keep.step(call.newel, call.context, call.path["id"], given)))


@operation("POST", "/read", body=PictureIn, answer=list[str])
async def read(call: Call) -> list[str]:
    """Read the barcodes in a picture, each as a scanner would send it."""
    allowed(call.context)
    try:
        content = base64.b64decode(call.body.image, validate=True)
    except ValueError as error:
        raise Refused(Problem(code="scan.base64", message="base64 was expected", where="image", hint="encode the picture's bytes")) from error
    return await asyncio.to_thread(read_codes, content)


handlers = [home, tasks, start, show, scan, undo, finish, post_count, add_step, read]
