"""Labels as a page and as PDF, with the same parameters; and the form where one chooses."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar import Response, get
from litestar.params import FromPath
from newel.domain.context import Context
from newel.errors import Problem, Refused
from newel.web.auth import context_of, newel_of
from newel.web.headers import nonce
from newel.web.printing import laid_out
from newel.web.render import Web, fragment, page, templates
from newel.web.views_text import _, language

from newel_labels import facts, rules
from newel_labels.rules import Label, LabelsSettings, Layout, Paper

STYLES = Path(__file__).parent / "static" / "labels" / "labels.css"
WHAT = ("items", "places", "document", "parcel", "numbers")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What the address says."""

    items: str = ""
    places: str = ""
    numbers: str = ""
    document: int = 0
    parcel: int = 0
    copies: int = 1
    lot: str = ""
    layout: Layout = "item"
    paper: Paper | None = None


def asked(request: Web) -> Asked:
    """The parameters.

    Raises:
        Refused: 422, naming the one that is wrong.
    """
    known = {k: v for k, v in request.query_params.items() if k in Asked.__struct_fields__ and v}
    try:
        found = msgspec.convert(known, Asked, strict=False)
    except msgspec.ValidationError as error:
        raise Refused(Problem(code="labels.written", message=str(error), hint="the README of labels lists the parameters")) from error
    if not 1 <= found.copies <= rules.COPIES or len(found.lot) > 20 or not found.lot.isascii():
        hint = f"copies: 1 to {rules.COPIES}; lot: at most 20 letters and digits"
        raise Refused(Problem(code="labels.written", message=f"got {found.copies} copies and the lot {found.lot!r:.30}", where="copies", hint=hint))
    return found


async def _labels(request: Web, wanted: Asked, context: Context) -> list[Label]:
    newel, found = newel_of(request), []
    facts.ours(context)
    if wanted.items:
        found += await facts.items(newel, rules.counted(wanted.items, wanted.copies), context, wanted.layout, wanted.lot)
    if wanted.numbers:
        found += await facts.numbered(newel, wanted.numbers.split(), wanted.copies, context, wanted.layout, wanted.lot)
    if wanted.places:
        found += await facts.places(newel, rules.counted(wanted.places, wanted.copies), context)
    if wanted.document:
        found += await facts.goods(newel, wanted.document, wanted.copies, context, wanted.layout)
    if wanted.parcel:
        found += await facts.parcel(newel, wanted.parcel, wanted.copies, context)
    return rules.all_of(found)


def _paper(wanted: Asked, context: Context) -> str:
    return "roll" if wanted.parcel else wanted.paper or context.setting("labels", LabelsSettings).paper


def _body(request: Web, labels: list[Label], paper: str) -> str:
    pages = [labels[i : i + rules.SHEET] for i in range(0, len(labels), rules.SHEET)] if paper == "sheet" else [[label] for label in labels]
    return templates(request).get_template("labels/sheet.html").render(pages=pages, paper=paper)


@get("/")
async def show(request: Web) -> Response[str]:
    """Labels as they are printed; without parameters the form where one chooses. print=1: the print dialog opens at once."""
    context = await context_of(request)
    facts.ours(context)
    if not any(request.query_params.get(name) for name in WHAT):
        default = context.setting("labels", LabelsSettings).paper
        return page(request, context, "labels/choose.html", _("Labels"), paper=default, most=rules.COPIES)
    wanted = asked(request)
    labels, paper = await _labels(request, wanted, context), _paper(wanted, context)
    back = f"/document/{id}" if (id := wanted.document or wanted.parcel) else "/labels"
    query = urlencode({k: v for k, v in request.query_params.items() if k != "print"})
    body = templates(request).get_template("labels/preview.html").render(
        body=_body(request, labels, paper), count=len(labels), back=back, pdf=f"/labels/pdf?{query}", nonce=nonce(request.scope), lang=language.get(),
        at_once=request.query_params.get("print") == "1",
    )  # fmt: skip
    return Response(body, media_type="text/html; charset=utf-8")


@get("/pdf")
async def show_pdf(request: Web) -> Response[bytes]:
    """The same labels as PDF."""
    context, wanted = await context_of(request), asked(request)
    body = _body(request, await _labels(request, wanted, context), _paper(wanted, context))
    head = f"<title>{_('Labels')}</title><style>{STYLES.read_text('utf-8')}</style>"
    text = f'<!doctype html><html lang="{language.get()}"><head>{head}</head><body>{body}</body></html>'
    content = await asyncio.to_thread(lambda: bytes(laid_out(text).write_pdf() or b""))
    return Response(content, media_type="application/pdf", headers={"content-disposition": 'inline; filename="labels.pdf"'})


@get("/of/{id:int}")
async def of_document(request: Web, id: FromPath[int]) -> Response[str]:
    """Links to the labels of a document: alone for a box on its page, else with the frame."""
    context = await context_of(request)
    facts.ours(context)
    found = await newel_of(request).documents.get(id, context)
    goods = len({line.item.id for line in found.lines if line.item is not None and line.item.stocked})
    values: dict[str, Any] = {"id": id, "goods": goods, "parcel": bool(found.number and found.party)}
    if request.headers.get("hx-request"):
        return fragment(request, "labels/links.html", **values)
    return page(request, context, "labels/page.html", _("Labels"), back={"label": _("Back"), "url": f"/document/{id}"}, **values)


handlers = [show, show_pdf, of_document]
