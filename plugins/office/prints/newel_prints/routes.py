"""Pages of prints (/prints), and prints for programs (/api/prints)."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath
from newel.errors import Problem, Refused
from newel.kernel_records import LANGUAGES
from newel.web.auth import context_of, newel_of
from newel.web.headers import nonce
from newel.web.operations import Call, operation
from newel.web.render import Web, fragment, page, redirect, shell, templates
from newel.web.views_text import _, language

from newel_prints import editing, keep
from newel_prints.keep import Kept

HTML = "text/html; charset=utf-8"


def tongues(text: str) -> tuple[str, ...]:
    """Languages with a comma, two at most; none for the party's.

    Raises:
        Refused: 422, there is no such language.
    """
    found = tuple(filter(None, text.split(",")))
    known = dict(LANGUAGES)
    if len(set(found)) != len(found) or len(found) > 2 or any(x not in known for x in found):
        hint = f"one of {', '.join(known)}, or two of them with a comma"
        raise Refused(Problem(code="prints.language", message=f"languages were expected, got {text!r:.40}", where="language", hint=hint))
    return found


@get("/of/{id:int}")
async def preview(request: Web, id: FromPath[int]) -> Response[str]:
    """The pages of a document, exactly as they are printed. ?language=de, or de,en for both side by side; ?print=1: printed at once."""
    newel, context = newel_of(request), await context_of(request)
    paper, copy = await keep.shown(newel, id, context, tongues(request.query_params.get("language", "")))
    theirs = (await newel.documents.get(id, context)).party
    values: dict[str, Any] = {
        "paper": paper, "copy": copy, "chosen": ",".join(paper.languages), "id": id, "at_once": request.query_params.get("print") == "1",
        "choices": _choices(theirs.language if theirs else "", language.get(), paper.languages),
        "shell": shell(request, newel, context), "nonce": nonce(request.scope), "lang": language.get(),
    }  # fmt: skip
    return Response(templates(request).get_template("prints/preview.html").render(**values), media_type=HTML)


def _choices(theirs: str, own: str, chosen: tuple[str, ...]) -> list[tuple[str, str]]:
    """(value, label): the party's language, ours, both, and then the others."""
    names = dict(LANGUAGES)
    first = theirs if theirs in names else own
    pairs = [(first, own)] if first != own else [(first, x) for x in names if x != first]
    found = [(first,), *([(own,)] if first != own else []), *pairs, *((x,) for x in names if x not in (first, own))]
    found += [chosen] if chosen not in found else []
    return [(",".join(c), " + ".join(names[x] for x in c)) for c in found]


@post("/of/{id:int}", status_code=200)
async def print_document(request: Web, id: FromPath[int]) -> Response[Any]:
    """Print: make the PDF, keep it, and show it; to a script that prints the page itself, say what was kept."""
    chosen = tongues(str((await request.form()).get("language", "")))
    kept, _content = await keep.printed(newel_of(request), id, await context_of(request), chosen)
    if request.headers.get("accept") == "application/json":
        return Response(msgspec.json.encode(kept), media_type="application/json")
    return redirect(f"/prints/kept/{kept.id}")


@get("/on/{id:int}")
async def on_document(request: Web, id: FromPath[int]) -> Response[str]:
    """What was printed of a document: alone for a box on its page, else with the frame."""
    newel, context = newel_of(request), await context_of(request)
    values: dict[str, Any] = {"kept": await keep.listed(newel, id, context), "names": dict(LANGUAGES)}
    if request.headers.get("hx-request"):
        return fragment(request, "prints/listed.html", **values)
    return page(request, context, "prints/page.html", _("Prints"), back={"label": _("Back"), "url": f"/document/{id}"}, **values)


@get("/kept/{id:int}")
async def show_kept(request: Web, id: FromPath[int]) -> Response[bytes]:
    """A print as it was made."""
    kept, content = await keep.content(newel_of(request), id, await context_of(request))
    return Response(content, media_type="application/pdf", headers={"content-disposition": f'inline; filename="{kept.file}"'})


# ---- programs ------------------------------------------------------------------------------------------------------------------------


class Content(Kept, frozen=True, kw_only=True):
    """A print with its PDF in base64."""

    content: str


@operation("GET", "/documents/{id}", answer=list[Kept], errors=(404,))
async def list_prints(call: Call) -> list[Kept]:
    """List the prints of a document, the last one first."""
    return await keep.listed(call.newel, call.path["id"], call.context)


@operation("POST", "/documents/{id}", answer=Content, status=201, errors=(404,))
async def make_print(call: Call) -> Content:
    """Print a document in its party's language, and keep it: the original, or a copy if there is one already."""
    kept, content = await keep.printed(call.newel, call.path["id"], call.context)
    return _content(kept, content)


@operation("GET", "/kept/{id}", answer=Content, errors=(404, 409))
async def get_print(call: Call) -> Content:
    """Read a print as it was made."""
    return _content(*await keep.content(call.newel, call.path["id"], call.context))


def _content(kept: Kept, content: bytes) -> Content:
    return Content(**{f: getattr(kept, f) for f in kept.__struct_fields__}, content=base64.b64encode(content).decode())


handlers = [preview, print_document, on_document, show_kept, list_prints, make_print, get_print, *editing.handlers]
