"""Who listens in this process, and the one task that looks for all of them: it asks for the marks of what is watched, and of nothing else.

So it costs what people look at, and not how much there is; it works with any number of processes on either database; and who reads slowly
keeps nobody waiting, since all that is kept for them is a set of keys.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any
from weakref import WeakKeyDictionary

from newel.services.app import Newel

from newel_live.rules import Wanted, moved, written

log = logging.getLogger("newel.live")
EVERY, BEAT, LIFE, GRACE = 2, 15, 120, 30  # seconds
MOST, MOST_OF_ONE = 500, 8  # who listens, in one process


class Listener:
    """One open page. news: what it has not been told yet; its own keys at most."""

    def __init__(self, user: int, wanted: Wanted, until: int) -> None:
        self.user, self.wanted, self.until = user, {topic: set(keys) for topic, keys in wanted.items()}, until
        self.news: set[tuple[str, str]] = set()
        self.woken = asyncio.Event()
        self.task: asyncio.Task[Any] | None = None
        self.ended = False

    def end(self) -> None:
        """Let it go: the page comes again by itself."""
        self.ended = True
        self.woken.set()


class Hub:
    """All listeners of an install in this process."""

    def __init__(self, newel: Newel) -> None:
        self.newel = newel
        self.listeners: list[Listener] = []
        self.marks: dict[str, dict[str, str]] = {}
        self.rounds = 0
        self._looking: asyncio.Task[None] | None = None
        self._one = asyncio.Lock()

    def enter(self, user: int, wanted: Wanted) -> Listener | None:
        """Listen from now on; None where too many do. The oldest page of a user with too many goes."""
        own = [one for one in self.listeners if one.user == user]
        if len(own) >= MOST_OF_ONE:
            self.leave(own[0])
            own[0].end()
        if len(self.listeners) >= MOST:
            return None
        made = Listener(user, wanted, int(asyncio.get_running_loop().time()) + LIFE)
        self.listeners.append(made)
        return made

    def leave(self, listener: Listener) -> None:
        """Listen no more."""
        if listener in self.listeners:
            self.listeners.remove(listener)

    async def told(self, listener: Listener, words: dict[str, str]) -> AsyncIterator[bytes]:
        """Events for one page: ready, once what changes from now on is told; then changed, with the keys; else a sign of life."""
        listener.task = asyncio.current_task()
        try:
            await self.look()
            if self._looking is None or self._looking.done():
                self._looking = asyncio.create_task(self._look_on())
            yield written("ready", words)
            while not listener.ended and asyncio.get_running_loop().time() < listener.until:
                try:
                    await asyncio.wait_for(listener.woken.wait(), BEAT)
                except TimeoutError:
                    yield b": still here\n\n"
                    continue
                listener.woken.clear()
                news, listener.news = sorted(listener.news), set()
                if news:
                    yield written("changed", news)
        finally:
            self.leave(listener)

    async def look(self) -> None:
        """Compare the marks of everything that is watched with those of the last time."""
        async with self._one:
            for manifest in self.newel.registry.manifests.values():
                for watch in manifest.watches:
                    keys = {k for one in self.listeners for k in one.wanted.get(watch.topic, ())}
                    before = self.marks.get(watch.topic, {})
                    async with self.newel.database.read() as session:
                        now = await watch.marks(session, sorted(keys)) if keys else {}
                    self.marks[watch.topic] = {k: now.get(k, "") for k in keys}
                    self._tell(watch.topic, moved(before, now, keys & before.keys()))

    def _tell(self, topic: str, changed: set[str]) -> None:
        for one in self.listeners if changed else ():
            if news := changed & one.wanted.get(topic, set()):
                one.news |= {(topic, key) for key in news}
                one.woken.set()

    async def _look_on(self) -> None:
        while self.listeners:
            await asyncio.sleep(EVERY)
            now = asyncio.get_running_loop().time()
            for one in [x for x in self.listeners if now > x.until + GRACE]:  # nobody reads what was sent to it
                self.leave(one)
                if one.task is not None:
                    one.task.cancel()
            try:
                await self.look()
            except Exception:  # the database, or a plugin: they come again, and so do we
                log.warning("what is watched could not be looked at", exc_info=True)


_hubs: WeakKeyDictionary[Newel, Hub] = WeakKeyDictionary()


def hub_of(newel: Newel) -> Hub:
    """The listeners of an install."""
    return _hubs.setdefault(newel, Hub(newel))
