"""Handing over on one screen: deliveries go off, somebody takes them, and the proof stands on their page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from newel.domain.context import Context
from newel.domain.document import Document
from newel.domain.facts import Facts
from newel.hookspecs import asked, hookimpl
from newel.manifest import Box, Manifest, MenuItem, Panel
from newel.store.session import Session

from newel_handover.keep import WORK, Handed, handed, panel
from newel_handover.tables import TABLES

WAYS = (("Load", "/handover/load"), ("Hand over", "/handover/prove"))


@hookimpl
def register_plugin() -> Manifest:
    """Two lists with a page for each delivery, and a table of proofs."""
    return Manifest(
        name="handover", label="Handing over", locale="newel_handover:locale", needs=("attachments",),
        piccolo_app="newel_handover.piccolo_app", tables=TABLES,
        routes="newel_handover.routes:handlers", templates="newel_handover:templates",
        permissions=((WORK, "load deliveries and hand them over"),),
        menu=tuple(MenuItem(label=label, path=url, section="Stock", permission=WORK) for label, url in WAYS),
        boxes=tuple(Box(title=label, on="scan.start", url=url, permission=WORK) for label, url in WAYS),
    )  # fmt: skip


@hookimpl
@asked("delivery")
async def load_facts(document: Document, session: Session, context: Context) -> Any:
    """Who took a delivery, where somebody looks at it; nothing for other documents."""
    return await handed(session, document.id) if document.version and not session.writable else None


@hookimpl
@asked(facts=Handed)
def propose_panels(document: Document, facts: Facts, context: Context) -> Sequence[Panel]:
    """The proof of delivery, with its signature and photo."""
    return panel(facts[Handed])
