"""What mail decides: which template, which words, which headers. Pure functions; a template sees values and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import msgspec
from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_decimal
from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, nodes
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment, SecurityError
from newel.domain.document import Document
from newel.domain.money import plain
from newel.errors import Problem
from newel.manifest import Panel

STATES = (("queued", "Queued"), ("sent", "Sent"), ("failed", "Failed"))
KEEP_TRYING = timedelta(days=3)
ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
LONGEST = 500_000
ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Getattr, nodes.Getitem, nodes.Const, nodes.For, nodes.If, nodes.Filter,
    nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.CondExpr, nodes.Keyword,
)  # fmt: skip
FILTERS = ("upper", "lower", "trim", "length", "join", "default", "first", "last", "truncate")


class MailSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of mail. Nothing is sent until it is enabled.

    Args:
        port: 465 is encrypted from the start; elsewhere `starttls` says whether it must be.
        password_variable: environment variable with the password; its name starts with NEWEL_MAIL_. No password is kept in the database.
        sender: address that mails come from. reply_to: where answers go, empty for the sender.
        timeout: seconds that a server may take.
    """

    enabled: bool = False
    host: str = "localhost"
    port: int = 587
    starttls: bool = True
    user: str = ""
    password_variable: str = "NEWEL_MAIL_PASSWORD"  # noqa: S105 - the name of a variable
    sender: str = ""
    reply_to: str = ""
    timeout: int = 10


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """A template: for a kind of documents, or for all of a role."""

    code: str
    role: str = ""
    kind: str = ""
    transition: str
    language: str
    subject: str
    body: str


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A mail of a document."""

    state: str
    recipient: str
    subject: str
    at: datetime | None
    error: str = ""


class Mails(msgspec.Struct, frozen=True):
    """The mails of a document, first ones first."""

    sent: tuple[Sent, ...] = ()


class CannotSend(Exception):
    """This mail will never go out as it is; the message says why."""


def choose(templates: Iterable[Words], document: Document, transition: str) -> Words | None:
    """The partner's language first, then English; then the document's own kind before its role; then by code."""
    language = document.party.language if document.party else "en"
    spoken = [language, language.partition("-")[0].partition("_")[0], "en"]
    fitting = [
        t
        for t in templates
        if t.transition == transition and t.language in spoken and (t.kind == document.kind or (not t.kind and t.role == document.role))
    ]
    return min(fitting, key=lambda t: (spoken.index(t.language), not t.kind, t.code), default=None)


# ---- words -------------------------------------------------------------------------------------------------------------------------


class _Sandbox(ImmutableSandboxedEnvironment):
    """Values by name: no attribute of an object, no call."""

    def is_safe_attribute(self, obj: Any, attr: str, _value: Any) -> bool:
        return isinstance(obj, LoopContext) and attr in ("index", "first", "last", "length")

    def is_safe_callable(self, _obj: Any) -> bool:
        return False


_sandbox = _Sandbox(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)
_sandbox.globals.clear()
_sandbox.filters = {name: _sandbox.filters[name] for name in FILTERS}


def rendered(source: str, values: Mapping[str, Any]) -> str:
    """The text that a template makes of values.

    Raises:
        CannotSend: it is wrong, asks for what is not there, or for more than values.
    """
    try:
        tree = _sandbox.parse(source)
        _allowed(tree, inside=False)
        text = _sandbox.from_string(tree).render(values)
    except SecurityError as error:
        raise CannotSend(f"the template reaches for more than values: {error}") from error
    except (TemplateError, TypeError, ValueError, LookupError, ArithmeticError, RecursionError) as error:
        raise CannotSend(f"the template is wrong: {error}") from error
    if len(text) > LONGEST:
        raise CannotSend(f"the text is longer than {LONGEST} characters")
    return text


def _allowed(node: nodes.Node, inside: bool) -> None:
    """Only values, conditions and loops that are not inside of others: a template costs no more than the document is long."""
    loop = isinstance(node, nodes.For)
    if not isinstance(node, ALLOWED) or (loop and (inside or getattr(node, "recursive", False))):
        raise TemplateSyntaxError(f"{type(node).__name__} has no place here", getattr(node, "lineno", 1))
    for child in node.iter_child_nodes():
        _allowed(child, inside or loop)


def values_of(document: Document, company: str, language: str) -> dict[str, Any]:
    """What a template may name: texts, with numbers and dates as they are written in the language."""
    try:
        locale = Locale.parse(language.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        locale = Locale.parse("en")
    pattern = "#,##0" + ("." + "0" * document.amount_digits if document.amount_digits else "")

    def amount(value: Decimal) -> str:
        return format_decimal(value, pattern, locale)

    def number(value: Decimal) -> str:
        return format_decimal(plain(value), locale=locale, decimal_quantization=False)

    def day(value: date | None) -> str:
        return format_date(value, "medium", locale) if value else ""

    party = document.party
    return {
        "number": document.number, "date": day(document.date), "date_due": day(document.date_due), "date_requested": day(document.date_requested),
        "reference": document.reference, "text": document.text, "terms": document.terms, "currency": document.currency,
        "net": amount(document.net), "tax": amount(document.tax), "gross": amount(document.gross), "company": {"name": company},
        "party": {"number": party.number if party else "", "name": party.name if party else ""},
        "lines": [
            {
                "position": str(line.position), "number": line.item.number if line.item else "", "text": line.text, "quantity": number(line.quantity),
                "unit": line.unit, "price": number(line.price), "net": amount(line.net), "kind": line.kind,
            }
            for line in document.lines
        ],
        "taxes": [{"code": t.code, "rate": number(t.rate), "amount": amount(t.amount)} for t in document.taxes],
    }  # fmt: skip


# ---- headers -----------------------------------------------------------------------------------------------------------------------


def address(text: str, name: str = "", whose: str = "") -> Address:
    """One address with a name; nothing in it may begin another header."""
    if not text:
        raise CannotSend(f"{whose or 'the partner'} has no e-mail address")
    if not ADDRESS.fullmatch(text):
        raise CannotSend(f"{text!r:.100} is not one e-mail address")
    if CONTROL.search(name):
        raise CannotSend(f"the name {name!r:.100} has a line break or control character in it")
    return Address(display_name=name, addr_spec=text)


def composed(settings: MailSettings, words: Words, document: Document, company: str, event: int, now: datetime) -> EmailMessage:
    """The mail of a document."""
    values = values_of(document, company, words.language)
    subject = rendered(words.subject, values)
    if CONTROL.search(subject) or not subject.strip():
        raise CannotSend(f"a subject of one line was expected, got {subject!r:.100}")
    sender = address(settings.sender, company, "the sender")
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = address(document.party.email if document.party else "", document.party.name if document.party else "")
    if settings.reply_to:
        message["Reply-To"] = address(settings.reply_to, company)
    message["Subject"] = subject
    message["Date"] = now
    message["Message-ID"] = f"<newel.{document.id}.{event}@{sender.domain}>"
    message["Content-Language"] = words.language
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(rendered(words.body, values))
    return message


def again_at(now: datetime, attempts: int) -> datetime:
    """When a mail that could not be delivered is tried again: after a minute, then ever longer, up to an hour."""
    return now + timedelta(seconds=min(3600, 30 * 2 ** min(attempts, 10)))


# ---- records and panels --------------------------------------------------------------------------------------------------------------

SAMPLE_LINE = {name: "1" for name in ("position", "number", "text", "quantity", "unit", "price", "net", "kind")}
SAMPLE: dict[str, Any] = {
    **{name: "1" for name in ("number", "date", "date_due", "date_requested", "reference", "text", "terms", "currency", "net", "tax", "gross")},
    "company": {"name": "1"}, "party": {"number": "1", "name": "1"}, "lines": [SAMPLE_LINE], "taxes": [{"code": "1", "rate": "1", "amount": "1"}],
}  # fmt: skip


def check_template(values: Mapping[str, Any]) -> Iterator[Problem]:
    """Before a template is kept: for one kind or role, and it can be filled in."""
    if bool(values.get("role")) == bool(values.get("kind")):
        yield Problem(code="mail.for", message="either a role or a kind of documents was expected", where="kind", hint="leave the other one empty")
    for name in ("subject", "body"):
        try:
            rendered(values.get(name) or "", SAMPLE)
        except CannotSend as error:
            yield Problem(code="mail.template", message=str(error), where=name, hint="the README lists what a template may name")


def check_message(values: Mapping[str, Any]) -> Iterator[Problem]:
    """Mails come from documents."""
    if not values.get("event"):
        yield Problem(code="mail.by_hand", message="a mail comes from a document", hint="send it by the document's transition")


def panels(found: Mails | None) -> list[Panel]:
    """What was sent and when, what waits, what failed and why."""
    rows = [(_when(s), ", ".join(filter(None, (s.recipient, s.subject, s.error)))) for s in (found.sent if found else ())]
    return [Panel(title="E-mail", rows=tuple(rows), sequence=60)] if rows else []


def _when(sent: Sent) -> str:
    return f"{sent.state.capitalize()} {sent.at:%Y-%m-%d %H:%M}" if sent.at else sent.state.capitalize()


