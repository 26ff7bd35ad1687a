"""Ten thousand users on paper: a simulation of what waits for what, event by event, from service times that bench_queueing.py measures.

python -m tests.benchmarks.queueing prints the table of docs/scale.md. The same seed gives the same table.

An action binds itself to the web process with the fewest, computes there, takes one of that process's connections for its transaction,
computes in the database, and where it posts holds the ledger of its company until the commit is on disk. Computing and locks are queues, first come,
first served. Times are drawn from exponential distributions, which spread more than real ones; users arrive at random.
"""

from __future__ import annotations

import heapq
import itertools
import random
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterator
from functools import partial
from typing import Any, NamedTuple

SECONDS, WARM_SECONDS = 60.0, 10.0
CONNECTIONS = 10
FULL = 0.99  # what is used more waits ever longer


class Station:
    """So many servers and one queue before them. busy: seconds of service that its servers gave."""

    def __init__(self, servers: int) -> None:
        self.servers = self.free = servers
        self.busy = 0.0
        self.waiting: deque[Any] = deque()


Take, Give, Hold = "take", "give", "hold"
Step = tuple[str, Any]
Walk = Generator[Step, None, None]


class Simulation:
    """Walks through stations: generators that take and give servers, and hold for some seconds what they have."""

    def __init__(self) -> None:
        self.now = 0.0
        self._count = itertools.count()
        self._events: list[tuple[float, int, Callable[[], None]]] = []

    def at(self, time: float, what: Callable[[], None]) -> None:
        """Do something at that time."""
        heapq.heappush(self._events, (time, next(self._count), what))

    def go(self, walk: Walk) -> None:
        """Let a walk go on until it has to wait."""
        for what, which in walk:
            if what == Hold:
                self.at(self.now + which, partial(self.go, walk))
                return
            if what == Give:
                if which.waiting:
                    self.at(self.now, partial(self.go, which.waiting.popleft()))
                else:
                    which.free += 1
            elif which.free:
                which.free -= 1
            else:
                which.waiting.append(walk)
                return

    def run(self, until: float) -> None:
        """Everything that happens before that time."""
        while self._events and self._events[0][0] <= until:
            self.now, _, what = heapq.heappop(self._events)
            what()


def served(station: Station, seconds: float) -> Iterator[Step]:
    """Wait for a server, keep it for so long, give it back."""
    yield Take, station
    station.busy += seconds
    yield Hold, seconds
    yield Give, station


class Action(NamedTuple):
    """A kind of action of a user, with its mean times in seconds. share: of all actions. locked: how long the ledger is held up to the commit."""

    name: str
    share: float
    web: float
    database: float
    reads: bool = True
    locked: float = 0.0


class House(NamedTuple):
    """What there is: web processes, cores of the primary and of its replica (0: there is none), companies, and users with a pause between actions.

    posting: which share of the actions posts to the ledger; None: as the actions say.
    """

    web: int
    cores: int
    replica: int
    companies: int
    users: int = 10_000
    pause_seconds: float = 20.0
    posting: float | None = None


class Answer(NamedTuple):
    """Seconds of waiting and working of an action, and how much of the time was used of what. p99 of those that post is its own figure."""

    p50: float
    p95: float
    p99: float
    posting_p99: float
    web: float
    primary: float
    ledger: float


def simulated(house: House, actions: list[Action], seed: int = 1, seconds: float = SECONDS) -> Answer:
    """What users of this house wait, once it is warm."""
    chance, simulation = random.Random(seed), Simulation()
    web = [(Station(1), Station(CONNECTIONS)) for _ in range(house.web)]
    inside = [0] * house.web
    primary, replica = Station(house.cores), Station(house.replica or 1)
    ledgers = [Station(1) for _ in range(house.companies)]
    took: list[tuple[float, bool]] = []

    def walk(action: Action) -> Walk:
        start = simulation.now
        number = min(range(house.web), key=inside.__getitem__)
        inside[number] += 1
        process, connections = web[number]
        database = replica if action.reads and house.replica else primary
        drawn = chance.expovariate
        yield from served(process, drawn(2 / action.web))
        yield Take, connections
        yield from served(database, drawn(1 / action.database))
        yield from served(process, drawn(2 / action.web))
        if action.locked:
            ledger = ledgers[chance.randrange(house.companies)]
            yield from served(ledger, drawn(1 / action.locked))
        yield Give, connections
        inside[number] -= 1
        if start >= WARM_SECONDS:
            took.append((simulation.now - start, bool(action.locked)))

    shares = [a.share if house.posting is None else house.posting if a.locked else a.share * (1 - house.posting) for a in actions]

    def arrive() -> None:
        simulation.go(walk(chance.choices(actions, shares)[0]))
        simulation.at(simulation.now + chance.expovariate(house.users / house.pause_seconds), arrive)

    arrive()
    simulation.run(WARM_SECONDS + seconds)
    total, times, posting = simulation.now, sorted(t for t, _ in took), sorted(t for t, posts in took if posts)
    used = [sum(s.busy for s in some) / (total * sum(s.servers for s in some)) for some in ([p for p, _ in web], [primary], ledgers)]
    return Answer(*(times[int(len(times) * p)] for p in (0.5, 0.95, 0.99)), posting[int(len(posting) * 0.99)], *used)


# Mean seconds, as bench_queueing.py measured them. The shares are an assumption: people look much more often than they change something.
ACTIONS = [
    Action("look at a page", 0.80, 0.0155, 0.0027),
    Action("price while typing", 0.10, 0.0093, 0.0015, reads=False),
    Action("change something", 0.06, 0.0100, 0.0036, reads=False),
    Action("post to the ledger", 0.04, 0.0100, 0.0046, reads=False, locked=0.0037),
]
RUSH = 5.0
HOUSES = [
    House(6, 4, 0, 10),
    House(8, 4, 0, 10),
    House(12, 4, 0, 10),
    House(12, 4, 4, 10),
    House(12, 4, 0, 1),
    House(12, 4, 0, 1000),
    House(32, 8, 0, 10, pause_seconds=RUSH),
    House(48, 8, 0, 10, pause_seconds=RUSH),
    House(48, 8, 8, 10, pause_seconds=RUSH),
    House(48, 8, 0, 1, pause_seconds=RUSH),
    House(48, 8, 8, 1, pause_seconds=RUSH, posting=0.12),
    House(48, 8, 8, 2, pause_seconds=RUSH, posting=0.12),
    House(48, 8, 8, 10, pause_seconds=RUSH, posting=0.12),
]


def table(houses: list[House] = HOUSES, actions: list[Action] = ACTIONS) -> str:
    """What docs/scale.md shows: a line for each house."""
    head = (
        "| a user acts every | of that posts | companies | web processes | cores | p50 | p95 | p99 | p99 of posting | web used | primary used | a ledger used |"
    )
    lines = [head, "| ---: " * 12 + "|"]
    for house in houses:
        found = simulated(house, actions)
        full = max(found[4:]) > FULL
        times = " | ".join("grows" if full else f"{t * 1000:,.0f} ms" for t in found[:4])
        used = " | ".join(f"{u:.1%}" if u < 0.1 else f"{min(u, 1):.0%}" for u in found[4:])
        posts = next(a.share for a in actions if a.locked) if house.posting is None else house.posting
        there = f"{house.pause_seconds:g} s | {posts:.0%} | {house.companies:,} | {house.web} | {house.cores} + {house.replica}"
        lines.append(f"| {there} | {times} | {used} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(table() + "\n")
