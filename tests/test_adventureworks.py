"""A real company: 121,253 published order lines are priced anew, and thousands of orders are replayed to paid invoices.

The data is not part of the repository; where it is absent these tests are skipped. `examples/adventureworks` is the install under test.
"""

from __future__ import annotations

import asyncio
import fcntl
import shutil
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from adventureworks.compare import Comparison
from adventureworks.load import CODE, find_company, load
from adventureworks.replay import compare_all, price_all, replay_all
from adventureworks.source import EXAMPLE, Order, Source, data_folder, sample
from newel import config
from newel.domain.context import Company
from newel.services.app import Newel

from tests.servers import Cluster

try:
    SOURCE = Source(data_folder())
except FileNotFoundError as absent:
    pytest.skip(str(absent), allow_module_level=True)

REPLAYED = {"sqlite": 1700, "postgresql": 300}
TEMPLATE = "adventureworks"
# README.md of the data: known totals of the lines that no special offer priced.
INTERNET_LINES, RESELLER_LINES, OFFER_LINES, OFFER_ORDERS = 60_398, 57_573, 3_282, 916
INTERNET_NET = Decimal("29358677.2207")
SETTINGS = config.load(EXAMPLE / "newel.toml")


@asynccontextmanager
async def running(url: str) -> AsyncIterator[Newel]:
    """The example's install on another database."""
    app = Newel(msgspec.structs.replace(SETTINGS, database=url))
    await app.start()
    try:
        assert app.off == []
        yield app
    finally:
        await app.close()


async def _load(url: str) -> None:
    async with running(url) as app:
        await load(app, SOURCE)


@pytest.fixture(scope="session")
def orders() -> list[Order]:
    """All published orders, by date."""
    return SOURCE.orders()


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of a run share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if base.name.startswith("popen-") else base


@pytest.fixture(params=["sqlite", "postgresql"])
def loaded(request: pytest.FixtureRequest, shared: Path, tmp_path: Path) -> Iterator[str]:
    """A database of this test's own with the whole company in it: loaded once in a run, then copied."""
    once = shared / f"adventureworks-{request.param}"
    with Path(f"{once}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if request.param == "sqlite":
            if not once.exists():
                asyncio.run(_load(f"sqlite:///{once}"))
            url = f"sqlite:///{shutil.copy(once, tmp_path)}"
        else:
            cluster: Cluster = request.getfixturevalue("postgresql_cluster")
            if not once.exists():
                cluster.sql(f"CREATE DATABASE {TEMPLATE} TEMPLATE template0")
                asyncio.run(_load(cluster.url(TEMPLATE)))
                once.touch()
            name = f"{TEMPLATE}_{uuid.uuid4().hex}"
            cluster.sql(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
            url = cluster.url(name)
    yield url
    if request.param == "postgresql":
        cluster.sql(f"DROP DATABASE {name} WITH (FORCE)")


async def _company(app: Newel) -> Company:
    company = await find_company(app)
    assert company is not None
    assert company.code == CODE
    return company


async def test_every_line_is_priced_as_published(loaded: str, orders: list[Order]) -> None:
    """All internet lines, and all reseller lines without an offer, to the fourth digit; on both databases."""
    async with running(loaded) as app:
        found = await price_all(app, await _company(app), orders)
    assert found.differences == []
    assert (found.channels["Internet"].lines, found.channels["Reseller"].lines) == (INTERNET_LINES, RESELLER_LINES)
    assert found.skipped == OFFER_LINES
    assert found.channels["Internet"].ours.net == INTERNET_NET
    assert found.exceptions == 0, "the published taxes that break their own rule all stand in lines with an offer"


async def test_orders_are_replayed_to_paid_invoices(loaded: str, orders: list[Order]) -> None:
    """Entered with items and quantities only; delivered, billed, paid; and then the books verify."""
    from newel.services.verify import verify

    plain = [order for order in orders if not order.offered]
    assert len(orders) - len(plain) == OFFER_ORDERS
    count = REPLAYED["sqlite" if loaded.startswith("sqlite") else "postgresql"]
    async with running(loaded) as app:
        company = await _company(app)
        replayed = await replay_all(app, company, sample(plain, count))
        assert replayed.differences == []
        assert replayed.orders == count
        again = await compare_all(app, company, plain)
        assert (again.differences, again.channels) == ([], replayed.channels)
        assert await verify(app) == []
        await _check_books(app, replayed)


async def _check_books(app: Newel, replayed: Comparison) -> None:
    """Trial balance, open items, states of documents, and revenue equal to what was published."""
    async with app.database.read() as session:
        sums = await session.one("SELECT SUM(debit) AS debit, SUM(credit) AS credit FROM posting")
        assert sums["debit"] == sums["credit"] > 0
        assert await session.value("SELECT COUNT(*) AS n FROM open_item WHERE amount_open <> 0 OR company_open <> 0") == 0
        states = await session.fetch("SELECT kind, state, COUNT(*) AS n FROM document WHERE role <> 'receipt' GROUP BY kind, state ORDER BY kind")
        assert [(r["kind"], r["state"], r["n"]) for r in states] == [
            ("invoicing.invoice", "paid", replayed.orders),
            ("receivables.payment", "posted", replayed.orders),
            ("sales.order", "done", replayed.orders),
            ("shipping.delivery", "shipped", replayed.orders),
        ]
        roles = {r["role"]: int(r["n"]) for r in await session.fetch("SELECT role, SUM(credit - debit) AS n FROM posting GROUP BY role")}
    for role, what in (("revenue", "net"), ("tax_output", "tax"), ("freight_revenue", "freight")):
        assert Decimal(roles[role]).scaleb(-4) == sum(getattr(c.published, what) for c in replayed.channels.values())


async def test_offers_by_hand_and_a_replay_that_was_cut_short(loaded: str, orders: list[Order]) -> None:
    """An order with a special offer gives the published sums once price and discount are entered; a second replay makes nothing twice."""
    offered = [order for order in orders if order.offered]
    wanted = sample(offered, 12)
    async with running(loaded) as app:
        company = await _company(app)
        first = await replay_all(app, company, wanted[:6])
        second = await replay_all(app, company, wanted)
        assert (first.differences, second.differences) == ([], [])
        async with app.database.read() as session:
            assert await session.value("SELECT COUNT(*) AS n FROM document WHERE kind = 'invoicing.invoice'") == len(wanted)


async def test_every_order_together_takes_what_is_in_stock(loaded: str, orders: list[Order]) -> None:
    """The opening receipts are the counted inventory and what all orders take: nothing runs short, and the inventory is left."""
    taken = sum(line.quantity for order in orders for line in order.lines)
    async with running(loaded) as app, app.database.read() as session:
        held = Decimal(int(await session.value("SELECT SUM(quantity) AS n FROM stock_balance"))).scaleb(-6)
        sql = "SELECT c.code, COUNT(*) AS n FROM party p JOIN party_class c ON c.id = p.party_class GROUP BY c.code"
        parties = {r["code"]: r["n"] for r in await session.fetch(sql)}
        rates = await session.value("SELECT COUNT(*) AS n FROM currency_rate")
    assert held - taken == 335_974
    assert parties == {"INDIVIDUAL": 18_484, "RESELLER": 1_336, "VENDOR": 104}
    assert rates == 13_532
