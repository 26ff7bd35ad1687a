"""The use case of a mail that comes in: an answer to one of ours stands with the document that ours was about."""

from __future__ import annotations

import msgspec
from newel.domain.context import Context
from newel.errors import Problem, Refused
from newel.services.access import require
from newel.services.app import Newel

from newel_mail.reading import Incoming, incoming
from newel_mail.rules import TAKE, answered
from newel_mail.tables import Message


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a mail: answered (it stands with the document of that number), or ignored (nobody wrote it)."""

    outcome: str
    number: str = ""


async def take(newel: Newel, raw: bytes, context: Context) -> Taken:
    """Take a mail in, once.

    Args:
        raw: as it came over the wire (RFC 5322).

    Raises:
        Refused: 403 without the right; 422 where it can't be read, or answers none of our mails.
    """
    require(context, TAKE)
    try:
        mail = incoming(raw)
    except ValueError as error:
        problem = Problem(code="mail.unreadable", message=f"this is no mail: {error}", hint="hand over the mail as it came")
        raise Refused(problem) from error
    if mail.automatic:
        return Taken(outcome="ignored")
    number = await answer(newel, mail, context)
    if number is None:
        raise Refused(
            Problem(code="mail.unknown", message="it answers none of our mails", hint="hand it over to whoever reads the rest, such as the plugin inbox")
        )
    return Taken(outcome="answered", number=number)


async def answer(newel: Newel, mail: Incoming, context: Context) -> str | None:
    """Keep a mail with the document of the mail of ours that it answers, the same one once; returns the document's number, None where it answers none."""
    ours = answered(mail.references)
    if not ours:
        return None
    async with newel.database.write() as session:
        sql = (
            "SELECT m.id, m.event, m.document, m.recipient, m.state, d.number, p.email FROM mail_message m JOIN document d ON d.id = m.document "
            "LEFT JOIN party p ON p.id = d.party WHERE m.event = ANY(?) AND m.company = ?"
        )
        found = {(r["document"], r["event"]): r for r in await session.fetch(sql, [event for _document, event in ours], context.company.id)}
        row = next((found[pair] for pair in ours if pair in found), None)
        if row is None:
            return None
        number: str = row["number"]
        await session.one("SELECT id FROM mail_message WHERE id = ? FOR UPDATE", row["id"])
        if mail.id and await session.value("SELECT id FROM mail_message WHERE message_id = ? AND company = ?", mail.id, context.company.id):
            return number
        known = mail.sender in (str(row["recipient"]).lower(), str(row["email"] or "").lower())
        await session.need(1)
        id = session.id()
        session.add(
            Message, id=id, company=context.company.id, document=row["document"], event=id, direction="in", state="received", sender=mail.sender[:200],
            subject=mail.subject, text=mail.text, message_id=mail.id, created_at=context.now, sent_at=context.now,
            error="" if known else "from an address that we did not write to",
        )  # fmt: skip
        if row["state"] == "sent":
            await session.update(Message, row["id"], state="answered")
    return number
