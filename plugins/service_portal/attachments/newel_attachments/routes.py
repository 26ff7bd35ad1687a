"""Files on pages (/attachments) and for programs (/api/attachments)."""

from __future__ import annotations

import base64
from typing import Annotated, Any
from urllib.parse import quote

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath
from msgspec import Meta
from newel.domain.context import Context
from newel.errors import Problem, Refused
from newel.web import api_types as a
from newel.web.auth import context_of, newel_of
from newel.web.operations import Call, Id, operation
from newel.web.render import Web, flash, fragment, page, redirect, shell, shown
from newel.web.views_text import _

from newel_attachments import keep
from newel_attachments.keep import ADD, DOCUMENT, FileView
from newel_attachments.rules import AttachmentsSettings, Upload

BODY_BYTES = 60_000_000  # of one request with several files
SANDBOX = "sandbox; default-src 'none'; img-src 'self'; style-src 'unsafe-inline'"
Of = Annotated[str, Meta(max_length=60, pattern="^(document|[a-z][a-z0-9_]*[.][a-z0-9_]+)$(?!\\n)")]


# ---- pages -----------------------------------------------------------------------------------------------------------------------------


def place(kind: str, id: int) -> str:
    """The page of what a file is on."""
    return f"/document/{id}" if kind == DOCUMENT else f"/records/{kind}/{id}"


async def uploads(request: Web, field: str = "files") -> list[Upload]:
    """The files of a form, none of them larger than may be kept and a byte; fields that were left empty are none."""
    limit = (await context_of(request)).setting("attachments", AttachmentsSettings).size * 1_000_000 + 1
    sent = [f for f in (await request.form()).getall(field, []) if isinstance(f, UploadFile) and f.filename]
    return [Upload(f.filename, await f.read(limit)) for f in sent]


async def _show(request: Web, kind: str, id: int, context: Context, problems: tuple[Problem, ...] = (), status: int = 200) -> Response[str]:
    """The files of one document or record: alone for a box on its page, else with the frame."""
    newel = newel_of(request)
    settings = context.setting("attachments", AttachmentsSettings)
    found, title = await keep.listed(newel, kind, id, context), await keep.about(newel, kind, id, context)
    values: dict[str, Any] = {
        "files": [f for f in found if f.removed_at is None], "removed": [f for f in found if f.removed_at is not None], "url": f"/attachments/of/{kind}/{id}",
        "may": {"add": context.user.may(ADD), "manage": keep.manages(context)}, "guest": context.user.party is not None, "login": context.user.login,
        "accept": ",".join(f".{t}" for t in settings.types.split()), "size": settings.size,
    }  # fmt: skip
    if request.headers.get("hx-request"):
        return fragment(request, "attachments/files.html", shell=shell(request, newel, context), **values)
    back = {"label": title, "url": place(kind, id)}
    return page(request, context, "attachments/page.html", _("Files"), status=status, problems=shown(problems), back=back, **values)


@get("/of/{kind:str}/{id:int}")
async def show(request: Web, kind: FromPath[str], id: FromPath[int]) -> Response[str]:
    """The files of a document (kind "document") or record."""
    return await _show(request, kind, id, await context_of(request))


@post("/of/{kind:str}/{id:int}", status_code=200, request_max_body_size=BODY_BYTES)
async def upload(request: Web, kind: FromPath[str], id: FromPath[int]) -> Response[Any]:
    """Attach the files that were chosen."""
    context, form = await context_of(request), await request.form()
    try:
        made = await keep.add(newel_of(request), kind, id, await uploads(request), context, shared=form.get("shared") == "true")
    except Refused as refused:
        if refused.status in (403, 404):
            raise
        return await _show(request, kind, id, context, refused.problems, refused.status)
    return redirect(place(kind, id), flash(_("%(count)s files are there.", count=len(made)) if len(made) > 1 else _("The file is there.")))


