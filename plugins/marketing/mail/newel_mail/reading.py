"""What a mail says, and whether nobody wrote it. Pure functions; nothing of a mail is carried out, and no link in it followed."""

from __future__ import annotations

import re
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from html.parser import HTMLParser

import msgspec

LONGEST = 20_000
IDS = re.compile(r"<[^<>\s]{3,200}>")
NUMBER = re.compile(r"[A-Za-z][A-Za-z0-9/_.-]*[0-9]")


class Incoming(msgspec.Struct, frozen=True, kw_only=True):
    """A mail that came in. words: what may be the number of a document, in the order in which it stands; automatic: nobody wrote it.

    references: Message-IDs of the mails that it answers, the nearest first.
    """

    id: str
    sender: str
    subject: str
    text: str
    words: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    automatic: bool = False


class _Words(HTMLParser):
    """The text of a page, without what is not for reading."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, _attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in ("script", "style", "head")
        self.parts += ["\n"] if tag in ("p", "br", "div", "tr", "li") else []

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("script", "style", "head") and self._hidden > 0

    def handle_data(self, data: str) -> None:
        self.parts += [] if self._hidden else [data]


def incoming(raw: bytes) -> Incoming:
    """What a mail (RFC 5322) says: its plain text, or the text of its HTML part; no attachment is read and no link followed.

    Raises:
        ValueError: nobody can have sent this; the message says what is wrong with it.
    """
    mail = message_from_bytes(raw, policy=default)
    senders = [a for value in mail.get_all("from", []) for a in getattr(value, "addresses", ())]
    if len(senders) != 1 or "@" not in senders[0].addr_spec:
        raise ValueError("a mail with one sender was expected")
    body = mail.get_body(("plain", "html"))
    try:
        text = body.get_content() if isinstance(body, EmailMessage) else ""
    except (LookupError, UnicodeError) as error:
        raise ValueError(f"its text can't be read: {error}") from error
    if isinstance(body, EmailMessage) and body.get_content_type() == "text/html":
        words = _Words()
        words.feed(text)
        text = "".join(words.parts)
    subject = " ".join(str(mail.get("subject", "")).split())[:300]
    own = "\n".join(line.rstrip() for line in text.replace("\x00", "").splitlines() if not line.startswith(">"))
    named = tuple(dict.fromkeys(w.strip(".-_/").upper() for w in NUMBER.findall(f"{subject} {own[:5000]}")))[:200]
    automatic = str(mail.get("auto-submitted", "no")).strip().lower() != "no" or str(mail.get("precedence", "")).lower() in ("bulk", "junk", "list")
    id = str(mail.get("message-id", ""))[:200]
    answers = tuple(dict.fromkeys(i for name in ("in-reply-to", "references") for i in reversed(IDS.findall(str(mail.get(name, ""))[:4000]))))[:50]
    return Incoming(
        id=id, references=answers, sender=senders[0].addr_spec.lower(), subject=subject, text=own.strip()[:LONGEST], words=named, automatic=automatic
    )
