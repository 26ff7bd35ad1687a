"""What a template would make of a document: the same text that is sent, and nothing is."""

from __future__ import annotations

import msgspec
from newel.domain.context import Context
from newel.domain.document import Document
from newel.errors import Problem, Refused
from newel.services.access import denied, require
from newel.services.app import Newel
from newel.services.lists import Wanted, page, visible
from newel.services.searching import search

from newel_mail.facts import templates
from newel_mail.rules import CannotSend, MailSettings, Words, choose, composed, filled

LATEST = 20


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """A mail as it would be. wrong: why it could not be sent as it is; chosen: this is what the partner gets."""

    words: Words
    to: str
    subject: str = ""
    text: str = ""
    wrong: str = ""
    chosen: bool = False


class Rehearsal(msgspec.Struct, frozen=True, kw_only=True):
    """A template with a document. numbers: of the latest documents that it is for; sheets: its own mail, then those of its sisters in other languages."""

    words: Words
    numbers: tuple[str, ...]
    document: Document | None = None
    sheets: tuple[Sheet, ...] = ()


async def rehearse(newel: Newel, template: int, number: str, context: Context) -> Rehearsal:
    """What the template with this id makes of a document, and what the templates in other languages do that are for the same.

    Args:
        number: of the document, or what a search finds it by; empty for the latest one that the template is for.

    Raises:
        Refused: 403 without the right to see templates, and for users who stand for a party; 404 for no such template; 422 where there is no such
            document of the kinds that the template is for, among those that the user may see.
    """
    require(context, "mail.template.view")
    if context.user.party is not None:
        raise denied("a user of no party")
    row = await newel.records.get("mail.template", template, context)
    words = Words(**{name: row[name] for name in Words.__struct_fields__})
    kinds = [k for k in visible(newel, context) if k == words.kind or (not words.kind and newel.registry.documents[k].role == words.role)]
    heads = [head for kind in kinds for head in (await page(newel, kind, context, Wanted(), size=LATEST, most=0)).rows if head.number]
    heads.sort(key=lambda head: (head.date is not None, head.date, head.id), reverse=True)
    found = await search(newel, number, context, kinds, size=1) if number.strip() else heads[:1]
    if number.strip() and not found:
        hint = "enter the number of one that the template is for and that you may see"
        raise Refused(Problem(code="mail.no_document", message=f"there is no document {number!r:.60}", where="document", hint=hint))
    numbers = tuple(head.number for head in heads[:LATEST])
    if not found:
        return Rehearsal(words=words, numbers=numbers)
    document = await newel.documents.get(found[0].id, context)
    async with newel.database.read() as session:
        known = await templates(session)
    same = [w for w in known if (w.role, w.kind, w.transition) == (words.role, words.kind, words.transition) and w.code != words.code]
    goes = choose(known, document, words.transition)
    sheets = tuple(_sheet(w, document, goes, context) for w in (words, *sorted(same, key=lambda w: (w.language, w.code))))
    return Rehearsal(words=words, numbers=numbers, document=document, sheets=sheets)


def _sheet(words: Words, document: Document, goes: Words | None, context: Context) -> Sheet:
    company, settings = context.company.name, context.setting("mail", MailSettings)
    sheet = Sheet(words=words, to=document.party.email if document.party else "", chosen=goes is not None and goes.code == words.code)
    try:
        subject, text = filled(words, document, company)
        sheet = msgspec.structs.replace(sheet, subject=subject, text=text)
        composed(settings, words, document, company, 0, context.now)
    except CannotSend as error:
        return msgspec.structs.replace(sheet, wrong=str(error))
    return sheet
