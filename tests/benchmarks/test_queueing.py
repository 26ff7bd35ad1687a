"""The simulation agrees with what is known: Erlang's formula for c servers, and Little's law."""

from __future__ import annotations

import math
import random
from pathlib import Path

import pytest

from tests.benchmarks.queueing import ACTIONS, HOUSES, Action, House, Simulation, Station, Walk, served, simulated, table

PAGE = Path(__file__).parents[2] / "docs" / "scale.md"


def erlang_c(servers: int, load: float) -> float:
    """The probability of having to wait; load: arrivals a second times seconds of service, below the number of servers."""
    top = load**servers / math.factorial(servers) * servers / (servers - load)
    return top / (sum(load**k / math.factorial(k) for k in range(servers)) + top)


@pytest.mark.parametrize(("servers", "used"), [(1, 0.5), (1, 0.8), (4, 0.8), (16, 0.9)])
def test_waiting_is_as_erlang_says(servers: int, used: float) -> None:
    chance, simulation, station = random.Random(7), Simulation(), Station(servers)
    rate, waits = servers * used, []  # arrivals a second, where a service takes one on average

    def walk() -> Walk:
        start, seconds = simulation.now, chance.expovariate(1)
        yield from served(station, seconds)
        waits.append(simulation.now - start - seconds)

    def arrive() -> None:
        simulation.go(walk())
        simulation.at(simulation.now + chance.expovariate(rate), arrive)

    arrive()
    simulation.run(200_000 / rate)
    expected = erlang_c(servers, rate) / (servers - rate)
    assert sum(waits) / len(waits) == pytest.approx(expected, rel=0.05)
    assert sum(w > 1e-9 for w in waits) / len(waits) == pytest.approx(erlang_c(servers, rate), rel=0.03)
    assert station.busy / simulation.now == pytest.approx(rate, rel=0.02)


def test_a_house_waits_for_what_is_short() -> None:
    look = Action("look", 0.8, web=0.010, database=0.004)
    post = Action("post", 0.2, web=0.010, database=0.004, reads=False, locked=0.010)

    def house(web: int = 16, cores: int = 8, companies: int = 100, replica: int = 0) -> House:
        return House(web, cores, replica, companies, users=10_000, pause_seconds=20)

    enough = simulated(house(), [look, post], seconds=20)
    assert simulated(house(), [look, post], seconds=20) == enough, "the same seed gives the same figures"
    assert enough.web == pytest.approx(500 * 0.010 / 16, rel=0.05)
    assert enough.primary == pytest.approx(500 * 0.004 / 8, rel=0.05)
    assert enough.ledger == pytest.approx(500 * 0.2 * 0.010 / 100, rel=0.1)
    assert simulated(house(web=6), [look, post], seconds=20).p99 > enough.p99 * 1.2
    assert simulated(house(cores=2), [look, post], seconds=20).p50 > enough.p50 * 2, "two seconds of work a second on two cores"
    one = simulated(house(companies=1), [look, post], seconds=20)
    assert one.posting_p99 > enough.posting_p99 * 3 and one.p50 < enough.p50 * 2, "one ledger for all: whoever posts waits, others do not"
    assert simulated(house(cores=2, replica=8), [look, post], seconds=20).primary == pytest.approx(500 * 0.2 * 0.004 / 2, rel=0.1)


def test_the_page_shows_what_comes_out() -> None:
    page = PAGE.read_text("utf-8")
    assert table(HOUSES[:3]) in page, "python -m tests.benchmarks.queueing prints the table"
    for action in ACTIONS:
        held = f" {action.locked * 1000:.1f} ms " if action.locked else " "
        expected = f"| {action.share:.0%} | {action.web * 1000:.1f} ms | {action.database * 1000:.1f} ms |{held}|".replace("%", " %")
        assert any(expected in line for line in page.splitlines()), expected
