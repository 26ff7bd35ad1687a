"""Mail on one screen: after a transition the document goes to the partner, in their language, once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from newel.domain.context import Context
from newel.domain.document import Document
from newel.domain.facts import Facts
from newel.hookspecs import hookimpl
from newel.manifest import Job, Manifest, Panel
from newel.store.session import Database, Session

from newel_mail.facts import mails
from newel_mail.rules import Mails, MailSettings
from newel_mail.send import deliver, listens, retry
from newel_mail.tables import RECORDS, TABLES


@hookimpl
def register_plugin() -> Manifest:
    """Templates, what was sent, and a job that tries again."""
    return Manifest(
        name="mail", label="E-mail", locale="newel_mail:locale",
        piccolo_app="newel_mail.piccolo_app", demo_data="newel_mail:demo.toml", tables=TABLES, records=RECORDS,
        settings=MailSettings, listens=listens, quiet={"enabled": False}, jobs=(Job(name="mail.retry", run=retry, every=60),),
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
def propose_panels(document: Document, facts: Facts, context: Context) -> Sequence[Panel]:
    """What was sent and when."""
    found = facts.get(Mails)
    return [Panel(title="E-mail", rows=found.rows, sequence=60)] if found and found.rows else []
