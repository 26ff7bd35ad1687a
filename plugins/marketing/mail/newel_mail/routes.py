"""Pages to write a mail about a document (/mail/of/{id}) and to preview a template (/mail/preview/{id}); a mail server hands over at /api/mail/incoming."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath
from newel.domain.context import Context
from newel.errors import Refused
from newel.kernel_records import LANGUAGES
from newel.web import printing
from newel.web.auth import context_of, newel_of
from newel.web.forms import Reader
from newel.web.render import Web, flash, fragment, page, redirect, shown, templates
from newel.web.views_text import _, language

from newel_mail.ask import about, proposed, write
from newel_mail.rehearse import rehearse
from newel_mail.rules import TAKE, Letter
from newel_mail.take import take

BYTES = 4_000_000
File = tuple[str, str, bytes]


async def _page(request: Web, id: int, context: Context, letter: Letter | None = None, refused: Refused | None = None) -> Response[str]:
    newel, document = newel_of(request), await about(newel_of(request), id, context)
    label = f"{_(newel.registry.kind_of(document).label)} {document.number}".strip()
    return page(
        request, context, "mail/write.html", _("E-mail: %(what)s", what=label), status=refused.status if refused else 200, at=f"/documents/{document.kind}",
        problems=shown(refused.problems, str) if refused else [], back={"label": label, "url": f"/document/{id}"}, url=f"/mail/of/{id}",
        letter=letter or await proposed(newel, document, context),
    )  # fmt: skip


@get("/of/{id:int}")
async def show(request: Web, id: FromPath[int]) -> Response[str]:
    """Write a mail about a document."""
    return await _page(request, id, await context_of(request))


@post("/of/{id:int}", status_code=200)
async def send(request: Web, id: FromPath[int]) -> Response[Any]:
    """Send it."""
    newel, context, form = newel_of(request), await context_of(request), Reader(await request.form())
    letter = Letter(to=form.text("to"), subject=form.text("subject"), text=form.text("text").replace("\r\n", "\n"), printed=form.flag("printed"))
    await about(newel, id, context)
    try:
        await write(newel, id, letter, await _printed(request, id, context) if letter.printed else (), context)
    except Refused as refused:
        if refused.status != 422:
            raise
        return await _page(request, id, context, letter, refused)
    return redirect(f"/document/{id}", flash(_("The e-mail is on its way.")))


async def _printed(request: Web, id: int, context: Context) -> tuple[File, ...]:
    """The document on paper: as a plugin makes it, else as PDF, else as the page that the PDF is made of."""
    newel = newel_of(request)
    for manifest in newel.registry.manifests.values():
        if manifest.prints is not None:
            name, content = await manifest.prints(newel, id, context)
            return ((name, "application/pdf", content),)
    reader = language.get()
    paper = await printing.print_view(newel, id, context)
    title = f"{paper['kind_label']} {paper['number']}"
    body = templates(request).get_template("print.html").render(paper=paper, title=title, lang=language.get(), nonce="", screen=False, back="")
    language.set(reader)
    try:
        return ((f"{title}.pdf", "application/pdf", await asyncio.to_thread(printing.pdf, body)),)
    except Refused:  # no libraries that draw it
        return ((f"{title}.html", "text/html", body.encode()),)


@get("/preview/{id:int}")
async def preview(request: Web, id: FromPath[int]) -> Response[str]:
    """What a template makes of a document, also in other languages: ?document= its number. Alone for the box on the template's page, else with the frame."""
    newel, context, asked = newel_of(request), await context_of(request), request.query_params.get("document", "")[:60]
    status, problems = 200, []
    try:
        found = await rehearse(newel, id, asked, context)
    except Refused as refused:
        if refused.status != 422:
            raise
        status, problems, found = refused.status, shown(refused.problems, lambda _: "preview-document"), await rehearse(newel, id, "", context)
    values: dict[str, Any] = {"found": found, "asked": asked, "url": f"/mail/preview/{id}", "languages": dict(LANGUAGES)}
    if request.headers.get("hx-request"):
        return fragment(request, "mail/preview.html", **values)
    back = {"label": found.words.code, "url": f"/records/mail.template/{id}"}
    return page(request, context, "mail/preview_page.html", _("Preview"), at="/records/mail.template", status=status, problems=problems, back=back, **values)


@post("/incoming", status_code=200, opt={"api": True, "permission": TAKE}, request_max_body_size=BYTES)
async def receive(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Take a mail in, as it came (message/rfc822)."""
    taken = await take(newel_of(request), await request.body(), await context_of(request, source="mail"))
    return Response(msgspec.json.encode(taken), media_type="application/json")


handlers = [show, send, preview, receive]
