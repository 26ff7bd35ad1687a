"""What each plugin costs documents that don't use it: the base and one more plugin against the base, order by order in turns, so that drift cancels.

"credit" and "promotions" are shown twice: installed and unused, and with a limit or twenty promotions in force.
"""

from __future__ import annotations

import gc
import os
import random
import statistics
from collections.abc import Callable
from contextlib import AsyncExitStack

import pytest
from newel.plugins import discover

from tests.benchmarks.figures import Figures
from tests.benchmarks.flow import BASE, Meter, Shop, shop

ROUNDS = int(os.environ.get("NEWEL_BENCH_ROUNDS", "40"))
TURN = 3
SHARE = 2.0  # per cent


def wanted() -> dict[str, tuple[tuple[str, ...] | None, bool, int]]:
    """The installs that are compared: plugins, whether customers have limits, promotions in force."""
    setups: dict[str, tuple[tuple[str, ...] | None, bool, int]] = {"base": (BASE, False, 0), "base again (the noise)": (BASE, False, 0)}
    for name in sorted(discover()[0].keys() - set(BASE)):
        setups[name] = ((*BASE, name), False, 0)
    in_use = {"base, limits": (BASE, True, 0), "credit, in use": ((*BASE, "credit"), True, 0), "promotions, in use": ((*BASE, "promotions"), False, 20)}
    return setups | in_use | {"all": (None, False, 0), "all, limits and promotions": (None, True, 20)}


def _undisturbed(meter: Meter) -> list[float]:
    """The least CPU of each turn: whatever else the machine does can only add to it."""
    orders = meter.orders(cpu=True)
    return [min(orders[i : i + TURN]) for i in range(0, len(orders), TURN)]


@pytest.mark.timeout(1800)
async def test_each_plugin_alone(databases: Callable[[], str], figures: Figures) -> None:
    async with AsyncExitStack() as stack:
        shops: dict[str, Shop] = {}
        for name, (names, limit, promotions) in wanted().items():
            shops[name] = await stack.enter_async_context(shop(databases(), names, limit=limit, promotions=promotions))
        for one in shops.values():
            await one.sold(5)
            one.meter = Meter()
        gc.collect()
        gc.freeze()  # what the others keep must not be looked through in one's turn
        turns = list(shops.values())
        for n in range(ROUNDS):
            random.Random(n).shuffle(turns)
            for one in turns:
                for _ in range(TURN):
                    await one.sell()
        gc.unfreeze()
        base = _undisturbed(shops["base"].meter)
        engine = shops["base"].engine
        for name, one in shops.items():
            more = (statistics.median(a / b for a, b in zip(_undisturbed(one.meter), base, strict=True)) - 1) * 100
            what = f"{engine}, {name} ({len(one.app.plugins.order)} plugins, {one.meter.statements_per_order()} statements)"
            if name in one.app.plugins.order:
                figures.at_most("plugins", f"{what}, unused", more, SHARE, "% CPU more than the base")
            else:
                figures.add("plugins", what, f"{more:+.2f} % CPU")