@get("/files/{id:int}")
async def download(request: Web, id: FromPath[int]) -> Response[bytes]:
    """A file. Pictures, which we have drawn ourselves, are shown; everything else is saved and never opened here. ?preview=1: a small picture."""
    small = request.query_params.get("preview") == "1"
    view, content = await keep.content(newel_of(request), id, await context_of(request), preview=small)
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in view.name)
    said = f"{'inline' if view.picture else 'attachment'}; filename=\"{plain}\"; filename*=UTF-8''{quote(view.name, safe='')}"
    headers = {"content-disposition": said, "content-security-policy": SANDBOX, "x-content-type-options": "nosniff"}
    return Response(content, media_type=view.media_type, headers=headers)


@post("/files/{id:int}/share", status_code=200)
async def share(request: Web, id: FromPath[int]) -> Response[Any]:
    """Share a file with the party, or no longer."""
    shared = (await request.form()).get("shared") == "true"
    view = await keep.share(newel_of(request), id, shared, await context_of(request))
    return redirect(place(view.kind, view.record), flash(_("The file is shared.") if shared else _("The file is no longer shared.")))


@post("/files/{id:int}/remove", status_code=200)
async def remove(request: Web, id: FromPath[int]) -> Response[Any]:
    """Take a file away."""
    view = await keep.remove(newel_of(request), id, await context_of(request))
    return redirect(place(view.kind, view.record), flash(_("%(name)s is removed.", name=view.name)))


# ---- programs --------------------------------------------------------------------------------------------------------------------------


class FilesIn(a.Input, frozen=True, kw_only=True):
    """Whose files. of: "document", or name of the record kind."""

    of: Of
    id: Id


class FileIn(a.Input, frozen=True, kw_only=True):
    """A file. content: in base64; of: "document", or name of the record kind; shared: also for users who stand for a party."""

    of: Of
    id: Id
    name: Annotated[str, Meta(min_length=1, max_length=400, pattern=a.ONE_LINE)]
    content: str
    shared: bool = False


class ShareIn(a.Input, frozen=True, kw_only=True):
    """Whether users who stand for a party see it."""

    shared: bool


class ContentOut(FileView, frozen=True, kw_only=True):
    """A file with its content, in base64."""

    content: str


@operation("GET", "/files", query=FilesIn, answer=list[FileView], errors=(404,))
async def list_files(call: Call) -> list[FileView]:
    """List the files of a document or record that you may see."""
    return await keep.listed(call.newel, call.query.of, call.query.id, call.context)


@operation("POST", "/files", body=FileIn, answer=int, status=201, errors=(404,))
async def add_file(call: Call) -> int:
    """Attach a file; answers with its id. What you see there already is not kept twice, so that it may be sent again."""
    b: FileIn = call.body
    try:
        content = base64.b64decode(b.content, validate=True)
    except ValueError as error:
        raise Refused(Problem(code="attachments.base64", message="base64 was expected", where="content", hint="encode the file's bytes")) from error
    (id,) = await keep.add(call.newel, b.of, b.id, [Upload(b.name, content)], call.context, shared=b.shared)
    return id


@operation("GET", "/files/{id}", answer=ContentOut, errors=(404,))
async def get_file(call: Call) -> ContentOut:
    """Read a file with its content."""
    view, content = await keep.content(call.newel, call.path["id"], call.context)
    return ContentOut(**{f: getattr(view, f) for f in view.__struct_fields__}, content=base64.b64encode(content).decode())


@operation("POST", "/files/{id}/share", body=ShareIn, errors=(404,))
async def share_file(call: Call) -> None:
    """Share a file with users who stand for a party, or no longer."""
    await keep.share(call.newel, call.path["id"], call.body.shared, call.context)


@operation("DELETE", "/files/{id}", errors=(404,))
async def remove_file(call: Call) -> None:
    """Take a file away."""
    await keep.remove(call.newel, call.path["id"], call.context)


handlers = [show, upload, download, share, remove, list_files, add_file, get_file, share_file, remove_file]
