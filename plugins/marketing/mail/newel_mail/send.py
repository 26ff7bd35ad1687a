"""Sending: claim the mail by the transition's entry in the document's history, talk to the server with no transaction open, note what came of it."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage
from importlib.resources import files
from typing import Any

import aiosmtplib
from newel.domain.context import Context
from newel.domain.document import Document
from newel.errors import Problem, Refused
from newel.services.app import Newel
from newel.store.documents import json_of
from newel.store.session import Database, Session, instant
from newel.store.tables_document import Job, Outbox

from newel_mail.facts import templates
from newel_mail.rules import ADDRESS, CannotSend, MailSettings, Words, by_hand, choose, composed
from newel_mail.tables import Message, Template

PASSWORDS = "NEWEL_MAIL_"
EVENT = "SELECT id FROM document_event WHERE document = ? AND action = ? ORDER BY at DESC, id DESC LIMIT 1"
LEASE, AGAIN = timedelta(minutes=2), timedelta(hours=1)
BATCH, ATTEMPTS = 100, 80  # about three days


async def listens(document: Document, transition: str, session: Session, context: Context) -> bool:  # noqa: ARG001 (the kernel calls it with it)
    """Whether there is a template for a transition; asked of the cache."""
    return choose(await templates(session), document, transition) is not None


async def deliver(document: Document, transition: str, database: Database, context: Context) -> None:
    """Send the mail of a transition, where there is a template for it and it was not sent yet."""
    settings = context.setting("mail", MailSettings)
    if not settings.enabled:
        return
    async with database.read() as session:
        words = choose(await templates(session), document, transition)
    claimed = await _claim(database, document, transition, words, context) if words else None
    if words is None or claimed is None:
        return
    id, event, attempts = claimed

    def make() -> EmailMessage:
        return composed(settings, words, document, context.company.name, event, context.now)

    await _try(database, id, attempts, make, context)


async def _try(database: Database, id: int, attempts: int, make: Callable[[], EmailMessage], context: Context) -> None:
    """Talk to the server with no transaction open, and note what came of it."""
    settings = context.setting("mail", MailSettings)
    values: dict[str, Any] = {"leased_until": None, "error": ""}
    try:
        message = make()
        values |= {"subject": str(message["Subject"])[:300], "recipient": message["To"].addresses[0].addr_spec}
        await _send(message, settings)
        values |= {"state": "sent", "sent_at": context.now}
    except CannotSend as error:
        values |= {"state": "failed", "error": str(error)}
    except (aiosmtplib.SMTPException, OSError) as error:
        state = "failed" if _final(error) or attempts % ATTEMPTS == 0 else "queued"
        later = context.now + min(timedelta(minutes=2 ** min(attempts - 1, 6)), AGAIN)  # a minute, then ever longer
        values |= {"state": state, "error": f"{type(error).__name__}: {error}"[:2000], "next_at": later}
    async with database.write() as session:
        await session.update(Message, id, **values)


async def post(newel: Newel, payload: dict[str, Any], _system: Context) -> None:
    """Job: send a mail that somebody wrote."""
    async with newel.database.write() as session:
        context = await newel.context(session, newel.system(None).user, payload["company"], source="mail")
        row = await session.one("SELECT * FROM mail_message WHERE id = ? FOR UPDATE", payload["id"])
        leased = instant(row["leased_until"]) if row else None
        settings = context.setting("mail", MailSettings)
        if row is None or not settings.enabled or row["state"] != "queued" or (leased and leased > context.now):
            return
        files = await session.fetch("SELECT name, media_type, content FROM mail_file WHERE message = ? ORDER BY id", row["id"])
        attempts = row["attempts"] + 1
        await session.update(Message, row["id"], attempts=attempts, leased_until=context.now + LEASE, next_at=context.now + AGAIN)

    def make() -> EmailMessage:
        return by_hand(settings, row, files, context.company.name, context.now)

    await _try(newel.database, row["id"], attempts, make, context)


def enqueued(session: Session, context: Context, *, document: int, to: str, subject: str, text: str, user: str) -> int:
    """Leave a mail to the worker, in the same transaction; returns its id."""
    id = session.id()
    session.add(
        Message, id=id, company=context.company.id, document=document, event=id, recipient=to[:200], subject=" ".join(subject.split())[:300], text=text,
        user=user, created_at=context.now, next_at=context.now + AGAIN,
    )  # fmt: skip
    _job(session, id, context.company.id, context)
    return id


def _job(session: Session, id: int, company: int, context: Context) -> None:
    payload = json_of({"id": id, "company": company})
    session.add(Job, name="mail.send", payload=payload, state="waiting", created_at=context.now, created_by="mail", company=company, available_at=context.now)


async def tell(session: Session, to: str, name: str, subject: str, text: str, context: Context) -> None:  # noqa: ARG001 (the kernel calls it with it)
    """A message to one of our own people; nothing while mail is switched off."""
    if context.setting("mail", MailSettings).enabled and ADDRESS.fullmatch(to):
        enqueued(session, context, document=0, to=to, subject=subject, text=text, user=context.user.login)


async def _claim(database: Database, document: Document, transition: str, words: Words, context: Context) -> tuple[int, int, int] | None:
    """(id, event, attempts) of a mail that nobody else sends now; None where there is nothing to do."""
    now = context.now
    async with database.write() as session:
        event = await session.value(EVENT, document.id, transition)
        row = await session.one("SELECT * FROM mail_message WHERE event = ? FOR UPDATE", event) if event else None
        leased = instant(row["leased_until"]) if row else None
        if event is None or (row and (row["state"] != "queued" or (leased and leased > now))):
            return None
        values: dict[str, Any] = {"template": words.code, "attempts": row["attempts"] + 1 if row else 1, "leased_until": now + LEASE, "next_at": now + AGAIN}
        if row:
            await session.update(Message, row["id"], **values)
            return int(row["id"]), event, values["attempts"]
        to = (document.party.email if document.party else "")[:200]
        own = {"company": document.company, "document": document.id, "event": event, "transition": transition, "recipient": to, "created_at": now}
        return session.add(Message, **own, **values), event, 1


async def _send(message: EmailMessage, settings: MailSettings) -> None:
    encrypted = settings.port == 465
    if settings.user and not (encrypted or settings.starttls):
        raise CannotSend("a password is not sent over an open line: switch starttls on, or leave the user empty")
    if settings.user and not settings.password_variable.startswith(PASSWORDS):
        raise CannotSend(f"the name of the variable with the password must start with {PASSWORDS}")
    password = os.environ.get(settings.password_variable, "") if settings.user else None
    await aiosmtplib.send(
        message, hostname=settings.host, port=settings.port, username=settings.user or None, password=password, timeout=settings.timeout,
        use_tls=encrypted, start_tls=settings.starttls and not encrypted,
    )  # fmt: skip


def _final(error: Exception) -> bool:
    """Whether trying again would be in vain: the server refuses this recipient or this text, and says that it always will."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return all(500 <= refused.code < 600 for refused in error.recipients)
    return isinstance(error, aiosmtplib.SMTPDataError) and 500 <= error.code < 600


