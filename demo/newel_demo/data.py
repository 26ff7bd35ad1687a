"""What the TOML files of a demonstration say: records with their parts, and documents with what follows from them.

    ["kits.kit"]                                  # a record kind
    rows = [{ item = "SET", "kits.component" = [{ item = "BOLT", as = "bolt" }, { item = "@bolt" }] }]

    [[document]]                                  # left out where the kind is not installed
    kind = "sales.order"
    party = "C001"
    lines = [{ item = "SET", quantity = "2" }]
    then = ["confirm"]
    follow = [{ flow = "deliver", quantity = "1", then = ["ship"] }]

Rows inside a row are parts of it; `as` names a record, and "@name" stands for its id. days: how long ago; ahead: requested
for so many days from today. follow: each document from the one
before; `back` starts at the first one again, `made` goes on from the document of that kind which a plugin has made together with it. A step
may say quantity and lot of its lines, and whatever its header has besides (reference, data). user: the login of who does it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
from newel.domain.context import Context
from newel.domain.document import Document, DocumentInput, LinkInput
from newel.errors import Refused
from newel.services.outcome import Outcome

if TYPE_CHECKING:
    from newel_demo.company import DemoKit


async def put_records(kit: DemoKit, data: Mapping[str, Any]) -> None:
    """Every table that is named like a record kind, in the order of the file."""
    names: dict[str, int] = {}
    for kind, table in data.items():
        if kind not in kit.app.registry.records:
            continue
        plain: list[Any] = []
        linked: list[Any] = []  # with rows of their own, or the name of another row
        for row in table["rows"]:
            (linked if any(isinstance(v, list) or str(v).startswith("@") for v in row.values()) else plain).append(row)
        await kit.put(kind, plain)
        for row in linked:
            await _put(kit, kind, row, {}, names)


async def _put(kit: DemoKit, kind: str, row: Mapping[str, Any], parent: Mapping[str, int], names: dict[str, int]) -> None:
    records = kit.app.registry.records
    values = {k: names[v[1:]] if isinstance(v, str) and v.startswith("@") else v for k, v in row.items() if k != "as" and k not in records}
    id = await kit.app.records.save(kind, None, {**parent, **values}, kit.context())
    names[row.get("as", "")] = id
    for inner, rows in row.items():
        for part in rows if inner in records else ():
            await _put(kit, inner, part, {records[inner].parent: id}, names)


async def put_documents(kit: DemoKit, data: Mapping[str, Any], refused: Counter[str] | None) -> None:
    """Every document of a file whose kind is installed.

    Args:
        refused: problem code -> how often it stopped a document; None to raise what is refused.
    """
    for one in data.get("document", ()):
        if one["kind"] not in kit.app.registry.documents:
            continue
        if "ahead" in one:
            one |= {"date_requested": kit.today + timedelta(days=one["ahead"])}
        kit.day = max(kit.start, kit.today - timedelta(days=one.get("days", 0)))
        try:
            first = await kit.app.documents.create(one["kind"], _entered(one), kit.context(one.get("user", "demo")), then=one.get("then", ()))
            at = first
            for step in one.get("follow", ()):
                at = await _follow(kit, first if step.get("back") else at, step) or at
        except Refused as wrong:
            if refused is None:
                raise
            refused[wrong.problems[0].code] += 1


def _entered(values: Mapping[str, Any]) -> DocumentInput:
    return msgspec.convert({k: v for k, v in values.items() if k in DocumentInput.__struct_fields__}, DocumentInput)


async def _follow(kit: DemoKit, before: Outcome, step: Mapping[str, Any]) -> Outcome | None:
    """The next document, where its plugin is installed."""
    registry, context = kit.app.registry, kit.context(step.get("user", "demo"))
    source = before.document
    if "made" in step:
        made = [await kit.app.documents.get(id, context) for id in before.made]
        source = next(d for d in made if d.kind == step["made"])
    if "flow" not in step:
        return await _act(kit, source, step["then"], context)
    flow = next((f for f in registry.flows_from(registry.kind(source.kind)) if f.name == step["flow"]), None)
    if flow is None:
        return None
    quantity = Decimal(step["quantity"]) if "quantity" in step else None
    parts = [LinkInput(line=x.id, quantity=quantity, lot=step.get("lot")) for x in source.lines if x.item is not None and registry.takes(flow, x)]
    return await kit.app.documents.follow(
        source.id, f"{flow.target_kind}:{flow.name}", context, lines=parts if {"quantity", "lot"} & set(step) else None, input=_entered(step),
        then=step.get("then", ()),
    )  # fmt: skip


async def _act(kit: DemoKit, document: Document, then: Sequence[str], context: Context) -> Outcome:
    """Transitions of a document that is there."""
    for transition in then:
        outcome = await kit.app.documents.act(document.id, transition, context)
    return outcome
