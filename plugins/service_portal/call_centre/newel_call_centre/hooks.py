"""The call centre on one screen: telephony software tells of calls, agents see who it is, and requests are made from calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from newel.domain.context import Context
from newel.domain.document import Document
from newel.domain.facts import Facts
from newel.hookspecs import asked, hookimpl
from newel.manifest import Manifest, MenuItem, Panel, Shown
from newel.store.session import Session

from newel_call_centre.facts import Calls, calls
from newel_call_centre.rules import CallSettings
from newel_call_centre.tables import RECORDS, TABLES


@hookimpl
def register_plugin() -> Manifest:
    """Calls, an interface for telephony software and a page for agents (SRV-10)."""
    return Manifest(
        name="call_centre", label="Call centre", locale="newel_call_centre:locale",
        piccolo_app="newel_call_centre.piccolo_app", tables=TABLES, records=RECORDS, settings=CallSettings,
        routes="newel_call_centre.routes:handlers", templates="newel_call_centre:templates",
        menu=(MenuItem(label="My calls", path="/call_centre", section="Service", permission="call_centre.call.view"),),
    )  # fmt: skip


@hookimpl
@asked("request")
async def load_facts(document: Document, session: Session, context: Context) -> Any:
    """The calls that a request was made from."""
    if not document.version or context.user.party is not None:
        return None
    return Calls(await calls(session, context, "document = ?", document.id))


@hookimpl
@asked(facts=Calls)
def propose_panels(document: Document, facts: Facts, context: Context) -> Sequence[Panel]:
    """When they called, and where the recording is; not for the caller."""
    found = facts[Calls]
    if not found.found:
        return ()
    rows = [(f"{c.started_at:%Y-%m-%d %H:%M}" if c.started_at else "Call", Shown(value=c.number or "withheld", url=c.recording)) for c in found.found]
    return [Panel(title="Calls", rows=tuple(rows), sequence=40)]
