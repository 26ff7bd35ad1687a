"""What may be done with a document now: the transitions and flows that its state and the user's rights allow."""

from __future__ import annotations

from newel.domain.context import User
from newel.domain.document import Document
from newel.domain.kinds import Flow, Transition
from newel.services.registry import Registry


def transitions(registry: Registry, document: Document, user: User) -> list[Transition]:
    """Those that lead on from the document's state, in the order in which its kind declares them."""
    kind = registry.kind(document.kind)
    found = (t for t in kind.transitions if not t.automatic and document.state in t.sources)
    return [t for t in found if user.may(f"{kind.name}.{t.name}")]


def flows(registry: Registry, document: Document, user: User) -> list[Flow]:
    """Those that still find something open in the document."""
    kind = registry.kind(document.kind)
    found = (f for f in registry.flows_from(kind) if document.phase in f.phases and user.may(f"{f.target_kind}.edit"))
    return [f for f in found if any(f.open(line) > 0 for line in document.lines if registry.takes(f, line))]
