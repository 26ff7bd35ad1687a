"""What mail reads: templates from the cache, and the mails of a document."""

from __future__ import annotations

from newel.store.session import Session, instant

from newel_mail.rules import Mails, Words


async def templates(session: Session) -> tuple[Words, ...]:
    """Active templates; none are read again until one has changed."""
    return await session.cached("mail", _load)


async def _load(session: Session) -> tuple[Words, ...]:
    names = ("code", "role", "kind", "transition", "language", "subject", "body")
    rows = await session.fetch("SELECT * FROM mail_template WHERE active = ? ORDER BY code", True)
    return tuple(Words(**{name: r[name] for name in names}) for r in rows)


async def mails(session: Session, document: int) -> Mails:
    """What was sent of a document."""
    sql = "SELECT state, recipient, subject, COALESCE(sent_at, created_at) AS at, error FROM mail_message WHERE document = ? ORDER BY id"
    rows = await session.fetch(sql, document)
    return Mails(
        tuple(
            (f"{r['state'].capitalize()} {instant(r['at']):%Y-%m-%d %H:%M}", ", ".join(filter(None, (r["recipient"], r["subject"], r["error"])))) for r in rows
        )
    )
