"""What plugins do for each other without knowing each other. Each is a field of Manifest, and rests where nobody asks for it.

happenings: async function(session, asked: Asked, context) -> Happenings of a document or record, for its timeline; in any order.
watches: what open pages can watch.
prints: async function(newel, id, context) -> (file name, content): the PDF of a document, to be sent along with mails.
tells: async function(session, address, name, subject, text, context): sends a message to one of our own people, in the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

import msgspec


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a timeline wants to know of a document or record.

    Args:
        about: "document", or name of the record kind; id: of the document or record. Whoever asks has seen to it that the user may see it.
        before: (instant, id): only what happened before, or at the same instant with a smaller id. most: how many, the latest of them.
        kind, who: only these; empty for all.
    """

    about: str
    id: int
    before: tuple[datetime, int]
    most: int
    kind: str = ""
    who: str = ""


class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened with a document or record, in the reader's language.

    Args:
        id: of the row that holds it. kind: change, comment, mail, print, job, file, or a word of the plugin's own.
        who: login or name. text: what happened, in a few words; body: what was written, in lines.
        state: how far it is; phase: draft, open, done or error. changes: (label, old, new). url: where more of it is.
    """

    id: int
    at: datetime
    kind: str
    text: str
    who: str = ""
    body: str = ""
    state: str = ""
    phase: str = "draft"
    changes: tuple[tuple[str, str, str], ...] = ()
    url: str = ""


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """Something that open pages can watch: they are told within seconds when it has changed, and ask for the rest as usual.

    Args:
        topic: its name, beginning with the plugin's.
        marks: async function(session, keys) -> {key: mark}; asked every few seconds for all keys that anybody watches: keep it one quick statement.
        allowed: async function(newel, keys, context) -> those of the keys that this user may watch.
    """

    topic: str
    marks: Callable[..., Awaitable[dict[str, str]]]
    allowed: Callable[..., Awaitable[list[str]]]
