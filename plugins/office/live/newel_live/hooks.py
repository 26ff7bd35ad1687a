"""Live on one screen: one address that tells, a script that listens, and what can be watched of the kernel: documents, and the stock of items."""

from __future__ import annotations

from newel.happenings import Watch
from newel.hookspecs import hookimpl
from newel.manifest import Manifest

from newel_live import facts


@hookimpl
def register_plugin() -> Manifest:
    """Two topics; other plugins bring their own."""
    return Manifest(
        name="live",
        label="Live",
        locale="newel_live:locale",
        routes="newel_live.routes:handlers",
        scripts=("live/live.js",),
        watches=(
            Watch(topic="live.document", marks=facts.documents, allowed=facts.allowed_documents),
            Watch(topic="live.item", marks=facts.items, allowed=facts.allowed_items),
        ),
    )
