"""Every published Adventure Works order through to the paid invoice, in a fresh database. Prints orders per second, and how fast lines are priced.

NEWEL_BENCH_ORDERS limits how many orders are replayed, evenly spread; all 31,455 unless given. Those with a special offer have price and
discount entered by hand, so that the sums of the whole company must come out.
"""

from __future__ import annotations

import os
import time

import msgspec
import pytest
from adventureworks.load import load
from adventureworks.replay import price_all, replay_all
from adventureworks.source import EXAMPLE, Source, data_folder, sample
from newel import config
from newel.services.app import Newel
from newel.services.verify import verify


@pytest.mark.timeout(3600)
async def test_all_orders_to_paid_invoices(database_url: str) -> None:
    """Load, price, replay, verify; each with its time."""
    try:
        source = Source(data_folder())
    except FileNotFoundError as absent:
        pytest.skip(str(absent))
    orders = source.orders()
    wanted = sample(orders, int(os.environ.get("NEWEL_BENCH_ORDERS", len(orders))))
    app = Newel(msgspec.structs.replace(config.load(EXAMPLE / "newel.toml"), database=database_url))
    await app.start()
    try:
        at = time.perf_counter()
        loaded = await load(app, source)
        at = _say(app, "load", sum(loaded.counts.values()), "records", at)
        priced = await price_all(app, loaded.company, orders)
        at = _say(app, "price", priced.lines, "lines", at)
        replayed = await replay_all(app, loaded.company, wanted)
        at = _say(app, "replay", replayed.orders, "orders to paid invoices", at)
        findings = await verify(app)
        _say(app, "verify", replayed.lines, "order lines and all that follows from them", at)
    finally:
        await app.close()
    assert (priced.differences, replayed.differences, findings) == ([], [], [])


def _say(app: Newel, stage: str, count: int, what: str, since: float) -> float:
    now = time.perf_counter()
    engine = "SQLite" if app.database.sqlite else "PostgreSQL"
    print(f"\n{engine:10} {stage:7} {count:>8,} {what} in {now - since:7.1f} s = {count / (now - since):9,.0f} a second", end="")
    return now
