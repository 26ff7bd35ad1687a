"""Lines that are parts of others: they stay parts wherever they go, and may have parts of their own."""

from __future__ import annotations

from datetime import date
from decimal import Decimal as D
from typing import Any

import msgspec
from newel.domain.document import Document, Line, LineInput
from newel.domain.item import Item
from newel.domain.kinds import Flow
from newel.domain.parts import HAND_ON, handed_on
from newel.domain.pricing import Adjustment, PriceStep
from newel.manifest import Manifest
from newel.services.entered import as_input

from core.tests.test_engine import company
from core.tests.toys import order, plugin

AGAIN = Flow(name="again", label="Again", link="repeated", target_kind="toy.order", source_kind="toy.order", phases=("open", "done"), exceeds=True)


def propose_lines(line: Any) -> list[tuple[str, LineInput]]:
    """A bolt has a nut, and the nut a bolt."""
    if line.item is None or line.item.number != "BOLT":
        return []
    return [("a", LineInput(item="NUT", quantity=line.quantity * 2, price=D(0))), ("a/b", LineInput(item="BOLT", quantity=line.quantity * 4, price=D(1)))]


PARTS = plugin("parts", Manifest(name="parts", label="Parts", flows=(AGAIN,)), propose_lines=propose_lines)


async def test_parts_of_parts_keep_their_ids(database_url: str) -> None:
    async with company(database_url, {"parts": PARTS}) as (app, context):
        made = (await app.documents.create("toy.order", order(("NUT", 1), ("BOLT", 3)), context)).document
        _, top, part, leaf = made.lines
        assert (part.parent, leaf.parent, leaf.key, leaf.position) == (top.id, part.id, "parts:a/b", 40)
        assert [(s.stage, s.plugin, s.rule) for s in leaf.steps] == [("base", "parts", "proposed")]
        entered = as_input(made)
        again = (await app.documents.update(made.id, made.version, entered, context)).document
        assert [(x.id, x.parent) for x in again.lines] == [(x.id, x.parent) for x in made.lines]


async def test_parts_stay_with_their_line_in_the_next_document(database_url: str) -> None:
    """Taken over, changed and copied, a part is a part: it keeps pace with its line, goes with it, and is never there twice."""
    async with company(database_url, {"parts": PARTS}) as (app, context):
        do = app.documents
        made = (await do.create("toy.order", order(("BOLT", 3), ("NUT", 1)), context, then=["confirm"])).document
        again = (await do.follow(made.id, "again", context)).document
        assert [x.parent for x in again.lines] == [None, again.lines[0].id, again.lines[1].id, None]
        entered = as_input(again)
        bigger = msgspec.structs.replace(entered, lines=(msgspec.structs.replace(entered.lines[0], quantity=D(6)), *entered.lines[1:]))
        again = (await do.update(again.id, again.version, bigger, context)).document
        assert [(x.quantity, x.parent) for x in again.lines] == [(D(6), None), (D(12), again.lines[0].id), (D(24), again.lines[1].id), (D(1), None)]
        copied = (await do.copy(again.id, context)).document
        assert [x.quantity for x in copied.lines] == [D(6), D(12), D(24), D(1)]
        fewer = msgspec.structs.replace(as_input(again), lines=as_input(again).lines[1:])
        assert [x.item.number for x in (await do.update(again.id, again.version, fewer, context)).document.lines if x.item] == ["NUT"]


async def test_a_line_that_handed_its_amount_on_bears_no_tax(database_url: str) -> None:
    def propose_adjustments(document: Any, stage: str) -> list[Adjustment]:
        top, part, *_ = document.lines
        if stage == "line":
            return []
        return [Adjustment(rule="split", line=top.id, amount=-top.net), Adjustment(rule="split", line=part.id, amount=top.net)]

    parts = plugin("parts", propose_lines=propose_lines, propose_adjustments=propose_adjustments)
    async with company(database_url, {"parts": parts}) as (app, context):
        for code, category, rate in (("FULL", "standard", "20"), ("LOW", "reduced", "5")):
            await app.records.save("newel.tax_rate", None, {"code": code, "name": code, "category": category, "rate": rate}, context)
        await app.records.save("newel.item", await app.records.find("newel.item", "NUT", context), {"tax_category": "reduced"}, context)
        made = (await app.documents.create("toy.order", order(("BOLT", 1)), context)).document
        assert [(x.net, x.tax) for x in made.lines] == [(D(0), D(0)), (D(10), D("0.50")), (D(4), D("0.80"))]
        assert made.lines[0].taxes == ()


def shared(net: str, weights: dict[int, str], *done: int) -> list[tuple[int | None, D | None]]:
    """What line 1 hands on to its parts, some of which have their share already."""
    step = PriceStep(stage="document", plugin="kits", rule="share", amount_in=D(0), amount_out=D(4))
    lines = [Line(id=1, net=D(net), steps=(msgspec.structs.replace(step, stage="base"),))]
    for id, weight in weights.items():
        item = Item(id=id, number=f"I{id}", name="", price_home=D(weight))
        lines.append(Line(id=id, parent=1, item=item, net=D(4) if id in done else D(0), steps=(step,) if id in done else ()))
    document = Document(id=1, kind="toy.order", role="sale", state="draft", date=date(2026, 1, 15), lines=tuple(lines))
    found = handed_on(document, {1: tuple(weights)}, "kits", "kit")
    assert {x.sequence for x in found} <= {HAND_ON}
    return [(x.line, x.amount) for x in found]


def test_an_amount_is_handed_on_to_the_last_cent() -> None:
    assert shared("10.00", {2: "1", 3: "1", 4: "-5", 5: "1"}) == [(1, D("-10.00")), (2, D("3.34")), (3, D("3.33")), (4, D(0)), (5, D("3.33"))]
    assert shared("-0.03", {2: "0", 3: "0"}) == [(1, D("0.03")), (2, D("-0.02")), (3, D("-0.01"))], "equal shares where nothing has a price"
    assert shared("10.00", {2: "1"}, 2) == [(1, D(-4))], "what was taken over stays, and the difference with it"
    assert shared("10.00", {}) == []
