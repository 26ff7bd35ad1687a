"""What mail reads: templates from the cache, and the mails of a document."""

from __future__ import annotations

from newel.domain.context import Context
from newel.happenings import Asked, Happening
from newel.store.session import Session, instant
from newel.web.views_text import _

from newel_mail.rules import PHASES, STATES, Mails, Words


async def templates(session: Session) -> tuple[Words, ...]:
    """Active templates; none are read again until one has changed."""
    return await session.cached("mail", _load)


async def _load(session: Session) -> tuple[Words, ...]:
    names = ("code", "role", "kind", "transition", "language", "subject", "body")
    rows = await session.fetch("SELECT * FROM mail_template WHERE active = ? ORDER BY code", True)
    return tuple(Words(**{name: r[name] for name in names}) for r in rows)


async def mails(session: Session, document: int) -> Mails:
    """What was sent of a document."""
    sql = "SELECT state, recipient, subject, COALESCE(sent_at, created_at) AS at, error FROM mail_message WHERE document = ? AND direction = 'out' ORDER BY id"
    rows = await session.fetch(sql, document)
    return Mails(
        tuple(
            (f"{r['state'].capitalize()} {instant(r['at']):%Y-%m-%d %H:%M}", ", ".join(filter(None, (r["recipient"], r["subject"], r["error"])))) for r in rows
        )
    )


async def happenings(session: Session, asked: Asked, context: Context) -> list[Happening]:
    """Mails out and in, for the document's timeline."""
    if asked.about != "document" or asked.kind not in ("", "mail"):
        return []
    at, id = asked.before
    who, args = (' AND "user" = ?', [asked.who]) if asked.who else ("", [])
    sql = (
        "SELECT * FROM mail_message WHERE document = ? AND company = ? AND (created_at < ? OR (created_at = ? AND id < ?))"
        f"{who} ORDER BY created_at DESC, id DESC LIMIT {asked.most:d}"
    )
    labels, out = dict(STATES), []
    for r in await session.fetch(sql, asked.id, context.company.id, at, at, id, *args):
        came = r["direction"] == "in"
        text = _("E-mail from %(who)s: %(subject)s", who=r["sender"], subject=r["subject"]) if came else ""
        text = text or _("E-mail to %(who)s: %(subject)s", who=r["recipient"], subject=r["subject"])
        happened, body = instant(r["created_at"]) or context.now, "\n".join(filter(None, (r["error"], r["text"])))
        state, phase = _(labels.get(r["state"], r["state"])), PHASES.get(r["state"], "draft")
        out.append(Happening(id=r["id"], at=happened, kind="mail", who=r["user"], text=text, body=body, state=state, phase=phase))
    return out
