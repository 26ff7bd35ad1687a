"""A live server on SQLite with a small company, and a browser that is logged in and forgives nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from newel.config import Config
from newel.domain.context import Context
from newel.services.app import Newel
from newel.services.setup import create_admin, set_up_company
from newel_sdk import site as sdk
from newel_sdk.kit import LOGIN, PASSWORD
from newel_sdk.site import Watched, window
from newel_sdk.testing import DocumentInput, LineInput, item, party
from playwright.sync_api import Browser

DESKTOP = {"width": 1366, "height": 768}
PLUGINS = ("sales", "pricelists", "inventory", "shipping", "invoicing", "receivables")
NAMES = ("Frame", "Wheel", "Chain", "Pedal", "Helmet", "Bell")


async def company(newel: Newel) -> Context:
    """A company with six items in stock, two customers and a tax."""
    made = await set_up_company(newel, code="ACME", name="Acme", currency="EUR", country="DE", price_digits=2)
    await create_admin(newel, LOGIN, PASSWORD, "Ada Admin")
    context = newel.system(made)
    await newel.records.save("newel.tax_rate", None, {"code": "VAT19", "name": "VAT", "category": "standard", "country": "DE", "rate": "19"}, context)
    for i, name in enumerate(NAMES):
        await item(newel, context, f"I-{i}", price=Decimal(10) * (i + 1), cost=Decimal(4) * (i + 1), name=name)
    await party(newel, context, "C-1", name="Miller Ltd", terms="NET14", limit_amount="10000")
    await party(newel, context, "C-2", name="Other Ltd", limit_amount="100")
    lines = tuple(LineInput(item=f"I-{i}", quantity=Decimal(100)) for i in range(len(NAMES)))
    await newel.documents.create("inventory.receipt", DocumentInput(lines=lines), context, then=("receive",))
    return context


class Site(sdk.Site):
    """The server of this company; it runs on the clock on the wall, with the settings that a user starts with."""

    def __init__(self, folder: Path, plugins: tuple[str, ...] = PLUGINS, more: Callable[[Newel, Context], Awaitable[Any]] | None = None) -> None:
        super().__init__(folder)
        self.more = more
        self.newel = Newel(Config(database=f"sqlite:///{folder / 'newel.db'}", plugins=plugins))

    async def _serve(self) -> None:
        await self.newel.start()
        context = await company(self.newel)
        if self.more is not None:
            await self.more(self.newel, context)
        await self._listen(self.newel)
        await self.newel.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Give a running server with a company of its own."""
    yield from served(Site(tmp_path_factory.mktemp("site")))


def served(site: Site) -> Iterator[Site]:
    """Run a server as long as it is needed."""
    yield site.up()
    site.stop()


@pytest.fixture
def watched(request: pytest.FixtureRequest, chromium: Browser, site: Site) -> Iterator[Watched]:
    """Give a browser window that is logged in. Indirect parameters are options of the window."""
    with window(chromium, site, **getattr(request, "param", {"viewport": DESKTOP})) as found:
        yield found
