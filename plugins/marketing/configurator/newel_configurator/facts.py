"""What a document needs to know: what may be configured, kept in the process, and which configurations its lines name or make."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from newel.domain.context import Context
from newel.domain.document import Document
from newel.store.columns import PRICE, QUANTITY, unscaled
from newel.store.session import Session, rows_by

from newel_configurator.rules import ConfigFacts, Configured, Feature, Model, Option, Rule, bad, choices_of, configure, own

Models = Mapping[tuple[int, int], Model]
OPTIONS = "SELECT o.*, i.number, i.name FROM configurator_option o JOIN item i ON i.id = o.item ORDER BY o.sequence, o.id"
RULES = "SELECT * FROM configurator_rule ORDER BY id"
MODELS = "SELECT m.*, i.number FROM configurator_model m JOIN item i ON i.id = m.item WHERE m.active = ?"


async def load(session: Session, document: Document, context: Context) -> ConfigFacts | None:
    """Nothing for a document in which nothing is configured; one statement where something is."""
    models: Models = await session.cached("configurator", _load)
    if not models and not any("configurator" in x.data for x in document.lines):
        return None
    company = context.company.id
    lines = {x.id: (x, m) for x in document.lines if x.item and not own(x).feature and (m := models.get((company, x.item.id)))}
    odd = [x for x in document.lines if x.id not in lines and not own(x).feature and (own(x).choices or own(x).configuration)]
    if not lines and not odd:
        return None
    named = {own(x).configuration for x, _ in lines.values()} - {""}
    known = await _known(session, named, company)
    wrong = {x.id: bad("item", f"{x.text} is nothing that is configured", "choose another item") for x in odd}
    done: dict[int, Configured] = {}
    for id, (line, model) in lines.items():
        named_here, taken = own(line).configuration, known.get(own(line).configuration)
        if named_here and (taken is None or taken[0] != model.item):
            wrong[id] = bad("configuration", f"there is no configuration {named_here!r:.40} of {model.number}", "choose a known one of this item")
        made = configure(model, {**(choices_of(taken[1]) if taken and id not in wrong else {}), **own(line).choices})
        done[id] = msgspec.structs.replace(made, decided=frozenset(own(line).choices))
    kept = await _known(session, {x.number for x in done.values()} - set(known), company) | known
    parts = rows_by([{"id": x.id, "parent": x.parent} for x in document.lines if own(x).feature and x.parent in lines], "parent")
    return ConfigFacts(lines=done, parts={id: tuple(x["id"] for x in found) for id, found in parts.items()}, kept=frozenset(kept), wrong=wrong)


async def _known(session: Session, numbers: set[str], company: int) -> dict[str, tuple[int, str]]:
    if not numbers:
        return {}
    sql = "SELECT number, item, content FROM configurator_configuration WHERE number = ANY(?) AND company = ?"
    return {r["number"]: (r["item"], r["content"]) for r in await session.fetch(sql, sorted(numbers), company)}


async def _load(session: Session) -> Models:
    options = rows_by(await session.fetch(OPTIONS), "feature")
    features = rows_by(await session.fetch("SELECT * FROM configurator_feature ORDER BY sequence, id"), "model")
    rules = rows_by(await session.fetch(RULES), "model")
    return {
        (m["company"], m["item"]): Model(
            item=m["item"], number=m["number"], base=m["base"],
            features=tuple(_feature(f, options.get(f["id"], [])) for f in features.get(m["id"], ())),
            rules=tuple(Rule(kind=r["kind"], option=r["option"], other=r["other"], reason=r["reason"]) for r in rules.get(m["id"], ())),
        )
        for m in await session.fetch(MODELS, True)
    }  # fmt: skip


def _feature(f: Any, options: list[Any]) -> Feature:
    return Feature(
        code=f["code"], name=f["name"], required=f["required"], several=f["several"],
        options=tuple(
            Option(
                id=o["id"], item=o["item"], number=o["number"], name=o["name"], quantity=unscaled(o["quantity"], QUANTITY),
                quantity_max=None if o["quantity_max"] is None else unscaled(o["quantity_max"], QUANTITY),
                own_price=o["price_mode"] == "item", surcharge=unscaled(o["surcharge"], PRICE), preset=o["preset"],
            )
            for o in options
        ),
    )  # fmt: skip
