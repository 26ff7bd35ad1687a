"""One order through every plugin, with every figure of docs/story.md: on both databases, in any order of registration, and with each plugin removed."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

import pytest
from newel.domain.document import DocumentInput, LineInput
from newel.errors import Refused
from newel.plugins import discover
from newel.services.verify import verify
from newel_sdk.testing import item, party, running, stock

from tests.stories import Figures, Story, at

STORY = Path(__file__).parents[1] / "docs" / "story.md"
MODULES = discover()[0]
NEEDED = (
    "configurator", "consignment", "credit", "dropship", "inventory", "invoicing", "kits", "promotions", "purchasing", "receivables", "sales", "shipping",
)  # fmt: skip


def written() -> Figures:
    """The figures that stand in the story's tables."""
    return {name: value.strip() for name, value in re.findall(r"^\| ([a-z_]+) \| ([^|]+) \|", STORY.read_text("utf-8"), re.MULTILINE) if name != "figure"}


async def told(url: str, names: list[str]) -> Figures:
    async with running(url, {n: MODULES[n] for n in names}) as (app, context):
        figures = await Story(app, context, lambda day: at(context, day)).tell()
        assert await verify(app) == []
        return figures


async def test_every_figure(database_url: str) -> None:
    assert await told(database_url, sorted(MODULES)) == written()


async def test_in_any_order_of_registration(tmp_path_factory: pytest.TempPathFactory) -> None:
    shuffle = random.Random(11)
    for n in range(6):
        names = shuffle.sample(sorted(MODULES), len(MODULES))
        assert await told(f"sqlite:///{tmp_path_factory.mktemp('story')}/{n}.db", names) == written(), names


@pytest.mark.parametrize("gone", NEEDED)
async def test_without_a_plugin(gone: str, sqlite_url: str) -> None:
    """The story comes to a clear problem, and nothing is left half done; an ordinary order does not notice."""
    needs = {n: MODULES[n].register_plugin().needs for n in MODULES}
    names = [n for n in sorted(MODULES) if n != gone and gone not in needs[n]]
    async with running(sqlite_url, {n: MODULES[n] for n in names}) as (app, context):
        with pytest.raises(Refused) as caught:
            await Story(app, context, lambda day: at(context, day)).tell()
        assert all(p.code and p.message for p in caught.value.problems)
        assert await verify(app) == []
        if gone not in ("sales", "inventory"):
            await _ordinary(app, context)


async def _ordinary(app: Any, context: Any) -> None:
    await party(app, context, "PLAIN")
    await stock(app, context, await item(app, context, "NAIL", price="2", cost="1"), 10, 10)
    order = DocumentInput(party="PLAIN", lines=(LineInput(item="NAIL"),))
    assert (await app.documents.create("sales.order", order, context, then=["confirm"])).document.state == "confirmed"
