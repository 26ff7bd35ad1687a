"""The use case: a mail adds to the request whose number it quotes, stands with the document whose mail it answers, or makes a new request."""

from __future__ import annotations

from typing import Any

import msgspec
from newel.domain.context import Context
from newel.domain.document import DocumentInput
from newel.errors import Problem, Refused
from newel.services.access import require
from newel.services.app import Newel
from newel_mail import take as answers
from newel_mail.reading import Incoming, incoming
from newel_mail.rules import TAKE
from newel_requests.answer import find, say
from newel_requests.rules import KIND, header


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a mail: added (to a request), answered (it stands with another document), made (a new request), or ignored (nobody wrote it)."""

    outcome: str
    number: str = ""


def _refused(code: str, message: str, hint: str) -> Refused:
    return Refused(Problem(code=f"inbox.{code}", message=message, hint=hint))


async def take(app: Newel, raw: bytes, context: Context) -> Taken:
    """Take a mail in, once: the same mail again adds nothing.

    Args:
        raw: as it came over the wire (RFC 5322).

    Raises:
        Refused: it can't be read, its sender is nobody that is known, or has nothing to do with the request that it quotes.
    """
    require(context, "requests.message.edit")
    try:
        mail = incoming(raw)
    except ValueError as error:
        raise _refused("unreadable", f"this is no mail: {error}", "hand over the mail as it came") from error
    if mail.automatic:
        return Taken(outcome="ignored")
    async with app.database.read() as session:
        sql = "SELECT number FROM document WHERE kind = ? AND company = ? AND number = ANY(?)"
        known = {r["number"] for r in await session.fetch(sql, KIND, context.company.id, list(mail.words))} if mail.words else set()
        parties = await session.fetch("SELECT id FROM party WHERE lower(email) = ? AND active = ? ORDER BY id", mail.sender, True)
    number = next((word for word in mail.words if word in known), "")
    if not number and context.user.may(TAKE) and (answered := await answers.answer(app, mail, context)) is not None:
        return Taken(outcome="answered", number=answered)
    key = f"mail:{mail.id}"[:255] if mail.id else None
    return await (_added(app, number, mail, key, context) if number else _made(app, parties, mail, key, context))


async def _added(app: Newel, number: str, mail: Incoming, key: str | None, context: Context) -> Taken:
    request = await find(app, number, context)
    assert request.party is not None
    if mail.sender not in (request.party.email.lower(), header(request).requester.lower()):
        raise _refused("sender", f"{mail.sender} is not who asked for {number}", "add the address to the request or the partner, then hand the mail over again")
    await say(app, request.id, mail.text or mail.subject, context, sender=mail.sender, from_requester=True, key=key)
    return Taken(outcome="added", number=number)


async def _made(app: Newel, parties: list[Any], mail: Incoming, key: str | None, context: Context) -> Taken:
    if len(parties) != 1:
        found = "several partners have" if parties else "no partner has"
        raise _refused("unknown", f"{found} the address {mail.sender}", "enter the address with the partner, then hand the mail over again")
    text = "\n\n".join(filter(None, (mail.subject, mail.text)))
    entered = DocumentInput(party=parties[0]["id"], text=text, data={"requests": {"type": "help", "requester": mail.sender}})
    made = await app.documents.create(KIND, entered, context, key=key, then=("submit",))
    return Taken(outcome="made", number=made.document.number)
