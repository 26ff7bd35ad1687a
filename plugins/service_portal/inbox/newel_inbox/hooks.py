"""The inbox on one screen: a mail server hands mail over, and it lands with the request that it is about."""

from __future__ import annotations

from newel.hookspecs import hookimpl
from newel.manifest import Manifest


@hookimpl
def register_plugin() -> Manifest:
    """One address to hand mail over to."""
    return Manifest(name="inbox", label="Inbox", locale="newel_inbox:locale", needs=("mail", "requests"), routes="newel_inbox.routes:handlers")
