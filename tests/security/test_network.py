"""Nothing leaves this machine while tests run, and every package that we use may be used."""

from __future__ import annotations

import asyncio
import re
import socket
from importlib.metadata import Distribution, distributions
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
# Licences under which a package may be used beside ours and given on: they ask for a notice, or for changes of the package itself to be shown.
FREE = re.compile(r"MIT|BSD|Apache|ISC|PSF|Python Software|MPL|Mozilla|Unlicense|CC0|0BSD|HPND|Zlib|Public Domain|LGPL|Lesser", re.IGNORECASE)
# Packages whose metadata say it in no form that a program reads.
KNOWN = {"axe-playwright-python": "MIT; its metadata does not say so"}


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "example.invalid"])
async def test_a_test_that_asks_outside_fails(host: str) -> None:
    """By the bare socket, by a name, from asyncio and from a client: refused before anything is sent."""
    with pytest.raises(AssertionError, match="nothing leaves this machine"), socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as out:
        out.connect((host, 80))
    with pytest.raises(AssertionError, match="nothing leaves this machine"):
        await asyncio.open_connection(host, 80)
    async with httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises((AssertionError, ExceptionGroup)) as told:  # a client may try several ways at once
            await client.get(f"http://[{host}]/" if ":" in host else f"http://{host}/")
        assert "nothing leaves this machine" in str(getattr(told.value, "exceptions", told.value))
    with pytest.raises(AssertionError):
        socket.getaddrinfo(host, 80)


async def test_this_machine_is_reached() -> None:
    server = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", 0)
    async with server:
        for host in ("127.0.0.1", "localhost"):
            _, writer = await asyncio.open_connection(host, server.sockets[0].getsockname()[1], family=socket.AF_INET)
            writer.close()


def licence(one: Distribution) -> str:
    """What a package says about its licence, in any of the places where it may."""
    told = one.metadata
    classifiers = [c for c in told.get_all("Classifier") or [] if c.startswith("License ::")]
    return " ".join([told.get("License-Expression") or "", *classifiers, (told.get("License") or "")[:200]])


def test_every_package_may_be_used() -> None:
    """Each package of the lock that is installed has a licence that lets others use and give on what we make."""
    locked = {name.lower().replace("_", "-") for name in re.findall(r"^([A-Za-z0-9._-]+)==", (ROOT / "requirements.txt").read_text(), re.MULTILINE)}
    found = {one.metadata["Name"].lower().replace("_", "-"): licence(one) for one in distributions() if one.metadata["Name"]}
    assert len(locked & found.keys()) > 80
    assert {name: found[name] for name in sorted(locked & found.keys()) if not FREE.search(found[name]) and name not in KNOWN} == {}
    assert "GPLv3" not in " ".join(found[name] for name in locked & found.keys())
