"""The JSON API: every operation, its published schema and a page that shows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import Request, get
from litestar.response import Response, Template

from newel.web import api_admin, api_documents, api_meta, api_records, api_views
from newel.web.auth import newel_of
from newel.web.headers import nonce
from newel.web.openapi import document, outline
from newel.web.operations import Operation, handler

OPERATIONS: tuple[Operation, ...] = (*api_meta.operations, *api_admin.operations, *api_views.operations, *api_documents.operations, *api_records.operations)


def _schema(request: Request[Any, Any, Any]) -> bytes:
    """The schema of this install, made when first asked for."""
    state = request.app.state
    if "openapi" not in state:
        more: Sequence[tuple[str, Operation]] = state.get("operations", ())
        state.openapi = msgspec.json.encode(document(newel_of(request), [("", op) for op in OPERATIONS] + list(more)))
    made: bytes = state.openapi
    return made


@get("/api/openapi.json", include_in_schema=False)
async def schema(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The OpenAPI 3.1 document."""
    return Response(_schema(request), media_type="application/vnd.oai.openapi+json;version=3.1")


@get("/api/docs", include_in_schema=False)
async def docs(request: Request[Any, Any, Any]) -> Template:
    """The same for people: plain HTML from the schema, without a script."""
    context = {"nonce": nonce(request.scope), "title": "API", "groups": outline(msgspec.json.decode(_schema(request)))}
    return Template("api_docs.html", context=context)


handlers = [schema, docs, *(handler(op) for op in OPERATIONS)]
