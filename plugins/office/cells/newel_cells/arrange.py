"""What a list gets before it is shown: cells that may be changed where they stand."""

from __future__ import annotations

from typing import Any

from newel.domain.context import Context
from newel.services.app import Newel
from newel.services.values import FieldView
from newel.web.auth import newel_of
from newel.web.render import Web


def fields(newel: Newel, kind: str, context: Context) -> list[FieldView]:
    """The fields of a record kind that people enter; none where a change makes a new row."""
    shape = newel.records.shape(kind, context)
    return [f for f in shape.fields if not f.readonly and not f.secret and f.type != "json"] if not shape.record.append_only else []


async def arrange(request: Web, context: Context, kind: str, view: dict[str, Any]) -> None:
    """Change a list in place; see newel.manifest, Manifest.lists."""
    newel = newel_of(request)
    if kind not in newel.registry.records or not context.user.may(f"{kind}.edit"):
        return
    may = {f.name for f in fields(newel, kind, context)}
    for column in view["columns"]:
        if column["name"] in may:
            column["edit"] = f"/cells/{kind}/{{id}}/{column['name']}"
