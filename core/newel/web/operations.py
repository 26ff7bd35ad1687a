"""One operation of the JSON API: what it takes and gives, as types. Checks, routes and the published schema all come from them.

    @operation("GET", "/widgets/{id}", answer=WidgetOut, errors=(404,))
    async def get_widget(call: Call) -> WidgetOut: ...

A plugin puts its operations into the list that its manifest names as `routes`; they are served under /api/<plugin>.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Annotated, Any

import msgspec
from litestar import Request, route
from litestar.response import Response
from msgspec import Meta

from newel.domain.context import Context
from newel.errors import Problem, Refused
from newel.manifest import Field
from newel.services.app import Newel
from newel.web.auth import context_of, newel_of
from newel.web.errors import from_msgspec

JSON_BYTES = 4_000_000
DEEPEST = 32
ID_MAX = 2**53
ALWAYS = (400, 401, 403, 422)
READING = ("GET", "HEAD")

END = r"$(?!\n)"  # in Python, $ alone also stands before a last newline
Id = Annotated[int, Meta(ge=1, le=ID_MAX)]
Name = Annotated[str, Meta(min_length=1, max_length=60, pattern="^[a-z][a-z0-9_]*" + END)]
Kind = Annotated[str, Meta(min_length=3, max_length=60, pattern="^[a-z][a-z0-9_]*[.][a-z0-9_]+" + END)]
FlowName = Annotated[str, Meta(min_length=1, max_length=121, pattern="^([a-z][a-z0-9_]*[.][a-z0-9_]+:)?[a-z][a-z0-9_]*" + END)]
PATH: dict[str, Any] = {"kind": Kind, "id": Id, "hold": Id, "token": Id, "transition": Name, "flow": FlowName, "name": Kind, "plugin": Name, "session": Id}
ETAG = re.compile(r'^(?:W/)?"?(\d{1,15})"?$')
WHOLE = re.compile(r"-?\d{1,18}", re.ASCII)
PLACEHOLDER = re.compile(r"{(\w+)}")


class Call:
    """What an operation gets. path: parameters by name; query and body: its structs; key: the idempotency key, if one was sent."""

    __slots__ = ("body", "context", "key", "match", "newel", "path", "query", "request")

    def __init__(self, request: Request[Any, Any, Any], context: Context) -> None:
        self.request, self.context = request, context
        self.newel: Newel = newel_of(request)
        self.path: dict[str, Any] = {}
        self.query: Any = None
        self.body: Any = None
        self.key: str | None = None
        self.match: int | None = None

    def convert(self, values: dict[str, str], kind: Any) -> Any:
        """Parameters of the address as a struct; Refused 400 where they are not valid."""
        return _converted(values, kind, "")

    def given(self) -> dict[str, str]:
        """The parameters of the address, each once, for operations that read them themselves (free_query)."""
        found: dict[str, str] = {}
        for name, value in self.request.query_params.multi_items():
            plain(name, "")
            plain(value, name[:60])
            if name in found:
                raise _twice(name)
            found[name] = value
        return found


Function = Callable[[Call], Awaitable[Any]]


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """An operation that people carry out on a page, too: its body becomes a form. Its path has one parameter, the id.

    Args:
        on: "document", where a panel of the plugin asks for it (Panel.form); or name of a record kind, whose page has it.
        fields: labels, helps, choices and code_of of fields of the body, by name.
        done: what is said afterwards.
    """

    label: str
    on: str = "document"
    button: str = "Do it"
    fields: tuple[Field, ...] = ()
    done: str = "Done."


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One operation.

    Args:
        path: below /api.
        answer: type of what the function returns; None for no body.
        body, query: structs; None for none. free_query: the function reads the query itself.
        errors: statuses of its problems beside those that every operation has.
        form: how people get at it. key: takes the header Idempotency-Key. match: takes If-Match with the version that the caller has seen.
    """

    method: str
    path: str
    function: Any
    summary: str
    description: str = ""
    answer: Any = None
    status: int = 200
    body: Any = None
    query: Any = None
    free_query: bool = False
    errors: tuple[int, ...] = ()
    key: bool = False
    match: bool = False
    tag: str = ""
    form: Form | None = None

    @property
    def statuses(self) -> tuple[int, ...]:
        """Every status of a problem that it may answer with."""
        more = (413, 415) if self.body is not None else ()
        return tuple(sorted({*ALWAYS, *more, *self.errors}))


def operation(method: str, path: str, *, answer: Any = None, **more: Any) -> Callable[[Function], Operation]:
    """Make an operation of an async function(call); the first line of its docstring is the summary, the rest the description."""

    def made(function: Function) -> Operation:
        summary, _, text = (function.__doc__ or function.__name__).strip().partition("\n")
        description = " ".join(text.split())
        return Operation(method=method, path=path, function=function, summary=summary.rstrip("."), description=description, answer=answer, **more)

    return made


# ---- serving -----------------------------------------------------------------------------------------------------------------------


def handler(op: Operation, prefix: str = "/api") -> Any:
    """The Litestar handler of an operation."""
    path = PLACEHOLDER.sub(r"{\1:str}", prefix + op.path)
    names = PLACEHOLDER.findall(op.path)
    parameters = msgspec.defstruct("Path", [(n, PATH[n]) for n in names]) if names else None

    async def serve(request: Request[Any, Any, Any]) -> Response[Any]:
        call = Call(request, await context_of(request))
        if parameters is not None:
            call.path = msgspec.structs.asdict(_converted({n: request.path_params[n] for n in names}, parameters, "path"))
        if not op.free_query:
            call.query = _query(request, op)
        if op.body is not None:
            call.body = await _body(request, op.body)
        if op.key:
            call.key = _key(request)
        if op.match:
            call.match = _match(request)
        result = await op.function(call)
        if op.answer is None:
            return Response(None, status_code=204)
        headers = {"ETag": f'"{result.version}"'} if hasattr(result, "version") else {}
        return Response(msgspec.json.encode(result), status_code=op.status, media_type="application/json", headers=headers)

    serve.__name__ = getattr(op.function, "__name__", "serve")
    return route(path, http_method=[op.method], status_code=200, request_max_body_size=JSON_BYTES, include_in_schema=False, opt={"api": True})(serve)  # type: ignore[list-item]


