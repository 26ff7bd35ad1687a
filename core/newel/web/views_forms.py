"""Operations of plugins as view models of forms."""

from __future__ import annotations

from typing import Any

from newel.manifest import Field
from newel.web.auth import newel_of
from newel.web.forms import NOTHING, field_of, parts_of
from newel.web.operations import Operation
from newel.web.render import Web
from newel.web.views_text import _


def operations(request: Web) -> list[tuple[str, Operation]]:
    """(plugin, operation) of all that plugins serve."""
    return [(prefix.strip("/"), op) for prefix, op in request.app.state.operations]


def found(request: Web, plugin: str, name: str) -> Operation | None:
    """A plugin's operation with a form, by the name of its function."""
    return next((op for p, op in operations(request) if p == plugin and op.form and op.function.__name__ == name), None)


def form_view(request: Web, plugin: str, op: Operation, id: int) -> dict[str, Any]:
    """The form of an operation, in the order of its declared fields; after a refusal with what was entered."""
    assert op.form is not None
    name = op.function.__name__
    before = request.state.get("entered")
    entered: dict[str, str] = before[2] if before and before[:2] == (plugin, name) else {}
    said = {f.name: f for f in op.form.fields}
    fields = []
    order = list(said)
    for part in sorted(parts_of(op.body), key=lambda p: order.index(p.name) if p.name in said else len(order)):
        about = said.get(part.name, Field(name=part.name))
        key = f"{name}.{part.name}"
        value = entered.get(key, part.default)
        url = f"/options/{about.code_of}?code=1" if about.code_of in newel_of(request).registry.records else ""
        field = field_of(part, key, value, _(about.label), url) | {"id": f"{plugin}-{key}", "help": _(about.help)}
        if about.long:
            field |= {"type": "textarea", "width": 4, "rows": 4}
        if about.choices:
            field["options"] = [{"value": c or NOTHING, "label": _(label)} for c, label in about.choices]
        fields.append(field)
    return {"label": _(op.form.label), "action": f"/do/{plugin}/{name}/{id}", "fields": fields, "button": _(op.form.button), "open": bool(entered)}


def forms_on(request: Web, record: str, id: int) -> list[dict[str, Any]]:
    """The forms on a record's page."""
    return [form_view(request, plugin, op, id) for plugin, op in operations(request) if op.form and op.form.on == record]
