"""Mail on one screen: after a transition the document goes to the partner, in their language, once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from newel.domain.context import Context
from newel.domain.document import Document
from newel.domain.facts import Facts
from newel.hookspecs import asked, hookimpl
from newel.manifest import Box, Job, Manifest, Panel, Shown
from newel.store.session import Database, Session

from newel_mail.facts import happenings, mails
from newel_mail.rules import SEND, TAKE, Mails, MailSettings
from newel_mail.send import deliver, listens, post, retry, tell
from newel_mail.tables import RECORDS, TABLES


@hookimpl
def register_plugin() -> Manifest:
    """Templates, what was sent and came in, a page to write one, and jobs that send and try again."""
    return Manifest(
        name="mail", label="E-mail", locale="newel_mail:locale",
        piccolo_app="newel_mail.piccolo_app", demo_data="newel_mail:demo.toml", tables=TABLES, records=RECORDS,
        settings=MailSettings, listens=listens, quiet={"enabled": False}, happenings=happenings, tells=tell,
        jobs=(Job(name="mail.retry", run=retry, every=60), Job(name="mail.send", act=post)),
        routes="newel_mail.routes:handlers", templates="newel_mail:templates",
        boxes=(Box(title="Preview", on="record:mail.template", url="/mail/preview/{id}"),),
        permissions=((SEND, "send e-mails about the documents that one may see"), (TAKE, "hand over mail that came in")),
    )  # fmt: skip


@hookimpl
async def load_facts(document: Document, session: Session, context: Context) -> Any:
    """For its page, the mails of a document that may have some; nothing while mail is switched off."""
    if session.writable or not context.setting("mail", MailSettings).enabled or document.phase == "draft":
        return None
    return await mails(session, document.id)


@hookimpl
async def after_transition(document: Document, transition: str, database: Database, context: Context) -> None:
    """Send it, where there is a template for this transition."""
    await deliver(document, transition, database, context)


@hookimpl
@asked(facts=Mails)
def propose_panels(document: Document, facts: Facts, context: Context) -> Sequence[Panel]:
    """What was sent and when, and the way to write one."""
    found = facts[Mails]
    to = document.party and (document.party.email or document.party.name)
    write = (("Write to", Shown(value=to or "…", url=f"/mail/of/{document.id}")),) if context.user.may(SEND) else ()
    return [Panel(title="E-mail", rows=(*found.rows, *write), sequence=60)] if found.rows or write else []
