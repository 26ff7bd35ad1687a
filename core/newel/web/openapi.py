"""The published schema (OpenAPI 3.1), made from the operations and from what the plugins declare: kinds, records, reports."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec

import newel as package
from newel.manifest import Parameter
from newel.services.schema import entered_type, shown_type
from newel.services.values import FieldView
from newel.web.errors import CODES, MEDIA_TYPE, ProblemDocument
from newel.web.operations import ID_MAX, JSON_BYTES, PATH, PLACEHOLDER, Operation

if TYPE_CHECKING:
    from newel.services.app import Newel

Schema = dict[str, Any]
REF = "#/components/schemas/{name}"
RANGED = ("integer", "decimal", "date", "instant")
NUMBER = {"type": "string", "maxLength": 40, "pattern": "^-?[0-9]{1,19}([.][0-9]{1,10})?$"}
DAY = {"type": "string", "format": "date", "maxLength": 10}
KEY_HEADER: Schema = {
    "name": "Idempotency-Key", "in": "header", "required": False,
    "description": "The same call with the same key is carried out once and answered alike; the same key with other content is refused.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
}  # fmt: skip
MATCH_HEADER: Schema = {
    "name": "If-Match", "in": "header", "required": False, "description": "The ETag of the document that you have seen.",
    "schema": {"type": "string", "maxLength": 20, "pattern": '^(W/)?"?[0-9]{1,15}"?$'},
}  # fmt: skip
TITLES = {424: ("plugin.failed", "a plugin failed; nothing was changed"), 422: ("...", "something is not valid: every problem with its place"),
          409: ("...", "the state of things does not allow it"), 428: ("version.missing", "send the version that you have seen")}  # fmt: skip
ABOUT = (
    'Everything that the screens can do. Exact numbers are text ("12.50"), in both directions; whole numbers may be JSON integers; a float is '
    f"refused. Ids are integers. A body has at most {JSON_BYTES // 1_000_000} MB. Errors are problem documents (RFC 9457) with all problems at once."
)


def document(newel: Newel, operations: Iterable[tuple[str, Operation]]) -> Schema:
    """The whole schema. operations: (prefix, operation)."""
    maker = _Maker(newel)
    paths: dict[str, Schema] = {}
    for prefix, op in operations:
        for path, item in maker.expanded(f"/api{prefix}", op):
            paths.setdefault(path, {})[op.method.lower()] = item
    errors = sorted({status for _, op in operations for status in op.statuses} | {404})
    return {
        "openapi": "3.1.0",
        "info": {"title": "Newel", "version": package.__version__, "description": ABOUT},
        "servers": [{"url": "/"}],
        "security": [{"token": []}, {"session": []}],
        "paths": paths,
        "components": {
            "schemas": maker.components,
            "responses": {f"Problem{status}": _problem(status) for status in errors},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "A token made under /api/tokens."},
                "session": {"type": "apiKey", "in": "cookie", "name": "newel_session", "description": "A browser; writes need X-CSRF-Token."},
            },
        },
    }


def _problem(status: int) -> Schema:
    code, hint = TITLES.get(status) or CODES.get(status, ("...", ""))
    ref = {"$ref": REF.format(name=ProblemDocument.__name__)}
    return {"description": f"{code}: {hint}", "content": {MEDIA_TYPE: {"schema": ref}}}


class _Maker:
    def __init__(self, newel: Newel) -> None:
        self.newel = newel
        self.components: dict[str, Schema] = {}
        self.schema(ProblemDocument)

    def schema(self, kind: Any, incoming: bool = False) -> Schema:
        """The schema of a type; its parts go into the components. What comes in has bounds everywhere."""
        (made,), parts = msgspec.json.schema_components([kind], ref_template=REF)
        for name, part in parts.items():
            self.components[name] = bounded(part) if incoming else self.components.get(name, part)
        return bounded(made) if incoming else made

    def expanded(self, prefix: str, op: Operation) -> Iterator[tuple[str, Schema]]:
        """The operation at its path; once for each kind of record and each report, with exactly their fields."""
        if "/records/{kind}" in op.path:
            for name, record in self.newel.registry.records.items():
                fields = self.newel.records.fields(name)
                item = self.operation(op, name)
                if op.function.__name__ in ("create_record", "update_record"):
                    item["requestBody"] = _body(self.schema(entered_type(record, fields), True))
                if op.function.__name__ in ("create_record", "update_record", "get_record"):
                    item["responses"][str(op.status)]["content"]["application/json"]["schema"] = self.schema(shown_type(record, fields))
                if op.function.__name__ == "list_records":
                    item["parameters"] += [p for f in fields for p in _filters(f)]
                yield prefix + op.path.replace("{kind}", name), item
        elif op.path == "/reports/{name}":
            for name, report in self.newel.registry.reports.items():
                item = self.operation(op, name)
                item["parameters"] += [_report_parameter(p) for p in report.parameters]
                yield prefix + op.path.replace("{name}", name), item
        else:
            yield prefix + op.path, self.operation(op, "")

    def operation(self, op: Operation, fixed: str) -> Schema:
        """One operation. fixed: the kind that stands in the path instead of a parameter."""
        names = [n for n in PLACEHOLDER.findall(op.path) if not (fixed and n in ("kind", "name"))]
        item: Schema = {
            "operationId": re.sub(r"\W+", "_", f"{op.function.__name__}_{fixed}".rstrip("_")),
            "summary": op.summary + (f": {fixed}" if fixed else ""),
            "tags": [op.tag or "plugins"],
            "parameters": [self._path(n, op) for n in names] + self._query(op),
            "responses": self._responses(op),
        }
        if op.description:
            item["description"] = op.description
        if op.key:
            item["parameters"].append(KEY_HEADER)
        if op.match:
            item["parameters"].append(MATCH_HEADER)
        if op.body is not None:
            item["requestBody"] = _body(self.schema(op.body, True))
        return item

    def _path(self, name: str, op: Operation) -> Schema:
        schema = self.schema(PATH[name], True)
        if name == "kind" and "/documents/{kind}" in op.path and self.newel.registry.documents:
            schema = {"type": "string", "enum": list(self.newel.registry.documents)}
        return {"name": name, "in": "path", "required": True, "schema": schema}

    def _query(self, op: Operation) -> list[Schema]:
        if op.query is None:
            return []
        return [{"name": f.encode_name, "in": "query", "required": f.required, "schema": self.schema(f.type, True)} for f in msgspec.structs.fields(op.query)]

    def _responses(self, op: Operation) -> Schema:
        out: Schema = {}
        if op.answer is None:
            out["204"] = {"description": "Done"}
        else:
            out[str(op.status)] = {"description": "Done", "content": {"application/json": {"schema": self.schema(op.answer)}}}
        return out | {str(s): {"$ref": f"#/components/responses/Problem{s}"} for s in op.statuses}


def _body(schema: Schema) -> Schema:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _filters(f: FieldView) -> Iterator[Schema]:
    if f.secret or f.type == "json":
        return
    by_type: dict[str, Schema] = {
        "integer": {"type": "integer", "minimum": -ID_MAX, "maximum": ID_MAX}, "decimal": NUMBER, "date": DAY,
        "instant": {"type": "string", "format": "date-time", "maxLength": 40}, "flag": {"type": "boolean"},
        "choice": {"type": "string", "enum": [v for v, _ in f.choices]}, "reference": {"type": "integer", "minimum": 1, "maximum": ID_MAX},
    }  # fmt: skip
    schema = by_type.get(f.type, {"type": "string", "maxLength": 200})
    for suffix in ("", "__from", "__to") if f.type in RANGED else ("",):
        yield {"name": f.name + suffix, "in": "query", "required": False, "description": f.label, "schema": schema}


def _report_parameter(p: Parameter) -> Schema:
    by_type: dict[str, Schema] = {
        "text": {"type": "string", "maxLength": 200}, "date": DAY, "decimal": NUMBER, "flag": {"type": "boolean"},
    }  # fmt: skip
    schema = by_type.get(p.type, {"type": "integer", "minimum": 1, "maximum": ID_MAX})
    return {"name": p.name, "in": "query", "required": p.required, "description": p.label, "schema": schema}


def bounded(schema: Any) -> Any:
    """A schema in which every text, number and list has a bound."""
    if isinstance(schema, list):
        return [bounded(s) for s in schema]
    if not isinstance(schema, dict):
        return schema
    out = {k: v if k in ("default", "examples", "enum", "const", "required") else bounded(v) for k, v in schema.items()}
    if out.get("type") == "string" and "enum" not in out:
        out.setdefault("maxLength", {"date": 10, "date-time": 40}.get(str(out.get("format")), 100_000))
    elif out.get("type") == "integer":
        out.setdefault("minimum", -ID_MAX)
        out.setdefault("maximum", ID_MAX)
    elif out.get("type") == "array":
        out.setdefault("maxItems", 20_000)
    return out


# ---- for people --------------------------------------------------------------------------------------------------------------------


def outline(schema: Schema) -> list[Schema]:
    """What the page about the API shows: operations by tag, with parameters, bodies and answers as short texts."""
    groups: dict[str, list[Schema]] = {}
    for path, methods in schema["paths"].items():
        for method, op in methods.items():
            body = op.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
            groups.setdefault(op["tags"][0], []).append(
                {
                    "method": method.upper(), "path": path, "summary": op["summary"], "description": op.get("description", ""),
                    "parameters": [{"name": p["name"], "in": p["in"], "required": p["required"], "type": said(p["schema"])} for p in op["parameters"]],
                    "body": said(body) if body else "", "answers": list(op["responses"]),
                }
            )  # fmt: skip
    parts = [
        {"name": name, "description": part.get("description", ""), "required": part.get("required", []),
         "fields": [{"name": n, "type": said(s)} for n, s in part.get("properties", {}).items()]}
        for name, part in sorted(schema["components"]["schemas"].items())
    ]  # fmt: skip
    return [{"tag": tag, "operations": ops, "parts": []} for tag, ops in groups.items()] + [{"tag": "types", "operations": [], "parts": parts}]


def said(schema: Schema) -> str:
    """A schema in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(said(s) for s in schema["anyOf"]))
    if "enum" in schema:
        return " | ".join(str(v) or '""' for v in schema["enum"][:12]) + (" ..." if len(schema["enum"]) > 12 else "")
    if "prefixItems" in schema:
        return f"list of ({', '.join(said(s) for s in schema['prefixItems'])})"
    if schema.get("type") == "array":
        return f"list of {said(schema.get('items', {}))}"
    words = str(schema.get("format") or schema.get("type") or "anything")
    return f"{words} of at most {schema['maxLength']}" if words == "string" and "maxLength" in schema else words
