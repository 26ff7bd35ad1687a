"""What mail reads: templates from the cache, and the mails of a document."""

from __future__ import annotations

import msgspec
from newel.store.session import Session, instant

from newel_mail.rules import Mails, Sent, Words


class _Templates(msgspec.Struct, frozen=True):
    all: tuple[Words, ...] = ()


async def templates(session: Session) -> tuple[Words, ...]:
    """Active templates; none are read again until one has changed."""
    return (await session.cached("mail", _load)).all


async def _load(session: Session) -> _Templates:
    names = ("code", "role", "kind", "transition", "language", "subject", "body")
    rows = await session.fetch("SELECT * FROM mail_template WHERE active = ? ORDER BY code", True)
    return _Templates(tuple(Words(**{name: r[name] for name in names}) for r in rows))


async def mails(session: Session, document: int) -> Mails:
    """What was sent of a document."""
    rows = await session.fetch("SELECT state, recipient, subject, created_at, sent_at, error FROM mail_message WHERE document = ? ORDER BY id", document)
    return Mails(
        tuple(
            Sent(state=r["state"], recipient=r["recipient"], subject=r["subject"], at=instant(r["sent_at"] or r["created_at"]), error=r["error"])
            for r in rows
        )
    )
