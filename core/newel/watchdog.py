"""A limit for rules that never come back.

Rules are synchronous, so a plugin that hangs would take the whole process with it. On the main thread an interval timer interrupts even a
sleeping C call; on other threads an asynchronous exception ends the loop at its next bytecode. One timer covers the rules of a document, and
a hook that is slow names itself because the facade says which one is running.
"""

from __future__ import annotations

import ctypes
import signal
import threading
import time
from _signal import getsignal  # type: ignore[import-not-found]  # that of `signal` makes a member of an Enum each time
from types import FrameType, TracebackType

from newel.errors import PluginFailed

RULE_SECONDS, LINE_SECONDS = 2.0, 0.001
PATIENCE = 3  # on a machine that others keep busy, rules get their seconds of the processor within so many times as many by the clock


class _Timeout(BaseException):
    """Not an Exception, so that a plugin's broad except can't keep it."""


class Current(threading.local):
    """What runs in this thread: (plugin, hook), so that a timeout can name it. Whoever calls a hook sets it, and KERNEL afterwards."""

    now: tuple[str, str] = ("newel", "rules")
    armed = False
    cpu = until = 0.0


KERNEL = Current.now
current = Current()


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    if current.armed and (time.thread_time() >= current.cpu or time.monotonic() >= current.until):  # a signal may still come when the rules are over
        raise _Timeout


class rules_limit:  # noqa: N801 - a with statement's, as in contextlib; a generator costs twice as much, for each of a dozen rules of an action
    """Around the rules of a document: PluginFailed naming the hook that was still running when the time was up: two seconds, and a bit for each line."""

    __slots__ = ("outer", "seconds", "timer")
    timer: threading.Timer | None

    def __init__(self, lines: int = 0) -> None:
        self.seconds = RULE_SECONDS + lines * LINE_SECONDS

    def __enter__(self) -> None:
        self.outer, self.timer = current.armed, None
        if self.outer:
            return
        current.armed = True
        if threading.current_thread() is threading.main_thread():
            if getsignal(signal.SIGALRM) is not _interrupt:  # once, unless somebody else sets one: it costs more than all of the rest
                signal.signal(signal.SIGALRM, _interrupt)
            current.cpu, current.until = time.thread_time() + 0.9 * self.seconds, time.monotonic() + (PATIENCE - 0.1) * self.seconds
            signal.setitimer(signal.ITIMER_REAL, self.seconds, self.seconds)
            return
        ident = ctypes.c_ulong(threading.get_ident())
        timer = threading.Timer(self.seconds, lambda: ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, ctypes.py_object(_Timeout)))
        timer.daemon = True
        timer.start()
        self.timer = timer

    def __exit__(self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        if self.outer:
            return
        if self.timer is None:
            signal.setitimer(signal.ITIMER_REAL, 0)
        else:
            self.timer.cancel()
        current.armed = False
        if kind is _Timeout:
            (plugin, hook), current.now = current.now, KERNEL
            raise PluginFailed(plugin, hook, f"gave no answer within {self.seconds:g} s") from None
