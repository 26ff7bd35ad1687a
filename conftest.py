"""For every test of the repository: no connection leaves this machine. What a test needs from outside, it brings along."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

LOCAL_NAMES = frozenset({"", "localhost", "localhost.localdomain", socket.gethostname().lower()})


class Outgoing(AssertionError):
    """A test asked for something outside of this machine."""


def is_local(host: Any) -> bool:
    """Whether the address or name is of this machine."""
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host or "")
    try:
        return ipaddress.ip_address(name.partition("%")[0]).is_loopback or ipaddress.ip_address(name.partition("%")[0]).is_unspecified
    except ValueError:
        return name.lower().rstrip(".") in LOCAL_NAMES


def refuse_outgoing(host: Any) -> None:
    """Go on only where the host is this machine.

    Raises:
        Outgoing: it is another one.
    """
    if not is_local(host):
        raise Outgoing(f"a test asked for {host!r}: nothing leaves this machine; serve it on 127.0.0.1, or put something in its place")


def _guarded(original: Any) -> Any:
    def connect(self: socket.socket, address: Any, *more: Any) -> Any:
        if self.family != getattr(socket, "AF_UNIX", None):
            refuse_outgoing(address[0])
        return original(self, address, *more)

    return connect


def _asked(original: Any) -> Any:
    def getaddrinfo(host: Any, *more: Any, **named: Any) -> Any:
        refuse_outgoing(host)
        return original(host, *more, **named)

    return getaddrinfo


def pytest_configure() -> None:
    """From the start of the run to its end, in every worker. Programs that tests start (a browser, a database) are not seen."""
    socket.socket.connect = _guarded(socket.socket.connect)  # type: ignore[method-assign]
    socket.socket.connect_ex = _guarded(socket.socket.connect_ex)  # type: ignore[method-assign]
    socket.getaddrinfo = _asked(socket.getaddrinfo)
