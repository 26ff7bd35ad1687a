"""Bills: goods that came are worth what their receipt says, and a bill clears exactly that, whatever its price and rate."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import msgspec
from newel.domain.document import DocumentInput, LinkInput
from newel.domain.kinds import DocumentKind, Flow, State, Transition
from newel.domain.ledger import PostingSpec
from newel.manifest import Manifest
from newel.services.entered import as_input
from newel_sdk.testing import TODAY, item

from core.tests.test_engine import balances, company
from core.tests.toys import DRAFT, order, plugin


def _kind(name: str, role: str, step: str, target: str, *effects: str, **more: Any) -> DocumentKind:
    state = State(name=target, label=target, phase="open" if role != "receipt" else "done")
    transition = Transition(name=step, label=step, sources=("draft",), target=target, effects=effects)
    return DocumentKind(
        name=f"buy.{name}", label=name, label_plural=name, role=role, states=(DRAFT, state), transitions=(transition,), series=name[:2].upper(), **more
    )


POSTING = PostingSpec(party="payable", line="goods_received", tax="tax_input", side="credit", other="expense", difference="stock_difference")
BUYING = plugin(
    "buy",
    Manifest(
        name="buy", label="Buy",
        documents=(
            _kind("order", "purchase", "send", "sent"), _kind("receipt", "receipt", "receive", "received", "move"),
            _kind("bill", "bill", "post", "posted", "post", posting=POSTING),
        ),
        flows=(
            Flow(name="receive", label="Receive", link="received", target_kind="buy.receipt", source_kind="buy.order"),
            Flow(name="bill", label="Bill", link="billed", target_kind="buy.bill", source_kind="buy.receipt", phases=("done",), passes_on=("billed",)),
        ),
    ),
)  # fmt: skip


async def test_a_copied_price_values_the_goods_and_the_bill_clears_it_in_parts(database_url: str) -> None:
    """Three for 10.00: received in one and two, billed one by one; nothing is left in goods received."""
    async with company(database_url, {"buy": BUYING}) as (app, context):
        before = await balances(app)
        do = app.documents
        bought = (await do.create("buy.order", order(("BOLT", 3, "3.333333")), context, then=["send"])).document
        first = await do.follow(bought.id, "receive", context, lines=[LinkInput(line=bought.lines[0].id, quantity=D(1))], then=["receive"])
        second = await do.follow(bought.id, "receive", context, then=["receive"])
        assert [m.value for x in (first, second) for m in x.moves] == [D("3.33"), D("6.67")]
        await do.follow(first.document.id, "bill", context, then=["post"])
        for _ in range(2):
            await do.follow(second.document.id, "bill", context, lines=[LinkInput(line=second.document.lines[0].id, quantity=D(1))], then=["post"])
        after = await balances(app)
        assert (after["goods_received"], after["stock"] - before["stock"], after["payable"]) == (before["goods_received"], D(10), D(-10))


async def test_a_bill_at_another_price_and_rate(database_url: str) -> None:
    """Ten at 2.00 USD came at 0.90; the bill says 2.50 at 1.00. The goods are cleared at 18, 5 is a matter of price and 2 of the rate."""
    async with company(database_url, {"buy": BUYING}) as (app, context):
        before = await balances(app)
        await app.records.save("newel.currency_rate", None, {"currency": "USD", "rate": "0.9", "date_from": TODAY}, context)
        do = app.documents
        bought = (await do.create("buy.order", order(("BOLT", 10, "2"), currency="USD"), context, then=["send"])).document
        received = (await do.follow(bought.id, "receive", context, then=["receive"])).document
        draft = (await do.follow(received.id, "bill", context, input=DocumentInput(rate=D(1)))).document
        entered = as_input(draft)
        dearer = msgspec.structs.replace(entered, lines=(msgspec.structs.replace(entered.lines[0], price=D("2.5")),))
        draft = (await do.update(draft.id, draft.version, dearer, context)).document
        await do.act(draft.id, "post", context)
        after = await balances(app)
        changed = {role: amount - before.get(role, D(0)) for role, amount in after.items() if amount != before.get(role, D(0))}
        assert changed == {"stock": D(18), "stock_difference": D(5), "exchange": D(2), "payable": D(-25)}


async def test_lines_without_goods_are_expense(database_url: str) -> None:
    async with company(database_url, {"buy": BUYING}) as (app, context):
        await item(app, context, "HOURS", kind="service")
        await app.documents.create("buy.bill", order(("HOURS", 2, "50")), context, then=["post"])
        assert (await balances(app))["expense"] == D(100)
