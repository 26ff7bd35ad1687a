"""The use case of a mail that somebody writes about a document."""

from __future__ import annotations

import base64
import logging

from newel.domain.context import Context
from newel.domain.document import Document
from newel.errors import Problem, Refused
from newel.services.access import denied, require
from newel.services.app import Newel
from newel.web.views_text import _, language

from newel_mail.facts import templates
from newel_mail.rules import SEND, CannotSend, Letter, MailSettings, checked, choose, filled
from newel_mail.send import enqueued
from newel_mail.tables import File

log = logging.getLogger(__name__)

LAST = "SELECT action FROM document_event WHERE document = ? ORDER BY at DESC, id DESC LIMIT 20"


async def about(newel: Newel, id: int, context: Context) -> Document:
    """The document that a mail is to be about.

    Raises:
        Refused: 403 without the right to send, or for users who stand for a party; 404 where there is none that the user may see; 409 while mail is off.
    """
    require(context, SEND)
    if context.user.party is not None:
        raise denied("a user of no party")
    if not context.setting("mail", MailSettings).enabled:
        raise Refused(Problem(code="mail.off", message="e-mail is not switched on", hint="an administrator enables it in the settings"), status=409)
    return await newel.documents.get(id, context)


async def proposed(newel: Newel, document: Document, context: Context) -> Letter:
    """What the form begins with, in the partner's language: the words of the latest transition that has a template, else a greeting."""
    async with newel.database.read() as session:
        known = await templates(session)
        actions = [r["action"] for r in await session.fetch(LAST, document.id)]
    party = document.party
    words = next((found for action in actions if (found := choose(known, document, action))), None)
    to = party.email if party else ""
    if words is not None:
        try:
            subject, text = filled(words, document, context.company.name)
            return Letter(to=to, subject=subject, text=text.strip())
        except CannotSend as wrong:  # a template that has become wrong: whoever writes does without
            log.warning("the words of template %r can't be filled in for document %d: %s", words.code, document.id, wrong)
    reader = language.set(party.language if party and party.language else language.get())
    subject = f"{_(newel.registry.kind_of(document).label)} {document.number}".strip()
    text = _("Dear %(name)s,", name=party.name if party else "") + "\n\n\n\n" + _("With kind regards") + f"\n{context.company.name}"
    language.reset(reader)
    return Letter(to=to, subject=subject, text=text)


async def write(newel: Newel, id: int, letter: Letter, files: tuple[tuple[str, str, bytes], ...], context: Context) -> int:
    """Send a mail about a document: the worker does, once this is stored. Returns its id.

    Args:
        files: (name, media type, content) of what goes along.

    Raises:
        Refused: as in about(); 422 with everything that is wrong with the letter.
    """
    document, letter = await about(newel, id, context), checked(letter)
    async with newel.database.write() as session:
        await session.need(len(files) + 2)
        made = enqueued(session, context, document=document.id, to=letter.to, subject=letter.subject, text=letter.text, user=context.user.login)
        await session.flush()
        for name, kind, content in files:
            session.add(File, message=made, name=name[:160], media_type=kind, content=base64.b64encode(content).decode())
    return made
