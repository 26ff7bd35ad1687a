"""What a flow finds open: after another one, together with another one, and only where the kind lets it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal as D
from typing import Any

import msgspec
import pytest
from newel.domain.context import Context
from newel.domain.document import Line, LinkInput, Stage
from newel.domain.kinds import Extension, Flow, LineKind
from newel.domain.ledger import PostingRule
from newel.domain.master import Master
from newel.domain.stock import LocationKind
from newel.errors import Refused
from newel.manifest import Manifest
from newel.services.app import Newel

from core.tests.test_engine import codes, company
from core.tests.toys import MANIFEST, TOY, _go, _kind, _state, order, plugin

ORDER = msgspec.structs.replace(MANIFEST.documents[0], name="trial.order", links=("delivered",), line_kinds=("trial", "text"), series="TO")
MANY = (_state("posted", "done"), _state("cancelled", "cancelled"))
ENDS = tuple(
    _kind(name, name.capitalize(), role, (_go("post", "draft", "posted", "move"),), MANY, priced=False)
    for name, role in (("keep", "delivery"), ("back", "transfer"))
)
TRIAL = Manifest(
    name="trial",
    label="On trial",
    line_kinds=(LineKind(name="trial", label="On trial", item=True),),
    location_kinds=(LocationKind(name="trial", label="On trial", tracked=True),),
    posting_rules=tuple(
        PostingRule(source=source, target=target, debit=debit, credit=credit)
        for source, target, debit, credit in (
            ("storage", "trial", "stock", "stock"), ("trial", "storage", "stock", "stock"), ("trial", "customer", "cogs", "stock")
        )
    ),
    documents=(ORDER, *(msgspec.structs.replace(kind, name=kind.name.replace("toy", "trial")) for kind in ENDS)),
    extends=(Extension(role="delivery", line_kinds=("trial",)),),
    flows=(
        Flow(
            name="keep", label="Keep", link="kept", target_kind="trial.keep", source_kind="trial.order", after="delivered", together=("back",),
            copies_prices=False, line_kind="item",
        ),
        Flow(
            name="back", label="Back", link="back", target_kind="trial.back", source_kind="trial.order", after="delivered", together=("kept",),
            copies_prices=False, line_kind="item",
        ),
    ),
)  # fmt: skip


def _place(facts: Any, document: Any, kind: str) -> int:
    return int(facts[Master].defaults[(document.company, kind)])


def _source(document: Any, facts: Any) -> int | None:
    return _place(facts, document, "trial") if document.kind in ("trial.keep", "trial.back") else None


def _target(document: Any, line: Line, facts: Any) -> int | None:
    return _place(facts, document, "trial") if line.kind == "trial" and document.role == "delivery" else None


@asynccontextmanager
async def trial(url: str) -> AsyncIterator[tuple[Newel, Context]]:
    rules = plugin("trial", TRIAL, decide_source=_source, decide_target=_target)
    async with company(url, {"toy": TOY, "trial": rules}) as (app, context):
        yield app, context


async def test_what_is_open_of_a_flow(database_url: str) -> None:
    """Only what was delivered can be kept or brought back, each once; the order is done when all of it was one or the other."""
    async with trial(database_url) as (app, context):
        made = (await app.documents.create("trial.order", order(("BOLT", 10)), context, then=["confirm"])).document
        assert [line.kind for line in made.lines] == ["trial"]
        with pytest.raises(Refused) as refused:
            await app.documents.follow(made.id, "keep", context)
        assert codes(refused) == ["flow.nothing"]
        await app.documents.follow(made.id, "deliver", context, lines=[LinkInput(line=made.lines[0].id, quantity=D(6))], then=["ship"])
        kept = await app.documents.follow(made.id, "keep", context, lines=[LinkInput(line=made.lines[0].id, quantity=D(2))], then=["post"])
        assert [(line.kind, line.quantity) for line in kept.document.lines] == [("item", D(2))]
        back = await app.documents.follow(made.id, "back", context, then=["post"])
        assert back.document.lines[0].quantity == D(4)
        async with app.database.read() as session:  # what went to the customer on trial leaves the promise of the other four alone
            assert await session.value("SELECT SUM(quantity) AS n FROM stock_reservation") == 4_000_000
        assert (await app.documents.get(made.id, context)).state == "confirmed"
        await app.documents.follow(made.id, "deliver", context, then=["ship"])
        await app.documents.follow(made.id, "keep", context, then=["post"])
        assert (await app.documents.get(made.id, context)).state == "done"


async def test_a_kind_names_the_links_that_may_start_from_it(database_url: str) -> None:
    async with trial(database_url) as (app, _):
        ways = {f.name for f in app.registry.flows_from(app.registry.kind("trial.order"))}
        assert ways == {"deliver", "keep", "back"}
        assert "invoice" in {f.name for f in app.registry.flows_from(app.registry.kind("toy.order"))}


def test_open_and_complete() -> None:
    flow = Flow(name="a", label="A", link="a", target_kind="x", together=("b",))
    line = Line(id=1, quantity=D(5), stages={"a": Stage(planned=D(2), done=D(1)), "b": Stage(planned=D(3), done=D(3))})
    assert (flow.open(line), flow.complete(line)) == (D(0), False)
    assert msgspec.structs.replace(flow, after="c").open(line) == D(-5)