def _query(request: Request[Any, Any, Any], op: Operation) -> Any:
    given: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        known = op.query.__struct_encode_fields__ if op.query is not None else ()
        if name not in known:
            hint = f"known are {', '.join(known)}" if known else "leave it out"
            raise Refused(Problem(code="request.unknown", message=f"there is no parameter {name!r:.60}", where=name[:60], hint=hint), status=400)
        if name in given:
            raise _twice(name)
        given[name] = value
    return None if op.query is None else _converted(given, op.query, "")


def _converted(values: dict[str, str], kind: Any, where: str) -> Any:
    """Texts of an address as a struct; a number is digits, and nothing else that a lenient reader would take for one."""
    for name, value in values.items():
        plain(value, f"{where}.{name}".lstrip("."))
    try:
        return msgspec.convert({n: _typed(v, _simple(kind).get(n, "")) for n, v in values.items()}, kind)
    except msgspec.ValidationError as error:
        raise Refused(from_msgspec(error), status=400) from None


def _twice(name: str) -> Refused:
    return Refused(Problem(code="request.twice", message="this parameter stands twice", where=name[:60], hint="send it once"), status=400)


@cache
def _simple(kind: Any) -> dict[str, str]:
    """JSON type of each field of a struct for an address."""
    return {f.encode_name: str(msgspec.json.schema(f.type).get("type", "")) for f in msgspec.structs.fields(kind)}


def _typed(text: str, wanted: str) -> Any:
    if wanted == "integer" and WHOLE.fullmatch(text):
        return int(text)
    if wanted == "boolean" and text in ("true", "false"):
        return text == "true"
    return text


def _key(request: Request[Any, Any, Any]) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is not None and not (1 <= len(key) <= 255 and all(" " <= c < "\x7f" for c in key)):
        message = "an idempotency key has 1 to 255 printable ASCII characters"
        raise Refused(Problem(code="key.long", message=message, where="Idempotency-Key", hint="a UUID is a good one"), status=400)
    return key


def _match(request: Request[Any, Any, Any]) -> int | None:
    text = request.headers.get("if-match")
    if text is None:
        return None
    found = ETAG.match(text)
    if not found:
        message = f'If-Match names one version, such as "3", got {text!r:.40}'
        raise Refused(Problem(code="request.match", message=message, where="If-Match", hint="send the ETag of the document"), status=400)
    return int(found[1])


# ---- bodies ------------------------------------------------------------------------------------------------------------------------


async def _body(request: Request[Any, Any, Any], kind: Any) -> Any:
    media = request.content_type[0]
    if media != "application/json" and not (media.startswith("application/") and media.endswith("+json")):
        problem = Problem(code="request.type", message=f"JSON was expected, got {media or 'nothing'!r:.60}", hint="send Content-Type: application/json")
        raise Refused(problem, status=415)
    raw = await request.body()
    try:
        checked(msgspec.json.decode(raw))
        return msgspec.json.decode(raw, type=kind)
    except RecursionError:
        raise Refused(_deep(""), status=400) from None
    except msgspec.ValidationError as error:
        raise Refused(from_msgspec(error), status=422) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        hint = "check brackets, quotation marks and commas; NaN and Infinity are no JSON"
        raise Refused(Problem(code="json.malformed", message=f"{error}"[:300], hint=hint), status=400) from None


def _deep(where: str) -> Problem:
    return Problem(code="json.deep", message=f"the JSON is nested more than {DEEPEST} deep", where=where[:200], hint="flatten it")


def checked(value: Any, where: str = "", depth: int = 0) -> None:
    """What no place of a body may hold: floats, numbers beyond 64 bits, NUL and halves of characters, and endless nesting.

    Raises:
        Refused: naming the place.
    """
    if depth > DEEPEST:
        raise Refused(_deep(where), status=400)
    if isinstance(value, str):
        plain(value, where)
    elif isinstance(value, dict):
        for name, inner in value.items():
            plain(name, where)
            checked(inner, f"{where}.{name}".lstrip("."), depth + 1)
    elif isinstance(value, list):
        for n, inner in enumerate(value):
            checked(inner, f"{where}[{n}]", depth + 1)
    elif isinstance(value, float):
        hint = 'send decimals as text, such as "12.50": a float is not exact'
        raise Refused(Problem(code="number.float", message=f"a float, {value!r}, where an exact number belongs", where=where[:200], hint=hint))
    elif isinstance(value, int) and abs(value) >= 2**63:
        raise Refused(Problem(code="number.range", message="the number is too large", where=where[:200], hint="enter a smaller number"))


def plain(text: str, where: str) -> None:
    """A text that can be kept: without NUL, and whole characters only."""
    if "\x00" in text or any("\ud800" <= c <= "\udfff" for c in text):
        message, hint = "the text has a NUL or half a character in it", "leave it out"
        raise Refused(Problem(code="text.control", message=message, where=where[:200], hint=hint), status=422)


__all__ = ["Call", "Form", "Id", "Kind", "Name", "Operation", "handler", "operation"]
