"""Pages of parts: GET /parts, GET and POST /parts/products/{item}, POST .../pictures."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath
from newel.domain.document import DocumentInput, LineInput
from newel.errors import Problem, Refused, missing
from newel.web.auth import context_of, newel_of
from newel.web.forms import Reader
from newel.web.render import Web, flash, page, redirect
from newel.web.render import shown as problems_of
from newel.web.views_text import _

from newel_parts import facts, rules
from newel_parts.redraw import drawn
from newel_parts.rules import ORDER, PartsSettings

SEE = {"permission": "parts.catalogue"}


@get("/", opt=SEE)
async def index(request: Web) -> Response[str]:
    """Products with parts lists, and the last orders."""
    newel, context = newel_of(request), await context_of(request)
    async with newel.database.read() as session:
        found, ordered = await facts.products(session), await facts.orders(session, context)
    labels = {s.name: s.label for s in newel.registry.kind(ORDER).states}
    return page(request, context, "parts/index.html", _("Spare parts"), products=found, orders=ordered, labels=labels, digits=context.company.amount_digits)


@get("/products/{item:int}", opt=SEE)
async def product(request: Web, item: FromPath[int]) -> Response[str]:
    """The parts of a product with pictures, the user's own prices and stock."""
    return await _product(request, item)


async def _product(request: Web, item: int, problems: tuple[Problem, ...] = (), given: Any = None) -> Response[str]:
    newel, context = newel_of(request), await context_of(request)
    async with newel.database.read() as session:
        head = next((p for p in await facts.products(session) if p["id"] == item), None)
        if head is None:
            raise missing("parts list", item)
        parts, images = await facts.listed(session, item), await facts.pictures(session, item)
        stock = await facts.free(session, sorted({p["item"] for p in parts}), context)
        entered = DocumentInput(lines=tuple(LineInput(item=p["item"]) for p in parts))
        priced = await newel.documents.preview(ORDER, entered, context, session=session) if parts else None
    settings = context.setting("parts", PartsSettings)
    for part, line in zip(parts, priced.document.lines if priced else (), strict=True):
        part["price"] = line.net if line.steps else None
        part["ours"] = facts.shown(settings, stock[part["item"]][0]) if context.user.party else stock[part["item"]][0]
        part["theirs"] = stock[part["item"]][1]
    view = {"parts": parts, "images": images, "given": given or {}, "currency": priced.document.currency if priced else "", "head": head}
    may = {"orders": context.user.may(f"{ORDER}.edit"), "uploads": context.user.may("parts.picture.edit"), "guest": context.user.party is not None}
    status = 422 if problems else 200
    title = f"{head['number']} {head['name']}"
    return page(request, context, "parts/product.html", title, status=status, problems=problems_of(problems), view=view, may=may,
                digits=context.company.amount_digits)  # fmt: skip


@post("/products/{item:int}", opt=SEE)
async def order(request: Web, item: FromPath[int]) -> Response[Any]:
    """Order what was entered; a repair point orders at once, our own people get a draft."""
    newel, context, form = newel_of(request), await context_of(request), await request.form()
    reader = Reader(form)
    wanted = [(int(n[2:]), reader.decimal(n, n)) for n in form if n.startswith("q-") and n[2:].isdigit() and reader.text(n)]
    lines = tuple(LineInput(item=number, quantity=quantity) for number, quantity in wanted if quantity)
    problems = tuple(reader.problems)
    if not lines and not problems:
        problems = (Problem(code="parts.nothing", message="no quantity is entered", hint="enter how many you want of a part"),)
    if not problems:
        then = ("confirm",) if context.user.party is not None else ()
        entered = DocumentInput(lines=lines, reference=reader.text("reference"))
        try:
            made = await newel.documents.create(ORDER, entered, context, then=then, key=reader.text("once") or None)
        except Refused as refused:
            if refused.status == 403:
                raise
            problems = tuple(refused.problems)
        else:
            return redirect(f"/document/{made.document.id}", flash(_("Ordered.") if then else _("Saved: choose the customer, then confirm.")))
    return await _product(request, item, problems, {n: reader.text(n) for n in form})


@post("/products/{item:int}/pictures", opt={"permission": "parts.picture.edit"})
async def add_picture(request: Web, item: FromPath[int]) -> Response[Any]:
    """Add a picture to a product."""
    newel, context, form = newel_of(request), await context_of(request), await request.form()
    sent = form.get("picture")
    if not isinstance(sent, UploadFile):
        return await _product(request, item, (Problem(code="parts.picture", message="a picture was expected", hint="choose a file"),))
    content = await sent.read(rules.IMAGE_BYTES + 1)
    image = f"data:{sent.content_type};base64,{base64.b64encode(content).decode()}"
    if problems := tuple(rules.check_picture(image)):
        return await _product(request, item, problems)
    try:
        values = {"product": item, "name": (sent.filename or "")[:120], "image": await asyncio.to_thread(drawn, image)}
        await newel.records.save("parts.picture", None, values, context)
    except Refused as refused:
        return await _product(request, item, tuple(refused.problems))
    return redirect(f"/parts/products/{item}", flash(_("The picture is there.")))


handlers = [index, product, order, add_picture]
