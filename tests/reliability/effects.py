"""A plugin that reaches the world outside: of every posted invoice and of every job it sends word, which the receiver keeps, a line each.

It is installed for the processes of a test by a distribution that the test writes into a folder (see processes.py).
"""

from __future__ import annotations

import os
from typing import Any

from newel.domain.document import Document
from newel.hookspecs import hookimpl
from newel.manifest import Job, Manifest

RECEIVER = "NEWEL_EFFECTS"


def send(key: str) -> None:
    """Tell the world. What was told stays told, whatever becomes of the sender; the receiver knows a message by its key."""
    out = os.open(os.environ[RECEIVER], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(out, f"{key}\n".encode())
    os.close(out)


async def act(_app: Any, payload: dict[str, Any], _context: Any) -> None:
    """The job: sends what it was asked to."""
    send(f"job {payload['n']}")


@hookimpl
def register_plugin() -> Manifest:
    """Say what it brings."""
    return Manifest(name="effects", label="Effects", jobs=(Job(name="effects.send", act=act),))


@hookimpl
async def after_transition(document: Document, transition: str) -> None:
    """Send word of every posting."""
    if transition == "post":
        send(f"document {document.id}")