# ---- again, and from the start ---------------------------------------------------------------------------------------------------------


async def retry(session: Session, _payload: dict[str, Any], context: Context) -> None:
    """Job: what waits goes to the worker again when its time has come; templates are there from the start."""
    if not await session.value("SELECT COUNT(*) AS n FROM mail_template"):
        await add_defaults(session)
    rows = await session.fetch(
        "SELECT id, document, transition, company FROM mail_message WHERE state = 'queued' AND next_at <= ? ORDER BY next_at LIMIT ?", context.now, BATCH
    )
    await session.many("UPDATE mail_message SET next_at = ? WHERE id = ?", [(context.now + AGAIN, r["id"]) for r in rows])
    for r in rows:
        if not r["transition"]:
            _job(session, r["id"], r["company"], context)
            continue
        payload = json_of({name: r[name] for name in ("document", "transition", "company")})
        session.add(Outbox, topic="transition", plugin="mail", document=r["document"], payload=payload, created_at=context.now, available_at=context.now)


async def add_defaults(session: Session) -> int:
    """The templates that come with the plugin, those whose codes are not there yet; returns how many."""
    known = {r["code"] for r in await session.fetch("SELECT code FROM mail_template")}
    rows = tomllib.loads(files("newel_mail").joinpath("demo.toml").read_text("utf-8"))["mail.template"]["rows"]
    missing = [row for row in rows if row["code"] not in known]
    await session.need(len(missing))
    for row in missing:
        session.add(Template, **row)
    await session.stale("mail")
    return len(missing)


async def install_defaults(app: Newel, context: Context) -> int:
    """Use case: bring back the templates that come with the plugin and are missing."""
    if not context.user.may("mail.template.edit"):
        raise Refused(Problem(code="forbidden", message="changing templates of e-mails needs the right mail.template.edit"), status=403)
    async with app.database.write() as session:
        return await add_defaults(session)
