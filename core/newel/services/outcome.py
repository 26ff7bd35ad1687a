"""What a use case did, or would do."""

from __future__ import annotations

import msgspec

from newel.domain.document import Document, Draft
from newel.domain.ledger import Entry
from newel.domain.stock import Move
from newel.errors import Problem, Severity


class Outcome(msgspec.Struct, frozen=True):
    """A document with everything that follows from an action; the same for a preview, which writes nothing.

    Args:
        problems: all of them; blocking ones only in a preview (otherwise they are raised as Refused).
        moves, entries: stock moves and journal entries of the action.
        drafts: further documents that plugins propose (preview) or ids of those that were made (made).
    """

    document: Document
    problems: tuple[Problem, ...] = ()
    moves: tuple[Move, ...] = ()
    entries: tuple[Entry, ...] = ()
    drafts: tuple[Draft, ...] = ()
    made: tuple[int, ...] = ()
    replayed: bool = False

    @property
    def blocked(self) -> bool:
        """Whether anything stands in the way."""
        return any(p.severity in (Severity.BLOCK, Severity.OVERRIDE) for p in self.problems)
