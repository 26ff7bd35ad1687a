"""A process that moves goods to a customer and back without a pause: python -m tests.reliability.transfers URL SEED."""

from __future__ import annotations

import asyncio
import random
import sys

from newel.config import Config
from newel.domain.document import DocumentInput
from newel.errors import Refused
from newel.services.app import Newel
from newel.store.master import load_master
from newel_sdk.testing import NOW

from core.tests.toys import order
from tests.reliability.books import MODULES


async def transfer(url: str, seed: int) -> None:
    """Until it is killed."""
    app, chance = Newel(Config(database=url), MODULES, lambda: NOW), random.Random(seed)
    await app.start()
    async with app.database.read() as session:
        context = app.system(next(iter((await load_master(session)).companies.values())))

    async def clerk() -> None:
        while True:
            lines = order(*((f"I{n}", chance.randint(1, 9)) for n in chance.sample(range(20), 3))).lines
            try:
                made = (await app.documents.create("toy.delivery", DocumentInput(party="C1", lines=lines), context, then=["ship"])).document
                if chance.random() < 0.8:
                    await app.documents.act(made.id, "undo", context)
            except Refused as refused:
                if {p.code for p in refused.problems} - {"stock.short", "busy"}:
                    raise
            await asyncio.sleep(0)

    await asyncio.gather(*(clerk() for _ in range(3)))


if __name__ == "__main__":
    asyncio.run(transfer(sys.argv[1], int(sys.argv[2])))
