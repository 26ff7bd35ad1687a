"""Plugins in any combination and any order: it starts, and a document comes out the same."""

from __future__ import annotations

import random
from decimal import Decimal as D
from types import ModuleType
from typing import Any

import pytest
from newel.domain.document import DocumentInput, LineInput
from newel.plugins import discover
from newel.services.verify import verify
from newel_sdk.testing import item, party, running, stock

MODULES: dict[str, ModuleType] = discover()[0]
NAMES = sorted(MODULES)


async def sell(url: str, names: list[str]) -> list[Any]:
    """An order through delivery and invoice with the plugins registered in this order; everything that a user would see of it."""
    async with running(url, {n: MODULES[n] for n in names}) as (app, context):
        await party(app, context, "C1", terms="NET30")
        for number, price in (("BOLT", "10.00"), ("NUT", "0.33")):
            await stock(app, context, await item(app, context, number, price=price, cost="2"), 50, 100)
        await app.records.save("newel.tax_rate", None, {"code": "VAT", "name": "VAT", "category": "standard", "rate": "19"}, context)
        lines = tuple(LineInput(item=n, quantity=D(q), discount=D(d)) for n, q, d in (("BOLT", 3, 0), ("NUT", 7, 5)))
        order = (await app.documents.create("sales.order", DocumentInput(party="C1", lines=lines), context, then=["confirm"])).document
        shipped = await app.documents.follow(order.id, "deliver", context, then=["ship"])
        posted = await app.documents.follow(order.id, "invoice", context, then=["post"])
        order = await app.documents.get(order.id, context)
        assert await verify(app) == []
        return [
            [(x.quantity, x.price, x.net, x.tax, [(s.plugin, s.rule, s.amount_out) for s in x.steps]) for x in order.lines],
            (order.number, order.state, order.gross, posted.document.number, posted.document.date_due),
            [(m.quantity, m.value) for m in shipped.moves],
            [(p.role, p.debit, p.credit) for o in (shipped, posted) for e in o.entries for p in e.postings],
            sorted((p.plugin, p.code) for p in (*shipped.problems, *posted.problems)),
        ]


async def test_the_order_of_registration_changes_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    shuffle = random.Random(5)
    orders = [NAMES, NAMES[::-1], *(shuffle.sample(NAMES, len(NAMES)) for _ in range(22))]
    results = []
    for n, names in enumerate(orders):
        results.append(await sell(f"sqlite:///{tmp_path_factory.mktemp('order')}/{n}.db", list(names)))
    assert all(r == results[0] for r in results)
    assert results[0][1][1] == "done"


@pytest.mark.parametrize("names", [[], *[[n] for n in NAMES], NAMES], ids=lambda names: "+".join(names) or "none")
async def test_it_starts_with(names: list[str], database_url: str) -> None:
    """With no plugin, each alone (its needs come along), and all."""
    wanted = set(names)
    for name in names:
        wanted |= set(MODULES[name].register_plugin().needs)
    async with running(database_url, {n: MODULES[n] for n in sorted(wanted)}) as (app, context):
        assert set(app.plugins.order) == wanted and app.off == []
        await item(app, context, "BOLT", price="1")
        assert await verify(app) == []


@pytest.mark.parametrize("left_out", NAMES)
async def test_every_other_plugin_works_without(left_out: str, sqlite_url: str) -> None:
    names = [n for n in NAMES if n != left_out]
    async with running(sqlite_url, {n: MODULES[n] for n in names}) as (app, context):
        assert {o.name for o in app.off} == {n for n in names if left_out in MODULES[n].register_plugin().needs}
        await party(app, context, "C1")
        await item(app, context, "BOLT", price="10")
        for kind in app.registry.documents.values():
            if kind.role == "sale":
                made = await app.documents.create(kind.name, DocumentInput(party="C1", lines=(LineInput(item="BOLT"),)), context)
                assert made.document.gross == D(10)
        assert await verify(app) == []
