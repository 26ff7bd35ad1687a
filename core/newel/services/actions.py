"""What may be done with a document now: the transitions and flows that its state and the user's rights allow; and its kind, running or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from newel.domain.context import Context, User
from newel.domain.document import Document
from newel.domain.kinds import DocumentKind, Flow, Transition
from newel.services.registry import Registry, stand_in

if TYPE_CHECKING:
    from newel.services.app import Newel


def transitions(registry: Registry, document: Document, user: User) -> list[Transition]:
    """Those that lead on from the document's state, in the order in which its kind declares them."""
    kind = registry.kind_of(document)
    found = (t for t in kind.transitions if not t.automatic and document.state in t.sources)
    return [t for t in found if user.may(f"{kind.name}.{t.name}")]


def flows(registry: Registry, document: Document, user: User) -> list[Flow]:
    """Those that still find something open in the document."""
    kind = registry.kind_of(document)
    found = (f for f in registry.flows_from(kind) if document.phase in f.phases and user.may(f"{f.target_kind}.edit"))
    return [f for f in found if any(f.open(line) > 0 for line in document.lines if registry.takes(f, line))]


async def kind_of(newel: Newel, name: str, context: Context) -> DocumentKind:
    """The kind with this name, also of a plugin that does not run, as long as the company has documents of it."""
    if name in newel.registry.documents:
        return newel.registry.documents[name]
    async with newel.database.read() as session:
        rows = await session.fetch("SELECT DISTINCT role, state, phase FROM document WHERE kind = ? AND company = ?", name, context.company.id)
    return stand_in(name, rows[0]["role"], {r["state"]: r["phase"] for r in rows}) if rows else newel.registry.kind(name)
